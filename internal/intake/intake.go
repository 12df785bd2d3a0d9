// Package intake reads a location's till and marks in the ledger what its
// partner should hold. Every step is bounded, and everything it reads twice
// has the effect of once.
package intake

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// skewMargin is taken off our own clock where the relay does not tell its
	// time: its clock may be behind ours, and what is read twice costs little.
	skewMargin = 2 * time.Minute
	// ahead is how far past our own clock a pull asks, so that a relay whose
	// clock runs ahead hides nothing. It is what package cluster believes of a
	// till.
	ahead = cluster.MaxAhead
	// maxPages bounds the pages that one business day or one step may have: at
	// 200 orders each, far more than a venue sells in a day.
	maxPages = 100
	// maxGapDays bounds the business days that the fallback reads again after
	// an outage; what is older is left to an operator's backfill.
	maxGapDays = 31
	// outageAfter is how old the watermark must be for a till to count as having
	// been away: at night runs are an hour apart.
	outageAfter = 2 * time.Hour
)

// Till is what intake needs of the POS's API.
type Till interface {
	// Orders reads one page; errors are those of cluster.Client.Orders.
	Orders(ctx context.Context, cred cluster.Credential, q cluster.OrdersQuery) (cluster.OrdersPage, error)
}

// Config is how the till is read. Durations are business time unless they say
// otherwise.
type Config struct {
	// Overlap is subtracted from the watermark when it is asked from, and only
	// then: an edit may become visible a little after its modification time.
	Overlap time.Duration
	// RereadDays is how many business days are read again every night.
	RereadDays int
	// Orders and Time end a step early (an architecture's invariant: at most
	// 500 documents or a minute); Time is real.
	Orders int
	Time   time.Duration
	// LeaseFor is how long a connection's lease is held, in real time: longer
	// than a step, so that it only runs out when the worker died.
	LeaseFor time.Duration
}

// Defaults are the numbers for production.
func Defaults() Config {
	return Config{
		Overlap: 10 * time.Minute, RereadDays: 7,
		Orders: 500, Time: 20 * time.Second, LeaseFor: 2 * time.Minute,
	}
}

// Puller pulls a connection's orders into the ledger.
type Puller struct {
	Ledger   *ledger.Store
	Till     Till
	Partners partner.Registry
	Clock    clock.Clock
	Config   Config
	Log      *slog.Logger
}

// Budget ends a step: it is shared by everything that the step does.
type Budget struct {
	orders   int
	deadline time.Time
	stop     <-chan struct{}
}

// Start begins a step's budget. A worker that stops closes stop; nil never
// does.
func (c Config) Start(stop <-chan struct{}) *Budget {
	return &Budget{orders: c.Orders, deadline: time.Now().Add(c.Time), stop: stop} //nolint:forbidigo // a real duration is measured
}

// Spent tells whether the step should end.
func (b *Budget) Spent() bool {
	select {
	case <-b.stop:
		return true
	default:
		return b.orders <= 0 || time.Now().After(b.deadline) //nolint:forbidigo // a real duration is measured
	}
}

// Live pulls what was modified since the watermark. It returns the cursor with
// which to go on; while more is true the pull is not complete and the
// watermark stays. It takes the connection's lease for the holder, a run;
// Release gives it back.
//
// Errors are *work.Error: those of the till, LeaseHeld, LedgerUnavailable.
func (p *Puller) Live(ctx context.Context, c ledger.Connection, cred cluster.Credential, holder string, cur work.SyncCursor, b *Budget) (work.SyncCursor, work.Counts, bool, error) {
	var counts work.Counts
	if cur.Pulled {
		return cur, counts, false, nil
	}
	pull, err := p.begin(ctx, c, cred, holder, &counts)
	if err != nil {
		return cur, counts, false, err
	}
	if cur.ReadBegan.IsZero() {
		cur = work.SyncCursor{ReadBegan: p.Clock.Now(), From: p.from(c)}
	}
	if cur.Day != "" {
		return p.fallback(ctx, pull, cur, b)
	}
	from, to := cur.From, cur.ReadBegan.Add(ahead)
	pages := &reader{page: func(token string) (cluster.OrdersPage, error) {
		return p.Till.Orders(ctx, cred, cluster.OrdersQuery{From: from, To: to, DateField: cluster.Modified, PageToken: token})
	}}
	defer pages.end()
	for !b.Spent() {
		page, err := pages.read(cur.PageToken)
		if errors.Is(err, cluster.ErrNoModifiedFilter) {
			cur.Day = p.fallbackFrom(c, pull.zone).String()
			return p.fallback(ctx, pull, cur, b)
		}
		if err != nil {
			return cur, counts, false, err
		}
		if cur.PageToken == "" {
			cur.AsOf = watermark(page.AsOf, cur.ReadBegan)
		}
		if page.NextPage != "" && b.orders > len(page.Orders) {
			pages.ahead(page.NextPage)
		}
		if err := pull.record(ctx, page.Orders, cur.ReadBegan, false, b); err != nil {
			return cur, counts, false, err
		}
		if page.NextPage == "" {
			return p.complete(ctx, pull, cur)
		}
		cur.PageToken = page.NextPage
	}
	return cur, counts, true, nil
}

