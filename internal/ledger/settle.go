package ledger

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// Result is how an attempt ended.
type Result string

// The results of an attempt.
const (
	// Accepted: the partner's 2xx was seen.
	Accepted Result = "accepted"
	// NotSent: the request never left, so that nothing changed.
	NotSent Result = "not_sent"
	// Failed: no 2xx; Outcome.Ambiguous says whether it may have had its effect.
	Failed Result = "failed"
	// Refused: the partner refuses this document; it is quarantined.
	Refused Result = "refused"
	// Uncertain: it may have had its effect and must not be sent again; it
	// waits for a person (ResolveUploads).
	Uncertain Result = "uncertain"
)

// Outcome is the end of one attempt.
type Outcome struct {
	ID      string
	Attempt int64
	Result  Result
	// Ambiguous says of an attempt that was not accepted that it may have had
	// its effect, or had a part of it: the partner need not hold any more what it
	// accepted before.
	Ambiguous bool
	// Ref is the partner's own reference, empty when it gave none.
	Ref string
	// Code and Why say why a document was refused; Why holds no names, secrets
	// or amounts.
	Code work.Code
	Why  string
	// RetryIn is how long a document that was not accepted waits, real time.
	RetryIn time.Duration
	// Settle is how long after acceptance it is read back, real time.
	Settle time.Duration
	// Verifiable says that the partner can be read back; otherwise an accepted
	// document ends as sent, not verifiable.
	Verifiable bool
}

// Rows of a batch are looked up one by one, with LATERAL and a lock or an
// OFFSET 0: that keeps PostgreSQL to the key, whatever it believes of the tables.
// Left alone it reads all of a connection's rows for each batch as long as it
// has no statistics, which is when a connection's history is brought in.

// settle: what was accepted is the intent, which need not be what is wanted by
// now. A refusal of what is wanted no more quarantines nothing.
const settle = `
	WITH outcome AS (
		SELECT * FROM unnest($2::text[], $4::bigint[], $5::text[], $6::boolean[], $7::text[], $8::text[], $9::text[],
			$10::bigint[], $11::bigint[], $12::boolean[])
			AS o(id, attempt, result, ambiguous, ref, code, why, retry_in, settle, verifiable)
	), locked AS MATERIALIZED (
		SELECT o.* FROM (SELECT * FROM outcome ORDER BY id) o CROSS JOIN LATERAL (
			SELECT d.attempt, d.lease_until FROM documents d WHERE d.connection = $1 AND d.id = o.id FOR UPDATE
		) d WHERE d.attempt = o.attempt AND d.lease_until IS NOT NULL
	), settled AS (
		UPDATE documents d SET
			lease_until  = NULL,
			created      = d.created OR o.result = 'accepted',
			versions     = d.versions + (o.result = 'accepted')::int,
			ambiguous    = o.result = 'uncertain'
				OR o.result <> 'accepted' AND (d.ambiguous OR o.ambiguous),
			uncertain    = o.result = 'uncertain',
			second_look  = d.second_look OR o.result = 'failed' AND o.ambiguous,
			tries        = CASE o.result WHEN 'accepted' THEN 0 WHEN 'not_sent' THEN d.tries ELSE d.tries + 1 END,
			retry_at     = CASE WHEN o.result <> 'accepted' AND o.retry_in > 0
				THEN clock_timestamp() + o.retry_in * interval '1 microsecond' END,
			sent_hash    = CASE o.result WHEN 'accepted' THEN d.intent_hash ELSE d.sent_hash END,
			sent_resend  = CASE o.result WHEN 'accepted' THEN d.intent_resend ELSE d.sent_resend END,
			sent_at      = CASE o.result WHEN 'accepted' THEN $3::timestamptz ELSE d.sent_at END,
			ref          = CASE WHEN o.result = 'accepted' AND o.ref <> '' THEN o.ref ELSE d.ref END,
			confirm_at   = CASE WHEN o.result <> 'accepted' THEN d.confirm_at
				WHEN o.verifiable THEN clock_timestamp() + o.settle * interval '1 microsecond' END,
			unverifiable = CASE o.result WHEN 'accepted' THEN NOT o.verifiable ELSE d.unverifiable END,
			quarantined  = o.result = 'refused' AND d.hash = d.intent_hash AND d.resend = d.intent_resend
		FROM locked o
		WHERE d.connection = $1 AND d.id = o.id
		RETURNING d.id, d.day, d.body, d.quarantined, o.code, o.why
	), aside AS (
		INSERT INTO quarantine AS q (connection, kind, record_id, day, code, why, raw, first_at, last_at)
		SELECT $1, 'document', id, day, code, why, body::text, $3::timestamptz, $3::timestamptz
		FROM settled WHERE quarantined ORDER BY id` + againQuarantined + `)
	SELECT count(*) FROM settled`

// againQuarantined ends an insert into the quarantine of documents.
const againQuarantined = `
		ON CONFLICT (connection, kind, record_id) WHERE status = 'open' DO UPDATE SET
			day = excluded.day, code = excluded.code, why = excluded.why, raw = excluded.raw,
			last_at = excluded.last_at, times = q.times + 1`

// Settle writes the ends of attempts, in one round trip, and tells how many it
// settled. An outcome whose attempt is no longer the document's last is stale
// and changes nothing.
func (s *Store) Settle(ctx context.Context, connection string, outcomes []Outcome) (settled int, err error) {
	if len(outcomes) == 0 {
		return 0, nil
	}
	rows := lastOfEach(outcomes, func(o Outcome) string { return o.ID })
	err = sqlx.GetContext(ctx, s.often, &settled, settle, connection,
		texts(rows, func(o Outcome) string { return o.ID }), s.clock.Now(),
		integers(rows, func(o Outcome) int64 { return o.Attempt }),
		texts(rows, func(o Outcome) string { return string(o.Result) }),
		booleans(rows, func(o Outcome) bool { return o.Ambiguous }),
		texts(rows, func(o Outcome) string { return clip(o.Ref, maxID) }),
		texts(rows, func(o Outcome) string { return string(o.Code) }),
		texts(rows, func(o Outcome) string { return clip(o.Why, maxRaw) }),
		integers(rows, func(o Outcome) int64 { return o.RetryIn.Microseconds() }),
		integers(rows, func(o Outcome) int64 { return o.Settle.Microseconds() }),
		booleans(rows, func(o Outcome) bool { return o.Verifiable }))
	return settled, failed("settling attempts", err)
}
