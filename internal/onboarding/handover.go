package onboarding

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// handover is a case's serial number and key for a reader. The key waits behind
// a link of the reader's own, or stands in the mail where a setting says so.
func (r *Room) handover(ctx context.Context, c ledger.Case, reader link.Reader) (mail.Handover, error) {
	k, err := r.partnerKey(ctx, c)
	if err != nil {
		return mail.Handover{}, err
	}
	credential := mail.VenueCredential{Venue: Venue(c), Serial: k.Serial}
	if r.Settings.KeyInline {
		credential.Key, err = r.Vault.Get(ctx, keySecret(k.Base))
		return mail.Handover{Venues: []mail.VenueCredential{credential}}, err
	}
	reveal, err := r.Ledger.AddReveal(ctx, ledger.Reveal{
		Case: c.ID, Reader: string(reader), Round: c.Data.Round, Secret: keySecret(k.Base),
		ExpiresAt: r.Clock.Now().Add(r.Settings.RevealFor).Truncate(time.Second),
	})
	if err != nil {
		return mail.Handover{}, err
	}
	credential.Reveal, err = r.link(link.Reveal, c.ID, reader, reveal.ExpiresAt)
	return mail.Handover{Venues: []mail.VenueCredential{credential}, Expires: reveal.ExpiresAt.In(r.Zone(c))}, err
}

// partnerKey is the partner's key that is in force.
func (r *Room) partnerKey(ctx context.Context, c ledger.Case) (ledger.TillKey, error) {
	serial, err := r.Serial(ctx, c)
	if err != nil {
		return ledger.TillKey{}, err
	}
	k, err := r.inForce(ctx, serial, c.Partner)
	if err == nil && !k.Kept() {
		err = work.Err(work.SecretUnreadable, "no key of the partner's is kept")
	}
	return k, err
}

// Serial is that of a case's till; a rotation's is its location's.
func (r *Room) Serial(ctx context.Context, c ledger.Case) (string, error) {
	if c.Serial != "" || c.Location == "" {
		return c.Serial, nil
	}
	l, err := r.Ledger.Location(ctx, c.Location)
	return l.Serial, err
}

// HandOverAgain makes new links, for both readers of credentials or for the page
// that takes a token, of which the workflow or the verb then sends mails: the
// old ones had expired, or were opened by mistake.
func (r *Room) HandOverAgain(ctx context.Context, caseID string, by ledger.Actor) error {
	_, err := r.Ledger.ChangeCase(ctx, caseID, func(c *ledger.Case) (ledger.Entry, error) {
		if err := open(*c); err != nil {
			return ledger.Entry{}, err
		}
		c.Data.Round++
		c.Data.RoundAt = r.Clock.Now()
		return entry(by, actAgain, strconv.Itoa(c.Data.Round)), nil
	})
	return err
}

// Revealing is what a reader's link stands for.
type Revealing struct {
	Case ledger.Case
	// Ready says that it can be opened; Opened is when it was, and Withdrawn
	// that its key is none any more.
	Ready, Withdrawn bool
	Opened, Expires  time.Time
	reveal           ledger.Reveal
}

// Revealing looks at a reader's newest link, without opening it.
func (r *Room) Revealing(ctx context.Context, caseID string, reader link.Reader) (Revealing, error) {
	c, err := r.Ledger.Case(ctx, caseID)
	if err != nil {
		return Revealing{}, err
	}
	all, err := r.Ledger.Reveals(ctx, caseID)
	if err != nil {
		return Revealing{}, err
	}
	for _, reveal := range all {
		if reveal.Reader != string(reader) {
			continue
		}
		v := Revealing{Case: c, Opened: reveal.OpenedAt, Expires: reveal.ExpiresAt, reveal: reveal}
		_, err := r.Vault.Get(ctx, reveal.Secret)
		if hasCode(err, work.SecretUnreadable) {
			v.Withdrawn, err = true, nil
		}
		v.Ready = !v.Withdrawn && v.Opened.IsZero() && r.Clock.Now().Before(v.Expires)
		return v, err
	}
	return Revealing{}, work.Err(work.BadInput, "no key waits for this reader")
}

// Reveal tells the key, once to each reader; false when it was told before or
// is too late.
func (r *Room) Reveal(ctx context.Context, v Revealing) (vault.Secret, bool, error) {
	key, err := r.Vault.Get(ctx, v.reveal.Secret)
	if err != nil {
		return vault.Secret{}, false, err
	}
	opened, err := r.Ledger.OpenReveal(ctx, v.reveal)
	if err != nil || !opened {
		return vault.Secret{}, false, err
	}
	return key, true, nil
}

// StatusLink is the address of a connection's read-only page.
func (r *Room) StatusLink(connection string, reader link.Reader, since time.Time) (mail.Link, error) {
	return r.link(link.Status, connection, reader, since.Add(r.Settings.StatusFor))
}

// payLink is where an invoice is paid.
func (r *Room) payLink(number string) mail.Link {
	return mail.Link(strings.ReplaceAll(r.Settings.Billing.PayURL, "{number}", number))
}
