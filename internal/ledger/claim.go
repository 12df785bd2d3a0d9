package ledger

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

// Claim is one document to send: the intent is written, and until its lease
// ends nobody else sends this document.
type Claim struct {
	partner.Delivery
	// Attempt numbers the attempts of this document; settling states it.
	Attempt int64
	// Resend counts how often a person had this document sent again, and
	// SentResend which of these the partner accepted last; -1 for none.
	Resend, SentResend int
	// Tries is how many attempts failed in a row before this one.
	Tries int
}

// Due narrows what is claimed.
type Due struct {
	Lane Lane
	// Day narrows it to one business day; nil does not.
	Day *sale.Day
	Of  Of
}

// Of tells documents of single sales from those of whole days, which a partner
// may take on two ways.
type Of int

// What documents are of.
const (
	OfAny Of = iota
	OfSales
	OfDays
)

// documentRow is a document as it stands in its row.
type documentRow struct {
	ID     string          `db:"id"`
	SaleID string          `db:"sale_id"`
	Date   time.Time       `db:"date"`
	Day    time.Time       `db:"day"`
	Body   json.RawMessage `db:"body"`
	Hash   string          `db:"hash"`
}

func (r documentRow) document() partner.Document {
	return partner.Document{
		ID: r.ID, SaleID: r.SaleID, Date: r.Date.UTC(), Day: sale.NewDay(r.Day.Date()), Body: r.Body, Hash: r.Hash,
	}
}

type claimRow struct {
	documentRow
	Created   bool  `db:"created"`
	Ambiguous bool  `db:"ambiguous"`
	Attempt   int64 `db:"attempt"`
	Resend    int   `db:"resend"`
	Accepted  int   `db:"sent_resend"`
	Tries     int   `db:"tries"`
	Versions  int   `db:"versions"`
}

// Claim takes up to n documents that differ from what the partner
// accepted, oldest date first, and writes the intent: until lease ends on PostgreSQL's clock or the attempt
// is settled, nobody else gets them. One round trip. A document whose earlier
// lease ended unsettled comes as Ambiguous: that attempt may have had its
// effect, or may still have it, so its read-back is done twice.
func (s *Store) Claim(ctx context.Context, connection string, due Due, n int, lease time.Duration) ([]Claim, error) {
	var only *string
	if due.Day != nil {
		text := due.Day.String()
		only = &text
	}
	var rows []claimRow
	err := sqlx.SelectContext(ctx, s.often, &rows, `
		WITH picked AS (
			SELECT connection, id FROM documents
			WHERE connection = $1 AND lane = $2::smallint AND due
				AND ($3::date IS NULL OR day = $3::date)
				AND ($6 = 0 OR ($6 = 2) = (sale_id LIKE 'day:%'))
				AND (lease_until IS NULL OR lease_until <= clock_timestamp())
				AND (retry_at IS NULL OR retry_at <= clock_timestamp())
			ORDER BY date, id LIMIT $4 FOR UPDATE SKIP LOCKED
		), claimed AS (
			UPDATE documents d SET attempt = d.attempt + 1,
				intent_hash = d.hash, intent_resend = d.resend,
				ambiguous = d.ambiguous OR d.lease_until IS NOT NULL,
				second_look = d.second_look OR d.lease_until IS NOT NULL,
				lease_until = clock_timestamp() + make_interval(secs => $5)
			FROM picked p WHERE d.connection = $1 AND d.id = p.id AND p.connection = $1 -- twice, for a plan by key
			RETURNING d.id, d.sale_id, d.date, d.day, d.body, d.hash, d.created, d.ambiguous, d.attempt, d.resend, d.sent_resend, d.tries, d.versions
		)
		SELECT * FROM claimed ORDER BY date, id`,
		connection, int(due.Lane), only, n, lease.Seconds(), int(due.Of))
	if err != nil {
		return nil, failed("claiming documents", err)
	}
	claims := make([]Claim, len(rows))
	for i, r := range rows {
		claims[i] = Claim{
			Delivery: partner.Delivery{Document: r.document(), Created: r.Created, Ambiguous: r.Ambiguous, Versions: r.Versions},
			Attempt:  r.Attempt, Resend: r.Resend, SentResend: r.Accepted, Tries: r.Tries,
		}
	}
	return claims, nil
}
