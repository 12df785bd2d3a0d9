package sevenshiftssim

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxBody is the largest request that is read; no request of the API comes
// near it.
const maxBody = 1 << 20

// apiVersions are the values of x-api-version that are understood; an unknown
// one is a 400 (assumed: reference 7shifts 1).
var apiVersions = []string{"2023-04-01", "2025-03-01", "2026-01-01", "2026-10-01"}

// request is what a handler gets: authenticated, limited, its body read.
type request struct {
	*http.Request
	body    []byte
	token   Token
	company int64 // of the path, 0 where it has none; the token reaches it
	fault   Fault
}

// answer is what a handler gives.
type answer struct {
	status int
	body   any
	header http.Header
	// write is the accepted write's number, 0 when nothing was accepted.
	write int64
}

type handler func(request) answer

// exchange does what all endpoints share: rate, credential, version, faults.
func (s *Sim) exchange(w http.ResponseWriter, r *http.Request, h handler) {
	switches := s.Switches()
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		s.reply(w, refuse(http.StatusUnauthorized, "unauthorized", "", "No bearer token"), switches)
		return
	}
	if rest, ok := s.rates.Arrive(token, switches.PerSecond, time.Duration(switches.Block)); !ok {
		a := refuse(http.StatusTooManyRequests, "unknown", "", "Too many requests")
		if switches.RetryAfter {
			a.header = http.Header{"Retry-After": {strconv.Itoa(int(math.Ceil(rest.Seconds())))}}
		}
		s.reply(w, a, switches)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			s.reply(w, refuse(http.StatusRequestEntityTooLarge, "unknown", "", "Request too large"), switches)
		}
		return
	}
	in := request{Request: r, body: body}
	if refused := s.admit(&in, token, switches); refused != nil {
		s.reply(w, *refused, switches)
		return
	}
	in.fault = s.faults.Take(r.Method, r.URL.Path, in.PathValue("company"))
	a := answer{}
	if in.fault.Commits() {
		a = h(in)
	}
	s.spoil(w, in, a, switches)
}

// admit checks version, credential and company.
func (s *Sim) admit(in *request, value string, switches Switches) *answer {
	no := func(status int, word, param, title string) *answer {
		a := refuse(status, word, param, title)
		return &a
	}
	s.mu.Lock()
	token, known := s.tokens[value]
	var company Company
	var hasCompany bool
	if id := in.PathValue("company"); id != "" {
		in.company, _ = strconv.ParseInt(id, 10, 64)
		company, hasCompany = s.companies[in.company]
	}
	s.mu.Unlock()
	switch version := in.Header.Get("X-Api-Version"); {
	case !known || switches.TokenRefused:
		return no(http.StatusUnauthorized, "unauthorized", "", "Unauthorized")
	case version != "" && !slices.Contains(apiVersions, version):
		return no(http.StatusBadRequest, "validation_error", "x-api-version", "Unknown API version")
	case switches.PlanRefused:
		return no(http.StatusForbidden, "access_denied", "", "Plan upgrade required")
	case in.PathValue("company") != "" && !hasCompany:
		return no(http.StatusNotFound, "invalid_id", "company_id", "Company not found")
	case hasCompany && !s.reaches(token, company.ID, switches):
		return no(http.StatusForbidden, "access_denied", "", "No access to this company")
	case token.OAuth && in.Header.Get("X-Company-Guid") == "":
		return no(http.StatusBadRequest, "missing_header", "x-company-guid", "Header required")
	case token.OAuth && hasCompany && in.Header.Get("X-Company-Guid") != company.GUID:
		return no(http.StatusForbidden, "access_denied", "", "No access to this company")
	}
	in.token = token
	return nil
}

// reaches tells whether the token sees the company: from a date on, only the
// one that it was made for.
func (s *Sim) reaches(t Token, company int64, switches Switches) bool {
	sees := t.Companies
	if from := switches.SingleCompanyFrom; !from.IsZero() && !s.clock.Now().Before(from) {
		sees = sees[:min(1, len(sees))]
	}
	return slices.Contains(sees, company)
}

// spoil answers as the fault wants.
func (s *Sim) spoil(w http.ResponseWriter, in request, a answer, switches Switches) {
	if status := in.fault.Refuses(); status != 0 {
		s.reply(w, refuse(status, "unknown", "", http.StatusText(status)), switches)
		return
	}
	data, _ := json.Marshal(a.body) // our own shapes cannot fail
	if !in.fault.Spoil(w, in.Request, a.status, data, s.closing) {
		return
	}
	if in.Context().Err() == nil {
		s.answered(a.write)
	}
	s.reply(w, a, switches)
}

func (s *Sim) reply(w http.ResponseWriter, a answer, switches Switches) {
	w.Header().Set("Content-Type", "application/json")
	maps.Copy(w.Header(), a.header)
	body := a.body
	if p, ok := body.(problem); ok {
		if switches.LegacyErrors {
			body = map[string]string{"status": "error", "message": p.Detail, "error": p.word}
		} else {
			w.Header().Set("Content-Type", "application/problem+json")
		}
	}
	w.WriteHeader(a.status)
	if a.status == http.StatusNoContent {
		return
	}
	if err := json.NewEncoder(w).Encode(body); err != nil {
		s.log.Debug("answer not written", "err", err)
	}
}

// problem is problem+json (reference: 7shifts 2); word is that of the legacy
// shape.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Param  string `json:"param,omitempty"`
	word   string
}

func refuse(status int, word, param, title string) answer {
	detail := title
	if param != "" {
		detail = param + ": " + title
	}
	return answer{status: status, body: problem{
		Type: "https://developers.7shifts.com/reference/errors", Title: title, Status: status, Detail: detail, Param: param, word: word,
	}}
}

// nowhere answers for paths that do not exist here. People, roles and punches
// are never written to 7shifts, so an attempt breaks the run.
func (s *Sim) nowhere(in request) answer {
	if in.Method != http.MethodGet {
		for _, part := range []string{"users", "roles", "departments", "time_punches"} {
			if strings.Contains(in.URL.Path, "/"+part) {
				s.violated(in.Method + " to " + part + ": people, roles and punches are not written to 7shifts")
			}
		}
	}
	return refuse(http.StatusNotFound, "invalid_id", "", "Not found")
}
