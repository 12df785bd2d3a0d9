package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/work"
	"github.com/clustersystems/clusterbridge/workflows"
)

// The whole way of a venue to WISK: yes, paid, entered, live.
func TestAVenueGoesLiveWithWisk(t *testing.T) {
	h, in := one(t)
	h.at(time.Hour, func() { h.send(theCase, work.UpdateDecide, confirm) })
	h.at(2*time.Hour, func() { h.send(theCase, work.UpdateRecordPayment, paid) })
	h.at(3*time.Hour, func() { h.send(theCase, work.UpdateRecordEntry, entered) })
	result := h.onboard(in)
	require.Empty(t, h.refusals)
	require.Empty(t, h.failures)
	require.Equal(t, "1 of 1 venues have ended: 1 live.", result.Summary)
	require.Equal(t, []work.OnboardingResult{{
		Case: theCase, TradeName: "Chez Marcel", Outcome: work.WentLive, Connection: connectionOf(theCase),
		Summary: "Chez Marcel is live with WISK, as " + connectionOf(theCase) + ".",
	}}, result.Venues)
	require.Equal(t, []string{"invoice", "payment-received", "credentials", "credentials-to-support", "live"}, h.went("SendCaseMail"))
	require.Equal(t, []string{"c1 0"}, h.went("AskContact"))
	require.Equal(t, []string{"confirmation venue", "payment payment", "entry partner", "ended"}, h.waits(theCase))
	require.Equal(t, work.StageNote{Case: theCase, Stage: work.StageEnded, What: result.Venues[0].Summary, Outcome: work.WentLive}, h.ending(theCase))
	require.Equal(t, work.CaseAct{
		Case: theCase, Act: "RecordEntry", By: "lea", Reason: "partner_asked", Note: "WISK wrote", Route: "pull", Modifiers: "include",
	}, h.callsOf("RecordEntry")[0].in)
	require.Equal(t, work.PaymentInput{Reference: "BK-77"}.Reference, h.callsOf("SettleCharge")[0].in.(work.CaseAct).Reference)
}

// The whole way of a venue to 7shifts: no fee, a token, a location, live.
func TestAVenueGoesLiveWith7shifts(t *testing.T) {
	h, in := oneShifts(t)
	h.at(time.Hour, func() { h.send(shiftsCase, work.UpdateDecide, confirm) })
	h.at(2*time.Hour, func() { h.send(shiftsCase, work.UpdateTryToken, byVenue) })
	h.at(3*time.Hour, func() { h.send(shiftsCase, work.UpdateChoosePartnerLocation, placed) })
	result := h.onboard(in)
	require.Empty(t, h.refusals)
	require.Equal(t, work.WentLive, result.Venues[0].Outcome)
	require.Equal(t, []string{"token-needed", "live"}, h.went("SendCaseMail"))
	require.Equal(t, []string{"confirmation venue", "token venue", "location venue", "ended"}, h.waits(shiftsCase))
	require.Empty(t, h.went("OpenCharge"))
	place := h.callsOf("CheckPlace")[0].in.(work.CaseAct)
	require.Equal(t, int64(7), place.Location)
	require.Equal(t, "opened", place.ReceiptDate)
	require.Equal(t, []any{
		work.ActResult{Summary: "Chez Marcel confirmed; its setting up goes on.", Changed: 1},
		work.TokenResult{Verdict: work.TokenGood, Left: 3}, work.PlaceResult{},
	}, h.answers)
}

func TestADeclineEndsTheCaseWithWhoAndWhy(t *testing.T) {
	for by, want := range map[string]string{
		work.ByVenue: "Chez Marcel declined (too_dear).", "lea": "Chez Marcel declined (too_dear), entered by lea.",
	} {
		h, in := one(t)
		d := decline
		d.By = by
		h.at(time.Hour, func() { h.send(theCase, work.UpdateDecide, d) })
		result := h.onboard(in)
		require.Equal(t, work.Declined, result.Venues[0].Outcome)
		require.Equal(t, want, result.Venues[0].Summary)
		require.Equal(t, []string{"declined"}, h.went("SendCaseMail"))
		require.Empty(t, h.went("OpenCharge"))
		require.Empty(t, h.went("UndoOnboarding"))
		end := h.ending(theCase)
		require.Equal(t, []string{by, "venue_asked", "on its page"}, []string{end.By, end.Reason, end.Note})
		require.Equal(t, "too_dear", h.callsOf("RecordDecision")[0].in.(work.CaseAct).Why)
	}
}

