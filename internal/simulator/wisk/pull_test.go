package wisksim_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	cluster "github.com/clustersystems/clusterbridge/internal/cluster/wire"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
)

// hands is a clock that moves when told to.
type hands struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hands) Until(t time.Time) time.Duration { return t.Sub(h.Now()) }

func (h *hands) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// relay is a simulated Cluster of two tills, and a WISK that may read it.
type relay struct {
	*stand
	tills *clustersim.Sim
	clock *hands
	setup wisksim.Setup
}

func newRelay(t *testing.T, c clustersim.Options, o wisksim.Options) *relay {
	t.Helper()
	r := &relay{clock: &hands{now: now}}
	c.Clock, o.Clock = r.clock, r.clock
	r.tills = clustersim.New(c)
	for _, serial := range []string{"CL-1", "CL-2"} {
		r.tills.AddLocation(clustersim.Location{Serial: serial, Key: "key-of-" + serial, TradeName: "Marcel " + serial, Zone: "America/Toronto"})
	}
	server := httptest.NewServer(r.tills)
	t.Cleanup(server.Close)
	o.ClusterURL = server.URL
	r.stand = newStand(t, o)
	r.setup = wisksim.Setup{Venue: marcel, Pairs: []wisksim.Pair{{Serial: "CL-1", Key: "key-of-CL-1"}, {Serial: "CL-2", Key: "key-of-CL-2"}}}
	return r
}

func (r *relay) add() wisksim.Integration {
	r.Helper()
	added, err := r.sim.AddIntegration(context.Background(), r.setup)
	require.NoError(r, err)
	return added
}

func (r *relay) pull() error {
	r.Helper()
	return r.sim.PullNow(context.Background(), marcel)
}

// order is a closed order of one line: vodka with two modifiers, 2 x (8.00 +
// 1.50 + 0) less a discount of 1.00.
func order(id string, opened time.Time) clustersim.Order {
	return clustersim.Order{
		ID: cluster.Text(id), OpenedAt: cluster.At(opened), ClosedAt: cluster.At(opened.Add(time.Hour)), Status: cluster.StatusClosed,
		Lines: []clustersim.Line{{
			ID: "1", ItemID: "titos", Name: "Tito's", Quantity: "2", UnitPrice: 800, Discount: 100, Net: 1800,
			Modifiers: []clustersim.Modifier{{ID: "m2", Name: "Tonic", Quantity: "1", Price: 150}, {ID: "m1", Name: "No ice", Quantity: "1"}},
		}},
	}
}

func TestPairsAreVerifiedBeforeTheyAreSaved(t *testing.T) {
	r := newRelay(t, clustersim.Options{}, wisksim.Options{})
	r.tills.AddLocation(clustersim.Location{Serial: "CL-3", Key: "k3", Zone: "America/Toronto", NotActivated: true})
	r.tills.AddLocation(clustersim.Location{Serial: "CL-4", Key: "k4", Zone: "America/Toronto"})
	r.tills.SetOffline("CL-4", true)
	for trouble, pair := range map[string]wisksim.Pair{
		wisksim.TroubleKey: {Serial: "CL-1", Key: "wrong"}, wisksim.TroubleSerial: {Serial: "CL-9", Key: "key-of-CL-1"},
		wisksim.TroubleActivation: {Serial: "CL-3", Key: "k3"}, wisksim.TroubleOffline: {Serial: "CL-4", Key: "k4"},
	} {
		setup := r.setup
		setup.Pairs = []wisksim.Pair{{Serial: "CL-2", Key: "key-of-CL-2"}, pair}
		_, err := r.sim.AddIntegration(context.Background(), setup)
		var at *wisksim.PairError
		require.ErrorAs(t, err, &at, trouble)
		require.Equal(t, wisksim.PairError{Serial: pair.Serial, Trouble: trouble}, *at)
		require.NotContains(t, err.Error(), pair.Key)
	}
	r.tills.Faults().Add(clustersim.Fault{Garbage: true})
	_, err := r.sim.AddIntegration(context.Background(), r.setup)
	require.ErrorContains(t, err, "no answer that can be read")
	for _, change := range []func(*wisksim.Setup){
		func(p *wisksim.Setup) { p.Venue = "v-nobody" },
		func(p *wisksim.Setup) { p.Pairs = nil },
		func(p *wisksim.Setup) { p.Pairs = append(p.Pairs, p.Pairs[0]) },
		func(p *wisksim.Setup) { p.Pairs = []wisksim.Pair{{Serial: "CL-1"}} },
		func(p *wisksim.Setup) { p.SeparateModifiers = true },
	} {
		setup := r.setup
		change(&setup)
		_, err := r.sim.AddIntegration(context.Background(), setup)
		require.Error(t, err)
	}
	require.Empty(t, r.sim.Integrations(""))
	added := r.add()
	require.Equal(t, wisksim.Initializing, added.Status)
	require.Empty(t, added.Pairs[0].Key, "shown once: never")
}

