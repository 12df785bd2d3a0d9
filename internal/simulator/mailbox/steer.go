package mailboxsim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
)

// maxSteering is the largest body that /_sim/ takes.
const maxSteering = 1 << 20

// State is what GET /_sim/state answers.
type State struct {
	Mails      int            `json:"mails"`  // all copies
	Copies     map[string]int `json:"copies"` // by Message-ID
	Counters   Counters       `json:"counters"`
	Violations []Violation    `json:"violations"`
	Faults     []Fault        `json:"faults"` // still queued
	// StateFile tells why the state file is no longer written.
	StateFile string `json:"state_file,omitempty"`
}

// State is the present state.
func (s *Sim) State() State {
	st := State{Copies: s.Copies(), Violations: s.Violations(), Faults: []Fault{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Mails, st.Counters = len(s.mails), s.counters
	for _, f := range s.faults {
		st.Faults = append(st.Faults, *f)
	}
	if s.journal != nil && s.journal.err != nil {
		st.StateFile = s.journal.err.Error()
	}
	return st
}

func (s *Sim) serveState(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.State()) }

// shown is a mail of GET /_sim/mails, with its links.
type shown struct {
	Mail
	Links []string `json:"links"`
}

// serveMails answers the mails to ?to=, or all.
func (s *Sim) serveMails(w http.ResponseWriter, r *http.Request) {
	out := []shown{}
	for _, m := range s.Mails(r.URL.Query().Get("to")) {
		out = append(out, shown{m, m.Links()})
	}
	writeJSON(w, out)
}

// Steering is what POST /_sim/faults takes; every part may be left out.
type Steering struct {
	// Clear drops the queued faults first.
	Clear  bool    `json:"clear,omitempty"`
	Faults []Fault `json:"faults,omitempty"`
}

// serveFaults takes a Steering and answers with the state.
func (s *Sim) serveFaults(w http.ResponseWriter, r *http.Request) {
	var in Steering
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSteering))
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		err = d.Decode(&in)
	}
	if err == nil {
		for _, f := range in.Faults {
			if err = f.check(); err != nil {
				break
			}
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if in.Clear {
		s.ClearFaults()
	}
	_ = s.Inject(in.Faults...) // checked above
	writeJSON(w, s.State())
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // a client that has left is no problem of ours
}
