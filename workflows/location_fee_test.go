package workflows_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// confirmed is a house whose venue says yes after an hour, and enters WISK's
// side after ten days.
func confirmed(t *testing.T) (*house, work.OnboardingInput) {
	t.Helper()
	h, in := one(t)
	h.at(time.Hour, func() { h.send(theCase, work.UpdateDecide, confirm) })
	h.at(10*day, func() { h.send(theCase, work.UpdateRecordEntry, entered) })
	return h, in
}

func TestTheFeeIsWaived(t *testing.T) {
	for name, c := range map[string]struct {
		at    time.Duration
		mails []string
	}{
		"when it is due":             {2 * time.Hour, []string{"invoice", "credentials", "credentials-to-support", "live"}},
		"before the charge is there": {30 * time.Minute, []string{"credentials", "credentials-to-support", "live"}},
	} {
		t.Run(name, func(t *testing.T) {
			h, in := confirmed(t)
			h.at(c.at, func() { h.send(theCase, work.UpdateWaiveFee, bySteer) })
			h.at(c.at+time.Second, func() { h.send(theCase, work.UpdateWaiveFee, bySteer) })
			h.at(3*time.Hour, func() { h.send(theCase, work.UpdateRecordPayment, paid) })
			result := h.onboard(in)
			require.Equal(t, work.WentLive, result.Venues[0].Outcome)
			require.Equal(t, []string{"WaiveFee"}, h.went("SettleCharge"))
			require.Equal(t, c.mails, h.went("SendCaseMail"))
			require.Len(t, h.refusals, 2)
			require.Contains(t, h.refusals[1], "nothing is to be paid any more, the charge is waived")
		})
	}
}

// A waiver that was said before, for a charge that turns out to be paid, does
// nothing.
func TestAWaiverComesTooLate(t *testing.T) {
	h, in := confirmed(t)
	h.open = func(work.CaseInput) (work.ChargeResult, error) { return work.ChargeResult{State: work.ChargePaid}, nil }
	h.at(30*time.Minute, func() { h.send(theCase, work.UpdateWaiveFee, bySteer) })
	h.onboard(in)
	require.Empty(t, h.went("SettleCharge"))
	require.Contains(t, h.went("SendCaseMail"), "payment-received")
}

func TestAPaymentIsRecordedOnce(t *testing.T) {
	h, in := confirmed(t)
	h.at(30*time.Minute, func() { h.send(theCase, work.UpdateRecordPayment, paid) })
	h.at(2*time.Hour, func() {
		h.send(theCase, work.UpdateRecordPayment, paid) // both in one moment
		h.send(theCase, work.UpdateRecordPayment, paid)
	})
	h.at(3*time.Hour, func() { h.send(theCase, work.UpdateRecordPayment, paid) })
	h.onboard(in)
	require.Equal(t, []string{"RecordPayment"}, h.went("SettleCharge"))
	all := append(h.refusals, h.failures...)
	require.Len(t, all, 3)
	require.Contains(t, all[0], "the fee is not due yet; it waits for the venue")
	require.Contains(t, all[1], "the fee is paid already; it waits for the partner")
	require.Contains(t, all[2], "the fee is paid already")
}

// The billing system tells of a payment before we know of the invoice: it is
// known when the charge is opened.
func TestAPaymentComesBeforeTheInvoicesRecord(t *testing.T) {
	h, in := confirmed(t)
	h.plan.Hook = true
	h.open = func(work.CaseInput) (work.ChargeResult, error) { return work.ChargeResult{State: work.ChargePaid}, nil }
	h.at(30*time.Minute, func() { h.send(theCase, work.UpdatePaymentNoticed, bySteer) })
	h.onboard(in)
	require.Empty(t, h.refusals)
	require.Empty(t, h.went("CheckCharge"))
	require.Equal(t, []string{"payment-received", "credentials", "credentials-to-support", "live"}, h.went("SendCaseMail"))
}

// It tells of it at once, or what it told was lost and it is asked.
func TestTheBillingSystemTellsOrIsAsked(t *testing.T) {
	for _, told := range []bool{true, false} {
		h, in := confirmed(t)
		h.plan.Hook = true
		paidAt := h.begin.Add(day)
		h.check = func(work.CaseInput) (work.ChargeResult, error) {
			if h.Now().Before(paidAt) {
				return work.ChargeResult{State: work.ChargeOpen}, nil
			}
			return work.ChargeResult{State: work.ChargePaid}, nil
		}
		if told {
			h.at(day+time.Second, func() { h.send(theCase, work.UpdatePaymentNoticed, bySteer) })
			h.at(day+time.Minute, func() { h.send(theCase, work.UpdatePaymentNoticed, bySteer) })
		}
		h.onboard(in)
		require.Empty(t, h.refusals)
		checks := slices.DeleteFunc(h.callsOf("CheckCharge"), func(c call) bool { return c.at.Before(paidAt) })
		late := checks[0].at.Sub(paidAt)
		require.Equal(t, told, late < time.Minute, late)
		require.Less(t, late, 6*time.Hour+time.Minute)
		require.Contains(t, h.went("SendCaseMail"), "payment-received")
	}
}

