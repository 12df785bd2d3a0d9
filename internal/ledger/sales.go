package ledger

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Snapshot is a sale as one read of the till found it.
type Snapshot struct {
	Sale sale.Sale
	// ReadBegan is when the read began, business time.
	ReadBegan time.Time
	// Reread says that the read was a full re-read of a day, which overrides
	// what is known.
	Reread bool
}

// known is what the ledger has of a sale before a page is recorded.
type known struct {
	ID          string    `db:"id"`
	ModifiedAt  time.Time `db:"modified_at"`
	ReadBeganAt time.Time `db:"read_began_at"`
	Hash        string    `db:"hash"`
	Documented  bool      `db:"documented"`
}

// wins is the rule of invariant 5. PostgreSQL keeps microseconds, so that is
// what instants are compared in.
func (n Snapshot) wins(old known) bool {
	modified, began := micros(n.Sale.ModifiedAt), micros(n.ReadBegan)
	return old.ID == "" || n.Reread || modified.After(old.ModifiedAt) ||
		modified.Equal(old.ModifiedAt) && began.After(old.ReadBeganAt)
}

// micros is an instant as PostgreSQL keeps it.
func micros(t time.Time) time.Time { return t.UTC().Round(time.Microsecond) }

func (s *Store) known(ctx context.Context, connection string, ids []string) (map[string]known, error) {
	var rows []known
	err := sqlx.SelectContext(ctx, s.often, &rows, `
		SELECT s.id, s.modified_at, s.read_began_at, s.hash, own.known IS NOT NULL OR other.known IS NOT NULL AS documented
		FROM unnest($2::text[]) AS r(id) CROSS JOIN LATERAL (
			SELECT * FROM sales s WHERE s.connection = $1 AND s.id = r.id OFFSET 0
		) s LEFT JOIN LATERAL (
			SELECT true AS known FROM documents d WHERE d.connection = $1 AND d.id = s.id AND d.sale_id = s.id OFFSET 0
		) own ON true LEFT JOIN LATERAL (
			SELECT true AS known FROM documents d WHERE d.connection = $1 AND d.sale_id = s.id AND d.sale_id <> d.id LIMIT 1
		) other ON true`, connection, textArray(ids))
	if err != nil {
		return nil, failed("reading what is known of a page", err)
	}
	out := make(map[string]known, len(rows))
	for _, row := range rows {
		out[row.ID] = row
	}
	return out, nil
}

// stored is a sale as the ledger has it.
type stored struct {
	ID         string    `json:"id"`
	Hash       string    `json:"hash"`
	Snapshot   sale.Sale `json:"snapshot"`
	ModifiedAt time.Time `json:"modified_at"`
	Missed     int       `json:"missed"`
	Documented bool      `json:"documented"`
}

// sale is the snapshot; the till may since have touched the order without
// changing it.
func (r stored) sale() sale.Sale {
	r.Snapshot.ModifiedAt = r.ModifiedAt.UTC()
	return r.Snapshot
}

// selectStored selects stored rows; a condition on s and an order follow.
const selectStored = `
	SELECT json_build_object('id', s.id, 'hash', s.hash, 'snapshot', s.snapshot, 'modified_at', s.modified_at,
		'missed', s.missed, 'documented',
		EXISTS (SELECT 1 FROM documents d WHERE d.connection = s.connection AND d.id = s.id AND d.sale_id = s.id)
		OR EXISTS (SELECT 1 FROM documents d WHERE d.connection = s.connection AND d.sale_id = s.id AND d.sale_id <> d.id))
	FROM sales s WHERE s.connection = $1 `

// Sale is the newest snapshot of one sale; an unknown id is BadInput.
func (s *Store) Sale(ctx context.Context, connection, id string) (sale.Sale, error) {
	rows, err := selectJSON[stored](ctx, s.db, selectStored+`AND s.id = $2`, connection, id)
	if err != nil {
		return sale.Sale{}, failed("reading a sale", err)
	}
	if len(rows) == 0 {
		return sale.Sale{}, work.Err(work.BadInput, "there is no such sale")
	}
	return rows[0].sale(), nil
}

// SalesOfDay are the newest snapshots of the sales opened on a business day,
// in the order of their ids.
func (s *Store) SalesOfDay(ctx context.Context, connection string, day sale.Day) ([]sale.Sale, error) {
	rows, err := selectJSON[stored](ctx, s.db, selectStored+`AND s.day = $2::date ORDER BY s.id`, connection, day.String())
	if err != nil {
		return nil, failed("reading a day's sales", err)
	}
	out := make([]sale.Sale, len(rows))
	for i, row := range rows {
		out[i] = row.sale()
	}
	return out, nil
}

// LastSale is when the newest sale of a connection last changed, zero where
// there is none.
func (s *Store) LastSale(ctx context.Context, connection string) (time.Time, error) {
	var at *time.Time
	err := s.db.GetContext(ctx, &at, `
		SELECT max(modified_at) FROM sales
		WHERE connection = $1 AND day = (SELECT max(day) FROM sales WHERE connection = $1)`, connection)
	if err != nil || at == nil {
		return time.Time{}, failed("looking for the last sale", err)
	}
	return at.UTC(), nil
}
