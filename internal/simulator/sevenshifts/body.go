package sevenshiftssim

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"
)

// tip is one entry of tip_details.
type tip struct {
	Type  string `json:"type"`
	Value int64  `json:"value"`
}

// fields are those of a receipt's body; nil was not sent (reference: 7shifts
// 3.1 and 3.4).
type fields struct {
	ReceiptID     *string            `json:"receipt_id,omitempty"`
	LocationID    *int64             `json:"location_id,omitempty"`
	ReceiptDate   *time.Time         `json:"receipt_date,omitempty"`
	Net           *int64             `json:"net_total,omitempty"`
	Status        *string            `json:"status,omitempty"`
	Lines         *[]json.RawMessage `json:"receipt_lines,omitempty"`
	TipDetails    *[]tip             `json:"tip_details,omitempty"`
	Gross         *int64             `json:"gross_total,omitempty"`
	Discounts     *int64             `json:"total_receipt_discounts,omitempty"`
	Tips          *int64             `json:"tips,omitempty"`
	Employee      *string            `json:"external_user_id,omitempty"`
	RevenueCenter *string            `json:"revenue_center,omitempty"`
	OrderType     *string            `json:"order_type,omitempty"`
	DiningOption  *string            `json:"dining_option,omitempty"`
}

var (
	createRequires = []string{"receipt_id", "location_id", "receipt_date", "net_total", "status", "receipt_lines", "tip_details"}
	updateRequires = []string{"net_total"}
	nullable       = []string{"gross_total", "total_receipt_discounts", "tips", "external_user_id", "revenue_center", "order_type", "dining_option"}
	statuses       = []string{"open", "closed", "voided", "deleted"}
	tipTypes       = []string{"cc", "cash", "declared", "net", "total", "gratuity"}
	orderTypes     = []string{"dine_in", "delivery", "take_out"}
)

// maxID is the longest receipt id that is accepted (assumed).
const maxID = 255

// parse reads a body strictly: a JSON object with known fields of the right
// types and nothing else. The refusal is nil when it is good.
func parse(r request, create bool) (fields, *answer) {
	bad := func(word, param, title string) (fields, *answer) {
		a := refuse(http.StatusBadRequest, word, param, title)
		return fields{}, &a
	}
	if mediaType := r.Header.Get("Content-Type"); mediaType != "application/json" {
		return bad("invalid_json", "", "Content-Type must be application/json")
	}
	var given map[string]json.RawMessage
	if json.Unmarshal(r.body, &given) != nil || given == nil {
		return bad("invalid_json", "", "Body must be a JSON object")
	}
	var f fields
	known := f.targets()
	for _, name := range slices.Sorted(maps.Keys(given)) {
		raw := given[name]
		target, ok := known[name]
		isNull := bytes.Equal(raw, []byte("null"))
		switch {
		case !ok, name == "receipt_id" && !create:
			return bad("validation_error", name, "Unknown field")
		case isNull && create && slices.Contains(nullable, name):
			continue
		case isNull || json.Unmarshal(raw, target) != nil:
			return bad("validation_error", name, "Wrong type")
		}
	}
	required := updateRequires
	if create {
		required = createRequires
	}
	for _, name := range required {
		if _, ok := given[name]; !ok {
			return bad("missing_parameter", name, "Required field is missing")
		}
	}
	if param, title := f.check(); param != "" {
		return bad("validation_error", param, title)
	}
	return f, nil
}

func (f *fields) targets() map[string]any {
	return map[string]any{
		"receipt_id": &f.ReceiptID, "location_id": &f.LocationID, "receipt_date": &f.ReceiptDate,
		"net_total": &f.Net, "status": &f.Status, "receipt_lines": &f.Lines, "tip_details": &f.TipDetails,
		"gross_total": &f.Gross, "total_receipt_discounts": &f.Discounts, "tips": &f.Tips,
		"external_user_id": &f.Employee, "revenue_center": &f.RevenueCenter,
		"order_type": &f.OrderType, "dining_option": &f.DiningOption,
	}
}

// check names the first field with an impossible value.
func (f *fields) check() (param, title string) {
	in := func(list []string, v *string) bool { return v == nil || slices.Contains(list, *v) }
	switch {
	case f.ReceiptID != nil && (*f.ReceiptID == "" || len(*f.ReceiptID) > maxID):
		return "receipt_id", "Wrong length"
	case f.ReceiptDate != nil && !isUTC(*f.ReceiptDate):
		return "receipt_date", "Must be UTC"
	case f.Discounts != nil && *f.Discounts < 0:
		return "total_receipt_discounts", "Must not be negative"
	case !in(statuses, f.Status):
		return "status", "Unknown value"
	case !in(orderTypes, f.OrderType):
		return "order_type", "Unknown value"
	}
	if f.TipDetails != nil {
		for _, t := range *f.TipDetails {
			if !slices.Contains(tipTypes, t.Type) {
				return "tip_details", "Unknown type"
			}
		}
	}
	return "", ""
}

func isUTC(t time.Time) bool {
	_, offset := t.Zone()
	return offset == 0
}

// complaints are the ways in which a body, though the API takes it, breaks what
// clusterbridge promises. The API would stay silent; the run must not.
func (f *fields) complaints() []string {
	var found []string
	if f.Lines != nil && len(*f.Lines) > 0 {
		found = append(found, "a receipt line arrived: only order totals travel to 7shifts")
	}
	var sum int64
	if f.TipDetails != nil {
		for _, t := range *f.TipDetails {
			sum += t.Value
			if t.Type != "total" && t.Type != "gratuity" {
				found = append(found, "a tip of type "+t.Type+" arrived: only total and gratuity count")
			}
			if t.Value < 0 {
				found = append(found, "a negative tip arrived")
			}
		}
	}
	if f.uneven(sum) {
		found = append(found, "tips is not the sum of tip_details")
	}
	gone := f.Status != nil && (*f.Status == "voided" || *f.Status == "deleted")
	if gone && (*f.Net != 0 || sum != 0 || (f.Gross != nil && *f.Gross != 0)) {
		found = append(found, "a voided receipt arrived with totals other than zero")
	}
	return found
}

func (f *fields) uneven(sum int64) bool {
	if f.TipDetails == nil {
		return false
	}
	return (f.Tips == nil && sum != 0) || (f.Tips != nil && *f.Tips != sum)
}

func (f *fields) unevenTips() bool {
	var sum int64
	if f.TipDetails != nil {
		for _, t := range *f.TipDetails {
			sum += t.Value
		}
	}
	return f.uneven(sum)
}