// A paid fee that is given back is as if it had been waived.
func TestAPaidFeeIsGivenBackOnTheWay(t *testing.T) {
	h, in := confirmed(t)
	h.at(2*time.Hour, func() { h.send(theCase, work.UpdateRefundFee, paid) })
	h.at(3*time.Hour, func() { h.send(theCase, work.UpdateRecordPayment, paid) })
	h.at(4*time.Hour, func() { h.send(theCase, work.UpdateRefundFee, paid) })
	h.at(5*time.Hour, func() { h.send(theCase, work.UpdateRefundFee, paid) })
	result := h.onboard(in)
	require.Equal(t, work.WentLive, result.Venues[0].Outcome)
	require.Equal(t, []string{"RecordPayment", "RefundFee"}, h.went("SettleCharge"))
	require.Len(t, h.refusals, 2)
	require.Contains(t, h.refusals[0], "no paid fee can be given back")
}

// An invoice that cannot be sent does not keep a payment from being recorded.
func TestAPaymentWhileTheInvoiceCannotBeSent(t *testing.T) {
	h, in := confirmed(t)
	h.fails["SendCaseMail/invoice"] = work.MailRefused
	h.at(2*time.Hour, func() {
		require.Equal(t, "operator", h.status(theCase).WaitingFor)
		require.Contains(t, h.status(theCase).Problem, "refuses this recipient")
		h.send(theCase, work.UpdateRecordPayment, paid)
	})
	h.at(2*time.Hour+time.Minute, func() { require.Equal(t, work.StageEntry, h.status(theCase).Stage) })
	h.onboard(in)
	require.Contains(t, h.went("SendCaseMail"), "payment-received")
}

// The billing system tells that a paid fee was given back, on the way or after
// a cancellation, or is asked.
func TestTheBillingSystemTellsOfARefund(t *testing.T) {
	for name, c := range map[string]struct{ cancelled, told bool }{
		"on the way": {false, true}, "after a cancellation": {true, true}, "after a cancellation, untold": {true, false},
	} {
		t.Run(name, func(t *testing.T) {
			h, in := confirmed(t)
			h.plan.Hook = true
			state := work.ChargeOpen
			h.check = func(work.CaseInput) (work.ChargeResult, error) { return work.ChargeResult{State: state}, nil }
			h.undo = func(in work.UndoInput) (work.UndoResult, error) {
				return work.UndoResult{Refund: in.Step == work.UndoFee}, nil
			}
			turn := func(to string, told bool) func() {
				return func() {
					h.mu.Lock()
					state = to
					h.mu.Unlock()
					if told {
						h.send(theCase, work.UpdatePaymentNoticed, bySteer)
					}
				}
			}
			h.at(2*time.Hour, turn(work.ChargePaid, true))
			if c.cancelled {
				h.at(3*time.Hour, func() { h.send(theCase, work.UpdateCancelOnboarding, toCancel) })
			}
			h.at(4*time.Hour, turn(work.ChargeRefunded, c.told))
			h.at(5*time.Hour, func() {
				if !c.cancelled {
					h.send(theCase, work.UpdateRefundFee, paid)
				}
			})
			result := h.onboard(in)
			require.Equal(t, c.cancelled, result.Venues[0].Outcome == work.Cancelled)
			require.Equal(t, !c.cancelled, len(h.refusals) == 1, "%v", h.refusals)
			require.Empty(t, h.went("SettleCharge"))
		})
	}
}

// A payment that came between the opening of a charge and the waiver that was
// said before is a payment.
func TestAPaymentCrossesAWaiver(t *testing.T) {
	h, in := confirmed(t)
	h.fails["SettleCharge"] = work.BadInput
	h.check = func(work.CaseInput) (work.ChargeResult, error) { return work.ChargeResult{State: work.ChargePaid}, nil }
	h.at(30*time.Minute, func() { h.send(theCase, work.UpdateWaiveFee, bySteer) })
	h.onboard(in)
	require.Contains(t, h.went("SendCaseMail"), "payment-received")
}

// What an operator records may be known from the billing system already.
func TestARecordedPaymentThatIsKnownAlready(t *testing.T) {
	h, in := confirmed(t)
	h.fails["SettleCharge"] = work.BadInput
	h.check = func(work.CaseInput) (work.ChargeResult, error) { return work.ChargeResult{State: work.ChargePaid}, nil }
	h.at(2*time.Hour, func() { h.send(theCase, work.UpdateRecordPayment, paid) })
	h.onboard(in)
	require.Len(t, h.failures, 1, "who recorded it is told")
	require.Contains(t, h.went("SendCaseMail"), "payment-received")
}
