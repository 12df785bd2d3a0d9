package traffic

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
)

// The choices for modifiers, as WISK's help page describes them: left out,
// joined with the item that they were tapped with, or items of their own. They
// are written here once more, as are the rules below, so that package wisk can
// be checked by them.
const (
	modifiersOff      = "off"
	modifiersInclude  = "include"
	modifiersSeparate = "separate"
)

// itemSum is what was sold under one code, in cents.
type itemSum struct {
	title           string
	quantity, total decimal.Decimal
}

func (s itemSum) none() bool { return s.quantity.IsZero() && s.total.IsZero() }

// itemSums are sums by code.
type itemSums map[string]itemSum

// add adds to a code, which then has the title that was added.
func (all itemSums) add(code string, s itemSum) {
	sum := all[code]
	all[code] = itemSum{s.title, sum.quantity.Add(s.quantity), sum.total.Add(s.total)}
}

// items are what a partner that counts items should hold of an order, by code.
// Nothing is read off the till's amounts but prices, quantities and the
// discounts of single lines: what was taken off the whole order is what its
// lines come to beyond what is owed.
func (s state) items(mode string) itemSums {
	sums := itemSums{}
	if s.owed.dead {
		return sums
	}
	var lines []clustersim.Line
	var nets, paid []decimal.Decimal
	taken := decimal.NewFromInt(-s.owed.net)
	for _, l := range s.order.Lines {
		if l.Voided || l.CategoryID == giftCategory {
			continue
		}
		net := amountOf(l.Quantity).Mul(each(l)).Sub(decimal.NewFromInt(l.Discount))
		taken = taken.Add(net)
		lines, nets = append(lines, l), append(nets, net)
		paid = append(paid, decimal.Max(net, decimal.Zero))
	}
	off := divide(taken, paid)
	for i, l := range lines {
		addLine(sums, l, nets[i].Sub(off[i]), mode)
	}
	maps.DeleteFunc(sums, func(_ string, s itemSum) bool { return s.none() })
	return sums
}

// addLine adds a line for which an amount was paid in the end.
func addLine(sums itemSums, l clustersim.Line, net decimal.Decimal, mode string) {
	quantity, code, title := amountOf(l.Quantity), string(l.ItemID), string(l.Name)
	choices := choicesOf(l)
	switch mode {
	case modifiersOff:
		sums.add(code, itemSum{title, quantity, net})
	case modifiersInclude:
		for _, c := range choices {
			code += "-" + strings.ReplaceAll(c.id, "-", "~")
			title += " + " + c.title
			if times := c.quantity.String(); times != "1" {
				code, title = code+"x"+times, title+" x"+times
			}
		}
		sums.add(code, itemSum{title, quantity, net})
	case modifiersSeparate:
		prices := []decimal.Decimal{decimal.NewFromInt(l.UnitPrice)}
		for _, c := range choices {
			prices = append(prices, c.price)
		}
		shares := divide(net, prices)
		sums.add(code, itemSum{title, quantity, shares[0]})
		for i, c := range choices {
			sums.add(c.id, itemSum{c.title, quantity.Mul(c.quantity), shares[i+1]})
		}
	default:
		panic("traffic: no such choice for modifiers: " + mode)
	}
}

// choice is all that was tapped of one modifier with a line: how often per item
// and for how much.
type choice struct {
	id, title       string
	quantity, price decimal.Decimal
}

// choicesOf are a line's choices by their ids.
func choicesOf(l clustersim.Line) []choice {
	var list []choice
	for _, m := range l.Modifiers {
		id, quantity := string(m.ID), amountOf(m.Quantity)
		i, found := slices.BinarySearchFunc(list, id, func(c choice, id string) int { return cmp.Compare(c.id, id) })
		if !found {
			list = slices.Insert(list, i, choice{id: id})
		}
		c := &list[i]
		c.title, c.quantity = string(m.Name), c.quantity.Add(quantity)
		c.price = c.price.Add(quantity.Mul(decimal.NewFromInt(m.Price)))
	}
	return list
}

// divide divides an amount of whole cents in proportion to weights: each gets
// its share rounded down, and the cents that are left over go one by one to the
// largest remainders, the earlier first. Without any weight the first gets all.
func divide(amount decimal.Decimal, weights []decimal.Decimal) []decimal.Decimal {
	shares := make([]decimal.Decimal, len(weights))
	if amount.IsZero() {
		return shares
	}
	sum := decimal.Sum(decimal.Zero, weights...)
	if sum.IsZero() {
		shares[0] = amount
		return shares
	}
	cent := decimal.NewFromInt(int64(amount.Sign()))
	left := amount
	remainders := make([]decimal.Decimal, len(weights))
	for i, w := range weights {
		shares[i], remainders[i] = amount.Mul(w).QuoRem(sum, 0)
		left = left.Sub(shares[i])
	}
	for ; !left.IsZero(); left = left.Sub(cent) {
		largest := 0
		for i, r := range remainders {
			if r.Abs().GreaterThan(remainders[largest].Abs()) {
				largest = i
			}
		}
		shares[largest], remainders[largest] = shares[largest].Add(cent), decimal.Zero
	}
	return shares
}
