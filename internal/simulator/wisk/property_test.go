package wisksim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk/wire"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
)

// post uploads without a network.
func post(sim *wisksim.Sim, body string) (int, string) {
	req := httptest.NewRequest(http.MethodPost, wire.PathUpload, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(wire.DefaultHeaderVenue, marcel)
	res := httptest.NewRecorder()
	sim.ServeHTTP(res, req)
	return res.Code, res.Body.String()
}

func openSim(t require.TestingT, file, mode string) *wisksim.Sim {
	switches := wisksim.Defaults()
	switches.PerSecond, switches.SameID = 0, mode
	sim, err := wisksim.Open(wisksim.Options{Clock: clock.Fixed(now), StateFile: file, Switches: &switches})
	require.NoError(t, err)
	sim.AddVenue(wisksim.Venue{ID: marcel, Name: "Chez Marcel", Zone: "America/Toronto"})
	return sim
}

// Whatever batches come, repeats and restarts included, the day is the sum that
// the mode promises over lines whose content is a function of their id.
func TestSumsAreExactInEveryMode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode := rapid.SampledFrom([]string{wisksim.Replace, wisksim.Ignore, wisksim.Refuse, wisksim.DoubleCount}).Draw(t, "mode")
		dir := tempDir(t)
		sim := openSim(t, filepath.Join(dir, "state"), mode)
		seen, times := map[string]bool{}, map[string]int64{}
		for range rapid.IntRange(1, 8).Draw(t, "batches") {
			ids := rapid.SliceOfN(rapid.IntRange(0, 12), 1, 6).Draw(t, "ids")
			var lines []wire.Line
			fresh := map[string]bool{}
			clean := true
			for _, n := range ids {
				l := ofID(n)
				clean = clean && !seen[l.ID] && !fresh[l.ID]
				fresh[l.ID] = true
				lines = append(lines, l)
			}
			body, err := json.Marshal(lines)
			require.NoError(t, err)
			status, _ := post(sim, string(body))
			want := http.StatusOK
			if mode == wisksim.Refuse && !clean {
				want = http.StatusBadRequest
			}
			require.Equal(t, want, status)
			for _, l := range lines {
				switch {
				case status != http.StatusOK:
				case !seen[l.ID] || mode == wisksim.DoubleCount:
					seen[l.ID] = true
					times[l.ID]++
				}
			}
			if rapid.Bool().Draw(t, "restart") {
				require.NoError(t, sim.Close())
				sim = openSim(t, filepath.Join(dir, "state"), mode)
			}
		}
		quantity, total := decimal.Zero, decimal.Zero
		for n := range 13 {
			l := ofID(n)
			count := decimal.NewFromInt(times[l.ID])
			quantity = quantity.Add(decimal.RequireFromString(string(l.Quantity)).Mul(count))
			total = total.Add(decimal.RequireFromString(string(l.Total)).Mul(count))
		}
		days, err := sim.Sales(marcel, "", "")
		require.NoError(t, err)
		if len(seen) > 0 {
			require.Len(t, days, 1)
			require.Equal(t, quantity.String(), string(days[0].Quantity))
			require.Equal(t, total.StringFixed(2), string(days[0].Total))
		}
		require.Empty(t, sim.Check())
		require.NoError(t, sim.Close())
	})
}

// ofID is a line whose content is a function of its id.
func ofID(n int) wire.Line {
	d := decimal.NewFromInt(int64(n - 6))
	if d.IsZero() {
		d = decimal.NewFromInt(1)
	}
	return wire.Line{
		ID: "l" + decimal.NewFromInt(int64(n)).String(), Date: "2026-11-03T23:00:00Z", PLU: string(rune('a' + n%3)), Title: "Item",
		Quantity: wire.Decimal(d.Div(decimal.NewFromInt(8)).String()), Total: wire.Decimal(d.Mul(decimal.RequireFromString("1.10")).StringFixed(2)),
	}
}

// FuzzUpload: whatever comes is answered; what is not accepted leaves nothing
// behind, and what is accepted is held to the letter.
func FuzzUpload(f *testing.F) {
	f.Add("[" + good + "]")
	f.Add("[" + good + "," + strings.Replace(good, `"1"`, `"2"`, 1) + "]")
	f.Add(`[{"id":"1","date":"2026-11-03T23:00:00","plu_number":"4","title":"x","quantity":-1e9,"total":null}]`)
	f.Add(`[{"id":"\u0000","date":"0000-01-01T00:00:00+23:59","plu_number":"4","title":"x","quantity":0.000000001,"total":-0.00}]`)
	f.Add(`[[],{},null,5,"x"]`)
	f.Add(`{"lines":[]}`)
	f.Fuzz(func(t *testing.T, body string) {
		sim := openSim(t, "", wisksim.Replace)
		defer sim.Close()
		status, answer := post(sim, body)
		held, err := sim.Lines(marcel, "", "")
		require.NoError(t, err)
		var refusal wire.Refusal
		if status != http.StatusOK {
			require.Contains(t, []int{400, 413}, status)
			require.NoError(t, json.Unmarshal([]byte(answer), &refusal))
			require.NotEmpty(t, refusal.Error)
			require.Empty(t, held)
			return
		}
		var sent []wire.Line
		require.NoError(t, json.Unmarshal([]byte(body), &sent))
		last := map[string]wire.Line{}
		for _, l := range sent {
			last[l.ID] = l
		}
		require.Len(t, held, len(last))
		for _, h := range held {
			require.Equal(t, last[h.Line.ID], h.Line)
		}
		again, _ := post(sim, body)
		require.Equal(t, http.StatusOK, again)
		_, err = sim.Sales(marcel, "", "")
		require.NoError(t, err)
	})
}

// tempDir is a folder of one run of a property.
func tempDir(t *rapid.T) string {
	dir, err := os.MkdirTemp("", "wisksim")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
