package limit

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync"
	"time"
)

const (
	// warmConnections are kept per host, so that a permit is not spent on
	// dialling: as many as requests are in flight at one partner.
	warmConnections = 16
	// warmFor is how long they are kept; servers close theirs about then.
	warmFor = 90 * time.Second
)

// Transport takes a permit for every request that leaves, retries inside
// net/http included, and sends the credential to rest on a 429: for what its
// Retry-After says, else for the gate's penalty. A nil base is a transport of
// its own that keeps connections warm. The 429 itself is returned as any
// answer; an error of Wait is returned as it is, and then nothing was sent.
func (g *Gate) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.MaxIdleConnsPerHost, own.IdleConnTimeout = warmConnections, warmFor
		base = own
	}
	return &transport{gate: g, base: base}
}

type transport struct {
	gate *Gate
	base http.RoundTripper
}

// CloseIdleConnections lets http.Client.CloseIdleConnections through.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.gate.slot == 0 {
		return t.base.RoundTrip(req)
	}
	p, err := t.gate.permit(req.Context())
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // as RoundTripper demands
		}
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	last := &departure{gate: t.gate, permit: p, cancel: cancel}
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { last.gotConn(ctx, info.Conn) }}
	resp, err := t.base.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, trace)))
	if err != nil {
		cancel(nil)
		if refused := last.refusal(); refused != nil {
			return nil, refused
		}
		return nil, err
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		t.rest(req.Context(), resp)
	}
	if resp.Body != nil {
		resp.Body = body{resp.Body, cancel}
	}
	return resp, nil
}

// rest is recorded even when the request's context ends just now; if it cannot
// be, the caller still sees the 429.
func (t *transport) rest(ctx context.Context, resp *http.Response) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer cancel()
	d := RetryAfter(resp.Header)
	if d == 0 {
		d = t.gate.penalty
	}
	if err := t.gate.Rest(ctx, d); err != nil {
		t.gate.limiter.log.ErrorContext(ctx, "a credential's rest could not be recorded", "error", err)
		return
	}
	t.gate.limiter.log.WarnContext(ctx, "a partner asks to slow down: the credential rests", "rest", d)
}

// departure watches the last moment before a request is written: net/http has
// a connection. If dialling took so long that the permit is void, or net/http
// tries again by itself, another permit is taken here.
type departure struct {
	gate   *Gate
	cancel context.CancelCauseFunc

	mu     sync.Mutex
	permit permit
	used   bool
	err    error
}

func (d *departure) gotConn(ctx context.Context, conn net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.used && d.gate.fresh(d.permit) {
		d.used = true
		return
	}
	voids := 1
	if d.used {
		voids = 0
	}
	p, err := d.gate.wait(ctx, voids)
	if err != nil {
		// Nothing may leave any more: what is not written to a closed
		// connection cannot arrive.
		d.err = err
		d.cancel(err)
		_ = conn.Close()
		return
	}
	d.permit, d.used = p, true
}

func (d *departure) refusal() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// body ends the request's context when the answer has been read.
type body struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

func (b body) Close() error {
	defer b.cancel(nil)
	return b.ReadCloser.Close()
}

// RetryAfter is how long a response asks to wait, by seconds or by date (a
// difference to the response's own Date, so that clocks do not matter); 0
// when it does not say.
func RetryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(max(n, 0), int(maxRest.Seconds()))) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	from, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return min(max(0, until.Sub(from)), maxRest)
}
