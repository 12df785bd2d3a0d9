package delivery

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/items"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

// history is what happens to a few sales and to their delivery, as data: it can
// be drawn, printed, and played again.
type history struct {
	SameID string
	Most   int // lines an upload may hold
	Steps  []step
}

// step is one thing that happens. What A and B mean depends on it.
type step struct {
	Do    string
	Sale  int
	A, B  int
	Fault fault  `json:",omitempty"`
	Crash moment `json:",omitempty"`
}

// String tells a history line by line.
func (h history) String() string {
	text := fmt.Sprintf("same id: %s, %d lines at once", h.SameID, h.Most)
	for i, s := range h.Steps {
		text += fmt.Sprintf("\n%3d. %s sale %d a=%d b=%d", i+1, s.Do, s.Sale, s.A, s.B)
		if s.Fault != noFault {
			text += ", fault: " + string(s.Fault)
		}
		if s.Crash != never {
			text += ", the worker dies " + string(s.Crash)
		}
	}
	return text
}

const (
	// historiesInMemory take some ten seconds, historiesOnPostgres as long.
	historiesInMemory   = 10_000
	historiesOnPostgres = 80
	salesInPlay         = 3
	deliverWords        = "deliver"
)

// changes are what may happen to a sale at the till.
var changes = []string{
	"sell", "sell", "sell", "void line", "comp", "discount", "refund line", "void", "restore", "transfer",
	"split", "merge", "reopen", "close", "move a day", "rename",
}

func drawHistory(t *rapid.T) history {
	modes := []string{wisk.SameIDReplaces, wisk.SameIDIgnored, wisk.SameIDRefused, wisk.SameIDCounts}
	h := history{SameID: rapid.SampledFrom(modes).Draw(t, "same id"), Most: rapid.IntRange(1, 6).Draw(t, "lines at once")}
	n := rapid.IntRange(2, 24).Draw(t, "steps")
	for range n {
		h.Steps = append(h.Steps, drawStep(t))
	}
	return h
}

func drawStep(t *rapid.T) step {
	s := step{
		Sale: rapid.IntRange(0, salesInPlay-1).Draw(t, "sale"),
		A:    rapid.IntRange(0, 5).Draw(t, "a"), B: rapid.IntRange(0, 4).Draw(t, "b"),
	}
	switch roll := rapid.IntRange(0, 9).Draw(t, "what"); {
	case roll < 5:
		s.Do = rapid.SampledFrom(changes).Draw(t, "change")
	case roll < 8:
		s.Do = deliverWords
		s.Fault = rapid.SampledFrom([]fault{noFault, noFault, dropped, lostCall, answerLost, strayLater, slowDown, halfUnanswerd}).Draw(t, "fault")
		s.Crash = rapid.SampledFrom([]moment{never, never, never, afterClaim, afterMint, beforeSettle, afterLines}).Draw(t, "crash")
	default:
		s.Do = rapid.SampledFrom([]string{"revive", "strays land", "mode", "item refused", "item fine", "resend", "a person answers"}).Draw(t, "else")
	}
	return s
}

// scene plays a history.
type scene struct {
	t     require.TestingT
	h     history
	sales []sale.Sale
	conn  ledger.Connection
	book  *mortal
	wisk  *memWisk
	to    partner.Additive // as the engine has it
	truth *wisk.Partner    // what should be
	base  time.Time
}

func newScene(t require.TestingT, h history, b keeper, bend func(partner.Additive) partner.Additive) *scene {
	cfg := wisk.Defaults()
	cfg.SameID, cfg.LinesAtOnce, cfg.InFlight, cfg.OpenOrders = h.SameID, h.Most, 1, true
	s := &scene{
		t: t, h: h, book: &mortal{keeper: b}, wisk: newMemWisk(h.SameID), truth: wisk.New(cfg), to: wisk.New(cfg),
		base: time.Date(2026, time.November, 3, 23, 30, 0, 0, time.UTC),
		conn: ledger.Connection{ID: "wisk:chez-marcel", PartnerName: "wisk", Location: ledger.Location{Zone: "America/Toronto"}},
	}
	s.conn.Settings.ReceiptDate = sale.ByOpened
	if bend != nil {
		s.to = bend(s.to)
	}
	for i := range salesInPlay {
		s.sales = append(s.sales, sale.Sale{ID: fmt.Sprintf("T-%d", i), Status: sale.Closed, OpenedAt: s.base, ClosedAt: s.base.Add(time.Hour)})
	}
	return s
}

