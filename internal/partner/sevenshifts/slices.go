package sevenshifts

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

var _ partner.WholeDays = (*Partner)(nil)

// slice is how long the sales are summed that 7shifts allows to be imported as
// one receipt, for history only (reference: 7shifts 8.3).
const slice = 5 * time.Minute

// The receipt ids of slices: a prefix that no till has as its serial number,
// with which a sale's id begins, and the slice's start in UTC.
const (
	slicePrefix = "slice-"
	sliceForm   = "20060102T150405Z"
)

// Whole implements partner.WholeDays: an operator asked for sums before the
// first receipt, and only for days before the previous pay period.
func (p *Partner) Whole(c partner.Connection, day sale.Day) bool {
	return !c.Settings.SlicesUntil.IsZero() && !c.Settings.SlicesUntil.Before(day)
}

// TranslateDay implements partner.WholeDays: one receipt per five minutes, dated
// at the slice's start, with neither tips nor employee. A slice that lost all
// its sales is voided.
func (p *Partner) TranslateDay(day sale.Day, sales []sale.Sale, known []string, c partner.Connection) ([]partner.Document, error) {
	sums := map[string]*Receipt{}
	for _, id := range known {
		at, err := time.Parse(sliceForm, strings.TrimPrefix(id, slicePrefix))
		if err != nil {
			return nil, work.Errf(work.Internal, err, "a slice's receipt has an id that is none")
		}
		sums[id] = emptySlice(id, at, c)
	}
	for _, s := range sales {
		if err := addToSlice(sums, s, c); err != nil {
			return nil, err
		}
	}
	documents := make([]partner.Document, 0, len(sums))
	for _, id := range slices.Sorted(maps.Keys(sums)) {
		r := sums[id]
		body, err := json.Marshal(r)
		if err != nil {
			return nil, work.Errf(work.Internal, err, "a receipt could not be written as JSON")
		}
		documents = append(documents, partner.Document{ID: id, Date: r.ReceiptDate, Day: day, Body: body, Hash: sale.Hash(body)})
	}
	return documents, nil
}

func emptySlice(id string, at time.Time, c partner.Connection) *Receipt {
	return &Receipt{ReceiptID: id, LocationID: c.LocationID, ReceiptDate: at, Status: Voided, TipDetails: []TipDetail{}}
}

// addToSlice adds a sale to the slice of its date.
func addToSlice(sums map[string]*Receipt, s sale.Sale, c partner.Connection) error {
	date, dated := c.Settings.ReceiptDate.Date(s)
	r, err := newReceipt(s, c)
	if err != nil || !dated || r.Status == Voided {
		return nil //nolint:nilerr // a bad record is quarantined where it is read
	}
	at := date.UTC().Truncate(slice)
	id := slicePrefix + at.Format(sliceForm)
	sum := sums[id]
	if sum == nil {
		sum = emptySlice(id, at, c)
		sums[id] = sum
	}
	sum.Status = Closed
	for _, part := range []struct {
		to   *sale.Cents
		with sale.Cents
	}{{&sum.NetTotal, r.NetTotal}, {&sum.GrossTotal, r.GrossTotal}, {&sum.TotalReceiptDiscounts, r.TotalReceiptDiscounts}} {
		if *part.to, err = part.to.Add(part.with); err != nil {
			return work.Errf(work.OrderImplausible, err, "the sales of five minutes are out of range")
		}
	}
	return nil
}