// Reminders come 3 and 7 days after the mail, the expiry 30 days after.
func TestNobodyAnswers(t *testing.T) {
	h, in := one(t)
	h.at(20*day, func() {
		status := h.status(theCase)
		require.Equal(t, work.StageConfirmation, status.Stage)
		require.Equal(t, "venue", status.WaitingFor)
		require.WithinDuration(t, h.begin, status.Since, time.Minute)
		require.Contains(t, status.Next, "expires at 2026-12-05 14:00 UTC")
	})
	result := h.onboard(in)
	require.Equal(t, work.Expired, result.Venues[0].Outcome)
	require.Equal(t, "Nobody at Chez Marcel answered in time.", result.Venues[0].Summary)
	require.Equal(t, []string{"c1 0", "c1 1", "c1 2"}, h.went("AskContact"))
	for i, after := range []time.Duration{0, 3 * day, 7 * day} {
		require.WithinDuration(t, h.begin.Add(after), h.callsOf("AskContact")[i].at, time.Minute)
	}
	require.Equal(t, []string{"confirmation-expired"}, h.went("SendCaseMail"))
	require.WithinDuration(t, h.begin.Add(30*day), h.callsOf("SendCaseMail")[0].at, time.Minute)
	require.Empty(t, h.ending(theCase).By, "nobody's act ended it")
}

// An answer that is on its way into the ledger when the time is over counts.
func TestAnAnswerInTheLastMomentCounts(t *testing.T) {
	h, in := one(t)
	h.plan.Fee, h.plan.ExpireAfter = false, 2*time.Hour
	h.fails["RecordDecision"] = work.LedgerUnavailable // retried with pauses
	h.at(2*time.Hour-5*time.Second, func() { h.send(theCase, work.UpdateDecide, confirm) })
	h.at(2*time.Hour+5*time.Second, func() { h.sick("RecordDecision", "") })
	h.at(3*time.Hour, func() { h.send(theCase, work.UpdateRecordEntry, entered) })
	result := h.onboard(in)
	require.Equal(t, work.WentLive, result.Venues[0].Outcome)
}

func TestSeveralCandidatesOrNoneWaitForAnOperator(t *testing.T) {
	several := []work.Candidate{
		{Serial: "CL-0001", TradeName: "Chez Marcel", Address: "12, rue Ontario"},
		{Serial: "CL-0002", TradeName: "Chez Marcel | Plateau", Address: "9, rue Rachel"},
	}
	for name, c := range map[string]struct {
		found work.FindResult
		says  string
	}{
		"several": {work.FindResult{Candidates: several}, "which of several"},
		"many":    {work.FindResult{Candidates: several, More: true}, "more than are listed"},
		"none":    {work.FindResult{}, "Cluster has no venue of this name and address"},
	} {
		t.Run(name, func(t *testing.T) {
			h, in := one(t)
			h.find = func(work.CaseInput) (work.FindResult, error) { return c.found, nil }
			h.at(time.Hour, func() {
				status := h.status(theCase)
				require.Equal(t, "operator", status.WaitingFor)
				require.Contains(t, status.What, c.says)
				require.Equal(t, c.found.Candidates, status.Candidates)
				for _, v := range c.found.Candidates {
					require.Contains(t, h.details(work.LocationOnboardingID(theCase)), v.Serial)
				}
				h.sick("ChooseVenue", work.ClusterNoSerial)
				h.send(theCase, work.UpdateChooseLocation, work.ChooseInput{Serial: "CL-9", By: "lea", Reason: "other", Note: "x"})
			})
			h.at(2*time.Hour, func() {
				require.Len(t, h.failures, 1, "the refusal goes back to who chose")
				require.Contains(t, h.failures[0], "does not know this serial")
				require.Equal(t, work.StageMatch, h.status(theCase).Stage)
				require.Empty(t, h.status(theCase).Problem)
				h.sick("ChooseVenue", "")
				h.send(theCase, work.UpdateChooseLocation, work.ChooseInput{Serial: "CL-0002", By: "lea", Reason: "other", Note: "by telephone"})
			})
			h.at(3*time.Hour, func() { h.send(theCase, work.UpdateDecide, decline) })
			h.onboard(in)
			require.Equal(t, "CL-0002", h.callsOf("ChooseVenue")[1].in.(work.CaseAct).Serial)
			require.Equal(t, []string{"match operator", "confirmation venue", "ended"}, h.waits(theCase))
			require.WithinDuration(t, h.begin.Add(2*time.Hour), h.callsOf("AskContact")[0].at, 5*time.Second, "nobody else is waited for")
		})
	}
}