// target is the connection as the partner sees it.
func (s *scene) target() partner.Connection {
	c, err := s.conn.ForPartner()
	require.NoError(s.t, err)
	return c
}

func (s *scene) play() {
	for _, st := range s.h.Steps {
		s.step(st)
	}
	s.heal()
}

func (s *scene) step(st step) {
	switch st.Do {
	case deliverWords:
		s.wisk.fault, s.book.crash = st.Fault, st.Crash
		s.deliver()
	case "revive":
		s.book.revive()
	case "strays land":
		s.wisk.land()
	case "mode":
		from := sale.DayOf(s.base, s.target().Zone).Plus(st.A - 2)
		s.conn.Settings.Modifiers = s.conn.Settings.Modifiers.With(from, items.Modes[st.B%len(items.Modes)])
		s.markAll()
	case "item refused":
		s.wisk.bad[itemCode(st.A)] = true
	case "item fine":
		s.itemsFine()
	case "resend":
		s.book.resend(s.sales[st.Sale].ID)
	case "a person answers":
		s.answer()
	default:
		s.change(st)
		s.markAll()
	}
}

// itemsFine lets WISK take all items, and a person release what was put aside.
func (s *scene) itemsFine() {
	clear(s.wisk.bad)
	s.book.release()
}

// answer is a person who looks into WISK and says of each uncertain upload, item
// by item, whether it was applied. Calls that are still on their way arrive
// first: one who is asked days later sees them.
func (s *scene) answer() {
	s.wisk.land()
	for number, lines := range s.book.uncertain() {
		asked := map[string]bool{}
		for _, l := range lines {
			if !asked[l.Item] {
				asked[l.Item] = true
				s.book.resolve(number, l.Item, s.wisk.has(s.to.LineID(s.target(), l.Document, l.Seq)))
			}
		}
	}
}

// markAll records every sale, as a pull does.
func (s *scene) markAll() {
	target := s.target()
	require.NoError(s.t, s.book.record(s.sales, s.conn, func(one sale.Sale, known bool) ([]partner.Document, error) {
		return s.to.Translate(one, target, known)
	}))
}

func (s *scene) deliver() {
	e := &Engine{Log: slog.New(slog.DiscardHandler)}
	d := &delivery{
		engine: e, c: s.conn, size: firstLoad, rules: s.to.Rules(),
		budget: &Budget{Documents: 100, Until: time.Now().Add(time.Hour)},
	}
	u := &uploading{delivery: d, book: s.book, to: s.to, target: s.target(), uploads: s.wisk}
	_, _ = u.run(context.Background()) // a failed step is tried again
}

// heal lets everything end well: no faults, dead workers replaced, strays
// landed, people's answers given.
func (s *scene) heal() {
	const rounds = 6 // a fault's traces are gone after two
	for range rounds {
		s.book.revive()
		s.wisk.fault = noFault
		s.answer()
		s.itemsFine()
		s.deliver()
	}
}

// check tells what is not as it should be.
func (s *scene) check() error {
	if len(s.wisk.broken) > 0 {
		return fmt.Errorf("%s", strings.Join(s.wisk.broken, "; "))
	}
	if open := s.book.open(); len(open) > 0 {
		return fmt.Errorf("documents %v are not delivered", open)
	}
	for _, one := range s.sales {
		want, err := s.wantedSums(one)
		if err != nil {
			return err
		}
		have := s.wisk.sums(one.ID)
		for _, key := range unionOf(want, have) {
			if !want[key].quantity.Equal(have[key].quantity) || want[key].total != have[key].total {
				return fmt.Errorf("sale %s, %s: wanted %s for %s, WISK adds up to %s for %s", one.ID, key,
					want[key].quantity, want[key].total, have[key].quantity, have[key].total)
			}
		}
	}
	return nil
}

