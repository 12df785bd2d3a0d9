package traffic_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/items"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk"
	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	"github.com/clustersystems/clusterbridge/internal/simulator/traffic"
)

// itemPlan is a plan of venues whose managers correct items. Some orders vanish,
// an item is renamed, another one re-used, and one venue is offline for a day.
func itemPlan(seed uint64) *traffic.Plan {
	venues := traffic.ItemVenues()
	for i := range venues {
		venues[i].OrdersPerHistoryDay, venues[i].OrdersPerLiveDay = 12, 30
	}
	from := time.Date(2026, 11, 1, 18, 0, 0, 0, time.UTC)
	venues[1].Location.Outages = []clustersim.Outage{{From: from, To: from.Add(25 * time.Hour)}}
	venues[1].ItemEvents = itemEvents(venues[1].Menu)
	m := traffic.DemoMinimums()
	m.Orders, m.Vanished = 0, 4
	return traffic.New(seed, venues, firstLive.Plus(-8), firstLive, liveDays, m)
}

// modes are the choices for modifiers, and a change of them amid history.
func modes() map[string]partner.Choices {
	early := sale.NewDay(2026, time.January, 1)
	list := map[string]partner.Choices{"changing": {
		{From: early, Value: items.Off}, {From: firstLive.Plus(-5), Value: items.Include}, {From: firstLive.Plus(1), Value: items.Separate},
	}}
	for _, mode := range items.Modes {
		list[mode] = partner.Choices{{From: early, Value: mode}}
	}
	return list
}

// What package wisk makes of the tills' orders, read over HTTP, is what the
// plan expects by its own rules: in every mode, per venue, day and code.
func TestTheItemsRulesAgreeWithThePlan(t *testing.T) {
	for seed := range uint64(3) {
		plan := itemPlan(seed)
		for _, at := range []time.Time{whileReopened(t, plan), firstLive.Plus(2).Start(zone(t)).Add(9*time.Hour + 137*time.Second), plan.End()} {
			checkItems(t, plan, plan.Venues(), at, modes(), fmt.Sprintf("seed %d at %s", seed, at.UTC()))
		}
	}
}

// whileReopened is an instant at which an order stands open that was closed.
func whileReopened(t *testing.T, plan *traffic.Plan) time.Time {
	t.Helper()
	for at := firstLive.Start(zone(t)); at.Before(firstLive.End(zone(t))); at = at.Add(2 * time.Minute) {
		for _, e := range plan.Expected(at) {
			if e.Has(traffic.Reopened) && e.Status == traffic.Open && !e.Live {
				return at
			}
		}
	}
	require.Fail(t, "no order is re-opened")
	return time.Time{}
}

// Six calendar months of two venues, more than 20,000 orders: planned in a
// second or two and held in little memory. Of the smaller venue, with another
// mode every two months, all is still right to the cent.
func TestSixMonths(t *testing.T) {
	venues := traffic.ItemVenues()
	venues[0].OrdersPerHistoryDay, venues[1].OrdersPerHistoryDay = 24, 96
	for i := range venues {
		venues[i].Corrections.DaysBack = 200
	}
	from := firstLive.PlusMonths(-6)
	before, began := heap(), time.Now()
	plan := traffic.New(1, venues, from, firstLive, 2, traffic.DemoMinimums())
	took := time.Since(began)
	_, orders := plan.Counts()
	require.Greater(t, orders, 20_000)
	require.Less(t, took, 5*time.Second, "much more than it takes, for busy machines")
	require.Less(t, (heap()-before)/orders, 3<<10, "bytes per order")
	choices := partner.Choices{
		{From: from, Value: items.Off}, {From: from.PlusMonths(2), Value: items.Include}, {From: from.PlusMonths(4), Value: items.Separate},
	}
	checkItems(t, plan, venues[:1], plan.End(), map[string]partner.Choices{"by months": choices}, "six months")
}

func heap() int {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

func checkItems(t *testing.T, plan *traffic.Plan, venues []traffic.Venue, at time.Time, modes map[string]partner.Choices, name string) {
	t.Helper()
	held := readAll(t, plan, venues, at)
	for _, v := range venues {
		sales, net := []sale.Sale{}, int64(0)
		for _, s := range held {
			if s.Serial == v.Location.Serial {
				sales = append(sales, s)
			}
		}
		for _, e := range plan.Expected(at) {
			if s := held[e.ReceiptID]; e.Serial == v.Location.Serial && (e.Status == traffic.Closed || owed(s)) {
				net += e.Net
			}
		}
		for mode, choices := range modes {
			c := partner.Connection{ID: "wisk:venue", Zone: zone(t), Settings: partner.Settings{ReceiptDate: sale.ByOpened, Modifiers: choices}}
			want := plan.ExpectedItems(v.Location.TradeName, func(d sale.Day) string { return choices.At(d, "") }, at)
			got := translated(t, sales, c)
			for i := range min(len(want), len(got)) {
				require.Equal(t, want[i], got[i], "%s, modifiers %s, at %s", name, mode, v.Location.TradeName)
			}
			require.Len(t, got, len(want), "%s, modifiers %s, at %s", name, mode, v.Location.TradeName)
			sum := int64(0)
			for _, i := range want {
				sum += i.Total
			}
			require.Equal(t, net, sum, "%s, modifiers %s: the items are the orders", name, mode)
		}
	}
}

// owed tells whether WISK should hold an order: it waits for an open one until
// it closes, but one that has payments was closed, and is known.
func owed(s sale.Sale) bool { return s.Status != sale.Open || len(s.Payments) > 0 }

// translated is what WISK should hold of some sales, added up by day and code
// in the order of their opening.
func translated(t *testing.T, sales []sale.Sale, c partner.Connection) []traffic.ExpectedItem {
	t.Helper()
	slices.SortFunc(sales, func(a, b sale.Sale) int {
		if byOpening := a.OpenedAt.Compare(b.OpenedAt); byOpening != 0 {
			return byOpening
		}
		return strings.Compare(a.OrderID, b.OrderID)
	})
	type key struct {
		day  sale.Day
		code string
	}
	type sum struct {
		title    string
		quantity decimal.Decimal
		total    int64
	}
	sums, adds := map[key]sum{}, wisk.New(wisk.Defaults())
	for _, s := range sales {
		documents, err := adds.Translate(s, c, owed(s))
		require.NoError(t, err)
		for _, d := range documents {
			var body struct {
				Items []struct {
					Item, Title, Quantity string
					Total                 int64
				}
			}
			require.NoError(t, json.Unmarshal(d.Body, &body))
			for _, i := range body.Items {
				k := key{d.Day, i.Item}
				sums[k] = sum{i.Title, sums[k].quantity.Add(decimal.RequireFromString(i.Quantity)), sums[k].total + i.Total}
			}
		}
	}
	var list []traffic.ExpectedItem
	for k, s := range sums {
		if !s.quantity.IsZero() || s.total != 0 {
			list = append(list, traffic.ExpectedItem{Day: k.day, Code: k.code, Title: s.title, Quantity: s.quantity.String(), Total: s.total})
		}
	}
	slices.SortFunc(list, func(a, b traffic.ExpectedItem) int {
		return strings.Compare(a.Day.String()+" "+a.Code, b.Day.String()+" "+b.Code)
	})
	return list
}
