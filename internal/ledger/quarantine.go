package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Quarantined is a record put aside.
type Quarantined struct {
	Number     int64     `json:"number"`
	Connection string    `json:"connection"`
	Kind       string    `json:"kind"` // "order" or "document"
	RecordID   string    `json:"record_id"`
	Day        sale.Day  `json:"day"` // zero when unknown
	Code       work.Code `json:"code"`
	Why        string    `json:"why"`
	// Raw is the record itself; only QuarantinedRecord gives it. It must never
	// reach a history.
	Raw     string    `json:"raw"`
	FirstAt time.Time `json:"first_at"` // business time
	LastAt  time.Time `json:"last_at"`  // business time
	Times   int       `json:"times"`
	Status  string    `json:"status"` // open, released, discarded or healed
}

// The kinds of records that are put aside.
const (
	KindOrder    = "order"
	KindDocument = "document"
)

// maxListed is how many quarantined records a list shows, the newest: more
// than a person goes through one by one.
const maxListed = 1000

// Quarantine lists a connection's records that are put aside, without their
// raw content, by number; with all also those that are so no more. At most the
// newest 1000.
func (s *Store) Quarantine(ctx context.Context, connection string, all bool) ([]Quarantined, error) {
	list, err := selectJSON[Quarantined](ctx, s.db, `
		SELECT to_jsonb(x) - 'raw' FROM (
			SELECT * FROM quarantine q WHERE q.connection = $1 AND ($2 OR q.status = 'open')
			ORDER BY q.number DESC LIMIT $3
		) x ORDER BY x.number`, connection, all, maxListed)
	return list, failed("listing the quarantine", err)
}

// QuarantinedRecord is one record with its raw content; an unknown number is
// BadInput.
func (s *Store) QuarantinedRecord(ctx context.Context, number int64) (Quarantined, error) {
	found, err := selectJSON[Quarantined](ctx, s.db, `SELECT to_json(q) FROM quarantine q WHERE q.number = $1`, number)
	if err != nil {
		return Quarantined{}, failed("reading a quarantined record", err)
	}
	if len(found) == 0 {
		return Quarantined{}, work.Err(work.BadInput, fmt.Sprintf("there is no quarantined record %d", number))
	}
	return found[0], nil
}

// Release ends the quarantine of a connection's open records (all of them when
// numbers is empty), journalled, and tells of how many. A released document is
// wanted again, in the live lane; a released order is read again with its
// business day, since only the till has it whole. With discard they are put
// aside for good: a document until its sale changes, an order until it does.
func (s *Store) Release(ctx context.Context, connection string, numbers []int64, discard bool, by Actor) (int, error) {
	status, act := "released", ActRelease
	if discard {
		status, act = "discarded", ActDiscard
	}
	var records []Quarantined
	err := s.inTx(ctx, "releasing the quarantine", func(tx *sqlx.Tx) (err error) {
		// The location first: it says which business day a record without one is of.
		connections, err := selectJSON[Connection](ctx, tx, selectConnections+`WHERE x.id = $1`, connection)
		if err != nil {
			return err
		}
		if len(connections) == 0 {
			return unknownConnection(connection)
		}
		if records, err = s.closeQuarantine(ctx, tx, connection, numbers, status); err != nil || len(records) == 0 {
			return err
		}
		if !discard {
			if err := s.tryAgain(ctx, tx, connections[0], records); err != nil {
				return err
			}
		}
		for _, r := range records {
			e := by.entry(act)
			e.Connection, e.Old, e.New = connection, fmt.Sprintf("%s %s (quarantine %d)", r.Kind, r.RecordID, r.Number), status
			if err := s.journal(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(records), nil
}

// closeQuarantine locks the documents before their quarantine, as settling does.
func (s *Store) closeQuarantine(ctx context.Context, tx *sqlx.Tx, connection string, numbers []int64, status string) ([]Quarantined, error) {
	all := len(numbers) == 0
	if _, err := tx.ExecContext(ctx, `
		SELECT 1 FROM documents d WHERE d.connection = $1 AND d.id IN (
			SELECT q.record_id FROM quarantine q WHERE q.connection = $1 AND q.kind = 'document' AND q.status = 'open'
				AND ($2 OR q.number = ANY ($3::bigint[])))
		ORDER BY d.id FOR UPDATE`, connection, all, int64Array(numbers)); err != nil {
		return nil, err
	}
	return selectJSON[Quarantined](ctx, tx, `
		WITH closed AS (
			UPDATE quarantine q SET status = $4, last_at = $5
			WHERE q.connection = $1 AND q.status = 'open' AND ($2 OR q.number = ANY ($3::bigint[]))
			RETURNING q.*)
		SELECT to_jsonb(c) - 'raw' FROM closed c ORDER BY c.number`,
		connection, all, int64Array(numbers), status, s.clock.Now())
}

func (s *Store) tryAgain(ctx context.Context, tx *sqlx.Tx, c Connection, records []Quarantined) error {
	zone, err := loadZone(c.Location.Zone)
	if err != nil {
		return err
	}
	var days []sale.Day
	var documents []string
	for _, r := range records {
		switch {
		case r.Kind == KindDocument:
			documents = append(documents, r.RecordID)
		case r.Day.IsZero():
			days = append(days, sale.DayOf(r.FirstAt, zone))
		default:
			days = append(days, r.Day)
		}
	}
	now := s.clock.Now()
	if err := askReread(ctx, tx, c.ID, now, days); err != nil || len(documents) == 0 {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE documents SET quarantined = false, tries = 0, misses = 0, retry_at = NULL, wanted_at = $3, lane = 0
		WHERE connection = $1 AND id = ANY ($2)`, c.ID, textArray(documents), now)
	return err
}

func countOf(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
