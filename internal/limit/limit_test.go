package limit

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/clustersystems/clusterbridge/internal/ledger/migrations"
	"github.com/clustersystems/clusterbridge/internal/postgres"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestMain(m *testing.M) { postgres.Main(m) }

const partnersLimit = 10 // requests in any one second; reference: 7shifts, limits

func ledgerURL(t *testing.T) string {
	t.Helper()
	url := postgres.ForTest(t)
	db := connect(t, url)
	provider, err := goose.NewProvider(goose.DialectPostgres, db.DB, migrations.Files)
	require.NoError(t, err)
	_, err = provider.Up(t.Context())
	require.NoError(t, err)
	return url
}

func connect(t *testing.T, url string) *sqlx.DB {
	t.Helper()
	db, err := sqlx.Open("postgres", url+"&binary_parameters=yes")
	require.NoError(t, err)
	db.SetMaxIdleConns(16)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func limiter(t *testing.T, url string) *Limiter {
	t.Helper()
	return New(connect(t, url), slog.New(slog.DiscardHandler))
}

// partner notes when requests arrive and answers what it is told.
type partner struct {
	*httptest.Server
	mu     sync.Mutex
	came   []time.Time
	answer http.HandlerFunc
}

func newPartner(t *testing.T, answer http.HandlerFunc) *partner {
	t.Helper()
	p := &partner{answer: answer}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.came = append(p.came, time.Now())
		p.mu.Unlock()
		if p.answer != nil {
			p.answer(w, r)
		}
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *partner) arrivals() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]time.Time(nil), p.came...)
}

func clientOf(t *testing.T, g *Gate, base http.RoundTripper) *http.Client {
	t.Helper()
	c := &http.Client{Transport: g.Transport(base)}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func get(ctx context.Context, c *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func limited(t *testing.T, err error) *work.Error {
	t.Helper()
	e, ok := errors.AsType[*work.Error](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, work.PartnerLimited, e.Code)
	require.Positive(t, e.Rest)
	return e
}

// Two workers with many requests each never come near the partner's limit, and
// yet use what is allowed.
func TestAFloodKeepsTheLimitAndUsesIt(t *testing.T) {
	flood := 20 * time.Second
	if testing.Short() {
		flood = 3 * time.Second
	}
	const perSecond = 9
	url := ledgerURL(t)
	p := newPartner(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), flood)
	defer cancel()
	var group errgroup.Group
	for range 2 {
		c := clientOf(t, limiter(t, url).Gate("flooded", perSecond, time.Minute), nil)
		for range 6 {
			group.Go(func() error {
				for {
					err := get(ctx, c, p.URL)
					if ctx.Err() != nil {
						return nil
					}
					if err != nil {
						return err
					}
				}
			})
		}
	}
	require.NoError(t, group.Wait())
	came := p.arrivals()
	for i := range came {
		j := i
		for j < len(came) && came[j].Sub(came[i]) < time.Second {
			j++
		}
		require.LessOrEqual(t, j-i, partnersLimit, "requests in the second from %s on", came[i].Sub(came[0]))
	}
	require.GreaterOrEqual(t, float64(len(came)), 0.95*perSecond*flood.Seconds())
	var voided int
	require.NoError(t, connect(t, url).Get(&voided, "SELECT voided FROM permits"))
	t.Logf("%d requests in %s, %d permits void", len(came), flood, voided)
}

func TestARefusalForSpeedRestsTheCredentialForAll(t *testing.T) {
	url := ledgerURL(t)
	p := newPartner(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	one := limiter(t, url).Gate("shared", 100, time.Minute)
	two := limiter(t, url).Gate("shared", 100, time.Minute)
	resp, err := clientOf(t, one, nil).Get(p.URL)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusTooManyRequests, resp.StatusCode, "the caller sees it")
	for _, g := range []*Gate{one, two} {
		e := limited(t, get(t.Context(), clientOf(t, g, nil), p.URL))
		require.InDelta(t, 30, e.Rest.Seconds(), 15)
	}
	require.Len(t, p.arrivals(), 1)
	require.NoError(t, limiter(t, url).Gate("another", 100, time.Minute).Wait(t.Context()), "other credentials go on")

	require.NoError(t, two.Rest(t.Context(), time.Second))
	require.Greater(t, limited(t, one.Wait(t.Context())).Rest, 10*time.Second, "a shorter rest ends no longer one")
}

func TestWithoutRetryAfterThePenaltyCounts(t *testing.T) {
	url := ledgerURL(t)
	p := newPartner(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
	g := limiter(t, url).Gate("c", 100, time.Minute)
	require.NoError(t, get(t.Context(), clientOf(t, g, nil), p.URL))
	require.InDelta(t, 60, limited(t, g.Wait(t.Context())).Rest.Seconds(), 15)
}

// A long waiter already has its slot when the credential is sent to rest; it
// must not use it.
func TestWhoWaitsIsSentToRestToo(t *testing.T) {
	url := ledgerURL(t)
	g := limiter(t, url).Gate("c", 1, time.Minute)
	require.NoError(t, g.Wait(t.Context()))
	waited := make(chan error, 1)
	go func() { waited <- g.Wait(t.Context()) }()
	db := connect(t, url)
	require.Eventually(t, func() bool {
		var granted int
		require.NoError(t, db.Get(&granted, "SELECT granted FROM permits"))
		return granted == 2
	}, 5*time.Second, 5*time.Millisecond)
	require.NoError(t, limiter(t, url).Gate("c", 1, time.Minute).Rest(t.Context(), time.Minute))
	_ = limited(t, <-waited)
}

func TestWhoWouldWaitLongReturns(t *testing.T) {
	url := ledgerURL(t)
	g := limiter(t, url).Gate("c", 0.1, time.Minute) // a slot every 10 s
	require.NoError(t, g.Wait(t.Context()))
	began := time.Now()
	e := limited(t, g.Wait(t.Context()))
	require.Less(t, time.Since(began), MaxWait)
	require.LessOrEqual(t, e.Rest, 10*time.Second)
	var granted int
	require.NoError(t, connect(t, url).Get(&granted, "SELECT granted FROM permits"))
	require.Equal(t, 1, granted, "it took no slot")
}

func TestUnlimited(t *testing.T) {
	g := New(nil, slog.New(slog.DiscardHandler)).Gate("c", 0, time.Minute)
	require.NoError(t, g.Wait(t.Context()))
	p := newPartner(t, nil)
	require.NoError(t, get(t.Context(), clientOf(t, g, nil), p.URL))
}

// The machine's clock and PostgreSQL's may differ by any amount.
func TestClocksMayDiffer(t *testing.T) {
	url := ledgerURL(t)
	connect(t, url).MustExec(`CREATE SCHEMA skewed;
		CREATE FUNCTION skewed.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
		AS $$ SELECT pg_catalog.clock_timestamp() - interval '1 hour' $$`)
	g := limiter(t, url+"&search_path=skewed,pg_catalog,public").Gate("c", 5, time.Minute)
	require.NoError(t, g.Wait(t.Context()))
	began := time.Now()
	require.NoError(t, g.Wait(t.Context()))
	require.NoError(t, g.Wait(t.Context()))
	require.Greater(t, time.Since(began), 250*time.Millisecond)
	require.Less(t, time.Since(began), 3*time.Second)
	require.NoError(t, g.Rest(t.Context(), time.Minute))
	require.LessOrEqual(t, limited(t, g.Wait(t.Context())).Rest, time.Minute)
	var behind bool
	require.NoError(t, connect(t, url).Get(&behind, "SELECT next_slot < now() - interval '50 minutes' FROM permits"))
	require.True(t, behind, "the slots are on the other clock")
}

// slowDialer takes longer to connect than a permit is good for.
type slowDialer struct{ dials atomic.Int64 }

func (s *slowDialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	s.dials.Add(1)
	timer := time.NewTimer(400 * time.Millisecond)
	defer timer.Stop()
	<-timer.C
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

func TestAPermitThatWaitedForAConnectionIsVoid(t *testing.T) {
	url := ledgerURL(t)
	p := newPartner(t, nil)
	slow := &slowDialer{}
	c := clientOf(t, limiter(t, url).Gate("c", 5, time.Minute), &http.Transport{DialContext: slow.dial})
	require.NoError(t, get(t.Context(), c, p.URL))
	require.NoError(t, get(t.Context(), c, p.URL))
	require.EqualValues(t, 1, slow.dials.Load(), "the connection is kept warm")
	var granted, voided int
	require.NoError(t, connect(t, url).QueryRow("SELECT granted, voided FROM permits").Scan(&granted, &voided))
	require.GreaterOrEqual(t, voided, 1)
	require.Equal(t, 2, granted-voided, "one good permit for each request")
}

// When no other permit is to be had for a void one, the request must not leave.
func TestARequestWithoutAPermitNeverLeaves(t *testing.T) {
	url := ledgerURL(t)
	p := newPartner(t, nil)
	g := limiter(t, url).Gate("c", 5, time.Minute)
	base := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(slowDialer).dial(ctx, network, address)
		return conn, errors.Join(err, g.Rest(ctx, time.Minute))
	}}
	c := clientOf(t, g, base)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL, strings.NewReader("{}"))
	require.NoError(t, err)
	_, err = c.Do(req)
	_ = limited(t, err)
	require.Empty(t, p.arrivals())
}

