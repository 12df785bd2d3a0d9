package partner

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// Answer is the answer to a request, read whole.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Good tells whether it is a 2xx.
func (a Answer) Good() bool { return a.Status >= 200 && a.Status <= 299 }

// Exchange makes one request and reads its whole answer, up to most bytes and
// one more. An error is a *work.Error: PartnerUnreachable, or what the
// transport itself says (the credential's limit). write says that the request
// has an effect: a lost answer is then Ambiguous if the request left.
func Exchange(c *http.Client, req *http.Request, most int64, write bool) (Answer, error) {
	var left atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { left.Store(true) }}
	res, err := c.Do(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if err != nil {
		return Answer{}, unanswered(err, write && left.Load())
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	answer := Answer{res.StatusCode, res.Header, body}
	if err != nil && answer.Good() {
		return answer, unanswered(err, write)
	}
	return answer, nil // what a refusal says further is not needed
}

// StayHere is for http.Client.CheckRedirect: a redirect is not followed, so
// that a credential never travels to another host.
func StayHere(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// unanswered is the error of a request without a whole answer. A refusal by
// the transport itself passes unchanged.
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
