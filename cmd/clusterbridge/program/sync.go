package program

import (
	"context"
	"errors"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/clustersystems/clusterbridge/internal/work"
)

type syncVerb struct {
	Now syncNowVerb `cmd:"" help:"Sync at once instead of waiting for the schedule."`
}

type syncNowVerb struct {
	Connection string `arg:"" help:"Connection, such as 7shifts:chez-marcel."`
	NoWait     bool   `help:"Do not wait for the run to end."`
}

func (syncNowVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run triggers the connection's schedule and tells what the run did.
func (v *syncNowVerb) Run(ctx context.Context, d *desk) error {
	conn, err := d.connection(ctx, v.Connection)
	if err != nil {
		return err
	}
	if !conn.State.Live() {
		return failed(nil, "clusterbridge resume "+conn.ID, "%s is %s, so it is not synced.", conn.ID, stateWords(conn.State))
	}
	c, err := d.temporal(ctx)
	if err != nil {
		return err
	}
	schedule := c.ScheduleClient().GetHandle(ctx, work.SyncScheduleID(conn.ID))
	before, err := schedule.Describe(ctx)
	if isA[*serviceerror.NotFound](err) {
		return failed(err, "clusterbridge worker, if none runs; otherwise try again in a minute", "The schedule of %s is not there yet; the schedule keeper makes it.", conn.ID)
	}
	if err != nil {
		return d.startFailed(err)
	}
	// One run that is under way may have passed what should be fetched, so
	// another follows it instead of being skipped.
	if err := schedule.Trigger(ctx, client.ScheduleTriggerOptions{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE}); err != nil {
		return d.startFailed(err)
	}
	if v.NoWait {
		d.say("Sync of %s asked for: %s", conn.ID, d.runLink(work.SyncScheduleID(conn.ID)))
		return nil
	}
	run, err := d.nextRun(ctx, c, conn.ID, schedule, before)
	if err != nil {
		return err
	}
	var result work.SyncResult
	if err := d.await(ctx, c, run, &result); err != nil {
		return err
	}
	d.say("%s", result.Summary)
	return nil
}

// nextRun waits until the schedule has started a run that it had not started
// before.
func (d *desk) nextRun(ctx context.Context, c client.Client, connection string, schedule client.ScheduleHandle, before *client.ScheduleDescription) (client.WorkflowRun, error) {
	old := map[string]bool{}
	for _, a := range before.Info.RecentActions {
		if a.StartWorkflowResult != nil {
			old[a.StartWorkflowResult.FirstExecutionRunID] = true
		}
	}
	ctx, cancel := context.WithTimeout(ctx, actBudget)
	defer cancel()
	const pause = 300 * time.Millisecond // a person waits; the server is asked thrice a second
	look := time.After(noWorkerAfter)
	for {
		now, err := schedule.Describe(ctx)
		if err != nil {
			return nil, d.startFailed(err)
		}
		for _, a := range slices.Backward(now.Info.RecentActions) {
			if r := a.StartWorkflowResult; r != nil && !old[r.FirstExecutionRunID] {
				return c.GetWorkflow(ctx, r.WorkflowID, r.FirstExecutionRunID), nil
			}
		}
		select {
		case <-look:
			if !workersListen(ctx, c) {
				return nil, d.noWorker(work.SyncScheduleID(connection))
			}
			look = time.After(lookEvery)
		case <-ctx.Done():
			return nil, failed(ctx.Err(), "clusterbridge worker, if none runs", "An earlier run has not ended yet, so the new one waits.")
		case <-time.After(pause):
		}
	}
}

// triggerKeeper lets the schedule keeper run at once; without its schedule the
// worker has never run, and makes it when it does.
func (d *desk) triggerKeeper(ctx context.Context) error {
	c, err := d.temporal(ctx)
	if err != nil {
		return err
	}
	err = c.ScheduleClient().GetHandle(ctx, work.ScheduleKeeperID).Trigger(ctx, client.ScheduleTriggerOptions{})
	if _, missing := errors.AsType[*serviceerror.NotFound](err); missing {
		return failed(err, "clusterbridge worker", "The schedule keeper has never run; the first worker that starts sets it up.")
	}
	return err
}
