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

// tax is of whole per cents first, so that no amount can wrap.
func tax(of sale.Cents, rate words.Rate) sale.Cents {
	whole, rest := int64(of)/perHundred, int64(of)%perHundred
	return sale.Cents(whole*int64(rate) + (rest*int64(rate)+perHundred/2)/perHundred)
}

// InvoiceNumber is a function of the case, so that the billing system may know
// it before our own record of the invoice is there.
func InvoiceNumber(caseID string) string {
	return "CB-" + strings.ToUpper(strings.ReplaceAll(caseID, ":", "-"))
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
		return chargeResult(r.lookPaid(ctx, own.Number))
	}
	fee, err := r.Charge(c.Partner)
	if err != nil || fee.Free() {
		return work.ChargeResult{State: work.ChargeNone}, err
	}
	if err := open(c); err != nil {
		return work.ChargeResult{}, err
	}
	if other, there, err := r.Ledger.ChargeOfTill(ctx, c.Partner, c.Serial); err != nil || there {
		if err == nil {
			err = r.giveUp(ctx, &other)
		}
		if err != nil || other.State == work.ChargePaid {
			return work.ChargeResult{State: work.ChargeNone, Number: other.Number}, err
		}
	}
	return r.newCharge(ctx, c, fee)
}

func (r *Room) newCharge(ctx context.Context, c ledger.Case, fee mail.Charge) (work.ChargeResult, error) {
	charge, err := r.Ledger.OpenCharge(ctx, ledger.Charge{
		Number: InvoiceNumber(c.ID), Case: c.ID, Partner: c.Partner, Serial: c.Serial, Currency: r.Settings.Billing.Currency,
		Before: fee.Before, GST: fee.GST, QST: fee.QST, GSTRate: int64(fee.GSTRate), QSTRate: int64(fee.QSTRate),
	})
	if err != nil {
		return work.ChargeResult{}, err
	}
	if charge.Case != c.ID {
		return work.ChargeResult{}, work.Err(work.LeaseHeld, "another onboarding has just opened invoice "+charge.Number)
	}
	return chargeResult(r.lookPaid(ctx, charge.Number))
}

// giveUp makes another case's charge for the same till void, if that case has
// ended: nobody collects it any more. One that is paid stays; one that is still
// collected is an error.
func (r *Room) giveUp(ctx context.Context, charge *ledger.Charge) error {
	if charge.State == work.ChargePaid {
		return nil
	}
	c, err := r.Ledger.Case(ctx, charge.Case)
	if err != nil {
		return err
	}
	if c.Outcome == "" {
		return work.Err(work.TillForeign, "invoice "+charge.Number+" of another onboarding is still open")
	}
	*charge, err = r.voidCharge(ctx, charge.Number, program)
	return err
}

// voidCharge makes a charge void, unless it was paid.
func (r *Room) voidCharge(ctx context.Context, number string, by ledger.Actor) (ledger.Charge, error) {
	return r.Ledger.ChangeCharge(ctx, number, func(c *ledger.Charge, told []ledger.Payment) ([]ledger.Entry, error) {
		story, err := applyTold(c, told)
		if err != nil || c.State != work.ChargeOpen {
			return story, err
		}
		c.State = work.ChargeVoid
		return append(story, entry(by, ledger.ActFee, work.ChargeVoid)), nil
	})
}

// CheckCharge looks whether a case's fee was paid.
func (r *Room) CheckCharge(ctx context.Context, caseID string) (work.ChargeResult, error) {
	charge, there, err := r.Ledger.ChargeOf(ctx, caseID)
	if err != nil || !there {
		return work.ChargeResult{State: work.ChargeNone}, err
	}
	return chargeResult(r.lookPaid(ctx, charge.Number))
}

func chargeResult(c ledger.Charge, err error) (work.ChargeResult, error) {
	return work.ChargeResult{State: c.State, Number: c.Number}, err
}

// turn is an act of a person on a charge.
type turn struct{ from, to string }

var turns = map[string]turn{
	work.UpdateRecordPayment: {work.ChargeOpen, work.ChargePaid},
	work.UpdateWaiveFee:      {work.ChargeOpen, work.ChargeWaived},
	work.UpdateRefundFee:     {work.ChargePaid, work.ChargeRefunded},
}

// SettleCharge records a person's word on the fee: RecordPayment, WaiveFee or
// RefundFee. The charge is opened first where it is not yet. What the billing
// system told comes before: a fee that is paid by then is not waived, and its
// state is told; other words that do not fit are BadInput.
func (r *Room) SettleCharge(ctx context.Context, in work.CaseAct) (work.ChargeResult, error) {
	t, known := turns[in.Act]
	if !known {
		return work.ChargeResult{}, work.Err(work.Internal, "an act on a fee that is none")
	}
	opened, err := r.OpenCharge(ctx, in.Case)
	if err != nil || opened.State == work.ChargeNone {
		return opened, err
	}
	return chargeResult(r.Ledger.ChangeCharge(ctx, opened.Number, func(c *ledger.Charge, told []ledger.Payment) ([]ledger.Entry, error) {
		story, err := applyTold(c, told)
		if err != nil {
			return nil, err
		}
		said, err := t.apply(c, in)
		return append(story, said...), err
	}))
}

func (t turn) apply(c *ledger.Charge, in work.CaseAct) ([]ledger.Entry, error) {
	switch {
	case c.State == t.from:
		c.State = t.to
		switch t.to {
		case work.ChargeRefunded:
			c.RefundReference = in.Reference
		case work.ChargePaid:
			c.Reference = in.Reference
		}
		return []ledger.Entry{entry(actor(in.By, in.Reason, in.Note), ledger.ActFee, t.to)}, nil
	case c.State == t.to && (t.to != work.ChargePaid || c.Reference == in.Reference):
		return nil, nil // said again, or the billing system was faster
	case t.to == work.ChargeWaived && c.State == work.ChargePaid:
		return nil, nil
	}
	return nil, work.Err(work.BadInput, fmt.Sprintf("invoice %s is %s already", c.Number, c.State))
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
