package observe

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/limit"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/postgres"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	marcel   = "7shifts:chez-marcel"
	beaubien = "7shifts:cafe-beaubien"
)

var (
	november = time.Date(2026, 11, 3, 15, 0, 0, 0, time.UTC)
	lea      = ledger.Actor{Handle: "lea", Reason: "test"}
)

// newLedger is a migrated ledger with two connected locations, in November.
func newLedger(t *testing.T) (*ledger.Store, string) {
	t.Helper()
	url := postgres.ForTest(t)
	_, _, err := ledger.Migrate(t.Context(), url)
	require.NoError(t, err)
	s := openAt(t, url, november)
	for id, serial := range map[string]string{"chez-marcel": "A1", "cafe-beaubien": "B2"} {
		require.NoError(t, s.AddLocation(t.Context(), ledger.Location{ID: id, TradeName: id, Zone: "America/Toronto", Language: "fr", Serial: serial}, lea))
		_, err = s.Connect(t.Context(), ledger.NewConnection{
			Partner: work.SevenShifts, LocationID: id, CompanyID: 7, PartnerLocationID: 70,
			Secret: "token:7", Settings: partner.Settings{ReceiptDate: sale.ByOpened}, FirstDay: partner.Rules{HistoryDays: 90}.FirstDay,
		}, lea)
		require.NoError(t, err)
	}
	return s, url
}

