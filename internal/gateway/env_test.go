package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/postgres"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestMain(m *testing.M) { postgres.Main(m) }

const (
	marcel  = "7shifts:chez-marcel"
	serial  = "A1"
	secret  = "a secret of the tests, long enough"
	older   = "the secret before, just as long as"
	token   = "a token of the tests, long enough."
	ui      = "http://127.0.0.1:8233"
	forLong = time.Hour
)

var (
	lea      = ledger.Actor{Handle: "lea", Reason: "venue_asked"}
	november = time.Date(2026, 11, 3, 15, 0, 0, 0, time.UTC)
)

// triggers notes which syncs were started.
type triggers struct {
	mu      sync.Mutex
	started []string
	came    chan string
}

func (r *triggers) Trigger(_ context.Context, connection string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.started = append(r.started, connection)
	r.came <- connection
	return nil
}

// wait is the next sync started.
func (r *triggers) wait(t *testing.T) string {
	t.Helper()
	select {
	case c := <-r.came:
		return c
	case <-time.After(10 * time.Second):
		t.Fatal("no sync was started")
		return ""
	}
}

func (r *triggers) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.started...)
}

// newLedger is a migrated ledger with one connected location.
func newLedger(t *testing.T) *ledger.Store {
	ctx, url := t.Context(), postgres.ForTest(t)
	_, _, err := ledger.Migrate(ctx, url)
	require.NoError(t, err)
	s, err := ledger.Open(ctx, url, clock.Fixed(november), quiet())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.AddLocation(ctx, ledger.Location{
		ID: "chez-marcel", TradeName: "Chez Marcel", Zone: "America/Toronto", Language: "fr", Serial: serial,
	}, lea))
	made, err := s.Connect(ctx, ledger.NewConnection{
		Partner: work.SevenShifts, LocationID: "chez-marcel", CompanyID: 7, PartnerLocationID: 70,
		Secret: "token:7", Settings: partner.Settings{ReceiptDate: sale.ByOpened}, FirstDay: partner.Rules{HistoryDays: 90}.FirstDay,
	}, lea)
	require.NoError(t, err)
	require.Equal(t, marcel, made)
	return s
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// served is a gateway over real HTTP.
type served struct {
	t             *testing.T
	g             *Gateway
	url, adminURL string
	triggers      *triggers
	logged        *lines
	stop          func()
}

// lines is a log that can be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// serve starts a gateway on a ledger; until the test ends unless it is stopped.
func serve(t *testing.T, s *ledger.Store, change func(*Options)) *served {
	v := &served{t: t, triggers: &triggers{came: make(chan string, 1000)}, logged: &lines{}}
	o := Options{
		Log:         slog.New(slog.NewJSONHandler(v.logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Clock:       clock.Fixed(november),
		HookSecrets: []string{secret, older}, Debounce: forLong,
		Ledger: s, Seen: SeenTogether(s.DB()), Trigger: v.triggers, Checks: LedgerChecks(s),
	}
	if change != nil {
		change(&o)
	}
	var err error
	v.g, err = New(o)
	require.NoError(t, err)
	public, admin := listen(t), listen(t)
	v.url, v.adminURL = "http://"+public.Addr().String(), "http://"+admin.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- v.g.Serve(ctx, public, admin) }()
	v.stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
		http.DefaultClient.CloseIdleConnections()
	})
	t.Cleanup(v.stop)
	return v
}

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

type reply struct {
	status int
	header http.Header
	body   string
}

// do sends a request of JSON; set may change it.
func (v *served) do(method, url, body string, set func(*http.Request)) reply {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	require.NoError(v.t, err)
	r.Header.Set("Content-Type", "application/json")
	if set != nil {
		set(r)
	}
	a, err := http.DefaultClient.Do(r)
	require.NoError(v.t, err)
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	require.NoError(v.t, err)
	for name, value := range strictHeaders {
		if name == "Cross-Origin-Resource-Policy" && a.Header.Get("Access-Control-Allow-Origin") != "" {
			value = "cross-origin"
		}
		require.Equal(v.t, value, a.Header.Get(name), "%s %s: %s", method, url, name)
	}
	require.NotEmpty(v.t, a.Header.Get("X-Request-Id"))
	return reply{a.StatusCode, a.Header, string(text)}
}

// hook posts "order changed", signed at an instant with a secret.
func (v *served) hook(body, with string, at time.Time) reply {
	return v.do(http.MethodPost, v.url+PathOrderChanged, body, func(r *http.Request) {
		SignRequest(r, with, at, []byte(body))
	})
}

func change(serial, order string) string {
	b, _ := json.Marshal(orderChanged{serial, order})
	return string(b)
}

func loopback() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }
