package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Page is one page of a pull.
type Page struct {
	Snapshots []Snapshot
	Bad       []BadOrder
	// Lane is where documents go that are wanted anew. A document that is
	// already live stays live.
	Lane Lane
	// ReadBegan is when the read began by which the Bad were seen, business
	// time, so that a bad order is not taken for a vanished one. Zero: the
	// latest of the snapshots.
	ReadBegan time.Time
}

// PageResult is what a page did.
type PageResult struct {
	Orders      int // records on the page, good and bad
	Changed     int // documents that are now wanted otherwise than before
	Quarantined int // records newly put aside
}

// freshRow is a snapshot whose content is new.
type freshRow struct {
	seenRow
	Day      sale.Day
	Snapshot json.RawMessage
}

// seenRow is a sale that was seen; Hash is set when it won.
type seenRow struct {
	ID                      string
	ModifiedAt, ReadBeganAt time.Time
	Hash                    string
}

// reading sorts the records of a page.
type reading struct {
	*marking
	fresh  []freshRow
	reread []string
	seen   []seenRow
}

// recordPage: only the holder of the lease writes, and only what was translated
// with the settings of now. The newer snapshot is decided here once more, since
// an activity that was retried may run beside its retry.
const recordPage = `
	WITH held AS (
		SELECT id FROM connections
		WHERE id = $1 AND lease_holder = $13 AND lease_until > clock_timestamp() AND settings_version = $14
		FOR SHARE
	), current AS (
		INSERT INTO sales AS s (connection, id, modified_at, read_began_at, seen_at, day, hash, snapshot)
		SELECT held.id, r.id, r.modified_at, r.read_began_at, r.read_began_at, r.day, r.hash, r.snapshot
		FROM held CROSS JOIN unnest($15::text[], $16::timestamptz[], $17::timestamptz[], $18::date[], $19::text[], $20::json[])
			AS r(id, modified_at, read_began_at, day, hash, snapshot)
		ORDER BY r.id
		ON CONFLICT (connection, id) DO UPDATE SET
			modified_at = excluded.modified_at, read_began_at = excluded.read_began_at,
			seen_at = greatest(s.seen_at, excluded.seen_at), missed = 0, missed_at = NULL,
			day = excluded.day, hash = excluded.hash, snapshot = excluded.snapshot
		WHERE excluded.modified_at > s.modified_at
			OR (excluded.modified_at = s.modified_at AND excluded.read_began_at > s.read_began_at)
			OR excluded.id = ANY ($21::text[])
		RETURNING s.id, s.hash
	), touched AS MATERIALIZED (
		SELECT r.* FROM held CROSS JOIN (
			SELECT * FROM unnest($22::text[], $23::timestamptz[], $24::timestamptz[], $25::text[])
				AS r(id, modified_at, read_began_at, hash)
			ORDER BY id
		) r CROSS JOIN LATERAL (
			SELECT s.id FROM sales s WHERE s.connection = held.id AND s.id = r.id FOR UPDATE
		) s WHERE s.id = r.id
	), seen AS (
		UPDATE sales s SET seen_at = greatest(s.seen_at, r.read_began_at), missed = 0, missed_at = NULL,
			modified_at = CASE WHEN s.hash = r.hash THEN r.modified_at ELSE s.modified_at END,
			read_began_at = CASE WHEN s.hash = r.hash THEN r.read_began_at ELSE s.read_began_at END
		FROM touched r WHERE s.connection = $1 AND s.id = r.id
	)`

// RecordPage records a page of a pull in two round trips: newer snapshots
// replace older ones, documents of those that changed are marked as the partner
// should hold them, and records that make no sense are put aside while the rest
// goes on. It fails with LeaseHeld, having done nothing, when holder has lost
// the lease or c's settings have changed meanwhile.
func (s *Store) RecordPage(ctx context.Context, c Connection, holder string, p Page, translate Translate) (PageResult, error) {
	result := PageResult{Orders: len(p.Snapshots) + len(p.Bad)}
	if result.Orders == 0 {
		return result, nil
	}
	m, err := newMarking(c, p.Lane)
	if err != nil {
		return PageResult{}, err
	}
	snapshots := newestOfEach(p.Snapshots)
	ids := make([]string, len(snapshots))
	for i, n := range snapshots {
		ids[i] = n.Sale.ID
	}
	before, err := s.known(ctx, c.ID, slices.DeleteFunc(ids, unfit))
	if err != nil {
		return PageResult{}, err
	}
	r := &reading{marking: m}
	for _, n := range snapshots {
		r.take(n, before[n.Sale.ID], translate)
	}
	for _, b := range p.Bad {
		r.takeBad(b, p.began())
	}
	done, err := s.record(ctx, c, holder, r)
	result.Changed, result.Quarantined = done.Changed, done.Quarantined
	return result, err
}

