package work

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// ConnectionState is where a connection stands (WISK's words where it has
// them: Initializing, Healthy, Failed, CalledOff).
type ConnectionState string

// The states of a connection.
const (
	BeingOnboarded ConnectionState = "onboarding"
	Initializing   ConnectionState = "initializing"
	Healthy        ConnectionState = "healthy"
	Failing        ConnectionState = "failing"
	CalledOff      ConnectionState = "called_off" // we stopped it
	Paused         ConnectionState = "paused"     // a person did
	Disconnected   ConnectionState = "disconnected"
)

// Live tells whether a connection in this state is synced.
func (s ConnectionState) Live() bool {
	return s == Initializing || s == Healthy || s == Failing
}

// SyncInput starts a LocationSync. Its schedule gives it, so it is decoded
// leniently.
type SyncInput struct {
	Connection string `json:"connection"`
}

// Validate implements Validator.
func (in SyncInput) Validate() error {
	_, _, err := SplitConnection(in.Connection)
	return err
}

// SyncCursor carries a pull that was cut by its budget on to the next step.
// The zero value starts afresh. It holds ids and instants only.
type SyncCursor struct {
	PageToken string    `json:"pageToken,omitempty"`
	From      time.Time `json:"from,omitzero"`
	AsOf      time.Time `json:"asOf,omitzero"` // the till's clock when the pull began
	ReadBegan time.Time `json:"readBegan,omitzero"`
	Day       string    `json:"day,omitempty"` // the business day being re-read
	Pulled    bool      `json:"pulled,omitempty"`
}

// Counts is what a step or a run did. Everything in it is a number of records.
type Counts struct {
	Orders      int `json:"orders"`      // read from Cluster
	Changed     int `json:"changed"`     // documents that now differ
	Sent        int `json:"sent"`        // the partner's 2xx seen
	Confirmed   int `json:"confirmed"`   // read back
	Repaired    int `json:"repaired"`    // found different at the partner
	Quarantined int `json:"quarantined"` // put aside in this run
	Waiting     int `json:"waiting"`     // still wanted but not sent
	// Lines are those that an additive partner took, and Uncertain documents
	// wait for a person to say whether an upload was applied.
	Lines     int `json:"lines,omitempty"`
	Uncertain int `json:"uncertain,omitempty"`
	// Findings are things that people should look at.
	Findings int `json:"findings,omitempty"`
}

// Plus adds up.
func (c Counts) Plus(d Counts) Counts {
	return Counts{
		Orders: c.Orders + d.Orders, Changed: c.Changed + d.Changed, Sent: c.Sent + d.Sent,
		Confirmed: c.Confirmed + d.Confirmed, Repaired: c.Repaired + d.Repaired,
		Quarantined: c.Quarantined + d.Quarantined, Waiting: d.Waiting,
		Lines: c.Lines + d.Lines, Uncertain: c.Uncertain + d.Uncertain,
		Findings: c.Findings + d.Findings,
	}
}

// StepInput is the input of the activity SyncStep.
type StepInput struct {
	Connection string     `json:"connection"`
	Cursor     SyncCursor `json:"cursor"`
	// Run identifies the workflow run that asks, for the lease.
	Run string `json:"run"`
}

// StepResult is what an activity's step did and what should follow.
type StepResult struct {
	Counts Counts     `json:"counts"`
	Cursor SyncCursor `json:"cursor"`
	// More says that another step should follow at once.
	More bool `json:"more,omitempty"`
	// Rest is how long to sleep, in real time, before the next step; a limit is
	// never slept out inside an activity.
	Rest time.Duration `json:"rest,omitempty"`
	// Why says what is rested for, in a few words for the UI.
	Why string `json:"why,omitempty"`
	// State is the connection's state after the step.
	State ConnectionState `json:"state,omitempty"`
}

// SyncResult is what the UI shows of a finished LocationSync.
type SyncResult struct {
	Summary string `json:"summary"`
	Counts  Counts `json:"counts"`
}

// BackfillInput starts a Backfill; people start it, so it is decoded strictly.
type BackfillInput struct {
	Connection string `json:"connection"`
	// From and To are the first and last business day, YYYY-MM-DD. Left out,
	// the partner's rule decides: 7shifts gets 90 days before the connection.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	By   string `json:"by"`   // staff handle
	Note string `json:"note"` // why, in a short note without names of persons
	// DryRun reads the till and tells what would be sent; nothing is kept.
	DryRun bool `json:"dryRun,omitempty"`
	// Again brings in days too that an earlier backfill has brought in.
	Again bool `json:"again,omitempty"`
	// Progress is set by the workflow itself when it continues as new.
	Progress *BackfillProgress `json:"progress,omitempty"`
}

