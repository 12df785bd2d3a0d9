package pages

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// TokenPage is how far a venue is with its 7shifts token.
type TokenPage struct {
	Venue   mail.Venue
	Expires time.Time
	State   TokenState
	// With ChooseToken:
	Locations []TokenLocation // those that the token sees
	// Zone is the venue's, on our record.
	Zone *time.Location
	// Till is the till's clock; nil while it was not read.
	Till *TillClock
	// ReceiptDate is as Cluster is set, where that is known.
	ReceiptDate sale.ReceiptDate
	// With TokenDone:
	Chosen string // the location's name
	At     time.Time
}

// TokenState is how far a venue is.
type TokenState string

// The states, in their order.
const (
	TokenPaste   TokenState = "paste"
	TokenChoose  TokenState = "choose" // the token is good, the location not chosen yet
	TokenDone    TokenState = "done"
	TokenBlocked TokenState = "blocked" // too many wrong tokens; we were told
)

// TillClock is what the till says of its clock.
type TillClock struct {
	Offset time.Duration // east of UTC
	// Agrees with our zone.
	Agrees bool
}

// TokenLocation is a location of the 7shifts account.
type TokenLocation struct {
	ID   int64
	Name string
	City string
	// Zone is as 7shifts has it, whatever that is.
	Zone string
	// Hindrances are why it cannot be chosen; none when it can.
	Hindrances []Hindrance
}

// Hindrance is why a location cannot be chosen.
type Hindrance string

// The hindrances.
const (
	ZoneDiffers Hindrance = "zone"      // from ours
	OtherPOS    Hindrance = "other_pos" // another POS integration feeds it
	Taken       Hindrance = "taken"     // another venue of ours is connected to it
)

// TokenChoice is the manager's choice.
type TokenChoice struct {
	LocationID  int64
	ReceiptDate sale.ReceiptDate
	// Workday: the manager says that the workday is 5 a.m. to 5 a.m. in both
	// systems. It is always true: without it nothing is chosen.
	Workday bool
}

// What addresses and forms of the page say.
const (
	anotherParameter = "another" // shows the field for the token once more
	tokenField       = "token"
	locationField    = "location"
	workdayField     = "workday"
	receiptField     = "receipt_date"
	actPaste         = "paste"
	actChoose        = "choose"
	ticked           = "yes"
	// maxToken bounds a token: 7shifts' have some 40 to 100 characters, and those
	// of its OAuth, which somebody may paste, about a thousand.
	maxToken = 2048
)

// tokenView is what the page shows.
type tokenView struct {
	TokenPage
	MaxToken  int
	Locations []locationView
	Any       bool   // location that can be chosen
	OurTime   string // of day, at the venue
	TillTime  string
	Receipt   string // the chosen receipt date
}

type locationView struct {
	TokenLocation
	Field string
	Time  string // of day, in its zone; empty if there is no such zone
}

// Problems are hints that belong to the field, by id.
func (l locationView) Hints() string {
	ids := []string{l.Field + "-about"}
	for _, h := range l.Hindrances {
		ids = append(ids, l.Field+"-"+string(h))
	}
	return strings.Join(ids, " ")
}

func showToken(v *visit) error {
	ctx, cancel := v.desk()
	defer cancel()
	page, err := v.p.o.Desk.TokenPage(ctx, v.claims.Subject)
	if err != nil {
		return err
	}
	another := v.r.URL.Query().Has(anotherParameter) || v.form.Get(actField) == actPaste && len(v.problems) > 0
	if page.State == TokenChoose && another {
		page.State = TokenPaste
	}
	if page.State == TokenBlocked && v.status == http.StatusOK {
		v.status = http.StatusTooManyRequests
	}
	shown := tokenView{TokenPage: page, MaxToken: maxToken, Receipt: v.field(receiptField)}
	if shown.Receipt == "" {
		shown.Receipt = string(page.ReceiptDate)
	}
	if page.State != TokenChoose {
		return v.show("token", shown)
	}
	now := v.p.o.Clock.Now()
	shown.OurTime = v.lang.Time(now.In(page.Zone))
	if page.Till != nil {
		shown.TillTime = v.lang.Time(now.In(time.FixedZone("till", int(page.Till.Offset.Seconds()))))
	}
	for i, one := range page.Locations {
		l := locationView{TokenLocation: one, Field: "location-" + strconv.Itoa(i+1)}
		if zone, err := time.LoadLocation(one.Zone); err == nil && one.Zone != "" {
			l.Time = v.lang.Time(now.In(zone))
		}
		shown.Any = shown.Any || len(one.Hindrances) == 0
		shown.Locations = append(shown.Locations, l)
	}
	return v.show("token", shown)
}

