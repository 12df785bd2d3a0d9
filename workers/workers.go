// Package workers is the one table of what is served: which workflow and
// activity, on which task queue, with which limits.
package workers

import (
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/activities"
	"github.com/clustersystems/clusterbridge/internal/work"
	"github.com/clustersystems/clusterbridge/workflows"
)

// TaskQueue is the one queue of all that is served: its tasks are told apart
// by priority (people, live, history) and by venue, not by queue.
const TaskQueue = work.TaskQueue

const (
	// activitiesAtOnce bounds the steps of one worker. A step has up to eight
	// requests in flight and two connections to PostgreSQL, and mostly waits.
	activitiesAtOnce = 24
	// decisionsAtOnce bounds workflow tasks, which take milliseconds.
	decisionsAtOnce = 16
	// pollers ask for work; more than a few only load Temporal's frontend.
	pollers = 4
	// stopWithin is how long a stopping worker lets steps end: the longest
	// request under way (two of 20 s) and the writing of its outcome.
	stopWithin = 60 * time.Second
	// throttle is less than the interval at which activities beat, so that the
	// SDK holds no beat back: one that it sends after an activity has ended only
	// fills the log with warnings.
	throttle = 6 * time.Second
	// cachedRuns is how many runs are kept in memory between their tasks.
	cachedRuns = 2000
)

// Options are a worker's limits.
func Options() worker.Options {
	return worker.Options{
		MaxConcurrentActivityExecutionSize:     activitiesAtOnce,
		MaxConcurrentWorkflowTaskExecutionSize: decisionsAtOnce,
		MaxConcurrentActivityTaskPollers:       pollers,
		MaxConcurrentWorkflowTaskPollers:       pollers,
		WorkerStopTimeout:                      stopWithin,
		MaxHeartbeatThrottleInterval:           throttle,
		DisableRegistrationAliasing:            true,
	}
}

// CachedRuns is for worker.SetStickyWorkflowCacheSize, which holds for the
// whole process.
func CachedRuns() int { return cachedRuns }

// served is one row of the table: a name on the queue and what serves it.
type served struct {
	name string
	by   any
}

// table lists the workflows that are served.
func table() []served {
	return []served{
		{work.LocationSync, workflows.LocationSync},
		{work.Backfill, workflows.Backfill},
		{work.ScheduleKeeper, workflows.ScheduleKeeper},
		{work.ChangeConnection, workflows.ChangeConnection},
		{work.ReleaseQuarantine, workflows.ReleaseQuarantine},
		{work.Resend, workflows.Resend},
		{work.ResolveUncertain, workflows.ResolveUncertain},
		{work.Onboarding, workflows.Onboarding},
		{work.LocationOnboarding, workflows.LocationOnboarding},
		{work.Offboarding, workflows.Offboarding},
		{work.RotateCredentials, workflows.RotateCredentials},
	}
}

// doors are the activities that are served.
func doors(s *activities.Sync, k *activities.Schedules) []served {
	return []served{
		{"SyncStep", s.SyncStep},
		{"RecordFailure", s.RecordFailure},
		{"PlanBackfill", s.PlanBackfill},
		{"BackfillDay", s.BackfillDay},
		{"FinishBackfill", s.FinishBackfill},
		{"JournalBackfill", s.JournalBackfill},
		{"ChangeConnection", s.ChangeConnection},
		{"ReleaseQuarantine", s.ReleaseQuarantine},
		{"Resend", s.Resend},
		{"ResolveUncertain", s.ResolveUncertain},
		{"KeepSchedules", k.KeepSchedules},
	}
}

// onboardingDoors are the activities of joining and leaving a partner.
func onboardingDoors(o *activities.Onboarding) []served {
	return []served{
		{"PlanOnboarding", o.PlanOnboarding},
		{"AcknowledgeRequest", o.AcknowledgeRequest},
		{"AskContact", o.AskContact},
		{"FindVenue", o.FindVenue},
		{"ChooseVenue", o.ChooseVenue},
		{"ReadContact", o.ReadContact},
		{"RecordDecision", o.RecordDecision},
		{"OpenCharge", o.OpenCharge},
		{"CheckCharge", o.CheckCharge},
		{"SettleCharge", o.SettleCharge},
		{"OpenTill", o.OpenTill},
		{"RecordEntry", o.RecordEntry},
		{"CheckToken", o.CheckToken},
		{"CheckPlace", o.CheckPlace},
		{"GoLive", o.GoLive},
		{"FirstRun", o.FirstRun},
		{"NoteStage", o.NoteStage},
		{"SendCaseMail", o.SendCaseMail},
		{"UndoOnboarding", o.UndoOnboarding},
		{"BeginOffboarding", o.BeginOffboarding},
		{"SendOffboarded", o.SendOffboarded},
		{"ForgetConnection", o.ForgetConnection},
		{"ProveOffboarded", o.ProveOffboarded},
		{"BeginRotation", o.BeginRotation},
		{"FinishRotation", o.FinishRotation},
	}
}

// Register serves everything on a worker of TaskQueue.
func Register(w worker.Registry, s *activities.Sync, k *activities.Schedules, o *activities.Onboarding) {
	RegisterWorkflows(w)
	for _, row := range append(doors(s, k), onboardingDoors(o)...) {
		w.RegisterActivityWithOptions(row.by, activity.RegisterOptions{Name: row.name})
	}
}

// RegisterWorkflows registers the workflows alone, as a replay needs them.
func RegisterWorkflows(w worker.WorkflowRegistry) {
	for _, row := range table() {
		w.RegisterWorkflowWithOptions(row.by, workflow.RegisterOptions{Name: row.name})
	}
}
