package activities_test

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/clustersystems/clusterbridge/activities"
	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/delivery"
	"github.com/clustersystems/clusterbridge/internal/intake"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/limit"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/sevenshifts"
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
	serial   = "A1"
	token    = "a-token-of-7shifts"
	company  = int64(7)
	location = int64(70)
	// settle is how long after a 2xx the tests read back, in real time.
	settle = 20 * time.Millisecond
)

var lea = ledger.Actor{Handle: "lea", Reason: "test", Note: "as agreed"}

// rig is one venue with everything real but the outside: simulators over HTTP,
// PostgreSQL, and the activities.
type rig struct {
	t     *testing.T
	ctx   context.Context
	clock *clock.Hand
	till  *clustersim.Sim
	seven *sevenshiftssim.Sim
	urls  struct{ till, seven string }
	store *ledger.Store
	vault *vault.Vault
	*activities.Sync
	runs int
	// id is the connection that is played: marcel unless a test plays another.
	id string
}

type options struct {
	till  clustersim.Options
	seven func(*sevenshifts.Config)
	// receiptDate is by opening unless set.
	receiptDate sale.ReceiptDate
	// partners are those beside 7shifts.
	partners []partner.Partner
	// clock is afternoon in Montreal unless set.
	clock *clock.Hand
}

func afternoon() *clock.Hand { return clock.NewHand(time.Date(2026, 11, 5, 20, 0, 0, 0, time.UTC)) } // 15:00 in Montreal

func newRig(t *testing.T, o options) *rig {
	t.Helper()
	r := &rig{t: t, ctx: t.Context(), id: marcel, clock: cmp.Or(o.clock, afternoon())}
	log := slog.New(slog.DiscardHandler)
	o.till.Clock = r.clock
	r.till = clustersim.New(o.till)
	r.till.AddLocation(clustersim.Location{Serial: serial, Key: "key", TradeName: "Chez Marcel", Zone: "America/Toronto"})
	r.seven = sevenshiftssim.New(sevenshiftssim.Options{Clock: r.clock})
	r.seven.AddCompany(sevenshiftssim.Company{ID: company, Name: "Marcel Inc."})
	r.seven.AddLocation(sevenshiftssim.Location{ID: location, CompanyID: company, Name: "Chez Marcel", Timezone: "America/Toronto"})
	r.seven.AddToken(sevenshiftssim.Token{Value: token, Companies: []int64{company}})
	require.NoError(t, r.seven.Switch(func(s *sevenshiftssim.Switches) { s.PerSecond = 0 }))
	r.urls.till, r.urls.seven = serve(t, r.till), serve(t, r.seven)
	t.Cleanup(func() {
		require.NoError(t, r.seven.Close())
		require.Empty(t, r.seven.Violations())
	})
	r.connect(log, o)
	r.wire(log, o)
	return r
}

func serve(t *testing.T, h http.Handler) string {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func (r *rig) connect(log *slog.Logger, o options) {
	url := postgres.ForTest(r.t)
	_, _, err := ledger.Migrate(r.ctx, url)
	require.NoError(r.t, err)
	r.store, err = ledger.Open(r.ctx, url, r.clock, log)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { require.NoError(r.t, r.store.Close()) })
	keyset, err := vault.NewKeyset()
	require.NoError(r.t, err)
	r.vault, err = vault.Open(keyset, r.store.DB())
	require.NoError(r.t, err)
	require.NoError(r.t, r.vault.Put(r.ctx, "cluster:chez-marcel", vault.NewSecret("key")))
	require.NoError(r.t, r.vault.Put(r.ctx, marcel, vault.NewSecret(token)))
	require.NoError(r.t, r.store.AddLocation(r.ctx, ledger.Location{
		ID: "chez-marcel", TradeName: "Chez Marcel", Zone: "America/Toronto", Serial: serial, Secret: "cluster:chez-marcel",
	}, lea))
	if o.receiptDate == "" {
		o.receiptDate = sale.ByOpened
	}
	_, err = r.store.Connect(r.ctx, ledger.NewConnection{
		Partner: work.SevenShifts, LocationID: "chez-marcel", CompanyID: company, PartnerLocationID: location,
		Secret: marcel, Settings: partner.Settings{ReceiptDate: o.receiptDate}, FirstDay: partner.Rules{HistoryDays: 90}.FirstDay,
	}, lea)
	require.NoError(r.t, err)
}

