package play

import (
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/simulator/traffic"
)

// soda are lines of an order: how many cans for how many cents, and how long
// after the first live day's opening they came.
func soda(order string, n, cents int64, came time.Duration) heldLine {
	return heldLine{
		"taverne-du-canal:" + order + ":1", firstLive.Start(time.UTC).Add(came),
		dayItem{firstLive.Plus(-1), "2001"}, itemSum{decimal.NewFromInt(n), decimal.New(cents, -2)},
	}
}

func TestTheComparisonNamesEveryItemThatDiffers(t *testing.T) {
	of, day := sitesOf(Full)[0], firstLive.Plus(-1)
	plan := []traffic.ExpectedItem{
		{Day: day, Code: "2001", Quantity: "3", Total: 1125}, {Day: day, Code: "2002", Quantity: "1.5", Total: 1575},
		{Day: day, Code: "2003", Quantity: "1", Total: 1125}, {Day: day.Plus(-400), Code: "2001", Quantity: "1", Total: 375},
	}
	other := func(code, quantity string, cents int64) heldLine {
		l := soda("CL-62110-2", 0, cents, 0)
		l.Code, l.Quantity = code, decimal.RequireFromString(quantity)
		return l
	}
	good := []heldLine{soda("CL-62110-1", 2, 750, 0), soda("CL-62110-1", 1, 375, 0), other("2002", "1.50", 1575), other("2003", "1", 1125)}
	first := day.Plus(-180)
	result := compareItems(of, plan, nil, good, first, firstLive)
	require.True(t, result.good())
	require.Len(t, result.Days, 1, "what was sold before the first day is not looked for")
	require.Equal(t, 4, result.Days[0].Lines)
	require.Equal(t, 3, result.Days[0].There.Items)

	wrong := []heldLine{soda("CL-62110-1", 2, 750, 0), other("2002", "1.5", 1574), other("2003", "1", 1125), other("2010", "0.5", 1800)}
	result = compareItems(of, plan, nil, wrong, first, firstLive)
	require.False(t, result.good())
	var text strings.Builder
	printItems(&text, []siteResult{result})
	at := " on business day " + day.String() + " at Taverne du Canal: "
	for _, said := range []string{
		"item 2001" + at + "WISK counts 2 for 7.50 instead of 3 for 11.25", "item 2002" + at + "WISK counts 1.5 for 15.74 instead of 1.5 for 15.75",
		"item 2010" + at + "WISK counts 0.5 for 18.00 instead of 0 for 0.00", "3 items: -0.5 for 14.24",
	} {
		require.Contains(t, text.String(), said)
	}
	require.Equal(t, 3, strings.Count(text.String(), "DIFFERENT"))
}

// Two items whose amounts were swapped differ, though the day's sums do not.
func TestSwappedItemsDoNotCancelOut(t *testing.T) {
	a, b := soda("CL-62110-1", 1, 375, 0), soda("CL-62110-1", 1, 400, 0)
	b.Code = "2002"
	plan := []traffic.ExpectedItem{{Day: a.Day, Code: "2001", Quantity: "1", Total: 400}, {Day: a.Day, Code: "2002", Quantity: "1", Total: 375}}
	result := compareItems(sitesOf(Full)[0], plan, nil, []heldLine{a, b}, a.Day, firstLive)
	require.Len(t, result.Days[0].Wrong, 2)
	require.Equal(t, "2 items: 0 for 0.00", result.Days[0].difference())
}

