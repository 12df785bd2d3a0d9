package onboarding

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/jmoiron/sqlx"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func itoa(n int) string { return strconv.Itoa(n) }

// tillSigns are enough of a serial number's hash for request ids, which take no
// other signs.
const tillSigns = 16

// keyBase is the base of the request ids of one act of issuing. All cases of a
// till share it, so that two of them never revoke each other's key.
func keyBase(serial, holder string, generation int) string {
	sum := sha256.Sum256([]byte(serial))
	return fmt.Sprintf("%s:%s:%d", hex.EncodeToString(sum[:])[:tillSigns], holder, generation)
}

func keySecret(base string) string { return "key:" + base }

// memory is the cluster.KeyMemory in the ledger: an intent and the sealed key
// are written in one transaction.
type memory struct {
	ledger *ledger.Store
	vault  *vault.Vault
}

func intentOf(k ledger.TillKey) cluster.KeyIntent {
	return cluster.KeyIntent{Attempt: k.Attempt, Orphan: k.Orphan, KeyID: k.KeyID, Withdrawn: k.Withdrawn}
}

func rowOf(i cluster.KeyIntent) ledger.TillKey {
	return ledger.TillKey{Attempt: i.Attempt, Orphan: i.Orphan, KeyID: i.KeyID, Withdrawn: i.Withdrawn}
}

// Recall implements cluster.KeyMemory.
func (m memory) Recall(ctx context.Context, base string) (cluster.KeyIntent, error) {
	k, err := m.ledger.TillKeyOf(ctx, base)
	return intentOf(k), err
}

// Advance implements cluster.KeyMemory.
func (m memory) Advance(ctx context.Context, base string, seen, next cluster.KeyIntent) (bool, error) {
	return m.ledger.TurnTillKey(ctx, base, rowOf(seen), rowOf(next), func(tx *sqlx.Tx) error {
		if !next.Withdrawn {
			return nil
		}
		return m.vault.DeleteIn(ctx, tx, keySecret(base))
	})
}

// Keep implements cluster.KeyMemory.
func (m memory) Keep(ctx context.Context, base string, seen cluster.KeyIntent, id string, key vault.Secret) (bool, error) {
	next := seen
	next.KeyID, next.Orphan = id, ""
	return m.ledger.TurnTillKey(ctx, base, rowOf(seen), rowOf(next), func(tx *sqlx.Tx) error {
		return m.vault.PutIn(ctx, tx, keySecret(base), key)
	})
}

// current is the act of issuing in force for a till and holder: the last one
// that was not withdrawn, or a new one.
func (r *Room) current(ctx context.Context, serial, holder string) (ledger.TillKey, error) {
	all, err := r.Ledger.TillKeys(ctx, serial, holder)
	if err != nil {
		return ledger.TillKey{}, err
	}
	if n := len(all); n > 0 && !all[n-1].Withdrawn {
		return all[n-1], nil
	}
	return r.begin(ctx, serial, holder, len(all)+1)
}

// begin begins a generation of keys.
func (r *Room) begin(ctx context.Context, serial, holder string, generation int) (ledger.TillKey, error) {
	k := ledger.TillKey{Base: keyBase(serial, holder, generation), Serial: serial, Holder: holder, Generation: generation}
	return k, r.Ledger.AddTillKey(ctx, k)
}

// ensure makes sure that a holder has a key to a till, besides older ones that
// still work, and gives it. Where keys are put in by hand, TillManual asks for
// it.
func (r *Room) ensure(ctx context.Context, k ledger.TillKey, keep ...string) (state string, err error) {
	if k.Kept() {
		return work.TillReady, nil
	}
	if r.byHand() {
		return work.TillManual, nil
	}
	_, err = r.Office.EnsureKey(ctx, memory{r.Ledger, r.Vault}, cluster.KeyRequest{Serial: k.Serial, Partner: k.Holder, Base: k.Base, Keep: keep})
	if hasCode(err, work.ClusterNotActivated) {
		return work.TillPending, nil
	}
	return work.TillReady, err
}

// byHand tells whether an operator issues keys.
func (r *Room) byHand() bool { return r.Settings.ByHand || r.Office == nil }

// withdraw makes an act's key open nothing any more, and forgets it. Where keys
// are issued by hand an operator revokes it at Cluster: the story says so.
func (r *Room) withdraw(ctx context.Context, k ledger.TillKey) error {
	if r.byHand() {
		next := k
		next.Withdrawn = true
		_, err := r.Ledger.TurnTillKey(ctx, k.Base, k, next, func(tx *sqlx.Tx) error {
			return r.Vault.DeleteIn(ctx, tx, keySecret(k.Base))
		})
		return err
	}
	return r.Office.WithdrawKey(ctx, memory{r.Ledger, r.Vault}, cluster.KeyRequest{Serial: k.Serial, Partner: k.Holder, Base: k.Base})
}

// withdrawAll withdraws every key that a holder has to a till.
func (r *Room) withdrawAll(ctx context.Context, serial, holder string) error {
	all, err := r.Ledger.TillKeys(ctx, serial, holder)
	if err != nil {
		return err
	}
	for _, k := range all {
		if k.Withdrawn {
			continue
		}
		if err := r.withdraw(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

// byHandID stands for the id of a key that an operator put in.
const byHandID = "by-hand"

// PutKey keeps a key to a till that an operator got from Cluster: ours, or with
// a holder the partner's. The case's workflow is told by the Update
// CredentialsEntered.
func (r *Room) PutKey(ctx context.Context, caseID, holder string, key vault.Secret, by ledger.Actor) error {
	c, err := r.Ledger.Case(ctx, caseID)
	if err == nil {
		err = open(c)
	}
	if err != nil {
		return err
	}
	serial, err := r.serial(ctx, c)
	switch {
	case err != nil:
		return err
	case serial == "":
		return work.Err(work.BadInput, "the venue is not found yet, so its till is not known")
	case holder != ledger.OurHolder && holder != c.Partner:
		return work.Err(work.BadInput, "the holder is clusterbridge, or "+c.Partner)
	case key.Empty():
		return work.Err(work.BadInput, "the key is empty")
	}
	k, err := r.current(ctx, serial, holder)
	if err != nil {
		return err
	}
	next := k
	next.KeyID = byHandID
	turned, err := r.Ledger.TurnTillKey(ctx, k.Base, k, next, func(tx *sqlx.Tx) error {
		return r.Vault.PutIn(ctx, tx, keySecret(k.Base), key)
	})
	if err == nil && !turned {
		err = work.Err(work.LeaseHeld, "another has just put in a key")
	}
	if err != nil {
		return err
	}
	e := entry(by, actKey, holder)
	e.Location = caseID
	return r.Ledger.Journal(ctx, e)
}
