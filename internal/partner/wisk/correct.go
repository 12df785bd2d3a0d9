package wisk

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/clustersystems/clusterbridge/internal/items"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Correct implements partner.Additive. Codes whose standing lines are what is
// wanted are left alone; of all others every standing line is taken back in
// full, dated as it was, and what is wanted is added. A title alone is no
// reason: it belongs to the code, not to a sale.
func (p *Partner) Correct(d partner.Document, held []partner.Line) ([]partner.Line, error) {
	var w wanted
	if err := json.Unmarshal(d.Body, &w); err != nil {
		return nil, work.Errf(work.Internal, err, "a document of WISK cannot be read")
	}
	standing := standing(held)
	want := map[string][]items.Item{}
	for _, i := range w.Items {
		want[i.Code] = append(want[i.Code], i)
	}
	var lines []partner.Line
	for _, code := range codes(standing, want) {
		if w.matches(want[code], standing[code]) {
			continue
		}
		for _, l := range standing[code] {
			lines = append(lines, reversal(l))
		}
		for _, i := range want[code] {
			lines = append(lines, partner.Line{
				Document: d.ID, Date: w.Date, Day: w.Day, Item: i.Code, Title: i.Title, Quantity: i.Quantity, Total: i.Total,
			})
		}
	}
	return lines, nil
}

// standing are the lines that are neither reversals nor reversed, by code.
func standing(held []partner.Line) map[string][]partner.Line {
	reversed := make(map[int]bool, len(held))
	for _, l := range held {
		if l.Reverses != 0 {
			reversed[l.Reverses] = true
		}
	}
	byCode := map[string][]partner.Line{}
	for _, l := range held {
		if l.Reverses == 0 && !reversed[l.Seq] {
			byCode[l.Item] = append(byCode[l.Item], l)
		}
	}
	return byCode
}

func codes(standing map[string][]partner.Line, want map[string][]items.Item) []string {
	var all []string
	for code := range standing {
		all = append(all, code)
	}
	for code := range want {
		if _, both := standing[code]; !both {
			all = append(all, code)
		}
	}
	slices.Sort(all)
	return all
}

// matches tells whether the standing lines of a code are what is wanted of it:
// the same quantities, totals and date.
func (w wanted) matches(want []items.Item, standing []partner.Line) bool {
	if len(want) != len(standing) {
		return false
	}
	sorted := slices.SortedFunc(slices.Values(standing), func(a, b partner.Line) int { return cmp.Compare(b.Total, a.Total) })
	for i, l := range sorted {
		if l.Total != want[i].Total || !sameQuantity(l.Quantity, want[i].Quantity) || !l.Date.Equal(w.Date) {
			return false
		}
	}
	return true
}

func sameQuantity(a, b string) bool {
	x, errX := decimal.NewFromString(a)
	y, errY := decimal.NewFromString(b)
	return errX == nil && errY == nil && x.Equal(y)
}

// reversal takes a line back in full.
func reversal(l partner.Line) partner.Line {
	back := l
	back.ID, back.Seq, back.Reverses = "", 0, l.Seq
	back.Quantity, back.Total = negated(l.Quantity), -l.Total
	return back
}

func negated(quantity string) string {
	d, err := decimal.NewFromString(quantity)
	if err != nil {
		return quantity // the ledger gives back what was minted: decimals
	}
	return d.Neg().String()
}
