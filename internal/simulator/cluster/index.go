package clustersim

import (
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
)

// index finds a till's records by instants, so that a query costs what it finds
// and not what the till ever sold. It holds each instant at which a record can
// stand in an answer, now or later.
type index struct {
	by map[string]instants // by date field
	// arrived is when the relay received the records' versions.
	arrived instants
}

// instants are records by an instant of theirs, in its order; a record may be in
// it more than once.
type instants []dated

type dated struct {
	at     time.Time
	record *record
}

// between are the records with an instant from one to before another, each once.
func (list instants) between(from, to time.Time) []*record {
	byInstant := func(d dated, at time.Time) int { return d.at.Compare(at) }
	first, _ := slices.BinarySearchFunc(list, from, byInstant)
	last, _ := slices.BinarySearchFunc(list, to, byInstant)
	var found []*record
	twice := make(map[*record]bool, last-first)
	for _, d := range list[first:max(first, last)] {
		if !twice[d.record] {
			twice[d.record] = true
			found = append(found, d.record)
		}
	}
	return found
}

// indexed is a till's index, made when it is asked for. The caller holds s.mu, for
// reading at least.
func (s *Sim) indexed(t *till) *index {
	if known := t.index.Load(); known != nil {
		return known
	}
	made := &index{by: map[string]instants{}}
	for _, r := range t.orders {
		if r.raw != nil {
			made.add(seen{raw: r.raw, at: r.rawFrom}, r)
		}
		for _, v := range r.versions {
			// What an outage without an end holds back is not known.
			if at, ok := t.Received(v.from); ok {
				made.arrived = append(made.arrived, dated{at, r})
				made.add(s.shown(t, r, v, at), r)
			}
		}
	}
	made.arrived.sort()
	for _, list := range made.by {
		list.sort()
	}
	t.index.Store(made)
	return made
}

func (i *index) add(v seen, r *record) {
	for _, field := range []string{wire.DateOpened, wire.DateClosed, wire.DateModified} {
		if at, ok := v.instant(field); ok {
			i.by[field] = append(i.by[field], dated{at, r})
		}
	}
}

func (list instants) sort() {
	slices.SortFunc(list, func(a, b dated) int { return a.at.Compare(b.at) })
}
