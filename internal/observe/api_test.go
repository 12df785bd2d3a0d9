package observe

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// answering answers with what the path's last segment asks for.
func answering(t *testing.T) (server *httptest.Server, systems map[string]string) {
	t.Helper()
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Traceparent") != "" {
			w.WriteHeader(http.StatusTeapot) // nothing of ours may reach a partner
			return
		}
		if strings.HasSuffix(r.URL.Path, "receipts") && r.Method == http.MethodPost {
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	return server, map[string]string{u.Host: "7shifts"}
}

func TestRequestsAreMeasuredWithoutTheirIDs(t *testing.T) {
	server, systems := answering(t)
	m := newMetrics(t)
	through := &http.Client{Transport: m.Transport(http.DefaultTransport, systems, nil)}
	defer through.CloseIdleConnections()
	do := func(method, path string) {
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, http.NoBody)
		require.NoError(t, err)
		answer, err := through.Do(r)
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, answer.Body)
		require.NoError(t, answer.Body.Close())
	}
	do(http.MethodPost, "/v2/company/30001/receipts")
	do(http.MethodPut, "/v2/company/30001/receipts/ext:70001:CL-40711-9f")
	do(http.MethodGet, "/v2/company/30002/receipts?cursor=canary")
	do(http.MethodGet, "/v2/whoami")
	text := scrape(t, m)
	for _, labels := range []string{
		`company="30001",endpoint="POST /v2/company/{id}/receipts",status="429",system="7shifts"`,
		`company="30001",endpoint="PUT /v2/company/{id}/receipts/{id}",status="200",system="7shifts"`,
		`company="30002",endpoint="GET /v2/company/{id}/receipts",status="200",system="7shifts"`,
		`company="",endpoint="GET /v2/whoami",status="200",system="7shifts"`,
	} {
		require.Contains(t, text, "clusterbridge_api_request_seconds_count{"+labels+"} 1\n")
	}
	require.NotContains(t, text, "9f")
	require.NotContains(t, text, "canary")
}

func TestNoAnswerIsCountedToo(t *testing.T) {
	m := newMetrics(t)
	through := m.Transport(roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("canary") }), nil, nil)
	_, err := through.RoundTrip(httptest.NewRequest(http.MethodPost, "http://till.example/orders", http.NoBody))
	require.ErrorContains(t, err, "canary")
	require.Contains(t, scrape(t, m), `clusterbridge_api_request_seconds_count{company="",endpoint="POST /orders",status="none",system="other"} 1`)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// However many companies and paths there are, the series stay few.
func TestLabelsAreBounded(t *testing.T) {
	m := newMetrics(t)
	through := m.Transport(roundTripper(func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: http.StatusOK}, nil }), nil, nil)
	for i := range 1000 {
		word := strings.Repeat("a", i/26+1) + string(rune('a'+i%26))
		_, err := through.RoundTrip(httptest.NewRequest(http.MethodGet, fmt.Sprintf("http://x/v2/company/%d/%s", i, word), http.NoBody))
		require.NoError(t, err)
	}
	text := scrape(t, m)
	require.LessOrEqual(t, strings.Count(text, "clusterbridge_api_request_seconds_count"), mostCompanies+mostEndpoints+2)
	require.Contains(t, text, `company="other",endpoint="other"`)
}

func TestNoIDSurvivesInAPath(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringMatching(`[A-Za-z0-9:_-]{0,8}[0-9A-Z:][A-Za-z0-9:_-]{0,8}`).Draw(t, "id")
		endpoint, company := shape("/v2/company/7/receipts/" + id + "x2")
		require.Equal(t, "/v2/company/{id}/receipts/{id}", endpoint)
		require.Equal(t, "7", company)
	})
}

func TestLinesOutsideOfATraceStayAsTheyAre(t *testing.T) {
	var out strings.Builder
	log := slog.New(WithTraceIDs(slog.NewJSONHandler(&out, nil))).With("a", 1).WithGroup("g")
	log.InfoContext(t.Context(), "hello", "b", 2)
	require.Contains(t, out.String(), `"a":1,"g":{"b":2}`)
	require.NotContains(t, out.String(), "trace_id")
}
