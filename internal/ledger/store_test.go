package ledger_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/postgres"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestAnOlderSchemaIsRefusedAndANewerOneAccepted(t *testing.T) {
	ctx, url := context.Background(), postgres.ForTest(t)
	_, err := ledger.Open(ctx, url, clock.Real(), slog.Default())
	requireCode(t, work.SchemaTooOld, err)

	from, to, err := ledger.Migrate(ctx, url)
	require.NoError(t, err)
	require.Zero(t, from)
	require.Positive(t, to)
	s, err := ledger.Open(ctx, url, clock.Real(), slog.Default())
	require.NoError(t, err)
	defer s.Close()

	s.DB().MustExec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, true)`, to+1)
	newer, err := ledger.Open(ctx, url, clock.Real(), slog.Default())
	require.NoError(t, err)
	require.NoError(t, newer.Close())
}

func TestTwoMigrationsAtOnceDoTheWorkOnce(t *testing.T) {
	ctx, url := context.Background(), postgres.ForTest(t)
	var group sync.WaitGroup
	started := make([]int64, 3)
	for i := range started {
		group.Go(func() {
			from, to, err := ledger.Migrate(ctx, url)
			require.NoError(t, err)
			started[i] = to - from
		})
	}
	group.Wait()
	var worked int
	for _, n := range started {
		if n > 0 {
			worked++
		}
	}
	require.Equal(t, 1, worked)
}

func TestALedgerThatDoesNotAnswerIsTransient(t *testing.T) {
	h := open(t)
	ctx, cancel := context.WithCancel(h.ctx)
	cancel()
	_, err := h.Connections(ctx)
	requireCode(t, work.LedgerUnavailable, err)
	require.Equal(t, work.Transient, work.KindOf(err))
	_, err = ledger.Open(h.ctx, "postgres://nobody:hunter2@127.0.0.1:1/none?connect_timeout=2", clock.Real(), slog.Default())
	requireCode(t, work.LedgerUnavailable, err)
	require.NotContains(t, err.Error(), "hunter2")
}

func TestBadLocationsAreRefusedByName(t *testing.T) {
	h := open(t)
	good := ledger.Location{ID: "le-coin", TradeName: "Le Coin", Zone: "America/Vancouver", Serial: "B2", Language: "en"}
	for says, spoil := range map[string]func(*ledger.Location){
		"zone":          func(l *ledger.Location) { l.Zone = "America/Montreuil" },
		"trade name":    func(l *ledger.Location) { l.TradeName = " " },
		"serial":        func(l *ledger.Location) { l.Serial = "" },
		"language":      func(l *ledger.Location) { l.Language = "de" },
		"lower-case":    func(l *ledger.Location) { l.ID = "Le Coin" },
		"HH:MM":         func(l *ledger.Location) { l.Hours = ledger.Hours{time.Monday: {Open: "8h", Close: "17:00"}} },
		"already":       func(l *ledger.Location) { l.ID = "chez-marcel" },
		"serial number": func(l *ledger.Location) { l.Serial = "A1" },
	} {
		bad := good
		spoil(&bad)
		err := h.AddLocation(h.ctx, bad, lea)
		requireCode(t, work.BadInput, err)
		require.ErrorContains(t, err, says)
	}
	require.NoError(t, h.AddLocation(h.ctx, good, lea))
	all, err := h.Locations(h.ctx)
	require.NoError(t, err)
	require.Len(t, all, 2, "a refused location leaves nothing behind")
}

func TestAConnectionIsLiveFromFiveOClockOfItsBusinessDay(t *testing.T) {
	c := open(t).c
	require.Equal(t, work.Initializing, c.State)
	require.True(t, c.LiveFrom.Equal(time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC)), "05:00 in Montreal, after the clocks went back")
	require.Equal(t, "2026-08-05", c.HistoryFrom.String())
	require.True(t, c.Watermark.IsZero())
	require.Equal(t, "11:30", c.Location.Hours[time.Friday].Open)
	for_, err := c.ForPartner()
	require.NoError(t, err)
	require.Equal(t, int64(70), for_.LocationID)
	require.Equal(t, sale.ByOpened, for_.Settings.ReceiptDate)
}

func TestConnectingAgainRenewsButDoesNotMove(t *testing.T) {
	h := open(t)
	again := ledger.NewConnection{Partner: work.SevenShifts, LocationID: "chez-marcel", CompanyID: 7, PartnerLocationID: 71, Secret: "token:8"}
	_, err := h.Connect(h.ctx, again, lea)
	require.NoError(t, err, "nothing was sent yet")
	require.Equal(t, "token:8", h.reload().Secret)
	require.Equal(t, sale.ByOpened, h.c.Settings.ReceiptDate, "settings stay")

	h.read(1, order("1", 1000, 1))
	h.accept(h.claimOne())
	again.PartnerLocationID = 72
	_, err = h.Connect(h.ctx, again, lea)
	requireCode(t, work.BadInput, err)
	require.Equal(t, int64(71), h.reload().PartnerLocationID)
}

func TestUnknownConnectionsAreNamed(t *testing.T) {
	h := open(t)
	_, err := h.Connection(h.ctx, "7shifts:nowhere")
	requireCode(t, work.UnknownConnection, err)
	_, err = h.AcquireLease(h.ctx, "7shifts:nowhere", holder, forLong)
	requireCode(t, work.UnknownConnection, err)
	_, err = h.RecordSuccess(h.ctx, "7shifts:nowhere", work.Counts{})
	requireCode(t, work.UnknownConnection, err)
}

func TestTheJournalCannotBeChanged(t *testing.T) {
	h := open(t)
	require.NoError(t, h.Journal(h.ctx, ledger.Entry{Connection: marcel, Who: "lea", Act: "test"}))
	for _, act := range []string{`UPDATE journal SET who = 'nobody'`, `DELETE FROM journal`, `TRUNCATE journal`} {
		_, err := h.DB().Exec(act)
		require.ErrorContains(t, err, "append-only", act)
	}
	story, err := h.History(h.ctx, marcel, time.Time{}, time.Time{})
	require.NoError(t, err)
	var acts []string
	for _, e := range story {
		acts = append(acts, e.Act)
	}
	require.Equal(t, []string{ledger.ActAddLocation, ledger.ActConnect, "test"}, acts, "the location's story is part of it")
}

func TestHistoryIsCutByBusinessTime(t *testing.T) {
	h := open(t)
	for hour := range 3 {
		require.NoError(t, h.Journal(h.ctx, ledger.Entry{At: november.AddDate(0, 0, 1).Add(time.Duration(hour) * time.Hour), Connection: marcel, Who: "lea", Act: "test"}))
	}
	story, err := h.History(h.ctx, marcel, november.AddDate(0, 0, 1), november.AddDate(0, 0, 1).Add(2*time.Hour))
	require.NoError(t, err)
	require.Len(t, story, 2, "half open")
}