func (s *scene) wantedSums(one sale.Sale) (map[string]sum, error) {
	documents, err := s.truth.Translate(one, s.target(), true)
	if err != nil || len(documents) != 1 {
		return nil, fmt.Errorf("sale %s cannot be translated: %w", one.ID, err)
	}
	lines, err := s.truth.Correct(documents[0], nil)
	sums := map[string]sum{}
	for _, l := range lines {
		q, _ := decimal.NewFromString(l.Quantity)
		key := l.Day.String() + " " + l.Item
		sums[key] = sum{sums[key].quantity.Add(q), sums[key].total + l.Total}
	}
	return sums, err
}

func unionOf(a, b map[string]sum) []string {
	var keys []string
	for _, m := range []map[string]sum{a, b} {
		for key := range m {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// For every sale the sum of all lines ever accepted is what the sale is now,
// in any order of changes, faults and crashes, in every manner that WISK may
// have with ids that come again.
func TestLinesAddUpToWhatTheSaleIs(t *testing.T) {
	atLeastChecks(t, historiesInMemory)
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		s := newScene(t, h, newMemBook(), nil)
		s.play()
		require.NoError(t, s.check(), "%s", h)
	})
}

// The property must be able to fail: bugs that were planted are found.
func TestPlantedBugsAreCaught(t *testing.T) {
	for name, bend := range map[string]func(partner.Additive) partner.Additive{
		"an id is used again for a reversal": func(to partner.Additive) partner.Additive { return &reusedID{Additive: to} },
		"a reversal is lost":                 func(to partner.Additive) partner.Additive { return lostReversal{to} },
		"a mode holds from the wrong day":    func(to partner.Additive) partner.Additive { return wrongDay{to} },
	} {
		t.Run(name, func(t *testing.T) {
			histories := rapid.Custom(drawHistory)
			const within = 3000
			for seed := range within {
				s := newScene(t, histories.Example(seed), newMemBook(), bend)
				s.play()
				if err := s.check(); err != nil {
					t.Logf("caught by history %d: %v", seed, err)
					return
				}
			}
			t.Fatalf("%d histories did not catch it", within)
		})
	}
}

// reusedID gives a line that is minted in the place of another one's number
// that number's id.
type reusedID struct{ partner.Additive }

func (b *reusedID) LineID(c partner.Connection, document string, seq int) string {
	return b.Additive.LineID(c, document, (seq+1)/2)
}

// lostReversal forgets to take back what is not replaced by anything.
type lostReversal struct{ partner.Additive }

func (b lostReversal) Correct(d partner.Document, held []partner.Line) ([]partner.Line, error) {
	lines, err := b.Additive.Correct(d, held)
	return slices.DeleteFunc(lines, func(l partner.Line) bool {
		return l.Reverses != 0 && !slices.ContainsFunc(lines, func(o partner.Line) bool { return o.Item == l.Item && o.Reverses == 0 })
	}), err
}

type wrongDay struct{ partner.Additive }

func (b wrongDay) Translate(s sale.Sale, c partner.Connection, known bool) ([]partner.Document, error) {
	var shifted partner.Choices
	for _, choice := range c.Settings.Modifiers {
		shifted = append(shifted, partner.Choice{From: choice.From.Plus(1), Value: choice.Value})
	}
	c.Settings.Modifiers = shifted
	return b.Additive.Translate(s, c, known)
}

// The same on the real ledger: what the book in memory promises, PostgreSQL
// keeps.
func TestLinesAddUpOnPostgreSQL(t *testing.T) {
	store := openLedger(t)
	histories := rapid.Custom(drawHistory)
	for seed := range historiesOnPostgres {
		h := histories.Example(seed)
		b := newOnPostgres(t, store, seed)
		s := newScene(t, h, b, nil)
		s.conn.ID = b.connection
		s.play()
		require.NoError(t, s.check(), "seed %d: %s", seed, h)
	}
}

// atLeastChecks has rapid check so many cases, unless the command line asks for
// more. The race detector slows each down tenfold and needs few.
func atLeastChecks(t *testing.T, n int) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	was := checks.Value.String()
	if asked, err := strconv.Atoi(was); raceDetector || err == nil && asked > n {
		return
	}
	require.NoError(t, checks.Value.Set(strconv.Itoa(n)))
	t.Cleanup(func() { require.NoError(t, checks.Value.Set(was)) })
}
