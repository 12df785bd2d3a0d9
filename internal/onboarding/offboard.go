package onboarding

import (
	"context"
	"fmt"

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
	message := mail.Offboarded{Partner: mail.Partner(c.Partner), Venue: venueOf(c), Ended: connection.StateSince.In(r.zoneOf(c))}
	// The end's instant tells one offboarding from a later one.
	key := fmt.Sprintf("offboard:%s/%d", in.Connection, connection.StateSince.Unix())
	return work.MailResult{Readers: 1}, r.toContact(ctx, key, c, message, lang(c))
}

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
	if err := r.withdrawAll(ctx, connection.Location.Serial, connection.PartnerName); err != nil {
		return work.ActResult{}, err
	}
	needed, err := r.tillNeeded(ctx, connection.Location.Serial, "", in.Connection)
	if err == nil && !needed {
		err = r.forgetTill(ctx, connection.Location.Serial)
	}
	if err != nil {
		return work.ActResult{}, err
	}
	forgotten, err := r.forgetPeople(ctx, in.Connection)
	return work.ActResult{Summary: fmt.Sprintf("Credentials are deleted; %d contacts are forgotten.", forgotten), Changed: forgotten}, err
}

// forgetPeople forgets whom the onboardings of a connection wrote to. A mail to
// a contact of several venues is forgotten with the last of them.
func (r *Room) forgetPeople(ctx context.Context, connection string) (int, error) {
	cases, err := r.Ledger.CasesOfConnection(ctx, connection)
	if err != nil {
		return 0, err
	}
	for _, c := range cases {
		if err := r.forgetCase(ctx, c); err != nil {
			return 0, err
		}
	}
	_, err = r.Outbox.Purge(ctx, "offboard:"+connection)
	return len(cases), err
}

func (r *Room) forgetCase(ctx context.Context, c ledger.Case) error {
	if err := r.Ledger.SetCaseContact(ctx, c.ID, nil, ""); err != nil {
		return err
	}
	for _, secret := range []string{tokenSecret(c.ID), identifierSecret(c.ID)} {
		if err := r.Vault.Delete(ctx, secret); err != nil {
			return err
		}
	}
	if _, err := r.Outbox.Purge(ctx, work.LocationOnboardingID(c.ID)); err != nil || c.Group == "" {
		return err
	}
	shared, err := r.Ledger.CasesOf(ctx, c.Group)
	if err != nil {
		return err
	}
	for _, other := range shared {
		if other.ContactKey != "" {
			return nil
		}
	}
	return r.purgeGroup(ctx, c)
}

// purgeGroup forgets the mails of a group: "onboarding:<request>/confirm/c1" and
// what goes on after it.
func (r *Room) purgeGroup(ctx context.Context, c ledger.Case) error {
	_, err := r.Outbox.Purge(ctx, "onboarding:"+c.Request+"/confirm/"+c.Group[len(c.Request)+1:])
	return err
}

// Prove looks whether anything of a disconnected connection is left, besides
// what Temporal runs: StillThere names it. The facts are told in words.
func (r *Room) Prove(ctx context.Context, in work.OffboardStep) ([]string, error) {
	connection, err := r.Ledger.Connection(ctx, in.Connection)
	if err != nil {
		return nil, err
	}
	if connection.State != work.Disconnected {
		return nil, work.Err(work.StillThere, "the connection is "+string(connection.State))
	}
	facts := []string{"The connection is disconnected."}
	if err := r.gone(ctx, connection.Secret, "the partner's credential"); err != nil {
		return nil, err
	}
	serial := connection.Location.Serial
	for holder, what := range map[string]string{connection.PartnerName: "the partner's key", ledger.OurHolder: "our key"} {
		if holder == ledger.OurHolder {
			if needed, err := r.tillNeeded(ctx, serial, "", in.Connection); err != nil || needed {
				if err != nil {
					return nil, err
				}
				facts = append(facts, "Our key to the till stays: another connection or onboarding reads it.")
				continue
			}
		}
		if err := r.noKey(ctx, serial, holder, what); err != nil {
			return nil, err
		}
	}
	cases, err := r.Ledger.CasesOfConnection(ctx, in.Connection)
	if err != nil {
		return nil, err
	}
	for _, c := range cases {
		if c.ContactKey != "" {
			return nil, work.Err(work.StillThere, "a contact of "+c.ID)
		}
	}
	return append(facts, "No credential of it is kept, and no key of it opens the till.", "No contact of the venue is kept."), nil
}

func (r *Room) gone(ctx context.Context, secret, what string) error {
	if secret == "" {
		return nil
	}
	_, err := r.Vault.Get(ctx, secret)
	switch {
	case hasCode(err, work.SecretUnreadable):
		return nil
	case err == nil:
		return work.Err(work.StillThere, what+" is kept")
	}
	return err
}

// noKey looks that a holder has no key of ours: neither here nor at Cluster.
func (r *Room) noKey(ctx context.Context, serial, holder, what string) error {
	all, err := r.Ledger.TillKeys(ctx, serial, holder)
	if err != nil {
		return err
	}
	kept := map[string]bool{}
	for _, k := range all {
		if !k.Withdrawn {
			return work.Err(work.StillThere, what+" is not withdrawn")
		}
		if err := r.gone(ctx, keySecret(k.Base), what); err != nil {
			return err
		}
		kept[k.Orphan] = true // the id of what was withdrawn
	}
	if r.byHand() || len(all) == 0 {
		return nil
	}
	keys, err := r.Office.Keys(ctx, serial)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.Active() && kept[k.ID] {
			return work.Err(work.StillThere, what+" still opens the till")
		}
	}
	return nil
}
