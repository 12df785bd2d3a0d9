package traffic

import (
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
)

// story plays one or two orders, the first opened at an instant.
type story func(g *dayMaker, opened time.Time)

// plain is a meal with whatever chance adds.
func plain(g *dayMaker, opened time.Time) {
	g.meal(opened, g.stay())
}

// with is a meal with one certain feature.
func with(m Mark) story {
	return func(g *dayMaker, opened time.Time) {
		stay := g.stay()
		t := g.seat(opened)
		g.order(t, opened, 2+g.dice.Int64N(2))
		t.show(opened)
		g.feature(t, m, opened.Add(stay))
		g.settle(t, opened.Add(stay), m)
	}
}

// lateEdit changes a meal long after it closed.
func lateEdit(g *dayMaker, opened time.Time) {
	t := g.meal(opened, g.stay())
	g.editLate(t, g.lateInstant())
}

// overnight is a tab opened late and paid after the next day began.
func overnight(g *dayMaker, _ time.Time) {
	opened := g.at(23, 15)
	t := g.meal(opened, g.end.Add(35*time.Minute).Sub(opened))
	t.mark(Overnight)
}

func tipAfterClose(g *dayMaker, opened time.Time) {
	t := g.seat(opened)
	g.order(t, opened, 3)
	t.show(opened)
	closed := opened.Add(g.stay())
	t.pay(g.card(), t.due(), 0, closed)
	t.close(closed)
	t.tip(g.tipOf(t))
	t.mark(TipAfterClose)
	t.show(closed.Add(g.minutes(20, 60)))
}

func void(g *dayMaker, opened time.Time) {
	if g.chance(50) { // before it was paid
		t := g.seat(opened)
		g.order(t, opened, 2)
		t.show(opened)
		t.void(opened.Add(g.minutes(3, 30)))
		return
	}
	stay := g.stay()
	t := g.meal(opened, stay)
	t.void(opened.Add(stay + g.minutes(5, 60)))
}

func refund(g *dayMaker, opened time.Time) {
	stay := g.stay()
	t := g.meal(opened, stay)
	t.refundAll(opened.Add(stay + g.minutes(5, 60)))
}

func partialRefund(g *dayMaker, opened time.Time) {
	stay := g.stay()
	t := g.seat(opened)
	g.order(t, opened, 3)
	t.show(opened)
	g.settle(t, opened.Add(stay), "")
	status := wire.StatusClosed
	if g.chance(50) {
		status = wire.StatusRefunded
	}
	t.refundLine(opened.Add(stay+g.minutes(5, 60)), status)
}

// split moves some lines to an order of its own.
func split(g *dayMaker, opened time.Time) {
	t := g.seat(opened)
	g.order(t, opened, 4)
	t.show(opened)
	at := opened.Add(g.minutes(10, 40))
	child := g.seat(at)
	child.order.ParentID, child.order.EmployeeID = t.order.ID, t.order.EmployeeID
	for _, l := range t.order.Lines[2:] {
		child.order.Lines = append(child.order.Lines, l)
		child.owed.net += l.Net
		t.owed.net -= l.Net
	}
	t.order.Lines = t.order.Lines[:2:2]
	child.mark(Split)
	t.show(at)
	child.show(at)
	g.settle(t, at.Add(g.minutes(5, 30)), "")
	g.settle(child, at.Add(g.minutes(5, 30)), "")
}

// merge lets one order absorb another, whose own totals some tills leave
// standing.
func merge(g *dayMaker, opened time.Time) {
	t, absorbed := g.seat(opened), g.seat(opened.Add(time.Minute))
	g.order(t, opened, 2)
	g.order(absorbed, opened, 2)
	t.show(opened)
	absorbed.show(opened.Add(time.Minute))
	at := opened.Add(g.minutes(10, 40))
	for _, l := range absorbed.order.Lines {
		l.ID = "m" + l.ID
		t.order.Lines = append(t.order.Lines, l)
		t.owed.net += l.Net
	}
	if g.chance(50) {
		absorbed.order.Lines = nil
	}
	absorbed.order.MergedInto = t.order.ID
	absorbed.owed = owed{dead: true}
	absorbed.mark(Merge)
	t.show(at)
	absorbed.close(at)
	g.settle(t, at.Add(g.minutes(5, 30)), "")
}

// transfer hands the table to another employee in the middle of the meal.
func transfer(g *dayMaker, opened time.Time) {
	t := g.seat(opened)
	g.order(t, opened, 3)
	t.show(opened)
	at := opened.Add(g.minutes(5, 40))
	g.handOver(t)
	t.mark(Transfer)
	t.show(at)
	g.settle(t, at.Add(g.minutes(5, 40)), "")
}
