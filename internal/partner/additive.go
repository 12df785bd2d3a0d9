package partner

import (
	"context"
	"net/http"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// Additive is a partner that adds up lines and can take none back: what it
// should hold of a document is brought about by correction lines. It cannot be
// read back, so the ledger keeps every line that was ever minted.
type Additive interface {
	Partner
	// Correct says which lines, beside those that are held already, make the
	// partner's sum of a document what is wanted: a full reversal of each line
	// that is wanted no more, and new ones. held are in the order of their Seq.
	// What it returns has no Seq and no ID yet. An error is that of a bad record.
	Correct(d Document, held []Line) ([]Line, error)
	// LineID is the id under which the partner knows the seq-th line of a
	// document. It is never used for another content.
	LineID(c Connection, document string, seq int) string
	// RepeatsHarmless tells whether a line may be sent twice under its id
	// without counting twice.
	RepeatsHarmless() bool
	// LinesAtOnce is how many lines one upload may hold.
	LinesAtOnce() int
	// OpenUploads makes a session with a credential, as Open does.
	OpenUploads(c Connection, token string, transport http.RoundTripper) Uploads
}

// Line is one line of a document, frozen from the moment it is minted.
type Line struct {
	ID       string // as the partner knows it
	Document string
	// Seq numbers the lines of a document from 1 on.
	Seq int
	// Date is that of the sale, UTC, and Day its business day.
	Date time.Time
	Day  sale.Day
	// Item is the partner's code of the item, and Title its name.
	Item, Title string
	// Quantity is an exact decimal, never zero.
	Quantity string
	Total    sale.Cents
	// Reverses is the Seq of the line that this one takes back, 0 for none.
	Reverses int
}

// ItemSeen is an item that was sold on a business day.
type ItemSeen struct {
	Code, Title string
	Day         sale.Day
}

// Itemizer is a partner that knows items by codes which people map there, so
// that a changed title or a re-used code does harm.
type Itemizer interface {
	// ItemsSeen are the items of a sale as the partner would know them, on
	// whatever way they reach it. documents are what Translate made of it.
	ItemsSeen(s sale.Sale, c Connection, documents []Document) []ItemSeen
}

// LineResult is what is known of a line after an upload.
type LineResult string

// The results of a line.
const (
	LineAccepted LineResult = "accepted"
	// LineRefused: the partner refuses this line; Why says so.
	LineRefused LineResult = "refused"
	// LineUnsent: it certainly had no effect.
	LineUnsent LineResult = "unsent"
	// LineInDoubt: it may have been taken.
	LineInDoubt LineResult = "in_doubt"
)

// LineOutcome is how an upload ended for one line.
type LineOutcome struct {
	Result LineResult
	// Why a line was refused, without names, secrets or amounts.
	Why string
	// Apart says of an unsent line that it should be tried apart from the other
	// documents of this upload, one of which the partner refuses.
	Apart bool
}

// Uploads talks to an additive partner for one connection.
type Uploads interface {
	// Upload sends lines, at most LinesAtOnce, and begins no request after the
	// deadline (real time). Where repeats are harmless it makes as many as it
	// takes to find the lines that the partner refuses, otherwise one, so that an
	// upload whose end is unknown was taken whole or not at all. Every line gets
	// an outcome, in order. The error, a *work.Error, is what concerns the
	// partner as a whole.
	Upload(ctx context.Context, lines []Line, deadline time.Time) ([]LineOutcome, error)
}
