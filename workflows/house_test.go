package workflows_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
	"github.com/clustersystems/clusterbridge/workflows"
)

const (
	request = "r-2026-001"
	theCase = "wisk:" + request + ":1"
)

// plan is what the settings say in these tests; the partner is WISK, with a
// fee that an operator records.
func plan() work.OnboardingPlan {
	return work.OnboardingPlan{
		GatherFor: time.Minute, RemindAfter: []time.Duration{3 * day, 7 * day}, ExpireAfter: 30 * day,
		Fee: true, TokenTries: 3, CheckEvery: 15 * time.Minute, PollEvery: time.Minute,
		TroubleFirst: time.Minute, TroubleMost: time.Hour,
	}
}

const day = 24 * time.Hour

// house is a stage with a fake ledger, till, partner and post, as the
// activities show them. What they answer can be changed by each test.
type house struct {
	*stage
	plan  work.OnboardingPlan
	begin time.Time

	mu       sync.Mutex
	calls    []call
	fails    map[string]work.Code // activities that fail for good, by "name" or "name/what"
	sent     int
	accepted int
	refusals []string // of Updates, before they began
	failures []string // of Updates that had begun
	answers  []any    // of Updates that succeeded
	onAnswer func(result any)

	find     func(work.CaseInput) (work.FindResult, error)
	choose   func(work.CaseAct) (work.FindResult, error)
	contact  func(work.CaseInput) (work.ContactResult, error)
	ask      func(work.AskInput) (work.AskResult, error)
	open     func(work.CaseInput) (work.ChargeResult, error)
	check    func(work.CaseInput) (work.ChargeResult, error)
	settle   func(work.CaseAct) (work.ChargeResult, error)
	till     func(work.CaseInput) (work.TillResult, error)
	token    func(work.TokenTry) (work.TokenResult, error)
	place    func(work.CaseAct) (work.PlaceResult, error)
	live     func(work.CaseInput) (work.LiveResult, error)
	firstRun func(work.CaseInput) (work.LiveResult, error)
	undo     func(work.UndoInput) (work.UndoResult, error)
	rotation func(work.RotationStart) (work.RotationResult, error)
	rotated  func(work.RotationEnd) (work.ActResult, error)
	prove    func(work.OffboardStep) (work.OffboardResult, error)
}

// call is an activity that was run.
type call struct {
	name string
	what string // tells apart calls of one activity
	in   any
	at   time.Time
}

func newHouse(t *testing.T, id string) *house {
	t.Helper()
	h := &house{stage: newStage(t, id), plan: plan(), fails: map[string]work.Code{}}
	h.begin = time.Date(2026, 11, 5, 14, 0, 0, 0, time.UTC)
	h.SetStartTime(h.begin)
	h.furnish()
	for name, f := range map[string]any{
		work.Onboarding: workflows.Onboarding, work.LocationOnboarding: workflows.LocationOnboarding,
		work.Offboarding: workflows.Offboarding, work.RotateCredentials: workflows.RotateCredentials,
	} {
		h.RegisterWorkflowWithOptions(f, workflow.RegisterOptions{Name: name})
	}
	var names []string
	for _, served := range h.served() {
		names = append(names, served.name)
		h.RegisterActivityWithOptions(served.by, activity.RegisterOptions{Name: served.name})
	}
	require.ElementsMatch(t, workflows.OnboardingActivities(), names)
	return h
}

