package sevenshifts_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

var now = time.Date(2026, time.November, 4, 18, 0, 0, 0, time.UTC)

func toronto(t require.TestingT) *time.Location {
	zone, err := time.LoadLocation("America/Toronto")
	require.NoError(t, err)
	return zone
}

func connection(t require.TestingT) partner.Connection {
	return partner.Connection{
		ID: "7shifts:chez-marcel", Zone: toronto(t), CompanyID: company, LocationID: place,
		Settings: partner.Settings{ReceiptDate: sale.ByOpened},
	}
}

// aSale was opened at 23:00 on Tuesday, local time, and paid at 05:30.
func aSale(t require.TestingT) sale.Sale {
	opened := time.Date(2026, time.November, 3, 23, 0, 0, 0, toronto(t)).UTC()
	return sale.Sale{
		ID: "A1-7", OrderID: "7", Serial: "A1", Status: sale.Closed, EmployeeID: "e1",
		OpenedAt: opened, ClosedAt: opened.Add(6*time.Hour + 30*time.Minute), ModifiedAt: opened.Add(7 * time.Hour),
		DiningOption: "Dine-In", RevenueCenter: "patio",
		Totals: sale.Totals{Gross: 10000, Discount: 1000, Comp: 500, Net: 8500, Tax: 1273, ServiceCharge: 300, AutoGratuity: 1800, Tip: 900, Total: 12773},
		Payments: []sale.Payment{
			{ID: "p1", Kind: sale.Card, Amount: 8000, Tip: 700}, {ID: "p2", Kind: sale.Cash, Amount: 4773, Tip: 200},
		},
	}
}

// receiptOf translates to one receipt, as the JSON fields that travel.
func receiptOf(t require.TestingT, s sale.Sale, c partner.Connection, known bool) (partner.Document, map[string]any) {
	documents, err := sevenshifts.New(sevenshifts.Defaults(), clock.Fixed(now)).Translate(s, c, known)
	require.NoError(t, err)
	require.Len(t, documents, 1)
	var body map[string]any
	require.NoError(t, json.Unmarshal(documents[0].Body, &body))
	return documents[0], body
}

func TestReceiptOfAClosedSale(t *testing.T) {
	s := aSale(t)
	d, body := receiptOf(t, s, connection(t), false)
	// Complaints 4, 11 and 12: net sales by 7shifts' rule, tips as total and
	// gratuity, gross as net plus discounts, and no lines.
	require.Equal(t, map[string]any{
		"receipt_id": "A1-7", "location_id": 501.0, "receipt_date": "2026-11-04T04:00:00Z", "status": "closed",
		"net_total": 8500.0, "gross_total": 10000.0, "total_receipt_discounts": 1500.0, "tips": 2500.0,
		"tip_details":   []any{map[string]any{"type": "total", "value": 700.0}, map[string]any{"type": "gratuity", "value": 1800.0}},
		"receipt_lines": []any{}, "external_user_id": "e1",
	}, body)
	require.Equal(t, "A1-7", d.ID)
	require.Equal(t, "2026-11-03", d.Day.String())
	require.NotEmpty(t, d.Hash)
}

