package clock

import (
	"sync"
	"time"
)

// Hand is business time that only whoever holds it moves, for tests.
type Hand struct {
	mu sync.Mutex
	at time.Time
}

// NewHand begins at an instant.
func NewHand(at time.Time) *Hand { return &Hand{at: at} }

// Now implements Clock. No two instants are the same.
func (h *Hand) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(time.Microsecond)
	return h.at
}

// Until implements Clock.
func (h *Hand) Until(t time.Time) time.Duration { return max(0, t.Sub(h.Now())) }

// Forward moves it.
func (h *Hand) Forward(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}
