package program

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/postgres"
	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestMain(m *testing.M) { postgres.Main(m) }

const (
	marcel   = "7shifts:chez-marcel"
	goodKey  = "canary-cluster-key"
	tokenOne = "canary-token-of-one-company"
	tokenAll = "canary-token-of-all"
)

var opening = time.Date(2026, 11, 3, 15, 0, 0, 0, time.UTC) // 10:00 in Montreal

// stage is a migrated ledger with simulated Cluster and 7shifts, and no
// Temporal.
type stage struct {
	t       *testing.T
	environ []string
	url     string
	clock   clock.Calendar
	tills   *clustersim.Sim
	shifts  *sevenshiftssim.Sim
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, url: postgres.ForTest(t), clock: clock.Fixed(opening)}
	s.tills = clustersim.New(clustersim.Options{Clock: s.clock})
	s.tills.AddLocation(clustersim.Location{Serial: "CL-1", Key: goodKey, TradeName: "Chez Marcel", Zone: "America/Toronto", Language: "fr"})
	s.tills.AddLocation(clustersim.Location{Serial: "CL-2", Key: goodKey, TradeName: "New", Zone: "America/Toronto", Language: "fr", NotActivated: true})
	s.shifts = sevenshiftssim.New(sevenshiftssim.Options{Clock: s.clock})
	t.Cleanup(func() { require.NoError(t, s.shifts.Close()) })
	s.shifts.AddCompany(sevenshiftssim.Company{ID: 31, Name: "Marcel Inc."})
	s.shifts.AddCompany(sevenshiftssim.Company{ID: 32, Name: "Other Inc."})
	for _, l := range []sevenshiftssim.Location{
		{ID: 81, CompanyID: 31, Name: "Chez Marcel", City: "Montreal", Timezone: "America/Toronto"},
		{ID: 82, CompanyID: 32, Name: "Far", Timezone: "America/Halifax"},
		{ID: 83, CompanyID: 32, Name: "Odd", Timezone: "America/toronto city"},
		{ID: 84, CompanyID: 32, Name: "Alias", Timezone: "America/Montreal"},
	} {
		s.shifts.AddLocation(l)
	}
	require.NoError(t, s.shifts.Switch(func(w *sevenshiftssim.Switches) { w.SingleCompanyFrom = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) }))
	s.shifts.AddToken(sevenshiftssim.Token{Value: tokenOne, Companies: []int64{31}})
	s.shifts.AddToken(sevenshiftssim.Token{Value: tokenAll, Companies: []int64{31, 32}})
	cluster, shifts := httptest.NewServer(s.tills), httptest.NewServer(s.shifts)
	t.Cleanup(cluster.Close)
	t.Cleanup(shifts.Close)
	keyset, err := vault.NewKeyset()
	require.NoError(t, err)
	s.environ = []string{
		"DATABASE_URL=" + s.url, "CLUSTERBRIDGE_CLUSTER_URL=" + cluster.URL, "CLUSTERBRIDGE_SEVENSHIFTS_URL=" + shifts.URL + "/v2",
		"CLUSTERBRIDGE_KEYSET=" + keyset, "CLUSTERBRIDGE_CLOCK=" + s.clock.String(), "CLUSTERBRIDGE_BY=marie",
		"TEMPORAL_ADDRESS=127.0.0.1:1", // nothing listens there
	}
	r := s.run("", "migrate", "--ledger-only")
	require.Equal(t, ExitOK, r.code, r.err)
	return s
}

// run runs a verb; whatever it writes holds no key and no token.
func (s *stage) run(stdin string, args ...string) ran {
	s.t.Helper()
	r := run(s.environ, stdin, args...)
	require.NotContains(s.t, r.out+r.err, "canary")
	require.NotContains(s.t, r.err, "goroutine")
	return r
}

