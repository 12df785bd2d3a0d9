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
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	quiet := 0
	var overSince time.Time
	for {
		m, err := d.moment(ctx)
		if err != nil {
			return err
		}
		d.view.show(m)
		if err := d.killInTheMiddle(ctx, m); err != nil {
			return err
		}
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

const (
	// lookEvery is how often the ledger is looked at, which counts all documents.
	lookEvery = time.Second
	// quietLooks is how many looks in a row must find nothing to wait for: a run
	// may just be between reading and marking.
	quietLooks = 2
)

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
			Venue: c.Location.TradeName, To: c.PartnerName, State: string(c.State),
			Read: b.Total, ToSend: b.Wanted, Sent: b.Sent, Confirmed: b.Confirmed, Lines: d.sims.linesOf(c.LocationID), Quarantined: b.Quarantined,
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
	due := b.Wanted
	if !d.bringsHistory(c) {
		due = b.Live
	}
	add(!c.HistoryDone && d.bringsHistory(c), "history")
	add(due > 0, "%d to send", due)
	add(b.Unconfirmed > 0, "%d to confirm", b.Unconfirmed)
	// What was put aside may be of unknown outcome for good.
	add(b.Uncertain > 0, "%d of unknown outcome", b.Uncertain)
	add(!c.State.Live(), "somebody to resume it (%s)", c.State)
	if len(list) == 0 {
		return nil
	}
	return []string{c.LocationID + ": " + strings.Join(list, ", ")}
}

// bringsHistory tells whether a connection was made with its history.
func (d *Demo) bringsHistory(c ledger.Connection) bool {
	return c.PartnerName != work.Wisk || !d.o.Size.Wisk.NoHistory
}

// history is how many business days of a connection's history are brought in.
func (d *Demo) history(ctx context.Context, c ledger.Connection) (done, days int, err error) {
	zone, err := time.LoadLocation(c.Location.Zone)
	if err != nil {
		return 0, 0, err
	}
	last := sale.DayOf(c.LiveFrom, zone).Plus(-1)
	if days = c.HistoryFrom.DaysUntil(last) + 1; c.HistoryDone {
		return days, days, nil
	}
	list, err := d.store.Backfilled(ctx, c.ID, c.HistoryFrom, last)
	return len(list), days, err
}

// killInTheMiddle kills the worker with SIGKILL, once, when enough of WISK's
// history is in and not all of it: what was on its way is in doubt, and a
// supervisor starts the worker again.
func (d *Demo) killInTheMiddle(ctx context.Context, m moment) error {
	done, days := 0, 0
	for _, p := range m.Venues {
		if p.counted() {
			done, days = done+p.History, days+p.HistoryDays
		}
	}
	if at := d.o.Size.Wisk.KillAt; at == 0 || d.saved.Killed || done == days || float64(done) < at*float64(days) {
		return nil
	}
	pid := d.worker.pid()
	uploads, err := d.KillWorkerWhileUploading(ctx)
	if err != nil {
		return err
	}
	d.view.say("\nIn the middle of WISK's history, with %d of %d business days in and %d uploads on their way, the worker,\n"+
		"process %d, was killed with SIGKILL. It is started again, as a supervisor does; nothing may be lost or doubled.\n", done, days, uploads, pid)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.saved.Killed = true
	return d.folder.save(d.saved)
}
