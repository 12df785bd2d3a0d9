package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// historyVenues bring in their history side by side, each with a Backfill of
	// its own.
	historyVenues = 4
	// historyDays hold the orders of a full run: 250 a day and venue, which is a
	// busy house.
	historyDays = 20
	// daysAtOnce and linesAtOnce are the program's defaults.
	daysAtOnce  = 3
	linesAtOnce = 500
	// leastOfBackfill is the bound (issue 4).
	leastOfBackfill = 0.6
)

// backfill measures receipts and lines per second through Backfill workflows up
// to sent, beside a bare loop of the same shape.
func backfill(ctx context.Context, r *rig) ([]result, error) {
	w, err := r.worker(0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.stop() }()
	var all []result
	for _, to := range []struct{ partner, name, unit string }{
		{work.SevenShifts, "7shifts", "receipts/s"}, {work.Wisk, "WISK", "lines/s"},
	} {
		b := backfilling{rig: r, partner: to.partner}
		if err := b.measure(ctx); err != nil {
			return nil, err
		}
		what := "backfill to " + to.name
		all = append(all,
			shown(what+": Backfill workflows, to sent", median(b.ours), to.unit),
			shown(what+": bare loop of the same shape", median(b.theirs), to.unit),
			shown(what+": the simulated partner's own ceiling", b.ceiling.rate(), to.unit),
			atLeast(what+": beside the bare loop", median(b.ratios), leastOfBackfill),
			shown(what+": Temporal actions per 1,000 receipts", b.cost.perThousand(), "actions"),
			shown(what+": from the start to the first synced day", median(b.first), "s"),
		)
	}
	return all, nil
}

// backfilling is what was measured of one partner.
type backfilling struct {
	*rig
	partner              string
	ours, theirs, ratios []float64
	first                []float64 // seconds to the first synced day, by backfill
	ceiling              took
	cost                 counted
}

func (b *backfilling) scene(name string) scene {
	return scene{
		Name: b.partner + "-" + name, Venues: historyVenues, Orders: b.o.receipts,
		Partner: b.partner, Days: min(historyDays, max(b.o.receipts/historyVenues, 1)),
	}
}

func (b *backfilling) measure(ctx context.Context) (err error) {
	for pair := range b.o.pairs {
		var one, other took
		steps := []func() error{
			func() (err error) {
				one, err = b.bringIn(ctx, b.scene(fmt.Sprintf("ours%d", pair)))
				return err
			},
			func() (err error) {
				other, err = b.computed(ctx, roleBareBackfill, b.scene(fmt.Sprintf("bare%d", pair)))
				return err
			},
		}
		if pair%2 == 1 { // whatever one leaves behind for the other
			slices.Reverse(steps)
		}
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
		}
		b.say("  %s, pair %d: %.0f/s, bare loop %.0f/s", b.partner, pair+1, one.rate(), other.rate())
		b.ours, b.theirs = append(b.ours, one.rate()), append(b.theirs, other.rate())
		b.ratios = append(b.ratios, one.rate()/other.rate())
	}
	b.ceiling, err = b.computed(ctx, roleCeiling, b.scene("ceiling"))
	return err
}

// bringIn plays a scene and brings its history in.
func (b *backfilling) bringIn(ctx context.Context, s scene) (took, error) {
	if err := b.play(ctx, s); err != nil {
		return took{}, err
	}
	begun, real := b.calendar.Now(), time.Now()
	runs, err := b.bringInAll(ctx, s)
	if err != nil {
		return took{}, err
	}
	done := took{s.Orders, time.Since(real)}
	if s.partner() == work.Wisk {
		done.N = s.lines()
	}
	if err := b.sims.check(ctx, s); err != nil {
		return took{}, err
	}
	for _, run := range runs {
		if err := b.cost.add(ctx, b.temporal, run.GetID(), run.GetRunID(), startedByPerson); err != nil {
			return took{}, err
		}
	}
	b.cost.receipts += s.Orders
	first, err := b.firstDays(ctx, s, begun)
	b.first = append(b.first, first...)
	if err != nil {
		return took{}, err
	}
	return done, b.sentInLedger(ctx, s)
}

// bringInAll runs the Backfill of every venue to its end, all at once.
func (r *rig) bringInAll(ctx context.Context, s scene) ([]client.WorkflowRun, error) {
	runs := make([]client.WorkflowRun, s.Venues)
	return runs, s.each(func(i int, v venue) (err error) {
		if runs[i], err = r.startBackfill(ctx, v); err != nil {
			return err
		}
		var result work.BackfillResult
		if err := runs[i].Get(ctx, &result); err != nil {
			return err
		}
		if result.Progress.Counts.Sent != s.of(i) {
			return fmt.Errorf("the backfill of %s sent %d of %d: %s", v.id(), result.Progress.Counts.Sent, s.of(i), result.Summary)
		}
		return nil
	})
}

func (r *rig) startBackfill(ctx context.Context, v venue) (client.WorkflowRun, error) {
	return r.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: work.BackfillID(v.connection()), TaskQueue: work.TaskQueue,
	}, work.Backfill, work.BackfillInput{Connection: v.connection(), By: "bench", Note: "a measurement"})
}

// firstDays are the seconds from the start of each venue's backfill to the
// moment when the first business day of it was sent whole.
func (r *rig) firstDays(ctx context.Context, s scene, begun time.Time) ([]float64, error) {
	var first []float64
	for _, v := range s.venues() {
		var at time.Time
		if err := r.store.DB().GetContext(ctx, &at, `
			SELECT min(last) FROM (
				SELECT max(sent_at) AS last FROM documents WHERE connection = $1 GROUP BY day HAVING NOT bool_or(due)
			) days`, v.connection()); err != nil {
			return first, err
		}
		first = append(first, seconds(at.Sub(begun)))
	}
	return first, nil
}
