package workflows_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
	"github.com/clustersystems/clusterbridge/workflows"
)

const connection = "7shifts:chez-marcel"

// stage is a test environment in which every activity is known by its name.
type stage struct {
	*testsuite.TestWorkflowEnvironment
	t *testing.T
}

func newStage(t *testing.T, id string) *stage {
	t.Helper()
	suite := testsuite.WorkflowTestSuite{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: id, TaskQueue: work.TaskQueue})
	// Real time without a word from the workflow; skipped time does not count.
	env.SetTestTimeout(30 * time.Second)
	for name, f := range map[string]any{
		"SyncStep":          func(context.Context, work.StepInput) (work.StepResult, error) { return work.StepResult{}, nil },
		"RecordFailure":     func(context.Context, work.Failure) (work.ConnectionState, error) { return "", nil },
		"PlanBackfill":      func(context.Context, work.BackfillInput) (work.BackfillPlan, error) { return work.BackfillPlan{}, nil },
		"BackfillDay":       func(context.Context, work.BackfillDayInput) (work.StepResult, error) { return work.StepResult{}, nil },
		"FinishBackfill":    func(context.Context, work.BackfillEnd) (work.ActResult, error) { return work.ActResult{}, nil },
		"JournalBackfill":   func(context.Context, work.BackfillAct) (work.ActResult, error) { return work.ActResult{}, nil },
		"KeepSchedules":     func(context.Context, work.KeepInput) (work.KeeperResult, error) { return work.KeeperResult{}, nil },
		"ChangeConnection":  func(context.Context, work.ChangeInput) (work.ActResult, error) { return work.ActResult{}, nil },
		"ReleaseQuarantine": func(context.Context, work.QuarantineInput) (work.ActResult, error) { return work.ActResult{}, nil },
		"Resend":            func(context.Context, work.ResendInput) (work.ActResult, error) { return work.ActResult{}, nil },
		"ResolveUncertain":  func(context.Context, work.ResolveInput) (work.ActResult, error) { return work.ActResult{}, nil },
	} {
		env.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
	}
	for name, f := range map[string]any{
		work.LocationSync: workflows.LocationSync, work.Backfill: workflows.Backfill, work.ScheduleKeeper: workflows.ScheduleKeeper,
		work.ChangeConnection: workflows.ChangeConnection, work.ReleaseQuarantine: workflows.ReleaseQuarantine, work.Resend: workflows.Resend,
		work.ResolveUncertain: workflows.ResolveUncertain,
	} {
		env.RegisterWorkflowWithOptions(f, workflow.RegisterOptions{Name: name})
	}
	return &stage{TestWorkflowEnvironment: env, t: t}
}

// problem is an activity's failure as package activities makes it.
func problem(code work.Code) error {
	e := work.Err(code, "")
	return temporal.NewApplicationErrorWithOptions(e.Sentence(connection), string(code),
		temporal.ApplicationErrorOptions{NonRetryable: e.Kind() != work.Transient})
}

// typed like a person would in the UI's form.
func typed(text string) converter.RawValue {
	return converter.NewRawValue(&commonpb.Payload{
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingJSON)}, Data: []byte(text),
	})
}

func (s *stage) failure() *temporal.ApplicationError {
	s.t.Helper()
	require.True(s.t, s.IsWorkflowCompleted())
	failure, ok := errors.AsType[*temporal.ApplicationError](s.GetWorkflowError())
	require.True(s.t, ok, "%v", s.GetWorkflowError())
	require.True(s.t, failure.NonRetryable(), "a failed workflow is not started again by itself")
	return failure
}

var anything = mock.Anything

const scheduledRun = "sync:" + connection + "-2026-11-05T12:00:00Z"

func TestIdleSyncIsOneActivity(t *testing.T) {
	s := newStage(t, scheduledRun)
	s.OnActivity("SyncStep", anything, anything).Return(work.StepResult{State: work.Healthy}, nil).Once()
	s.ExecuteWorkflow(work.LocationSync, work.SyncInput{Connection: connection})
	require.NoError(t, s.GetWorkflowError())
	var result work.SyncResult
	require.NoError(t, s.GetWorkflowResult(&result))
	require.Equal(t, "Nothing was new.", result.Summary)
	s.AssertExpectations(t)
}

func TestSyncCarriesTheCursorAndAddsUp(t *testing.T) {
	s := newStage(t, scheduledRun)
	cursor := work.SyncCursor{PageToken: "p2"}
	s.OnActivity("SyncStep", anything, mock.MatchedBy(func(in work.StepInput) bool { return in.Cursor.PageToken == "" })).
		Return(work.StepResult{More: true, Cursor: cursor, Counts: work.Counts{Orders: 500, Sent: 100}}, nil).Once()
	s.OnActivity("SyncStep", anything, mock.MatchedBy(func(in work.StepInput) bool { return in.Cursor.PageToken == "p2" && in.Run != "" })).
		Return(work.StepResult{Counts: work.Counts{Orders: 20, Sent: 420}}, nil).Once()
	s.ExecuteWorkflow(work.LocationSync, work.SyncInput{Connection: connection})
	var result work.SyncResult
	require.NoError(t, s.GetWorkflowResult(&result))
	require.Equal(t, work.Counts{Orders: 520, Sent: 520}, result.Counts)
}

