package clustersim

import (
	"net/http"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
)

// SetOffline takes the till's internet away, or gives it back; what happened
// meanwhile then arrives with an old modifiedAt and a new receivedAt.
func (s *Sim) SetOffline(serial string, offline bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, now := s.till(serial), s.now()
	if offline == t.offline(now) {
		return
	}
	t.index.Store(nil)
	if offline {
		t.Outages = append(t.Outages, Outage{From: now})
		return
	}
	for i, o := range t.Outages {
		if o.holds(now) {
			t.Outages[i].To = now
		}
	}
}

// SetActivated switches API access on or off, with every key and for every
// partner that asked (reference: Cluster section 1, 24 to 48 hours).
func (s *Sim) SetActivated(serial string, activated bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.till(serial).NotActivated = !activated
	s.office.setActivated(serial, activated, s.now())
}

// Replace puts new hardware in a venue's place, from now on: the old serial
// number is unknown, the new one's order ids begin afresh, and what the back
// office issued for the old one does not open the new one.
func (s *Sim) Replace(serial, next string) {
	s.mu.Lock()
	fresh := s.till(serial).Location
	now := s.now()
	s.till(serial).Until = now
	s.mu.Unlock()
	fresh.Serial, fresh.From, fresh.Until, fresh.Outages = next, now, time.Time{}, nil
	s.AddLocation(fresh)
}

// SetContact changes the contact on record of a venue; nil takes it away.
func (s *Sim) SetContact(serial string, c *Contact) {
	s.mu.RLock()
	s.till(serial) // which has to be there
	s.mu.RUnlock()
	s.office.mu.Lock()
	defer s.office.mu.Unlock()
	s.office.held.Contacts[serial] = c
	s.office.save()
}

// OfflineRequest is the body of POST /_sim/offline.
type OfflineRequest struct {
	Serial  string `json:"serial"`
	Offline bool   `json:"offline"`
}

func (s *Sim) serveOffline(w http.ResponseWriter, r *http.Request) {
	var q OfflineRequest
	if err := readRequest(r, &q); err != nil {
		refuse(w, err)
		return
	}
	s.mu.RLock()
	known := s.tills[q.Serial] != nil
	s.mu.RUnlock()
	if !known {
		refuse(w, &no{http.StatusNotFound, wire.CodeNoSerial, "the serial number is not known"})
		return
	}
	s.SetOffline(q.Serial, q.Offline)
	write(w, http.StatusOK, []byte(`{"ok":true}`))
}

// ContactRequest is the body of POST /_sim/contact; null is no contact.
type ContactRequest struct {
	Serial  string   `json:"serial"`
	Contact *Contact `json:"contact"`
}

func (s *Sim) serveContact(w http.ResponseWriter, r *http.Request) {
	var q ContactRequest
	err := readRequest(r, &q)
	if err == nil {
		err = s.knownNow(q.Serial)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	s.SetContact(q.Serial, q.Contact)
	write(w, http.StatusOK, []byte(`{"ok":true}`))
}
