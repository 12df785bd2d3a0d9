package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/play"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
)

// flood is more history than one token's limit lets through in the time that
// is measured, three times over: 1,800 receipts for 540 requests.
var flood = play.Size{
	Seed: 9, HistoryDays: 30, OrdersPerPastDay: 20, LiveDays: 1, OrdersPerLiveDay: 5, Speed: 1000,
	OneCompany: true, Patience: time.Minute,
	ByVerbs: true, // what is measured comes after
}

const (
	configuredRate = 9.0 // requests a second; the default
	floodFor       = time.Minute
	rampUp         = 3 * time.Second // both workers are polling by then
	// standstill is half the time between two permits. A machine that stops
	// processes for longer delays requests on their way, which no limiter can
	// know; what was measured then is measured again.
	standstill   = 50 * time.Millisecond
	measurements = 3
)

// Two worker processes share a token's limit: in no second do more than 10
// requests arrive, none is refused for speed, and at least 95 % of the
// configured rate is used.
func TestTwoWorkersShareTheLimit(t *testing.T) {
	d := start(t, flood)
	require.NoError(t, d.AnotherWorker())
	sending(t, d)
	time.Sleep(rampUp)
	var r sevenshiftssim.Rate
	for range measurements {
		sending(t, d)
		d.SevenShifts().ResetRates()
		worst := stillFor(floodFor)
		rates := d.SevenShifts().Rates()
		require.Len(t, rates, 1)
		r = rates[0]
		t.Logf("%+v; this machine stood still for up to %v", r, worst)
		if worst < standstill || (r.Limited == 0 && enough(r)) {
			break
		}
	}
	require.LessOrEqual(t, r.MaxPerSecond, 10)
	require.Zero(t, r.Limited)
	require.True(t, enough(r), "%d requests in %v", r.Requests, floodFor)
}

// sending waits until receipts are sent, which a refusal for speed stops for a
// minute.
func sending(t *testing.T, d *play.Demo) {
	t.Helper()
	before, err := d.Sent(t.Context())
	require.NoError(t, err)
	eventually(t, "receipts are sent", func(ctx context.Context) (bool, error) {
		sent, err := d.Sent(ctx)
		return sent > before, err
	})
}

func enough(r sevenshiftssim.Rate) bool {
	return float64(r.Requests) >= 0.95*configuredRate*floodFor.Seconds()
}

// stillFor lets the time of a measurement pass and tells the longest that this
// process had to wait for the machine.
func stillFor(d time.Duration) (worst time.Duration) {
	const tick = 5 * time.Millisecond
	for end := time.Now().Add(d); time.Now().Before(end); {
		begun := time.Now()
		time.Sleep(tick)
		worst = max(worst, time.Since(begun)-tick)
	}
	return worst
}
