package sevenshifts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// Status is where a receipt stands (reference: 7shifts 3.1).
type Status string

// The statuses that clusterbridge sends. 7shifts also knows "deleted".
const (
	Open   Status = "open"
	Closed Status = "closed"
	Voided Status = "voided"
)

// TipType is a kind of tip that counts in 7shifts: its other kinds (cc, cash,
// declared, net) are deprecated or unsupported there (reference: 7shifts 3.1).
type TipType string

// The kinds of tip.
const (
	TipTotal    TipType = "total"    // tips on cards
	TipGratuity TipType = "gratuity" // automatic gratuities, however paid
)

// TipDetail is one kind of tip on a receipt.
type TipDetail struct {
	Type  TipType    `json:"type"`
	Value sale.Cents `json:"value"`
}

// OrderType is 7shifts' own kind of order (reference: 7shifts 3.1).
type OrderType string

// The kinds of order.
const (
	DineIn   OrderType = "dine_in"
	Delivery OrderType = "delivery"
	TakeOut  OrderType = "take_out"
)

// Receipt is a receipt as we write it (reference: 7shifts 3.1): all amounts in
// cents, the date in UTC to the second.
type Receipt struct {
	ReceiptID   string     `json:"receipt_id"` // ours, unique per location
	LocationID  int64      `json:"location_id"`
	ReceiptDate time.Time  `json:"receipt_date"`
	Status      Status     `json:"status"`
	NetTotal    sale.Cents `json:"net_total"`
	// GrossTotal is net plus discounts; 7shifts publishes no definition
	// (assumed: reference 3.1, complaint 12).
	GrossTotal            sale.Cents  `json:"gross_total"`
	TotalReceiptDiscounts sale.Cents  `json:"total_receipt_discounts"` // discounts and comps
	Tips                  sale.Cents  `json:"tips"`                    // the sum of TipDetails
	TipDetails            []TipDetail `json:"tip_details"`
	ReceiptLines          noLines     `json:"receipt_lines"`
	ExternalUserID        string      `json:"external_user_id,omitempty"` // the POS employee
	RevenueCenter         string      `json:"revenue_center,omitempty"`
	DiningOption          string      `json:"dining_option,omitempty"`
	OrderType             OrderType   `json:"order_type,omitempty"`
}

// noLines is the empty list that receipt_lines always is: only order totals
// travel to 7shifts, and there is no setting.
type noLines struct{}

// MarshalJSON writes the empty list.
func (noLines) MarshalJSON() ([]byte, error) { return []byte("[]"), nil }

// UnmarshalJSON refuses anything but the empty list.
func (*noLines) UnmarshalJSON(data []byte) error {
	if !bytes.Equal(data, []byte("[]")) {
		return errors.New("receipt_lines is always empty")
	}
	return nil
}

// receiptUpdate is the body of an update: all fields of a create without
// receipt_id (reference: 7shifts 3.4). All that we own travels every time, so
// that it does not matter whether a short update keeps or wipes the rest
// (complaint 10).
type receiptUpdate struct {
	Receipt
	ReceiptID *struct{} `json:"receipt_id,omitempty"` // hides the embedded one
}

// CreateReceipt posts a receipt and returns 7shifts' uuid for it, if told.
// Success means accepted, not processed (reference: 7shifts 3.1). An error
// with ErrExists in its chain says that the receipt exists already.
func (c *Client) CreateReceipt(ctx context.Context, company int64, r Receipt) (string, error) {
	return c.createReceipt(ctx, company, r)
}

func (c *Client) createReceipt(ctx context.Context, company int64, r any) (string, error) {
	return c.writeReceipt(ctx, call{
		method: http.MethodPost, path: fmt.Sprintf("/v2/company/%d/receipts", company), body: r, write: true,
	})
}

// UpdateReceipt puts a receipt under its external id "ext:<location>:<receipt
// id>" and returns 7shifts' uuid for it, if told. Success means accepted, not
// processed. An error with ErrNotFound in its chain says that 7shifts does not
// know the receipt; it may also not say so (assumed: reference 3.4).
func (c *Client) UpdateReceipt(ctx context.Context, company int64, r Receipt) (string, error) {
	id := fmt.Sprintf("ext:%d:%s", r.LocationID, r.ReceiptID)
	return c.writeReceipt(ctx, call{
		method: http.MethodPut, path: fmt.Sprintf("/v2/company/%d/receipts/%s", company, url.PathEscape(id)),
		body: receiptUpdate{Receipt: r}, write: true,
	})
}

func (c *Client) writeReceipt(ctx context.Context, in call) (string, error) {
	body, err := c.do(ctx, in)
	if err != nil {
		return "", err
	}
	ref, err := decodeAccepted(body)
	if err != nil {
		return "", unreadable(err, true)
	}
	return ref, nil
}

// decodeAccepted reads the uuid of a 202, at the top or under data; both may
// be null (reference: 7shifts 3.1 and 3.4).
func decodeAccepted(body []byte) (string, error) {
	var answer *struct {
		UUID *string `json:"uuid"`
		Data *struct {
			UUID *string `json:"uuid"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", err
	}
	switch {
	case answer == nil:
		return "", errors.New("no object")
	case answer.UUID != nil:
		return *answer.UUID, nil
	case answer.Data != nil && answer.Data.UUID != nil:
		return *answer.Data.UUID, nil
	}
	return "", nil
}
