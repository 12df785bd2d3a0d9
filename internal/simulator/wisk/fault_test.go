package wisksim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/partner/wisk/wire"
	"github.com/clustersystems/clusterbridge/internal/simulator/kit"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
)

func TestEveryFaultHasItsEffectOrNot(t *testing.T) {
	const held = "2/21.50 4=2/21.50"
	for kind, c := range map[string]struct {
		status int // 0: no whole answer
		held   string
	}{
		kit.FaultStatus: {503, ""}, kit.FaultDrop: {0, ""}, kit.FaultGarbage: {200, ""}, kit.FaultSlow: {200, held},
		kit.FaultCommitStatus: {503, held}, kit.FaultCommitDrop: {0, held}, kit.FaultCommitGarbage: {200, held},
		kit.FaultCommitTruncate: {0, held}, kit.FaultCommitTimeout: {0, held},
	} {
		t.Run(kind, func(t *testing.T) {
			s := newStand(t, wisksim.Options{}, func(w *wisksim.Switches) { w.Answer = wisksim.AnswerJSON })
			s.client.Transport.(*http.Transport).DisableKeepAlives = true // or the client itself tries again
			require.NoError(t, s.sim.Inject(
				kit.Fault{Kind: kind, Status: 503, Delay: kit.Duration(time.Millisecond), Source: marcel, Path: "sales"},
				kit.Fault{Kind: kit.FaultDrop, Source: "v-other", Times: 9},
			))
			res, _, err := s.try(http.MethodPost, wire.PathUpload, "["+good+"]")
			if c.status == 0 {
				require.Error(t, err)
			} else {
				require.NoError(t, err)
				require.Equal(t, c.status, res.StatusCode)
			}
			require.Equal(t, c.held, s.day("2026-11-03"))
			require.Equal(t, 1, s.sim.Counters().Faults)
			s.sim.ClearFaults()
			status, _ := s.upload(line("1"))
			require.Equal(t, 200, status)
			require.Equal(t, held, s.day("2026-11-03"))
		})
	}
}

// A stray upload has its effect after later ones of the same id, at the latest
// when the simulator closes.
func TestAStrayUploadIsAppliedLater(t *testing.T) {
	s := newStand(t, wisksim.Options{}, func(w *wisksim.Switches) { w.SameID = wisksim.DoubleCount })
	s.client.Transport.(*http.Transport).DisableKeepAlives = true
	require.NoError(t, s.sim.Inject(
		kit.Fault{Kind: kit.FaultStray, Delay: kit.Duration(time.Millisecond)},
		kit.Fault{Kind: kit.FaultStray, Delay: kit.Duration(time.Hour)},
	))
	_, _, err := s.try(http.MethodPost, wire.PathUpload, "["+good+"]")
	require.Error(t, err)
	require.Eventually(t, func() bool { return s.day("2026-11-03") != "" }, 10*time.Second, time.Millisecond)
	_, _, err = s.try(http.MethodPost, wire.PathUpload, "["+good+"]")
	require.Error(t, err)
	status, _ := s.upload(line("1"))
	require.Equal(t, 200, status)
	require.Equal(t, "4/43.00 4=4/43.00", s.day("2026-11-03"))
	require.NoError(t, s.sim.Close())
	require.Equal(t, "6/64.50 4=6/64.50", s.day("2026-11-03"))
}

func TestOneRequestTooManyBlocksTheVenueOrTheSource(t *testing.T) {
	for by, other := range map[string]int{wisksim.ByVenue: 200, wisksim.BySource: 429} {
		t.Run(by, func(t *testing.T) {
			s := newStand(t, wisksim.Options{}, func(w *wisksim.Switches) {
				w.PerSecond, w.LimitBy, w.Block, w.RetryAfter = 2, by, kit.Duration(time.Hour), true
			})
			s.sim.AddVenue(wisksim.Venue{ID: "v-lune", Name: "Lune", Zone: "America/Toronto"})
			for range 3 {
				_, _ = s.upload(line("1"))
			}
			res, _, err := s.try(http.MethodPost, wire.PathUpload, "["+good+"]")
			require.NoError(t, err)
			require.Equal(t, 429, res.StatusCode)
			require.Equal(t, "3600", res.Header.Get("Retry-After"))
			require.NoError(t, s.sim.Switch(func(w *wisksim.Switches) { w.RetryAfter = false }))
			res, _, err = s.try(http.MethodPost, wire.PathUpload, "["+good+"]")
			require.NoError(t, err)
			require.Equal(t, 429, res.StatusCode)
			require.Empty(t, res.Header.Get("Retry-After"))
			rate := s.sim.Rates()[0]
			require.Equal(t, 5, rate.Requests)
			require.Equal(t, 3, rate.Limited)
			require.Equal(t, 3, s.sim.Counters().Limited)
			require.NotContains(t, rate.Source, marcel)
			s.venue = "v-lune"
			status, _ := s.upload(line("1"))
			require.Equal(t, other, status)
			s.sim.ResetRates()
			status, _ = s.upload(line("2"))
			require.Equal(t, 200, status)
		})
	}
}