// addMarcel adds the location that most tests begin with.
func (s *stage) addMarcel() {
	s.t.Helper()
	r := s.run(goodKey+"\n", "location", "add", "chez-marcel", "--name", "Chez Marcel", "--zone", "America/Toronto", "--serial", "CL-1", "--hours", "mon-sun 11:00-02:00")
	require.Equal(s.t, ExitOK, r.code, r.err)
}

// connectMarcel connects it; that Temporal is away is said and no more.
func (s *stage) connectMarcel() ran {
	s.t.Helper()
	r := s.run(tokenOne+"\n", "connect", "7shifts", "--location", "chez-marcel")
	require.Contains(s.t, r.out, "Connected: 7shifts:chez-marcel to 7shifts' location 81 (Chez Marcel)", r.err)
	return r
}

// ledger opens the ledger beside the program.
func (s *stage) ledger() *ledger.Store {
	store, err := ledger.Open(context.Background(), s.url, s.clock, slog.New(slog.DiscardHandler))
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = store.Close() })
	return store
}

func TestMigrateSaysWhatItDid(t *testing.T) {
	environ := []string{"DATABASE_URL=" + postgres.ForTest(t)}
	r := run(environ, "", "status")
	require.Equal(t, ExitFailed, r.code)
	require.Contains(t, r.err, "Run: clusterbridge migrate")
	require.Contains(t, run(environ, "", "migrate", "--ledger-only").out, "brought from version 0 to")
	require.Contains(t, run(environ, "", "migrate", "--ledger-only").out, "already")
	r = run(environ, "", "status")
	require.Equal(t, ExitOK, r.code, r.err)
	require.Contains(t, r.out, "no connections yet")
}

func TestMigrateNamesTemporalThatIsAway(t *testing.T) {
	s := newStage(t)
	r := s.run("", "migrate")
	require.Equal(t, ExitFailed, r.code)
	require.Contains(t, r.err, "Temporal does not answer at 127.0.0.1:1")
	require.Contains(t, r.err, "Next: check TEMPORAL_ADDRESS")
}

func TestLocationAddRefuses(t *testing.T) {
	s := newStage(t)
	add := func(stdin, zone, serial string, more ...string) ran {
		return s.run(stdin, append([]string{"location", "add", "x", "--name", "X", "--zone", zone, "--serial", serial}, more...)...)
	}
	for name, c := range map[string]struct {
		r    ran
		code int
		said string
	}{
		"unknown zone":                     {add(goodKey, "America/Montrael", "CL-1"), ExitUsage, `"America/Montrael" is no time zone`},
		"this machine's zone":              {add(goodKey, "Local", "CL-1"), ExitUsage, "is no time zone"},
		"another zone than the till's":     {add(goodKey, "America/Halifax", "CL-1"), ExitFailed, "The till is at UTC-05:00, but America/Halifax is at UTC-04:00"},
		"wrong key":                        {add("canary-other", "America/Toronto", "CL-1"), ExitFailed, "Cluster refuses the API key"},
		"unknown serial":                   {add(goodKey, "America/Toronto", "CL-9"), ExitFailed, "does not know this serial number"},
		"not yet activated (complaint 32)": {add(goodKey, "America/Toronto", "CL-2"), ExitFailed, "not activated"},
		"no key":                           {add("", "America/Toronto", "CL-1"), ExitUsage, "never an argument"},
		"no file":                          {add("", "America/Toronto", "CL-1", "--key-file", filepath.Join(t.TempDir(), "none")), ExitUsage, "could not be read"},
		"hours":                            {add(goodKey, "America/Toronto", "CL-1", "--hours", "always"), ExitUsage, "make no sense"},
		"handle":                           {add(goodKey, "America/Toronto", "CL-1", "--by", "Marie T."), ExitUsage, "no staff handle"},
	} {
		require.Equal(t, c.code, c.r.code, "%s: %s", name, c.r.err)
		require.Contains(t, c.r.err, c.said, name)
		require.Contains(t, c.r.err, "Next: ", name)
	}
	s.tills.SetOffline("CL-1", true)
	r := add(goodKey, "America/Toronto", "CL-1")
	require.Contains(t, r.err, "The till is offline")
	all, err := s.ledger().Locations(context.Background())
	require.NoError(t, err)
	require.Empty(t, all)
}

