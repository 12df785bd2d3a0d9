package kit_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/simulator/kit"
)

type event struct{ N int }

func TestAStateFileGoesOnAfterItsLastWholeLine(t *testing.T) {
	name := filepath.Join(t.TempDir(), "deep", "state.jsonl")
	var seen []int
	open := func() *kit.Journal {
		seen = nil
		j, err := kit.OpenJournal(name, func(e event) error { seen = append(seen, e.N); return nil })
		require.NoError(t, err)
		return j
	}
	j := open()
	j.Append(event{1})
	j.Append(event{2})
	require.NoError(t, j.Close())
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(name, append(content, `{"N":3`...), 0o600)) // cut by a crash

	j = open()
	require.Equal(t, []int{1, 2}, seen)
	j.Append(event{4})
	require.NoError(t, j.Close())
	require.NoError(t, open().Close())
	require.Equal(t, []int{1, 2, 4}, seen)

	require.NoError(t, os.WriteFile(name, []byte("{\"N\":1}\n{\"N\":\n"), 0o600))
	_, err = kit.OpenJournal(name, func(event) error { return nil })
	require.ErrorContains(t, err, "line 2")
}

func TestAJournalThatCannotBeWrittenSaysSo(t *testing.T) {
	j, err := kit.OpenJournal(filepath.Join(t.TempDir(), "state.jsonl"), func(event) error { return nil })
	require.NoError(t, err)
	j.Append(func() {})
	require.Contains(t, j.Failure(), "unsupported type")
	require.Error(t, j.Close())
	var none *kit.Journal
	none.Append(event{1})
	require.Empty(t, none.Failure())
	require.NoError(t, none.Close())
}

func TestFaultsFitBySkipTimesAndSource(t *testing.T) {
	var q kit.Faults
	require.NoError(t, q.Inject(
		kit.Fault{Kind: kit.FaultDrop, Source: "b", Skip: 1, Times: 2},
		kit.Fault{Kind: kit.FaultStatus, Path: "up", Method: "POST", Status: 503},
	))
	take := func(method, path, source string) string { return q.Take(method, path, source).Kind }
	require.Empty(t, take("GET", "/up", "a"))
	require.Empty(t, take("POST", "/up", "b"), "skipped, and a skip decides")
	require.Equal(t, kit.FaultStatus, take("POST", "/up", "a"))
	require.Equal(t, kit.FaultDrop, take("POST", "/up", "b"))
	require.Equal(t, kit.FaultDrop, take("GET", "/", "b"))
	require.Empty(t, take("POST", "/up", "b"))
	queued, taken := q.Queued()
	require.Empty(t, queued)
	require.Equal(t, 3, taken)
	for _, bad := range []kit.Fault{{}, {Kind: "explode"}, {Kind: kit.FaultStatus, Status: 200}, {Kind: kit.FaultSlow, Delay: -1}, {Kind: kit.FaultDrop, Chance: 2}} {
		require.Error(t, q.Inject(kit.Fault{Kind: kit.FaultDrop}, bad), "%+v", bad)
	}
	require.NoError(t, q.Inject(kit.Fault{Kind: kit.FaultDrop, Chance: 1e-300}))
	require.Empty(t, take("GET", "/", ""))
	q.Clear()
	queued, _ = q.Queued()
	require.Empty(t, queued)
}

func TestASteeringRequestIsOneStrictValue(t *testing.T) {
	read := func(body string) error {
		var into struct{ Delay kit.Duration }
		return kit.Read(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)), &into)
	}
	require.NoError(t, read(`{"delay":"150ms"}`))
	for _, bad := range []string{``, `{`, `{"colour":1}`, `{} {}`, `{"delay":"soon"}`, `"` + strings.Repeat("x", kit.MaxSteering) + `"`} {
		require.Error(t, read(bad))
	}
}

func TestTheWorkdayOfTheNightWith25Hours(t *testing.T) {
	zone, err := time.LoadLocation("America/Toronto")
	require.NoError(t, err)
	for at, day := range map[string]string{
		"2026-11-01T06:30:00Z": "2026-10-31", "2026-11-01T09:59:59Z": "2026-10-31", "2026-11-01T10:00:00Z": "2026-11-01",
	} {
		instant, err := time.Parse(time.RFC3339, at)
		require.NoError(t, err)
		require.Equal(t, day, kit.Workday(instant, zone), at)
	}
}
