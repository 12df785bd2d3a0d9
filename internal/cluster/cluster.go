// Package cluster is the client of the POS's API: a relay in the cloud in
// front of the till on site. The names of the API stand in package wire.
package cluster

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
)

// The client's limits, where Config leaves them zero.
const (
	// DefaultTimeout bounds one call with its whole answer: a page of
	// DefaultPageSize orders takes a slow till seconds, not a minute.
	DefaultTimeout = 20 * time.Second
	// DefaultPageSize keeps a page near half a megabyte.
	DefaultPageSize = 200
	// DefaultMaxBody is far above any honest page, and small enough that a
	// babbling relay cannot eat a worker's memory.
	DefaultMaxBody = 16 << 20
	// MaxRaw is how much of a bad order's text is kept.
	MaxRaw = 64 << 10
	// MaxAmount is the largest amount believed of one order: 100,000,000.00.
	MaxAmount = 100_000_000_00
	// MaxAhead is how far in the future an order's instants may lie: a till's
	// clock may be wrong by its zone, not by more.
	MaxAhead = 24 * time.Hour
	// FirstYear is the earliest year believed.
	FirstYear = 2000
	// MaxID is the longest order id believed, in bytes.
	MaxID = 64
)

// Config is how the client talks to Cluster. Zero values take the defaults
// above and of package wire.
type Config struct {
	BaseURL  string
	Timeout  time.Duration
	PageSize int
	// MaxBody is the largest answer read, in bytes.
	MaxBody int64
	// OrdersByModified says that the relay can filter orders by modification
	// (assumed); otherwise Orders answers ErrNoModifiedFilter without asking.
	OrdersByModified bool
	// GiftCardCategories are the categories whose lines sell gift cards.
	GiftCardCategories []string
	// CardPaymentTypes are the payment types that are cards, in any case.
	CardPaymentTypes []string
	// Clock judges far-future dates where the relay does not tell its own
	// time; nil is the machine's.
	Clock clock.Clock
}

// Client talks to Cluster for any location. It is safe for concurrent use.
type Client struct {
	cfg       Config
	caller    caller
	cards     map[string]bool
	giftCards map[string]bool
}

// New makes a client. A nil transport means one of its own, to be closed with
// Close.
func New(cfg Config, transport http.RoundTripper) *Client {
	if cfg.PageSize <= 0 {
		cfg.PageSize = DefaultPageSize
	}
	if cfg.GiftCardCategories == nil {
		cfg.GiftCardCategories = wire.GiftCardCategories()
	}
	if cfg.CardPaymentTypes == nil {
		cfg.CardPaymentTypes = wire.CardTypes()
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.Real()
	}
	c := &Client{
		cfg: cfg, caller: newCaller(cfg.BaseURL, cfg.Timeout, cfg.MaxBody, transport),
		cards: lowerSet(cfg.CardPaymentTypes), giftCards: lowerSet(cfg.GiftCardCategories),
	}
	c.caller.header, c.caller.codes = wire.HeaderKey, tillCodes
	return c
}

// Close closes idle connections.
func (c *Client) Close() { c.caller.http.CloseIdleConnections() }

func lowerSet(words []string) map[string]bool {
	set := make(map[string]bool, len(words))
	for _, w := range words {
		set[strings.ToLower(strings.TrimSpace(w))] = true
	}
	return set
}

// ErrNoModifiedFilter says that the relay cannot filter orders by
// modification; the caller re-reads business days instead.
var ErrNoModifiedFilter = errors.New("the relay has no filter by modification")

// Credential opens one location at Cluster: the till's serial number and its
// API key (reference: Cluster section 1).
type Credential struct {
	Serial string
	Key    string
}

// String hides the key.
func (c Credential) String() string { return "serial " + c.Serial + ", key [redacted]" }

// GoString hides the key.
func (c Credential) GoString() string { return "cluster.Credential{" + c.String() + "}" }

// LogValue hides the key.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalJSON hides the key, so that a credential never enters a history.
func (c Credential) MarshalJSON() ([]byte, error) {
	return []byte(`"[redacted credential]"`), nil
}
