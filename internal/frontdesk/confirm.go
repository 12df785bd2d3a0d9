package frontdesk

import (
	"context"
	"time"

	"github.com/clustersystems/clusterbridge/internal/gateway/pages"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Confirmation implements pages.Desk; the subject is a group of cases.
func (d *Desk) Confirmation(ctx context.Context, subject string) (pages.Confirmation, error) {
	cases, err := d.Room.Ledger.CasesOf(ctx, subject)
	if err != nil {
		return pages.Confirmation{}, err
	}
	if len(cases) == 0 {
		return pages.Confirmation{}, pages.ErrGone
	}
	first := cases[0]
	fee, err := d.Room.Charge(first.Partner)
	if err != nil {
		return pages.Confirmation{}, err
	}
	page := pages.Confirmation{
		Partner: mail.Partner(first.Partner), AskedBy: onboarding.Asker(first), Employees: first.Partner == work.SevenShifts,
		Expires: first.Data.ExpiresAt.In(d.Room.Zone(first)),
	}
	for _, c := range cases {
		state, at := answered(c)
		page.Venues = append(page.Venues, pages.VenueToConfirm{
			ID: c.ID, Venue: onboarding.Venue(c), Fee: fee, State: state, At: at.In(d.Room.Zone(c)),
			ByOperator: c.Data.DecidedBy != "" && c.Data.DecidedBy != work.ByVenue,
		})
	}
	return page, nil
}

// answered is what became of the question about a case, and when.
func answered(c ledger.Case) (pages.Answered, time.Time) {
	switch {
	case c.Data.Decision == work.Confirm:
		return pages.Confirmed, c.Data.DecidedAt
	case c.Data.Decision == work.Decline:
		return pages.Declined, c.Data.DecidedAt
	case c.Outcome == work.Expired:
		return pages.Expired, c.Data.EndedAt
	case c.Outcome != "":
		return pages.Withdrawn, c.Data.EndedAt
	}
	return pages.Open, time.Time{}
}

// Decide implements pages.Desk.
func (d *Desk) Decide(ctx context.Context, subject string, in pages.Decision) error {
	c, err := d.Room.Ledger.Case(ctx, in.Venue)
	if hasCode(err, work.BadInput) || err == nil && c.Group != subject {
		return pages.ErrGone // the form was not ours
	}
	if err != nil {
		return err
	}
	switch state, _ := answered(c); state {
	case pages.Open:
	case pages.Confirmed, pages.Declined:
		return pages.ErrDone
	default:
		return pages.ErrGone
	}
	by := byVenue("on the page for confirming")
	decision := work.DecideInput{Decision: work.Decline, Why: string(in.Reason), By: by.By, Reason: by.Reason, Note: by.Note}
	if in.Yes {
		decision.Decision, decision.Why = work.Confirm, ""
	}
	err = d.tell(ctx, c, work.UpdateDecide, decision, nil)
	if !hasCode(err, work.BadInput) {
		return err
	}
	// Somebody was faster: what became of it says which answer is right.
	if c, again := d.Room.Ledger.Case(ctx, in.Venue); again == nil && c.Data.Decision != "" {
		return pages.ErrDone
	}
	return pages.ErrGone
}

// ContactPage implements pages.Desk; the subject is a case.
func (d *Desk) ContactPage(ctx context.Context, subject string) (pages.ContactPage, error) {
	c, err := d.open(ctx, subject)
	if err != nil {
		return pages.ContactPage{}, err
	}
	zone := d.Room.Zone(c)
	return pages.ContactPage{
		Partner: mail.Partner(c.Partner), Venue: onboarding.Venue(c), Lang: onboarding.Lang(c), Expires: c.CreatedAt.Add(onePage).In(zone),
		// One that is kept, but of which the workflow was not told, is entered again.
		Done: c.Data.ContactBy != "" && c.Data.ContactTold == c.ContactKey, At: c.Data.ContactAt.In(zone), By: c.Data.ContactBy,
	}, nil
}

// onePage is how long an operator's link to a page is good at most.
const onePage = 30 * 24 * time.Hour

// open finds a case that has not ended.
func (d *Desk) open(ctx context.Context, subject string) (ledger.Case, error) {
	c, err := d.Room.Ledger.Case(ctx, subject)
	if hasCode(err, work.BadInput) || err == nil && c.Outcome != "" {
		return c, pages.ErrGone
	}
	return c, err
}

// Contact keeps whom to ask, and tells the case's workflow.
func (d *Desk) Contact(ctx context.Context, c ledger.Case, in pages.ContactEntry) error {
	if err := d.Room.EnterContact(ctx, onboarding.NewContact{
		Case: c.ID, Name: in.Name, Email: in.Email, Language: in.Lang, By: in.By, Note: in.Note,
	}); err != nil {
		return err
	}
	return d.tell(ctx, c, work.UpdateContactEntered, work.SteerInput{By: in.By, Reason: "venue_asked", Note: in.Note}, nil)
}
