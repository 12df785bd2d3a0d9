package program

import (
	"fmt"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// dayRange reads a first and a last business day; without a last one it is the
// first alone.
func dayRange(first, last string) (from, to sale.Day, err error) {
	if from, err = sale.ParseDay(first); err != nil {
		return from, to, usage(sentence(err.Error()), "give days as YYYY-MM-DD")
	}
	if last == "" {
		return from, from, nil
	}
	if to, err = sale.ParseDay(last); err != nil {
		return from, to, usage(sentence(err.Error()), "give days as YYYY-MM-DD")
	}
	if to.Before(from) {
		return from, to, usage(fmt.Sprintf("The last day, %s, is before the first, %s.", to, from), "exchange them")
	}
	return from, to, nil
}

// at prints an instant in a venue's zone, to the minute.
func at(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return "never"
	}
	return t.In(zone).Format("2006-01-02 15:04")
}

// span prints a length of time as a person says it.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(0, int(d/time.Second)))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d/time.Minute))
	case d < 2*day:
		return fmt.Sprintf("%d h %02d min", int(d/time.Hour), int(d%time.Hour/time.Minute))
	default:
		return fmt.Sprintf("%d days", int(d/day))
	}
}

// plural prints a count and its noun.
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
