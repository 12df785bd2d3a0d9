package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// verdicts answers tokens one after the other; the last is said for ever.
func (h *house) verdicts(all ...string) {
	h.token = func(work.TokenTry) (work.TokenResult, error) {
		verdict := all[0]
		all = all[min(1, len(all)-1):]
		return work.TokenResult{Verdict: verdict}, nil
	}
}

// tries sends tokens from an hour on, one an hour.
func (h *house) tries(n int) {
	h.at(time.Hour, func() { h.send(shiftsCase, work.UpdateDecide, confirm) })
	for i := range n {
		h.at(time.Duration(i+2)*time.Hour, func() { h.send(shiftsCase, work.UpdateTryToken, byVenue) })
	}
}

// After three wrong tokens an operator talks with the venue and gives it new
// tries.
func TestThreeWrongTokensWaitForAnOperator(t *testing.T) {
	h, in := oneShifts(t)
	h.verdicts(work.TokenWrong, work.TokenWrong, work.TokenWrong, work.TokenWrong, work.TokenGood)
	h.tries(4) // the fourth at 05:00 is refused
	h.at(4*time.Hour-time.Minute, func() {
		status := h.status(shiftsCase)
		require.Equal(t, "venue", status.WaitingFor)
		require.Contains(t, status.Problem, "1 of 3 tries are left")
	})
	h.at(5*time.Hour+time.Minute, func() {
		status := h.status(shiftsCase)
		require.Equal(t, work.StageToken, status.Stage)
		require.Equal(t, "operator", status.WaitingFor)
		require.Contains(t, status.Problem, "refused 3 tokens")
		h.send(shiftsCase, work.UpdateRetry, bySteer)
	})
	for _, at := range []time.Duration{6 * time.Hour, 7 * time.Hour} {
		h.at(at, func() { h.send(shiftsCase, work.UpdateTryToken, byVenue) })
	}
	h.at(8*time.Hour, func() { h.send(shiftsCase, work.UpdateChoosePartnerLocation, placed) })
	h.onboard(in)
	require.Len(t, h.refusals, 1)
	require.Contains(t, h.refusals[0], "too many tokens were wrong; it waits for an operator")
	require.Equal(t, []string{"1", "2", "3", "4", "5"}, h.went("CheckToken"), "each try has a number")
	var left []int
	for _, a := range h.answers {
		if result, ok := a.(work.TokenResult); ok {
			left = append(left, result.Left)
		}
	}
	require.Equal(t, []int{2, 1, 0, 2, 3}, left)
	require.Equal(t, []string{"confirmation venue", "token venue", "token operator", "token venue", "location venue", "ended"}, h.waits(shiftsCase))
}

// A plan that is too low is explained and is no try; nor is one that 7shifts
// did not answer.
func TestAPlanThatIsTooLowIsExplained(t *testing.T) {
	h, in := oneShifts(t)
	h.plan.TokenTries = 1
	h.verdicts(work.TokenPlan, work.TokenPlan, work.TokenGood)
	h.tries(3)
	h.at(3*time.Hour+time.Minute, func() {
		status := h.status(shiftsCase)
		require.Equal(t, "venue", status.WaitingFor)
		require.Contains(t, status.Problem, "its plan is too low")
		h.sick("CheckToken", work.PartnerRefused)
		h.send(shiftsCase, work.UpdateTryToken, byVenue)
	})
	h.at(3*time.Hour+2*time.Minute, func() {
		require.Len(t, h.failures, 1)
		require.Contains(t, h.status(shiftsCase).Problem, "its plan is too low")
		h.sick("CheckToken", "")
	})
	h.at(5*time.Hour, func() { h.send(shiftsCase, work.UpdateChoosePartnerLocation, placed) })
	h.onboard(in)
	require.Equal(t, []string{"1", "2", "3", "4"}, h.went("CheckToken"))
	require.Empty(t, h.refusals)
}

// A location with hindrances is told to who chose it; another account's token
// may be pasted instead, and a wrong one leads back to the token.
func TestALocationWithHindrances(t *testing.T) {
	h, in := oneShifts(t)
	hindrances := []string{"zone", "other_pos"}
	h.place = func(in work.CaseAct) (work.PlaceResult, error) {
		if in.Location == 7 {
			return work.PlaceResult{Hindrances: hindrances}, nil
		}
		return work.PlaceResult{}, nil
	}
	h.verdicts(work.TokenGood, work.TokenWrong, work.TokenGood)
	h.tries(1)
	h.at(3*time.Hour, func() { h.send(shiftsCase, work.UpdateChoosePartnerLocation, placed) })
	h.at(4*time.Hour, func() {
		require.Equal(t, work.StageLocation, h.status(shiftsCase).Stage)
		require.Contains(t, h.status(shiftsCase).Problem, "zone, other_pos")
		h.send(shiftsCase, work.UpdateTryToken, byVenue)
	})
	h.at(5*time.Hour, func() {
		require.Equal(t, work.StageToken, h.status(shiftsCase).Stage)
		h.send(shiftsCase, work.UpdateChoosePartnerLocation, placed)
		h.send(shiftsCase, work.UpdateTryToken, byVenue)
	})
	h.at(6*time.Hour, func() {
		require.Empty(t, h.status(shiftsCase).Problem, "the other account has none yet")
		other := placed
		other.Location = 8
		h.send(shiftsCase, work.UpdateChoosePartnerLocation, other)
	})
	result := h.onboard(in)
	require.Equal(t, work.WentLive, result.Venues[0].Outcome)
	require.Contains(t, h.answers, work.PlaceResult{Hindrances: hindrances})
	require.Len(t, h.refusals, 1)
	require.Contains(t, h.refusals[0], "no location is waited for; it waits for the venue: 7shifts' access token")
}

// The mail for the token cannot be sent, and the token comes all the same.
func TestATokenWhileTheMailCannotBeSent(t *testing.T) {
	h, in := oneShifts(t)
	h.fails["SendCaseMail/token-needed"] = work.MailServerRefused
	h.tries(1)
	h.at(3*time.Hour, func() { h.send(shiftsCase, work.UpdateChoosePartnerLocation, placed) })
	require.Equal(t, work.WentLive, h.onboard(in).Venues[0].Outcome)
}
