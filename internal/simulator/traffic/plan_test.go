package traffic_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	"github.com/clustersystems/clusterbridge/internal/simulator/traffic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	historyFrom = sale.NewDay(2026, time.August, 2)
	firstLive   = sale.NewDay(2026, time.October, 31) // its night has 25 hours
)

const liveDays = 3

func demoPlan(seed uint64) *traffic.Plan {
	return traffic.New(seed, traffic.DemoVenues(), historyFrom, firstLive, liveDays, traffic.DemoMinimums())
}

func TestThePlanReachesItsMinimums(t *testing.T) {
	for seed := range uint64(20) {
		plan := demoPlan(seed)
		marks, orders := plan.Counts()
		m := traffic.DemoMinimums()
		require.GreaterOrEqual(t, orders, m.Orders, "seed %d", seed)
		for mark, least := range map[traffic.Mark]int{
			traffic.LateEdit: m.LateEdits, traffic.Void: m.Voids, traffic.Refund: m.Refunds, traffic.PartialRefund: m.Refunds,
			traffic.Split: m.Splits, traffic.Merge: m.Merges, traffic.Transfer: m.Transfers,
			traffic.GiftCard: 9, traffic.ServiceCharge: 9, traffic.Comp: 9, traffic.Discount: 9, traffic.CashTip: 9,
			traffic.AutoGratuity: 9, traffic.TipAfterClose: 9, traffic.Overnight: 6, traffic.Edge: 27, traffic.ClockChange: 6,
		} {
			require.GreaterOrEqual(t, marks[mark], least, "seed %d: %s", seed, mark)
		}
		zones := map[string]bool{}
		for _, v := range plan.Venues() {
			zones[v.Location.Zone] = true
		}
		require.Len(t, zones, 2)
	}
}

func TestMoreOrdersThanTheVenuesWouldHave(t *testing.T) {
	m := traffic.DemoMinimums()
	m.Orders = 6000
	_, orders := traffic.New(1, traffic.DemoVenues(), historyFrom, firstLive, liveDays, m).Counts()
	require.GreaterOrEqual(t, orders, m.Orders)
}

func TestThePlanIsAFunctionOfItsSeed(t *testing.T) {
	text := func(p *traffic.Plan) string {
		b, err := json.Marshal(p.Expected(p.End()))
		require.NoError(t, err)
		return string(b)
	}
	first, again, other := text(demoPlan(7)), text(demoPlan(7)), text(demoPlan(8))
	require.Equal(t, first, again)
	require.NotEqual(t, first, other)
}

// What the till shows at an instant, read over HTTP and judged by the domain's
// rules, is what the plan expects by its own book-keeping.
func TestTheDomainsRulesAgreeWithThePlan(t *testing.T) {
	plans := map[string]*traffic.Plan{"plain": demoPlan(3), "troubled": troubledPlan(), "items": itemPlan(4)}
	for name, plan := range plans {
		for _, at := range []time.Time{firstLive.Start(zone(t)).Add(4 * time.Hour), firstLive.Plus(1).Start(zone(t)), firstLive.Plus(2).Start(zone(t)).Add(15 * time.Hour), plan.End()} {
			t.Run(name+" "+at.UTC().Format(time.RFC3339), func(t *testing.T) { checkAgainstTill(t, plan, at) })
		}
	}
}

