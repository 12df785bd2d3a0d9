package workflows

import (
	"errors"
	"fmt"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// handle registers the query and the Updates. A refused Update leaves no trace
// in the history; an accepted one is journalled with who and why.
func (b *backfill) handle(ctx workflow.Context) error {
	steer := func(name string, check func() error, act func(work.SteerInput)) error {
		return workflow.SetUpdateHandlerWithOptions(ctx, name,
			func(ctx workflow.Context, raw converter.RawValue) (work.ActResult, error) {
				var in work.SteerInput
				if err := decode(raw, &in); err != nil {
					return work.ActResult{}, err
				}
				act(in)
				return b.journal(ctx, name, in)
			},
			workflow.UpdateHandlerOptions{Validator: func(raw converter.RawValue) error {
				if err := decode(raw, &work.SteerInput{}); err != nil {
					return err
				}
				if b.cancelled != nil {
					return b.refuse("it is already cancelled")
				}
				return check()
			}})
	}
	return errors.Join(
		workflow.SetQueryHandlerWithOptions(ctx, work.QueryProgress,
			func() (work.BackfillProgress, error) { return b.progress, nil },
			workflow.QueryHandlerOptions{Description: "How far the backfill is."}),
		steer(work.UpdatePause, b.onlyIf(false, "it is already paused"), func(work.SteerInput) { b.progress.Paused = true }),
		steer(work.UpdateResume, b.onlyIf(true, "it is not paused"), func(work.SteerInput) { b.progress.Paused = false }),
		steer(work.UpdateCancel, func() error { return nil }, func(in work.SteerInput) { b.cancelled = &in }),
	)
}

func (b *backfill) onlyIf(paused bool, otherwise string) func() error {
	return func() error {
		if b.progress.Paused != paused {
			return b.refuse(otherwise)
		}
		return nil
	}
}

func (b *backfill) refuse(why string) error {
	return typed(b.in.Connection, work.Err(work.BadInput, why))
}

func (b *backfill) journal(ctx workflow.Context, act string, in work.SteerInput) (work.ActResult, error) {
	journalling := withActivities(ctx, b.in.Connection, personPriority, actTimeout, actAttempts, act)
	err := workflow.ExecuteActivity(journalling, actJournalBackfill, work.BackfillAct{
		Connection: b.in.Connection, Act: act, By: in.By, Reason: in.Reason, Note: in.Note,
	}).Get(ctx, nil)
	if err != nil {
		return work.ActResult{}, typed(b.in.Connection, err)
	}
	words := map[string]string{
		work.UpdatePause: "pauses after the step under way", work.UpdateResume: "goes on", work.UpdateCancel: "ends after the step under way",
	}
	return work.ActResult{Summary: fmt.Sprintf("The backfill of %s %s.", b.in.Connection, words[act]), Changed: 1}, nil
}
