package tips_test

import (
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/tips"
)

// week is a random week of a small venue: enough to foretell from, and to set
// up a simulated 7shifts with. A failing one prints itself by the venue's clock.
type week struct {
	first    sale.Day
	zone     *time.Location
	rules    tips.Rules
	byClosed bool
	states   []string // of employee e0, e1, …: see states
	punches  []weekPunch
	receipts []weekReceipt
}

// The states of an employee; employee eN is mapped to the N-th user, if at all.
var states = []string{"mapped", "mapped", "mapped", "unmapped", "ignored", "inactive"}

type weekPunch struct {
	user, role        int
	in, out           time.Time // out is zero while open
	approved, deleted bool
	unpaid            time.Duration
}

type weekReceipt struct {
	employee       string // e0, …; e9 is nobody's, empty is none
	opened, closed time.Time
	amounts        tips.Amounts
}

// date is receipt_date, as the setting says.
func (w week) date(r weekReceipt) time.Time {
	if w.byClosed {
		return r.closed
	}
	return r.opened
}

// GoString prints the week for a person who has to see what is wrong with it.
func (w week) GoString() string {
	at := func(t time.Time) string {
		if t.IsZero() {
			return "open"
		}
		return t.In(w.zone).Format("Mon 15:04:05 MST")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "week of %s, by closing %t, rules %+v\n", w.first, w.byClosed, w.rules)
	for i, state := range w.states {
		fmt.Fprintf(&b, "  e%d %s\n", i, state)
	}
	for i, p := range w.punches {
		fmt.Fprintf(&b, "  punch %d of user %d, role %d: %s to %s, approved %t, deleted %t, unpaid %s\n", i, p.user, p.role, at(p.in), at(p.out), p.approved, p.deleted, p.unpaid)
	}
	for i, r := range w.receipts {
		fmt.Fprintf(&b, "  receipt %d of %q: opened %s, closed %s, %d %d %d\n", i, r.employee, at(r.opened), at(r.closed), r.amounts.Net, r.amounts.Card, r.amounts.Gratuity)
	}
	return b.String()
}

// aWeek draws a week; two of the three begin before a night on which the clocks
// change.
func aWeek(zone *time.Location) *rapid.Generator[week] {
	return rapid.Custom(func(t *rapid.T) week {
		w := week{
			first: sale.NewDay(2026, time.June, 1), zone: zone, byClosed: rapid.Bool().Draw(t, "by closing"),
			rules: tips.Rules{OutInclusive: rapid.Bool().Draw(t, "out inclusive"), OpenCounts: rapid.Bool().Draw(t, "open counts"), ApprovedOnly: rapid.Bool().Draw(t, "approved only")},
		}
		w.first = rapid.SampledFrom([]sale.Day{w.first, sale.NewDay(2026, time.March, 2), sale.NewDay(2026, time.October, 26)}).Draw(t, "first")
		w.states = rapid.SliceOfN(rapid.SampledFrom(states), 1, 4).Draw(t, "states")
		w.punches = rapid.SliceOfN(rapid.Custom(w.aPunch), 0, 8).Draw(t, "punches")
		w.receipts = rapid.SliceOfN(rapid.Custom(w.aReceipt), 0, 14).Draw(t, "receipts")
		return w
	})
}

// instant is a quarter of an hour of the week, its last night included.
func (w week) instant(t *rapid.T) time.Time {
	return w.first.Start(w.zone).UTC().Add(time.Duration(rapid.IntRange(0, 7*24*4+4).Draw(t, "quarter")) * 15 * time.Minute)
}

func (w week) aPunch(t *rapid.T) weekPunch {
	p := weekPunch{
		user: rapid.IntRange(0, len(w.states)-1).Draw(t, "user"), role: rapid.IntRange(0, 2).Draw(t, "role"), in: w.instant(t),
		approved: rapid.Bool().Draw(t, "approved"), deleted: rapid.IntRange(0, 7).Draw(t, "deleted") == 7,
		unpaid: time.Duration(rapid.IntRange(0, 2).Draw(t, "unpaid")) * 15 * time.Minute,
	}
	if rapid.IntRange(0, 5).Draw(t, "open") < 5 {
		p.out = p.in.Add(time.Duration(rapid.IntRange(0, 12*4).Draw(t, "long")) * 15 * time.Minute)
	}
	return p
}

// aReceipt is anywhere in the week, or at the edge of a punch.
func (w week) aReceipt(t *rapid.T) weekReceipt {
	employees := []string{"e0", "e1", "e2", "e3", "e9", ""}
	cents := func(name string) sale.Cents { return sale.Cents(rapid.IntRange(0, 20_000).Draw(t, name)) }
	r := weekReceipt{
		employee: rapid.SampledFrom(employees).Draw(t, "employee"), opened: w.instant(t),
		amounts: tips.Amounts{Net: cents("net"), Card: cents("card"), Gratuity: cents("gratuity")},
	}
	if len(w.punches) > 0 && rapid.Bool().Draw(t, "at a punch") {
		p := rapid.SampledFrom(w.punches).Draw(t, "punch")
		edges := []time.Time{p.in, p.in, p.out, p.in.Add(tips.OpenReach)}
		if p.out.IsZero() {
			edges[2] = p.in.Add(time.Hour)
		}
		edge := rapid.SampledFrom(edges).Draw(t, "edge")
		r.opened = edge.Add(rapid.SampledFrom([]time.Duration{0, time.Second, -time.Second, 30 * time.Minute}).Draw(t, "offset"))
		r.employee = fmt.Sprint("e", p.user)
	}
	r.closed = r.opened.Add(time.Duration(rapid.IntRange(0, 16).Draw(t, "minutes at table")) * 15 * time.Minute)
	return r
}
