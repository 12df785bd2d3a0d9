// Package onboarding brings a venue to a partner and away again: it finds the
// venue in Cluster, asks its contact, charges the fee, obtains and hands over
// credentials, takes the partner's, and makes the connection. It knows nothing
// of Temporal: each method is one step that may come again after a crash, and
// what it did before is found and not done twice.
package onboarding

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/limit"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Room is where onboarding is done. It is safe for use by many goroutines and
// processes.
type Room struct {
	Ledger *ledger.Store
	Vault  *vault.Vault
	// Office is Cluster's back office; nil: venues are found and keys issued by
	// hand.
	Office *cluster.Office
	Till   *cluster.Client
	// Partners are all; those that are a partner.TokenTaker are joined by a
	// token of the venue, the others by a key of ours.
	Partners partner.Registry
	Limiter  *limit.Limiter
	Base     http.RoundTripper // of requests to partners
	Clock    clock.Clock
	Outbox   *mail.Outbox
	Composer *mail.Composer
	Links    *link.Signer
	Settings Settings
	Log      *slog.Logger
}

// Settings are what people have to decide. Durations of links are business
// time; those of the plan are real.
type Settings struct {
	// Gateway is the gateway's address for people outside the team, with which
	// links begin.
	Gateway string
	Plan    work.OnboardingPlan
	// Fees are the partners' one-time fees of a location, before tax, in cents;
	// a partner that is not there has none stated, and is refused.
	Fees     map[string]sale.Cents
	Billing  Billing
	Supports map[string]Support // of partners that get credentials
	// ByHand says that an operator puts the keys in.
	ByHand bool
	// KeyInline puts keys into mails, instead of behind links.
	KeyInline bool
	// RevealFor, TokenFor and StatusFor are how long links are good.
	RevealFor, TokenFor, StatusFor time.Duration
	// Zone is a venue's where Cluster tells none.
	Zone string
}

// Billing is what stands on invoices.
type Billing struct {
	Currency             string // CAD
	GSTRate, QSTRate     words.Rate
	GSTNumber, QSTNumber string
	HowToPay             mail.Bilingual
	// PayURL is the page where an invoice is paid; {number} in it stands for the
	// invoice's. Empty: there is none.
	PayURL string
}

// Support is a partner's support, who gets the credentials.
type Support struct {
	Address  string
	Language words.Lang
}

// takesToken tells whether a partner is joined by a token of the venue.
func (r *Room) takesToken(partnerName string) (partner.TokenTaker, bool) {
	t, ok := r.Partners[partnerName].(partner.TokenTaker)
	return t, ok
}

// gate is the way to a partner with a credential, within its limit.
func (r *Room) gate(ctx context.Context, partnerName string, credential vault.Secret) (http.RoundTripper, error) {
	hash, err := r.Vault.CredentialHash(ctx, credential)
	if err != nil {
		return nil, err
	}
	rules := r.Partners[partnerName].Rules()
	return r.Limiter.Gate(hash, rules.PerSecond, rules.PenaltyRest).Transport(r.Base), nil
}

// The ids under which the vault keeps what belongs to a case. A token that was
// pasted and not yet found good has a place of its own.
func contactSecret(caseID string) string    { return "contact:" + caseID }
func pastedSecret(caseID string) string     { return "pasted:" + caseID }
func tokenSecret(caseID string) string      { return "token:" + caseID }
func identifierSecret(caseID string) string { return "identifier:" + caseID }

func actor(by, reason, note string) ledger.Actor {
	return ledger.Actor{Handle: by, Reason: reason, Note: note}
}

// program is who does what nobody asked for just now.
var program = ledger.Actor{Handle: ledger.Program}

// entry is a line of a case's story.
func entry(by ledger.Actor, act, now string) ledger.Entry {
	return ledger.Entry{Who: by.Handle, Act: act, New: now, Reason: by.Reason, Note: by.Note}
}

// The acts of a case's story, besides the ledger's own.
const (
	actFound    = "venue found"
	actContact  = "contact entered"
	actAsked    = "venue asked"
	actDecision = "venue's decision"
	actEntry    = "partner's side entered"
	actToken    = "token kept"
	actPlace    = "partner's location chosen"
	actKey      = "key put in"
	actRevoke   = "key to be revoked at Cluster"
	actEnd      = "onboarding ended"
	actTwice    = "paid twice"
	actUnowed   = "paid although nothing was owed"
	actReturned = "what was paid too much given back"
	actOther    = "payment of another amount"
	actAgain    = "credentials handed over again"
	actRotated  = "credential replaced"
	actAnew     = "settings of a new onboarding"
)

// Zone is a case's zone, for instants in mails and on pages.
func (r *Room) Zone(c ledger.Case) *time.Location {
	for _, name := range []string{c.Data.Venue.Zone, r.Settings.Zone} {
		if zone, err := time.LoadLocation(name); err == nil && name != "" && name != "Local" {
			return zone
		}
	}
	return time.UTC
}

// Lang is the language in which a case's venue is written to.
func Lang(c ledger.Case) words.Lang {
	for _, l := range []string{c.Data.Venue.Language, c.Data.Asked.Language} {
		if parsed, err := words.Parse(l); err == nil {
			return parsed
		}
	}
	return words.French
}

// link is the address of a page for a case.
func (r *Room) link(purpose link.Purpose, subject string, reader link.Reader, expires time.Time) (mail.Link, error) {
	token, err := r.Links.Sign(link.Claims{Purpose: purpose, Subject: subject, Reader: reader, Expires: expires})
	if err != nil {
		return "", work.Errf(work.Internal, err, "a link could not be made")
	}
	return mail.Link(r.Settings.Gateway + link.Path(purpose, token)), nil
}
