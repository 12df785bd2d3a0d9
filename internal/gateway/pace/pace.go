// Package pace limits how fast requests come, by whatever tells them apart: the
// remote, or the link that they came with. It counts in this process and in
// real time.
package pace

import (
	"container/list"
	"sync"

	"golang.org/x/time/rate"
)

// Pace is a sustained rate in requests a second, and how many may come at once.
type Pace struct {
	PerSecond rate.Limit
	Burst     int
}

// MostKeys bounds the memory of one limit (some 200 bytes each); beyond it the
// key not seen for longest is forgotten, and begins anew.
const MostKeys = 4096

// Limits limits each key to a pace. It is safe for use by many goroutines.
type Limits[K comparable] struct {
	pace   Pace
	mu     sync.Mutex
	byKey  map[K]*list.Element
	recent *list.List // of *limited[K], the one seen last first
}

type limited[K comparable] struct {
	key   K
	limit *rate.Limiter
}

// New makes Limits in which no key was seen yet.
func New[K comparable](p Pace) *Limits[K] {
	return &Limits[K]{pace: p, byKey: map[K]*list.Element{}, recent: list.New()}
}

// Allow tells whether a key may have one more request now.
func (l *Limits[K]) Allow(key K) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, known := l.byKey[key]
	if known {
		l.recent.MoveToFront(e)
	} else {
		if l.recent.Len() >= MostKeys {
			oldest := l.recent.Back()
			delete(l.byKey, l.recent.Remove(oldest).(*limited[K]).key)
		}
		e = l.recent.PushFront(&limited[K]{key, rate.NewLimiter(l.pace.PerSecond, l.pace.Burst)})
		l.byKey[key] = e
	}
	return e.Value.(*limited[K]).limit.Allow()
}
