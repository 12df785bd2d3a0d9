package workflows_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

var backfillInput = work.BackfillInput{Connection: connection, By: "marie", Note: "first history"}

// history plays a partner: it notes which days were worked on.
type history struct {
	*stage
	mu   sync.Mutex // days are worked on side by side
	days []string
	step func(in work.BackfillDayInput) (work.StepResult, error)
	ends []work.BackfillEnd

	accepted int
	refusals []string
}

func newHistory(t *testing.T, plan work.BackfillPlan) *history {
	t.Helper()
	h := &history{stage: newStage(t, "backfill:"+connection)}
	h.OnActivity("PlanBackfill", anything, anything).Return(plan, nil).Maybe()
	h.OnActivity("BackfillDay", anything, anything).Return(func(_ context.Context, in work.BackfillDayInput) (work.StepResult, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.days = append(h.days, in.Day)
		if h.step == nil {
			return work.StepResult{Counts: work.Counts{Orders: 10, Sent: 10}}, nil
		}
		return h.step(in)
	}).Maybe()
	h.OnActivity("FinishBackfill", anything, anything).Return(func(_ context.Context, in work.BackfillEnd) (work.ActResult, error) {
		h.ends = append(h.ends, in)
		return work.ActResult{Summary: "The history is in."}, nil
	}).Maybe()
	return h
}

func (h *history) progress() work.BackfillProgress {
	h.t.Helper()
	value, err := h.QueryWorkflow(work.QueryProgress)
	require.NoError(h.t, err)
	var p work.BackfillProgress
	require.NoError(h.t, value.Get(&p))
	return p
}

// steer sends an Update; refusals collects those that were refused.
func (h *history) steer(name string, in any) {
	h.UpdateWorkflow(name, "", &updates{h}, in)
}

type updates struct{ h *history }

func (u *updates) Accept()          { u.h.accepted++ }
func (u *updates) Reject(err error) { u.h.refusals = append(u.h.refusals, err.Error()) }
func (u *updates) Complete(_ any, err error) {
	require.NoError(u.h.t, err)
}

var byMarie = work.SteerInput{By: "marie", Reason: "venue_asked", Note: "busy evening"}

func threeDays(oldestFirst bool) work.BackfillPlan {
	return work.BackfillPlan{From: "2026-10-31", To: "2026-11-02", Days: 3, OldestFirst: oldestFirst}
}

func TestBackfillGoesNewestFirstUnlessTold(t *testing.T) {
	for oldestFirst, want := range map[bool][]string{
		false: {"2026-11-02", "2026-11-01", "2026-10-31", ""},
		true:  {"2026-10-31", "2026-11-01", "2026-11-02", ""},
	} {
		h := newHistory(t, threeDays(oldestFirst))
		h.ExecuteWorkflow(work.Backfill, backfillInput)
		var result work.BackfillResult
		require.NoError(t, h.GetWorkflowResult(&result))
		require.Equal(t, want, h.days)
		require.Equal(t, 3, result.Progress.Done)
		require.Equal(t, []work.BackfillEnd{{Connection: connection, From: "2026-10-31", To: "2026-11-02", Counts: result.Progress.Counts}}, h.ends)
	}
}

// The partner's window closes in the middle: the backfill sleeps durably until
// 08:00 UTC and goes on where it was, with the day already pulled.
func TestBackfillSleepsUntilTheWindowOpens(t *testing.T) {
	h := newHistory(t, threeDays(false))
	h.SetStartTime(time.Date(2026, 11, 5, 14, 50, 0, 0, time.UTC))
	opens := time.Date(2026, 11, 6, 8, 0, 0, 0, time.UTC)
	closes := time.Date(2026, 11, 5, 15, 0, 0, 0, time.UTC)
	var sentAt []time.Time
	h.step = func(in work.BackfillDayInput) (work.StepResult, error) {
		now := h.Now()
		if now.Before(closes) || !now.Before(opens) {
			sentAt = append(sentAt, now)
			if len(sentAt) == 1 { // the first day ends as the window closes
				return work.StepResult{More: true, Rest: closes.Sub(now), Why: "slow", Cursor: work.SyncCursor{Pulled: true}}, nil
			}
			return work.StepResult{Counts: work.Counts{Sent: 5}}, nil
		}
		require.True(t, in.Cursor.Pulled)
		return work.StepResult{
			More: true, Rest: opens.Sub(now), Cursor: in.Cursor,
			Why: "7shifts takes history only between 08:00 and 15:00 UTC",
		}, nil
	}
	h.RegisterDelayedCallback(func() {
		p := h.progress()
		require.Contains(t, p.Waiting, "08:00", "the UI says what it waits for")
		require.Equal(t, "2026-11-02", p.Next)
	}, 10*time.Hour)
	h.ExecuteWorkflow(work.Backfill, backfillInput)
	require.NoError(t, h.GetWorkflowError())
	require.Empty(t, h.progress().Waiting)
	require.Len(t, sentAt, 5)
	for _, at := range sentAt[1:] {
		require.False(t, at.Before(opens), "nothing was sent while the window was closed")
	}
}

