package intake

import (
	"context"
	"encoding/json"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// compareWorkday looks whether the till counts orders to the business days to
// which we do. No API tells a till's or a partner's workday: when they part,
// sales of the early morning stand under another day there than here. History
// may be older than a workday that was put right.
func (p *pull) compareWorkday(ctx context.Context, page ledger.Page) error {
	if page.Lane != ledger.Live {
		return nil
	}
	for _, snapshot := range page.Snapshots {
		theirs, ours := snapshot.Sale.BusinessDate, sale.DayOf(snapshot.Sale.OpenedAt, p.zone)
		if theirs.IsZero() || theirs == ours || theirs == sale.DayOf(snapshot.Sale.ClosedAt, p.zone) {
			continue
		}
		detail, err := json.Marshal(map[string]string{"before": theirs.String(), "after": ours.String()})
		if err != nil {
			return work.Errf(work.Internal, err, "a finding could not be written as JSON")
		}
		return p.ledger.Find(ctx, p.c.ID, []ledger.NewFinding{{
			Kind: ledger.WorkdayDiffers, Subject: p.c.Location.Serial, Day: ours, Detail: detail,
		}})
	}
	return nil
}
