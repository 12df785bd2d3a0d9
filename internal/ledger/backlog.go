package ledger

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Backlog counts a connection's documents.
type Backlog struct {
	Wanted      int `json:"wanted"`      // still to be sent, both lanes
	Live        int `json:"live"`        // of them live
	History     int `json:"history"`     // of them history
	Unconfirmed int `json:"unconfirmed"` // sent, not yet read back
	// Uncertain documents had an attempt of unknown effect that nothing has
	// resolved yet; those put aside are counted as that.
	Uncertain int `json:"uncertain"`
	// Parked documents wait for a person to say whether an upload was applied.
	Parked       int `json:"parked"`
	Quarantined  int `json:"quarantined"`
	Total        int `json:"total"`
	Sent         int `json:"sent"`         // the wanted version was accepted
	Confirmed    int `json:"confirmed"`    // the wanted version was read back
	Unverifiable int `json:"unverifiable"` // sent, cannot be read back
	// OldestWanted is since when the document that waits longest is wanted,
	// business time; zero when nothing waits.
	OldestWanted time.Time `json:"oldest_wanted"`
}

// Backlog counts a connection's documents, all of them: for people and metrics,
// not for every step.
func (s *Store) Backlog(ctx context.Context, connection string) (Backlog, error) {
	counts, err := selectJSON[Backlog](ctx, s.db, `
		SELECT to_json(b) FROM (
			SELECT count(*) FILTER (WHERE due) AS wanted,
				count(*) FILTER (WHERE due AND lane = 0) AS live,
				count(*) FILTER (WHERE due AND lane = 1) AS history,
				count(*) FILTER (WHERE confirm_at IS NOT NULL) AS unconfirmed,
				count(*) FILTER (WHERE uncertain) AS parked,
				count(*) FILTER (WHERE NOT quarantined AND (ambiguous OR lease_until <= clock_timestamp())) AS uncertain,
				count(*) FILTER (WHERE quarantined) AS quarantined,
				count(*) AS total,
				count(*) FILTER (WHERE hash = sent_hash AND resend = sent_resend) AS sent,
				count(*) FILTER (WHERE hash = confirmed_hash AND resend = confirmed_resend) AS confirmed,
				count(*) FILTER (WHERE unverifiable AND hash = sent_hash) AS unverifiable,
				min(wanted_at) FILTER (WHERE due) AS oldest_wanted
			FROM documents WHERE connection = $1
		) b`, connection)
	if err != nil {
		return Backlog{}, failed("counting the backlog", err)
	}
	return counts[0], nil
}

// Waiting counts the documents that are still to be sent, by lane; it looks at
// these only, so that every run can afford it.
func (s *Store) Waiting(ctx context.Context, connection string) (live, history int, err error) {
	var counts struct {
		Live    int `db:"live"`
		History int `db:"history"`
	}
	err = sqlx.GetContext(ctx, s.often, &counts, `
		SELECT count(*) FILTER (WHERE lane = 0) AS live, count(*) FILTER (WHERE lane = 1) AS history
		FROM documents WHERE connection = $1 AND due`, connection)
	return counts.Live, counts.History, failed("counting what waits", err)
}

// Resend has all documents of the business days from one to another, both
// included, sent again as they are wanted, journalled, and tells how many. In
// the lane Live they go with today's, oldest first; a large resend belongs into
// History, so that live work goes before it.
func (s *Store) Resend(ctx context.Context, c Connection, from, to sale.Day, lane Lane, by Actor) (int, error) {
	if to.Before(from) {
		return 0, work.Err(work.BadInput, "the last day is before the first")
	}
	var again int
	err := s.inTx(ctx, "marking documents to be sent again", func(tx *sqlx.Tx) error {
		if err := tx.GetContext(ctx, &again, `
			WITH locked AS MATERIALIZED (
				SELECT id FROM documents WHERE connection = $1 AND day BETWEEN $2::date AND $3::date
				ORDER BY id FOR UPDATE
			), again AS (
				UPDATE documents d SET resend = d.resend + 1, lane = $4::smallint, tries = 0, misses = 0,
					retry_at = NULL, quarantined = false,
					wanted_at = CASE WHEN d.due THEN d.wanted_at ELSE $5::timestamptz END
				FROM locked WHERE d.connection = $1 AND d.id = locked.id
				RETURNING d.id
			), released AS (
				UPDATE quarantine SET status = 'released', last_at = $5::timestamptz
				WHERE connection = $1 AND kind = 'document' AND status = 'open' AND record_id IN (SELECT id FROM again))
			SELECT count(*) FROM again`,
			c.ID, from.String(), to.String(), int(lane), s.clock.Now()); err != nil {
			return err
		}
		e := by.entry(ActResend)
		e.Connection, e.Old, e.New = c.ID, from.String()+" to "+to.String(), countOf(again, "document")
		return s.journal(ctx, tx, e)
	})
	return again, err
}
