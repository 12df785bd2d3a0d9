package sevenshifts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// maxPageSize is 7shifts' largest page of receipts (reference: 7shifts 2).
	maxPageSize = 100
	// maxPages ends a listing whose cursor leads in circles: no location has a
	// million receipts in the 90 days that can be listed.
	maxPages = 10_000
)

// ListQuery chooses receipts of one location. Dates may lie at most 90 days
// back, else 7shifts answers 400; without From it takes the past 90 days
// (reference: 7shifts 3.7). Its From seems to be read in the location's local
// time, so ask with a day of margin on both sides and look closer yourself.
type ListQuery struct {
	LocationID int64
	// From and To bound the receipt date, both inclusive.
	From, To time.Time
	// ModifiedSince bounds 7shifts' own time of the last change, inclusive.
	ModifiedSince time.Time
	Status        Status
}

func (q ListQuery) values() url.Values {
	v := url.Values{"location_id": {strconv.FormatInt(q.LocationID, 10)}, "limit": {strconv.Itoa(maxPageSize)}}
	setInstant(v, "receipt_date[gte]", q.From)
	setInstant(v, "receipt_date[lte]", q.To)
	setInstant(v, "modified_since", q.ModifiedSince)
	if q.Status != "" {
		v.Set("status", string(q.Status))
	}
	return v
}

// setInstant puts an instant into a query, none where it is zero.
func setInstant(v url.Values, name string, t time.Time) {
	if !t.IsZero() {
		v.Set(name, t.UTC().Format(time.RFC3339))
	}
}

// HeldReceipt is a receipt as 7shifts holds it (reference: 7shifts 3.7). What
// an answer leaves out is nil where its absence differs from zero. The reply
// has no dining option and no order type.
type HeldReceipt struct {
	UUID          string
	ReceiptID     string
	ReceiptDate   time.Time
	Status        Status
	NetTotal      sale.Cents
	GrossTotal    *sale.Cents
	Discounts     *sale.Cents
	Tips          sale.Cents
	TipDetails    []TipDetail
	EmployeeID    string
	RevenueCenter string
	Modified      time.Time // 7shifts' time of the last change; zero if untold
	// Unreadable says that this record could not be decoded; at most UUID and
	// ReceiptID are set then.
	Unreadable bool
}

// ListReceipts walks through all pages. It ends after the first error. A
// record that cannot be decoded is handed out as Unreadable and does not stop
// the rest.
func (c *Client) ListReceipts(ctx context.Context, company int64, q ListQuery) iter.Seq2[HeldReceipt, error] {
	return func(yield func(HeldReceipt, error) bool) {
		values := q.values()
		for range maxPages {
			body, err := c.do(ctx, call{method: http.MethodGet, path: fmt.Sprintf("/v2/company/%d/receipts", company), query: values})
			if err != nil {
				yield(HeldReceipt{}, err)
				return
			}
			page, next, err := decodeReceipts(body)
			if err != nil {
				yield(HeldReceipt{}, unreadable(err, false))
				return
			}
			for _, r := range page {
				if !yield(r, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			values.Set("cursor", next) // the filters are repeated
		}
		yield(HeldReceipt{}, work.Err(work.PartnerMalformed, "a listing of receipts does not end"))
	}
}

// page is the envelope of every list (reference: 7shifts 2).
type page struct {
	Data *[]json.RawMessage `json:"data"`
	Meta struct {
		Cursor struct {
			Next *string `json:"next"`
		} `json:"cursor"`
	} `json:"meta"`
}

func decodePage(body []byte) (records []json.RawMessage, next string, err error) {
	var p page
	if err := json.Unmarshal(body, &p); err != nil {
		return nil, "", err
	}
	if p.Data == nil {
		return nil, "", errors.New("no data")
	}
	if p.Meta.Cursor.Next != nil {
		next = *p.Meta.Cursor.Next
	}
	return *p.Data, next, nil
}

func decodeReceipts(body []byte) ([]HeldReceipt, string, error) {
	records, next, err := decodePage(body)
	if err != nil {
		return nil, "", err
	}
	held := make([]HeldReceipt, len(records))
	for i, record := range records {
		held[i] = decodeReceipt(record)
	}
	return held, next, nil
}

// decodeReceipt accepts both names of the uuid: version 2022-10-01 called it
// id (reference: 7shifts 3.7).
func decodeReceipt(record []byte) HeldReceipt {
	var ids struct {
		UUID      any `json:"uuid"`
		ID        any `json:"id"`
		ReceiptID any `json:"receipt_id"`
	}
	_ = json.Unmarshal(record, &ids)
	h := HeldReceipt{UUID: text(ids.UUID), ReceiptID: text(ids.ReceiptID)}
	if h.UUID == "" {
		h.UUID = text(ids.ID)
	}
	var r struct {
		ReceiptDate   *time.Time  `json:"receipt_date"`
		NetTotal      *sale.Cents `json:"net_total"`
		GrossTotal    *sale.Cents `json:"gross_total"`
		Discounts     *sale.Cents `json:"total_receipt_discounts"`
		Tips          sale.Cents  `json:"tips"`
		TipDetails    []TipDetail `json:"tip_details"`
		Status        Status      `json:"status"`
		EmployeeID    string      `json:"external_user_id"`
		RevenueCenter string      `json:"revenue_center"`
		Modified      time.Time   `json:"modified_date"`
	}
	if err := json.Unmarshal(record, &r); err != nil || r.ReceiptDate == nil || r.NetTotal == nil {
		h.Unreadable = true
		return h
	}
	h.ReceiptDate, h.NetTotal, h.GrossTotal, h.Discounts = r.ReceiptDate.UTC(), *r.NetTotal, r.GrossTotal, r.Discounts
	h.Tips, h.TipDetails, h.Modified = r.Tips, r.TipDetails, r.Modified.UTC()
	h.EmployeeID, h.RevenueCenter = r.EmployeeID, r.RevenueCenter
	if h.Status = r.Status; h.Status == "" {
		h.Status = Closed // the schema's default
	}
	return h
}

// text is an id as a string; a number is taken as written in whole digits.
func text(id any) string {
	switch v := id.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}
