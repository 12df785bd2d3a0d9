package ledger_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const maxMisses = 3

// due are the documents to read back now.
func (h *house) due() []ledger.Sent {
	due, err := h.DueForReadBack(h.ctx, marcel, 100)
	require.NoError(h.t, err)
	return due
}

func (h *house) verdict(s ledger.Sent, v partner.Verdict) ledger.ReadBackResult {
	result, err := h.SettleReadBack(h.ctx, marcel, []ledger.Verdict{{ID: s.ID, Attempt: s.Attempt, Verdict: v}}, 0, maxMisses)
	require.NoError(h.t, err)
	return result
}

// sent is a house with one document that is due to be read back.
func sent(t *testing.T) (*house, ledger.Sent) {
	h := open(t)
	h.read(1, order("1", 1000, 1))
	h.accept(h.claimOne())
	due := h.due()
	require.Len(t, due, 1)
	return h, due[0]
}

func TestWhatIsReadBackTheSameIsConfirmedOnce(t *testing.T) {
	h, s := sent(t)
	require.Equal(t, ledger.ReadBackResult{Confirmed: 1}, h.verdict(s, partner.Same))
	require.Equal(t, ledger.Backlog{Total: 1, Sent: 1, Confirmed: 1}, h.backlog())
	require.Empty(t, h.due())
	require.Zero(t, h.verdict(s, partner.Different), "a verdict counts once")
}

func TestNothingIsReadBackBeforeItsSettleTime(t *testing.T) {
	h := open(t)
	h.read(1, order("1", 1000, 1))
	h.settle(h.claimOne(), ledger.Outcome{Result: ledger.Accepted, Settle: forLong})
	require.Empty(t, h.due())
	require.Equal(t, 1, h.backlog().Unconfirmed)
}

func TestWhatDiffersIsSentAgainAndLookedAtTwice(t *testing.T) {
	h, s := sent(t)
	require.Equal(t, ledger.ReadBackResult{Repaired: 1}, h.verdict(s, partner.Different))
	again := h.claimOne()
	require.True(t, again.Created, "it is there, so it is updated")
	require.False(t, again.Ambiguous)
	h.accept(again)
	s = h.due()[0]
	require.True(t, s.SecondLook)
	require.Equal(t, 1, h.verdict(s, partner.Same).Confirmed)
	second := h.due()
	require.Len(t, second, 1, "the second look")
	require.False(t, second[0].SecondLook)
	require.Zero(t, h.verdict(second[0], partner.Same))
	require.Empty(t, h.due())
	require.Equal(t, 1, h.backlog().Confirmed)
}

func TestWhatIsMissingIsCreatedAgainAsAmbiguous(t *testing.T) {
	h, s := sent(t)
	require.Equal(t, ledger.ReadBackResult{Repaired: 1}, h.verdict(s, partner.Missing))
	again := h.claimOne()
	require.False(t, again.Created)
	require.True(t, again.Ambiguous, "it may only be late")
}

func TestWhatIsNeverHeldIsPutAside(t *testing.T) {
	h, s := sent(t)
	for range maxMisses - 1 {
		require.Equal(t, ledger.ReadBackResult{Repaired: 1}, h.verdict(s, partner.Missing))
		h.accept(h.claimOne())
		s = h.due()[0]
	}
	require.Equal(t, ledger.ReadBackResult{Quarantined: 1}, h.verdict(s, partner.Missing))
	require.Empty(t, h.claim())
	require.Equal(t, work.DocumentNeverHeld, h.open()[0].Code)
	h.read(5, order("1", 2000, 5))
	h.accept(h.claimOne())
	require.Equal(t, 1, h.verdict(h.due()[0], partner.Missing).Repaired, "a new version starts the count again")
}

func TestWhatCannotBeReadEndsAsSent(t *testing.T) {
	h, s := sent(t)
	require.Equal(t, ledger.ReadBackResult{Unverifiable: 1}, h.verdict(s, partner.Unverifiable))
	require.Equal(t, ledger.Backlog{Total: 1, Sent: 1, Unverifiable: 1}, h.backlog())
	require.Empty(t, h.due())
}

func TestAVerdictOnAnEarlierVersionIsIgnored(t *testing.T) {
	for _, v := range []partner.Verdict{partner.Same, partner.Different, partner.Missing, partner.Unverifiable} {
		h, old := sent(t)
		h.read(2, order("1", 2000, 2))
		c := h.claimOne()
		require.Zero(t, h.verdict(old, v), "in flight")
		h.accept(c)
		require.Zero(t, h.verdict(old, v), "replaced")
		require.Equal(t, ledger.Backlog{Total: 1, Sent: 1, Unconfirmed: 1}, h.backlog())
	}
}

