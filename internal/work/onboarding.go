package work

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Workflow types of joining and leaving a partner.
const (
	Onboarding         = "Onboarding"
	LocationOnboarding = "LocationOnboarding"
	Offboarding        = "Offboarding"
	RotateCredentials  = "RotateCredentials"
)

// Updates of a LocationOnboarding, and its query. Cancel goes to an Onboarding
// as well, and then to all its venues.
const (
	UpdateChooseLocation        = "ChooseLocation"        // ChooseInput
	UpdateContactEntered        = "ContactEntered"        // SteerInput; the contact lies in the ledger already
	UpdateDecide                = "Decide"                // DecideInput
	UpdateRecordPayment         = "RecordPayment"         // PaymentInput
	UpdatePaymentNoticed        = "PaymentNoticed"        // SteerInput; the payment lies in the ledger already
	UpdateWaiveFee              = "WaiveFee"              // SteerInput
	UpdateRefundFee             = "RefundFee"             // PaymentInput
	UpdateCredentialsEntered    = "CredentialsEntered"    // SteerInput; the key lies in the vault already
	UpdateRecordEntry           = "RecordEntry"           // EntryInput
	UpdateTryToken              = "TryToken"              // SteerInput; the token lies in the vault already
	UpdateChoosePartnerLocation = "ChoosePartnerLocation" // PlaceInput
	UpdateRetry                 = "Retry"                 // SteerInput
	UpdateCancelOnboarding      = "Cancel"                // SteerInput
	QueryStatus                 = "status"
)

// Who acts that is no member of the staff, as a handle.
const (
	ByVenue   = "venue"   // on a page of the gateway
	ByGateway = "gateway" // a signed request or hook
)

// Requesters of an onboarding.
const (
	PartnerSupport = "partner_support"
	VenueAdmin     = "venue_admin"
)

const (
	// maxVenues is how many venues one request may name: a chain of 50 with room
	// to spare.
	maxVenues = 100
	// maxName is the longest trade name or address that is taken.
	maxName = 200
)

var requestPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// OnboardingID is the id of a request's Onboarding: "onboarding:<partner>:<request>".
func OnboardingID(partner, request string) string { return "onboarding:" + partner + ":" + request }

// CaseID names one venue of a request, in links, mails and the ledger:
// "<partner>:<request>:<n>", n from 1.
func CaseID(partner, request string, n int) string {
	return fmt.Sprintf("%s:%s:%d", partner, request, n)
}

// LocationOnboardingID is the id of a case's workflow: "onboarding:<case>".
func LocationOnboardingID(caseID string) string { return "onboarding:" + caseID }

// CheckRequest refuses what is not a request's number of ours.
func CheckRequest(request string) error {
	if !requestPattern.MatchString(request) {
		return Err(BadInput, fmt.Sprintf("request %q: want lower-case letters, digits and hyphens, at most 32", clip(request)))
	}
	return nil
}

// OnboardingInput starts an Onboarding; people start it, and the gateway for a
// signed request. It names no person: whom to ask stands on Cluster's record.
type OnboardingInput struct {
	Partner string `json:"partner"` // SevenShifts or Wisk
	// Requester is PartnerSupport or VenueAdmin.
	Requester string       `json:"requester"`
	Venues    []VenueInput `json:"venues"`
	// Route is how sales will reach WISK, where that is known already: upload,
	// pull or report. Left out, it is said when WISK's side is entered.
	Route string `json:"route,omitempty"`
	By    string `json:"by"` // staff handle
	Note  string `json:"note"`
}

// VenueInput is one venue of a request, as who asks knows it.
type VenueInput struct {
	TradeName string `json:"tradeName"`
	Address   string `json:"address"`
	// Language of mails to the venue, fr or en; fr when left out.
	Language string `json:"language,omitempty"`
	// Serial is the till's serial number, where it is known.
	Serial string `json:"serial,omitempty"`
	// Location is the id that the venue shall have here; one of its trade name
	// when left out.
	Location string `json:"location,omitempty"`
}

