package workflows

import (
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// Onboarding brings the venues of one request to a partner. Each is a
// LocationOnboarding of its own; what they share is here: the acknowledgement,
// and one mail for all venues of one contact. It ends when they all have, with
// how each did. Cancel goes on to all that have not ended.
//
// What began is brought to its end also when this run is cancelled, terminated
// or reset: the venues go on by themselves, and a run that starts again finds
// them.
func Onboarding(ctx workflow.Context, raw converter.RawValue) (work.RequestResult, error) {
	o := &onboarding{byCase: map[string]*venueState{}, troubles: map[string]string{}}
	if err := o.setup(ctx, raw); err != nil {
		return work.RequestResult{}, err
	}
	button := ctx.Done()
	ctx = lasting(ctx)
	workflow.Go(ctx, func(ctx workflow.Context) {
		button.Receive(ctx, nil)
		o.cancelBy(ctx, byTemporalUI())
	})
	return o.run(ctx)
}

// onboarding is the private state of an Onboarding.
type onboarding struct {
	patience
	in        work.OnboardingInput
	request   string // "<partner>:<request>"
	plan      work.OnboardingPlan
	venues    []*venueState
	byCase    map[string]*venueState
	groups    int               // that were formed
	busy      int               // coroutines that end before the run does
	troubles  map[string]string // what cannot be done just now, by its name
	cancelled *work.SteerInput
	ended     bool
}

// venueState is what the Onboarding knows of one venue.
type venueState struct {
	result   work.OnboardingResult
	started  bool
	reported bool // that it is ready, parked or ended
	contact  string
	group    string // in which its contact is asked; empty before
	asked    bool
	answered bool
	ended    bool
}

func (o *onboarding) setup(ctx workflow.Context, raw converter.RawValue) error {
	if err := decode(raw, &o.in); err != nil {
		return err
	}
	prefix := work.OnboardingID(o.in.Partner, "")
	request, own := strings.CutPrefix(workflow.GetInfo(ctx).WorkflowExecution.ID, prefix)
	if err := checkID(ctx, own && work.CheckRequest(request) == nil, prefix+"<request>"); err != nil {
		return err
	}
	o.request = o.in.Partner + ":" + request
	for i, v := range o.in.Venues {
		caseID := work.CaseID(o.in.Partner, request, i+1)
		state := &venueState{result: work.OnboardingResult{Case: caseID, TradeName: v.TradeName}}
		o.venues = append(o.venues, state)
		o.byCase[caseID] = state
	}
	partner := temporal.NewSearchAttributeKeyKeyword(work.AttrPartner).ValueSet(o.in.Partner)
	return typed("", errors.Join(o.handle(ctx), workflow.UpsertTypedSearchAttributes(ctx, partner)))
}

func (o *onboarding) handle(ctx workflow.Context) error {
	return errors.Join(
		workflow.SetQueryHandlerWithOptions(ctx, work.QueryStatus, o.status,
			workflow.QueryHandlerOptions{Description: "How many venues are open, and how each stands."}),
		handle(ctx, work.UpdateCancelOnboarding, "Cancel all venues that have not ended.", o.mayCancel,
			func(ctx workflow.Context, in work.SteerInput) (work.ActResult, error) {
				open := o.open()
				o.cancelBy(ctx, in)
				return work.ActResult{Summary: fmt.Sprintf("%d venues are being cancelled; what was begun for them is undone.", open), Changed: open}, nil
			}),
		handle(ctx, work.UpdateRetry, "Send the mails that could not be sent, at once.", func() error {
			if len(o.troubles) == 0 {
				return o.refuse("there is nothing to try again")
			}
			return nil
		}, func(workflow.Context, work.SteerInput) (work.ActResult, error) {
			o.retries++
			return done("It is tried again at once.")
		}),
	)
}

func (o *onboarding) mayCancel() error {
	switch {
	case o.ended:
		return o.refuse("it has ended")
	case o.cancelled != nil:
		return o.refuse("it is being cancelled already")
	}
	return nil
}

func (o *onboarding) refuse(why string) error {
	return notNow(fmt.Sprintf("%s; %d of %d venues are open", why, o.open(), len(o.venues)), "clusterbridge onboarding list")
}

func (o *onboarding) run(ctx workflow.Context) (work.RequestResult, error) {
	o.show(ctx)
	planned, err := o.makePlan(ctx)
	if err != nil {
		return work.RequestResult{}, err
	}
	if planned {
		workflow.Go(ctx, o.listen)
		o.beside(ctx, o.acknowledge)
		for i := range o.venues {
			o.start(ctx, i)
		}
		o.beside(ctx, o.gather)
	}
	if err := workflow.Await(ctx, func() bool { return o.open() == 0 && o.busy == 0 }); err != nil {
		return work.RequestResult{}, err
	}
	o.ended = true
	if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
		return work.RequestResult{}, err
	}
	o.show(ctx)
	return work.RequestResult{Summary: o.summary(), Venues: o.results()}, nil
}

