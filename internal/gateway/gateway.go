// Package gateway is what touches clusterbridge over HTTP from outside the
// team: hooks of Cluster and 7shifts, health, metrics, and the endpoint with
// which Temporal's Web UI opens sealed payloads. The pages that people open by a
// link are made in the package pages below it, and served here.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/converter"
	"golang.org/x/time/rate"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/gateway/pages"
)

// Ledger is what the gateway asks of the ledger; ledger.Store is one.
type Ledger interface {
	// LiveConnectionsOf are the connections synced from a till's serial.
	LiveConnectionsOf(ctx context.Context, serial string) ([]string, error)
	// ReadBackSoon has sent documents read back, by the partner's reference.
	ReadBackSoon(ctx context.Context, partner, ref string) (int, error)
}

// Options say what a gateway serves and with what. What is left out is either
// not served or has the default that is named.
type Options struct {
	// Log gets one line per request, without bodies. Needed.
	Log *slog.Logger
	// Clock is that of who signs hooks: the machine's (the default), also
	// where business time runs faster.
	Clock clock.Clock
	// Metrics is the registry that the gateway counts on and shows on the
	// admin address; a new one by default.
	Metrics *prometheus.Registry
	// Checks must all pass for /health/ready; at least one is needed.
	Checks []Check

	// HookSecrets verify Cluster's hook, each at least minSecret bytes; several
	// while one is being replaced. Without any the hook is not served.
	HookSecrets []string
	// HookTolerance is how far a hook's timestamp may be from Clock, either
	// way; 5 minutes by default.
	HookTolerance time.Duration
	// Debounce is the least time between two syncs that hooks start for one
	// connection; 5 seconds by default.
	Debounce time.Duration
	// Ledger, Seen and Trigger serve the hooks. Needed.
	Ledger  Ledger
	Seen    Seen
	Trigger Trigger

	// Requests takes signed requests for onboardings (with HookSecrets) and, with
	// BillingSecrets, what the billing system tells of payments; nil: neither is
	// served.
	Requests       Requests
	BillingSecrets []string

	// Codec serves the payload codec's endpoint; nil: it is not served.
	Codec *CodecOptions

	// Pages serves the pages that people open by a link; nil: none are served.
	Pages *pages.Pages

	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
}

// CodecOptions are those of the payload codec's endpoint.
type CodecOptions struct {
	Codec converter.PayloadCodec
	// Tokens let in, each at least minSecret bytes. A token travels as
	// "Authorization: Bearer <token>" or, for a Web UI without sign-in, which
	// can send no header of its own, in the address: /codec/<token>.
	Tokens []string
	// Origins are those of the Web UI, exactly as the browser states them,
	// such as "http://127.0.0.1:8233". A browser of any other is refused.
	Origins []string
}

const (
	// minSecret is the least length of a shared secret: 32 bytes is what
	// HMAC-SHA-256 can use, and out of reach of guessing.
	minSecret        = 32
	defaultTolerance = 5 * time.Minute
	defaultDebounce  = 5 * time.Second
)

// Gateway is the gateway of one process. Use Serve, or Handler and AdminHandler
// with servers of your own and Close at the end.
type Gateway struct {
	o          Options
	debouncer  *debouncer
	counted    *counters
	health     *health
	public     http.Handler
	admin      http.Handler
	anyReceipt *rate.Limiter
}

// New makes a gateway; an error says which option is missing or makes no sense.
func New(o Options) (*Gateway, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o.fillIn()
	counted, err := newCounters(o.Metrics)
	if err != nil {
		return nil, fmt.Errorf("gateway: metrics: %w", err)
	}
	g := &Gateway{o: o, counted: counted, health: &health{checks: o.Checks, log: o.Log}}
	g.debouncer = newDebouncer(o.Debounce, o.Trigger, counted, o.Log)
	g.public, g.admin = g.routes(), g.adminRoutes()
	return g, nil
}

func (o *Options) fillIn() {
	if o.Clock == nil {
		o.Clock = clock.Real()
	}
	if o.Metrics == nil {
		o.Metrics = prometheus.NewRegistry()
	}
	if o.HookTolerance == 0 {
		o.HookTolerance = defaultTolerance
	}
	if o.Debounce == 0 {
		o.Debounce = defaultDebounce
	}
}

func (o *Options) check() error {
	if o.Log == nil || o.Ledger == nil || o.Seen == nil || o.Trigger == nil {
		return errors.New("gateway: Log, Ledger, Seen and Trigger are needed")
	}
	if len(o.Checks) == 0 {
		return errors.New("gateway: at least one check is needed, or readiness would say nothing")
	}
	if o.HookTolerance < 0 || o.Debounce < 0 {
		return errors.New("gateway: durations cannot be below zero")
	}
	if err := errors.Join(longEnough("hook secret", o.HookSecrets), longEnough("billing secret", o.BillingSecrets)); err != nil || o.Codec == nil {
		return err
	}
	if o.Codec.Codec == nil || len(o.Codec.Tokens) == 0 || len(o.Codec.Origins) == 0 {
		return errors.New("gateway: the codec endpoint needs a codec, a token and an origin")
	}
	return longEnough("codec token", o.Codec.Tokens)
}

func longEnough(what string, secrets []string) error {
	for _, s := range secrets {
		if len(s) < minSecret {
			return fmt.Errorf("gateway: a %s has fewer than %d characters", what, minSecret)
		}
	}
	return nil
}

// Handler serves the hooks, health, the codec endpoint and the pages.
func (g *Gateway) Handler() http.Handler { return g.public }

// AdminHandler serves metrics and health, for an address that only the team's
// own machines reach.
func (g *Gateway) AdminHandler() http.Handler { return g.admin }

// Close starts the syncs that hooks still wait for, and ends.
func (g *Gateway) Close() { g.debouncer.close() }