// An order counts only where all items of its business day are as planned, and
// a correction only as far as WISK's lines show it.
func TestWhatIsCountedOfItems(t *testing.T) {
	at := func(d time.Duration) time.Time { return firstLive.Start(time.UTC).Add(d) }
	orders := map[sale.Day][]plannedOrder{
		firstLive.Plus(-1): {{"CL-62110-1", at(time.Hour)}, {"CL-62110-2", at(3 * time.Hour)}, {"CL-62110-3", time.Time{}}},
	}
	lines := []heldLine{
		soda("CL-62110-1", 2, 750, 0), soda("CL-62110-1", -1, -375, 2*time.Hour), soda("CL-62110-2", 1, 375, 0), soda("CL-62110-3", 1, 375, 0),
		{"taverne-du-canal:CL-62110-0:1", at(2 * time.Hour), dayItem{firstLive.PlusMonths(-6), "2001"}, itemSum{decimal.NewFromInt(1), decimal.New(375, -2)}},
	}
	plan := []traffic.ExpectedItem{
		{Day: firstLive.PlusMonths(-6), Code: "2001", Quantity: "1", Total: 375}, {Day: firstLive.Plus(-1), Code: "2001", Quantity: "3", Total: 1125},
	}
	result := compareItems(sitesOf(Full)[0], plan, orders, lines, firstLive.PlusMonths(-6), firstLive)
	require.True(t, result.good())
	require.Equal(t, []int{3, 2, 1, 1, 6}, []int{result.Orders, result.Corrected, result.Meanwhile, result.Anew, result.Months})

	result = compareItems(sitesOf(Full)[0], plan, orders, lines[1:], firstLive.PlusMonths(-6).Plus(1), firstLive)
	require.Zero(t, result.Orders+result.Corrected+result.Meanwhile+result.Anew, "nothing of a day that differs")
	require.Zero(t, result.Months)
}

// The sites' plan holds what the demo has to show: as many orders, the same
// numbers and codes under other titles at both sites of one venue of WISK, each
// mode, and corrections that reach into history.
func TestTheSitesPlanHoldsTheMinimums(t *testing.T) {
	for name, size := range map[string]Size{"full": Full, "small": Small} {
		sites := sitesOf(size)
		s := simulators{wiskPlan: newWiskPlan(size, sites), sites: sites}
		_, until := played(size)
		require.False(t, s.wiskPlan.End().After(until), "the calendar runs until the last version has appeared")
		orders := size.Minimum.Orders
		modes := map[string]int{}
		corrected := 0
		for _, of := range sites {
			for day, list := range s.plannedOrders(of, until) {
				orders, modes[of.Modifiers] = orders+len(list), modes[of.Modifiers]+len(list)
				for _, o := range list {
					if !o.Corrected.IsZero() {
						corrected++
						require.True(t, day.Before(firstLive))
					}
				}
			}
		}
		m := size.Wisk.Minimum
		require.GreaterOrEqual(t, orders, m.AllOrders, name)
		require.GreaterOrEqual(t, corrected, m.Corrected, name)
		require.Len(t, modes, 3)
		for mode, n := range modes {
			require.GreaterOrEqual(t, n, m.OrdersPerMode, name+" "+mode)
		}
	}
}

func TestTwoSitesOfOneVenueCollide(t *testing.T) {
	sites := sitesOf(Small)
	require.Equal(t, sites[0].In, sites[1].In)
	require.NotEqual(t, sites[0].In, sites[2].In)
	require.NotEqual(t, sites[0].In.identifier(), sites[2].In.identifier())
	s := simulators{wiskPlan: newWiskPlan(Small, sites), sites: sites}
	require.Len(t, s.wiskVenues(), 2)
	_, until := played(Small)
	titles, numbers := map[string]map[string]bool{}, map[string]int{}
	for _, of := range sites[:2] {
		for _, item := range s.wiskPlan.ExpectedItems(of.name(), of.mode, until) {
			if titles[item.Code] == nil {
				titles[item.Code] = map[string]bool{}
			}
			titles[item.Code][item.Title] = true
		}
		for _, list := range s.plannedOrders(of, until) {
			for _, o := range list {
				numbers[strings.TrimPrefix(o.ID, of.Location.Serial)]++
			}
		}
	}
	require.Equal(t, map[string]bool{"Canette de soda": true, "Soda can": true}, titles["2001"])
	both := 0
	for _, n := range numbers {
		both += n - 1
	}
	require.Greater(t, both, 50, "order numbers are the same")
}
