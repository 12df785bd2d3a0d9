package onboarding_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/limit"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk"
	"github.com/clustersystems/clusterbridge/internal/postgres"
	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	mailboxsim "github.com/clustersystems/clusterbridge/internal/simulator/mailbox"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestMain(m *testing.M) { postgres.Main(m) }

const (
	officeKey = "office-canary-71b3"
	support   = "support@wisk.example"
	gateway   = "https://onboarding.example"
	zone      = "America/Toronto"
	fee       = sale.Cents(15000)
	// patience bounds one call to a simulator, in real time.
	patience = 10 * time.Second
)

// noon of a Tuesday in Montreal.
var noon = time.Date(2026, 11, 24, 17, 0, 0, 0, time.UTC)

var lea = ledger.Actor{Handle: "lea", Reason: "venue_asked", Note: "as agreed"}

// rig is the room with everything real but the outside: simulators over HTTP
// and SMTP, and PostgreSQL. When its test ends, nothing that is secret or a
// person's may be found anywhere.
type rig struct {
	*onboarding.Room // which nothing disturbs
	t                testing.TB
	ctx              context.Context
	clock            *clock.Hand
	till             *clustersim.Sim
	seven            *sevenshiftssim.Sim
	wisk             *wisksim.Sim
	box              *mailboxsim.Sim
	urls             struct{ till, seven, wisk, database string }
	smtp             int // port
	keyset           string
	settings         onboarding.Settings
	noOffice         bool
	base             *http.Transport
	canaries         canaries
	venues, requests int // so far
	// once lets each step be taken once, where a test is about something else.
	once bool
}

type option func(*rig, *clustersim.OfficeSwitches)

// newRig makes a rig in which Cluster activates access at once, unless an option
// says otherwise.
func newRig(t testing.TB, options ...option) *rig {
	t.Helper()
	r := &rig{t: t, ctx: context.Background(), clock: clock.NewHand(noon), base: &http.Transport{MaxIdleConnsPerHost: 8}}
	r.settings = settings()
	switches := clustersim.OfficeSwitches{}
	for _, o := range options {
		o(r, &switches)
	}
	t.Cleanup(r.base.CloseIdleConnections)
	r.till = clustersim.New(clustersim.Options{Clock: r.clock, OfficeKey: officeKey, Office: &switches})
	r.urls.till = serve(t, r.till)
	r.seven = sevenshiftssim.New(sevenshiftssim.Options{Clock: r.clock})
	r.urls.seven = serve(t, r.seven)
	require.NoError(t, r.seven.Switch(func(s *sevenshiftssim.Switches) { s.PerSecond = 0 }))
	r.wisk = wisksim.New(wisksim.Options{Clock: r.clock, ClusterURL: r.urls.till})
	r.urls.wisk = serve(t, r.wisk)
	require.NoError(t, r.wisk.Switch(func(s *wisksim.Switches) { s.PerSecond = 0 }))
	t.Cleanup(func() {
		require.NoError(t, r.seven.Close())
		require.Empty(t, r.seven.Violations())
		require.NoError(t, r.wisk.Close())
		require.Empty(t, r.wisk.Check())
		require.Empty(t, r.box.Violations())
	})
	r.mailbox()
	r.database()
	room, end := r.process(nil)
	r.Room = room
	t.Cleanup(end)
	t.Cleanup(r.search) // before what it searches is closed
	return r
}

func settings() onboarding.Settings {
	return onboarding.Settings{
		Gateway: gateway,
		Plan: work.OnboardingPlan{
			RemindAfter: []time.Duration{3 * 24 * time.Hour, 7 * 24 * time.Hour}, ExpireAfter: 30 * 24 * time.Hour, TokenTries: 3,
		},
		Fees: map[string]sale.Cents{work.Wisk: fee, work.SevenShifts: 0},
		Billing: onboarding.Billing{
			Currency: "CAD", GSTRate: 5000, QSTRate: 9975, GSTNumber: "123456789 RT0001", QSTNumber: "1234567890 TQ0001",
			HowToPay: mail.Bilingual{French: "Par virement.", English: "By transfer."}, PayURL: "https://pay.example/{number}",
		},
		Supports:  map[string]onboarding.Support{work.Wisk: {Address: support, Language: words.English}},
		RevealFor: 7 * 24 * time.Hour, TokenFor: 30 * 24 * time.Hour, StatusFor: 365 * 24 * time.Hour,
		Zone: zone,
	}
}

