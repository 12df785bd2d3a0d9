package onboarding

import (
	"context"
	"fmt"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// OpenTill opens the way to a case's till: API access activated by Cluster, a
// key of ours, and one of the partner's where it reads the till itself. It is
// asked again until it tells TillReady. A till that is offline is ready: its
// credentials are good, and going live waits for it.
func (r *Room) OpenTill(ctx context.Context, caseID string) (work.TillResult, error) {
	c, err := r.openCase(ctx, caseID)
	if err != nil {
		return work.TillResult{}, err
	}
	if c.Serial == "" {
		return work.TillResult{}, work.Err(work.Internal, "the way to a till that is not known")
	}
	if !c.Data.NeedsTill { // from here on nobody takes our key away
		if c, err = r.Ledger.ChangeCase(ctx, caseID, func(c *ledger.Case) (ledger.Entry, error) {
			c.Data.NeedsTill = true
			return ledger.Entry{}, nil
		}); err != nil {
			return work.TillResult{}, err
		}
	}
	// Access is asked for all at once: each takes its 24 to 48 hours. What a
	// person has to do is told first.
	result := work.TillResult{State: work.TillReady}
	for _, holder := range r.holders(c) {
		state, err := r.open(ctx, c, holder)
		if err != nil {
			return work.TillResult{}, err
		}
		if state == work.TillManual || result.State == work.TillReady {
			result.State = state
		}
	}
	return result, nil
}

// holders are those who read a case's till; of a rotation, who gets the new key.
func (r *Room) holders(c ledger.Case) []string {
	switch {
	case c.Data.Rotates == work.RotatePartnerKey:
		return []string{c.Partner}
	case c.Data.Rotates == work.RotateTillKey || !r.readsTill(c):
		return []string{ledger.OurHolder}
	}
	return []string{ledger.OurHolder, c.Partner}
}

// readsTill tells whether the partner gets a key: unless it takes a token, or
// the route is known already to be one of ours.
func (r *Room) readsTill(c ledger.Case) bool {
	if _, token := r.takesToken(c.Partner); token {
		return false
	}
	if c.Data.Entry != nil {
		return c.Data.Entry.Route == partner.RoutePull
	}
	return c.Data.Route == "" || c.Data.Route == partner.RoutePull
}

func (r *Room) open(ctx context.Context, c ledger.Case, holder string) (string, error) {
	if holder == ledger.OurHolder {
		// A location that another partner brought in has our key already.
		if l, there, err := r.locationOf(ctx, c.Serial); err != nil || there && l.Secret != "" {
			return work.TillReady, err
		}
	}
	if active, err := r.activated(ctx, c.Serial, holder); err != nil || !active {
		return work.TillPending, err
	}
	k, err := r.current(ctx, c.Serial, holder)
	if err != nil {
		return "", err
	}
	if state, err := r.ensure(ctx, k); err != nil || state != work.TillReady {
		return state, err
	}
	_, err = r.ping(ctx, c.Serial, keySecret(k.Base))
	switch {
	case hasCode(err, work.ClusterNotActivated):
		return work.TillPending, nil
	case hasCode(err, work.ClusterOffline):
		return work.TillReady, nil
	}
	return work.TillReady, err
}

// activated asks Cluster for a holder's access to a till, and tells whether it is
// active. Where keys are put in by hand, so is access.
func (r *Room) activated(ctx context.Context, serial, holder string) (bool, error) {
	if r.byHand() {
		return true, nil
	}
	access, err := r.Office.Activate(ctx, serial, holder, ourRequests+"activate:"+keyBase(serial, holder, 0))
	return access == cluster.AccessActive, err
}

// ping asks the till with a key of the vault's.
func (r *Room) ping(ctx context.Context, serial, secret string) (cluster.Ping, error) {
	key, err := r.Vault.Get(ctx, secret)
	if err != nil {
		return cluster.Ping{}, err
	}
	return r.Till.Ping(ctx, cluster.Credential{Serial: serial, Key: key.Reveal()})
}

// TillTime is the till's clock, with its own offset.
func (r *Room) TillTime(ctx context.Context, c ledger.Case) (time.Time, error) {
	secret, err := r.keptKey(ctx, c)
	if err != nil {
		return time.Time{}, err
	}
	ping, err := r.ping(ctx, c.Serial, secret)
	return ping.PosTime, err
}

// ourKey is where our key to a case's till is kept. Should it have been taken
// away since the till was opened, it is opened once more.
func (r *Room) ourKey(ctx context.Context, c ledger.Case) (string, error) {
	state, err := r.open(ctx, c, ledger.OurHolder)
	switch {
	case err != nil:
		return "", err
	case state == work.TillPending:
		return "", work.Err(work.ClusterNotActivated, "")
	case state != work.TillReady:
		return "", work.Err(work.SecretUnreadable, "an operator has to put in our key to the till")
	}
	return r.keptKey(ctx, c)
}

// keptKey is where our key to a case's till is kept.
func (r *Room) keptKey(ctx context.Context, c ledger.Case) (string, error) {
	if l, there, err := r.locationOf(ctx, c.Serial); err != nil || there && l.Secret != "" {
		return l.Secret, err
	}
	k, err := r.inForce(ctx, c.Serial, ledger.OurHolder)
	return keySecret(k.Base), err
}

// realRead is how far back the preflight reads orders.
const realRead = time.Hour

// preflight is what has to be well before anything travels: the till is online,
// the key good, its clock keeps the venue's zone, and orders can be read.
func (r *Room) preflight(ctx context.Context, c ledger.Case, secret string) error {
	ping, err := r.ping(ctx, c.Serial, secret)
	if err != nil {
		return err
	}
	if said := OffsetDiffers(ping.PosTime, r.Zone(c)); said != "" {
		return work.Err(work.ZonesDiffer, said)
	}
	key, err := r.Vault.Get(ctx, secret)
	if err != nil {
		return err
	}
	_, err = r.Till.Orders(ctx, cluster.Credential{Serial: c.Serial, Key: key.Reveal()}, cluster.OrdersQuery{
		From: ping.PosTime.Add(-realRead), To: ping.PosTime, DateField: cluster.Opened,
	})
	return err
}

// OffsetDiffers says how a till's clock contradicts a zone, or nothing. Only the
// offset is compared: a till whose clock is a few minutes off is common and
// allowed for by the overlap.
func OffsetDiffers(posTime time.Time, zone *time.Location) string {
	if posTime.IsZero() {
		return ""
	}
	_, till := posTime.Zone()
	_, ours := posTime.In(zone).Zone()
	if till == ours {
		return ""
	}
	return fmt.Sprintf("the till is at UTC%s, but %s is at UTC%s now: business days would be cut at the wrong hour",
		offset(till), zone, offset(ours))
}

// offset prints seconds east of UTC as +HH:MM.
func offset(seconds int) string {
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	return fmt.Sprintf("%c%02d:%02d", sign, seconds/3600, seconds/60%60)
}

// SameHours tells whether two zones keep the same hours, from a year before an
// instant to a year after: aliases such as America/Montreal and America/Toronto
// do.
func SameHours(now time.Time, a, b *time.Location) bool {
	const step, year = 12 * time.Hour, 365 * 24 * time.Hour
	for t := now.Add(-year); t.Before(now.Add(year)); t = t.Add(step) {
		_, x := t.In(a).Zone()
		if _, y := t.In(b).Zone(); x != y {
			return false
		}
	}
	return true
}
