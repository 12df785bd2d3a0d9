package items

import (
	"cmp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// The choices for modifiers, as WISK's help page describes them (reference:
// WISK 6).
const (
	// Off: one item with the base item's code and title, whose total
	// is that of the item with its modifiers.
	Off = "off"
	// Include: base item and modifiers are one item, the same whatever
	// order they were tapped in.
	Include = "include"
	// Separate: each modifier is an item of its own; the base line
	// keeps its price.
	Separate = "separate"
)

// Modes lists them, the default first.
var Modes = []string{Off, Include, Separate}

// Unknown is the code of what the till sold without code or name: unknown
// items never block sales.
const Unknown = "unknown-item"

// piece is a part of a till's line: what is sold under one code.
type piece struct {
	item, title string
	quantity    decimal.Decimal
	// list is the price before discounts, by which the line's net is divided.
	list sale.Cents
}

// Rules are the choices that turn what the till sold into items.
type Rules struct {
	// Mode is one of Modes; empty is Off.
	Mode string
	// Prefix goes before a modifier's id where it is an item of its own, for
	// tills whose modifiers and items share ids.
	Prefix string
}

// pieces takes a line apart under a mode.
func (r Rules) pieces(l sale.Line, quantity decimal.Decimal) ([]piece, error) {
	base := piece{item: cmp.Or(l.ItemID, l.Name, Unknown), title: cmp.Or(l.Name, l.ItemID, Unknown), quantity: quantity}
	if len(l.Modifiers) == 0 || r.Mode == Off || r.Mode == "" {
		return []piece{base}, nil
	}
	modifiers, err := merged(l.Modifiers)
	if err != nil {
		return nil, err
	}
	if r.Mode == Include {
		return []piece{joined(base, modifiers)}, nil
	}
	return r.apart(base, l.UnitPrice, modifiers)
}

// modifier is one choice of a line; taps of the same one are added up.
type modifier struct {
	id, title string
	quantity  decimal.Decimal
	price     sale.Cents // of all its quantity
}

// merged adds up the taps of each modifier and puts them in the order of their
// ids, so that the order in which a server tapped them does not matter.
func merged(taps []sale.Modifier) ([]modifier, error) {
	byID := make(map[string]modifier, len(taps))
	for _, tap := range taps {
		quantity, err := quantityOf(tap.Quantity, "1")
		if err != nil {
			return nil, err
		}
		price, err := times(tap.Price, quantity)
		if err != nil {
			return nil, err
		}
		id := cmp.Or(tap.ID, tap.Name, Unknown)
		m := byID[id]
		m.id, m.title, m.quantity = id, cmp.Or(tap.Name, id), m.quantity.Add(quantity)
		if m.price, err = m.price.Add(price); err != nil {
			return nil, err
		}
		byID[id] = m
	}
	list := make([]modifier, 0, len(byID))
	for _, m := range byID {
		if !m.quantity.IsZero() {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b modifier) int { return cmp.Compare(a.id, b.id) })
	return list, nil
}

// The joints of codes and titles that stand for several (reference: WISK 6).
const (
	itemJoint  = "-"
	titleJoint = " + "
)

// joined makes one item of a base item and its modifiers. A joint inside a
// modifier's id is written otherwise, so that different choices stay different.
func joined(base piece, modifiers []modifier) piece {
	for _, m := range modifiers {
		item, title := strings.ReplaceAll(m.id, itemJoint, "~"), m.title
		if !m.quantity.Equal(one) {
			item += "x" + m.quantity.String()
			title += " x" + m.quantity.String()
		}
		base.item += itemJoint + item
		base.title += titleJoint + title
	}
	return base
}

// apart makes an item of each modifier. What was charged is divided by the
// list prices.
func (r Rules) apart(base piece, unit sale.Cents, modifiers []modifier) ([]piece, error) {
	var err error
	if base.list, err = times(unit, base.quantity); err != nil {
		return nil, err
	}
	all := []piece{base}
	for _, m := range modifiers {
		p := piece{item: r.Prefix + m.id, title: m.title, quantity: m.quantity.Mul(base.quantity)}
		if p.list, err = times(m.price, base.quantity); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

var one = decimal.NewFromInt(1)

// maxDigits bounds a quantity's digits; a till's has at most 15 and 9 after
// the point, and a modifier's is multiplied with the line's.
const maxDigits = 40

// quantityOf reads an exact decimal; an empty one is the default.
func quantityOf(text, otherwise string) (decimal.Decimal, error) {
	text = cmp.Or(text, otherwise)
	d, err := decimal.NewFromString(text)
	if err != nil || len(text) > maxDigits || strings.ContainsAny(text, "eE") {
		return decimal.Decimal{}, sale.ErrBadRecord
	}
	return d, nil
}

// times is a price times a quantity, rounded to the cent: it is only a weight.
func times(price sale.Cents, quantity decimal.Decimal) (sale.Cents, error) {
	product := decimal.NewFromInt(int64(price)).Mul(quantity).Round(0)
	if !product.BigInt().IsInt64() {
		return 0, sale.ErrOverflow
	}
	return sale.Cents(product.IntPart()), nil
}