func TestLocationAddAndCredentials(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	r := s.run(goodKey, "location", "add", "chez-marcel", "--name", "Again", "--zone", "America/Toronto", "--serial", "CL-1")
	require.Equal(t, ExitUsage, r.code)
	require.Contains(t, r.err, "already a location of this id")

	s.tills.AddLocation(clustersim.Location{Serial: "CL-7", Key: goodKey + "-new", TradeName: "Chez Marcel", Zone: "America/Toronto", Language: "fr"})
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte(goodKey+"-new\n"), 0o600))
	r = s.run("", "location", "credentials", marcel, "--serial", "CL-7", "--key-file", file)
	require.Equal(t, ExitOK, r.code, r.err)
	require.Contains(t, r.out, "Serial number replaced")

	store := s.ledger()
	l, err := store.Location(context.Background(), "chez-marcel")
	require.NoError(t, err)
	require.Equal(t, "CL-7", l.Serial)
	require.Equal(t, ledger.Span{Open: "11:00", Close: "02:00"}, l.Hours[time.Sunday])
	var sealed []string
	require.NoError(t, store.DB().Select(&sealed, `SELECT encode(sealed, 'escape') FROM secrets WHERE id LIKE 'cluster:%'`))
	require.Len(t, sealed, 1, "the old key is forgotten")
	require.NotContains(t, sealed[0], "canary")
}

func TestConnectRefuses(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	connect := func(token string, more ...string) ran {
		return s.run(token, append([]string{"connect", "7shifts", "--location", "chez-marcel"}, more...)...)
	}
	for name, c := range map[string]struct {
		r    ran
		code int
		said []string
	}{
		"wrong token":               {connect("canary-none"), ExitFailed, []string{"The partner refuses the token"}},
		"several companies":         {connect(tokenAll), ExitUsage, []string{"31  Marcel Inc.", "32  Other Inc.", "--company <id>"}},
		"several locations":         {connect(tokenAll, "--company", "32"), ExitUsage, []string{"82  Far", "--partner-location <id>"}},
		"a company it does not see": {connect(tokenOne, "--company", "32"), ExitUsage, []string{"does not see the company 32"}},
		"other zone (complaint 3)":  {connect(tokenAll, "--company", "32", "--partner-location", "82"), ExitFailed, []string{"The zones differ", "America/Halifax", "America/Toronto"}},
		"odd zone (complaint 21)":   {connect(tokenAll, "--company", "32", "--partner-location", "83"), ExitFailed, []string{"which is no IANA zone"}},
		"unknown location":          {s.run(tokenOne, "connect", "7shifts", "--location", "nowhere"), ExitUsage, []string{"Next: "}},
	} {
		require.Equal(t, c.code, c.r.code, "%s: %s", name, c.r.err)
		for _, said := range c.said {
			require.Contains(t, c.r.err, said, name)
		}
	}
	require.NoError(t, s.shifts.Switch(func(w *sevenshiftssim.Switches) { w.PlanRefused = true }))
	r := connect(tokenOne)
	require.Contains(t, r.err, "plan is too low", "complaint 24")
	require.Contains(t, s.run("", "status").out, "no connections yet")
}