func TestSyncSleepsOutALimitDurably(t *testing.T) {
	s := newStage(t, scheduledRun)
	began := s.Now()
	s.OnActivity("SyncStep", anything, anything).
		Return(work.StepResult{More: true, Rest: time.Minute, Why: "the partner asks us to slow down"}, nil).Once()
	s.OnActivity("SyncStep", anything, anything).Return(work.StepResult{}, nil).Once()
	s.ExecuteWorkflow(work.LocationSync, work.SyncInput{Connection: connection})
	require.NoError(t, s.GetWorkflowError())
	require.GreaterOrEqual(t, s.Now().Sub(began), time.Minute)
}

// A partner that asks to slow down for ever does not hold the schedule back.
func TestSyncEndsWhenRestsGetLong(t *testing.T) {
	s := newStage(t, scheduledRun)
	s.OnActivity("SyncStep", anything, anything).
		Return(work.StepResult{More: true, Rest: 2 * time.Minute, Why: "slow down", Counts: work.Counts{Waiting: 9}}, nil)
	s.ExecuteWorkflow(work.LocationSync, work.SyncInput{Connection: connection})
	var result work.SyncResult
	require.NoError(t, s.GetWorkflowResult(&result))
	require.Contains(t, result.Summary, "follows with the next runs")
	require.Contains(t, result.Summary, "9 still to be sent")
}

func TestFailedSyncIsRecordedAndFailsWithTheSentence(t *testing.T) {
	s := newStage(t, scheduledRun)
	s.OnActivity("SyncStep", anything, anything).Return(work.StepResult{}, problem(work.PartnerToken)).Once()
	var recorded work.Failure
	s.OnActivity("RecordFailure", anything, anything).Return(func(_ context.Context, in work.Failure) (work.ConnectionState, error) {
		recorded = in
		return work.Failing, nil
	}).Once()
	s.OnUpsertTypedSearchAttributes(anything).Return(nil).Once()
	s.ExecuteWorkflow(work.LocationSync, work.SyncInput{Connection: connection})
	failure := s.failure()
	require.Equal(t, string(work.PartnerToken), failure.Type())
	require.Contains(t, failure.Message(), "clusterbridge connect 7shifts", "the command to type next")
	require.Equal(t, work.Failure{Connection: connection, Code: work.PartnerToken, Sentence: failure.Message()}, recorded)
	s.AssertExpectations(t)
}

func TestTransientFailuresAreRetriedBeforeTheRunFails(t *testing.T) {
	s := newStage(t, scheduledRun)
	tried := 0
	s.OnActivity("SyncStep", anything, anything).Return(func(context.Context, work.StepInput) (work.StepResult, error) {
		if tried++; tried < 4 {
			return work.StepResult{}, problem(work.ClusterOffline)
		}
		return work.StepResult{}, nil
	})
	s.ExecuteWorkflow(work.LocationSync, work.SyncInput{Connection: connection})
	require.NoError(t, s.GetWorkflowError())
	require.Equal(t, 4, tried)
}

func TestAnotherRunAtWorkIsNoFailureOfTheConnection(t *testing.T) {
	s := newStage(t, scheduledRun)
	s.OnActivity("SyncStep", anything, anything).Return(work.StepResult{}, problem(work.LeaseHeld))
	s.OnActivity("RecordFailure", anything, anything).Return(work.Failing, nil).Never()
	s.ExecuteWorkflow(work.LocationSync, work.SyncInput{Connection: connection})
	require.Equal(t, string(work.LeaseHeld), s.failure().Type())
	s.AssertExpectations(t)
}

func TestSyncTakesOnlyItsOwnID(t *testing.T) {
	for id, ok := range map[string]bool{
		"sync:" + connection: true,
		scheduledRun:         true,
		"my-test":            false,
		"sync:7shifts:chez-marcel-2-2026-11-05T12:00:00Z": false, // another venue's schedule
		"sync:7shifts:chez":                                   false,
		"sync:7shifts:other-venue-2026-11-05T12:00:00Z":       false,
		"sync:7shifts:chez-marcel-yesterday":                  false,
		"backfill:7shifts:chez-marcel-2026-11-05T12:00:00Z":   false,
		"sync:7shifts:chez-marcel-2026-11-05T12:00:00Z-again": false,
	} {
		s := newStage(t, id)
		s.OnActivity("SyncStep", anything, anything).Return(work.StepResult{}, nil).Maybe()
		s.ExecuteWorkflow(work.LocationSync, work.SyncInput{Connection: connection})
		if ok {
			require.NoError(t, s.GetWorkflowError(), id)
			continue
		}
		failure := s.failure()
		require.Equal(t, string(work.WrongWorkflowID), failure.Type(), id)
		require.Contains(t, failure.Message(), `"sync:7shifts:chez-marcel"`, "names the right id")
	}
}

