package sevenshiftssim

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/clustersystems/clusterbridge/internal/simulator/kit"
)

// Counters tell what happened since the state file was begun, or since the
// start when there is none; Failed, Callbacks, Hooks and Faults since the start.
type Counters struct {
	Creates int `json:"creates"` // accepted
	Updates int `json:"updates"` // accepted
	// Second creates of a receipt: after an answer that may not have arrived;
	// after the receipt was lost, failed or did not show in a list; and after a
	// clean answer, which should never happen.
	SecondAfterAmbiguous int `json:"second_creates_after_ambiguous"`
	SecondAfterMissing   int `json:"second_creates_after_missing"`
	SecondAfterClean     int `json:"second_creates_after_clean"`
	// Failed counts writes that were accepted and then failed; Callbacks those
	// of which somebody was told.
	Failed    int `json:"failed"`
	Callbacks int `json:"callbacks"`
	Hooks     int `json:"hooks"`  // sent
	Faults    int `json:"faults"` // requests spoilt on purpose
}

// Violation is something that the real API would take, but that breaks what
// clusterbridge promises: it fails the run.
type Violation struct {
	At   time.Time `json:"at"` // business time of the first
	What string    `json:"what"`
	// Times it happened.
	Times int `json:"times"`
}

// tally follows the creates of one receipt.
type tally struct {
	creates  int
	answered time.Time // real; zero while the last answer may not have arrived
	missing  bool      // lost, failed, or not shown in a list since
}

// tallyCreate classifies a create. Its answer counts as not arrived until
// answered is called. The caller holds s.mu.
func (s *Sim) tallyCreate(w *write) {
	s.counters.Creates++
	t := s.store.tallies[w.Key]
	if t == nil {
		t = &tally{}
		s.store.tallies[w.Key] = t
	}
	switch {
	case t.creates == 0:
	case t.answered.IsZero():
		s.counters.SecondAfterAmbiguous++
	case t.missing:
		s.counters.SecondAfterMissing++
	default:
		s.counters.SecondAfterClean++
		s.log.Warn("second create after a clean answer", "receipt", w.Key.Receipt)
	}
	t.creates, t.answered, t.missing = t.creates+1, time.Time{}, false
	s.store.byWrite[w.Seq] = w.Key
}

// answered notes that the answer of an accepted write is about to leave to a
// client that still listens.
func (s *Sim) answered(seq int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k, ok := s.store.byWrite[seq]; ok {
		delete(s.store.byWrite, seq)
		s.store.tallies[k].answered = time.Now()
		s.journal.Append(event{Answered: seq})
	}
}

// missed notes that a client has reason to think that a receipt is not held.
// The caller holds s.mu.
func (s *Sim) missed(k key) {
	if t := s.store.tallies[k]; t != nil && !t.missing {
		t.missing = true
		s.journal.Append(event{Missed: &k})
	}
}

// ForgetAnswers says that whoever got answers within the last real time d has
// died, perhaps before it could note them: a second create of those receipts
// is one after an ambiguous answer.
func (s *Sim) ForgetAnswers(d time.Duration) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.store.byWrite) // what is about to be answered does not arrive either
	forgotten := 0
	for k, t := range s.store.tallies {
		if !t.answered.IsZero() && time.Since(t.answered) <= d {
			t.answered = time.Time{}
			forgotten++
			s.journal.Append(event{Forgotten: &k})
		}
	}
	return forgotten
}

// Lose makes the simulator lose a receipt that it holds; for good means that
// it goes on accepting writes of it and never shows them. It reports whether
// the receipt was held.
func (s *Sim) Lose(location int64, receiptID string, forGood bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := key{location, receiptID}
	held := s.store.receipts[k] != nil
	s.store.forget(k)
	s.missed(k)
	if forGood {
		s.store.lost[k] = true
	}
	s.journal.Append(event{Lost: &k, ForGood: forGood})
	return held
}

// Counters are the present counts.
func (s *Sim) Counters() Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counted()
}

func (s *Sim) counted() Counters {
	c := s.counters
	_, c.Faults = s.faults.Queued()
	return c
}

// Rate is what was measured of one token's requests.
type Rate = kit.Rate

// Violations lists what must not have happened; they never go away.
func (s *Sim) Violations() []Violation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Violation{}, s.broken...)
}

// Rates are the measured rates per token, since the start or ResetRates.
func (s *Sim) Rates() []Rate { return s.rates.Measured() }

// ResetRates starts the measurement afresh and lifts blocks.
func (s *Sim) ResetRates() { s.rates.Reset() }

func (s *Sim) violated(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := Violation{At: s.clock.Now(), What: what, Times: 1}
	s.journal.Append(event{Violation: &v})
	s.countViolation(v)
	s.log.Warn("violation", "what", what)
}

func (s *Sim) countViolation(v Violation) {
	for i := range s.broken {
		if s.broken[i].What == v.What {
			s.broken[i].Times += v.Times
			return
		}
	}
	s.broken = append(s.broken, v)
}

// failLater tells the configured address that an accepted write failed
// (reference: 7shifts 3.2). The caller holds s.mu.
func (s *Sim) failLater(w *write, why string) {
	s.counters.Failed++
	if w.Create && s.store.receipts[w.Key] == nil {
		s.missed(w.Key)
	}
	address := s.switches.CallbackURL
	if address == "" {
		return
	}
	s.counters.Callbacks++
	body, _ := json.Marshal(map[string]string{"uuid": w.UUID, "message": why})
	s.tell(http.MethodPut, address, http.Header{}, body)
}
