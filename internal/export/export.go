// Package export lays out past sales as tables for managers who import them
// into 7shifts by hand, to get projections sooner (7shifts' help page on
// Cluster POS): the net sales of every business-day hour, or single receipts,
// and never both for one business day. It is pure: it reads no clock, does no
// I/O but write to what it is given, and imports only sale of ours.
package export

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// Kind is what a file holds.
type Kind string

// The two kinds. 7shifts takes either, one way consistently; imported both, a
// day counts twice.
const (
	HourlySales Kind = "hourly-sales"
	Receipts    Kind = "receipts"
)

// Range is business days, first and last included. A Last before First is no
// day at all.
type Range struct{ First, Last sale.Day }

// Empty tells whether there is no day in it.
func (r Range) Empty() bool { return r.Last.Before(r.First) }

// Days counts the days.
func (r Range) Days() int { return max(0, r.First.DaysUntil(r.Last)+1) }

// Holds tells whether a day is in it.
func (r Range) Holds(day sale.Day) bool { return !day.Before(r.First) && !r.Last.Before(day) }

// Cut divides the range into the days before a day, and that day with those
// after it. Either may be empty.
func (r Range) Cut(day sale.Day) (before, from Range) {
	before, from = r, r
	if !r.Last.Before(day) {
		before.Last = day.Plus(-1)
	}
	if from.First.Before(day) {
		from.First = day
	}
	return before, from
}

// String writes "2026-08-01 to 2026-08-03", and one day alone once.
func (r Range) String() string {
	if r.First == r.Last {
		return r.First.String()
	}
	return r.First.String() + " to " + r.Last.String()
}

// Ask is what is to be exported: the receipts that are dated, by opening or by
// closing, on one of the business days in the location's zone.
type Ask struct {
	Location    string // our id of it
	Zone        *time.Location
	Days        Range
	ReceiptDate sale.ReceiptDate
}

// Receipt is a sale as 7shifts would get it, with its date in the location's
// zone, to the second.
type Receipt struct {
	Location string
	ID       string
	Day      sale.Day
	Date     time.Time
	Status   string // Open, Closed or Voided
	// Net follows 7shifts' rule of net sales; Gross is Net plus Discounts, which
	// are discounts and comps.
	Net, Gross, Discounts sale.Cents
	// CardTips and Gratuity are the tips that travel, Tips is their sum.
	CardTips, Gratuity, Tips sale.Cents
	Employee                 string // the till's id of the employee
}

// The statuses of a Receipt, in 7shifts' words.
const (
	Open   = "open"
	Closed = "closed"
	Voided = "voided"
)

// Bad is a record that is missing from the tables, and why, without amounts.
type Bad struct{ ID, Why string }

// Tables are what the sales come to. The sum over Hours is the sum over
// Receipts, to the cent and to the receipt, where voided receipts are nothing
// in either.
type Tables struct {
	Receipts []Receipt // by date, then id
	Hours    []Hour    // every hour of every day, also those without sales
	Bad      []Bad     // by id
	// Unclosed counts orders that are still open and have no date yet, since
	// receipts are dated by closing.
	Unclosed int
}

// Book collects what is read of a till. A sale that is read several times, as
// overlapping and repeated pages do, is kept once: as it was modified last.
type Book struct {
	ask  Ask
	kept map[string]entry // by the sale's id
}

// entry is the newest that is known of one record: a sale that belongs to the
// days, one that does not (neither dated nor bad), or a bad record.
type entry struct {
	modified time.Time // zero when it could not be read
	receipt  Receipt
	dated    bool
	unclosed bool
	bad      string
}

// NewBook begins to collect.
func NewBook(ask Ask) *Book { return &Book{ask: ask, kept: map[string]entry{}} }

// Add takes a sale. It need not belong to the days that were asked for.
func (b *Book) Add(s sale.Sale) {
	known, again := b.kept[s.ID]
	if again && s.ModifiedAt.Before(known.modified) {
		return
	}
	b.kept[s.ID] = b.enter(s)
}

// AddBad takes a record that could not be read, with a reason that names no
// amount. A version of it that can be read makes it good again.
func (b *Book) AddBad(id, why string) {
	if _, known := b.kept[id]; !known {
		b.kept[id] = entry{bad: why}
	}
}

func (b *Book) enter(s sale.Sale) entry {
	e := entry{modified: s.ModifiedAt}
	date, known := b.ask.ReceiptDate.Date(s)
	if !known {
		e.unclosed = s.Status == sale.Open && s.Counts()
		return e
	}
	// 7shifts' dates have no fraction; cutting it cannot change the day.
	date = date.Truncate(time.Second).In(b.ask.Zone)
	day := sale.DayOf(date, b.ask.Zone)
	if !b.ask.Days.Holds(day) {
		return e
	}
	r, err := newReceipt(s)
	if err != nil {
		e.bad = "its amounts contradict each other or are out of range"
		return e
	}
	r.Location, r.Date, r.Day = b.ask.Location, date, day
	e.receipt, e.dated = r, true
	return e
}

// newReceipt is the sale's receipt without place and date, by the rules by
// which sales travel to 7shifts: one that is voided, merged into another or
// refunded in full has no amounts, and a refund lowers the sale's own day.
func newReceipt(s sale.Sale) (Receipt, error) {
	r := Receipt{ID: s.ID, Status: Closed, Employee: s.EmployeeID}
	if s.Status == sale.Open {
		r.Status = Open
	}
	if !s.Counts() {
		r.Status = Voided
		return r, nil
	}
	net, err := s.NetSales()
	if err != nil {
		return r, err
	}
	discounts, err := s.Totals.Discount.Add(s.Totals.Comp)
	if err != nil {
		return r, err
	}
	if discounts < 0 {
		return r, fmt.Errorf("%w: discounts are negative", sale.ErrBadRecord)
	}
	gross, err := net.Add(discounts)
	if err != nil {
		return r, err
	}
	tips, err := s.Tips()
	if err != nil {
		return r, err
	}
	total, err := tips.Total()
	if err != nil {
		return r, err
	}
	if s.Status == sale.Refunded && net == 0 {
		r.Status = Voided
		return r, nil
	}
	r.Net, r.Gross, r.Discounts = net, gross, discounts
	r.CardTips, r.Gratuity, r.Tips = tips.Card, tips.Gratuity, total
	return r, nil
}

// Tables makes the tables of all that was collected. Its error is that a sum
// overflows, which nothing that a till sold can cause.
func (b *Book) Tables() (Tables, error) {
	var t Tables
	for id, e := range b.kept {
		switch {
		case e.bad != "":
			t.Bad = append(t.Bad, Bad{ID: id, Why: e.bad})
		case e.unclosed:
			t.Unclosed++
		case e.dated:
			t.Receipts = append(t.Receipts, e.receipt)
		}
	}
	slices.SortFunc(t.Bad, func(x, y Bad) int { return strings.Compare(x.ID, y.ID) })
	slices.SortFunc(t.Receipts, func(x, y Receipt) int {
		return cmp.Or(x.Date.Compare(y.Date), strings.Compare(x.ID, y.ID))
	})
	var err error
	t.Hours, err = sumHours(b.ask, t.Receipts)
	return t, err
}

// Standing leaves the voided receipts out.
func (t Tables) Standing() []Receipt {
	return slices.DeleteFunc(slices.Clone(t.Receipts), func(r Receipt) bool { return r.Status == Voided })
}