func (s *Store) record(ctx context.Context, c Connection, holder string, r *reading) (marked, error) {
	seen := lastOfEach(r.seen, func(r seenRow) string { return r.ID })
	return s.mark(ctx, "recording a page", r.marking, recordPage, holder, c.SettingsVersion,
		texts(r.fresh, func(r freshRow) string { return r.ID }),
		instants(r.fresh, func(r freshRow) time.Time { return r.ModifiedAt }),
		instants(r.fresh, func(r freshRow) time.Time { return r.ReadBeganAt }),
		days(r.fresh, func(r freshRow) sale.Day { return r.Day }),
		texts(r.fresh, func(r freshRow) string { return r.Hash }),
		jsons(r.fresh, func(r freshRow) json.RawMessage { return r.Snapshot }),
		textArray(r.reread),
		texts(seen, func(r seenRow) string { return r.ID }),
		instants(seen, func(r seenRow) time.Time { return r.ModifiedAt }),
		instants(seen, func(r seenRow) time.Time { return r.ReadBeganAt }),
		texts(seen, func(r seenRow) string { return r.Hash }))
}

// take sorts one snapshot: it loses, it wins without a change, or it is new.
func (r *reading) take(n Snapshot, old known, translate Translate) {
	s := n.Sale
	snapshot, hash := s.Content()
	if unfit(s.ID) || bytes.Contains(snapshot, []byte(`\u0000`)) {
		r.takeBad(BadOrder{
			ID: s.ID, Day: sale.DayOf(s.OpenedAt, r.zone), Code: work.OrderMalformed,
			Why: work.Err(work.OrderMalformed, "its id or a text in it cannot be stored").Error(), Raw: string(snapshot),
		}, n.ReadBegan)
		return
	}
	seen := seenRow{ID: s.ID, ModifiedAt: s.ModifiedAt, ReadBeganAt: n.ReadBegan}
	switch {
	case !n.wins(old):
		r.seen = append(r.seen, seen)
		return
	case old.Hash == hash:
		seen.Hash = hash
		r.seen = append(r.seen, seen)
	case !r.want(s, hash, snapshot, old.Documented, translate):
		r.seen = append(r.seen, seen)
		return
	default:
		seen.Hash = hash
		r.fresh = append(r.fresh, freshRow{seenRow: seen, Day: sale.DayOf(s.OpenedAt, r.zone), Snapshot: snapshot})
		if n.Reread {
			r.reread = append(r.reread, s.ID)
		}
	}
	r.good = append(r.good, s.ID)
}

func (r *reading) takeBad(b BadOrder, began time.Time) {
	r.putAside(b)
	if !unfit(b.ID) {
		r.seen = append(r.seen, seenRow{ID: b.ID, ReadBeganAt: began})
	}
}

// unfit tells whether an id cannot be a key.
func unfit(id string) bool { return id == "" || clip(id, maxID) != id }

func (p Page) began() time.Time {
	began := p.ReadBegan
	if began.IsZero() {
		for _, n := range p.Snapshots {
			if n.ReadBegan.After(began) {
				began = n.ReadBegan
			}
		}
	}
	return began
}

// newestOfEach keeps of each sale on a page the snapshot that wins: a till may
// list an order on two pages, or twice on one.
func newestOfEach(snapshots []Snapshot) []Snapshot {
	at := make(map[string]int, len(snapshots))
	out := make([]Snapshot, 0, len(snapshots))
	for _, n := range snapshots {
		i, seen := at[n.Sale.ID]
		switch {
		case !seen:
			at[n.Sale.ID] = len(out)
			out = append(out, n)
		case !n.Sale.ModifiedAt.Before(out[i].Sale.ModifiedAt):
			out[i] = n
		}
	}
	return out
}
