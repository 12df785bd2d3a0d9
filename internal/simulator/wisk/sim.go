// Package wisksim is a strict stand-in for WISK, for the demo, tests and
// benchmarks: its upload API, what it makes of the lines (POS items, sums per
// business day), and its own reading of Cluster. It has a switch for every
// behaviour that the reference (WISK, sections 2 to 6) leaves open. It shares
// no code with the clients or with package sale, so that it checks them.
package wisksim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk/wire"
	"github.com/clustersystems/clusterbridge/internal/simulator/kit"
)

// Options make a simulator.
type Options struct {
	// Clock is business time, which dates what is held and decides how far back
	// history reaches; nil means the machine's. Delays and rates are real time.
	Clock clock.Clock
	// Log gets what would interest WISK's operators; nil means nobody.
	Log *slog.Logger
	// StateFile keeps what the simulator holds, as JSON lines that are only
	// appended, POS integrations with their keys included; used by Open. Venues
	// are not kept.
	StateFile string
	// Switches are the behaviours at the start; nil means Defaults.
	Switches *Switches
	// ClusterURL is where POS integrations of type Cluster read.
	ClusterURL string
	// PullEvery is how often, in business time, integrations look for new
	// sales (reference: every 6 hours); 0 means only when told to.
	PullEvery time.Duration
}

// Venue is one venue of the simulated WISK.
type Venue struct {
	// ID is the unique identifier that WISK hands out, and that uploads state.
	ID            string
	Name, Address string
	// Zone is IANA; the venue's days go from 05:00 to 05:00 in it.
	Zone string
}

// Sim is the simulated WISK, an http.Handler. All methods may be called at any
// time, also while it serves.
type Sim struct {
	options Options
	clock   clock.Clock
	log     *slog.Logger
	mux     *http.ServeMux
	client  *http.Client // to Cluster
	rates   *kit.Rates
	faults  kit.Faults

	mu           sync.Mutex
	switches     Switches
	venues       map[string]*venue
	integrations []*integration
	seq          int64 // of lines
	counters     Counters
	broken       []Violation
	journal      *kit.Journal

	life  context.Context // ends with Close
	end   context.CancelFunc
	close sync.Once
	begun sync.WaitGroup // strays, imports and the ticker
}

// New makes a simulator that keeps nothing.
func New(o Options) *Sim {
	if o.Clock == nil {
		o.Clock = clock.Real()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	switches := Defaults()
	if o.Switches != nil {
		switches = *o.Switches
	}
	s := &Sim{
		options: o, clock: o.Clock, log: o.Log, switches: switches,
		client: &http.Client{Transport: &http.Transport{}, Timeout: clusterTimeout},
		rates:  kit.NewRates("source"), venues: map[string]*venue{},
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.mux = s.routes()
	if o.PullEvery > 0 {
		s.begin(s.tick)
	}
	return s
}

// Open makes a simulator that keeps what it holds in Options.StateFile, and
// begins with what the file holds.
func Open(o Options) (*Sim, error) {
	s := New(o)
	if o.StateFile == "" {
		return s, nil
	}
	journal, err := kit.OpenJournal(o.StateFile, func(e event) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.redo(e)
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("simulated WISK: state file: %w", err), s.Close())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal = journal
	return s, nil
}

// Close ends delays and pulls and closes the state file. Stray uploads that
// still wait have their effect first.
func (s *Sim) Close() error {
	var err error
	s.close.Do(func() {
		s.mu.Lock()
		s.end()
		s.mu.Unlock()
		s.begun.Wait()
		s.client.CloseIdleConnections()
		s.mu.Lock()
		defer s.mu.Unlock()
		err = s.journal.Close()
		s.journal = nil
	})
	return err
}

// begin does something beside what is served; Close waits for it, and after
// Close nothing begins.
func (s *Sim) begin(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.Err() == nil {
		s.begun.Go(do)
	}
}

// AddVenue adds a venue, or replaces what is known of it but not what it
// holds. It panics when the zone is no IANA zone: a simulator's set-up is code.
func (s *Sim) AddVenue(v Venue) {
	zone, err := time.LoadLocation(v.Zone)
	if err != nil || v.Zone == "" || v.ID == "" {
		panic("wisksim: a venue needs an id and an IANA zone: " + v.ID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.hold(v.ID)
	known.Venue, known.zone, known.known = v, zone, true
	s.rates.Name(v.ID)
}

// errNoVenue is answered where a person or a test names a venue.
var errNoVenue = errors.New("no such venue")

// venue is a known venue. The caller holds s.mu.
func (s *Sim) venue(id string) (*venue, error) {
	v := s.venues[id]
	if v == nil || !v.known {
		return nil, fmt.Errorf("%w: %q", errNoVenue, id)
	}
	return v, nil
}

// ServeHTTP implements http.Handler: the API, the browsable pages and /_sim/.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Sim) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc(wire.PathUpload, s.exchange)
	mux.HandleFunc("/public/", s.nowhere)
	mux.HandleFunc("GET /_sim/state", s.serveState)
	mux.HandleFunc("POST /_sim/switches", s.serveSwitches)
	mux.HandleFunc("POST /_sim/faults", s.serveFaults)
	mux.HandleFunc("GET /_sim/sales", s.serveSales)
	mux.HandleFunc("GET /_sim/lines", s.serveLines)
	mux.HandleFunc("GET /_sim/items", s.serveItemList)
	mux.HandleFunc("POST /_sim/items", s.serveItemAct)
	mux.HandleFunc("POST /_sim/integrations", s.serveIntegration)
	mux.HandleFunc("POST /_sim/integrations/act", s.serveIntegrationAct)
	mux.HandleFunc("GET /{$}", s.pageVenues)
	mux.HandleFunc("GET /venues/{venue}", s.pageDays)
	mux.HandleFunc("GET /venues/{venue}/days/{day}", s.pageDay)
	mux.HandleFunc("GET /venues/{venue}/days/{day}/items/{plu}", s.pageLines)
	mux.HandleFunc("GET /venues/{venue}/items", s.pageItems)
	mux.HandleFunc("POST /venues/{venue}/items", s.pageItemAct)
	mux.HandleFunc("GET /venues/{venue}/settings", s.pageSettings)
	mux.HandleFunc("POST /venues/{venue}/integrations", s.pageAddIntegration)
	mux.HandleFunc("POST /venues/{venue}/integrations/{id}", s.pageIntegrationAct)
	return mux
}
