// Package partner is what a destination of sales is: an interface and a
// registry. Every partner has a folder of its own below; a third one costs a
// folder and a line in the registry, which cmd wires.
package partner

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// Connection is what a partner needs to know of a connection.
type Connection struct {
	ID         string // "<partner>:<location>"
	Zone       *time.Location
	CompanyID  int64 // the partner's company, 0 where it has none
	LocationID int64 // the partner's location or venue
	Settings   Settings
}

// Settings are a connection's choices; each partner reads those that it knows.
type Settings struct {
	// ReceiptDate: the receipt's instant, by opened or closed time, as Cluster
	// is set (7shifts).
	ReceiptDate sale.ReceiptDate `json:"receiptDate,omitempty"`
	// SendRevenueCenter and SendDiningOption let these travel as external ids
	// (7shifts); off by default.
	SendRevenueCenter bool `json:"sendRevenueCenter,omitempty"`
	SendDiningOption  bool `json:"sendDiningOption,omitempty"`
	// Routes says on which way sales reach WISK, and Modifiers how the
	// modifiers of an item become items there, each from a business day on.
	Routes    Choices `json:"routes,omitempty"`
	Modifiers Choices `json:"modifiers,omitempty"`
	// PayCadence and PayAnchor are the venue's pay periods: how often it pays,
	// and a day on which a period begins (7shifts).
	PayCadence string   `json:"payCadence,omitempty"`
	PayAnchor  sale.Day `json:"payAnchor,omitzero"`
	// SlicesUntil is the last business day of history whose sales travel as one
	// receipt per five minutes instead of one per sale (7shifts); none when zero.
	SlicesUntil sale.Day `json:"slicesUntil,omitzero"`
	// Integration names, by a keyed hash, the partner's venue or integration
	// that several of our locations may share (WISK).
	Integration string `json:"integration,omitempty"`
}

// Choice is a setting that holds from a business day on.
type Choice struct {
	From  sale.Day `json:"from"`
	Value string   `json:"value"`
}

// Choices are the values of one setting over the business days, by day. A day
// keeps its value whatever is chosen for later ones.
type Choices []Choice

// At is the value of a business day, or otherwise where none was chosen yet.
func (c Choices) At(day sale.Day, otherwise string) string {
	value := otherwise
	for _, choice := range c {
		if day.Before(choice.From) {
			break
		}
		value = choice.Value
	}
	return value
}

// String tells the choices, by day.
func (c Choices) String() string {
	words := make([]string, len(c))
	for i, choice := range c {
		words[i] = choice.Value + " from " + choice.From.String()
	}
	return strings.Join(words, ", ")
}

// With are the choices when a value holds from a day on; what was chosen for
// that day or later ones is replaced.
func (c Choices) With(from sale.Day, value string) Choices {
	var next Choices
	for _, choice := range c {
		if choice.From.Before(from) {
			next = append(next, choice)
		}
	}
	return append(next, Choice{From: from, Value: value})
}

// Document is what the partner knows, or should know, under one id.
type Document struct {
	// ID is the partner-side id, a pure function of the order.
	ID     string
	SaleID string
	// Date orders delivery (oldest first) and bounds the read-back.
	Date time.Time
	Day  sale.Day
	// Body is the content in the partner's own form, and Hash its hash.
	Body json.RawMessage
	Hash string
}

// Delivery is one document on its way.
type Delivery struct {
	Document
	// Created says that the partner's 2xx to a create has been seen.
	Created bool
	// Ambiguous says that an earlier attempt may have had its effect.
	Ambiguous bool
	// Versions is how many versions of it the partner has accepted so far.
	Versions int
}

// Verdict is what a read-back finds of a document.
type Verdict string

// The verdicts of a read-back.
const (
	Same         Verdict = "same"
	Different    Verdict = "different"
	Missing      Verdict = "missing"
	Unverifiable Verdict = "unverifiable" // outside what the partner lets read
)

// SentDocument is a document to read back: the body that was last accepted,
// and when, on the business clock.
type SentDocument struct {
	Document
	SentAt time.Time
}

// Partner is one destination.
type Partner interface {
	// Name is the partner's name in connection ids.
	Name() string
	// Translate says what the partner should hold for a sale: none while
	// nothing is owed yet. known tells whether a document of this sale was
	// marked before. An error is that of a bad record (*work.Error).
	Translate(s sale.Sale, c Connection, known bool) ([]Document, error)
	// Open makes a session with a credential. Every request of the session
	// goes through the transport, which holds the credential's limit.
	Open(c Connection, token string, transport http.RoundTripper) Session
	// Rules are the partner's numbers that the engine respects.
	Rules() Rules
}

// Rules are a partner's numbers, from settings.
type Rules struct {
	// Settle is how long after a 2xx a document is read back, in real time.
	// Zero: the partner cannot be read back.
	Settle time.Duration
	// InFlight is how many documents are sent at once per step.
	InFlight int
	// HistoryDays and HistoryMonths are how many business days, or calendar
	// months, before the connection are brought in.
	HistoryDays, HistoryMonths int
	// HistoryFrom and HistoryUntil are the hours of the day, UTC, in which
	// history may be sent; both 0 when always.
	HistoryFrom, HistoryUntil int
	// PerSecond is how many requests a second one credential may make.
	PerSecond float64
	// PenaltyRest is how long a credential rests after a 429 that states no
	// time, in real time.
	PenaltyRest time.Duration
	// LiveShare is the part of PerSecond that history leaves to live work.
	LiveShare float64
}

// FirstDay is the first business day that is brought in for a connection made
// on a day.
func (r Rules) FirstDay(today sale.Day) sale.Day {
	return today.PlusMonths(-r.HistoryMonths).Plus(-r.HistoryDays)
}

// Session talks to a partner for one connection. Errors are *work.Error.
type Session interface {
	// Send creates or updates the document and returns the partner's own
	// reference, if it gave one. An Ambiguous error says that the effect is
	// unknown.
	Send(ctx context.Context, d Delivery) (ref string, err error)
	// ReadBack compares what the partner holds with what was sent. Every given
	// document gets a verdict, by ID.
	ReadBack(ctx context.Context, sent []SentDocument) (map[string]Verdict, error)
}

// Registry finds partners by name.
type Registry map[string]Partner

// NewRegistry makes a registry of partners.
func NewRegistry(partners ...Partner) Registry {
	r := make(Registry, len(partners))
	for _, p := range partners {
		r[p.Name()] = p
	}
	return r
}
