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
	result, err := r.run(r.open(ctx))
	if temporal.IsCanceledError(err) {
		result, err = r.takeBack(lasting(ctx))
	}
	if err != nil {
		return work.ActResult{}, failAct(ctx, r.connection, err)
	}
	return result, typed(r.connection, r.close(lasting(ctx)))
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
	r.mends = map[work.Code]way{work.MailRefused: {verb: "onboarding contact", update: work.UpdateContactEntered}}
	return typed(r.connection, errors.Join(r.steered(ctx), r.handle(ctx), r.tokens.handle(ctx, work.StageToken),
		workflow.UpsertTypedSearchAttributes(ctx, about(r.connection)...)))
}

func (r *rotation) handle(ctx workflow.Context) error {
	return errors.Join(
		r.contactEntered(ctx, func() error { return r.refuse("no contact is waited for") }, func(workflow.Context, string) {}),
		handleAct(ctx, &r.casework, work.UpdateCredentialsEntered, "An operator has put in the new key.",
			func() error { return r.during("no key is waited for", work.StageKey) },
			func(workflow.Context, work.SteerInput) (work.ActResult, error) {
				r.keyIn++
				return done("The key is tried.")
			}),
		handleAct(ctx, &r.casework, work.UpdateKeyEntered, "The partner uses the new key.",
			func() error { return r.during("no entry is waited for", work.StageEntry) },
			func(workflow.Context, work.SteerInput) (work.ActResult, error) {
				r.entered = true
				return done("The new key is in use; the old one goes.")
			}),
	)
}

// run makes the new credential, waits until it is in use, and has the old one
// go.
func (r *rotation) run(ctx workflow.Context) (result work.ActResult, err error) {
	for first := true; ; first = false {
		begun, err := r.begin(ctx, first)
		if err != nil {
			return result, err
		}
		if begun.Waits != work.RotationKey {
			return r.replace(ctx, begun.Waits)
		}
		keyIn := r.keyIn
		if err := r.wait(ctx, standing{
			stage: work.StageKey, who: "operator", what: "the new API key, which an operator puts in on standard input",
			next: "it is tried", ways: []way{{verb: "credentials put", update: work.UpdateCredentialsEntered}},
		}, func() bool { return r.keyIn != keyIn }); err != nil {
			return result, err
		}
	}
}

// replace waits until the new credential is in use, and has the old one go. A
// token that opens another account is good and still of no use: the venue has
// to paste one that opens this connection's location.
func (r *rotation) replace(ctx workflow.Context, waits string) (result work.ActResult, err error) {
	who := work.SteerInput{By: r.in.By, Reason: r.in.Reason, Note: r.in.Note}
	for {
		if err := r.untilInUse(ctx, waits); err != nil {
			return result, err
		}
		if ctx.Err() != nil {
			return result, ctx.Err()
		}
		r.bound = "the new credential is in use"
		r.stand(ctx, standing{stage: r.at.stage, what: "the old credential is taken away", next: "the rotation ends"})
		unfit := false
		ending := lasting(ctx)
		err := r.keepOn(ending, func() error {
			err := r.finish(ending, false, who, &result)
			if code, _ := explain(r.connection, err); err != nil && waits == work.RotationToken && code == work.BadInput {
				unfit, err = true, nil
			}
			return err
		}, never)
		if err != nil || !unfit {
			r.settle(work.WentLive, work.SteerInput{}, result.Summary)
			return result, err
		}
		r.bound = ""
		r.tokens.reject("The last token does not open this connection's location of 7shifts; the venue pastes one that does.")
	}
}

// finish has the old credential go, or when cancelled the new one.
func (r *rotation) finish(ctx workflow.Context, cancelled bool, who work.SteerInput, result *work.ActResult) error {
	acting := withCase(ctx, r.caseID, personPriority, "")
	return workflow.ExecuteActivity(acting, actFinishRotation, work.RotationEnd{
		Case: r.caseID, Cancelled: cancelled, By: who.By, Reason: who.Reason, Note: who.Note,
	}).Get(ctx, result)
}

// takeBack has the new credential go. Where the ledger knows of no rotation,
// none was begun.
func (r *rotation) takeBack(ctx workflow.Context) (result work.ActResult, err error) {
	if r.cancelled == nil { // the button's word is still on its way
		by := byTemporalUI()
		r.cancelled = &by
	}
	who := *r.cancelled
	if err := r.quiet(ctx); err != nil {
		return result, err
	}
	r.stand(ctx, standing{stage: work.StageUndo, what: "the new credential is taken away; the old one stays", next: "the rotation ends"})
	err = r.keepOn(ctx, func() error {
		err := r.finish(ctx, true, who, &result)
		if code, _ := explain(r.connection, err); err != nil && !r.kept && code == work.BadInput {
			result.Summary = "Nothing had been begun."
			return nil
		}
		r.kept = r.kept || err == nil
		return err
	}, never)
	r.settle(work.Cancelled, who, fmt.Sprintf("Cancelled%s. %s", byPerson(who.By), result.Summary))
	result.Summary = r.summary
	return result, err
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
	if err = errors.Join(err, hopeless); err != nil {
		return begun, err
	}
	r.plans(begun.Plan)
	r.kept = true
	return begun, nil
}

// untilInUse waits until the new credential is in use where it is to be.
func (r *rotation) untilInUse(ctx workflow.Context, waits string) error {
	const next = "the new credential takes the place of the old one"
	switch waits {
	case work.RotationToken:
		r.stand(ctx, standing{
			stage: work.StageToken, what: "the mail that asks for a new access token is sent", next: next, ways: []way{{update: work.UpdateTryToken, other: tokenPage}},
		})
		if err := r.mail(ctx, mailTokenNeeded, r.tokens.good); err != nil {
			return err
		}
		return r.tokens.waitForGood(ctx, next)
	case work.RotationEntry:
		ways := []way{{update: work.UpdateKeyEntered, verb: "onboarding key-entered"}}
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
