package delivery

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// memWisk adds up lines as WISK does, in each of its possible manners. It is no
// stand-in for the wire: the simulator is that.
type memWisk struct {
	sameID string
	held   []partner.Line // double-count keeps repeats
	at     map[string]int
	fault  fault
	bad    map[string]bool // items that are refused
	strays [][]partner.Line
	broken []string // what must never be
}

// fault is what happens to the next upload.
type fault string

const (
	noFault       fault = ""
	dropped       fault = "dropped before it left"
	lostCall      fault = "lost"
	answerLost    fault = "taken, answer lost"
	strayLater    fault = "lost, and arrives later"
	slowDown      fault = "429"
	halfUnanswerd fault = "first half taken, then silence"
)

func newMemWisk(sameID string) *memWisk {
	return &memWisk{sameID: sameID, at: map[string]int{}, bad: map[string]bool{}}
}

// take adds lines up.
func (w *memWisk) take(lines []partner.Line) {
	for _, l := range lines {
		i, known := w.at[l.ID]
		if known && !sameContent(w.held[i], l) {
			w.broken = append(w.broken, fmt.Sprintf("id %s came with other content", l.ID))
		}
		if q, err := decimal.NewFromString(l.Quantity); err != nil || q.IsZero() {
			w.broken = append(w.broken, fmt.Sprintf("line %s has no quantity", l.ID))
		}
		switch {
		case !known, w.sameID == wisk.SameIDCounts:
			if known {
				w.broken = append(w.broken, fmt.Sprintf("line %s was counted twice", l.ID))
			}
			w.at[l.ID] = len(w.held)
			w.held = append(w.held, l)
		case w.sameID == wisk.SameIDReplaces:
			w.held[i] = l
		}
	}
}

// Upload implements partner.Uploads.
func (w *memWisk) Upload(_ context.Context, lines []partner.Line, _ time.Time) ([]partner.LineOutcome, error) {
	out := make([]partner.LineOutcome, len(lines))
	set := func(from, to int, r partner.LineResult) {
		for i := from; i < to; i++ {
			if out[i].Result != partner.LineRefused {
				out[i].Result = r
			}
		}
	}
	var good []partner.Line
	for i, l := range lines {
		if w.bad[l.Item] {
			out[i] = partner.LineOutcome{Result: partner.LineRefused, Why: "refused"}
			continue
		}
		good = append(good, l)
	}
	set(0, len(lines), partner.LineUnsent)
	if w.sameID == wisk.SameIDCounts && len(good) < len(lines) {
		return out, nil // one request, refused as a whole
	}
	all, f := len(lines), w.fault
	w.fault = noFault
	if f == halfUnanswerd && w.sameID == wisk.SameIDCounts {
		f = answerLost // one request, which is taken whole or not at all
	}
	doubt := &work.Error{Code: work.PartnerUnreachable, Ambiguous: true}
	switch f { //nolint:exhaustive // the others have their effect
	case dropped:
		return out, work.Err(work.PartnerUnreachable, "")
	case slowDown:
		return out, work.Err(work.PartnerLimited, "")
	case lostCall, strayLater, answerLost:
		for i := range out {
			out[i] = partner.LineOutcome{Result: partner.LineInDoubt}
		}
		if f == answerLost {
			w.take(good)
		}
		if f == strayLater {
			w.strays = append(w.strays, good)
		}
		return out, doubt
	case halfUnanswerd:
		half := all / 2
		set(0, half, partner.LineAccepted)
		for i := half; i < all; i++ {
			out[i] = partner.LineOutcome{Result: partner.LineInDoubt}
		}
		arrived := len(w.held)%2 == 0 // a request is taken whole or not at all
		for i, l := range lines {
			if !w.bad[l.Item] && (i < half || arrived) {
				w.take([]partner.Line{l})
			}
		}
		return out, doubt
	}
	w.take(good)
	set(0, all, partner.LineAccepted)
	return out, nil
}

// land lets the calls arrive that were lost on the way.
func (w *memWisk) land() {
	for _, lines := range w.strays {
		w.take(lines)
	}
	w.strays = nil
}

// has tells whether a line arrived.
func (w *memWisk) has(id string) bool { _, ok := w.at[id]; return ok }

// sum is what of one document's items is held, per day and item.
type sum struct {
	quantity decimal.Decimal
	total    sale.Cents
}

func (w *memWisk) sums(document string) map[string]sum {
	sums := map[string]sum{}
	for _, l := range w.held {
		if parts := strings.Split(l.ID, ":"); parts[1] != document {
			continue
		}
		q, _ := decimal.NewFromString(l.Quantity)
		key := l.Day.String() + " " + l.Item
		was := sums[key]
		sums[key] = sum{was.quantity.Add(q), was.total + l.Total}
	}
	for key, s := range sums {
		if s.quantity.IsZero() && s.total == 0 {
			delete(sums, key)
		}
	}
	return sums
}
