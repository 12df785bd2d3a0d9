package sevenshiftssim

import (
	"net/http"
	"time"

	"github.com/clustersystems/clusterbridge/internal/simulator/kit"
)

// State is what GET /_sim/state answers. It holds no token.
type State struct {
	Receipts   int         `json:"receipts"` // held
	Pending    int         `json:"pending"`  // accepted, not yet processed
	Users      int         `json:"users"`
	Punches    int         `json:"punches"`
	Mappings   int         `json:"mappings"`
	Counters   Counters    `json:"counters"`
	Violations []Violation `json:"violations"`
	Rates      []Rate      `json:"rates"`
	Switches   Switches    `json:"switches"`
	Faults     []Fault     `json:"faults"` // still queued
	// StateFile tells why the state file is no longer written.
	StateFile string `json:"state_file,omitempty"`
}

// State is the present state.
func (s *Sim) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := State{
		Receipts: len(s.store.receipts), Pending: len(s.store.pending), Counters: s.counted(),
		Users: len(s.staff.users), Punches: len(s.staff.punches), Mappings: len(s.staff.mappings),
		Violations: append([]Violation{}, s.broken...), Rates: s.rates.Measured(), Switches: s.switches,
	}
	st.Faults, _ = s.faults.Queued()
	st.StateFile = s.journal.Failure()
	return st
}

func (s *Sim) serveState(w http.ResponseWriter, _ *http.Request) { kit.Write(w, s.State()) }

// serveSwitches takes a JSON object with the switches to change and answers
// with all of them.
func (s *Sim) serveSwitches(w http.ResponseWriter, r *http.Request) {
	data, err := kit.Body(w, r)
	if err == nil {
		err = s.turn(func(next *Switches) error { return kit.Strict(data, next) })
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	kit.Write(w, s.Switches())
}

// Steering is what POST /_sim/faults takes; every part may be left out.
type Steering struct {
	// Clear drops the queued faults first.
	Clear  bool    `json:"clear,omitempty"`
	Faults []Fault `json:"faults,omitempty"`
	Lose   []Loss  `json:"lose,omitempty"`
	// ForgetAnswers: see Sim.ForgetAnswers.
	ForgetAnswers Duration `json:"forget_answers,omitempty"`
	// ResetRates: see Sim.ResetRates.
	ResetRates bool `json:"reset_rates,omitempty"`
}

// Loss is one receipt to lose; see Sim.Lose.
type Loss struct {
	LocationID int64  `json:"location_id"`
	ReceiptID  string `json:"receipt_id"`
	ForGood    bool   `json:"for_good,omitempty"`
}

// Steer does what the steering says; faults that make no sense refuse it whole.
func (s *Sim) Steer(in Steering) error {
	for _, f := range in.Faults {
		if err := f.Check(); err != nil {
			return err
		}
	}
	if in.Clear {
		s.ClearFaults()
	}
	if in.ResetRates {
		s.ResetRates()
	}
	for _, l := range in.Lose {
		s.Lose(l.LocationID, l.ReceiptID, l.ForGood)
	}
	if in.ForgetAnswers > 0 {
		s.ForgetAnswers(time.Duration(in.ForgetAnswers))
	}
	return s.Inject(in.Faults...)
}

// serveFaults takes a Steering and answers with the state.
func (s *Sim) serveFaults(w http.ResponseWriter, r *http.Request) {
	var in Steering
	err := kit.Read(w, r, &in)
	if err == nil {
		err = s.Steer(in)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	kit.Write(w, s.State())
}
