package sevenshifts

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

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

// maxRest bounds a stated Retry-After: a longer one is looked at again after
// this, so that a mistaken header cannot silence a credential for days.
const maxRest = time.Hour

// unanswered is the error of a request without a whole answer. A refusal by
// the transport itself (the credential's limit) passes unchanged.
func unanswered(err error, ambiguous bool) error {
	if own, ok := errors.AsType[*work.Error](err); ok {
		return own
	}
	detail := "the connection failed"
	if timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); ok && timeout.Timeout() {
		detail = "no answer in time"
	}
	return &work.Error{Code: work.PartnerUnreachable, Detail: detail, Ambiguous: ambiguous, Cause: err}
}

// unreadable is the error of a 2xx answer that makes no sense: whether the
// effect took place is unknown.
func unreadable(err error, ambiguous bool) *work.Error {
	return &work.Error{Code: work.PartnerMalformed, Ambiguous: ambiguous, Cause: err}
}

// refusal is the error of an answer other than 2xx (reference: 7shifts 2,
// errors).
func refusal(res *http.Response, body []byte, write bool) *work.Error {
	p := readProblem(body)
	e := &work.Error{Detail: fmt.Sprintf("HTTP %d%s", res.StatusCode, p.detail())}
	switch status := res.StatusCode; {
	case status == http.StatusUnauthorized:
		e.Code = work.PartnerToken
	case status == http.StatusForbidden:
		e.Code, e.Cause = work.PartnerPlan, ErrForbidden
	case status == http.StatusPaymentRequired:
		e.Code = work.PartnerPlan
	case status == http.StatusNotFound:
		e.Code, e.Cause = work.PartnerNotFound, ErrNotFound
	case status == http.StatusTooManyRequests:
		e.Code, e.Rest = work.PartnerLimited, retryAfter(res.Header)
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

// retryAfter reads the header in seconds or as a date relative to the answer's
// own date; 0 when it is missing or senseless. 7shifts documents none, so it
// is honoured where present (reference: 7shifts 2, assumed).
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil {
		return min(max(0, time.Duration(seconds)*time.Second), maxRest)
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return min(max(0, until.Sub(now)), maxRest)
}
