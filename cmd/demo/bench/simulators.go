package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/clustersystems/clusterbridge/internal/clock"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
)

// scene is what the simulators play: venues of one company with orders that
// are closed already. It replaces the scene before.
type scene struct {
	Name   string `json:"name"`
	Venues int    `json:"venues"`
	Orders int    `json:"orders"` // of all venues together
	// PerSecond is the partner's limit; 0 lifts it.
	PerSecond int `json:"perSecond"`
}

// of is how many orders the i-th venue has.
func (s scene) of(i int) int {
	n := s.Orders / s.Venues
	if i < s.Orders%s.Venues {
		n++
	}
	return n
}

// stage serves whatever scene is played.
type stage struct {
	clock  clock.Clock
	mu     sync.Mutex
	tills  atomic.Pointer[clustersim.Sim]
	shifts atomic.Pointer[sevenshiftssim.Sim]
}

// simulators is the process of that role; its argument is the business clock.
func simulators(args []string) error {
	c, err := clock.Parse(args[0])
	if err != nil {
		return err
	}
	s := &stage{clock: c}
	if err := s.play(scene{Name: "none", Venues: 1}); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	control := http.NewServeMux()
	control.HandleFunc("POST /scene", s.servePlay)
	control.HandleFunc("POST /close", s.serveClose)
	control.HandleFunc("GET /seen", s.serveSeen)
	control.HandleFunc("POST /reset-rates", func(http.ResponseWriter, *http.Request) { s.shifts.Load().ResetRates() })
	var at []string
	var servers []*http.Server
	for _, h := range []http.Handler{
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.tills.Load().ServeHTTP(w, r) }),
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.shifts.Load().ServeHTTP(w, r) }),
		control,
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		server := &http.Server{Handler: h, ReadHeaderTimeout: readyWithin}
		servers, at = append(servers, server), append(at, "http://"+l.Addr().String())
		go func() { _ = server.Serve(l) }() // ends with Close below
	}
	fmt.Println(ready, strings.Join(at, " "))
	<-ctx.Done()
	for _, server := range servers {
		err = errors.Join(err, server.Close())
	}
	return err
}

func (s *stage) play(p scene) error {
	switches := sevenshiftssim.Defaults()
	switches.PerSecond = p.PerSecond
	shifts := sevenshiftssim.New(sevenshiftssim.Options{Clock: s.clock, Switches: &switches})
	tills := clustersim.New(clustersim.Options{Clock: s.clock})
	shifts.AddCompany(sevenshiftssim.Company{ID: firstCompany, Name: p.Name})
	for i, v := range venuesOf(p.Name, p.Venues) {
		tills.AddLocation(clustersim.Location{Serial: v.serial(), Key: v.key(), TradeName: v.id(), Zone: zone, Language: "fr"})
		orders := p.of(i)
		for n := range orders {
			closed := closing(n, orders)
			tills.PutAt(v.serial(), meal(n, closed), closed)
		}
		shifts.AddLocation(sevenshiftssim.Location{ID: v.location(), CompanyID: firstCompany, Name: v.id(), Timezone: zone})
		shifts.AddToken(sevenshiftssim.Token{Value: v.token(), Companies: []int64{firstCompany}})
	}
	s.tills.Store(tills)
	if old := s.shifts.Swap(shifts); old != nil {
		return old.Close()
	}
	return nil
}

func (s *stage) servePlay(w http.ResponseWriter, r *http.Request) {
	var p scene
	s.mu.Lock()
	defer s.mu.Unlock()
	err := json.NewDecoder(r.Body).Decode(&p)
	if err == nil {
		err = s.play(p)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

// closed is an order that is closed now, and answers when that was.
type closed struct {
	Serial string    `json:"serial"`
	N      int       `json:"n"`
	At     time.Time `json:"at"`
}

func (s *stage) serveClose(w http.ResponseWriter, r *http.Request) {
	var c closed
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.At = s.clock.Now()
	s.tills.Load().PutAt(c.Serial, meal(c.N, c.At), c.At)
	_ = json.NewEncoder(w).Encode(c)
}

func (s *stage) serveSeen(w http.ResponseWriter, _ *http.Request) {
	_ = json.NewEncoder(w).Encode(s.shifts.Load().State())
}

// sims is how the command talks to the simulators' process.
type sims struct {
	*child
	cluster, shifts, control string
}

func startSimulators(c clock.Calendar, environ []string, log *os.File) (*sims, error) {
	process, err := serve(environ, log, roleSimulators, c.String())
	if err != nil {
		return nil, err
	}
	const listeners = 3
	at := strings.Fields(process.said)
	if len(at) != listeners {
		return nil, errors.Join(errors.New("the simulators did not say where they listen"), process.stop())
	}
	return &sims{process, at[0], at[1], at[2]}, nil
}

// caller asks the processes of the benchmark, which all are on this machine.
var caller = &http.Client{Timeout: time.Minute}

func (s *sims) ask(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, s.control+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	res, err := caller.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the simulators answer %s to %s", res.Status, path)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(out)
}

// check looks at what the simulated 7shifts holds. It fails when anything
// happened that a measurement must not count.
func (s *sims) check(ctx context.Context, receipts int) error {
	var state sevenshiftssim.State
	if err := s.ask(ctx, http.MethodGet, "/seen", nil, &state); err != nil {
		return err
	}
	switch {
	case len(state.Violations) > 0:
		return fmt.Errorf("7shifts saw what must not be: %s", state.Violations[0].What)
	case state.Receipts != receipts || state.Counters.Creates != receipts || state.Counters.Updates != 0:
		return fmt.Errorf("7shifts holds %d receipts after %d creates and %d updates; want %d", state.Receipts, state.Counters.Creates, state.Counters.Updates, receipts)
	}
	return nil
}
