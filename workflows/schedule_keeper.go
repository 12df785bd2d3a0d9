package workflows

import (
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// ScheduleKeeper makes Temporal's schedules match the ledger. It takes no
// input.
func ScheduleKeeper(ctx workflow.Context) (work.KeeperResult, error) {
	id := workflow.GetInfo(ctx).WorkflowExecution.ID
	ok := id == work.ScheduleKeeperID || (scheduledID(id) && strings.HasPrefix(id, work.ScheduleKeeperID+"-"))
	if err := checkID(ctx, ok, work.ScheduleKeeperID); err != nil {
		return work.KeeperResult{}, err
	}
	var result work.KeeperResult
	keeping := withActivities(ctx, "", livePriority, stepTimeout, stepAttempts, "")
	if err := workflow.ExecuteActivity(keeping, actKeepSchedules, work.KeepInput{}).Get(ctx, &result); err != nil {
		return result, fail(ctx, "", err)
	}
	workflow.SetCurrentDetails(ctx, result.Summary)
	return result, nil
}
