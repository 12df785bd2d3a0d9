package main

import (
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
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// stage serves whatever scene is played.
type stage struct {
	clock  clock.Clock
	mu     sync.Mutex
	tills  atomic.Pointer[clustersim.Sim]
	shifts atomic.Pointer[sevenshiftssim.Sim]
	wisk   atomic.Pointer[wisksim.Sim]
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
	control.HandleFunc("POST /reset-rates", func(http.ResponseWriter, *http.Request) { s.shifts.Load().ResetRates() })
	var at []string
	var servers []*http.Server
	for _, h := range []http.Handler{
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.tills.Load().ServeHTTP(w, r) }),
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.shifts.Load().ServeHTTP(w, r) }),
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.wisk.Load().ServeHTTP(w, r) }),
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
	uploads := wisksim.Defaults()
	uploads.PerSecond = p.PerSecond
	wisk := wisksim.New(wisksim.Options{Clock: s.clock, Switches: &uploads})
	tills := clustersim.New(clustersim.Options{Clock: s.clock})
	for i := range p.companies() {
		shifts.AddCompany(sevenshiftssim.Company{ID: firstCompany + int64(i), Name: p.Name})
	}
	for i, v := range p.venues() {
		tills.AddLocation(clustersim.Location{Serial: v.serial(), Key: v.key(), TradeName: v.id(), Zone: zone, Language: "fr"})
		for n := range p.of(i) {
			closed := p.closed(i, n)
			tills.PutAt(v.serial(), meal(n, closed), closed)
		}
		if v.partner == work.Wisk {
			wisk.AddVenue(wisksim.Venue{ID: v.token(), Name: v.id(), Zone: zone})
			continue
		}
		shifts.AddLocation(sevenshiftssim.Location{ID: v.location(), CompanyID: v.company, Name: v.id(), Timezone: zone})
		shifts.AddToken(sevenshiftssim.Token{Value: v.token(), Companies: []int64{v.company}})
	}
	s.tills.Store(tills)
	oldShifts, oldWisk := s.shifts.Swap(shifts), s.wisk.Swap(wisk)
	if oldShifts == nil {
		return nil
	}
	return errors.Join(oldShifts.Close(), oldWisk.Close())
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

// sims is how the command talks to the simulators' process.
type sims struct {
	*child
	cluster, shifts, wisk, control string
}

func startSimulators(c clock.Calendar, environ []string, log *os.File) (*sims, error) {
	process, err := serve(environ, log, roleSimulators, c.String())
	if err != nil {
		return nil, err
	}
	const listeners = 4
	at := strings.Fields(process.said)
	if len(at) != listeners {
		return nil, errors.Join(errors.New("the simulators did not say where they listen"), process.stop())
	}
	return &sims{process, at[0], at[1], at[2], at[3]}, nil
}
