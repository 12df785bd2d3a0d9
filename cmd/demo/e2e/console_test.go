package e2e

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/devserver"
	"github.com/clustersystems/clusterbridge/cmd/demo/stack/play"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// untilMended is more requests than a test makes.
const untilMended = 1 << 20

// The Web UI is the console: with SHOTS=<folder> the pictures of the
// documentation are made on the way.
func TestTheWebUIIsAConsole(t *testing.T) {
	browser := browse(t)
	d := through(t)
	ui, err := devserver.StartUI(d.TemporalAddress(), "default")
	require.NoError(t, err)
	t.Cleanup(ui.Stop)
	trouble(t, d)
	c := func(t *testing.T) *console { return &console{t, browser, ui.URL(), "default"} }
	t.Run("saved queries", func(t *testing.T) { savedQueries(c(t)) })
	t.Run("a run's summary", func(t *testing.T) { aGoodRun(c(t), d) })
	t.Run("a failed run's sentence", func(t *testing.T) { aFailedRun(c(t), d) })
	t.Run("start form", func(t *testing.T) { startForm(c(t), d) })
	t.Run("with sealed payloads", func(t *testing.T) { sealedConsole(browser, t, d) })
}

// trouble: Cluster refuses the key of one venue until it is called off, and
// another's till is offline.
func trouble(t *testing.T, d *play.Demo) {
	t.Helper()
	for connection, status := range map[string]int{harbour: 401, laurier: 503} {
		c, err := d.Ledger().Connection(t.Context(), connection)
		require.NoError(t, err)
		d.Tills().Faults().Add(clustersim.Fault{Serial: c.Location.Serial, Status: status, Times: untilMended})
	}
	for connection, state := range map[string]work.ConnectionState{harbour: work.CalledOff, laurier: work.Failing} {
		eventually(t, connection+" is "+string(state), func(ctx context.Context) (bool, error) {
			c, err := d.Ledger().Connection(ctx, connection)
			if err != nil || c.State != state {
				return false, err
			}
			s, err := d.Temporal().ScheduleClient().GetHandle(ctx, work.SyncScheduleID(connection)).Describe(ctx)
			return err == nil && strings.Contains(attributes(s.TypedSearchAttributes), work.AttrState+"="+string(state)), err
		})
	}
}

func query(text string) url.Values { return url.Values{"query": {text}} }

func operatorsGuide(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "operations.md"))
	require.NoError(t, err)
	return string(text)
}

// savedQueries are the links of the operators' guide: how connections are now,
// one line each, and the runs they are about.
func savedQueries(c *console) {
	guide := operatorsGuide(c.t)
	c.columns("Status", "Workflow ID", "ConnectionState", "WaitingFor", "Start", "Type")
	for name, list := range map[string]struct{ query, shows, not string }{
		"waits-for-me": {`WaitingFor = "operator"`, "sync:" + harbour, "sync:" + laurier},
		"failing":      {`ConnectionState = "failing"`, "sync:" + laurier, "sync:" + marcel},
		"called-off":   {`ConnectionState = "called_off"`, "sync:" + harbour, "sync:" + laurier},
	} {
		for _, page := range []string{"schedules", "workflows"} {
			require.Contains(c.t, guide, "/namespaces/default/"+at(page, query(list.query))+")", "the guide has this link")
		}
		c.open("schedules", query(list.query))
		c.shows("1 Schedule", list.shows)
		require.NotContains(c.t, c.text(), list.not, name)
		if name == "waits-for-me" {
			c.shoot("schedules-waits-for-me")
		}
		c.open("workflows", query(list.query))
		c.shows("FAILED", list.shows)
		require.NotContains(c.t, c.text(), list.not, name)
		if name == "failing" {
			c.shoot("list-failing")
		}
	}
}

// aGoodRun shows in a sentence what a sync run did.
func aGoodRun(c *console, d *play.Demo) {
	for _, run := range closedRuns(c.t, d, "WorkflowType = 'LocationSync' AND ExecutionStatus = 'Completed'") {
		var result work.SyncResult
		id, runID := run.GetExecution().GetWorkflowId(), run.GetExecution().GetRunId()
		require.NoError(c.t, d.Temporal().GetWorkflow(c.t.Context(), id, runID).Get(c.t.Context(), &result))
		if result.Counts.Sent < 2 {
			continue
		}
		c.open("workflows/"+id+"/"+runID+"/timeline", nil)
		c.shows(result.Summary, "Result")
		c.shoot("run")
		c.open("workflows/"+id+"/"+runID+"/user-metadata", nil)
		c.shows("to 7shifts", result.Summary)
		return
	}
	require.Fail(c.t, "no run sent anything")
}

// aFailedRun says what is wrong and what to type next.
func aFailedRun(c *console, d *play.Demo) {
	runs := closedRuns(c.t, d, `WaitingFor = "operator"`)
	require.NotEmpty(c.t, runs)
	require.Equal(c.t, enums.WORKFLOW_EXECUTION_STATUS_FAILED, runs[0].GetStatus())
	run := runs[0].GetExecution()
	c.open("workflows/"+run.GetWorkflowId()+"/"+run.GetRunId()+"/timeline", nil)
	c.shows("Cluster refuses the API key.", "Next: Store a good key: clusterbridge location credentials "+harbour)
	c.shoot("failed-run")
}

// pasted is an input of docs/inputs, as a person copies it.
func pasted(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "inputs", name))
	require.NoError(t, err)
	return string(text)
}

// startForm: a good input runs; of a wrong one the field is named at once.
func startForm(c *console, d *play.Demo) {
	guide := operatorsGuide(c.t)
	for kind, id := range map[string]string{
		work.Backfill: work.BackfillID(marcel), work.ChangeConnection: work.ActID(work.ActChange, marcel, "n"),
		work.ReleaseQuarantine: work.ActID(work.ActRelease, marcel, "n"), work.Resend: work.ActID(work.ActResend, marcel, "n"),
	} {
		require.Contains(c.t, guide, "/namespaces/default/"+at(startPage, form(kind, id))+")", "the guide has this link")
	}
	good := pasted(c.t, "ChangeConnection-pause.json")
	c.start(work.ChangeConnection, work.ActID(work.ActChange, marcel, "1"), good, "start-form")
	c.open("workflows/"+work.ActID(work.ActChange, marcel, "1"), nil)
	c.shows("COMPLETED", marcel+" is paused.", "clusterbridge resume "+marcel, "kitchen closed for works")
	c.shoot("act")
	conn, err := d.Ledger().Connection(c.t.Context(), marcel)
	require.NoError(c.t, err)
	require.Equal(c.t, work.Paused, conn.State)

	wrong := strings.Replace(good, `"reason"`, `"reson"`, 1)
	require.NotEqual(c.t, good, wrong)
	c.start(work.ChangeConnection, work.ActID(work.ActChange, marcel, "2"), wrong, "")
	c.open("workflows/"+work.ActID(work.ActChange, marcel, "2"), nil)
	c.shows("FAILED", `unknown field \"reson\"; known are connection, change`)
	c.shoot("wrong-field")

	resume := pasted(c.t, "ChangeConnection-resume.json")
	c.start(work.ChangeConnection, work.ActID(work.ActChange, marcel, "3"), resume, "")
	c.open("workflows/"+work.ActID(work.ActChange, marcel, "3"), nil)
	c.shows("COMPLETED", marcel+" goes on.")
}
