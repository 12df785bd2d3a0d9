package workflows_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// undone is what a cancellation did, in order: the compensations, and the mails
// and acts after it.
func (h *house) undone(since time.Time) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []string
	for _, c := range h.calls {
		switch {
		case c.at.Before(since):
		case c.name == "UndoOnboarding":
			all = append(all, "undo "+c.what)
		case c.name == "KeepSchedules":
			all = append(all, "schedules")
		case c.name == "SendCaseMail":
			all = append(all, "mail "+c.what)
		case c.name == "SettleCharge":
			all = append(all, c.what)
		}
	}
	return all
}

// scene brings a case to a stage, and says what has to be undone there.
type scene struct {
	name   string
	shifts bool
	set    func(h *house)
	acts   []act // an hour after each other
	stage  work.Stage
	undone []string
}

type act struct {
	update string
	in     any
}

var (
	yes      = act{work.UpdateDecide, confirm}
	pays     = act{work.UpdateRecordPayment, paid}
	enters   = act{work.UpdateRecordEntry, entered}
	pastes   = act{work.UpdateTryToken, byVenue}
	chooses  = act{work.UpdateChoosePartnerLocation, placed}
	fromLive = []string{"undo connection", "schedules", "undo keys", "undo fee", "mail cancelled"}
)

func scenes() []scene {
	noFee := func(h *house) { h.plan.Fee = false }
	failing := func(activity string, code work.Code) func(*house) {
		return func(h *house) { noFee(h); h.fails[activity] = code }
	}
	return []scene{
		{name: "looking", set: failing("FindVenue", work.ClusterUnreachable), stage: work.StageMatch},
		{name: "candidates", set: func(h *house) {
			h.find = func(work.CaseInput) (work.FindResult, error) { return work.FindResult{}, nil }
		}, stage: work.StageMatch},
		{name: "no contact", set: func(h *house) {
			h.find = func(work.CaseInput) (work.FindResult, error) { return work.FindResult{Serial: "CL-0001"}, nil }
		}, stage: work.StageContact},
		{name: "not asked", set: failing("AskContact", work.MailServerRefused), stage: work.StageConfirmation},
		{name: "asked", set: noFee, stage: work.StageConfirmation, undone: []string{"mail cancelled"}},
		{name: "charge not open", set: func(h *house) { h.fails["OpenCharge"] = work.LedgerUnavailable }, acts: []act{yes},
			stage: work.StagePayment, undone: []string{"undo fee", "mail cancelled"}},
		{name: "not paid", acts: []act{yes}, stage: work.StagePayment, undone: []string{"undo fee", "mail cancelled"}},
		{name: "activation", set: func(h *house) {
			h.till = func(work.CaseInput) (work.TillResult, error) { return work.TillResult{State: work.TillPending}, nil }
		}, acts: []act{yes, pays}, stage: work.StageActivation, undone: []string{"undo keys", "undo fee", "mail cancelled"}},
		{name: "key", set: func(h *house) {
			noFee(h)
			h.till = func(work.CaseInput) (work.TillResult, error) { return work.TillResult{State: work.TillManual}, nil }
		}, acts: []act{yes}, stage: work.StageKey, undone: []string{"undo keys", "mail cancelled"}},
		{name: "entry", set: noFee, acts: []act{yes}, stage: work.StageEntry, undone: []string{"undo keys", "mail cancelled"}},
		{name: "token", shifts: true, acts: []act{yes}, stage: work.StageToken, undone: []string{"undo keys", "mail cancelled"}},
		{name: "token blocked", shifts: true, set: func(h *house) { h.plan.TokenTries = 1; h.verdicts(work.TokenWrong) },
			acts: []act{yes, pastes}, stage: work.StageToken, undone: []string{"undo keys", "mail cancelled"}},
		{name: "location", shifts: true, acts: []act{yes, pastes}, stage: work.StageLocation, undone: []string{"undo keys", "mail cancelled"}},
		// The connection is not known yet, so its schedule is left to the keeper.
		{name: "preflight", set: func(h *house) { h.fails["GoLive"] = work.ClusterOffline }, acts: []act{yes, pays, enters},
			stage: work.StagePreflight, undone: []string{"undo connection", "undo keys", "undo fee", "mail cancelled"}},
		{name: "first run", set: func(h *house) {
			h.firstRun = func(work.CaseInput) (work.LiveResult, error) { return work.LiveResult{State: work.Initializing}, nil }
		}, acts: []act{yes, pays, enters}, stage: work.StageFirstRun, undone: fromLive},
		{name: "first run of 7shifts", shifts: true, set: func(h *house) {
			h.firstRun = func(work.CaseInput) (work.LiveResult, error) { return work.LiveResult{State: work.Initializing}, nil }
		}, acts: []act{yes, pastes, chooses}, stage: work.StageFirstRun,
			undone: []string{"undo connection", "schedules", "undo keys", "mail cancelled"}},
		{name: "last mail", set: func(h *house) { h.fails["SendCaseMail/live"] = work.MailServerRefused }, acts: []act{yes, pays, enters},
			stage: work.StageFirstRun, undone: fromLive},
	}
}

