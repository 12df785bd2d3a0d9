package traffic_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	"github.com/clustersystems/clusterbridge/internal/simulator/traffic"
)

var correctionMarks = []traffic.Mark{
	traffic.VoidedLine, traffic.CompAfter, traffic.DiscountAfter, traffic.LineDiscount, traffic.QuantityRefund,
	traffic.MovedItem, traffic.SplitPaid, traffic.MergePaid, traffic.Reopened,
}

func TestEveryCorrectionHappens(t *testing.T) {
	for seed := range uint64(10) {
		plan := itemPlan(seed)
		marks, _ := plan.Counts()
		venues := len(plan.Venues())
		for _, m := range correctionMarks {
			// Once a venue and live day on the day's orders, and twice in history.
			require.GreaterOrEqual(t, marks[m], 2*venues*liveDays, "seed %d: %s", seed, m)
		}
		ordinary, _ := demoPlan(seed).Counts()
		for _, m := range correctionMarks {
			require.Zero(t, ordinary[m], "only where a venue asks for it: %s", m)
		}
	}
}

// Corrections reach as far back as they are asked to, as many as were asked for,
// the same order again and again, and item sums move between orders.
func TestCorrectionsReachIntoHistory(t *testing.T) {
	venues := traffic.ItemVenues()[:1]
	venues[0].Corrections = traffic.Corrections{PerLiveDay: 120, DaysBack: 60, Items: true}
	plan := traffic.New(5, venues, firstLive.Plus(-80), firstLive, liveDays, traffic.Minimums{})
	atFirst := map[string]traffic.Expected{}
	for _, e := range plan.Expected(firstLive.Start(zone(t)).Add(time.Hour)) {
		atFirst[e.ReceiptID] = e
	}
	changed, days, repeated, appeared, untouched := 0, map[sale.Day]bool{}, 0, 0, false
	for _, e := range plan.Expected(plan.End()) {
		if e.Live {
			require.Zero(t, e.Corrected, "an order of a live day is no order of history")
			continue
		}
		before, known := atFirst[e.ReceiptID]
		if !known {
			appeared++
			require.NotZero(t, e.Corrected)
			require.True(t, e.Has(traffic.SplitPaid), "only a part of a paid order appears late: %v", e.Marks)
			continue
		}
		if len(e.Marks) == len(before.Marks) && e.Net == before.Net && e.Status == before.Status && e.ClosedAt.Equal(before.ClosedAt) {
			untouched = untouched || e.Corrected.IsZero()
			continue
		}
		require.False(t, e.Corrected.Before(firstLive.Start(zone(t))), "what changed did so on a live day")
		if e.Net != before.Net || e.Status != before.Status {
			changed++
			days[e.Day] = true
			require.LessOrEqual(t, e.Day.DaysUntil(firstLive), 60)
		}
		if corrected := slices.DeleteFunc(slices.Clone(e.Marks), func(m traffic.Mark) bool { return !slices.Contains(correctionMarks, m) }); len(corrected) > 1 {
			repeated++
		}
	}
	require.Greater(t, changed, 150)
	require.Greater(t, len(days), 50)
	require.Greater(t, appeared, 10)
	require.Greater(t, repeated, 20)
	require.True(t, untouched)
}

func TestUsualCorrectionsCanReachFurther(t *testing.T) {
	venues := traffic.DemoVenues()[:1]
	venues[0].Corrections = traffic.Corrections{PerLiveDay: 25, DaysBack: 40}
	plan := traffic.New(5, venues, firstLive.Plus(-60), firstLive, liveDays, traffic.Minimums{})
	days, edited := map[sale.Day]bool{}, 0
	for _, e := range plan.Expected(plan.End()) {
		if !e.Live && e.Has(traffic.LateEdit) {
			edited++
			days[e.Day] = true
			require.LessOrEqual(t, e.Day.DaysUntil(firstLive), 40)
		}
	}
	require.Equal(t, 25*liveDays, edited)
	require.Greater(t, len(days), 20)
}

// What a venue sells is what its menu says, tapped as people tap.
func TestTheHelpPagesMenuIsSold(t *testing.T) {
	seen, quantities := map[string]bool{}, map[string]bool{}
	plan := itemPlan(6)
	for _, s := range readAll(t, plan, plan.Venues(), firstLive.Plus(2).End(zone(t))) {
		for _, l := range s.Lines {
			quantities[l.ItemID+" "+l.Quantity] = true
			taps := ""
			for _, m := range l.Modifiers {
				seen[l.ItemID+" x"+m.Quantity] = true
				taps += " " + m.ID
				if m.Price == 0 {
					seen[l.ItemID+" free"] = true
				} else {
					seen[l.ItemID+" priced"] = true
				}
			}
			seen[l.ItemID+taps] = true
		}
	}
	for _, want := range []string{
		"2001 m11", "2001 m12", "2001 m13 m-5", "2002", "2002 m1 m2", "2002 m2 m1", "2003 m3 m3", "2002 x2", "2003 x1", "2002 free", "2003 priced",
	} {
		require.True(t, seen[want], "%s was never tapped", want)
	}
	for _, want := range []string{"2010 0.5", "2010 1.5", "1001 2.5", "2001 3"} {
		require.True(t, quantities[want], "%s was never sold", want)
	}
	require.False(t, quantities["2001 0.5"])
}