func serve(t testing.TB, h http.Handler) string {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func (r *rig) mailbox() {
	var err error
	r.box, err = mailboxsim.New(mailboxsim.Options{Clock: r.clock})
	require.NoError(r.t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(r.t, err)
	served := make(chan error, 1)
	go func() { served <- r.box.ServeSMTP(listener) }()
	r.t.Cleanup(func() {
		require.NoError(r.t, r.box.Close())
		require.NoError(r.t, <-served)
	})
	r.smtp = listener.Addr().(*net.TCPAddr).Port
}

func (r *rig) database() {
	r.urls.database = postgres.Prepared(r.t, func(url string) error {
		_, _, err := ledger.Migrate(context.Background(), url)
		return err
	})
	var err error
	r.keyset, err = vault.NewKeyset()
	require.NoError(r.t, err)
}

// process is the room as a process of its own has it; a storm is on all its ways
// out.
func (r *rig) process(s *storm) (room *onboarding.Room, end func()) {
	r.t.Helper()
	log := slog.New(slog.NewJSONHandler(r.canaries.log(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	database, closeWay := s.database(r.t, r.urls.database)
	store, err := ledger.Open(r.ctx, database, r.clock, log)
	require.NoError(r.t, err)
	sealed, err := vault.Open(r.keyset, store.DB())
	require.NoError(r.t, err)
	post, err := mail.NewPost(mail.PostSettings{
		Host: "127.0.0.1", Port: r.smtp, TLS: mail.TLSNone, From: "Cluster POS <integrations@clusterpos.example>", Timeout: patience,
	})
	require.NoError(r.t, err)
	links, err := link.New("a-secret-that-signs-the-links-of-tests")
	require.NoError(r.t, err)
	transport := s.transport(&listening{r.base, &r.canaries})
	room = &onboarding.Room{
		Ledger: store, Vault: sealed, Clock: r.clock, Log: log, Settings: r.settings,
		Till: cluster.New(cluster.Config{
			BaseURL: r.urls.till, OrdersByModified: true, Clock: r.clock, PageSize: 20, Timeout: patience,
		}, transport),
		Partners: r.partners(), Limiter: limit.New(store.DB(), log), Base: transport,
		Outbox: mail.NewOutbox(store.DB(), sealed, s.sender(post), r.clock, log), Composer: composer(r.t), Links: links,
	}
	if !r.noOffice {
		room.Office = cluster.NewOffice(cluster.OfficeConfig{BaseURL: r.urls.till, Key: vault.NewSecret(officeKey), Timeout: patience}, transport)
	}
	return room, func() {
		require.NoError(r.t, store.Close())
		closeWay()
	}
}

func (r *rig) partners() partner.Registry {
	seven := sevenshifts.Defaults()
	seven.BaseURL, seven.PerSecond, seven.Timeout = r.urls.seven, 0, patience
	bar := wisk.Defaults()
	bar.BaseURL, bar.PerSecond, bar.Timeout = r.urls.wisk, 0, patience
	return partner.NewRegistry(sevenshifts.New(seven, r.clock), wisk.New(bar))
}

var worded = sync.OnceValues(func() (*mail.Composer, error) {
	return mail.NewComposer(mail.House{Name: "Cluster", Address: "1 rue de la Caisse, Montreal", Support: "support@clusterpos.example"})
})

func composer(t testing.TB) *mail.Composer {
	c, err := worded()
	require.NoError(t, err)
	return c
}

// code is the registry's code of a failure, whose text nothing may be read from.
func (r *rig) code(err error) work.Code {
	r.t.Helper()
	e, ok := errors.AsType[*work.Error](err)
	require.True(r.t, ok, "%v", err)
	r.canaries.said(e.Error(), e.Sentence(""))
	if e.Cause != nil {
		r.canaries.said(e.Cause.Error())
	}
	return e.Code
}

// refused wants a failure with a code.
func (r *rig) refused(code work.Code, err error) {
	r.t.Helper()
	require.Error(r.t, err)
	require.Equal(r.t, code, r.code(err), "%v", err)
}

// read reads a case.
func (r *rig) read(caseID string) ledger.Case {
	r.t.Helper()
	c, err := r.Ledger.Case(r.ctx, caseID)
	require.NoError(r.t, err)
	r.canaries.said(c)
	return c
}

// story is what was done to a case, as "act: new".
func (r *rig) story(caseID string) (acts []string) {
	r.t.Helper()
	all, err := r.Ledger.CaseStory(r.ctx, caseID)
	require.NoError(r.t, err)
	for _, e := range all {
		acts = append(acts, e.Act+": "+e.New)
	}
	r.canaries.said(all)
	return acts
}
