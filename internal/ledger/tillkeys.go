package ledger

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"
)

// TillKey is one act of issuing a key to a till.
type TillKey struct {
	Base string `json:"base"` // of the request ids under which Cluster is asked
	// Serial is the till's and Holder who reads it: OurHolder, or a partner.
	Serial     string `json:"serial"`
	Holder     string `json:"holder"`
	Generation int    `json:"generation"` // from 1
	Attempt    int    `json:"attempt"`
	Orphan     string `json:"orphan"`
	KeyID      string `json:"key_id"`
	Withdrawn  bool   `json:"withdrawn"`
	// Gone says that it is withdrawn to the end: no key of it opens the till.
	Gone bool `json:"gone"`
}

// OurHolder is who holds the keys with which we read tills.
const OurHolder = "clusterbridge"

// Kept says that there is a key to use.
func (k TillKey) Kept() bool { return k.KeyID != "" && !k.Withdrawn }

// TillKeys are all acts for a till and holder, the oldest first.
func (s *Store) TillKeys(ctx context.Context, serial, holder string) ([]TillKey, error) {
	all, err := selectJSON[TillKey](ctx, s.db, `
		SELECT to_json(k) FROM till_keys k WHERE k.serial = $1 AND k.holder = $2 ORDER BY k.generation`, serial, holder)
	return all, failed("reading keys", err)
}

// AddTillKey begins an act; one that is there stays as it is.
func (s *Store) AddTillKey(ctx context.Context, k TillKey) error {
	_, err := s.db.ExecContext(ctx, `
		INSERT INTO till_keys (base, serial, holder, generation) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		k.Base, k.Serial, k.Holder, k.Generation)
	return failed("beginning a key", err)
}

// TillKeyOf is the act under a base, the zero TillKey where there is none.
func (s *Store) TillKeyOf(ctx context.Context, base string) (TillKey, error) {
	found, err := selectJSON[TillKey](ctx, s.db, `SELECT to_json(k) FROM till_keys k WHERE k.base = $1`, base)
	if err != nil || len(found) == 0 {
		return TillKey{}, failed("reading a key", err)
	}
	return found[0], nil
}

// TurnTillKey replaces what is intended of an act, if it is still as it was
// seen, and tells whether it was. What f writes belongs to it, and an entry with
// an Act is journalled with it.
func (s *Store) TurnTillKey(ctx context.Context, base string, seen, next TillKey, e Entry, f func(tx *sqlx.Tx) error) (turned bool, err error) {
	err = s.inTx(ctx, "turning a key", func(tx *sqlx.Tx) error {
		done, err := tx.ExecContext(ctx, `
			UPDATE till_keys SET attempt = $2, orphan = $3, key_id = $4, withdrawn = $5
			WHERE base = $1 AND attempt = $6 AND orphan = $7 AND key_id = $8 AND withdrawn = $9`,
			base, next.Attempt, next.Orphan, next.KeyID, next.Withdrawn, seen.Attempt, seen.Orphan, seen.KeyID, seen.Withdrawn)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if turned = n == 1; err != nil || !turned {
			return err
		}
		if e.Act != "" {
			if err := s.journal(ctx, tx, e); err != nil {
				return err
			}
		}
		return f(tx)
	})
	return turned, err
}

// TillKeyGone notes that an act is withdrawn to the end.
func (s *Store) TillKeyGone(ctx context.Context, base string) error {
	_, err := s.db.ExecContext(ctx, `UPDATE till_keys SET gone = true WHERE base = $1`, base)
	return failed("noting that a key is gone", err)
}

// Reveal is a key that waits behind a link for one reader, or did.
type Reveal struct {
	Case      string    `json:"case_id"`
	Reader    string    `json:"reader"`
	Round     int       `json:"round"`
	Secret    string    `json:"secret"` // its id in the vault
	ExpiresAt time.Time `json:"expires_at"`
	OpenedAt  time.Time `json:"opened_at"` // zero until then
}

// AddReveal puts a key behind a link; one that is there stays as it is.
func (s *Store) AddReveal(ctx context.Context, r Reveal) (Reveal, error) {
	if _, err := s.db.ExecContext(ctx, `
		INSERT INTO reveals (case_id, reader, round, secret, expires_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		r.Case, r.Reader, r.Round, r.Secret, r.ExpiresAt); err != nil {
		return Reveal{}, failed("putting a key behind a link", err)
	}
	all, err := selectJSON[Reveal](ctx, s.db, `
		SELECT to_json(r) FROM reveals r WHERE r.case_id = $1 AND r.reader = $2 AND r.round = $3`, r.Case, r.Reader, r.Round)
	if err != nil || len(all) == 0 {
		return Reveal{}, failed("putting a key behind a link", err)
	}
	return all[0], nil
}

// Reveals are those of a case, the newest round first.
func (s *Store) Reveals(ctx context.Context, caseID string) ([]Reveal, error) {
	all, err := selectJSON[Reveal](ctx, s.db, `SELECT to_json(r) FROM reveals r WHERE r.case_id = $1 ORDER BY r.round DESC, r.reader`, caseID)
	return all, failed("reading reveals", err)
}

// OpenReveal spends a reveal, and tells whether this is what spent it: it was
// neither opened before nor too late.
func (s *Store) OpenReveal(ctx context.Context, r Reveal) (opened bool, err error) {
	err = s.inTx(ctx, "opening a reveal", func(tx *sqlx.Tx) error {
		done, err := tx.ExecContext(ctx, `
			UPDATE reveals SET opened_at = $4 WHERE case_id = $1 AND reader = $2 AND round = $3 AND opened_at IS NULL AND expires_at > $4`,
			r.Case, r.Reader, r.Round, s.clock.Now())
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if opened = n == 1; err != nil || !opened {
			return err
		}
		return s.journal(ctx, tx, Entry{Who: r.Reader, Act: ActReveal, Location: r.Case, New: "opened"})
	})
	return opened, err
}
