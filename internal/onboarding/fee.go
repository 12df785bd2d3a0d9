package onboarding

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// perHundred is what a words.Rate of 100 % counts.
const perHundred = 100_000

// Charge is a partner's fee with its taxes; the zero Charge is none. Each tax is
// of the amount before tax, rounded half up to the cent.
func (r *Room) Charge(partnerName string) (mail.Charge, error) {
	before, b := r.Settings.Fees[partnerName], r.Settings.Billing
	if before == 0 {
		return mail.Charge{}, nil
	}
	charge := mail.Charge{
		Before: before, GST: tax(before, b.GSTRate), QST: tax(before, b.QSTRate),
		GSTRate: b.GSTRate, QSTRate: b.QSTRate, GSTNumber: b.GSTNumber, QSTNumber: b.QSTNumber,
	}
	var err error
	charge.Total, err = sale.Sum(charge.Before, charge.GST, charge.QST)
	return charge, err
}

func tax(of sale.Cents, rate words.Rate) sale.Cents {
	return sale.Cents((int64(of)*int64(rate) + perHundred/2) / perHundred)
}

// InvoiceNumber is a function of the case, so that the billing system may know
// it before our own record of the invoice is there.
func InvoiceNumber(caseID string) string {
	return "CB-" + strings.ToUpper(strings.NewReplacer(":", "-").Replace(caseID))
}

// OpenCharge opens the fee of a case, unless it was paid before for this till
// and partner, and looks whether a payment has come already.
func (r *Room) OpenCharge(ctx context.Context, caseID string) (work.ChargeResult, error) {
	c, err := r.Ledger.Case(ctx, caseID)
	if err != nil {
		return work.ChargeResult{}, err
	}
	if own, there, err := r.Ledger.ChargeOf(ctx, caseID); err != nil || there {
		if err != nil {
			return work.ChargeResult{}, err
		}
		return r.lookPaid(ctx, own)
	}
	fee, err := r.Charge(c.Partner)
	if err != nil || fee.Free() {
		return work.ChargeResult{State: work.ChargeNone}, err
	}
	if paid, there, err := r.Ledger.PaidCharge(ctx, c.Partner, c.Serial); err != nil || there {
		return work.ChargeResult{State: work.ChargeNone, Number: paid.Number}, err
	}
	charge, err := r.Ledger.OpenCharge(ctx, ledger.Charge{
		Number: InvoiceNumber(caseID), Case: caseID, Partner: c.Partner, Serial: c.Serial, Currency: r.Settings.Billing.Currency,
		Before: fee.Before, GST: fee.GST, QST: fee.QST, GSTRate: int64(fee.GSTRate), QSTRate: int64(fee.QSTRate),
	})
	if err != nil {
		return work.ChargeResult{}, err
	}
	if charge.Case != caseID {
		// An ended case has left it open: it is ours to collect or to give up.
		return work.ChargeResult{}, work.Err(work.TillForeign, "invoice "+charge.Number+" of an earlier onboarding is still open")
	}
	return r.lookPaid(ctx, charge)
}

// CheckCharge looks whether a case's fee was paid.
func (r *Room) CheckCharge(ctx context.Context, caseID string) (work.ChargeResult, error) {
	charge, there, err := r.Ledger.ChargeOf(ctx, caseID)
	if err != nil || !there {
		return work.ChargeResult{State: work.ChargeNone}, err
	}
	return r.lookPaid(ctx, charge)
}

// lookPaid applies what the billing system told. A payment of another amount is
// not taken for the fee: an operator sees it and decides.
func (r *Room) lookPaid(ctx context.Context, charge ledger.Charge) (work.ChargeResult, error) {
	payments, err := r.Ledger.Payments(ctx, charge.Number)
	if err != nil {
		return work.ChargeResult{}, err
	}
	total, err := charge.Total()
	if err != nil {
		return work.ChargeResult{}, err
	}
	for _, p := range payments {
		switch {
		case p.Currency != charge.Currency || p.Amount != total:
			continue
		case p.Kind == PaymentMade && charge.State == work.ChargeOpen:
			charge, _, err = r.Ledger.SettleCharge(ctx, charge.Number, []string{work.ChargeOpen}, work.ChargePaid, p.ID, program)
		case p.Kind == PaymentRefunded && charge.State == work.ChargePaid:
			charge, _, err = r.Ledger.SettleCharge(ctx, charge.Number, []string{work.ChargePaid}, work.ChargeRefunded, p.ID, program)
		}
		if err != nil {
			return work.ChargeResult{}, err
		}
	}
	return chargeResult(charge), nil
}

