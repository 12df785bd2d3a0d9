package ledger

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
)

// maxStory is how many of the newest entries History gives at most: more than
// a person reads, and less than a minute of scrolling.
const maxStory = 2000

// Entry is one line of the story of a connection or location.
type Entry struct {
	Number     int64     `json:"number"`
	At         time.Time `json:"at"` // business time, UTC
	Connection string    `json:"connection"`
	Location   string    `json:"location"`
	Who        string    `json:"who"` // a staff handle, or Program
	Act        string    `json:"act"`
	Old        string    `json:"old"`
	New        string    `json:"new"`
	Reason     string    `json:"reason"` // one of work.Reasons, or a work.Code
	Note       string    `json:"note"`
}

// The acts that the ledger itself writes down.
const (
	ActAddLocation   = "add location"
	ActReplaceSerial = "replace serial"
	ActSetSecret     = "set credential"
	ActConnect       = "connect"
	ActReconnect     = "connect again"
	ActState         = "state"
	ActPause         = "pause"
	ActResume        = "resume"
	ActReceiptDate   = "receipt date"
	ActResend        = "resend"
	ActRelease       = "release"
	ActDiscard       = "discard"
	ActResolve       = "resolve"
	ActModifiers     = "modifiers"
	ActRoute         = "route"
	ActStatement     = "statement"
	ActPayPeriod     = "pay period"
	ActSlices        = "slices"
	ActSeeFinding    = "finding seen"
	ActAskOnboarding = "ask for onboarding"
	ActRotate        = "rotate a credential"
	ActFee           = "fee"
	ActReveal        = "key revealed"
)

func (by Actor) entry(act string) Entry {
	return Entry{Who: by.Handle, Act: act, Reason: by.Reason, Note: by.Note}
}

// Journal appends an entry; its Number is ignored, and its At is now when zero.
// Nothing that was written can be changed or removed.
func (s *Store) Journal(ctx context.Context, e Entry) error {
	return failed("writing the journal", s.journal(ctx, s.db, e))
}

func (s *Store) journal(ctx context.Context, x sqlx.ExecerContext, e Entry) error {
	if e.At.IsZero() {
		e.At = s.clock.Now()
	}
	_, err := x.ExecContext(ctx, `
		INSERT INTO journal (at, connection, location, who, act, old, new, reason, note)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		e.At, e.Connection, e.Location, e.Who, e.Act, e.Old, e.New, e.Reason, e.Note)
	return err
}

// History is the story of a connection from one business instant to before
// another, oldest first; a zero instant leaves that end open. It includes what
// was done to the connection's location, and its onboarding. Of very much, the
// newest 2000 entries.
func (s *Store) History(ctx context.Context, connection string, from, to time.Time) ([]Entry, error) {
	story, err := selectJSON[Entry](ctx, s.db, `
		SELECT to_json(j) FROM journal j
		WHERE (j.connection = $1 OR
		       (j.connection = '' AND j.location = (SELECT c.location_id FROM connections c WHERE c.id = $1)) OR
		       (j.connection = '' AND j.location IN (
		           SELECT k.id FROM cases k WHERE k.location <> '' AND k.partner || ':' || k.location = $1)))
		  AND ($2::timestamptz IS NULL OR j.at >= $2) AND ($3::timestamptz IS NULL OR j.at < $3)
		ORDER BY j.at DESC, j.number DESC LIMIT $4`,
		connection, orNull(from), orNull(to), maxStory)
	slices.Reverse(story)
	return story, failed("reading the journal", err)
}

// orNull is a parameter that is null for no instant.
func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