// A second request for a venue joins the first, whether it was found or chosen.
func TestASecondRequestJoinsTheFirst(t *testing.T) {
	joined := work.FindResult{Serial: "CL-0001", TradeName: "Chez Marcel", Joined: "wisk:r-1:1", Contact: "h1"}
	connected := work.FindResult{Serial: "CL-0001", TradeName: "Chez Marcel", Connected: "wisk:chez-marcel"}
	for _, c := range []struct {
		found   work.FindResult
		chosen  bool
		outcome work.Outcome
		says    string
	}{
		{joined, false, work.Joined, "joined the older request wisk:r-1:1"}, {joined, true, work.Joined, "joined the older request wisk:r-1:1"},
		{connected, false, work.Connected, "as wisk:chez-marcel"}, {connected, true, work.Connected, "as wisk:chez-marcel"},
	} {
		h, in := one(t)
		h.find = func(work.CaseInput) (work.FindResult, error) { return c.found, nil }
		if c.chosen {
			h.find = func(work.CaseInput) (work.FindResult, error) { return work.FindResult{}, nil }
			h.choose = func(work.CaseAct) (work.FindResult, error) { return c.found, nil }
			h.at(time.Hour, func() {
				h.send(theCase, work.UpdateChooseLocation, work.ChooseInput{Serial: "CL-0001", By: "lea", Reason: "other", Note: "x"})
			})
		}
		result := h.onboard(in)
		require.Equal(t, c.outcome, result.Venues[0].Outcome)
		require.Contains(t, result.Venues[0].Summary, c.says)
		require.Empty(t, h.went("AskContact"))
		require.Empty(t, h.went("SendCaseMail"))
		require.Equal(t, c.chosen, h.ending(theCase).By == "lea")
	}
}

func TestAContactThatIsNotOnRecordIsEntered(t *testing.T) {
	h, in := one(t)
	h.find = func(work.CaseInput) (work.FindResult, error) { return work.FindResult{Serial: "CL-0001"}, nil }
	h.contact = func(work.CaseInput) (work.ContactResult, error) { return work.ContactResult{}, nil }
	h.at(time.Hour, func() {
		require.Equal(t, work.StageContact, h.status(theCase).Stage)
		require.Equal(t, "operator", h.status(theCase).WaitingFor)
		h.send(theCase, work.UpdateContactEntered, bySteer)
	})
	h.at(2*time.Hour, func() {
		require.Len(t, h.failures, 1)
		require.Contains(t, h.failures[0], "clusterbridge onboarding contact "+theCase)
		require.Empty(t, h.went("AskContact"))
		h.mu.Lock()
		defer h.mu.Unlock()
		h.contact = func(work.CaseInput) (work.ContactResult, error) { return work.ContactResult{Contact: "h9"}, nil }
	})
	h.at(3*time.Hour, func() { h.send(theCase, work.UpdateContactEntered, bySteer) })
	h.at(4*time.Hour, func() { h.send(theCase, work.UpdateDecide, decline) })
	h.onboard(in)
	require.Equal(t, []string{"c1 0"}, h.went("AskContact"))
	require.Equal(t, []string{"contact operator", "confirmation venue", "ended"}, h.waits(theCase))
}

