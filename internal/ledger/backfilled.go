package ledger

import (
	"context"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// DayBackfilled notes that a business day before the connection is brought in:
// it was read, and what could be sent of it was. A later backfill passes it
// over.
func (s *Store) DayBackfilled(ctx context.Context, connection string, day sale.Day, orders int) error {
	_, err := s.often.ExecContext(ctx, `
		INSERT INTO backfilled (connection, day, at, orders) VALUES ($1, $2::date, $3, $4)
		ON CONFLICT (connection, day) DO UPDATE SET at = excluded.at, orders = excluded.orders`,
		connection, day.String(), s.clock.Now(), orders)
	return failed("noting a day that is brought in", err)
}

// Backfilled are the business days from one to another, both included, that are
// brought in already, oldest first.
func (s *Store) Backfilled(ctx context.Context, connection string, from, to sale.Day) ([]string, error) {
	var days []string
	err := s.db.SelectContext(ctx, &days, `
		SELECT to_char(day, 'YYYY-MM-DD') FROM backfilled
		WHERE connection = $1 AND day BETWEEN $2::date AND $3::date ORDER BY day`, connection, from.String(), to.String())
	return days, failed("reading which days are brought in", err)
}
