package program

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/work"
)

type onboardingVerb struct {
	List       onboardingListVerb       `cmd:"" help:"List the onboardings that are open, and what each waits for."`
	Show       onboardingShowVerb       `cmd:"" help:"One onboarding in full: where it stands, and its story."`
	Choose     onboardingChooseVerb     `cmd:"" help:"Say which venue of Cluster's is meant, by its serial number."`
	Contact    onboardingContactVerb    `cmd:"" help:"Enter whom to ask, after calling the venue back; or print a link to the page for it."`
	Confirm    onboardingConfirmVerb    `cmd:"" help:"Confirm on the venue's behalf."`
	Decline    onboardingDeclineVerb    `cmd:"" help:"Decline on the venue's behalf."`
	Paid       onboardingPaidVerb       `cmd:"" help:"Record that the fee was paid."`
	Waive      onboardingWaiveVerb      `cmd:"" help:"Waive the fee."`
	Refund     onboardingRefundVerb     `cmd:"" help:"Record that the fee was given back."`
	Identifier onboardingIdentifierVerb `cmd:"" help:"Keep the venue's identifier at WISK, for uploads."`
	Entered    onboardingEnteredVerb    `cmd:"" help:"Record how WISK's side is set up."`
	KeyEntered onboardingKeyEnteredVerb `cmd:"" help:"Record that the partner uses the new key of a rotation."`
	Place      onboardingPlaceVerb      `cmd:"" help:"Choose the 7shifts location on the venue's behalf."`
	Retry      onboardingRetryVerb      `cmd:"" help:"Try a stage again at once, or give new tries of a token."`
	Cancel     onboardingCancelVerb     `cmd:"" help:"Stop an onboarding and undo what was done."`
}

type onboardingListVerb struct {
	All  bool `help:"Also those that have ended."`
	JSON bool `help:"As JSON."`
}

