package frontdesk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/clustersystems/clusterbridge/internal/gateway"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestASignedRequestBeginsOneOnboarding(t *testing.T) {
	r := newRig(t)
	in := work.OnboardingInput{
		Partner: work.Wisk, Requester: work.PartnerSupport, Venues: []work.VenueInput{r.venue(1, "marie@marcel.example")}, By: work.ByGateway, Note: "signed request",
	}
	r.temporal.be(away, nil, nil)
	r.tryAgain(r.Ask(r.ctx, "req-7", in))
	r.temporal.be(nil, away, nil)
	r.tryAgain(r.Ask(r.ctx, "req-7", in)) // begun, and the word of it lost
	r.temporal.be(nil, nil, nil)
	require.NoError(t, r.Ask(r.ctx, "req-7", in))
	require.Len(t, r.temporal.started, 1)
	started := r.temporal.started[0]
	require.Equal(t, work.OnboardingID(work.Wisk, "req-7"), started.ID)
	require.Equal(t, work.TaskQueue, started.TaskQueue)
	require.Equal(t, enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, started.WorkflowIDReusePolicy)
	require.Equal(t, []any{in}, r.temporal.inputs)

	// Temporal forgets what ended long ago; the ledger does not.
	r.found(work.Wisk, "req-8", in.Venues...)
	require.NoError(t, r.Ask(r.ctx, "req-8", in))
	require.Len(t, r.temporal.started, 1)
}

// charged is a case of WISK whose fee is owed, and its payment.
func (r *rig) charged() (string, gateway.Payment) {
	r.t.Helper()
	id := r.found(work.Wisk, "q", r.venue(1, "marie@marcel.example"))[0]
	require.NoError(r.t, r.Decide(r.ctx, r.asks("c1", id), yes(id)))
	_, err := r.room.OpenCharge(r.ctx, id)
	require.NoError(r.t, err)
	return id, r.payment(id)
}

func (r *rig) payment(id string) gateway.Payment {
	r.t.Helper()
	charge, there, err := r.room.Ledger.ChargeOf(r.ctx, id)
	require.NoError(r.t, err)
	require.True(r.t, there)
	total, err := charge.Total()
	require.NoError(r.t, err)
	return gateway.Payment{ID: "pay-1", Invoice: charge.Number, Kind: "payment", AmountCents: int64(total), Currency: "CAD", At: noon}
}

func (r *rig) chargeState(id string) string {
	r.t.Helper()
	charge, _, err := r.room.Ledger.ChargeOf(r.ctx, id)
	require.NoError(r.t, err)
	return charge.State
}

func TestAPaymentCountsOnce(t *testing.T) {
	r := newRig(t)
	id, p := r.charged()
	for range 2 {
		require.NoError(t, r.Paid(r.ctx, p))
	}
	require.Equal(t, work.ChargePaid, r.chargeState(id))
	require.Contains(t, r.temporal.told, "PaymentNoticed "+id)
	all, err := r.room.Ledger.Payments(r.ctx, p.Invoice)
	require.NoError(t, err)
	require.Len(t, all, 1)

	other := p
	other.AmountCents++
	r.code(work.BadInput, r.Paid(r.ctx, other))

	refund := p
	refund.ID, refund.Kind, refund.At = "pay-2", "refund", noon.Add(time.Hour)
	require.NoError(t, r.Paid(r.ctx, refund))
	require.Equal(t, work.ChargeRefunded, r.chargeState(id))
}

func TestAPaymentOfAnotherAmountOrCurrencyIsKeptAndNotTaken(t *testing.T) {
	r := newRig(t)
	id, p := r.charged()
	less, dollars := p, p
	less.ID, less.AmountCents = "pay-less", p.AmountCents-1
	dollars.ID, dollars.Currency = "pay-usd", "USD"
	require.NoError(t, r.Paid(r.ctx, less))
	require.NoError(t, r.Paid(r.ctx, dollars))
	require.Equal(t, work.ChargeOpen, r.chargeState(id))
	all, err := r.room.Ledger.Payments(r.ctx, p.Invoice)
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.NoError(t, r.Paid(r.ctx, p))
	require.Equal(t, work.ChargePaid, r.chargeState(id))
}

// The invoice's number is a function of the case, so that the billing system may
// be faster than our own record.
func TestAPaymentMayComeBeforeItsInvoice(t *testing.T) {
	r := newRig(t)
	id, p := r.charged()
	r.room.Ledger.DB().MustExec(`DELETE FROM charges`)
	require.NoError(t, r.Paid(r.ctx, p))
	require.NotContains(t, r.temporal.told, "PaymentNoticed "+id)
	_, err := r.room.OpenCharge(r.ctx, id)
	require.NoError(t, err)
	require.Equal(t, p.Invoice, r.payment(id).Invoice)
	require.Equal(t, work.ChargePaid, r.chargeState(id))
}

// What was paid is kept, whatever becomes of telling the workflow, which looks by
// itself as well.
func TestAPaymentIsKeptWithoutTemporal(t *testing.T) {
	r := newRig(t)
	id, p := r.charged()
	r.temporal.be(away, nil, nil)
	require.NoError(t, r.Paid(r.ctx, p))
	require.Equal(t, work.ChargePaid, r.chargeState(id))
}
