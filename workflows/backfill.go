package workflows

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// daysPerRun is how many business days one run does before it continues as
	// new: some ten events each keep the history far from Temporal's limits.
	daysPerRun = 30
	// A partner or till that is sick is waited for from sickFirst, doubling, to
	// sickMost, and given up after sickLimit in a row.
	sickFirst = time.Minute
	sickMost  = 15 * time.Minute
	sickLimit = 24 * time.Hour
	// sweeps is how often the documents are tried that earlier days could not
	// send; after that the sync runs go on with them.
	sweeps = 20
)

// Backfill brings in the business days before a connection, some at a time.
// Updates pause, resume and cancel it; the query progress tells how far it is.
func Backfill(ctx workflow.Context, raw converter.RawValue) (work.BackfillResult, error) {
	b := backfill{waits: map[string]string{}}
	if err := b.setup(ctx, raw); err != nil {
		return work.BackfillResult{}, err
	}
	result, err := b.run(ctx)
	if err == nil || workflow.IsContinueAsNewError(err) {
		return result, err
	}
	b.progress.Waiting = ""
	return work.BackfillResult{}, fail(ctx, b.in.Connection, err)
}

type backfill struct {
	in        work.BackfillInput
	progress  work.BackfillProgress
	cancelled *work.SteerInput
	failed    error             // the first day that failed for good
	flying    int               // days that are worked on
	waits     map[string]string // what these wait for, by day
}

func (b *backfill) setup(ctx workflow.Context, raw converter.RawValue) error {
	read := decode
	if continued(ctx) {
		read = decodeLenient
	}
	if err := read(raw, &b.in); err != nil {
		return err
	}
	want := work.BackfillID(b.in.Connection)
	if err := checkID(ctx, workflow.GetInfo(ctx).WorkflowExecution.ID == want, want); err != nil {
		return err
	}
	if b.in.Progress != nil {
		if !continued(ctx) {
			return typed(b.in.Connection, work.Err(work.BadInput, "field \"progress\" is the workflow's own; leave it out"))
		}
		b.progress = *b.in.Progress
	}
	return errors.Join(b.handle(ctx), workflow.UpsertTypedSearchAttributes(ctx, about(b.in.Connection)...))
}

func (b *backfill) run(ctx workflow.Context) (work.BackfillResult, error) {
	if b.progress.Days == 0 {
		if err := b.plan(ctx); err != nil {
			return work.BackfillResult{}, err
		}
	}
	if err := b.days(ctx); err != nil {
		return work.BackfillResult{}, err
	}
	if b.cancelled == nil && len(b.progress.Left) > 0 {
		return work.BackfillResult{}, b.continueAsNew(ctx)
	}
	if b.cancelled == nil && !b.progress.DryRun {
		// What single days could not send: documents that wait for another try,
		// or whose receipt is dated on another day than the order was opened.
		if _, err := b.work(ctx, ""); err != nil {
			return work.BackfillResult{}, err
		}
	}
	return b.finish(ctx)
}

func (b *backfill) plan(ctx workflow.Context) error {
	var plan work.BackfillPlan
	planning := withActivities(ctx, b.in.Connection, historyPriority, actTimeout, actAttempts, "Plan the days")
	if err := workflow.ExecuteActivity(planning, actPlanBackfill, b.in).Get(ctx, &plan); err != nil {
		return err
	}
	b.progress = work.BackfillProgress{
		Days: plan.Days, Done: len(plan.Skip), From: plan.From, To: plan.To, OldestFirst: plan.OldestFirst,
		Paused: b.progress.Paused, DryRun: b.in.DryRun, AtOnce: max(plan.AtOnce, 1), Left: daysOf(plan),
	}
	b.progress.Next = b.next()
	return nil
}

// daysOf lists a plan's days in the order in which they are done.
func daysOf(plan work.BackfillPlan) []string {
	at, step := plan.To, -1
	if plan.OldestFirst {
		at, step = plan.From, 1
	}
	day, err := sale.ParseDay(at)
	var days []string
	for range plan.Days {
		if err == nil && !slices.Contains(plan.Skip, day.String()) {
			days = append(days, day.String())
		}
		day = day.Plus(step)
	}
	return days
}

func (b *backfill) next() string {
	if len(b.progress.Left) == 0 {
		return ""
	}
	return b.progress.Left[0]
}

// days works on this run's share of the days, AtOnce at a time. The first that
// fails for good ends them all.
func (b *backfill) days(ctx workflow.Context) error {
	share := slices.Clone(b.progress.Left[:min(daysPerRun, len(b.progress.Left))])
	free := workflow.NewSemaphore(ctx, int64(max(b.progress.AtOnce, 1)))
	working := workflow.NewWaitGroup(ctx)
	for _, day := range share {
		if err := free.Acquire(ctx, 1); err != nil {
			return err
		}
		if b.cancelled != nil || b.failed != nil {
			break
		}
		working.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer working.Done()
			defer free.Release(1)
			done, err := b.work(ctx, day)
			if err != nil && b.failed == nil {
				b.failed = err
			}
			if done {
				b.advance(ctx, day)
			}
		})
	}
	working.Wait(ctx)
	return b.failed
}

