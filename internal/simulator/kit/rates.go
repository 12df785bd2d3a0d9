package kit

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Rate is what was measured of one source's requests, at their arrival.
type Rate struct {
	// Source is a running name, such as "token 1", never a token itself.
	Source   string `json:"source"`
	Requests int    `json:"requests"`
	Limited  int    `json:"limited"` // answered 429
	// MaxPerSecond and MaxPerMinute are the most arrivals in any window of that
	// length, refused ones included.
	MaxPerSecond int       `json:"max_per_second"`
	MaxPerMinute int       `json:"max_per_minute"`
	First        time.Time `json:"first"`
	Last         time.Time `json:"last"`
}

// Rates account for requests per source.
type Rates struct {
	word    string // what a source is called
	mu      sync.Mutex
	sources map[string]*account
}

type account struct {
	Rate
	// arrivals of the last minute, oldest first; second is where the last
	// second begins among them.
	arrivals []time.Time
	second   int
	blocked  time.Time
}

// NewRates make an account; word is what a source is called, such as "token".
func NewRates(word string) *Rates { return &Rates{word: word, sources: map[string]*account{}} }

// Name gives a source its running name.
func (r *Rates) Name(source string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of(source)
}

func (r *Rates) of(source string) *account {
	a := r.sources[source]
	if a == nil {
		a = &account{Rate: Rate{Source: fmt.Sprintf("%s %d", r.word, len(r.sources)+1)}}
		r.sources[source] = a
	}
	return a
}

// Arrive counts a request. It is refused while its source is blocked and when
// it is one too many within a second, which blocks the source; rest is then
// how long the block lasts. 0 per second lets all through.
func (r *Rates) Arrive(source string, perSecond int, block time.Duration) (rest time.Duration, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, now := r.of(source), time.Now()
	a.count(now)
	switch {
	case perSecond == 0:
		return 0, true
	case now.Before(a.blocked):
	case len(a.arrivals)-a.second > perSecond:
		a.blocked = now.Add(block)
	default:
		return 0, true
	}
	a.Limited++
	return a.blocked.Sub(now), false
}

func (a *account) count(now time.Time) {
	a.Requests++
	if a.First.IsZero() {
		a.First = now
	}
	a.Last = now
	a.arrivals = append(a.arrivals, now)
	old := 0
	for now.Sub(a.arrivals[old]) >= time.Minute {
		old++
	}
	a.arrivals, a.second = a.arrivals[old:], max(0, a.second-old)
	for now.Sub(a.arrivals[a.second]) >= time.Second {
		a.second++
	}
	a.MaxPerMinute = max(a.MaxPerMinute, len(a.arrivals))
	a.MaxPerSecond = max(a.MaxPerSecond, len(a.arrivals)-a.second)
}

// Measured lists all sources that made requests, by name.
func (r *Rates) Measured() []Rate {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := []Rate{}
	for _, a := range r.sources {
		if a.Requests > 0 {
			all = append(all, a.Rate)
		}
	}
	slices.SortFunc(all, func(a, b Rate) int { return strings.Compare(a.Source, b.Source) })
	return all
}

// Reset forgets what was measured and lifts blocks.
func (r *Rates) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.sources {
		*a = account{Rate: Rate{Source: a.Source}}
	}
}
