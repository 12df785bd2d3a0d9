package wisksim

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	cluster "github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk/wire"
)

// centDigits: Cluster states cents.
const centDigits = 2

// translate makes lines of an order: one per item, with its net
// total, dated as the order was opened. Open, voided and merged orders have
// none (assumed). Gift cards are items like any other.
func (i Integration) translate(serial string, o cluster.Order) []wire.Line {
	status := strings.ToLower(string(o.Status))
	if (status != cluster.StatusClosed && status != cluster.StatusRefunded) || o.MergedInto != "" {
		return nil
	}
	var lines []wire.Line
	for _, l := range o.Lines {
		quantity, err := decimal.NewFromString(string(l.Quantity))
		if l.Voided || err != nil || quantity.IsZero() {
			continue
		}
		for _, item := range i.items(l, quantity) {
			if item.quantity.IsZero() || strings.TrimSpace(item.plu) == "" {
				continue
			}
			lines = append(lines, wire.Line{
				ID: lineID(serial, o.ID, l.ID, len(lines)), Date: wire.Date(o.OpenedAt.Time), PLU: item.plu, Title: item.title,
				Quantity: exact(item.quantity), Total: money(item.total),
			})
		}
	}
	return lines
}

// items are what a till's line sells (reference: WISK section 6). Their totals
// are the line's net together.
func (i Integration) items(l cluster.Line, quantity decimal.Decimal) []content {
	base := content{plu: string(l.ItemID), title: string(l.Name), quantity: quantity, total: decimal.New(l.Net, -centDigits)}
	if !i.IncludeModifiers {
		return []content{base}
	}
	modifiers := slices.SortedFunc(slices.Values(l.Modifiers), func(a, b cluster.Modifier) int { return strings.Compare(string(a.ID), string(b.ID)) })
	if !i.SeparateModifiers {
		for _, m := range modifiers { // the same combination, whatever the order of tapping
			base.plu, base.title = base.plu+"-"+string(m.ID), base.title+" + "+string(m.Name)
		}
		return []content{base}
	}
	var own []content
	for _, m := range modifiers {
		each, err := decimal.NewFromString(string(m.Quantity))
		if err != nil {
			continue
		}
		sold := quantity.Mul(each)
		total := sold.Mul(decimal.New(m.Price, -centDigits)).Round(centDigits)
		own = append(own, content{plu: string(m.ID), title: string(m.Name), quantity: sold, total: total})
		base.total = base.total.Sub(total)
	}
	return append([]content{base}, own...)
}

// says tells whether the lines held of an order are these.
func (v *venue) says(order string, lines []wire.Line) bool {
	held := v.orders[order]
	return slices.EqualFunc(held, lines, func(h *Held, l wire.Line) bool { return h.Line == l })
}
