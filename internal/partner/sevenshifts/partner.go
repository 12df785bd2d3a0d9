// Package sevenshifts is the partner 7shifts: a typed client of its API v2,
// the translation of a sale into a receipt, and the semantics of delivering
// and reading back receipts. Facts about 7shifts are cited as "reference:
// 7shifts <section>"; those marked assumed there are marked assumed here.
package sevenshifts

import (
	"net/http"
	"time"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Config holds the settings of 7shifts. Start from Defaults: a zero number has
// the meaning stated here and is not replaced.
type Config struct {
	// BaseURL is scheme and host, without a path: 7shifts' endpoints live under
	// /v2 and a few newer ones under /api/v2 (reference: 7shifts 1).
	BaseURL string
	// APIVersion is sent as x-api-version; empty leaves the choice to 7shifts.
	APIVersion string
	// CompanyGUID is sent as x-company-guid, which OAuth credentials need and
	// access tokens do not; empty sends none.
	CompanyGUID string
	// Timeout is for one request, in real time, the wait for a permit included.
	Timeout time.Duration
	// Settle is how long after a 2xx a receipt is read back, in real time:
	// 7shifts processes receipts asynchronously.
	Settle time.Duration
	// InFlight is how many receipts are sent at once per step.
	InFlight int
	// HistoryDays is how many business days before the connection are sent.
	HistoryDays int
	// HistoryFrom and HistoryUntil are the hours, UTC, between which history
	// may be sent; both 0 when always.
	HistoryFrom, HistoryUntil int
	// PerSecond is how many requests a second one token may make; 0 lifts the
	// limit.
	PerSecond float64
	// PenaltyRest is how long a token rests after a 429 that states no time.
	PenaltyRest time.Duration
	// ListDays is how many days back receipts can be listed.
	ListDays int
	// LiveShare is the part of PerSecond that history leaves to live work.
	LiveShare float64
	// PunchPage is how many time punches are asked for at once; 0 means
	// defaultPunchPage.
	PunchPage int
}

// Defaults are the numbers for the real 7shifts, with their reasons.
func Defaults() Config {
	return Config{
		BaseURL:    "https://api.7shifts.com",
		APIVersion: "2026-01-01", // current by the reference, section 1
		// A request includes up to 5 s of waiting for a permit.
		Timeout: 20 * time.Second,
		// A 202'd receipt may take up to 120 s to appear (reference: 7shifts
		// 11, assumed); the rest is margin.
		Settle: 150 * time.Second,
		// At 9 a second, 8 in flight cover answers that take 0.8 s.
		InFlight: 8,
		// At least the most recent 90 days, between 08:00 and 15:00 UTC
		// (reference: 7shifts 8.3).
		HistoryDays: 90, HistoryFrom: 8, HistoryUntil: 15,
		// 10 a second per token; going over blocks for one minute (reference:
		// 7shifts 2). One less leaves room for jitter on the way.
		PerSecond: 9, PenaltyRest: time.Minute,
		ListDays: 90, // reference: 7shifts 3.7
		// A quarter is two receipts a second: a busy evening's closings.
		LiveShare: 0.25,
		PunchPage: defaultPunchPage,
	}
}

// Partner implements partner.Partner for 7shifts.
type Partner struct {
	cfg   Config
	clock clock.Clock
}

var _ partner.Partner = (*Partner)(nil)

// New makes the partner. The clock tells business time, which bounds what can
// be read back.
func New(cfg Config, c clock.Clock) *Partner { return &Partner{cfg: cfg, clock: c} }

// Name implements partner.Partner.
func (p *Partner) Name() string { return work.SevenShifts }

// Rules implements partner.Partner.
func (p *Partner) Rules() partner.Rules {
	return partner.Rules{
		Settle: p.cfg.Settle, InFlight: p.cfg.InFlight,
		HistoryDays: p.cfg.HistoryDays, HistoryFrom: p.cfg.HistoryFrom, HistoryUntil: p.cfg.HistoryUntil,
		PerSecond: p.cfg.PerSecond, PenaltyRest: p.cfg.PenaltyRest, LiveShare: p.cfg.LiveShare,
	}
}

// Open implements partner.Partner.
func (p *Partner) Open(c partner.Connection, token string, transport http.RoundTripper) partner.Session {
	return &Session{
		client: NewClient(p.cfg, token, transport), clock: p.clock,
		company: c.CompanyID, location: c.LocationID,
		listDays: p.cfg.ListDays,
	}
}
