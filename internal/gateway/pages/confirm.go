package pages

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/clustersystems/clusterbridge/internal/mail"
)

// Confirmation is what a contact is asked on one page. Instants carry the
// venue's zone; so do those of the other pages.
type Confirmation struct {
	Partner mail.Partner
	AskedBy mail.Asker
	// Employees says that names and contacts of employees travel as well.
	Employees bool
	Expires   time.Time
	Venues    []VenueToConfirm // those of this contact; at least one
}

// VenueToConfirm is one venue, confirmed or declined by itself.
type VenueToConfirm struct {
	ID    string // names it in a Decision
	Venue mail.Venue
	Fee   mail.Charge // the zero Charge says that it costs nothing
	State Answered
	// ByOperator says that one of us answered on the venue's behalf.
	ByOperator bool
	At         time.Time // of the answer, or the end; not with Open
}

// Answered is what became of a question.
type Answered string

// What may become of it.
const (
	Open      Answered = "open"
	Confirmed Answered = "confirmed"
	Declined  Answered = "declined"
	Expired   Answered = "expired"   // nobody answered in time
	Withdrawn Answered = "withdrawn" // the request was cancelled
)

// Decision is an answer for one venue.
type Decision struct {
	Venue  string
	Yes    bool
	Reason Reason // with a no; may be empty
}

// Reason is why a venue declines, from a list: nobody types anything.
type Reason string

// The reasons.
const (
	NoReason     Reason = ""
	NotRequested Reason = "not_requested" // nobody here asked for it
	WrongVenue   Reason = "wrong_venue"   // not ours, or sold or closed
	TooExpensive Reason = "cost"
	Privacy      Reason = "privacy" // the data shall not be shared
	NotNow       Reason = "not_now"
	OtherReason  Reason = "other"
)

// Reasons are all reasons that the page offers.
var Reasons = []Reason{NotRequested, WrongVenue, TooExpensive, Privacy, NotNow, OtherReason}

// What addresses and forms of the page say.
const (
	declineParameter = "decline" // a venue's id: opens the second page
	savedParameter   = "saved"
	venueField       = "venue"
	actField         = "act"
	reasonField      = "reason"
	actConfirm       = "confirm"
	actDecline       = "decline"
)

// keptParameters are those that stay when the language changes.
var keptParameters = []string{declineParameter, anotherParameter}

// confirmView is what the page shows.
type confirmView struct {
	Confirmation
	Venues []confirmVenue
	Fees   bool // any at all
	Waits  bool // a venue, for an answer
}

type confirmVenue struct {
	VenueToConfirm
	Partner mail.Partner
	Anchor  string // its place on the page
	Saved   bool   // just now
}

// Said is a part of a phrase's key: who answered makes another sentence.
func (c confirmVenue) Said() string {
	if c.ByOperator && (c.State == Confirmed || c.State == Declined) {
		return string(c.State) + "-operator"
	}
	return string(c.State)
}

// Next is a part of a phrase's key: what happens from here on.
func (c confirmVenue) Next() string {
	if c.State != Confirmed {
		return string(c.State)
	}
	if c.Fee.Free() {
		return string(c.Partner) + "-free"
	}
	return string(c.Partner) + "-fee"
}

func showConfirm(v *visit) error {
	ctx, cancel := v.desk()
	defer cancel()
	asked, err := v.p.o.Desk.Confirmation(ctx, v.claims.Subject)
	if err != nil {
		return err
	}
	parameters := v.r.URL.Query()
	wanted := parameters.Get(declineParameter)
	if v.form.Get(actField) == actDecline {
		wanted = v.form.Get(venueField)
	}
	shown := confirmView{Confirmation: asked}
	for i, one := range asked.Venues {
		c := confirmVenue{one, asked.Partner, anchor(i), parameters.Get(savedParameter) == one.ID && one.State != Open}
		if wanted == one.ID && one.State == Open {
			return v.show("decline", struct {
				Confirmation
				Venue   confirmVenue
				Reasons []Reason
			}{asked, c, Reasons})
		}
		shown.Venues = append(shown.Venues, c)
		shown.Fees = shown.Fees || !one.Fee.Free()
		shown.Waits = shown.Waits || one.State == Open
	}
	return v.show("confirm", shown)
}

func takeConfirm(v *visit) error {
	decision := Decision{Venue: v.form.Get(venueField), Reason: Reason(v.form.Get(reasonField))}
	switch v.form.Get(actField) {
	case actConfirm:
		decision.Yes, decision.Reason = true, NoReason
	case actDecline:
	default:
		return refusedMalformed
	}
	if decision.Reason != NoReason && !slices.Contains(Reasons, decision.Reason) {
		return refusedMalformed
	}
	ctx, cancel := v.desk()
	defer cancel()
	asked, err := v.p.o.Desk.Confirmation(ctx, v.claims.Subject)
	if err != nil {
		return err
	}
	at := asked.at(decision.Venue)
	if at < 0 {
		return refusedMalformed
	}
	err = v.p.o.Desk.Decide(ctx, v.claims.Subject, decision)
	if errors.Is(err, ErrDone) {
		return v.decidedBefore(decision)
	}
	if err != nil {
		return err
	}
	return v.back(anchor(at), url.Values{savedParameter: {decision.Venue}})
}

// decidedBefore answers for a venue that was answered for already. A second
// click on the same button is nothing that a person has to be told about.
func (v *visit) decidedBefore(d Decision) error {
	ctx, cancel := v.desk()
	defer cancel()
	asked, err := v.p.o.Desk.Confirmation(ctx, v.claims.Subject)
	if err != nil {
		return err
	}
	at := asked.at(d.Venue)
	if at < 0 {
		return ErrDone
	}
	before := asked.Venues[at]
	if before.State == Confirmed && d.Yes || before.State == Declined && !d.Yes {
		return v.back(anchor(at), url.Values{savedParameter: {d.Venue}})
	}
	return v.again(http.StatusConflict, problem{Text: v.say("confirm.done-before", before.Venue.Name), Field: anchor(at)})
}

// at is the place of a venue, or -1.
func (c Confirmation) at(id string) int {
	return slices.IndexFunc(c.Venues, func(v VenueToConfirm) bool { return v.ID == id })
}

// anchor is the id of a venue's place on the page.
func anchor(at int) string { return "v" + strconv.Itoa(at+1) }
