package ledger

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// Business days that are to be read again in full are a set per connection:
// the nightly re-read adds the last days, a till that comes back and a released
// order add theirs, and a day leaves when a re-read that began after it was
// added is complete. A run that is cut goes on with the next day of the set.

// AskReread adds business days to those that are to be read again in full.
func (s *Store) AskReread(ctx context.Context, connection string, days ...sale.Day) error {
	return failed("asking for a re-read", askReread(ctx, s.db, connection, s.clock.Now(), days))
}

func askReread(ctx context.Context, x sqlx.ExecerContext, connection string, now time.Time, days []sale.Day) error {
	if len(days) == 0 {
		return nil
	}
	texts := make([]string, len(days))
	for i, day := range days {
		texts[i] = day.String()
	}
	_, err := x.ExecContext(ctx, `
		INSERT INTO rereads (connection, day, asked_at)
		SELECT DISTINCT $1, day::date, $2::timestamptz FROM unnest($3::text[]) AS day ORDER BY 2
		ON CONFLICT (connection, day) DO UPDATE SET asked_at = greatest(rereads.asked_at, excluded.asked_at)`,
		connection, now, textArray(texts))
	return err
}

// PlanNightlyReread adds the last business days through one to those that are
// to be read again, once per night, and tells how many; 0 when that night was
// planned before.
func (s *Store) PlanNightlyReread(ctx context.Context, connection string, through sale.Day, days int) (planned int, err error) {
	err = s.db.GetContext(ctx, &planned, `
		WITH tonight AS (
			UPDATE connections SET reread_through = $2::date
			WHERE id = $1 AND coalesce(reread_through < $2::date, true)
			RETURNING id
		), added AS (
			INSERT INTO rereads (connection, day, asked_at)
			SELECT tonight.id, $2::date - n, $4::timestamptz FROM tonight CROSS JOIN generate_series(0, $3::int - 1) AS n
			ON CONFLICT (connection, day) DO UPDATE SET asked_at = greatest(rereads.asked_at, excluded.asked_at)
			RETURNING day)
		SELECT count(*) FROM added`,
		connection, through.String(), days, s.clock.Now())
	return planned, failed("planning the nightly re-read", err)
}

// NextReread is the newest business day that is to be read again; false when
// there is none. The newest first, since its figures are looked at first.
func (s *Store) NextReread(ctx context.Context, connection string) (day sale.Day, found bool, err error) {
	var days []string
	err = s.db.SelectContext(ctx, &days, `
		SELECT day::text FROM rereads WHERE connection = $1 ORDER BY day DESC LIMIT 1`, connection)
	if err != nil || len(days) == 0 {
		return sale.Day{}, false, failed("looking for a re-read", err)
	}
	day, err = sale.ParseDay(days[0])
	return day, err == nil, failed("looking for a re-read", err)
}

// RereadDone says that a business day was read again in full by a read that
// began at readBegan, business time. A day asked for once more since then
// stays. It fails with LeaseHeld when holder has lost the lease.
func (s *Store) RereadDone(ctx context.Context, connection, holder string, day sale.Day, readBegan time.Time) error {
	var held int
	err := s.db.GetContext(ctx, &held, `
		WITH held AS (
			SELECT id FROM connections
			WHERE id = $1 AND lease_holder = $2 AND lease_until > clock_timestamp() FOR SHARE
		), done AS (
			DELETE FROM rereads r USING held
			WHERE r.connection = held.id AND r.day = $3::date AND r.asked_at <= $4)
		SELECT count(*) FROM held`,
		connection, holder, day.String(), micros(readBegan))
	if err == nil && held == 0 {
		return leaseLost()
	}
	return failed("ending a re-read", err)
}