// A mail that the contact's server refuses shows at the venue, which an
// operator mends with another contact; then that one is asked.
func TestAMailThatCannotBeSentIsVisibleAndMended(t *testing.T) {
	h, in := one(t)
	h.fails["AskContact/c1 0"] = work.MailRefused
	h.at(time.Hour, func() {
		status := h.status(theCase)
		require.Equal(t, "operator", status.WaitingFor)
		require.Contains(t, status.Problem, "refuses this recipient")
		require.Contains(t, h.details("onboarding:wisk:"+request), "refuses this recipient")
		h.send(theCase, work.UpdateContactEntered, bySteer)
	})
	h.at(2*time.Hour, func() {
		require.Equal(t, "venue", h.status(theCase).WaitingFor)
		require.Empty(t, h.status(theCase).Problem)
		require.NotContains(t, h.details("onboarding:wisk:"+request), "refuses this recipient")
		h.send(theCase, work.UpdateDecide, decline)
	})
	h.onboard(in)
	asked := h.went("AskContact")
	require.Equal(t, "c2 0", asked[len(asked)-1])
	require.Equal(t, []string{"confirmation operator", "confirmation venue", "ended"}, h.waits(theCase))
}

// With another contact the time to answer begins anew, as the link's does.
func TestAnotherContactHasItsOwnTime(t *testing.T) {
	h, in := one(t)
	h.at(20*day, func() { h.send(theCase, work.UpdateContactEntered, bySteer) })
	h.at(40*day, func() { require.Equal(t, work.StageConfirmation, h.status(theCase).Stage) })
	h.onboard(in)
	require.Equal(t, []string{"c1 0", "c1 1", "c1 2", "c2 0", "c2 1", "c2 2"}, h.went("AskContact"))
	require.WithinDuration(t, h.begin.Add(50*day), h.callsOf("SendCaseMail")[0].at, time.Minute)
}

// What an Update has changed is in the ledger when it is answered, so that the
// page that comes next shows it.
func TestTheLedgerKnowsWhenAnUpdateIsAnswered(t *testing.T) {
	h, in := oneShifts(t)
	h.at(time.Hour, func() { h.send(shiftsCase, work.UpdateDecide, confirm) })
	known := ""
	h.onAnswer = func(result any) {
		if _, token := result.(work.TokenResult); token {
			waits := h.waits(shiftsCase)
			known = waits[len(waits)-1]
		}
	}
	h.at(2*time.Hour, func() { h.send(shiftsCase, work.UpdateTryToken, byVenue) })
	h.at(3*time.Hour, func() { h.send(shiftsCase, work.UpdateCancelOnboarding, toCancel) })
	h.onboard(in)
	require.Equal(t, "location venue", known)
}

// What an operator says for the venue is recorded with handle and reason, also
// while the mail cannot be sent.
func TestAnOperatorDecidesForTheVenue(t *testing.T) {
	h, in := one(t)
	h.fails["AskContact"] = work.MailServerRefused
	h.at(time.Hour, func() {
		h.send(theCase, work.UpdateDecide, work.DecideInput{Decision: work.Confirm, By: "lea", Reason: "venue_asked", Note: "called back"})
	})
	h.at(2*time.Hour, func() { h.send(theCase, work.UpdateCancelOnboarding, toCancel) })
	h.onboard(in)
	require.Equal(t, work.CaseAct{
		Case: theCase, Act: "Decide", By: "lea", Reason: "venue_asked", Note: "called back", Decision: "confirm",
	}, h.callsOf("RecordDecision")[0].in)
	require.Equal(t, []string{"invoice", "cancelled"}, h.went("SendCaseMail"))
}

func TestActivationAfter47Hours(t *testing.T) {
	h, in := one(t)
	h.plan.Fee = false
	h.till = func(work.CaseInput) (work.TillResult, error) {
		if h.Now().Sub(h.begin) < 48*time.Hour {
			return work.TillResult{State: work.TillPending}, nil
		}
		return work.TillResult{State: work.TillReady}, nil
	}
	events := h.countEvents()
	h.at(time.Hour, func() { h.send(theCase, work.UpdateDecide, confirm) })
	h.at(30*time.Hour, func() {
		status := h.status(theCase)
		require.Equal(t, work.StageActivation, status.Stage)
		require.Equal(t, "cluster", status.WaitingFor)
		require.WithinDuration(t, h.begin.Add(time.Hour), status.Since, time.Minute, "a look does not begin the wait anew")
	})
	h.at(50*time.Hour, func() { h.send(theCase, work.UpdateRecordEntry, entered) })
	result := h.onboard(in)
	require.Equal(t, work.WentLive, result.Venues[0].Outcome)
	require.Len(t, h.went("OpenTill"), 47*4+1, "every quarter of an hour")
	require.Less(t, events(), 2600, "events of the history")
	require.Equal(t, []string{"confirmation venue", "activation cluster", "entry partner", "ended"}, h.waits(theCase))
}

