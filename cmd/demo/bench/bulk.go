package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// What all that is compared has in common.
const (
	// venues share the receipts: no venue sells 20,000 meals a day, and the
	// simulated till searches all its orders for every page. atOnce of them are
	// synced at a time, by all that is compared.
	venues = 8
	atOnce = 4
	// pageSize is the program's default; inFlight requests of each venue make 8
	// in all, which is the program's default for one.
	pageSize = 200
	inFlight = 2
	// naiveShare is the part of the receipts that the naive design delivers:
	// its rate does not depend on their number, and it is slow.
	naiveShare = 10
)

// Bounds (issue 3, point 6).
const (
	leastOfBare        = 0.5
	leastTimesNaive    = 10
	mostActions        = 10 // per 1,000 receipts
	mostIdleEvents     = 11
	perThousand        = 1000
	idleRunsDocumented = "version markers not counted"
)

// bulk measures receipts per second through pull, ledger and delivery up to
// sent, beside the bare loop and the naive design, and what it costs Temporal.
func bulk(ctx context.Context, r *rig) ([]result, error) {
	w, err := r.worker(0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.stop() }()
	var ours, theirs, naive, ratios, times []float64
	var cost counted
	for pair := range r.o.pairs {
		var one, other, third took
		steps := []func() error{
			func() (err error) {
				one, err = r.ours(ctx, scene{Name: fmt.Sprintf("ours%d", pair), Venues: venues, Orders: r.o.receipts}, &cost)
				return err
			},
			func() (err error) {
				other, err = r.computed(ctx, roleBare, scene{Name: fmt.Sprintf("bare%d", pair), Venues: venues, Orders: r.o.receipts})
				return err
			},
		}
		if pair%2 == 1 { // whatever one leaves behind for the other
			slices.Reverse(steps)
		}
		steps = append(steps, func() (err error) {
			third, err = r.naive(ctx, scene{Name: fmt.Sprintf("naive%d", pair), Venues: atOnce, Orders: max(r.o.receipts/naiveShare, venues)})
			return err
		})
		for _, step := range steps {
			if err := step(); err != nil {
				return nil, err
			}
		}
		r.say("  pair %d: %.0f receipts/s, bare loop %.0f/s, naive design %.0f/s", pair+1, one.rate(), other.rate(), third.rate())
		ours, theirs, naive = append(ours, one.rate()), append(theirs, other.rate()), append(naive, third.rate())
		ratios, times = append(ratios, one.rate()/other.rate()), append(times, one.rate()/third.rate())
	}
	top, err := r.computed(ctx, roleCeiling, scene{Name: "ceiling", Venues: venues, Orders: r.o.receipts})
	if err != nil {
		return nil, err
	}
	idle, err := r.idleEvents(ctx)
	if err != nil {
		return nil, err
	}
	return []result{
		shown("bulk: receipts through pull, ledger and delivery to sent", median(ours), "receipts/s"),
		shown("bulk: bare loop, no ledger and no Temporal", median(theirs), "receipts/s"),
		shown("bulk: naive design, one activity per receipt", median(naive), "receipts/s"),
		shown("bulk: the simulated 7shifts' own ceiling", top.rate(), "receipts/s"),
		atLeast("bulk: beside the bare loop", median(ratios), leastOfBare),
		atLeast("bulk: beside the naive design", median(times), leastTimesNaive),
		atMost("bulk: Temporal actions per 1,000 receipts", cost.perThousand(), "actions", mostActions),
		atMost("idle: history events of a sync run, "+idleRunsDocumented, float64(idle), "events", mostIdleEvents),
	}, nil
}

// each does something for every venue of a scene, atOnce at a time.
func (s scene) each(f func(i int, v venue) error) error {
	all := s.venues()
	return inParallel(len(all), atOnce, func(i int) error { return f(i, all[i]) })
}