// net/http sends a request again by itself when a kept connection turns out to
// be closed; that needs a permit too.
func TestARetryInsideNetHTTPTakesAPermit(t *testing.T) {
	url := ledgerURL(t)
	var n atomic.Int64
	p := newPartner(t, func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 2 {
			panic(http.ErrAbortHandler)
		}
	})
	c := clientOf(t, limiter(t, url).Gate("c", 20, time.Minute), nil)
	require.NoError(t, get(t.Context(), c, p.URL))
	require.NoError(t, get(t.Context(), c, p.URL))
	require.Len(t, p.arrivals(), 3)
	var good int
	require.NoError(t, connect(t, url).Get(&good, "SELECT granted - voided FROM permits"))
	require.Equal(t, 3, good)
}

func TestCancelledAndUnreachable(t *testing.T) {
	url := ledgerURL(t)
	g := limiter(t, url).Gate("c", 1, time.Minute)
	require.NoError(t, g.Wait(t.Context()))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, g.Wait(ctx), context.DeadlineExceeded)

	broken := limiter(t, url)
	require.NoError(t, broken.db.Close())
	e, ok := errors.AsType[*work.Error](broken.Gate("c", 9, time.Minute).Wait(t.Context()))
	require.True(t, ok)
	require.Equal(t, work.LedgerUnavailable, e.Code)
}

func TestRetryAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"":                              0,
		"7":                             7 * time.Second,
		"-3":                            0,
		"soon":                          0,
		"9999999999999":                 maxRest,
		"999999":                        maxRest,
		"Sun, 01 Nov 2026 10:00:30 GMT": 30 * time.Second,
		"Sun, 01 Nov 2026 09:00:00 GMT": 0,
	} {
		require.Equal(t, want, RetryAfter(http.Header{"Retry-After": {text}, "Date": {"Sun, 01 Nov 2026 10:00:00 GMT"}}), text)
	}
}
