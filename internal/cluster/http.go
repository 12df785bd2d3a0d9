package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// maxRefusal bounds how much of a refusal's body is read.
const maxRefusal = 8 << 10

// caller makes requests with one kind of credential: tills' keys, or our own
// for the back office.
type caller struct {
	base    string
	header  string // that carries the credential
	codes   map[int]work.Code
	maxBody int64
	http    *http.Client
}

// newCaller takes the defaults where timeout or maxBody are zero, and a
// transport of its own where it is nil.
func newCaller(base string, timeout time.Duration, maxBody int64, transport http.RoundTripper) caller {
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	if maxBody <= 0 {
		maxBody = DefaultMaxBody
	}
	if transport == nil {
		transport = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second}
	}
	return caller{
		base: strings.TrimRight(base, "/"), maxBody: maxBody,
		http: &http.Client{
			Transport: transport, Timeout: timeout,
			// The key must not travel to wherever a redirect points.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// exchange is one request and where its answer goes.
type exchange struct {
	path            string
	key             string
	request, answer any
	write           bool // has an effect, so that a lost answer is ambiguous
}

// do makes one request and reads its answer. Every error is a *work.Error
// without key, person or amount: what codes says of the status, ClusterLimited
// (429, with the rest it asks for), ClusterUnreachable (network, timeout, other
// 5xx), ClusterMalformed (no JSON of this form, or too much of it) and
// ClusterRefused (any other answer). A write's error is Ambiguous when the
// request left and no answer says that it had no effect.
func (c caller) do(ctx context.Context, in exchange) error {
	body, err := json.Marshal(in.request)
	if err != nil {
		return work.Errf(work.Internal, err, "%s: the request cannot be written", in.path)
	}
	var left atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { left.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+in.path, bytes.NewReader(body))
	if err != nil {
		return work.Errf(work.ClusterRefused, err, "%s: Cluster's base URL is no URL", in.path)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set(c.header, in.key)
	res, err := c.http.Do(req)
	if err != nil {
		return in.lost(work.ClusterUnreachable, err, "no answer", left.Load())
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return c.refused(in, res)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, c.maxBody+1))
	if err != nil {
		return in.lost(work.ClusterUnreachable, err, "the answer broke off", true)
	}
	if int64(len(data)) > c.maxBody {
		return in.lost(work.ClusterMalformed, nil, fmt.Sprintf("the answer is larger than %d bytes", c.maxBody), true)
	}
	return in.decode(data)
}

// lost is the error of a request of which no sensible answer came, though it
// left perhaps.
func (in exchange) lost(code work.Code, cause error, why string, left bool) *work.Error {
	return &work.Error{Code: code, Detail: in.path + ": " + why, Cause: cause, Ambiguous: in.write && left}
}

// malformed is the error of an answer that is whole but makes no sense.
func (in exchange) malformed(why string) *work.Error {
	return in.lost(work.ClusterMalformed, nil, why, true)
}

// decode reads the JSON of a whole answer.
func (in exchange) decode(data []byte) error {
	err := json.Unmarshal(data, in.answer)
	if err == nil {
		return nil
	}
	why := "it is no JSON"
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		why = "field " + strconv.Quote(t.Field) + " has the wrong form"
	}
	return in.lost(work.ClusterMalformed, err, fmt.Sprintf("%d bytes, %s", len(data), why), true)
}

// refusal is the cause of an answer that is no 200: it keeps the relay's code
// for decisions, and its words for logs on this machine.
type refusal struct {
	status        int
	code, message string
}

func (r *refusal) Error() string { return fmt.Sprintf("HTTP %d %s: %s", r.status, r.code, r.message) }

// tillCodes are the statuses by which the tills' API means something of their
// own (assumed: reference, Cluster section 3).
var tillCodes = map[int]work.Code{
	http.StatusUnauthorized:       work.ClusterKeyRefused,
	http.StatusForbidden:          work.ClusterNotActivated,
	http.StatusNotFound:           work.ClusterNoSerial,
	http.StatusTooManyRequests:    work.ClusterLimited,
	http.StatusServiceUnavailable: work.ClusterOffline,
	http.StatusRequestTimeout:     work.ClusterUnreachable,
}

// refused is the error of an answer that is no 200. It says that there was no
// effect, except where the relay itself failed or answered something that it
// should not.
func (c caller) refused(in exchange, res *http.Response) error {
	cause := &refusal{status: res.StatusCode}
	var body wire.Refusal
	if data, err := io.ReadAll(io.LimitReader(res.Body, maxRefusal)); err == nil && json.Unmarshal(data, &body) == nil {
		cause.code, cause.message = body.Error, body.Message
	}
	code, known := c.codes[res.StatusCode]
	switch {
	case known && cause.code != wire.CodeNoPath:
	case res.StatusCode >= http.StatusInternalServerError:
		code = work.ClusterUnreachable
	default:
		code = work.ClusterRefused
	}
	err := work.Errf(code, cause, "%s: HTTP %d", in.path, res.StatusCode)
	err.Ambiguous = in.write && (code == work.ClusterUnreachable || res.StatusCode < http.StatusBadRequest)
	if code == work.ClusterLimited {
		err.Rest = retryAfter(res.Header.Get("Retry-After"))
	}
	return err
}

// retryAfter reads the header's seconds; 0 when it states none.
func retryAfter(header string) time.Duration {
	seconds, err := strconv.Atoi(header)
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxRest)
}

// maxRest bounds the rest that an answer can impose.
const maxRest = time.Hour
