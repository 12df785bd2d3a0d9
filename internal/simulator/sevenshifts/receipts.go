package sevenshiftssim

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// createReceipt is POST /v2/company/{company}/receipts (reference: 7shifts
// 3.1 and 3.3).
func (s *Sim) createReceipt(r request) answer {
	f, refused := parse(r, true)
	if refused != nil {
		return *refused
	}
	if refused := s.refuses(f); refused != nil {
		return *refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if l, ok := s.locations[*f.LocationID]; !ok || l.CompanyID != r.company {
		return refuse(http.StatusBadRequest, "invalid_id", "location_id", "No such location in this company")
	}
	w := &write{Create: true, Company: r.company, Key: key{*f.LocationID, *f.ReceiptID}, UUID: newUUID(), Fields: f}
	mode := s.switches.DuplicateCreate
	if mode == Conflict && s.store.known(w.Key) {
		return refuse(http.StatusConflict, "save_error", "receipt_id", "Receipt exists already")
	}
	if held := s.store.receipts[w.Key]; held != nil && mode != AsyncFail {
		w.UUID = held.UUID
	}
	s.accept(w, r.fault.Straying())
	return answer{status: http.StatusAccepted, write: w.Seq, body: s.acceptedBody(w)}
}

func (s *Sim) acceptedBody(w *write) any {
	if s.switches.TopUUID {
		return map[string]any{"uuid": w.UUID}
	}
	return map[string]any{"data": map[string]any{"uuid": w.UUID}}
}

// updateReceipt is PUT /v2/company/{company}/receipts/{receipt}, by uuid or by
// ext:{location}:{receipt id} (reference: 7shifts 3.4).
func (s *Sim) updateReceipt(r request) answer {
	f, refused := parse(r, false)
	if refused != nil {
		return *refused
	}
	if refused := s.refuses(f); refused != nil {
		return *refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.identify(r.PathValue("receipt"))
	l, exists := s.locations[k.Location]
	switch {
	case !ok:
		return refuse(http.StatusNotFound, "invalid_id", "", "Receipt not found")
	case !exists || l.CompanyID != r.company:
		return refuse(http.StatusBadRequest, "invalid_id", "location_id", "No such location in this company")
	case f.LocationID != nil && *f.LocationID != k.Location:
		return refuse(http.StatusBadRequest, "validation_error", "location_id", "Differs from the path")
	case s.switches.UnknownUpdate == NotFound && !s.store.known(k):
		s.missed(k)
		return refuse(http.StatusNotFound, "invalid_id", "", "Receipt not found")
	}
	w := &write{Company: r.company, Key: k, Fields: f}
	if held := s.store.receipts[k]; held != nil {
		w.UUID = held.UUID
	}
	s.accept(w, r.fault.Straying())
	data := map[string]any{"uuid": nil, "receipt_id": k.Receipt}
	if w.UUID != "" {
		data["uuid"] = w.UUID
	}
	return answer{status: http.StatusAccepted, write: w.Seq, body: map[string]any{"object": "receipt_processed", "data": data}}
}

// refuses applies the switches on amounts, and notes what breaks our promises.
func (s *Sim) refuses(f fields) *answer {
	switches := s.Switches()
	if switches.RefuseNegative && *f.Net < 0 {
		a := refuse(http.StatusBadRequest, "validation_error", "net_total", "Must not be negative")
		return &a
	}
	if switches.RefuseUnevenTips && f.unevenTips() {
		a := refuse(http.StatusBadRequest, "validation_error", "tips", "Must be the sum of tip details")
		return &a
	}
	for _, what := range f.complaints() {
		s.violated(what)
	}
	return nil
}

// identify finds a receipt's key by the id in a path. The caller holds s.mu.
func (s *Sim) identify(id string) (key, bool) {
	ext, isExt := strings.CutPrefix(id, "ext:")
	if !isExt {
		k, ok := s.store.uuids[id]
		return k, ok
	}
	location, receiptID, ok := strings.Cut(ext, ":")
	number, err := strconv.ParseInt(location, 10, 64)
	return key{number, receiptID}, ok && err == nil && receiptID != ""
}

// getReceipt is GET /v2/company/{company}/receipts/{uuid}: by uuid only
// (reference: 7shifts 3.6).
func (s *Sim) getReceipt(r request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.store.receipts[s.store.uuids[r.PathValue("receipt")]]
	if held == nil || held.CompanyID != r.company {
		return refuse(http.StatusNotFound, "invalid_id", "", "Receipt not found")
	}
	return answer{status: http.StatusOK, body: map[string]any{"data": s.show(held)}}
}

// show is a receipt as lists answer it; dining option and order type are not
// in the reply (reference: 7shifts 3.7).
func (s *Sim) show(r *receipt) map[string]any {
	f := r.Fields
	shown := map[string]any{
		"company_id": r.CompanyID, "location_id": r.Location, "pos_id": 0, "receipt_id": r.ID,
		"receipt_date": s.instant(r.date()), "receipt_close_date": nil, "net_total": *f.Net,
		"gross_total": f.Gross, "tips": or(f.Tips, 0), "total_receipt_discounts": or(f.Discounts, 0),
		"total_item_discounts": 0, "external_user_id": f.Employee, "revenue_center": f.RevenueCenter,
		"receipt_lines": []any{}, "tip_details": or(f.TipDetails, []tip{}), "status": *f.Status,
		"created_date": s.instant(r.Created), "modified_date": s.instant(r.Modified),
	}
	if f.Lines != nil {
		shown["receipt_lines"] = *f.Lines
	}
	if !r.CloseDate.IsZero() {
		shown["receipt_close_date"] = s.instant(r.CloseDate)
	}
	name := "uuid"
	if s.switches.OldIDField {
		name = "id"
	}
	shown[name] = r.UUID
	return shown
}

// instant is a time in the form that the switch wants.
func (s *Sim) instant(t time.Time) string {
	if s.switches.FractionTimes {
		return t.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	return t.UTC().Format("2006-01-02T15:04:05+00:00")
}

func or[T any](v *T, otherwise T) T {
	if v == nil {
		return otherwise
	}
	return *v
}
