package tips_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/tips"
)

func day(t require.TestingT, text string) sale.Day {
	d, err := sale.ParseDay(text)
	require.NoError(t, err)
	return d
}

func TestPayPeriods(t *testing.T) {
	for name, c := range map[string]struct {
		cadence          tips.Cadence
		anchor, of, want string
	}{
		"a week":                          {tips.Weekly, "2026-11-01", "2026-11-04", "2026-11-01 to 2026-11-07"},
		"a week before the anchor":        {tips.Weekly, "2026-11-01", "2026-10-31", "2026-10-25 to 2026-10-31"},
		"two weeks, first day":            {tips.Biweekly, "2026-11-01", "2026-11-01", "2026-11-01 to 2026-11-14"},
		"two weeks, last day":             {tips.Biweekly, "2026-11-01", "2026-11-14", "2026-11-01 to 2026-11-14"},
		"two weeks, a year before":        {tips.Biweekly, "2026-11-01", "2025-11-01", "2025-10-19 to 2025-11-01"},
		"first half":                      {tips.SemiMonthly, "2026-01-01", "2026-11-15", "2026-11-01 to 2026-11-15"},
		"second half of February":         {tips.SemiMonthly, "2026-01-16", "2026-02-16", "2026-02-16 to 2026-02-28"},
		"from the 5th and 20th":           {tips.SemiMonthly, "2026-01-20", "2026-12-31", "2026-12-20 to 2027-01-04"},
		"from the 15th and 30th, Feb":     {tips.SemiMonthly, "2026-01-30", "2026-02-28", "2026-02-28 to 2026-03-14"},
		"from the 15th and 30th, mid Feb": {tips.SemiMonthly, "2026-01-15", "2026-02-27", "2026-02-15 to 2026-02-27"},
		"a month":                         {tips.Monthly, "2026-01-01", "2028-02-29", "2028-02-01 to 2028-02-29"},
		"a month from the 31st":           {tips.Monthly, "2026-01-31", "2026-02-28", "2026-02-28 to 2026-03-30"},
		"a month over the year's end":     {tips.Monthly, "2026-01-10", "2027-01-09", "2026-12-10 to 2027-01-09"},
	} {
		t.Run(name, func(t *testing.T) {
			payroll, err := tips.NewPayroll(c.cadence, day(t, c.anchor))
			require.NoError(t, err)
			period := payroll.Of(day(t, c.of))
			require.Equal(t, c.want, period.String())
			require.Equal(t, period, payroll.Next(payroll.Previous(period)))
		})
	}
}

func TestPayPeriodsThatCannotBe(t *testing.T) {
	_, err := tips.NewPayroll("daily", tuesday)
	require.ErrorContains(t, err, `"daily"`)
	_, err = tips.NewPayroll(tips.Weekly, sale.Day{})
	require.ErrorContains(t, err, "anchor")
	_, err = tips.NewPayroll(tips.SemiMonthly, sale.NewDay(2026, time.October, 31))
	require.ErrorContains(t, err, "31st")
}

// Every business day is in exactly one period, and periods follow each other
// without gap or overlap.
func TestEveryDayIsInOnePayPeriod(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cadence := rapid.SampledFrom([]tips.Cadence{tips.Weekly, tips.Biweekly, tips.SemiMonthly, tips.Monthly}).Draw(t, "cadence")
		some := func(name string) sale.Day {
			return sale.NewDay(2026, time.January, 1).Plus(rapid.IntRange(-1500, 1500).Draw(t, name))
		}
		payroll, err := tips.NewPayroll(cadence, some("anchor"))
		if err != nil {
			t.Skip("the 31st")
		}
		d := some("day")
		period := payroll.Of(d)
		require.True(t, period.Contains(d), "%s in %s", d, period)
		require.Contains(t, map[tips.Cadence][]int{
			tips.Weekly: {7}, tips.Biweekly: {14}, tips.SemiMonthly: {13, 14, 15, 16, 17, 18}, tips.Monthly: {28, 29, 30, 31},
		}[cadence], period.Days())
		for _, in := range []sale.Day{period.First, period.Last} {
			require.Equal(t, period, payroll.Of(in))
		}
		next, previous := payroll.Next(period), payroll.Previous(period)
		require.Equal(t, period.Last.Plus(1), next.First)
		require.Equal(t, period.First.Plus(-1), previous.Last)
		require.False(t, next.Contains(d))
		require.False(t, previous.Contains(d))
	})
}
