// Package wire is the one place of every name that is assumed of WISK's upload
// API: path, header, fields, words. The official guide was not read (reference:
// WISK section 2); when it is, this package changes and nothing else. Client
// and simulator both speak through it.
package wire

import "time"

// PathUpload takes a JSON array of lines by POST (reference: WISK section 2).
const PathUpload = "/public/sales/upload"

// What the settings are unless they say otherwise; both are assumed.
const (
	// DefaultHeaderVenue is the header that carries the venue's identifier: the
	// placeholder of a third party, since the true name is unknown.
	DefaultHeaderVenue = "X-Wisk-Venue-Id"
	// DefaultBaseURL is what a third party states.
	DefaultBaseURL = "https://api.wisk.ai"
	// DefaultMaxLines is how many lines one call may hold.
	DefaultMaxLines = 500
)

// The most digits after the point that a line's numbers may have (assumed).
const (
	QuantityDigits = 9
	TotalDigits    = 2
)

// Line is one sold item of a receipt. All six fields are required.
type Line struct {
	// ID is that of the receipt's line; a reversal has one of its own.
	ID string `json:"id"`
	// Date is the receipt's, in ISO 8601 with an offset; see Date.
	Date string `json:"date"`
	// PLU is the POS's id of the item: WISK hangs an item's history on it.
	PLU   string `json:"plu_number"`
	Title string `json:"title"`
	// Quantity may be fractional, and is negative in a reversal.
	Quantity Decimal `json:"quantity"`
	// Total is in the venue's currency, not in cents, and has Quantity's sign:
	// net of discounts, before tax and tips (assumed).
	Total Decimal `json:"total"`
}

// The names of Line's fields, as refusals give them.
const (
	FieldID       = "id"
	FieldDate     = "date"
	FieldPLU      = "plu_number"
	FieldTitle    = "title"
	FieldQuantity = "quantity"
	FieldTotal    = "total"
)

// Date writes an instant as the guide's example does: UTC, to the second.
func Date(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// The codes of Refusal.Error. No reply's body is described, so all of it is
// assumed.
const (
	CodeBadRequest   = "bad_request"    // 400: no JSON array of lines
	CodeTooMany      = "too_many_lines" // 413 or 400
	CodeTooLarge     = "too_large"      // 413
	CodeBadLines     = "bad_lines"      // 400: at least one line is at fault
	CodeDuplicate    = "duplicate_id"   // 400: ids came before, and nothing else is wrong
	CodeUnknownVenue = "unknown_venue"  // 401
	CodePlan         = "plan_required"  // 403
	CodeNoPath       = "unknown_path"   // 404
	CodeNotAllowed   = "only_post"      // 405
	CodeLimited      = "too_many_calls" // 429
)

// What RefusedLine.Error begins with when the line's form is at fault is the
// field's name; these are the other words.
const (
	LineDuplicate = CodeDuplicate
	LineRefused   = "item_refused"
	LineMalformed = "malformed"
)

// Refusal is the body of every answer that is no 200.
type Refusal struct {
	Error   string `json:"error"`
	Message string `json:"message"`
	// Lines names the lines at fault, where the API does.
	Lines []RefusedLine `json:"lines,omitempty"`
}

// RefusedLine is one line at fault, by its id. Error is a word above, or a
// field's name with what is wrong with it.
type RefusedLine struct {
	ID    string `json:"id"`
	Error string `json:"error"`
}