// work does one business day, or with no day what others left behind, in as
// many steps as it takes. It is not done when a person cancels, or another day
// has failed for good.
func (b *backfill) work(ctx workflow.Context, day string) (done bool, err error) {
	b.flying++
	defer func() { b.flying--; delete(b.waits, day) }()
	var cursor work.SyncCursor
	var before work.Counts
	sick := time.Duration(0)
	for rests := 0; ; {
		if err := b.mayGoOn(ctx); err != nil || b.cancelled != nil || b.failed != nil {
			return false, err
		}
		var step work.StepResult
		stepping := withActivities(ctx, b.in.Connection, historyPriority, stepTimeout, stepAttempts, day)
		err := workflow.ExecuteActivity(stepping, actBackfillDay, work.BackfillDayInput{
			Connection: b.in.Connection, Day: day, Cursor: cursor, Run: workflow.GetInfo(ctx).WorkflowExecution.RunID,
			DryRun: b.progress.DryRun, Before: before,
		}).Get(ctx, &step)
		if err != nil {
			if sick, err = b.nurse(ctx, day, sick, err); err != nil {
				return false, err
			}
			continue
		}
		sick, cursor, before = 0, step.Cursor, before.Plus(step.Counts)
		b.progress.Counts = b.progress.Counts.Plus(step.Counts)
		if !step.More {
			return true, nil
		}
		if day == "" && step.Rest > 0 && step.Counts.Sent == 0 {
			if rests++; rests > sweeps {
				return true, nil
			}
		}
		if err := b.rest(ctx, day, step.Rest, step.Why); err != nil {
			return false, err
		}
	}
}

// nurse waits for a till or partner that is sick, and tells for how long it has
// in a row; any other failure, or one that lasts, ends the backfill.
func (b *backfill) nurse(ctx workflow.Context, day string, sick time.Duration, err error) (time.Duration, error) {
	code, _ := explain(b.in.Connection, err)
	problem := work.Problems[code]
	if temporal.IsCanceledError(err) || (problem.Kind != work.Transient && problem.Kind != work.Limited) || sick >= sickLimit {
		return sick, err
	}
	pause := min(max(sick, sickFirst), sickMost)
	return sick + pause, b.rest(ctx, day, pause, problem.Title)
}

// rest sleeps durably, and wakes early when a person steers.
func (b *backfill) rest(ctx workflow.Context, day string, d time.Duration, why string) error {
	if d <= 0 {
		return nil
	}
	b.waits[day] = why
	b.show(ctx)
	_, err := workflow.AwaitWithTimeout(ctx, d, func() bool { return b.cancelled != nil || b.failed != nil || b.progress.Paused })
	delete(b.waits, day)
	b.show(ctx)
	return err
}

// mayGoOn waits while the backfill is paused.
func (b *backfill) mayGoOn(ctx workflow.Context) error {
	b.show(ctx)
	if !b.progress.Paused {
		return nil
	}
	err := workflow.Await(ctx, func() bool { return !b.progress.Paused || b.cancelled != nil })
	b.show(ctx)
	return err
}

// advance notes that a business day is done.
func (b *backfill) advance(ctx workflow.Context, day string) {
	if i := slices.Index(b.progress.Left, day); i >= 0 {
		b.progress.Left = slices.Delete(b.progress.Left, i, i+1)
		b.progress.Done++
		b.progress.Next = b.next()
	}
	b.show(ctx)
}

func (b *backfill) continueAsNew(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return err
	}
	next, progress := b.in, b.progress
	next.Progress = &progress
	return workflow.NewContinueAsNewError(ctx, work.Backfill, next)
}

func (b *backfill) finish(ctx workflow.Context) (work.BackfillResult, error) {
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return work.BackfillResult{}, err
	}
	var ended work.ActResult
	finishing := withActivities(ctx, b.in.Connection, historyPriority, actTimeout, actAttempts, "Finish")
	err := workflow.ExecuteActivity(finishing, actFinishBackfill, work.BackfillEnd{
		Connection: b.in.Connection, From: b.progress.From, To: b.progress.To,
		Cancelled: b.cancelled != nil, DryRun: b.progress.DryRun, Counts: b.progress.Counts,
	}).Get(ctx, &ended)
	if err != nil {
		return work.BackfillResult{}, err
	}
	outcome := b.progress.Counts.Outcome()
	if b.progress.DryRun {
		outcome = b.progress.Counts.WouldBe()
	}
	summary := fmt.Sprintf("%s %d of %d business days. %s", ended.Summary, b.progress.Done, b.progress.Days, outcome)
	workflow.SetCurrentDetails(ctx, summary)
	return work.BackfillResult{Summary: summary, Progress: b.progress}, nil
}

// show tells people where it is: by query, and on the run's page.
func (b *backfill) show(ctx workflow.Context) {
	b.progress.Waiting = b.waiting()
	p := b.progress
	order := "newest first"
	if p.OldestFirst {
		order = "oldest first"
	}
	text := fmt.Sprintf("**%d of %d** business days, %s to %s, %s.", p.Done, p.Days, p.From, p.To, order)
	if p.DryRun {
		text = "**Dry run**: nothing is kept or sent. " + text
	}
	if p.Next != "" {
		text += " Next: " + p.Next + "."
	}
	text += "\n\n" + p.Counts.Outcome()
	if p.Waiting != "" {
		text += "\n\n**Waiting:** " + p.Waiting + "."
	}
	workflow.SetCurrentDetails(ctx, text)
}

// waiting is what a person is told while nothing moves: the reason of the
// earliest day that waits, when all of them do.
func (b *backfill) waiting() string {
	switch {
	case b.progress.Paused:
		return "paused by a person"
	case b.flying == 0 || len(b.waits) < b.flying:
		return ""
	}
	for _, day := range workflow.DeterministicKeys(b.waits) {
		return b.waits[day]
	}
	return ""
}
