package observe

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

const (
	// mostCompanies and mostEndpoints bound the labels of one process: beyond
	// them the rest is counted together. APIs have some ten endpoints that we
	// call; a fleet of more companies than this is watched by connection.
	mostCompanies = 100
	mostEndpoints = 40
	// rest is the label of what is counted together.
	rest = "other"
	// unanswered is the status of a request without an answer.
	unanswered = "none"
)

// apiBuckets, in seconds: a receipt takes some 0.1 s, a page of orders some
// seconds, and 20 s is the usual timeout.
var apiBuckets = []float64{.025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20}

type apiMetrics struct {
	seconds   *prometheus.HistogramVec // system, company, endpoint, status
	companies *words
	endpoints *words
}

func newAPIMetrics() *apiMetrics {
	return &apiMetrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: "api", Name: "request_seconds", Buckets: apiBuckets,
			Help: "How long outside systems took to answer, without the wait for a permit. company is the partner's company, status that of HTTP or none.",
		}, []string{"system", "company", "endpoint", "status"}),
		companies: newWords(mostCompanies), endpoints: newWords(mostEndpoints),
	}
}

// Transport measures the requests that pass through it, and gives each a span
// below the caller's; tracer may be nil. systems names outside systems by host,
// as in a URL. Nothing is added to a request.
func (m *Metrics) Transport(base http.RoundTripper, systems map[string]string, tracer trace.Tracer) http.RoundTripper {
	return &transport{base: base, systems: systems, tracer: tracer, api: m.api}
}

type transport struct {
	base    http.RoundTripper
	systems map[string]string
	tracer  trace.Tracer
	api     *apiMetrics
}

// CloseIdleConnections lets http.Client.CloseIdleConnections through.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	system, known := t.systems[r.URL.Host]
	if !known {
		system = rest
	}
	path, company := shape(r.URL.Path)
	endpoint := t.api.endpoints.keep(r.Method + " " + path)
	company = t.api.companies.keep(company)
	r, span := t.begin(r, system, company, endpoint)
	began := time.Now() //nolint:forbidigo // a real duration is measured
	answer, err := t.base.RoundTrip(r)
	took := time.Since(began) //nolint:forbidigo // a real duration is measured
	status := unanswered
	if err == nil {
		status = strconv.Itoa(answer.StatusCode)
	}
	t.api.seconds.WithLabelValues(system, company, endpoint, status).Observe(took.Seconds())
	finish(span, answer, err)
	return answer, err
}

// begin opens the request's span. Its attributes are those that cannot hold an
// id of a receipt or a person: never the whole URL.
func (t *transport) begin(r *http.Request, system, company, endpoint string) (*http.Request, trace.Span) {
	if t.tracer == nil {
		return r, nil
	}
	ctx, span := t.tracer.Start(r.Context(), system+" "+endpoint, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("http.request.method", r.Method),
		attribute.String("server.address", r.URL.Host),
		attribute.String("clusterbridge.system", system),
		attribute.String("clusterbridge.endpoint", endpoint),
		attribute.String("clusterbridge.company", company),
	))
	return r.WithContext(ctx), span
}

// finish ends a span; what an error says stays in the log.
func finish(span trace.Span, answer *http.Response, err error) {
	if span == nil {
		return
	}
	switch {
	case err != nil:
		span.SetStatus(codes.Error, "no answer")
	case answer.StatusCode >= http.StatusBadRequest:
		span.SetStatus(codes.Error, "refused")
	}
	if err == nil {
		span.SetAttributes(attribute.Int("http.response.status_code", answer.StatusCode))
	}
	span.End()
}

// plain is a path segment that names something of the API, and no record.
var plain = regexp.MustCompile(`^(v[0-9]|[a-z][a-z_-]{0,39})$`)

// shape takes the ids out of a path, and finds the company in it.
func shape(path string) (endpoint, company string) {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for i, s := range segments {
		if plain.MatchString(s) {
			continue
		}
		if i > 0 && segments[i-1] == "company" {
			company = s
		}
		segments[i] = "{id}"
	}
	return "/" + strings.Join(segments, "/"), company
}

// words keeps the first few words that it meets, and calls all others the same.
type words struct {
	most  int
	mu    sync.Mutex
	known map[string]bool
}

func newWords(most int) *words { return &words{most: most, known: map[string]bool{}} }

func (w *words) keep(word string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case word == "" || w.known[word]:
		return word
	case len(w.known) >= w.most:
		return rest
	}
	w.known[word] = true
	return word
}
