package clustersim

import (
	"encoding/json"
	"maps"
	"net/http"
	"time"
)

// State is what GET /_sim/state tells.
type State struct {
	Now       time.Time       `json:"now"` // business time
	Requests  map[string]int  `json:"requests"`
	Faults    int             `json:"faults"` // requests that will still fail
	Locations []LocationState `json:"locations"`
}

// LocationState is one location of a State. Orders are those that the relay
// shows now, by status too; Planned are all.
type LocationState struct {
	Serial    string         `json:"serial"`
	TradeName string         `json:"tradeName"`
	Zone      string         `json:"zone"`
	Offline   bool           `json:"offline"`
	Orders    int            `json:"orders"`
	ByStatus  map[string]int `json:"byStatus"`
	Malformed int            `json:"malformed"`
	Planned   int            `json:"planned"`
}

// State tells what the simulator holds.
func (s *Sim) State() State {
	s.mu.RLock()
	defer s.mu.RUnlock()
	state := State{Now: s.now(), Requests: maps.Clone(s.requests), Faults: s.faults.Pending(), Locations: []LocationState{}}
	for _, t := range s.sorted() {
		l := LocationState{
			Serial: t.Serial, TradeName: t.TradeName, Zone: t.Zone, Offline: t.offline(state.Now),
			ByStatus: map[string]int{}, Planned: len(t.orders),
		}
		for _, r := range t.orders {
			v, ok := s.look(t, r, state.Now)
			switch {
			case !ok:
			case v.raw != nil:
				l.Orders++
				l.Malformed++
			default:
				l.Orders++
				l.ByStatus[string(v.order.Status)]++
			}
		}
		state.Locations = append(state.Locations, l)
	}
	return state
}

func (s *Sim) serveState(w http.ResponseWriter, _ *http.Request) {
	body, err := json.Marshal(s.State())
	if err != nil {
		refuse(w, &no{http.StatusInternalServerError, "internal", err.Error()})
		return
	}
	write(w, http.StatusOK, body)
}