// Validate implements Validator.
func (in OnboardingInput) Validate() error {
	switch {
	case in.Partner != SevenShifts && in.Partner != Wisk:
		return Err(BadInput, "field \"partner\": want 7shifts or wisk")
	case in.Requester != PartnerSupport && in.Requester != VenueAdmin:
		return Err(BadInput, "field \"requester\": want partner_support or venue_admin")
	case len(in.Venues) == 0 || len(in.Venues) > maxVenues:
		return Err(BadInput, fmt.Sprintf("field \"venues\": want 1 to %d", maxVenues))
	case in.Route != "" && (in.Partner != Wisk || !slices.Contains(changeValues[ChangeRoute], in.Route)):
		return Err(BadInput, "field \"route\": want upload, pull or report, for wisk only")
	}
	if err := CheckHandle(in.By); err != nil {
		return err
	}
	if err := checkNote(in.Note); err != nil {
		return err
	}
	seen := map[string]int{}
	for i, v := range in.Venues {
		if err := v.check(i); err != nil {
			return err
		}
		if other, twice := seen[v.Serial]; twice && v.Serial != "" {
			return Err(BadInput, fmt.Sprintf("field \"venues\": %d and %d have one serial number", other, i+1))
		}
		seen[v.Serial] = i + 1
	}
	return nil
}

func (v VenueInput) check(i int) error {
	wrong := func(field, want string) error {
		return Err(BadInput, fmt.Sprintf("field \"venues\", %d, %q: want %s", i+1, field, want))
	}
	for field, text := range map[string]string{"tradeName": v.TradeName, "address": v.Address} {
		if strings.Contains(text, "@") {
			return wrong(field, "no mail addresses; whom to ask stands on Cluster's record")
		}
	}
	switch {
	case strings.TrimSpace(v.TradeName) == "" || len(v.TradeName) > maxName:
		return wrong("tradeName", fmt.Sprintf("1 to %d characters", maxName))
	case strings.TrimSpace(v.Address) == "" || len(v.Address) > maxName:
		return wrong("address", fmt.Sprintf("1 to %d characters", maxName))
	case v.Language != "" && v.Language != "fr" && v.Language != "en":
		return wrong("language", "fr or en")
	case len(v.Serial) > maxName || strings.ContainsAny(v.Serial, "@ \t\n"):
		return wrong("serial", "the serial number on the terminal (Settings, Serial #)")
	case v.Location != "":
		return CheckLocationID(v.Location)
	}
	return nil
}

// ChooseInput says which of Cluster's venues is meant.
type ChooseInput struct {
	Serial string `json:"serial"` // of a candidate
	By     string `json:"by"`
	Reason string `json:"reason"` // one of Reasons
	Note   string `json:"note"`
}

// Validate implements Validator.
func (in ChooseInput) Validate() error {
	if strings.TrimSpace(in.Serial) == "" {
		return Err(BadInput, "field \"serial\": want that of a candidate")
	}
	return checkPersonAct(in.By, in.Reason, in.Note)
}

// The decisions of a venue.
const (
	Confirm = "confirm"
	Decline = "decline"
)

// DecideInput is a venue's yes or no, or an operator's on its behalf.
type DecideInput struct {
	Decision string `json:"decision"` // Confirm or Decline
	// Why the venue declined, as a code of the page.
	Why    string `json:"why,omitempty"`
	By     string `json:"by"`
	Reason string `json:"reason"`
	Note   string `json:"note"`
}

// Validate implements Validator.
func (in DecideInput) Validate() error {
	if in.Decision != Confirm && in.Decision != Decline {
		return Err(BadInput, "field \"decision\": want confirm or decline")
	}
	if len(in.Why) > 32 || strings.ContainsFunc(in.Why, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }) {
		return Err(BadInput, "field \"why\": want a code")
	}
	return checkPersonAct(in.By, in.Reason, in.Note)
}