func TestBackfillPausesResumesAndJournalsIt(t *testing.T) {
	h := newHistory(t, threeDays(false))
	h.step = func(work.BackfillDayInput) (work.StepResult, error) {
		if len(h.days) == 1 {
			return work.StepResult{More: true, Rest: time.Hour, Why: "resting"}, nil
		}
		return work.StepResult{}, nil
	}
	var journal []work.BackfillAct
	h.OnActivity("JournalBackfill", anything, anything).Return(func(_ context.Context, in work.BackfillAct) (work.ActResult, error) {
		journal = append(journal, in)
		return work.ActResult{}, nil
	})
	h.RegisterDelayedCallback(func() {
		h.steer(work.UpdatePause, byMarie)
	}, time.Minute)
	h.RegisterDelayedCallback(func() {
		h.steer(work.UpdatePause, byMarie)
		require.True(t, h.progress().Paused)
		require.Equal(t, "paused by a person", h.progress().Waiting)
		require.Len(t, h.days, 1, "a pause wakes the rest but does not work")
	}, 48*time.Hour)
	h.RegisterDelayedCallback(func() {
		h.steer(work.UpdateResume, map[string]string{"by": "marie", "reason": "test"})
		h.steer(work.UpdateResume, map[string]string{"by": "marie", "reason": "because", "note": "x"})
		h.steer(work.UpdateResume, map[string]string{"by": "m@x.ca", "reason": "test", "note": "x"})
		h.steer(work.UpdateResume, byMarie)
	}, 49*time.Hour)
	h.ExecuteWorkflow(work.Backfill, backfillInput)
	require.NoError(t, h.GetWorkflowError())
	require.Equal(t, []string{"2026-11-02", "2026-11-02", "2026-11-01", "2026-10-31", ""}, h.days)
	require.Equal(t, 2, h.accepted)
	require.Len(t, h.refusals, 4)
	for i, why := range []string{"already paused", `"note" is missing`, `"reason"`, `"by"`} {
		require.Contains(t, h.refusals[i], why)
	}
	require.Equal(t, []work.BackfillAct{
		{Connection: connection, Act: "pause", By: "marie", Reason: "venue_asked", Note: "busy evening"},
		{Connection: connection, Act: "resume", By: "marie", Reason: "venue_asked", Note: "busy evening"},
	}, journal)
}

func TestBackfillIsCancelledAlsoWhilePaused(t *testing.T) {
	h := newHistory(t, threeDays(false))
	h.step = func(work.BackfillDayInput) (work.StepResult, error) {
		return work.StepResult{More: true, Rest: time.Hour, Why: "resting"}, nil
	}
	h.OnActivity("JournalBackfill", anything, anything).Return(work.ActResult{}, nil)
	h.RegisterDelayedCallback(func() { h.steer(work.UpdatePause, byMarie) }, time.Minute)
	h.RegisterDelayedCallback(func() { h.steer(work.UpdateCancel, byMarie) }, time.Hour)
	h.ExecuteWorkflow(work.Backfill, backfillInput)
	require.NoError(t, h.GetWorkflowError())
	require.Len(t, h.ends, 1)
	require.True(t, h.ends[0].Cancelled)
	require.Len(t, h.days, 1)
}

func TestBackfillContinuesAsNewAndThereGoesOn(t *testing.T) {
	plan := work.BackfillPlan{From: "2026-08-04", To: "2026-11-01", Days: 90}
	var all []string
	var input any = backfillInput
	for range 3 {
		h := newHistory(t, plan)
		if len(all) > 0 {
			h.SetContinuedExecutionRunID("the-run-before")
		}
		h.ExecuteWorkflow(work.Backfill, input)
		all = append(all, h.days...)
		next, ok := errors.AsType[*workflow.ContinueAsNewError](h.GetWorkflowError())
		if !ok {
			require.NoError(t, h.GetWorkflowError())
			break
		}
		require.Equal(t, work.Backfill, next.WorkflowType.Name)
		var in work.BackfillInput
		require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
		require.Equal(t, in.Progress.Counts.Sent, 10*len(all))
		input = in
	}
	require.Len(t, all, 91)
	require.Empty(t, all[90])
	days := slices.Compact(slices.Sorted(slices.Values(all[:90])))
	require.Len(t, days, 90, "every day once")
	require.Equal(t, []string{"2026-08-04", "2026-11-01"}, []string{days[0], days[89]})
}

func TestBackfillWaitsForASickPartnerAndFailsWhenRefused(t *testing.T) {
	h := newHistory(t, threeDays(false))
	h.OnActivity("RecordFailure", anything, anything).Return(work.Failing, nil).Once()
	sickUntil := h.Now().Add(3 * time.Hour)
	h.step = func(in work.BackfillDayInput) (work.StepResult, error) {
		switch {
		case h.Now().Before(sickUntil):
			return work.StepResult{}, problem(work.PartnerUnreachable)
		case in.Day == "2026-10-31":
			return work.StepResult{}, problem(work.PartnerToken)
		}
		return work.StepResult{}, nil
	}
	h.RegisterDelayedCallback(func() {
		require.Contains(t, h.progress().Waiting, "did not answer")
	}, 2*time.Hour)
	h.ExecuteWorkflow(work.Backfill, backfillInput)
	failure := h.failure()
	require.Equal(t, string(work.PartnerToken), failure.Type())
	require.Empty(t, h.ends, "a failed backfill is not done")
	require.Equal(t, 2, h.progress().Done)
	h.AssertExpectations(t)
}

