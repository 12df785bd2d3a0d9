package onboarding

import (
	"context"
	"strings"

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
	if c.Data.Connects {
		_, err := r.Ledger.SetState(ctx, c.Connection(), work.Disconnected, by)
		if err != nil && !hasCode(err, work.UnknownConnection) { // it was about to be made
			return err
		}
	}
	return r.forgetSecrets(ctx, c)
}

// undoKeys withdraws the keys that this case had issued: the partner's, and
// ours unless another open case or a connection reads the till with it.
func (r *Room) undoKeys(ctx context.Context, c ledger.Case) error {
	if c.Serial == "" {
		return nil
	}
	// Of two cases of a till that are undone at once, the later one to write
	// this finds that nobody needs our key.
	if _, err := r.Ledger.ChangeCase(ctx, c.ID, func(c *ledger.Case) (ledger.Entry, error) {
		c.Data.NeedsTill = false
		return ledger.Entry{}, nil
	}); err != nil {
		return err
	}
	needed, err := r.needed(ctx, c.Serial, c.Partner)
	if err == nil && !needed {
		err = r.withdrawAll(ctx, c.Serial, c.Partner, c.ID)
	}
	if err != nil {
		return err
	}
	if needed, err = r.needed(ctx, c.Serial, ledger.OurHolder); err != nil || needed {
		return err
	}
	l, there, err := r.locationOf(ctx, c.Serial)
	if err != nil || there && l.Secret != "" && !issued(l.Secret) {
		return err // the location had a key before, of which no case knows
	}
	if there && l.Secret != "" {
		if err := r.Ledger.SetLocationSecret(ctx, l.ID, "", program); err != nil {
			return err
		}
	}
	return r.withdrawAll(ctx, c.Serial, ledger.OurHolder, c.ID)
}

// issued tells whether a secret of a location's is a key that was issued for a
// case.
func issued(secret string) bool { return strings.HasPrefix(secret, keySecret("")) }

// needed tells whether anything needs a holder's key to a till: an open case for
// which the way to the till was opened, or a connection.
func (r *Room) needed(ctx context.Context, serial, holder string) (bool, error) {
	for name := range r.Partners {
		if holder != ledger.OurHolder && holder != name {
			continue
		}
		c, there, err := r.Ledger.OpenCase(ctx, name, serial)
		if err != nil || there && c.Data.NeedsTill {
			return true, err
		}
	}
	all, err := r.Ledger.Connections(ctx)
	if err != nil {
		return true, err
	}
	for _, c := range all {
		if c.Location.Serial == serial && c.State != work.Disconnected && (holder == ledger.OurHolder || holder == c.PartnerName) {
			return true, nil
		}
	}
	return false, nil
}

func (r *Room) undoFee(ctx context.Context, c ledger.Case, by ledger.Actor) (work.UndoResult, error) {
	charge, there, err := r.Ledger.ChargeOf(ctx, c.ID)
	if err != nil || !there {
		return work.UndoResult{}, err
	}
	charge, err = r.voidCharge(ctx, charge.Number, by)
	return work.UndoResult{Refund: charge.State == work.ChargePaid}, err
}