func TestReceiptByCase(t *testing.T) {
	cases := map[string]struct {
		change func(*sale.Sale)
		want   map[string]any
	}{
		"open": {func(s *sale.Sale) { s.Status, s.ClosedAt = sale.Open, time.Time{} }, map[string]any{"status": "open", "net_total": 8500.0}},
		"complaint 1: voided counts nothing": {func(s *sale.Sale) { s.Status = sale.Voided },
			map[string]any{"status": "voided", "net_total": 0.0, "gross_total": 0.0, "total_receipt_discounts": 0.0, "tips": 0.0, "tip_details": []any{}}},
		"complaint 2: an open check merged away is voided": {func(s *sale.Sale) { s.Status, s.MergedInto = sale.Open, "A1-8" },
			map[string]any{"status": "voided", "net_total": 0.0, "tips": 0.0, "tip_details": []any{}}},
		"complaint 4: a gift card sold is no sale": {func(s *sale.Sale) { s.Lines = []sale.Line{{Net: 2500, GiftCard: true}} },
			map[string]any{"net_total": 6000.0, "gross_total": 7500.0, "total_receipt_discounts": 1500.0}},
		"complaints 9 and 10: fully refunded": {func(s *sale.Sale) {
			s.Status, s.Totals = sale.Refunded, sale.Totals{}
			s.Payments = append(s.Payments, sale.Payment{ID: "r1", Kind: sale.Card, Amount: -8000})
		}, map[string]any{"status": "voided", "net_total": 0.0, "gross_total": 0.0, "tips": 0.0, "tip_details": []any{}, "receipt_date": "2026-11-04T04:00:00Z"}},
		"complaint 10: partly refunded lowers the original": {func(s *sale.Sale) { s.Totals.Gross, s.Totals.Net = 9000, 7500 },
			map[string]any{"status": "closed", "net_total": 7500.0, "gross_total": 9000.0, "receipt_date": "2026-11-04T04:00:00Z"}},
		"a refunded sale that keeps some of its sales": {func(s *sale.Sale) { s.Status, s.Totals.Gross, s.Totals.Net = sale.Refunded, 4000, 2500 },
			map[string]any{"status": "closed", "net_total": 2500.0}},
		"complaint 11: only a cash tip": {func(s *sale.Sale) { s.Totals.AutoGratuity, s.Payments = 0, s.Payments[1:] },
			map[string]any{"tips": 0.0, "tip_details": []any{}}},
		"complaint 11: gratuity paid by card": {func(s *sale.Sale) { s.Payments[0].Tip = 0 },
			map[string]any{"tips": 1800.0, "tip_details": []any{map[string]any{"type": "gratuity", "value": 1800.0}}}},
		"complaint 14: the table was transferred": {func(s *sale.Sale) { s.EmployeeID = "e2" }, map[string]any{"external_user_id": "e2"}},
		"nobody's sale":          {func(s *sale.Sale) { s.EmployeeID = "" }, map[string]any{"external_user_id": nil}},
		"a fraction of a second": {func(s *sale.Sale) { s.OpenedAt = s.OpenedAt.Add(999 * time.Millisecond) }, map[string]any{"receipt_date": "2026-11-04T04:00:00Z"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := aSale(t)
			c.change(&s)
			_, body := receiptOf(t, s, connection(t), true)
			for field, want := range c.want {
				require.Equal(t, want, body[field], field)
			}
			require.Equal(t, []any{}, body["receipt_lines"])
		})
	}
}

// Complaint 6: a tab opened on one day and paid on the next, under both
// settings.
func TestReceiptDateIsASetting(t *testing.T) {
	s, byClosed := aSale(t), connection(t)
	byClosed.Settings.ReceiptDate = sale.ByClosed
	d, _ := receiptOf(t, s, connection(t), false)
	require.Equal(t, "2026-11-03", d.Day.String())
	d, body := receiptOf(t, s, byClosed, false)
	require.Equal(t, "2026-11-04", d.Day.String())
	require.Equal(t, "2026-11-04T10:30:00Z", body["receipt_date"])
}

func TestByClosedNothingIsOwedUntilItCloses(t *testing.T) {
	s, c := aSale(t), connection(t)
	c.Settings.ReceiptDate = sale.ByClosed
	s.Status, s.ClosedAt = sale.Open, time.Time{}
	documents, err := sevenshifts.New(sevenshifts.Defaults(), clock.Fixed(now)).Translate(s, c, false)
	require.NoError(t, err)
	require.Empty(t, documents)

	_, body := receiptOf(t, s, c, true)
	require.Equal(t, "open", body["status"], "re-opened: the receipt stays, but no day holds its sales")
	require.Zero(t, body["net_total"])
	require.Zero(t, body["tips"])
	require.Equal(t, "2026-11-04T04:00:00Z", body["receipt_date"])
}

