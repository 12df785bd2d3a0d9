package sevenshifts

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/clustersystems/clusterbridge/internal/limit"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/work"
)

var (
	// ErrNotFound is in the chain of an error that 7shifts answered with 404.
	ErrNotFound = errors.New("7shifts: not found")
	// ErrExists is in the chain of an error that 7shifts answered with 409.
	ErrExists = errors.New("7shifts: exists already")
	// ErrForbidden is in the chain of an error that 7shifts answered with 403.
	// Where other calls of the token work, 7shifts has not enabled this one for
	// the partner.
	ErrForbidden = errors.New("7shifts: forbidden")
)

// unreadable is the error of a 2xx answer that makes no sense: whether the
// effect took place is unknown.
func unreadable(err error, ambiguous bool) *work.Error {
	return &work.Error{Code: work.PartnerMalformed, Ambiguous: ambiguous, Cause: err}
}

// refusal is the error of an answer other than 2xx (reference: 7shifts 2,
// errors).
func refusal(a partner.Answer, write bool) *work.Error {
	p := readProblem(a.Body)
	e := &work.Error{Detail: fmt.Sprintf("HTTP %d%s", a.Status, p.detail())}
	switch status := a.Status; {
	case status == http.StatusUnauthorized:
		e.Code = work.PartnerToken
	case status == http.StatusForbidden:
		e.Code, e.Cause = work.PartnerPlan, ErrForbidden
	case status == http.StatusPaymentRequired:
		e.Code = work.PartnerPlan
	case status == http.StatusNotFound:
		e.Code, e.Cause = work.PartnerNotFound, ErrNotFound
	case status == http.StatusTooManyRequests:
		e.Code, e.Rest = work.PartnerLimited, limit.RetryAfter(a.Header)
	case status >= 500, status == http.StatusRequestTimeout:
		e.Code, e.Ambiguous = work.PartnerUnreachable, write
	case status < 400:
		e.Code, e.Ambiguous = work.PartnerMalformed, write
	case p.ofConnection():
		e.Code = work.PartnerNotFound
	case p.ofRequest() || !write:
		e.Code = work.PartnerRefused
	default:
		e.Code = work.DocumentRefused
		if status == http.StatusConflict {
			e.Cause = ErrExists
		}
	}
	return e
}

// problem is what both error shapes tell: problem+json, and the legacy one
// {"status":"error","message":…,"error":word}.
type problem struct {
	Title string      `json:"title"`
	Code  json.Number `json:"code"`
	Param string      `json:"param"`
	Error string      `json:"error"`
}

var (
	paramPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.\[\]-]{0,59}$`)
	wordPattern  = regexp.MustCompile(`^[a-z_]{1,40}$`)
	// A title is short fixed text; one with digits or an @ might carry an
	// amount or an address and is left out.
	titlePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z ,.'-]{0,79}$`)
)

// readProblem never fails: an unreadable error body tells nothing. Each field
// is read on its own, since one of a wrong type must not hide the others.
func readProblem(body []byte) problem {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return problem{}
	}
	var p problem
	_ = json.Unmarshal(fields["title"], &p.Title)
	_ = json.Unmarshal(fields["param"], &p.Param)
	_ = json.Unmarshal(fields["error"], &p.Error)
	if n, err := strconv.Atoi(string(fields["code"])); err == nil {
		p.Code = json.Number(strconv.Itoa(n))
	}
	return p
}

// detail keeps what is fixed text by 7shifts' description, never the free text
// of detail or message.
func (p problem) detail() string {
	var parts []string
	if titlePattern.MatchString(p.Title) {
		parts = append(parts, p.Title)
	}
	if wordPattern.MatchString(p.Error) {
		parts = append(parts, p.Error)
	}
	if p.Code != "" {
		parts = append(parts, "code "+p.Code.String())
	}
	if paramPattern.MatchString(p.Param) {
		parts = append(parts, "field "+p.Param)
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

// ofConnection tells whether the refusal concerns the company or location, and
// so every document of the connection.
func (p problem) ofConnection() bool { return p.Param == "location_id" || p.Param == "company_id" }

// ofRequest tells whether the refusal concerns how we ask, and so every
// request.
func (p problem) ofRequest() bool {
	param := strings.ToLower(p.Param)
	return param == "x-api-version" || param == "x-company-guid" || p.Error == "missing_header"
}
