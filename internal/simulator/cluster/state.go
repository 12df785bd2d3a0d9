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
	Office    OfficeState     `json:"office"`
}

// OfficeState is the back office's part of a State. It holds no key and no
// contact.
type OfficeState struct {
	Switches OfficeSwitches `json:"switches"`
	Access   []AccessState  `json:"access"`
	Keys     []KeyState     `json:"keys"`
	Grants   []GrantState   `json:"grants"`
	// StateFile tells why the state file is no longer written.
	StateFile string `json:"stateFile,omitempty"`
}

// AccessState is one partner's access to a till; ActiveAt is zero for never.
type AccessState struct {
	Serial   string    `json:"serial"`
	Partner  string    `json:"partner"`
	Active   bool      `json:"active"`
	ActiveAt time.Time `json:"activeAt,omitzero"`
}

// KeyState is one issued key.
type KeyState struct {
	Serial    string    `json:"serial"`
	KeyID     string    `json:"keyId"`
	Partner   string    `json:"partner"`
	RequestID string    `json:"requestId"`
	Created   time.Time `json:"created"`
	LastUsed  time.Time `json:"lastUsed,omitzero"`
	Revoked   time.Time `json:"revoked,omitzero"`
}

// GrantState is what a venue's admin allowed; Sent is zero until the gateway
// took the request.
type GrantState struct {
	Serial    string    `json:"serial"`
	Partner   string    `json:"partner"`
	RequestID string    `json:"requestId"`
	Granted   time.Time `json:"granted"`
	Sent      time.Time `json:"sent,omitzero"`
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
	state.Office = s.office.state(state.Now)
	return state
}

func (f *office) state(now time.Time) OfficeState {
	f.mu.Lock()
	defer f.mu.Unlock()
	state := OfficeState{Switches: f.switches, Access: []AccessState{}, Keys: []KeyState{}, Grants: []GrantState{}}
	for _, a := range f.held.Access {
		state.Access = append(state.Access, AccessState{Serial: a.Serial, Partner: a.Partner, Active: a.active(now), ActiveAt: a.ActiveAt})
	}
	for _, k := range f.held.Keys {
		state.Keys = append(state.Keys, KeyState{k.Serial, k.ID, k.Partner, k.RequestID, k.Created, k.LastUsed, k.Revoked})
	}
	for _, g := range f.held.Grants {
		state.Grants = append(state.Grants, GrantState(*g))
	}
	if f.keeper.err != nil {
		state.StateFile = f.keeper.err.Error()
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
