package onboarding

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Ask sends one contact the question for all its venues, or a reminder. Cases
// that were answered or have ended are left out, and those that have another
// contact by now; with none left nothing is sent. The question is asked in both
// languages, the venue's first.
func (r *Room) Ask(ctx context.Context, in work.AskInput) (work.AskResult, error) {
	group := in.Request + ":" + in.Group
	waiting, err := r.waiting(ctx, in.Cases)
	if err != nil || len(waiting) == 0 {
		return work.AskResult{}, err
	}
	if waiting, err = r.asked(ctx, waiting, group); err != nil {
		return work.AskResult{}, err
	}
	first := waiting[0]
	message, err := r.question(first, waiting, group)
	if err != nil {
		return work.AskResult{}, err
	}
	key := groupMails(in.Request, group)
	var sent mail.Message = message
	if in.Reminder > 0 {
		sent = mail.ConfirmationReminder{ConfirmationRequest: message, Asked: first.Data.AskedAt.In(r.Zone(first))}
		key += fmt.Sprintf("/reminder/%d", in.Reminder)
	}
	result := work.AskResult{Asked: ids(waiting)}
	return result, r.toContact(ctx, key, first, sent, bothLanguages(Lang(first))...)
}

// waiting are those cases that have not been answered, of one contact. Where it
// was replaced for one of them a moment ago, the others' counts, who was known
// first: nobody gets to read, or to answer for, another's venue.
func (r *Room) waiting(ctx context.Context, caseIDs []string) ([]ledger.Case, error) {
	var found []ledger.Case
	for _, id := range caseIDs {
		c, err := r.Ledger.Case(ctx, id)
		if err != nil {
			return nil, err
		}
		if c.Outcome == "" && c.Data.Decision == "" {
			found = append(found, c)
		}
	}
	if len(found) == 0 {
		return nil, nil
	}
	known := slices.MinFunc(found, func(a, b ledger.Case) int { return a.Data.ContactAt.Compare(b.Data.ContactAt) })
	return slices.DeleteFunc(found, func(c ledger.Case) bool { return c.ContactKey != known.ContactKey }), nil
}

// asked notes of cases that they are asked in a group, and when, once: the
// link's end is a function of it, and the same for all.
func (r *Room) asked(ctx context.Context, cases []ledger.Case, group string) ([]ledger.Case, error) {
	at := r.Clock.Now().Truncate(time.Second)
	for _, c := range cases {
		if c.Group == group {
			at = c.Data.AskedAt
		}
	}
	for i, c := range cases {
		if c.Group == group {
			continue
		}
		var err error
		if cases[i], err = r.Ledger.ChangeCase(ctx, c.ID, func(c *ledger.Case) (ledger.Entry, error) {
			if c.Group == group {
				return ledger.Entry{}, nil // another worker was faster
			}
			c.Group = group
			if !slices.Contains(c.Data.Groups, group) {
				c.Data.Groups = append(c.Data.Groups, group)
			}
			c.Data.AskedAt, c.Data.ExpiresAt = at, at.Add(r.Settings.Plan.ExpireAfter)
			return entry(program, actAsked, ""), nil
		}); err != nil {
			return nil, err
		}
	}
	return cases, nil
}

// groupMails is the key of a group's mails, with which those of its reminders
// begin: "onboarding:<request>/confirm/c1".
func groupMails(request, group string) string {
	return "onboarding:" + request + "/confirm/" + strings.TrimPrefix(group, request+":")
}

func (r *Room) question(first ledger.Case, waiting []ledger.Case, group string) (mail.ConfirmationRequest, error) {
	open, err := r.link(link.Confirm, group, link.Venue, first.Data.ExpiresAt)
	if err != nil {
		return mail.ConfirmationRequest{}, err
	}
	fee, err := r.Charge(first.Partner)
	if err != nil {
		return mail.ConfirmationRequest{}, err
	}
	_, token := r.takesToken(first.Partner)
	return mail.ConfirmationRequest{
		Partner: mail.Partner(first.Partner), AskedBy: Asker(first), Venues: venues(waiting), Employees: token,
		Fee: fee, Link: open, Expires: first.Data.ExpiresAt.In(r.Zone(first)),
	}, nil
}

// Asker is who asked for a case.
func Asker(c ledger.Case) mail.Asker {
	if c.Data.Requester == work.VenueAdmin {
		return mail.VenueAdmin
	}
	return mail.PartnerSupport
}

func ids(cases []ledger.Case) []string {
	all := make([]string, len(cases))
	for i, c := range cases {
		all[i] = c.ID
	}
	return all
}

func bothLanguages(first words.Lang) []words.Lang {
	if first == words.English {
		return []words.Lang{words.English, words.French}
	}
	return words.Langs
}

// toContact sends a message to a case's contact, once per key and contact.
func (r *Room) toContact(ctx context.Context, key string, c ledger.Case, m mail.Message, langs ...words.Lang) error {
	to, err := r.contact(ctx, c)
	if err != nil {
		return err
	}
	if to.Email == "" {
		return work.Err(work.MailRefused, "no contact of the venue is known")
	}
	composed, err := r.Composer.Compose(m, langs...)
	if err != nil {
		return err
	}
	if c.Data.ContactNth > 0 {
		key += fmt.Sprintf("/contact/%d", c.Data.ContactNth) // another recipient is another mail
	}
	return r.Outbox.Send(ctx, key, vault.NewSecret(to.Email), composed)
}

// Decide records a venue's yes or no. The same answer may come again; another
// is BadInput.
func (r *Room) Decide(ctx context.Context, in work.CaseAct) error {
	_, err := r.Ledger.ChangeCase(ctx, in.Case, func(c *ledger.Case) (ledger.Entry, error) {
		switch {
		case c.Data.Decision == in.Decision:
			return ledger.Entry{}, nil
		case c.Data.Decision != "":
			return ledger.Entry{}, work.Err(work.BadInput, "it was answered already: "+c.Data.Decision)
		}
		if err := open(*c); err != nil {
			return ledger.Entry{}, err
		}
		c.Data.Decision, c.Data.Why, c.Data.DecidedBy, c.Data.DecidedAt = in.Decision, in.Why, in.By, r.Clock.Now()
		e := entry(actor(in.By, in.Reason, in.Note), actDecision, in.Decision)
		e.Old = in.Why
		return e, nil
	})
	return err
}
