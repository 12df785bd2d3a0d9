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

func exported(what string, from, to int) ledger.Export {
	return ledger.Export{Location: "chez-marcel", What: what, From: today.Plus(from), To: today.Plus(to)}
}

func TestExportsOfTwoKindsNeverShareADay(t *testing.T) {
	h := open(t)
	record := func(e ledger.Export) []ledger.Export {
		clashing, err := h.RecordExport(h.ctx, e, lea)
		require.NoError(t, err)
		return clashing
	}
	require.Empty(t, record(exported("hourly-sales", -10, -5)))
	require.Empty(t, record(exported("hourly-sales", -10, -5)), "the same again")
	require.Empty(t, record(exported("receipts", -20, -11)), "other days")
	require.Empty(t, record(exported("receipts", -4, -2)), "other days")

	for _, days := range [][2]int{{-10, -5}, {-5, -3}, {-12, -10}, {-8, -7}, {-30, -1}} {
		clashing := record(exported("receipts", days[0], days[1]))
		require.Len(t, clashing, 2, days)
		require.Equal(t, "hourly-sales", clashing[0].What)
		require.Equal(t, "lea", clashing[0].Who)
		require.WithinDuration(t, november, clashing[0].At, time.Minute)
	}
	all, err := h.Exports(h.ctx, "chez-marcel", today.Plus(-100), today)
	require.NoError(t, err)
	require.Len(t, all, 4, "what clashed was not written")

	insisted := exported("receipts", -6, -5)
	insisted.Forced = true
	require.Len(t, record(insisted), 2)
	all, err = h.Exports(h.ctx, "chez-marcel", today.Plus(-5), today.Plus(-5))
	require.NoError(t, err)
	require.Len(t, all, 3)
	require.True(t, all[2].Forced)
	require.Equal(t, "2026-10-28", all[2].From.String())

	story, err := h.History(h.ctx, marcel, time.Time{}, time.Time{})
	require.NoError(t, err)
	last := story[len(story)-1]
	require.Equal(t, "export receipts", last.Act)
	require.Equal(t, "2026-10-28 to 2026-10-29", last.New)
	require.Equal(t, "forced", last.Old)

	_, err = h.RecordExport(h.ctx, ledger.Export{Location: "nowhere", What: "receipts", From: today, To: today}, lea)
	require.ErrorContains(t, err, "there is no location nowhere")
	require.Equal(t, work.Bug, work.KindOf(err))
}

func TestOfTwoExportsAtOnceOneSeesTheOther(t *testing.T) {
	h := open(t)
	for round := range 5 {
		var both sync.WaitGroup
		clashes := make([]int, 2)
		for i, what := range []string{"hourly-sales", "receipts"} {
			both.Go(func() {
				clashing, err := h.RecordExport(h.ctx, exported(what, -round-1, -round-1), lea)
				if err == nil {
					clashes[i] = len(clashing)
				}
			})
		}
		both.Wait()
		require.Equal(t, 1, clashes[0]+clashes[1])
	}
}

func TestSerialsOfALocation(t *testing.T) {
	h := open(t)
	all, err := h.Serials(h.ctx, "chez-marcel")
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.NoError(t, h.ReplaceSerial(h.ctx, "chez-marcel", "B2", lea))
	all, err = h.Serials(h.ctx, "chez-marcel")
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, "B2", all[0].Serial)
	require.Equal(t, "A1", all[1].Serial)
	require.Equal(t, sale.DayOf(all[0].Since, time.UTC), today)
}