// Release gives the connection's lease back, for other runs.
func (p *Puller) Release(ctx context.Context, c ledger.Connection, holder string) error {
	return p.Ledger.ReleaseLease(ctx, c.ID, holder)
}

// complete stores the watermark: the till's clock when the pull began, since
// all that it knew then has been read.
func (p *Puller) complete(ctx context.Context, pull *pull, cur work.SyncCursor) (work.SyncCursor, work.Counts, bool, error) {
	if err := p.Ledger.SetWatermark(ctx, pull.c.ID, pull.holder, cur.AsOf); err != nil {
		return cur, *pull.counts, false, err
	}
	return work.SyncCursor{Pulled: true}, *pull.counts, false, nil
}

// from is where a live pull begins: the watermark less the overlap, or where
// the connection began.
func (p *Puller) from(c ledger.Connection) time.Time {
	if c.Watermark.IsZero() {
		return c.LiveFrom
	}
	return c.Watermark.Add(-p.Config.Overlap)
}

func watermark(asOf, readBegan time.Time) time.Time {
	if asOf.IsZero() {
		return readBegan.Add(-skewMargin)
	}
	return asOf
}

// Day pulls one business day by the orders' opening, for a backfill. It goes
// on from the cursor like Live, leaves the watermark alone, and holds the lease
// only while it writes a page.
func (p *Puller) Day(ctx context.Context, c ledger.Connection, cred cluster.Credential, holder string, day sale.Day, cur work.SyncCursor, b *Budget) (work.SyncCursor, work.Counts, bool, error) {
	var counts work.Counts
	if cur.Pulled {
		return cur, counts, false, nil
	}
	pull, err := p.reading(c, cred, holder, &counts)
	if err != nil {
		return cur, counts, false, err
	}
	pull.brief = true
	if cur.ReadBegan.IsZero() {
		cur = work.SyncCursor{ReadBegan: p.Clock.Now()}
	}
	done, err := p.day(ctx, pull, day, &cur, false, b)
	if err != nil || !done {
		return cur, counts, true, err
	}
	return work.SyncCursor{Pulled: true}, counts, false, nil
}

// day reads one business day page by page until it is complete or, for a pull
// that can be resumed, the budget is spent.
func (p *Puller) day(ctx context.Context, pull *pull, day sale.Day, cur *work.SyncCursor, reread bool, b *Budget) (done bool, err error) {
	for range maxPages {
		if !reread && b.Spent() {
			return false, nil
		}
		page, err := p.Till.Orders(ctx, pull.cred, cluster.OrdersQuery{
			From: day.Start(pull.zone), To: day.End(pull.zone), DateField: cluster.Opened, PageToken: cur.PageToken,
		})
		if err != nil {
			return false, err
		}
		if cur.AsOf.IsZero() {
			cur.AsOf = watermark(page.AsOf, cur.ReadBegan)
		}
		if err := pull.record(ctx, page.Orders, cur.ReadBegan, reread, b); err != nil {
			return false, err
		}
		cur.PageToken = page.NextPage
		if page.NextPage == "" {
			return true, nil
		}
	}
	return false, work.Err(work.ClusterMalformed, "a business day has no last page")
}
