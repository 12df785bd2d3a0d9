package workflows

import (
	"errors"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// typed makes a workflow's failure of an error: its type is the registry's
// code and its message the whole sentence with what to do next. A failed
// workflow is not retried as a whole, so it is never retryable.
func typed(connection string, err error) error {
	if err == nil {
		return nil
	}
	code, sentence := explain(connection, err)
	return temporal.NewApplicationErrorWithOptions(sentence, string(code), temporal.ApplicationErrorOptions{NonRetryable: true})
}

// explain finds code and sentence of an error of ours or of an activity.
func explain(connection string, err error) (work.Code, string) {
	if problem, ok := errors.AsType[*work.Error](err); ok {
		return problem.Code, problem.Sentence(connection)
	}
	if failure, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		if code := work.Code(failure.Type()); work.Problems[code].Kind != "" {
			return code, failure.Message()
		}
	}
	code := work.Internal
	if _, late := errors.AsType[*temporal.TimeoutError](err); late {
		code = work.StepTimedOut
	}
	return code, work.Err(code, "").Sentence(connection)
}

// unrecorded are failures that say nothing about the connection's health: the
// run was started wrongly, or another does its work.
var unrecorded = map[work.Code]bool{
	work.BadInput: true, work.WrongWorkflowID: true, work.UnknownConnection: true,
	work.ConnectionNotLive: true, work.LeaseHeld: true,
}

// fail ends a run: the failure goes into the connection's story and the run's
// details and attributes, and then the run fails with the same sentence.
func fail(ctx workflow.Context, connection string, err error) error {
	if temporal.IsCanceledError(err) {
		return err
	}
	code, sentence := explain(connection, err)
	if connection == "" || unrecorded[code] {
		return failAct(ctx, connection, err)
	}
	workflow.SetCurrentDetails(ctx, "**Failed.** "+sentence)
	attributes := append(about(connection), temporal.NewSearchAttributeKeyKeyword(work.AttrWaitingFor).ValueSet(work.WaitingFor(code)))
	var state work.ConnectionState
	recording := withActivities(ctx, connection, livePriority, actTimeout, stepAttempts, "Record the failure")
	if recordErr := workflow.ExecuteActivity(recording, actRecordFailure, work.Failure{
		Connection: connection, Code: code, Sentence: sentence,
	}).Get(ctx, &state); recordErr == nil && state != "" {
		attributes = append(attributes, temporal.NewSearchAttributeKeyKeyword(work.AttrState).ValueSet(string(state)))
	}
	if attrErr := workflow.UpsertTypedSearchAttributes(ctx, attributes...); attrErr != nil {
		workflow.GetLogger(ctx).Warn("search attributes were not set", "connection", connection)
	}
	return typed(connection, err)
}

// failAct ends a person's act that failed: its run shows the sentence, and the
// connection's story is left alone.
func failAct(ctx workflow.Context, connection string, err error) error {
	if temporal.IsCanceledError(err) {
		return err
	}
	_, sentence := explain(connection, err)
	workflow.SetCurrentDetails(ctx, "**Failed.** "+sentence)
	return typed(connection, err)
}

// about are the attributes by which a connection's runs are found.
func about(connection string) []temporal.SearchAttributeUpdate {
	partner, _, _ := strings.Cut(connection, ":")
	return []temporal.SearchAttributeUpdate{
		temporal.NewSearchAttributeKeyKeyword(work.AttrConnection).ValueSet(connection),
		temporal.NewSearchAttributeKeyKeyword(work.AttrPartner).ValueSet(partner),
	}
}
