package ledger

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// AcquireLease takes or prolongs the lease that guards a connection's pull and
// watermark, whoever started the run; false when another holds it. d counts on
// PostgreSQL's clock.
func (s *Store) AcquireLease(ctx context.Context, connection, holder string, d time.Duration) (bool, error) {
	if holder == "" {
		return false, work.Err(work.Internal, "a lease without a holder")
	}
	var got []bool
	err := sqlx.SelectContext(ctx, s.often, &got, `
		WITH taken AS (
			UPDATE connections SET lease_holder = $2, lease_until = clock_timestamp() + make_interval(secs => $3)
			WHERE id = $1 AND (lease_holder = $2 OR lease_until IS NULL OR lease_until <= clock_timestamp())
			RETURNING id)
		SELECT EXISTS (SELECT 1 FROM taken) FROM connections WHERE id = $1`,
		connection, holder, d.Seconds())
	if err != nil {
		return false, failed("taking the lease", err)
	}
	if len(got) == 0 {
		return false, unknownConnection(connection)
	}
	return got[0], nil
}

// ReleaseLease gives the lease back; nothing happens when another holds it.
func (s *Store) ReleaseLease(ctx context.Context, connection, holder string) error {
	_, err := s.often.ExecContext(ctx, `
		UPDATE connections SET lease_holder = '', lease_until = NULL WHERE id = $1 AND lease_holder = $2`,
		connection, holder)
	return failed("giving the lease back", err)
}

// SetWatermark says that everything the till knew at an instant of its clock
// has been pulled. It never goes backwards, and only the holder of the lease
// may say so (else LeaseHeld).
func (s *Store) SetWatermark(ctx context.Context, connection, holder string, at time.Time) error {
	return s.underLease(ctx, "setting the watermark", connection, holder, `
		UPDATE connections SET watermark = greatest(watermark, $3)
		WHERE id = $1 AND lease_holder = $2 AND lease_until > clock_timestamp()`, at)
}

// underLease runs a statement that touches a row only while holder has the
// lease.
func (s *Store) underLease(ctx context.Context, doing, connection, holder, query string, args ...any) error {
	result, err := s.often.ExecContext(ctx, query, append([]any{connection, holder}, args...)...)
	if err != nil {
		return failed(doing, err)
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return failed(doing, err)
	}
	return leaseLost()
}

func leaseLost() error {
	return work.Err(work.LeaseHeld, "this run's lease has ended")
}
