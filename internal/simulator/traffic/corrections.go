package traffic

import (
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

// correction changes a closed order at an instant, or it and another one of the
// same business day, and tells whether it could: other is nil when there is none.
type correction func(g *dayMaker, t, other *tab, at time.Time) bool

// corrections are all of them.
var corrections = []correction{
	voidLine, compOrder, discountOrder, discountLine, refundOne, moveItem, splitPaid, mergePaid, reopen,
	voidClosed, refundClosed, otherCorrection,
}

// tries is how many orders are looked at for one that a correction fits.
const tries = 20

// story plays meals of which one is corrected: soon after they closed, or long
// after.
func (c correction) story(g *dayMaker, opened time.Time) {
	for range tries {
		a, b := g.stay(), g.stay()
		t, other := g.meal(opened, a), g.meal(opened.Add(time.Minute), b)
		at := opened.Add(time.Minute + max(a, b) + g.minutes(5, 60))
		if g.chance(50) {
			at = g.lateInstant()
		}
		if c.apply(g, t, other, at) {
			return
		}
	}
}

// corrected is a story with any of the corrections.
func corrected(g *dayMaker, opened time.Time) {
	corrections[g.dice.IntN(len(corrections))].story(g, opened)
}

func (c correction) apply(g *dayMaker, t, other *tab, at time.Time) bool {
	if !t.correctable(at) {
		return false
	}
	if other != nil && !other.correctable(at) {
		other = nil
	}
	if !c(g, t, other, at) {
		return false
	}
	t.mark(LateEdit)
	return true
}

// correctable tells whether the order is closed before an instant, and nothing
// happens to it after that.
func (t *tab) correctable(at time.Time) bool {
	return t.order.Status == wire.StatusClosed && !t.owed.dead && t.vanished.IsZero() && t.states[len(t.states)-1].at.Before(at)
}

// editHistory lets managers correct orders of the last days of history while
// the venue is live, until its hardware is replaced.
func (p *Plan) editHistory(seed uint64, first *till, firstLive sale.Day, liveDays int) {
	v := first.venue
	c := v.Corrections.orUsual()
	var history []*tab
	for _, t := range p.tabs {
		if t.venue == v && t.day.Before(firstLive) && t.day.DaysUntil(firstLive) <= c.DaysBack {
			history = append(history, t)
		}
	}
	for d := range liveDays {
		day := firstLive.Plus(d)
		if v.Replacement != nil && !day.Before(v.Replacement.Day) {
			return // the old hardware is gone
		}
		g := &dayMaker{till: first, day: day, dice: diceOf(seed+1, first.serial, day)}
		if c.Items {
			g.correctItems(history, c.PerLiveDay)
		} else {
			g.editSome(history, c.PerLiveDay)
		}
		history, p.tabs = append(history, g.tabs...), append(p.tabs, g.tabs...)
	}
}

// editSome edits orders to which nothing special has happened.
func (g *dayMaker) editSome(history []*tab, n int) {
	var closed []*tab
	for _, t := range history {
		if len(t.marks) == 0 {
			closed = append(closed, t)
		}
	}
	for range min(n, len(closed)) {
		i := g.dice.IntN(len(closed))
		g.editLate(closed[i], g.at(15, 0).Add(g.minutes(0, 100)))
		closed = slices.Delete(closed, i, i+1)
	}
}

// againPercent is how often an order is corrected that was corrected before.
const againPercent = 30

// correctItems makes corrections of every kind in turn, all day long.
func (g *dayMaker) correctItems(history []*tab, n int) {
	instants := make([]time.Time, n)
	for i := range instants {
		instants[i] = g.at(8, 0).Add(g.minutes(0, 14*60))
	}
	slices.SortFunc(instants, time.Time.Compare)
	byDay := map[sale.Day][]*tab{}
	var again []*tab
	for _, t := range history {
		byDay[t.day] = append(byDay[t.day], t)
		if slices.Contains(t.marks, LateEdit) {
			again = append(again, t)
		}
	}
	for i, at := range instants {
		for range tries {
			from := history
			if len(again) > 0 && g.chance(againPercent) {
				from = again
			}
			if len(from) == 0 {
				return
			}
			t := from[g.dice.IntN(len(from))]
			other := byDay[t.day][g.dice.IntN(len(byDay[t.day]))]
			if other == t {
				other = nil
			}
			if corrections[i%len(corrections)].apply(g, t, other, at) {
				again = append(again, t)
				break
			}
		}
	}
}
