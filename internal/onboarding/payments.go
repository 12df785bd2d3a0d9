package onboarding

import (
	"context"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// The kinds of payments that the billing system tells of.
const (
	PaymentMade     = "payment"
	PaymentRefunded = "refund"
)

// For what a payment was taken. One that means nothing yet is not taken: its
// charge may not be there, or a refund may have overtaken its payment.
const (
	tookFee    = "fee"    // the charge is paid with it, or refunded
	tookExtra  = "extra"  // one too many: to be given back
	tookReturn = "return" // gives back an extra one
	tookOther  = "other"  // of another amount or currency: a person decides
)

// NotePayment keeps what the billing system told, applies it, and names the case
// whose workflow should look; empty when the invoice is not known (yet): the
// payment is found when the charge is opened. What is one too many, or of
// another amount, is written into the case's story.
func (r *Room) NotePayment(ctx context.Context, p ledger.Payment) (caseID string, err error) {
	if _, err := r.Ledger.NotePayment(ctx, p); err != nil {
		return "", err
	}
	charge, there, err := r.Ledger.ChargeNumbered(ctx, p.Number)
	if err != nil || !there {
		return "", err
	}
	_, err = r.lookPaid(ctx, charge.Number)
	return charge.Case, err
}

// lookPaid applies what the billing system told.
func (r *Room) lookPaid(ctx context.Context, number string) (ledger.Charge, error) {
	return r.Ledger.ChangeCharge(ctx, number, applyTold)
}

// applyTold applies to a charge what the billing system told of it and was not
// taken yet, in the order in which it was paid, and gives the lines of the
// story. The same is never applied twice.
func applyTold(c *ledger.Charge, told []ledger.Payment) ([]ledger.Entry, error) {
	total, err := c.Total()
	if err != nil {
		return nil, err
	}
	var story []ledger.Entry
	for range 2 { // in the second round refunds whose payment was told later
		for i := range told {
			if told[i].Taken != "" {
				continue
			}
			var e ledger.Entry
			told[i].Taken, e = take(c, told[i], total, told)
			if e.Act != "" {
				story = append(story, e)
			}
		}
	}
	return story, nil
}

func take(c *ledger.Charge, p ledger.Payment, total sale.Cents, told []ledger.Payment) (string, ledger.Entry) {
	switch {
	case p.Currency != c.Currency || p.Amount != total:
		e := entry(program, actOther, c.Number)
		e.Note = "see it in the billing system: " + p.Kind + " " + p.ID
		return tookOther, e
	case p.Kind == PaymentMade && c.State == work.ChargeOpen:
		c.State, c.Reference = work.ChargePaid, p.ID
		return tookFee, entry(program, ledger.ActFee, work.ChargePaid)
	case p.Kind == PaymentMade && c.Reference == p.ID: // a person was faster
		return tookFee, ledger.Entry{}
	case p.Kind == PaymentMade:
		e := entry(program, actUnowed, c.Number)
		if c.State == work.ChargePaid {
			e.Act = actTwice
		}
		e.Old, e.Note = c.State, "give it back in the billing system: "+p.ID
		return tookExtra, e
	case count(told, PaymentMade, tookExtra) > count(told, PaymentRefunded, tookReturn):
		return tookReturn, entry(program, actReturned, c.Number)
	case c.State == work.ChargePaid:
		c.State, c.RefundReference = work.ChargeRefunded, p.ID
		return tookFee, entry(program, ledger.ActFee, work.ChargeRefunded)
	case c.State == work.ChargeRefunded && count(told, PaymentRefunded, tookFee) == 0: // a person was faster
		return tookFee, ledger.Entry{}
	}
	return "", ledger.Entry{}
}

func count(told []ledger.Payment, kind, taken string) int {
	n := 0
	for _, p := range told {
		if p.Kind == kind && p.Taken == taken {
			n++
		}
	}
	return n
}