func openAt(t *testing.T, url string, at time.Time) *ledger.Store {
	t.Helper()
	s, err := ledger.Open(t.Context(), url, still(at), quiet())
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// still is a clock that does not go on, so that ages are exact.
type still time.Time

var _ clock.Clock = still{}

func (s still) Now() time.Time { return time.Time(s) }

func (s still) Until(t time.Time) time.Duration { return max(t.Sub(s.Now()), 0) }

// documents puts documents into the ledger as they are after their last step.
func documents(t *testing.T, s *ledger.Store, set string, ids ...string) {
	t.Helper()
	for _, id := range ids {
		_, err := s.DB().ExecContext(t.Context(), `
			INSERT INTO documents (connection, id, sale_id, day, date, lane, body, hash, wanted_at)
			VALUES ($1, $2, $2, '2026-11-03', $3, 0, '{}', 'one', $3)`, marcel, id, november.Add(-time.Hour))
		require.NoError(t, err)
		_, err = s.DB().ExecContext(t.Context(), `UPDATE documents SET `+set+` WHERE id = $1`, id)
		require.NoError(t, err)
	}
}

// waitingPeople puts what waits for people into the ledger: findings,
// onboardings, a mail.
func waitingPeople(t *testing.T, s *ledger.Store) {
	t.Helper()
	require.NoError(t, s.Find(t.Context(), marcel, []ledger.NewFinding{{Kind: ledger.RouteDoubled, Subject: "A1"}, {Kind: ledger.ItemNew, Subject: "2001"}}))
	require.NoError(t, s.AddCases(t.Context(), []ledger.Case{
		{ID: "wisk:r-1:1", Request: "wisk:r-1", Partner: work.Wisk, Data: ledger.CaseData{Stage: work.StageContact, WaitingFor: "operator", Since: november}},
		{ID: "wisk:r-1:2", Request: "wisk:r-1", Partner: work.Wisk, Data: ledger.CaseData{Stage: work.StageContact, WaitingFor: "operator", Since: november.Add(time.Minute)}},
	}, lea))
	_, err := s.DB().ExecContext(t.Context(), `
		INSERT INTO mails (key, kind, lang, message_id, state, attempts, unsure, first_at, dated_at, last_error)
		VALUES ('a', 'invoice', 'fr', 'm', 'failed', 3, 0, $1, $1, 'mail_refused'), ('b', 'live', 'fr', 'n', 'sent', 1, 0, $1, $1, '')`, november)
	require.NoError(t, err)
}

func TestTheLedgersMetricsTellHowItIs(t *testing.T) {
	s, url := newLedger(t)
	ctx := t.Context()
	const sent = `sent_hash = 'one', sent_resend = 0, created = true, `
	documents(t, s, `lane = 0`, "w1", "w2")
	documents(t, s, `lane = 1, wanted_at = wanted_at - interval '1 day'`, "h1")
	documents(t, s, `ambiguous = true`, "u1")
	documents(t, s, sent+`confirm_at = now() + interval '1 minute'`, "s1", "s2")
	documents(t, s, sent+`confirm_at = now() - interval '2 hours'`, "s3")
	documents(t, s, sent+`confirmed_hash = 'one', confirmed_resend = 0`, "c1", "c2")
	_, err := s.DB().ExecContext(ctx, `
		INSERT INTO quarantine (connection, kind, record_id, code, why, first_at, last_at, status)
		VALUES ($1, 'order', 'o1', 'order_malformed', '', now(), now(), 'open'), ($1, 'order', 'o2', 'order_malformed', '', now(), now(), 'healed')`, marcel)
	require.NoError(t, err)
	documents(t, s, `uncertain = true, ambiguous = true`, "p1")
	waitingPeople(t, s)
	_, err = s.RecordSuccess(ctx, marcel, work.Counts{})
	require.NoError(t, err)
	_, err = s.RecordFailure(ctx, beaubien, work.ClusterOffline, "The till is offline.", work.Transient, 0)
	require.NoError(t, err)
	limiter := limit.New(s.DB(), quiet())
	gate := limiter.Gate("hash", 1000, time.Minute)
	require.NoError(t, gate.Wait(ctx))
	require.NoError(t, gate.Rest(ctx, time.Minute))

	m := newMetrics(t)
	require.NoError(t, m.WatchLedger(openAt(t, url, november.Add(time.Hour)), quiet()))
	text := scrape(t, m)
	const at = `{connection="7shifts:chez-marcel",`
	for _, line := range []string{
		`clusterbridge_ledger_up 1`,
		`clusterbridge_connection_state{connection="7shifts:chez-marcel",partner="7shifts",state="healthy"} 1`,
		`clusterbridge_connection_state{connection="7shifts:cafe-beaubien",partner="7shifts",state="failing"} 1`,
		`clusterbridge_connection_failures{code="cluster_offline",connection="7shifts:cafe-beaubien",partner="7shifts"} 1`,
		`clusterbridge_connection_last_success_age_seconds` + at + `partner="7shifts"} 3600`,
		// Never synced: the age counts from the connection on.
		`clusterbridge_connection_last_success_age_seconds{connection="7shifts:cafe-beaubien",partner="7shifts"} 3600`,
		`clusterbridge_documents_waiting` + at + `lane="live",partner="7shifts"} 3`,
		`clusterbridge_documents_waiting` + at + `lane="history",partner="7shifts"} 1`,
		`clusterbridge_documents_waiting{connection="7shifts:cafe-beaubien",lane="live",partner="7shifts"} 0`,
		`clusterbridge_documents_waiting_age_seconds` + at + `lane="live",partner="7shifts"} 7200`,
		`clusterbridge_documents_waiting_age_seconds` + at + `lane="history",partner="7shifts"} 93600`,
		`clusterbridge_documents_unconfirmed` + at + `partner="7shifts"} 3`,
		`clusterbridge_documents_readback_overdue` + at + `partner="7shifts"} 1`,
		`clusterbridge_documents_uncertain` + at + `partner="7shifts"} 1`,
		`clusterbridge_documents_parked` + at + `partner="7shifts"} 1`,
		`clusterbridge_findings_open` + at + `partner="7shifts"} 2`,
		`clusterbridge_route_doubled` + at + `partner="7shifts"} 1`,
		`clusterbridge_onboardings_open{partner="wisk",stage="contact",waiting_for="operator"} 2`,
		`clusterbridge_onboardings_waiting_age_seconds{partner="wisk",stage="contact",waiting_for="operator"} 3600`,
		`clusterbridge_mails_waiting{code="mail_refused",kind="invoice"} 1`,
		`clusterbridge_mails_waiting_age_seconds{code="mail_refused",kind="invoice"} 3600`,
		`clusterbridge_quarantine_open` + at + `kind="order",partner="7shifts"} 1`,
		`clusterbridge_quarantine_open` + at + `kind="document",partner="7shifts"} 0`,
		`clusterbridge_permits_granted_total 1`,
		`clusterbridge_permits_voided_total 0`,
		`clusterbridge_credentials_resting 1`,
	} {
		require.Contains(t, text, line+"\n")
	}
	require.NotContains(t, text, `clusterbridge_connection_failures{code="",`)
}

func TestOnlySyncedConnectionsGrowOld(t *testing.T) {
	s, _ := newLedger(t)
	_, err := s.Pause(t.Context(), marcel, lea)
	require.NoError(t, err)
	m := newMetrics(t)
	require.NoError(t, m.WatchLedger(s, quiet()))
	text := scrape(t, m)
	require.Contains(t, text, `clusterbridge_connection_state{connection="7shifts:chez-marcel",partner="7shifts",state="paused"} 1`)
	require.NotContains(t, text, `clusterbridge_connection_last_success_age_seconds{connection="7shifts:chez-marcel"`)
}

func TestALedgerThatIsDownSaysSoAndNothingElse(t *testing.T) {
	s, _ := newLedger(t)
	require.NoError(t, s.Close())
	m := newMetrics(t)
	require.NoError(t, m.WatchLedger(s, quiet()))
	text := scrape(t, m)
	require.Contains(t, text, "clusterbridge_ledger_up 0\n")
	require.NotContains(t, text, "clusterbridge_documents_waiting")
}

// asked counts how often the ledger is asked.
type asked struct {
	Overviewer
	times int
}

func (a *asked) Overview(ctx context.Context) (ledger.Overview, error) {
	a.times++
	return a.Overviewer.Overview(ctx)
}

func TestManyWhoScrapeAskTheLedgerOnce(t *testing.T) {
	s, _ := newLedger(t)
	a := &asked{Overviewer: s}
	m := newMetrics(t)
	require.NoError(t, m.WatchLedger(a, quiet()))
	for range 5 {
		scrape(t, m)
	}
	require.Equal(t, 1, a.times)
}
