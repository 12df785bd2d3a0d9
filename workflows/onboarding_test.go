package workflows_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// many is a request of n venues, of which every tenth has the same contact.
func many(t *testing.T, n int) (*house, work.OnboardingInput) {
	t.Helper()
	h, in := one(t)
	h.plan.Fee = false
	in.Venues = nil
	for i := range n {
		in.Venues = append(in.Venues, work.VenueInput{TradeName: fmt.Sprintf("Venue %d", i+1), Address: "12, rue Ontario, Montréal"})
	}
	h.find = func(in work.CaseInput) (work.FindResult, error) {
		return work.FindResult{Serial: "CL-" + in.Case, Contact: fmt.Sprintf("h%d", nth(in.Case)%10)}, nil
	}
	return h, in
}

func caseOf(n int) string { return work.CaseID(work.Wisk, request, n) }

func nth(caseID string) int {
	n, _ := strconv.Atoi(caseID[strings.LastIndex(caseID, ":")+1:])
	return n
}

func (h *house) request() work.RequestStatus {
	h.t.Helper()
	value, err := h.QueryWorkflow(work.QueryStatus)
	require.NoError(h.t, err)
	var status work.RequestStatus
	require.NoError(h.t, value.Get(&status))
	return status
}

// asks are the mails to contacts: of which group, and which venues they named.
func (h *house) asks() map[string][]int {
	all := map[string][]int{}
	for _, c := range h.callsOf("AskContact") {
		for _, caseID := range c.in.(work.AskInput).Cases {
			all[c.what] = append(all[c.what], nth(caseID))
		}
	}
	return all
}

// One request of 50 venues with 10 contacts: one mail for each contact, each
// venue answers by itself, and those that decline or never answer hold nobody
// up.
func TestFiftyVenuesWithTenContacts(t *testing.T) {
	h, in := many(t, 50)
	for n := 1; n < 50; n++ { // the fiftieth never answers
		h.at(time.Hour+time.Duration(n)*time.Minute, func() {
			d := confirm
			if n%3 == 0 {
				d = decline
			}
			h.send(caseOf(n), work.UpdateDecide, d)
		})
		if n%3 != 0 {
			h.at(day+time.Duration(n)*time.Minute, func() { h.send(caseOf(n), work.UpdateRecordEntry, entered) })
		}
	}
	h.at(2*day, func() {
		status := h.request()
		require.Equal(t, 1, status.Open)
		require.Equal(t, work.WentLive, status.Venues[0].Outcome)
		require.Empty(t, status.Venues[49].Outcome)
		require.Contains(t, h.details("onboarding:wisk:"+request), "**1 of 50 venues are open.**")
	})
	result := h.onboard(in)
	require.Empty(t, h.refusals)
	require.Empty(t, h.failures)
	require.Equal(t, "50 of 50 venues have ended: 33 live, 16 declined, 1 expired.", result.Summary)
	asks := h.asks()
	require.Equal(t, []int{1, 11, 21, 31, 41}, asks["c1 0"])
	require.Equal(t, []int{50}, asks["c10 1"], "only those are reminded that have not answered")
	require.Len(t, h.went("AskContact"), 10+2)
	require.Len(t, h.went("AcknowledgeRequest"), 1)
	for n := range 50 {
		require.Equal(t, caseOf(n+1), result.Venues[n].Case)
	}
}

// Venues whose contact an operator enters later are gathered again.
func TestVenuesThatComeLaterMakeGroupsOfTheirOwn(t *testing.T) {
	h, in := many(t, 4)
	h.plan.GatherFor = 10 * time.Minute
	h.find = func(in work.CaseInput) (work.FindResult, error) {
		if nth(in.Case) == 1 {
			return work.FindResult{Serial: "CL-1", Contact: "h1"}, nil
		}
		return work.FindResult{Serial: "CL-" + in.Case}, nil
	}
	for n, at := range map[int]time.Duration{2: time.Hour, 3: time.Hour + 5*time.Minute, 4: 2 * time.Hour} {
		h.at(at, func() { h.send(caseOf(n), work.UpdateContactEntered, bySteer) })
	}
	h.at(3*time.Hour, func() {
		for n := range 4 {
			h.send(caseOf(n+1), work.UpdateDecide, decline)
		}
	})
	h.onboard(in)
	require.Equal(t, map[string][]int{"c1 0": {1}, "c2 0": {2, 3}, "c3 0": {4}}, h.asks())
	at := h.callsOf("AskContact")
	require.WithinDuration(t, h.begin, at[0].at, time.Second, "nobody waits for those that wait for an operator")
	require.WithinDuration(t, h.begin.Add(70*time.Minute), at[1].at, time.Second)
	require.WithinDuration(t, h.begin.Add(2*time.Hour), at[2].at, time.Second, "nobody else could come")
}