func TestAPullMakesItemsOfModifiersAsItsOptionsSay(t *testing.T) {
	for name, c := range map[string]struct {
		include, separate bool
		want              string
	}{
		"off":      {false, false, "2/18.00 titos=2/18.00"},
		"included": {true, false, "2/18.00 titos-m1-m2=2/18.00"},
		"separate": {true, true, "6/18.00 m1=2/0.00 m2=2/3.00 titos=2/15.00"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelay(t, clustersim.Options{}, wisksim.Options{})
			r.tills.PutAt("CL-1", order("7", now.Add(-20*time.Hour)), now.Add(-19*time.Hour))
			r.setup.IncludeModifiers, r.setup.SeparateModifiers = c.include, c.separate
			r.add()
			require.NoError(t, r.pull())
			require.Equal(t, c.want, r.day("2026-11-03"))
			items, err := r.sim.Items(marcel)
			require.NoError(t, err)
			if name == "included" {
				require.Equal(t, "Tito's + No ice + Tonic", items[0].Title)
			}
		})
	}
}

// What changes at the till replaces what was read; a voided order is gone.
func TestAPullReadsHistoryAndThenWhatChanged(t *testing.T) {
	for name, options := range map[string]clustersim.Options{
		"plain": {}, "pages of two": {PageLimit: 2}, "no modified filter": {NoModified: true}, "pages twice": {PageLimit: 2, DuplicatePages: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelay(t, options, wisksim.Options{})
			put := func(serial, id string, opened time.Time, change func(*clustersim.Order)) {
				o := order(id, opened)
				if change != nil {
					change(&o)
				}
				r.tills.PutAt(serial, o, r.clock.Now())
			}
			for i, age := range []int{1, 30, 100, 180, 190} {
				opened := now.AddDate(0, 0, -age)
				r.tills.PutAt("CL-1", order(string(rune('a'+i)), opened), opened)
			}
			put("CL-2", "a", now.AddDate(0, 0, -1), nil) // equal order numbers
			put("CL-2", "open", now.AddDate(0, 0, -1), func(o *clustersim.Order) { o.Status = cluster.StatusOpen })
			put("CL-2", "merged", now.AddDate(0, 0, -1), func(o *clustersim.Order) { o.MergedInto = "a" })
			r.tills.PutRaw("CL-2", "bad", []byte(`{"id":[]}`))
			r.add()
			require.NoError(t, r.pull())
			held := func() int {
				lines, err := r.sim.Lines(marcel, "", "")
				require.NoError(t, err)
				return len(lines)
			}
			require.Equal(t, 5, held(), "six months, not more")
			require.Equal(t, "4/36.00 titos=4/36.00", r.day("2026-11-03"))
			i := r.sim.Integrations(marcel)[0]
			require.Equal(t, wisksim.Healthy, i.Status)
			require.Positive(t, i.Malformed)
			require.Equal(t, now, i.LastImport)

			r.clock.move(6 * time.Hour)
			put("CL-1", "a", now.AddDate(0, 0, -1), func(o *clustersim.Order) { o.Lines[0].Quantity, o.Lines[0].Net = "1", 900 })
			put("CL-2", "a", now.AddDate(0, 0, -1), func(o *clustersim.Order) { o.Status = cluster.StatusVoided })
			require.NoError(t, r.pull())
			require.Equal(t, "1/9.00 titos=1/9.00", r.day("2026-11-03"))
			require.Equal(t, 4, held())
			pulled := r.sim.Counters().Pulled
			require.NoError(t, r.pull())
			require.Equal(t, pulled, r.sim.Counters().Pulled, "nothing changed")
			i = r.sim.Integrations(marcel)[0]
			require.Equal(t, now.Add(6*time.Hour), i.LastImport)
		})
	}
}

// A venue that is uploaded to and also pulls holds everything twice, and says
// so.
func TestUploadAndPullTogetherDouble(t *testing.T) {
	r := newRelay(t, clustersim.Options{}, wisksim.Options{})
	r.tills.PutAt("CL-1", order("7", now.Add(-20*time.Hour)), now)
	r.add()
	require.NoError(t, r.pull())
	list, err := r.sim.Doubled(marcel)
	require.NoError(t, err)
	require.Empty(t, list)
	status, _ := r.upload(line("CL-1:7:1"))
	require.Equal(t, 200, status)
	require.Equal(t, "4/39.50 4=2/21.50 titos=2/18.00", r.day("2026-11-03"))
	list, err = r.sim.Doubled(marcel)
	require.NoError(t, err)
	require.Equal(t, []string{"2026-11-03"}, list)
	days, err := r.sim.Sales(marcel, "", "")
	require.NoError(t, err)
	require.Equal(t, "upload", days[0].Sources[0].Source)
	require.EqualValues(t, "21.50", days[0].Sources[0].Total)
	require.Equal(t, "pull 1", days[0].Sources[1].Source)
	require.EqualValues(t, "18.00", days[0].Sources[1].Total)
	_, page := r.do(http.MethodGet, "/venues/"+marcel+"/days/2026-11-03", "")
	require.Contains(t, page, "held twice")
	_, state := r.do(http.MethodGet, "/_sim/state", "")
	require.NotContains(t, state, "key-of")
	require.Contains(t, state, `"doubled": [`)
}

