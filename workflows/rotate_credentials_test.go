package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// rotates is a house in which a credential is replaced; say sends an Update.
func rotates(t *testing.T, conn, what, waits string) (h *house, in work.RotateInput) {
	t.Helper()
	h = newHouse(t, "rotate:"+conn+":2")
	h.plan.Fee = false
	h.rotation = func(work.RotationStart) (work.RotationResult, error) {
		return work.RotationResult{Waits: waits, Plan: h.plan}, nil
	}
	return h, work.RotateInput{Connection: conn, What: what, By: "omar", Reason: "maintenance", Note: "once a year"}
}

func (h *house) say(d time.Duration, update string, in any) {
	h.at(d, func() { h.UpdateWorkflow(update, "", &answer{h}, in) })
}

func (h *house) rotate(in work.RotateInput) work.ActResult {
	h.t.Helper()
	h.ExecuteWorkflow(work.RotateCredentials, in)
	require.NoError(h.t, h.GetWorkflowError())
	var result work.ActResult
	require.NoError(h.t, h.GetWorkflowResult(&result))
	return result
}

const wiskConnection = "wisk:chez-marcel"

func TestAKeyThatIsIssuedIsReplacedAtOnce(t *testing.T) {
	h, in := rotates(t, wiskConnection, work.RotateTillKey, "")
	result := h.rotate(in)
	require.Equal(t, "The token is replaced.", result.Summary)
	require.Equal(t, work.RotationStart{
		Case: "wisk:chez-marcel:r2", Connection: wiskConnection, What: work.RotateTillKey, By: "omar", Reason: "maintenance", Note: "once a year",
	}, h.callsOf("BeginRotation")[0].in)
	require.Equal(t, work.RotationEnd{Case: "wisk:chez-marcel:r2", By: "omar", Reason: "maintenance", Note: "once a year"}, h.callsOf("FinishRotation")[0].in)
	require.Contains(t, h.details("rotate:wisk:chez-marcel:2"), "**Ended: live.** The token is replaced.")
}

func TestATokenIsReplacedWhenTheNewOneIsGood(t *testing.T) {
	h, in := rotates(t, connection, work.RotateToken, work.RotationToken)
	h.plan.TokenTries = 2
	h.verdicts(work.TokenWrong, work.TokenWrong, work.TokenGood)
	h.say(time.Hour, work.UpdateTryToken, byVenue)
	h.say(2*time.Hour, work.UpdateTryToken, byVenue)
	h.at(150*time.Minute, func() {
		status := statusOf(h, "rotate:"+connection+":2")
		require.Equal(t, "operator", status.WaitingFor)
		require.Equal(t, connection, status.Connection)
		require.Equal(t, connection+":r2", status.Case)
		require.Empty(t, h.went("FinishRotation"), "the old one works until then")
	})
	h.say(3*time.Hour, work.UpdateRetry, bySteer)
	h.say(4*time.Hour, work.UpdateTryToken, byVenue)
	h.rotate(in)
	require.Empty(t, h.refusals)
	require.Equal(t, []string{"token-needed"}, h.went("SendCaseMail"))
	require.Equal(t, []string{"false"}, h.went("FinishRotation"))
}

func TestAPartnersKeyIsReplacedWhenItIsEntered(t *testing.T) {
	h, in := rotates(t, wiskConnection, work.RotatePartnerKey, work.RotationEntry)
	h.at(time.Hour, func() { require.Equal(t, "partner", statusOf(h, "rotate:wisk:chez-marcel:2").WaitingFor) })
	h.say(time.Hour, work.UpdateTryToken, byVenue)
	h.say(2*time.Hour, work.UpdateKeyEntered, bySteer)
	h.rotate(in)
	require.Len(t, h.refusals, 1)
	require.Contains(t, h.refusals[0], "no token is waited for; it waits for the partner: the entry of the new key")
	require.Equal(t, []string{"credentials", "credentials-to-support"}, h.went("SendCaseMail"))
	require.WithinDuration(t, h.begin.Add(2*time.Hour), h.callsOf("FinishRotation")[0].at, time.Second)
}

func TestAKeyIsReplacedByHand(t *testing.T) {
	h, in := rotates(t, wiskConnection, work.RotateTillKey, work.RotationKey)
	h.at(time.Hour, func() {
		require.Equal(t, work.StageKey, statusOf(h, "rotate:wisk:chez-marcel:2").Stage)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.rotation = func(work.RotationStart) (work.RotationResult, error) { return work.RotationResult{Plan: h.plan}, nil }
	})
	h.say(2*time.Hour, work.UpdateKeyEntered, bySteer)
	h.say(3*time.Hour, work.UpdateCredentialsEntered, bySteer)
	h.rotate(in)
	require.Len(t, h.went("BeginRotation"), 2)
	require.Len(t, h.refusals, 1)
	require.WithinDuration(t, h.begin.Add(3*time.Hour), h.callsOf("FinishRotation")[0].at, time.Second)
}

