package mailboxsim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// The kinds of fault.
const (
	FaultBusy       = "busy"        // answers MAIL FROM with 421 and hangs up
	FaultSender     = "sender"      // answers MAIL FROM with 553: who are you?
	FaultRefuse     = "refuse"      // answers RCPT TO with 550: no such person
	FaultRelay      = "relay"       // answers RCPT TO with 550: not for you
	FaultTempfail   = "tempfail"    // answers RCPT TO with 451: try again later
	FaultSpam       = "spam"        // reads the mail, then answers 554
	FaultFull       = "full"        // reads the mail, then answers 452
	FaultDrop       = "drop"        // hangs up in the middle of the mail
	FaultAcceptDrop = "accept_drop" // keeps the mail, then hangs up without an answer
	FaultSlow       = "slow"        // keeps the mail, but answers after Delay
	FaultBye        = "bye"         // keeps the mail, answers, and hangs up
)

var faultKinds = []string{
	FaultBusy, FaultSender, FaultRefuse, FaultRelay, FaultTempfail, FaultSpam, FaultFull, FaultDrop, FaultAcceptDrop, FaultSlow, FaultBye,
}

// Duration is a time.Duration that is written as text, such as "150ms".
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// Fault spoils the next mails that it fits.
type Fault struct {
	Kind string `json:"kind"`
	// To chooses mails by a part of the recipient's address; empty fits all. A
	// fault that speaks before RCPT TO fits all anyway.
	To string `json:"to,omitempty"`
	// Skip lets so many fitting mails pass first, and Times spoils so many
	// (0 means one).
	Skip  int `json:"skip,omitempty"`
	Times int `json:"times,omitempty"`
	// Chance spoils a fitting mail only with this probability; 0 means always.
	Chance float64  `json:"chance,omitempty"`
	Delay  Duration `json:"delay,omitempty"`
}

func (f Fault) check() error {
	switch {
	case !slices.Contains(faultKinds, f.Kind):
		return fmt.Errorf("kind: %q is none of %s", f.Kind, strings.Join(faultKinds, ", "))
	case f.Skip < 0 || f.Times < 0 || f.Delay < 0 || f.Chance < 0 || f.Chance > 1:
		return fmt.Errorf("fault %q: skip, times, delay and chance cannot be negative, nor chance above 1", f.Kind)
	}
	return nil
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

// takeFault is the first queued fault of these kinds that fits the recipient;
// its Kind is empty when there is none.
func (s *Sim) takeFault(to string, kinds ...string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if !slices.Contains(kinds, f.Kind) || !strings.Contains(to, f.To) && to != "" {
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