func takeToken(v *visit) error {
	switch v.form.Get(actField) {
	case actPaste:
		return v.takePaste()
	case actChoose:
		return v.takeChoice()
	}
	return refusedMalformed
}

// takePaste has the token verified. What cannot be one costs no try.
func (v *visit) takePaste() error {
	token := vault.NewSecret(v.field(tokenField))
	switch text := token.Reveal(); {
	case text == "":
		return v.again(http.StatusUnprocessableEntity, problem{tokenField, v.say("token.problem.missing")})
	case len(text) > maxToken || strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' }):
		return v.again(http.StatusUnprocessableEntity, problem{tokenField, v.say("token.problem.form")})
	}
	ctx, cancel := v.desk()
	defer cancel()
	err := v.p.o.Desk.PasteToken(ctx, v.claims.Subject, token)
	if wrong, ok := errors.AsType[ErrWrong](err); ok {
		return v.wrongToken(wrong.Left)
	}
	if refused, ok := errors.AsType[*work.Error](err); ok && refused.Code == work.PartnerPlan {
		return v.again(http.StatusUnprocessableEntity, problem{tokenField, v.say("token.problem.plan")})
	}
	if err != nil {
		return err
	}
	return v.back("", nil)
}

func (v *visit) wrongToken(left int) error {
	if left <= 0 {
		return v.back("", nil) // the page says that there are no more tries
	}
	tries, err := v.p.words.phrases.Count(v.lang, "token.left", left)
	if err != nil {
		return err
	}
	return v.again(http.StatusUnprocessableEntity, problem{tokenField, v.say("token.problem.wrong") + " " + tries})
}

// takeChoice records the location.
func (v *visit) takeChoice() error {
	ctx, cancel := v.desk()
	defer cancel()
	page, err := v.p.o.Desk.TokenPage(ctx, v.claims.Subject)
	if err != nil {
		return err
	}
	if page.State != TokenChoose {
		return v.back("", nil)
	}
	choice := TokenChoice{ReceiptDate: sale.ReceiptDate(v.field(receiptField)), Workday: v.field(workdayField) == ticked}
	choice.LocationID, _ = strconv.ParseInt(v.field(locationField), 10, 64)
	var problems []problem
	at := slices.IndexFunc(page.Locations, func(l TokenLocation) bool { return l.ID == choice.LocationID && len(l.Hindrances) == 0 })
	if at < 0 {
		problems = append(problems, problem{"location-1", v.say("token.problem.location")})
	}
	if choice.ReceiptDate != sale.ByOpened && choice.ReceiptDate != sale.ByClosed {
		problems = append(problems, problem{receiptField, v.say("token.problem.receipt-date")})
	}
	if !choice.Workday {
		problems = append(problems, problem{workdayField, v.say("token.problem.workday")})
	}
	if len(problems) > 0 {
		return v.again(http.StatusUnprocessableEntity, problems...)
	}
	err = v.p.o.Desk.ChooseLocation(ctx, v.claims.Subject, choice)
	if errors.Is(err, ErrUnfit) {
		return v.again(http.StatusConflict, problem{"location-" + strconv.Itoa(at+1), v.say("token.problem.unfit")})
	}
	if err != nil && !errors.Is(err, ErrDone) {
		return err
	}
	return v.back("", nil)
}
