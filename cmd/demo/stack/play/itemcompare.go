package play

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/simulator/traffic"
)

// dayItem is one item code on one business day.
type dayItem struct {
	Day  sale.Day
	Code string
}

// itemSum is what was sold of it; Total is in the venue's currency.
type itemSum struct{ Quantity, Total decimal.Decimal }

func (s itemSum) plus(o itemSum) itemSum {
	return itemSum{s.Quantity.Add(o.Quantity), s.Total.Add(o.Total)}
}

func (s itemSum) equal(o itemSum) bool {
	return s.Quantity.Equal(o.Quantity) && s.Total.Equal(o.Total)
}

// itemSums are sums by day and code.
type itemSums map[dayItem]itemSum

func (all itemSums) add(k dayItem, s itemSum) { all[k] = all[k].plus(s) }

// heldLine is one line that WISK holds.
type heldLine struct {
	ID string
	At time.Time // when it came, business time
	dayItem
	itemSum
}

// order is the till's order that a line is of: ids are
// "<location>:<order>:<number>".
func (l heldLine) order() string {
	_, rest, _ := strings.Cut(l.ID, ":")
	return rest[:max(strings.LastIndex(rest, ":"), 0)]
}

// itemTotals are what the table shows of some items. Items counts those whose
// quantity or total is not zero, day by day.
type itemTotals struct {
	Items int
	itemSum
}

func (t itemTotals) and(o itemTotals) itemTotals {
	return itemTotals{t.Items + o.Items, t.plus(o.itemSum)}
}

// itemDay is one business day of one site.
type itemDay struct {
	Day         sale.Day
	Orders      int // planned
	Lines       int // that WISK holds
	Plan, There itemTotals
	Wrong       []wrong
}

func (d itemDay) day() sale.Day { return d.Day }

func (d itemDay) good() bool { return len(d.Wrong) == 0 }

func (d itemDay) with(o itemDay) itemDay {
	return itemDay{
		Orders: d.Orders + o.Orders, Lines: d.Lines + o.Lines, Plan: d.Plan.and(o.Plan), There: d.There.and(o.There),
		Wrong: append(slices.Clip(d.Wrong), o.Wrong...),
	}
}

// plannedOrder is an order of the plan, and when it was corrected on a live day;
// zero when it was not.
type plannedOrder struct {
	ID        string
	Corrected time.Time
}

// siteResult is all that was compared of a site.
type siteResult struct {
	Site site
	Days []itemDay // by day
	// Of the orders of days that are as planned: all; those of history that
	// were corrected on a live day; of these those that were while history still
	// came in; and those of history of which WISK took lines more than once.
	Orders, Corrected, Meanwhile, Anew int
	// Months are the calendar months of history that are as planned.
	Months int
}

func (r siteResult) good() bool {
	return !slices.ContainsFunc(r.Days, func(d itemDay) bool { return !d.good() })
}

// compareItems sets a site's plan from its first business day on against the
// lines that WISK holds of it, by day and item. connected is the business day of
// connecting, before which history is.
func compareItems(of site, plan []traffic.ExpectedItem, orders map[sale.Day][]plannedOrder, lines []heldLine, first, connected sale.Day) siteResult {
	days := map[sale.Day]*itemDay{}
	at := func(day sale.Day) *itemDay {
		if days[day] == nil {
			days[day] = &itemDay{Day: day}
		}
		return days[day]
	}
	planned, there := itemSums{}, itemSums{}
	for _, item := range plan {
		if !item.Day.Before(first) {
			// The plan writes its own numbers: they always read.
			planned.add(dayItem{item.Day, item.Code}, itemSum{decimal.RequireFromString(item.Quantity), decimal.New(item.Total, -2)})
		}
	}
	for _, l := range lines {
		there.add(l.dayItem, l.itemSum)
		at(l.Day).Lines++
	}
	for _, k := range keysOf(planned, there) {
		d := at(k.Day)
		d.Plan, d.There = d.Plan.and(totals(planned[k])), d.There.and(totals(there[k]))
		if !planned[k].equal(there[k]) {
			d.Wrong = append(d.Wrong, wrong{k.Code, differenceOf(planned[k], there[k])})
		}
	}
	result := siteResult{Site: of}
	for _, day := range slices.SortedFunc(maps.Keys(days), byDay) {
		d := days[day]
		d.Orders = len(orders[day])
		result.Days = append(result.Days, *d)
	}
	result.count(orders, lines, connected)
	return result
}

func byDay(a, b sale.Day) int { return cmp.Compare(a.String(), b.String()) }

// keysOf are the days and items of both, in their order.
func keysOf(a, b itemSums) []dayItem {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.SortedFunc(maps.Keys(all), func(a, b dayItem) int { return cmp.Or(byDay(a.Day, b.Day), cmp.Compare(a.Code, b.Code)) })
}

func totals(s itemSum) itemTotals {
	if s.equal(itemSum{}) {
		return itemTotals{}
	}
	return itemTotals{1, s}
}

// differenceOf says how much too little or too much WISK counts of an item.
func differenceOf(plan, there itemSum) string {
	return fmt.Sprintf("WISK counts %s for %s instead of %s for %s",
		there.Quantity, there.Total.StringFixed(2), plan.Quantity, plan.Total.StringFixed(2))
}

// count takes from the days that are as planned what a run has to reach.
func (r *siteResult) count(orders map[sale.Day][]plannedOrder, lines []heldLine, connected sale.Day) {
	good, first := map[sale.Day]bool{}, connected
	for _, d := range r.Days {
		if good[d.Day] = d.good(); d.good() && d.Day.Before(first) {
			first = d.Day
		}
	}
	for !first.IsZero() && !connected.PlusMonths(-r.Months-1).Before(first) {
		r.Months++
	}
	uploads, arrived := came(lines, connected)
	for day, list := range orders {
		if !good[day] {
			continue
		}
		for _, o := range list {
			r.Orders++
			if o.Corrected.IsZero() {
				continue
			}
			r.Corrected++
			if o.Corrected.Before(arrived) {
				r.Meanwhile++
			}
			if uploads[o.ID] > 1 {
				r.Anew++
			}
		}
	}
}

// came tells how often lines came of each order, and when the last business day
// of history began to come in.
func came(lines []heldLine, connected sale.Day) (uploads map[string]int, arrived time.Time) {
	instants, first := map[string]map[time.Time]bool{}, map[sale.Day]time.Time{}
	for _, l := range lines {
		if instants[l.order()] == nil {
			instants[l.order()] = map[time.Time]bool{}
		}
		instants[l.order()][l.At] = true
		if began, known := first[l.Day]; l.Day.Before(connected) && (!known || l.At.Before(began)) {
			first[l.Day] = l.At
		}
	}
	uploads = map[string]int{}
	for order, at := range instants {
		uploads[order] = len(at)
	}
	for _, began := range first {
		if began.After(arrived) {
			arrived = began
		}
	}
	return uploads, arrived
}

// sums are the lines' sums by day and item, with nothing that comes to zero.
func sums(lines []heldLine) itemSums {
	all := itemSums{}
	for _, l := range lines {
		all.add(l.dayItem, l.itemSum)
	}
	maps.DeleteFunc(all, func(_ dayItem, s itemSum) bool { return s.equal(itemSum{}) })
	return all
}
