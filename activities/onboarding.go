package activities

import (
	"context"
	"fmt"
	"log/slog"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Onboarding is the door to the room where venues join and leave partners.
type Onboarding struct {
	// Room is nil where the settings name no mail server: nobody is onboarded
	// then.
	Room *onboarding.Room
	// Temporal tells what still runs of a connection that has left.
	Temporal client.Client
	// Namespace is where it runs.
	Namespace string
	Log       *slog.Logger
}

// once runs one step of the room.
func once[T any](ctx context.Context, o *Onboarding, about string, f func(ctx context.Context) (T, error)) (T, error) {
	return do(ctx, o.Log, about, func(ctx context.Context, _ <-chan struct{}) (result T, err error) {
		if o.Room == nil {
			return result, work.Err(work.NotSetUp, "")
		}
		return f(ctx)
	})
}

// nothing is the result of steps that only have an effect.
type nothing struct{}

func effect(ctx context.Context, o *Onboarding, about string, f func(ctx context.Context) error) error {
	_, err := once(ctx, o, about, func(ctx context.Context) (nothing, error) { return nothing{}, f(ctx) })
	return err
}

// PlanOnboarding writes a request down and tells what the settings say.
func (o *Onboarding) PlanOnboarding(ctx context.Context, in work.OnboardingStart) (work.OnboardingPlan, error) {
	return once(ctx, o, in.Request, func(ctx context.Context) (work.OnboardingPlan, error) { return o.Room.Plan(ctx, in) })
}

// AcknowledgeRequest tells the requester that the request has come in.
func (o *Onboarding) AcknowledgeRequest(ctx context.Context, in work.RequestInput) (work.MailResult, error) {
	return once(ctx, o, in.Request, func(ctx context.Context) (work.MailResult, error) { return o.Room.Acknowledge(ctx, in) })
}

// FindVenue looks for a case's venue in Cluster.
func (o *Onboarding) FindVenue(ctx context.Context, in work.CaseInput) (work.FindResult, error) {
	return once(ctx, o, in.Case, func(ctx context.Context) (work.FindResult, error) { return o.Room.Find(ctx, in.Case) })
}

// ChooseVenue settles which venue is meant.
func (o *Onboarding) ChooseVenue(ctx context.Context, in work.CaseAct) (work.FindResult, error) {
	return once(ctx, o, in.Case, func(ctx context.Context) (work.FindResult, error) { return o.Room.Choose(ctx, in) })
}

// ReadContact tells whether somebody can be asked.
func (o *Onboarding) ReadContact(ctx context.Context, in work.CaseInput) (work.ContactResult, error) {
	return once(ctx, o, in.Case, func(ctx context.Context) (work.ContactResult, error) { return o.Room.Contact(ctx, in.Case) })
}

// AskContact asks one contact for all its venues, or reminds it.
func (o *Onboarding) AskContact(ctx context.Context, in work.AskInput) (work.AskResult, error) {
	return once(ctx, o, in.Request, func(ctx context.Context) (work.AskResult, error) { return o.Room.Ask(ctx, in) })
}

// RecordDecision records a venue's yes or no.
func (o *Onboarding) RecordDecision(ctx context.Context, in work.CaseAct) error {
	return effect(ctx, o, in.Case, func(ctx context.Context) error { return o.Room.Decide(ctx, in) })
}

// OpenCharge opens the fee of a case.
func (o *Onboarding) OpenCharge(ctx context.Context, in work.CaseInput) (work.ChargeResult, error) {
	return once(ctx, o, in.Case, func(ctx context.Context) (work.ChargeResult, error) { return o.Room.OpenCharge(ctx, in.Case) })
}

// CheckCharge looks whether the fee was paid.
func (o *Onboarding) CheckCharge(ctx context.Context, in work.CaseInput) (work.ChargeResult, error) {
	return once(ctx, o, in.Case, func(ctx context.Context) (work.ChargeResult, error) { return o.Room.CheckCharge(ctx, in.Case) })
}

// SettleCharge records a person's word on the fee.
func (o *Onboarding) SettleCharge(ctx context.Context, in work.CaseAct) (work.ChargeResult, error) {
	return once(ctx, o, in.Case, func(ctx context.Context) (work.ChargeResult, error) { return o.Room.SettleCharge(ctx, in) })
}

// OpenTill opens the way to a case's till.
func (o *Onboarding) OpenTill(ctx context.Context, in work.CaseInput) (work.TillResult, error) {
	return once(ctx, o, in.Case, func(ctx context.Context) (work.TillResult, error) { return o.Room.OpenTill(ctx, in.Case) })
}

// RecordEntry records how the partner's side is set up.
func (o *Onboarding) RecordEntry(ctx context.Context, in work.CaseAct) error {
	return effect(ctx, o, in.Case, func(ctx context.Context) error { return o.Room.RecordEntry(ctx, in) })
}

// CheckToken asks the partner what a pasted token opens.
func (o *Onboarding) CheckToken(ctx context.Context, in work.TokenTry) (work.TokenResult, error) {
	return once(ctx, o, in.Case, func(ctx context.Context) (work.TokenResult, error) { return o.Room.CheckToken(ctx, in) })
}

// CheckPlace takes a venue's choice of the partner's location.
func (o *Onboarding) CheckPlace(ctx context.Context, in work.CaseAct) (work.PlaceResult, error) {
	return once(ctx, o, in.Case, func(ctx context.Context) (work.PlaceResult, error) { return o.Room.CheckPlace(ctx, in) })
}

// GoLive makes a case's connection.
func (o *Onboarding) GoLive(ctx context.Context, in work.CaseInput) (work.LiveResult, error) {
	return once(ctx, o, in.Case, func(ctx context.Context) (work.LiveResult, error) { return o.Room.GoLive(ctx, in.Case) })
}

// FirstRun tells how a case's connection is.
func (o *Onboarding) FirstRun(ctx context.Context, in work.CaseInput) (work.LiveResult, error) {
	return once(ctx, o, in.Case, func(ctx context.Context) (work.LiveResult, error) { return o.Room.FirstRun(ctx, in.Case) })
}

// NoteStage mirrors where a case stands.
func (o *Onboarding) NoteStage(ctx context.Context, in work.StageNote) error {
	return effect(ctx, o, in.Case, func(ctx context.Context) error { return o.Room.NoteStage(ctx, in) })
}

// SendCaseMail sends one of a case's mails.
func (o *Onboarding) SendCaseMail(ctx context.Context, in work.CaseMail) (work.MailResult, error) {
	return once(ctx, o, in.Case, func(ctx context.Context) (work.MailResult, error) { return o.Room.Send(ctx, in) })
}

// UndoOnboarding takes back a step of a case.
func (o *Onboarding) UndoOnboarding(ctx context.Context, in work.UndoInput) (work.UndoResult, error) {
	return once(ctx, o, in.Case, func(ctx context.Context) (work.UndoResult, error) { return o.Room.Undo(ctx, in) })
}

// BeginOffboarding disconnects a connection.
func (o *Onboarding) BeginOffboarding(ctx context.Context, in work.OffboardStep) (work.ActResult, error) {
	return once(ctx, o, in.Connection, func(ctx context.Context) (work.ActResult, error) { return o.Room.BeginOffboarding(ctx, in) })
}

// SendOffboarded tells the venue that its connection has ended.
func (o *Onboarding) SendOffboarded(ctx context.Context, in work.OffboardStep) (work.MailResult, error) {
	return once(ctx, o, in.Connection, func(ctx context.Context) (work.MailResult, error) { return o.Room.SendOffboarded(ctx, in) })
}

// ForgetConnection deletes what only a connection needed.
func (o *Onboarding) ForgetConnection(ctx context.Context, in work.OffboardStep) (work.ActResult, error) {
	return once(ctx, o, in.Connection, func(ctx context.Context) (work.ActResult, error) { return o.Room.Forget(ctx, in) })
}

// ProveOffboarded looks whether anything of a connection is left.
func (o *Onboarding) ProveOffboarded(ctx context.Context, in work.OffboardStep) (work.OffboardResult, error) {
	return once(ctx, o, in.Connection, func(ctx context.Context) (work.OffboardResult, error) {
		facts, err := o.Room.Prove(ctx, in)
		if err != nil {
			return work.OffboardResult{}, err
		}
		if err := o.stopped(ctx, in.Connection); err != nil {
			return work.OffboardResult{}, err
		}
		facts = append(facts, "It has no schedule, and no sync or backfill of it runs.")
		return work.OffboardResult{Summary: in.Connection + " has left: nothing of it runs, and no secret of it is kept.", Proof: facts}, nil
	})
}

// stopped looks that Temporal runs nothing of a connection: the schedule is
// asked for itself, and so is the backfill; sync runs are looked for by their
// attribute, which Temporal shows a moment late.
func (o *Onboarding) stopped(ctx context.Context, connection string) error {
	_, err := o.Temporal.ScheduleClient().GetHandle(ctx, work.SyncScheduleID(connection)).Describe(ctx)
	if err == nil {
		return work.Err(work.StillThere, "its schedule")
	}
	if !missing(err) {
		return work.Errf(work.StillThere, err, "Temporal does not tell whether its schedule is there")
	}
	backfill, err := o.Temporal.DescribeWorkflowExecution(ctx, work.BackfillID(connection), "")
	switch {
	case err == nil && backfill.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		return work.Err(work.StillThere, "its backfill")
	case err != nil && !missing(err):
		return work.Errf(work.StillThere, err, "Temporal does not tell whether its backfill runs")
	}
	runs, err := o.Temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: o.Namespace, PageSize: 1,
		Query: fmt.Sprintf("%s = '%s' AND WorkflowType = '%s' AND ExecutionStatus = 'Running'", work.AttrConnection, connection, work.LocationSync),
	})
	if err != nil {
		return work.Errf(work.StillThere, err, "Temporal does not tell what runs")
	}
	if len(runs.GetExecutions()) > 0 {
		return work.Err(work.StillThere, "a sync run")
	}
	return nil
}

// BeginRotation begins to replace a credential.
func (o *Onboarding) BeginRotation(ctx context.Context, in work.RotationStart) (work.RotationResult, error) {
	return once(ctx, o, in.Connection, func(ctx context.Context) (work.RotationResult, error) { return o.Room.BeginRotation(ctx, in) })
}

// FinishRotation puts the new credential in the place of the old one.
func (o *Onboarding) FinishRotation(ctx context.Context, in work.RotationEnd) (work.ActResult, error) {
	return once(ctx, o, in.Case, func(ctx context.Context) (work.ActResult, error) { return o.Room.FinishRotation(ctx, in) })
}
