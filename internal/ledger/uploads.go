package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// UploadEnd is how an upload ended.
type UploadEnd struct {
	Number int64
	// State holds for all its lines but the Exceptions: accepted, unsent,
	// intended (in doubt, to be sent again) or uncertain.
	State      UploadState
	Exceptions []LineEnd
}

// LineEnd is how a line ended otherwise than its upload.
type LineEnd struct {
	Document string
	Seq      int
	State    UploadState
	// Refused says why the partner refused the line; State is then as the
	// upload's.
	Refused string
}

type endRow struct {
	Number int64       `json:"number"`
	State  UploadState `json:"state"`
}

type exceptionRow struct {
	Document string      `json:"document"`
	Seq      int         `json:"seq"`
	Upload   int64       `json:"upload"`
	State    UploadState `json:"state"`
	Refused  string      `json:"refused"`
}

// settleUploads: lines that ended otherwise than the rest move to an upload of
// their own, one for each end. A line that was sent once more meanwhile points
// to that upload and is left alone: only what it still carries is an upload's.
// What is known to be accepted stays so, whatever a late answer says.
const settleUploads = `
	WITH locked AS MATERIALIZED (
		SELECT e.number, e.state, u.state AS was
		FROM (SELECT * FROM json_to_recordset($2::json) AS e(number bigint, state text) ORDER BY number) e
		JOIN uploads u ON u.number = e.number AND u.connection = $1
		WHERE u.state = 'intended' OR e.state = 'accepted' AND u.state IN ('unsent', 'uncertain')
		FOR UPDATE OF u
	), ended AS (
		UPDATE uploads u SET state = e.state, settled_at = $3::timestamptz FROM locked e WHERE u.number = e.number
		RETURNING u.number
	), exceptions AS (
		SELECT x.* FROM json_to_recordset($4::json) AS x(document text, seq integer, upload bigint, state text, refused text)
		JOIN ended ON ended.number = x.upload
	), apart AS (
		INSERT INTO uploads (connection, minted_at, state, settled_at)
		SELECT $1, $3::timestamptz, state, $3::timestamptz FROM (SELECT DISTINCT state FROM exceptions WHERE refused = '') s
		RETURNING number, state
	), moved AS (
		UPDATE lines l SET upload = coalesce(a.number, l.upload), refused = x.refused
		FROM exceptions x LEFT JOIN apart a ON a.state = x.state AND x.refused = ''
		WHERE l.connection = $1 AND l.document = x.document AND l.seq = x.seq AND l.upload = x.upload
	)
	SELECT count(*) FILTER (WHERE was = 'uncertain') FROM locked`

// SettleUploads writes the ends of uploads, in one round trip. An upload that
// had been parked and is now known to be accepted frees its documents.
func (s *Store) SettleUploads(ctx context.Context, connection string, ends []UploadEnd) error {
	if len(ends) == 0 {
		return nil
	}
	rows, exceptions := make([]endRow, 0, len(ends)), []exceptionRow{}
	var accepted []int64
	for _, e := range ends {
		rows = append(rows, endRow{e.Number, e.State})
		if e.State == UploadAccepted {
			accepted = append(accepted, e.Number)
		}
		for _, x := range e.Exceptions {
			exceptions = append(exceptions, exceptionRow{x.Document, x.Seq, e.Number, x.State, clip(x.Refused, maxID)})
		}
	}
	ended, err := asJSON(rows)
	if err != nil {
		return err
	}
	apart, err := asJSON(exceptions)
	if err != nil {
		return err
	}
	var parked int
	if err := sqlx.GetContext(ctx, s.often, &parked, settleUploads, connection, ended, s.clock.Now(), apart); err != nil {
		return failed("settling uploads", err)
	}
	if parked == 0 {
		return nil
	}
	_, err = s.db.ExecContext(ctx, freeDocuments, connection, int64Array(accepted))
	return failed("settling uploads", err)
}

// An upload is uncertain as long as it carries lines.

// freeDocuments lets the documents of uploads go on that no other upload keeps
// waiting for a person. They stay ambiguous: what the attempt did need not be
// what is wanted by now, so that their lines are looked at once more.
const freeDocuments = `
	UPDATE documents d SET uncertain = false
	WHERE d.connection = $1 AND d.uncertain
		AND d.id IN (SELECT l.document FROM lines l WHERE l.connection = $1 AND l.upload = ANY ($2::bigint[]))
		AND NOT EXISTS (
			SELECT 1 FROM lines l JOIN uploads u ON u.number = l.upload
			WHERE l.connection = $1 AND l.document = d.id AND u.state = 'uncertain')`

