package wisksim

import "time"

// Counters tell what happened since the state file was begun, or since the
// start when there is none; Limited, RefusedUploads and Faults since the start.
type Counters struct {
	Uploads int `json:"uploads"` // whose lines were looked at
	Lines   int `json:"lines"`   // that came with them
	Applied int `json:"applied"` // of these, held as new lines
	Repeats int `json:"repeats"` // of these, whose id was held already
	Refused int `json:"refused"` // of these, not held since the upload was refused
	// FailedUploads were answered 400 for lines at fault, RefusedUploads for
	// their form as a whole.
	FailedUploads  int `json:"failed_uploads"`
	RefusedUploads int `json:"refused_uploads"`
	Limited        int `json:"limited"` // answered 429
	Faults         int `json:"faults"`  // requests spoilt on purpose
	// Pulled counts lines that integrations read and held.
	Pulled int `json:"pulled"`
}

func (c *Counters) add(b batch) {
	if b.Source != SourceUpload {
		c.Pulled += len(b.Hold)
		return
	}
	c.Uploads++
	c.Lines += b.Came
	c.Repeats += b.Repeats
	c.Refused += len(b.Refused) + b.Malformed
	for _, held := range b.Hold {
		if held.Changed.IsZero() {
			c.Applied++
		}
	}
	if b.Failed {
		c.FailedUploads++
	}
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

// Violation is something that the real API might take, but that breaks what
// clusterbridge promises: it fails the run.
type Violation struct {
	At   time.Time `json:"at"` // business time of the first
	What string    `json:"what"`
	// Times it happened.
	Times int `json:"times"`
}

// Check lists what must not have happened; it never goes away.
func (s *Sim) Check() []Violation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Violation{}, s.broken...)
}

// violated notes a violation. The caller holds s.mu.
func (s *Sim) violated(what string) {
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

// event is one line of the state file; exactly one of its parts is set.
type event struct {
	Batch       *batch       `json:"batch,omitempty"`
	Item        *ItemAct     `json:"item,omitempty"`
	Integration *Integration `json:"integration,omitempty"` // as it is now
	Violation   *Violation   `json:"violation,omitempty"`
}

// redo brings back the effect of an event. The caller holds s.mu.
func (s *Sim) redo(e event) error {
	switch {
	case e.Batch != nil:
		return s.redoBatch(*e.Batch)
	case e.Item != nil:
		return s.redoItem(*e.Item)
	case e.Integration != nil:
		s.keep(*e.Integration)
	case e.Violation != nil:
		s.countViolation(*e.Violation)
	}
	return nil
}
