package sevenshiftssim

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

const (
	maxReceiptsPage = 100 // reference: 7shifts 2
	maxPage         = 500 // locations; reference: 7shifts 2
	defaultPage     = 100
)

// params reads a query strictly; after the first problem it only remembers
// that.
type params struct {
	query   url.Values
	refused *answer
}

func readParams(r request, allowed ...string) *params {
	p := &params{query: r.URL.Query()}
	for _, name := range slices.Sorted(maps.Keys(p.query)) {
		if !slices.Contains(allowed, name) || len(p.query[name]) != 1 {
			p.refuse("validation_error", name, "Unknown or repeated parameter")
		}
	}
	return p
}

func (p *params) refuse(word, param, title string) {
	if p.refused == nil {
		a := refuse(http.StatusBadRequest, word, param, title)
		p.refused = &a
	}
}

func (p *params) number(name string, otherwise, low, high int64) int64 {
	text := p.query.Get(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < low || n > high {
		p.refuse("validation_error", name, "Out of range")
	}
	return n
}

func (p *params) instant(name string) time.Time {
	text := p.query.Get(name)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		p.refuse("validation_error", name, "Not a date-time")
	}
	return t
}

// date reads YYYY-MM-DD, or the date of a date-time.
func (p *params) date(name string) time.Time {
	text := p.query.Get(name)
	if len(text) > len(time.DateOnly) {
		t := p.instant(name).UTC()
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		p.refuse("missing_parameter", name, "A date is required")
	}
	return t
}

// location requires one of the company's locations; company 0 takes any that
// the token reaches. The caller holds s.mu.
func (s *Sim) location(p *params, token Token, company int64) location {
	l, ok := s.locations[p.number("location_id", 0, 1, 1<<62)]
	switch {
	case p.query.Get("location_id") == "":
		p.refuse("missing_parameter", "location_id", "location_id is required")
	case !ok || (company != 0 && l.CompanyID != company) || !s.reaches(token, l.CompanyID, s.switches):
		p.refuse("invalid_id", "location_id", "No such location")
	}
	return l
}

// notTooOld refuses bounds that lie further back than lists reach (reference:
// 7shifts 3.7).
func (s *Sim) notTooOld(p *params, name string, t time.Time) {
	if days := s.switches.ListDays; days > 0 && !t.IsZero() && t.Before(s.clock.Now().AddDate(0, 0, -days)) {
		p.refuse("validation_error", name, fmt.Sprintf("Must not be older than %d days", days))
	}
}

// listReceipts is GET /v2/company/{company}/receipts (reference: 7shifts 3.7).
func (s *Sim) listReceipts(r request) answer {
	p := readParams(r, "location_id", "receipt_date[gte]", "receipt_date[lte]", "modified_since", "status", "external_user_id", "cursor", "limit")
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.location(p, r.token, r.company)
	from, to, since := p.instant("receipt_date[gte]"), p.instant("receipt_date[lte]"), p.instant("modified_since")
	s.notTooOld(p, "receipt_date[gte]", from)
	s.notTooOld(p, "receipt_date[lte]", to)
	s.notTooOld(p, "modified_since", since)
	limit := int(p.number("limit", defaultPage, 1, maxReceiptsPage))
	status, employee := p.query.Get("status"), p.query.Get("external_user_id")
	if status != "" && !slices.Contains(statuses, status) {
		p.refuse("validation_error", "status", "Unknown value")
	}
	after := p.cursor()
	if p.refused != nil {
		return *p.refused
	}
	if from.IsZero() && s.switches.ListDays > 0 {
		from = s.clock.Now().AddDate(0, 0, -s.switches.ListDays)
	} else if s.switches.ShiftLowerBound {
		local := from.UTC()
		from = time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), 0, l.zone)
	}
	for _, w := range s.store.pending {
		if w.Create && w.Key.Location == l.ID && s.store.receipts[w.Key] == nil {
			s.missed(w.Key)
		}
	}
	found := []map[string]any{}
	var last, more int64
	for _, held := range s.store.order {
		switch date := held.date(); {
		case held.Location != l.ID, held.Seq <= after, date.Before(from), !to.IsZero() && date.After(to):
		case held.Modified.Before(since), status != "" && *held.Fields.Status != status:
		case employee != "" && or(held.Fields.Employee, "") != employee:
		case len(found) == limit:
			more++
		default:
			found, last = append(found, s.show(held)), held.Seq
		}
		if more > 0 {
			break
		}
	}
	return s.listed("receipts", found, len(found), p.query.Get("cursor"), last, more > 0)
}

// cursor is base64 of small JSON, opaque to clients (reference: 7shifts 2).
func (p *params) cursor() int64 {
	text := p.query.Get("cursor")
	if text == "" {
		return 0
	}
	var c struct {
		ID   string `json:"id"`
		Next bool   `json:"next"`
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	id, parseErr := strconv.ParseInt(c.ID, 10, 64)
	if err != nil || parseErr != nil {
		p.refuse("validation_error", "cursor", "Not a cursor")
	}
	return id
}

func (s *Sim) listed(object string, data any, count int, current string, last int64, more bool) answer {
	cursor := map[string]any{"current": nil, "prev": nil, "next": nil, "count": count}
	if current != "" {
		cursor["current"], cursor["prev"] = current, current
	}
	if more {
		cursor["next"] = base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"id":"%d","next":true}`, last))
	}
	return answer{status: http.StatusOK, body: map[string]any{"object": object, "data": data, "meta": map[string]any{"cursor": cursor}}}
}
