package sale

import (
	"fmt"
	"time"
)

// DayStartHour is the local hour at which a business day begins. Both Cluster
// and 7shifts work from 05:00 to 05:00 (7shifts' help page on Cluster POS).
const DayStartHour = 5

// Day is a business day: 05:00 to 05:00 in the location's zone, named by the
// calendar date on which it begins. It has 23 or 25 hours when the clocks
// change. The zero Day is no day.
type Day struct {
	year  int
	month time.Month
	day   int
}

// NewDay names the business day that begins on this calendar date; an
// impossible date rolls over as time.Date does.
func NewDay(year int, month time.Month, day int) Day {
	y, m, d := time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Date()
	return Day{y, m, d}
}

// DayOf is the business day in which an instant falls in a zone.
func DayOf(t time.Time, zone *time.Location) Day {
	local := t.In(zone)
	y, m, d := local.Date()
	if local.Hour() < DayStartHour {
		d--
	}
	return NewDay(y, m, d)
}

// ParseDay reads YYYY-MM-DD.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Day{}, fmt.Errorf("business day %q: want YYYY-MM-DD", s)
	}
	return NewDay(t.Year(), t.Month(), t.Day()), nil
}

// Start is the first instant of the day in a zone.
func (d Day) Start(zone *time.Location) time.Time {
	return time.Date(d.year, d.month, d.day, DayStartHour, 0, 0, 0, zone)
}

// End is the first instant after the day in a zone.
func (d Day) End(zone *time.Location) time.Time { return d.Plus(1).Start(zone) }

// Plus is the day n days later (earlier when n is negative).
func (d Day) Plus(n int) Day { return NewDay(d.year, d.month, d.day+n) }

// PlusMonths is the day n calendar months later; a date that the month does not
// have is its last one, so that six months before 31 August are 28 February.
func (d Day) PlusMonths(n int) Day {
	last := NewDay(d.year, d.month+time.Month(n)+1, 0)
	return NewDay(last.year, last.month, min(d.day, last.day))
}

// Before tells whether d is earlier than other.
func (d Day) Before(other Day) bool { return d.utc().Before(other.utc()) }

// DaysUntil counts the days from d to other; negative when other is earlier.
func (d Day) DaysUntil(other Day) int {
	const day = 24 * 60 * 60 // seconds: a Duration would not reach to all days
	return int((other.utc().Unix() - d.utc().Unix()) / day)
}

// IsZero tells whether d is no day.
func (d Day) IsZero() bool { return d == Day{} }

// String prints YYYY-MM-DD, or nothing for no day.
func (d Day) String() string {
	if d.IsZero() {
		return ""
	}
	return d.utc().Format(time.DateOnly)
}

// MarshalText prints as String does, for JSON.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads YYYY-MM-DD, or nothing for no day.
func (d *Day) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Day{}
		return nil
	}
	parsed, err := ParseDay(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

func (d Day) utc() time.Time { return time.Date(d.year, d.month, d.day, 0, 0, 0, 0, time.UTC) }
