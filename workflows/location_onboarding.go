package workflows

import (
	"errors"
	"fmt"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// LocationOnboarding brings one venue to a partner: which venue is meant, its
// yes or no, the fee, the way to the till, the partner's side, and the first
// good run. Its Onboarding starts it. Updates bring it on, the query status
// tells where it stands, and at any moment it can be cancelled: what was begun
// is then undone.
//
// Its history stays small: whatever is looked at again and again is looked at
// less and less often (patience), and a case that waits for people waits
// without a timer, but for the one of its expiry.
func LocationOnboarding(ctx workflow.Context, raw converter.RawValue) (work.OnboardingResult, error) {
	l := &location{}
	if err := l.setup(ctx, raw); err != nil {
		return work.OnboardingResult{}, err
	}
	err := l.run(l.open(ctx))
	if err != nil && !temporal.IsCanceledError(err) {
		return work.OnboardingResult{}, typed(l.connection, err)
	}
	ctx = lasting(ctx)
	if err = nil; l.outcome == "" { // otherwise only the last mail was cut short
		err = l.undo(ctx)
	}
	return l.end(ctx, err)
}

// location is the private state of a LocationOnboarding.
type location struct {
	casework
	in     work.LocationOnboardingInput
	parent string // the Onboarding's id

	found    work.FindResult
	chosenBy work.SteerInput // who said which venue is meant
	asked    askedAt
	decision *work.DecideInput
	fee      fee
	keyIn    int // how often an operator has put in a key
	entry    *work.EntryInput
	tokens   tokenTries
	place    place
	begun    begun
}

// begun are the parts that have to be undone when the case is cancelled.
type begun struct{ fee, keys, connection, history bool }

func (l *location) setup(ctx workflow.Context, raw converter.RawValue) error {
	info := workflow.GetInfo(ctx)
	if info.ParentWorkflowExecution == nil {
		return typed("", work.Err(work.BadInput, "a LocationOnboarding is started by its Onboarding: start that one, or use clusterbridge onboard"))
	}
	if err := decodeLenient(raw, &l.in); err != nil {
		return err
	}
	want := work.LocationOnboardingID(l.in.Case)
	if err := checkID(ctx, info.WorkflowExecution.ID == want, want); err != nil {
		return err
	}
	l.caseID, l.name, l.parent = l.in.Case, l.in.Venue.TradeName, info.ParentWorkflowExecution.ID
	l.kept = true
	l.plans(l.in.Plan)
	l.tokens = tokenTries{casework: &l.casework}
	l.mends = map[work.Code]way{
		work.MailRefused: {verb: "onboarding contact", update: work.UpdateContactEntered}, work.ClusterKeyRefused: {verb: "credentials put", update: work.UpdateCredentialsEntered},
	}
	if err := errors.Join(l.steered(ctx), l.handle(ctx)); err != nil {
		return typed("", err)
	}
	workflow.Go(lasting(ctx), l.listen)
	partner := temporal.NewSearchAttributeKeyKeyword(work.AttrPartner).ValueSet(l.in.Partner)
	return typed("", workflow.UpsertTypedSearchAttributes(ctx, partner))
}

// run goes from stage to stage, until one settles how the case ends.
func (l *location) run(ctx workflow.Context) error {
	for _, stage := range []func(workflow.Context) error{
		l.match, l.contact, l.confirmation, l.payment, l.openTill, l.partnersSide, l.goLive,
	} {
		if err := stage(ctx); err != nil || l.outcome != "" {
			return err
		}
	}
	return nil
}

// end tells everybody how it ended.
func (l *location) end(ctx workflow.Context, err error) (work.OnboardingResult, error) {
	result := work.OnboardingResult{
		Case: l.caseID, TradeName: l.name, Outcome: l.outcome, Connection: l.connection, Summary: l.summary,
	}
	if err == nil {
		err = l.close(ctx)
	}
	l.tell(ctx, signalEnded, result)
	return result, typed(l.connection, err)
}

// tell signals the Onboarding. One that is gone does not matter: the case goes
// on without it, and one that was reset asks.
func (l *location) tell(ctx workflow.Context, signal string, report any) {
	ctx = lasting(ctx)
	if err := workflow.SignalExternalWorkflow(ctx, l.parent, "", signal, report).Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Info("the onboarding is gone", "case", l.caseID, "signal", signal)
	}
}

// listen takes the Onboarding's signals.
func (l *location) listen(ctx workflow.Context) {
	signals := workflow.NewSelector(ctx)
	receive(ctx, signals, signalAsked, func(report askReport) { l.asked.out(report.Group, workflow.Now(ctx)) })
	receive(ctx, signals, signalAskFailed, func(report askReport) { l.asked.failed = report })
	receive(ctx, signals, signalCancel, l.cancelBy)
	receive(ctx, signals, signalReport, func(askReport) { l.report(ctx) })
	for {
		signals.Select(ctx)
	}
}

// report tells the Onboarding where the case stands, as far as it has been told
// before.
func (l *location) report(ctx workflow.Context) {
	told := caseReport{Case: l.caseID, Contact: l.found.Contact}
	switch {
	case l.decision != nil || l.outcome != "":
		l.tell(ctx, signalAnswered, told)
	case l.at.stage == work.StageConfirmation:
		l.tell(ctx, signalReady, told)
	case l.at.who == "operator":
		l.tell(ctx, signalParked, told)
	}
}

// caseInput is what most activities of a case are told.
func (l *location) caseInput() work.CaseInput { return work.CaseInput{Case: l.caseID} }

func (l *location) partner() string { return partnerName(l.in.Partner) }

// byPerson names whose act it was, where it was not the venue itself.
func byPerson(by string) string {
	if by == work.ByVenue || by == work.ByGateway {
		return ""
	}
	return fmt.Sprintf(" by %s", by)
}