// inParallel does something for 0 to n-1, several at a time. After an error no
// more is begun where it happened.
func inParallel(n, several int, f func(i int) error) error {
	var next atomic.Int64
	errs := make(chan error, several)
	for range several {
		go func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := f(i); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	var err error
	for range several {
		err = errors.Join(err, <-errs)
	}
	return err
}

// ours delivers a scene with LocationSync runs in the worker's process.
func (r *rig) ours(ctx context.Context, s scene, cost *counted) (took, error) {
	if err := r.play(ctx, s); err != nil {
		return took{}, err
	}
	var mu sync.Mutex
	var runs []client.WorkflowRun
	begun := time.Now()
	err := s.each(func(i int, v venue) error {
		for sent := 0; sent < s.of(i); {
			run, result, err := r.sync(ctx, v)
			if err != nil {
				return err
			}
			if result.Counts.Sent == 0 {
				return fmt.Errorf("a run of %s sent nothing: %s", v.id(), result.Summary)
			}
			sent += result.Counts.Sent
			mu.Lock()
			runs = append(runs, run)
			mu.Unlock()
		}
		return nil
	})
	if err != nil {
		return took{}, err
	}
	real := time.Since(begun)
	if err := r.sims.check(ctx, s); err != nil {
		return took{}, err
	}
	for _, run := range runs {
		if err := cost.add(ctx, r.temporal, run.GetID(), run.GetRunID(), startedBySchedule); err != nil {
			return took{}, err
		}
	}
	cost.receipts += s.Orders
	return took{s.Orders, real}, r.sentInLedger(ctx, s)
}

// sync runs one LocationSync to its end.
func (r *rig) sync(ctx context.Context, v venue) (client.WorkflowRun, work.SyncResult, error) {
	var result work.SyncResult
	run, err := r.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: work.SyncScheduleID(v.connection()), TaskQueue: work.TaskQueue,
	}, work.LocationSync, work.SyncInput{Connection: v.connection()})
	if err == nil {
		err = run.Get(ctx, &result)
	}
	return run, result, err
}

// sentInLedger compares with what the ledger says.
func (r *rig) sentInLedger(ctx context.Context, s scene) error {
	for i, v := range s.venues() {
		b, err := r.store.Backlog(ctx, v.connection())
		if err != nil {
			return err
		}
		if b.Sent != s.of(i) || b.Wanted != 0 || b.Total != s.of(i) {
			return fmt.Errorf("the ledger of %s says %d sent of %d; want %d", v.id(), b.Sent, b.Total, s.of(i))
		}
	}
	return nil
}

// computed runs a child that measures itself on a scene.
func (r *rig) computed(ctx context.Context, role string, s scene) (took, error) {
	text, err := r.task(s)
	if err != nil {
		return took{}, err
	}
	if err := r.sims.tell(ctx, "/scene", s, nil); err != nil {
		return took{}, err
	}
	var done took
	if err := compute(ctx, r.environ(), r.log, &done, role, text); err != nil {
		return took{}, err
	}
	err = r.sims.check(ctx, s)
	return done, err
}

// naive delivers a scene with the naive design, in a worker process of its own.
func (r *rig) naive(ctx context.Context, s scene) (took, error) {
	if err := r.sims.tell(ctx, "/scene", s, nil); err != nil {
		return took{}, err
	}
	text, err := r.task(s)
	if err != nil {
		return took{}, err
	}
	address, _ := strings.CutPrefix(r.setting("TEMPORAL_ADDRESS"), "TEMPORAL_ADDRESS=")
	w, err := serve(r.environ(), r.log, roleNaive, text, address)
	if err != nil {
		return took{}, err
	}
	defer func() { _ = w.stop() }()
	begun := time.Now()
	var all atomic.Int64
	err = s.each(func(i int, v venue) error {
		sent := 0
		run, err := r.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "naive:" + v.id(), TaskQueue: naiveQueue}, naiveWorkflow, naiveInput{Venue: i})
		if err == nil {
			err = run.Get(ctx, &sent)
		}
		all.Add(int64(sent))
		return err
	})
	real := time.Since(begun)
	if err != nil {
		return took{}, err
	}
	err = r.sims.check(ctx, s)
	return took{int(all.Load()), real}, err
}

// setting is the line of a setting.
func (r *rig) setting(name string) string {
	for _, line := range r.settings {
		if strings.HasPrefix(line, name+"=") {
			return line
		}
	}
	return ""
}