// Complaint 25: failed on the first failure, called off after ten in a row,
// resumed by hand, and then nothing is missing.
func TestTooManyFailuresCallAnIntegrationOff(t *testing.T) {
	r := newRelay(t, clustersim.Options{}, wisksim.Options{})
	id := r.add().ID
	require.NoError(t, r.pull())
	status := func() string { return r.sim.Integrations(marcel)[0].Status }
	require.Equal(t, wisksim.Healthy, status())
	r.tills.SetOffline("CL-2", true)
	r.tills.PutAt("CL-1", order("7", now.Add(-20*time.Hour)), now)
	require.Error(t, r.pull())
	require.Equal(t, wisksim.Failed, status())
	require.Equal(t, "2/18.00 titos=2/18.00", r.day("2026-11-03"), "the other till is read all the same")
	r.tills.SetOffline("CL-2", false)
	require.NoError(t, r.pull())
	require.Equal(t, wisksim.Healthy, status())
	require.Error(t, r.sim.ResumeIntegration(id))

	r.tills.SetOffline("CL-2", true)
	for range 10 {
		require.NotEqual(t, wisksim.CalledOff, status())
		r.clock.move(6 * time.Hour)
		require.Error(t, r.pull())
	}
	require.Equal(t, wisksim.CalledOff, status())
	require.Contains(t, r.sim.Integrations(marcel)[0].Reason, "CL-2: the terminal is offline")
	r.tills.PutAt("CL-2", order("8", now), now)
	r.tills.SetOffline("CL-2", false)
	require.NoError(t, r.pull(), "halted")
	require.Empty(t, r.day("2026-11-04"))
	require.NoError(t, r.sim.ResumeIntegration(id))
	require.Equal(t, wisksim.Failed, status())
	require.NoError(t, r.pull())
	require.Equal(t, wisksim.Healthy, status())
	require.Equal(t, "2/18.00 titos=2/18.00", r.day("2026-11-04"))

	require.NoError(t, r.sim.RemoveIntegration(id))
	require.True(t, r.sim.Integrations(marcel)[0].Removed, "kept as inactive")
	require.Error(t, r.sim.RemoveIntegration(id))
	requests := r.tills.State().Requests[cluster.PathOrders]
	require.NoError(t, r.pull())
	require.Equal(t, requests, r.tills.State().Requests[cluster.PathOrders])
}

func TestWhoLeavesIsNoFailureOfTheTill(t *testing.T) {
	r := newRelay(t, clustersim.Options{}, wisksim.Options{})
	r.add()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, r.sim.PullNow(ctx, ""), context.Canceled)
	require.Equal(t, wisksim.Initializing, r.sim.Integrations("")[0].Status)
}

func TestATickerPullsByBusinessTime(t *testing.T) {
	r := newRelay(t, clustersim.Options{}, wisksim.Options{PullEvery: time.Millisecond})
	r.tills.PutAt("CL-1", order("7", now.Add(-20*time.Hour)), now)
	r.add()
	require.Eventually(t, func() bool { return r.day("2026-11-03") != "" }, 10*time.Second, time.Millisecond)
}

func TestIntegrationsAreSteeredFromAnotherProcess(t *testing.T) {
	r := newRelay(t, clustersim.Options{}, wisksim.Options{})
	r.tills.PutAt("CL-1", order("7", now.Add(-20*time.Hour)), now)
	status, body := r.do(http.MethodPost, "/_sim/integrations", `{"venue":"v-marcel","pairs":[{"serial":"CL-1","key":"wrong"}]}`)
	require.Equal(t, 422, status)
	require.True(t, strings.HasPrefix(body, "key: "), body)
	status, _ = r.do(http.MethodPost, "/_sim/integrations", `{"venue":"v-marcel"}`)
	require.Equal(t, 400, status)
	status, body = r.do(http.MethodPost, "/_sim/integrations", `{"venue":"v-marcel","nickname":"bar","pairs":[{"serial":"CL-1","key":"key-of-CL-1"}],"include_modifiers":true}`)
	require.Equal(t, 200, status)
	require.NotContains(t, body, "key-of")
	require.Eventually(t, func() bool { return r.day("2026-11-03") != "" }, 10*time.Second, time.Millisecond)
	for _, c := range []struct {
		body   string
		status int
	}{
		{`{"act":"pull"}`, 200}, {`{"id":1,"act":"resume"}`, 400}, {`{"id":1,"act":"eat"}`, 400}, {`{"id":1,"act":"remove"}`, 200}, {`{"id":1,"act":"remove"}`, 400},
	} {
		status, body = r.do(http.MethodPost, "/_sim/integrations/act", c.body)
		require.Equal(t, c.status, status, body)
	}
}
