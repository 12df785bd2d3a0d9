package onboarding

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// tillSigns are enough of a serial number's hash for request ids, which take no
// other signs.
const tillSigns = 16

// keyBase is the base of the request ids of one act of issuing. All cases of a
// till share it, so that two of them never revoke each other's key.
func keyBase(serial, holder string, generation int) string {
	sum := sha256.Sum256([]byte(serial))
	return fmt.Sprintf("%s:%s:%d", hex.EncodeToString(sum[:])[:tillSigns], holder, generation)
}

// ourRequests begins the request ids of what is asked of Cluster's back office.
const ourRequests = "clusterbridge:"

func keySecret(base string) string { return "key:" + base }

// memory is the cluster.KeyMemory in the ledger: an intent and the sealed key
// are written in one transaction.
type memory struct {
	ledger *ledger.Store
	vault  *vault.Vault
	byHand bool
	story  string // the case or location in whose story a withdrawal stands
}

func (r *Room) memory(story string) memory { return memory{r.Ledger, r.Vault, r.byHand(), story} }

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

// Advance implements cluster.KeyMemory. A key that an operator got from Cluster
// is an operator's to have revoked there: the story says so.
func (m memory) Advance(ctx context.Context, base string, seen, next cluster.KeyIntent) (bool, error) {
	var e ledger.Entry
	if next.Withdrawn && seen.KeyID != "" && (m.byHand || seen.KeyID == byHandID) {
		e = entry(program, actRevoke, base)
		e.Location, e.Note = m.story, "have Cluster revoke this API key"
	}
	return m.ledger.TurnTillKey(ctx, base, rowOf(seen), rowOf(next), e, func(tx *sqlx.Tx) error {
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
	return m.ledger.TurnTillKey(ctx, base, rowOf(seen), rowOf(next), ledger.Entry{}, func(tx *sqlx.Tx) error {
		return m.vault.PutIn(ctx, tx, keySecret(base), key)
	})
}

// inForce is the act of issuing in force for a till and holder: the last one
// that was not withdrawn; the zero TillKey where there is none.
func (r *Room) inForce(ctx context.Context, serial, holder string) (ledger.TillKey, error) {
	all, err := r.Ledger.TillKeys(ctx, serial, holder)
	for _, k := range slices.Backward(all) {
		if !k.Withdrawn {
			return k, err
		}
	}
	return ledger.TillKey{}, err
}

// current is the act of issuing in force, or a new one.
func (r *Room) current(ctx context.Context, serial, holder string) (ledger.TillKey, error) {
	k, err := r.inForce(ctx, serial, holder)
	if err != nil || k.Base != "" {
		return k, err
	}
	all, err := r.Ledger.TillKeys(ctx, serial, holder)
	if err != nil {
		return k, err
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
	_, err = r.Office.EnsureKey(ctx, r.memory(""), cluster.KeyRequest{Serial: k.Serial, Partner: k.Holder, Base: k.Base, Keep: keep})
	if hasCode(err, work.ClusterNotActivated) {
		return work.TillPending, nil
	}
	return work.TillReady, err
}

// byHand tells whether an operator issues keys.
func (r *Room) byHand() bool { return r.Settings.ByHand || r.Office == nil }

// withdraw makes an act's key open nothing any more, and forgets it.
func (r *Room) withdraw(ctx context.Context, k ledger.TillKey, story string) error {
	if k.Gone {
		return nil
	}
	m := r.memory(story)
	var err error
	if r.byHand() {
		err = m.forget(ctx, k)
	} else {
		err = r.Office.WithdrawKey(ctx, m, cluster.KeyRequest{Serial: k.Serial, Partner: k.Holder, Base: k.Base})
	}
	if err != nil {
		return err
	}
	return r.Ledger.TillKeyGone(ctx, k.Base)
}

// forget withdraws a key where Cluster's API cannot.
func (m memory) forget(ctx context.Context, k ledger.TillKey) error {
	if k.Withdrawn {
		return nil
	}
	seen := intentOf(k)
	next := cluster.KeyIntent{Attempt: seen.Attempt, Orphan: cmp.Or(seen.KeyID, seen.Orphan), Withdrawn: true}
	done, err := m.Advance(ctx, k.Base, seen, next)
	if err == nil && !done {
		err = work.Err(work.LeaseHeld, "another run has just turned this key")
	}
	return err
}

// withdrawAll withdraws every key that a holder has to a till.
func (r *Room) withdrawAll(ctx context.Context, serial, holder, story string) error {
	all, err := r.Ledger.TillKeys(ctx, serial, holder)
	if err != nil {
		return err
	}
	for _, k := range all {
		if err := r.withdraw(ctx, k, story); err != nil {
			return err
		}
	}
	return nil
}