// PaymentInput records a payment of the fee, or its refund.
type PaymentInput struct {
	// Reference is the payment's in the books; no card or account number.
	Reference string `json:"reference"`
	By        string `json:"by"`
	Reason    string `json:"reason"`
	Note      string `json:"note"`
}

var referencePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9./#_-]{0,39}$`)

// Validate implements Validator.
func (in PaymentInput) Validate() error {
	if !referencePattern.MatchString(in.Reference) {
		return Err(BadInput, "field \"reference\": want the payment's number in the books, at most 40 letters, digits and ./#_-")
	}
	return checkPersonAct(in.By, in.Reason, in.Note)
}

// EntryInput records that WISK's side is entered.
type EntryInput struct {
	Route string `json:"route"` // upload, pull or report
	// Modifiers are off, include or separate, as WISK's options have them.
	Modifiers string `json:"modifiers"`
	// NoClusterIntegration states, for the route upload, that no integration of
	// type Cluster is active in that venue of WISK: its sales would count twice.
	NoClusterIntegration bool   `json:"noClusterIntegration,omitempty"`
	By                   string `json:"by"`
	Reason               string `json:"reason"`
	Note                 string `json:"note"`
}

// Validate implements Validator.
func (in EntryInput) Validate() error {
	switch {
	case !slices.Contains(changeValues[ChangeRoute], in.Route):
		return Err(BadInput, "field \"route\": want upload, pull or report")
	case !slices.Contains(changeValues[ChangeModifiers], in.Modifiers):
		return Err(BadInput, "field \"modifiers\": want off, include or separate")
	case in.Route == "upload" && !in.NoClusterIntegration:
		return Err(BadInput, "field \"noClusterIntegration\": the route upload needs the statement that no Cluster integration is active in that venue of WISK")
	}
	return checkPersonAct(in.By, in.Reason, in.Note)
}

// PlaceInput says which location of the partner the venue is, once the token is
// good.
type PlaceInput struct {
	Location    int64  `json:"location"`    // 7shifts' id
	ReceiptDate string `json:"receiptDate"` // opened or closed, as Cluster is set
	// Workday states that the workday is 5 a.m. to 5 a.m. in both systems, which
	// no API tells.
	Workday bool   `json:"workday"`
	By      string `json:"by"`
	Reason  string `json:"reason"`
	Note    string `json:"note"`
}

// Validate implements Validator.
func (in PlaceInput) Validate() error {
	switch {
	case in.Location <= 0:
		return Err(BadInput, "field \"location\": want 7shifts' location id")
	case !slices.Contains(changeValues[ChangeReceiptDate], in.ReceiptDate):
		return Err(BadInput, "field \"receiptDate\": want opened or closed")
	case !in.Workday:
		return Err(BadInput, "field \"workday\": the workday has to be 5 a.m. to 5 a.m. in both systems")
	}
	return checkPersonAct(in.By, in.Reason, in.Note)
}

// OffboardInput starts an Offboarding; people start it.
type OffboardInput struct {
	Connection string `json:"connection"`
	By         string `json:"by"`
	Reason     string `json:"reason"`
	Note       string `json:"note"`
}

// Validate implements Validator.
func (in OffboardInput) Validate() error { return checkAct(in.Connection, in.By, in.Reason, in.Note) }

// What RotateCredentials replaces.
const (
	RotateTillKey    = "till-key"    // ours, with which we read the till
	RotatePartnerKey = "partner-key" // WISK's, with which it reads the till
	RotateToken      = "token"       // 7shifts', which the venue makes
)

// RotateInput starts a RotateCredentials; people start it.
type RotateInput struct {
	Connection string `json:"connection"`
	// What is till-key, partner-key (wisk) or token (7shifts).
	What   string `json:"what"`
	By     string `json:"by"`
	Reason string `json:"reason"`
	Note   string `json:"note"`
}

