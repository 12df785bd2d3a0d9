package sevenshifts_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/work"
)

var duplicateModes = []string{sevenshiftssim.Overwrite, sevenshiftssim.Ignore, sevenshiftssim.AsyncFail, sevenshiftssim.Conflict}

// Invariant 3: a second create happens only after an ambiguous answer, and
// whatever 7shifts does with it, the current totals are what stays.
func TestASecondCreateOnlyAfterAnAmbiguousAnswer(t *testing.T) {
	for _, mode := range duplicateModes {
		for _, kind := range []string{
			sevenshiftssim.FaultCommitDrop, sevenshiftssim.FaultCommitStatus, sevenshiftssim.FaultCommitGarbage,
			sevenshiftssim.FaultCommitTruncate, sevenshiftssim.FaultDrop,
		} {
			t.Run(mode+" "+kind, func(t *testing.T) {
				w := newWorld(t, func(s *sevenshiftssim.Switches) { s.DuplicateCreate = mode })
				w.fault(t, sevenshiftssim.Fault{Kind: kind, Method: "POST"})
				err := w.send(t, document(t, "A1-7", 8500), false, false)
				require.True(t, failure(t, err).Ambiguous)

				// The sale changed meanwhile.
				changed := document(t, "A1-7", 9900)
				require.NoError(t, w.send(t, changed, false, true))
				require.Equal(t, map[string]partner.Verdict{"A1-7": partner.Same}, w.readBack(t, changed))
				require.Equal(t, sale.Cents(9900), w.held(t)["A1-7"].NetTotal)
				require.Zero(t, w.sim.Counters().SecondAfterClean)

				// From now on it is only ever updated.
				require.NoError(t, w.send(t, document(t, "A1-7", 100), true, false))
				require.Equal(t, sale.Cents(100), w.held(t)["A1-7"].NetTotal)
				require.LessOrEqual(t, w.sim.Counters().Creates, 2)
			})
		}
	}
}

// The counter that the runs trust can tell a needless second create.
func TestTheSimulatorSeesANeedlessSecondCreate(t *testing.T) {
	w := newWorld(t, nil)
	d := document(t, "A1-7", 8500)
	require.NoError(t, w.send(t, d, false, false))
	require.NoError(t, w.send(t, d, false, false))
	require.Equal(t, 1, w.sim.Counters().SecondAfterClean)
}

func TestAClean409MeansThatItExists(t *testing.T) {
	w := newWorld(t, func(s *sevenshiftssim.Switches) { s.DuplicateCreate = sevenshiftssim.Conflict })
	require.NoError(t, w.send(t, document(t, "A1-7", 8500), false, false))
	require.NoError(t, w.send(t, document(t, "A1-7", 9900), false, false))
	require.Equal(t, sale.Cents(9900), w.held(t)["A1-7"].NetTotal)
}

// Complaint 10: an update carries all that we own, so that it does not matter
// whether a short one keeps or wipes the rest.
func TestUpdatesCarryAllThatWeOwn(t *testing.T) {
	w := newWorld(t, func(s *sevenshiftssim.Switches) { s.ShortUpdateWipes = true })
	require.NoError(t, w.send(t, document(t, "A1-7", 8500), false, false))
	d := document(t, "A1-7", 9900)
	require.NoError(t, w.send(t, d, true, false))
	require.Equal(t, partner.Same, w.readBack(t, d)["A1-7"])
	require.Equal(t, "e1", w.held(t)["A1-7"].EmployeeID)
	require.Empty(t, w.sim.Violations())
}

func TestAnUpdateOfALostReceiptCreatesIt(t *testing.T) {
	for _, mode := range []string{sevenshiftssim.NotFound, sevenshiftssim.AsyncFail} {
		t.Run(mode, func(t *testing.T) {
			w := newWorld(t, func(s *sevenshiftssim.Switches) { s.UnknownUpdate = mode })
			d := document(t, "A1-7", 8500)
			require.NoError(t, w.send(t, d, false, false))
			require.True(t, w.sim.Lose(place, "A1-7", false))
			require.NoError(t, w.send(t, d, true, false), "accepted")
			if mode == sevenshiftssim.AsyncFail {
				// Only the read-back tells; the engine then sends as after an
				// ambiguous create.
				require.Equal(t, partner.Missing, w.readBack(t, d)["A1-7"])
				require.NoError(t, w.send(t, d, false, true))
			}
			require.Equal(t, partner.Same, w.readBack(t, d)["A1-7"])
			require.Zero(t, w.sim.Counters().SecondAfterClean)
		})
	}
}

func TestReadBackWaitsForTheProcessing(t *testing.T) {
	w := newWorld(t, func(s *sevenshiftssim.Switches) {
		s.DelayMin, s.DelayMax = sevenshiftssim.Duration(300*time.Millisecond), sevenshiftssim.Duration(400*time.Millisecond)
	})
	d := document(t, "A1-7", 8500)
	require.NoError(t, w.send(t, d, false, false))
	require.Equal(t, partner.Missing, w.readBack(t, d)["A1-7"], "accepted is not held")
	require.Eventually(t, func() bool { return w.readBack(t, d)["A1-7"] == partner.Same }, 10*time.Second, 20*time.Millisecond)
}