func TestConnectSaysWhatDoesNotTravelAndWhatIsLeft(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	r := s.connectMarcel()
	require.Contains(t, r.out, "line items, time punches, schedule enforcement and employee sync are not supported")
	require.Equal(t, ExitFailed, r.code)
	require.Contains(t, r.err, "The connection is made, but its history was not started: Temporal does not answer")

	var permits int
	require.NoError(t, s.ledger().DB().Get(&permits, `SELECT sum(granted) FROM permits`))
	require.Equal(t, 3, permits, "whoami, companies and locations count toward the token's limit")

	// Complaint 20: one integration per location.
	s.tills.AddLocation(clustersim.Location{Serial: "CL-3", Key: goodKey, TradeName: "Twin", Zone: "America/Toronto", Language: "fr"})
	require.Equal(t, ExitOK, s.run(goodKey, "location", "add", "twin", "--name", "Twin", "--zone", "America/Toronto", "--serial", "CL-3").code)
	r = s.run(tokenOne, "connect", "7shifts", "--location", "twin")
	require.Equal(t, ExitFailed, r.code)
	require.Contains(t, r.err, "filled by 7shifts:chez-marcel already")

	// An alias of the zone keeps the same hours, and is only noted.
	r = s.run(tokenAll, "connect", "7shifts", "--location", "twin", "--company", "32", "--partner-location", "84")
	require.Contains(t, r.out, "both keep the same hours")
	require.Contains(t, r.out, "Connected: 7shifts:twin")

	// Connecting again renews the token and forgets the old one.
	s.connectMarcel()
	var ids []string
	require.NoError(t, s.ledger().DB().Select(&ids, `SELECT id FROM secrets WHERE id LIKE '7shifts:chez-marcel%'`))
	require.Len(t, ids, 1)
}

func TestStatus(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	s.connectMarcel()
	r := s.run("", "status")
	require.Equal(t, ExitOK, r.code, r.err)
	require.Contains(t, r.out, "initializing")
	require.Contains(t, r.out, "It waits for its first sale.")

	r = s.run("", "status", "chez-marcel", "--json")
	var all []Standing
	require.NoError(t, json.Unmarshal([]byte(r.out), &all), r.out)
	require.Len(t, all, 1)
	require.Equal(t, work.Initializing, all[0].State)
	require.True(t, all[0].WaitingForFirstSale)
	require.Equal(t, "2026-11-10", all[0].Projections.Earliest.String())
	require.Equal(t, "2026-11-17", all[0].Projections.Latest.String())
	require.Equal(t, "2026-12-01", all[0].Projections.Until.String())
	require.Equal(t, "2026-08-05", all[0].History.From.String())
	require.False(t, all[0].History.Done)

	store := s.ledger()
	_, err := store.RecordFailure(context.Background(), marcel, work.PartnerToken, work.Err(work.PartnerToken, "").Sentence(marcel), work.Refused, 1)
	require.NoError(t, err)
	r = s.run("", "status", marcel)
	require.Contains(t, r.out, "called off since 2026-11-03")
	require.Contains(t, r.out, "The partner refuses the token.")
	require.Contains(t, r.out, "clusterbridge resume "+marcel)
	require.Contains(t, r.out, "expected between 2026-11-10 and 2026-11-17, then up to 2026-12-01")

	r = s.run("", "status", "7shifts:nowhere")
	require.Equal(t, ExitFailed, r.code)
	require.Contains(t, r.err, "There is no such connection")
}

// sell records sales as a pull would, with a bad one beside.
func (s *stage) sell(sales ...sale.Sale) {
	ctx, store := context.Background(), s.ledger()
	c, err := store.Connection(ctx, marcel)
	require.NoError(s.t, err)
	_, err = store.AcquireLease(ctx, marcel, "test", time.Minute)
	require.NoError(s.t, err)
	page := ledger.Page{ReadBegan: opening, Bad: []ledger.BadOrder{{
		ID: "CL-1-bad", Day: sale.NewDay(2026, 11, 3), Code: work.OrderMalformed, Why: "totals: not a number", Raw: `{"id": "bad", "total": "x"}`,
	}}}
	for _, one := range sales {
		page.Snapshots = append(page.Snapshots, ledger.Snapshot{Sale: one, ReadBegan: opening})
	}
	_, err = store.RecordPage(ctx, c, "test", page, func(sale.Sale, bool) ([]partner.Document, error) { return nil, nil })
	require.NoError(s.t, err)
	require.NoError(s.t, store.ReleaseLease(ctx, marcel, "test"))
}