// A case that waits for its payment for two months, with a billing system that
// is asked, stays small; so does one whose activation never comes.
func TestLongWaitsStaySmall(t *testing.T) {
	for _, hook := range []bool{true, false} {
		h, in := one(t)
		h.plan.Fee, h.plan.Hook = hook, hook
		h.till = func(work.CaseInput) (work.TillResult, error) { return work.TillResult{State: work.TillPending}, nil }
		events := h.countEvents()
		h.at(time.Hour, func() { h.send(theCase, work.UpdateDecide, confirm) })
		h.at(60*day, func() { h.send(theCase, work.UpdateCancelOnboarding, toCancel) })
		h.onboard(in)
		require.Less(t, events(), 5500, "events of the history, hook %v", hook)
		looks := h.callsOf("OpenTill")
		if hook {
			looks = h.callsOf("CheckCharge")
		}
		last := looks[len(looks)-1].at
		require.WithinDuration(t, h.begin.Add(60*day), last, 6*time.Hour, "it is still looked at")
	}
}

func TestRetryLooksForTheActivationAtOnce(t *testing.T) {
	h, in := one(t)
	h.plan.Fee, h.plan.CheckEvery = false, 10*day
	h.till = func(work.CaseInput) (work.TillResult, error) {
		if len(h.calls) > 0 && h.Now().Sub(h.begin) < 2*time.Hour {
			return work.TillResult{State: work.TillPending}, nil
		}
		return work.TillResult{State: work.TillReady}, nil
	}
	h.at(time.Hour, func() { h.send(theCase, work.UpdateDecide, confirm) })
	h.at(3*time.Hour, func() { h.send(theCase, work.UpdateRetry, bySteer) })
	h.at(4*time.Hour, func() { h.send(theCase, work.UpdateRecordEntry, entered) })
	h.onboard(in)
	require.Empty(t, h.refusals)
	require.Less(t, h.Now().Sub(h.begin), day)
}

// Where keys are not issued by an API an operator puts one in; one that is
// refused is replaced by another.
func TestAKeyIsPutInByHand(t *testing.T) {
	h, in := one(t)
	h.plan.Fee = false
	h.till = func(work.CaseInput) (work.TillResult, error) { return work.TillResult{State: work.TillManual}, nil }
	h.at(time.Hour, func() { h.send(theCase, work.UpdateDecide, confirm) })
	h.at(2*time.Hour, func() {
		require.Equal(t, work.StageKey, h.status(theCase).Stage)
		h.sick("OpenTill", work.ClusterKeyRefused)
		h.send(theCase, work.UpdateCredentialsEntered, bySteer)
	})
	h.at(2*time.Hour+10*time.Second, func() {
		require.Contains(t, h.status(theCase).Problem, "refuses the API key")
		require.Equal(t, work.StageKey, h.status(theCase).Stage)
		h.sick("OpenTill", "")
		h.mu.Lock()
		h.till = func(work.CaseInput) (work.TillResult, error) { return work.TillResult{State: work.TillReady}, nil }
		h.mu.Unlock()
		h.send(theCase, work.UpdateCredentialsEntered, bySteer)
	})
	h.at(3*time.Hour, func() { h.send(theCase, work.UpdateRecordEntry, entered) })
	h.onboard(in)
	require.Empty(t, h.refusals)
	require.Equal(t, []string{"confirmation venue", "key operator", "entry partner", "ended"}, h.waits(theCase))
}

// What speaks against an entry goes back to who recorded it.
func TestAnEntryIsRefusedThenGood(t *testing.T) {
	h, in := one(t)
	h.plan.Fee = false
	h.fails["RecordEntry"] = work.ClusterKeyRefused
	h.at(time.Hour, func() { h.send(theCase, work.UpdateDecide, confirm) })
	h.at(2*time.Hour, func() { h.send(theCase, work.UpdateRecordEntry, entered) })
	h.at(3*time.Hour, func() {
		require.Len(t, h.failures, 1)
		require.Equal(t, work.StageEntry, h.status(theCase).Stage)
		require.Empty(t, h.status(theCase).Problem)
		h.sick("RecordEntry", "")
		h.send(theCase, work.UpdateRecordEntry, entered)
	})
	result := h.onboard(in)
	require.Equal(t, work.WentLive, result.Venues[0].Outcome)
}

