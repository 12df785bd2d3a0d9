package ledger

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Sent is a document that is due to be read back.
type Sent struct {
	partner.SentDocument
	// Attempt is the attempt that was accepted last; the verdict states it.
	Attempt int64
	// SecondLook says that a stray late write may still come, so that one good
	// read-back is followed by another.
	SecondLook bool
}

type sentRow struct {
	documentRow
	Attempt    int64     `db:"attempt"`
	SentAt     time.Time `db:"sent_at"`
	SecondLook bool      `db:"second_look"`
}

// DueForReadBack are up to n documents whose settle time is over, with the body
// that the partner accepted last; the longest due first. What is to be sent
// again is left out: it will be read back after that. (So what is read back is
// always what is wanted, and no body but the wanted one need be kept.) The
// statement's own instant is one that an index can be searched by; with a clock
// that moves on meanwhile, every run would look at all that waits.
func (s *Store) DueForReadBack(ctx context.Context, connection string, n int) ([]Sent, error) {
	var rows []sentRow
	err := sqlx.SelectContext(ctx, s.often, &rows, `
		SELECT d.id, d.sale_id, d.date, d.day, d.body, d.hash, d.attempt, d.sent_at, d.second_look
		FROM documents d
		WHERE d.connection = $1 AND d.confirm_at <= statement_timestamp() AND NOT d.due AND NOT d.quarantined
		ORDER BY d.confirm_at, d.id LIMIT $2`, connection, n)
	if err != nil {
		return nil, failed("looking for documents to read back", err)
	}
	due := make([]Sent, len(rows))
	for i, r := range rows {
		due[i] = Sent{
			SentDocument: partner.SentDocument{Document: r.document(), SentAt: r.SentAt.UTC()},
			Attempt:      r.Attempt, SecondLook: r.SecondLook,
		}
	}
	return due, nil
}

// Verdict is what the read-back of one document found.
type Verdict struct {
	ID      string
	Attempt int64
	Verdict partner.Verdict
}

type verdictRow struct {
	ID      string          `json:"id"`
	Attempt int64           `json:"attempt"`
	Verdict partner.Verdict `json:"verdict"`
}

// ReadBackResult counts what a batch of verdicts did.
type ReadBackResult struct {
	Confirmed    int `db:"confirmed"`    // seen at the partner for the first time in this version
	Repaired     int `db:"repaired"`     // different or missing, now wanted again
	Quarantined  int `db:"quarantined"`  // different or missing too often
	Unverifiable int `db:"unverifiable"` // outside what the partner lets read
}

// settleReadBack: a verdict counts only if the document was not attempted again
// since it was due, and only once (confirm_at is still in the past).
const settleReadBack = `
	WITH verdict AS (
		SELECT * FROM json_to_recordset($2::json) AS v(id text, attempt bigint, verdict text)
	), locked AS MATERIALIZED (
		SELECT v.*, v.verdict IN ('different', 'missing') AS bad,
			d.confirmed_hash = d.sent_hash AND d.confirmed_resend = d.sent_resend AS was_confirmed
		FROM (SELECT * FROM verdict ORDER BY id) v CROSS JOIN LATERAL (
			SELECT * FROM documents d WHERE d.connection = $1 AND d.id = v.id FOR UPDATE
		) d WHERE d.attempt = v.attempt AND d.lease_until IS NULL AND d.confirm_at <= clock_timestamp()
	), settled AS (
		UPDATE documents d SET
			created      = d.created AND v.verdict <> 'missing',
			ambiguous    = d.ambiguous OR v.verdict = 'missing',
			sent_hash    = CASE WHEN v.bad THEN '' ELSE d.sent_hash END,
			sent_resend  = CASE WHEN v.bad THEN -1 ELSE d.sent_resend END,
			wanted_at    = CASE WHEN v.bad AND NOT d.due THEN $3::timestamptz ELSE d.wanted_at END,
			confirmed_hash   = CASE WHEN v.bad THEN '' WHEN v.verdict = 'same' THEN d.sent_hash ELSE d.confirmed_hash END,
			confirmed_resend = CASE WHEN v.bad THEN -1 WHEN v.verdict = 'same' THEN d.sent_resend ELSE d.confirmed_resend END,
			confirmed_at     = CASE WHEN v.bad THEN NULL WHEN v.verdict = 'same' THEN $3::timestamptz ELSE d.confirmed_at END,
			confirm_at   = CASE WHEN v.verdict = 'same' AND d.second_look
				THEN clock_timestamp() + make_interval(secs => $4) END,
			second_look  = v.bad,
			misses       = CASE WHEN v.bad THEN d.misses + 1 ELSE 0 END,
			unverifiable = v.verdict = 'unverifiable',
			quarantined  = d.quarantined OR v.bad AND d.misses + 1 >= $5
		FROM locked v
		WHERE d.connection = $1 AND d.id = v.id
		RETURNING d.id, d.day, d.body, d.quarantined, v.verdict, v.bad, v.was_confirmed
	), aside AS (
		INSERT INTO quarantine AS q (connection, kind, record_id, day, code, why, raw, first_at, last_at)
		SELECT $1, 'document', id, day, $6::text, $7::text, body::text, $3::timestamptz, $3::timestamptz
		FROM settled WHERE bad AND quarantined ORDER BY id` + againQuarantined + `)
	SELECT count(*) FILTER (WHERE verdict = 'same' AND NOT was_confirmed) AS confirmed,
		count(*) FILTER (WHERE bad AND NOT quarantined) AS repaired,
		count(*) FILTER (WHERE bad AND quarantined) AS quarantined,
		count(*) FILTER (WHERE verdict = 'unverifiable') AS unverifiable
	FROM settled`

// SettleReadBack writes what read-backs found, in one round trip. Same confirms
// the sent version and, where a stray late write may still come, has it looked
// at once more after settle (real time). Different and Missing make the
// document wanted again, to be looked at twice, and after maxTries in a row put
// it aside as DocumentNeverHeld; a Missing one is created again, which is
// ambiguous, since it may only be late. Unverifiable leaves it as sent. A
// verdict on a document that was attempted again meanwhile changes nothing.
func (s *Store) SettleReadBack(ctx context.Context, connection string, verdicts []Verdict, settle time.Duration, maxTries int) (ReadBackResult, error) {
	var result ReadBackResult
	if len(verdicts) == 0 {
		return result, nil
	}
	rows := make([]verdictRow, len(verdicts))
	for i, v := range verdicts {
		rows[i] = verdictRow(v)
	}
	given, err := asJSON(lastOfEach(rows, func(r verdictRow) string { return r.ID }))
	if err != nil {
		return result, err
	}
	never := work.Err(work.DocumentNeverHeld, "")
	err = s.db.GetContext(ctx, &result, settleReadBack,
		connection, given, s.clock.Now(), settle.Seconds(), maxTries, never.Code, never.Error())
	return result, failed("settling read-backs", err)
}
