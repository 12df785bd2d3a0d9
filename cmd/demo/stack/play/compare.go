package play

import (
	"cmp"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/simulator/traffic"
)

// planned is one order as the generator planned it, which knows nothing of our
// rules.
type planned struct {
	receipt
	Day   sale.Day
	Live  bool // opened on a live day
	Marks []traffic.Mark
}

// amounts are what the table shows of some receipts, in cents.
type amounts struct {
	Receipts, Net, Tips, Gratuity int64
}

func (a amounts) plus(r receipt) amounts {
	return amounts{a.Receipts + 1, a.Net + r.Net, a.Tips + r.Tips, a.Gratuity + r.Gratuity}
}

func (a amounts) and(b amounts) amounts {
	return amounts{a.Receipts + b.Receipts, a.Net + b.Net, a.Tips + b.Tips, a.Gratuity + b.Gratuity}
}

func (a amounts) minus(b amounts) amounts {
	return amounts{a.Receipts - b.Receipts, a.Net - b.Net, a.Tips - b.Tips, a.Gratuity - b.Gratuity}
}

// dayResult is one business day of one venue.
type dayResult struct {
	Day         sale.Day
	Plan, There amounts
	// Wrong are ids of receipts that are missing, too many, or not as planned.
	Wrong []wrong
}

// wrong is a receipt or an item that is not as planned.
type wrong struct{ ID, Why string }

func (d dayResult) day() sale.Day { return d.Day }

func (d dayResult) good() bool { return d.Plan == d.There && len(d.Wrong) == 0 }

// venueResult is all that was compared of a venue.
type venueResult struct {
	Venue venue
	Days  []dayResult
	Marks map[traffic.Mark]int // of the live orders that are in 7shifts as planned
	Equal int                  // orders that are in 7shifts as planned
}

func (v venueResult) good() bool {
	return !slices.ContainsFunc(v.Days, func(d dayResult) bool { return !d.good() })
}

// compare sets a venue's plan against what 7shifts answered, receipt by
// receipt and summed by business day.
func compare(v venue, plan []planned, there map[string]receipt) venueResult {
	result := venueResult{Venue: v, Marks: map[traffic.Mark]int{}}
	days := map[sale.Day]*dayResult{}
	of := func(day sale.Day) *dayResult {
		if days[day] == nil {
			days[day] = &dayResult{Day: day}
		}
		return days[day]
	}
	seen := map[string]bool{}
	for _, p := range plan {
		seen[p.ID] = true
		d := of(p.Day)
		d.Plan = d.Plan.plus(p.receipt)
		got, ok := there[p.ID]
		if why := difference(p, got, ok); why != "" {
			d.Wrong = append(d.Wrong, wrong{p.ID, why})
			continue
		}
		result.Equal++
		if !p.Live {
			continue
		}
		for _, mark := range p.Marks {
			result.Marks[mark]++
		}
	}
	for id, got := range there {
		d := of(sale.DayOf(got.Date, v.zone()))
		d.There = d.There.plus(got)
		if !seen[id] {
			d.Wrong = append(d.Wrong, wrong{id, "is in 7shifts but was never planned"})
		}
	}
	for _, d := range days {
		slices.SortFunc(d.Wrong, func(a, b wrong) int { return cmp.Compare(a.ID, b.ID) })
		result.Days = append(result.Days, *d)
	}
	slices.SortFunc(result.Days, func(a, b dayResult) int { return cmp.Compare(a.Day.String(), b.Day.String()) })
	return result
}

// difference says in words how a receipt departs from the plan, without
// amounts; nothing when it does not.
func difference(p planned, got receipt, ok bool) string {
	switch {
	case !ok:
		return "is missing in 7shifts"
	case !got.Date.Truncate(time.Second).Equal(p.Date.Truncate(time.Second)):
		return "has another receipt date"
	case got.Net != p.Net:
		return "has other net sales"
	case got.Tips != p.Tips:
		return "has other tips"
	case got.Gratuity != p.Gratuity:
		return "has another gratuity"
	case got.Status != p.Status:
		return "is " + got.Status + " instead of " + p.Status
	case got.Employee != p.Employee:
		return "is another employee's"
	}
	return ""
}
