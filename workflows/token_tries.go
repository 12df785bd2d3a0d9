package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// tokenTries are the tries of a partner's token, which the venue pastes on its
// page. The token itself lies in the vault and never passes here.
type tokenTries struct {
	*casework
	tries int    // begun in all; they number the activity's
	ended int    // of them
	wrong int    // since an operator last gave new tries
	said  string // of the last token, one of the Token constants
	unfit string // why a good one could not be used
}

// tokenPage is where a token is pasted.
const tokenPage = "the page that the mail names"

func (t *tokenTries) good() bool { return t.said == work.TokenGood }

// left is how many wrong tokens there may still be.
func (t *tokenTries) left() int { return max(max(t.plan.TokenTries, 1)-t.wrong, 0) }

// handle registers the Update TryToken for the stages in which a token makes
// sense.
func (t *tokenTries) handle(ctx workflow.Context, stages ...work.Stage) error {
	return handleAct(ctx, t.casework, work.UpdateTryToken, "The venue has pasted a token; it is tried.",
		func() error {
			if err := t.during("no token is waited for", stages...); err != nil {
				return err
			}
			if t.left() == 0 {
				return t.refuse("too many tokens were wrong")
			}
			return nil
		}, t.try)
}

func (t *tokenTries) try(ctx workflow.Context, in work.SteerInput) (work.TokenResult, error) {
	t.tries++
	var result work.TokenResult
	if err := t.perform(ctx, actCheckToken, work.TokenTry{Case: t.caseID, Try: t.tries, By: in.By}, &result); err != nil {
		return work.TokenResult{}, err
	}
	t.ended++
	t.unfit = ""
	switch t.said = result.Verdict; t.said {
	case work.TokenGood:
		t.wrong = 0
	case work.TokenWrong:
		t.wrong++
	}
	result.Left = t.left()
	return result, nil
}

// reject has another token waited for, since the good one could not be used.
func (t *tokenTries) reject(why string) { t.said, t.unfit = "", why }

// waitForGood waits until a token is good. After too many wrong ones an
// operator has to give new tries.
func (t *tokenTries) waitForGood(ctx workflow.Context, next string) error {
	for !t.good() {
		ended, retries := t.ended, t.retries
		if t.left() > 0 {
			if err := t.wait(ctx, t.awaited(next), func() bool { return t.ended != ended }); err != nil {
				return err
			}
			continue
		}
		if err := t.wait(ctx, t.blocked(next), func() bool { return t.retries != retries }); err != nil {
			return err
		}
		t.wrong, t.said = 0, ""
	}
	return nil
}

func (t *tokenTries) awaited(next string) standing {
	s := standing{
		stage: work.StageToken, who: "venue", what: "7shifts' access token, which the venue's admin pastes on the page of the mail",
		next: next, ways: []way{{update: work.UpdateTryToken, other: tokenPage}},
	}
	switch t.said {
	case "":
		s.problem = t.unfit
	case work.TokenWrong:
		s.problem, s.code = fmt.Sprintf("7shifts refuses the last token; %d of %d tries are left.", t.left(), max(t.plan.TokenTries, 1)), work.PartnerToken
	case work.TokenPlan:
		s.problem, s.code = work.Problems[work.PartnerPlan].Title+" Have the venue check its plan with 7shifts and paste the token again.", work.PartnerPlan
	}
	return s
}

func (t *tokenTries) blocked(next string) standing {
	return standing{
		stage: work.StageToken, who: "operator", what: "a talk with the venue, of whose tokens too many were wrong",
		next: "a Retry gives new tries; then " + next, again: true,
		problem: fmt.Sprintf("7shifts refused %d tokens.", t.wrong), code: work.PartnerToken,
	}
}
