package sevenshiftssim

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The kinds of fault. Those that begin with "commit" let the request have its
// effect first; the others prevent it, except Slow and Stray.
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
	// Delay, out of order: also after later writes of the same receipt.
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
// of arrival, after the rate limit and the check of the token.
type Fault struct {
	Kind string `json:"kind"`
	// Method and Path choose requests; empty fits all. Path is a part of the
	// path, such as "receipts".
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
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

func (f Fault) check() error {
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

func (f Fault) status() int {
	if f.Status == 0 {
		return http.StatusInternalServerError
	}
	return f.Status
}

// commits tells whether the request has its effect.
func (f Fault) commits() bool {
	return f.Kind == "" || f.Kind == FaultSlow || f.Kind == FaultStray || strings.HasPrefix(f.Kind, "commit")
}

// Inject queues faults; one that makes no sense refuses them all.
func (s *Sim) Inject(faults ...Fault) error {
	for _, f := range faults {
		if err := f.check(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		f.Times = max(f.Times, 1)
		s.faults = append(s.faults, &f)
	}
	return nil
}

// ClearFaults drops the faults that are still queued.
func (s *Sim) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// takeFault is the fault that spoils this request; its Kind is empty when none
// does. The first queued fault that fits decides.
func (s *Sim) takeFault(method, path string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if (f.Method != "" && f.Method != method) || !strings.Contains(path, f.Path) {
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
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		s.counters.Faults++
		return taken
	}
	return Fault{}
}
