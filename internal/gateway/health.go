package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/clustersystems/clusterbridge/internal/ledger"
)

// Check is one thing that readiness needs. Its name is shown to whoever asks;
// the error of Probe only stands in the log.
type Check struct {
	Name  string
	Probe func(ctx context.Context) error
}

// LedgerChecks are: PostgreSQL answers, and its schema is new enough.
func LedgerChecks(s *ledger.Store) []Check {
	return []Check{{"postgresql", s.Ping}, {"schema", s.CheckSchema}}
}

// TemporalCheck is: Temporal's frontend answers and serves.
func TemporalCheck(c client.Client) Check {
	return Check{"temporal", func(ctx context.Context) error {
		_, err := c.CheckHealth(ctx, &client.CheckHealthRequest{})
		return err
	}}
}

const (
	// checkWithin bounds a check: what takes longer is as good as away, and
	// probes commonly wait no longer than 5 seconds.
	checkWithin = 2 * time.Second
	// healthFor is how long an answer is given again: whoever asks more often
	// than probes do costs the database nothing.
	healthFor = time.Second
)

type health struct {
	checks []Check
	log    *slog.Logger

	mu      sync.Mutex
	checked time.Time
	report  healthReport
}

type healthReport struct {
	Status string            `json:"status"`
	Checks map[string]string `json:"checks"`
}

const (
	healthReady    = "ready"
	healthNotReady = "not ready"
)

// live tells that the process answers.
func (h *health) live(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, "alive")
}

// ready tells whether all checks pass, by name.
func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	report := h.check(context.WithoutCancel(r.Context()))
	status := http.StatusOK
	if report.Status != healthReady {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, report)
}

// check runs all checks at once; those who ask meanwhile get the same report.
func (h *health) check(ctx context.Context) healthReport {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.checked.IsZero() && time.Since(h.checked) < healthFor { //nolint:forbidigo // a real duration
		return h.report
	}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	failed := make([]error, len(h.checks))
	var running sync.WaitGroup
	for i, c := range h.checks {
		running.Go(func() { failed[i] = c.Probe(ctx) })
	}
	running.Wait()
	h.report = healthReport{Status: healthReady, Checks: map[string]string{}}
	for i, c := range h.checks {
		h.report.Checks[c.Name] = "ok"
		if failed[i] != nil {
			h.report.Status, h.report.Checks[c.Name] = healthNotReady, "failed"
			h.log.WarnContext(ctx, "a readiness check failed", "check", c.Name, "problem", failed[i].Error())
		}
	}
	h.checked = time.Now() //nolint:forbidigo // a real duration
	return h.report
}
