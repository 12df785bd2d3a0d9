package traffic

import (
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
)

// owed is what a partner should hold of an order, kept act by act: never read
// off the order's totals, so that it is an independent check of them.
type owed struct {
	net, cardTips, gratuity int64 // cents
	dead                    bool  // voided, merged away or wholly refunded
}

// state is an order as it stands from an instant on.
type state struct {
	at    time.Time
	order clustersim.Order
	owed  owed
}

// tab is one order's life.
type tab struct {
	*till
	day      sale.Day // by opening
	live     bool     // opened on a live day
	order    clustersim.Order
	owed     owed
	discount int64 // of the whole order, in cents
	states   []state
	marks    []Mark
	old      int // marks that were there when the venue went live
	vanished time.Time
	pays     int
}

func (t *tab) mark(m Mark) {
	if !slices.Contains(t.marks, m) {
		t.marks = append(t.marks, m)
	}
}

// show makes the order as it is now visible from an instant on.
func (t *tab) show(at time.Time) {
	t.settle()
	o := t.order
	o.Lines, o.Payments = slices.Clone(o.Lines), slices.Clone(o.Payments)
	if n := len(t.states); n > 0 && at.Before(t.liveFrom) && !at.Before(t.states[n-1].at) {
		t.states = t.states[:n-1] // nobody will have seen it
	}
	t.states = append(t.states, state{at, o, t.owed})
}

// settle writes the till's totals from the lines and payments.
func (t *tab) settle() {
	s := &t.order.Totals
	s.Gross, s.Discount, s.Tip = 0, t.discount, 0
	var gift int64
	for _, l := range t.order.Lines {
		if l.Voided {
			continue
		}
		s.Gross += l.Net + l.Discount
		s.Discount += l.Discount
		if l.CategoryID == giftCategory {
			gift += l.Net
		}
	}
	for _, p := range t.order.Payments {
		s.Tip += p.Tip
	}
	s.Net = s.Gross - s.Discount - s.Comp
	s.Tax = ((s.Net-gift)*t.venue.TaxRate + taxUnit/2) / taxUnit
	s.Total = s.Net + s.Tax + s.ServiceCharge + s.AutoGratuity + s.Tip
}

// sell adds an item to the order, less a discount in cents.
func (t *tab) sell(item clustersim.MenuItem, quantity decimal.Decimal, discount int64, choices ...clustersim.Modifier) {
	line := clustersim.Line{
		ID: t.freeLineID(), ItemID: item.ID, Name: item.Name, CategoryID: item.CategoryID,
		Quantity: wire.Decimal(quantity.String()), UnitPrice: item.Price, Discount: discount,
		Modifiers: append([]clustersim.Modifier{}, choices...),
	}
	line.Net = quantity.Mul(each(line)).IntPart() - discount // whole cents: see Menu.check
	t.order.Lines = append(t.order.Lines, line)
	if item.CategoryID != giftCategory {
		t.owed.net += line.Net
	}
}

// each is the price of one of a line's quantity, with what was chosen along.
func each(l clustersim.Line) decimal.Decimal {
	price := decimal.NewFromInt(l.UnitPrice)
	for _, m := range l.Modifiers {
		price = price.Add(amountOf(m.Quantity).Mul(decimal.NewFromInt(m.Price)))
	}
	return price
}

// amountOf reads a quantity that the plan wrote itself.
func amountOf(quantity wire.Decimal) decimal.Decimal {
	return decimal.RequireFromString(string(quantity))
}

// freeLineID is an id that none of the order's lines has.
func (t *tab) freeLineID() wire.Text {
	for n := len(t.order.Lines) + 1; ; n++ {
		id := wire.Text(strconv.Itoa(n))
		if !t.hasLine(id) {
			return id
		}
	}
}

func (t *tab) hasLine(id wire.Text) bool {
	return slices.ContainsFunc(t.order.Lines, func(l clustersim.Line) bool { return l.ID == id })
}

// comp gives a part of the order for free.
func (t *tab) comp(cents int64) {
	t.order.Totals.Comp += cents
	t.owed.net -= cents
	t.mark(Comp)
}

// gratuity adds an automatic gratuity.
func (t *tab) gratuity(cents int64) {
	t.order.Totals.AutoGratuity += cents
	t.owed.gratuity += cents
	t.mark(AutoGratuity)
}

// pay adds a payment of an amount without the tip.
func (t *tab) pay(kind string, amount, tip int64, at time.Time) {
	t.pays++
	t.order.Payments = append(t.order.Payments, clustersim.Payment{
		ID: wire.Text("p" + strconv.Itoa(t.pays)), Type: wire.Text(kind), Amount: amount + tip, Tip: tip, Time: wire.At(at),
	})
	if isCard(kind) {
		t.owed.cardTips += tip
	} else if tip != 0 {
		t.mark(CashTip)
	}
}

// due is what is still to be paid, tips aside.
func (t *tab) due() int64 {
	t.settle()
	due := t.order.Totals.Total
	for _, p := range t.order.Payments {
		due -= p.Amount
	}
	return due
}

func (t *tab) close(at time.Time) {
	t.order.Status, t.order.ClosedAt = wire.StatusClosed, wire.At(at)
	t.show(at)
}

// tip adds a tip to the last payment, after the card came back signed.
func (t *tab) tip(cents int64) {
	p := &t.order.Payments[len(t.order.Payments)-1]
	p.Tip += cents
	p.Amount += cents
	if isCard(string(p.Type)) {
		t.owed.cardTips += cents
	} else {
		t.mark(CashTip)
	}
}

// void cancels the order; the till leaves its totals as they were.
func (t *tab) void(at time.Time) {
	t.order.Status = wire.StatusVoided
	t.owed = owed{dead: true}
	t.mark(Void)
	t.show(at)
}

// refundAll takes everything back: negative lines and payments, totals 0.
func (t *tab) refundAll(at time.Time) {
	for _, l := range slices.Clone(t.order.Lines) {
		if !l.Voided {
			t.order.Lines = append(t.order.Lines, t.back(l))
		}
	}
	for _, p := range slices.Clone(t.order.Payments) {
		p.ID += "r"
		p.Amount, p.Tip, p.Time = -p.Amount, -p.Tip, wire.At(at)
		t.order.Payments = append(t.order.Payments, p)
	}
	t.order.Status = wire.StatusRefunded
	t.order.Totals.Comp, t.order.Totals.ServiceCharge, t.order.Totals.AutoGratuity, t.discount = 0, 0, 0, 0
	t.owed = owed{dead: true}
	t.mark(Refund)
	t.show(at)
}

// back is a line that takes one of the order's lines back.
func (t *tab) back(l clustersim.Line) clustersim.Line {
	for t.hasLine(l.ID) {
		l.ID += "r"
	}
	l.Quantity = wire.Decimal(amountOf(l.Quantity).Neg().String())
	l.Net, l.Discount = -l.Net, -l.Discount
	return l
}

// refundLine takes the first line back: a negative line and payment, and the
// totals are lower.
func (t *tab) refundLine(at time.Time, status string) {
	before := t.due()
	l := t.back(t.order.Lines[0])
	t.order.Lines = append(t.order.Lines, l)
	t.owed.net += l.Net
	t.pay(string(t.order.Payments[0].Type), t.due()-before, 0, at)
	t.order.Status = wire.Text(status)
	t.mark(PartialRefund)
	t.show(at)
}
