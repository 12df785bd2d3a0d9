package workflows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// allUpdates are all Updates of a LocationOnboarding, with an input that is good,
// and what is said where they make no sense.
var allUpdates = map[string]struct{ input, says string }{
	work.UpdateChooseLocation:        {`{"serial":"CL-1"`, "which venue is meant is known"},
	work.UpdateContactEntered:        {`{`, ""},
	work.UpdateDecide:                {`{"decision":"confirm"`, "the answer is known already: confirm"},
	work.UpdateRecordPayment:         {`{"reference":"BK-1"`, "the fee is paid already"},
	work.UpdatePaymentNoticed:        {`{`, ""},
	work.UpdateWaiveFee:              {`{`, "the fee is paid already"},
	work.UpdateRefundFee:             {`{"reference":"BK-1"`, "no paid fee can be given back"},
	work.UpdateCredentialsEntered:    {`{`, "no key is waited for"},
	work.UpdateRecordEntry:           {`{"route":"pull","modifiers":"off"`, "no entry is waited for"},
	work.UpdateTryToken:              {`{`, "no token is waited for"},
	work.UpdateChoosePartnerLocation: {`{"location":7,"receiptDate":"opened","workday":true`, "no location is waited for"},
	work.UpdateRetry:                 {`{`, "there is nothing to try again"},
}

func goodInput(start string) string {
	const who = `"by":"lea","reason":"other","note":"x"}`
	if start == "{" {
		return start + who
	}
	return start + "," + who
}

// An Update that makes no sense where a case stands is refused, without a
// trace, and says what is waited for instead.
func TestUpdatesThatMakeNoSenseAreRefused(t *testing.T) {
	type stand struct {
		set  func(h *house)
		acts []act
		now  string            // is waited for
		fits []string          // Updates that make sense
		says map[string]string // what is said else
	}
	confirming := stand{now: "it waits for the venue: the venue's yes or no", fits: []string{work.UpdateDecide, work.UpdatePaymentNoticed, work.UpdateWaiveFee}, says: map[string]string{
		work.UpdateRecordPayment: "the fee is not due yet",
	}}
	paying := stand{acts: []act{yes}, now: "it waits for the payment: the one-time fee, invoice CB-2026-0017",
		fits: []string{work.UpdateRecordPayment, work.UpdateWaiveFee, work.UpdatePaymentNoticed}}
	entering := stand{acts: []act{yes, pays}, now: "it waits for the partner: the entry of serial number and key",
		fits: []string{work.UpdateRecordEntry, work.UpdateRefundFee, work.UpdatePaymentNoticed}}
	free := stand{set: func(h *house) { h.plan.Fee = false }, acts: []act{yes}, now: "it waits for the partner",
		fits: []string{work.UpdateRecordEntry}, says: map[string]string{
			work.UpdateRecordPayment: "there is no fee to be paid", work.UpdateWaiveFee: "there is no fee to be paid",
			work.UpdatePaymentNoticed: "there is no fee to be paid",
		}}
	for _, s := range []stand{confirming, paying, entering, free} {
		for name, u := range allUpdates {
			if slices.Contains(s.fits, name) || name == work.UpdateContactEntered {
				continue // another contact may be entered at any time
			}
			h, in := one(t)
			if s.set != nil {
				s.set(h)
			}
			for i, a := range s.acts {
				h.at(time.Duration(i+1)*time.Hour, func() { h.send(theCase, a.update, a.in) })
			}
			there := time.Duration(len(s.acts)+1) * time.Hour
			h.at(there, func() {
				h.accepted = 0
				h.send(theCase, name, typed(goodInput(u.input)))
			})
			h.at(there+time.Minute, func() {
				require.Zero(t, h.accepted, name)
				h.send(theCase, work.UpdateCancelOnboarding, toCancel)
			})
			h.onboard(in)
			says := u.says
			if other := s.says[name]; other != "" {
				says = other
			}
			require.Len(t, h.refusals, 1, name)
			require.Contains(t, h.refusals[0], says, name)
			require.Contains(t, h.refusals[0], s.now, name)
			require.Contains(t, h.refusals[0], "This cannot be done now: ")
			require.Contains(t, h.refusals[0], "Next: clusterbridge onboarding show "+theCase)
		}
	}
}

// What people send is read strictly: a misspelled field never passes as one
// that was left out.
func TestUpdatesAreReadStrictly(t *testing.T) {
	h, in := one(t)
	h.plan.Fee = false
	all := []string{work.UpdateCancelOnboarding}
	for name := range allUpdates {
		all = append(all, name)
	}
	h.at(time.Hour, func() {
		for _, name := range all {
			good := goodInput(allUpdates[name].input)
			if name == work.UpdateCancelOnboarding {
				good = goodInput("{")
			}
			h.send(theCase, name, typed(strings.Replace(good, `"note"`, `"notes"`, 1)))
			h.send(theCase, name, typed(strings.Replace(good, `"by":"lea"`, `"by":"lea@example.com"`, 1)))
		}
	})
	h.at(2*time.Hour, func() {
		require.Zero(t, h.accepted)
		require.Len(t, h.refusals, 2*len(all))
		for i, name := range all {
			require.Contains(t, h.refusals[2*i], `unknown field "notes"`, name)
			require.Contains(t, h.refusals[2*i+1], `field "by"`, name)
		}
		h.send(theCase, work.UpdateDecide, decline)
	})
	h.onboard(in)
}

// The search attributes name the partner at once, the connection when it is
// known, and who has to act for as long as somebody has.
func TestSearchAttributesSayWhoHasToAct(t *testing.T) {
	h, in := one(t)
	h.plan.Fee = false
	var waiting, connections []string
	h.OnUpsertTypedSearchAttributes(anything).Return(nil).Run(func(args mock.Arguments) {
		given := args.Get(0).(temporal.SearchAttributes)
		if given.Size() == 0 { // only an attribute that is taken away
			waiting = append(waiting, "")
		}
		for key, value := range given.GetUntypedValues() {
			text, _ := value.(string)
			switch key.GetName() {
			case work.AttrWaitingFor:
				waiting = append(waiting, text)
			case work.AttrConnection:
				connections = append(connections, text)
			}
		}
	})
	h.at(time.Hour, func() { h.send(theCase, work.UpdateDecide, confirm) })
	h.at(2*time.Hour, func() { h.send(theCase, work.UpdateRecordEntry, entered) })
	h.onboard(in)
	require.Equal(t, []string{"venue", "", "partner", ""}, waiting)
	require.Equal(t, connectionOf(theCase), connections[0])
}
