package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// past is an order of so many days ago.
func (r *rig) past(id string, days int, net int64) clustersim.Order {
	o := r.order(id, net, 0)
	for _, at := range []*wire.Instant{&o.OpenedAt, &o.ClosedAt, &o.Payments[0].Time} {
		*at = wire.At(at.AddDate(0, 0, -days))
	}
	o.ModifiedAt = o.ClosedAt
	return o
}

func (r *rig) plan(in work.BackfillInput) (work.BackfillPlan, error) {
	in.Connection, in.By, in.Note = marcel, "lea", "history"
	return call[work.BackfillInput, work.BackfillPlan](r, "PlanBackfill", in)
}

func (r *rig) backfillDay(day string, cur work.SyncCursor) work.StepResult {
	r.t.Helper()
	step, err := call[work.BackfillDayInput, work.StepResult](r, "BackfillDay", work.BackfillDayInput{
		Connection: marcel, Day: day, Cursor: cur, Run: "backfill",
	})
	require.NoError(r.t, err)
	return step
}

func TestPlanFollowsThePartnersRule(t *testing.T) {
	r := newRig(t, options{})
	plan, err := r.plan(work.BackfillInput{})
	require.NoError(t, err)
	require.Equal(t, work.BackfillPlan{From: "2026-08-07", To: "2026-11-04", Days: 90, AtOnce: 1}, plan, "90 days, up to the day before connecting")
	r.OldestFirst = true
	plan, err = r.plan(work.BackfillInput{From: "2026-11-01", To: "2026-11-02"})
	require.NoError(t, err)
	require.Equal(t, work.BackfillPlan{From: "2026-11-01", To: "2026-11-02", Days: 2, OldestFirst: true, AtOnce: 1}, plan)
	for _, in := range []work.BackfillInput{
		{From: "2026-08-06"}, {To: "2026-11-05"}, {From: "2026-11-03", To: "2026-11-02"}, {From: "yesterday"}, {From: "2026-02-30"},
	} {
		_, err := r.plan(in)
		require.Equal(t, work.BadInput, code(t, err), "%+v", in)
	}
}

// Another backfill goes on where days are missing, unless it is told to do all
// of them again.
func TestDaysThatAreInArePassedOver(t *testing.T) {
	r := newRig(t, options{})
	r.till.Put(serial, r.past("1", 3, 1000))
	r.clock.Forward(12 * time.Hour) // 08:00 UTC
	require.False(t, r.backfillDay("2026-11-02", work.SyncCursor{}).More)
	plan, err := r.plan(work.BackfillInput{From: "2026-11-01", To: "2026-11-03"})
	require.NoError(t, err)
	require.Equal(t, []string{"2026-11-02"}, plan.Skip)
	plan, err = r.plan(work.BackfillInput{From: "2026-11-01", To: "2026-11-03", Again: true})
	require.NoError(t, err)
	require.Empty(t, plan.Skip)
}

func TestADryRunKeepsAndSendsNothing(t *testing.T) {
	r := newRig(t, options{})
	r.till.Put(serial, r.past("1", 3, 1000))
	r.till.Put(serial, r.past("2", 3, 2000))
	r.clock.Forward(12 * time.Hour)
	dry := func() work.Counts {
		step, err := call[work.BackfillDayInput, work.StepResult](r, "BackfillDay", work.BackfillDayInput{
			Connection: marcel, Day: "2026-11-02", Run: "backfill", DryRun: true,
		})
		require.NoError(t, err)
		require.False(t, step.More)
		return step.Counts
	}
	require.Equal(t, work.Counts{Orders: 2, Changed: 2}, dry())
	require.Empty(t, r.held())
	require.Zero(t, r.backlog().Total, "nothing was kept")
	require.False(t, r.backfillDay("2026-11-02", work.SyncCursor{}).More)
	require.Equal(t, work.Counts{Orders: 2}, dry(), "what is there already would not be sent")
}

// A tab opened on the evening before the first day is found when receipts are
// dated by closing.
func TestPlanByClosedTimeLooksAtTheEveningBefore(t *testing.T) {
	r := newRig(t, options{receiptDate: sale.ByClosed})
	plan, err := r.plan(work.BackfillInput{})
	require.NoError(t, err)
	require.Equal(t, "2026-08-06", plan.From)
	require.Equal(t, 91, plan.Days)
}

// 7shifts takes history between 08:00 and 15:00 UTC only; live goes on at any
// time.
func TestHistoryWaitsForItsWindow(t *testing.T) {
	r := newRig(t, options{}) // 20:00 UTC
	r.till.Put(serial, r.past("1", 3, 1000))
	r.till.Put(serial, r.order("2", 2000, 0))
	step := r.backfillDay("2026-11-02", work.SyncCursor{})
	require.True(t, step.More)
	require.True(t, step.Cursor.Pulled)
	require.InDelta(t, (12 * time.Hour).Seconds(), step.Rest.Seconds(), 1, "until 08:00 UTC")
	require.Contains(t, step.Why, "between 08:00 and 15:00 UTC")
	r.mustSync()
	require.Len(t, r.held(), 1, "live only")

	r.clock.Forward(12 * time.Hour)
	r.mustSync()
	require.Len(t, r.held(), 1, "history is the backfill's until that is done")
	step = r.backfillDay("2026-11-02", step.Cursor)
	require.False(t, step.More)
	require.Equal(t, 1, step.Counts.Sent)
	require.Len(t, r.held(), 2)

	r.clock.Forward(8 * time.Hour)
	require.Zero(t, r.backfillDay("2026-11-01", work.SyncCursor{}).Rest, "a day without sales does not wait")
}

// Once the history is in, sync runs deliver what is left of it, in the window.
func TestRestOfTheHistoryIsLeftToSyncRuns(t *testing.T) {
	r := newRig(t, options{})
	r.till.Put(serial, r.past("1", 3, 1000))
	require.Positive(t, r.backfillDay("2026-11-02", work.SyncCursor{}).Rest)
	_, err := call[work.BackfillEnd, work.ActResult](r, "FinishBackfill", work.BackfillEnd{
		Connection: marcel, From: "2026-08-07", To: "2026-11-04",
	})
	require.NoError(t, err)
	require.True(t, r.connection().HistoryDone)
	r.mustSync()
	require.Empty(t, r.held(), "the window is closed")
	r.clock.Forward(13 * time.Hour)
	r.mustSync()
	require.Len(t, r.held(), 1)
}

func TestPartOfTheHistoryIsNotTheWhole(t *testing.T) {
	r := newRig(t, options{})
	for _, end := range []work.BackfillEnd{
		{Connection: marcel, From: "2026-10-01", To: "2026-11-04"},
		{Connection: marcel, From: "2026-08-07", To: "2026-11-03"},
		{Connection: marcel, From: "2026-08-07", To: "2026-11-04", Cancelled: true},
	} {
		_, err := call[work.BackfillEnd, work.ActResult](r, "FinishBackfill", end)
		require.NoError(t, err)
		require.False(t, r.connection().HistoryDone)
	}
}

func TestBackfillRestsWhileTheConnectionIsPaused(t *testing.T) {
	r := newRig(t, options{})
	_, err := r.store.Pause(r.ctx, marcel, lea)
	require.NoError(t, err)
	step := r.backfillDay("2026-11-02", work.SyncCursor{})
	require.True(t, step.More)
	require.Equal(t, "the connection is paused", step.Why)
}
