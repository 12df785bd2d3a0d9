package work

import "time"

// What follows passes between the onboarding's workflows and activities: ids,
// codes and instants, and trade names and addresses of venues.

// LocationOnboardingInput starts a LocationOnboarding; its Onboarding does.
type LocationOnboardingInput struct {
	Case      string         `json:"case"`
	Partner   string         `json:"partner"`
	Requester string         `json:"requester"`
	Route     string         `json:"route,omitempty"`
	Venue     VenueInput     `json:"venue"`
	By        string         `json:"by"`
	Plan      OnboardingPlan `json:"plan"`
}

// Validate implements Validator.
func (in LocationOnboardingInput) Validate() error {
	if in.Case == "" || in.Partner == "" {
		return Err(BadInput, "a LocationOnboarding is started by its Onboarding: clusterbridge onboard")
	}
	return nil
}

// OnboardingStart is the input of the activity PlanOnboarding.
type OnboardingStart struct {
	Request string          `json:"request"` // "<partner>:<request>"
	Input   OnboardingInput `json:"input"`
}

// OnboardingPlan is what the settings say, so that a workflow knows them.
// Durations are real time.
type OnboardingPlan struct {
	// GatherFor is how long the venues of one contact are waited for, so that
	// they share a mail.
	GatherFor time.Duration `json:"gatherFor"`
	// RemindAfter are when an unanswered contact is reminded, after it was asked.
	RemindAfter []time.Duration `json:"remindAfter"`
	ExpireAfter time.Duration   `json:"expireAfter"`
	// Fee says that this partner has one, and Hook that the billing system tells
	// of payments; otherwise an operator records them.
	Fee  bool `json:"fee"`
	Hook bool `json:"hook"`
	// TakesToken says that the venue hands over the partner's token; otherwise
	// it or the partner's support enters a key of ours there.
	TakesToken bool `json:"takesToken"`
	// TokenTries is after how many wrong tokens an operator is asked.
	TokenTries int `json:"tokenTries"`
	// CheckEvery is how often Cluster's activation is looked at, and PollEvery
	// how often the first run is.
	CheckEvery time.Duration `json:"checkEvery"`
	PollEvery  time.Duration `json:"pollEvery"`
	// TroubleFirst and TroubleMost bound how soon a stage that failed is tried
	// again by itself.
	TroubleFirst time.Duration `json:"troubleFirst"`
	TroubleMost  time.Duration `json:"troubleMost"`
}

// RequestInput is the input of activities on a whole request.
type RequestInput struct {
	Request string `json:"request"` // "<partner>:<request>"
}

// CaseInput is the input of activities on one case.
type CaseInput struct {
	Case string `json:"case"`
}

// CaseAct is the input of activities that record what a person did to a case.
// The fields that an act has no use for are empty.
type CaseAct struct {
	Case   string `json:"case"`
	Act    string `json:"act"` // the Update's name
	By     string `json:"by"`
	Reason string `json:"reason"`
	Note   string `json:"note"`

	Serial    string `json:"serial,omitempty"`    // ChooseLocation
	Decision  string `json:"decision,omitempty"`  // Decide
	Why       string `json:"why,omitempty"`       // Decide
	Reference string `json:"reference,omitempty"` // RecordPayment, RefundFee
	// RecordEntry
	Route                string `json:"route,omitempty"`
	Modifiers            string `json:"modifiers,omitempty"`
	NoClusterIntegration bool   `json:"noClusterIntegration,omitempty"`
	// ChoosePartnerLocation
	Location    int64  `json:"location,omitempty"`
	ReceiptDate string `json:"receiptDate,omitempty"`
}

// FindResult is the result of the activities FindVenue and ChooseVenue. The
// venue is found when Serial is set.
type FindResult struct {
	Serial     string      `json:"serial,omitempty"`
	TradeName  string      `json:"tradeName,omitempty"`
	Candidates []Candidate `json:"candidates,omitempty"`
	More       bool        `json:"more,omitempty"` // candidates than these
	// Joined is the older case of this venue and partner; Connected is their
	// connection, where they have one already.
	Joined    string `json:"joined,omitempty"`
	Connected string `json:"connected,omitempty"`
	// Contact names, by a keyed hash, whom to ask; empty where none is known.
	Contact string `json:"contact,omitempty"`
}

// ContactResult is the result of the activity ReadContact; see FindResult.
type ContactResult struct {
	Contact string `json:"contact,omitempty"`
}

// AskInput is the input of the activity AskContact: the mail to one contact for
// all its venues. Those that were answered meanwhile are left out.
type AskInput struct {
	Request  string   `json:"request"`
	Group    string   `json:"group"` // c1, c2, ...
	Cases    []string `json:"cases"`
	Reminder int      `json:"reminder"` // 0 asks; 1, 2, ... remind
}

// AskResult is the result of the activity AskContact.
type AskResult struct {
	Asked []string `json:"asked"` // cases that the mail named
}

// ChargeResult is the result of the activities OpenCharge, CheckCharge and
// SettleCharge.
type ChargeResult struct {
	State  string `json:"state"` // one of the Charge constants
	Number string `json:"number,omitempty"`
}

