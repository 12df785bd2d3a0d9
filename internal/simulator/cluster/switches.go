package clustersim

import (
	"errors"
	"hash/fnv"
	"net/http"
	"time"
)

// OfficeSwitches are the back office's behaviours that nobody has published.
// Durations are business time.
type OfficeSwitches struct {
	// ActivationMin and ActivationMax bound how long access stays pending. The
	// same serial and partner always wait as long; both zero is at once.
	ActivationMin time.Duration `json:"activationMin"` // nanoseconds
	ActivationMax time.Duration `json:"activationMax"` // nanoseconds
	// NeverActivate forgets requests for access; one that is asked again once
	// it is off waits from then on.
	NeverActivate bool `json:"neverActivate"`
	// KeysNeedAccess refuses to issue a key until access is active. Otherwise
	// it is issued, and the till refuses it until then.
	KeysNeedAccess bool `json:"keysNeedAccess"`
	// ListLag is for how long the list of keys does not show yet what was
	// issued or revoked.
	ListLag time.Duration `json:"listLag"` // nanoseconds
	// RepeatIssues issues another key under a requestId that was used before,
	// instead of telling the first one's id.
	RepeatIssues bool `json:"repeatIssues"`
}

// DefaultOfficeSwitches are what the reference proposes.
func DefaultOfficeSwitches() OfficeSwitches {
	return OfficeSwitches{ActivationMin: 24 * time.Hour, ActivationMax: 48 * time.Hour}
}

func (w OfficeSwitches) check() error {
	if w.ActivationMin < 0 || w.ActivationMax < w.ActivationMin || w.ListLag < 0 {
		return errors.New("want 0 <= activationMin <= activationMax, and no negative listLag")
	}
	return nil
}

// delay is how long a partner's access to a till stays pending.
func (w OfficeSwitches) delay(serial, partner string) time.Duration {
	spread := uint64(w.ActivationMax-w.ActivationMin) + 1
	h := fnv.New64a()
	_, _ = h.Write([]byte(serial + " " + partner))
	return w.ActivationMin + time.Duration(h.Sum64()%spread) //nolint:gosec // less than spread, a duration
}

// SwitchOffice changes the back office's behaviours; a change that makes no
// sense is refused whole.
func (s *Sim) SwitchOffice(change func(*OfficeSwitches)) error {
	return s.office.turn(func(next *OfficeSwitches) *no {
		change(next)
		return nil
	})
}

func (f *office) turn(change func(*OfficeSwitches) *no) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := f.switches
	if err := change(&next); err != nil {
		return err
	}
	if err := next.check(); err != nil {
		return err
	}
	f.switches = next
	return nil
}

// serveSwitches takes a JSON object with the switches to change.
func (s *Sim) serveSwitches(w http.ResponseWriter, r *http.Request) {
	if err := s.office.turn(func(next *OfficeSwitches) *no { return readRequest(r, next) }); err != nil {
		refuse(w, badRequest(err.Error()))
		return
	}
	write(w, http.StatusOK, []byte(`{"ok":true}`))
}
