package intake

import (
	"context"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// fallbackFrom is the first business day that a pull reads where the relay has
// no filter by modification: yesterday, or as far back as the watermark when
// that is older.
func (p *Puller) fallbackFrom(c ledger.Connection, zone *time.Location) sale.Day {
	today := sale.DayOf(p.Clock.Now(), zone)
	first := today.Plus(-1)
	if !c.Watermark.IsZero() {
		if away := sale.DayOf(c.Watermark, zone).Plus(-1); away.Before(first) {
			first = away
		}
	}
	if oldest := today.Plus(-maxGapDays); first.Before(oldest) {
		first = oldest
	}
	if liveFrom := sale.DayOf(c.LiveFrom, zone); first.Before(liveFrom) && !c.HistoryDone {
		first = liveFrom // what is older is the backfill's
	}
	return first
}

// fallback pulls without the filter by modification: whole business days by
// opening, up to today. Edits of older orders are found by the nightly
// re-read.
func (p *Puller) fallback(ctx context.Context, pull *pull, cur work.SyncCursor, b *Budget) (work.SyncCursor, work.Counts, bool, error) {
	day, err := sale.ParseDay(cur.Day)
	if err != nil {
		return cur, *pull.counts, false, work.Errf(work.Internal, err, "a pull's cursor names no business day")
	}
	for today := sale.DayOf(cur.ReadBegan, pull.zone); !today.Before(day); day = day.Plus(1) {
		done, err := p.day(ctx, pull, day, &cur, false, b)
		if err != nil {
			return cur, *pull.counts, false, err
		}
		if !done {
			cur.Day = day.String()
			return cur, *pull.counts, true, nil
		}
	}
	if cur.AsOf.IsZero() { // no day was read: the clocks disagree about today
		cur.AsOf = watermark(time.Time{}, cur.ReadBegan)
	}
	return p.complete(ctx, pull, cur)
}