// A verdict on what was sent stands although something else is wanted by now.
func TestAChangeWhileReadingBackIsStillSent(t *testing.T) {
	h, s := sent(t)
	h.read(2, order("1", 2000, 2))
	require.Equal(t, 1, h.verdict(s, partner.Same).Confirmed)
	require.Zero(t, h.backlog().Confirmed)
	require.Equal(t, sale.Cents(2000), net(t, h.claimOne().Document))
}

// Invariants 2, 3 and 5 together: whatever is changed, lost, refused, late or
// killed, in the end the partner holds what is wanted.
func TestInTheEndThePartnerHoldsWhatIsWanted(t *testing.T) {
	h := open(t)
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		w := &world{house: h, t: t, id: sale.Cents(run).String(), held: -1}
		w.change()
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			rapid.SampledFrom([]func(){w.change, w.attempt, w.attempt, w.settle, w.stray, w.readBack}).Draw(t, "step")()
		}
		w.drain()
		require.Equal(t, w.want, w.held)
		left := h.backlog()
		require.Zero(t, left.Wanted)
		require.Zero(t, left.Unconfirmed)
		require.Zero(t, left.Uncertain)
		require.Equal(t, left.Total, left.Confirmed)
	})
}

// world is one document at a partner that takes what it gets, at any time.
type world struct {
	*house
	t      *rapid.T
	id     string
	minute int
	want   sale.Cents
	held   sale.Cents // -1: nothing
	flying []flight
}

// flight is an attempt whose request may still arrive.
type flight struct {
	claim   ledger.Claim
	arrived bool
	settled bool
}

func (w *world) change() {
	w.minute++
	w.want = sale.Cents(rapid.IntRange(1, 3).Draw(w.t, "net"))
	w.read(w.minute, order(w.id, w.want, w.minute))
}

func (w *world) attempt() {
	lease := forLong
	if rapid.Bool().Draw(w.t, "killed") {
		lease = expired
	}
	claims, err := w.Claim(w.ctx, marcel, ledger.Due{Lane: ledger.Live}, 1, lease)
	require.NoError(w.t, err)
	for _, c := range claims {
		f := flight{claim: c}
		if rapid.Bool().Draw(w.t, "arrives") {
			w.arrive(&f)
		}
		w.flying = append(w.flying, f)
	}
}

func (w *world) arrive(f *flight) {
	f.arrived = true
	w.held = net(w.t, f.claim.Document)
}

// settle ends the newest attempt, or one that is long stale.
func (w *world) settle() {
	if len(w.flying) == 0 {
		return
	}
	f := &w.flying[rapid.IntRange(0, len(w.flying)-1).Draw(w.t, "which")]
	if f.settled {
		return
	}
	f.settled = true
	if f.arrived && rapid.Bool().Draw(w.t, "answered") {
		w.house.settle(f.claim, ledger.Outcome{Result: ledger.Accepted})
		return
	}
	w.house.settle(f.claim, ledger.Outcome{Result: ledger.Failed, Ambiguous: true})
}

// stray lets a request arrive late.
func (w *world) stray() {
	for i := range w.flying {
		if f := &w.flying[i]; !f.arrived {
			w.arrive(f)
			return
		}
	}
}

func (w *world) readBack() {
	for _, s := range w.due() {
		v := partner.Same
		switch {
		case w.held < 0:
			v = partner.Missing
		case w.held != net(w.t, s.Document):
			v = partner.Different
		}
		_, err := w.SettleReadBack(w.ctx, marcel, []ledger.Verdict{{ID: s.ID, Attempt: s.Attempt, Verdict: v}}, 0, 1000)
		require.NoError(w.t, err)
		if v == partner.Same && !s.SecondLook {
			w.gone()
		}
	}
}

// gone: the last look has been taken, so that what has not arrived by now is
// more than two settle times late and no longer comes.
func (w *world) gone() {
	for i := range w.flying {
		w.flying[i].arrived = true
	}
}

// drain: nothing fails any more. What is still on its way arrives before the
// last look, as the second settle time provides.
func (w *world) drain() {
	for i := range w.flying {
		if f := &w.flying[i]; !f.settled {
			w.house.settle(f.claim, ledger.Outcome{Result: ledger.Failed, Ambiguous: true})
		}
	}
	strays := true
	for range 10 {
		for _, c := range w.claim() {
			f := flight{claim: c}
			w.arrive(&f)
			w.accept(c)
		}
		if strays {
			w.stray()
			strays = false
		}
		w.readBack()
	}
}
