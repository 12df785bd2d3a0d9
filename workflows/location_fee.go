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
		next: "an invoice is sent by mail", ways: []way{{"onboarding waive", work.UpdateWaiveFee}},
	})
	var charge work.ChargeResult
	if err := l.do(ctx, actOpenCharge, l.caseInput(), &charge, never); err != nil {
		return err
	}
	if w := l.fee.waive; w != nil && charge.State == work.ChargeOpen {
		act := l.actOf(work.UpdateWaiveFee, w.By, w.Reason, w.Note)
		if err := l.do(ctx, actSettleCharge, act, &charge, never); err != nil {
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

// untilPaid sends the invoice and waits for its end. Where the billing system
// tells of payments it is also asked from time to time, as what it tells may be
// lost.
func (l *location) untilPaid(ctx workflow.Context) error {
	settled := func() bool { return !l.fee.open() }
	l.stand(ctx, l.unpaid())
	if err := l.mail(ctx, mailInvoice, settled); err != nil {
		return err
	}
	if !l.plan.Hook {
		return workflow.Await(ctx, settled)
	}
	for n := 0; l.fee.open(); n++ {
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
		if l.fee.open() && charge.State != "" {
			l.charged(charge)
		}
	}
	return nil
}

func (l *location) unpaid() standing {
	s := standing{
		stage: work.StagePayment, who: "payment", what: "the one-time fee", next: "the way to the till is opened",
		ways:  []way{{"onboarding paid", work.UpdateRecordPayment}, {"onboarding waive", work.UpdateWaiveFee}},
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
		handle(ctx, work.UpdateRecordPayment, "An operator records the payment of the fee.", l.desk,
			func() error { return l.mayPay(l.fee.open()) },
			func(ctx workflow.Context, in work.PaymentInput) (work.ActResult, error) {
				return l.settleCharge(ctx, work.UpdateRecordPayment, in)
			}),
		handle(ctx, work.UpdateWaiveFee, "The venue need not pay the fee.", l.desk,
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
		handle(ctx, work.UpdateRefundFee, "An operator has given the paid fee back.", l.desk, l.mayRefund,
			func(ctx workflow.Context, in work.PaymentInput) (work.ActResult, error) {
				return l.settleCharge(ctx, work.UpdateRefundFee, in)
			}),
		handle(ctx, work.UpdatePaymentNoticed, "The billing system has told of a payment.", l.desk,
			func() error { return l.mayPay(true) },
			func(ctx workflow.Context, _ work.SteerInput) (work.ActResult, error) {
				if !l.fee.open() {
					return done("It is known, or will be when the charge is opened.")
				}
				var charge work.ChargeResult
				if err := l.perform(ctx, actCheckCharge, l.caseInput(), &charge); err != nil {
					return work.ActResult{}, err
				}
				l.charged(charge)
				return done("The charge is %s.", charge.State)
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

func (l *location) settleCharge(ctx workflow.Context, update string, in work.PaymentInput) (work.ActResult, error) {
	act := l.actOf(update, in.By, in.Reason, in.Note)
	act.Reference = in.Reference
	var charge work.ChargeResult
	if err := l.perform(ctx, actSettleCharge, act, &charge); err != nil {
		return work.ActResult{}, err
	}
	l.charged(charge)
	return done("The fee is %s.", charge.State)
}
