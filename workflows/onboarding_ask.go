package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// group are the venues of one contact that are asked with one mail.
type group struct {
	name    string // c1, c2, ...
	contact string
}

// listen takes what the venues tell.
func (o *onboarding) listen(ctx workflow.Context) {
	signals := workflow.NewSelector(ctx)
	receive(ctx, signals, signalReady, func(r caseReport) { o.ready(ctx, r) })
	receive(ctx, signals, signalParked, func(r caseReport) {
		if v := o.byCase[r.Case]; v != nil {
			v.reported = true
			o.show(ctx)
		}
	})
	receive(ctx, signals, signalAnswered, func(r caseReport) {
		if v := o.byCase[r.Case]; v != nil {
			v.reported, v.answered = true, true
			o.show(ctx)
		}
	})
	// A venue that is followed as a child tells the same by ending.
	receive(ctx, signals, signalEnded, func(r work.OnboardingResult) {
		if v := o.byCase[r.Case]; v != nil {
			o.over(ctx, v, r)
		}
	})
	for {
		signals.Select(ctx)
	}
}

// ready notes whom to ask for a venue. With another contact than before it is
// asked anew; with the same one, a mail that could not be sent is tried again.
func (o *onboarding) ready(ctx workflow.Context, r caseReport) {
	v := o.byCase[r.Case]
	if v == nil {
		return
	}
	if v.contact == r.Contact && v.group != "" && !v.asked {
		o.retries++
	}
	if v.contact != r.Contact {
		v.contact, v.group = r.Contact, ""
	}
	v.reported = true
	o.show(ctx)
}

// gather waits for the venues that are to be asked, so that those of one
// contact share a mail: until every venue has told, or for some time. Those
// that come later make groups of their own.
func (o *onboarding) gather(ctx workflow.Context) {
	for first := true; ; first = false {
		if err := workflow.Await(ctx, func() bool { return len(o.toAsk()) > 0 || o.open() == 0 }); err != nil || o.open() == 0 {
			return
		}
		if err := rest(ctx, o.plan.GatherFor, "Gather the venues of one contact", func() bool { return o.complete(first) }); err != nil {
			return
		}
		o.ask(ctx, o.toAsk())
	}
}

// complete tells whether no other venue can come to be asked just now. At first
// those do not count that wait for an operator.
func (o *onboarding) complete(first bool) bool {
	return !slices.ContainsFunc(o.venues, func(v *venueState) bool {
		told := v.ended || v.answered || v.contact != ""
		return !told && (!first || !v.reported)
	})
}

// toAsk are the venues whose contact is known and not yet asked.
func (o *onboarding) toAsk() []*venueState {
	return o.those(func(v *venueState) bool { return v.contact != "" && v.group == "" && !v.answered })
}

// unanswered are the venues of a group that have not said yes or no.
func (o *onboarding) unanswered(g group) []*venueState {
	return o.those(func(v *venueState) bool { return v.group == g.name && !v.answered })
}

// those are the venues that have not ended and are so.
func (o *onboarding) those(so func(*venueState) bool) []*venueState {
	var these []*venueState
	for _, v := range o.venues {
		if !v.ended && o.cancelled == nil && so(v) {
			these = append(these, v)
		}
	}
	return these
}

// ask makes a group of the venues of each contact, and sees to each by itself,
// so that a mail that cannot be sent holds nobody else up.
func (o *onboarding) ask(ctx workflow.Context, venues []*venueState) {
	var made []group
	for _, v := range venues {
		at := slices.IndexFunc(made, func(g group) bool { return g.contact == v.contact })
		if at < 0 {
			o.groups++
			made = append(made, group{name: fmt.Sprintf("c%d", o.groups), contact: v.contact})
			at = len(made) - 1
		}
		v.group, v.asked = made[at].name, false
	}
	for _, g := range made {
		o.beside(ctx, func(ctx workflow.Context) { o.attend(ctx, g) })
	}
	o.show(ctx)
}

// attend asks a group's contact, and reminds while a venue has not answered.
func (o *onboarding) attend(ctx workflow.Context, g group) {
	o.send(ctx, g, 0)
	asked := workflow.Now(ctx)
	for i, after := range o.plan.RemindAfter {
		nobody := func() bool { return len(o.unanswered(g)) == 0 }
		err := rest(ctx, asked.Add(after).Sub(workflow.Now(ctx)), "Remind "+g.name, nobody)
		if err != nil || nobody() {
			return
		}
		o.send(ctx, g, i+1)
	}
}

// send sends a group's mail until it is out, or everybody has answered. Its
// venues know that they are asked, or why they are not.
func (o *onboarding) send(ctx workflow.Context, g group, reminder int) {
	acting := withCase(ctx, o.request, livePriority, g.name)
	var result work.AskResult
	var told work.Code
	o.log(ctx, o.persist(ctx, func() error {
		these := o.unanswered(g)
		if len(these) == 0 {
			return nil
		}
		in := work.AskInput{Request: o.request, Group: g.name, Reminder: reminder}
		for _, v := range these {
			in.Cases = append(in.Cases, v.result.Case)
		}
		return workflow.ExecuteActivity(acting, actAskContact, in).Get(ctx, &result)
	}, func() bool { return len(o.unanswered(g)) == 0 }, func(err error, again time.Duration) {
		o.troubled(ctx, "The mail of "+g.name+" cannot be sent", err, again)
		code, sentence := work.Code(""), ""
		if err != nil {
			code, sentence = explain("", err)
		}
		if reminder > 0 || code == told {
			return
		}
		told = code
		for _, v := range o.unanswered(g) {
			if code != "" {
				o.signal(ctx, v, signalAskFailed, askReport{Code: code, Sentence: sentence})
			}
		}
	}))
	for _, caseID := range result.Asked {
		if v := o.byCase[caseID]; v != nil && reminder == 0 && v.group == g.name {
			v.asked = true
			o.signal(ctx, v, signalAsked, askReport{Group: g.name})
		}
	}
	o.show(ctx)
}
