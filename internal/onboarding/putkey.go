package onboarding

import (
	"context"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// byHandID stands for the id of a key that an operator put in.
const byHandID = "by-hand"

// PutKey keeps a key to a till that an operator got from Cluster: ours, or with
// a holder the partner's. The case's workflow is told by the Update
// CredentialsEntered. A key that Cluster's API had issued is revoked.
func (r *Room) PutKey(ctx context.Context, caseID, holder string, key vault.Secret, by ledger.Actor) error {
	c, err := r.openCase(ctx, caseID)
	if err != nil {
		return err
	}
	serial, err := r.Serial(ctx, c)
	switch {
	case err != nil:
		return err
	case serial == "":
		return work.Err(work.BadInput, "the venue is not found yet, so its till is not known")
	case !slices.Contains(r.holders(c), holder):
		return work.Err(work.BadInput, "a key is for "+strings.Join(r.holders(c), " or ")+" here")
	case key.Empty():
		return work.Err(work.BadInput, "the key is empty")
	}
	k, err := r.current(ctx, serial, holder)
	if err != nil {
		return err
	}
	next := k
	next.KeyID = byHandID
	e := entry(by, actKey, holder)
	e.Location = caseID
	turned, err := r.Ledger.TurnTillKey(ctx, k.Base, k, next, e, func(tx *sqlx.Tx) error {
		return r.Vault.PutIn(ctx, tx, keySecret(k.Base), key)
	})
	if err == nil && !turned {
		err = work.Err(work.LeaseHeld, "another has just put in a key")
	}
	if err != nil || k.KeyID == "" || k.KeyID == byHandID || r.byHand() {
		return err
	}
	return r.Office.RevokeKey(ctx, serial, k.KeyID, ourRequests+"revoke:"+k.KeyID)
}
