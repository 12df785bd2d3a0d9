package intake

import (
	"context"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// DryDay reads one business day as Day does and keeps nothing: it counts the
// orders, the documents that would be wanted otherwise than they are, and the
// records that would be put aside.
func (p *Puller) DryDay(ctx context.Context, c ledger.Connection, cred cluster.Credential, day sale.Day, cur work.SyncCursor, b *Budget) (work.SyncCursor, work.Counts, bool, error) {
	var counts work.Counts
	pull, err := p.reading(c, cred, "", &counts)
	if err != nil {
		return cur, counts, false, err
	}
	if cur.ReadBegan.IsZero() {
		cur = work.SyncCursor{ReadBegan: p.Clock.Now()}
	}
	for range maxPages {
		if b.Spent() {
			return cur, counts, true, nil
		}
		page, err := p.Till.Orders(ctx, cred, cluster.OrdersQuery{
			From: day.Start(pull.zone), To: day.End(pull.zone), DateField: cluster.Opened, PageToken: cur.PageToken,
		})
		if err != nil {
			return cur, counts, false, err
		}
		if err := pull.dry(ctx, page.Orders, b); err != nil {
			return cur, counts, false, err
		}
		if cur.PageToken = page.NextPage; page.NextPage == "" {
			return work.SyncCursor{Pulled: true}, counts, false, nil
		}
	}
	return cur, counts, false, work.Err(work.ClusterMalformed, "a business day has no last page")
}

// dry counts what recording a page would do.
func (p *pull) dry(ctx context.Context, orders []cluster.Order, b *Budget) error {
	b.orders -= len(orders)
	p.counts.Orders += len(orders)
	live, history := p.sort(orders, p.c.LiveFrom, false)
	p.counts.Quarantined += len(live.Bad)
	var documents []partner.Document
	for _, snapshot := range append(live.Snapshots, history.Snapshots...) {
		made, err := p.partner.Translate(snapshot.Sale, p.target, false)
		if err != nil {
			p.counts.Quarantined++
			continue
		}
		documents = append(documents, made...)
	}
	would, err := p.ledger.WouldChange(ctx, p.c.ID, documents)
	p.counts.Changed += would
	return err
}
