package sale_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

func montreal(t require.TestingT) *time.Location {
	zone, err := time.LoadLocation("America/Toronto")
	require.NoError(t, err)
	return zone
}

func TestEveryInstantBelongsToExactlyOneBusinessDay(t *testing.T) {
	zones := []string{"America/Toronto", "America/Vancouver", "America/St_Johns", "UTC"}
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		require.NoError(t, err)
		at := time.Unix(rapid.Int64Range(1_500_000_000, 2_000_000_000).Draw(t, "instant"), 0)
		day := sale.DayOf(at, zone)
		require.False(t, at.Before(day.Start(zone)), "before the day's start")
		require.True(t, at.Before(day.End(zone)), "after the day's end")
		require.Equal(t, day.End(zone), day.Plus(1).Start(zone))
	})
}

// Complaints 3 and 37: the edges of the day, and the nights on which the clocks
// change.
func TestBusinessDayEdges(t *testing.T) {
	zone := montreal(t)
	for local, want := range map[string]string{
		"2026-11-01 04:59": "2026-10-31",
		"2026-11-01 05:00": "2026-11-01",
		"2026-11-02 00:30": "2026-11-01",
		"2026-11-02 04:59": "2026-11-01",
		"2026-11-02 05:00": "2026-11-02",
		"2027-01-01 00:10": "2026-12-31",
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", local, zone)
		require.NoError(t, err)
		require.Equal(t, want, sale.DayOf(at, zone).String(), local)
	}
	hours := func(y int, m time.Month, d int) time.Duration {
		day := sale.NewDay(y, m, d)
		return day.End(zone).Sub(day.Start(zone))
	}
	require.Equal(t, 25*time.Hour, hours(2026, time.October, 31), "the night to 1 November is lived twice from 01:00 to 02:00")
	require.Equal(t, 24*time.Hour, hours(2026, time.November, 1))
	require.Equal(t, 23*time.Hour, hours(2027, time.March, 13))
}

func TestCalendarMonths(t *testing.T) {
	day := sale.NewDay(2026, time.August, 31)
	require.Equal(t, "2026-02-28", day.PlusMonths(-6).String())
	require.Equal(t, "2026-08-31", day.PlusMonths(0).String())
	require.Equal(t, "2025-12-31", sale.NewDay(2026, time.June, 30).PlusMonths(-6).Plus(1).String())
	require.Equal(t, "2027-02-28", day.PlusMonths(6).String())
	require.Equal(t, "2025-11-03", sale.NewDay(2026, time.May, 3).PlusMonths(-6).String())
}

func TestDayTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := sale.NewDay(2026, time.January, rapid.IntRange(-400, 4000).Draw(t, "offset"))
		text, err := day.MarshalText()
		require.NoError(t, err)
		var back sale.Day
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, day, back)
		n := rapid.IntRange(-500, 500).Draw(t, "n")
		require.Equal(t, n, day.DaysUntil(day.Plus(n)))
	})
}

func TestMoneyNeverWraps(t *testing.T) {
	edge := rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, math.MinInt64 + 1})
	amount := rapid.OneOf(edge, rapid.Int64())
	rapid.Check(t, func(t *rapid.T) {
		a, b := sale.Cents(amount.Draw(t, "a")), sale.Cents(amount.Draw(t, "b"))
		sum, err := a.Add(b)
		if err != nil {
			require.ErrorIs(t, err, sale.ErrOverflow)
			exact := float64(a) + float64(b)
			require.GreaterOrEqual(t, math.Abs(exact), float64(math.MaxInt64), "%d + %d does not overflow", a, b)
			return
		}
		back, err := sum.Sub(b)
		require.NoError(t, err)
		require.Equal(t, a, back)
	})
}

func TestCentsPrintAsMoney(t *testing.T) {
	require.Equal(t, "12.05", sale.Cents(1205).String())
	require.Equal(t, "-0.07", sale.Cents(-7).String())
	require.Equal(t, "-92233720368547758.08", sale.Cents(math.MinInt64).String())
}

func closedSale() sale.Sale {
	opened := time.Date(2026, 11, 4, 23, 0, 0, 0, time.UTC)
	return sale.Sale{
		ID: "A1-7", OrderID: "7", Serial: "A1", Status: sale.Closed,
		OpenedAt: opened, ClosedAt: opened.Add(time.Hour), ModifiedAt: opened.Add(time.Hour),
		Totals: sale.Totals{Gross: 10000, Discount: 1000, Comp: 500, Net: 8500, Tax: 1273, ServiceCharge: 300, AutoGratuity: 1800, Tip: 900, Total: 12773},
		Payments: []sale.Payment{
			{ID: "p1", Kind: sale.Card, Amount: 8000, Tip: 700},
			{ID: "p2", Kind: sale.Cash, Amount: 4773, Tip: 200},
		},
	}
}

