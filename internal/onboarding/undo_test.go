package onboarding_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/mail"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// nothingIsLeft looks for what a case that was undone may have left behind.
func (r *rig) nothingIsLeft(j joining, why string) {
	r.t.Helper()
	require.Empty(r.t, r.active(j.venue), why)
	for _, id := range r.secrets() {
		require.NotContains(r.t, id, j.id, why)
	}
	for _, holder := range []string{ledger.OurHolder, j.partner} {
		all, err := r.Ledger.TillKeys(r.ctx, j.serial, holder)
		require.NoError(r.t, err)
		for _, k := range all {
			require.True(r.t, k.Withdrawn && k.Gone, "%s: %+v", why, k)
			require.NotContains(r.t, r.secrets(), "key:"+k.Base, why)
		}
	}
	charge, there, err := r.Ledger.ChargeOf(r.ctx, j.id)
	require.NoError(r.t, err)
	require.False(r.t, there && charge.State == work.ChargeOpen, why)
	c := r.read(j.id)
	if c.Location != "" {
		connection := r.connection(j)
		require.Equal(r.t, work.Disconnected, connection.State, why)
		require.Empty(r.t, connection.Location.Secret, why)
	}
}

// Cancelled after each step: what was begun is undone, each part twice, and
// nothing is left; and the venue can be asked for anew and goes live.
func TestUndoingLeavesNothing(t *testing.T) {
	r := newRig(t)
	for _, w := range ways {
		for n := range len(w.steps()) + 1 {
			j := r.start(w)
			why := fmt.Sprintf("%s, %d steps", w, n)
			paid := false
			r.once = true
			for _, st := range w.steps()[:n] {
				r.does(st, j)
				paid = paid || st.name == "pay"
			}
			r.once = false
			require.Equal(t, work.UndoResult{Refund: paid}, r.undo(j), why)
			if paid {
				_, err := r.says(j, work.UpdateRefundFee, "VIR-back")
				require.NoError(t, err)
				require.Equal(t, work.UndoResult{}, r.undo(j), why)
			}
			r.nothingIsLeft(j, why)
			told := r.does(mailStep(mail.KindCancelled), j).(work.MailResult)
			readers := 0
			if n >= 2 { // the venue, if it was asked
				readers++
			}
			if w.partner == work.Wisk { // whose support had asked
				readers++
			}
			require.Equal(t, readers, told.Readers, why)
			r.ends(j, work.Cancelled)
			r.nothingIsLeft(j, why)
			if n%5 == 0 {
				r.whole(r.again(j.venue, w))
			}
		}
	}
}

// The same when each part of the undoing is cut short at any moment.
func TestUndoingGoesOnWhateverCrashes(t *testing.T) {
	r := newRig(t)
	r.once = true
	room, s := r.stormy()
	for n, w := range []way{pull, token} {
		for moment, more := 1, true; more; moment += stride {
			more = false
			j := r.start(w)
			r.upTo("end", j)
			for _, name := range []string{work.UndoConnection, work.UndoKeys, work.UndoFee} {
				_, struck := r.troubled(room, s, plan{moment: moment, after: true, dies: n == 0 || moment%2 == 0}, undoStep(name), j, nil)
				more = more || struck
			}
			r.nothingIsLeft(j, fmt.Sprintf("%s, moment %d", w, moment))
		}
	}
}

// What another case or connection of the till needs stays.
func TestUndoingTakesNothingFromOthers(t *testing.T) {
	r := newRig(t)
	live := r.start(token)
	r.whole(live)
	bar := r.again(live.venue, pull)
	r.upTo("end", bar)
	require.Equal(t, bothHolders, r.active(live.venue))
	r.undo(bar)
	require.Equal(t, onlyOurs, r.active(live.venue), "a connection reads the till")
	require.NoError(t, r.reads(r.connection(live).Location.Secret, live.venue))
	require.Equal(t, work.Initializing, r.connection(live).State)
	require.Contains(t, r.secrets(), "token:"+live.id)

	// Two open cases: the key goes with the second.
	first := r.start(pull)
	second := r.again(first.venue, token)
	r.upTo("entry", first)
	r.upTo("paste", second)
	r.undo(second)
	require.Equal(t, bothHolders, r.active(first.venue))
	r.undo(first)
	require.Empty(t, r.active(first.venue))

	// One that has not opened the till yet needs no key, and gets a new one.
	early := r.start(token)
	late := r.again(early.venue, pull)
	r.upTo("till", late)
	r.upTo("paste", early)
	r.undo(early)
	require.Empty(t, r.active(early.venue))
	for _, st := range late.steps()[5:] {
		r.does(st, late)
	}
	require.Equal(t, bothHolders, r.active(late.venue))
	require.Equal(t, 2, r.key(late.venue, ledger.OurHolder).Generation)
}

// Both of a till's onboardings are undone at once, at every moment: neither takes
// the other for one that goes on.
func TestTwoUndoneAtOnceLeaveNoKey(t *testing.T) {
	r := newRig(t)
	r.once = true
	room, s := r.stormy()
	for moment, struck := 1, true; struck; moment += stride {
		first := r.start(pull)
		second := r.again(first.venue, token)
		r.upTo("entry", first)
		r.upTo("paste", second)
		undo := undoStep(work.UndoKeys)
		s.comes(plan{moment: moment}, func() {
			_, err := undo.take(r, r.Room, second)
			require.NoError(t, err)
		})
		_, err := undo.take(r, room, first)
		if err != nil {
			r.code(err)
			_, err = undo.take(r, r.Room, first)
			require.NoError(t, err)
		}
		_, struck = s.goes()
		if !struck {
			_, err = undo.take(r, r.Room, second)
			require.NoError(t, err)
		}
		require.Empty(t, r.active(first.venue), "moment %d", moment)
	}
}

// An undoing that was interrupted after it wrote down that the key is none any
// more, and before Cluster was asked, is brought to its end by the next.
func TestAnInterruptedWithdrawalIsBroughtToItsEnd(t *testing.T) {
	r := newRig(t)
	j := r.start(pull)
	r.upTo("entry", j)
	r.till.Faults().Add(clustersim.Fault{Path: "/api-keys/revoke", Drop: true, Times: 2})
	for range 2 {
		_, err := undoStep(work.UndoKeys).take(r, r.Room, j)
		r.refused(work.ClusterUnreachable, err)
	}
	require.Equal(t, bothHolders, r.active(j.venue))
	r.undo(j)
	require.Empty(t, r.active(j.venue))
}
