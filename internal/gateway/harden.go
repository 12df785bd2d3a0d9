package gateway

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// strictHeaders stand on every answer: no script, frame, form or cache has a use
// for one. A page sets a Content-Security-Policy of its own, which lets it have
// its style and send its forms to us.
var strictHeaders = map[string]string{
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"Referrer-Policy":              "no-referrer",
	"Content-Security-Policy":      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=()",
	"Cache-Control":                "no-store",
}

// harden is around every route: strict headers, a request id, a line in the
// log, counters, and no panic that gets out.
func (g *Gateway) harden(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now() //nolint:forbidigo // how long answering takes is a real duration
		id := rand.Text()
		for name, value := range strictHeaders {
			w.Header().Set(name, value)
		}
		w.Header().Set("X-Request-Id", id)
		told := &teller{ResponseWriter: w}
		defer func() {
			g.recovered(r, told, id, recover())
			took := time.Since(began) //nolint:forbidigo // a real duration
			g.note(r, told, id, took)
		}()
		next.ServeHTTP(told, r)
	})
}

// recovered answers for a handler that panicked. The value of a panic may hold
// anything, so that only its type and place are logged.
func (g *Gateway) recovered(r *http.Request, told *teller, id string, value any) {
	if value == nil {
		return
	}
	g.o.Log.ErrorContext(r.Context(), "a request met a state that the gateway does not know",
		"request", id, "route", route(r), "type", fmt.Sprintf("%T", value), "at", panicPlace())
	switch {
	case told.status != 0: // too late
	case g.o.Pages != nil && g.o.Pages.Serves(r):
		g.o.Pages.Failed(told, r)
	default:
		answer(told, http.StatusInternalServerError, "failed")
	}
}

// note writes the access log's line and counts. The path is told as the route's
// pattern: it may hold a token.
func (g *Gateway) note(r *http.Request, told *teller, id string, took time.Duration) {
	status := told.status
	if status == 0 {
		status = http.StatusOK
	}
	at := route(r)
	g.counted.requests.WithLabelValues(at, strconv.Itoa(status)).Inc()
	g.counted.seconds.WithLabelValues(at).Observe(took.Seconds())
	g.o.Log.LogAttrs(context.WithoutCancel(r.Context()), levelOf(at, status), "request",
		slog.String("request", id), slog.String("route", at), slog.Int("status", status),
		slog.Duration("took", took), slog.Int64("sent", told.sent), slog.String("remote", g.remoteOf(r).String()))
}

// levelOf keeps probes, and floods that were turned away, out of the log.
func levelOf(at string, status int) slog.Level {
	if strings.Contains(at, "/health/") && status < http.StatusBadRequest || strings.HasSuffix(at, pathMetrics) ||
		status == http.StatusTooManyRequests || at == unmatched {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// unmatched is the route of what matches none.
const unmatched = "none"

// route is the pattern that served a request, known once it was served.
func route(r *http.Request) string {
	if r.Pattern == "" {
		return unmatched
	}
	return r.Pattern
}

// panicPlace is where in our code a panic began.
func panicPlace() string {
	pcs := make([]uintptr, 32) // deep enough to leave the runtime and net/http
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		if strings.Contains(f.Function, "clusterbridge/") && !strings.Contains(f.Function, "(*Gateway).harden") {
			return fmt.Sprintf("%s:%d", f.Function, f.Line)
		}
		if !more {
			return "unknown"
		}
	}
}

// teller notes what was answered.
type teller struct {
	http.ResponseWriter
	status int
	sent   int64
}

// WriteHeader implements http.ResponseWriter.
func (t *teller) WriteHeader(status int) {
	if t.status == 0 {
		t.status = status
	}
	t.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (t *teller) Write(b []byte) (int, error) {
	if t.status == 0 {
		t.status = http.StatusOK
	}
	n, err := t.ResponseWriter.Write(b)
	t.sent += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the server.
func (t *teller) Unwrap() http.ResponseWriter { return t.ResponseWriter }