// Complaint 4: the rule of net sales, one case a row.
func TestNetSalesRule(t *testing.T) {
	cases := map[string]struct {
		change func(*sale.Sale)
		want   sale.Cents
	}{
		"gross minus discounts and comps":          {func(*sale.Sale) {}, 8500},
		"a gift card sold is no sale":              {func(s *sale.Sale) { s.Lines = []sale.Line{{Net: 2500, GiftCard: true}} }, 6000},
		"a voided gift-card line takes nothing":    {func(s *sale.Sale) { s.Lines = []sale.Line{{Net: 2500, GiftCard: true, Voided: true}} }, 8500},
		"a refunded gift card gives nothing twice": {func(s *sale.Sale) { s.Lines = []sale.Line{{Net: 2500, GiftCard: true}, {Net: -2500, GiftCard: true}} }, 8500},
		"tax does not matter":                      {func(s *sale.Sale) { s.Totals.Tax = 99999 }, 8500},
		"service charges do not matter":            {func(s *sale.Sale) { s.Totals.ServiceCharge = 99999 }, 8500},
		"tips and gratuities do not matter":        {func(s *sale.Sale) { s.Totals.Tip, s.Totals.AutoGratuity = 99999, 99999 }, 8500},
		"voided counts nothing":                    {func(s *sale.Sale) { s.Status = sale.Voided }, 0},
		"merged away counts nothing":               {func(s *sale.Sale) { s.MergedInto = "A1-8" }, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := closedSale()
			c.change(&s)
			got, err := s.NetSales()
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestContradictingNumbersAreABadRecord(t *testing.T) {
	wrongNet := closedSale()
	wrongNet.Totals.Net++
	_, err := wrongNet.NetSales()
	require.ErrorIs(t, err, sale.ErrBadRecord)

	negative := closedSale()
	negative.Totals.Gross, negative.Totals.Net = 0, -1500
	_, err = negative.NetSales()
	require.ErrorIs(t, err, sale.ErrBadRecord, "a refund never makes a negative receipt (complaint 9)")

	tips := closedSale()
	tips.Payments[0].Tip = -1
	_, err = tips.Tips()
	require.ErrorIs(t, err, sale.ErrBadRecord)

	huge := closedSale()
	huge.Totals.Gross = math.MinInt64
	_, err = huge.NetSales()
	require.ErrorIs(t, err, sale.ErrOverflow)
}

func TestTipsRule(t *testing.T) {
	tips, err := closedSale().Tips()
	require.NoError(t, err)
	require.Equal(t, sale.Tips{Card: 700, Gratuity: 1800}, tips, "cash tips never travel; a gratuity does, however it was paid")

	voided := closedSale()
	voided.Status = sale.Voided
	tips, err = voided.Tips()
	require.NoError(t, err)
	require.Zero(t, tips)
}

// What enters a day equals what leaves it: splitting or merging checks moves
// money between sales and never makes or loses a cent.
func TestSplitAndMergeKeepTheSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gross := sale.Cents(rapid.Int64Range(0, 1_000_000).Draw(t, "gross"))
		discount := sale.Cents(rapid.Int64Range(0, int64(gross)).Draw(t, "discount"))
		whole := closedSale()
		whole.Totals = sale.Totals{Gross: gross, Discount: discount, Net: gross - discount}
		want, err := whole.NetSales()
		require.NoError(t, err)

		gross1 := sale.Cents(rapid.Int64Range(int64(discount), int64(gross)).Draw(t, "first share"))
		a, b := whole, whole
		a.Totals = sale.Totals{Gross: gross1, Discount: discount, Net: gross1 - discount}
		b.Totals = sale.Totals{Gross: gross - gross1, Net: gross - gross1}
		require.Equal(t, want, mustNet(t, a)+mustNet(t, b), "split")

		survivor, absorbed := whole, b
		absorbed.MergedInto = survivor.ID
		require.Equal(t, want, mustNet(t, survivor)+mustNet(t, absorbed), "merge")
	})
}

func mustNet(t require.TestingT, s sale.Sale) sale.Cents {
	net, err := s.NetSales()
	require.NoError(t, err)
	return net
}

// Complaint 6: one order, both settings of the receipt date.
func TestReceiptDate(t *testing.T) {
	zone := montreal(t)
	s := closedSale()
	s.OpenedAt = time.Date(2026, 11, 2, 23, 0, 0, 0, zone)
	s.ClosedAt = time.Date(2026, 11, 3, 5, 30, 0, 0, zone)
	at, known := sale.ByOpened.Date(s)
	require.True(t, known)
	require.Equal(t, "2026-11-02", sale.DayOf(at, zone).String())
	at, known = sale.ByClosed.Date(s)
	require.True(t, known)
	require.Equal(t, "2026-11-03", sale.DayOf(at, zone).String())

	s.ClosedAt = time.Time{}
	_, known = sale.ByClosed.Date(s)
	require.False(t, known, "under closed nothing is owed until it closes")
}

func TestHashFollowsContentOnly(t *testing.T) {
	a, b := closedSale(), closedSale()
	b.ModifiedAt = b.ModifiedAt.Add(time.Minute)
	hash := func(s sale.Sale) string { _, h := s.Content(); return h }
	require.Equal(t, hash(a), hash(b), "touching an order is no change")
	b.EmployeeID = "e2"
	require.NotEqual(t, hash(a), hash(b), "a transfer is a change")
}
