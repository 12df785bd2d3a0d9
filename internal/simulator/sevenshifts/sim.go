// Package sevenshiftssim is a strict stand-in for 7shifts' API v2, for the
// demo, tests and benchmarks: it refuses what the real API refuses, processes
// receipts asynchronously, accounts for the rate of requests, and has a switch
// for every behaviour that the reference (7shifts, section 11) leaves open. It
// shares no code with the client or with the packages sale and tips, so that it
// checks them all. People, roles and punches are set up by those who hold the
// Sim; over the API they can only be read.
package sevenshiftssim

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/simulator/kit"
)

// Options make a simulator.
type Options struct {
	// Clock is business time, which dates receipts' changes and bounds lists;
	// nil means the machine's. Delays and rates are real time.
	Clock clock.Clock
	// Log gets what would interest 7shifts' operators; nil means nobody.
	Log *slog.Logger
	// StateFile keeps what the simulator holds, as JSON lines that are only
	// appended; used by Open. Companies, locations and tokens are not kept.
	StateFile string
	// Switches are the behaviours at the start; nil means Defaults.
	Switches *Switches
}

// Company is one company of the simulated 7shifts.
type Company struct {
	ID   int64
	Name string
	GUID string // the grant that OAuth tokens name in x-company-guid
}

// Location is one location of a company.
type Location struct {
	ID, CompanyID int64
	Name, City    string
	// Timezone is shown as it is. When it is no IANA zone the simulator's own
	// days are UTC's.
	Timezone string
}

// Token is a credential.
type Token struct {
	Value string
	// Companies it sees. The first is the one it was made for, and the only one
	// that it reaches from Switches.SingleCompanyFrom on.
	Companies []int64
	// OAuth tokens must name the company in x-company-guid.
	OAuth bool
}

// Sim is the simulated 7shifts, an http.Handler. All methods may be called at
// any time, also while it serves.
type Sim struct {
	clock clock.Clock
	log   *slog.Logger
	mux   *http.ServeMux
	rates *kit.Rates

	mu        sync.Mutex
	switches  Switches
	faults    kit.Faults
	companies map[int64]Company
	locations map[int64]location
	tokens    map[string]Token
	store     store
	staff     staff
	counters  Counters
	broken    []Violation
	journal   *kit.Journal

	closing chan struct{}
	close   sync.Once
	calls   sync.WaitGroup // failure callbacks on their way
}

type location struct {
	Location
	zone *time.Location
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
		clock: o.Clock, log: o.Log, rates: kit.NewRates("token"), switches: switches,
		companies: map[int64]Company{}, locations: map[int64]location{}, tokens: map[string]Token{},
		store: newStore(), staff: newStaff(), closing: make(chan struct{}),
	}
	s.mux = s.routes()
	return s
}

// Open makes a simulator that keeps its receipts and people in
// Options.StateFile, and begins with what the file holds. Writes that were accepted but not yet
// processed when it stopped are processed now.
func Open(o Options) (*Sim, error) {
	s := New(o)
	if o.StateFile == "" {
		return s, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	journal, err := kit.OpenJournal(o.StateFile, func(e event) error {
		s.redo(e)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("simulated 7shifts: state file: %w", err)
	}
	s.journal = journal
	s.processAll()
	return s, nil
}

// Close ends delays, waits for callbacks and closes the state file.
func (s *Sim) Close() error {
	var err error
	s.close.Do(func() {
		close(s.closing)
		s.mu.Lock()
		s.store.stopTimer()
		err = s.journal.Close()
		s.mu.Unlock()
		s.calls.Wait()
	})
	return err
}

// AddCompany adds or replaces a company.
func (s *Sim) AddCompany(c Company) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.companies[c.ID] = c
}

// AddLocation adds or replaces a location.
func (s *Sim) AddLocation(l Location) {
	zone, err := time.LoadLocation(l.Timezone)
	if err != nil {
		zone = time.UTC
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.locations[l.ID] = location{l, zone}
}

// AddToken adds or replaces a credential.
func (s *Sim) AddToken(t Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[t.Value] = t
	s.rates.Name(t.Value)
}

// ServeHTTP implements http.Handler: the API, the browsable pages and /_sim/.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Sim) routes() *http.ServeMux {
	mux := http.NewServeMux()
	api := func(pattern string, h handler) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.exchange(w, r, h) })
	}
	api("GET /v2/whoami", s.whoAmI)
	api("GET /v2/companies", s.listCompanies)
	api("GET /v2/company/{company}/locations", s.listLocations)
	api("GET /v2/company/{company}/locations/{location}", s.getLocation)
	api("POST /v2/company/{company}/receipts", s.createReceipt)
	api("PUT /v2/company/{company}/receipts/{receipt}", s.updateReceipt)
	api("GET /v2/company/{company}/receipts", s.listReceipts)
	api("GET /v2/company/{company}/receipts/{receipt}", s.getReceipt)
	api("GET /v2/company/{company}/receipts_summary", s.summary)
	api("GET /v2/reports/daily_sales_and_labor", s.dailySales)
	s.peopleRoutes(api)
	api("/v2/", s.nowhere)
	api("/api/v2/", s.nowhere)
	mux.HandleFunc("GET /_sim/state", s.serveState)
	mux.HandleFunc("POST /_sim/switches", s.serveSwitches)
	mux.HandleFunc("POST /_sim/faults", s.serveFaults)
	mux.HandleFunc("GET /{$}", s.serveLocations)
	mux.HandleFunc("GET /sales/{location}", s.serveDays)
	mux.HandleFunc("GET /sales/{location}/{day}", s.serveReceipts)
	mux.HandleFunc("GET /people/{location}", s.servePeople)
	mux.HandleFunc("GET /punches/{location}/{day}", s.servePunches)
	mux.HandleFunc("GET /tips/{location}/{day}", s.serveTips)
	return mux
}

func (s *Sim) peopleRoutes(api func(string, handler)) {
	api("GET /v2/company/{company}/users", s.listUsers)
	api("GET /v2/company/{company}/users/{user}", s.getUser)
	api("GET /v2/company/{company}/roles", s.listRoles)
	api("GET /v2/company/{company}/departments", s.listDepartments)
	api("GET /v2/company/{company}/time_punches", s.listPunches)
	api("GET /v2/company/{company}/external_user_mappings", s.listMappings)
	api("POST /v2/company/{company}/external_user_mappings", s.createMapping)
	api("GET /v2/company/{company}/external_user_mappings/{identifier}", s.getMapping)
	api("PUT /v2/company/{company}/external_user_mappings/{identifier}", s.updateMapping)
	api("DELETE /v2/company/{company}/external_user_mappings/{identifier}", s.deleteMapping)
	api("POST /v2/company/{company}/external_user_mappings_bulk", s.mapBulk)
	api("GET /v2/company/{company}/tip_pool_settings", s.listPools)
	api("GET /v2/company/{company}/locations/{location}/tip_pool_summary_report", s.summaryReport)
	api("GET /v2/company/{company}/locations/{location}/tip_pool_detailed_report", s.detailedReport)
}

// newUUID is a random UUID, version 4.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
