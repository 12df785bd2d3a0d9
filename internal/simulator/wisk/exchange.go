package wisksim

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/clustersystems/clusterbridge/internal/partner/wisk/wire"
	"github.com/clustersystems/clusterbridge/internal/simulator/kit"
)

// maxBody is the largest upload that is read: ten times MaxLines' default.
const maxBody = 2 << 20

// answer is what the API answers.
type answer struct {
	status int
	body   any // nil is no body
	rest   time.Duration
}

func refuse(status int, code, message string) answer {
	return answer{status: status, body: wire.Refusal{Error: code, Message: message}}
}

// exchange is POST /public/sales/upload: rate, credential, fault, effect.
func (s *Sim) exchange(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		s.reply(w, refuse(http.StatusMethodNotAllowed, wire.CodeNotAllowed, "Only POST"))
		return
	}
	switches := s.Switches()
	id := r.Header.Get(switches.HeaderVenue)
	if refused := s.limit(r, id, switches); refused != nil {
		s.reply(w, *refused)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			s.reply(w, refuse(http.StatusRequestEntityTooLarge, wire.CodeTooLarge, "The body is too large"))
		}
		return
	}
	if refused := s.admit(id, switches); refused != nil {
		s.reply(w, *refused)
		return
	}
	fault := s.faults.Take(r.Method, r.URL.Path, id)
	mediaType := r.Header.Get("Content-Type")
	a := answer{status: http.StatusOK}
	switch {
	case fault.Straying() > 0:
		s.begin(func() {
			s.wait(fault.Straying())
			s.upload(id, mediaType, body)
		})
	case fault.Commits():
		a = s.upload(id, mediaType, body)
	}
	if status := fault.Refuses(); status != 0 {
		s.reply(w, refuse(status, "fault", http.StatusText(status)))
		return
	}
	if fault.Spoil(w, r, a.status, a.encoded(), s.life.Done()) {
		s.reply(w, a)
	}
}

// limit counts the request. What states no known venue shares one account.
func (s *Sim) limit(r *http.Request, id string, w Switches) *answer {
	s.mu.Lock()
	_, err := s.venue(id)
	s.mu.Unlock()
	if err != nil {
		id = ""
	}
	if w.LimitBy == BySource {
		host, _, _ := net.SplitHostPort(r.RemoteAddr) // the server wrote it
		id = "address " + host
	}
	rest, ok := s.rates.Arrive(id, w.PerSecond, time.Duration(w.Block))
	if ok {
		return nil
	}
	s.mu.Lock()
	s.counters.Limited++
	s.mu.Unlock()
	a := refuse(http.StatusTooManyRequests, wire.CodeLimited, "Too many requests")
	if w.RetryAfter {
		a.rest = rest
	}
	return &a
}

// admit checks the credential, which is the venue's identifier alone
// (reference: WISK section 2), and the plan (section 7).
func (s *Sim) admit(id string, w Switches) *answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.venue(id); err != nil || listed(w.VenuesRefused, id) {
		a := refuse(http.StatusUnauthorized, wire.CodeUnknownVenue, "The venue's identifier is missing or unknown")
		return &a
	}
	if listed(w.PlansRefused, id) {
		a := refuse(http.StatusForbidden, wire.CodePlan, "API access needs the Premium plan")
		return &a
	}
	return nil
}

// wait waits, in real time, but not beyond Close.
func (s *Sim) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.life.Done():
	}
}

func (a answer) encoded() []byte {
	if a.body == nil {
		return nil
	}
	data, _ := json.Marshal(a.body) // plain structs cannot fail
	return data
}

func (s *Sim) reply(w http.ResponseWriter, a answer) {
	if a.body != nil {
		w.Header().Set("Content-Type", "application/json")
	}
	if a.rest > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(a.rest.Seconds()))))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.encoded()) // the client may be gone
}

// nowhere answers for paths of the API that do not exist here.
func (s *Sim) nowhere(w http.ResponseWriter, _ *http.Request) {
	s.reply(w, refuse(http.StatusNotFound, wire.CodeNoPath, "Not found"))
}

// Inject queues faults of uploads; one that makes no sense refuses them all.
func (s *Sim) Inject(faults ...kit.Fault) error { return s.faults.Inject(faults...) }

// ClearFaults drops the faults that are still queued.
func (s *Sim) ClearFaults() { s.faults.Clear() }

// Rates are the measured rates per venue or source, since the start or
// ResetRates.
func (s *Sim) Rates() []kit.Rate { return s.rates.Measured() }

// ResetRates starts the measurement afresh and lifts blocks.
func (s *Sim) ResetRates() { s.rates.Reset() }
