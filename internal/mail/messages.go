package mail

import (
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// The kinds of message.
const (
	KindRequestAcknowledged  Kind = "request-acknowledged"
	KindConfirmationRequest  Kind = "confirmation-request"
	KindConfirmationReminder Kind = "confirmation-reminder"
	KindConfirmationExpired  Kind = "confirmation-expired"
	KindDeclined             Kind = "declined"
	KindInvoice              Kind = "invoice"
	KindPaymentReceived      Kind = "payment-received"
	KindCredentials          Kind = "credentials"
	KindCredentialsToSupport Kind = "credentials-to-support"
	KindTokenNeeded          Kind = "token-needed"
	KindLive                 Kind = "live"
	KindCancelled            Kind = "cancelled"
	KindOffboarded           Kind = "offboarded"
	KindPeopleAttention      Kind = "people-attention"
	KindTipsReadiness        Kind = "tips-readiness"
	KindCalledOff            Kind = "called-off"
	KindDailyReport          Kind = "daily-report"
	KindItemFindings         Kind = "item-findings"
)

// Kinds are all kinds, in the order in which a venue may meet them.
var Kinds = []Kind{
	KindRequestAcknowledged, KindConfirmationRequest, KindConfirmationReminder, KindConfirmationExpired, KindDeclined,
	KindInvoice, KindPaymentReceived, KindCredentials, KindCredentialsToSupport, KindTokenNeeded, KindLive,
	KindCancelled, KindOffboarded, KindPeopleAttention, KindTipsReadiness, KindCalledOff, KindDailyReport, KindItemFindings,
}

// In the structs below everything has to be given, except fields marked
// optional. An instant carries the venue's zone; it is written as the clock
// there shows it.

// RequestAcknowledged tells the requester that a request has come in.
type RequestAcknowledged struct {
	Partner   Partner
	Venues    []Venue
	Reference string // the request's number, to be quoted
	Status    Link   `mail:"optional"` // read-only status page
}

// ConfirmationRequest asks the contact on Cluster's record for a yes or no,
// for all venues that have this contact.
type ConfirmationRequest struct {
	Partner Partner
	AskedBy Asker
	Venues  []Venue
	// Employees says that names and contacts of employees travel as well, to be
	// matched with the partner's users.
	Employees bool
	Fee       Charge // of one location; the zero Charge says that it costs nothing
	Link      Link
	Expires   time.Time
}

// ConfirmationReminder asks again, with the same link.
type ConfirmationReminder struct {
	ConfirmationRequest
	Asked time.Time // when first
}

// ConfirmationExpired tells that nobody answered in time.
type ConfirmationExpired struct {
	Reader  Reader
	Partner Partner
	Venues  []Venue
	Asked   time.Time
}

// Declined tells that the venue said no.
type Declined struct {
	Reader  Reader
	Partner Partner
	Venues  []Venue
}

// Invoice asks for the fee.
type Invoice struct {
	Number   string
	Date     time.Time
	Partner  Partner
	Lines    []InvoiceLine
	Charge   Charge // of all lines together
	HowToPay Bilingual
	PayLink  Link `mail:"optional"`
}

// InvoiceLine is one location of an invoice.
type InvoiceLine struct {
	Venue  Venue
	Amount sale.Cents // before tax
}

// PaymentReceived is the receipt for an invoice.
type PaymentReceived struct {
	Number  string // of the invoice
	Date    time.Time
	Partner Partner
	Venues  []Venue
	Charge  Charge
}

// Credentials hands serial number and API key to the venue.
type Credentials struct{ Handover }

// CredentialsToSupport hands them to WISK's support as well.
type CredentialsToSupport struct{ Handover }

// Handover is what WISK is set up with.
type Handover struct {
	Venues []VenueCredential
	// Expires is when reveal links end; not needed when keys stand inline.
	Expires time.Time `mail:"optional"`
}

// VenueCredential is one location's pair. The key either waits behind a
// one-time link (each reader has one of its own) or stands in the mail.
type VenueCredential struct {
	Venue  Venue
	Serial string
	Reveal Link         `mail:"optional"`
	Key    vault.Secret `mail:"optional"`
}

// TokenNeeded asks the venue's 7shifts admin for an access token.
type TokenNeeded struct {
	Venue   Venue
	Link    Link // page that takes the token
	Expires time.Time
}

// Live tells what happens from now on.
type Live struct {
	Partner     Partner
	Venue       Venue
	Activated   time.Time
	HistoryFrom sale.Day // the earliest business day that is brought in
	Status      Link     `mail:"optional"`
}

// ProjectionsFrom and ProjectionsBy are between which dates 7shifts first shows
// projections: one to two weeks after the activation.
func (l Live) ProjectionsFrom() time.Time { return l.Activated.AddDate(0, 0, 7) }

// ProjectionsBy is the later one.
func (l Live) ProjectionsBy() time.Time { return l.Activated.AddDate(0, 0, 14) }

// Cancelled tells that an onboarding was stopped and undone.
type Cancelled struct {
	Reader  Reader
	Partner Partner
	Venues  []Venue
	Refund  sale.Cents // with tax; 0 when nothing was paid
}

// Offboarded tells that a live connection has ended.
type Offboarded struct {
	Partner Partner
	Venue   Venue
	Ended   time.Time
}

// PeopleAttention asks a manager to match employees with 7shifts' users.
type PeopleAttention struct {
	Venue   Venue
	Count   int // of employees
	Link    Link
	Expires time.Time // 72 hours after
}

// TipsReadiness tells how ready a period is for tip pools.
type TipsReadiness struct {
	Venue      Venue
	From, To   sale.Day   // first and last business day
	Assigned   sale.Cents // card tips and gratuities that 7shifts will assign
	Unassigned sale.Cents
	Causes     []UnassignedTips `mail:"optional"` // by money, most first; their sum is Unassigned
	Link       Link             // the report
}

// UnassignedTips is one cause for which tips stay unassigned.
type UnassignedTips struct {
	Cause    Cause
	Receipts int
	Amount   sale.Cents
}

// CalledOff tells that a connection was refused so often that we stopped it.
type CalledOff struct {
	Partner Partner
	Venue   Venue
	Code    work.Code // of the last refusal
	Since   time.Time // of the last success
	Link    Link      `mail:"optional"` // where it can be mended
}

// DailyReport carries one business day's sales to WISK. A revision above 1
// replaces what was sent before.
type DailyReport struct {
	Venue    Venue
	Day      sale.Day
	Revision int // from 1
	File     Attachment
}

// ItemFindings lists items whose name changed at the till under a code that
// was in use. WISK's history hangs on the code.
type ItemFindings struct {
	Venue Venue
	Items []ItemFinding
	Link  Link `mail:"optional"`
}

// ItemFinding is one item under two names.
type ItemFinding struct {
	Code   string
	Before string
	Now    string
	Seen   sale.Day // first business day under the new name
}

// Venue is a venue as Cluster's record has it.
type Venue struct {
	Name    string // trade name
	Address string
}

// Bilingual is a setting's text in both languages.
type Bilingual struct{ French, English string }

// In is the text in a language.
func (b Bilingual) In(l words.Lang) string {
	if l == words.English {
		return b.English
	}
	return b.French
}

// Kind implements Message.
func (RequestAcknowledged) Kind() Kind { return KindRequestAcknowledged }

// Kind implements Message.
func (ConfirmationRequest) Kind() Kind { return KindConfirmationRequest }

// Kind implements Message.
func (ConfirmationReminder) Kind() Kind { return KindConfirmationReminder }

// Kind implements Message.
func (ConfirmationExpired) Kind() Kind { return KindConfirmationExpired }

// Kind implements Message.
func (Declined) Kind() Kind { return KindDeclined }

// Kind implements Message.
func (Invoice) Kind() Kind { return KindInvoice }

// Kind implements Message.
func (PaymentReceived) Kind() Kind { return KindPaymentReceived }

// Kind implements Message.
func (Credentials) Kind() Kind { return KindCredentials }

// Kind implements Message.
func (CredentialsToSupport) Kind() Kind { return KindCredentialsToSupport }

// Kind implements Message.
func (TokenNeeded) Kind() Kind { return KindTokenNeeded }

// Kind implements Message.
func (Live) Kind() Kind { return KindLive }

// Kind implements Message.
func (Cancelled) Kind() Kind { return KindCancelled }

// Kind implements Message.
func (Offboarded) Kind() Kind { return KindOffboarded }

// Kind implements Message.
func (PeopleAttention) Kind() Kind { return KindPeopleAttention }

// Kind implements Message.
func (TipsReadiness) Kind() Kind { return KindTipsReadiness }

// Kind implements Message.
func (CalledOff) Kind() Kind { return KindCalledOff }

// Kind implements Message.
func (DailyReport) Kind() Kind { return KindDailyReport }

// Kind implements Message.
func (ItemFindings) Kind() Kind { return KindItemFindings }
