package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Finding is something that people should know before it does harm.
type Finding struct {
	Number     int64           `json:"number"`
	Connection string          `json:"connection"`
	Kind       string          `json:"kind"`
	Subject    string          `json:"subject"`
	Day        sale.Day        `json:"day"` // since when it is so; zero when that says nothing
	Detail     json.RawMessage `json:"detail"`
	FirstAt    time.Time       `json:"first_at"` // business time
	LastAt     time.Time       `json:"last_at"`
	Times      int             `json:"times"`
	ToldAt     time.Time       `json:"told_at"` // when the venue was told; zero: not yet
	Status     string          `json:"status"`  // open, seen or gone
}

// The kinds of findings.
const (
	ItemRenamed  = "item_renamed"  // another title under the same code
	ItemReused   = "item_reused"   // a code that comes back as another product
	ItemNew      = "item_new"      // a code that was not sold before
	ItemConflict = "item_conflict" // another location of the integration sells it as something else
	RouteDoubled = "route_doubled" // the partner reads the till as well
	// The till counts orders to other business days than 05:00 to 05:00.
	WorkdayDiffers = "workday_differs"
)

// Find keeps findings of a connection; one that is open already is seen once
// more.
func (s *Store) Find(ctx context.Context, connection string, found []NewFinding) error {
	if len(found) == 0 {
		return nil
	}
	given, err := asJSON(lastOfEach(found, func(f NewFinding) string { return f.Kind + " " + f.Subject }))
	if err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, `
		INSERT INTO findings AS f (connection, kind, subject, day, detail, first_at, last_at)
		SELECT $1, n.kind, n.subject, nullif(n.day, '')::date, coalesce(n.detail, '{}'), $3::timestamptz, $3::timestamptz
		FROM json_to_recordset($2::json) AS n(kind text, subject text, day text, detail json)
		ORDER BY n.kind, n.subject
		ON CONFLICT (connection, kind, subject) WHERE status = 'open' DO UPDATE SET
			detail = excluded.detail, day = coalesce(f.day, excluded.day), last_at = excluded.last_at, times = f.times + 1`,
		connection, given, s.clock.Now())
	return failed("keeping findings", err)
}

// Findings lists those of a connection (all connections when it is empty) that
// are open, by number; with all also the others. At most the newest 1000.
func (s *Store) Findings(ctx context.Context, connection string, all bool) ([]Finding, error) {
	list, err := selectJSON[Finding](ctx, s.db, `
		SELECT to_json(x) FROM (
			SELECT * FROM findings f WHERE ($1 = '' OR f.connection = $1) AND ($2 OR f.status = 'open')
			ORDER BY f.number DESC LIMIT $3
		) x ORDER BY x.number`, connection, all, maxListed)
	return list, failed("listing findings", err)
}

// SeeFindings closes open findings of a connection by a person's act (all of
// them when numbers is empty), journalled, and tells how many.
func (s *Store) SeeFindings(ctx context.Context, connection string, numbers []int64, by Actor) (int, error) {
	var closed []int64
	err := s.inTx(ctx, "closing findings", func(tx *sqlx.Tx) error {
		if err := tx.SelectContext(ctx, &closed, `
			UPDATE findings SET status = 'seen', last_at = $4
			WHERE connection = $1 AND status = 'open' AND ($2 OR number = ANY ($3::bigint[])) RETURNING number`,
			connection, len(numbers) == 0, int64Array(numbers), s.clock.Now()); err != nil {
			return err
		}
		if len(closed) < len(numbers) {
			return work.Err(work.BadInput, fmt.Sprintf("%d of these findings are not open", len(numbers)-len(closed)))
		}
		if len(closed) == 0 {
			return nil
		}
		e := by.entry(ActSeeFinding)
		e.Connection, e.Old, e.New = connection, fmt.Sprintf("findings %v open", closed), "seen"
		return s.journal(ctx, tx, e)
	})
	return len(closed), err
}

// FindingGone closes a finding that is so no more.
func (s *Store) FindingGone(ctx context.Context, connection, kind, subject string) error {
	_, err := s.db.ExecContext(ctx, `
		UPDATE findings SET status = 'gone', last_at = $4
		WHERE connection = $1 AND kind = $2 AND subject = $3 AND status = 'open'`, connection, kind, subject, s.clock.Now())
	return failed("closing a finding", err)
}