func checkAgainstTill(t *testing.T, plan *traffic.Plan, at time.Time) {
	t.Helper()
	held := readAll(t, plan, plan.Venues(), at)
	count := map[string]int{}
	for _, want := range plan.Expected(at) {
		zone, err := time.LoadLocation(zoneOf(plan, want.Venue))
		require.NoError(t, err)
		got, ok := held[want.ReceiptID]
		if want.Has(traffic.Vanished) && want.Status == traffic.Voided {
			require.False(t, ok, "it vanished")
			continue
		}
		if want.Serial == goneSerial && !at.Before(replacedAt.Start(zone)) {
			continue // the old hardware does not answer any more
		}
		require.True(t, ok, want.ReceiptID)
		count[want.Status]++
		require.Equal(t, want.EmployeeID, got.EmployeeID, want.ReceiptID)
		net, err := got.NetSales()
		require.NoError(t, err)
		tips, err := got.Tips()
		require.NoError(t, err)
		require.Equal(t, want.Net, int64(net), "net of %s %v", want.ReceiptID, want.Marks)
		require.Equal(t, want.CardTips, int64(tips.Card), "tips of %s %v", want.ReceiptID, want.Marks)
		require.Equal(t, want.Gratuity, int64(tips.Gratuity), "gratuity of %s %v", want.ReceiptID, want.Marks)
		dead := !got.Counts() || (got.Status == sale.Refunded && net == 0)
		require.Equal(t, want.Status == traffic.Voided, dead, "%s %v", want.ReceiptID, want.Marks)
		require.Equal(t, want.Status == traffic.Open, got.Status == sale.Open, "%s %v", want.ReceiptID, want.Marks)
		for _, by := range []sale.ReceiptDate{sale.ByOpened, sale.ByClosed} {
			wantDate, wantDay, wantDated := want.Date(by)
			date, dated := by.Date(got)
			require.Equal(t, wantDated, dated)
			require.True(t, wantDate.Equal(date))
			if dated {
				require.Equal(t, wantDay, sale.DayOf(date, zone), "%s %v", want.ReceiptID, want.Marks)
			}
		}
	}
	require.NotZero(t, count[traffic.Closed])
	require.NotZero(t, count[traffic.Voided])
	if at.Equal(plan.End()) {
		require.Zero(t, count[traffic.Open], "nothing stays open")
	}
}

// readAll reads the whole tills of some venues over HTTP, by opened time, at an
// instant.
func readAll(t *testing.T, plan *traffic.Plan, venues []traffic.Venue, at time.Time) map[string]sale.Sale {
	t.Helper()
	sim := clustersim.New(clustersim.Options{Clock: clock.Fixed(at), PageLimit: clustersim.DefaultMaxLimit})
	plan.Load(sim)
	plan.Load(sim) // idempotent
	server := httptest.NewServer(sim)
	defer server.Close()
	client := cluster.New(cluster.Config{BaseURL: server.URL, PageSize: clustersim.DefaultMaxLimit}, nil)
	defer client.Close()
	held := map[string]sale.Sale{}
	for _, v := range venues {
		serial := v.Location.Serial
		if r := v.Replacement; r != nil && !at.Before(r.Day.Start(zone(t))) {
			serial = r.Serial
		}
		cred := cluster.Credential{Serial: serial, Key: v.Location.Key}
		const window = 28 * 24 * time.Hour // a relay sorts what it finds
		for from := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC); from.Before(plan.End()); from = from.Add(window) {
			q := cluster.OrdersQuery{From: from, To: from.Add(window), DateField: cluster.Opened}
			for {
				page, err := client.Orders(context.Background(), cred, q)
				require.NoError(t, err)
				for _, o := range page.Orders {
					require.Nil(t, o.Err, "%+v", o.Err)
					held[o.Sale.ID] = o.Sale
				}
				if q.PageToken = page.NextPage; q.PageToken == "" {
					break
				}
			}
		}
	}
	return held
}

const goneSerial = "CL-40711"

var replacedAt = firstLive.Plus(1)

// troubledPlan has new hardware at one venue, orders that vanish, and an
// outage at another that ends in the middle of the last day.
func troubledPlan() *traffic.Plan {
	venues := traffic.DemoVenues()
	venues[0].Replacement = &traffic.Replacement{Serial: "CL-66001", Day: replacedAt}
	from := time.Date(2026, 11, 1, 18, 0, 0, 0, time.UTC)
	venues[1].Location.Outages = []clustersim.Outage{{From: from, To: from.Add(25 * time.Hour)}}
	m := traffic.DemoMinimums()
	m.Vanished = 4
	return traffic.New(11, venues, historyFrom, firstLive, liveDays, m)
}