func order(id string, opened, closed time.Time) sale.Sale {
	one := sale.Sale{ID: "CL-1-" + id, OrderID: id, Serial: "CL-1", Status: sale.Closed, OpenedAt: opened, ClosedAt: closed, ModifiedAt: opened}
	if closed.IsZero() {
		one.Status = sale.Open
	}
	return one
}

// Complaint 6: a tab opened on one day and paid the next.
func TestReceiptDateWarnsWhichDaysMove(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	s.connectMarcel()
	s.sell(
		order("same", opening, opening.Add(time.Hour)),
		order("night", opening.Add(12*time.Hour), opening.Add(25*time.Hour)),
		order("open", opening.Add(time.Hour), time.Time{}),
	)
	r := s.run("", "connection", "set", "receipt-date", marcel, "opened")
	require.Equal(t, ExitOK, r.code, r.err)
	require.Contains(t, r.out, "already")

	r = s.run("", "connection", "set", "receipt-date", marcel, "closed")
	require.Equal(t, ExitUsage, r.code)
	require.Contains(t, r.out, "1 sale moves to another business day")
	require.Contains(t, r.out, "2026-11-03, 2026-11-04")
	require.Contains(t, r.out, "1 open order is waiting for that")
	require.Contains(t, r.err, "Next: clusterbridge connection set receipt-date 7shifts:chez-marcel closed --yes")

	r = s.run("", "connection", "set", "receipt-date", marcel, "closed", "--yes")
	require.Contains(t, r.err, "Temporal does not answer")
}

func TestQuarantineIsShown(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	s.connectMarcel()
	require.Contains(t, s.run("", "quarantine", "list", marcel).out, "Nothing is in quarantine")
	s.sell()
	r := s.run("", "quarantine", "list", marcel)
	require.Contains(t, r.out, "CL-1-bad")
	require.Contains(t, r.out, "not a number")
	r = s.run("", "quarantine", "show", "1")
	require.Equal(t, ExitOK, r.code, r.err)
	require.Contains(t, r.out, `{"id": "bad", "total": "x"}`)
	require.Equal(t, ExitUsage, s.run("", "quarantine", "show", "99").code)
	require.Contains(t, s.run("", "status").out, "1 record is put aside. Next: clusterbridge quarantine list "+marcel)
}

func TestHistoryTellsAStory(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	s.connectMarcel()
	ctx, store := context.Background(), s.ledger()
	_, err := store.RecordSuccess(ctx, marcel, work.Counts{})
	require.NoError(t, err)
	_, err = store.Pause(ctx, marcel, ledger.Actor{Handle: "lea", Reason: "venue_asked", Note: "kitchen fire"})
	require.NoError(t, err)
	r := s.run("", "history", marcel)
	require.Equal(t, ExitOK, r.code, r.err)
	for _, sentence := range []string{
		"2026-11-03 10:00  marie added the location with serial number CL-1.",
		"marie connected it.",
		"clusterbridge saw it turn from initializing to healthy.",
		"lea paused it, because the venue asked: kitchen fire.",
	} {
		require.Contains(t, r.out, sentence)
	}
	require.Contains(t, s.run("", "history", marcel, "--day", "2026-11-03").out, "lea paused it")
	require.Contains(t, s.run("", "history", marcel, "--day", "2026-11-02").out, "Nothing was written down on 7shifts:chez-marcel on 2026-11-02")
	require.Equal(t, ExitUsage, s.run("", "history", marcel, "--day", "yesterday").code)
}

func TestActsWithoutTemporalFailPlainly(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	s.connectMarcel()
	for _, act := range []string{
		"pause 7shifts:chez-marcel", "resume 7shifts:chez-marcel", "sync now 7shifts:chez-marcel",
		"resend 7shifts:chez-marcel --from 2026-11-01", "backfill start 7shifts:chez-marcel", "quarantine release 7shifts:chez-marcel",
	} {
		r := s.run("", strings.Fields(act)...)
		require.Equal(t, ExitFailed, r.code, act)
		require.Contains(t, r.err, "Temporal does not answer at 127.0.0.1:1", act)
	}
}
