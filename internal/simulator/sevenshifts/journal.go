package sevenshiftssim

import (
	"bufio"
	"container/heap"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
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

// journal appends events to the state file; nil appends to nothing.
type journal struct {
	file *os.File
	err  error // the first failure
}

func (j *journal) append(e event) {
	if j == nil || j.err != nil {
		return
	}
	line, err := json.Marshal(e)
	if err == nil {
		_, err = j.file.Write(append(line, '\n'))
	}
	j.err = err
}

func (j *journal) close() error {
	if j == nil {
		return nil
	}
	return errors.Join(j.err, j.file.Close())
}

// maxLine bounds one line of the state file: a request's body and its wrapping.
const maxLine = 2 * maxBody

// load replays a state file and goes on appending to it. A last line without
// its end was cut by a crash and is dropped.
func (s *Sim) load(name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	end, err := s.replay(file)
	if err == nil {
		err = file.Truncate(end)
	}
	if err == nil {
		_, err = file.Seek(end, io.SeekStart)
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	s.journal = &journal{file: file}
	return nil
}

// replay returns the offset after the last whole line.
func (s *Sim) replay(file io.Reader) (end int64, err error) {
	reader := bufio.NewReaderSize(file, maxLine)
	for number := 1; ; number++ {
		line, err := reader.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return end, nil
		}
		if err != nil {
			return end, fmt.Errorf("line %d: %w", number, err)
		}
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			return end, fmt.Errorf("line %d: %w", number, err)
		}
		s.redo(e)
		end += int64(len(line))
	}
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
