package workflows_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/work"
)

var update = flag.Bool("update", false, "write testdata/onboarding_details.golden again")

// page is a run's page at a moment that people look at.
type page struct {
	title string
	scene
}

// pages are all waits, in the order in which a venue may meet them.
func pages() []page {
	noFee := func(h *house) { h.plan.Fee = false }
	failing := func(activity string, code work.Code) func(*house) {
		return func(h *house) { noFee(h); h.fails[activity] = code }
	}
	found := func(r work.FindResult) func(*house) {
		return func(h *house) { h.find = func(work.CaseInput) (work.FindResult, error) { return r, nil } }
	}
	till := func(state string) func(*house) {
		return func(h *house) {
			noFee(h)
			h.till = func(work.CaseInput) (work.TillResult, error) { return work.TillResult{State: state}, nil }
		}
	}
	declines := act{work.UpdateDecide, decline}
	return []page{
		{"Cluster cannot be asked", scene{set: failing("FindVenue", work.ClusterUnreachable)}},
		{"Several venues may be meant", scene{set: found(work.FindResult{More: true, Candidates: []work.Candidate{
			{Serial: "CL-0001", TradeName: "Chez Marcel", Address: "12, rue Ontario Est, Montréal"},
			{Serial: "CL-0002", TradeName: "Chez Marcel | Plateau", Address: "9, rue Rachel, Montréal"},
		}})}},
		{"Cluster has no such venue", scene{set: found(work.FindResult{})}},
		{"Nobody is on Cluster's record", scene{set: found(work.FindResult{Serial: "CL-0001"})}},
		{"The contact's mail cannot be sent", scene{set: failing("AskContact", work.MailRefused)}},
		{"The contact is asked", scene{}},
		{"The mail of a decline cannot be sent", scene{set: failing("SendCaseMail/declined", work.MailServerRefused), acts: []act{declines}}},
		{"The fee is to be paid", scene{acts: []act{yes}}},
		{"The fee is to be paid, the billing system tells of it", scene{set: func(h *house) { h.plan.Hook = true }, acts: []act{yes}}},
		{"The invoice cannot be sent", scene{set: func(h *house) { h.fails["SendCaseMail/invoice"] = work.MailRefused }, acts: []act{yes}}},
		{"Cluster activates API access", scene{set: till(work.TillPending), acts: []act{yes}}},
		{"The way to the till cannot be opened", scene{set: failing("OpenTill", work.ClusterOfficeKey), acts: []act{yes}}},
		{"An operator puts in the key", scene{set: till(work.TillManual), acts: []act{yes}}},
		{"WISK's side is to be entered", scene{set: noFee, acts: []act{yes}}},
		{"7shifts' token is to be pasted", scene{shifts: true, acts: []act{yes}}},
		{"A token was wrong", scene{shifts: true, set: func(h *house) { h.verdicts(work.TokenWrong) }, acts: []act{yes, pastes}}},
		{"7shifts' plan is too low", scene{shifts: true, set: func(h *house) { h.verdicts(work.TokenPlan) }, acts: []act{yes, pastes}}},
		{"Too many tokens were wrong", scene{shifts: true, set: func(h *house) { h.verdicts(work.TokenWrong) }, acts: []act{yes, pastes, pastes, pastes}}},
		{"7shifts' location is to be chosen", scene{shifts: true, acts: []act{yes, pastes}}},
		{"A location could not be chosen", scene{shifts: true, set: func(h *house) {
			h.place = func(work.CaseAct) (work.PlaceResult, error) {
				return work.PlaceResult{Hindrances: []string{"zone", "other_pos"}}, nil
			}
		}, acts: []act{yes, pastes, chooses}}},
		{"The till is offline", scene{set: failing("GoLive", work.ClusterOffline), acts: []act{yes, enters}}},
		{"The first good run is waited for", scene{set: func(h *house) {
			noFee(h)
			h.firstRun = func(work.CaseInput) (work.LiveResult, error) { return work.LiveResult{State: work.Initializing}, nil }
		}, acts: []act{yes, enters}}},
		{"The first run failed", scene{set: func(h *house) {
			noFee(h)
			h.firstRun = func(work.CaseInput) (work.LiveResult, error) {
				return work.LiveResult{State: work.Failing, Code: work.PartnerToken, Problem: work.Err(work.PartnerToken, "").Sentence(wiskConnection)}, nil
			}
		}, acts: []act{yes, enters}}},
		{"Undoing fails", scene{set: func(h *house) { h.fails["UndoOnboarding"] = work.ClusterOfficeKey }, acts: []act{yes, {work.UpdateCancelOnboarding, toCancel}}}},
		{"The paid fee is to be given back", scene{set: func(h *house) {
			h.undo = func(in work.UndoInput) (work.UndoResult, error) {
				return work.UndoResult{Refund: in.Step == work.UndoFee}, nil
			}
		}, acts: []act{yes, pays, {work.UpdateCancelOnboarding, toCancel}}}},
		{"The ledger does not answer", scene{set: func(h *house) { h.fails["NoteStage"] = work.LedgerUnavailable }}},
	}
}

// What a run's page shows at each wait, to be read by whoever changes a word;
// the operators' guide shows the same.
func TestEveryWaitIsShownAsItsExample(t *testing.T) {
	golden := filepath.Join("testdata", "onboarding_details.golden")
	text := ""
	add := func(title, details string) { text += "# " + title + "\n\n" + details + "\n\n" }
	for _, p := range pages() {
		h, in, caseID, there := p.play(t)
		h.at(there, func() {
			add(p.title, h.details(work.LocationOnboardingID(caseID)))
			h.mu.Lock()
			defer h.mu.Unlock()
			clear(h.fails)
			h.undo = func(work.UndoInput) (work.UndoResult, error) { return work.UndoResult{}, nil }
		})
		h.at(there+time.Second, func() { h.send(caseID, work.UpdateCancelOnboarding, toCancel) })
		h.at(there+time.Minute, func() {
			if !h.IsWorkflowCompleted() { // one that gave no refund
				h.send(caseID, work.UpdateRefundFee, paid)
			}
		})
		h.onboard(in)
	}
	h, in := many(t, 3)
	h.at(time.Hour, func() {
		h.send(caseOf(1), work.UpdateDecide, decline)
		h.send(caseOf(2), work.UpdateDecide, confirm)
	})
	h.at(2*time.Hour, func() {
		add("A request of three venues", h.details("onboarding:wisk:"+request))
		add("A venue that has ended", h.details(work.LocationOnboardingID(caseOf(1))))
		h.CancelWorkflow()
	})
	h.onboard(in)
	add("A request that has ended", h.details("onboarding:wisk:"+request))
	for what, waits := range map[string]string{work.RotatePartnerKey: work.RotationEntry} {
		h, in := rotates(t, wiskConnection, what, waits)
		h.at(time.Hour, func() {
			add("A new key of WISK's is to be entered", h.details("rotate:wisk:chez-marcel:2"))
			h.CancelWorkflow()
		})
		h.rotate(in)
	}
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(text), 0o644))
	}
	held, err := os.ReadFile(golden)
	require.NoError(t, err, "write it with: go test ./workflows -update")
	want, got := strings.Split(string(held), "\n# "), strings.Split(text, "\n# ")
	for i := range min(len(want), len(got)) {
		require.Equal(t, want[i], got[i], "If it is meant so: go test ./workflows -update")
	}
	require.Len(t, got, len(want))
}