// The states of a charge.
const (
	ChargeNone     = "none" // nothing is to be paid, or it was paid before
	ChargeOpen     = "open"
	ChargePaid     = "paid"
	ChargeWaived   = "waived"
	ChargeVoid     = "void"
	ChargeRefunded = "refunded"
)

// TillResult is the result of the activity OpenTill.
type TillResult struct {
	State string `json:"state"` // one of the Till constants
}

// How far the way to the till is.
const (
	TillReady   = "ready"
	TillPending = "pending" // Cluster activates it
	TillManual  = "manual"  // an operator has to put in the key
)

// TokenTry is the input of the activity CheckToken.
type TokenTry struct {
	Case string `json:"case"`
	Try  int    `json:"try"` // from 1
	By   string `json:"by"`
}

// TokenResult is the result of the activity CheckToken.
type TokenResult struct {
	Verdict string `json:"verdict"` // one of the Token constants
	Left    int    `json:"left"`    // tries, filled in by the workflow
}

// What 7shifts says of a token.
const (
	TokenGood  = "good"
	TokenWrong = "wrong"
	TokenPlan  = "plan" // the company's plan is too low, or it is another's token
)

// PlaceResult is the result of the activity CheckPlace: why the location cannot
// be chosen, as codes; none when it was.
type PlaceResult struct {
	Hindrances []string `json:"hindrances,omitempty"`
}

// LiveResult is the result of the activities GoLive and FirstRun.
type LiveResult struct {
	Connection string          `json:"connection"`
	State      ConnectionState `json:"state"`
	// History says that the days before are to be brought in.
	History bool `json:"history,omitempty"`
	// Problem is the last run's failure, and Code its code.
	Problem string `json:"problem,omitempty"`
	Code    Code   `json:"code,omitempty"`
}

// StageNote is the input of the activity NoteStage: where a case stands, for
// pages, verbs and metrics.
type StageNote struct {
	Case       string  `json:"case"`
	Stage      Stage   `json:"stage"`
	WaitingFor string  `json:"waitingFor"`
	What       string  `json:"what"`
	Code       Code    `json:"code,omitempty"`
	Outcome    Outcome `json:"outcome,omitempty"`
	// By, Reason and Note are whose act ended it, for the journal.
	By     string `json:"by,omitempty"`
	Reason string `json:"reason,omitempty"`
	Note   string `json:"note,omitempty"`
}

// CaseMail is the input of the activity SendCaseMail; Kind is one of package
// mail's.
type CaseMail struct {
	Case string `json:"case"`
	Kind string `json:"kind"`
}

// MailResult tells how many readers a mail has; none when nobody is to get it.
type MailResult struct {
	Readers int `json:"readers"`
}

// UndoInput is the input of the activity UndoOnboarding; it may come again.
type UndoInput struct {
	Case   string `json:"case"`
	Step   string `json:"step"` // one of the Undo constants
	By     string `json:"by"`
	Reason string `json:"reason"`
	Note   string `json:"note"`
}

// What is undone, in this order.
const (
	UndoConnection = "connection" // it, and what was kept for it
	UndoKeys       = "keys"
	UndoFee        = "fee"
)

// UndoResult is the result of the activity UndoOnboarding.
type UndoResult struct {
	// Refund says that the fee was paid and has to be given back.
	Refund bool `json:"refund,omitempty"`
}

// OffboardStep is the input of the activities of an Offboarding: BeginOffboarding,
// ForgetConnection, ProveOffboarded and SendOffboarded. Each may come again.
type OffboardStep struct {
	Connection string `json:"connection"`
	By         string `json:"by"`
	Reason     string `json:"reason"`
	Note       string `json:"note"`
}

// OffboardResult is how an Offboarding ended, as the UI shows it.
type OffboardResult struct {
	Summary string `json:"summary"`
	// Proof are the facts that were looked at in the end, in words.
	Proof []string `json:"proof"`
}

// RotationStart is the input of the activity BeginRotation, which may come
// again. Its case is "<connection>:r<n>".
type RotationStart struct {
	Case       string `json:"case"`
	Connection string `json:"connection"`
	What       string `json:"what"`
	By         string `json:"by"`
	Reason     string `json:"reason"`
	Note       string `json:"note"`
}

// RotationResult is the result of the activity BeginRotation.
type RotationResult struct {
	// Waits says what has to come before the old credential goes: nothing,
	// RotationToken, RotationEntry or RotationKey.
	Waits string `json:"waits,omitempty"`
	// Plan is that of an onboarding: tries of tokens, pauses.
	Plan OnboardingPlan `json:"plan"`
}

// What a rotation waits for.
const (
	RotationToken = "token" // the venue's, on its page: TryToken
	RotationEntry = "entry" // of the new key at the partner: KeyEntered
	RotationKey   = "key"   // an operator's: CredentialsEntered; then BeginRotation again
)

// UpdateKeyEntered tells a RotateCredentials that the partner uses the new key;
// a SteerInput.
const UpdateKeyEntered = "KeyEntered"

// RotationEnd is the input of the activity FinishRotation: the old credential
// goes, or with Cancelled the new one.
type RotationEnd struct {
	Case      string `json:"case"`
	Cancelled bool   `json:"cancelled,omitempty"`
	By        string `json:"by"`
	Reason    string `json:"reason"`
	Note      string `json:"note"`
}
