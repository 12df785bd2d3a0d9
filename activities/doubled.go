package activities

import (
	"context"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Office is what is asked of Cluster's back office about a till.
type Office interface {
	// KeysInUse are the API keys issued to a partner that opened the till since.
	KeysInUse(ctx context.Context, serial, partner string, since time.Time) ([]cluster.KeyRecord, error)
}

// doubledWithin is how far back a use of a key still says that WISK reads the
// till by itself: it looks every 6 hours (reference: WISK 4).
const doubledWithin = 24 * time.Hour

// watchRoute looks once a night whether WISK reads the till of a venue to which
// sales are uploaded: they would count twice. Not to know is no failure of the
// run.
func (s *Sync) watchRoute(ctx context.Context, c ledger.Connection) {
	if s.Office == nil || c.PartnerName != work.Wisk {
		return
	}
	target, err := c.ForPartner()
	if err != nil {
		return
	}
	now := s.Clock.Now()
	today := sale.DayOf(now, target.Zone)
	if !c.RereadThrough.Before(today.Plus(-1)) || !wisk.Served(target, today) {
		return // looked tonight, or WISK is to read it
	}
	keys, err := s.Office.KeysInUse(ctx, c.Location.Serial, work.Wisk, now.Add(-doubledWithin))
	switch {
	case err != nil:
		s.Log.WarnContext(ctx, "whether WISK reads the till as well is not known", "connection", c.ID, "problem", describe(err))
		return
	case len(keys) == 0:
		err = s.Ledger.FindingGone(ctx, c.ID, ledger.RouteDoubled, c.Location.Serial)
	default:
		err = s.Ledger.Find(ctx, c.ID, []ledger.NewFinding{{Kind: ledger.RouteDoubled, Subject: c.Location.Serial, Day: today}})
	}
	if err != nil {
		s.Log.WarnContext(ctx, "a doubled route could not be noted", "connection", c.ID, "problem", describe(err))
	}
}
