package tips

import (
	"fmt"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// Cadence is how often a venue pays.
type Cadence string

// The cadences of 7shifts' pay periods (reference: 7shifts 9).
const (
	Weekly      Cadence = "weekly"
	Biweekly    Cadence = "biweekly"
	SemiMonthly Cadence = "semi_monthly"
	Monthly     Cadence = "monthly"
)

// Period is a pay period: business days from First to Last, both included.
type Period struct{ First, Last sale.Day }

// Contains tells whether a business day is in the period.
func (p Period) Contains(d sale.Day) bool { return !d.Before(p.First) && !p.Last.Before(d) }

// Days counts the period's days.
func (p Period) Days() int { return p.First.DaysUntil(p.Last) + 1 }

// String prints first and last day.
func (p Period) String() string { return p.First.String() + " to " + p.Last.String() }

// Payroll is a venue's calendar of pay periods: every business day is in
// exactly one.
type Payroll struct {
	cadence Cadence
	anchor  sale.Day
}

// NewPayroll makes a calendar. A period begins on the anchor. With SemiMonthly
// periods begin on the anchor's day of the month and fifteen days from it, so
// on the 1st and 16th for an anchor on either; with Monthly on the anchor's day
// of the month. Where a month is too short for that day, its last day takes its
// place. An anchor on the 31st is refused for SemiMonthly: it has no day
// fifteen days from it in every month.
func NewPayroll(cadence Cadence, anchor sale.Day) (Payroll, error) {
	if anchor.IsZero() {
		return Payroll{}, fmt.Errorf("pay period: an anchor day is needed")
	}
	_, _, day := date(anchor)
	switch cadence {
	case Weekly, Biweekly, Monthly:
	case SemiMonthly:
		if day == 31 {
			return Payroll{}, fmt.Errorf("pay period: a %s period cannot begin on the 31st", cadence)
		}
	default:
		return Payroll{}, fmt.Errorf("pay period: want weekly, biweekly, semi_monthly or monthly, not %q", string(cadence))
	}
	return Payroll{cadence, anchor}, nil
}

// Of is the period of a business day.
func (p Payroll) Of(d sale.Day) Period {
	switch p.cadence {
	case Weekly:
		return p.ofLength(d, 7)
	case Biweekly:
		return p.ofLength(d, 14)
	default:
		return p.ofMonth(d)
	}
}

// Next is the period after another.
func (p Payroll) Next(of Period) Period { return p.Of(of.Last.Plus(1)) }

// Previous is the period before another.
func (p Payroll) Previous(of Period) Period { return p.Of(of.First.Plus(-1)) }

func (p Payroll) ofLength(d sale.Day, days int) Period {
	offset := p.anchor.DaysUntil(d) % days
	if offset < 0 {
		offset += days
	}
	first := d.Plus(-offset)
	return Period{first, first.Plus(days - 1)}
}

// ofMonth finds the last beginning up to d and the first one after it, among
// those of the months around.
func (p Payroll) ofMonth(d sale.Day) Period {
	year, month, _ := date(d)
	var period Period
	for m := month - 1; m <= month+1; m++ {
		for _, begin := range p.begins(year, m) {
			if d.Before(begin) {
				period.Last = begin.Plus(-1)
				return period
			}
			period.First = begin
		}
	}
	return period
}

// begins are the beginnings in a month, in order.
func (p Payroll) begins(year int, month time.Month) []sale.Day {
	last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	on := func(day int) sale.Day { return sale.NewDay(year, month, min(day, last)) }
	_, _, day := date(p.anchor)
	if p.cadence == Monthly {
		return []sale.Day{on(day)}
	}
	first := (day-1)%15 + 1
	return []sale.Day{on(first), on(first + 15)}
}

func date(d sale.Day) (year int, month time.Month, day int) { return d.Start(time.UTC).Date() }