// furnish has everything go well.
func (h *house) furnish() {
	h.find = func(in work.CaseInput) (work.FindResult, error) {
		return work.FindResult{Serial: "CL-0001", TradeName: "Chez Marcel", Contact: "h-" + in.Case}, nil
	}
	h.choose = func(in work.CaseAct) (work.FindResult, error) {
		return work.FindResult{Serial: in.Serial, TradeName: "Chez Marcel", Contact: "h1"}, nil
	}
	h.contact = func(work.CaseInput) (work.ContactResult, error) { return work.ContactResult{Contact: "h2"}, nil }
	h.ask = func(in work.AskInput) (work.AskResult, error) { return work.AskResult{Asked: in.Cases}, nil }
	h.open = func(work.CaseInput) (work.ChargeResult, error) {
		return work.ChargeResult{State: work.ChargeOpen, Number: "CB-2026-0017"}, nil
	}
	h.check = func(work.CaseInput) (work.ChargeResult, error) { return work.ChargeResult{State: work.ChargeOpen}, nil }
	h.settle = func(in work.CaseAct) (work.ChargeResult, error) {
		return work.ChargeResult{State: map[string]string{
			work.UpdateRecordPayment: work.ChargePaid, work.UpdateWaiveFee: work.ChargeWaived, work.UpdateRefundFee: work.ChargeRefunded,
		}[in.Act]}, nil
	}
	h.till = func(work.CaseInput) (work.TillResult, error) { return work.TillResult{State: work.TillReady}, nil }
	h.token = func(work.TokenTry) (work.TokenResult, error) { return work.TokenResult{Verdict: work.TokenGood}, nil }
	h.place = func(work.CaseAct) (work.PlaceResult, error) { return work.PlaceResult{}, nil }
	h.live = func(in work.CaseInput) (work.LiveResult, error) {
		return work.LiveResult{Connection: connectionOf(in.Case), State: work.Initializing, History: true}, nil
	}
	h.firstRun = func(in work.CaseInput) (work.LiveResult, error) {
		return work.LiveResult{Connection: connectionOf(in.Case), State: work.Healthy}, nil
	}
	h.undo = func(work.UndoInput) (work.UndoResult, error) { return work.UndoResult{}, nil }
	h.rotation = func(work.RotationStart) (work.RotationResult, error) { return work.RotationResult{Plan: h.plan}, nil }
	h.rotated = func(work.RotationEnd) (work.ActResult, error) {
		return work.ActResult{Summary: "The token is replaced."}, nil
	}
	h.prove = func(work.OffboardStep) (work.OffboardResult, error) {
		return work.OffboardResult{Summary: "The connection has ended.", Proof: []string{"no schedule", "no secret"}}, nil
	}
}

// connectionOf is a connection for each case.
func connectionOf(caseID string) string {
	partner, rest, _ := strings.Cut(caseID, ":")
	return partner + ":" + strings.ReplaceAll(rest, ":", "-")
}

type door struct {
	name string
	by   any
}

func (h *house) served() []door {
	recorded := func() (work.ActResult, error) { return work.ActResult{Summary: "Done."}, nil }
	return []door{
		serve(h, "PlanOnboarding", func(in work.OnboardingStart) string { return in.Request },
			func(work.OnboardingStart) (work.OnboardingPlan, error) { return h.plan, nil }),
		serve(h, "AcknowledgeRequest", func(in work.RequestInput) string { return in.Request },
			func(work.RequestInput) (work.MailResult, error) { return work.MailResult{Readers: 1}, nil }),
		serve(h, "AskContact", func(in work.AskInput) string { return fmt.Sprintf("%s %d", in.Group, in.Reminder) },
			func(in work.AskInput) (work.AskResult, error) { return h.ask(in) }),
		serve(h, "FindVenue", theCaseOf, func(in work.CaseInput) (work.FindResult, error) { return h.find(in) }),
		serve(h, "ChooseVenue", actOf, func(in work.CaseAct) (work.FindResult, error) { return h.choose(in) }),
		serve(h, "ReadContact", theCaseOf, func(in work.CaseInput) (work.ContactResult, error) { return h.contact(in) }),
		record(h, "RecordDecision", func(in work.CaseAct) string { return in.Decision }),
		serve(h, "OpenCharge", theCaseOf, func(in work.CaseInput) (work.ChargeResult, error) { return h.open(in) }),
		serve(h, "CheckCharge", theCaseOf, func(in work.CaseInput) (work.ChargeResult, error) { return h.check(in) }),
		serve(h, "SettleCharge", actOf, func(in work.CaseAct) (work.ChargeResult, error) { return h.settle(in) }),
		serve(h, "OpenTill", theCaseOf, func(in work.CaseInput) (work.TillResult, error) { return h.till(in) }),
		record(h, "RecordEntry", actOf),
		serve(h, "CheckToken", func(in work.TokenTry) string { return fmt.Sprint(in.Try) },
			func(in work.TokenTry) (work.TokenResult, error) { return h.token(in) }),
		serve(h, "CheckPlace", actOf, func(in work.CaseAct) (work.PlaceResult, error) { return h.place(in) }),
		serve(h, "GoLive", theCaseOf, func(in work.CaseInput) (work.LiveResult, error) { return h.live(in) }),
		serve(h, "FirstRun", theCaseOf, func(in work.CaseInput) (work.LiveResult, error) { return h.firstRun(in) }),
		record(h, "NoteStage", func(in work.StageNote) string { return string(in.Stage) }),
		serve(h, "SendCaseMail", func(in work.CaseMail) string { return in.Kind },
			func(work.CaseMail) (work.MailResult, error) { return work.MailResult{Readers: 1}, nil }),
		serve(h, "UndoOnboarding", func(in work.UndoInput) string { return in.Step },
			func(in work.UndoInput) (work.UndoResult, error) { return h.undo(in) }),
		serve(h, "BeginOffboarding", stepOf, func(work.OffboardStep) (work.ActResult, error) { return recorded() }),
		serve(h, "SendOffboarded", stepOf, func(work.OffboardStep) (work.MailResult, error) { return work.MailResult{}, nil }),
		serve(h, "ForgetConnection", stepOf, func(work.OffboardStep) (work.ActResult, error) { return recorded() }),
		serve(h, "ProveOffboarded", stepOf, func(in work.OffboardStep) (work.OffboardResult, error) { return h.prove(in) }),
		serve(h, "BeginRotation", func(in work.RotationStart) string { return in.What },
			func(in work.RotationStart) (work.RotationResult, error) { return h.rotation(in) }),
		serve(h, "FinishRotation", func(in work.RotationEnd) string { return fmt.Sprint(in.Cancelled) },
			func(in work.RotationEnd) (work.ActResult, error) { return h.rotated(in) }),
	}
}

