package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// askedAt is what the Onboarding told of the mail to the venue's contact.
type askedAt struct {
	group  string
	at     time.Time // zero before it is out
	failed askReport // why the last try failed
}

// out notes that the mail is out. With another contact the time to answer
// begins anew; that a mail went out once more does not change it.
func (a *askedAt) out(group string, now time.Time) {
	a.failed = askReport{}
	if a.at.IsZero() || group != a.group {
		a.group, a.at = group, now
	}
}

// confirmation waits for the venue's yes or no. The Onboarding sends the mail,
// since venues with one contact share one; the time to answer begins when it is
// out. An operator may answer for the venue at once.
func (l *location) confirmation(ctx workflow.Context) error {
	decided := func() bool { return l.decision != nil }
	if err := l.untilAsked(ctx, decided); err != nil {
		return err
	}
	if err := l.untilDecided(ctx, decided); err != nil {
		return err
	}
	if !decided() {
		l.settle(work.Expired, work.SteerInput{}, fmt.Sprintf("Nobody at %s answered in time.", l.name))
		return l.lastMail(ctx, mailExpired)
	}
	l.tell(ctx, signalAnswered, caseReport{Case: l.caseID, Contact: l.found.Contact})
	if l.decision.Decision != work.Decline {
		return nil
	}
	d := l.decision
	summary := l.name + " declined"
	if d.Why != "" {
		summary += " (" + d.Why + ")"
	}
	if who := byPerson(d.By); who != "" {
		summary += ", entered" + who
	}
	l.settle(work.Declined, work.SteerInput{By: d.By, Reason: d.Reason, Note: d.Note}, summary+".")
	return l.lastMail(ctx, mailDeclined)
}

// lastMail tells the venue how its case ended.
func (l *location) lastMail(ctx workflow.Context, kind string) error {
	l.stand(ctx, standing{stage: work.StageConfirmation, what: "the venue is told by mail how it ended", next: "the onboarding ends: " + l.summary})
	return l.mail(ctx, kind, never)
}

// untilAsked waits until the mail is out, and shows why it is not.
func (l *location) untilAsked(ctx workflow.Context, decided func() bool) error {
	l.stand(ctx, l.toBeAsked())
	l.tell(ctx, signalReady, caseReport{Case: l.caseID, Contact: l.found.Contact})
	for !decided() && l.asked.at.IsZero() {
		failed, retries := l.asked.failed, l.retries
		if err := l.wait(ctx, l.toBeAsked(), func() bool {
			return decided() || !l.asked.at.IsZero() || l.asked.failed != failed || l.retries != retries
		}); err != nil {
			return err
		}
		if l.retries != retries && !decided() {
			l.tell(ctx, signalReady, caseReport{Case: l.caseID, Contact: l.found.Contact})
		}
	}
	return nil
}

// untilDecided waits for the answer, or the end of the time for it.
func (l *location) untilDecided(ctx workflow.Context, decided func() bool) error {
	for in := true; in && !decided(); {
		asked := l.asked.at
		expires := asked.Add(l.plan.ExpireAfter)
		var err error
		in, err = l.waitFor(ctx, l.yesOrNo(expires), expires.Sub(workflow.Now(ctx)), "Expires",
			func() bool { return decided() || l.asked.at != asked })
		if err == nil && !in {
			err = l.quiet(ctx) // an answer may be on its way into the ledger
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var decideWays = []way{{verb: "onboarding confirm", update: work.UpdateDecide}, {verb: "onboarding decline", update: work.UpdateDecide}}

func (l *location) toBeAsked() standing {
	s := standing{
		stage: work.StageConfirmation, what: "the contact's mail is made ready, one for all its venues of this request",
		next: "the contact says yes or no by the link in the mail; an operator may for the venue, with handle and reason",
		ways: decideWays, problem: l.asked.failed.Sentence, code: l.asked.failed.Code,
	}
	if s.code != "" {
		s.who, s.what, s.again = work.WaitingFor(s.code), "the contact's mail, which could not be sent yet", true
		s.ways = append([]way{{verb: "onboarding contact", update: work.UpdateContactEntered}}, decideWays...)
	}
	return s
}

func (l *location) yesOrNo(expires time.Time) standing {
	next := "after a yes the way to the till is opened"
	if l.plan.Fee {
		next = "after a yes the fee is invoiced"
	}
	return standing{
		stage: work.StageConfirmation, who: "venue", what: "the venue's yes or no, by the link in the mail to its contact",
		next: next + "; without an answer the request expires at " + until(expires), ways: decideWays,
	}
}

func (l *location) handleDecide(ctx workflow.Context) error {
	return handleAct(ctx, &l.casework, work.UpdateDecide, "The venue's yes or no, or an operator's for it.",
		func() error {
			if l.decision != nil && l.outcome == "" && l.cancelled == nil {
				return l.refuse("the answer is known already: " + l.decision.Decision)
			}
			return l.during("no answer is waited for", work.StageConfirmation)
		},
		func(ctx workflow.Context, in work.DecideInput) (work.ActResult, error) {
			act := l.actOf(work.UpdateDecide, in.By, in.Reason, in.Note)
			act.Decision, act.Why = in.Decision, in.Why
			if err := l.perform(ctx, actRecordDecision, act, nil); err != nil {
				return work.ActResult{}, err
			}
			l.decision = &in
			if in.Decision == work.Decline {
				return done("%s declined; nothing is set up.", l.name)
			}
			return done("%s confirmed; its setting up goes on.", l.name)
		})
}
