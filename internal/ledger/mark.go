package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Lane says which work a document belongs to: live goes before history.
type Lane int

// The lanes.
const (
	Live    Lane = 0
	History Lane = 1
)

// Translate says what the partner should hold for a sale; known tells whether
// a document of this sale was marked before. It is partner.Partner's Translate
// with the connection filled in. Its errors put the sale aside. No document for
// a sale that has one changes nothing: what a partner was told is corrected,
// never deleted, so a document goes only by being voided.
type Translate func(s sale.Sale, known bool) ([]partner.Document, error)

// BadOrder is a record of the till that makes no sense.
type BadOrder struct {
	// ID is the sale's id ("<serial>-<order id>") as far as it can be told; the
	// record is healed when a good one of this id comes.
	ID   string
	Day  sale.Day // by opening; zero when unknown
	Code work.Code
	Why  string // without names, secrets and amounts
	Raw  string // stays in the ledger; clipped to 64 KiB
}

const (
	// maxID keeps ids within what a key of the index may be; real ones have
	// some 20 characters.
	maxID = 200
	// maxRaw is how much of a bad record is kept: enough to see what is wrong.
	maxRaw = 64 << 10
)

// marking is what one statement marks: documents wanted, and records put aside.
type marking struct {
	connection string
	zone       *time.Location
	lane       Lane
	documents  []wantedRow
	bad        []badRow
	good       []string // sales of which a good record has come
}

type wantedRow struct {
	ID, SaleID, SaleHash string
	Day                  sale.Day
	Date                 time.Time
	Body                 json.RawMessage
	Hash                 string
}

type badRow struct {
	ID   string    `json:"id"`
	Day  *sale.Day `json:"day"`
	Code work.Code `json:"code"`
	Why  string    `json:"why"`
	Raw  string    `json:"raw"`
}

func newMarking(c Connection, lane Lane) (*marking, error) {
	zone, err := loadZone(c.Location.Zone)
	if err != nil {
		return nil, err
	}
	return &marking{connection: c.ID, zone: zone, lane: lane}, nil
}

// want marks what the partner should hold for a sale; false when the sale makes
// no sense and was put aside instead.
func (m *marking) want(s sale.Sale, hash string, raw []byte, documented bool, translate Translate) bool {
	documents, err := translate(s, documented)
	if err != nil {
		why := work.Err(work.OrderImplausible, "")
		if e, ok := errors.AsType[*work.Error](err); ok {
			why = e
		}
		m.putAside(BadOrder{ID: s.ID, Day: sale.DayOf(s.OpenedAt, m.zone), Code: why.Code, Why: why.Error(), Raw: string(raw)})
		return false
	}
	for _, d := range documents {
		day := d.Day
		if day.IsZero() {
			day = sale.DayOf(d.Date, m.zone)
		}
		m.documents = append(m.documents, wantedRow{
			ID: d.ID, SaleID: s.ID, SaleHash: hash, Day: day, Date: d.Date, Body: d.Body, Hash: d.Hash,
		})
	}
	return true
}

// putAside quarantines a record of the till.
func (m *marking) putAside(b BadOrder) {
	row := badRow{ID: clip(b.ID, maxID), Code: b.Code, Why: clip(b.Why, maxRaw), Raw: clip(b.Raw, maxRaw)}
	if row.ID == "" {
		row.ID = "unreadable-" + sale.Hash([]byte(b.Raw))
	}
	if !b.Day.IsZero() {
		row.Day = &b.Day
	}
	m.bad = append(m.bad, row)
}

// clip makes a text fit to be stored: PostgreSQL knows no NUL.
func clip(s string, limit int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "?")
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "")
	}
	return s
}

// marked is what a marking statement answers.
type marked struct {
	Held        int            `db:"held"`
	Sales       int            `db:"sales"`
	Changed     int            `db:"changed"`
	Quarantined int            `db:"quarantined"`
	Days        pq.StringArray `db:"days"`
}

// mark runs a marking statement, one round trip. The statement's own part has
// two queries: held, the connection's id if the caller may write; and current,
// the id and hash of the sales from which the documents were translated, as
// they now stand. Its own parameters start at $13.
func (s *Store) mark(ctx context.Context, doing string, m *marking, own string, args ...any) (marked, error) {
	wanted := lastOfEach(m.documents, func(r wantedRow) string { return r.ID })
	bad, err := asJSON(lastOfEach(m.bad, func(r badRow) string { return r.ID }))
	if err != nil {
		return marked{}, err
	}
	args = append([]any{
		m.connection, s.clock.Now(), int(m.lane), bad, textArray(m.healed()),
		texts(wanted, func(r wantedRow) string { return r.ID }),
		texts(wanted, func(r wantedRow) string { return r.SaleID }),
		texts(wanted, func(r wantedRow) string { return r.SaleHash }),
		days(wanted, func(r wantedRow) sale.Day { return r.Day }),
		instants(wanted, func(r wantedRow) time.Time { return r.Date }),
		jsons(wanted, func(r wantedRow) json.RawMessage { return r.Body }),
		texts(wanted, func(r wantedRow) string { return r.Hash }),
	}, args...)
	var done marked
	if err := sqlx.GetContext(ctx, s.often, &done, own+marks, args...); err != nil {
		return marked{}, failed(doing, err)
	}
	if done.Held == 0 {
		return marked{}, leaseLost()
	}
	return done, nil
}

