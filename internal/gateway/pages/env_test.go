package pages_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/gateway"
	"github.com/clustersystems/clusterbridge/internal/gateway/pages"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/people"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	secret  = "a secret of the tests, long enough"
	support = "support@clusterpos.com"
	apiKey  = "ck_live_canary4711_9f8e7d6c5b4a39281706f5e4d3c2b1a0"
	pasted  = "7s-canary-0f1e2d3c4b5a69788796a5b4c3d2e1f0"
)

var (
	marcel   = mail.Venue{Name: "Chez Marcel & Filles", Address: "12, rue Principale, Montréal"}
	coin     = mail.Venue{Name: "Le Coin Gourmand & Cie", Address: "3400, boulevard Saint-Laurent, Montréal"}
	november = time.Date(2026, 11, 24, 19, 30, 0, 0, time.UTC) // 14:30 in Montréal
	fee      = mail.Charge{
		Before: 150000, GST: 7500, QST: 14963, Total: 172463,
		GSTRate: 5000, QSTRate: 9975, GSTNumber: "123456789 RT0001", QSTNumber: "1234567890 TQ0001",
	}
)

// newDesk is a desk on which everything waits for an answer.
func newDesk(t testing.TB, clock *hands) *desk {
	zone, err := time.LoadLocation("America/Toronto")
	require.NoError(t, err)
	expires := clock.Now().Add(30 * 24 * time.Hour).In(zone)
	return &desk{
		clock: clock, zone: zone, goodToken: pasted, left: 3,
		confirmation: pages.Confirmation{Partner: work.Wisk, AskedBy: mail.PartnerSupport, Expires: expires, Venues: []pages.VenueToConfirm{
			{ID: "chez-marcel", Venue: marcel, Fee: fee, State: pages.Open}, {ID: "le-coin", Venue: coin, Fee: fee, State: pages.Open},
		}},
		token: pages.TokenPage{
			Venue: marcel, Expires: expires, State: pages.TokenPaste, Zone: zone,
			Till: &pages.TillClock{Offset: -5 * time.Hour, Agrees: true}, ReceiptDate: sale.ByOpened,
			Locations: []pages.TokenLocation{
				{ID: 70, Name: "Chez Marcel", City: "Montréal", Zone: "America/Toronto"},
				{ID: 71, Name: "Chez Marcel Ouest", City: "Vancouver", Zone: "America/Vancouver", Hindrances: []pages.Hindrance{pages.ZoneDiffers}},
				{ID: 72, Name: "Le Coin Gourmand", City: "Montréal", Zone: "America/Toronto", Hindrances: []pages.Hindrance{pages.OtherPOS}},
			},
		},
		contact:  pages.ContactPage{Partner: work.Wisk, Venue: marcel, Phone: "514 555-0142", Lang: words.French, Expires: expires},
		reveal:   pages.RevealPage{Venue: marcel, State: pages.RevealReady, Expires: expires},
		revealed: pages.Revealed{Venue: marcel, Serial: "A1B2C3D4", Key: vault.NewSecret(apiKey)},
		status: pages.StatusPage{
			Partner: work.SevenShifts, Venue: marcel, State: work.Healthy, LastSale: clock.Now().In(zone),
			History: &pages.History{From: sale.NewDay(2026, 8, 26), Percent: 42}, Now: clock.Now().In(zone),
		},
		people: pages.PeoplePage{
			Venue: marcel, Expires: expires,
			Users: []pages.User{
				{ID: 501, Name: "Amélie Côté", Active: true},
				{ID: 502, Name: "Jean-François Tremblay", Active: true},
				{ID: 503, Name: "Jean Tremblay", Active: false},
				{ID: 504, Name: "Sofia <Rossi>", Active: true, Taken: "Sofia R."},
			},
			People: []pages.Person{
				{EmployeeID: "e-1", Name: "JF Tremblay", Reason: string(people.Ambiguous), Proposals: []pages.Proposal{
					{UserID: 502, Why: []people.Why{people.ShortForm}}, {UserID: 503, Why: []people.Why{people.SamePhone, people.Initial}},
				}},
				{EmployeeID: "e-2", Name: "Amelie Cote", Reason: string(people.NotFound), Proposals: []pages.Proposal{{UserID: 501, Why: []people.Why{people.Accents}}}},
				{EmployeeID: "e-3", Name: "COMMANDES À EMPORTER", Reason: string(people.NotFound)},
			},
		},
	}
}