// A venue that Cluster cannot find yet keeps the others waiting for some time
// only; a mail that cannot be sent keeps no other group waiting, and is tried
// again.
func TestOneContactHoldsNobodyUp(t *testing.T) {
	h, in := many(t, 3)
	h.plan.GatherFor = 10 * time.Minute
	h.find = func(in work.CaseInput) (work.FindResult, error) {
		if nth(in.Case) == 3 && h.Now().Sub(h.begin) < time.Hour {
			return work.FindResult{}, problem(work.ClusterUnreachable)
		}
		return work.FindResult{Serial: "CL-" + in.Case, Contact: fmt.Sprintf("h%d", nth(in.Case))}, nil
	}
	h.fails["AskContact/c1 0"] = work.MailServerRefused
	h.at(9*time.Minute, func() { require.Empty(t, h.went("AskContact")) })
	h.at(time.Hour, func() {
		require.Contains(t, h.details("onboarding:wisk:"+request), "**The mail of c1 cannot be sent:** The mail server refuses us")
		require.Equal(t, "operator", h.status(caseOf(1)).WaitingFor)
		require.Equal(t, "venue", h.status(caseOf(2)).WaitingFor)
		h.send(caseOf(2), work.UpdateDecide, decline)
	})
	h.at(90*time.Minute, func() {
		require.Equal(t, work.Declined, h.request().Venues[1].Outcome)
		h.sick("AskContact/c1 0", "")
		h.UpdateWorkflow(work.UpdateRetry, "", &answer{h}, bySteer)
	})
	h.at(91*time.Minute, func() {
		require.Equal(t, "venue", h.status(caseOf(1)).WaitingFor)
		h.UpdateWorkflow(work.UpdateRetry, "", &answer{h}, bySteer)
		h.send(caseOf(1), work.UpdateDecide, decline)
		h.send(caseOf(3), work.UpdateDecide, decline)
	})
	h.onboard(in)
	require.Len(t, h.refusals, 1)
	require.Contains(t, h.refusals[0], "nothing to try again; 2 of 3 venues are open")
	require.Contains(t, h.asks(), "c3 0")
}

// A Retry at the venue sends the mail of its group at once.
func TestARetryAtTheVenueSendsTheMail(t *testing.T) {
	h, in := many(t, 1)
	h.fails["AskContact"] = work.MailUnreachable
	h.at(10*time.Hour+30*time.Minute, func() {
		h.sick("AskContact", "")
		h.send(caseOf(1), work.UpdateRetry, bySteer)
	})
	h.at(10*time.Hour+31*time.Minute, func() {
		require.Equal(t, "venue", h.status(caseOf(1)).WaitingFor)
		h.send(caseOf(1), work.UpdateDecide, decline)
	})
	h.onboard(in)
	require.Empty(t, h.refusals)
}

