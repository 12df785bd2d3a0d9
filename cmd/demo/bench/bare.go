package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// took is what a child measured: receipts, or lines where they are what travels.
type took struct {
	N    int           `json:"n"`
	Real time.Duration `json:"real"`
}

func (t took) rate() float64 { return float64(t.N) / t.Real.Seconds() }

// task is what a child is to do.
type task struct {
	Scene                 scene
	Cluster, Shifts, Wisk string
	Clock                 string
	PageSize, Flying      int
	// Days are how many business days of history are worked on at once, and
	// Lines how many one upload holds.
	Days, Lines int
}

func (r *rig) task(s scene) (string, error) {
	text, err := json.Marshal(task{s, r.sims.cluster, r.sims.shifts, r.sims.wisk, r.calendar.String(), pageSize, inFlight, daysAtOnce, linesAtOnce})
	return string(text), err
}

func readTask(args []string) (t task, c clock.Clock, err error) {
	if err = json.Unmarshal([]byte(args[0]), &t); err == nil {
		c, err = clock.Parse(t.Clock)
	}
	return t, c, err
}

// bareLoop does the least that brings the receipts over: a page from the till,
// each order translated and created, several at once. No ledger, no Temporal;
// what it does not know any more after a crash nobody does.
func bareLoop(args []string) error {
	t, c, err := readTask(args)
	if err != nil {
		return err
	}
	begun := time.Now()
	var all atomic.Int64
	err = t.Scene.each(func(_ int, v venue) error {
		n, err := newBare(t, v, c).run(context.Background())
		all.Add(int64(n))
		return err
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(took{int(all.Load()), time.Since(begun)})
}

// bare is the loop of one venue, and what the naive design's activities use.
type bare struct {
	till    *cluster.Client
	cred    cluster.Credential
	partner partner.Partner
	session partner.Session // of 7shifts
	uploads partner.Uploads // of WISK
	to      partner.Connection
	from    time.Time
	until   time.Time
	task    task
}

func newBare(t task, v venue, c clock.Clock) *bare {
	where, err := time.LoadLocation(zone)
	if err != nil {
		panic(err) // a constant
	}
	b := &bare{
		till:    cluster.New(cluster.Config{BaseURL: t.Cluster, PageSize: t.PageSize, OrdersByModified: true, Clock: c}, &http.Transport{MaxIdleConnsPerHost: t.Days}),
		cred:    cluster.Credential{Serial: v.serial(), Key: v.key()},
		partner: partnerOf(t, v, c), from: businessDay(), until: c.Now().Add(time.Hour), task: t,
		to: partner.Connection{
			ID: v.connection(), Zone: where, CompanyID: v.company, LocationID: v.location(),
			Settings: partner.Settings{ReceiptDate: sale.ByOpened},
		},
	}
	b.open(v, &http.Transport{MaxIdleConnsPerHost: t.Days * t.Flying})
	return b
}

// open makes the session with the partner anew.
func (b *bare) open(v venue, transport http.RoundTripper) {
	if to, ok := b.partner.(partner.Additive); ok {
		b.uploads = to.OpenUploads(b.to, v.token(), transport)
		return
	}
	b.session = b.partner.Open(b.to, v.token(), transport)
}

// partnerOf is a venue's partner, with its limit lifted.
func partnerOf(t task, v venue, c clock.Clock) partner.Partner {
	if v.partner == work.Wisk {
		cfg := wisk.Defaults()
		cfg.BaseURL, cfg.PerSecond, cfg.InFlight, cfg.LinesAtOnce = t.Wisk, 0, t.Flying, t.Lines
		return wisk.New(cfg)
	}
	cfg := sevenshifts.Defaults()
	cfg.BaseURL, cfg.PerSecond, cfg.InFlight = t.Shifts, 0, t.Flying
	return sevenshifts.New(cfg, c)
}

func (b *bare) page(ctx context.Context, token string) (cluster.OrdersPage, error) {
	return b.till.Orders(ctx, b.cred, cluster.OrdersQuery{From: b.from, To: b.until, DateField: cluster.Modified, PageToken: token})
}

func (b *bare) translate(o cluster.Order) ([]partner.Document, error) {
	if o.Err != nil {
		return nil, o.Err
	}
	return b.partner.Translate(o.Sale, b.to, false)
}

func (b *bare) send(ctx context.Context, o cluster.Order) error {
	documents, err := b.translate(o)
	if err != nil {
		return err
	}
	for _, d := range documents {
		if _, err := b.session.Send(ctx, partner.Delivery{Document: d}); err != nil {
			return err
		}
	}
	return nil
}

// run reads a page, sends what is on it, several at once, and reads the next.
func (b *bare) run(ctx context.Context) (sent int, err error) {
	for token, more := "", true; more; {
		page, err := b.page(ctx, token)
		if err != nil {
			return sent, err
		}
		if err := b.sendAll(ctx, page.Orders); err != nil {
			return sent, err
		}
		sent += len(page.Orders)
		token, more = page.NextPage, page.NextPage != ""
	}
	return sent, nil
}

func (b *bare) sendAll(ctx context.Context, orders []cluster.Order) error {
	return inParallel(len(orders), b.task.Flying, func(i int) error { return b.send(ctx, orders[i]) })
}

// quiet drops the Temporal client's own log lines.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
