package cluster_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
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

func (h *hands) Until(time.Time) time.Duration { return 0 }

func (h *hands) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// noon of a Tuesday in Montreal.
var noon = time.Date(2026, 11, 3, 17, 0, 0, 0, time.UTC)

// failure is the typed error, which tells neither our key nor a person.
func failure(t require.TestingT, err error) *work.Error {
	var e *work.Error
	require.ErrorAs(t, err, &e)
	require.NotContains(t, e.Error(), officeKey)
	require.NotContains(t, e.Error(), "odile")
	return e
}

// tester is what *testing.T and *rapid.T have in common.
type tester interface {
	require.TestingT
	Helper()
	Cleanup(func())
}

// world is a simulated back office over real HTTP, and what an onboarding
// remembers of it.
type world struct {
	t      tester
	sim    *clustersim.Sim
	url    string
	clock  *hands
	base   http.RoundTripper
	memory *memory
	late   []*http.Request // on their way still
	twice  bool            // more than one active key may be, for a moment
}

const (
	officeKey = "office-canary-51d0"
	serial    = "CL-1"
	act       = "onboarding:wisk:r1:CL-1"
)

var wanted = cluster.KeyRequest{Serial: serial, Partner: "wisk", Base: act}

func newWorld(t tester, switches clustersim.OfficeSwitches) *world {
	t.Helper()
	w := &world{t: t, clock: &hands{now: noon}, memory: &memory{intents: map[string]cluster.KeyIntent{}, keys: map[string]vault.Secret{}}}
	w.sim = clustersim.New(clustersim.Options{Clock: w.clock, OfficeKey: officeKey, Office: &switches})
	w.sim.AddLocation(clustersim.Location{
		Serial: serial, Key: "by-hand", TradeName: "Chez Marcel", Address: "4210 rue Saint-Denis, Montreal", Zone: "America/Toronto", Language: "fr",
		Contact: &clustersim.Contact{Name: "Odile Pr\u00e9vost", Email: "odile@example.com"},
	})
	server := httptest.NewServer(w.sim)
	transport := &http.Transport{}
	w.url, w.base = server.URL, transport
	t.Cleanup(func() { transport.CloseIdleConnections(); server.Close() })
	return w
}

// office is a client with a transport of its own on the way.
func (w *world) office(transport http.RoundTripper) *cluster.Office {
	return cluster.NewOffice(cluster.OfficeConfig{BaseURL: w.url, Key: vault.NewSecret(officeKey), Timeout: 5 * time.Second}, transport)
}

// active are the request ids of the active keys, without those of others.
func (w *world) active() (ours, others []string) {
	for _, k := range w.sim.State().Office.Keys {
		switch {
		case !k.Revoked.IsZero():
		case strings.HasPrefix(k.RequestID, "clusterbridge:"):
			ours = append(ours, k.RequestID)
		default:
			others = append(others, k.RequestID)
		}
	}
	return ours, others
}

func (w *world) check() {
	w.t.Helper()
	if ours, _ := w.active(); !w.twice {
		require.LessOrEqual(w.t, len(ours), 1, "active at once: %v", ours)
	}
}

// deliver lets late requests arrive.
func (w *world) deliver() {
	w.t.Helper()
	for _, req := range w.late {
		res, err := w.base.RoundTrip(req)
		require.NoError(w.t, err)
		_ = res.Body.Close()
		w.check()
	}
	w.late = nil
}

// memory is a KeyMemory as a database is one.
type memory struct {
	intents map[string]cluster.KeyIntent
	keys    map[string]vault.Secret
}

func (m *memory) advance(base string, seen, next cluster.KeyIntent) bool {
	if m.intents[base] != seen {
		return false
	}
	m.intents[base] = next
	if next.KeyID == "" {
		delete(m.keys, base)
	}
	return true
}

// run is one process that works on the request: it may die at every step.
type run struct {
	*world
	step   func(what string) string
	nested func()
	dead   bool
}

var errCrash = errors.New("the process died here")

// What happens at a step.
const (
	goOn      = "go on"
	dieBefore = "die before"
	dieAfter  = "die after"
	tooLate   = "arrive late" // the caller gives up, the request does not
	arrivals  = "late ones arrive"
	another   = "another run does it all"
)

// turn makes a step, or half of it.
func (r *run) turn(what string, do func(action string) error) error {
	if r.dead {
		return errCrash
	}
	action := r.step(what)
	switch action {
	case dieBefore:
		r.dead = true
		return errCrash
	case arrivals:
		r.deliver()
	case another:
		r.nested()
	}
	if err := do(action); err != nil {
		return err
	}
	if action == dieAfter {
		r.dead = true
		return errCrash
	}
	return nil
}

// RoundTrip implements http.RoundTripper.
func (r *run) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	require.NoError(r.t, err)
	_ = req.Body.Close()
	var res *http.Response
	err = r.turn("POST "+req.URL.Path, func(action string) error {
		own := req.Clone(req.Context())
		own.Body = io.NopCloser(bytes.NewReader(body))
		if action == tooLate {
			r.late = append(r.late, own.WithContext(context.Background()))
			return errors.New("no answer in time")
		}
		var err error
		res, err = r.base.RoundTrip(own)
		r.check()
		return err
	})
	if err != nil && res != nil {
		_ = res.Body.Close()
		return nil, err
	}
	return res, err
}

func (r *run) Recall(_ context.Context, base string) (intent cluster.KeyIntent, err error) {
	err = r.turn("recall", func(string) error { intent = r.memory.intents[base]; return nil })
	return intent, err
}

func (r *run) Advance(_ context.Context, base string, seen, next cluster.KeyIntent) (done bool, err error) {
	err = r.turn("advance", func(string) error { done = r.memory.advance(base, seen, next); return nil })
	return done, err
}

func (r *run) Keep(_ context.Context, base string, seen cluster.KeyIntent, id string, key vault.Secret) (done bool, err error) {
	err = r.turn("keep", func(string) error {
		next := seen
		next.KeyID = id
		if done = r.memory.advance(base, seen, next); done {
			r.memory.keys[base] = key
		}
		return nil
	})
	return done, err
}

func (r *run) ensure() (string, error) {
	return r.office(r).EnsureKey(context.Background(), r, wanted)
}

func (r *run) withdraw() error { return r.office(r).WithdrawKey(context.Background(), r, wanted) }

// calm is a run that nothing disturbs.
func (w *world) calm() *run { return &run{world: w, step: func(string) string { return goOn }} }

// stormy is a run whose steps are drawn; other is what other runs do meanwhile.
func (w *world) stormy(t *rapid.T, other func(*run)) *run {
	steps := rapid.SampledFrom([]string{goOn, goOn, goOn, goOn, goOn, dieBefore, dieAfter, tooLate, arrivals, another})
	inner := rapid.SampledFrom([]string{goOn, goOn, goOn, goOn, dieBefore, dieAfter, tooLate})
	return &run{
		world: w, step: func(what string) string { return steps.Draw(t, what) },
		nested: func() {
			other(&run{world: w, step: func(what string) string { return inner.Draw(t, "meanwhile "+what) }})
		},
	}
}
