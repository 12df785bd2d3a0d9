package onboarding

import (
	"context"
	"fmt"
	"slices"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// BeginOffboarding disconnects a connection: from here on nothing of it is
// pulled or sent.
func (r *Room) BeginOffboarding(ctx context.Context, in work.OffboardStep) (work.ActResult, error) {
	changed, err := r.Ledger.SetState(ctx, in.Connection, work.Disconnected, actor(in.By, in.Reason, in.Note))
	if err != nil || !changed {
		return work.ActResult{Summary: in.Connection + " was disconnected already."}, err
	}
	return work.ActResult{Summary: in.Connection + " is disconnected.", Changed: 1}, nil
}

// SendOffboarded tells the venue's contact that the connection has ended, where
// one is known.
func (r *Room) SendOffboarded(ctx context.Context, in work.OffboardStep) (work.MailResult, error) {
	c, there, err := r.Ledger.CaseOfConnection(ctx, in.Connection)
	if err != nil || !there || c.ContactKey == "" {
		return work.MailResult{}, err
	}
	connection, err := r.Ledger.Connection(ctx, in.Connection)
	if err != nil {
		return work.MailResult{}, err
	}
	message := mail.Offboarded{Partner: mail.Partner(c.Partner), Venue: Venue(c), Ended: connection.StateSince.In(r.Zone(c))}
	// The end's instant tells one offboarding from a later one.
	key := fmt.Sprintf("%s/%d", offboardMails(in.Connection), connection.StateSince.Unix())
	return work.MailResult{Readers: 1}, r.toContact(ctx, key, c, message, Lang(c))
}

func offboardMails(connection string) string { return "offboard:" + connection }

// Forget deletes what only the connection needed: the partner's credential, its
// key to the till and ours where nothing else reads it, and whom to write to.
// What was sold and sent stays: wages were computed with it.
func (r *Room) Forget(ctx context.Context, in work.OffboardStep) (work.ActResult, error) {
	connection, err := r.Ledger.Connection(ctx, in.Connection)
	if err != nil {
		return work.ActResult{}, err
	}
	if connection.State != work.Disconnected {
		return work.ActResult{}, work.Err(work.ConnectionNotLive, "it is not disconnected")
	}
	if connection.Secret != "" {
		if err := r.Vault.Delete(ctx, connection.Secret); err != nil {
			return work.ActResult{}, err
		}
	}
	if err := r.forgetKeys(ctx, connection); err != nil {
		return work.ActResult{}, err
	}
	forgotten, err := r.forgetPeople(ctx, in.Connection)
	return work.ActResult{Summary: fmt.Sprintf("Credentials are deleted; %d contacts are forgotten.", forgotten), Changed: forgotten}, err
}

// forgetKeys withdraws the keys to a connection's till, and to those that stood
// there before, which nothing else needs.
func (r *Room) forgetKeys(ctx context.Context, connection ledger.Connection) error {
	l := connection.Location
	serials, err := r.Ledger.Serials(ctx, l.ID)
	if err != nil {
		return err
	}
	for _, holder := range []string{connection.PartnerName, ledger.OurHolder} {
		needed, err := r.needed(ctx, l.Serial, holder)
		if err != nil {
			return err
		}
		if needed {
			continue
		}
		if holder == ledger.OurHolder && l.Secret != "" {
			if err := r.Vault.Delete(ctx, l.Secret); err != nil {
				return err
			}
			if err := r.Ledger.SetLocationSecret(ctx, l.ID, "", program); err != nil {
				return err
			}
		}
		for _, s := range serials {
			if err := r.withdrawAll(ctx, s.Serial, holder, l.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// forgetPeople forgets whom the onboardings of a connection wrote to. A mail to
// a contact of several venues is forgotten with the last of them. An onboarding
// that is open has begun anew.
func (r *Room) forgetPeople(ctx context.Context, connection string) (int, error) {
	cases, err := r.forgettable(ctx, connection)
	if err != nil {
		return 0, err
	}
	for _, c := range cases {
		if err := r.forgetCase(ctx, c); err != nil {
			return 0, err
		}
	}
	_, err = r.Outbox.Purge(ctx, offboardMails(connection))
	return len(cases), err
}

// forgettable are a connection's onboardings that have ended, and all its
// rotations.
func (r *Room) forgettable(ctx context.Context, connection string) ([]ledger.Case, error) {
	cases, err := r.Ledger.CasesOfConnection(ctx, connection)
	return slices.DeleteFunc(cases, func(c ledger.Case) bool { return c.Outcome == "" && c.Data.Rotates == "" }), err
}

// forgetCase forgets a case's contact, with the mails to it, and its secrets.
func (r *Room) forgetCase(ctx context.Context, c ledger.Case) error {
	if err := r.Ledger.ForgetContact(ctx, c.ID); err != nil {
		return err
	}
	if err := r.forgetSecrets(ctx, c); err != nil {
		return err
	}
	if _, err := r.Outbox.Purge(ctx, work.LocationOnboardingID(c.ID)); err != nil {
		return err
	}
	ended, err := r.groupsEnded(ctx, c)
	if err != nil {
		return err
	}
	for _, group := range ended {
		if _, err := r.Outbox.Purge(ctx, group); err != nil {
			return err
		}
	}
	return nil
}

// forgetSecrets deletes what the partner or the venue gave for a case.
func (r *Room) forgetSecrets(ctx context.Context, c ledger.Case) error {
	for _, id := range []string{pastedSecret(c.ID), tokenSecret(c.ID), identifierSecret(c.ID)} {
		if err := r.Vault.Delete(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// groupsEnded are the keys of the mails that a case's contact got for several
// venues, of whom nobody is known any more.
func (r *Room) groupsEnded(ctx context.Context, c ledger.Case) ([]string, error) {
	if len(c.Data.Groups) == 0 {
		return nil, nil
	}
	all, err := r.Ledger.CasesOf(ctx, c.Request)
	if err != nil {
		return nil, err
	}
	var ended []string
	for _, group := range c.Data.Groups {
		if !slices.ContainsFunc(all, func(other ledger.Case) bool {
			return other.ID != c.ID && other.ContactKey != "" && slices.Contains(other.Data.Groups, group)
		}) {
			ended = append(ended, groupMails(c.Request, group))
		}
	}
	return ended, nil
}