// A dropped request can still have its effect later, over a newer write; the
// read-back finds it and the next update repairs it.
func TestReadBackFindsAStrayLateWrite(t *testing.T) {
	w := newWorld(t, nil)
	require.NoError(t, w.send(t, document(t, "A1-7", 8500), false, false))
	w.fault(t, sevenshiftssim.Fault{Kind: sevenshiftssim.FaultStray, Method: "PUT", Delay: sevenshiftssim.Duration(100 * time.Millisecond)})
	err := w.send(t, document(t, "A1-7", 111), true, false)
	require.True(t, failure(t, err).Ambiguous)
	newer := document(t, "A1-7", 9900)
	require.NoError(t, w.send(t, newer, true, false))
	require.Eventually(t, func() bool { return w.readBack(t, newer)["A1-7"] == partner.Different }, 10*time.Second, 20*time.Millisecond)
	require.NoError(t, w.send(t, newer, true, false))
	require.Equal(t, partner.Same, w.readBack(t, newer)["A1-7"])
}

// An update that changes nothing may leave modified_date alone: the receipt is
// then found by its date, not declared missing.
func TestReadBackFindsWhatAnUpdateDidNotTouch(t *testing.T) {
	w := newWorld(t, func(s *sevenshiftssim.Switches) { s.TouchUnchanged = false })
	d := document(t, "A1-7", 8500)
	require.NoError(t, w.send(t, d, false, false))
	later := []partner.SentDocument{{Document: d, SentAt: now.Add(time.Hour)}}
	verdicts, err := w.session.ReadBack(context.Background(), later)
	require.NoError(t, err)
	require.Equal(t, partner.Same, verdicts["A1-7"])
}

func TestReadBackInEveryFormOfAnswer(t *testing.T) {
	for name, change := range map[string]func(*sevenshiftssim.Switches){
		"offset times":        func(*sevenshiftssim.Switches) {},
		"fraction times":      func(s *sevenshiftssim.Switches) { s.FractionTimes = true },
		"uuid under data":     func(s *sevenshiftssim.Switches) { s.TopUUID = false },
		"uuid called id":      func(s *sevenshiftssim.Switches) { s.OldIDField = true },
		"shifted lower bound": func(s *sevenshiftssim.Switches) { s.ShiftLowerBound = true },
		"no bound on lists":   func(s *sevenshiftssim.Switches) { s.ListDays = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, change)
			d := document(t, "A1-7", 8500)
			ref, err := w.session.Send(context.Background(), partner.Delivery{Document: d})
			require.NoError(t, err)
			require.Len(t, ref, 36)
			held := w.held(t)["A1-7"]
			require.Equal(t, ref, held.UUID)
			require.Equal(t, d.Date, held.ReceiptDate)
			require.Equal(t, partner.Same, w.readBack(t, d)["A1-7"])
		})
	}
}

// One listing covers a batch, in pages of 100; nothing else is asked.
func TestReadBackIsCheap(t *testing.T) {
	w := newWorld(t, nil)
	var batch []partner.Document
	for i := range 230 {
		d := document(t, fmt.Sprintf("A1-%d", i), sale.Cents(100+i))
		require.NoError(t, w.send(t, d, false, false))
		batch = append(batch, d)
	}
	before := w.sim.Rates()[0].Requests
	verdicts := w.readBack(t, batch...)
	require.Len(t, verdicts, 230)
	for id, v := range verdicts {
		require.Equal(t, partner.Same, v, id)
	}
	require.Equal(t, 3, w.sim.Rates()[0].Requests-before)
}

func TestReadBackOutsideTheListIsUnverifiable(t *testing.T) {
	w := newWorld(t, nil)
	old := aSale(t)
	old.ID, old.OpenedAt = "A1-old", now.AddDate(0, 0, -91)
	oldDocument, _ := receiptOf(t, old, connection(t), true)
	require.NoError(t, w.send(t, oldDocument, false, false))
	recent := document(t, "A1-7", 8500)
	verdicts := w.readBack(t, oldDocument, recent)
	require.Equal(t, map[string]partner.Verdict{"A1-old": partner.Unverifiable, "A1-7": partner.Missing}, verdicts)
	before := w.sim.Rates()[0].Requests
	w.readBack(t, oldDocument)
	require.Equal(t, before, w.sim.Rates()[0].Requests, "nothing is asked for what cannot be listed")
}

// BREAK=lose-one: a receipt that is lost for good stays missing, whatever is
// sent.
func TestAReceiptLostForGoodStaysMissing(t *testing.T) {
	w := newWorld(t, nil)
	d := document(t, "A1-7", 8500)
	require.False(t, w.sim.Lose(place, "A1-7", true), "before it was ever sent")
	require.NoError(t, w.send(t, d, false, false))
	require.NoError(t, w.send(t, d, true, false))
	require.NoError(t, w.send(t, d, false, true))
	require.Equal(t, partner.Missing, w.readBack(t, d)["A1-7"])
}

func TestABodyThatCannotBeReadIsOurFault(t *testing.T) {
	w := newWorld(t, nil)
	d := document(t, "A1-7", 8500)
	d.Body = []byte(`{"receipt_id":"A1-8"}`)
	require.Equal(t, work.Internal, failure(t, w.send(t, d, false, false)).Code)
}
