package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/play"
)

// flood is more history than one token's limit lets through in the time that
// is measured: 700 receipts for 540 requests.
var flood = play.Size{
	Seed: 9, HistoryDays: 30, OrdersPerPastDay: 9, LiveDays: 1, OrdersPerLiveDay: 5, Speed: 1000,
	OneCompany: true, Patience: time.Minute,
}

const (
	configuredRate = 9.0 // requests a second; the default
	floodFor       = time.Minute
	rampUp         = 3 * time.Second // both workers are polling by then
)

// Two worker processes share a token's limit: in no second do more than 10
// requests arrive, none is refused for speed, and at least 95 % of the
// configured rate is used.
func TestTwoWorkersShareTheLimit(t *testing.T) {
	d := start(t, flood)
	require.NoError(t, d.AnotherWorker())
	eventually(t, "sending has begun", func(ctx context.Context) (bool, error) {
		sent, err := d.Sent(ctx)
		return sent > 0, err
	})
	time.Sleep(rampUp)
	d.SevenShifts().ResetRates()
	time.Sleep(floodFor) // the measurement itself
	rates := d.SevenShifts().Rates()
	require.Len(t, rates, 1)
	r := rates[0]
	t.Logf("%+v", r)
	require.LessOrEqual(t, r.MaxPerSecond, 10)
	require.Zero(t, r.Limited)
	require.GreaterOrEqual(t, float64(r.Requests), 0.95*configuredRate*floodFor.Seconds())
}
