package sale

import (
	"cmp"
	"math/bits"
	"slices"
)

// Spread divides an amount over weights, to the cent: each gets its share
// rounded down, and the cents that are left go one by one to the largest
// remainders, the earlier first where they are alike. Weights below zero count
// as zero. It is false when there is something to divide and no weight to
// divide it by, or the weights' sum overflows.
func Spread(amount Cents, weights []Cents) ([]Cents, bool) {
	shares := make([]Cents, len(weights))
	if amount == 0 {
		return shares, true
	}
	var sum Cents
	for _, w := range weights {
		var err error
		if sum, err = sum.Add(max(w, 0)); err != nil {
			return nil, false
		}
	}
	if sum == 0 {
		return nil, false
	}
	whole, sign := uint64(amount), Cents(1)
	if amount < 0 {
		whole, sign = -whole, -1
	}
	left := whole
	order, remainders := make([]int, len(weights)), make([]uint64, len(weights))
	for i, w := range weights {
		high, low := bits.Mul64(whole, uint64(max(w, 0)))
		share, remainder := bits.Div64(high, low, uint64(sum)) // the share is at most whole
		shares[i], remainders[i], order[i] = sign*Cents(share), remainder, i
		left -= share
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(remainders[b], remainders[a]) })
	for _, i := range order[:left] {
		shares[i] += sign
	}
	return shares, true
}
