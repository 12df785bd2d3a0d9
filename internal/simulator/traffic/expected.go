package traffic

import (
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// Mark is something special that happened to an order.
type Mark string

// The marks. Split marks the order that was split off, Merge the absorbed one,
// Refund a full refund, Edge an order at a business day's edge.
const (
	LateEdit      Mark = "late-edit"
	Void          Mark = "void"
	Refund        Mark = "refund"
	PartialRefund Mark = "partial-refund"
	Split         Mark = "split"
	Merge         Mark = "merge"
	Transfer      Mark = "transfer"
	TipAfterClose Mark = "tip-after-close"
	GiftCard      Mark = "gift-card"
	ServiceCharge Mark = "service-charge"
	CashTip       Mark = "cash-tip"
	AutoGratuity  Mark = "auto-gratuity"
	Discount      Mark = "discount"
	Comp          Mark = "comp"
	SharedBill    Mark = "shared-bill"
	Overnight     Mark = "overnight"
	Edge          Mark = "edge"
	ClockChange   Mark = "clock-change"
	Vanished      Mark = "vanished"
)

// The marks of corrections to orders that were closed, beside LateEdit. MovedItem
// marks the order that lost a line, SplitPaid the one that was split off a paid
// one, MergePaid the paid one that was absorbed.
const (
	VoidedLine     Mark = "voided-line"
	CompAfter      Mark = "comp-after-close"
	DiscountAfter  Mark = "discount-after-close" // on the whole order
	LineDiscount   Mark = "line-discount"
	QuantityRefund Mark = "quantity-refund"
	MovedItem      Mark = "moved-item"
	SplitPaid      Mark = "split-after-payment"
	MergePaid      Mark = "merge-after-payment"
	Reopened       Mark = "re-opened"
)

// The statuses of an expected receipt.
const (
	Open   = "open"
	Closed = "closed"
	Voided = "voided"
)

// Expected is what 7shifts should hold of one order at an instant, as planned.
// Amounts are cents; instants are UTC.
type Expected struct {
	Venue     string // trade name
	Serial    string
	OrderID   string
	ReceiptID string // "<serial>-<order id>"
	Live      bool   // opened on a live day
	Day       sale.Day
	DayClosed sale.Day // zero while not closed
	OpenedAt  time.Time
	ClosedAt  time.Time // zero while not closed
	Net       int64
	CardTips  int64
	Gratuity  int64
	Status    string
	// EmployeeID is empty when nobody rang the order in.
	EmployeeID string
	Marks      []Mark
	// Corrected is when an order of history first changed, or was split off
	// another, on a live day; zero when it never did. It says nothing that a
	// partner holds.
	Corrected time.Time `json:"-"`
}

// Tips is what the receipt's tips should add up to.
func (e Expected) Tips() int64 { return e.CardTips + e.Gratuity }

// Has tells whether something special happened to the order, as planned for its
// whole life.
func (e Expected) Has(m Mark) bool { return slices.Contains(e.Marks, m) }

// Date is the receipt's date and business day under a setting; false when
// nothing is owed under it, since the order did not close.
func (e Expected) Date(by sale.ReceiptDate) (time.Time, sale.Day, bool) {
	if by == sale.ByOpened {
		return e.OpenedAt, e.Day, true
	}
	return e.ClosedAt, e.DayClosed, !e.ClosedAt.IsZero()
}

// Expected lists what should be held once everything that the relay knows at an
// instant has been delivered, by opening; good from the first live day on. What
// a planned outage holds back is not known; what SetOffline holds back is.
func (p *Plan) Expected(at time.Time) []Expected {
	list := make([]Expected, 0, len(p.tabs))
	for _, t := range p.tabs {
		if e, ok := t.expected(at); ok {
			list = append(list, e)
		}
	}
	return list
}

func (t *tab) known(happened, at time.Time) bool {
	arrival, ok := t.venue.Location.Received(happened)
	return ok && !arrival.After(at)
}

// current is the order as the relay knows it at an instant, by its place in
// the order's states; false when it does not know it yet.
func (t *tab) current(at time.Time) (int, bool) {
	for i, s := range slices.Backward(t.states) {
		if t.known(s.at, at) {
			return i, true
		}
	}
	return 0, false
}

// gone tells whether the relay knows that the order was deleted.
func (t *tab) gone(at time.Time) bool { return !t.vanished.IsZero() && t.known(t.vanished, at) }

func (t *tab) expected(at time.Time) (Expected, bool) {
	i, ok := t.current(at)
	if !ok {
		return Expected{}, false
	}
	e := t.expect(t.states[i], t.gone(at))
	e.Corrected = t.corrected(i)
	return e, true
}

// corrected is when an order of history first changed on a live day, looking at
// its states up to a place.
func (t *tab) corrected(place int) time.Time {
	for _, s := range t.states[:place+1] {
		if !t.live && !s.at.Before(t.liveFrom) {
			return s.at.UTC()
		}
	}
	return time.Time{}
}

func (t *tab) expect(s state, vanished bool) Expected {
	e := Expected{
		Venue: t.venue.Location.TradeName, Serial: t.serial, OrderID: string(s.order.ID),
		ReceiptID: t.serial + "-" + string(s.order.ID), Live: t.live, Day: t.day,
		OpenedAt: s.order.OpenedAt.UTC(), Status: Closed, EmployeeID: string(s.order.EmployeeID), Marks: slices.Clone(t.marks),
	}
	if closed := s.order.ClosedAt; !closed.IsZero() {
		e.ClosedAt, e.DayClosed = closed.UTC(), t.day
		for !closed.Before(startOf(e.DayClosed.Plus(1), t.zone)) {
			e.DayClosed = e.DayClosed.Plus(1)
		}
	} else {
		e.Status = Open
	}
	if s.owed.dead || vanished {
		e.Status = Voided
		return e
	}
	e.Net, e.CardTips, e.Gratuity = s.owed.net, s.owed.cardTips, s.owed.gratuity
	return e
}

// DayTotal is what 7shifts should hold for one venue and business day, in
// cents. Receipts counts all of them, Voided those with status voided.
type DayTotal struct {
	Venue                         string
	Day                           sale.Day
	Receipts, Voided              int
	Net, Tips, CardTips, Gratuity int64
}

// DayTotals sums Expected per business day of one venue (by its trade name)
// under its setting of the receipt date, oldest first.
func (p *Plan) DayTotals(venue string, by sale.ReceiptDate, at time.Time) []DayTotal {
	var list []DayTotal
	for _, e := range p.Expected(at) {
		_, day, ok := e.Date(by)
		if e.Venue != venue || !ok {
			continue
		}
		i, found := slices.BinarySearchFunc(list, day, func(t DayTotal, d sale.Day) int { return d.DaysUntil(t.Day) })
		if !found {
			list = slices.Insert(list, i, DayTotal{Venue: venue, Day: day})
		}
		sum := &list[i]
		sum.Receipts++
		if e.Status == Voided {
			sum.Voided++
		}
		sum.Net += e.Net
		sum.CardTips += e.CardTips
		sum.Gratuity += e.Gratuity
		sum.Tips += e.Tips()
	}
	return list
}

// Counts is how many orders of live days have each mark, in the whole plan, and
// how many orders there are in all. Where managers correct items it counts the
// marks that orders of history got on live days too.
func (p *Plan) Counts() (marks map[Mark]int, orders int) {
	marks = map[Mark]int{}
	for _, t := range p.tabs {
		if !t.live && !t.venue.Corrections.Items {
			continue
		}
		for _, m := range t.marks[t.old:] {
			marks[m]++
		}
	}
	return marks, len(p.tabs)
}
