package sevenshiftssim

import (
	"container/heap"
	"time"
)

// event is one line of the state file; exactly one of its parts is set.
type event struct {
	Accept    *write     `json:"accept,omitempty"`
	Answered  int64      `json:"answered,omitempty"`
	Done      int64      `json:"done,omitempty"`
	Receipt   *receipt   `json:"receipt,omitempty"` // with Done: what is held now
	Missed    *key       `json:"missed,omitempty"`
	Forgotten *key       `json:"forgotten,omitempty"`
	Lost      *key       `json:"lost,omitempty"`
	ForGood   bool       `json:"for_good,omitempty"` // with Lost
	Violation *Violation `json:"violation,omitempty"`
	// People; Mapped and the like say what is held from now on.
	User       *User       `json:"user,omitempty"`
	Role       *Role       `json:"role,omitempty"`
	Department *Department `json:"department,omitempty"`
	Punch      *Punch      `json:"punch,omitempty"`
	Mapped     *mapping    `json:"mapped,omitempty"`
	Unmapped   *mappingKey `json:"unmapped,omitempty"`
	Ignored    *mappingKey `json:"ignored,omitempty"`
	Pool       *TipPool    `json:"pool,omitempty"`
}

// redo brings back the effect of an event.
func (s *Sim) redo(e event) {
	st := &s.store
	switch {
	case e.Accept != nil:
		w := e.Accept
		st.seq = max(st.seq, w.Seq)
		st.learn(w)
		heap.Push(&st.pending, w)
		if w.Create {
			s.tallyCreate(w)
		} else {
			s.counters.Updates++
		}
	case e.Answered != 0:
		if k, ok := st.byWrite[e.Answered]; ok {
			delete(st.byWrite, e.Answered)
			st.tallies[k].answered = time.Now()
		}
	case e.Done != 0:
		st.drop(e.Done)
		if e.Receipt != nil {
			st.put(e.Receipt)
		}
	case e.Missed != nil && st.tallies[*e.Missed] != nil:
		st.tallies[*e.Missed].missing = true
	case e.Forgotten != nil && st.tallies[*e.Forgotten] != nil:
		st.tallies[*e.Forgotten].answered = time.Time{}
	case e.Lost != nil:
		st.forget(*e.Lost)
		if e.ForGood {
			st.lost[*e.Lost] = true
		}
	case e.Violation != nil:
		s.countViolation(*e.Violation)
	default:
		s.redoPeople(e)
	}
}

// drop takes a write out of the queue.
func (st *store) drop(seq int64) {
	for i, w := range st.pending {
		if w.Seq == seq {
			heap.Remove(&st.pending, i)
			return
		}
	}
}