// served is a gateway with pages over real HTTP, and a browser's cookies.
type served struct {
	t      testing.TB
	desk   *desk
	clock  *hands
	signer *link.Signer
	url    string
	client *http.Client
	logged *lines
	last   string // the body of the last page
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

// serve starts a gateway; until the test ends.
func serve(t testing.TB, change func(*pages.Options, *gateway.Options)) *served {
	v := &served{t: t, clock: &hands{now: november}, logged: &lines{}}
	v.desk = newDesk(t, v.clock)
	log := slog.New(slog.NewJSONHandler(v.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	v.url = "http://" + l.Addr().String()
	v.signer, err = link.New(secret)
	require.NoError(t, err)
	po := pages.Options{Desk: v.desk, Signer: v.signer, Clock: v.clock, Log: log, PublicURL: v.url, House: "Cluster POS", Support: support}
	g := gateway.Options{
		Log: log, Ledger: nobody{}, Seen: nobody{}, Trigger: nobody{},
		Checks:         []gateway.Check{{Name: "nothing", Probe: func(context.Context) error { return nil }}},
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}
	if change != nil {
		change(&po, &g)
	}
	g.Pages, err = pages.New(po)
	require.NoError(t, err)
	made, err := gateway.New(g)
	require.NoError(t, err)
	server := &http.Server{Handler: made.Handler(), ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	v.forgetCookies()
	t.Cleanup(func() {
		v.client.CloseIdleConnections()
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-ended, http.ErrServerClosed)
		made.Close()
	})
	return v
}

// forgetCookies is as a new browser.
func (v *served) forgetCookies() {
	jar, err := cookiejar.New(nil)
	require.NoError(v.t, err)
	v.client = &http.Client{
		Jar: jar, Transport: &http.Transport{}, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// nobody is what the gateway needs beside its pages.
type nobody struct{}

func (nobody) LiveConnectionsOf(context.Context, string) ([]string, error) { return nil, nil }
func (nobody) ReadBackSoon(context.Context, string, string) (int, error)   { return 0, nil }
func (nobody) First(context.Context, []byte, time.Duration) (bool, error)  { return true, nil }
func (nobody) Forget(context.Context) error                                { return nil }
func (nobody) Trigger(context.Context, string) error                       { return nil }

// path is a page's, by a link that ends in 30 days.
func (v *served) path(p link.Purpose) string { return v.pathOf(link.Claims{Purpose: p}) }

func (v *served) pathOf(c link.Claims) string {
	if c.Subject == "" {
		c.Subject = "wisk:20261124-7f3a"
	}
	if c.Purpose == link.Reveal && c.Reader == link.Anyone {
		c.Reader = link.Venue
	}
	if c.Expires.IsZero() {
		c.Expires = november.Add(30 * 24 * time.Hour)
	}
	token, err := v.signer.Sign(c)
	require.NoError(v.t, err)
	return link.Path(c.Purpose, token)
}

type reply struct {
	status int
	header http.Header
	body   string
	text   string // what a reader sees, in one line
}

// do sends a request as a browser of today does from our own page.
func (v *served) do(method, path, body string, set func(*http.Request)) reply {
	v.t.Helper()
	r, err := http.NewRequest(method, v.url+path, strings.NewReader(body))
	require.NoError(v.t, err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Origin", "null") // as the page's Referrer-Policy makes it
	}
	if set != nil {
		set(r)
	}
	a, err := v.client.Do(r)
	require.NoError(v.t, err)
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	require.NoError(v.t, err)
	out := reply{a.StatusCode, a.Header, string(text), ""}
	if strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") && method != http.MethodHead {
		v.last, out.text = out.body, checkHTML(v.t, out.body)
	}
	checkHeaders(v.t, out)
	return out
}

// open opens a page.
func (v *served) open(path string) reply {
	v.t.Helper()
	return v.do(http.MethodGet, path, "", nil)
}

// send sends a form of the page that was last seen.
func (v *served) send(path string, fields ...string) reply {
	v.t.Helper()
	return v.do(http.MethodPost, path, v.fill(fields...).Encode(), nil)
}

// fill fills in a form of the page that was last seen: name, value, and so on.
func (v *served) fill(fields ...string) url.Values {
	v.t.Helper()
	values := url.Values{}
	if mark := formMark.FindStringSubmatch(v.last); mark != nil {
		values.Set("form", mark[1])
	}
	for i := 0; i < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	return values
}

// follow goes where an answer leads (303).
func (v *served) follow(path string, a reply) reply {
	v.t.Helper()
	require.Equal(v.t, http.StatusSeeOther, a.status, a.text)
	base, err := url.Parse(v.url + path)
	require.NoError(v.t, err)
	to, err := base.Parse(a.header.Get("Location"))
	require.NoError(v.t, err)
	require.Equal(v.t, base.Path, to.Path, "back to the same page")
	return v.open(to.RequestURI())
}

// in is a page's path in a language.
func in(l words.Lang, path string) string { return path + "?lang=" + string(l) }

// remote makes a request come from elsewhere.
func remote(n int) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("X-Forwarded-For", fmt.Sprintf("198.18.%d.%d", n/256%256, n%256))
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
