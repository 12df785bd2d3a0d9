package onboarding

import (
	"context"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/words"
)

// Zone is a case's zone, for instants that people read.
func (r *Room) Zone(c ledger.Case) *time.Location { return r.zoneOf(c) }

// Lang is the language in which a case's venue is written to.
func (r *Room) Lang(c ledger.Case) words.Lang { return lang(c) }

// Venue is a case's venue, as mails and pages name it.
func (r *Room) Venue(c ledger.Case) mail.Venue { return venueOf(c) }

// Asker is who asked for a case.
func (r *Room) Asker(c ledger.Case) mail.Asker { return asker(c) }

// Serial is that of a case's till.
func (r *Room) Serial(ctx context.Context, c ledger.Case) (string, error) { return r.serial(ctx, c) }

// TillTime is the till's clock, with its own offset.
func (r *Room) TillTime(ctx context.Context, c ledger.Case) (time.Time, error) {
	secret, err := r.keptKey(ctx, c)
	if err != nil {
		return time.Time{}, err
	}
	ping, err := r.ping(ctx, c.Serial, secret)
	return ping.PosTime, err
}

// KnownHindrances are Hindrances, without asking the partner: whether something
// else feeds a place is known once somebody has tried to choose it.
func (r *Room) KnownHindrances(ctx context.Context, c ledger.Case, at partner.Place) ([]string, error) {
	found, err := r.fits(ctx, c, at)
	if err == nil && slices.Contains(c.Data.FedByOthers, at.ID) {
		found = append(found, OtherPOS)
	}
	return found, err
}
