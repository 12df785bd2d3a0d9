package e2e

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/play"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// canaryPlaces are all places of a history in which something could leak. One
// canary sits in each; the search has to find every one of them first.
var canaryPlaces = []string{
	"input", "result", "header", "memo", "search-attribute", "summary", "details", "current-details",
	"activity-input", "activity-result", "activity-summary", "heartbeat", "failure-message", "failure-details",
	"schedule-note", "schedule-memo", "schedule-input",
}

func canary(place string) string { return "canary-in-" + place + "-7f3a" }

// canaryHeader writes a canary into every header.
type canaryHeader struct{}

func (canaryHeader) Inject(_ context.Context, w workflow.HeaderWriter) error { return inject(w) }
func (canaryHeader) InjectFromWorkflow(_ workflow.Context, w workflow.HeaderWriter) error {
	return inject(w)
}
func (canaryHeader) Extract(ctx context.Context, _ workflow.HeaderReader) (context.Context, error) {
	return ctx, nil
}
func (canaryHeader) ExtractToWorkflow(ctx workflow.Context, _ workflow.HeaderReader) (workflow.Context, error) {
	return ctx, nil
}

func inject(w workflow.HeaderWriter) error {
	payload, err := converter.GetDefaultDataConverter().ToPayload(canary("header"))
	w.Set("canary", payload)
	return err
}

// canaryWorkflow plants what only a workflow can.
func canaryWorkflow(ctx workflow.Context, _ string) (string, error) {
	workflow.SetCurrentDetails(ctx, canary("current-details"))
	options := workflow.ActivityOptions{
		StartToCloseTimeout: time.Second, HeartbeatTimeout: time.Second, Summary: canary("activity-summary"),
		RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
	}
	ctx = workflow.WithActivityOptions(ctx, options)
	var ignored string
	if err := workflow.ExecuteActivity(ctx, "CanaryResult", canary("activity-input")).Get(ctx, &ignored); err != nil {
		return "", err
	}
	for _, failing := range []string{"CanaryFailure", "CanaryHeartbeat"} {
		if err := workflow.ExecuteActivity(ctx, failing).Get(ctx, nil); err == nil {
			return "", errors.New(failing + " should have failed")
		}
	}
	return canary("result"), nil
}

func canaryResult(context.Context, string) (string, error) { return canary("activity-result"), nil }

func canaryFailure(context.Context) error {
	return temporal.NewApplicationError(canary("failure-message"), "canary", canary("failure-details"))
}

// canaryHeartbeat times out, which leaves its last heartbeat in the history.
func canaryHeartbeat(ctx context.Context) error {
	activity.RecordHeartbeat(ctx, canary("heartbeat"))
	<-ctx.Done()
	return ctx.Err()
}

// plantCanaries runs the canary workflow and makes a paused schedule, and
// returns where they are. The worker lives until the test ends, so that its
// details can be asked for.
func plantCanaries(t *testing.T, d *play.Demo) (run *commonpb.WorkflowExecution, schedule string) {
	t.Helper()
	c, err := client.NewClientFromExistingWithContext(t.Context(), d.Temporal(), client.Options{
		Namespace: "default", Logger: slog.New(slog.DiscardHandler), ContextPropagators: []workflow.ContextPropagator{canaryHeader{}},
	})
	require.NoError(t, err)
	const queue = "canaries"
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflowWithOptions(canaryWorkflow, workflow.RegisterOptions{Name: "Canary"})
	for name, f := range map[string]any{"CanaryResult": canaryResult, "CanaryFailure": canaryFailure, "CanaryHeartbeat": canaryHeartbeat} {
		w.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
	}
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	started, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: "canary", TaskQueue: queue, StaticSummary: canary("summary"), StaticDetails: canary("details"),
		Memo: map[string]any{"canary": canary("memo")},
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(work.AttrWaitingFor).ValueSet(canary("search-attribute"))),
	}, "Canary", canary("input"))
	require.NoError(t, err)
	require.NoError(t, started.Get(t.Context(), nil))
	schedule = "canary"
	handle, err := c.ScheduleClient().Create(t.Context(), client.ScheduleOptions{
		ID: schedule, Paused: true, Note: canary("schedule-note"), Memo: map[string]any{"canary": canary("schedule-memo")},
		Action: &client.ScheduleWorkflowAction{ID: "never", Workflow: "Canary", TaskQueue: queue, Args: []any{canary("schedule-input")}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = handle.Delete(context.Background()) })
	return &commonpb.WorkflowExecution{WorkflowId: started.GetID(), RunId: started.GetRunID()}, schedule
}
