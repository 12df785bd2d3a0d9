// Package clock is the one seam for business time. What people and partners
// date (orders, receipts, watermarks, journal entries) is read from a Clock;
// leases, permits and settle times are mechanics and stay on PostgreSQL's
// clock; Temporal's timers stay real and take durations.
package clock

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Clock tells business time.
type Clock interface {
	// Now is the business instant, in UTC.
	Now() time.Time
	// Until is the real time that passes until a business instant; 0 when it
	// has passed.
	Until(t time.Time) time.Duration
}

// Real is the machine's clock: business time in production.
func Real() Clock { return realClock{} }

type realClock struct{}

func (realClock) Now() time.Time                  { return time.Now().UTC() }
func (realClock) Until(t time.Time) time.Duration { return max(0, time.Until(t)) }

// Calendar is a business time of its own, for the demo and tests: at the real
// instant Epoch it is Origin, from then on it runs Speed times as fast, and
// once it reaches End (when that is not zero) it goes on at real speed.
// Processes that share a Calendar agree on the time.
type Calendar struct {
	Epoch  time.Time
	Origin time.Time
	Speed  float64
	End    time.Time
}

// Fixed is a Calendar that starts now, at an instant, and runs at real speed.
func Fixed(origin time.Time) Calendar {
	return Calendar{Epoch: time.Now(), Origin: origin, Speed: 1}
}

// Now implements Clock.
func (c Calendar) Now() time.Time { return c.at(time.Now()) }

func (c Calendar) at(real time.Time) time.Time {
	elapsed := real.Sub(c.Epoch)
	fast := c.fast()
	if fast >= 0 && elapsed > fast {
		return c.End.Add(elapsed - fast).UTC()
	}
	return c.Origin.Add(time.Duration(float64(elapsed) * c.Speed)).UTC()
}

// fast is how long, in real time, the calendar runs at its own speed; -1 for
// ever.
func (c Calendar) fast() time.Duration {
	if c.End.IsZero() {
		return -1
	}
	return max(0, time.Duration(float64(c.End.Sub(c.Origin))/c.Speed))
}

// Until implements Clock.
func (c Calendar) Until(t time.Time) time.Duration {
	now := c.Now()
	if !t.After(now) {
		return 0
	}
	if c.End.IsZero() || !t.After(c.End) {
		return time.Duration(float64(t.Sub(now)) / c.Speed)
	}
	if !now.Before(c.End) {
		return t.Sub(now)
	}
	return time.Duration(float64(c.End.Sub(now))/c.Speed) + t.Sub(c.End)
}

// String is the form that Parse reads, to hand the calendar to another
// process.
func (c Calendar) String() string {
	parts := []string{
		"epoch=" + c.Epoch.UTC().Format(time.RFC3339Nano),
		"origin=" + c.Origin.UTC().Format(time.RFC3339Nano),
		"speed=" + strconv.FormatFloat(c.Speed, 'g', -1, 64),
	}
	if !c.End.IsZero() {
		parts = append(parts, "until="+c.End.UTC().Format(time.RFC3339Nano))
	}
	return strings.Join(parts, " ")
}

// Parse reads the setting: empty means the machine's clock, otherwise
// "epoch=<instant> origin=<instant> speed=<factor> [until=<instant>]" with
// instants in RFC 3339.
func Parse(setting string) (Clock, error) {
	if strings.TrimSpace(setting) == "" {
		return Real(), nil
	}
	c := Calendar{Speed: 1}
	for _, field := range strings.Fields(setting) {
		key, value, _ := strings.Cut(field, "=")
		var err error
		switch key {
		case "epoch":
			c.Epoch, err = time.Parse(time.RFC3339Nano, value)
		case "origin":
			c.Origin, err = time.Parse(time.RFC3339Nano, value)
		case "until":
			c.End, err = time.Parse(time.RFC3339Nano, value)
		case "speed":
			c.Speed, err = strconv.ParseFloat(value, 64)
		default:
			err = fmt.Errorf("unknown part")
		}
		if err != nil {
			return nil, fmt.Errorf("clock: %q: %w", field, err)
		}
	}
	if c.Epoch.IsZero() || c.Origin.IsZero() || c.Speed <= 0 {
		return nil, fmt.Errorf("clock: want epoch, origin and a speed above 0 in %q", setting)
	}
	return c, nil
}
