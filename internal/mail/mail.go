// Package mail is the mail room: it words messages in French and English, as
// text and HTML (Composer), sends them over SMTP (Post), and remembers in
// PostgreSQL what was sent, so that a step sends its mail at least once and,
// unless a process dies between the server's acceptance and the record, once
// (Outbox). There is a closed list of messages, each with a struct of its own;
// nothing else is sent to anybody.
package mail

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/clustersystems/clusterbridge/internal/words"
)

// Kind names a message. Its text is templates/<kind>.<language>.txt.
type Kind string

// Message is what a mail says: one of the structs of this package.
type Message interface {
	// Kind is the message's kind.
	Kind() Kind
}

// Composed is a mail that is ready to be sent. It may hold links that open
// doors and, where a setting says so, a key: it never prints and is no JSON.
type Composed struct {
	Kind Kind
	// Langs are the languages it speaks, the first one first.
	Langs       []words.Lang
	Subject     string
	Text        string
	HTML        string
	Attachments []Attachment
}

// Attachment is a file that goes with a mail.
type Attachment struct {
	Name string // letters, digits, '.', '_', '-' and spaces; tells the day
	Type string // CSV, XLSX or PDF
	Data []byte
}

// The types of attachments.
const (
	CSV  = "text/csv"
	XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	PDF  = "application/pdf"
)

// Format implements fmt.Formatter, for every verb.
func (c Composed) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[mail "+string(c.Kind)+"]") }

// LogValue implements slog.LogValuer.
func (c Composed) LogValue() slog.Value { return slog.StringValue("[mail " + string(c.Kind) + "]") }

// MarshalJSON implements json.Marshaler by refusing: a mail does not travel
// through histories. Only the Outbox keeps its text, sealed.
func (c Composed) MarshalJSON() ([]byte, error) {
	return nil, errors.New("a composed mail is not for JSON")
}