// Documents that wait for ever do not keep the backfill open: the sync runs go
// on with them.
func TestBackfillLeavesTheLastStubbornDocumentsToTheSyncRuns(t *testing.T) {
	h := newHistory(t, threeDays(false))
	h.step = func(in work.BackfillDayInput) (work.StepResult, error) {
		if in.Day == "" {
			return work.StepResult{More: true, Rest: 30 * time.Second, Why: "1 documents wait for another try", Counts: work.Counts{Waiting: 1}}, nil
		}
		return work.StepResult{}, nil
	}
	h.ExecuteWorkflow(work.Backfill, backfillInput)
	var result work.BackfillResult
	require.NoError(t, h.GetWorkflowResult(&result))
	require.Contains(t, result.Summary, "1 still to be sent")
}

func TestBackfillTakesOnlyItsOwnID(t *testing.T) {
	s := newStage(t, "backfill:7shifts:other")
	s.ExecuteWorkflow(work.Backfill, backfillInput)
	failure := s.failure()
	require.Equal(t, string(work.WrongWorkflowID), failure.Type())
	require.Contains(t, failure.Message(), "backfill:"+connection)
}

// A cancellation from the UI's button is no failure of the connection.
func TestCancelledRunIsCancelled(t *testing.T) {
	h := newHistory(t, threeDays(false))
	h.step = func(work.BackfillDayInput) (work.StepResult, error) {
		return work.StepResult{More: true, Rest: time.Hour}, nil
	}
	h.RegisterDelayedCallback(h.CancelWorkflow, time.Minute)
	h.ExecuteWorkflow(work.Backfill, backfillInput)
	require.True(t, temporal.IsCanceledError(h.GetWorkflowError()), "%v", h.GetWorkflowError())
}

// Days are worked on side by side, never more than the plan says, and each is
// done once.
func TestDaysGoSideBySide(t *testing.T) {
	plan := work.BackfillPlan{From: "2026-10-01", To: "2026-10-12", Days: 12, AtOnce: 3, Skip: []string{"2026-10-05"}}
	h := newHistory(t, plan)
	resting, most := map[string]bool{}, 0
	h.step = func(in work.BackfillDayInput) (work.StepResult, error) {
		if in.Day == "" {
			return work.StepResult{}, nil
		}
		if resting[in.Day] {
			delete(resting, in.Day)
			return work.StepResult{Counts: work.Counts{Sent: 1}}, nil
		}
		resting[in.Day] = true
		most = max(most, len(resting))
		return work.StepResult{More: true, Rest: time.Minute, Why: "slow down"}, nil
	}
	h.ExecuteWorkflow(work.Backfill, backfillInput)
	var result work.BackfillResult
	require.NoError(t, h.GetWorkflowResult(&result))
	require.Equal(t, 3, most)
	require.Equal(t, 12, result.Progress.Done)
	require.Equal(t, 11, result.Progress.Counts.Sent, "a day that is in already is passed over")
	require.NotContains(t, h.days, "2026-10-05")
}

// A day that fails for good ends the backfill; days beside it end their step.
func TestADayThatFailsEndsTheBackfill(t *testing.T) {
	h := newHistory(t, work.BackfillPlan{From: "2026-10-01", To: "2026-10-12", Days: 12, AtOnce: 2})
	h.OnActivity("RecordFailure", anything, anything).Return(work.Failing, nil).Once()
	h.OnUpsertTypedSearchAttributes(anything).Return(nil)
	h.step = func(in work.BackfillDayInput) (work.StepResult, error) {
		if in.Day == "2026-10-11" {
			return work.StepResult{}, problem(work.PartnerToken)
		}
		return work.StepResult{More: true, Rest: time.Hour, Why: "slow down"}, nil
	}
	h.ExecuteWorkflow(work.Backfill, backfillInput)
	require.Equal(t, string(work.PartnerToken), h.failure().Type())
	require.Len(t, h.days, 2, "no further day was begun")
	require.Empty(t, h.ends)
}

func TestADryRunTellsWhatWouldBeSent(t *testing.T) {
	h := newHistory(t, threeDays(false))
	h.step = func(in work.BackfillDayInput) (work.StepResult, error) {
		require.True(t, in.DryRun)
		return work.StepResult{Counts: work.Counts{Orders: 100, Changed: 99}}, nil
	}
	in := backfillInput
	in.DryRun = true
	h.ExecuteWorkflow(work.Backfill, in)
	var result work.BackfillResult
	require.NoError(t, h.GetWorkflowResult(&result))
	require.Contains(t, result.Summary, "300 orders read; 297 documents would be sent.")
	require.NotContains(t, h.days, "", "nothing is left to sweep")
}