// Validate implements Validator.
func (in BackfillInput) Validate() error {
	if _, _, err := SplitConnection(in.Connection); err != nil {
		return err
	}
	if err := CheckHandle(in.By); err != nil {
		return err
	}
	return checkNote(in.Note)
}

// BackfillProgress tells how far a backfill is.
type BackfillProgress struct {
	Days   int    `json:"days"` // in all
	Done   int    `json:"done"`
	Next   string `json:"next"` // the first business day that is not done
	From   string `json:"from"`
	To     string `json:"to"`
	Counts Counts `json:"counts"`
	// Waiting says what it waits for, empty when it works.
	Waiting string `json:"waiting,omitempty"`
	Paused  bool   `json:"paused,omitempty"`
	// OldestFirst says in which order the days are done.
	OldestFirst bool `json:"oldestFirst,omitempty"`
	// DryRun says that nothing is kept or sent.
	DryRun bool `json:"dryRun,omitempty"`
	// AtOnce is how many days are worked on at a time, and Left those that are
	// not done, in their order.
	AtOnce int      `json:"atOnce,omitempty"`
	Left   []string `json:"left,omitempty"`
}

// BackfillPlan is the result of the activity PlanBackfill.
type BackfillPlan struct {
	From string `json:"from"`
	To   string `json:"to"`
	Days int    `json:"days"`
	// OldestFirst says in which order the days are done.
	OldestFirst bool `json:"oldestFirst,omitempty"`
	// Skip are days that an earlier backfill has brought in.
	Skip []string `json:"skip,omitempty"`
	// AtOnce is how many days are worked on at a time.
	AtOnce int `json:"atOnce,omitempty"`
}

// BackfillDayInput is the input of the activity BackfillDay.
type BackfillDayInput struct {
	Connection string `json:"connection"`
	// Day is the business day, YYYY-MM-DD; left out, what earlier days could
	// not send is sent.
	Day    string     `json:"day,omitempty"`
	Cursor SyncCursor `json:"cursor"`
	Run    string     `json:"run"`
	DryRun bool       `json:"dryRun,omitempty"`
	// Before is what earlier steps of this day did.
	Before Counts `json:"before,omitzero"`
}

// Failure is the input of the activity RecordFailure.
type Failure struct {
	Connection string `json:"connection"`
	Code       Code   `json:"code"`
	Sentence   string `json:"sentence"`
}

// Reasons are the listed codes with which a person says why.
var Reasons = []string{"venue_asked", "partner_asked", "maintenance", "correction", "test", "other"}

// ChangeInput starts a ChangeConnection; people start it.
type ChangeInput struct {
	Connection string `json:"connection"`
	// Change is pause, resume, receipt-date, modifiers, route, pay-period or
	// slices.
	Change string `json:"change"`
	// Value is opened or closed for receipt-date; off, include or separate for
	// modifiers; upload, pull or report for route; weekly, biweekly, semi_monthly
	// or monthly for pay-period; on or off for slices; otherwise left out.
	Value string `json:"value,omitempty"`
	// From is the first business day of modifiers or route, or a day on which a
	// pay period begins, YYYY-MM-DD.
	From string `json:"from,omitempty"`
	// NoClusterIntegration states, for the route upload, that no integration of
	// type Cluster is active in that venue of WISK: its sales would count twice.
	NoClusterIntegration bool `json:"noClusterIntegration,omitempty"`

	By     string `json:"by"`
	Reason string `json:"reason"` // one of Reasons
	Note   string `json:"note"`
}

// The changes of a connection.
const (
	ChangePause       = "pause"
	ChangeResume      = "resume"
	ChangeReceiptDate = "receipt-date"
	ChangeModifiers   = "modifiers"
	ChangeRoute       = "route"
	ChangePayPeriod   = "pay-period"
	ChangeSlices      = "slices"
)

// changeValues are the values of each change; none for one that takes no value.
var changeValues = map[string][]string{
	ChangePause: nil, ChangeResume: nil, ChangeReceiptDate: {"opened", "closed"},
	ChangeModifiers: {"off", "include", "separate"}, ChangeRoute: {"upload", "pull", "report"},
	ChangePayPeriod: {"weekly", "biweekly", "semi_monthly", "monthly"}, ChangeSlices: {"on", "off"},
}

