package workflows

import (
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// ChangeConnection is a person's change of a live connection: pause, resume, or
// one of its choices. A pause's schedule follows at once; should that fail, the
// ScheduleKeeper brings it in line within minutes.
func ChangeConnection(ctx workflow.Context, raw converter.RawValue) (work.ActResult, error) {
	var in work.ChangeInput
	if err := decode(raw, &in); err != nil {
		return work.ActResult{}, err
	}
	result, err := act(ctx, work.ActChange, in.Connection, actChangeConnection, in)
	if err != nil || in.Change != work.ChangePause && in.Change != work.ChangeResume {
		return result, err
	}
	keeping := withActivities(ctx, in.Connection, personPriority, actTimeout, stepAttempts, "The schedule follows")
	if err := workflow.ExecuteActivity(keeping, actKeepSchedules, work.KeepInput{Connection: in.Connection}).Get(ctx, nil); err != nil {
		result.Summary += " Its schedule could not be reached and follows within minutes."
		workflow.SetCurrentDetails(ctx, result.Summary)
	}
	return result, nil
}
