package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// match finds the venue in Cluster. One match goes on; none or several wait for
// an operator. A venue that has joined an older request, or has its connection,
// ends the case.
func (l *location) match(ctx workflow.Context) error {
	l.stand(ctx, standing{
		stage: work.StageMatch, what: "clusterbridge looks for the venue in Cluster",
		next: "the contact on Cluster's record is asked for the venue's yes or no",
	})
	if err := l.do(ctx, actFindVenue, l.caseInput(), &l.found, never); err != nil {
		return err
	}
	if !l.known() {
		l.tell(ctx, signalParked, caseReport{Case: l.caseID})
		if err := l.wait(ctx, l.whichVenue(), l.known); err != nil {
			return err
		}
	}
	if l.found.TradeName != "" {
		l.name = l.found.TradeName
	}
	switch by := l.chosenBy; {
	case l.found.Connected != "":
		l.settle(work.Connected, by, fmt.Sprintf("%s is connected to %s already, as %s.", l.name, l.partner(), l.found.Connected))
	case l.found.Joined != "":
		l.settle(work.Joined, by, fmt.Sprintf("%s joined the older request %s, which is under way.", l.name, l.found.Joined))
	}
	return nil
}

// known tells whether it is decided which venue is meant.
func (l *location) known() bool {
	return l.found.Serial != "" || l.found.Joined != "" || l.found.Connected != ""
}

func (l *location) whichVenue() standing {
	s := standing{
		stage: work.StageMatch, who: "operator", what: "which of several venues of Cluster's is meant",
		next:       "the contact on Cluster's record is asked for the venue's yes or no",
		ways:       []way{{verb: "onboarding choose", update: work.UpdateChooseLocation}},
		candidates: l.found.Candidates,
	}
	switch {
	case len(l.found.Candidates) == 0:
		s.what = "the venue's serial number, as Cluster has no venue of this name and address"
	case l.found.More:
		s.what = "which of many venues of Cluster's is meant, more than are listed here"
	}
	return s
}

func (l *location) handleMatch(ctx workflow.Context) error {
	return handleAct(ctx, &l.casework, work.UpdateChooseLocation, "Which of Cluster's venues is meant.",
		func() error {
			if err := l.during("which venue is meant is known", work.StageMatch); err != nil {
				return err
			}
			if l.at.who == "" || l.known() {
				return l.refuse("no choice is waited for")
			}
			return nil
		},
		func(ctx workflow.Context, in work.ChooseInput) (work.FindResult, error) {
			act := l.actOf(work.UpdateChooseLocation, in.By, in.Reason, in.Note)
			act.Serial = in.Serial
			var found work.FindResult
			if err := l.perform(ctx, actChooseVenue, act, &found); err != nil {
				return work.FindResult{}, err
			}
			if found.Serial == "" && found.Joined == "" && found.Connected == "" {
				return work.FindResult{}, l.refuse("Cluster has no such venue")
			}
			l.found, l.chosenBy = found, work.SteerInput{By: in.By, Reason: in.Reason, Note: in.Note}
			return found, nil
		})
}

// contact waits for an operator where Cluster's record names nobody to ask.
func (l *location) contact(ctx workflow.Context) error {
	if l.found.Contact != "" {
		return nil
	}
	l.tell(ctx, signalParked, caseReport{Case: l.caseID})
	return l.wait(ctx, standing{
		stage: work.StageContact, who: "operator",
		what: "somebody to ask, as Cluster's record names nobody for this venue (call it back on a number that you know)",
		next: "the contact is asked for the venue's yes or no",
		ways: []way{{verb: "onboarding contact", update: work.UpdateContactEntered}},
	}, func() bool { return l.found.Contact != "" })
}

// handleContact registers ContactEntered. While the venue's answer is waited
// for, another contact is asked anew; later mails go to the new one anyway.
func (l *location) handleContact(ctx workflow.Context) error {
	return l.contactEntered(ctx, func() error {
		if l.at.stage == work.StageMatch {
			return l.refuse("which venue is meant comes first")
		}
		return l.going()
	}, func(ctx workflow.Context, contact string) {
		l.found.Contact = contact
		if l.at.stage == work.StageConfirmation && l.decision == nil {
			l.tell(ctx, signalReady, caseReport{Case: l.caseID, Contact: contact})
		}
	})
}
