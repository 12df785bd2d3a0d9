package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// maxRefusal bounds how much of a refusal's body is read.
const maxRefusal = 8 << 10

// call makes one request and reads its answer. Every error is a *work.Error
// without key, person or amount: ClusterKeyRefused (401), ClusterNotActivated
// (403), ClusterNoSerial (404), ClusterOffline (503), ClusterLimited (429, with
// the rest it asks for), ClusterUnreachable (network, timeout, other 5xx),
// ClusterMalformed (no JSON of this form, or too much of it) and ClusterRefused
// (any other answer).
func (c *Client) call(ctx context.Context, cred Credential, path string, request, answer any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return work.Errf(work.Internal, err, "%s: the request cannot be written", path)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.cfg.BaseURL+path, bytes.NewReader(body))
	if err != nil {
		return work.Errf(work.ClusterRefused, err, "%s: Cluster's base URL is no URL", path)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set(wire.HeaderKey, cred.Key)
	res, err := c.http.Do(req)
	if err != nil {
		return work.Errf(work.ClusterUnreachable, err, "%s: no answer", path)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return refused(path, res)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, c.cfg.MaxBody+1))
	if err != nil {
		return work.Errf(work.ClusterUnreachable, err, "%s: the answer broke off", path)
	}
	if int64(len(data)) > c.cfg.MaxBody {
		return work.Err(work.ClusterMalformed, fmt.Sprintf("%s: the answer is larger than %d bytes", path, c.cfg.MaxBody))
	}
	return decodeAnswer(path, data, answer)
}

// decodeAnswer reads the JSON of a whole answer.
func decodeAnswer(path string, data []byte, answer any) error {
	err := json.Unmarshal(data, answer)
	if err == nil {
		return nil
	}
	why := "it is no JSON"
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		why = "field " + strconv.Quote(t.Field) + " has the wrong form"
	}
	return work.Errf(work.ClusterMalformed, err, "%s: %d bytes, %s", path, len(data), why)
}

// refusal is the cause of an answer that is no 200: it keeps the relay's code
// for decisions, and its words for logs on this machine.
type refusal struct {
	status        int
	code, message string
}

func (r *refusal) Error() string { return fmt.Sprintf("HTTP %d %s: %s", r.status, r.code, r.message) }

// codes maps the statuses that mean something of their own (assumed: reference,
// Cluster section 3).
var codes = map[int]work.Code{
	http.StatusUnauthorized:       work.ClusterKeyRefused,
	http.StatusForbidden:          work.ClusterNotActivated,
	http.StatusNotFound:           work.ClusterNoSerial,
	http.StatusTooManyRequests:    work.ClusterLimited,
	http.StatusServiceUnavailable: work.ClusterOffline,
	http.StatusRequestTimeout:     work.ClusterUnreachable,
}

func refused(path string, res *http.Response) error {
	cause := &refusal{status: res.StatusCode}
	var body wire.Refusal
	if data, err := io.ReadAll(io.LimitReader(res.Body, maxRefusal)); err == nil && json.Unmarshal(data, &body) == nil {
		cause.code, cause.message = body.Error, body.Message
	}
	code, known := codes[res.StatusCode]
	switch {
	case known && cause.code != wire.CodeNoPath:
	case res.StatusCode >= http.StatusInternalServerError:
		code = work.ClusterUnreachable
	default:
		code = work.ClusterRefused
	}
	err := work.Errf(code, cause, "%s: HTTP %d", path, res.StatusCode)
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
