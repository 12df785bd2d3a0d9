package wisk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/limit"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk/wire"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// maxAnswer bounds what is read of an answer: one that names 500 lines is
	// some 50 KB.
	maxAnswer = 1 << 20
	// defaultTimeout holds when the setting is left zero.
	defaultTimeout = 20 * time.Second
)

// client makes single upload requests for one venue. Its errors are *work.Error
// and hold neither identifiers, nor amounts, nor names of items.
type client struct {
	base    string
	timeout time.Duration
	http    *http.Client
	// authorize adds the venue's identifier, which is all that lets in. It
	// lives only in this closure, so that no way of printing shows it.
	authorize func(http.Header)
}

func newClient(cfg Config, venue string, transport http.RoundTripper) *client {
	if transport == nil {
		transport = http.DefaultTransport
	}
	timeout := cfg.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	return &client{
		base: strings.TrimRight(cfg.BaseURL, "/"), timeout: timeout,
		http:      &http.Client{Transport: transport, CheckRedirect: partner.StayHere},
		authorize: func(h http.Header) { h.Set(cfg.VenueHeader, venue) },
	}
}

// String names the client without its identifier.
func (c *client) String() string { return "WISK client of " + c.base }

// GoString is String.
func (c *client) GoString() string { return c.String() }

// LogValue is String.
func (c *client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// refusedLines is in the chain of an error that is about lines: WISK answered
// 400, and named them where it does.
type refusedLines struct {
	// duplicate says that ids came before, and nothing else is wrong.
	duplicate bool
	lines     map[string]string // what is wrong with each line that is named, by id
}

func (r *refusedLines) Error() string { return fmt.Sprintf("%d lines are named", len(r.lines)) }

// upload makes one request. An error with refusedLines in its chain is about
// lines; one that is Ambiguous may have had its effect.
func (c *client) upload(ctx context.Context, lines []partner.Line) error {
	body, err := encode(lines)
	if err != nil {
		return work.Errf(work.Internal, err, "lines could not be written as JSON")
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+wire.PathUpload, bytes.NewReader(body))
	if err != nil {
		return work.Errf(work.Internal, err, "a request to WISK could not be made")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "clusterbridge")
	c.authorize(req.Header)
	answer, err := partner.Exchange(c.http, req, maxAnswer, true)
	switch {
	case answer.Good():
		return nil // no reply's body is described: a 2xx says it all (reference: WISK 2)
	case err != nil:
		return err
	}
	return refusal(answer)
}

// encode writes lines as they travel. Here, and only here, cents become
// decimals.
func encode(lines []partner.Line) ([]byte, error) {
	out := make([]wire.Line, len(lines))
	for i, l := range lines {
		out[i] = wire.Line{
			ID: l.ID, Date: wire.Date(l.Date), PLU: l.Item, Title: l.Title,
			Quantity: wire.Decimal(l.Quantity), Total: decimalOf(l.Total),
		}
	}
	return json.Marshal(out)
}

func decimalOf(c sale.Cents) wire.Decimal { return wire.Decimal(c.String()) }

// refusal is the error of an answer other than 2xx (reference: WISK 2; all but
// 400 and 401 are assumed).
func refusal(a partner.Answer) error {
	e := &work.Error{Detail: fmt.Sprintf("HTTP %d", a.Status)}
	switch status := a.Status; {
	case status == http.StatusUnauthorized:
		e.Code = work.PartnerToken
	case status == http.StatusPaymentRequired, status == http.StatusForbidden:
		e.Code = work.PartnerPlan
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status == http.StatusUnsupportedMediaType:
		e.Code = work.PartnerRefused
	case status == http.StatusTooManyRequests:
		e.Code, e.Rest = work.PartnerLimited, limit.RetryAfter(a.Header)
	case status >= 500, status == http.StatusRequestTimeout:
		e.Code, e.Ambiguous = work.PartnerUnreachable, true
	case status < 400:
		e.Code, e.Ambiguous = work.PartnerMalformed, true
	default:
		e.Code, e.Cause = work.DocumentRefused, readRefusal(a.Body)
	}
	return e
}

// readRefusal never fails: an unreadable body names nothing.
func readRefusal(body []byte) *refusedLines {
	var told wire.Refusal
	_ = json.Unmarshal(body, &told)
	r := &refusedLines{duplicate: told.Error == wire.CodeDuplicate, lines: make(map[string]string, len(told.Lines))}
	for _, l := range told.Lines {
		r.lines[l.ID] = l.Error
	}
	return r
}

// Probe implements partner.IdentifierTaker by an upload of no lines: 400 says
// that the venue was good and the lines were missing (assumed, as 401 is told
// for a missing or invalid venue; reference: WISK 2).
func (p *Partner) Probe(ctx context.Context, identifier string, transport http.RoundTripper) error {
	err := newClient(p.cfg, identifier, transport).upload(ctx, []partner.Line{})
	if problem, ok := errors.AsType[*work.Error](err); ok && problem.Code == work.DocumentRefused {
		return nil
	}
	return err
}
