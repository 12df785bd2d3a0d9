package onboarding

import (
	"context"
	"strings"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// BeginRotation begins to replace a credential of a connection. The old one
// stays in use until FinishRotation. Asked again, it goes on where it was.
func (r *Room) BeginRotation(ctx context.Context, in work.RotationStart) (work.RotationResult, error) {
	connection, err := r.Ledger.Connection(ctx, in.Connection)
	if err != nil {
		return work.RotationResult{}, err
	}
	if connection.State == work.Disconnected {
		return work.RotationResult{}, work.Err(work.ConnectionNotLive, "it is disconnected")
	}
	plan, err := r.PlanFor(connection.PartnerName)
	if err != nil {
		return work.RotationResult{}, err
	}
	if err := r.addRotation(ctx, in, connection); err != nil {
		return work.RotationResult{}, err
	}
	result := work.RotationResult{Plan: plan}
	if in.What == work.RotateToken {
		result.Waits = work.RotationToken
		return result, nil
	}
	holder := ledger.OurHolder
	if in.What == work.RotatePartnerKey {
		holder = connection.PartnerName
	}
	_, next, err := r.generations(ctx, in.Case, connection.Location.Serial, holder)
	if err != nil {
		return result, err
	}
	state, err := r.ensure(ctx, next, r.activeKeys(ctx, connection.Location.Serial, holder)...)
	switch {
	case err != nil:
		return result, err
	case state == work.TillManual:
		result.Waits = work.RotationKey
	case state == work.TillPending:
		return result, work.Err(work.ClusterNotActivated, "")
	case in.What == work.RotatePartnerKey:
		result.Waits = work.RotationEntry
	default:
		_, err = r.ping(ctx, connection.Location.Serial, keySecret(next.Base))
	}
	return result, err
}

// addRotation writes a rotation down as a case of its own, with the contact and
// the place of the connection's onboarding.
func (r *Room) addRotation(ctx context.Context, in work.RotationStart, connection ledger.Connection) error {
	_, err := r.Ledger.Case(ctx, in.Case)
	if err == nil || !hasCode(err, work.BadInput) {
		return err
	}
	l := connection.Location
	rotation := ledger.Case{
		ID: in.Case, Workflow: rotationWorkflow(in.Case), Request: in.Connection, Partner: connection.PartnerName, Location: l.ID,
		Data: ledger.CaseData{
			Rotates: in.What, By: in.By, Round: 1, Requester: work.PartnerSupport,
			Venue: ledger.CaseVenue{TradeName: l.TradeName, Address: l.Address, Zone: l.Zone, Language: l.Language},
			Since: r.Clock.Now(), Decision: work.Confirm,
		},
	}
	if err := r.Ledger.AddCases(ctx, []ledger.Case{rotation}, actor(in.By, in.Reason, in.Note)); err != nil {
		return err
	}
	before, there, err := r.Ledger.CaseOfConnection(ctx, in.Connection)
	if err != nil || !there {
		return err
	}
	who, err := r.contact(ctx, before.ID)
	if err != nil || who.Email == "" {
		return err
	}
	return r.keepContact(ctx, in.Case, who)
}

// rotationWorkflow is the id of the workflow of a rotation, whose case is
// "<connection>:r<n>".
func rotationWorkflow(caseID string) string {
	i := strings.LastIndex(caseID, ":r")
	return work.ActID(work.ActRotate, caseID[:i], caseID[i+2:])
}

// generations are the key in force and the one that follows it: that which this
// rotation began, or a new one.
func (r *Room) generations(ctx context.Context, caseID, serial, holder string) (old, next ledger.TillKey, err error) {
	all, err := r.Ledger.TillKeys(ctx, serial, holder)
	if err != nil {
		return old, next, err
	}
	c, err := r.Ledger.Case(ctx, caseID)
	if err != nil {
		return old, next, err
	}
	wanted := c.Data.Generation
	if wanted == 0 {
		wanted = len(all) + 1
		if _, err = r.Ledger.ChangeCase(ctx, caseID, func(c *ledger.Case) (ledger.Entry, error) {
			c.Data.Generation = wanted
			return ledger.Entry{}, nil
		}); err != nil {
			return old, next, err
		}
	}
	for _, k := range all {
		switch {
		case k.Generation == wanted:
			next = k
		case k.Generation < wanted && !k.Withdrawn:
			old = k
		}
	}
	if next.Base == "" {
		next, err = r.begin(ctx, serial, holder, wanted)
	}
	return old, next, err
}

// activeKeys are the ids of a holder's keys that work, and stay while the next
// one comes.
func (r *Room) activeKeys(ctx context.Context, serial, holder string) []string {
	all, err := r.Ledger.TillKeys(ctx, serial, holder)
	if err != nil {
		return nil
	}
	var ids []string
	for _, k := range all {
		if k.Kept() {
			ids = append(ids, k.KeyID)
		}
	}
	return ids
}

// FinishRotation puts the new credential in the place of the old one, which
// goes; or, cancelled, the new one goes.
func (r *Room) FinishRotation(ctx context.Context, in work.RotationEnd) (work.ActResult, error) {
	c, err := r.Ledger.Case(ctx, in.Case)
	if err != nil {
		return work.ActResult{}, err
	}
	connection, err := r.Ledger.Connection(ctx, c.Connection())
	if err != nil {
		return work.ActResult{}, err
	}
	by := actor(in.By, in.Reason, in.Note)
	switch {
	case c.Data.Rotates == work.RotateToken && in.Cancelled:
		err = r.Vault.Delete(ctx, tokenSecret(c.ID))
	case c.Data.Rotates == work.RotateToken:
		err = r.swapToken(ctx, c, connection, by)
	default:
		err = r.swapKey(ctx, c, connection, in.Cancelled, by)
	}
	if err != nil {
		return work.ActResult{}, err
	}
	if in.Cancelled {
		return work.ActResult{Summary: "The old credential stays."}, nil
	}
	return work.ActResult{Summary: "The new credential of " + connection.ID + " is in force; the old one is gone.", Changed: 1}, nil
}

// swapToken makes a connection use a pasted token, which has to open the place
// that the connection fills.
func (r *Room) swapToken(ctx context.Context, c ledger.Case, connection ledger.Connection, by ledger.Actor) error {
	if _, there := placeOf(c, connection.PartnerLocationID); !there {
		return work.Err(work.BadInput, "the new token does not open the location of this connection")
	}
	if connection.Secret == tokenSecret(c.ID) {
		return nil
	}
	if _, err := r.Ledger.Connect(ctx, ledger.NewConnection{
		Partner: connection.PartnerName, LocationID: connection.LocationID, CompanyID: connection.CompanyID,
		PartnerLocationID: connection.PartnerLocationID, Secret: tokenSecret(c.ID),
	}, by); err != nil {
		return err
	}
	return r.Vault.Delete(ctx, connection.Secret)
}

// swapKey makes the till be read with the new key, and withdraws the old one.
func (r *Room) swapKey(ctx context.Context, c ledger.Case, connection ledger.Connection, cancelled bool, by ledger.Actor) error {
	holder := ledger.OurHolder
	if c.Data.Rotates == work.RotatePartnerKey {
		holder = connection.PartnerName
	}
	old, next, err := r.generations(ctx, c.ID, connection.Location.Serial, holder)
	if err != nil {
		return err
	}
	if cancelled {
		return r.withdraw(ctx, next)
	}
	if holder == ledger.OurHolder {
		before := connection.Location.Secret
		if err := r.Ledger.SetLocationSecret(ctx, connection.LocationID, keySecret(next.Base), by); err != nil {
			return err
		}
		if before != "" && before != keySecret(next.Base) && (old.Base == "" || before != keySecret(old.Base)) {
			// A key that was put in by hand is Cluster's to revoke.
			if err := r.Vault.Delete(ctx, before); err != nil {
				return err
			}
		}
	}
	if old.Base == "" {
		return nil
	}
	return r.withdraw(ctx, old)
}