// An activity that fails for good shows why and who has to act, is tried again
// with growing pauses, and at once when a person says so.
func TestTroubleIsShownAndTriedAgain(t *testing.T) {
	h, in := one(t)
	h.plan.Fee = false
	h.fails["OpenTill"] = work.ClusterOfficeKey
	h.at(time.Hour, func() { h.send(theCase, work.UpdateDecide, confirm) })
	h.at(4*time.Hour+30*time.Minute, func() {
		status := h.status(theCase)
		require.Equal(t, work.StageActivation, status.Stage)
		require.Equal(t, "operator", status.WaitingFor)
		require.Contains(t, status.Problem, "back office refuses")
		h.sick("OpenTill", "")
		h.send(theCase, work.UpdateRetry, bySteer)
	})
	h.at(5*time.Hour, func() {
		require.Empty(t, h.status(theCase).Problem)
		require.Equal(t, "partner", h.status(theCase).WaitingFor)
		h.send(theCase, work.UpdateRetry, bySteer)
		h.send(theCase, work.UpdateRecordEntry, entered)
	})
	h.onboard(in)
	var pauses []time.Duration
	tries := h.callsOf("OpenTill")
	for i := 1; i < len(tries); i++ {
		pauses = append(pauses, tries[i].at.Sub(tries[i-1].at).Round(time.Minute))
	}
	require.Equal(t, []time.Duration{
		time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute, time.Hour, time.Hour, 27 * time.Minute,
	}, pauses)
	require.Len(t, h.refusals, 1)
	require.Contains(t, h.refusals[0], "nothing to try again; it waits for the partner")
}

// The first run is looked at until it is good; why it is not is shown with who
// has to act.
func TestTheFirstRunIsWaitedFor(t *testing.T) {
	h, in := one(t)
	h.plan.Fee = false
	h.firstRun = func(in work.CaseInput) (work.LiveResult, error) {
		if h.Now().Sub(h.begin) < 3*time.Hour {
			return work.LiveResult{
				Connection: connectionOf(in.Case), State: work.Failing, Code: work.ClusterOffline, Problem: "The till is offline. Next: the venue checks.",
			}, nil
		}
		return work.LiveResult{Connection: connectionOf(in.Case), State: work.Healthy}, nil
	}
	h.at(time.Hour, func() { h.send(theCase, work.UpdateDecide, confirm) })
	h.at(2*time.Hour, func() { h.send(theCase, work.UpdateRecordEntry, entered) })
	h.at(150*time.Minute, func() {
		status := h.status(theCase)
		require.Equal(t, work.StageFirstRun, status.Stage)
		require.Equal(t, "venue", status.WaitingFor)
		require.Contains(t, status.Problem, "offline")
		require.Equal(t, connectionOf(theCase), status.Connection)
	})
	h.onboard(in)
	require.Equal(t, work.WentLive, h.ending(theCase).Outcome)
	require.Equal(t, []string{"live"}, h.went("SendCaseMail")[2:])
}

// A LocationOnboarding that a person starts says who starts it.
func TestALocationOnboardingIsNotStartedByHand(t *testing.T) {
	h := newHouse(t, work.LocationOnboardingID(theCase))
	h.ExecuteWorkflow(work.LocationOnboarding, work.LocationOnboardingInput{Case: theCase, Partner: work.Wisk})
	require.Equal(t, string(work.BadInput), h.failure().Type())
	require.Contains(t, h.failure().Message(), "clusterbridge onboard")
	require.Empty(t, h.calls)
}

func TestTheListOfActivitiesHasEachOnce(t *testing.T) {
	all := append(workflows.Activities(), workflows.OnboardingActivities()...)
	seen := map[string]bool{}
	for _, name := range all {
		require.False(t, seen[name], name)
		seen[name] = true
	}
}