func theCaseOf(in work.CaseInput) string { return in.Case }
func actOf(in work.CaseAct) string       { return in.Act }
func stepOf(in work.OffboardStep) string { return in.Connection }

// serve makes an activity of a fake: it is written down, and fails for good
// while the test says so.
func serve[In, Out any](h *house, name string, what func(In) string, by func(In) (Out, error)) door {
	return door{name, func(_ context.Context, in In) (Out, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.calls = append(h.calls, call{name: name, what: what(in), in: in, at: h.Now()})
		for _, key := range []string{name, name + "/" + what(in)} {
			if code, sick := h.fails[key]; sick {
				var none Out
				return none, problem(code)
			}
		}
		return by(in)
	}}
}

// record makes an activity that only has an effect.
func record[In any](h *house, name string, what func(In) string) door {
	served := serve(h, name, what, func(In) (struct{}, error) { return struct{}{}, nil })
	return door{name, func(ctx context.Context, in In) error {
		_, err := served.by.(func(context.Context, In) (struct{}, error))(ctx, in)
		return err
	}}
}

// at plays a scene when so much time has passed.
func (h *house) at(d time.Duration, scene func()) { h.RegisterDelayedCallback(scene, d) }

// sick has an activity fail for good, or with "" work again.
func (h *house) sick(activity string, code work.Code) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if delete(h.fails, activity); code != "" {
		h.fails[activity] = code
	}
}

// went are the calls of an activity, by what they were about.
func (h *house) went(activity string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var what []string
	for _, c := range h.calls {
		if c.name == activity {
			what = append(what, c.what)
		}
	}
	return what
}

// callsOf are the calls of an activity.
func (h *house) callsOf(activity string) []call {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(h.calls), func(c call) bool { return c.name != activity })
}

// waits are the waits that the ledger was told, each once, and the end. What the
// program does in between may pass faster than it is written down.
func (h *house) waits(caseID string) []string {
	var all []string
	for _, c := range h.callsOf("NoteStage") {
		note := c.in.(work.StageNote)
		if note.Case == caseID && (note.WaitingFor != "" || note.Stage == work.StageEnded) {
			all = append(all, strings.TrimSuffix(string(note.Stage)+" "+note.WaitingFor, " "))
		}
	}
	return slices.Compact(all)
}

// noted tells whether the ledger knows that a case ended so.
func (h *house) noted(caseID string, outcome work.Outcome) bool {
	return slices.ContainsFunc(h.callsOf("NoteStage"), func(c call) bool {
		note := c.in.(work.StageNote)
		return note.Case == caseID && note.Stage == work.StageEnded && note.Outcome == outcome
	})
}

// ending is how the ledger was told that a case ended.
func (h *house) ending(caseID string) work.StageNote {
	h.t.Helper()
	for _, c := range h.callsOf("NoteStage") {
		if note := c.in.(work.StageNote); note.Case == caseID && note.Stage == work.StageEnded {
			return note
		}
	}
	require.Fail(h.t, "the ledger does not know how "+caseID+" ended")
	return work.StageNote{}
}

