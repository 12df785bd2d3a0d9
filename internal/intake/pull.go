package intake

import (
	"context"
	"errors"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// connection is a ledger.Connection that knows which business days are its own.
type connection struct{ ledger.Connection }

// ours tells whether a business day is read by live work: once the backfill is
// done that is all from the first day on, before that only from the day of
// connecting.
func (c connection) ours(day sale.Day, zone *time.Location) bool {
	if c.HistoryDone {
		return !day.Before(c.HistoryFrom)
	}
	return !day.Before(sale.DayOf(c.LiveFrom, zone))
}

// pull is one read of a till, for one connection.
type pull struct {
	ledger  *ledger.Store
	c       connection
	cred    cluster.Credential
	holder  string
	lease   time.Duration
	zone    *time.Location
	partner partner.Partner
	target  partner.Connection
	counts  *work.Counts
	// seen are the items of the page that is being recorded.
	seen []partner.ItemSeen
	// brief holds the lease only while a page is written: history is read beside
	// live runs and leaves the watermark alone.
	brief bool
}

// begin takes the lease for a pull.
func (p *Puller) begin(ctx context.Context, c ledger.Connection, cred cluster.Credential, holder string, counts *work.Counts) (*pull, error) {
	read, err := p.reading(c, cred, holder, counts)
	if err != nil {
		return nil, err
	}
	return read, read.await(ctx)
}

// reading is a pull that does not hold the lease yet.
func (p *Puller) reading(c ledger.Connection, cred cluster.Credential, holder string, counts *work.Counts) (*pull, error) {
	to, ok := p.Partners[c.PartnerName]
	if !ok {
		return nil, work.Err(work.Internal, "this worker does not know the partner of "+c.ID)
	}
	target, err := c.ForPartner()
	if err != nil {
		return nil, err
	}
	return &pull{
		ledger: p.Ledger, c: connection{c}, cred: cred, holder: holder, lease: p.Config.LeaseFor,
		zone: target.Zone, partner: to, target: target, counts: counts,
	}, nil
}

const (
	// leasePatience is how long a pull waits for another run's lease, which a
	// backfill holds only while it reads a day; leaseLook is how often it looks.
	// Both are real.
	leasePatience = 3 * time.Second
	leaseLook     = 50 * time.Millisecond
)

// await takes the lease, after a short wait where another run holds it.
func (p *pull) await(ctx context.Context) error {
	look := time.NewTicker(leaseLook)
	defer look.Stop()
	patience := time.After(leasePatience)
	for {
		err := p.hold(ctx)
		if err == nil || !isHeld(err) {
			return err
		}
		select {
		case <-look.C:
		case <-patience:
			return err
		case <-ctx.Done():
			return err
		}
	}
}

func isHeld(err error) bool {
	problem, ok := errors.AsType[*work.Error](err)
	return ok && problem.Code == work.LeaseHeld
}

// hold takes or keeps the connection's lease; the ledger checks it again with
// every write.
func (p *pull) hold(ctx context.Context) error {
	held, err := p.ledger.AcquireLease(ctx, p.c.ID, p.holder, p.lease)
	if err == nil && !held {
		err = work.Err(work.LeaseHeld, p.c.ID)
	}
	return err
}

func (p *pull) translate(s sale.Sale, known bool) ([]partner.Document, error) {
	documents, err := p.partner.Translate(s, p.target, known)
	if to, ok := p.partner.(partner.Itemizer); ok && err == nil {
		p.seen = append(p.seen, to.ItemsSeen(s, p.target, documents)...)
	}
	return documents, err
}

// record writes a page, with one write per lane: live, and history where the
// backfill has yet to come by.
func (p *pull) record(ctx context.Context, orders []cluster.Order, began time.Time, reread bool, b *Budget) error {
	b.orders -= len(orders)
	if p.brief {
		if err := p.await(ctx); err != nil {
			return err
		}
		defer func() { _ = p.ledger.ReleaseLease(context.WithoutCancel(ctx), p.c.ID, p.holder) }() // it would run out anyhow
	}
	live, history := p.sort(orders, began, reread)
	for _, page := range []ledger.Page{live, history} {
		if len(page.Snapshots)+len(page.Bad) == 0 {
			continue
		}
		done, err := p.ledger.RecordPage(ctx, p.c.Connection, p.holder, page, p.translate)
		if err != nil {
			return err
		}
		p.counts.Orders += done.Orders
		p.counts.Changed += done.Changed
		p.counts.Quarantined += done.Quarantined
		if err := p.markDays(ctx, page); err != nil {
			return err
		}
		if err := p.compareWorkday(ctx, page); err != nil {
			return err
		}
	}
	found, err := p.ledger.NoteItems(ctx, p.c.Connection, p.seen)
	p.seen = nil
	p.counts.Findings += found
	return err
}

// sort puts the orders of a page into lanes, and leaves out those whose
// receipt belongs to a business day before ours.
func (p *pull) sort(orders []cluster.Order, began time.Time, reread bool) (live, history ledger.Page) {
	live = ledger.Page{Lane: ledger.Live, ReadBegan: began}
	history = ledger.Page{Lane: ledger.History, ReadBegan: began}
	for _, o := range orders {
		if o.Err != nil {
			live.Bad = append(live.Bad, ledger.BadOrder{
				ID: o.ID, Day: p.badDay(o), Code: o.Err.Code, Why: o.Err.Error(), Raw: string(o.Raw),
			})
			continue
		}
		snapshot := ledger.Snapshot{Sale: o.Sale, ReadBegan: began, Reread: reread}
		switch day := p.receiptDay(o.Sale); {
		case day.Before(p.c.HistoryFrom):
		case p.c.ours(day, p.zone):
			live.Snapshots = append(live.Snapshots, snapshot)
		default:
			history.Snapshots = append(history.Snapshots, snapshot)
		}
	}
	return live, history
}

// receiptDay is the business day to which a sale's receipt belongs; while that
// is not known yet, the day on which it was opened, or the first that is ours:
// a tab opened before may be closed after.
func (p *pull) receiptDay(s sale.Sale) sale.Day {
	date, known := p.c.Settings.ReceiptDate.Date(s)
	if known {
		return sale.DayOf(date, p.zone)
	}
	day := sale.DayOf(s.OpenedAt, p.zone)
	if day.Before(p.c.HistoryFrom) {
		return p.c.HistoryFrom
	}
	return day
}

// badDay is the business day of a bad record, where its opening could be read.
func (p *pull) badDay(o cluster.Order) sale.Day {
	if o.Sale.OpenedAt.IsZero() {
		return sale.Day{}
	}
	return sale.DayOf(o.Sale.OpenedAt, p.zone)
}
