package export

import (
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// Hour is one hour of a business day, its instants in the location's zone. On
// the night on which the clocks go back one local hour comes twice, told apart
// by its offset from UTC; on the night on which they go forward one is missing.
type Hour struct {
	Location   string
	Day        sale.Day
	Start, End time.Time // End is excluded
	Net        sale.Cents
	Receipts   int // those that are not voided
}

// sumHours lays out every hour of the days and adds the receipts up in them.
func sumHours(ask Ask, receipts []Receipt) ([]Hour, error) {
	var hours []Hour
	for day := ask.Days.First; ask.Days.Holds(day); day = day.Plus(1) {
		for _, h := range hoursOf(day, ask.Zone) {
			h.Location = ask.Location
			hours = append(hours, h)
		}
	}
	for _, r := range receipts {
		if r.Status == Voided {
			continue
		}
		i, found := slices.BinarySearchFunc(hours, r.Date, func(h Hour, date time.Time) int { return h.Start.Compare(date) })
		if !found {
			i-- // the last that starts before it
		}
		h := &hours[i]
		var err error
		if h.Net, err = h.Net.Add(r.Net); err != nil {
			return nil, err
		}
		h.Receipts++
	}
	return hours, nil
}

// hoursOf cuts a business day at every full hour of the local clock, and where
// that clock is changed: not everywhere by a full hour.
func hoursOf(day sale.Day, zone *time.Location) []Hour {
	const most = 26 // hours of the longest day, with room for a cut hour
	hours := make([]Hour, 0, most)
	end := day.End(zone)
	for start := day.Start(zone); start.Before(end); {
		into := time.Duration(start.Minute())*time.Minute + time.Duration(start.Second())*time.Second
		next := start.Add(time.Hour - into)
		if _, change := start.ZoneBounds(); !change.IsZero() && change.Before(next) {
			next = change
		}
		if end.Before(next) {
			next = end
		}
		hours = append(hours, Hour{Day: day, Start: start, End: next.In(zone)})
		start = next.In(zone)
	}
	return hours
}
