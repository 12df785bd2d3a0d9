package ledger_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestOldestFirst(t *testing.T) {
	h := open(t)
	second, first, third := order("1", 1, 1), order("2", 2, 1), order("3", 3, 1)
	first.OpenedAt = first.OpenedAt.Add(-time.Minute)
	third.OpenedAt = third.OpenedAt.Add(time.Minute)
	h.read(1, second, third, first)
	claims, err := h.Claim(h.ctx, marcel, ledger.Due{Lane: ledger.Live}, 1, forLong)
	require.NoError(t, err)
	require.Equal(t, "A1-2", claims[0].ID)
	claims = h.claim()
	require.Equal(t, []string{"A1-1", "A1-3"}, []string{claims[0].ID, claims[1].ID})
}

// Invariant 3: one request in flight per document, whoever asks.
func TestConcurrentClaimersNeverGetTheSameDocument(t *testing.T) {
	h := open(t)
	const documents, claimers = 300, 4
	var sales []sale.Sale
	for i := range documents {
		sales = append(sales, order(time.Duration(i).String(), sale.Cents(i+1), 1))
	}
	h.read(1, sales...)
	var group sync.WaitGroup
	got := make([][]ledger.Claim, claimers)
	for i := range claimers {
		group.Go(func() {
			for {
				claims, err := h.Claim(h.ctx, marcel, ledger.Due{Lane: ledger.Live}, 7, forLong)
				if err != nil || len(claims) == 0 {
					return
				}
				got[i] = append(got[i], claims...)
			}
		})
	}
	group.Wait()
	times := map[string]int{}
	for _, claims := range got {
		for _, c := range claims {
			times[c.ID]++
		}
	}
	for id, n := range times {
		require.Equal(t, 1, n, id)
	}
	// SKIP LOCKED may let a claimer end early, but nothing is lost.
	require.Equal(t, documents, len(times)+len(h.claim()))
}

func TestAChangeWaitsForTheAttemptInFlight(t *testing.T) {
	h := open(t)
	h.read(1, order("1", 1000, 1))
	first := h.claimOne()
	h.read(2, order("1", 2000, 2))
	h.read(3, order("1", 3000, 3))
	require.Empty(t, h.claim(), "one request in flight")

	h.accept(first)
	due, err := h.DueForReadBack(h.ctx, marcel, 10)
	require.NoError(t, err)
	require.Empty(t, due, "what is to be sent again is read back after that")

	second := h.claimOne()
	require.True(t, second.Created)
	require.False(t, second.Ambiguous)
	require.Equal(t, sale.Cents(3000), net(t, second.Document))
}

// What was sent is the intent, not what is wanted by the time of the answer:
// should the sale go back to it, nothing is left to send.
func TestTheIntentBecomesTheSentVersion(t *testing.T) {
	h := open(t)
	h.read(1, order("1", 1000, 1))
	first := h.claimOne()
	h.read(2, order("1", 2000, 2))
	h.accept(first)
	require.Equal(t, 1, h.backlog().Wanted)

	h.read(3, order("1", 1000, 3))
	require.Empty(t, h.claim())
	due, err := h.DueForReadBack(h.ctx, marcel, 10)
	require.NoError(t, err)
	require.Len(t, due, 1)
	require.Equal(t, sale.Cents(1000), net(t, due[0].Document))
	require.Equal(t, first.Hash, due[0].Hash)
	require.WithinDuration(t, november, due[0].SentAt, time.Minute, "on the business clock")
}

func TestAStaleSettleIsIgnored(t *testing.T) {
	h := open(t)
	h.read(1, order("1", 1000, 1))
	claims, err := h.Claim(h.ctx, marcel, ledger.Due{Lane: ledger.Live}, 1, expired)
	require.NoError(t, err)
	dead := claims[0]
	alive := h.claimOne()
	require.Equal(t, dead.Attempt+1, alive.Attempt)
	require.Zero(t, h.settle(dead, ledger.Outcome{Result: ledger.Accepted}))
	require.Equal(t, 1, h.backlog().Wanted)
	h.accept(alive)
	require.Zero(t, h.settle(alive, ledger.Outcome{Result: ledger.Refused, Code: work.DocumentRefused}), "an attempt ends once")
	require.Equal(t, 1, h.backlog().Sent)
}