// play sets a scene and gives the case, and when it is there.
func (s scene) play(t *testing.T) (h *house, in work.OnboardingInput, caseID string, there time.Duration) {
	t.Helper()
	h, in = one(t)
	caseID = theCase
	if s.shifts {
		h, in = oneShifts(t)
		caseID = shiftsCase
	}
	h.OnActivity("KeepSchedules", anything, anything).Return(func(_ context.Context, in work.KeepInput) (work.KeeperResult, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.calls = append(h.calls, call{name: "KeepSchedules", what: in.Connection, in: in, at: h.Now()})
		return work.KeeperResult{}, nil
	}).Maybe()
	// A history that has ended cannot be asked to end.
	h.OnRequestCancelExternalWorkflow(anything, anything, anything).Return(&temporal.UnknownExternalWorkflowExecutionError{}).Maybe()
	if s.set != nil {
		s.set(h)
	}
	for i, a := range s.acts {
		h.at(time.Duration(i+1)*time.Hour, func() { h.send(caseID, a.update, a.in) })
	}
	return h, in, caseID, time.Duration(len(s.acts)+1) * time.Hour
}

// A cancellation at any stage undoes what was begun, in reverse, and nothing
// else; a second one is refused, and the case ends as cancelled by whom.
func TestCancelledAtEachStage(t *testing.T) {
	seen := map[work.Stage]bool{}
	for _, s := range scenes() {
		seen[s.stage] = true
		t.Run(s.name, func(t *testing.T) {
			h, in, caseID, there := s.play(t)
			h.at(there, func() {
				require.Equal(t, s.stage, h.status(caseID).Stage)
				h.send(caseID, work.UpdateCancelOnboarding, toCancel)
				h.send(caseID, work.UpdateCancelOnboarding, toCancel)
			})
			result := h.onboard(in)
			require.Equal(t, s.undone, h.undone(h.begin.Add(there)))
			require.Equal(t, work.Cancelled, result.Venues[0].Outcome)
			require.Equal(t, "Chez Marcel was cancelled by omar; what was begun is undone.", result.Venues[0].Summary)
			end := h.ending(caseID)
			who := work.SteerInput{By: end.By, Reason: end.Reason, Note: end.Note}
			require.Equal(t, toCancel, who)
			require.Len(t, h.refusals, 1)
			require.Contains(t, h.refusals[0], "cancelled", "already, and perhaps done with it")
			for _, c := range h.callsOf("UndoOnboarding") {
				undo := c.in.(work.UndoInput)
				who := work.SteerInput{By: undo.By, Reason: undo.Reason, Note: undo.Note}
				require.Equal(t, toCancel, who)
			}
		})
	}
	for _, stage := range []work.Stage{
		work.StageMatch, work.StageContact, work.StageConfirmation, work.StagePayment, work.StageActivation, work.StageKey,
		work.StageEntry, work.StageToken, work.StageLocation, work.StagePreflight, work.StageFirstRun,
	} {
		require.True(t, seen[stage], "no scene cancels at %s", stage)
	}
}

// The button of the Web UI does the same, at each stage.
func TestTheButtonCancelsAtEachStage(t *testing.T) {
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			h, in, caseID, there := s.play(t)
			h.at(there, func() { h.CancelWorkflowByID(work.LocationOnboardingID(caseID), "") })
			h.onboard(in)
			require.Equal(t, s.undone, h.undone(h.begin.Add(there)))
			end := h.ending(caseID)
			require.Equal(t, work.Cancelled, end.Outcome)
			require.Equal(t, "temporal-ui", end.By)
			require.NoError(t, work.SteerInput{By: end.By, Reason: end.Reason, Note: end.Note}.Validate())
		})
	}
}