// Cancelling a request cancels all its venues that have not ended; one that is
// live stays.
func TestARequestIsCancelled(t *testing.T) {
	for _, button := range []bool{false, true} {
		h, in := many(t, 3)
		h.at(time.Hour, func() {
			h.send(caseOf(1), work.UpdateDecide, confirm)
			h.send(caseOf(2), work.UpdateDecide, confirm)
		})
		h.at(2*time.Hour, func() { h.send(caseOf(1), work.UpdateRecordEntry, entered) })
		h.at(3*time.Hour, func() {
			if button {
				h.CancelWorkflow()
				return
			}
			h.UpdateWorkflow(work.UpdateCancelOnboarding, "", &answer{h}, toCancel)
			h.UpdateWorkflow(work.UpdateCancelOnboarding, "", &answer{h}, toCancel)
		})
		result := h.onboard(in)
		require.Equal(t, "3 of 3 venues have ended: 1 live, 2 cancelled.", result.Summary)
		require.Equal(t, []string{"keys"}, h.went("UndoOnboarding"))
		who := "omar"
		if button {
			who = "temporal-ui"
		} else {
			require.Len(t, h.refusals, 1)
		}
		require.Equal(t, who, h.ending(caseOf(3)).By)
		require.Empty(t, h.ending(caseOf(1)).By)
		require.Less(t, h.Now().Sub(h.begin), day)
	}
}

// A request that is cancelled while it cannot begin has begun nothing.
func TestARequestIsCancelledBeforeItBegins(t *testing.T) {
	h, in := many(t, 2)
	h.fails["PlanOnboarding"] = work.LedgerUnavailable
	h.at(time.Hour, func() {
		require.Contains(t, h.details("onboarding:wisk:"+request), "The request cannot begin")
		h.UpdateWorkflow(work.UpdateCancelOnboarding, "", &answer{h}, toCancel)
	})
	require.Equal(t, "2 of 2 venues have ended: 2 cancelled.", h.onboard(in).Summary)
	require.Empty(t, h.went("FindVenue"))
	require.Empty(t, h.went("AcknowledgeRequest"))
}

// That nobody could be told of the request keeps no run open, nor a venue.
func TestAnAcknowledgementThatCannotBeSent(t *testing.T) {
	h, in := many(t, 1)
	h.fails["AcknowledgeRequest"] = work.MailRefused
	h.at(time.Hour, func() {
		require.Contains(t, h.details("onboarding:wisk:"+request), "The acknowledgement cannot be sent")
		h.send(caseOf(1), work.UpdateDecide, decline)
	})
	require.Equal(t, "1 of 1 venues have ended: 1 declined.", h.onboard(in).Summary)
}

func TestARequestThatIsNoGoodFailsAtOnce(t *testing.T) {
	for _, code := range []work.Code{work.BadInput, work.Internal} {
		h, in := many(t, 1)
		h.fails["PlanOnboarding"] = code
		h.ExecuteWorkflow(work.Onboarding, in)
		require.Equal(t, string(code), h.failure().Type())
		require.Contains(t, h.details("onboarding:wisk:"+request), "**Failed.**")
	}
}

func TestARequestIsTakenStrictlyAndUnderItsID(t *testing.T) {
	const good = `{"partner":"wisk","requester":"partner_support","by":"lea","note":"x","venues":[{"tradeName":"A","address":"B"}]}`
	for _, c := range []struct{ id, input, code, says string }{
		{"onboarding:wisk:r-1", strings.Replace(good, "tradeName", "tradename", 1), "bad_input", `unknown field "tradename"`},
		{"onboarding:wisk:r-1", strings.Replace(good, `"by":"lea",`, "", 1), "bad_input", `"by" is missing`},
		{"onboarding:7shifts:r-1", good, "wrong_workflow_id", "onboarding:wisk:<request>"},
		{"onboarding:wisk:R_1", good, "wrong_workflow_id", "onboarding:wisk:<request>"},
		{"onboarding:wisk:r-1:1", good, "wrong_workflow_id", "onboarding:wisk:<request>"},
		{"onboarding:wisk:", good, "wrong_workflow_id", "onboarding:wisk:<request>"},
	} {
		h := newHouse(t, c.id)
		h.ExecuteWorkflow(work.Onboarding, typed(c.input))
		require.Equal(t, c.code, h.failure().Type(), c.id)
		require.Contains(t, h.failure().Message(), c.says)
		require.Empty(t, h.calls)
	}
}

// A venue whose run was ended by force counts as ended, with what is known.
func TestAVenueWhoseRunIsLost(t *testing.T) {
	h, in := many(t, 1)
	h.OnWorkflow(work.LocationOnboarding, anything, anything).Return(work.OnboardingResult{}, problem(work.Internal))
	result := h.onboard(in)
	require.Equal(t, "1 of 1 venues have ended: 1 ended without a word.", result.Summary)
	require.Contains(t, result.Venues[0].Summary, "Its run was ended. clusterbridge met a state it does not know.")
	require.Equal(t, "Venue 1", result.Venues[0].TradeName)
}

