package wisk

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/clustersystems/clusterbridge/internal/items"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// wanted is what WISK should hold of a sale: the body of its document.
type wanted struct {
	Date  time.Time    `json:"date"`
	Day   sale.Day     `json:"day"`
	Items []items.Item `json:"items"`
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
	if w.Items, err = items.Of(s, p.rules(c.Settings.Modifiers.At(day, items.Off))); err != nil {
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
	found, err := items.Of(s, p.rules(c.Settings.Modifiers.At(day, items.Off)))
	if err != nil || s.Status == sale.Open {
		return nil // a bad record is told otherwise, and an open order may still change
	}
	return seen(day, found)
}

func seen(day sale.Day, all []items.Item) []partner.ItemSeen {
	list := make([]partner.ItemSeen, len(all))
	for i, one := range all {
		list[i] = partner.ItemSeen{Code: one.Code, Title: one.Title, Day: day}
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

func (p *Partner) rules(mode string) items.Rules {
	return items.Rules{Mode: mode, Prefix: p.cfg.ModifierPrefix}
}

// Preview is what a sale's items would be under a mode, by code, with their
// titles.
func (p *Partner) Preview(s sale.Sale, mode string) (map[string]string, error) {
	found, err := items.Of(s, p.rules(mode))
	titles := make(map[string]string, len(found))
	for _, i := range found {
		titles[i.Code] = i.Title
	}
	return titles, err
}
