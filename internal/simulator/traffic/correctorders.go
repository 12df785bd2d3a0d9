package traffic

import (
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
)

// moveItem moves a line to another order, as when it was rung in at the wrong
// table.
func moveItem(g *dayMaker, t, other *tab, at time.Time) bool {
	standing := t.standing()
	if other == nil || len(standing) < 2 {
		return false
	}
	t.give(other, standing[g.dice.IntN(len(standing))])
	other.mark(LateEdit)
	t.evenUp(MovedItem, at)
	other.evenUp(LateEdit, at)
	return true
}

// give moves a line to another order.
func (t *tab) give(other *tab, place int) {
	l := t.order.Lines[place]
	t.order.Lines = slices.Delete(t.order.Lines, place, place+1)
	t.owed.net -= l.Net
	other.owed.net += l.Net
	l.ID = "x" + t.order.ID + "-" + l.ID
	other.order.Lines = append(other.order.Lines, l)
}

// splitPaid moves a part of a paid order to an order of its own with the same
// opening, since it is the same table, and now and then merges them again.
func splitPaid(g *dayMaker, t, _ *tab, at time.Time) bool {
	standing := t.standing()
	if len(standing) < 2 {
		return false
	}
	part := &tab{till: t.till, day: t.day, live: t.live}
	part.order = t.order
	part.order.ID, part.order.ParentID, part.order.Totals = t.nextID(), t.order.ID, clustersim.Totals{}
	part.order.Lines, part.order.Payments = []clustersim.Line{}, []clustersim.Payment{}
	for range len(standing) / 2 {
		if standing = t.standing(); len(standing) == 0 {
			break // what was taken off the whole order stays with it
		}
		t.give(part, standing[0])
	}
	g.tabs = append(g.tabs, part)
	t.evenUp(LateEdit, at)
	part.pay(g.card(), part.due(), 0, at)
	part.mark(SplitPaid)
	part.mark(LateEdit)
	part.close(at)
	if g.chance(50) {
		return mergePaid(g, t, part, at.Add(g.minutes(1, 4)))
	}
	return true
}

// mergePaid lets one paid order absorb another, with all that was paid and
// taken off; some tills leave the absorbed one's own amounts standing.
func mergePaid(g *dayMaker, t, absorbed *tab, at time.Time) bool {
	if absorbed == nil {
		return false
	}
	from := "m" + absorbed.order.ID + "-"
	for _, l := range absorbed.order.Lines {
		l.ID = from + l.ID
		t.order.Lines = append(t.order.Lines, l)
	}
	for _, p := range absorbed.order.Payments {
		p.ID = from + p.ID
		t.order.Payments = append(t.order.Payments, p)
	}
	t.discount += absorbed.discount
	sum, its := &t.order.Totals, absorbed.order.Totals
	sum.Comp += its.Comp
	sum.ServiceCharge += its.ServiceCharge
	sum.AutoGratuity += its.AutoGratuity
	t.owed.net += absorbed.owed.net
	t.owed.cardTips += absorbed.owed.cardTips
	t.owed.gratuity += absorbed.owed.gratuity
	if g.chance(50) {
		absorbed.order.Lines, absorbed.order.Payments, absorbed.order.Totals, absorbed.discount = nil, nil, clustersim.Totals{}, 0
	}
	absorbed.order.MergedInto = t.order.ID
	absorbed.owed = owed{dead: true}
	absorbed.mark(MergePaid)
	absorbed.mark(LateEdit)
	absorbed.show(at)
	t.evenUp(LateEdit, at)
	return true
}

// reopen opens a closed order again, mostly for a forgotten round, and closes it
// soon after.
func reopen(g *dayMaker, t, _ *tab, at time.Time) bool {
	t.order.Status, t.order.ClosedAt = wire.StatusOpen, wire.Instant{}
	t.mark(Reopened)
	t.show(at)
	closed := at.Add(g.minutes(1, 4))
	if g.chance(70) {
		g.order(t, closed, 1)
	}
	t.order.Status, t.order.ClosedAt = wire.StatusClosed, wire.At(closed)
	t.evenUp(Reopened, closed)
	return true
}

// voidClosed cancels a closed order.
func voidClosed(_ *dayMaker, t, _ *tab, at time.Time) bool {
	t.void(at)
	return true
}

// refundClosed takes everything back.
func refundClosed(_ *dayMaker, t, _ *tab, at time.Time) bool {
	t.refundAll(at)
	return true
}

// otherCorrection changes what is no item: see editLate.
func otherCorrection(g *dayMaker, t, _ *tab, at time.Time) bool {
	if t.owed.net == 0 {
		return false // nothing to tip on or to comp
	}
	g.editLate(t, at)
	return true
}