// healed are the good sales that are not bad on the same page.
func (m *marking) healed() []string {
	out := []string{}
	bad := make(map[string]bool, len(m.bad))
	for _, b := range m.bad {
		bad[b.ID] = true
	}
	for _, id := range m.good {
		if !bad[id] {
			out = append(out, id)
		}
	}
	return out
}

// marks is the common end of all marking statements. Rows are written in the
// order of their ids, as everywhere, so that two statements cannot wait for each
// other.
const marks = `,
	before AS (
		SELECT d.id, d.day FROM unnest($6::text[]) AS r(id) CROSS JOIN LATERAL (
			SELECT d.id, d.day FROM documents d WHERE d.connection = $1 AND d.id = r.id OFFSET 0
		) d
	), wanted AS (
		INSERT INTO documents AS d (connection, id, sale_id, day, date, lane, body, hash, wanted_at)
		SELECT $1, r.id, r.sale_id, r.day, r.date, $3::smallint, r.body, r.hash, $2::timestamptz
		FROM unnest($6::text[], $7::text[], $8::text[], $9::date[], $10::timestamptz[], $11::json[], $12::text[])
			AS r(id, sale_id, sale_hash, day, date, body, hash)
		JOIN current ON current.id = r.sale_id AND current.hash = r.sale_hash
		ORDER BY r.id
		ON CONFLICT (connection, id) DO UPDATE SET
			sale_id = excluded.sale_id, day = excluded.day, date = excluded.date, body = excluded.body, hash = excluded.hash,
			lane = least(d.lane, excluded.lane),
			wanted_at = CASE WHEN d.due THEN d.wanted_at ELSE excluded.wanted_at END,
			tries = 0, misses = 0, retry_at = NULL, quarantined = false
		WHERE d.hash <> excluded.hash OR d.date <> excluded.date OR d.day <> excluded.day
		RETURNING d.id, d.day
	), healed AS (
		UPDATE quarantine q SET status = 'healed', last_at = $2::timestamptz
		FROM held
		WHERE q.connection = held.id AND q.status = 'open' AND
			(q.kind = 'order' AND q.record_id = ANY ($5::text[]) OR
			 q.kind = 'document' AND q.record_id IN (SELECT id FROM wanted))
	), bad AS (
		INSERT INTO quarantine AS q (connection, kind, record_id, day, code, why, raw, first_at, last_at)
		SELECT held.id, 'order', r.id, r.day, r.code, r.why, r.raw, $2::timestamptz, $2::timestamptz
		FROM held CROSS JOIN json_to_recordset($4::json) AS r(id text, day date, code text, why text, raw text)
		WHERE NOT EXISTS ( -- what a person discarded stays so until it changes
			SELECT 1 FROM quarantine o WHERE o.connection = held.id AND o.kind = 'order' AND o.record_id = r.id
				AND o.status = 'discarded' AND o.raw = r.raw)
		ORDER BY r.id
		ON CONFLICT (connection, kind, record_id) WHERE status = 'open' DO UPDATE SET
			day = coalesce(excluded.day, q.day), code = excluded.code, why = excluded.why, raw = excluded.raw,
			last_at = excluded.last_at, times = q.times + 1
		RETURNING q.times = 1 AS is_new
	)
	SELECT (SELECT count(*) FROM held) AS held, (SELECT count(*) FROM current) AS sales,
		(SELECT count(*) FROM wanted) AS changed, (SELECT count(*) FROM bad WHERE is_new) AS quarantined,
		(SELECT array_agg(DISTINCT day ORDER BY day) FROM (
			SELECT b.day FROM wanted w JOIN before b USING (id) WHERE b.day <> w.day
			UNION SELECT w.day FROM wanted w LEFT JOIN before b USING (id) WHERE b.day IS DISTINCT FROM w.day
		) moved) AS days`

// lastOfEach keeps the last row of each key: a statement may write a row once.
func lastOfEach[T any](rows []T, key func(T) string) []T {
	at := make(map[string]int, len(rows))
	out := make([]T, 0, len(rows))
	for _, row := range rows {
		if i, seen := at[key(row)]; seen {
			out[i] = row
			continue
		}
		at[key(row)] = len(out)
		out = append(out, row)
	}
	return out
}

// orEmpty makes no rows an empty JSON array.
func orEmpty[T any](rows []T) []T {
	if rows == nil {
		return []T{}
	}
	return rows
}

// textArray is a statement's parameter of type text[], never null.
func textArray(texts []string) any { return pq.Array(orEmpty(texts)) }

func int64Array(numbers []int64) any { return pq.Array(orEmpty(numbers)) }
