package wisksim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// The status of a POS integration (reference: WISK section 5).
const (
	Initializing = "Initializing" // just added
	Healthy      = "Healthy"      // receiving sales
	Failed       = "Failed"       // the last fetch failed; it goes on
	CalledOff    = "CalledOff"    // halted after too many failures, until resumed by hand
)

// Pair is one till's credentials at Cluster.
type Pair struct {
	Serial string `json:"serial"`
	// Key is Cluster's API key. It never leaves by what the simulator shows.
	Key string `json:"key,omitempty"`
}

// Setup is what a person enters of a POS integration of type Cluster.
type Setup struct {
	Venue string `json:"venue"`
	// Nickname tells integrations of one type apart.
	Nickname string `json:"nickname,omitempty"`
	Pairs    []Pair `json:"pairs"`
	// IncludeModifiers joins modifiers to their item; with SeparateModifiers
	// they are items of their own.
	IncludeModifiers  bool `json:"include_modifiers,omitempty"`
	SeparateModifiers bool `json:"separate_modifiers,omitempty"`
}

func (p Setup) check() error {
	serials := map[string]bool{}
	for _, pair := range p.Pairs {
		if pair.Serial == "" || pair.Key == "" || serials[pair.Serial] {
			return errors.New("pairs: each needs an API key and a serial number of its own")
		}
		serials[pair.Serial] = true
	}
	switch {
	case len(p.Pairs) == 0:
		return errors.New("pairs: at least one")
	case p.SeparateModifiers && !p.IncludeModifiers:
		return errors.New("separate_modifiers goes with include_modifiers only")
	}
	return nil
}

// Integration is a POS integration: WISK itself reads the tills' orders and
// holds lines (reference: WISK sections 4 to 6).
type Integration struct {
	ID int `json:"id"`
	Setup
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"` // of Failed and CalledOff
	// Failures are those in a row.
	Failures   int       `json:"failures,omitempty"`
	LastCheck  time.Time `json:"last_check,omitzero"`
	LastImport time.Time `json:"last_import,omitzero"` // of a sale
	Malformed  int       `json:"malformed,omitempty"`  // orders that could not be read
	// Removed integrations are kept as inactive ones.
	Removed bool `json:"removed,omitempty"`
	// Read is up to when each serial number was read whole.
	Read map[string]time.Time `json:"read,omitempty"`
}

type integration struct {
	Integration
	busy sync.Mutex // held by the one pull
}

func (i Integration) source() string { return "pull " + strconv.Itoa(i.ID) }

// shown is an integration without keys that shares nothing.
func (i Integration) shown() Integration {
	i.Pairs = slices.Clone(i.Pairs)
	for n := range i.Pairs {
		i.Pairs[n].Key = ""
	}
	i.Read = nil
	return i
}

// AddIntegration verifies each pair with Cluster and saves the integration. It
// reads nothing yet: the first pull imports history. The error is a *PairError
// where a pair is at fault; nothing is saved then.
func (s *Sim) AddIntegration(ctx context.Context, setup Setup) (Integration, error) {
	if err := setup.check(); err != nil {
		return Integration{}, err
	}
	s.mu.Lock()
	_, err := s.venue(setup.Venue)
	s.mu.Unlock()
	if err != nil {
		return Integration{}, err
	}
	for _, p := range setup.Pairs {
		if err := s.ping(ctx, p); err != nil {
			return Integration{}, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	setup.Pairs = slices.Clone(setup.Pairs)
	saved := Integration{ID: len(s.integrations) + 1, Setup: setup, Status: Initializing}
	s.keep(saved)
	s.journal.Append(event{Integration: &saved})
	return saved.shown(), nil
}

// keep takes an integration as it is now. The caller holds s.mu.
func (s *Sim) keep(i Integration) {
	at, found := slices.BinarySearchFunc(s.integrations, i.ID, func(known *integration, id int) int { return cmp.Compare(known.ID, id) })
	if found {
		s.integrations[at].Integration = i
		return
	}
	s.integrations = slices.Insert(s.integrations, at, &integration{Integration: i})
}

// Integrations are a venue's POS integrations, inactive ones included, without
// their keys; an empty venue is all.
func (s *Sim) Integrations(venueID string) []Integration {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []Integration{}
	for _, i := range s.integrations {
		if venueID == "" || i.Venue == venueID {
			list = append(list, i.shown())
		}
	}
	return list
}

// RemoveIntegration makes an integration inactive; what it read stays.
func (s *Sim) RemoveIntegration(id int) error {
	return s.change(id, func(i *Integration) error {
		i.Removed = true
		return nil
	})
}

// ResumeIntegration lets one that was called off try again. It counts as
// failed until a pull succeeds.
func (s *Sim) ResumeIntegration(id int) error {
	return s.change(id, func(i *Integration) error {
		if i.Status != CalledOff {
			return fmt.Errorf("integration %d is not called off", id)
		}
		i.Status, i.Failures = Failed, 0
		return nil
	})
}

func (s *Sim) change(id int, change func(*Integration) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.integrations {
		if known.ID == id && !known.Removed {
			next := known.Integration
			if err := change(&next); err != nil {
				return err
			}
			known.Integration = next
			s.journal.Append(event{Integration: &next})
			return nil
		}
	}
	return fmt.Errorf("no such integration: %d", id)
}

// PullNow lets the integrations of a venue look for new sales, one after the
// other; an empty venue is all venues. Inactive ones, and those called off, do
// not. The error joins what failed.
func (s *Sim) PullNow(ctx context.Context, venueID string) error {
	return s.pullThose(ctx, func(i Integration) bool { return venueID == "" || i.Venue == venueID })
}

// beginPull lets one integration look for new sales, beside what is served.
func (s *Sim) beginPull(id int) {
	s.begin(func() {
		if err := s.pullThose(s.life, func(i Integration) bool { return i.ID == id }); err != nil {
			s.log.Warn("pull failed", "integration", id, "err", err)
		}
	})
}

func (s *Sim) pullThose(ctx context.Context, wanted func(Integration) bool) error {
	var list []*integration
	s.mu.Lock()
	for _, i := range s.integrations {
		if wanted(i.Integration) {
			list = append(list, i)
		}
	}
	s.mu.Unlock()
	var failed []error
	for _, i := range list {
		failed = append(failed, s.pull(ctx, i))
	}
	return errors.Join(failed...)
}

// tick looks for new sales every so often, until Close.
func (s *Sim) tick() {
	for {
		s.wait(s.clock.Until(s.clock.Now().Add(s.options.PullEvery)))
		if s.life.Err() != nil {
			return
		}
		if err := s.PullNow(s.life, ""); err != nil {
			s.log.Warn("pull failed", "err", err)
		}
	}
}

// settle notes how a pull ended.
func (s *Sim) settle(i *integration, read map[string]time.Time, malformed int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i.LastCheck, i.Read = s.clock.Now(), read
	i.Malformed += malformed
	if err == nil {
		i.Status, i.Reason, i.Failures = Healthy, "", 0
	} else {
		i.Failures++
		i.Status, i.Reason = Failed, err.Error()
		if i.Failures >= s.switches.CalledOffAfter {
			i.Status = CalledOff
			s.log.Warn("integration called off", "integration", i.ID, "reason", i.Reason)
		}
	}
	now := i.Integration
	s.journal.Append(event{Integration: &now})
}