// A cancelled rotation takes the new credential away, also while it is in
// trouble; what has begun to go cannot be called back.
func TestARotationIsCancelled(t *testing.T) {
	for name, c := range map[string]struct {
		set    func(h *house)
		button bool
		by     string
		says   string
	}{
		"by an Update":     {by: "omar"},
		"by the button":    {button: true, by: "temporal-ui"},
		"while in trouble": {set: func(h *house) { h.fails["SendCaseMail"] = work.MailServerRefused }, by: "omar"},
		"in its beginning": {set: func(h *house) { h.fails["BeginRotation"] = work.LedgerUnavailable }, by: "omar"},
		"before it has begun": {set: func(h *house) {
			h.fails["BeginRotation"], h.fails["FinishRotation"] = work.LedgerUnavailable, work.BadInput
		}, by: "omar", says: "Nothing had been begun."},
	} {
		t.Run(name, func(t *testing.T) {
			h, in := rotates(t, connection, work.RotateToken, work.RotationToken)
			if c.set != nil {
				c.set(h)
			}
			if c.button {
				h.at(time.Hour, h.CancelWorkflow)
			} else {
				h.say(time.Hour, work.UpdateCancelOnboarding, toCancel)
				h.say(time.Hour, work.UpdateCancelOnboarding, toCancel)
			}
			result := h.rotate(in)
			end := h.callsOf("FinishRotation")[0].in.(work.RotationEnd)
			require.True(t, end.Cancelled)
			require.Equal(t, c.by, end.By)
			require.Contains(t, result.Summary, "Cancelled by "+c.by+". "+c.says)
			require.Equal(t, c.says == "", h.noted(connection+":r2", work.Cancelled))
			require.Equal(t, c.button, len(h.refusals) == 0)
		})
	}
	h, in := rotates(t, wiskConnection, work.RotateTillKey, "")
	h.fails["FinishRotation"] = work.ClusterUnreachable
	h.say(time.Hour, work.UpdateCancelOnboarding, toCancel)
	h.at(90*time.Minute, func() { h.sick("FinishRotation", "") })
	h.say(2*time.Hour, work.UpdateRetry, bySteer)
	h.rotate(in)
	require.Contains(t, h.refusals[0], "the new credential is in use")
	require.False(t, h.callsOf("FinishRotation")[0].in.(work.RotationEnd).Cancelled)
}

// What no patience mends fails at once; what may mend is tried again.
func TestARotationThatCannotBegin(t *testing.T) {
	for _, code := range []work.Code{work.UnknownConnection, work.ConnectionNotLive, work.BadInput, work.Internal} {
		h, in := rotates(t, connection, work.RotateToken, "")
		h.fails["BeginRotation"] = code
		h.ExecuteWorkflow(work.RotateCredentials, in)
		require.Equal(t, string(code), h.failure().Type())
		require.Empty(t, h.went("FinishRotation"))
	}
	h, in := rotates(t, connection, work.RotateToken, "")
	h.fails["BeginRotation"] = work.LeaseHeld
	h.at(time.Hour, func() { h.sick("BeginRotation", "") })
	h.rotate(in)
}

func TestARotationIsTakenStrictlyAndUnderItsID(t *testing.T) {
	const good = `{"connection":"7shifts:chez-marcel","what":"token","by":"omar","reason":"other","note":"x"}`
	for _, c := range []struct{ id, input, code string }{
		{"rotate:" + connection + ":a_1", good, "wrong_workflow_id"},
		{"rotate:" + connection + ":123456789012345", good, "wrong_workflow_id"},
		{"rotate:" + connection, good, "wrong_workflow_id"},
		{"rotate:" + connection + ":1", good[:len(good)-1] + `,"n":1}`, "bad_input"},
	} {
		h := newHouse(t, c.id)
		h.ExecuteWorkflow(work.RotateCredentials, typed(c.input))
		require.Equal(t, c.code, h.failure().Type())
		require.Empty(t, h.calls)
	}
}

// A mail that the contact's server refuses goes to the one that an operator
// enters.
func TestARotationsMailGoesToAnotherContact(t *testing.T) {
	h, in := rotates(t, wiskConnection, work.RotatePartnerKey, work.RotationEntry)
	h.fails["SendCaseMail"] = work.MailRefused
	h.at(time.Hour, func() {
		require.Contains(t, h.details("rotate:wisk:chez-marcel:2"), "`clusterbridge onboarding contact wisk:chez-marcel:r2`")
		h.sick("SendCaseMail", "")
	})
	h.say(time.Hour+time.Second, work.UpdateContactEntered, bySteer)
	h.say(time.Hour+time.Minute, work.UpdateContactEntered, bySteer)
	h.say(2*time.Hour, work.UpdateKeyEntered, bySteer)
	h.rotate(in)
	require.Len(t, h.went("ReadContact"), 1)
	require.Len(t, h.refusals, 1)
	require.WithinDuration(t, h.begin.Add(time.Hour), h.callsOf("SendCaseMail")[len(h.callsOf("SendCaseMail"))-1].at, time.Minute)
}

// A token that opens another account is good and of no use here: another one is
// waited for, and the old one works on.
func TestATokenOfAnotherAccountIsNotTaken(t *testing.T) {
	h, in := rotates(t, connection, work.RotateToken, work.RotationToken)
	h.fails["FinishRotation"] = work.BadInput
	h.say(time.Hour, work.UpdateTryToken, byVenue)
	h.at(2*time.Hour, func() {
		status := statusOf(h, "rotate:"+connection+":2")
		require.Equal(t, work.StageToken, status.Stage)
		require.Equal(t, "venue", status.WaitingFor)
		require.Contains(t, status.Problem, "does not open this connection's location")
		h.sick("FinishRotation", "")
	})
	h.say(3*time.Hour, work.UpdateTryToken, byVenue)
	h.rotate(in)
	require.Equal(t, []string{"false", "false"}, h.went("FinishRotation"))
	require.True(t, h.noted(connection+":r2", work.WentLive))
}
