package sevenshiftssim

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Rate is what was measured of one token's requests, at their arrival.
type Rate struct {
	// Token is a running name, never the token itself.
	Token    string `json:"token"`
	Requests int    `json:"requests"`
	Limited  int    `json:"limited"` // answered 429
	// MaxPerSecond and MaxPerMinute are the most arrivals in any window of that
	// length, refused ones included.
	MaxPerSecond int       `json:"max_per_second"`
	MaxPerMinute int       `json:"max_per_minute"`
	First        time.Time `json:"first"`
	Last         time.Time `json:"last"`
}

// rates accounts for requests per token.
type rates struct {
	mu     sync.Mutex
	tokens map[string]*tokenRate
}

type tokenRate struct {
	Rate
	// arrivals of the last minute, oldest first; second is where the last
	// second begins among them.
	arrivals []time.Time
	second   int
	blocked  time.Time
}

func newRates() *rates { return &rates{tokens: map[string]*tokenRate{}} }

// name gives a token its running name.
func (r *rates) name(token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of(token)
}

func (r *rates) of(token string) *tokenRate {
	t := r.tokens[token]
	if t == nil {
		t = &tokenRate{Rate: Rate{Token: fmt.Sprintf("token %d", len(r.tokens)+1)}}
		r.tokens[token] = t
	}
	return t
}

// arrive counts a request. It is refused while the token is blocked and when
// it is one too many within a second, which blocks the token; rest is then
// how long the block lasts.
func (r *rates) arrive(token string, perSecond int, block time.Duration) (rest time.Duration, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, now := r.of(token), time.Now()
	t.count(now)
	switch {
	case perSecond == 0:
		return 0, true
	case now.Before(t.blocked):
	case len(t.arrivals)-t.second > perSecond:
		t.blocked = now.Add(block)
	default:
		return 0, true
	}
	t.Limited++
	return t.blocked.Sub(now), false
}

func (t *tokenRate) count(now time.Time) {
	t.Requests++
	if t.First.IsZero() {
		t.First = now
	}
	t.Last = now
	t.arrivals = append(t.arrivals, now)
	old := 0
	for now.Sub(t.arrivals[old]) >= time.Minute {
		old++
	}
	t.arrivals, t.second = t.arrivals[old:], max(0, t.second-old)
	for now.Sub(t.arrivals[t.second]) >= time.Second {
		t.second++
	}
	t.MaxPerMinute = max(t.MaxPerMinute, len(t.arrivals))
	t.MaxPerSecond = max(t.MaxPerSecond, len(t.arrivals)-t.second)
}

// measured lists all tokens that made requests, by name.
func (r *rates) measured() []Rate {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := []Rate{}
	for _, t := range r.tokens {
		if t.Requests > 0 {
			all = append(all, t.Rate)
		}
	}
	slices.SortFunc(all, func(a, b Rate) int { return strings.Compare(a.Token, b.Token) })
	return all
}

// reset forgets what was measured and lifts blocks.
func (r *rates) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.tokens {
		*t = tokenRate{Rate: Rate{Token: t.Token}}
	}
}
