package activities_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func (r *rig) choose(change, value, from string) error {
	_, err := call[work.ChangeInput, work.ActResult](r, "ChangeConnection", work.ChangeInput{
		Connection: marcel, Change: change, Value: value, From: from, By: "lea", Reason: "venue_asked", Note: "too many receipts",
	})
	return err
}

// History as sums of five minutes: never the current or previous pay period,
// without tips and employees, and a late edit sums its slice anew.
func TestHistoryAsSumsOfFiveMinutes(t *testing.T) {
	r := newRig(t, options{}) // 5 November 2026, 15:00 in Montreal
	require.Equal(t, work.BadInput, code(t, r.choose(work.ChangeSlices, "on", "")), "the pay period has to be known")
	require.NoError(t, r.choose(work.ChangePayPeriod, "biweekly", "2026-11-02"))
	require.NoError(t, r.choose(work.ChangeSlices, "on", ""))
	require.Equal(t, "2026-10-18", r.connection().Settings.SlicesUntil.String(), "the previous period begins on 19 October")

	r.clock.Forward(12 * time.Hour) // 08:00 UTC
	first, second, other, later := r.past("1", 20, 1000), r.past("2", 20, 2000), r.past("3", 20, 400), r.past("4", 10, 5000)
	second.OpenedAt = wire.At(first.OpenedAt.Add(30 * time.Second))
	other.OpenedAt = wire.At(first.OpenedAt.Add(time.Hour))
	first.Payments[0].Tip, first.Totals.Tip = 150, 150
	for _, o := range []*wire.Order{&first, &second, &other, &later} {
		r.till.Put(serial, *o)
	}
	for _, days := range []int{20, 10} {
		day := sale.DayOf(r.clock.Now().AddDate(0, 0, -days), montreal())
		for _, d := range []sale.Day{day.Plus(-1), day} {
			require.False(t, r.backfillDay(d.String(), work.SyncCursor{}).More)
		}
	}
	sums, single := r.slices()
	require.Equal(t, []sale.Cents{3000, 400}, sums)
	require.Len(t, single, 1, "the current and the previous pay period travel one by one")

	require.NoError(t, r.store.SetHistoryDone(r.ctx, marcel, true))
	r.clock.Forward(time.Minute)
	second.Status, second.ModifiedAt = wire.StatusVoided, wire.At(r.clock.Now())
	r.till.Put(serial, second)
	other.Status, other.ModifiedAt = wire.StatusVoided, wire.At(r.clock.Now())
	r.till.Put(serial, other)
	r.until("the slices are summed anew", func() bool {
		sums, _ := r.slices()
		return len(sums) == 2 && sums[0] == 1000 && sums[1] == 0
	})
	require.Equal(t, work.BadInput, code(t, r.choose(work.ChangeSlices, "off", "")), "receipts were sent")
	require.Equal(t, work.BadInput, code(t, r.choose(work.ChangeReceiptDate, "closed", "")))
}

// slices are the sums that 7shifts holds, by time, and its other receipts.
func (r *rig) slices() (sums []sale.Cents, single []string) {
	held := r.held()
	for _, id := range slices.Sorted(maps.Keys(held)) {
		if !strings.HasPrefix(id, "slice-") {
			single = append(single, id)
			continue
		}
		require.Empty(r.t, held[id].EmployeeID)
		require.Zero(r.t, held[id].Tips)
		require.Zero(r.t, held[id].ReceiptDate.Unix()%300, "dated at the slice's start")
		sums = append(sums, held[id].NetTotal)
	}
	return sums, single
}