func TestNewHardwareUsesOrderIDsAgain(t *testing.T) {
	plan := troubledPlan()
	old, again := map[string]bool{}, 0
	for _, e := range plan.Expected(plan.End()) {
		if e.Serial == goneSerial {
			old[e.OrderID] = true
		}
	}
	for _, e := range plan.Expected(plan.End()) {
		if e.Serial == "CL-66001" && old[e.OrderID] {
			again++
		}
	}
	require.Greater(t, again, 50)
}

// Everything but late edits appears before the end of the last live day.
func TestOnlyLateEditsComeAfterTheLastDay(t *testing.T) {
	plan := demoPlan(5)
	last := map[string]time.Time{}
	for _, v := range plan.Venues() {
		z, err := time.LoadLocation(v.Location.Zone)
		require.NoError(t, err)
		last[v.Location.Serial] = firstLive.Plus(liveDays).Start(z)
	}
	final, edited := plan.Expected(plan.End()), 0
	byID := map[string]traffic.Expected{}
	for _, v := range plan.Venues() {
		for _, e := range plan.Expected(last[v.Location.Serial].Add(-time.Second)) {
			if e.Serial == v.Location.Serial {
				byID[e.ReceiptID] = e
			}
		}
	}
	for _, e := range final {
		before, ok := byID[e.ReceiptID]
		require.True(t, ok, "%s appears after the last day", e.ReceiptID)
		if e.Net != before.Net || e.Tips() != before.Tips() || e.EmployeeID != before.EmployeeID || e.Status != before.Status {
			require.True(t, e.Has(traffic.LateEdit), "%s %v", e.ReceiptID, e.Marks)
			edited++
		}
	}
	require.Positive(t, edited, "some late edits come after the last day")
}

func TestDayTotalsAddUp(t *testing.T) {
	plan := demoPlan(9)
	for _, by := range []sale.ReceiptDate{sale.ByOpened, sale.ByClosed} {
		var want, got int64
		for _, e := range plan.Expected(plan.End()) {
			if _, _, owed := e.Date(by); owed {
				want += e.Net + e.Tips() + 1
			}
		}
		for _, v := range plan.Venues() {
			totals := plan.DayTotals(v.Location.TradeName, by, plan.End())
			for i, d := range totals {
				got += d.Net + d.CardTips + d.Gratuity + int64(d.Receipts)
				require.True(t, i == 0 || totals[i-1].Day.Before(d.Day), "oldest first")
			}
		}
		require.Equal(t, want, got)
	}
}

// An order of every special hour is there: 00:30, 04:59, 05:00, and in the
// night of 25 hours two at the same local time an hour apart (complaints 3, 37).
func TestTheDaysEdges(t *testing.T) {
	plan := demoPlan(2)
	seen := map[string]int{}
	for _, e := range plan.Expected(plan.End()) {
		if e.Venue == "Chez Marcel" && e.Live {
			seen[e.Day.String()+" "+e.OpenedAt.In(zone(t)).Format("15:04:05")]++
		}
	}
	for _, d := range []sale.Day{firstLive, firstLive.Plus(1), firstLive.Plus(2)} {
		for _, local := range []string{"00:30:00", "04:59:00", "05:00:00"} {
			require.Positive(t, seen[d.String()+" "+local], "%s %s", d, local)
		}
	}
	require.GreaterOrEqual(t, seen["2026-10-31 01:30:00"], 2)
}

func TestPlanningIsFast(t *testing.T) {
	m := traffic.DemoMinimums()
	m.Orders = 10_000
	began := time.Now()
	traffic.New(1, traffic.DemoVenues(), historyFrom, firstLive, liveDays, m)
	require.Less(t, time.Since(began), 2*time.Second)
}

func zone(t *testing.T) *time.Location {
	t.Helper()
	z, err := time.LoadLocation("America/Toronto")
	require.NoError(t, err)
	return z
}

func zoneOf(plan *traffic.Plan, venue string) string {
	for _, v := range plan.Venues() {
		if v.Location.TradeName == venue {
			return v.Location.Zone
		}
	}
	return ""
}
