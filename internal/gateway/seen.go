package gateway

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// Seen remembers the signatures of hooks that were taken.
type Seen interface {
	// First remembers a signature for a while, real time, and tells whether
	// nobody had it before.
	First(ctx context.Context, signature []byte, keep time.Duration) (bool, error)
	// Forget drops what is no longer worth remembering.
	Forget(ctx context.Context) error
}

// forgetEvery is how often what is no longer worth remembering is dropped: the
// table then holds little more than the tolerance's hooks.
const forgetEvery = time.Minute

// SeenTogether remembers in PostgreSQL, for all gateways on one ledger.
func SeenTogether(db *sqlx.DB) Seen { return seenTogether{db} }

type seenTogether struct{ db *sqlx.DB }

func (s seenTogether) First(ctx context.Context, signature []byte, keep time.Duration) (bool, error) {
	done, err := s.db.ExecContext(ctx, `
		INSERT INTO hook_seen (signature, until) VALUES ($1, clock_timestamp() + make_interval(secs => $2))
		ON CONFLICT (signature) DO NOTHING`, signature, keep.Seconds())
	if err != nil {
		return false, work.Errf(work.LedgerUnavailable, err, "remembering a hook")
	}
	n, err := done.RowsAffected()
	if err != nil {
		return false, work.Errf(work.LedgerUnavailable, err, "remembering a hook")
	}
	return n == 1, nil
}

func (s seenTogether) Forget(ctx context.Context) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM hook_seen WHERE until < clock_timestamp()`); err != nil {
		return work.Errf(work.LedgerUnavailable, err, "forgetting old hooks")
	}
	return nil
}
