package play

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Watch shows the demo until all days are played and everything wanted is sent
// and confirmed, or the patience for that is at its end; what is then missing
// shows in the comparison.
func (d *Demo) Watch(ctx context.Context) error {
	tick := time.NewTicker(redrawEvery)
	defer tick.Stop()
	quiet := 0
	var overSince time.Time
	for {
		m, err := d.moment(ctx)
		if err != nil {
			return err
		}
		d.view.show(m)
		if m.Part >= 1 && m.WaitingFor == "" {
			quiet++
		} else {
			quiet = 0
		}
		if m.Part >= 1 && overSince.IsZero() {
			overSince = time.Now()
		}
		switch {
		case quiet >= quietLooks:
			d.view.finish(m)
			return nil
		case !overSince.IsZero() && time.Since(overSince) > d.o.Size.Patience:
			d.view.finish(m)
			d.view.say("Not everything was confirmed within %v after the last day; waited for: %s", d.o.Size.Patience, m.WaitingFor)
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// quietLooks is how many looks in a row must find nothing to wait for: a run
// may just be between reading and marking.
const quietLooks = 3

// moment looks at the ledger.
func (d *Demo) moment(ctx context.Context) (moment, error) {
	now := d.calendar.Now()
	from, until := played(d.o.Size)
	zone := d.sims.venues[0].zone()
	m := moment{
		Business: now.In(zone), Days: d.o.Size.LiveDays, Elapsed: time.Since(d.begun),
		Day:  firstLive.DaysUntil(sale.DayOf(now, zone)) + 1,
		Part: float64(now.Sub(from)) / float64(until.Sub(from)),
	}
	var waiting []string
	connections, err := d.store.Connections(ctx)
	if err != nil {
		return m, err
	}
	for _, c := range connections {
		b, err := d.store.Backlog(ctx, c.ID)
		if err != nil {
			return m, err
		}
		p := progressOf{
			Venue: c.Location.TradeName, State: string(c.State), Read: b.Total, ToSend: b.Wanted, Sent: b.Sent, Confirmed: b.Confirmed, Quarantined: b.Quarantined,
		}
		if !c.Watermark.IsZero() {
			p.Lag = d.calendar.real(c.Watermark, now)
		}
		if p.History, p.HistoryDays, err = d.history(ctx, c); err != nil {
			return m, err
		}
		m.Venues = append(m.Venues, p)
		waiting = append(waiting, d.waitsFor(c, b)...)
	}
	if m.Part >= 1 {
		m.WaitingFor = strings.Join(waiting, "; ")
	}
	return m, nil
}

// waitsFor says in words what a connection still has to do.
func (d *Demo) waitsFor(c ledger.Connection, b ledger.Backlog) []string {
	var list []string
	add := func(there bool, format string, args ...any) {
		if there {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	add(c.Watermark.Before(d.until), "the rest of the till")
	add(!c.HistoryDone, "history")
	add(b.Wanted > 0, "%d to send", b.Wanted)
	add(b.Unconfirmed > 0, "%d to confirm", b.Unconfirmed)
	// What was put aside may be of unknown outcome for good.
	add(b.Uncertain > 0, "%d of unknown outcome", b.Uncertain)
	add(!c.State.Live(), "somebody to resume it (%s)", c.State)
	if len(list) == 0 {
		return nil
	}
	return []string{c.LocationID + ": " + strings.Join(list, ", ")}
}

// history is how many business days of a connection's history are brought in.
func (d *Demo) history(ctx context.Context, c ledger.Connection) (done, days int, err error) {
	all := d.o.Size.HistoryDays + spareDays
	if c.HistoryDone {
		return all, all, nil
	}
	ctx, cancel := context.WithTimeout(ctx, queryWithin)
	defer cancel()
	// The workflow may not have started, or the worker may be down: no news.
	answer, err := d.temporal.QueryWorkflow(ctx, work.BackfillID(c.ID), "", work.QueryProgress)
	if err != nil {
		return 0, all, nil
	}
	var p work.BackfillProgress
	if err := answer.Get(&p); err != nil {
		return 0, 0, fmt.Errorf("the progress of the history: %w", err)
	}
	return p.Done, max(p.Days, all), nil
}

// queryWithin keeps the view alive when no worker answers.
const queryWithin = 300 * time.Millisecond
