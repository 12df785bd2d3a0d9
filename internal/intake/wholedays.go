package intake

import (
	"context"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

// markDays marks anew the whole days that a page touches: those of its sales'
// dates, and of their opening, from which a date may just have moved.
func (p *pull) markDays(ctx context.Context, page ledger.Page) error {
	to, ok := p.partner.(partner.WholeDays)
	if !ok {
		return nil
	}
	touched := map[sale.Day]bool{}
	for _, snapshot := range page.Snapshots {
		opened := sale.DayOf(snapshot.Sale.OpenedAt, p.zone)
		for _, day := range []sale.Day{opened, opened.Plus(1), p.receiptDay(snapshot.Sale)} {
			if to.Whole(p.target, day) {
				touched[day] = true
			}
		}
	}
	for day := range touched {
		changed, err := p.ledger.MarkDay(ctx, p.c.Connection, p.holder, day, page.Lane, p.dayOf,
			func(day sale.Day, sales []sale.Sale, known []string) ([]partner.Document, error) {
				return to.TranslateDay(day, sales, known, p.target)
			})
		if err != nil {
			return err
		}
		p.counts.Changed += changed
	}
	return nil
}

// dayOf is the business day of a sale's date; none while that is not known.
func (p *pull) dayOf(s sale.Sale) (sale.Day, bool) {
	date, known := p.c.Settings.ReceiptDate.Date(s)
	return sale.DayOf(date, p.zone), known
}