// Validate implements Validator.
func (in RotateInput) Validate() error {
	if err := checkAct(in.Connection, in.By, in.Reason, in.Note); err != nil {
		return err
	}
	partner, _, _ := SplitConnection(in.Connection)
	switch {
	case in.What == RotateTillKey, in.What == RotatePartnerKey && partner == Wisk, in.What == RotateToken && partner == SevenShifts:
		return nil
	}
	return Err(BadInput, "field \"what\": want till-key, or partner-key for wisk, or token for 7shifts")
}

func checkPersonAct(by, reason, note string) error {
	return SteerInput{By: by, Reason: reason, Note: note}.Validate()
}

// Stage is where a case stands, and what its wait is for.
type Stage string

// The stages, in their order.
const (
	StageMatch        Stage = "match"        // which venue is meant
	StageContact      Stage = "contact"      // whom to ask
	StageConfirmation Stage = "confirmation" // the venue's yes or no
	StagePayment      Stage = "payment"      // the fee
	StageActivation   Stage = "activation"   // Cluster's, 24 to 48 hours
	StageKey          Stage = "key"          // an operator puts it in
	StageEntry        Stage = "entry"        // on WISK's side
	StageToken        Stage = "token"        // from the venue
	StageLocation     Stage = "location"     // of 7shifts
	StagePreflight    Stage = "preflight"    // till, credentials, one real read
	StageFirstRun     Stage = "first_run"
	StageRefund       Stage = "refund" // after a cancellation
	StageUndo         Stage = "undo"
	StageEnded        Stage = "ended"
)

// Outcome is how a case ended.
type Outcome string

// The outcomes.
const (
	WentLive  Outcome = "live"
	Declined  Outcome = "declined"
	Expired   Outcome = "expired"
	Cancelled Outcome = "cancelled"
	Joined    Outcome = "joined"    // an older request for this venue and partner
	Connected Outcome = "connected" // it was already
)

// OnboardingStatus answers the query status of a LocationOnboarding. Instants
// are Temporal's, real time.
type OnboardingStatus struct {
	Case       string `json:"case"`
	TradeName  string `json:"tradeName"`
	Connection string `json:"connection,omitempty"`
	Stage      Stage  `json:"stage"`
	// WaitingFor is who must act: venue, operator, payment, cluster or partner;
	// empty while the program works.
	WaitingFor string    `json:"waitingFor,omitempty"`
	Since      time.Time `json:"since"`
	// What is waited for, and Next what happens then, in words.
	What string `json:"what"`
	Next string `json:"next"`
	// Problem is why the last try of this stage failed, with what to do.
	Problem    string      `json:"problem,omitempty"`
	Candidates []Candidate `json:"candidates,omitempty"` // with StageMatch
	Outcome    Outcome     `json:"outcome,omitempty"`
}

// Candidate is a venue of Cluster's that a request may mean.
type Candidate struct {
	Serial    string `json:"serial"`
	TradeName string `json:"tradeName"`
	Address   string `json:"address"`
}

// RequestStatus answers the query status of an Onboarding.
type RequestStatus struct {
	Request string             `json:"request"`
	Open    int                `json:"open"` // venues that have not ended
	Venues  []OnboardingResult `json:"venues"`
}

// OnboardingResult is how a venue's onboarding ended, as the UI shows it; an
// Outcome that is empty has not.
type OnboardingResult struct {
	Case       string  `json:"case"`
	TradeName  string  `json:"tradeName"`
	Outcome    Outcome `json:"outcome,omitempty"`
	Connection string  `json:"connection,omitempty"`
	Summary    string  `json:"summary,omitempty"`
}

// RequestResult is how a request ended, as the UI shows it.
type RequestResult struct {
	Summary string             `json:"summary"`
	Venues  []OnboardingResult `json:"venues"`
}
