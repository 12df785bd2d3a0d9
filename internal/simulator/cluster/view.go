package clustersim

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
)

// seen is an order as the relay shows it at one instant.
type seen struct {
	order Order
	raw   json.RawMessage
	id    string
	at    time.Time // what the query filters and sorts by
}

// look is the relay's view of a record: its newest version received by now.
func (s *Sim) look(t *till, r *record, now time.Time) (seen, bool) {
	if !r.vanished.IsZero() && received(t, r.vanished, now) {
		return seen{}, false
	}
	if r.raw != nil {
		return seen{raw: r.raw, id: r.id, at: r.rawFrom}, received(t, r.rawFrom, now)
	}
	for _, v := range slices.Backward(r.versions) {
		at, ok := t.Received(v.from)
		if !ok || at.After(now) {
			continue
		}
		return s.shown(t, r, v, at), true
	}
	return seen{}, false
}

// shown is a version of a record, which the relay received at an instant, as the
// relay shows it.
func (s *Sim) shown(t *till, r *record, v version, received time.Time) seen {
	o := v.order
	o.Serial = wire.Text(t.Serial)
	o.ModifiedAt = wire.At(o.ModifiedAt.Add(s.options.ClockSkew).In(t.zone))
	o.ReceivedAt = wire.At(received.In(t.zone))
	if s.options.NoReceivedAt {
		o.ReceivedAt = wire.Instant{}
	}
	return seen{order: o, id: r.id}
}

func received(t *till, at, now time.Time) bool {
	arrival, ok := t.Received(at)
	return ok && !arrival.After(now)
}

// instant is what a query by this date field compares; false when the order
// has none.
func (v seen) instant(dateField string) (time.Time, bool) {
	if v.raw != nil {
		return v.at, true
	}
	switch dateField {
	case wire.DateOpened:
		return v.order.OpenedAt.Time, true
	case wire.DateClosed:
		return v.order.ClosedAt.Time, !v.order.ClosedAt.IsZero()
	}
	// What the cloud learned last, where it keeps that.
	if v.order.ReceivedAt.After(v.order.ModifiedAt.Time) {
		return v.order.ReceivedAt.Time, true
	}
	return v.order.ModifiedAt.Time, true
}

// find lists the orders of a query, in the order of its instants.
func (s *Sim) find(t *till, q wire.OrdersRequest, now time.Time) []seen {
	var found []seen
	for _, r := range s.indexed(t).by[q.DateField].between(q.From.Time, q.To.Time) {
		v, ok := s.look(t, r, now)
		if !ok {
			continue
		}
		if v.at, ok = v.instant(q.DateField); ok && !v.at.Before(q.From.Time) && v.at.Before(q.To.Time) {
			found = append(found, v)
		}
	}
	slices.SortFunc(found, func(a, b seen) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(a.id, b.id))
	})
	return found
}

// token is where a page begins: after the order with this key. It is stable:
// what happens between two pages neither shifts nor repeats the rest. It is
// good for the query that made it only.
type token struct {
	Query string    `json:"q"`
	After time.Time `json:"a"`
	ID    string    `json:"i"`
	First bool      `json:"f,omitempty"` // begins at the start
	Again bool      `json:"d,omitempty"` // this page has been served before
}

func queryOf(q wire.OrdersRequest) string {
	return strings.Join([]string{q.Serial, q.DateField, q.From.UTC().Format(time.RFC3339Nano), q.To.UTC().Format(time.RFC3339Nano)}, "|")
}

func (t token) String() string {
	b, _ := json.Marshal(t) // plain fields cannot fail
	return base64.RawURLEncoding.EncodeToString(b)
}

// readToken reads a page token of this query; an empty one is the first page.
func readToken(q wire.OrdersRequest) (token, bool) {
	if q.PageToken == "" {
		return token{Query: queryOf(q), First: true}, true
	}
	var t token
	b, err := base64.RawURLEncoding.DecodeString(q.PageToken)
	if err != nil || json.Unmarshal(b, &t) != nil {
		return t, false
	}
	return t, t.Query == queryOf(q)
}

// page cuts one page out of what was found, and tells the next page's token.
func (s *Sim) page(found []seen, from token, limit int) ([]seen, string) {
	start := 0
	if !from.First {
		start, _ = slices.BinarySearchFunc(found, from, func(v seen, t token) int {
			if c := cmp.Or(v.at.Compare(t.After), strings.Compare(v.id, t.ID)); c != 0 {
				return c
			}
			return -1 // begin after it
		})
	}
	end := min(start+limit, len(found))
	page := found[start:end]
	if s.options.DuplicatePages && !from.Again && len(page) > 0 {
		again := from
		again.Again = true
		return page, again.String()
	}
	if end == len(found) {
		return page, ""
	}
	last := page[len(page)-1]
	return page, token{Query: from.Query, After: last.at, ID: last.id}.String()
}

// totals are the till's own sums over the orders opened in a range that count.
func (s *Sim) totals(t *till, from, to, now time.Time) wire.DayTotals {
	var sum wire.DayTotals
	for _, v := range s.find(t, wire.OrdersRequest{From: wire.At(from), To: wire.At(to), DateField: wire.DateOpened}, now) {
		if v.raw != nil || v.order.Status == wire.StatusVoided || v.order.MergedInto != "" {
			continue
		}
		o := v.order.Totals
		sum.Count++
		sum.Gross += o.Gross
		sum.Discounts += o.Discount
		sum.Comps += o.Comp
		sum.Net += o.Net
		sum.Tax += o.Tax
		sum.Tips += o.Tip
		sum.Gratuities += o.AutoGratuity
	}
	return sum
}
