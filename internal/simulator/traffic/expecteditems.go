package traffic

import (
	"maps"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// ExpectedItem is what a partner that counts items, as WISK does, should hold
// of one code on one business day.
type ExpectedItem struct {
	Day sale.Day
	// Code is the item's, or that of an item with its modifiers.
	Code string
	// Title is the name under which it was sold last on that day: by the orders'
	// opening, and within an order by its lines.
	Title string
	// Quantity is an exact decimal, without zeros at its end.
	Quantity string
	// Total is in cents: net of discounts and comps, before tax and tips.
	Total int64
}

// ExpectedItems lists what should be held of one venue (by its trade name) once
// everything that the relay knows at an instant has been delivered, by day and
// code; good from the first live day on. Orders are dated by their opening.
//
// mode tells of each business day what becomes of modifiers: "off", "include"
// or "separate". Gift cards and voided lines are not counted, nor are orders
// that are voided, merged away, refunded or vanished, or that have never been
// closed yet; one that was re-opened counts as it stands. Codes whose quantity
// and total are both zero are left out.
func (p *Plan) ExpectedItems(venue string, mode func(sale.Day) string, at time.Time) []ExpectedItem {
	days := map[sale.Day]itemSums{}
	for _, t := range p.tabs {
		if t.venue.Location.TradeName != venue || t.gone(at) {
			continue
		}
		i, ok := t.current(at)
		if !ok || !t.everClosed(i) {
			continue
		}
		sums := days[t.day]
		if sums == nil {
			sums = itemSums{}
			days[t.day] = sums
		}
		for code, s := range t.states[i].items(mode(t.day)) {
			sums.add(code, s)
		}
	}
	var list []ExpectedItem
	for _, day := range slices.SortedFunc(maps.Keys(days), func(a, b sale.Day) int { return b.DaysUntil(a) }) {
		for _, code := range slices.Sorted(maps.Keys(days[day])) {
			if s := days[day][code]; !s.none() {
				list = append(list, ExpectedItem{day, code, s.title, s.quantity.String(), s.total.IntPart()})
			}
		}
	}
	return list
}

// everClosed tells whether the order is closed in one of its states up to a
// place.
func (t *tab) everClosed(place int) bool {
	return slices.ContainsFunc(t.states[:place+1], func(s state) bool { return !s.order.ClosedAt.IsZero() })
}
