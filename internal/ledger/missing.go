package ledger

import (
	"context"
	"encoding/json"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// missedTwice is after how many complete re-reads without it an order counts as
// voided (assumed: reference, Cluster section 3; deleted orders vanish). One
// might be a relay that has not caught up.
const missedTwice = 2

// MissingResult is what a complete re-read of a day found missing.
type MissingResult struct {
	Suspected int // missing for the first time
	Voided    int // missing for the second time, now voided
	Changed   int // documents that are now wanted otherwise than before
}

// missingRow is a missing sale; Hash and Snapshot are left out while it is only
// suspected.
type missingRow struct {
	ID       string          `json:"id"`
	Hash     string          `json:"hash,omitempty"`
	Snapshot json.RawMessage `json:"snapshot,omitempty"`
}

const markMissing = `
	WITH held AS (
		SELECT id FROM connections
		WHERE id = $1 AND lease_holder = $13 AND lease_until > clock_timestamp() AND settings_version = $14
		FOR SHARE
	), current AS (
		UPDATE sales s SET missed = s.missed + 1, missed_at = $16::timestamptz,
			hash = coalesce(r.hash, s.hash), snapshot = coalesce(r.snapshot, s.snapshot),
			read_began_at = CASE WHEN r.snapshot IS NULL THEN s.read_began_at ELSE $16::timestamptz END
		FROM held CROSS JOIN json_to_recordset($15::json) AS r(id text, hash text, snapshot json)
		WHERE s.connection = $1 AND s.id = ANY ($17::text[]) AND s.id = r.id AND s.seen_at < $16::timestamptz
		RETURNING s.id, s.hash
	)`

// MarkMissing ends a complete re-read of the orders opened on a business day,
// which began at readBegan (business time, as in the pages that it recorded).
// The day's sales that no read since then has seen are missing; those missing
// from two complete re-reads become voided, and so do their documents. Sales of
// hardware that was replaced are left alone: its till answers no more. Calling
// it twice for one re-read counts once. It fails with LeaseHeld as RecordPage
// does.
func (s *Store) MarkMissing(ctx context.Context, c Connection, holder string, day sale.Day, readBegan time.Time, translate Translate) (MissingResult, error) {
	m, err := newMarking(c, Live)
	if err != nil {
		return MissingResult{}, err
	}
	readBegan = micros(readBegan)
	unseen, err := selectJSON[stored](ctx, s.db, selectStored+`
		AND s.day = $2::date AND s.seen_at < $3 AND coalesce(s.missed_at < $3, true)
		AND s.snapshot ->> 'serial' = $4 AND s.snapshot ->> 'status' <> $5 ORDER BY s.id`,
		c.ID, day.String(), readBegan, c.Location.Serial, sale.Voided)
	if err != nil {
		return MissingResult{}, failed("looking for missing sales", err)
	}
	var result MissingResult
	rows, ids := make([]missingRow, 0, len(unseen)), make([]string, 0, len(unseen))
	for _, old := range unseen {
		row := missingRow{ID: old.ID}
		if old.Missed+1 < missedTwice {
			result.Suspected++
		} else if row = m.void(old, translate); row.Snapshot != nil {
			result.Voided++
		}
		rows, ids = append(rows, row), append(ids, row.ID)
	}
	if len(rows) == 0 {
		return result, nil
	}
	missing, err := asJSON(rows)
	if err != nil {
		return MissingResult{}, err
	}
	done, err := s.mark(ctx, "marking missing sales", m, markMissing, holder, c.SettingsVersion, missing, readBegan, textArray(ids))
	if err != nil {
		return MissingResult{}, err
	}
	result.Changed = done.Changed
	return result, nil
}

// void marks a vanished sale as voided.
func (m *marking) void(old stored, translate Translate) missingRow {
	gone := old.sale()
	gone.Status = sale.Voided
	snapshot, hash := gone.Content()
	if !m.want(gone, hash, snapshot, old.Documented, translate) {
		return missingRow{ID: old.ID}
	}
	return missingRow{ID: old.ID, Hash: hash, Snapshot: snapshot}
}
