package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// Activities of joining and leaving a partner, by the name under which the
// workers serve them.
const (
	actPlanOnboarding     = "PlanOnboarding"
	actAcknowledgeRequest = "AcknowledgeRequest"
	actAskContact         = "AskContact"

	actFindVenue      = "FindVenue"
	actChooseVenue    = "ChooseVenue"
	actReadContact    = "ReadContact"
	actRecordDecision = "RecordDecision"
	actOpenCharge     = "OpenCharge"
	actCheckCharge    = "CheckCharge"
	actSettleCharge   = "SettleCharge"
	actOpenTill       = "OpenTill"
	actRecordEntry    = "RecordEntry"
	actCheckToken     = "CheckToken"
	actCheckPlace     = "CheckPlace"
	actGoLive         = "GoLive"
	actFirstRun       = "FirstRun"
	actNoteStage      = "NoteStage"
	actSendCaseMail   = "SendCaseMail"
	actUndoOnboarding = "UndoOnboarding"

	actBeginOffboarding = "BeginOffboarding"
	actSendOffboarded   = "SendOffboarded"
	actForgetConnection = "ForgetConnection"
	actProveOffboarded  = "ProveOffboarded"

	actBeginRotation  = "BeginRotation"
	actFinishRotation = "FinishRotation"
)

// OnboardingActivities lists those of joining and leaving a partner, beside
// Activities.
func OnboardingActivities() []string {
	return []string{
		actPlanOnboarding, actAcknowledgeRequest, actAskContact,
		actFindVenue, actChooseVenue, actReadContact, actRecordDecision, actOpenCharge, actCheckCharge,
		actSettleCharge, actOpenTill, actRecordEntry, actCheckToken, actCheckPlace, actGoLive, actFirstRun,
		actNoteStage, actSendCaseMail, actUndoOnboarding,
		actBeginOffboarding, actSendOffboarded, actForgetConnection, actProveOffboarded,
		actBeginRotation, actFinishRotation,
	}
}

// Mails of a case, by their kind in package mail, which this room does not see.
const (
	mailExpired         = "confirmation-expired"
	mailDeclined        = "declined"
	mailInvoice         = "invoice"
	mailPaymentReceived = "payment-received"
	mailCredentials     = "credentials"
	mailToSupport       = "credentials-to-support"
	mailTokenNeeded     = "token-needed"
	mailLive            = "live"
	mailCancelled       = "cancelled"
)

// Signals of a LocationOnboarding to its Onboarding.
const (
	signalReady    = "ready"    // caseReport: whom to ask is known; again: ask again
	signalParked   = "parked"   // caseReport: an operator has to say first what is meant, or whom to ask
	signalAnswered = "answered" // caseReport: the venue, or somebody for it, said yes or no
	signalEnded    = "ended"    // work.OnboardingResult
)

// Signals of an Onboarding to its LocationOnboardings.
const (
	signalAsked     = "asked"      // askReport: the mail went out, and the time to answer begins
	signalAskFailed = "ask_failed" // askReport: the mail could not be sent
	signalCancel    = "cancel"     // work.SteerInput
	signalReport    = "report"     // askReport: say again where you stand; the Onboarding was reset
)

// caseReport is what a LocationOnboarding tells its Onboarding.
type caseReport struct {
	Case string `json:"case"`
	// Contact names, by a keyed hash, whom to ask.
	Contact string `json:"contact,omitempty"`
}

// askReport is what an Onboarding tells a LocationOnboarding of the mail to its
// contact. Code and Sentence are why it could not be sent.
type askReport struct {
	Group    string    `json:"group,omitempty"` // that was asked
	Code     work.Code `json:"code,omitempty"`
	Sentence string    `json:"sentence,omitempty"`
}

// receive has a selector take a signal. One that cannot be read counts as its
// zero value.
func receive[T any](ctx workflow.Context, signals workflow.Selector, name string, take func(T)) {
	channel := workflow.GetSignalChannelWithOptions(ctx, name, workflow.SignalChannelOptions{
		Description: "Sent by the workflows of one request to each other, not by people.",
	})
	signals.AddReceive(channel, func(c workflow.ReceiveChannel, _ bool) {
		var told T
		c.Receive(ctx, &told)
		take(told)
	})
}

// byTemporalUI is whose act a cancellation with the Web UI's button is.
func byTemporalUI() work.SteerInput {
	return work.SteerInput{By: "temporal-ui", Reason: "other", Note: "cancelled in Temporal's Web UI"}
}

// partnerName is a partner's name as people write it.
func partnerName(partner string) string {
	if partner == work.Wisk {
		return "WISK"
	}
	return partner
}
