package gateway

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

const (
	// triggerWithin bounds one call to Temporal, which answers in milliseconds.
	triggerWithin = 10 * time.Second
	// triggersAtOnce bounds the calls under way when many tills wake together.
	triggersAtOnce = 16
	// triggerTries is how often in a row starting one sync is tried; after that
	// the connection's own schedule does it within minutes.
	triggerTries = 5
)

// debouncer starts a connection's sync at the first hint, and once more at the
// end of every interval in which further hints came, so that the last change is
// never lost. It keeps one goroutine per connection that was hinted at within
// the interval; connections come from the ledger, so their number is bounded.
type debouncer struct {
	every   time.Duration
	trigger Trigger
	counted *counters
	log     *slog.Logger
	slots   chan struct{}
	closing chan struct{}
	running sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	waiting map[string]*interval
}

// interval is the time after a sync was started in which further hints wait.
type interval struct {
	hinted bool
	failed int
}

func newDebouncer(every time.Duration, trigger Trigger, counted *counters, log *slog.Logger) *debouncer {
	return &debouncer{
		every: every, trigger: trigger, counted: counted, log: log,
		slots: make(chan struct{}, triggersAtOnce), closing: make(chan struct{}), waiting: map[string]*interval{},
	}
}

// hint notes that a connection has something to sync; false when closed.
func (d *debouncer) hint(connection string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	if open, ok := d.waiting[connection]; ok {
		open.hinted = true
		return true
	}
	open := &interval{}
	d.waiting[connection] = open
	d.running.Go(func() { d.run(connection, open) })
	return true
}

// run starts syncs for one connection until an interval passes without a hint.
func (d *debouncer) run(connection string, open *interval) {
	for {
		done := d.fire(connection)
		pause := time.NewTimer(d.every)
		select {
		case <-pause.C:
		case <-d.closing:
			pause.Stop()
		}
		if !d.again(connection, open, done) {
			return
		}
	}
}

// again tells whether another sync is owed, and ends the interval when not.
func (d *debouncer) again(connection string, open *interval, done bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if done {
		open.failed = 0
	} else {
		open.failed++
	}
	owed := open.hinted || !done
	if owed && open.failed < triggerTries && !(d.closed && open.failed > 0) {
		open.hinted = false
		return true
	}
	delete(d.waiting, connection)
	return false
}

// fire starts one sync and tells whether that is done with.
func (d *debouncer) fire(connection string) bool {
	d.slots <- struct{}{}
	defer func() { <-d.slots }()
	// Not the request's: it was answered, and its caller may be gone.
	ctx, cancel := context.WithTimeout(context.Background(), triggerWithin)
	defer cancel()
	err := d.trigger.Trigger(ctx, connection)
	switch {
	case errors.Is(err, ErrStands):
		d.counted.triggers.WithLabelValues("stands").Inc()
		d.log.InfoContext(ctx, "a hook started no sync", "connection", connection, "why", err.Error())
		return true
	case err != nil:
		d.counted.triggers.WithLabelValues("failed").Inc()
		d.log.WarnContext(ctx, "a hook could not start a sync", "connection", connection, "problem", err.Error())
		return false
	default:
		d.counted.triggers.WithLabelValues("started").Inc()
		return true
	}
}

// close starts what is owed at once, and ends.
func (d *debouncer) close() {
	d.mu.Lock()
	if !d.closed {
		d.closed = true
		close(d.closing)
	}
	d.mu.Unlock()
	d.running.Wait()
}
