// Package vault keeps tokens and keys encrypted at rest, in the ledger's
// database, and opens them inside activities only. Each secret is sealed to
// its id: moved to another row, it does not open.
package vault

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"github.com/jmoiron/sqlx"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// pepperID is the row of the key of CredentialHash. Ids of secrets hold a
	// colon, so that none can be this one.
	pepperID = "pepper"
	// pepperBytes is the size of that key: SHA-256's own.
	pepperBytes = sha256.Size
)

// Vault seals and opens secrets. It is safe for use by many goroutines.
type Vault struct {
	box tink.AEAD
	db  *sqlx.DB

	mu     sync.Mutex
	pepper Secret
}

// Open makes a Vault from a keyset as NewKeyset gives it. Its error is a
// sentence about the keyset that does not quote it.
func Open(keyset string, db *sqlx.DB) (*Vault, error) {
	handle, err := decode(keyset)
	if err != nil {
		return nil, err
	}
	box, err := aead.New(handle)
	if err != nil {
		return nil, errors.New("the keyset is not one for authenticated encryption")
	}
	return &Vault{box: box, db: db}, nil
}

// Put keeps a secret under an id, in place of what was there.
// Errors: LedgerUnavailable.
func (v *Vault) Put(ctx context.Context, id string, s Secret) error { return v.PutIn(ctx, v.db, id, s) }

// PutIn is Put as a part of somebody's transaction on the same database.
func (v *Vault) PutIn(ctx context.Context, x sqlx.ExecerContext, id string, s Secret) error {
	sealed, err := v.Seal(id, s)
	if err != nil {
		return err
	}
	_, err = x.ExecContext(ctx, `
		INSERT INTO secrets (id, sealed, created_at) VALUES ($1, $2, now())
		ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed, created_at = excluded.created_at`, id, sealed)
	return unavailable(ctx, "keeping a secret", err)
}

// Get opens a secret. Errors: SecretUnreadable when there is none, or this
// keyset or this id does not open it; LedgerUnavailable.
func (v *Vault) Get(ctx context.Context, id string) (Secret, error) {
	var sealed []byte
	err := v.db.GetContext(ctx, &sealed, `SELECT sealed FROM secrets WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Secret{}, work.Err(work.SecretUnreadable, "none is kept as "+id)
	}
	if err != nil {
		return Secret{}, unavailable(ctx, "reading a secret", err)
	}
	return v.Unseal(id, sealed)
}

// Delete forgets a secret; one that is not there is forgotten already.
// Errors: LedgerUnavailable.
func (v *Vault) Delete(ctx context.Context, id string) error { return v.DeleteIn(ctx, v.db, id) }

// DeleteIn is Delete as a part of somebody's transaction on the same database.
func (v *Vault) DeleteIn(ctx context.Context, x sqlx.ExecerContext, id string) error {
	_, err := x.ExecContext(ctx, `DELETE FROM secrets WHERE id = $1`, id)
	return unavailable(ctx, "deleting a secret", err)
}

// CredentialHash names a credential without telling it: HMAC-SHA256 in hex,
// under a key that is made once per database and kept sealed. The same
// credential has the same name in every process.
// Errors: SecretUnreadable, LedgerUnavailable.
func (v *Vault) CredentialHash(ctx context.Context, s Secret) (string, error) {
	pepper, err := v.thePepper(ctx)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, []byte(pepper.Reveal()))
	mac.Write([]byte(s.Reveal()))
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// thePepper is read once per process. Of several that make it at the same
// time, the first row stays and all read that one.
func (v *Vault) thePepper(ctx context.Context) (Secret, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.pepper.Empty() {
		return v.pepper, nil
	}
	fresh := make([]byte, pepperBytes)
	_, _ = rand.Read(fresh) // never fails: it ends the program instead
	sealed, err := v.Seal(pepperID, NewSecret(string(fresh)))
	if err != nil {
		return Secret{}, err
	}
	_, err = v.db.ExecContext(ctx, `
		INSERT INTO secrets (id, sealed, created_at) VALUES ($1, $2, now())
		ON CONFLICT (id) DO NOTHING`, pepperID, sealed)
	if err != nil {
		return Secret{}, unavailable(ctx, "making the key of credentials' names", err)
	}
	v.pepper, err = v.Get(ctx, pepperID)
	return v.pepper, err
}

func unavailable(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	return work.Errf(work.LedgerUnavailable, err, "%s", doing)
}
