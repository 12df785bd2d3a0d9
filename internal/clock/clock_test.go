package clock_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/clock"
)

var november = time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC)

func TestCalendarRunsFastThenReal(t *testing.T) {
	c := clock.Calendar{Epoch: time.Now().Add(-time.Hour), Origin: november, Speed: 24, End: november.Add(12 * time.Hour)}
	// Half a real hour brings it to its end; the other half runs at real speed.
	require.WithinDuration(t, november.Add(12*time.Hour+30*time.Minute), c.Now(), time.Minute)
}

func TestUntilAgreesWithNow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		speed := rapid.Float64Range(1, 5000).Draw(t, "speed")
		c := clock.Calendar{Epoch: time.Now(), Origin: november, Speed: speed, End: november.Add(48 * time.Hour)}
		ahead := time.Duration(rapid.Int64Range(0, int64(96*time.Hour)).Draw(t, "ahead"))
		wait := c.Until(november.Add(ahead))
		// The same calendar, as it will be after that wait.
		later := c
		later.Epoch = c.Epoch.Add(-wait)
		tolerance := time.Duration(float64(time.Second) * speed)
		require.WithinDuration(t, november.Add(ahead), later.Now(), tolerance)
	})
}

func TestParseReadsWhatStringWrites(t *testing.T) {
	c := clock.Calendar{Epoch: november.Add(time.Millisecond), Origin: november, Speed: 2880, End: november.Add(time.Hour)}
	back, err := clock.Parse(c.String())
	require.NoError(t, err)
	require.Equal(t, c, back)
}

func TestParseRefuses(t *testing.T) {
	for _, setting := range []string{"tomorrow", "epoch=x", "origin=2026-11-03T10:00:00Z", "epoch=2026-11-03T10:00:00Z origin=2026-11-03T10:00:00Z speed=0"} {
		_, err := clock.Parse(setting)
		require.Error(t, err, setting)
	}
	real, err := clock.Parse(" ")
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), real.Now(), time.Minute)
}
