// Package items says what a sale is in items: codes with quantities and net
// totals, as inventory systems count them. It is pure.
package items

import (
	"cmp"
	"maps"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// QuantityDigits is how many digits of a quantity after the point are kept:
// WISK takes no more (assumed; reference: WISK 2).
const QuantityDigits = 9

// Item is what of one code was sold, or taken back, in a sale.
type Item struct {
	Code     string     `json:"item"`
	Title    string     `json:"title"`
	Quantity string     `json:"quantity"` // exact decimal, never zero
	Total    sale.Cents `json:"total"`    // net of discounts, before tax and tips
}

// Of adds up a sale by code. What its items' totals add up to is the sale's net
// without gift cards, to the cent; one that does not count has none. Errors:
// sale.ErrBadRecord, sale.ErrOverflow.
func Of(s sale.Sale, r Rules) ([]Item, error) {
	net, err := s.NetSales()
	if err != nil || !s.Counts() {
		return nil, err
	}
	lines, err := netLines(s, net)
	if err != nil {
		return nil, err
	}
	sums := map[string]*sums{}
	for _, l := range lines {
		parts, err := r.pieces(l.Line, l.quantity)
		if err != nil {
			return nil, err
		}
		if err := add(sums, parts, l.net); err != nil {
			return nil, err
		}
	}
	all := []Item{}
	for _, code := range slices.Sorted(maps.Keys(sums)) {
		found, err := sums[code].items(code)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// netLine is a line that counts, with its part of the sale's net.
type netLine struct {
	sale.Line
	quantity decimal.Decimal
	net      sale.Cents
}

// netLines spreads what was taken off the whole sale (its discounts and comps
// beyond those of single lines) over the lines that were paid for.
func netLines(s sale.Sale, net sale.Cents) ([]netLine, error) {
	var lines []netLine
	var weights []sale.Cents
	rest := net
	for _, l := range s.Lines {
		if l.Voided || l.GiftCard {
			continue
		}
		quantity, err := quantityOf(l.Quantity, "0")
		if err != nil || quantity.IsZero() && l.Net != 0 {
			return nil, sale.ErrBadRecord
		}
		if quantity.IsZero() {
			continue
		}
		if rest, err = rest.Sub(l.Net); err != nil {
			return nil, err
		}
		lines, weights = append(lines, netLine{l, quantity, l.Net}), append(weights, l.Net)
	}
	spread, ok := sale.Spread(rest, weights)
	if !ok {
		return nil, sale.ErrBadRecord
	}
	for i := range lines {
		var err error
		if lines[i].net, err = lines[i].net.Add(spread[i]); err != nil {
			return nil, err
		}
	}
	return lines, nil
}

// sums are what was sold under one code, and what was taken back.
type sums struct {
	title            string
	sold, back       sale.Cents
	soldQty, backQty decimal.Decimal
}

// add divides a line's net over its pieces by their list prices and adds them
// up; a line without list prices is all its first piece's.
func add(all map[string]*sums, pieces []piece, net sale.Cents) error {
	weights := make([]sale.Cents, len(pieces))
	for i, p := range pieces {
		weights[i] = max(p.list, -p.list)
	}
	shares, ok := sale.Spread(net, weights)
	if !ok {
		shares = make([]sale.Cents, len(pieces))
		shares[0] = net
	}
	for i, p := range pieces {
		s := all[p.item]
		if s == nil {
			s = &sums{}
			all[p.item] = s
		}
		s.title = p.title
		var err error
		if p.quantity.IsNegative() {
			s.backQty = s.backQty.Add(p.quantity)
			s.back, err = s.back.Add(shares[i])
		} else {
			s.soldQty = s.soldQty.Add(p.quantity)
			s.sold, err = s.sold.Add(shares[i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// items are one line of a code, or two where what was taken back cannot be set
// off against what was sold: no line has quantity 0, or a total whose sign is
// not its quantity's.
func (s *sums) items(code string) ([]Item, error) {
	quantity := s.soldQty.Add(s.backQty)
	if s.soldQty.Exponent() < -QuantityDigits || s.backQty.Exponent() < -QuantityDigits {
		return nil, sale.ErrBadRecord // nobody takes a finer quantity, and rounding would lose some
	}
	total, err := s.sold.Add(s.back)
	if err != nil {
		return nil, err
	}
	switch {
	case quantity.IsZero() && total == 0:
		return nil, nil
	case quantity.IsPositive() && total >= 0, quantity.IsNegative() && total <= 0:
		return []Item{{code, s.title, quantity.String(), total}}, nil
	}
	var both []Item
	for _, part := range []Item{{code, s.title, s.soldQty.String(), s.sold}, {code, s.title, s.backQty.String(), s.back}} {
		if part.Quantity != "0" {
			both = append(both, part)
		}
	}
	if len(both) == 1 { // a total against its quantity, and nothing to explain it
		return both, nil
	}
	slices.SortStableFunc(both, func(a, b Item) int { return cmp.Compare(b.Total, a.Total) })
	return both, nil
}
