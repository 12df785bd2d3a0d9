package traffic

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
)

// What a seed sells at venues that ask for nothing special never changes: the
// demo's expectations and everything that people noted of a seed depend on it.
func TestPlansStayWhatTheyWere(t *testing.T) {
	history, live := sale.NewDay(2026, time.August, 2), sale.NewDay(2026, time.October, 31)
	troubled := DemoVenues()
	troubled[0].Replacement = &Replacement{Serial: "CL-66001", Day: live.Plus(1)}
	from := time.Date(2026, 11, 1, 18, 0, 0, 0, time.UTC)
	troubled[1].Location.Outages = []clustersim.Outage{{From: from, To: from.Add(25 * time.Hour)}}
	vanished := DemoMinimums()
	vanished.Vanished = 4
	for want, plan := range map[string]*Plan{
		"f24d345185780d15d602f4782843dff7": New(7, DemoVenues(), history, live, 3, DemoMinimums()),
		"3bd8d04a745e42890842a5cc1600202f": New(11, troubled, history, live, 3, vanished),
		"c24a08d78359ed438adbe60710eb3caa": New(20261103, DemoVenues(), live.Plus(-93), live, 31, DemoMinimums()),
		"3b07fa236cb7fa68bed20cdb6504be92": New(3, DemoVenues(), live, live, 2, Minimums{LateEdits: 5}),
	} {
		assert.Equal(t, want, fingerprint(t, plan))
	}
}

// fingerprint is a hash of all that a plan tells: every version of every order
// with what is expected of it, and the menus.
func fingerprint(t *testing.T, p *Plan) string {
	t.Helper()
	h := sha256.New()
	for _, tab := range p.tabs {
		fmt.Fprintln(h, tab.serial, tab.zone, tab.day, tab.live, tab.vanished.UTC(), tab.marks, len(tab.states))
		for _, s := range tab.states {
			order, err := json.Marshal(s.order)
			require.NoError(t, err)
			fmt.Fprintln(h, s.at.UTC(), string(order), s.owed.net, s.owed.cardTips, s.owed.gratuity, s.owed.dead)
		}
	}
	expected, err := json.Marshal(p.Expected(p.End()))
	require.NoError(t, err)
	fmt.Fprintln(h, string(expected), p.End().UTC())
	sim := clustersim.New(clustersim.Options{Clock: clock.Fixed(p.end), NoAsOf: true})
	p.Load(sim)
	for _, v := range p.Venues() {
		request := httptest.NewRequest(http.MethodPost, wire.PathMenu, strings.NewReader(`{"serial":"`+v.Location.Serial+`"}`))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set(wire.HeaderKey, v.Location.Key)
		answer := httptest.NewRecorder()
		sim.ServeHTTP(answer, request)
		_, err := io.Copy(h, answer.Body)
		require.NoError(t, err)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
