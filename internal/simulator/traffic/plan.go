// Package traffic plans what restaurants sell: seeded, deterministic, as
// versions of orders with the business instants at which they appear, so that
// the simulated till is a pure function of seed and clock. With it comes what a
// partner should hold in the end, kept act by act while planning, without the
// rules of package sale, which it checks.
package traffic

import (
	"cmp"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
)

// Plan is everything that will happen at the venues.
type Plan struct {
	venues []Venue
	tabs   []*tab
	end    time.Time
}

const (
	dayStart = 5       // the local hour at which business days begin
	taxUnit  = 100_000 // Venue.TaxRate is in parts of it
	// afterLast is how long after the last day late edits still appear.
	afterLast = 2 * time.Hour
)

// New plans business days from historyFrom until the day before firstLive as
// history, then liveDays days live. It panics when a zone is unknown, a venue
// has no employees or a menu cannot be sold: a plan is code.
func New(seed uint64, venues []Venue, historyFrom, firstLive sale.Day, liveDays int, minimums Minimums) *Plan {
	p := &Plan{venues: slices.Clone(venues)}
	historyDays := max(0, historyFrom.DaysUntil(firstLive))
	extra := topUp(p.venues, historyDays, liveDays, minimums)
	slots := len(venues) * liveDays
	for i := range p.venues {
		v := &p.venues[i]
		first := newTill(v, firstLive)
		run := first
		for d := range historyDays + liveDays {
			day := historyFrom.Plus(d)
			if historyDays == 0 {
				day = firstLive.Plus(d)
			}
			if v.Replacement != nil && day == v.Replacement.Day {
				run = first.replaced()
			}
			g := &dayMaker{
				till: run, day: day, dice: diceOf(seed, run.serial, day), start: startOf(day, run.zone), end: startOf(day.Plus(1), run.zone),
				live: d >= historyDays, last: d == historyDays+liveDays-1,
			}
			if g.live {
				g.playLive(minimums, slots, i*liveDays+d-historyDays, v.OrdersPerLiveDay+extra)
				p.end = later(p.end, g.end.Add(afterLast))
			} else {
				g.playHistory(v.OrdersPerHistoryDay + extra)
			}
			p.tabs = append(p.tabs, g.tabs...)
		}
		p.editHistory(seed, first, firstLive, liveDays)
	}
	p.sort()
	p.vanish(firstLive, minimums.Vanished)
	return p
}

// topUp is how many orders more each day needs to reach the minimum.
func topUp(venues []Venue, historyDays, liveDays int, m Minimums) int {
	planned := 0
	for _, v := range venues {
		planned += v.OrdersPerHistoryDay*historyDays + v.OrdersPerLiveDay*liveDays
	}
	days := len(venues) * (historyDays + liveDays)
	if planned >= m.Orders || days == 0 {
		return 0
	}
	return (m.Orders - planned + days - 1) / days
}

func diceOf(seed uint64, serial string, day sale.Day) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(serial + day.String()))
	return rand.New(rand.NewPCG(seed, h.Sum64())) //nolint:gosec // a plan must be repeatable
}

// playHistory plays a day of which only the end will be seen.
func (g *dayMaker) playHistory(orders int) {
	stories := []story{void, refund, partialRefund, split, merge, transfer, tipAfterClose}
	if g.venue.Corrections.Items {
		stories = append(stories, corrected)
	}
	for len(g.tabs) < orders {
		play := story(plain)
		if g.chance(15) {
			play = stories[g.dice.IntN(len(stories))]
		}
		play(g, g.opening())
	}
	g.playClockChange()
	for _, t := range g.tabs {
		t.old = len(t.marks)
	}
}

