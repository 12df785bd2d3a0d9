package ledger

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// retranslateBatch is how many sales are translated anew per statement: a page
// of a pull.
const retranslateBatch = 500

// RetranslateResult is what a changed setting did.
type RetranslateResult struct {
	Changed int        // documents that are now wanted otherwise than before
	Moved   []sale.Day // business days that lost or gained a document, in order
}

const retranslate = `
	WITH held AS (
		SELECT id FROM connections WHERE id = $1 AND settings_version = $13 FOR SHARE
	), current AS (
		SELECT s.id, s.hash
		FROM held CROSS JOIN unnest($14::text[], $15::text[]) AS r(id, hash)
		JOIN sales s ON s.connection = $1 AND s.id = ANY ($14::text[]) AND s.id = r.id AND s.hash = r.hash
		ORDER BY s.id FOR SHARE OF s
	)`

// Retranslate marks anew what the partner should hold for the sales opened on
// the business days from one to another, both included, after a setting of c
// changed. It needs no lease: a sale that a pull replaces meanwhile is left to
// the pull, which translates with the settings of now as well; with settings
// changed once more it fails with LeaseHeld. lane is where documents go that
// are wanted otherwise than before; live ones stay live.
func (s *Store) Retranslate(ctx context.Context, c Connection, from, to sale.Day, lane Lane, translate Translate) (RetranslateResult, error) {
	result := RetranslateResult{}
	moved := map[string]bool{}
	after := ""
	for {
		rows, err := selectJSON[stored](ctx, s.db, selectStored+`
			AND s.day BETWEEN $2::date AND $3::date AND s.id > $4 ORDER BY s.id LIMIT $5`,
			c.ID, from.String(), to.String(), after, retranslateBatch)
		if err != nil {
			return result, failed("reading sales to translate anew", err)
		}
		if len(rows) == 0 {
			break
		}
		done, err := s.retranslate(ctx, c, lane, rows, translate)
		if err != nil {
			return result, err
		}
		result.Changed += done.Changed
		for _, day := range done.Days {
			moved[day] = true
		}
		after = rows[len(rows)-1].ID
	}
	for _, text := range slices.Sorted(maps.Keys(moved)) {
		day, err := sale.ParseDay(text)
		if err != nil {
			return result, work.Errf(work.Internal, err, "ledger: a day cannot be read")
		}
		result.Moved = append(result.Moved, day)
	}
	return result, nil
}

func (s *Store) retranslate(ctx context.Context, c Connection, lane Lane, rows []stored, translate Translate) (marked, error) {
	m, err := newMarking(c, lane)
	if err != nil {
		return marked{}, err
	}
	ids, hashes := make([]string, 0, len(rows)), make([]string, 0, len(rows))
	for _, old := range rows {
		raw, err := json.Marshal(old.Snapshot)
		if err != nil {
			return marked{}, work.Errf(work.Internal, err, "a sale cannot be JSON")
		}
		if m.want(old.sale(), old.Hash, raw, old.Documented, translate) {
			ids, hashes = append(ids, old.ID), append(hashes, old.Hash)
		}
	}
	return s.mark(ctx, "translating anew", m, retranslate, c.SettingsVersion, textArray(ids), textArray(hashes))
}

// WouldChange counts the documents that are not wanted yet, or otherwise.
func (s *Store) WouldChange(ctx context.Context, connection string, documents []partner.Document) (int, error) {
	ids, hashes := make([]string, len(documents)), make([]string, len(documents))
	for i, d := range documents {
		ids[i], hashes[i] = d.ID, d.Hash
	}
	var same int
	err := s.db.GetContext(ctx, &same, `
		SELECT count(*) FROM unnest($2::text[], $3::text[]) AS r(id, hash) CROSS JOIN LATERAL (
			SELECT 1 FROM documents d WHERE d.connection = $1 AND d.id = r.id AND d.hash = r.hash OFFSET 0
		) d`, connection, textArray(ids), textArray(hashes))
	return len(documents) - same, failed("comparing with what is wanted", err)
}
