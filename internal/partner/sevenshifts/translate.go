package sevenshifts

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Translate implements partner.Partner: one receipt per sale, whose id is the
// sale's.
//
//   - Voided, merged into another, or fully refunded: all totals 0, no tips,
//     status voided (reference: 7shifts 3.5). It is owed also when the sale was
//     never seen alive, so that 7shifts holds one receipt per sale whenever the
//     till was read.
//   - Partly refunded: the reduced totals on the original receipt, so that the
//     refund lowers the original sale's day. No receipt is ever negative.
//   - By closed time, a sale that has not closed owes nothing. If 7shifts
//     already knows it (it was re-opened, or the setting changed), the receipt
//     stays, dated by opening, with totals 0 until it closes: no day's sales
//     hold what is not closed.
func (p *Partner) Translate(s sale.Sale, c partner.Connection, known bool) ([]partner.Document, error) {
	date, dated := c.Settings.ReceiptDate.Date(s)
	if !dated {
		if !known {
			return nil, nil
		}
		date = s.OpenedAt
	}
	r, err := newReceipt(s, c)
	if err != nil || p.Whole(c, sale.DayOf(date, c.Zone)) {
		return nil, err // a day whose sales are summed has no receipt per sale
	}
	if !dated {
		r.clearAmounts()
	}
	// 7shifts' dates have no fraction; cutting it cannot change the day.
	r.ReceiptDate = date.UTC().Truncate(time.Second)
	body, err := json.Marshal(r)
	if err != nil {
		return nil, work.Errf(work.Internal, err, "a receipt could not be written as JSON")
	}
	return []partner.Document{{
		ID: s.ID, SaleID: s.ID, Date: r.ReceiptDate, Day: sale.DayOf(r.ReceiptDate, c.Zone),
		Body: body, Hash: sale.Hash(body),
	}}, nil
}

// newReceipt is the receipt without its date.
func newReceipt(s sale.Sale, c partner.Connection) (Receipt, error) {
	r := Receipt{
		ReceiptID: s.ID, LocationID: c.LocationID, Status: Closed,
		TipDetails: []TipDetail{}, ExternalUserID: s.EmployeeID,
	}
	if s.Status == sale.Open {
		r.Status = Open
	}
	if c.Settings.SendRevenueCenter {
		r.RevenueCenter = s.RevenueCenter
	}
	if c.Settings.SendDiningOption {
		r.DiningOption, r.OrderType = s.DiningOption, orderType(s.DiningOption)
	}
	if err := r.setAmounts(s); err != nil {
		return Receipt{}, badRecord(s, err)
	}
	if !s.Counts() || (s.Status == sale.Refunded && r.NetTotal == 0) {
		r.clearAmounts()
		r.Status = Voided
	}
	return r, nil
}

func (r *Receipt) setAmounts(s sale.Sale) error {
	if !s.Counts() {
		return nil
	}
	var err error
	if r.NetTotal, err = s.NetSales(); err != nil {
		return err
	}
	if r.TotalReceiptDiscounts, err = s.Totals.Discount.Add(s.Totals.Comp); err != nil {
		return err
	}
	if r.TotalReceiptDiscounts < 0 {
		return sale.ErrBadRecord
	}
	if r.GrossTotal, err = r.NetTotal.Add(r.TotalReceiptDiscounts); err != nil {
		return err
	}
	tips, err := s.Tips()
	if err != nil {
		return err
	}
	if r.Tips, err = tips.Total(); err != nil {
		return err
	}
	if tips.Card != 0 {
		r.TipDetails = append(r.TipDetails, TipDetail{TipTotal, tips.Card})
	}
	if tips.Gratuity != 0 {
		r.TipDetails = append(r.TipDetails, TipDetail{TipGratuity, tips.Gratuity})
	}
	return nil
}

func (r *Receipt) clearAmounts() {
	r.NetTotal, r.GrossTotal, r.TotalReceiptDiscounts, r.Tips, r.TipDetails = 0, 0, 0, 0, []TipDetail{}
}

// badRecord names the order but not its amounts, which stay in the cause.
func badRecord(s sale.Sale, err error) error {
	why := "its totals contradict each other"
	if errors.Is(err, sale.ErrOverflow) {
		why = "its amounts are out of range"
	}
	return work.Errf(work.OrderImplausible, err, "order %s: %s", s.ID, why)
}

// orderType is 7shifts' word for a dining option of the till; none when the
// till's word is not one of these (Cluster's words are assumed).
func orderType(option string) OrderType {
	switch strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(option)) {
	case "dinein":
		return DineIn
	case "delivery":
		return Delivery
	case "takeout", "takeaway":
		return TakeOut
	}
	return ""
}
