package wisksim_test

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/partner/wisk/wire"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
)

// A lost line is accepted as often as it comes and never held, also after a
// restart; others of its item and day are not lost.
func TestALostLineIsAcceptedAndNeverHeld(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.jsonl")
	s := newStand(t, wisksim.Options{StateFile: file})
	status, _ := s.do(http.MethodPost, "/_sim/faults", `{"lose": [{"venue": "v-marcel", "day": "2026-11-03", "plu_number": "4"}]}`)
	require.Equal(t, 200, status)
	other := with(line("0"), func(l *wire.Line) { l.PLU = "5" })
	for range 2 {
		status, _ := s.upload(other, line("1"))
		require.Equal(t, 200, status)
	}
	require.Equal(t, "2/21.50 5=2/21.50", s.day("2026-11-03"))
	status, _ = s.upload(line("2"))
	require.Equal(t, 200, status)
	require.Equal(t, "4/43.00 4=2/21.50 5=2/21.50", s.day("2026-11-03"))
	require.Equal(t, 2, s.sim.CountLines(marcel, ""))
	require.Equal(t, 1, s.sim.CountLines(marcel, "2"))
	require.Zero(t, s.sim.CountLines("v-nobody", ""))
	require.NoError(t, s.sim.Close())

	s = newStand(t, wisksim.Options{StateFile: file})
	status, _ = s.upload(line("1"))
	require.Equal(t, 200, status)
	require.Equal(t, "4/43.00 4=2/21.50 5=2/21.50", s.day("2026-11-03"))
	require.Empty(t, s.sim.Check())
	status, _ = s.upload(with(line("1"), func(l *wire.Line) { l.Title = "Gin" }))
	require.Equal(t, 200, status)
	require.Len(t, s.sim.Check(), 1, "its content is frozen all the same")

	for _, wrong := range []string{
		`{"lose": [{"venue": "v-nobody", "day": "2026-11-03", "plu_number": "4"}]}`, `{"lose": [{"venue": "v-marcel", "day": "yesterday", "plu_number": "4"}]}`,
	} {
		status, _ := s.do(http.MethodPost, "/_sim/faults", wrong)
		require.NotEqual(t, 200, status, wrong)
	}
}
