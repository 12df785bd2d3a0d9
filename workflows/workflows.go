// Package workflows holds the decisions: one file per durable workflow. They
// do no I/O and read no clock; whatever they know of the world comes from
// activities, and instants as durations.
package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// Activities, by the name under which the workers serve them.
const (
	actSyncStep          = "SyncStep"
	actRecordFailure     = "RecordFailure"
	actPlanBackfill      = "PlanBackfill"
	actBackfillDay       = "BackfillDay"
	actFinishBackfill    = "FinishBackfill"
	actJournalBackfill   = "JournalBackfill"
	actKeepSchedules     = "KeepSchedules"
	actChangeConnection  = "ChangeConnection"
	actReleaseQuarantine = "ReleaseQuarantine"
	actResend            = "Resend"
	actResolveUncertain  = "ResolveUncertain"
)

// Activities lists them, so that a test can compare with what workers serve.
func Activities() []string {
	return []string{
		actSyncStep, actRecordFailure, actPlanBackfill, actBackfillDay, actFinishBackfill,
		actJournalBackfill, actKeepSchedules, actChangeConnection, actReleaseQuarantine, actResend,
		actResolveUncertain,
	}
}

// Priorities of tasks: people first, live before history (Temporal's keys go
// from 1 to 5).
const (
	personPriority  = 1
	livePriority    = 2
	historyPriority = 4
)

const (
	// stepTimeout is one step: a pull of 20 s and a delivery of 30 s, each with
	// a last request under way, and room for a slow ledger.
	stepTimeout = 3 * time.Minute
	// beatTimeout is two missed beats: then the worker is taken for dead, and
	// another goes on.
	beatTimeout = 20 * time.Second
	// actTimeout is a person's act: writes to the ledger, at most over all the
	// receipts of 90 days.
	actTimeout = 2 * time.Minute
	// stepAttempts and actAttempts are tries in all. A step's pauses grow from
	// retryFirst, so that a run gives up after about a minute and looks failed.
	stepAttempts = 4
	actAttempts  = 8
	retryFirst   = 5 * time.Second
	retryMost    = time.Minute
)

// withActivities sets how activities of a connection run.
func withActivities(ctx workflow.Context, connection string, priority int, timeout time.Duration, attempts int32, summary string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: timeout,
		HeartbeatTimeout:    beatTimeout,
		WaitForCancellation: true, // what was sent is settled first
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: retryFirst, BackoffCoefficient: 2, MaximumInterval: retryMost, MaximumAttempts: attempts,
		},
		Priority: temporal.Priority{PriorityKey: priority, FairnessKey: venue(connection)},
		Summary:  summary,
	})
}

// venue is the fairness key: one venue's load must not hold up another's.
func venue(connection string) string {
	_, location, err := work.SplitConnection(connection)
	if err != nil {
		return ""
	}
	return location
}

// decode reads what a person typed, strictly. Decoding JSON is deterministic,
// which the checker cannot see through reflection.
//
//workflowcheck:ignore
func decode(raw converter.RawValue, in any) error { return typed("", work.DecodeStrict(data(raw), in)) }

// decodeLenient reads what a program of another version may have written.
//
//workflowcheck:ignore
func decodeLenient(raw converter.RawValue, in any) error {
	return typed("", work.DecodeLenient(data(raw), in))
}

func data(raw converter.RawValue) []byte {
	if raw.Payload() == nil {
		return nil
	}
	return raw.Payload().GetData()
}

// continued tells whether another run or workflow of ours gave the input.
func continued(ctx workflow.Context) bool {
	info := workflow.GetInfo(ctx)
	return info.ContinuedExecutionRunID != "" || info.ParentWorkflowExecution != nil
}

// checkID refuses a start under another id than the workflow's own, so that
// two never work on the same thing. n stands for what a person may choose.
func checkID(ctx workflow.Context, ok bool, want string) error {
	if ok {
		return nil
	}
	const longest = 80 // ids are typed by people
	have := workflow.GetInfo(ctx).WorkflowExecution.ID
	if len(have) > longest {
		have = have[:longest]
	}
	return typed("", work.Err(work.WrongWorkflowID, fmt.Sprintf("want %q, this is %q", want, have)))
}