func TestExternalIDsTravelOnlyWhereTheSettingSaysSo(t *testing.T) {
	s, c := aSale(t), connection(t)
	_, body := receiptOf(t, s, c, false)
	for _, field := range []string{"revenue_center", "dining_option", "order_type"} {
		require.NotContains(t, body, field)
	}
	c.Settings.SendRevenueCenter, c.Settings.SendDiningOption = true, true
	_, body = receiptOf(t, s, c, false)
	require.Equal(t, "patio", body["revenue_center"])
	require.Equal(t, "Dine-In", body["dining_option"])
	require.Equal(t, "dine_in", body["order_type"])
	s.DiningOption = "drive through"
	_, body = receiptOf(t, s, c, false)
	require.NotContains(t, body, "order_type", "no word of 7shifts'")
}

// Complaint 9, and invariant 8: what contradicts itself is a bad record, and
// its reason holds no amount.
func TestBadRecordsAreRefusedWithoutTheirAmounts(t *testing.T) {
	for name, change := range map[string]func(*sale.Sale){
		"negative net":      func(s *sale.Sale) { s.Totals.Gross, s.Totals.Net = 0, -1500 },
		"wrong net":         func(s *sale.Sale) { s.Totals.Net = 8501 },
		"negative tip":      func(s *sale.Sale) { s.Payments[0].Tip = -4321 },
		"negative discount": func(s *sale.Sale) { s.Totals.Discount, s.Totals.Net = -1000, 10500 },
		"overflow":          func(s *sale.Sale) { s.Totals.Gross = math.MinInt64 },
		"tips overflow":     func(s *sale.Sale) { s.Totals.AutoGratuity = math.MaxInt64 },
	} {
		t.Run(name, func(t *testing.T) {
			s := aSale(t)
			change(&s)
			_, err := sevenshifts.New(sevenshifts.Defaults(), clock.Fixed(now)).Translate(s, connection(t), true)
			require.Equal(t, work.BadRecord, work.KindOf(err))
			require.Contains(t, err.Error(), "A1-7")
			for _, amount := range []string{"1500", "15.00", "85", "43", "105"} {
				require.NotContains(t, err.Error(), amount)
			}
		})
	}
}

func TestEveryReceiptIsOneThat7shiftsTakes(t *testing.T) {
	amount := rapid.Int64Range(0, 5_000_00)
	rapid.Check(t, func(t *rapid.T) {
		s := aSale(t)
		s.Status = rapid.SampledFrom([]sale.Status{sale.Open, sale.Closed, sale.Voided, sale.Refunded}).Draw(t, "status")
		s.MergedInto = rapid.SampledFrom([]string{"", "A1-9"}).Draw(t, "merged")
		discount, comp, net := sale.Cents(amount.Draw(t, "discount")), sale.Cents(amount.Draw(t, "comp")), sale.Cents(amount.Draw(t, "net"))
		s.Totals = sale.Totals{Gross: net + discount + comp, Discount: discount, Comp: comp, Net: net, AutoGratuity: sale.Cents(amount.Draw(t, "gratuity"))}
		s.Payments[0].Tip = sale.Cents(amount.Draw(t, "tip"))
		d, _ := receiptOf(t, s, connection(t), true)
		var r sevenshifts.Receipt
		require.NoError(t, json.Unmarshal(d.Body, &r))
		var sum sale.Cents
		for _, tip := range r.TipDetails {
			require.Positive(t, tip.Value)
			sum += tip.Value
		}
		require.Equal(t, r.Tips, sum)
		require.GreaterOrEqual(t, r.NetTotal, sale.Cents(0))
		require.Equal(t, r.GrossTotal, r.NetTotal+r.TotalReceiptDiscounts)
		if r.Status == sevenshifts.Voided {
			require.Zero(t, r.NetTotal+r.Tips+r.GrossTotal)
		}
		again, _ := receiptOf(t, s, connection(t), true)
		require.Equal(t, d, again, "a pure function of the sale")
		require.Contains(t, string(d.Body), `"receipt_lines":[]`)
	})
}
