package onboarding

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Plan writes a request down and tells what the settings say about its partner.
// BadInput when the settings do not allow it, or the request's number was used
// for another one.
func (r *Room) Plan(ctx context.Context, in work.OnboardingStart) (work.OnboardingPlan, error) {
	plan, err := r.PlanFor(in.Input.Partner)
	if err != nil {
		return plan, err
	}
	_, request, _ := strings.Cut(in.Request, ":")
	cases := make([]ledger.Case, len(in.Input.Venues))
	for i, v := range in.Input.Venues {
		id := work.CaseID(in.Input.Partner, request, i+1)
		cases[i] = ledger.Case{
			ID: id, Workflow: work.LocationOnboardingID(id), Request: in.Request, Partner: in.Input.Partner,
			Data: ledger.CaseData{
				Requester: in.Input.Requester, Route: in.Input.Route, By: in.Input.By, Asked: v, Round: 1,
				Stage: work.StageMatch, Since: r.Clock.Now(),
			},
		}
	}
	before, err := r.Ledger.CasesOf(ctx, in.Request)
	if err != nil {
		return plan, err
	}
	if len(before) > 0 && !sameRequest(before, cases) {
		return plan, work.Err(work.BadInput, "request "+request+" was made before, for something else; take another number")
	}
	return plan, r.Ledger.AddCases(ctx, cases, ledger.Actor{Handle: in.Input.By, Note: in.Input.Note})
}

func sameRequest(a, b []ledger.Case) bool {
	return slices.EqualFunc(a, b, func(a, b ledger.Case) bool {
		return a.ID == b.ID && a.Data.Asked == b.Data.Asked && a.Data.Requester == b.Data.Requester && a.Data.Route == b.Data.Route
	})
}

// PlanFor is the plan of a partner.
func (r *Room) PlanFor(partnerName string) (work.OnboardingPlan, error) {
	plan := r.Settings.Plan
	if _, ok := r.Partners[partnerName]; !ok {
		return plan, work.Err(work.BadInput, "this worker does not know the partner "+partnerName)
	}
	fee, stated := r.Settings.Fees[partnerName]
	if !stated {
		return plan, work.Err(work.BadInput, fmt.Sprintf("the fee of %s is not set: see CLUSTERBRIDGE_FEE_%s in: clusterbridge settings",
			partnerName, strings.ToUpper(partnerName)))
	}
	plan.Fee = fee > 0
	_, plan.TakesToken = r.takesToken(partnerName)
	return plan, nil
}

// Acknowledge tells the partner's support that its request has come in. A
// venue's admin sees so where it was made, and gets the question itself: mail
// goes to no address but those on Cluster's record and in our settings.
func (r *Room) Acknowledge(ctx context.Context, in work.RequestInput) (work.MailResult, error) {
	cases, err := r.Ledger.CasesOf(ctx, in.Request)
	if err != nil || len(cases) == 0 {
		return work.MailResult{}, err
	}
	support := r.Settings.Supports[cases[0].Partner]
	if cases[0].Data.Requester != work.PartnerSupport || support.Address == "" {
		return work.MailResult{}, nil
	}
	status, err := r.link(link.Status, cases[0].ID, link.Support, cases[0].CreatedAt.Add(r.Settings.StatusFor))
	if err != nil {
		return work.MailResult{}, err
	}
	if len(cases) > 1 {
		status = "" // a page is about one venue
	}
	_, request, _ := strings.Cut(in.Request, ":")
	composed, err := r.Composer.Compose(mail.RequestAcknowledged{
		Partner: mail.Partner(cases[0].Partner), Venues: venues(cases), Reference: request, Status: status,
	}, support.Language)
	if err != nil {
		return work.MailResult{}, err
	}
	key := "onboarding:" + in.Request + "/" + string(mail.KindRequestAcknowledged)
	return work.MailResult{Readers: 1}, r.Outbox.Send(ctx, key, vault.NewSecret(support.Address), composed)
}

func venues(cases []ledger.Case) []mail.Venue {
	all := make([]mail.Venue, len(cases))
	for i, c := range cases {
		all[i] = Venue(c)
	}
	return all
}

// Venue is a case's venue, as mails and pages name it.
func Venue(c ledger.Case) mail.Venue {
	return mail.Venue{Name: c.Name(), Address: cmp.Or(c.Data.Venue.Address, c.Data.Asked.Address)}
}

// NoteStage mirrors where a case stands; with an Outcome it has ended. Of one
// that made no connection nothing is kept by which its venue could be written to
// or entered.
func (r *Room) NoteStage(ctx context.Context, in work.StageNote) error {
	c, err := r.Ledger.ChangeCase(ctx, in.Case, func(c *ledger.Case) (ledger.Entry, error) {
		d := &c.Data
		if d.Stage != in.Stage || d.WaitingFor != in.WaitingFor {
			d.Since = r.Clock.Now()
		}
		d.Stage, d.WaitingFor, d.What, d.Code = in.Stage, in.WaitingFor, in.What, in.Code
		if in.Outcome == "" || c.Outcome != "" {
			return ledger.Entry{}, nil
		}
		return r.end(c, in.Outcome, actor(cmp.Or(in.By, ledger.Program), in.Reason, in.Note)), nil
	})
	if err != nil || c.Outcome == "" || c.Outcome == work.WentLive {
		return err
	}
	return r.forgetCase(ctx, c)
}

// end ends a case.
func (r *Room) end(c *ledger.Case, outcome work.Outcome, by ledger.Actor) ledger.Entry {
	c.Outcome, c.Data.EndedAt = outcome, r.Clock.Now()
	return entry(by, actEnd, string(outcome))
}

// openCase is a case that has not ended.
func (r *Room) openCase(ctx context.Context, id string) (ledger.Case, error) {
	c, err := r.Ledger.Case(ctx, id)
	if err == nil {
		err = open(c)
	}
	return c, err
}

// open refuses a case that has ended.
func open(c ledger.Case) error {
	if c.Outcome != "" {
		return work.Err(work.BadInput, fmt.Sprintf("the onboarding of %s has ended: %s", c.Name(), c.Outcome))
	}
	return nil
}