func TestAnExpiredLeaseIsAmbiguousAndLookedAtTwice(t *testing.T) {
	h := open(t)
	h.read(1, order("1", 1000, 1))
	claims, err := h.Claim(h.ctx, marcel, ledger.Due{Lane: ledger.Live}, 1, expired)
	require.NoError(t, err)
	require.False(t, claims[0].Ambiguous)
	require.Equal(t, 1, h.backlog().Uncertain)
	again := h.claimOne()
	require.True(t, again.Ambiguous)
	require.False(t, again.Created)
	h.accept(again)
	require.Zero(t, h.backlog().Uncertain)
	due, err := h.DueForReadBack(h.ctx, marcel, 10)
	require.NoError(t, err)
	require.True(t, due[0].SecondLook)
}

func TestHowAttemptsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		outcome          ledger.Outcome
		ambiguous, later bool
		tries            int
	}{
		"never left":           {ledger.Outcome{Result: ledger.NotSent}, false, false, 0},
		"never left, waits":    {ledger.Outcome{Result: ledger.NotSent, RetryIn: forLong}, false, true, 0},
		"failed for sure":      {ledger.Outcome{Result: ledger.Failed}, false, false, 1},
		"may have had effect":  {ledger.Outcome{Result: ledger.Failed, Ambiguous: true}, true, false, 1},
		"ambiguous, and waits": {ledger.Outcome{Result: ledger.Failed, Ambiguous: true, RetryIn: forLong}, true, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			h.read(1, order("1", 1000, 1))
			require.Equal(t, 1, h.settle(h.claimOne(), c.outcome))
			require.Equal(t, 1, h.backlog().Wanted)
			if c.later {
				require.Empty(t, h.claim())
				h.read(2, order("1", 2000, 2)) // a new version does not wait
				return
			}
			again := h.claimOne()
			require.Equal(t, c.ambiguous, again.Ambiguous)
			require.Equal(t, c.tries, again.Tries)
			require.False(t, again.Created)
			h.accept(again)
			require.Equal(t, c.ambiguous, h.due()[0].SecondLook)
		})
	}
}

// A request that never left says nothing of an earlier one.
func TestAnAmbiguityOutlivesARequestThatNeverLeft(t *testing.T) {
	h := open(t)
	h.read(1, order("1", 1000, 1))
	h.settle(h.claimOne(), ledger.Outcome{Result: ledger.Failed, Ambiguous: true})
	h.settle(h.claimOne(), ledger.Outcome{Result: ledger.NotSent})
	require.True(t, h.claimOne().Ambiguous)
}

// An update that may have arrived must be overwritten even when the sale has
// gone back to what was accepted before.
func TestAnAmbiguousUpdateIsOverwrittenThoughTheSaleWentBack(t *testing.T) {
	h := open(t)
	h.read(1, order("1", 1000, 1))
	h.accept(h.claimOne())
	h.read(2, order("1", 2000, 2))
	h.settle(h.claimOne(), ledger.Outcome{Result: ledger.Failed, Ambiguous: true})
	h.read(3, order("1", 1000, 3))
	again := h.claimOne()
	require.Equal(t, sale.Cents(1000), net(t, again.Document))
	h.accept(again)
	require.Empty(t, h.claim())
}

// Invariant 8.
func TestARefusedDocumentIsPutAsideAndTheOthersGoOn(t *testing.T) {
	h := open(t)
	h.read(1, order("1", 1000, 1), order("2", 1000, 1))
	claims := h.claim()
	settled, err := h.Settle(h.ctx, marcel, []ledger.Outcome{
		{ID: claims[0].ID, Attempt: claims[0].Attempt, Result: ledger.Refused, Code: work.DocumentRefused, Why: "net_total"},
		{ID: claims[1].ID, Attempt: claims[1].Attempt, Result: ledger.Accepted},
	})
	require.NoError(t, err)
	require.Equal(t, 2, settled)
	require.Equal(t, ledger.Backlog{Quarantined: 1, Total: 2, Sent: 1, Unverifiable: 1}, h.backlog())
	require.Empty(t, h.claim())
	q := h.open()
	require.Equal(t, "A1-1", q[0].RecordID)
	require.Equal(t, work.DocumentRefused, q[0].Code)
	require.Equal(t, today, q[0].Day)

	h.read(2, order("1", 1000, 2))
	require.Empty(t, h.claim(), "touched but not changed")
	h.read(3, order("1", 1100, 3))
	require.Empty(t, h.open(), "a new version heals")
	h.accept(h.claimOne())
}