func (r *rig) wire(log *slog.Logger, o options) {
	config := sevenshifts.Defaults()
	config.BaseURL, config.Settle, config.PerSecond, config.Timeout = r.urls.seven, settle, 0, 5*time.Second
	if o.seven != nil {
		o.seven(&config)
	}
	partners := partner.NewRegistry(append(o.partners, sevenshifts.New(config, r.clock))...)
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	r.t.Cleanup(transport.CloseIdleConnections)
	till := cluster.New(cluster.Config{
		BaseURL: r.urls.till, OrdersByModified: true, Clock: r.clock, PageSize: 20, Timeout: 5 * time.Second,
	}, transport)
	r.Sync = &activities.Sync{
		Ledger: r.store, Vault: r.vault, Partners: partners, Clock: r.clock, Log: log, CalledOffAfter: 3,
		Puller: &intake.Puller{Ledger: r.store, Till: till, Partners: partners, Clock: r.clock, Config: intake.Defaults(), Log: log},
		Engine: &delivery.Engine{
			Ledger: r.store, Partners: partners, Limiter: limit.New(r.store.DB(), log), Vault: r.vault,
			Clock: r.clock, Base: transport, Log: log, RetryFirst: settle,
		},
	}
}

// call runs an activity as Temporal would.
func call[I, O any](r *rig, name string, in I) (out O, err error) {
	suite := testsuite.WorkflowTestSuite{}
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(r.Sync)
	value, err := env.ExecuteActivity(name, in)
	if err != nil {
		return out, err
	}
	return out, value.Get(&out)
}

// sync does what a LocationSync does, rests left out.
func (r *rig) sync() (work.Counts, error) {
	r.t.Helper()
	r.runs++
	in := work.StepInput{Connection: r.id, Run: "run-" + time.Duration(r.runs).String()}
	var counts work.Counts
	for range 50 {
		step, err := call[work.StepInput, work.StepResult](r, "SyncStep", in)
		counts = counts.Plus(step.Counts)
		if err != nil || !step.More || step.Rest > 0 {
			return counts, err
		}
		in.Cursor = step.Cursor
	}
	require.Fail(r.t, "a sync run without end")
	return counts, nil
}

func (r *rig) mustSync() work.Counts {
	r.t.Helper()
	counts, err := r.sync()
	require.NoError(r.t, err)
	return counts
}

// until syncs again and again, as the schedule does, until the condition holds.
func (r *rig) until(what string, holds func() bool) {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		_, err := r.sync()
		return err == nil && holds()
	}, 20*time.Second, settle, what)
}

// confirmed syncs until everything was read back.
func (r *rig) confirmed() {
	r.t.Helper()
	r.until("everything is confirmed", func() bool {
		b := r.backlog()
		return b.Wanted == 0 && b.Unconfirmed == 0
	})
}

func (r *rig) backlog() ledger.Backlog {
	r.t.Helper()
	b, err := r.store.Backlog(r.ctx, r.id)
	require.NoError(r.t, err)
	return b
}

func (r *rig) connection() ledger.Connection {
	r.t.Helper()
	c, err := r.store.Connection(r.ctx, r.id)
	require.NoError(r.t, err)
	return c
}

// code is the registry's code of an activity's failure.
func code(t *testing.T, err error) work.Code {
	t.Helper()
	failure, ok := errors.AsType[*temporal.ApplicationError](err)
	require.True(t, ok, "%v", err)
	return work.Code(failure.Type())
}

// held is what 7shifts answers over HTTP, by receipt id.
func (r *rig) held() map[string]sevenshifts.HeldReceipt {
	r.t.Helper()
	config := sevenshifts.Defaults()
	config.BaseURL = r.urls.seven
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	receipts := map[string]sevenshifts.HeldReceipt{}
	client := sevenshifts.NewClient(config, token, transport)
	for receipt, err := range client.ListReceipts(r.ctx, company, sevenshifts.ListQuery{LocationID: location}) {
		require.NoError(r.t, err)
		receipts[receipt.ReceiptID] = receipt
	}
	return receipts
}

// order is a closed order at the till: opened an hour ago, paid by card.
func (r *rig) order(id string, net, tip int64) clustersim.Order {
	now := r.clock.Now()
	opened := now.Add(-time.Hour)
	return clustersim.Order{
		ID: wire.Text(id), Number: wire.Text(id), Serial: serial, OpenedAt: wire.At(opened), ClosedAt: wire.At(now),
		BusinessDate: wire.Text(sale.DayOf(opened, montreal()).String()), Status: wire.StatusClosed, EmployeeID: "e1",
		Totals: wire.Totals{Gross: net, Net: net, Tip: tip, Total: net + tip},
		Lines: []wire.Line{{
			ID: "1", ItemID: "poutine", Name: "Poutine", CategoryID: "mains", Quantity: "1", UnitPrice: net, Net: net,
		}},
		Payments: []wire.Payment{{ID: "1", Type: "visa", Amount: net + tip, Tip: tip, Time: wire.At(now)}},
	}
}

func montreal() *time.Location {
	zone, err := time.LoadLocation("America/Toronto")
	if err != nil {
		panic(err)
	}
	return zone
}

func (r *rig) tillKey() cluster.Credential { return cluster.Credential{Serial: serial, Key: "key"} }