func TestSwitchesThatMakeNoSenseAreRefusedWhole(t *testing.T) {
	s := newStand(t, wisksim.Options{})
	for _, bad := range []string{
		`{"same_id":"perhaps"}`, `{"limit_by":"moon"}`, `{"answer":"song"}`, `{"too_many":429}`, `{"header_venue":""}`,
		`{"refused_ids":"[a"}`, `{"max_lines":-1}`, `{"called_off_after":0}`, `{"history_months":-1}`, `{"colour":"red"}`, `{`, `{"block":"soon"}`,
		`{"name_lines":false,"same_id":""}`,
	} {
		status, _ := s.do(http.MethodPost, "/_sim/switches", bad)
		require.Equal(t, 400, status, bad)
	}
	require.True(t, s.sim.Switches().NameLines)
	status, body := s.do(http.MethodPost, "/_sim/switches", `{"same_id":"ignore","too_many":400,"max_lines":1,"refused_plus":["9"]}`)
	require.Equal(t, 200, status, body)
	switches := s.sim.Switches()
	require.Equal(t, wisksim.Ignore, switches.SameID)
	require.True(t, switches.RequireOffset, "what is left out stays")
	switches.RefusedPLUs[0] = "4"
	status, _ = s.do(http.MethodPost, "/_sim/switches", `{"refused_plus":["4"],"same_id":"perhaps"}`)
	require.Equal(t, 400, status)
	require.Equal(t, []string{"9"}, s.sim.Switches().RefusedPLUs)
	status, refusal := s.upload(line("1"), line("2"))
	require.Equal(t, 400, status)
	require.Equal(t, wire.CodeTooMany, refusal.Error)
	status, _ = s.upload(line("1"))
	require.Equal(t, 200, status, "what was handed out changes nothing")
}

func TestSteeringFromAnotherProcess(t *testing.T) {
	s := newStand(t, wisksim.Options{})
	status, body := s.do(http.MethodPost, "/_sim/faults", `{"faults":[{"kind":"status","status":503,"skip":1,"times":2}],"reset_rates":true}`)
	require.Equal(t, 200, status, body)
	var got []int
	for range 4 {
		status, _ := s.do(http.MethodPost, wire.PathUpload, "["+good+"]")
		got = append(got, status)
	}
	require.Equal(t, []int{200, 503, 503, 200}, got)
	for _, bad := range []string{`{"faults":[{"kind":"explode"}]}`, `{"break":1}`, `{`} {
		status, _ = s.do(http.MethodPost, "/_sim/faults", bad)
		require.Equal(t, 400, status, bad)
	}
	status, _ = s.do(http.MethodPost, "/_sim/faults", `{"faults":[{"kind":"drop"}]}`)
	require.Equal(t, 200, status)
	status, body = s.do(http.MethodPost, "/_sim/faults", `{"clear":true}`)
	require.Equal(t, 200, status)
	require.Contains(t, body, `"faults": []`)

	status, body = s.do(http.MethodGet, "/_sim/sales?venue="+marcel+"&from=2026-11-03&to=2026-11-03", "")
	require.Equal(t, 200, status)
	require.Contains(t, body, `"total": 21.50`)
	status, body = s.do(http.MethodGet, "/_sim/lines?venue="+marcel+"&day=2026-11-03&plu=4", "")
	require.Equal(t, 200, status)
	require.Contains(t, body, `"id": "1"`)
	status, _ = s.do(http.MethodPost, "/_sim/items", `{"venue":"`+marcel+`","plu_number":"4","act":"map","to":"gin"}`)
	require.Equal(t, 200, status)
	status, body = s.do(http.MethodGet, "/_sim/items?venue="+marcel, "")
	require.Equal(t, 200, status)
	require.Contains(t, body, `"mapped_to": "gin"`)
	for path, want := range map[string]int{
		"/_sim/sales?venue=v-nobody": 404, "/_sim/sales?venue=" + marcel + "&from=x": 400, "/_sim/lines": 404, "/_sim/items": 404,
	} {
		status, _ = s.do(http.MethodGet, path, "")
		require.Equal(t, want, status, path)
	}
	_, body = s.do(http.MethodGet, "/_sim/state", "")
	require.Contains(t, body, `"uploads": 2`)
}
