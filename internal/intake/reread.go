package intake

import (
	"context"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// PlanReread plans what is to be read again: every night the last business
// days, and at once when a till is back that was away, as many days as it was
// away. A till that was offline uploads orders with old dates, which a filter
// by modification can miss.
func (p *Puller) PlanReread(ctx context.Context, c ledger.Connection) error {
	zone, err := time.LoadLocation(c.Location.Zone)
	if err != nil {
		return work.Errf(work.Internal, err, "the location's zone is unknown")
	}
	today := sale.DayOf(p.Clock.Now(), zone)
	if c.RereadThrough.Before(today.Plus(-1)) {
		if _, err := p.Ledger.PlanNightlyReread(ctx, c.ID, today.Plus(-1), p.Config.RereadDays); err != nil {
			return err
		}
	}
	if days := p.awayDays(c, zone, today); len(days) > 0 {
		return p.Ledger.AskReread(ctx, c.ID, days...)
	}
	return nil
}

// awayDays are the business days to read again when the till was away until
// this run: at least the nightly ones, today included. c is the connection as
// it was before this run's pull.
func (p *Puller) awayDays(c ledger.Connection, zone *time.Location, today sale.Day) []sale.Day {
	if c.Watermark.IsZero() || p.Clock.Now().Sub(c.Watermark) < outageAfter {
		return nil
	}
	first := sale.DayOf(c.Watermark, zone)
	if nightly := today.Plus(-p.Config.RereadDays); nightly.Before(first) {
		first = nightly
	}
	if oldest := today.Plus(-maxGapDays); first.Before(oldest) {
		first = oldest
	}
	var days []sale.Day
	for day := first; !today.Before(day); day = day.Plus(1) {
		days = append(days, day)
	}
	return days
}

// Reread reads planned business days again, whole days only, until the budget
// is spent or nothing is planned. A sale that two complete re-reads have not
// found has vanished at the till and counts as voided. A day before the
// connection is left to the backfill until that is done.
func (p *Puller) Reread(ctx context.Context, c ledger.Connection, cred cluster.Credential, holder string, b *Budget) (work.Counts, bool, error) {
	var counts work.Counts
	pull, err := p.begin(ctx, c, cred, holder, &counts)
	if err != nil {
		return counts, false, err
	}
	for !b.Spent() {
		day, found, err := p.Ledger.NextReread(ctx, c.ID)
		if err != nil || !found {
			return counts, false, err
		}
		if err := p.rereadDay(ctx, pull, day, b); err != nil {
			return counts, false, err
		}
	}
	_, more, err := p.Ledger.NextReread(ctx, c.ID)
	return counts, more, err
}

func (p *Puller) rereadDay(ctx context.Context, pull *pull, day sale.Day, b *Budget) error {
	if err := pull.hold(ctx); err != nil {
		return err
	}
	began := p.Clock.Now()
	if pull.c.ours(day, pull.zone) {
		cur := work.SyncCursor{ReadBegan: began}
		if _, err := p.day(ctx, pull, day, &cur, true, b); err != nil {
			return err
		}
		missing, err := p.Ledger.MarkMissing(ctx, pull.c.Connection, pull.holder, day, began, pull.translate)
		if err != nil {
			return err
		}
		pull.counts.Changed += missing.Changed
	}
	return p.Ledger.RereadDone(ctx, pull.c.ID, pull.holder, day, began)
}
