package workflows

import (
	"errors"

	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// fee is where the one-time fee stands.
type fee struct {
	state  string           // one of the Charge constants; empty before the charge is opened
	number string           // the invoice's
	waive  *work.SteerInput // said before the charge was opened
}

func (f *fee) open() bool { return f.state == work.ChargeOpen }

// payment has the fee paid, where the partner has one. A payment that came
// before our own record of the invoice, and a waiver, are known when the charge
// is opened.
func (l *location) payment(ctx workflow.Context) error {
	if !l.plan.Fee {
		return nil
	}
	l.begun.fee = true
	l.stand(ctx, standing{
		stage: work.StagePayment, what: "clusterbridge opens the charge of the one-time fee",
		next: "an invoice is sent by mail", ways: []way{{verb: "onboarding waive", update: work.UpdateWaiveFee}},
	})
	var charge work.ChargeResult
	if err := l.do(ctx, actOpenCharge, l.caseInput(), &charge, never); err != nil {
		return err
	}
	if l.fee.waive != nil && charge.State == work.ChargeOpen {
		if err := l.keepOn(ctx, func() error { return l.waiveNow(ctx, *l.fee.waive, &charge) }, never); err != nil {
			return err
		}
	}
	l.charged(charge)
	if l.fee.open() {
		if err := l.untilPaid(ctx); err != nil {
			return err
		}
	}
	if l.fee.state != work.ChargePaid {
		return nil
	}
	return l.mail(ctx, mailPaymentReceived, never)
}

func (l *location) charged(charge work.ChargeResult) {
	l.fee.state = charge.State
	if charge.Number != "" {
		l.fee.number = charge.Number
	}
}

// waiveNow waives the charge that has just been opened. A payment may have come
// in this very moment; then there is nothing left to waive.
func (l *location) waiveNow(ctx workflow.Context, w work.SteerInput, charge *work.ChargeResult) error {
	acting := withCase(ctx, l.caseID, livePriority, "")
	err := workflow.ExecuteActivity(acting, actSettleCharge, l.actOf(work.UpdateWaiveFee, w.By, w.Reason, w.Note)).Get(ctx, charge)
	if err == nil {
		return nil
	}
	var found work.ChargeResult
	if workflow.ExecuteActivity(acting, actCheckCharge, l.caseInput()).Get(ctx, &found) == nil && found.State != work.ChargeOpen {
		*charge, err = found, nil
	}
	return err
}

// untilPaid sends the invoice and waits for its end.
func (l *location) untilPaid(ctx workflow.Context) error {
	settled := func() bool { return !l.fee.open() }
	l.stand(ctx, l.unpaid())
	if err := l.mail(ctx, mailInvoice, settled); err != nil {
		return err
	}
	return l.untilCharge(ctx, settled)
}

// untilCharge waits until the charge is as it should be. Where the billing
// system tells of payments it is also asked from time to time, as what it tells
// may be lost.
func (l *location) untilCharge(ctx workflow.Context, settled func() bool) error {
	if !l.plan.Hook {
		return workflow.Await(ctx, settled)
	}
	for n := 0; !settled(); n++ {
		retries := l.retries
		err := rest(ctx, look(l.plan.CheckEvery, 0, n), "Ask the billing system", func() bool { return settled() || l.retries != retries })
		if err == nil {
			err = l.quiet(ctx)
		}
		if err != nil || settled() {
			return err
		}
		var charge work.ChargeResult
		if err := l.do(ctx, actCheckCharge, l.caseInput(), &charge, settled); err != nil {
			return err
		}
		if !settled() && charge.State != "" {
			l.charged(charge)
		}
	}
	return nil
}

func (l *location) unpaid() standing {
	s := standing{
		stage: work.StagePayment, who: "payment", what: "the one-time fee", next: "the way to the till is opened",
		ways:  []way{{verb: "onboarding paid", update: work.UpdateRecordPayment}, {verb: "onboarding waive", update: work.UpdateWaiveFee}},
		again: l.plan.Hook,
	}
	if l.fee.number != "" {
		s.what += ", invoice " + l.fee.number
	}
	if l.plan.Hook {
		s.next += "; the billing system tells of the payment by itself"
	}
	return s
}

func (l *location) handleFee(ctx workflow.Context) error {
	return errors.Join(
		handleAct(ctx, &l.casework, work.UpdateRecordPayment, "An operator records the payment of the fee.",
			func() error { return l.mayPay(l.fee.open()) },
			func(ctx workflow.Context, in work.PaymentInput) (work.ActResult, error) {
				return l.settleCharge(ctx, work.UpdateRecordPayment, in)
			}),
		handleAct(ctx, &l.casework, work.UpdateWaiveFee, "The venue need not pay the fee.",
			func() error {
				if l.fee.waive != nil && l.fee.state == "" {
					return l.refuse("the fee will be waived already")
				}
				return l.mayPay(l.fee.open() || l.fee.state == "")
			},
			func(ctx workflow.Context, in work.SteerInput) (work.ActResult, error) {
				if l.fee.state == "" {
					l.fee.waive = &in
					return done("The fee is waived as soon as it is due.")
				}
				return l.settleCharge(ctx, work.UpdateWaiveFee, work.PaymentInput{By: in.By, Reason: in.Reason, Note: in.Note})
			}),
		handleAct(ctx, &l.casework, work.UpdateRefundFee, "An operator has given the paid fee back.", l.mayRefund,
			func(ctx workflow.Context, in work.PaymentInput) (work.ActResult, error) {
				return l.settleCharge(ctx, work.UpdateRefundFee, in)
			}),
		handleAct(ctx, &l.casework, work.UpdatePaymentNoticed, "The billing system has told of a payment.",
			func() error {
				if l.at.stage == work.StageRefund {
					return nil
				}
				return l.mayPay(true)
			},
			func(ctx workflow.Context, _ work.SteerInput) (work.ActResult, error) {
				if !l.fee.open() && l.fee.state != work.ChargePaid && l.at.stage != work.StageRefund {
					return done("It is known, or will be when the charge is opened.")
				}
				if err := l.lookAtCharge(ctx); err != nil {
					return work.ActResult{}, err
				}
				return done("The charge is %s.", l.fee.state)
			}),
	)
}

// mayPay refuses what makes no sense for the fee as it stands.
func (l *location) mayPay(ok bool) error {
	if err := l.going(); err != nil {
		return err
	}
	switch {
	case !l.plan.Fee:
		return l.refuse("there is no fee to be paid")
	case ok:
		return nil
	case l.fee.state == "":
		return l.refuse("the fee is not due yet")
	case l.fee.state == work.ChargePaid:
		return l.refuse("the fee is paid already")
	}
	return l.refuse("nothing is to be paid any more, the charge is " + l.fee.state)
}

// mayRefund takes a refund while the charge is paid, and when a cancellation
// waits for it.
func (l *location) mayRefund() error {
	switch {
	case l.at.stage == work.StageRefund && l.fee.state != work.ChargeRefunded && l.outcome == "":
		return nil
	case l.going() != nil:
		return l.going()
	case l.fee.state != work.ChargePaid:
		return l.refuse("no paid fee can be given back")
	}
	return nil
}

// settleCharge records a person's word on the fee. Where it contradicts what is
// known there, that is looked at: the billing system may have been faster.
func (l *location) settleCharge(ctx workflow.Context, update string, in work.PaymentInput) (work.ActResult, error) {
	act := l.actOf(update, in.By, in.Reason, in.Note)
	act.Reference = in.Reference
	var charge work.ChargeResult
	if err := l.perform(ctx, actSettleCharge, act, &charge); err != nil {
		if code, _ := explain(l.connection, err); code == work.BadInput && l.lookAtCharge(ctx) != nil {
			workflow.GetLogger(ctx).Info("the charge is looked at later", "case", l.caseID)
		}
		return work.ActResult{}, err
	}
	l.charged(charge)
	return done("The fee is %s.", charge.State)
}

// lookAtCharge asks where the charge stands.
func (l *location) lookAtCharge(ctx workflow.Context) error {
	var charge work.ChargeResult
	if err := l.perform(ctx, actCheckCharge, l.caseInput(), &charge); err != nil {
		return err
	}
	l.charged(charge)
	return nil
}