// send sends an Update to a case.
func (h *house) send(caseID, name string, in any) {
	h.t.Helper()
	h.sent++ // one with a number that was there before would not be sent again
	require.NoError(h.t, h.UpdateWorkflowByID(work.LocationOnboardingID(caseID), name, fmt.Sprintf("u%d", h.sent), &answer{h}, in))
}

type answer struct{ h *house }

func (a *answer) Accept()          { a.h.accepted++ }
func (a *answer) Reject(err error) { a.h.refusals = append(a.h.refusals, err.Error()) }
func (a *answer) Complete(result any, err error) {
	if err != nil {
		a.h.failures = append(a.h.failures, err.Error())
		return
	}
	a.h.answers = append(a.h.answers, result)
	if a.h.onAnswer != nil {
		a.h.onAnswer(result)
	}
}

// status asks a case where it stands.
func (h *house) status(caseID string) work.OnboardingStatus {
	h.t.Helper()
	return statusOf(h, work.LocationOnboardingID(caseID))
}

func statusOf(h *house, id string) work.OnboardingStatus {
	h.t.Helper()
	value, err := h.QueryWorkflowByID(id, work.QueryStatus)
	require.NoError(h.t, err)
	var status work.OnboardingStatus
	require.NoError(h.t, value.Get(&status))
	return status
}

// details is what a run's page shows.
func (h *house) details(id string) string {
	h.t.Helper()
	value, err := h.QueryWorkflowByID(id, "__temporal_workflow_metadata")
	require.NoError(h.t, err)
	var metadata sdkpb.WorkflowMetadata
	require.NoError(h.t, value.Get(&metadata))
	return metadata.GetCurrentDetails()
}

// onboard plays a request to its end and gives how it ended.
func (h *house) onboard(in work.OnboardingInput) work.RequestResult {
	h.t.Helper()
	h.ExecuteWorkflow(work.Onboarding, in)
	require.True(h.t, h.IsWorkflowCompleted())
	require.NoError(h.t, h.GetWorkflowError())
	var result work.RequestResult
	require.NoError(h.t, h.GetWorkflowResult(&result))
	return result
}

// one is a request of one venue; sevenShifts is the same for 7shifts.
func one(t *testing.T) (*house, work.OnboardingInput) {
	t.Helper()
	return newHouse(t, "onboarding:wisk:"+request), work.OnboardingInput{
		Partner: work.Wisk, Requester: work.PartnerSupport, By: "lea", Note: "ticket 4711",
		Venues: []work.VenueInput{{TradeName: "Chez Marcel", Address: "12, rue Ontario, Montréal"}},
	}
}

const shiftsCase = "7shifts:" + request + ":1"

func oneShifts(t *testing.T) (*house, work.OnboardingInput) {
	t.Helper()
	_, in := one(t)
	h := newHouse(t, "onboarding:7shifts:"+request)
	in.Partner = work.SevenShifts
	h.plan.Fee, h.plan.TakesToken = false, true
	return h, in
}

// Acts of people, as they are sent.
var (
	bySteer  = work.SteerInput{By: "lea", Reason: "other", Note: "as said"}
	byVenue  = work.SteerInput{By: work.ByVenue, Reason: "venue_asked", Note: "on its page"}
	confirm  = work.DecideInput{Decision: work.Confirm, By: work.ByVenue, Reason: "venue_asked", Note: "on its page"}
	decline  = work.DecideInput{Decision: work.Decline, Why: "too_dear", By: work.ByVenue, Reason: "venue_asked", Note: "on its page"}
	paid     = work.PaymentInput{Reference: "BK-77", By: "omar", Reason: "other", Note: "bank statement"}
	entered  = work.EntryInput{Route: "pull", Modifiers: "include", By: "lea", Reason: "partner_asked", Note: "WISK wrote"}
	placed   = work.PlaceInput{Location: 7, ReceiptDate: "opened", Workday: true, By: work.ByVenue, Reason: "venue_asked", Note: "on its page"}
	toCancel = work.SteerInput{By: "omar", Reason: "venue_asked", Note: "it closes"}
)

// countEvents adds up what the runs cost in events of their histories, at
// most: an activity three, a timer two, a signal and an Update one or two, and
// each of these a workflow task of three.
func (h *house) countEvents() func() int {
	timers := 0
	h.SetOnTimerScheduledListener(func(string, time.Duration) { timers++ })
	return func() int {
		h.mu.Lock()
		defer h.mu.Unlock()
		return 6*len(h.calls) + 5*timers
	}
}
