package sale_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		amount  sale.Cents
		weights []sale.Cents
		want    []sale.Cents
	}{
		{100, []sale.Cents{1, 1, 1}, []sale.Cents{34, 33, 33}},
		{-100, []sale.Cents{1, 1, 1}, []sale.Cents{-34, -33, -33}},
		{5, []sale.Cents{1000, 1, 0, -50}, []sale.Cents{5, 0, 0, 0}},
		{2, []sale.Cents{1, 3, 3}, []sale.Cents{0, 1, 1}},
		{0, nil, []sale.Cents{}},
		{0, []sale.Cents{0}, []sale.Cents{0}},
		{math.MinInt64, []sale.Cents{7}, []sale.Cents{math.MinInt64}},
	} {
		got, ok := sale.Spread(c.amount, c.weights)
		require.True(t, ok)
		require.Equal(t, c.want, got)
	}
	_, ok := sale.Spread(1, []sale.Cents{0, -3})
	require.False(t, ok, "nothing to divide it by")
	_, ok = sale.Spread(1, []sale.Cents{math.MaxInt64, 1})
	require.False(t, ok, "the weights overflow")
}

// Whatever is spread adds up, no share is further than a cent from its part,
// and a heavier weight never gets less.
func TestSpreadKeepsTheSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := sale.Cents(rapid.Int64Range(-10_000_000_000, 10_000_000_000).Draw(t, "amount"))
		weights := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) sale.Cents {
			return sale.Cents(rapid.Int64Range(-1000, 10_000_000_000).Draw(t, "weight"))
		}), 1, 12).Draw(t, "weights")
		shares, ok := sale.Spread(amount, weights)
		if !ok {
			return
		}
		var sum, all sale.Cents
		for i := range shares {
			sum += shares[i]
			all += max(weights[i], 0)
		}
		require.Equal(t, amount, sum)
		for i, w := range weights {
			exact := float64(amount) * float64(max(w, 0)) / float64(max(all, 1))
			require.InDelta(t, exact, float64(shares[i]), 1.001)
		}
	})
}
