package wisksim

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/partner/wisk/wire"
	"github.com/clustersystems/clusterbridge/internal/simulator/kit"
)

// What an upload does with a line whose id the venue holds (reference: WISK
// section 2, all assumed).
const (
	Replace     = "replace"      // the second wins
	Ignore      = "ignore"       // the first wins
	Refuse      = "refuse"       // 400
	DoubleCount = "double_count" // both are held
)

// What the rate limit counts by.
const (
	ByVenue  = "venue"
	BySource = "source" // the client's address
)

// What a 200 answers; no body is described.
const (
	AnswerEmpty = "empty"
	AnswerJSON  = "json"
)

// All stands for every venue in a list of venues.
const All = "*"

// Switches are the behaviours that the reference leaves open (WISK section 8).
type Switches struct {
	// SameID is replace, ignore, refuse or double_count.
	SameID string `json:"same_id"`
	// PartialRefusal applies the good lines of a batch that is refused for
	// others; without it nothing of the batch is.
	PartialRefusal bool `json:"partial_refusal"`
	// NameLines names the lines at fault in a refusal.
	NameLines bool `json:"name_lines"`
	// RefusedPLUs and RefusedIDs, a pattern of path.Match, are lines whose form
	// is good and that WISK refuses all the same.
	RefusedPLUs []string `json:"refused_plus"`
	RefusedIDs  string   `json:"refused_ids"`
	// MaxLines is how many lines a call may hold (0 lifts it), and TooMany the
	// status that refuses more: 413 or 400.
	MaxLines int `json:"max_lines"`
	TooMany  int `json:"too_many"`
	// HeaderVenue is the header that names the venue.
	HeaderVenue string `json:"header_venue"`
	// RequireOffset refuses a date without an offset; otherwise it is read as
	// UTC.
	RequireOffset bool `json:"require_offset"`
	// RefuseLongNumbers refuses a total with more than two decimals and a
	// quantity with more than nine.
	RefuseLongNumbers bool `json:"refuse_long_numbers"`
	// Answer is the body of a 200: empty or json.
	Answer string `json:"answer"`
	// PerSecond requests in one second are let through per LimitBy, venue or
	// source; one more blocks it for Block, in real time. 0 lifts the limit.
	PerSecond int          `json:"per_second"`
	LimitBy   string       `json:"limit_by"`
	Block     kit.Duration `json:"block"`
	// RetryAfter states the rest of the block with a 429.
	RetryAfter bool `json:"retry_after"`
	// VenuesRefused are venues that get a 401 although they exist, and
	// PlansRefused venues that get a 403 since their plan is too low; "*" is all.
	VenuesRefused []string `json:"venues_refused"`
	PlansRefused  []string `json:"plans_refused"`
	// CalledOffAfter failed pulls in a row call an integration off.
	CalledOffAfter int `json:"called_off_after"`
	// HistoryMonths is how far back a new integration reads.
	HistoryMonths int `json:"history_months"`
}

// Defaults are the behaviours that the reference proposes.
func Defaults() Switches {
	return Switches{
		SameID: Replace, NameLines: true, MaxLines: wire.DefaultMaxLines, TooMany: http.StatusRequestEntityTooLarge,
		HeaderVenue: wire.DefaultHeaderVenue, RequireOffset: true, RefuseLongNumbers: true, Answer: AnswerEmpty,
		PerSecond: 5, LimitBy: ByVenue, Block: kit.Duration(time.Second), CalledOffAfter: 10, HistoryMonths: 6,
	}
}

func (w Switches) check() error {
	_, pattern := path.Match(w.RefusedIDs, "")
	switch {
	case !slices.Contains([]string{Replace, Ignore, Refuse, DoubleCount}, w.SameID):
		return fmt.Errorf("same_id: %q is no mode", w.SameID)
	case !slices.Contains([]string{ByVenue, BySource}, w.LimitBy):
		return fmt.Errorf("limit_by: %q is neither venue nor source", w.LimitBy)
	case !slices.Contains([]string{AnswerEmpty, AnswerJSON}, w.Answer):
		return fmt.Errorf("answer: %q is neither empty nor json", w.Answer)
	case w.TooMany != http.StatusRequestEntityTooLarge && w.TooMany != http.StatusBadRequest:
		return errors.New("too_many: want 413 or 400")
	case w.HeaderVenue == "":
		return errors.New("header_venue is missing")
	case pattern != nil:
		return fmt.Errorf("refused_ids: %w", pattern)
	case w.MaxLines < 0 || w.PerSecond < 0 || w.Block < 0:
		return errors.New("max_lines, per_second and block cannot be negative")
	case w.CalledOffAfter < 1 || w.HistoryMonths < 0:
		return errors.New("called_off_after is at least 1, history_months at least 0")
	}
	return nil
}

// refuses tells whether WISK refuses a line whose form is good.
func (w Switches) refuses(l wire.Line) bool {
	if slices.Contains(w.RefusedPLUs, l.PLU) {
		return true
	}
	matched, err := path.Match(w.RefusedIDs, l.ID)
	return err == nil && matched
}

func listed(list []string, venue string) bool {
	return slices.Contains(list, venue) || slices.Contains(list, All)
}

// copied shares no list with w.
func (w Switches) copied() Switches {
	w.RefusedPLUs, w.VenuesRefused, w.PlansRefused = slices.Clone(w.RefusedPLUs), slices.Clone(w.VenuesRefused), slices.Clone(w.PlansRefused)
	return w
}

// Switches are the present behaviours.
func (s *Sim) Switches() Switches {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.switches.copied()
}

// Switch changes behaviours; a change that makes no sense is refused whole.
func (s *Sim) Switch(change func(*Switches)) error {
	return s.turn(func(next *Switches) error {
		change(next)
		return nil
	})
}

func (s *Sim) turn(change func(*Switches) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.switches.copied()
	if err := change(&next); err != nil {
		return err
	}
	if err := next.check(); err != nil {
		return err
	}
	s.switches = next.copied()
	return nil
}

// serveSwitches takes a JSON object with the switches to change and answers
// with all of them.
func (s *Sim) serveSwitches(w http.ResponseWriter, r *http.Request) {
	data, err := kit.Body(w, r)
	if err == nil {
		err = s.turn(func(next *Switches) error { return kit.Strict(data, next) })
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	kit.Write(w, s.Switches())
}