// What people type is read strictly; what a schedule of another version gives
// is not.
func TestInputsOfPeopleAreStrict(t *testing.T) {
	const by = `"by":"marie","reason":"test","note":"trying"`
	for _, c := range []struct{ workflow, id, input, names string }{
		{work.LocationSync, "sync:" + connection, `{"conection":"7shifts:chez-marcel"}`, "conection"},
		{work.LocationSync, "sync:" + connection, `{"connection":"7shifts:chez-marcel","force":true}`, "force"},
		{work.LocationSync, "sync:" + connection, ``, "connection"},
		{work.Backfill, "backfill:" + connection, `{"connection":"7shifts:chez-marcel","note":"first"}`, "by"},
		{work.Backfill, "backfill:" + connection, `{"connection":"7shifts:chez-marcel","by":"marie","note":"x","days":90}`, "days"},
		{work.Backfill, "backfill:" + connection, `{"connection":"7shifts:chez-marcel","by":"marie","note":"x","progress":{}}`, "progress"},
		{work.ChangeConnection, "change:" + connection + ":1", `{"connection":"7shifts:chez-marcel","change":"stop",` + by + `}`, "change"},
		{work.ReleaseQuarantine, "release:" + connection + ":1", `{"connection":"7shifts:chez-marcel",` + by + `}`, "records"},
		{work.Resend, "resend:" + connection + ":1", `{"connection":"7shifts:chez-marcel","from":"2026-11-01",` + by + `}`, "to"},
		{work.Resend, "resend:" + connection + ":1", `[1]`, "JSON object"},
	} {
		s := newStage(t, c.id)
		s.ExecuteWorkflow(c.workflow, typed(c.input))
		failure := s.failure()
		require.Equal(t, string(work.BadInput), failure.Type(), c.input)
		require.Contains(t, failure.Message(), c.names, c.input)
	}
	s := newStage(t, scheduledRun)
	s.OnActivity("SyncStep", anything, anything).Return(work.StepResult{}, nil).Once()
	s.ExecuteWorkflow(work.LocationSync, typed(`{"connection":"7shifts:chez-marcel","newer":true}`))
	require.NoError(t, s.GetWorkflowError(), "a schedule made by the next version")
}

func TestActsNeedTheirOwnID(t *testing.T) {
	in := work.ResendInput{Connection: connection, From: "2026-11-01", To: "2026-11-02", By: "marie", Reason: "test", Note: "again"}
	for _, id := range []string{"resend", "resend:7shifts:other:1", "release:" + connection + ":1", "resend:" + connection + ":"} {
		s := newStage(t, id)
		s.ExecuteWorkflow(work.Resend, in)
		require.Equal(t, string(work.WrongWorkflowID), s.failure().Type(), id)
	}
	s := newStage(t, "resend:"+connection+":20261105")
	s.OnUpsertTypedSearchAttributes(anything).Return(nil).Once()
	s.OnActivity("Resend", anything, in).Return(work.ActResult{Summary: "3 documents", Changed: 3}, nil).Once()
	s.ExecuteWorkflow(work.Resend, in)
	var result work.ActResult
	require.NoError(t, s.GetWorkflowResult(&result))
	require.Equal(t, 3, result.Changed)
}

func TestPauseReachesTheScheduleAtOnce(t *testing.T) {
	in := work.ChangeInput{Connection: connection, Change: work.ChangePause, By: "marie", Reason: "venue_asked", Note: "renovating"}
	s := newStage(t, "change:"+connection+":1")
	s.OnActivity("ChangeConnection", anything, in).Return(work.ActResult{Summary: "Paused.", Changed: 1}, nil).Once()
	s.OnActivity("KeepSchedules", anything, work.KeepInput{Connection: connection}).Return(work.KeeperResult{}, problem(work.ScheduleFailed))
	s.ExecuteWorkflow(work.ChangeConnection, in)
	var result work.ActResult
	require.NoError(t, s.GetWorkflowResult(&result), "the pause itself was done")
	require.Contains(t, result.Summary, "follows within minutes")
}

func TestKeeperFailsVisibly(t *testing.T) {
	s := newStage(t, "schedule-keeper-2026-11-05T12:00:00Z")
	s.OnActivity("KeepSchedules", anything, work.KeepInput{}).Return(work.KeeperResult{}, problem(work.ScheduleFailed))
	s.OnActivity("RecordFailure", anything, anything).Return(work.Failing, nil).Never()
	s.ExecuteWorkflow(work.ScheduleKeeper)
	require.Equal(t, string(work.ScheduleFailed), s.failure().Type())
}
