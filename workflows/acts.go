package workflows

import (
	"strings"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// act does what all acts of a person on a connection have in common: the input
// was decoded; the id is checked, the attributes set, one activity run.
func act(ctx workflow.Context, kind, connection, activity string, in any) (work.ActResult, error) {
	var result work.ActResult
	prefix := work.ActID(kind, connection, "")
	id := workflow.GetInfo(ctx).WorkflowExecution.ID
	if err := checkID(ctx, strings.HasPrefix(id, prefix) && len(id) > len(prefix), prefix+"<number>"); err != nil {
		return result, err
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, about(connection)...); err != nil {
		return result, typed(connection, err)
	}
	acting := withActivities(ctx, connection, personPriority, actTimeout, actAttempts, "")
	if err := workflow.ExecuteActivity(acting, activity, in).Get(ctx, &result); err != nil {
		if temporal.IsCanceledError(err) {
			return result, err
		}
		return result, typed(connection, err)
	}
	workflow.SetCurrentDetails(ctx, result.Summary)
	return result, nil
}

// ReleaseQuarantine tries quarantined records again, or puts them aside for
// good.
func ReleaseQuarantine(ctx workflow.Context, raw converter.RawValue) (work.ActResult, error) {
	var in work.QuarantineInput
	if err := decode(raw, &in); err != nil {
		return work.ActResult{}, err
	}
	return act(ctx, work.ActRelease, in.Connection, actReleaseQuarantine, in)
}

// Resend sends the documents of business days again.
func Resend(ctx workflow.Context, raw converter.RawValue) (work.ActResult, error) {
	var in work.ResendInput
	if err := decode(raw, &in); err != nil {
		return work.ActResult{}, err
	}
	return act(ctx, work.ActResend, in.Connection, actResend, in)
}

// ResolveUncertain takes a person's word on uploads of unknown end that must
// not be sent again.
func ResolveUncertain(ctx workflow.Context, raw converter.RawValue) (work.ActResult, error) {
	var in work.ResolveInput
	if err := decode(raw, &in); err != nil {
		return work.ActResult{}, err
	}
	return act(ctx, work.ActResolve, in.Connection, actResolveUncertain, in)
}
