package onboarding

import (
	"context"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Undo takes back a step of a case. It may come again, and before the step was
// ever done.
func (r *Room) Undo(ctx context.Context, in work.UndoInput) (work.UndoResult, error) {
	c, err := r.Ledger.Case(ctx, in.Case)
	if err != nil {
		return work.UndoResult{}, err
	}
	by := actor(in.By, in.Reason, in.Note)
	switch in.Step {
	case work.UndoConnection:
		return work.UndoResult{}, r.undoConnection(ctx, c, by)
	case work.UndoKeys:
		return work.UndoResult{}, r.undoKeys(ctx, c)
	case work.UndoFee:
		return r.undoFee(ctx, c, by)
	}
	return work.UndoResult{}, work.Err(work.Internal, "nothing of this name can be undone")
}

// undoConnection disconnects what this case connected, and forgets the
// partner's credential.
func (r *Room) undoConnection(ctx context.Context, c ledger.Case, by ledger.Actor) error {
	if c.Location != "" {
		connection, err := r.Ledger.Connection(ctx, c.Connection())
		switch {
		case hasCode(err, work.UnknownConnection):
		case err != nil:
			return err
		case r.madeBy(c, connection) && connection.State != work.Disconnected:
			if _, err := r.Ledger.SetState(ctx, connection.ID, work.Disconnected, by); err != nil {
				return err
			}
		}
	}
	for _, id := range []string{tokenSecret(c.ID), identifierSecret(c.ID)} {
		if err := r.Vault.Delete(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// madeBy tells whether a case made a connection: it uses the case's credential,
// or none and began after the case was asked.
func (r *Room) madeBy(c ledger.Case, connection ledger.Connection) bool {
	switch connection.Secret {
	case tokenSecret(c.ID), identifierSecret(c.ID):
		return true
	case "":
		return !connection.ConnectedAt.Before(c.CreatedAt)
	}
	return false
}

// undoKeys withdraws the keys that this case had issued: the partner's, and
// ours unless another open case or a connection reads the till with it.
func (r *Room) undoKeys(ctx context.Context, c ledger.Case) error {
	if c.Serial == "" {
		return nil
	}
	if _, token := r.takesToken(c.Partner); !token {
		if err := r.withdrawAll(ctx, c.Serial, c.Partner); err != nil {
			return err
		}
	}
	needed, err := r.tillNeeded(ctx, c.Serial, c.ID, "")
	if err != nil || needed {
		return err
	}
	return r.forgetTill(ctx, c.Serial)
}

// tillNeeded tells whether anything but a case and a connection reads a till.
func (r *Room) tillNeeded(ctx context.Context, serial, butCase, butConnection string) (bool, error) {
	for name := range r.Partners {
		other, there, err := r.Ledger.OpenCase(ctx, name, serial)
		if err != nil || there && other.ID != butCase {
			return true, err
		}
	}
	all, err := r.Ledger.Connections(ctx)
	if err != nil {
		return true, err
	}
	for _, connection := range all {
		if connection.Location.Serial == serial && connection.State != work.Disconnected && connection.ID != butConnection {
			return true, nil
		}
	}
	return false, nil
}

// forgetTill withdraws our keys to a till and leaves its location without one.
func (r *Room) forgetTill(ctx context.Context, serial string) error {
	if err := r.withdrawAll(ctx, serial, ledger.OurHolder); err != nil {
		return err
	}
	l, there, err := r.locationOf(ctx, serial)
	if err != nil || !there || l.Secret == "" {
		return err
	}
	if err := r.Vault.Delete(ctx, l.Secret); err != nil {
		return err
	}
	return r.Ledger.SetLocationSecret(ctx, l.ID, "", program)
}

func (r *Room) undoFee(ctx context.Context, c ledger.Case, by ledger.Actor) (work.UndoResult, error) {
	charge, there, err := r.Ledger.ChargeOf(ctx, c.ID)
	if err != nil || !there {
		return work.UndoResult{}, err
	}
	// What has been paid meanwhile is found before the invoice is void.
	looked, err := r.lookPaid(ctx, charge)
	if err != nil || looked.State == work.ChargePaid {
		return work.UndoResult{Refund: true}, err
	}
	charge, _, err = r.Ledger.SettleCharge(ctx, charge.Number, []string{work.ChargeOpen}, work.ChargeVoid, "", by)
	return work.UndoResult{Refund: charge.State == work.ChargePaid}, err
}
