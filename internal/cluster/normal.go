package cluster

import (
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

var statuses = map[string]sale.Status{
	wire.StatusOpen: sale.Open, wire.StatusClosed: sale.Closed,
	wire.StatusVoided: sale.Voided, wire.StatusRefunded: sale.Refunded,
}

// sale puts a checked order into our normal form.
func (c *Client) sale(serial string, w wire.Order) sale.Sale {
	day, _ := sale.ParseDay(string(w.BusinessDate)) // checked before; empty is no day
	s := sale.Sale{
		ID: SaleID(serial, string(w.ID)), OrderID: string(w.ID), Number: string(w.Number), Serial: serial,
		OpenedAt: utc(w.OpenedAt), ClosedAt: utc(w.ClosedAt), ModifiedAt: utc(w.ModifiedAt),
		BusinessDate: day, Status: statuses[strings.ToLower(string(w.Status))],
		EmployeeID: string(w.EmployeeID), DiningOption: string(w.DiningOption),
		RevenueCenter: string(w.RevenueCenter), Guests: w.Guests,
		ParentID: related(serial, w.ParentID), MergedInto: related(serial, w.MergedInto),
		Totals: sale.Totals{
			Gross: sale.Cents(w.Totals.Gross), Discount: sale.Cents(w.Totals.Discount), Comp: sale.Cents(w.Totals.Comp),
			Net: sale.Cents(w.Totals.Net), Tax: sale.Cents(w.Totals.Tax), ServiceCharge: sale.Cents(w.Totals.ServiceCharge),
			Tip: sale.Cents(w.Totals.Tip), AutoGratuity: sale.Cents(w.Totals.AutoGratuity), Total: sale.Cents(w.Totals.Total),
		},
	}
	for _, l := range w.Lines {
		s.Lines = append(s.Lines, c.line(l))
	}
	for _, p := range w.Payments {
		s.Payments = append(s.Payments, sale.Payment{
			ID: string(p.ID), Kind: c.kind(p.Type), Amount: sale.Cents(p.Amount), Tip: sale.Cents(p.Tip), At: utc(p.Time),
		})
	}
	return s
}

func (c *Client) line(l wire.Line) sale.Line {
	line := sale.Line{
		ID: string(l.ID), ItemID: string(l.ItemID), Name: string(l.Name), CategoryID: string(l.CategoryID),
		Quantity: string(l.Quantity), UnitPrice: sale.Cents(l.UnitPrice), Discount: sale.Cents(l.Discount),
		Net: sale.Cents(l.Net), Voided: l.Voided, GiftCard: c.giftCards[strings.ToLower(string(l.CategoryID))],
	}
	for _, m := range l.Modifiers {
		line.Modifiers = append(line.Modifiers, sale.Modifier{
			ID: string(m.ID), Name: string(m.Name), Quantity: string(m.Quantity), Price: sale.Cents(m.Price),
		})
	}
	return line
}

func (c *Client) kind(paymentType wire.Text) sale.PaymentKind {
	switch word := strings.ToLower(string(paymentType)); {
	case c.cards[word]:
		return sale.Card
	case word == wire.PaymentCash:
		return sale.Cash
	}
	return sale.Other
}

func related(serial string, orderID wire.Text) string {
	if orderID == "" {
		return ""
	}
	return SaleID(serial, string(orderID))
}

func utc(i wire.Instant) time.Time {
	if i.IsZero() {
		return time.Time{}
	}
	return i.UTC()
}