// playLive plays a day with its share of every minimum, the day's edges and
// every feature once, then fills it up with plain meals.
func (g *dayMaker) playLive(m Minimums, slots, slot, orders int) {
	for _, quota := range []struct {
		minimum int
		play    story
	}{
		{m.LateEdits, lateEdit}, {m.Voids, void}, {m.Refunds, refund}, {m.Refunds, partialRefund},
		{m.Splits, split}, {m.Merges, merge}, {m.Transfers, transfer},
	} {
		n := quota.minimum/slots + g.dice.IntN(2)
		if slot < quota.minimum%slots {
			n++
		}
		for range n {
			quota.play(g, g.opening())
		}
	}
	for _, feature := range []Mark{Discount, Comp, AutoGratuity, ServiceCharge, GiftCard, CashTip} {
		with(feature)(g, g.opening())
	}
	tipAfterClose(g, g.opening())
	if g.venue.Corrections.Items {
		for _, c := range corrections {
			c.story(g, g.opening())
		}
	}
	g.playEdges()
	g.playClockChange()
	for len(g.tabs) < orders {
		plain(g, g.opening())
	}
}

// playEdges opens orders at the day's first instant, half past midnight, and in
// its last minute (complaint 3), and one that is paid the next day (6).
func (g *dayMaker) playEdges() {
	g.meal(g.start, g.stay()).mark(Edge)
	g.meal(g.at(0, 30), g.stay()).mark(Edge)
	g.meal(g.end.Add(-time.Minute), 40*time.Second).mark(Edge)
	replaced := !g.until.IsZero() && !g.end.Before(g.until)
	if !g.last && !replaced {
		overnight(g, time.Time{})
	}
}

// playClockChange opens orders an hour apart around a change of the clocks; in
// the night of 25 hours both at the same local time (complaint 37).
func (g *dayMaker) playClockChange() {
	if g.end.Sub(g.start) == 24*time.Hour {
		return
	}
	for _, offset := range []time.Duration{20*time.Hour + 30*time.Minute, 21*time.Hour + 30*time.Minute} {
		g.meal(g.start.Add(offset), 25*time.Minute).mark(ClockChange)
	}
}

// sort puts every order's states in their order, without those that were over
// before the venue went live, and the orders by their opening.
func (p *Plan) sort() {
	for _, t := range p.tabs {
		slices.SortStableFunc(t.states, func(a, b state) int { return a.at.Compare(b.at) })
		first := 0
		for i, s := range t.states {
			if s.at.Before(t.liveFrom) {
				first = i
			}
		}
		t.states = slices.Clone(t.states[first:])
		t.order = t.states[len(t.states)-1].order // one copy less
	}
	slices.SortStableFunc(p.tabs, func(a, b *tab) int {
		return cmp.Or(a.order.OpenedAt.Compare(b.order.OpenedAt.Time), cmp.Compare(a.serial, b.serial))
	})
}

// vanish deletes plain orders of the first live day at its end.
func (p *Plan) vanish(firstLive sale.Day, n int) {
	for _, t := range p.tabs {
		if n == 0 {
			return
		}
		if t.day == firstLive && len(t.marks) == 0 {
			t.vanished = startOf(firstLive.Plus(1), t.zone).Add(-10 * time.Minute)
			t.mark(Vanished)
			n--
		}
	}
}

// End is when the last version has appeared at every venue.
func (p *Plan) End() time.Time { return p.end }

// Venues are the plan's venues.
func (p *Plan) Venues() []Venue { return slices.Clone(p.venues) }

// Load puts the plan into a simulator. Doing it twice changes nothing.
func (p *Plan) Load(sim *clustersim.Sim) {
	for i := range p.venues {
		v := &p.venues[i]
		l := v.Location
		l.Menu, l.NextMenus = shownMenus(v)
		if v.Replacement != nil {
			next := l
			next.Serial, next.From = v.Replacement.Serial, startOf(v.Replacement.Day, v.zone())
			l.Until = next.From
			sim.AddLocation(next)
		}
		sim.AddLocation(l)
	}
	for _, t := range p.tabs {
		for _, s := range t.states {
			sim.PutAt(t.serial, s.order, s.at)
		}
		if !t.vanished.IsZero() {
			sim.Vanish(t.serial, string(t.order.ID), t.vanished)
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// civil is the calendar date that names a day.
func civil(d sale.Day) (int, time.Month, int) {
	t, _ := time.Parse(time.DateOnly, d.String()) // a Day always prints a date
	return t.Date()
}

func startOf(d sale.Day, zone *time.Location) time.Time {
	y, m, n := civil(d)
	return time.Date(y, m, n, dayStart, 0, 0, 0, zone)
}
