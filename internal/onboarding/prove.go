package onboarding

import (
	"context"
	"fmt"
	"strings"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/work"
)

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
	keys, err := r.proveKeys(ctx, connection)
	if err != nil {
		return nil, err
	}
	return append(facts, append(keys, "No contact of the venue is kept.")...), r.proveForgotten(ctx, in.Connection)
}

func (r *Room) proveKeys(ctx context.Context, connection ledger.Connection) ([]string, error) {
	l := connection.Location
	serials, err := r.Ledger.Serials(ctx, l.ID)
	if err != nil {
		return nil, err
	}
	var facts []string
	for _, h := range []struct{ holder, what string }{{connection.PartnerName, "the partner's key"}, {ledger.OurHolder, "our key"}} {
		needed, err := r.needed(ctx, l.Serial, h.holder)
		if err != nil {
			return nil, err
		}
		if needed {
			facts = append(facts, fmt.Sprintf("%s to the till stays: another connection or onboarding needs it.", strings.ToUpper(h.what[:1])+h.what[1:]))
			continue
		}
		if h.holder == ledger.OurHolder && l.Secret != "" {
			return nil, work.Err(work.StillThere, "the location's API key")
		}
		for _, s := range serials {
			if err := r.noKey(ctx, s.Serial, h.holder, h.what); err != nil {
				return nil, err
			}
		}
	}
	if r.byHand() {
		return append(facts, "No credential of it is kept. Keys are Cluster's to revoke: see the story."), nil
	}
	return append(facts, "No credential of it is kept, and no key of its own opens the till."), nil
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
	for _, k := range all {
		if !k.Gone {
			return work.Err(work.StillThere, what+" is not withdrawn")
		}
		if err := r.gone(ctx, keySecret(k.Base), what); err != nil {
			return err
		}
	}
	if r.byHand() || len(all) == 0 {
		return nil
	}
	keys, err := r.Office.Keys(ctx, serial)
	if hasCode(err, work.ClusterNoSerial) {
		return nil // a till that is not known opens to nobody
	}
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.Active() && k.Partner == holder && strings.HasPrefix(k.RequestID, ourRequests) {
			return work.Err(work.StillThere, what+" still opens the till")
		}
	}
	return nil
}

// proveForgotten looks that nobody is known any more to whom the onboardings
// wrote, and that nothing of what they gave is kept.
func (r *Room) proveForgotten(ctx context.Context, connection string) error {
	cases, err := r.forgettable(ctx, connection)
	if err != nil {
		return err
	}
	keys := []string{offboardMails(connection)}
	for _, c := range cases {
		if c.ContactKey != "" {
			return work.Err(work.StillThere, "a contact of "+c.ID)
		}
		for _, secret := range []string{pastedSecret(c.ID), tokenSecret(c.ID), identifierSecret(c.ID)} {
			if err := r.gone(ctx, secret, "a secret of "+c.ID); err != nil {
				return err
			}
		}
		ended, err := r.groupsEnded(ctx, c)
		if err != nil {
			return err
		}
		keys = append(append(keys, work.LocationOnboardingID(c.ID)), ended...)
	}
	for _, key := range keys {
		if kept, err := r.Outbox.Kept(ctx, key); err != nil || kept > 0 {
			if err == nil {
				err = work.Err(work.StillThere, "an address to which mails of "+key+" went")
			}
			return err
		}
	}
	return nil
}
