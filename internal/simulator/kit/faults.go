package kit

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The kinds of fault. Those that begin with "commit" let the request have its
// effect first; the others prevent it, except FaultSlow and FaultStray.
const (
	FaultStatus         = "status"          // answers Status
	FaultSlow           = "slow"            // works, but answers after Delay
	FaultDrop           = "drop"            // drops the connection
	FaultGarbage        = "garbage"         // answers 200 and a megabyte of garbage
	FaultCommitStatus   = "commit_status"   // effect, then answers Status
	FaultCommitTimeout  = "commit_timeout"  // effect, then silence for Delay or until the client leaves
	FaultCommitDrop     = "commit_drop"     // effect, then drops the connection
	FaultCommitGarbage  = "commit_garbage"  // effect, then a megabyte of garbage
	FaultCommitTruncate = "commit_truncate" // effect, then half an answer
	// FaultStray drops the connection, and the write has its effect after
	// Delay, out of order: also after later writes of the same thing.
	FaultStray = "stray"
)

var faultKinds = []string{
	FaultStatus, FaultSlow, FaultDrop, FaultGarbage, FaultCommitStatus, FaultCommitTimeout,
	FaultCommitDrop, FaultCommitGarbage, FaultCommitTruncate, FaultStray,
}

// holdAtMost ends a commit_timeout that states no Delay and whose client waits
// on and on.
const holdAtMost = 2 * time.Minute

// Fault spoils the next requests that it fits. Requests are counted in order
// of arrival, after the rate limit and the check of the credential.
type Fault struct {
	Kind string `json:"kind"`
	// Method, Path and Source choose requests; empty fits all. Path is a part
	// of the path, such as "receipts"; Source is whose requests they are: the
	// company's id at 7shifts, the venue's at WISK.
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	Source string `json:"source,omitempty"`
	// Skip lets so many fitting requests pass first, and Times spoils so many
	// (0 means one).
	Skip  int `json:"skip,omitempty"`
	Times int `json:"times,omitempty"`
	// Chance spoils a fitting request only with this probability; 0 means
	// always.
	Chance float64  `json:"chance,omitempty"`
	Status int      `json:"status,omitempty"` // 0 means 500
	Delay  Duration `json:"delay,omitempty"`
}

// Check refuses a fault that makes no sense.
func (f Fault) Check() error {
	switch {
	case !slices.Contains(faultKinds, f.Kind):
		return fmt.Errorf("kind: %q is none of %s", f.Kind, strings.Join(faultKinds, ", "))
	case f.Skip < 0 || f.Times < 0 || f.Delay < 0 || f.Chance < 0 || f.Chance > 1:
		return fmt.Errorf("fault %q: skip, times, delay and chance cannot be negative, nor chance above 1", f.Kind)
	case f.Status != 0 && (f.Status < 400 || f.Status > 599):
		return fmt.Errorf("fault %q: want a status of 400 to 599", f.Kind)
	}
	return nil
}

// Commits tells whether the request has its effect; a fault without a kind is
// none.
func (f Fault) Commits() bool {
	return f.Kind == "" || f.Kind == FaultSlow || f.Kind == FaultStray || strings.HasPrefix(f.Kind, "commit")
}

// Straying is how late a write has its effect although the connection was
// dropped; 0 when it is no stray.
func (f Fault) Straying() time.Duration {
	if f.Kind != FaultStray {
		return 0
	}
	return max(time.Duration(f.Delay), time.Nanosecond)
}

// Refuses is the status that the fault answers with instead of an answer; 0
// when it does not.
func (f Fault) Refuses() int {
	switch {
	case f.Kind != FaultStatus && f.Kind != FaultCommitStatus:
		return 0
	case f.Status == 0:
		return http.StatusInternalServerError
	}
	return f.Status
}

// Spoil does what comes instead of an answer, and tells whether the answer
// should still follow; not for a fault that Refuses. Waiting ends when closing
// does.
func (f Fault) Spoil(w http.ResponseWriter, r *http.Request, status int, answer []byte, closing <-chan struct{}) bool {
	switch f.Kind {
	case "":
		return true
	case FaultSlow:
		hold(r, time.Duration(f.Delay), closing)
		return true
	case FaultGarbage, FaultCommitGarbage:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(strings.Repeat("\x00{\"garbage", 1<<20/10)))
		return false
	case FaultCommitTruncate:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)+1))
		w.WriteHeader(status)
		_, _ = w.Write(answer[:len(answer)/2])
	case FaultCommitTimeout:
		limit := time.Duration(f.Delay)
		if limit == 0 {
			limit = holdAtMost
		}
		hold(r, limit, closing)
	}
	panic(http.ErrAbortHandler) // closes the connection
}

// hold waits, in real time, but not for a client that has left.
func hold(r *http.Request, d time.Duration, closing <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	case <-closing:
	}
}

// Faults are the faults to come, used up in the order in which they came. The
// zero value has none.
type Faults struct {
	mu    sync.Mutex
	queue []*Fault
	taken int
}

// Inject queues faults; one that makes no sense refuses them all.
func (q *Faults) Inject(faults ...Fault) error {
	for _, f := range faults {
		if err := f.Check(); err != nil {
			return err
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, f := range faults {
		f.Times = max(f.Times, 1)
		q.queue = append(q.queue, &f)
	}
	return nil
}

// Clear drops the faults that are still queued.
func (q *Faults) Clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue = nil
}

// Queued lists the faults to come, and how many requests were spoilt.
func (q *Faults) Queued() (queued []Fault, taken int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	queued = []Fault{}
	for _, f := range q.queue {
		queued = append(queued, *f)
	}
	return queued, q.taken
}

// Take is the fault that spoils this request; its Kind is empty when none
// does. The first queued fault that fits decides.
func (q *Faults) Take(method, path, source string) Fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, f := range q.queue {
		if (f.Method != "" && f.Method != method) || !strings.Contains(path, f.Path) || (f.Source != "" && f.Source != source) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			return Fault{}
		}
		if f.Chance > 0 && rand.Float64() >= f.Chance {
			return Fault{}
		}
		taken := *f
		if f.Times--; f.Times == 0 {
			q.queue = slices.Delete(q.queue, i, i+1)
		}
		q.taken++
		return taken
	}
	return Fault{}
}
