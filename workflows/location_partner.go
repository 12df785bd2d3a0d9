package workflows

import (
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// place is the partner's location that the venue is.
type place struct {
	chosen     bool
	answers    int
	hindrances []string // why the last choice could not be
}

// partnersSide has the partner's side set up: WISK is given the key, 7shifts
// gives us a token.
func (l *location) partnersSide(ctx workflow.Context) error {
	if l.plan.TakesToken {
		return l.tokenAndPlace(ctx)
	}
	entered := func() bool { return l.entry != nil }
	l.stand(ctx, standing{
		stage: work.StageEntry, what: "serial number and key go to the venue and to WISK's support, by mail",
		next: "WISK's support, or the venue, enters them", ways: []way{{verb: "onboarding entered", update: work.UpdateRecordEntry}},
	})
	for _, kind := range []string{mailCredentials, mailToSupport} {
		if err := l.mail(ctx, kind, entered); err != nil {
			return err
		}
	}
	return l.wait(ctx, standing{
		stage: work.StageEntry, who: "partner", what: "the entry of serial number and key in WISK (Venue Settings, POS Integrations)",
		next: "the till is tried and the connection goes live", ways: []way{{verb: "onboarding entered", update: work.UpdateRecordEntry}},
	}, entered)
}

// handleEntry registers RecordEntry. What speaks against an entry goes back to
// who recorded it, and the case waits on.
func (l *location) handleEntry(ctx workflow.Context) error {
	return handleAct(ctx, &l.casework, work.UpdateRecordEntry, "WISK's side is entered, with route and modifiers.",
		func() error {
			if l.entry != nil && l.outcome == "" && l.cancelled == nil {
				return l.refuse("it is recorded already")
			}
			return l.during("no entry is waited for", work.StageEntry)
		},
		func(ctx workflow.Context, in work.EntryInput) (work.ActResult, error) {
			act := l.actOf(work.UpdateRecordEntry, in.By, in.Reason, in.Note)
			act.Route, act.Modifiers, act.NoClusterIntegration = in.Route, in.Modifiers, in.NoClusterIntegration
			if err := l.perform(ctx, actRecordEntry, act, nil); err != nil {
				return work.ActResult{}, err
			}
			l.entry = &in
			return done("%s is entered in WISK, route %s.", l.name, in.Route)
		})
}

// tokenAndPlace waits for a good token, and for the location that is chosen
// with it. Another account's token may be pasted instead; it is tried anew.
func (l *location) tokenAndPlace(ctx workflow.Context) error {
	const next = "the venue chooses its location of 7shifts"
	l.stand(ctx, standing{
		stage: work.StageToken, what: "the mail that asks for 7shifts' access token is sent", next: next,
		ways: []way{{update: work.UpdateTryToken, other: tokenPage}},
	})
	if err := l.mail(ctx, mailTokenNeeded, l.tokens.good); err != nil {
		return err
	}
	for !l.place.chosen {
		if err := l.tokens.waitForGood(ctx, next); err != nil {
			return err
		}
		answers, tokens := l.place.answers, l.tokens.ended
		if err := l.wait(ctx, l.whichPlace(), func() bool {
			return l.place.answers != answers || l.tokens.ended != tokens
		}); err != nil {
			return err
		}
		if l.tokens.ended != tokens {
			l.place.hindrances = nil // they were of the other account
		}
	}
	return nil
}

func (l *location) whichPlace() standing {
	s := standing{
		stage: work.StageLocation, who: "venue", what: "which location of 7shifts the venue is, chosen on the page",
		next: "the till is tried and the connection goes live",
		ways: []way{{verb: "onboarding place", update: work.UpdateChoosePartnerLocation}, {update: work.UpdateTryToken, other: tokenPage}},
	}
	if len(l.place.hindrances) > 0 {
		s.problem = "The last choice could not be: " + strings.Join(l.place.hindrances, ", ") + "."
	}
	return s
}

func (l *location) handlePlace(ctx workflow.Context) error {
	return handleAct(ctx, &l.casework, work.UpdateChoosePartnerLocation, "Which location of 7shifts the venue is.",
		func() error {
			if l.place.chosen && l.outcome == "" && l.cancelled == nil {
				return l.refuse("the location is chosen already")
			}
			return l.during("no location is waited for", work.StageLocation)
		},
		func(ctx workflow.Context, in work.PlaceInput) (work.PlaceResult, error) {
			act := l.actOf(work.UpdateChoosePartnerLocation, in.By, in.Reason, in.Note)
			act.Location, act.ReceiptDate = in.Location, in.ReceiptDate
			var result work.PlaceResult
			if err := l.perform(ctx, actCheckPlace, act, &result); err != nil {
				return work.PlaceResult{}, err
			}
			l.place.answers++
			l.place.hindrances, l.place.chosen = result.Hindrances, len(result.Hindrances) == 0
			return result, nil
		})
}
