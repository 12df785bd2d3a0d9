// Package wisk is the partner WISK: the translation of a sale into item lines
// under the venue's choice for modifiers, the corrections that bring WISK's
// sums to what is wanted, and the client of its upload API. Facts about WISK
// are cited as "reference: WISK <section>"; most of them are third-party or
// assumed there, and so are settings here.
package wisk

import (
	"net/http"
	"strconv"
	"time"

	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// What WISK does when a line comes again under its id (reference: WISK 2,
// assumed).
const (
	SameIDReplaces = "replace"
	SameIDIgnored  = "ignore"
	SameIDRefused  = "refuse"
	SameIDCounts   = "double-count"
)

// What a 400 says of the lines that it does not name (assumed).
const (
	RefusalAtomic  = "atomic"  // none was taken
	RefusalPartial = "partial" // they were taken
)

// Config holds the settings of WISK. Start from Defaults.
type Config struct {
	// BaseURL is scheme and host, without a path.
	BaseURL string
	// VenueHeader is the request header with the venue's identifier.
	VenueHeader string
	// Timeout is for one request, in real time, the wait for a permit included.
	Timeout time.Duration
	// LinesAtOnce is how many lines one upload holds at most.
	LinesAtOnce int
	// InFlight is how many uploads are on their way at once per step.
	InFlight int
	// SameID is what WISK does with a line that comes again.
	SameID string
	// Refusal is what a 400 says of the lines that it does not name.
	Refusal string
	// PerSecond is how many requests a second one venue may make; 0 lifts the
	// limit.
	PerSecond float64
	// PenaltyRest is how long a venue rests after a 429 that states no time.
	PenaltyRest time.Duration
	// LiveShare is the part of PerSecond that history leaves to live work.
	LiveShare float64
	// HistoryMonths is how many calendar months before the connection are sent.
	HistoryMonths int
	// OpenOrders uploads the lines of orders that are not closed yet.
	OpenOrders bool
	// ModifierPrefix goes before a modifier's id where it is an item of its
	// own, for tills whose modifiers and items share ids.
	ModifierPrefix string
}

// Defaults are the numbers for the real WISK, with their reasons.
func Defaults() Config {
	return Config{
		// Nothing of these four is published (reference: WISK 2).
		BaseURL: "https://api.wisk.ai", VenueHeader: "X-Wisk-Venue-Id",
		SameID: SameIDReplaces, Refusal: RefusalAtomic,
		Timeout: 20 * time.Second,
		// Assumed: WISK expects about one batch per venue and day (reference: WISK 2).
		LinesAtOnce: 500, InFlight: 2,
		// No limit is published; two a second are a thousand lines.
		PerSecond: 2, PenaltyRest: time.Minute, LiveShare: 0.25,
		HistoryMonths: 6, // reference: WISK 4
	}
}

// Partner implements partner.Additive for WISK.
type Partner struct{ cfg Config }

var (
	_ partner.Additive = (*Partner)(nil)
	_ partner.Itemizer = (*Partner)(nil)

	_ partner.IdentifierTaker = (*Partner)(nil)
)

// New makes the partner.
func New(cfg Config) *Partner { return &Partner{cfg: cfg} }

// Name implements partner.Partner.
func (p *Partner) Name() string { return work.Wisk }

// Rules implements partner.Partner. WISK cannot be read back.
func (p *Partner) Rules() partner.Rules {
	return partner.Rules{
		InFlight: p.cfg.InFlight, HistoryMonths: p.cfg.HistoryMonths,
		PerSecond: p.cfg.PerSecond, PenaltyRest: p.cfg.PenaltyRest, LiveShare: p.cfg.LiveShare,
	}
}

// RepeatsHarmless implements partner.Additive.
func (p *Partner) RepeatsHarmless() bool { return p.cfg.SameID != SameIDCounts }

// LinesAtOnce implements partner.Additive.
func (p *Partner) LinesAtOnce() int { return max(p.cfg.LinesAtOnce, 1) }

// LineID implements partner.Additive. It begins with the location, since order
// numbers and codes of several locations may be the same in one venue of WISK.
func (p *Partner) LineID(c partner.Connection, document string, seq int) string {
	_, location, _ := work.SplitConnection(c.ID) // a connection's id always splits
	return location + ":" + document + ":" + strconv.Itoa(seq)
}

// OpenUploads implements partner.Additive.
func (p *Partner) OpenUploads(_ partner.Connection, token string, transport http.RoundTripper) partner.Uploads {
	return newUploads(p.cfg, token, transport)
}

// Open implements partner.Partner; a partner that adds up lines has no
// documents to send one by one.
func (p *Partner) Open(partner.Connection, string, http.RoundTripper) partner.Session { return nil }

// Served tells whether a business day's sales travel by uploads.
func Served(c partner.Connection, day sale.Day) bool {
	return c.Settings.Routes.At(day, partner.RouteUpload) == partner.RouteUpload
}