// UncertainUpload is an upload that waits for a person's word.
type UncertainUpload struct {
	Number    int64      `json:"number"`
	MintedAt  time.Time  `json:"minted_at"` // business time
	Lines     int        `json:"lines"`
	Documents int        `json:"documents"`
	FirstDay  sale.Day   `json:"first_day"`
	LastDay   sale.Day   `json:"last_day"`
	Total     sale.Cents `json:"total"` // what its lines add up to; never in a history
}

// UncertainUploads lists a connection's uploads that wait for a person, by
// number.
func (s *Store) UncertainUploads(ctx context.Context, connection string) ([]UncertainUpload, error) {
	list, err := selectJSON[UncertainUpload](ctx, s.db, `
		SELECT to_json(x) FROM (
			SELECT u.number, u.minted_at, count(*) AS lines, count(DISTINCT l.document) AS documents,
				min(l.day) AS first_day, max(l.day) AS last_day, sum(l.total)::bigint AS total
			FROM uploads u JOIN lines l ON l.upload = u.number AND l.connection = u.connection
			WHERE u.connection = $1 AND u.state = 'uncertain'
			GROUP BY u.number ORDER BY u.number
		) x`, connection)
	return list, failed("listing uncertain uploads", err)
}

// Resolution is a person's word on uploads that wait for it.
type Resolution struct {
	// Uploads are their numbers; none means all of the connection.
	Uploads []int64
	// Items narrows it to the lines of some items: where the partner refused a
	// part of an upload, what is left of it need not share one fate.
	Items []string
	// Applied says that the partner took them.
	Applied bool
}

// ResolveUploads takes a person's word that uncertain uploads were applied or
// were not, journalled, and tells of how many lines. Their documents go on:
// what is still wanted then is minted anew.
func (s *Store) ResolveUploads(ctx context.Context, connection string, r Resolution, by Actor) (int, error) {
	state := UploadNotApplied
	if r.Applied {
		state = UploadApplied
	}
	lines := 0
	err := s.inTx(ctx, "resolving uploads", func(tx *sqlx.Tx) error {
		var touched []int64
		if err := tx.SelectContext(ctx, &touched, `
			SELECT number FROM uploads WHERE connection = $1 AND state = 'uncertain' AND ($2 OR number = ANY ($3::bigint[]))
			ORDER BY number FOR UPDATE`, connection, len(r.Uploads) == 0, int64Array(r.Uploads)); err != nil {
			return err
		}
		if len(touched) < max(len(r.Uploads), 1) {
			return work.Err(work.BadInput, "no such upload waits for a person")
		}
		var own int64
		if err := tx.GetContext(ctx, &own, `
			INSERT INTO uploads (connection, minted_at, state, settled_at) VALUES ($1, $2, $3, $2) RETURNING number`,
			connection, s.clock.Now(), state); err != nil {
			return err
		}
		if err := tx.GetContext(ctx, &lines, `
			WITH moved AS (
				UPDATE lines SET upload = $1 WHERE connection = $5 AND upload = ANY ($2::bigint[]) AND ($3 OR item = ANY ($4::text[])) RETURNING 1
			) SELECT count(*) FROM moved`, own, int64Array(touched), len(r.Items) == 0, textArray(r.Items), connection); err != nil {
			return err
		}
		if lines == 0 {
			return work.Err(work.BadInput, "none of these items is in these uploads")
		}
		if _, err := tx.ExecContext(ctx, freeDocuments, connection, int64Array([]int64{own})); err != nil {
			return err
		}
		e := by.entry(ActResolve)
		e.Connection, e.Old, e.New = connection, fmt.Sprintf("uploads %v uncertain, %s", touched, countOf(lines, "line")), string(state)
		return s.journal(ctx, tx, e)
	})
	return lines, err
}

// LineSum is what a partner counts of one item on one business day.
type LineSum struct {
	Day      sale.Day   `json:"day"`
	Item     string     `json:"item"`
	Quantity string     `json:"quantity"` // exact decimal
	Total    sale.Cents `json:"total"`
}

// LineSums adds up the lines that a partner counts on the business days from one
// to another, both included, by day and item. Items that add up to nothing are
// left out.
func (s *Store) LineSums(ctx context.Context, connection string, from, to sale.Day) ([]LineSum, error) {
	sums, err := selectJSON[LineSum](ctx, s.db, `
		SELECT to_json(x) FROM (
			SELECT l.day, l.item, trim_scale(sum(l.quantity))::text AS quantity, sum(l.total)::bigint AS total
			FROM lines l JOIN uploads u ON u.number = l.upload
			WHERE l.connection = $1 AND l.day BETWEEN $2::date AND $3::date AND l.refused = '' AND u.state IN ('accepted', 'applied')
			GROUP BY l.day, l.item HAVING sum(l.quantity) <> 0 OR sum(l.total) <> 0
			ORDER BY l.day, l.item
		) x`, connection, from.String(), to.String())
	return sums, failed("adding up lines", err)
}
