package frontdesk_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// temporalStandIn takes Updates as the workflows do: it takes the same step of
// the room, and answers with the same errors. What a workflow refuses for its
// stage, a test says. Whatever else is called panics.
type temporalStandIn struct {
	client.Client
	room *onboarding.Room

	mu      sync.Mutex
	down    error // what every call ends with, without effect
	lost    error // what every Update's answer ends with, after its effect
	refuses error // what every Update is refused with
	told    []string
	started []client.StartWorkflowOptions
	inputs  []any
	left    int // tries of a token
}

// be changes how it is.
func (s *temporalStandIn) be(down, lost, refuses error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down, s.lost, s.refuses = down, lost, refuses
}

var away = serviceerror.NewUnavailable("connection refused")

func (s *temporalStandIn) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, _ any, args ...any) (client.WorkflowRun, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down != nil {
		return nil, s.down
	}
	if slices.ContainsFunc(s.started, func(before client.StartWorkflowOptions) bool { return before.ID == o.ID }) {
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("already started", "", "")
	}
	s.started, s.inputs = append(s.started, o), append(s.inputs, args...)
	return nil, s.lost
}

func (s *temporalStandIn) UpdateWorkflow(ctx context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down != nil {
		return nil, s.down
	}
	if o.WaitForStage != client.WorkflowUpdateStageCompleted {
		return nil, errors.New("an answer that nobody waits for")
	}
	id := strings.TrimPrefix(o.WorkflowID, "onboarding:")
	c, err := s.room.Ledger.Case(ctx, id)
	if err != nil || c.Outcome != "" {
		return nil, serviceerror.NewNotFound("workflow execution already completed")
	}
	s.told = append(s.told, o.UpdateName+" "+id)
	if s.refuses != nil {
		return answer{err: asFailure(s.refuses)}, nil
	}
	result, err := s.take(ctx, id, o.UpdateName, o.Args[0])
	if err == nil && s.lost != nil {
		return nil, s.lost
	}
	return answer{result, asFailure(err)}, nil
}

// take is what the workflow's handler has done.
func (s *temporalStandIn) take(ctx context.Context, id, update string, in any) (any, error) {
	if err := in.(work.Validator).Validate(); err != nil {
		return nil, err
	}
	act := work.CaseAct{Case: id, Act: update}
	switch in := in.(type) {
	case work.DecideInput:
		act.Decision, act.Why, act.By, act.Reason, act.Note = in.Decision, in.Why, in.By, in.Reason, in.Note
		return nil, s.room.Decide(ctx, act)
	case work.PlaceInput:
		act.Location, act.ReceiptDate, act.By, act.Reason, act.Note = in.Location, in.ReceiptDate, in.By, in.Reason, in.Note
		return s.room.CheckPlace(ctx, act)
	}
	switch update {
	case work.UpdateTryToken:
		result, err := s.room.CheckToken(ctx, work.TokenTry{Case: id, Try: len(s.told), By: work.ByVenue})
		if result.Verdict == work.TokenWrong {
			s.left--
		}
		result.Left = s.left
		return result, err
	case work.UpdateContactEntered:
		return s.room.Contact(ctx, id)
	}
	return nil, nil
}

// asFailure is an error as it comes over Temporal.
func asFailure(err error) error {
	if problem, ok := errors.AsType[*work.Error](err); ok {
		return temporal.NewNonRetryableApplicationError(problem.Sentence(""), string(problem.Code), nil)
	}
	return err
}

// answer is an Update that has ended.
type answer struct {
	result any
	err    error
}

func (answer) WorkflowID() string { return "" }
func (answer) RunID() string      { return "" }
func (answer) UpdateID() string   { return "" }

// Get gives the result over the wire's form.
func (a answer) Get(_ context.Context, into any) error {
	if a.err != nil || into == nil || a.result == nil {
		return a.err
	}
	payload, err := converter.GetDefaultDataConverter().ToPayload(a.result)
	if err != nil {
		return err
	}
	return converter.GetDefaultDataConverter().FromPayload(payload, into)
}
