package clustersim

import (
	"slices"
	"strings"
	"time"
)

// Change is an order of which the relay received a new version: what Cluster's
// hook "order changed" tells.
type Change struct{ Serial, OrderID string }

// Changes are the orders that changed after one business instant and up to
// another, each once, in the order of serials and ids.
func (s *Sim) Changes(after, upTo time.Time) []Change {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var changes []Change
	for _, t := range s.tills {
		// The first instant is not counted, the last is.
		for _, r := range s.indexed(t).arrived.between(after.Add(time.Nanosecond), upTo.Add(time.Nanosecond)) {
			changes = append(changes, Change{Serial: t.Serial, OrderID: r.id})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int {
		return strings.Compare(a.Serial+" "+a.OrderID, b.Serial+" "+b.OrderID)
	})
	return slices.Compact(changes)
}
