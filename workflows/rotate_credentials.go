package workflows

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// rotationNumber is what ends a rotation's id. Its case is a fairness key, of
// which Temporal takes 64 bytes.
var rotationNumber = regexp.MustCompile(`^[a-z0-9-]{1,14}$`)

// RotateCredentials replaces a key or token of a live connection. The old one
// works until the new one is in use, so that no sale is lost. Cancel takes the
// new one back, for as long as the old one stays.
func RotateCredentials(ctx workflow.Context, raw converter.RawValue) (work.ActResult, error) {
	r := &rotation{}
	if err := r.setup(ctx, raw); err != nil {
		return work.ActResult{}, err
	}
	err := r.run(r.open(ctx))
	if err != nil && !temporal.IsCanceledError(err) {
		return work.ActResult{}, failAct(ctx, r.connection, err)
	}
	result, err := r.finish(lasting(ctx), err != nil)
	return result, typed(r.connection, err)
}

// rotation is the private state of a RotateCredentials.
type rotation struct {
	casework
	in      work.RotateInput
	tokens  tokenTries
	keyIn   int // how often an operator has put in a key
	entered bool
}

func (r *rotation) setup(ctx workflow.Context, raw converter.RawValue) error {
	if err := decode(raw, &r.in); err != nil {
		return err
	}
	prefix := work.ActID(work.ActRotate, r.in.Connection, "")
	n, own := strings.CutPrefix(workflow.GetInfo(ctx).WorkflowExecution.ID, prefix)
	if err := checkID(ctx, own && rotationNumber.MatchString(n), prefix+"<number>"); err != nil {
		return err
	}
	r.connection, r.caseID = r.in.Connection, r.in.Connection+":r"+n
	r.tokens = tokenTries{casework: &r.casework}
	r.mends = map[work.Code]way{work.MailRefused: {"onboarding contact", work.UpdateContactEntered}}
	return typed(r.connection, errors.Join(r.steered(ctx), r.handle(ctx), r.tokens.handle(ctx, work.StageToken),
		workflow.UpsertTypedSearchAttributes(ctx, about(r.connection)...)))
}

func (r *rotation) handle(ctx workflow.Context) error {
	return errors.Join(
		r.contactEntered(ctx, func() error { return r.refuse("no contact is waited for") }, func(workflow.Context, string) {}),
		handle(ctx, work.UpdateCredentialsEntered, "An operator has put in the new key.", r.desk,
			func() error { return r.during("no key is waited for", work.StageKey) },
			func(workflow.Context, work.SteerInput) (work.ActResult, error) {
				r.keyIn++
				return done("The key is tried.")
			}),
		handle(ctx, work.UpdateKeyEntered, "The partner uses the new key.", r.desk,
			func() error { return r.during("no entry is waited for", work.StageEntry) },
			func(workflow.Context, work.SteerInput) (work.ActResult, error) {
				r.entered = true
				return done("The new key is in use; the old one goes.")
			}),
	)
}

// run makes the new credential and waits until it is in use.
func (r *rotation) run(ctx workflow.Context) error {
	for first := true; ; first = false {
		begun, err := r.begin(ctx, first)
		if err != nil {
			return err
		}
		if begun.Waits == work.RotationKey {
			keyIn := r.keyIn
			if err := r.wait(ctx, standing{
				stage: work.StageKey, who: "operator", what: "the new API key, which an operator puts in on standard input",
				next: "it is tried", ways: []way{{"credentials put", work.UpdateCredentialsEntered}},
			}, func() bool { return r.keyIn != keyIn }); err != nil {
				return err
			}
			continue
		}
		return r.untilInUse(ctx, begun.Waits)
	}
}

// begin makes the new credential. What no patience mends fails at once, as long
// as nothing was made.
func (r *rotation) begin(ctx workflow.Context, first bool) (work.RotationResult, error) {
	if first {
		r.stand(ctx, standing{stage: work.StageKey, what: "the new credential is made ready", next: "the old one works until the new one is in use"})
	}
	var begun work.RotationResult
	var hopeless error
	acting := withCase(ctx, r.caseID, personPriority, "")
	err := r.keepOn(ctx, func() error {
		err := workflow.ExecuteActivity(acting, actBeginRotation, work.RotationStart{
			Case: r.caseID, Connection: r.connection, What: r.in.What, By: r.in.By, Reason: r.in.Reason, Note: r.in.Note,
		}).Get(ctx, &begun)
		if code, _ := explain(r.connection, err); err != nil && first && (unrecorded[code] && code != work.LeaseHeld || code == work.Internal) {
			hopeless, err = err, nil
		}
		return err
	}, never)
	r.plans(begun.Plan)
	return begun, errors.Join(err, hopeless)
}

// untilInUse waits until the new credential is in use where it is to be.
func (r *rotation) untilInUse(ctx workflow.Context, waits string) error {
	const next = "the new credential takes the place of the old one"
	switch waits {
	case work.RotationToken:
		r.stand(ctx, standing{
			stage: work.StageToken, what: "the mail that asks for a new access token is sent", next: next, ways: []way{{"", work.UpdateTryToken}},
		})
		if err := r.mail(ctx, mailTokenNeeded, r.tokens.good); err != nil {
			return err
		}
		return r.tokens.waitForGood(ctx, next)
	case work.RotationEntry:
		ways := []way{{"onboarding entered", work.UpdateKeyEntered}}
		entered := func() bool { return r.entered }
		r.stand(ctx, standing{
			stage: work.StageEntry, what: "the new key goes to the venue and to WISK's support, by mail", next: next, ways: ways,
		})
		for _, kind := range []string{mailCredentials, mailToSupport} {
			if err := r.mail(ctx, kind, entered); err != nil {
				return err
			}
		}
		return r.wait(ctx, standing{
			stage: work.StageEntry, who: "partner", what: "the entry of the new key in WISK (Venue Settings, POS Integrations)", next: next, ways: ways,
		}, entered)
	}
	return nil
}

// finish has the old credential go, or when cancelled the new one.
func (r *rotation) finish(ctx workflow.Context, cancelled bool) (work.ActResult, error) {
	cancelled = cancelled || r.cancelled != nil
	who := work.SteerInput{By: r.in.By, Reason: r.in.Reason, Note: r.in.Note}
	stage, what := work.StageKey, "the old credential is taken away"
	if cancelled {
		stage, what = work.StageUndo, "the new credential is taken away; the old one stays"
		if r.cancelled == nil { // the button's word is still on its way
			by := byTemporalUI()
			r.cancelled = &by
		}
		who = *r.cancelled
	}
	r.bound = "the new credential is in use"
	if err := r.quiet(ctx); err != nil {
		return work.ActResult{}, err
	}
	r.stand(ctx, standing{stage: stage, what: what, next: "the rotation ends"})
	var result work.ActResult
	if err := r.do(ctx, actFinishRotation, work.RotationEnd{
		Case: r.caseID, Cancelled: cancelled, By: who.By, Reason: who.Reason, Note: who.Note,
	}, &result, never); err != nil {
		return work.ActResult{}, err
	}
	r.summary = result.Summary
	if cancelled {
		r.settle(work.Cancelled, who, fmt.Sprintf("Cancelled%s. %s", byPerson(who.By), result.Summary))
		result.Summary = r.summary
	}
	return result, r.close(ctx, false)
}