func TestARefusalOfWhatIsWantedNoMoreQuarantinesNothing(t *testing.T) {
	h := open(t)
	h.read(1, order("1", 1000, 1))
	first := h.claimOne()
	h.read(2, order("1", 2000, 2))
	h.settle(first, ledger.Outcome{Result: ledger.Refused, Code: work.DocumentRefused})
	require.Empty(t, h.open())
	h.claimOne()
}

func TestAReleasedDocumentIsTriedAgain(t *testing.T) {
	h := open(t)
	h.read(1, order("1", 1000, 1))
	h.settle(h.claimOne(), ledger.Outcome{Result: ledger.Refused, Code: work.DocumentRefused})
	n, err := h.Release(h.ctx, marcel, []int64{h.open()[0].Number}, false, lea)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	h.settle(h.claimOne(), ledger.Outcome{Result: ledger.Refused, Code: work.DocumentRefused})
	require.Len(t, h.open(), 1, "and put aside again")

	n, err = h.Release(h.ctx, marcel, nil, true, lea)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Empty(t, h.open())
	require.Empty(t, h.claim(), "discarded for good")
	story, err := h.History(h.ctx, marcel, time.Time{}, time.Time{})
	require.NoError(t, err)
	require.Equal(t, []string{ledger.ActRelease, ledger.ActDiscard}, []string{story[2].Act, story[3].Act})
}

// Invariant 9.
func TestHistoryHasALaneOfItsOwn(t *testing.T) {
	h := open(t)
	old, older := order("1", 1000, 1), order("2", 1000, 1)
	old.OpenedAt = old.OpenedAt.AddDate(0, 0, -3)
	older.OpenedAt = older.OpenedAt.AddDate(0, 0, -4)
	h.page(ledger.History, 1, false, old, older)
	live, history, err := h.Waiting(h.ctx, marcel)
	require.NoError(t, err)
	require.Equal(t, []int{0, 2}, []int{live, history})
	require.Empty(t, h.claim())

	h.read(2, old)
	require.Empty(t, h.claim(), "seen live, but unchanged")
	day := today.Plus(-3)
	claims, err := h.Claim(h.ctx, marcel, ledger.Due{Lane: ledger.History, Day: &day}, 10, forLong)
	require.NoError(t, err)
	require.Len(t, claims, 1)
	h.accept(claims[0])

	old.Totals, old.ModifiedAt = sale.Totals{Gross: 5, Net: 5}, at(5)
	h.read(5, old)
	require.Equal(t, old.ID, h.claimOne().ID, "a late edit is live work")
	older.Totals, older.ModifiedAt = sale.Totals{Gross: 5, Net: 5}, at(5)
	h.read(5, older)
	older.Totals, older.ModifiedAt = sale.Totals{Gross: 6, Net: 6}, at(6)
	h.page(ledger.History, 6, true, older)
	require.Equal(t, older.ID, h.claimOne().ID, "and stays so")
}

func TestAResendIsSentOnceMoreThoughNothingChanged(t *testing.T) {
	h := open(t)
	h.read(1, order("1", 1000, 1), order("2", 1000, 1))
	for _, c := range h.claim() {
		h.accept(c)
	}
	n, err := h.Resend(h.ctx, h.c, today, today, ledger.Live, lea)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	claims := h.claim()
	require.Len(t, claims, 2)
	require.Equal(t, 1, claims[0].Resend)
	require.True(t, claims[0].Created)
	n, err = h.Resend(h.ctx, h.c, today, today, ledger.Live, lea)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	for _, c := range claims {
		h.accept(c)
	}
	require.Len(t, h.claim(), 2, "asked for again while on its way")
}

func TestTheBacklogTellsSinceWhenTheOldestWaits(t *testing.T) {
	h := open(t)
	require.Zero(t, h.backlog())
	h.read(1, order("1", 1000, 1))
	first := h.backlog()
	since := first.OldestWanted
	require.WithinDuration(t, november, since, time.Minute)
	h.read(2, order("1", 2000, 2))
	require.Equal(t, first, h.backlog(), "it waits since its first version")
}
