package workflows

import (
	"strings"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// mailAttempts is how long the last mail is tried, some quarter of an hour:
	// with the contact forgotten, it can never be sent again.
	mailAttempts = 20
	// proveAttempts is how long what was ended may still be there, some ten
	// minutes: a step under way takes three.
	proveAttempts = 14
)

// Offboarding ends a live connection: nothing of it runs any more, no secret is
// kept, and that is looked at and shown. A failed one is started again; each
// step may come again.
func Offboarding(ctx workflow.Context, raw converter.RawValue) (work.OffboardResult, error) {
	var in work.OffboardInput
	if err := decode(raw, &in); err != nil {
		return work.OffboardResult{}, err
	}
	prefix := work.ActID(work.ActOffboard, in.Connection, "")
	id := workflow.GetInfo(ctx).WorkflowExecution.ID
	if err := checkID(ctx, strings.HasPrefix(id, prefix) && len(id) > len(prefix), prefix+"<number>"); err != nil {
		return work.OffboardResult{}, err
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, about(in.Connection)...); err != nil {
		return work.OffboardResult{}, typed(in.Connection, err)
	}
	result, err := offboard(ctx, work.OffboardStep(in))
	if err != nil {
		return work.OffboardResult{}, failAct(ctx, in.Connection, err)
	}
	details := []string{result.Summary, ""}
	for _, fact := range result.Proof {
		details = append(details, "- "+fact)
	}
	workflow.SetCurrentDetails(ctx, strings.Join(details, "\n"))
	return result, nil
}

// offboard goes from step to step. The mail comes before its reader is
// forgotten; that it cannot be sent keeps no secret here.
func offboard(ctx workflow.Context, step work.OffboardStep) (work.OffboardResult, error) {
	var result work.OffboardResult
	do := func(what, activity string, attempts int32, in, out any) error {
		workflow.SetCurrentDetails(ctx, what)
		acting := withActivities(ctx, step.Connection, personPriority, actTimeout, attempts, what)
		return workflow.ExecuteActivity(acting, activity, in).Get(ctx, out)
	}
	if err := do("Nothing new begins", actBeginOffboarding, actAttempts, step, nil); err != nil {
		return result, err
	}
	if err := stopHistory(ctx, step.Connection); err != nil {
		return result, err
	}
	if err := do("The schedule goes", actKeepSchedules, actAttempts, work.KeepInput{Connection: step.Connection}, nil); err != nil {
		return result, err
	}
	unsent := ""
	if err := do("The venue is told", actSendOffboarded, mailAttempts, step, nil); err != nil {
		if temporal.IsCanceledError(err) {
			return result, err
		}
		_, sentence := explain(step.Connection, err)
		unsent = " The venue was not told by mail: " + sentence
	}
	if err := do("Secrets and contact are forgotten", actForgetConnection, actAttempts, step, nil); err != nil {
		return result, err
	}
	err := do("It is looked at whether anything is left", actProveOffboarded, proveAttempts, step, &result)
	result.Summary += unsent
	return result, err
}
