package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// maxSteps and maxRest bound one run; the schedule's next run goes on. At
	// 500 documents a step, 40 are a very large venue's week.
	maxSteps = 40
	maxRest  = 5 * time.Minute
)

// LocationSync is one sync run of a connection: it pulls from the till and
// delivers what differs. A run with nothing to do is one activity.
func LocationSync(ctx workflow.Context, raw converter.RawValue) (work.SyncResult, error) {
	var in work.SyncInput
	id := workflow.GetInfo(ctx).WorkflowExecution.ID
	read := decode
	if scheduledID(id) || continued(ctx) {
		read = decodeLenient
	}
	if err := read(raw, &in); err != nil {
		return work.SyncResult{}, err
	}
	want := work.SyncScheduleID(in.Connection)
	if err := checkID(ctx, id == want || (scheduledID(id) && strings.HasPrefix(id, want+"-") && len(id) == len(want)+len(scheduleSuffix)+1), want); err != nil {
		return work.SyncResult{}, err
	}
	run := syncRun{connection: in.Connection}
	return run.run(ctx)
}

// scheduleSuffix is the form of what Temporal appends to the id of a
// schedule's run: "-" and the instant for which it was due, in whole seconds.
const scheduleSuffix = "2006-01-02T15:04:05Z"

func scheduledID(id string) bool {
	at := len(id) - len(scheduleSuffix)
	if at < 1 || id[at-1] != '-' {
		return false
	}
	_, err := time.Parse(scheduleSuffix, id[at:])
	return err == nil
}

type syncRun struct {
	connection string
	cursor     work.SyncCursor
	counts     work.Counts
	rested     time.Duration
}

func (r *syncRun) run(ctx workflow.Context) (work.SyncResult, error) {
	ctx = withActivities(ctx, r.connection, livePriority, stepTimeout, stepAttempts, "")
	for range maxSteps {
		var step work.StepResult
		err := workflow.ExecuteActivity(ctx, actSyncStep, work.StepInput{
			Connection: r.connection, Cursor: r.cursor, Run: workflow.GetInfo(ctx).WorkflowExecution.RunID,
		}).Get(ctx, &step)
		if err != nil {
			return work.SyncResult{Counts: r.counts}, fail(ctx, r.connection, err)
		}
		r.cursor, r.counts = step.Cursor, r.counts.Plus(step.Counts)
		if !step.More {
			return r.end(ctx, r.counts.Outcome()), nil
		}
		if r.rested += step.Rest; r.rested > maxRest {
			return r.end(ctx, r.counts.Outcome()+" "+step.Why+" The rest follows with the next runs."), nil
		}
		if err := r.rest(ctx, step); err != nil {
			return work.SyncResult{}, err
		}
	}
	return r.end(ctx, r.counts.Outcome()+" There is more; it follows with the next runs."), nil
}

// rest sleeps durably: an activity never sleeps out a limit.
func (r *syncRun) rest(ctx workflow.Context, step work.StepResult) error {
	if step.Rest <= 0 {
		return nil
	}
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("%s\n\nResting %s: %s", r.counts.Outcome(), step.Rest.Round(time.Second), step.Why))
	return workflow.Sleep(ctx, step.Rest)
}

func (r *syncRun) end(ctx workflow.Context, summary string) work.SyncResult {
	workflow.SetCurrentDetails(ctx, summary)
	return work.SyncResult{Summary: summary, Counts: r.counts}
}
