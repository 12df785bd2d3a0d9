package clustersim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestCredentialsAreToldApart(t *testing.T) {
	s := newStage(t, clustersim.Options{})
	s.sim.AddLocation(clustersim.Location{Serial: "CL-9", Key: "k9", Zone: "America/Halifax"})
	for _, c := range []struct {
		serial, key string
		want        work.Code
	}{
		{"CL-1", "wrong", work.ClusterKeyRefused},
		{"CL-1", "", work.ClusterKeyRefused},
		{"CL-1", "k9", work.ClusterKeyRefused},
		{"CL-7", "k1", work.ClusterNoSerial},
	} {
		_, err := s.client.Ping(context.Background(), cluster.Credential{Serial: c.serial, Key: c.key})
		require.Equal(t, c.want, s.code(err), "%+v", c)
	}
	s.sim.SetActivated("CL-1", false)
	_, err := s.client.Ping(context.Background(), s.cred)
	require.Equal(t, work.ClusterNotActivated, s.code(err), "complaint 32")
}

func TestEveryFaultIsATypedError(t *testing.T) {
	s := newStage(t, clustersim.Options{}, func(c *cluster.Config) { c.Timeout = 300 * time.Millisecond; c.MaxBody = 2 << 20 })
	s.sim.Put("CL-1", order("1", noon))
	for name, c := range map[string]struct {
		fault clustersim.Fault
		want  work.Code
	}{
		"500":       {clustersim.Fault{Status: 500}, work.ClusterUnreachable},
		"502":       {clustersim.Fault{Status: 502}, work.ClusterUnreachable},
		"418":       {clustersim.Fault{Status: 418}, work.ClusterRefused},
		"redirect":  {clustersim.Fault{Status: 307}, work.ClusterRefused},
		"429":       {clustersim.Fault{Status: 429, RetryAfter: 7}, work.ClusterLimited},
		"slow":      {clustersim.Fault{Delay: time.Minute}, work.ClusterUnreachable},
		"dropped":   {clustersim.Fault{Drop: true}, work.ClusterUnreachable},
		"truncated": {clustersim.Fault{Truncate: true}, work.ClusterUnreachable},
		"garbage":   {clustersim.Fault{Garbage: true}, work.ClusterMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			c.fault.Path, c.fault.Serial = wire.PathOrders, "CL-1"
			s.sim.Faults().Add(c.fault)
			// Not for other calls, and only as often as asked.
			_, err := s.client.Menu(context.Background(), s.cred)
			require.NoError(t, err)
			q := cluster.OrdersQuery{From: noon.Add(-time.Hour), To: noon.Add(time.Hour), DateField: cluster.Opened}
			_, err = s.client.Orders(context.Background(), s.cred, q)
			require.Equal(t, c.want, s.code(err))
			if c.want == work.ClusterLimited {
				var e *work.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, 7*time.Second, e.Rest)
			}
			for s.sim.Faults().Pending() > 0 { // a dropped request may be retried by the transport
				_, _ = s.client.Orders(context.Background(), s.cred, q)
			}
			page, err := s.client.Orders(context.Background(), s.cred, q)
			require.NoError(t, err)
			require.Len(t, page.Orders, 1)
		})
	}
}

func TestAnAnswerThatIsTooLarge(t *testing.T) {
	s := newStage(t, clustersim.Options{}, func(c *cluster.Config) { c.MaxBody = 1000 })
	for i := range 10 {
		s.sim.Put("CL-1", order(strconv.Itoa(i), noon))
	}
	_, err := s.client.Orders(context.Background(), s.cred, cluster.OrdersQuery{From: noon, To: noon.Add(time.Hour), DateField: cluster.Opened})
	require.Equal(t, work.ClusterMalformed, s.code(err))
	require.Contains(t, err.Error(), "larger than 1000 bytes")
}

func TestTheSimulatorIsStrict(t *testing.T) {
	s := newStage(t, clustersim.Options{})
	good := `{"serial":"CL-1","from":"2026-11-03T00:00:00Z","to":"2026-11-04T00:00:00Z","dateField":"opened"`
	for name, c := range map[string]struct {
		method, path, body string
		want               int
	}{
		"good":           {"POST", "/orders", good + `}`, 200},
		"GET":            {"GET", "/orders", ``, 405},
		"unknown path":   {"POST", "/sales", `{}`, 404},
		"unknown field":  {"POST", "/orders", good + `,"fast":true}`, 400},
		"two objects":    {"POST", "/orders", good + `}{}`, 400},
		"no JSON":        {"POST", "/orders", `serial=CL-1`, 400},
		"serial missing": {"POST", "/ping-pos", `{}`, 400},
		"unknown filter": {"POST", "/orders", strings.Replace(good, "opened", "paid", 1) + `}`, 400},
		"no offset":      {"POST", "/orders", strings.Replace(good, "00:00:00Z", "00:00:00", 1) + `}`, 400},
		"backwards":      {"POST", "/orders", strings.Replace(good, "11-03", "11-05", 1) + `}`, 400},
		"greedy":         {"POST", "/orders", good + `,"limit":501}`, 400},
		"forged token":   {"POST", "/orders", good + `,"pageToken":"abc"}`, 400},
		"impossible day": {"POST", "/day-totals", `{"serial":"CL-1","businessDate":"2026-02-30"}`, 400},
		"too large":      {"POST", "/ping-pos", `{"serial":"` + strings.Repeat("x", 1<<20) + `"}`, 413},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), c.method, s.url+c.path, strings.NewReader(c.body))
			require.NoError(t, err)
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set(wire.HeaderKey, "k1")
			w := httptest.NewRecorder()
			s.sim.ServeHTTP(w, req)
			require.Equal(t, c.want, w.Code, w.Body.String())
		})
	}
}

func TestOtherProcessesSeeStateAndPlanFaults(t *testing.T) {
	s := newStage(t, clustersim.Options{})
	s.sim.Put("CL-1", order("1", noon))
	s.clock.move(time.Second)
	do := func(method, path, body string) *httptest.ResponseRecorder {
		req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.sim.ServeHTTP(w, req)
		return w
	}
	require.Equal(t, 200, do("POST", "/_sim/faults", fmt.Sprintf(`{"path":%q,"times":2,"status":503}`, wire.PathPing)).Code)
	require.Equal(t, 400, do("POST", "/_sim/faults", `{"statuss":500}`).Code)
	_, err := s.client.Ping(context.Background(), s.cred)
	require.Equal(t, work.ClusterOffline, s.code(err))
	require.Equal(t, 200, do("POST", "/_sim/offline", `{"serial":"CL-1","offline":true}`).Code)

	var state clustersim.State
	require.NoError(t, json.Unmarshal(do("GET", "/_sim/state", "").Body.Bytes(), &state))
	require.Equal(t, 1, state.Faults)
	require.Equal(t, map[string]int{wire.PathPing: 1}, state.Requests)
	require.Len(t, state.Locations, 1)
	require.True(t, state.Locations[0].Offline)
	require.Equal(t, 1, state.Locations[0].Orders)
	require.Equal(t, map[string]int{"closed": 1}, state.Locations[0].ByStatus)
}