// Validate implements Validator.
func (in ChangeInput) Validate() error {
	values, known := changeValues[in.Change]
	dated := in.Change == ChangeModifiers || in.Change == ChangeRoute || in.Change == ChangePayPeriod
	_, dayErr := sale.ParseDay(in.From)
	switch {
	case !known:
		return Err(BadInput, "field \"change\": want "+strings.Join(slices.Sorted(maps.Keys(changeValues)), ", "))
	case len(values) == 0 && in.Value != "":
		return Err(BadInput, "field \"value\" goes not with "+in.Change)
	case len(values) > 0 && !slices.Contains(values, in.Value):
		return Err(BadInput, "field \"value\": want "+strings.Join(values, " or "))
	case dated && dayErr != nil:
		return Err(BadInput, "field \"from\": want a business day, YYYY-MM-DD")
	case !dated && in.From != "":
		return Err(BadInput, "field \"from\" goes not with "+in.Change)
	case in.Change == ChangeRoute && in.Value == "upload" && !in.NoClusterIntegration:
		return Err(BadInput, "field \"noClusterIntegration\": the route upload needs the statement that no Cluster integration is active in that venue of WISK")
	}
	return checkAct(in.Connection, in.By, in.Reason, in.Note)
}

// QuarantineInput starts a ReleaseQuarantine; people start it.
type QuarantineInput struct {
	Connection string `json:"connection"`
	// Records are quarantine numbers; empty means all that are open.
	Records []int64 `json:"records"`
	// Discard puts them aside for good instead of trying again.
	Discard bool   `json:"discard,omitempty"`
	By      string `json:"by"`
	Reason  string `json:"reason"`
	Note    string `json:"note"`
}

// Validate implements Validator.
func (in QuarantineInput) Validate() error {
	return checkAct(in.Connection, in.By, in.Reason, in.Note)
}

// ResendInput starts a Resend; people start it.
type ResendInput struct {
	Connection string `json:"connection"`
	// From and To are the first and last business day, YYYY-MM-DD.
	From   string `json:"from"`
	To     string `json:"to"`
	By     string `json:"by"`
	Reason string `json:"reason"`
	Note   string `json:"note"`
}

// Validate implements Validator.
func (in ResendInput) Validate() error {
	return checkAct(in.Connection, in.By, in.Reason, in.Note)
}

// ResolveInput starts a ResolveUncertain; people start it, after they have
// looked into the partner.
type ResolveInput struct {
	Connection string `json:"connection"`
	// Uploads are numbers of uncertain uploads; empty means all.
	Uploads []int64 `json:"uploads"`
	// Items narrows it to the lines of some item codes.
	Items []string `json:"items,omitempty"`
	// Applied says that the partner counts them.
	Applied bool   `json:"applied"`
	By      string `json:"by"`
	Reason  string `json:"reason"`
	Note    string `json:"note"`
}

// Validate implements Validator.
func (in ResolveInput) Validate() error {
	return checkAct(in.Connection, in.By, in.Reason, in.Note)
}

// ActResult is what a person's act changed, as the UI shows it.
type ActResult struct {
	Summary string `json:"summary"`
	Changed int    `json:"changed"`
}

// KeeperResult is what a ScheduleKeeper run did.
type KeeperResult struct {
	Summary            string `json:"summary"`
	Schedules          int    `json:"schedules"`
	Created            int    `json:"created"`
	Updated            int    `json:"updated"`
	Deleted            int    `json:"deleted"`
	Paused             int    `json:"paused"`
	Unpaused           int    `json:"unpaused"`
	LeftPausedByPerson int    `json:"leftPausedByPerson"`
	Lost               int    `json:"lost"` // could not be kept
}

const maxNote = 200

func checkNote(note string) error {
	if strings.TrimSpace(note) == "" || len(note) > maxNote {
		return Err(BadInput, fmt.Sprintf("field \"note\": want 1 to %d characters", maxNote))
	}
	if strings.Contains(note, "@") {
		return Err(BadInput, "field \"note\": no mail addresses, please; histories hold no person's data")
	}
	return nil
}

func checkAct(connection, by, reason, note string) error {
	if _, _, err := SplitConnection(connection); err != nil {
		return err
	}
	if err := CheckHandle(by); err != nil {
		return err
	}
	if !slices.Contains(Reasons, reason) {
		return Err(BadInput, "field \"reason\": want one of "+strings.Join(Reasons, ", "))
	}
	return checkNote(note)
}
