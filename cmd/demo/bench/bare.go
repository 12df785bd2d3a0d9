package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

// took is what a child measured.
type took struct {
	Receipts int           `json:"receipts"`
	Real     time.Duration `json:"real"`
}

func (t took) rate() float64 { return float64(t.Receipts) / t.Real.Seconds() }

// task is what a child is to do.
type task struct {
	Scene            scene
	Cluster, Shifts  string
	Clock            string
	PageSize, Flying int
}

func (r *rig) task(s scene) (string, error) {
	text, err := json.Marshal(task{s, r.sims.cluster, r.sims.shifts, r.calendar.String(), pageSize, inFlight})
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
	partner *sevenshifts.Partner
	session partner.Session
	to      partner.Connection
	from    time.Time
	until   time.Time
	flying  int
}

func newBare(t task, v venue, c clock.Clock) *bare {
	where, err := time.LoadLocation(zone)
	if err != nil {
		panic(err) // a constant
	}
	cfg := sevenshifts.Defaults()
	cfg.BaseURL, cfg.PerSecond, cfg.InFlight = t.Shifts, 0, t.Flying
	b := &bare{
		till:    cluster.New(cluster.Config{BaseURL: t.Cluster, PageSize: t.PageSize, OrdersByModified: true, Clock: c}, nil),
		cred:    cluster.Credential{Serial: v.serial(), Key: v.key()},
		partner: sevenshifts.New(cfg, c), flying: t.Flying, from: businessDay(), until: c.Now().Add(time.Hour),
		to: partner.Connection{
			ID: v.connection(), Zone: where, CompanyID: firstCompany, LocationID: v.location(),
			Settings: partner.Settings{ReceiptDate: sale.ByOpened},
		},
	}
	b.session = b.partner.Open(b.to, v.token(), &http.Transport{MaxIdleConnsPerHost: t.Flying})
	return b
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
	var next atomic.Int64
	errs := make(chan error, b.flying)
	for range b.flying {
		go func() {
			for i := next.Add(1) - 1; int(i) < len(orders); i = next.Add(1) - 1 {
				if err := b.send(ctx, orders[i]); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	var err error
	for range b.flying {
		err = errors.Join(err, <-errs)
	}
	return err
}

// ceiling asks the simulated 7shifts as fast as it answers: the requests are
// made beforehand and the answers hardly read.
func ceiling(args []string) error {
	t, _, err := readTask(args)
	if err != nil {
		return err
	}
	requests, err := recordRequests(t)
	if err != nil {
		return err
	}
	host := strings.TrimPrefix(t.Shifts, "http://")
	begun := time.Now()
	var flying sync.WaitGroup
	errs := make(chan error, t.Flying)
	for i := range t.Flying {
		flying.Go(func() { errs <- shoot(host, requests, i, t.Flying) })
	}
	flying.Wait()
	real := time.Since(begun)
	for range t.Flying {
		if err := <-errs; err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(took{len(requests), real})
}

// recordRequests lets the client write every request to memory.
func recordRequests(t task) ([][]byte, error) {
	var requests [][]byte
	for i, v := range venuesOf(t.Scene.Name, t.Scene.Venues) {
		b := newBare(t, v, clock.Fixed(evening()))
		b.session = b.partner.Open(b.to, v.token(), recorder{&requests})
		for n := range t.Scene.of(i) {
			raw, err := json.Marshal(meal(n, closing(n, t.Scene.of(i))))
			if err != nil {
				return nil, err
			}
			order, err := b.decode(raw)
			if err != nil {
				return nil, err
			}
			if err := b.send(context.Background(), order); err != nil {
				return nil, err
			}
		}
	}
	return requests, nil
}

// decode reads one order as the client does, from a till that is this process.
func (b *bare) decode(raw []byte) (cluster.Order, error) {
	answer := fmt.Appendf(nil, `{"orders":[%s],"asOf":%q}`, raw, evening().Format(time.RFC3339))
	till := cluster.New(cluster.Config{BaseURL: "http://recorded", PageSize: 1, OrdersByModified: true, Clock: clock.Fixed(evening())}, always(answer))
	page, err := till.Orders(context.Background(), b.cred, cluster.OrdersQuery{From: b.from, To: b.until, DateField: cluster.Modified})
	if err != nil {
		return cluster.Order{}, err
	}
	return page.Orders[0], nil
}

type always []byte

func (a always) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(a))}, nil
}

type recorder struct{ requests *[][]byte }

func (r recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	var b bytes.Buffer
	if err := req.Write(&b); err != nil {
		return nil, err
	}
	*r.requests = append(*r.requests, b.Bytes())
	return &http.Response{StatusCode: http.StatusAccepted, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"uuid":"recorded"}`))}, nil
}

// shoot sends every step-th request over one connection.
func shoot(host string, requests [][]byte, from, step int) error {
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return err
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for i := from; i < len(requests); i += step {
		if _, err := conn.Write(requests[i]); err != nil {
			return err
		}
		res, err := http.ReadResponse(answers, nil)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusAccepted {
			return fmt.Errorf("7shifts answers %s", res.Status)
		}
	}
	return nil
}

// quiet drops the Temporal client's own log lines.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
