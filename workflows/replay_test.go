package workflows_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/workers"
)

// Histories of real runs must replay with today's code: a change of a workflow
// that breaks runs under way fails here. Until the first tag they are recorded
// anew when a change is wanted.
func TestSavedHistoriesReplay(t *testing.T) {
	folder := filepath.Join("testdata", "histories")
	var files []string
	require.NoError(t, filepath.WalkDir(folder, func(path string, _ os.DirEntry, err error) error {
		if filepath.Ext(path) == ".json" {
			files = append(files, path)
		}
		return err
	}))
	require.NotEmpty(t, files, "make record writes them")
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.Open(file)
			require.NoError(t, err)
			defer func() { require.NoError(t, text.Close()) }()
			history, err := client.HistoryFromJSON(text, client.HistoryJSONOptions{})
			require.NoError(t, err)
			started := history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
			replayer := worker.NewWorkflowReplayer()
			workers.RegisterWorkflows(replayer)
			// Workflows check their id, so the run is replayed under its own.
			require.NoError(t, replayer.ReplayWorkflowHistoryWithOptions(nil, history, worker.ReplayWorkflowHistoryOptions{
				OriginalExecution: workflow.Execution{ID: started.GetWorkflowId(), RunID: started.GetOriginalExecutionRunId()},
			}))
		})
	}
}