// A run that begins again, since the one before was reset or terminated, takes
// over the venues that run, and passes over those that have ended.
func TestASecondRunTakesTheVenuesOver(t *testing.T) {
	h := newHouse(t, "around")
	h.find = func(in work.CaseInput) (work.FindResult, error) {
		return work.FindResult{Serial: "CL-3", Contact: "h3"}, nil
	}
	onboardingID := "onboarding:wisk:" + request
	// What a LocationOnboarding of an earlier run does that waits for its answer.
	survivor := func(ctx workflow.Context) error {
		workflow.GetSignalChannel(ctx, "report").Receive(ctx, nil)
		told := map[string]string{"case": caseOf(1), "contact": "h1"}
		for _, step := range []string{"ready", "asked", "answered", "ended"} {
			if step == "asked" {
				workflow.GetSignalChannel(ctx, step).Receive(ctx, nil)
				continue
			}
			if step == "ended" {
				told = map[string]string{"case": caseOf(1), "tradeName": "Venue 1", "outcome": "live"}
			}
			if err := workflow.SignalExternalWorkflow(ctx, onboardingID, "", step, told).Get(ctx, nil); err != nil {
				return err
			}
		}
		return nil
	}
	h.RegisterWorkflowWithOptions(survivor, workflow.RegisterOptions{Name: "survivor"})
	h.RegisterWorkflowWithOptions(func(workflow.Context) error { return nil }, workflow.RegisterOptions{Name: "gone"})
	around := func(ctx workflow.Context, in work.OnboardingInput) (result work.RequestResult, err error) {
		child := func(id string) workflow.Context {
			return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
				WorkflowID: id, ParentClosePolicy: enums.PARENT_CLOSE_POLICY_ABANDON, WaitForCancellation: true,
			})
		}
		if err := workflow.ExecuteChildWorkflow(child(work.LocationOnboardingID(caseOf(1))), "survivor").GetChildWorkflowExecution().Get(ctx, nil); err != nil {
			return result, err
		}
		if err := workflow.ExecuteChildWorkflow(child(work.LocationOnboardingID(caseOf(2))), "gone").Get(ctx, nil); err != nil {
			return result, err
		}
		err = workflow.ExecuteChildWorkflow(child(onboardingID), work.Onboarding, in).Get(ctx, &result)
		return result, err
	}
	h.RegisterWorkflowWithOptions(around, workflow.RegisterOptions{Name: "around"})
	h.at(time.Hour, func() { h.send(caseOf(3), work.UpdateDecide, decline) })
	_, in := many(t, 3)
	h.ExecuteWorkflow("around", in)
	require.NoError(t, h.GetWorkflowError())
	var result work.RequestResult
	require.NoError(t, h.GetWorkflowResult(&result))
	require.Equal(t, "3 of 3 venues have ended: 1 live, 1 declined, 1 ended without a word.", result.Summary)
	require.Equal(t, "Its run had ended before; see it in Temporal.", result.Venues[1].Summary)
	require.Equal(t, []int{1}, h.asks()["c1 0"])
}

// Reminders name only the venues that have not answered, also while those that
// did wait for something else; when all have, there are none.
func TestOnlyThoseAreRemindedThatHaveNotAnswered(t *testing.T) {
	h, in := many(t, 3)
	h.find = func(in work.CaseInput) (work.FindResult, error) {
		return work.FindResult{Serial: "CL-" + in.Case, Contact: "h1"}, nil
	}
	h.at(day, func() { h.send(caseOf(1), work.UpdateDecide, confirm) })
	h.at(4*day, func() {
		h.send(caseOf(2), work.UpdateDecide, confirm)
		h.send(caseOf(3), work.UpdateDecide, confirm)
	})
	h.at(20*day, h.CancelWorkflow)
	h.onboard(in)
	require.Equal(t, map[string][]int{"c1 0": {1, 2, 3}, "c1 1": {2, 3}}, h.asks())
}
