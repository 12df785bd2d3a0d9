package wisk

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk/wire"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// wanted is what WISK should hold of a sale: the body of its document.
type wanted struct {
	Date  time.Time `json:"date"`
	Day   sale.Day  `json:"day"`
	Items []item    `json:"items"`
}

// item is what of one code was sold, or taken back, in a sale.
type item struct {
	Item     string     `json:"item"`
	Title    string     `json:"title"`
	Quantity string     `json:"quantity"` // exact decimal, never zero
	Total    sale.Cents `json:"total"`
}

// Translate implements partner.Partner: one document per sale, with the lines
// that WISK should hold of it under the modes of the sale's business day.
//
//   - The totals are net of discounts and comps, before tax and tips; gift cards
//     and service charges are not uploaded.
//   - A sale that does not count (voided, merged into another) has no lines; if
//     it had some they are taken back.
//   - One that is open owes nothing until it closes, unless a setting says so or
//     WISK knows it already: a re-opened one is kept in step.
//   - A business day that WISK reads by itself, or gets by mail, owes nothing, and
//     what was uploaded of a sale that moves to one is taken back.
func (p *Partner) Translate(s sale.Sale, c partner.Connection, known bool) ([]partner.Document, error) {
	date, dated := c.Settings.ReceiptDate.Date(s)
	if !dated {
		date = s.OpenedAt
	}
	day := sale.DayOf(date, c.Zone)
	served := Served(c, day)
	if !known && (!served || s.Counts() && s.Status == sale.Open && !p.cfg.OpenOrders) {
		return nil, nil
	}
	// The wire's dates have no fraction; cutting it cannot change the day.
	w := wanted{Date: date.UTC().Truncate(time.Second), Day: day}
	if !served {
		s.Status = sale.Voided // it was moved to a day of another route, which counts it there
	}
	var err error
	if w.Items, err = p.itemsOf(s, c.Settings.Modifiers.At(day, ModifiersOff)); err != nil {
		return nil, badRecord(s, err)
	}
	if len(w.Items) == 0 && !known {
		return nil, nil
	}
	body, err := json.Marshal(w)
	if err != nil {
		return nil, work.Errf(work.Internal, err, "a sale's lines could not be written as JSON")
	}
	return []partner.Document{{ID: s.ID, SaleID: s.ID, Date: w.Date, Day: day, Body: body, Hash: sale.Hash(body)}}, nil
}

// ItemsSeen implements partner.Itemizer.
func (p *Partner) ItemsSeen(s sale.Sale, c partner.Connection, documents []partner.Document) []partner.ItemSeen {
	var w wanted
	if len(documents) == 1 && json.Unmarshal(documents[0].Body, &w) == nil {
		return seen(w.Day, w.Items)
	}
	day := sale.DayOf(s.OpenedAt, c.Zone)
	items, err := p.itemsOf(s, c.Settings.Modifiers.At(day, ModifiersOff))
	if err != nil || s.Status == sale.Open {
		return nil // a bad record is told otherwise, and an open order may still change
	}
	return seen(day, items)
}

func seen(day sale.Day, items []item) []partner.ItemSeen {
	list := make([]partner.ItemSeen, len(items))
	for i, one := range items {
		list[i] = partner.ItemSeen{Code: one.Item, Title: one.Title, Day: day}
	}
	return list
}

// badRecord names the order but not its amounts, which stay in the cause.
func badRecord(s sale.Sale, err error) error {
	why := "its lines and totals contradict each other"
	if errors.Is(err, sale.ErrOverflow) {
		why = "its amounts are out of range"
	}
	return work.Errf(work.OrderImplausible, err, "order %s: %s", s.ID, why)
}

// Preview is what a sale's items would be under a mode, by code, with their
// titles.
func (p *Partner) Preview(s sale.Sale, mode string) (map[string]string, error) {
	items, err := p.itemsOf(s, mode)
	titles := make(map[string]string, len(items))
	for _, i := range items {
		titles[i.Item] = i.Title
	}
	return titles, err
}

// itemsOf adds up a sale by code. What its items' totals add up to is the
// sale's net without gift cards, to the cent.
func (p *Partner) itemsOf(s sale.Sale, mode string) ([]item, error) {
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
		parts, err := rules{mode, p.cfg.ModifierPrefix}.pieces(l.Line, l.quantity)
		if err != nil {
			return nil, err
		}
		if err := add(sums, parts, l.net); err != nil {
			return nil, err
		}
	}
	items := []item{}
	for _, code := range slices.Sorted(maps.Keys(sums)) {
		found, err := sums[code].items(code)
		if err != nil {
			return nil, err
		}
		items = append(items, found...)
	}
	return items, nil
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
func (s *sums) items(code string) ([]item, error) {
	quantity := s.soldQty.Add(s.backQty)
	if s.soldQty.Exponent() < -wire.QuantityDigits || s.backQty.Exponent() < -wire.QuantityDigits {
		return nil, sale.ErrBadRecord // WISK takes no finer quantity, and rounding would lose some
	}
	total, err := s.sold.Add(s.back)
	if err != nil {
		return nil, err
	}
	switch {
	case quantity.IsZero() && total == 0:
		return nil, nil
	case quantity.IsPositive() && total >= 0, quantity.IsNegative() && total <= 0:
		return []item{{code, s.title, quantity.String(), total}}, nil
	}
	var both []item
	for _, part := range []item{{code, s.title, s.soldQty.String(), s.sold}, {code, s.title, s.backQty.String(), s.back}} {
		if part.Quantity != "0" {
			both = append(both, part)
		}
	}
	if len(both) == 1 { // a total against its quantity, and nothing to explain it
		return both, nil
	}
	slices.SortStableFunc(both, func(a, b item) int { return cmp.Compare(b.Total, a.Total) })
	return both, nil
}
