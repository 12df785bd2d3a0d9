package workflows

import (
	"errors"

	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// handle registers the Updates of a LocationOnboarding.
func (l *location) handle(ctx workflow.Context) error {
	return errors.Join(
		l.handleMatch(ctx), l.handleContact(ctx), l.handleDecide(ctx), l.handleFee(ctx), l.handleKey(ctx),
		l.handleEntry(ctx), l.tokens.handle(ctx, work.StageToken, work.StageLocation), l.handlePlace(ctx),
	)
}

// undo takes back, in reverse, what was begun: the connection with its history
// and its schedule, the keys, the fee. A fee that was paid waits until it is
// given back.
func (l *location) undo(ctx workflow.Context) error {
	if l.cancelled == nil { // the button's word is still on its way
		by := byTemporalUI()
		l.cancelled = &by
	}
	if err := l.quiet(ctx); err != nil {
		return err
	}
	l.stand(ctx, standing{stage: work.StageUndo, what: "what was begun is undone", next: "the onboarding ends as cancelled"})
	if l.begun.connection {
		if err := l.undoConnection(ctx); err != nil {
			return err
		}
	}
	var fee work.UndoResult
	for _, part := range []struct {
		begun bool
		step  string
		found *work.UndoResult
	}{{l.begun.keys, work.UndoKeys, &work.UndoResult{}}, {l.begun.fee, work.UndoFee, &fee}} {
		if !part.begun {
			continue
		}
		if err := l.undoStep(ctx, part.step, part.found); err != nil {
			return err
		}
	}
	if err := l.tellCancelled(ctx, fee.Refund); err != nil {
		return err
	}
	who := *l.cancelled
	l.settle(work.Cancelled, who, l.name+" was cancelled"+byPerson(who.By)+"; what was begun is undone.")
	return nil
}

// undoConnection ends the history first, so that nothing writes any more, and
// the schedule last, when the ledger says that there is to be none. Where the
// connection is not known, no schedule of ours was made for it; should another
// have made one meanwhile, the ScheduleKeeper removes it.
func (l *location) undoConnection(ctx workflow.Context) error {
	if l.begun.history {
		if err := l.keepOn(ctx, func() error { return stopHistory(ctx, l.connection) }, never); err != nil {
			return err
		}
	}
	if err := l.undoStep(ctx, work.UndoConnection, &work.UndoResult{}); err != nil || l.connection == "" {
		return err
	}
	return l.do(ctx, actKeepSchedules, work.KeepInput{Connection: l.connection}, &work.KeeperResult{}, never)
}

func (l *location) undoStep(ctx workflow.Context, step string, result *work.UndoResult) error {
	return l.do(ctx, actUndoOnboarding, work.UndoInput{
		Case: l.caseID, Step: step, By: l.cancelled.By, Reason: l.cancelled.Reason, Note: l.cancelled.Note,
	}, result, never)
}

// tellCancelled tells the venue, if it has heard of the request, and waits for
// the refund where one is due.
func (l *location) tellCancelled(ctx workflow.Context, refund bool) error {
	if refund {
		l.fee.state = work.ChargePaid // as the ledger knows it
		l.stand(ctx, standing{
			stage: work.StageRefund, who: "operator", what: "the refund of the paid fee", next: "the onboarding ends as cancelled",
			ways: []way{{verb: "onboarding refund", update: work.UpdateRefundFee}}, again: l.plan.Hook,
		})
	}
	if refund || !l.asked.at.IsZero() || l.decision != nil {
		if err := l.mail(ctx, mailCancelled, never); err != nil {
			return err
		}
	}
	if !refund {
		return nil
	}
	return l.untilCharge(ctx, func() bool { return l.fee.state == work.ChargeRefunded })
}
