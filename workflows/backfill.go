package workflows

import (
	"errors"
	"fmt"
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

// Backfill brings in the business days before a connection, one after the
// other. Updates pause, resume and cancel it; the query progress tells how far
// it is.
func Backfill(ctx workflow.Context, raw converter.RawValue) (work.BackfillResult, error) {
	b := backfill{}
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
	doneHere  int
	sickFor   time.Duration // how long it has waited in a row for the sick
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
	for b.progress.Done < b.progress.Days && b.cancelled == nil {
		if err := b.work(ctx, b.progress.Next); err != nil {
			return work.BackfillResult{}, err
		}
		if b.cancelled != nil {
			break
		}
		b.advance()
		if b.progress.Done < b.progress.Days && b.tired(ctx) {
			return work.BackfillResult{}, b.continueAsNew(ctx)
		}
	}
	if b.cancelled == nil {
		// What single days could not send: documents that wait for another try,
		// or whose receipt is dated on another day than the order was opened.
		if err := b.work(ctx, ""); err != nil {
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
		Days: plan.Days, From: plan.From, To: plan.To, OldestFirst: plan.OldestFirst, Next: plan.To,
		Paused: b.progress.Paused,
	}
	if plan.OldestFirst {
		b.progress.Next = plan.From
	}
	return nil
}

// work does one business day, or with no day what others left behind, in as
// many steps as it takes.
func (b *backfill) work(ctx workflow.Context, day string) error {
	var cursor work.SyncCursor
	for rests := 0; ; {
		if err := b.mayGoOn(ctx); err != nil || b.cancelled != nil {
			return err
		}
		b.show(ctx, "")
		var step work.StepResult
		stepping := withActivities(ctx, b.in.Connection, historyPriority, stepTimeout, stepAttempts, day)
		err := workflow.ExecuteActivity(stepping, actBackfillDay, work.BackfillDayInput{
			Connection: b.in.Connection, Day: day, Cursor: cursor, Run: workflow.GetInfo(ctx).WorkflowExecution.RunID,
		}).Get(ctx, &step)
		if err != nil {
			if err := b.nurse(ctx, err); err != nil {
				return err
			}
			continue
		}
		b.sickFor = 0
		cursor = step.Cursor
		b.progress.Counts = b.progress.Counts.Plus(step.Counts)
		if !step.More {
			return nil
		}
		if day == "" && step.Rest > 0 && step.Counts.Sent == 0 {
			if rests++; rests > sweeps {
				return nil
			}
		}
		if err := b.rest(ctx, step.Rest, step.Why); err != nil {
			return err
		}
	}
}

// nurse waits for a till or partner that is sick; any other failure, or one
// that lasts, ends the backfill.
func (b *backfill) nurse(ctx workflow.Context, err error) error {
	code, _ := explain(b.in.Connection, err)
	problem := work.Problems[code]
	if temporal.IsCanceledError(err) || (problem.Kind != work.Transient && problem.Kind != work.Limited) || b.sickFor >= sickLimit {
		return err
	}
	pause := min(max(b.sickFor, sickFirst), sickMost)
	b.sickFor += pause
	return b.rest(ctx, pause, problem.Title)
}

// rest sleeps durably, and wakes early when a person steers.
func (b *backfill) rest(ctx workflow.Context, d time.Duration, why string) error {
	if d <= 0 {
		return nil
	}
	b.show(ctx, why)
	_, err := workflow.AwaitWithTimeout(ctx, d, func() bool { return b.cancelled != nil || b.progress.Paused })
	b.show(ctx, "")
	return err
}

// mayGoOn waits while the backfill is paused.
func (b *backfill) mayGoOn(ctx workflow.Context) error {
	if !b.progress.Paused {
		return nil
	}
	b.show(ctx, "paused by a person")
	err := workflow.Await(ctx, func() bool { return !b.progress.Paused || b.cancelled != nil })
	b.show(ctx, "")
	return err
}

// advance goes to the next business day.
func (b *backfill) advance() {
	b.progress.Done++
	b.doneHere++
	step := -1
	if b.progress.OldestFirst {
		step = 1
	}
	if day, err := sale.ParseDay(b.progress.Next); err == nil {
		b.progress.Next = day.Plus(step).String()
	}
	if b.progress.Done == b.progress.Days {
		b.progress.Next = ""
	}
}

func (b *backfill) tired(ctx workflow.Context) bool {
	return b.doneHere >= daysPerRun || workflow.GetInfo(ctx).GetContinueAsNewSuggested()
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
		Cancelled: b.cancelled != nil, Counts: b.progress.Counts,
	}).Get(ctx, &ended)
	if err != nil {
		return work.BackfillResult{}, err
	}
	summary := fmt.Sprintf("%s %d of %d business days. %s", ended.Summary, b.progress.Done, b.progress.Days, b.progress.Counts.Outcome())
	workflow.SetCurrentDetails(ctx, summary)
	return work.BackfillResult{Summary: summary, Progress: b.progress}, nil
}

// show tells people where it is: by query, and on the run's page.
func (b *backfill) show(ctx workflow.Context, waiting string) {
	b.progress.Waiting = waiting
	p := b.progress
	order := "newest first"
	if p.OldestFirst {
		order = "oldest first"
	}
	text := fmt.Sprintf("**%d of %d** business days, %s to %s, %s.", p.Done, p.Days, p.From, p.To, order)
	if p.Next != "" {
		text += " Next: " + p.Next + "."
	}
	text += "\n\n" + p.Counts.Outcome()
	if waiting != "" {
		text += "\n\n**Waiting:** " + waiting + "."
	}
	workflow.SetCurrentDetails(ctx, text)
}