func chargeResult(c ledger.Charge) work.ChargeResult {
	return work.ChargeResult{State: c.State, Number: c.Number}
}

// The kinds of payments that the billing system tells of.
const (
	PaymentMade     = "payment"
	PaymentRefunded = "refund"
)

// SettleCharge records a person's word on the fee: RecordPayment, WaiveFee or
// RefundFee. A fee that was paid is not paid again. Waiving comes before the
// charge is opened as well: it is opened first.
func (r *Room) SettleCharge(ctx context.Context, in work.CaseAct) (work.ChargeResult, error) {
	turn, known := map[string]struct {
		from []string
		to   string
	}{
		work.UpdateRecordPayment: {[]string{work.ChargeOpen}, work.ChargePaid},
		work.UpdateWaiveFee:      {[]string{work.ChargeOpen}, work.ChargeWaived},
		work.UpdateRefundFee:     {[]string{work.ChargePaid}, work.ChargeRefunded},
	}[in.Act]
	if !known {
		return work.ChargeResult{}, work.Err(work.Internal, "an act on a fee that is none")
	}
	opened, err := r.OpenCharge(ctx, in.Case)
	if err != nil || opened.State == work.ChargeNone {
		return opened, err
	}
	charge, changed, err := r.Ledger.SettleCharge(ctx, opened.Number, turn.from, turn.to, in.Reference, actor(in.By, in.Reason, in.Note))
	if err != nil {
		return work.ChargeResult{}, err
	}
	again := charge.State == turn.to && (in.Reference == "" || charge.Reference == in.Reference || turn.to == work.ChargeRefunded)
	if !changed && !again {
		return chargeResult(charge), work.Err(work.BadInput, fmt.Sprintf("invoice %s is %s already", charge.Number, charge.State))
	}
	return chargeResult(charge), nil
}

// NotePayment keeps what the billing system told and names the case whose
// workflow should look, empty when the invoice is not known (yet): the workflow
// finds the payment when it opens the charge. A second payment of one invoice is
// written into the case's story.
func (r *Room) NotePayment(ctx context.Context, p ledger.Payment) (caseID string, err error) {
	news, err := r.Ledger.NotePayment(ctx, p)
	if err != nil {
		return "", err
	}
	charge, there, err := r.Ledger.ChargeNumbered(ctx, p.Number)
	if err != nil || !there {
		return "", err
	}
	if news && p.Kind == PaymentMade && charge.State == work.ChargePaid && charge.Reference != p.ID {
		e := entry(program, actTwice, charge.Number)
		e.Location, e.Note = charge.Case, "give one back in the billing system"
		err = r.Ledger.Journal(ctx, e)
	}
	return charge.Case, err
}

// invoice is a case's charge for mails; there has to be one.
func (r *Room) invoice(ctx context.Context, c ledger.Case) (ledger.Charge, mail.Charge, error) {
	charge, there, err := r.Ledger.ChargeOf(ctx, c.ID)
	if err == nil && !there {
		err = work.Err(work.Internal, "a case without a charge")
	}
	if err != nil {
		return charge, mail.Charge{}, err
	}
	b := r.Settings.Billing
	total, err := charge.Total()
	return charge, mail.Charge{
		Before: charge.Before, GST: charge.GST, QST: charge.QST, Total: total,
		GSTRate: words.Rate(charge.GSTRate), QSTRate: words.Rate(charge.QSTRate), GSTNumber: b.GSTNumber, QSTNumber: b.QSTNumber,
	}, err
}

// hasCode tells whether an error is a problem of a code.
func hasCode(err error, codes ...work.Code) bool {
	e, ok := errors.AsType[*work.Error](err)
	return ok && slices.Contains(codes, e.Code)
}
