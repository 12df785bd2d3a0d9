package traffic

import (
	"time"

	"github.com/shopspring/decimal"

	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
)

// standing are the places of lines that were paid for, can be given up without
// the order owing less than nothing, and are no gift cards.
func (t *tab) standing() []int {
	var places []int
	for i, l := range t.order.Lines {
		if !l.Voided && l.Net > 0 && l.Net <= t.owed.net && l.CategoryID != giftCategory && !t.hasLine(l.ID+"r") {
			places = append(places, i)
		}
	}
	return places
}

// pick is one of the standing lines that fit; nil when there is none.
func (g *dayMaker) pick(t *tab, fits func(clustersim.Line) bool) *clustersim.Line {
	var places []int
	for _, i := range t.standing() {
		if fits(t.order.Lines[i]) {
			places = append(places, i)
		}
	}
	if len(places) == 0 {
		return nil
	}
	return &t.order.Lines[places[g.dice.IntN(len(places))]]
}

func anyLine(clustersim.Line) bool { return true }

// evenUp shows an order after a correction; what it costs more or less is paid
// or given back.
func (t *tab) evenUp(m Mark, at time.Time) {
	if due := t.due(); due != 0 {
		t.pay(string(t.order.Payments[0].Type), due, 0, at)
	}
	t.mark(m)
	t.show(at)
}

// voidLine voids a line; the till leaves its amounts as they were.
func voidLine(g *dayMaker, t, _ *tab, at time.Time) bool {
	l := g.pick(t, anyLine)
	if l == nil {
		return false
	}
	l.Voided = true
	t.owed.net -= l.Net
	t.evenUp(VoidedLine, at)
	return true
}

// compOrder gives a part of the order for free, or all of it.
func compOrder(g *dayMaker, t, _ *tab, at time.Time) bool {
	cents := g.partOf(t)
	if cents == 0 {
		return false
	}
	t.comp(cents)
	t.evenUp(CompAfter, at)
	return true
}

// discountOrder takes something off the whole order.
func discountOrder(g *dayMaker, t, _ *tab, at time.Time) bool {
	cents := g.partOf(t)
	if cents == 0 {
		return false
	}
	t.discount += cents
	t.owed.net -= cents
	t.evenUp(DiscountAfter, at)
	return true
}

func (g *dayMaker) partOf(t *tab) int64 {
	if g.chance(20) {
		return t.owed.net
	}
	return t.owed.net * (5 + g.dice.Int64N(60)) / 100
}

// discountLine takes something more off a line.
func discountLine(g *dayMaker, t, _ *tab, at time.Time) bool {
	l := g.pick(t, func(l clustersim.Line) bool { return l.Net > 10 })
	if l == nil {
		return false
	}
	cents := l.Net * (10 + g.dice.Int64N(60)) / 100
	l.Discount += cents
	l.Net -= cents
	t.owed.net -= cents
	t.evenUp(LineDiscount, at)
	return true
}

// refundOne takes one of several portions back.
func refundOne(g *dayMaker, t, _ *tab, at time.Time) bool {
	l := g.pick(t, func(l clustersim.Line) bool { return amountOf(l.Quantity).GreaterThan(one) })
	if l == nil {
		return false
	}
	portion := *l
	portion.Quantity = "1"
	discount, _ := decimal.NewFromInt(l.Discount).QuoRem(amountOf(l.Quantity), 0)
	portion.Discount = discount.IntPart()
	portion.Net = each(portion).IntPart() - portion.Discount
	t.order.Lines = append(t.order.Lines, t.back(portion))
	t.owed.net -= portion.Net
	t.evenUp(QuantityRefund, at)
	return true
}
