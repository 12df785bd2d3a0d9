package e2e

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/play"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// histories is where the replay tests find them.
var histories = filepath.Join("..", "..", "..", "workflows", "testdata", "histories")

// identityPattern finds who ran it, which names the machine.
var identityPattern = regexp.MustCompile(`"identity": *"[^"]*"`)

// TestRecordHistories writes a good run of each workflow for the replay tests:
//
//	RECORD=1 go test ./cmd/demo/e2e -run TestRecordHistories
func TestRecordHistories(t *testing.T) {
	if os.Getenv("RECORD") == "" {
		t.Skip("histories are written only with RECORD=1")
	}
	d := finished(t)
	connection := work.ConnectionID(work.SevenShifts, "chez-marcel")
	for _, verb := range [][]string{
		{"pause", connection, "--reason", "test", "--note", "recording"},
		{"resume", connection, "--reason", "test", "--note", "recording"},
		{"resend", connection, "--from", "2026-11-03", "--reason", "test", "--note", "recording"},
		{"rotate", connection, "till-key", "--reason", "test", "--note", "recording"},
		{"offboard", connection, "--reason", "test", "--note", "recording"},
	} {
		said, err := d.Verb(t.Context(), verb...)
		require.NoError(t, err, said)
	}
	released, err := d.Temporal().ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: work.ActID(work.ActRelease, connection, "recording"), TaskQueue: work.TaskQueue,
	}, work.ReleaseQuarantine, work.QuarantineInput{Connection: connection, Records: []int64{}, By: "lea", Reason: "test", Note: "recording"})
	require.NoError(t, err)
	require.NoError(t, released.Get(t.Context(), nil))
	require.NoError(t, os.MkdirAll(histories, 0o755))
	for _, kind := range []string{work.RotateCredentials, work.Offboarding} {
		eventually(t, kind+" has ended", func(context.Context) (bool, error) {
			return len(closedRuns(t, d, "WorkflowType = '"+kind+"' AND ExecutionStatus = 'Completed'")) > 0, nil
		})
	}
	for _, kind := range []string{
		work.LocationSync, work.Backfill, work.ScheduleKeeper, work.ChangeConnection, work.ReleaseQuarantine, work.Resend,
		work.Onboarding, work.LocationOnboarding, work.RotateCredentials, work.Offboarding,
	} {
		record(t, d, kind)
	}
	c := newCounting(t) // where uploads wait for a person
	c.inSilence()
	c.resolved()
	record(t, c.demo, work.ResolveUncertain)
}

// record writes the longest of the good runs of a workflow.
func record(t *testing.T, d *play.Demo, kind string) {
	t.Helper()
	runs := closedRuns(t, d, "WorkflowType = '"+kind+"' AND ExecutionStatus IN ('Completed', 'ContinuedAsNew')")
	require.NotEmpty(t, runs, kind)
	longest := &historypb.History{}
	for _, run := range runs[:min(len(runs), 50)] {
		if events := history(t, d, run); len(events) > len(longest.GetEvents()) {
			longest.Events = events
		}
	}
	require.Equal(t, enums.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, longest.GetEvents()[0].GetEventType())
	text, err := protojson.MarshalOptions{Multiline: true, Indent: " "}.Marshal(longest)
	require.NoError(t, err)
	text = identityPattern.ReplaceAll(text, []byte(`"identity": "recorded"`))
	require.NoError(t, os.WriteFile(filepath.Join(histories, kind+".json"), append(text, '\n'), 0o644))
}
