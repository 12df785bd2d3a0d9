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

var leaving = work.OffboardInput{Connection: connection, By: "omar", Reason: "venue_asked", Note: "it closes"}

// leaver is a house in which a connection ends; steps are what was done.
func leaver(t *testing.T, backfills bool) *house {
	t.Helper()
	h := newHouse(t, "offboard:"+connection+":1")
	h.OnActivity("KeepSchedules", anything, anything).Return(func(_ context.Context, in work.KeepInput) (work.KeeperResult, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.calls = append(h.calls, call{name: "KeepSchedules", what: in.Connection, in: in, at: h.Now()})
		return work.KeeperResult{}, nil
	}).Maybe()
	var gone error
	if !backfills {
		gone = &temporal.UnknownExternalWorkflowExecutionError{}
	}
	h.OnRequestCancelExternalWorkflow(anything, work.BackfillID(connection), "").Return(gone).Once()
	return h
}

func (h *house) steps() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []string
	for _, c := range h.calls {
		all = append(all, c.name)
	}
	return slices.Compact(all)
}

func TestAConnectionEndsAndThatIsProven(t *testing.T) {
	for _, backfills := range []bool{true, false} {
		h := leaver(t, backfills)
		h.ExecuteWorkflow(work.Offboarding, leaving)
		var result work.OffboardResult
		require.NoError(t, h.GetWorkflowResult(&result))
		require.Equal(t, []string{"no schedule", "no secret"}, result.Proof)
		require.Equal(t, []string{"BeginOffboarding", "KeepSchedules", "SendOffboarded", "ForgetConnection", "ProveOffboarded"}, h.steps())
		require.Equal(t, work.OffboardStep(leaving), h.callsOf("ForgetConnection")[0].in)
		require.Contains(t, h.details("offboard:"+connection+":1"), "- no secret")
		h.AssertExpectations(t)
	}
}

// What is still there is looked at again for some minutes; then it fails, and
// says so.
func TestWhatIsStillThereFailsInTheEnd(t *testing.T) {
	for _, lasts := range []time.Duration{5 * time.Minute, day} {
		h := leaver(t, false)
		began := h.Now()
		h.prove = func(work.OffboardStep) (work.OffboardResult, error) {
			if h.Now().Sub(began) < lasts {
				return work.OffboardResult{}, problem(work.StillThere)
			}
			return work.OffboardResult{Summary: "Ended."}, nil
		}
		h.ExecuteWorkflow(work.Offboarding, leaving)
		if lasts < time.Hour {
			require.NoError(t, h.GetWorkflowError())
			continue
		}
		require.Equal(t, string(work.StillThere), h.failure().Type())
		require.Contains(t, h.details("offboard:"+connection+":1"), "**Failed.** Something of the connection is still there.")
		require.InDelta(t, 10*time.Minute, h.Now().Sub(began), float64(2*time.Minute))
	}
}

// A mail that cannot be sent keeps no secret here; the result says it.
func TestAnOffboardingWhoseMailCannotBeSent(t *testing.T) {
	h := leaver(t, false)
	h.fails["SendOffboarded"] = work.MailRefused
	h.ExecuteWorkflow(work.Offboarding, leaving)
	var result work.OffboardResult
	require.NoError(t, h.GetWorkflowResult(&result))
	require.Contains(t, result.Summary, "The connection has ended. The venue was not told by mail: The mail server refuses this recipient")
	require.Equal(t, []string{"BeginOffboarding", "KeepSchedules", "SendOffboarded", "ForgetConnection", "ProveOffboarded"}, h.steps())
}

func TestAnOffboardingFailsWithTheSentence(t *testing.T) {
	h := leaver(t, false)
	h.fails["BeginOffboarding"] = work.UnknownConnection
	h.ExecuteWorkflow(work.Offboarding, leaving)
	require.Equal(t, string(work.UnknownConnection), h.failure().Type())
	require.Equal(t, []string{"BeginOffboarding"}, h.steps())
}

func TestAnOffboardingIsTakenStrictlyAndUnderItsID(t *testing.T) {
	const good = `{"connection":"7shifts:chez-marcel","by":"omar","reason":"other","note":"x"}`
	for _, c := range []struct{ id, input, code string }{
		{"offboard:7shifts:other:1", good, "wrong_workflow_id"},
		{"offboard:" + connection + ":", good, "wrong_workflow_id"},
		{"offboard:" + connection + ":1", good[:len(good)-1] + `,"what":"x"}`, "bad_input"},
	} {
		h := newHouse(t, c.id)
		h.ExecuteWorkflow(work.Offboarding, typed(c.input))
		require.Equal(t, c.code, h.failure().Type())
		require.Empty(t, h.calls)
	}
}