// makePlan asks what the settings say, and whether it could before somebody
// cancelled. A request that is no good, or a fault of ours, fails at once; what
// else fails is tried again.
func (o *onboarding) makePlan(ctx workflow.Context) (planned bool, err error) {
	var hopeless error
	err = o.keepOn(ctx, "The request cannot begin", func() error {
		err := workflow.ExecuteActivity(withCase(ctx, o.request, livePriority, ""), actPlanOnboarding,
			work.OnboardingStart{Request: o.request, Input: o.in}).Get(ctx, &o.plan)
		planned = err == nil
		if code, _ := explain("", err); !planned && (code == work.BadInput || code == work.Internal) {
			hopeless, err = err, nil
		}
		return err
	}, func() bool { return o.cancelled != nil })
	if hopeless != nil {
		return false, failAct(ctx, "", hopeless)
	}
	if !planned {
		for _, v := range o.venues {
			o.over(ctx, v, work.OnboardingResult{Outcome: work.Cancelled, Summary: "Cancelled before it began."})
		}
	}
	o.first, o.most = o.plan.TroubleFirst, o.plan.TroubleMost
	return planned, err
}

// beside runs what goes on beside the rest, and ends before the run does.
func (o *onboarding) beside(ctx workflow.Context, f func(workflow.Context)) {
	o.busy++
	workflow.Go(ctx, func(ctx workflow.Context) {
		defer func() { o.busy-- }()
		f(ctx)
	})
}

// acknowledge tells who asked that the request has come in. That this mail
// cannot be sent keeps no run open.
func (o *onboarding) acknowledge(ctx workflow.Context) {
	acting := withCase(ctx, o.request, livePriority, "")
	o.log(ctx, o.keepOn(ctx, "The acknowledgement cannot be sent", func() error {
		return workflow.ExecuteActivity(acting, actAcknowledgeRequest, work.RequestInput{Request: o.request}).Get(ctx, nil)
	}, func() bool { return o.open() == 0 }))
}

// start starts a venue's LocationOnboarding and watches it. One that runs
// already, since this run is a second one or was reset, is taken over.
func (o *onboarding) start(ctx workflow.Context, i int) {
	v, in := o.venues[i], o.in.Venues[i]
	child := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            work.LocationOnboardingID(v.result.Case),
		ParentClosePolicy:     enums.PARENT_CLOSE_POLICY_ABANDON, // a terminated request loses no venue
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
		WaitForCancellation:   true, // it undoes first what it began
		StaticSummary:         in.TradeName + ", " + partnerName(o.in.Partner),
		StaticDetails:         fmt.Sprintf("%s, %s. Case `%s`, asked by %s.", plain(in.TradeName), plain(in.Address), v.result.Case, o.in.By),
	}), work.LocationOnboarding, work.LocationOnboardingInput{
		Case: v.result.Case, Partner: o.in.Partner, Requester: o.in.Requester, Route: o.in.Route, Venue: in, By: o.in.By, Plan: o.plan,
	})
	workflow.Go(ctx, func(ctx workflow.Context) {
		err := child.GetChildWorkflowExecution().Get(ctx, nil)
		v.started = true
		if o.cancelled != nil {
			o.signal(ctx, v, signalCancel, *o.cancelled)
		}
		var result work.OnboardingResult
		if err == nil {
			err = child.Get(ctx, &result)
		}
		if err == nil {
			o.over(ctx, v, result)
			return
		}
		o.adopt(ctx, v, err)
	})
}

// adopt asks a venue that this run does not follow as its child, or whose run
// was ended by force, where it stands. If it runs it tells by signals; if it
// does not, nothing more is to be waited for.
func (o *onboarding) adopt(ctx workflow.Context, v *venueState, cause error) {
	if o.signal(ctx, v, signalReport, askReport{}).Get(ctx, nil) == nil {
		return
	}
	summary := "Its run had ended before; see it in Temporal."
	if !temporal.IsWorkflowExecutionAlreadyStartedError(cause) {
		_, sentence := explain("", cause)
		summary = "Its run was ended. " + sentence
	}
	o.over(ctx, v, work.OnboardingResult{Summary: summary})
}

// over notes how a venue ended.
func (o *onboarding) over(ctx workflow.Context, v *venueState, result work.OnboardingResult) {
	if v.ended {
		return
	}
	result.Case = v.result.Case
	if result.TradeName == "" {
		result.TradeName = v.result.TradeName
	}
	v.result, v.ended, v.reported = result, true, true
	o.show(ctx)
}

// signal signals a venue's run.
func (o *onboarding) signal(ctx workflow.Context, v *venueState, name string, told any) workflow.Future {
	return workflow.SignalExternalWorkflow(ctx, work.LocationOnboardingID(v.result.Case), "", name, told)
}

// cancelBy cancels all venues that have not ended; those that have not started
// yet are when they have.
func (o *onboarding) cancelBy(ctx workflow.Context, who work.SteerInput) {
	if o.cancelled != nil || o.ended {
		return
	}
	o.cancelled = &who
	for _, v := range o.venues {
		if v.started && !v.ended {
			o.signal(ctx, v, signalCancel, who)
		}
	}
	o.show(ctx)
}
