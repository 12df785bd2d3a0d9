package onboarding

import (
	"context"
	"slices"
	"strings"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// BeginRotation begins to replace a credential of a connection. The old one
// stays in use until FinishRotation. Asked again, it goes on where it was.
func (r *Room) BeginRotation(ctx context.Context, in work.RotationStart) (work.RotationResult, error) {
	result := work.RotationResult{Plan: r.Settings.Plan}
	connection, err := r.Ledger.Connection(ctx, in.Connection)
	if err != nil {
		return result, err
	}
	if connection.State == work.Disconnected {
		return result, work.Err(work.ConnectionNotLive, "it is disconnected")
	}
	if in.What == work.RotatePartnerKey && !r.pulls(connection) {
		return result, work.Err(work.BadInput, "the partner does not read this till itself, so it has no key")
	}
	_, result.Plan.TakesToken = r.takesToken(connection.PartnerName)
	c, err := r.rotation(ctx, in, connection)
	if err != nil {
		return result, err
	}
	if in.What == work.RotateToken {
		result.Waits = work.RotationToken
		return result, nil
	}
	result.Waits, err = r.beginKey(ctx, c, connection.Location.Serial)
	return result, err
}

// pulls tells whether the partner reads a connection's till today.
func (r *Room) pulls(connection ledger.Connection) bool {
	known, err := connection.ForPartner()
	return err == nil && known.Settings.Routes.At(sale.DayOf(r.Clock.Now(), known.Zone), "") == partner.RoutePull
}

// rotation is a rotation's case, written down with the contact of the
// connection's onboarding if it is new.
func (r *Room) rotation(ctx context.Context, in work.RotationStart, connection ledger.Connection) (ledger.Case, error) {
	c, err := r.Ledger.Case(ctx, in.Case)
	if hasCode(err, work.BadInput) {
		l := connection.Location
		workflow := rotationWorkflow(in.Case)
		if err = r.Ledger.AddCases(ctx, []ledger.Case{{
			ID: in.Case, Workflow: workflow, Request: workflow, Partner: connection.PartnerName, Location: l.ID,
			Data: ledger.CaseData{
				Rotates: in.What, By: in.By, Round: 1, Requester: work.PartnerSupport,
				Venue: ledger.CaseVenue{TradeName: l.TradeName, Address: l.Address, Zone: l.Zone, Language: l.Language},
				Since: r.Clock.Now(), Decision: work.Confirm,
			},
		}}, actor(in.By, in.Reason, in.Note)); err == nil {
			c, err = r.Ledger.Case(ctx, in.Case)
		}
	}
	if err == nil {
		err = open(c)
	}
	if err != nil || c.ContactKey != "" {
		return c, err
	}
	before, there, err := r.Ledger.CaseOfConnection(ctx, in.Connection)
	if err != nil || !there || before.ContactKey == "" {
		return c, err
	}
	who, err := r.contact(ctx, before)
	if err != nil {
		return c, err
	}
	keep, err := r.keepContact(ctx, in.Case, who)
	if err != nil {
		return c, err
	}
	return r.Ledger.ChangeCase(ctx, in.Case, func(c *ledger.Case) (ledger.Entry, error) {
		keep(c)
		return ledger.Entry{}, nil
	})
}

// rotationWorkflow is the id of the workflow of a rotation, whose case is
// "<connection>:r<n>".
func rotationWorkflow(caseID string) string {
	i := strings.LastIndex(caseID, ":r")
	return work.ActID(work.ActRotate, caseID[:i], caseID[i+2:])
}

// beginKey has the new key issued, beside those that work, and tells what has to
// come before the old one goes.
func (r *Room) beginKey(ctx context.Context, c ledger.Case, serial string) (waits string, err error) {
	holder := r.holders(c)[0]
	if active, err := r.activated(ctx, serial, holder); err != nil || !active {
		if err == nil {
			err = work.Err(work.ClusterNotActivated, "")
		}
		return "", err
	}
	older, next, err := r.generations(ctx, c, serial, holder)
	if err != nil {
		return "", err
	}
	var keep []string
	for _, k := range older {
		if k.Kept() {
			keep = append(keep, k.KeyID)
		}
	}
	state, err := r.ensure(ctx, next, keep...)
	switch {
	case err != nil:
		return "", err
	case state == work.TillManual:
		return work.RotationKey, nil
	case state == work.TillPending:
		return "", work.Err(work.ClusterNotActivated, "")
	case holder != ledger.OurHolder:
		return work.RotationEntry, nil
	}
	_, err = r.ping(ctx, serial, keySecret(next.Base))
	return "", err
}

// generations are the keys that a rotation replaces, of which there may be none,
// and the one that it brings, which is begun if it is new.
func (r *Room) generations(ctx context.Context, c ledger.Case, serial, holder string) (older []ledger.TillKey, next ledger.TillKey, err error) {
	all, err := r.Ledger.TillKeys(ctx, serial, holder)
	if err != nil {
		return nil, next, err
	}
	if c.Data.Generation == 0 {
		if c, err = r.Ledger.ChangeCase(ctx, c.ID, func(c *ledger.Case) (ledger.Entry, error) {
			if c.Data.Generation == 0 {
				c.Data.Generation = len(all) + 1
			}
			return ledger.Entry{}, nil
		}); err != nil {
			return nil, next, err
		}
	}
	for _, k := range all {
		switch {
		case k.Generation == c.Data.Generation:
			next = k
		case k.Generation < c.Data.Generation:
			older = append(older, k)
		}
	}
	if next.Base == "" {
		next, err = r.begin(ctx, serial, holder, c.Data.Generation)
	}
	return older, next, err
}

// FinishRotation puts the new credential in the place of the old one, which
// goes; or, cancelled, the new one goes. So it does when the connection has
// ended meanwhile.
func (r *Room) FinishRotation(ctx context.Context, in work.RotationEnd) (work.ActResult, error) {
	stays := work.ActResult{Summary: "The old credential stays."}
	c, err := r.Ledger.Case(ctx, in.Case)
	if in.Cancelled && hasCode(err, work.BadInput) {
		return stays, nil // it had not begun
	}
	if err != nil {
		return stays, err
	}
	connection, err := r.Ledger.Connection(ctx, c.Connection())
	if err != nil {
		return stays, err
	}
	outcome := work.WentLive
	if in.Cancelled || connection.State == work.Disconnected {
		outcome = work.Cancelled
	}
	if c.Outcome != "" {
		outcome = c.Outcome // it comes again
	}
	if connection.State == work.Disconnected {
		stays.Summary = "The connection has ended; the new credential is gone as well."
	}
	by := actor(in.By, in.Reason, in.Note)
	swap := r.swapKey
	if c.Data.Rotates == work.RotateToken {
		swap = r.swapToken
	}
	if err := swap(ctx, c, connection, outcome == work.Cancelled, by); err != nil {
		return stays, err
	}
	if err := r.endRotation(ctx, c, outcome, by); err != nil || outcome == work.Cancelled {
		return stays, err
	}
	return work.ActResult{Summary: "The new credential of " + connection.ID + " is in force; the old one is gone.", Changed: 1}, nil
}

// endRotation ends the case, and forgets whom it wrote to: the connection's
// onboarding knows.
func (r *Room) endRotation(ctx context.Context, c ledger.Case, outcome work.Outcome, by ledger.Actor) error {
	if _, err := r.Ledger.ChangeCase(ctx, c.ID, func(c *ledger.Case) (ledger.Entry, error) {
		if c.Outcome != "" {
			return ledger.Entry{}, nil
		}
		e := r.end(c, outcome, by)
		if outcome == work.WentLive {
			e.Act, e.New = actRotated, c.Data.Rotates
		}
		return e, nil
	}); err != nil {
		return err
	}
	if err := r.Ledger.ForgetContact(ctx, c.ID); err != nil {
		return err
	}
	_, err := r.Outbox.Purge(ctx, work.LocationOnboardingID(c.ID))
	return err
}

// swapToken makes a connection use the token that was found good, which opens
// the place that the connection fills.
func (r *Room) swapToken(ctx context.Context, c ledger.Case, connection ledger.Connection, cancelled bool, by ledger.Actor) error {
	if cancelled {
		if connection.Secret == tokenSecret(c.ID) {
			return work.Err(work.BadInput, "the new token is in use already")
		}
		return r.forgetSecrets(ctx, c)
	}
	if _, there := placeIn(c.Data.Places, connection.PartnerLocationID); !there {
		return work.Err(work.BadInput, "the new token does not open the location of this connection")
	}
	old, err := r.replaces(ctx, c, connection.Secret, tokenSecret(c.ID))
	if err != nil {
		return err
	}
	if connection.Secret != tokenSecret(c.ID) {
		if _, err := r.Ledger.Connect(ctx, ledger.NewConnection{
			Partner: connection.PartnerName, LocationID: connection.LocationID, CompanyID: connection.CompanyID,
			PartnerLocationID: connection.PartnerLocationID, Secret: tokenSecret(c.ID),
		}, by); err != nil {
			return err
		}
	}
	if err := r.Vault.Delete(ctx, pastedSecret(c.ID)); err != nil || old == "" {
		return err
	}
	return r.Vault.Delete(ctx, old)
}

// replaces is the secret whose place the new one takes, written down before it
// does, so that the old one is found and deleted whatever happens.
func (r *Room) replaces(ctx context.Context, c ledger.Case, now, next string) (string, error) {
	if now == next {
		return c.Data.Replaces, nil
	}
	_, err := r.Ledger.ChangeCase(ctx, c.ID, func(c *ledger.Case) (ledger.Entry, error) {
		c.Data.Replaces = now
		return ledger.Entry{}, nil
	})
	return now, err
}

// swapKey makes the till be read with the new key, and withdraws the old ones.
func (r *Room) swapKey(ctx context.Context, c ledger.Case, connection ledger.Connection, cancelled bool, by ledger.Actor) error {
	l, holder := connection.Location, r.holders(c)[0]
	older, next, err := r.generations(ctx, c, l.Serial, holder)
	if err != nil {
		return err
	}
	if cancelled {
		return r.withdraw(ctx, next, c.ID)
	}
	if !next.Kept() {
		return work.Err(work.SecretUnreadable, "the new key has not come yet")
	}
	if holder == ledger.OurHolder {
		if err := r.swapOurs(ctx, c, l, keySecret(next.Base), by); err != nil {
			return err
		}
	}
	if older, err = r.formerTills(ctx, older, l, holder); err != nil {
		return err
	}
	for _, k := range older {
		if err := r.withdraw(ctx, k, c.ID); err != nil {
			return err
		}
	}
	return nil
}

// swapOurs puts our new key in force. One that no act of issuing knows was put
// in by a person and is forgotten.
func (r *Room) swapOurs(ctx context.Context, c ledger.Case, l ledger.Location, next string, by ledger.Actor) error {
	old, err := r.replaces(ctx, c, l.Secret, next)
	if err != nil {
		return err
	}
	if l.Secret != next {
		if err := r.Ledger.SetLocationSecret(ctx, l.ID, next, by); err != nil {
			return err
		}
	}
	if old == "" || issued(old) {
		return nil
	}
	return r.Vault.Delete(ctx, old)
}

// formerTills adds the keys to the tills that stood at a location before.
func (r *Room) formerTills(ctx context.Context, keys []ledger.TillKey, l ledger.Location, holder string) ([]ledger.TillKey, error) {
	serials, err := r.Ledger.Serials(ctx, l.ID)
	if err != nil {
		return nil, err
	}
	keys = slices.Clone(keys)
	for _, s := range serials {
		if s.Serial == l.Serial {
			continue
		}
		former, err := r.Ledger.TillKeys(ctx, s.Serial, holder)
		if err != nil {
			return nil, err
		}
		keys = append(keys, former...)
	}
	return keys, nil
}
