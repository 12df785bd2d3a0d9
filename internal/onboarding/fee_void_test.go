package onboarding_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestVoidingAFee(t *testing.T) {
	r := newRig(t)
	undo := func(j joining) work.UndoResult {
		return r.does(undoStep(work.UndoFee), j).(work.UndoResult)
	}
	j := r.confirmed(pull)
	require.Equal(t, work.UndoResult{}, undo(j), "there was none")
	r.does(chargeStep, j)
	require.Equal(t, work.UndoResult{}, undo(j))
	require.Equal(t, work.ChargeVoid, r.checks(j))
	r.told(j, "p-late", onboarding.PaymentMade, total)
	require.Equal(t, work.ChargeVoid, r.checks(j))
	story := r.story(j.id)
	require.Equal(t, "paid although nothing was owed: "+onboarding.InvoiceNumber(j.id), story[len(story)-1], "somebody has to give it back")

	for _, how := range []string{"by hand", "told", "told a moment ago"} {
		j := r.confirmed(pull)
		r.does(chargeStep, j)
		switch how {
		case "by hand":
			_, err := r.says(j, work.UpdateRecordPayment, "VIR-1")
			require.NoError(t, err)
		case "told":
			r.told(j, "p-"+j.id, onboarding.PaymentMade, total)
		default:
			_, err := r.Ledger.NotePayment(r.ctx, ledger.Payment{
				ID: "m-" + j.id, Number: onboarding.InvoiceNumber(j.id), Kind: onboarding.PaymentMade, Amount: total, Currency: "CAD", At: r.clock.Now(),
			})
			require.NoError(t, err)
		}
		require.Equal(t, work.UndoResult{Refund: true}, undo(j), how)
		require.NoError(t, func() error {
			_, err := r.Send(r.ctx, work.CaseMail{Case: j.id, Kind: string(mail.KindCancelled)})
			return err
		}())
		all := r.mails(j.email)
		require.Contains(t, all[len(all)-1].Text, "172,46", "what comes back is said, with tax")
		_, err := r.says(j, work.UpdateRefundFee, "VIR-2")
		require.NoError(t, err)
		require.Equal(t, work.UndoResult{}, undo(j), "found later that it was given back")
	}
	_, err := r.Undo(r.ctx, work.UndoInput{Case: j.id, Step: "everything"})
	r.refused(work.Internal, err)
}

func TestAFeeThatIsNotStatedIsRefused(t *testing.T) {
	r := newRig(t, func(r *rig, _ *clustersim.OfficeSwitches) { r.settings.Fees = map[string]sale.Cents{work.Wisk: 0} })
	in := work.OnboardingInput{Partner: work.SevenShifts, Requester: work.VenueAdmin, Venues: []work.VenueInput{r.venue().input()}, By: "lea", Note: "x"}
	_, err := r.Plan(r.ctx, work.OnboardingStart{Request: "7shifts:r1", Input: in})
	r.refused(work.BadInput, err)
	require.Contains(t, err.Error(), "CLUSTERBRIDGE_FEE_7SHIFTS")
	in.Partner = "third"
	_, err = r.Plan(r.ctx, work.OnboardingStart{Request: "third:r1", Input: in})
	r.refused(work.BadInput, err)
	plan, err := r.PlanFor(work.Wisk)
	require.NoError(t, err)
	require.False(t, plan.Fee, "it is free, and said so")
	cases, err := r.Ledger.Cases(r.ctx, true)
	require.NoError(t, err)
	require.Empty(t, cases, "what is refused is not written down")
}
