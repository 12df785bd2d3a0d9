package workers_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/activities"
	"github.com/clustersystems/clusterbridge/internal/work"
	"github.com/clustersystems/clusterbridge/workers"
	"github.com/clustersystems/clusterbridge/workflows"
)

// registry notes the names under which a worker serves.
type registry struct {
	worker.Registry
	workflows, activities []string
}

func (r *registry) RegisterWorkflowWithOptions(_ any, o workflow.RegisterOptions) {
	r.workflows = append(r.workflows, o.Name)
}

func (r *registry) RegisterActivityWithOptions(_ any, o activity.RegisterOptions) {
	r.activities = append(r.activities, o.Name)
}

func TestEverythingThatIsCalledIsServed(t *testing.T) {
	r := &registry{}
	workers.Register(r, &activities.Sync{}, &activities.Schedules{}, &activities.Onboarding{})
	require.ElementsMatch(t, append(workflows.Activities(), workflows.OnboardingActivities()...), r.activities)
	want := []string{work.LocationSync, work.Backfill, work.ScheduleKeeper, work.ChangeConnection, work.ReleaseQuarantine, work.Resend,
		work.ResolveUncertain, work.Onboarding, work.LocationOnboarding, work.Offboarding, work.RotateCredentials}
	require.ElementsMatch(t, want, r.workflows)
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(r.workflows))), len(want))
}