func (onboardingListVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run lists onboardings.
func (v *onboardingListVerb) Run(ctx context.Context, d *desk) error {
	store, err := d.ledger(ctx)
	if err != nil {
		return err
	}
	cases, err := store.Cases(ctx, v.All)
	if err != nil {
		return about(err, "")
	}
	if v.JSON {
		return printJSON(d.out, cases)
	}
	if len(cases) == 0 {
		d.say("No onboarding is open.")
		d.say("Next: clusterbridge onboard --partner wisk --venue \"trade name; address\"")
		return nil
	}
	t := newTable(d.out, "onboarding", "venue", "stage", "waits for", "since")
	for _, c := range cases {
		stage := string(c.Data.Stage)
		if c.Outcome != "" {
			stage = string(c.Outcome)
		}
		t.AppendRow([]any{c.ID, c.Name(), stage, c.Data.WaitingFor, at(c.Data.Since, caseZone(c))})
	}
	t.Render()
	d.say("\nOne in full: clusterbridge onboarding show <onboarding>")
	return nil
}

func caseZone(c ledger.Case) *time.Location {
	zone, err := loadZone(c.Data.Venue.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}

type onboardingShowVerb struct {
	Onboarding string `arg:"" help:"Onboarding, as list shows it."`
	JSON       bool   `help:"As JSON."`
}

func (onboardingShowVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run shows one onboarding.
func (v *onboardingShowVerb) Run(ctx context.Context, d *desk) error {
	store, err := d.ledger(ctx)
	if err != nil {
		return err
	}
	c, err := store.Case(ctx, v.Onboarding)
	if err != nil {
		return about(err, v.Onboarding)
	}
	if v.JSON {
		return printJSON(d.out, c)
	}
	return d.showCase(ctx, store, c)
}

func (d *desk) showCase(ctx context.Context, store *ledger.Store, c ledger.Case) error {
	zone := caseZone(c)
	d.say("%s: %s to %s", c.ID, c.Name(), c.Partner)
	if c.Serial != "" {
		d.say("  Till: serial %s, %s", c.Serial, c.Data.Venue.Address)
	}
	switch {
	case c.Outcome != "":
		d.say("  It has ended: %s, %s.", c.Outcome, at(c.Data.EndedAt, zone))
	case c.Data.WaitingFor == "":
		d.say("  It is worked on: %s.", c.Data.Stage)
	default:
		d.say("  It waits for: %s, since %s.", c.Data.WaitingFor, at(c.Data.Since, zone))
		d.say("  %s", c.Data.What)
	}
	if c.Data.Code != "" {
		d.say("  The last try failed: %s", work.Err(c.Data.Code, "").Sentence(c.Connection()))
	}
	if err := d.showFee(ctx, store, c, zone); err != nil {
		return err
	}
	if err := d.showReveals(ctx, store, c, zone); err != nil {
		return err
	}
	story, err := store.CaseStory(ctx, c.ID)
	if err != nil {
		return about(err, c.ID)
	}
	d.say("\nIts story:")
	for _, e := range story {
		line := fmt.Sprintf("  %s  %s: %s", at(e.At, zone), e.Who, e.Act)
		if e.New != "" {
			line += ", " + e.New
		}
		if e.Note != "" && e.Note != unsaid {
			line += " (" + e.Note + ")"
		}
		d.say("%s", line)
	}
	d.say("\nIn the Web UI: %s", d.runLink(c.Workflow))
	return nil
}

func (d *desk) showFee(ctx context.Context, store *ledger.Store, c ledger.Case, zone *time.Location) error {
	charge, there, err := store.ChargeOf(ctx, c.ID)
	if err != nil || !there {
		return about(err, c.ID)
	}
	total, err := charge.Total()
	if err != nil {
		return err
	}
	d.say("  Invoice %s of %s: %s %s with tax, %s.", charge.Number, at(charge.OpenedAt, zone), total, charge.Currency, charge.State)
	payments, err := store.Payments(ctx, charge.Number)
	if err != nil {
		return about(err, c.ID)
	}
	for _, p := range payments {
		note := ""
		if p.Amount != total || p.Currency != charge.Currency {
			note = "; not the invoice's amount, so it was not taken for the fee"
		}
		d.say("    %s %s of %s: %s %s%s.", p.Kind, p.ID, at(p.At, zone), p.Amount, p.Currency, note)
	}
	return nil
}

func (d *desk) showReveals(ctx context.Context, store *ledger.Store, c ledger.Case, zone *time.Location) error {
	reveals, err := store.Reveals(ctx, c.ID)
	if err != nil {
		return about(err, c.ID)
	}
	for _, r := range reveals {
		state := "waits until " + at(r.ExpiresAt, zone)
		switch {
		case !r.OpenedAt.IsZero():
			state = "opened " + at(r.OpenedAt, zone)
		case !d.clock().Now().Before(r.ExpiresAt):
			state = "expired unopened " + at(r.ExpiresAt, zone)
		}
		d.say("  The key for the %s: %s.", r.Reader, state)
	}
	return nil
}

// onCase is what the verbs on one onboarding take.
type onCase struct {
	Onboarding string `arg:"" help:"Onboarding, such as wisk:20261124-093000-7f3a1c:1, as list shows it."`
	act
}

func (onCase) needs() []string { return []string{"DATABASE_URL"} }

// prepare finds the case, and who acts.
func (v *onCase) prepare(ctx context.Context, d *desk) (ledger.Case, work.SteerInput, error) {
	actor, err := d.actor(v.act)
	if err != nil {
		return ledger.Case{}, work.SteerInput{}, err
	}
	store, err := d.ledger(ctx)
	if err != nil {
		return ledger.Case{}, work.SteerInput{}, err
	}
	c, err := store.Case(ctx, v.Onboarding)
	return c, work.SteerInput{By: actor.Handle, Reason: actor.Reason, Note: actor.Note}, about(err, v.Onboarding)
}

// inRoom is prepare for verbs that act themselves.
func (v *onCase) inRoom(ctx context.Context, d *desk) (*onboarding.Room, ledger.Case, work.SteerInput, error) {
	c, by, err := v.prepare(ctx, d)
	if err != nil {
		return nil, c, by, err
	}
	room, err := d.needRoom(ctx)
	return room, c, by, err
}

// send sends an Update to the case's workflow, and says what happened.
func (v *onCase) send(ctx context.Context, d *desk, update, said string, result any, input func(work.SteerInput) any) error {
	c, by, err := v.prepare(ctx, d)
	if err != nil {
		return err
	}
	if err := d.update(ctx, c.Workflow, update, input(by), result); err != nil {
		return err
	}
	if said != "" {
		d.say("%s: %s", c.Name(), said)
		d.say("Next: clusterbridge onboarding show %s", c.ID)
	}
	return nil
}

func asItIs(by work.SteerInput) any { return by }

type onboardingChooseVerb struct {
	onCase
	Serial string `help:"Serial number of the venue's till." required:"" placeholder:"SERIAL"`
}

// Run says which venue is meant.
func (v *onboardingChooseVerb) Run(ctx context.Context, d *desk) error {
	var found work.FindResult
	err := v.send(ctx, d, work.UpdateChooseLocation, "", &found, func(by work.SteerInput) any {
		return work.ChooseInput{Serial: v.Serial, By: by.By, Reason: by.Reason, Note: by.Note}
	})
	switch {
	case err != nil:
		return err
	case found.Joined != "":
		d.say("That venue is being onboarded already; this one joins %s.", found.Joined)
	case found.Connected != "":
		d.say("That venue is connected already: %s.", found.Connected)
	default:
		d.say("It is %s. Next: clusterbridge onboarding show %s", found.TradeName, v.Onboarding)
	}
	return nil
}

type onboardingConfirmVerb struct{ onCase }

// Run confirms on the venue's behalf.
func (v *onboardingConfirmVerb) Run(ctx context.Context, d *desk) error {
	return v.send(ctx, d, work.UpdateDecide, "confirmed on the venue's behalf.", nil, decide(work.Confirm))
}

type onboardingDeclineVerb struct{ onCase }

// Run declines on the venue's behalf.
func (v *onboardingDeclineVerb) Run(ctx context.Context, d *desk) error {
	return v.send(ctx, d, work.UpdateDecide, "declined on the venue's behalf.", nil, decide(work.Decline))
}

func decide(decision string) func(work.SteerInput) any {
	return func(by work.SteerInput) any {
		return work.DecideInput{Decision: decision, By: by.By, Reason: by.Reason, Note: by.Note}
	}
}

type onboardingPaidVerb struct {
	onCase
	Reference string `help:"The payment's number in the books." required:"" placeholder:"NUMBER"`
}

// Run records a payment.
func (v *onboardingPaidVerb) Run(ctx context.Context, d *desk) error {
	return v.send(ctx, d, work.UpdateRecordPayment, "the payment is recorded.", nil, payment(v.Reference))
}

type onboardingRefundVerb struct {
	onCase
	Reference string `help:"The refund's number in the books." required:"" placeholder:"NUMBER"`
}

// Run records a refund.
func (v *onboardingRefundVerb) Run(ctx context.Context, d *desk) error {
	return v.send(ctx, d, work.UpdateRefundFee, "the refund is recorded.", nil, payment(v.Reference))
}

func payment(reference string) func(work.SteerInput) any {
	return func(by work.SteerInput) any {
		return work.PaymentInput{Reference: reference, By: by.By, Reason: by.Reason, Note: by.Note}
	}
}

type onboardingWaiveVerb struct{ onCase }

// Run waives the fee.
func (v *onboardingWaiveVerb) Run(ctx context.Context, d *desk) error {
	return v.send(ctx, d, work.UpdateWaiveFee, "the fee is waived.", nil, asItIs)
}

type onboardingRetryVerb struct{ onCase }

// Run tries a stage again.
func (v *onboardingRetryVerb) Run(ctx context.Context, d *desk) error {
	return v.send(ctx, d, work.UpdateRetry, "it is tried again.", nil, asItIs)
}

type onboardingCancelVerb struct{ onCase }

// Run stops an onboarding.
func (v *onboardingCancelVerb) Run(ctx context.Context, d *desk) error {
	return v.send(ctx, d, work.UpdateCancelOnboarding, "it is being cancelled, and what was done undone.", nil, asItIs)
}

type onboardingEnteredVerb struct {
	onCase
	Route                string `help:"How sales reach WISK: ${enum}." enum:"upload,pull,report" required:""`
	Modifiers            string `help:"Modifiers as WISK's options have them: ${enum}." enum:"off,include,separate" default:"off"`
	NoClusterIntegration bool   `help:"States that no integration of type Cluster is active in that venue of WISK; needed for uploads, since its sales would count twice."`
}

// Run records how WISK's side is set up.
func (v *onboardingEnteredVerb) Run(ctx context.Context, d *desk) error {
	return v.send(ctx, d, work.UpdateRecordEntry, "WISK's side is recorded.", nil, func(by work.SteerInput) any {
		return work.EntryInput{Route: v.Route, Modifiers: v.Modifiers, NoClusterIntegration: v.NoClusterIntegration, By: by.By, Reason: by.Reason, Note: by.Note}
	})
}

type onboardingKeyEnteredVerb struct{ onCase }

// Run records that the partner uses the new key.
func (v *onboardingKeyEnteredVerb) Run(ctx context.Context, d *desk) error {
	return v.send(ctx, d, work.UpdateKeyEntered, "the old key is withdrawn now.", nil, asItIs)
}

type onboardingPlaceVerb struct {
	onCase
	PartnerLocation int64  `help:"7shifts' location id." required:"" placeholder:"ID"`
	ReceiptDate     string `help:"Date receipts by when the order was ${enum}, as Cluster is set." enum:"opened,closed" default:"opened"`
	Workday         bool   `help:"States that the workday is 5 a.m. to 5 a.m. in both systems; needed."`
}

// hindrances are why a location cannot be chosen, in words.
var hindrances = map[string]string{
	onboarding.ZoneDiffers: "its time zone in 7shifts is not the venue's",
	onboarding.OtherPOS:    "another POS integration sends receipts to it",
	onboarding.Taken:       "another venue of ours is connected to it",
}

// Run chooses the 7shifts location.
func (v *onboardingPlaceVerb) Run(ctx context.Context, d *desk) error {
	var result work.PlaceResult
	if err := v.send(ctx, d, work.UpdateChoosePartnerLocation, "", &result, func(by work.SteerInput) any {
		return work.PlaceInput{Location: v.PartnerLocation, ReceiptDate: v.ReceiptDate, Workday: v.Workday, By: by.By, Reason: by.Reason, Note: by.Note}
	}); err != nil {
		return err
	}
	for _, code := range result.Hindrances {
		d.say("It cannot be chosen: %s.", hindrances[code])
	}
	if len(result.Hindrances) > 0 {
		return failed(errors.New("hindered"), "have it corrected in 7shifts, then the same command", "The location was not chosen.")
	}
	d.say("The location is chosen. Next: clusterbridge onboarding show %s", v.Onboarding)
	return nil
}