// A fee that was paid is given back before the case ends; only that is taken
// then.
func TestACancellationWaitsForTheRefund(t *testing.T) {
	s := scenes()[7] // activation, paid
	h, in, _, there := s.play(t)
	h.undo = func(in work.UndoInput) (work.UndoResult, error) {
		return work.UndoResult{Refund: in.Step == work.UndoFee}, nil
	}
	h.at(there, func() { h.send(theCase, work.UpdateCancelOnboarding, toCancel) })
	h.at(there+day, func() {
		status := h.status(theCase)
		require.Equal(t, work.StageRefund, status.Stage)
		require.Equal(t, "operator", status.WaitingFor)
		require.Empty(t, status.Outcome)
		h.send(theCase, work.UpdateRecordPayment, paid)
		h.send(theCase, work.UpdateCancelOnboarding, toCancel)
		h.send(theCase, work.UpdateRefundFee, paid)
	})
	result := h.onboard(in)
	require.Equal(t, work.Cancelled, result.Venues[0].Outcome)
	require.Equal(t, []string{"undo keys", "undo fee", "mail cancelled", "RefundFee"}, h.undone(h.begin.Add(there)))
	require.Len(t, h.refusals, 2)
	require.Equal(t, []string{"confirmation venue", "payment payment", "activation cluster", "refund operator", "ended"}, h.waits(theCase))
	require.GreaterOrEqual(t, h.Now().Sub(h.begin), there+day)
}

// What a person has begun is known before anything is undone.
func TestAnActUnderWayIsWaitedFor(t *testing.T) {
	h, in := one(t)
	h.fails["SettleCharge"] = work.LedgerUnavailable // retried with pauses
	h.at(time.Hour, func() { h.send(theCase, work.UpdateDecide, confirm) })
	h.at(2*time.Hour, func() { h.send(theCase, work.UpdateRecordPayment, paid) })
	h.at(2*time.Hour+time.Second, func() {
		h.send(theCase, work.UpdateWaiveFee, bySteer) // it waits its turn, and is then refused
		h.send(theCase, work.UpdateCancelOnboarding, toCancel)
	})
	h.at(2*time.Hour+10*time.Second, func() { h.sick("SettleCharge", "") })
	h.onboard(in)
	undone := slices.IndexFunc(h.calls, func(c call) bool { return c.name == "UndoOnboarding" })
	var settled []int
	for i, c := range h.calls {
		if c.name == "SettleCharge" {
			require.Equal(t, "RecordPayment", c.what)
			settled = append(settled, i)
		}
	}
	require.Greater(t, len(settled), 1)
	require.Less(t, settled[len(settled)-1], undone)
	require.Len(t, h.failures, 1)
	require.Contains(t, h.failures[0], "it is being cancelled already")
}

// What fails while it is undone is tried again, and nothing after it comes
// before.
func TestUndoingIsTriedUntilItIsDone(t *testing.T) {
	h, in, _, there := scenes()[14].play(t) // first run
	h.fails["UndoOnboarding/connection"] = work.LedgerUnavailable
	h.at(there, func() { h.send(theCase, work.UpdateCancelOnboarding, toCancel) })
	h.at(there+day, func() {
		require.Equal(t, work.StageUndo, h.status(theCase).Stage)
		require.Contains(t, h.status(theCase).Problem, "did not answer")
		require.NotContains(t, h.undone(h.begin.Add(there)), "undo keys")
		h.sick("UndoOnboarding/connection", "")
		h.send(theCase, work.UpdateRetry, bySteer)
	})
	h.at(there+day+time.Minute, func() { require.Contains(t, h.undone(h.begin.Add(there)), "undo keys") })
	require.Equal(t, work.Cancelled, h.onboard(in).Venues[0].Outcome)
}

// A running history is asked to end before its connection is undone.
func TestACancellationEndsTheHistory(t *testing.T) {
	h, in, _, there := scenes()[14].play(t) // first run
	h.OnActivity("PlanBackfill", anything, anything).Return(work.BackfillPlan{From: "2026-08-07", To: "2026-11-04", Days: 90}, nil)
	h.OnActivity("BackfillDay", anything, anything).Return(work.StepResult{More: true, Rest: time.Hour, Why: "slow"}, nil)
	h.at(there, func() { h.send(theCase, work.UpdateCancelOnboarding, toCancel) })
	h.onboard(in)
	require.ErrorContains(t, h.GetWorkflowErrorByID(work.BackfillID(connectionOf(theCase))), "canceled")
	require.Equal(t, fromLive, h.undone(h.begin.Add(there)))
}

// The venue said no; cancelling only ends the tries of the last mail.
func TestADeclineStaysADecline(t *testing.T) {
	h, in := one(t)
	h.fails["SendCaseMail/declined"] = work.MailServerRefused
	h.at(time.Hour, func() { h.send(theCase, work.UpdateDecide, decline) })
	h.at(2*time.Hour, func() { h.send(theCase, work.UpdateCancelOnboarding, toCancel) })
	result := h.onboard(in)
	require.Empty(t, h.refusals)
	require.Equal(t, work.Declined, result.Venues[0].Outcome)
	require.Equal(t, work.ByVenue, h.ending(theCase).By)
	require.Less(t, h.Now().Sub(h.begin), 3*time.Hour)
}