// Two venues whose order ids and codes collide, with other names in part.
func TestCollidingVenues(t *testing.T) {
	plan := itemPlan(3)
	orders, titles := map[string]map[string]bool{}, map[string]map[string]bool{}
	for _, e := range plan.Expected(plan.End()) {
		add(orders, e.OrderID, e.Venue)
	}
	for _, v := range plan.Venues() {
		for _, i := range plan.ExpectedItems(v.Location.TradeName, func(sale.Day) string { return "include" }, plan.End()) {
			if i.Day.Before(firstLive) {
				add(titles, i.Code, i.Title)
			}
		}
	}
	both := func(all map[string]map[string]bool) (n int) {
		for venues := range maps.Values(all) {
			if len(venues) > 1 {
				n++
			}
		}
		return n
	}
	require.Greater(t, both(orders), 150)
	require.Equal(t, map[string]bool{"Canette de soda + Cola": true, "Soda can + Cola": true}, titles["2001-m11"])
	require.Len(t, titles["2003-m3"], 1, "others are called alike")
	require.Greater(t, both(titles), 10)
}

func add(all map[string]map[string]bool, key, value string) {
	if all[key] == nil {
		all[key] = map[string]bool{}
	}
	all[key][value] = true
}

// The instants at which the menu of itemEvents changes: one in the midst of
// history, and three while the venue is live.
var (
	renamedAt, retiredAt = dinner(firstLive.Plus(-3)), dinner(firstLive)
	reusedAt, newAt      = dinner(firstLive.Plus(1)), dinner(firstLive.Plus(2))
)

func dinner(d sale.Day) time.Time {
	zone, err := time.LoadLocation("America/Toronto")
	if err != nil {
		panic(err)
	}
	return d.Start(zone).Add(14 * time.Hour)
}

// itemEvents rename the smoked meat, use the pudding's code for a soup after a
// day, and bring in a beer.
func itemEvents(m traffic.Menu) []traffic.ItemEvent {
	soup, beer := m.Dish("1006"), m.Dish("1002")
	soup.Name, soup.Price = "Pea soup", 700
	beer.ID, beer.Name, beer.CategoryID, beer.Price = "2020", "Stout 20 oz", "drinks", 950
	return []traffic.ItemEvent{
		traffic.Rename(m.Dish("1002"), "Smoked meat sandwich", renamedAt), traffic.Retire("1006", retiredAt),
		traffic.Introduce(soup, reusedAt), traffic.Introduce(beer, newAt),
	}
}

func TestItemEvents(t *testing.T) {
	venues := traffic.ItemVenues()[1:]
	venues[0].OrdersPerLiveDay = 120
	venues[0].ItemEvents = itemEvents(venues[0].Menu)
	plan := traffic.New(8, venues, firstLive.Plus(-8), firstLive, liveDays, traffic.Minimums{})
	type span struct{ first, last time.Time }
	sold := map[string]span{}
	for _, s := range readAll(t, plan, venues, plan.End()) {
		for _, l := range s.Lines {
			if s.ClosedAt.Sub(s.OpenedAt) > 4*time.Hour {
				continue // corrected later
			}
			name := l.ItemID + " " + l.Name
			seen, known := sold[name]
			if !known || s.ClosedAt.Before(seen.first) {
				seen.first = s.ClosedAt
			}
			if !known || s.OpenedAt.After(seen.last) {
				seen.last = s.OpenedAt
			}
			sold[name] = seen
		}
	}
	for name, want := range map[string]span{
		"1002 Smoked meat":          {last: renamedAt},
		"1002 Smoked meat sandwich": {first: renamedAt},
		"1006 Pudding ch\u00f4meur": {last: retiredAt},
		"1006 Pea soup":             {first: reusedAt},
		"2020 Stout 20 oz":          {first: newAt},
	} {
		got, ok := sold[name]
		require.True(t, ok, "%s was never sold", name)
		require.False(t, got.first.Before(want.first), "%s was sold at %s", name, got.first)
		require.False(t, !want.last.IsZero() && got.last.After(want.last), "%s was opened at %s", name, got.last)
	}
	titles := map[string]string{}
	for _, i := range plan.ExpectedItems(venues[0].Location.TradeName, func(sale.Day) string { return "off" }, plan.End()) {
		titles[i.Day.String()+" "+i.Code] = i.Title
	}
	require.Equal(t, "Smoked meat", titles[firstLive.Plus(-4).String()+" 1002"])
	require.Equal(t, "Smoked meat sandwich", titles[firstLive.Plus(-2).String()+" 1002"])
	require.Equal(t, "Pea soup", titles[firstLive.Plus(2).String()+" 1006"])
}

func TestMenusThatCannotBeSold(t *testing.T) {
	odd := traffic.HelpPageMenu()
	odd.Dishes[0].Halves = true // 375 cents
	retired := traffic.ItemEvent{At: renamedAt, Item: "1"}
	for name, v := range map[string]traffic.Venue{
		"half a cent":     {Menu: odd},
		"nothing is left": {Menu: traffic.Menu{Dishes: []traffic.Dish{{MenuItem: clustersim.MenuItem{ID: "1"}}}, GiftCard: clustersim.MenuItem{ID: "9"}}, ItemEvents: []traffic.ItemEvent{retired}},
	} {
		v.Location = traffic.DemoVenues()[0].Location
		require.Panics(t, func() { traffic.New(1, []traffic.Venue{v}, firstLive, firstLive, 1, traffic.Minimums{}) }, name)
	}
}
