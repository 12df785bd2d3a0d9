package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// The states of a mail.
const (
	stateIntended = "intended"
	stateSent     = "sent"
	stateFailed   = "failed"
)

// keptMail is a Composed as it is sealed.
type keptMail Composed

func recipientID(key string) string { return "mails/recipient/" + key }
func contentID(key string) string   { return "mails/content/" + key }

func (o *Outbox) sealContent(key string, c Composed) ([]byte, error) {
	text, err := json.Marshal(keptMail(c))
	if err != nil {
		return nil, work.Errf(work.Internal, err, "a mail that cannot be kept")
	}
	return o.vault.Seal(contentID(key), vault.NewSecret(string(text)))
}

func langs(all []words.Lang) string {
	out := make([]string, len(all))
	for i, l := range all {
		out[i] = string(l)
	}
	return strings.Join(out, ",")
}

// record writes down how an attempt ended. A mail that was sent stays sent,
// whoever says so; that one failed counts only while no other attempt has
// begun.
func (o *Outbox) record(ctx context.Context, key string, attempt int, outcome error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer cancel()
	var err error
	if outcome == nil {
		_, err = o.db.ExecContext(ctx, `
			UPDATE mails SET state = $2, sent_at = $3, content = NULL, unsure = 0, last_error = '', lease_until = NULL
			WHERE key = $1 AND state <> $2`, key, stateSent, o.clock.Now())
		return err
	}
	known := 1 // that this attempt left no copy behind
	code := work.Internal
	if e, ok := errors.AsType[*work.Error](outcome); ok {
		code = e.Code
		if e.Ambiguous {
			known = 0
		}
	}
	_, err = o.db.ExecContext(ctx, `
		UPDATE mails SET state = $3, last_error = $4, unsure = unsure - $5, lease_until = NULL
		WHERE key = $1 AND attempts = $2 AND state <> $6`, key, attempt, stateFailed, code, known, stateSent)
	if err != nil {
		o.log.WarnContext(ctx, "outbox: a failed mail could not be recorded", "key", key, "code", code, "error", err)
	}
	return err
}

// Waiting is a mail that has not been sent. It tells no address.
type Waiting struct {
	Key      string    `db:"key"`
	Kind     Kind      `db:"kind"`
	Since    time.Time `db:"first_at"` // business time, UTC
	Attempts int       `db:"attempts"`
	// Code is why the last attempt failed; StepTimedOut when its process died.
	Code work.Code `db:"code"`
	// Unsure says that a copy may have left all the same.
	Unsure bool `db:"unsure"`
}

// Waiting lists the mails that people should know of, the oldest first, at most
// 500: those whose last attempt failed or never ended.
func (o *Outbox) Waiting(ctx context.Context) ([]Waiting, error) {
	found := []Waiting{}
	err := o.db.SelectContext(ctx, &found, `
		SELECT key, kind, first_at, attempts, unsure > 0 AS unsure,
		       CASE WHEN last_error = '' THEN $2 ELSE last_error END AS code
		FROM mails
		WHERE state <> 'sent' AND NOT purged
		  AND (last_error <> '' OR lease_until IS NULL OR lease_until <= clock_timestamp())
		ORDER BY first_at, key LIMIT $1`, maxWaiting, work.StepTimedOut)
	for i := range found {
		found[i].Since = found[i].Since.UTC()
	}
	return found, unavailable(ctx, "listing the waiting mails", err)
}

// Purge forgets for good to whom the mails of a key went, and of all keys that
// go on after it with ":" or "/"; what was sent when stays. Mails of theirs
// that are not sent will not be. It tells how many mails it was.
func (o *Outbox) Purge(ctx context.Context, key string) (int, error) {
	if !keyPattern.MatchString(key) {
		return 0, work.Err(work.Internal, "a mail's key that is none")
	}
	done, err := o.db.ExecContext(ctx, `
		UPDATE mails SET recipient = NULL, content = NULL, purged = true WHERE NOT purged AND `+goesOn, key)
	if err != nil {
		return 0, unavailable(ctx, "purging mails", err)
	}
	n, err := done.RowsAffected()
	return int(n), unavailable(ctx, "purging mails", err)
}

// Kept is how many mails of a key, and of all that go on after it, still tell to
// whom they went.
func (o *Outbox) Kept(ctx context.Context, key string) (int, error) {
	var n int
	err := o.db.GetContext(ctx, &n, `
		SELECT count(*) FROM mails WHERE recipient IS NOT NULL AND `+goesOn, key)
	return n, unavailable(ctx, "counting mails", err)
}

// goesOn chooses the mails of a key, and of those that go on after it.
const goesOn = `(key = $1 OR starts_with(key, $1 || ':') OR starts_with(key, $1 || '/'))`

func unavailable(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	return work.Errf(work.LedgerUnavailable, err, "%s", doing)
}
