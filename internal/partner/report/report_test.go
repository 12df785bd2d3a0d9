package report_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/items"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/report"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

var (
	montreal, _ = time.LoadLocation("America/Toronto")
	friday      = sale.NewDay(2026, time.November, 6)
	// noon is on the business day after friday.
	noon = clock.Fixed(time.Date(2026, time.November, 7, 17, 0, 0, 0, time.UTC))
	venu = partner.Connection{ID: "wisk:bar-crescent", Zone: montreal, Settings: partner.Settings{
		Routes: partner.Choices{}.With(friday, partner.RouteReport), Modifiers: partner.Choices{}.With(friday, items.Off),
	}}
)

// sold is a closed sale of one item.
func sold(id, code, title, quantity string, net sale.Cents) sale.Sale {
	at := friday.Start(montreal).Add(15 * time.Hour)
	return sale.Sale{
		ID: id, Status: sale.Closed, OpenedAt: at, ClosedAt: at.Add(time.Hour), Totals: sale.Totals{Gross: net, Net: net, Total: net},
		Lines: []sale.Line{{ID: id + "-1", ItemID: code, Name: title, Quantity: quantity, UnitPrice: net, Net: net}},
	}
}

// returned is a sale of which everything came back later.
func returned(s sale.Sale) sale.Sale {
	back := s.Lines[0]
	back.ID, back.Quantity, back.Net = back.ID+"b", "-"+back.Quantity, -back.Net
	s.Lines = append(s.Lines, back)
	s.Totals = sale.Totals{}
	return s
}

func translated(t require.TestingT, p *report.Partner, known []string, sales ...sale.Sale) []partner.Document {
	documents, err := p.TranslateDay(friday, sales, known, venu)
	require.NoError(t, err)
	return documents
}

// letterbox keeps what was sent.
type letterbox struct{ got []report.Report }

func (l *letterbox) Send(_ context.Context, r report.Report) error {
	l.got = append(l.got, r)
	return nil
}

func sent(t require.TestingT, cfg report.Config, versions int, sales ...sale.Sale) report.Report {
	box := &letterbox{}
	p := report.New(cfg, noon, box)
	documents := translated(t, p, nil, sales...)
	require.Len(t, documents, 1)
	_, err := p.Open(venu).Send(context.Background(), partner.Delivery{Document: documents[0], Versions: versions})
	require.NoError(t, err)
	require.Len(t, box.got, 1)
	return box.got[0]
}

func TestADayIsOneTable(t *testing.T) {
	r := sent(t, report.Defaults(), 0,
		sold("1", "2001", "Pale ale", "2", 1400), sold("2", "2001", "Pale ale, pint", "1.5", 1050), sold("3", "=1+1", "\"Quiz\"", "1", 500),
		returned(sold("4", "2002", "Stout", "1", 800)))
	require.Equal(t, "bar-crescent 2026-11-06.csv", r.File.Name)
	require.Equal(t, 1, r.Revision)
	require.Equal(t, "POS Code,Item Name,Quantity Sold,Net Sales\r\n"+
		"2001,\"Pale ale, pint\",3.5,24.50\r\n"+
		"=1+1,\"\"\"Quiz\"\"\",1,5.00\r\n", string(r.File.Data), "added up by code, the newest title; what came back whole is gone; codes stay as they are")
}

func TestARevisionIsTheWholeDayAgain(t *testing.T) {
	before := sent(t, report.Defaults(), 0, sold("1", "2001", "Pale ale", "2", 1400))
	after := sent(t, report.Defaults(), 1, sold("1", "2001", "Pale ale", "3", 2100))
	require.Equal(t, 2, after.Revision)
	require.NotEqual(t, before.Hash, after.Hash)
	require.Equal(t, before.File.Name, after.File.Name)
}

func TestADayIsReportedWhenItIsOver(t *testing.T) {
	evening := clock.Fixed(time.Date(2026, time.November, 7, 4, 0, 0, 0, time.UTC)) // 23:00 in Montreal
	during := report.New(report.Defaults(), evening, nil)
	require.Empty(t, translated(t, during, nil, sold("1", "2001", "Pale ale", "2", 1400)))
	over := report.New(report.Defaults(), noon, nil)
	require.Empty(t, translated(t, over, nil), "a day without sales has none")
	documents := translated(t, over, []string{"report-2026-11-06"})
	require.Len(t, documents, 1, "one that lost all its sales is told so")
	open := sold("1", "2001", "Pale ale", "2", 1400)
	open.Status = sale.Open
	require.Empty(t, translated(t, over, nil, open))
	require.True(t, over.Whole(venu, friday))
	require.False(t, over.Whole(venu, friday.Plus(-1)))
}

func TestWithoutMailNothingIsSent(t *testing.T) {
	p := report.New(report.Defaults(), noon, nil)
	documents := translated(t, p, nil, sold("1", "2001", "Pale ale", "2", 1400))
	_, err := p.Open(venu).Send(t.Context(), partner.Delivery{Document: documents[0]})
	require.Equal(t, work.Refused, work.KindOf(err))
}

// Whatever is sold, the table adds up to it, in both formats.
func TestTheTableAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var sales []sale.Sale
		var net sale.Cents
		quantity := decimal.Zero
		for i := range rapid.IntRange(1, 20).Draw(t, "sales") {
			q := rapid.SampledFrom([]string{"1", "2", "0.25", "12"}).Draw(t, "quantity")
			n := sale.Cents(rapid.IntRange(1, 9999).Draw(t, "net"))
			code := rapid.SampledFrom([]string{"2001", "2002", "0042", "", "+5"}).Draw(t, "code")
			one := sold(string(rune('a'+i)), code, "Item "+code, q, n)
			if rapid.Bool().Draw(t, "returned") {
				sales = append(sales, returned(one))
				continue
			}
			sales, net, quantity = append(sales, one), net+n, quantity.Add(decimal.RequireFromString(q))
		}
		for _, format := range []string{report.CSV, report.XLSX} {
			cfg := report.Defaults()
			cfg.Format = format
			box := &letterbox{}
			p := report.New(cfg, noon, box)
			documents := translated(t, p, []string{"report-2026-11-06"}, sales...)
			_, err := p.Open(venu).Send(context.Background(), partner.Delivery{Document: documents[0]})
			require.NoError(t, err)
			gotNet, gotQuantity := decimal.Zero, decimal.Zero
			for _, row := range rows(t, box.got[0].File)[1:] {
				require.Len(t, row, 4)
				gotQuantity, gotNet = gotQuantity.Add(decimal.RequireFromString(row[2])), gotNet.Add(decimal.RequireFromString(row[3]))
			}
			require.True(t, gotNet.Mul(decimal.NewFromInt(100)).Equal(decimal.NewFromInt(int64(net))), "%s: %s of %s", format, gotNet, net)
			require.True(t, gotQuantity.Equal(quantity), "%s: %s of %s", format, gotQuantity, quantity)
		}
	})
}

func rows(t require.TestingT, f report.File) [][]string {
	if f.Type == "text/csv" {
		all, err := csv.NewReader(bytes.NewReader(f.Data)).ReadAll()
		require.NoError(t, err)
		return all
	}
	book, err := excelize.OpenReader(bytes.NewReader(f.Data))
	require.NoError(t, err)
	all, err := book.GetRows("Sales")
	require.NoError(t, err)
	require.NoError(t, book.Close())
	return all
}
