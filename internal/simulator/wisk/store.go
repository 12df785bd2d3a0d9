package wisksim

import (
	"cmp"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/partner/wisk/wire"
)

// SourceUpload is the source of lines that were uploaded; those that an
// integration read name it, such as "pull 1".
const SourceUpload = "upload"

// Held is one line that a venue holds. The JSON is also that of the state file.
type Held struct {
	// Seq is the order in which lines were first held.
	Seq    int64  `json:"seq"`
	Source string `json:"source"`
	// Order is the till's order that a pulled line belongs to: its lines are
	// replaced together.
	Order string    `json:"order,omitempty"`
	At    time.Time `json:"at"` // business time
	// Changed is when the same id last replaced it; zero when it never did.
	Changed time.Time `json:"changed,omitzero"`
	Line    wire.Line `json:"line"`

	content content
}

// venue is what a venue holds; Sim.mu guards it.
type venue struct {
	Venue
	zone   *time.Location
	known  bool               // added, not only read from the state file
	lines  []*Held            // by Seq
	byID   map[string]*Held   // uploaded lines: the first of an id
	orders map[string][]*Held // pulled lines, by order
	// frozen is what each uploaded id said when it first came in good form, held
	// or refused.
	frozen map[string]content
	items  map[string]*Item
	// lost are uploaded ids that are accepted and never held, and losing what is
	// still to be lost.
	lost   map[string]bool
	losing []Loss
}

// hold is the venue of this id, known or not. The caller holds s.mu.
func (s *Sim) hold(id string) *venue {
	v := s.venues[id]
	if v == nil {
		v = &venue{
			Venue: Venue{ID: id}, zone: time.UTC, byID: map[string]*Held{}, orders: map[string][]*Held{},
			frozen: map[string]content{}, items: map[string]*Item{}, lost: map[string]bool{},
		}
		s.venues[id] = v
	}
	return v
}

// batch is an upload, or a page of a pull, with its effect.
type batch struct {
	Venue  string    `json:"venue"`
	Source string    `json:"source"`
	At     time.Time `json:"at"`
	// Came counts the lines that came; Repeats those whose id was held, and
	// Malformed those that have not the form.
	Came      int  `json:"came"`
	Repeats   int  `json:"repeats,omitempty"`
	Malformed int  `json:"malformed,omitempty"`
	Failed    bool `json:"failed,omitempty"` // answered 400
	// Hold are lines to hold; where one has the number of a held line it takes
	// its place. Gone are orders all of whose lines go first.
	Hold []Held   `json:"hold,omitempty"`
	Gone []string `json:"gone,omitempty"`
	// Refused are well-formed lines that were not held, and Lost such as were
	// accepted all the same.
	Refused []wire.Line `json:"refused,omitempty"`
	Lost    []wire.Line `json:"lost,omitempty"`
}

// do gives a batch its effect and keeps it. The caller holds s.mu.
func (s *Sim) do(b batch) {
	if err := s.redoBatch(b); err != nil {
		s.log.Error("a batch of ours cannot be read", "err", err)
		return
	}
	s.journal.Append(event{Batch: &b})
}

// redoBatch brings back the effect of a batch.
func (s *Sim) redoBatch(b batch) error {
	v := s.hold(b.Venue)
	for _, l := range slices.Concat(b.Refused, b.Lost) {
		c, _, err := readLine(l)
		if err != nil {
			return err
		}
		v.freeze(l.ID, c)
	}
	for _, l := range b.Lost {
		v.lost[l.ID] = true
	}
	v.drop(b.Gone)
	for i := range b.Hold {
		held := b.Hold[i]
		var err error
		if held.content, _, err = readLine(held.Line); err != nil {
			return err
		}
		s.seq = max(s.seq, held.Seq)
		v.put(held)
	}
	s.counters.add(b)
	return nil
}

func (v *venue) freeze(id string, c content) {
	if _, ok := v.frozen[id]; !ok {
		v.frozen[id] = c
	}
}

// put holds a line, in the place of the one with its number.
func (v *venue) put(held Held) {
	v.see(held)
	if held.Source == SourceUpload {
		v.freeze(held.Line.ID, held.content)
	}
	i, found := slices.BinarySearchFunc(v.lines, held.Seq, func(h *Held, seq int64) int { return cmp.Compare(h.Seq, seq) })
	if found {
		*v.lines[i] = held
		return
	}
	v.lines = slices.Insert(v.lines, i, &held)
	if held.Source != SourceUpload {
		v.orders[held.Order] = append(v.orders[held.Order], &held)
	} else if v.byID[held.Line.ID] == nil {
		v.byID[held.Line.ID] = &held
	}
}

// drop lets go of all lines of orders.
func (v *venue) drop(orders []string) {
	gone := map[*Held]bool{}
	for _, order := range orders {
		for _, held := range v.orders[order] {
			gone[held] = true
		}
		delete(v.orders, order)
	}
	if len(gone) == 0 {
		return
	}
	v.lines = slices.DeleteFunc(v.lines, func(h *Held) bool { return gone[h] })
}
