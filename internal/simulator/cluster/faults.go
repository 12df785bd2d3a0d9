package clustersim

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// GarbageSize is how many bytes of noise a Fault with Garbage sends.
const GarbageSize = 1 << 20

// Fault is what goes wrong with the next Times requests that match Path and
// Serial; either empty matches all. Delay goes together with any of the others.
type Fault struct {
	Path   string `json:"path,omitempty"`
	Serial string `json:"serial,omitempty"`
	Times  int    `json:"times"`
	// Commit lets the request have its effect first, and its answer is lost in
	// the way that the other fields say.
	Commit bool `json:"commit,omitempty"`
	// Delay holds the answer back, in real time.
	Delay time.Duration `json:"delay,omitempty"` // nanoseconds
	// Status refuses with this HTTP status; RetryAfter, in seconds, goes along
	// when not 0.
	Status     int `json:"status,omitempty"`
	RetryAfter int `json:"retryAfter,omitempty"`
	// Truncate announces the whole answer and breaks off half way.
	Truncate bool `json:"truncate,omitempty"`
	// Garbage answers 200 with GarbageSize bytes of noise.
	Garbage bool `json:"garbage,omitempty"`
	// Drop closes the connection without an answer.
	Drop bool `json:"drop,omitempty"`
}

// Faults are the faults to come, used up in the order in which they were added.
type Faults struct {
	mu   sync.Mutex
	list []Fault
}

// Add plans a fault; Times 0 means once.
func (f *Faults) Add(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fault.Times = max(1, fault.Times)
	f.list = append(f.list, fault)
}

// Clear forgets all faults to come.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = nil
}

// Pending counts the requests that will still fail.
func (f *Faults) Pending() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, fault := range f.list {
		n += fault.Times
	}
	return n
}

func (f *Faults) next(path, serial string) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, fault := range f.list {
		if (fault.Path != "" && fault.Path != path) || (fault.Serial != "" && fault.Serial != serial) {
			continue
		}
		if f.list[i].Times--; f.list[i].Times == 0 {
			f.list = append(f.list[:i:i], f.list[i+1:]...)
		}
		return fault, true
	}
	return Fault{}, false
}

// before does what comes instead of an answer, and tells whether an answer
// should still follow.
func (fault Fault) before(w http.ResponseWriter, r *http.Request) bool {
	if fault.Delay > 0 {
		timer := time.NewTimer(fault.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return false
		}
	}
	switch {
	case fault.Drop:
		panic(http.ErrAbortHandler)
	case fault.Garbage:
		write(w, http.StatusOK, garbage())
	case fault.Status != 0:
		if fault.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(fault.RetryAfter))
		}
		refuse(w, &no{fault.Status, "fault", "as planned"})
	default:
		return true
	}
	return false
}

// truncate announces the whole body, sends half of it and breaks off.
func truncate(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	write(w, http.StatusOK, body[:len(body)/2])
	panic(http.ErrAbortHandler)
}

// garbage is always the same noise.
var garbage = sync.OnceValue(func() []byte {
	noise := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // noise, not a secret
	b := make([]byte, GarbageSize)
	for i := range b {
		b[i] = byte(noise.Uint32())
	}
	return b
})

func (s *Sim) serveFaults(w http.ResponseWriter, r *http.Request) {
	var fault Fault
	if err := readRequest(r, &fault); err != nil {
		refuse(w, err)
		return
	}
	s.faults.Add(fault)
	write(w, http.StatusOK, []byte(`{"ok":true}`))
}
