package onboarding

import (
	"context"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// KeepIdentifier keeps by which identifier the partner knows a venue, once the
// partner says that it does. Errors: PartnerToken when it does not.
func (r *Room) KeepIdentifier(ctx context.Context, caseID string, identifier vault.Secret, by ledger.Actor) error {
	c, err := r.openCase(ctx, caseID)
	if err != nil {
		return err
	}
	if err := r.probe(ctx, c.Partner, identifier); err != nil {
		return err
	}
	before, err := r.Vault.Get(ctx, identifierSecret(caseID))
	if err == nil && c.Data.Identified && before.Reveal() == identifier.Reveal() {
		return nil
	}
	if err := r.Vault.Put(ctx, identifierSecret(caseID), identifier); err != nil {
		return err
	}
	_, err = r.Ledger.ChangeCase(ctx, caseID, func(c *ledger.Case) (ledger.Entry, error) {
		c.Data.Identified = true
		return entry(by, actEntry, "venue's identifier"), nil
	})
	return err
}

// probe asks whether the partner knows an identifier.
func (r *Room) probe(ctx context.Context, partnerName string, identifier vault.Secret) error {
	taker, ok := r.Partners[partnerName].(partner.IdentifierTaker)
	if !ok {
		return work.Err(work.BadInput, partnerName+" knows venues by no identifier")
	}
	way, err := r.gate(ctx, partnerName, identifier)
	if err != nil {
		return err
	}
	return taker.Probe(ctx, identifier.Reveal(), way)
}

// readWithin is how far back a partner's reading of a till speaks against
// another route, in business time: WISK reads every 6 hours (reference: WISK 4).
const readWithin = 24 * time.Hour

// RecordEntry records how the partner's side is set up. A route of ours takes
// the partner's key away again, so that no sale reaches it twice; and it is
// refused while somebody reads the till with another key of the partner's.
func (r *Room) RecordEntry(ctx context.Context, in work.CaseAct) error {
	c, err := r.openCase(ctx, in.Case)
	if err != nil {
		return err
	}
	if _, token := r.takesToken(c.Partner); token {
		return work.Err(work.BadInput, c.Partner+" is joined by a token of the venue's")
	}
	switch in.Route {
	case partner.RoutePull:
		if _, err := r.partnerKey(ctx, c); err != nil {
			return keyless(err)
		}
	case partner.RouteUpload:
		if !c.Data.Identified {
			return work.Err(work.BadInput, "uploads need the venue's identifier at the partner first: clusterbridge onboarding identifier "+c.ID)
		}
		fallthrough
	default:
		if err := r.noOtherReader(ctx, c); err != nil {
			return err
		}
		if err := r.withdrawAll(ctx, c.Serial, c.Partner, c.ID); err != nil {
			return err
		}
	}
	_, err = r.Ledger.ChangeCase(ctx, c.ID, func(c *ledger.Case) (ledger.Entry, error) {
		entered := ledger.CaseEntry{Route: in.Route, Modifiers: in.Modifiers, NoClusterIntegration: in.NoClusterIntegration, By: in.By}
		if before := c.Data.Entry; before != nil {
			if entered.At = before.At; entered == *before {
				return ledger.Entry{}, nil // it comes again
			}
		}
		entered.At = r.Clock.Now()
		c.Data.Entry = &entered
		said := in.Route + ", modifiers " + in.Modifiers
		if in.NoClusterIntegration {
			said += ", no Cluster integration is active there"
		}
		return entry(actor(in.By, in.Reason, in.Note), actEntry, said), nil
	})
	return err
}

// keyless says why the partner cannot read a till itself.
func keyless(err error) error {
	if hasCode(err, work.SecretUnreadable) {
		return work.Err(work.BadInput, "no key was handed over, so the partner cannot read the till")
	}
	return err
}

// noOtherReader refuses a route of ours for a till that the partner has just
// read by itself, with a key that is not of our issuing: ours is withdrawn.
func (r *Room) noOtherReader(ctx context.Context, c ledger.Case) error {
	if r.Office == nil {
		return nil
	}
	keys, err := r.Office.KeysInUse(ctx, c.Serial, c.Partner, r.Clock.Now().Add(-readWithin))
	if err != nil {
		return err
	}
	own, err := r.Ledger.TillKeys(ctx, c.Serial, c.Partner)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if !slices.ContainsFunc(own, func(o ledger.TillKey) bool { return k.ID == o.KeyID || k.ID == o.Orphan }) {
			return work.Err(work.BadInput, "the partner read this till with an API key of its own within the last 24 hours: its sales would count twice; have that integration removed there, or take the route pull")
		}
	}
	return nil
}
