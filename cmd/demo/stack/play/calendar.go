package play

import (
	"sync/atomic"
	"time"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

// calendar is the demo's business time. It goes at real speed while everything
// starts, then at the demo's speed; the simulators hold
// on to it across that change.
type calendar struct {
	at atomic.Pointer[clock.Calendar]
}

// newCalendar goes on from an instant, at real speed.
func newCalendar(from time.Time) *calendar {
	c := &calendar{}
	fixed := clock.Fixed(from)
	c.at.Store(&fixed)
	return c
}

// Now implements clock.Clock.
func (c *calendar) Now() time.Time { return c.at.Load().Now() }

// Until implements clock.Clock.
func (c *calendar) Until(t time.Time) time.Duration { return c.at.Load().Until(t) }

// String is the setting that gives this time to another process.
func (c *calendar) String() string { return c.at.Load().String() }

// run lets time run at a speed until an instant, from then on at real speed.
func (c *calendar) run(speed float64, until time.Time) {
	now := c.Now()
	running := clock.Fixed(now)
	if now.Before(until) {
		running.Speed, running.End = speed, until
	}
	c.at.Store(&running)
}

// ahead is the business instant that is reached in a real duration.
func (c *calendar) ahead(d time.Duration) time.Time {
	at := *c.at.Load()
	at.Epoch = at.Epoch.Add(-d)
	return at.Now()
}

// real is how long the span between two business instants takes, the later of
// which is now.
func (c *calendar) real(from, now time.Time) time.Duration {
	at := c.at.Load()
	return max(0, min(time.Duration(float64(now.Sub(from))/at.Speed), now.Sub(from)))
}

// played is the span that a size covers: it starts when the first live day, or
// the first one of setting up, has begun in every zone but for the last few
// minutes in the last of them, and ends when the last one has closed everywhere
// and its late edits are in.
func played(size Size) (from, until time.Time) {
	first := firstLive
	if !size.ByVerbs {
		first = first.Plus(-setUpDays)
	}
	for _, v := range venuesOf(size) {
		zone := v.zone()
		start, end := first.Start(zone), firstLive.Plus(size.LiveDays-1).End(zone)
		if from.IsZero() || start.After(from) {
			from = start
		}
		if end.After(until) {
			until = end
		}
	}
	return from.Add(-beforeOpening).UTC(), until.Add(afterClosing).UTC()
}

// afterClosing leaves time for the last late edits to be read.
const afterClosing = 2 * time.Hour

func firstHistory(size Size) sale.Day { return firstLive.Plus(-size.HistoryDays) }
