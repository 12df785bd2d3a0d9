package pages

import (
	"time"

	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// StatusPage is how a connection is, or how far on its way.
type StatusPage struct {
	Partner mail.Partner
	Venue   mail.Venue
	State   work.ConnectionState
	// LastSale is when the last sale was received; zero while none was.
	LastSale time.Time
	// History is how far the past has come; nil before it begins.
	History *History
	// Waits is what is waited for; nil when nothing is.
	Waits *Waiting
	// Now is when all this was so.
	Now time.Time
}

// History is how far the past has come.
type History struct {
	From    sale.Day // the earliest business day that is brought in
	Percent int      // 0 to 100
}

// Waiting is what is waited for.
type Waiting struct {
	Step  Step
	Since time.Time
}

// Step is what is waited for, as a code.
type Step string

// The steps of an onboarding, in their order, and what may stop a connection.
const (
	StepMatch        Step = "match"        // an operator finds the venue in Cluster
	StepContact      Step = "contact"      // an operator enters whom to ask
	StepConfirmation Step = "confirmation" // the venue says yes or no
	StepPayment      Step = "payment"      // the venue pays the fee
	StepActivation   Step = "activation"   // Cluster activates API access, 24 to 48 hours
	StepKey          Step = "key"          // an operator puts in the key
	StepEntry        Step = "entry"        // WISK's support or the venue enters the pair
	StepToken        Step = "token"        // the venue hands over its 7shifts token
	StepLocation     Step = "location"     // the venue chooses its 7shifts location
	StepFirstRun     Step = "first_run"    // the first sales are brought over
	StepTill         Step = "till"         // the till is offline
	StepTokenRefused Step = "token_refused"
	StepPlan         Step = "plan"    // 7shifts' plan is too low
	StepPartner      Step = "partner" // the partner does not answer
	StepPaused       Step = "paused"  // a person of ours paused it
	StepOperator     Step = "operator"
)

// Steps are all steps.
var Steps = []Step{
	StepMatch, StepContact, StepConfirmation, StepPayment, StepActivation, StepKey, StepEntry, StepToken, StepLocation,
	StepFirstRun, StepTill, StepTokenRefused, StepPlan, StepPartner, StepPaused, StepOperator,
}

// who acts at a step, as a part of phrases' keys: you is the venue, us are we.
var who = map[Step]string{
	StepConfirmation: "you", StepPayment: "you", StepToken: "you", StepLocation: "you", StepTill: "you", StepTokenRefused: "you", StepPlan: "you",
	StepActivation: "cluster", StepEntry: "partner", StepPartner: "partner",
}

// Who must act, as a part of a phrase's key.
func (w Waiting) Who() string {
	if w := who[w.Step]; w != "" {
		return w
	}
	return "us"
}

// statusView is what the page shows.
type statusView struct {
	StatusPage
	Share words.Rate // of the history
}

func showStatus(v *visit) error {
	ctx, cancel := v.desk()
	defer cancel()
	page, err := v.p.o.Desk.StatusPage(ctx, v.claims.Subject)
	if err != nil {
		return err
	}
	shown := statusView{StatusPage: page}
	if page.History != nil {
		shown.Share = words.Rate(page.History.Percent) * 1000
	}
	return v.show("status", shown)
}
