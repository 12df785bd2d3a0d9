package wisksim

import (
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/clustersystems/clusterbridge/internal/simulator/kit"
)

// State is what GET /_sim/state answers. It holds no key.
type State struct {
	Venues       []VenueState  `json:"venues"`
	Integrations []Integration `json:"integrations"`
	Counters     Counters      `json:"counters"`
	Violations   []Violation   `json:"violations"`
	Rates        []kit.Rate    `json:"rates"`
	Switches     Switches      `json:"switches"`
	Faults       []kit.Fault   `json:"faults"` // still queued
	// StateFile tells why the state file is no longer written.
	StateFile string `json:"state_file,omitempty"`
}

// VenueState is one venue of a State.
type VenueState struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Lines       int    `json:"lines"`
	Items       int    `json:"items"`
	NotMapped   int    `json:"not_mapped"`
	NeedsReview int    `json:"needs_review"`
	Archived    int    `json:"archived"`
	// Doubled are the days that were uploaded and also read.
	Doubled []string `json:"doubled"`
}

// State is the present state.
func (s *Sim) State() State {
	integrations := s.Integrations("")
	s.mu.Lock()
	defer s.mu.Unlock()
	st := State{
		Venues: []VenueState{}, Integrations: integrations, Counters: s.counted(), Violations: append([]Violation{}, s.broken...),
		Rates: s.rates.Measured(), Switches: s.switches.copied(), StateFile: s.journal.Failure(),
	}
	st.Faults, _ = s.faults.Queued()
	for _, v := range s.sortedVenues() {
		of := VenueState{ID: v.ID, Name: v.Name, Lines: len(v.lines), Items: len(v.items), Doubled: doubled(v.sales("", ""))}
		for _, item := range v.items {
			of.NotMapped += one(item.MappedTo == "")
			of.NeedsReview += one(item.NeedsReview)
			of.Archived += one(item.Archived)
		}
		st.Venues = append(st.Venues, of)
	}
	return st
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

// sortedVenues are the known venues by id. The caller holds s.mu.
func (s *Sim) sortedVenues() []*venue {
	var list []*venue
	for _, id := range slices.Sorted(maps.Keys(s.venues)) {
		if s.venues[id].known {
			list = append(list, s.venues[id])
		}
	}
	return list
}

func (s *Sim) serveState(w http.ResponseWriter, _ *http.Request) { kit.Write(w, s.State()) }

// Steering is what POST /_sim/faults takes; every part may be left out.
type Steering struct {
	// Clear drops the queued faults first.
	Clear  bool        `json:"clear,omitempty"`
	Faults []kit.Fault `json:"faults,omitempty"`
	// ResetRates: see Sim.ResetRates; Lose: see Sim.Lose.
	ResetRates bool   `json:"reset_rates,omitempty"`
	Lose       []Loss `json:"lose,omitempty"`
}

// Steer does what the steering says; faults that make no sense refuse it whole.
func (s *Sim) Steer(in Steering) error {
	for _, f := range in.Faults {
		if err := f.Check(); err != nil {
			return err
		}
	}
	for _, l := range in.Lose {
		if err := s.Lose(l); err != nil {
			return err
		}
	}
	if in.Clear {
		s.ClearFaults()
	}
	if in.ResetRates {
		s.ResetRates()
	}
	return s.Inject(in.Faults...)
}

func (s *Sim) serveFaults(w http.ResponseWriter, r *http.Request) {
	var in Steering
	err := kit.Read(w, r, &in)
	if err == nil {
		err = s.Steer(in)
	}
	respond(w, s.State, err)
}

// serveSales answers the sums of a venue: ?venue=&from=&to=.
func (s *Sim) serveSales(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	days, err := s.Sales(q.Get("venue"), q.Get("from"), q.Get("to"))
	respond(w, func() []DaySales { return days }, err)
}

// serveLines answers the lines of a venue: ?venue=&day=&plu=.
func (s *Sim) serveLines(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	lines, err := s.Lines(q.Get("venue"), q.Get("day"), q.Get("plu"))
	respond(w, func() []Held { return lines }, err)
}

// serveItemList answers the POS items of a venue: ?venue=.
func (s *Sim) serveItemList(w http.ResponseWriter, r *http.Request) {
	items, err := s.Items(r.URL.Query().Get("venue"))
	respond(w, func() []Item { return items }, err)
}

// serveItemAct takes an ItemAct.
func (s *Sim) serveItemAct(w http.ResponseWriter, r *http.Request) {
	var act ItemAct
	err := kit.Read(w, r, &act)
	if err == nil {
		err = s.ActOnItem(act)
	}
	respond(w, s.State, err)
}

// serveIntegration takes a Setup, adds the integration and begins its import.
func (s *Sim) serveIntegration(w http.ResponseWriter, r *http.Request) {
	var in Setup
	var saved Integration
	err := kit.Read(w, r, &in)
	if err == nil {
		saved, err = s.AddIntegration(r.Context(), in)
	}
	if err == nil {
		s.beginPull(saved.ID)
	}
	respond(w, func() Integration { return saved }, err)
}

// IntegrationAct is what POST /_sim/integrations/act takes.
type IntegrationAct struct {
	ID int `json:"id"`
	// Act is remove, resume or pull.
	Act string `json:"act"`
}

// The words of IntegrationAct.Act; ActPull waits until the pull has ended, and
// with ID 0 lets all integrations pull.
const (
	ActRemove = "remove"
	ActResume = "resume"
	ActPull   = "pull"
)

func (s *Sim) serveIntegrationAct(w http.ResponseWriter, r *http.Request) {
	var in IntegrationAct
	err := kit.Read(w, r, &in)
	if err == nil {
		switch in.Act {
		case ActRemove:
			err = s.RemoveIntegration(in.ID)
		case ActResume:
			err = s.ResumeIntegration(in.ID)
		case ActPull:
			// Its status tells how it went.
			_ = s.pullThose(r.Context(), func(i Integration) bool { return in.ID == 0 || i.ID == in.ID })
		default:
			err = errors.New("act: want remove, resume or pull")
		}
	}
	respond(w, s.State, err)
}

// respond answers with JSON, or with why not: 404 for an unknown venue, 422
// for credentials that Cluster does not take, otherwise 400.
func respond[T any](w http.ResponseWriter, v func() T, err error) {
	var pair *PairError
	switch {
	case err == nil:
		kit.Write(w, v())
	case errors.As(err, &pair):
		http.Error(w, pair.Trouble+": "+err.Error(), http.StatusUnprocessableEntity)
	case errors.Is(err, errNoVenue):
		http.Error(w, err.Error(), http.StatusNotFound)
	default:
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}
