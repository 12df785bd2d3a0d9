package ledger_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/postgres"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestMain(m *testing.M) { postgres.Main(m) }

const (
	marcel  = "7shifts:chez-marcel"
	holder  = "run-1"
	forLong = time.Hour
	// expired is a lease that ended before it began: what a dead worker leaves.
	expired = -time.Second
)

var (
	lea      = ledger.Actor{Handle: "lea", Reason: "venue_asked", Note: "as agreed"}
	november = time.Date(2026, 11, 3, 15, 0, 0, 0, time.UTC) // 10:00 in Montreal
	today    = sale.NewDay(2026, 11, 3)
)

// house is a ledger with one connected location.
type house struct {
	*ledger.Store
	t   testing.TB
	ctx context.Context
	c   ledger.Connection
}

func open(t testing.TB) *house {
	ctx := context.Background()
	url := postgres.ForTest(t)
	_, _, err := ledger.Migrate(ctx, url)
	require.NoError(t, err)
	s, err := ledger.Open(ctx, url, clock.Fixed(november), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	h := &house{Store: s, t: t, ctx: ctx}
	require.NoError(t, s.AddLocation(ctx, ledger.Location{
		ID: "chez-marcel", TradeName: "Chez Marcel", Zone: "America/Toronto", Serial: "A1",
		Hours: ledger.Hours{time.Friday: {Open: "11:30", Close: "02:00"}},
	}, lea))
	h.connect(marcel)
	h.lease(holder)
	return h
}

func (h *house) connect(id string) {
	_, location, err := work.SplitConnection(id)
	require.NoError(h.t, err)
	made, err := h.Connect(h.ctx, ledger.NewConnection{
		Partner: work.SevenShifts, LocationID: location, CompanyID: 7, PartnerLocationID: 70, Secret: "token:7",
		Settings: partner.Settings{ReceiptDate: sale.ByOpened}, FirstDay: partner.Rules{HistoryDays: 90}.FirstDay,
	}, lea)
	require.NoError(h.t, err)
	require.Equal(h.t, id, made)
	h.reload()
}

func (h *house) reload() ledger.Connection {
	c, err := h.Connection(h.ctx, marcel)
	require.NoError(h.t, err)
	h.c = c
	return c
}

func (h *house) lease(who string) {
	got, err := h.AcquireLease(h.ctx, marcel, who, forLong)
	require.NoError(h.t, err)
	require.True(h.t, got)
}

// order is a closed sale of so much, modified so many minutes after noon.
func order(id string, net sale.Cents, minute int) sale.Sale {
	opened := november.Add(time.Hour)
	return sale.Sale{
		ID: "A1-" + id, OrderID: id, Serial: "A1", Status: sale.Closed,
		OpenedAt: opened, ClosedAt: opened.Add(time.Hour), ModifiedAt: at(minute),
		Totals: sale.Totals{Gross: net, Net: net},
	}
}

func at(minute int) time.Time { return november.Add(2*time.Hour + time.Duration(minute)*time.Minute) }

type content struct {
	Net    sale.Cents  `json:"net"`
	Status sale.Status `json:"status"`
	Date   time.Time   `json:"date"`
}

// receipts translates as a partner would: one document per sale.
func receipts(s sale.Sale, _ bool) ([]partner.Document, error) { return dated(sale.ByOpened)(s, false) }

func dated(by sale.ReceiptDate) ledger.Translate {
	return func(s sale.Sale, _ bool) ([]partner.Document, error) {
		date, known := by.Date(s)
		if !known {
			return nil, nil
		}
		net, err := s.NetSales()
		if err != nil {
			return nil, err
		}
		c := content{net, s.Status, date}
		body, err := json.Marshal(c)
		zone, _ := time.LoadLocation("America/Toronto")
		return []partner.Document{{
			ID: s.ID, SaleID: s.ID, Date: date, Day: sale.DayOf(date, zone), Body: body, Hash: sale.Hash(body),
		}}, err
	}
}

// read records one live page whose read began at a minute.
func (h *house) read(began int, sales ...sale.Sale) ledger.PageResult {
	return h.page(ledger.Live, began, false, sales...)
}

func (h *house) page(lane ledger.Lane, began int, reread bool, sales ...sale.Sale) ledger.PageResult {
	p := ledger.Page{Lane: lane, ReadBegan: at(began)}
	for _, s := range sales {
		p.Snapshots = append(p.Snapshots, ledger.Snapshot{Sale: s, ReadBegan: at(began), Reread: reread})
	}
	result, err := h.RecordPage(h.ctx, h.c, holder, p, receipts)
	require.NoError(h.t, err)
	return result
}

// claim takes everything that is to be sent live.
func (h *house) claim() []ledger.Claim {
	claims, err := h.Claim(h.ctx, marcel, ledger.Due{Lane: ledger.Live}, 100, forLong)
	require.NoError(h.t, err)
	return claims
}

// claimOne takes the one document that is to be sent.
func (h *house) claimOne() ledger.Claim {
	claims := h.claim()
	require.Len(h.t, claims, 1)
	return claims[0]
}

// settle ends an attempt; an accepted one is due for read-back at once.
func (h *house) settle(c ledger.Claim, o ledger.Outcome) int {
	o.ID, o.Attempt, o.Verifiable = c.ID, c.Attempt, true
	n, err := h.Settle(h.ctx, marcel, []ledger.Outcome{o})
	require.NoError(h.t, err)
	return n
}

func (h *house) accept(c ledger.Claim) {
	require.Equal(h.t, 1, h.settle(c, ledger.Outcome{Result: ledger.Accepted, Ref: "ref"}))
}

func (h *house) backlog() ledger.Backlog {
	b, err := h.Backlog(h.ctx, marcel)
	require.NoError(h.t, err)
	return b
}

func (h *house) open() []ledger.Quarantined {
	list, err := h.Quarantine(h.ctx, marcel, false)
	require.NoError(h.t, err)
	return list
}

func net(t require.TestingT, d partner.Document) sale.Cents {
	var c content
	require.NoError(t, json.Unmarshal(d.Body, &c))
	return c.Net
}

func requireCode(t require.TestingT, code work.Code, err error) {
	var e *work.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code)
}
