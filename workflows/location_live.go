package workflows

import (
	"errors"
	"fmt"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// goLive tries the till and the credentials with one real read, begins the
// syncing and the history, waits for the first good run and tells the venue.
func (l *location) goLive(ctx workflow.Context) error {
	l.begun.connection = true
	l.stand(ctx, standing{
		stage: work.StagePreflight, what: "clusterbridge tries till and credentials, with one real read",
		next: "the schedule begins, and the history before it",
	})
	var live work.LiveResult
	if err := l.do(ctx, actGoLive, l.caseInput(), &live, never); err != nil {
		return err
	}
	if err := l.connected(ctx, live.Connection); err != nil {
		return err
	}
	if err := l.do(ctx, actKeepSchedules, work.KeepInput{Connection: l.connection}, &work.KeeperResult{}, never); err != nil {
		return err
	}
	if live.History {
		if err := l.keepOn(ctx, func() error { return l.startHistory(ctx) }, never); err != nil {
			return err
		}
	}
	if err := l.untilHealthy(ctx); err != nil {
		return err
	}
	if err := l.mail(ctx, mailLive, never); err != nil {
		return err
	}
	l.settle(work.WentLive, work.SteerInput{}, fmt.Sprintf("%s is live with %s, as %s.", l.name, l.partner(), l.connection))
	return nil
}

// connected notes the connection, once it is known.
func (l *location) connected(ctx workflow.Context, connection string) error {
	l.connection = connection
	return workflow.UpsertTypedSearchAttributes(ctx, temporal.NewSearchAttributeKeyKeyword(work.AttrConnection).ValueSet(connection))
}

// startHistory starts the connection's backfill, which goes on by itself. One
// that runs already brings in the same days.
func (l *location) startHistory(ctx workflow.Context) error {
	l.begun.history = true
	child := workflow.WithChildOptions(lasting(ctx), workflow.ChildWorkflowOptions{
		WorkflowID:        work.BackfillID(l.connection),
		ParentClosePolicy: enums.PARENT_CLOSE_POLICY_ABANDON,
		StaticSummary:     l.name + ", " + l.partner(),
	})
	err := workflow.ExecuteChildWorkflow(child, work.Backfill, work.BackfillInput{
		Connection: l.connection, By: l.in.By, Note: "history of a new connection",
	}).GetChildWorkflowExecution().Get(ctx, nil)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil
	}
	return err
}

// untilHealthy looks until the connection has had its first good run.
func (l *location) untilHealthy(ctx workflow.Context) error {
	s := standing{
		stage: work.StageFirstRun, what: "the first good run of " + l.connection, again: true,
		next: "the venue is told by mail what happens when, and the onboarding ends",
	}
	l.stand(ctx, s)
	for n := 0; ; n++ {
		retries := l.retries
		var run work.LiveResult
		if err := l.do(ctx, actFirstRun, l.caseInput(), &run, never); err != nil {
			return err
		}
		if run.State == work.Healthy {
			return nil
		}
		s.problem, s.code, s.who = run.Problem, run.Code, ""
		if run.Code != "" {
			s.who = work.WaitingFor(run.Code)
		}
		if _, err := l.waitFor(ctx, s, look(l.plan.PollEvery, steadyLooks, n), "Look for the first good run",
			func() bool { return l.retries != retries }); err != nil {
			return err
		}
	}
}

// stopHistory asks a backfill to end; that none runs is as good.
func stopHistory(ctx workflow.Context, connection string) error {
	err := workflow.RequestCancelExternalWorkflow(ctx, work.BackfillID(connection), "").Get(ctx, nil)
	if _, gone := errors.AsType[*temporal.UnknownExternalWorkflowExecutionError](err); gone {
		return nil
	}
	return err
}
