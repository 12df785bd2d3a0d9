package activities_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestOneOrderEndToEnd(t *testing.T) {
	r := newRig(t, options{})
	r.till.Put(serial, r.order("7", 2500, 400))
	require.Equal(t, work.Counts{Orders: 1, Changed: 1, Sent: 1}, r.mustSync())
	receipt := r.held()["A1-7"]
	require.Equal(t, sale.Cents(2500), receipt.NetTotal)
	require.Equal(t, sale.Cents(400), receipt.Tips)
	require.Equal(t, sevenshifts.Closed, receipt.Status)
	r.confirmed()
	require.Equal(t, work.Healthy, r.connection().State)
	require.Equal(t, 1, r.seven.Counters().Creates)
	require.Zero(t, r.seven.Counters().Updates)
}

func TestManyOrdersOverPagesAndSteps(t *testing.T) {
	for name, o := range map[string]clustersim.Options{
		"clean": {}, "pages served twice": {DuplicatePages: true}, "no filter by modification": {NoModified: true},
		"no clock in answers": {NoAsOf: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, options{till: o})
			r.Puller.Config.Orders = 50 // several steps
			const n = 130
			for i := range n {
				r.till.Put(serial, r.order(fmt.Sprint(i), 1000, 0))
			}
			r.mustSync()
			r.confirmed()
			require.Len(t, r.held(), n)
			require.Equal(t, n, r.seven.Counters().Creates)
		})
	}
}

// Complaints 1 and 5: edits after the fact reach the receipt, soon.
func TestLateEditAndVoid(t *testing.T) {
	r := newRig(t, options{})
	edited, voided := r.order("1", 2500, 0), r.order("2", 900, 100)
	r.till.Put(serial, edited)
	r.till.Put(serial, voided)
	r.mustSync()
	r.clock.Forward(20 * time.Minute)
	edited.Totals.Tip, edited.Payments[0].Tip = 500, 500
	edited.Totals.Total, edited.Payments[0].Amount = 3000, 3000
	voided.Status = wire.StatusVoided
	r.till.Put(serial, edited)
	r.till.Put(serial, voided)
	require.Equal(t, 2, r.mustSync().Sent)
	r.confirmed()
	held := r.held()
	require.Equal(t, sale.Cents(500), held["A1-1"].Tips)
	require.Equal(t, sevenshifts.Voided, held["A1-2"].Status)
	require.Zero(t, held["A1-2"].NetTotal)
	require.Zero(t, held["A1-2"].Tips)
}

// The stored watermark is the till's own clock when the pull began; the
// overlap is subtracted when asking only, and covers what shows up late.
func TestWatermarkIsTrueAndOverlapFindsLateVersions(t *testing.T) {
	r := newRig(t, options{till: clustersim.Options{NoReceivedAt: true}})
	before := r.clock.Now()
	r.mustSync()
	first := r.connection().Watermark
	require.False(t, first.Before(before), "the relay's clock during the pull")
	require.False(t, first.After(r.clock.Now()))
	r.clock.Forward(time.Minute)
	late := r.order("9", 700, 0)
	late.ModifiedAt = wire.At(first.Add(-5 * time.Minute)) // modified before, visible after
	r.till.Put(serial, late)
	require.Equal(t, 1, r.mustSync().Sent)
	require.True(t, r.connection().Watermark.After(first))
}

// Nothing that is cut moves the watermark.
func TestWatermarkWaitsForTheWholePull(t *testing.T) {
	r := newRig(t, options{})
	for i := range 60 {
		r.till.Put(serial, r.order(fmt.Sprint(i), 1000, 0))
	}
	r.till.Faults().Add(clustersim.Fault{Path: wire.PathOrders, Status: 500})
	_, err := r.sync()
	require.Equal(t, work.ClusterUnreachable, code(t, err))
	require.Zero(t, r.connection().Watermark)
	r.Puller.Config.Orders = 20
	step, err := call[work.StepInput, work.StepResult](r, "SyncStep", work.StepInput{Connection: marcel, Run: "cut"})
	require.NoError(t, err)
	require.True(t, step.More)
	require.NotEmpty(t, step.Cursor.PageToken)
	require.Zero(t, r.connection().Watermark)
	other, err := call[work.StepInput, work.StepResult](r, "SyncStep", work.StepInput{Connection: marcel, Run: "other"})
	require.NoError(t, err, "that another run is in the middle of its pull is no failure")
	require.True(t, other.More)
	require.Positive(t, other.Rest)
	require.Zero(t, other.Counts.Orders)
	require.Zero(t, r.connection().Watermark)
}

// One bad record never stops the rest.
func TestQuarantineAndRelease(t *testing.T) {
	r := newRig(t, options{})
	r.till.Put(serial, r.order("1", 1000, 0))
	bad := r.order("2", 1000, 0)
	bad.Totals.Net = 5 // contradicts gross - discounts - comps
	r.till.Put(serial, bad)
	r.till.PutRaw(serial, "3", json.RawMessage(`{"id":"3","serial":"A1","totals":"much"}`))
	counts := r.mustSync()
	require.Equal(t, 2, counts.Quarantined)
	require.Len(t, r.held(), 1)
	aside, err := r.store.Quarantine(r.ctx, marcel, false)
	require.NoError(t, err)
	require.Len(t, aside, 2)
	r.clock.Forward(time.Minute)
	r.till.Put(serial, r.order("2", 1000, 0))
	r.till.Put(serial, r.order("3", 1000, 0))
	_, err = call[work.QuarantineInput, work.ActResult](r, "ReleaseQuarantine", work.QuarantineInput{
		Connection: marcel, Records: []int64{}, By: "lea", Reason: "correction", Note: "till repaired",
	})
	require.NoError(t, err)
	r.confirmed()
	require.Len(t, r.held(), 3)
}

// A till without internet for three days: its orders arrive with old dates.
func TestTillBackAfterAnOutage(t *testing.T) {
	for name, o := range map[string]clustersim.Options{"receivedAt told": {}, "not told": {NoReceivedAt: true}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, options{till: o})
			r.mustSync()
			r.till.SetOffline(serial, true)
			for i := range 3 {
				r.clock.Forward(24 * time.Hour)
				r.till.Put(serial, r.order(fmt.Sprint(i), 1000, 0))
				_, err := r.sync()
				require.Equal(t, work.ClusterOffline, code(t, err))
			}
			r.till.SetOffline(serial, false)
			r.clock.Forward(time.Minute)
			r.mustSync()
			r.confirmed()
			require.Len(t, r.held(), 3)
		})
	}
}

// After an outage of hours the last business days are read again at once: what
// a till uploads then may carry any date.
func TestOutageHasTheLastDaysReadAgain(t *testing.T) {
	r := newRig(t, options{till: clustersim.Options{NoReceivedAt: true}})
	r.mustSync()
	r.till.SetOffline(serial, true)
	r.clock.Forward(3 * time.Hour)
	r.till.SetOffline(serial, false)
	old := r.order("1", 1000, 0)
	old.ModifiedAt = wire.At(r.clock.Now().Add(-4 * time.Hour)) // before the watermark less the overlap
	r.till.Put(serial, old)
	require.Equal(t, 1, r.mustSync().Sent)
}

func TestTillThatAsksToSlowDownIsNoFailure(t *testing.T) {
	r := newRig(t, options{})
	r.till.Faults().Add(clustersim.Fault{Path: wire.PathOrders, Status: 429, RetryAfter: 40})
	step, err := call[work.StepInput, work.StepResult](r, "SyncStep", work.StepInput{Connection: marcel, Run: "slow"})
	require.NoError(t, err)
	require.True(t, step.More)
	require.Equal(t, 40*time.Second, step.Rest)
}

// An order that simply vanished at the till is voided after two complete
// re-reads, and not after one.
func TestVanishedOrder(t *testing.T) {
	r := newRig(t, options{})
	r.till.Put(serial, r.order("1", 1000, 0))
	r.till.Put(serial, r.order("2", 1000, 0))
	r.mustSync()
	r.till.Vanish(serial, "2", r.clock.Now())
	r.clock.Forward(24 * time.Hour)
	r.mustSync()
	require.Equal(t, sevenshifts.Closed, r.held()["A1-2"].Status)
	r.clock.Forward(24 * time.Hour)
	r.mustSync()
	r.confirmed()
	require.Equal(t, sevenshifts.Voided, r.held()["A1-2"].Status)
	require.Zero(t, r.held()["A1-2"].NetTotal)
	require.Equal(t, sevenshifts.Closed, r.held()["A1-1"].Status)
}

// Replaced hardware starts order ids afresh: the old receipts stay.
func TestOrderIDsAgainAfterNewHardware(t *testing.T) {
	r := newRig(t, options{})
	r.till.Put(serial, r.order("1", 1000, 0))
	r.mustSync()
	r.till.AddLocation(clustersim.Location{Serial: "B2", Key: "key", TradeName: "Chez Marcel", Zone: "America/Toronto"})
	require.NoError(t, r.store.ReplaceSerial(r.ctx, "chez-marcel", "B2", lea))
	for range 3 { // nightly re-reads of the new till do not know the old orders
		r.clock.Forward(24 * time.Hour)
		o := r.order("1", 3300, 0)
		o.Serial = "B2"
		r.till.Put("B2", o)
		r.mustSync()
	}
	r.confirmed()
	require.Equal(t, sale.Cents(1000), r.held()["A1-1"].NetTotal)
	require.Equal(t, sale.Cents(3300), r.held()["B2-1"].NetTotal)
}

// Sales before the first day that is ours are not ours.
func TestSalesBeforeOurHistoryAreLeftAlone(t *testing.T) {
	r := newRig(t, options{})
	old := r.order("1", 1000, 0)
	old.OpenedAt = wire.At(r.clock.Now().AddDate(0, 0, -100))
	old.ClosedAt = wire.At(old.OpenedAt.Add(time.Hour))
	r.till.Put(serial, old) // edited today
	require.Equal(t, work.Counts{}, r.mustSync())
	require.Empty(t, r.held())
}

// Complaint 6: under "closed" nothing is sent until an order closes.
func TestByClosedTimeNothingIsOwedWhileOpen(t *testing.T) {
	r := newRig(t, options{receiptDate: sale.ByClosed})
	o := r.order("1", 1000, 0)
	closed := o.ClosedAt
	o.ClosedAt, o.Status, o.Payments = wire.Instant{}, wire.StatusOpen, []wire.Payment{}
	r.till.Put(serial, o)
	r.mustSync()
	require.Empty(t, r.held())
	r.clock.Forward(time.Minute)
	o.ClosedAt, o.Status = closed, wire.StatusClosed
	r.till.Put(serial, o)
	r.mustSync()
	require.Len(t, r.held(), 1)
}

func TestChangeOfReceiptDateNamesTheDaysThatMove(t *testing.T) {
	r := newRig(t, options{})
	r.clock.Forward(13*time.Hour + 30*time.Minute) // 04:30: opened on the 5th at 03:30, paid at 05:30
	o := r.order("1", 1000, 0)
	o.ClosedAt = wire.At(r.clock.Now().Add(time.Hour))
	r.clock.Forward(90 * time.Minute)
	r.till.Put(serial, o)
	r.mustSync()
	done, err := call[work.ChangeInput, work.ActResult](r, "ChangeConnection", work.ChangeInput{
		Connection: marcel, Change: work.ChangeReceiptDate, Value: "closed", By: "lea", Reason: "venue_asked", Note: "as in Cluster",
	})
	require.NoError(t, err)
	require.Equal(t, 1, done.Changed)
	require.Contains(t, done.Summary, "2026-11-05, 2026-11-06")
	r.confirmed()
	require.Equal(t, o.ClosedAt.Truncate(time.Second).UTC(), r.held()["A1-1"].ReceiptDate.UTC())
}

func TestPausedConnectionDoesNothing(t *testing.T) {
	r := newRig(t, options{})
	r.till.Put(serial, r.order("1", 1000, 0))
	change := work.ChangeInput{Connection: marcel, Change: work.ChangePause, By: "lea", Reason: "test", Note: "x"}
	_, err := call[work.ChangeInput, work.ActResult](r, "ChangeConnection", change)
	require.NoError(t, err)
	_, err = r.sync()
	require.Equal(t, work.ConnectionNotLive, code(t, err))
	change.Change = work.ChangeResume
	_, err = call[work.ChangeInput, work.ActResult](r, "ChangeConnection", change)
	require.NoError(t, err)
	require.Equal(t, 1, r.mustSync().Sent)
}

// A till that cannot be read does not keep back what is known already.
func TestDeliveryGoesOnWhileTheTillIsOffline(t *testing.T) {
	r := newRig(t, options{})
	r.till.Put(serial, r.order("1", 1000, 0))
	require.NoError(t, r.seven.Inject(sevenshiftssim.Fault{Kind: sevenshiftssim.FaultStatus, Status: 503}))
	_, err := r.sync()
	require.Equal(t, work.PartnerUnreachable, code(t, err), "a run that got nothing through looks failed")
	r.till.SetOffline(serial, true)
	require.Eventually(t, func() bool {
		_, err := r.sync()
		require.Equal(t, work.ClusterOffline, code(t, err))
		return len(r.held()) == 1
	}, 20*time.Second, 100*time.Millisecond)
}

func TestRefusedKeyNamesTheCommand(t *testing.T) {
	r := newRig(t, options{})
	r.till.Faults().Add(clustersim.Fault{Path: wire.PathOrders, Status: 401, Times: 10})
	_, err := r.sync()
	require.Equal(t, work.ClusterKeyRefused, code(t, err))
	require.ErrorContains(t, err, "clusterbridge location credentials "+marcel)
}

// No API tells a till's workday: each order is compared, and the first that
// stands under another day there is told to people, once.
func TestATillWithAnotherWorkdayIsFound(t *testing.T) {
	r := newRig(t, options{})
	r.put(2)
	r.mustSync()
	found, err := r.store.Findings(r.ctx, marcel, false)
	require.NoError(t, err)
	require.Empty(t, found)
	for i, id := range []string{"2", "3"} {
		o := r.order(id, 1002+int64(i), 0)
		o.BusinessDate = "2026-11-04"
		r.till.Put(serial, o)
		r.mustSync()
	}
	found, err = r.store.Findings(r.ctx, marcel, false)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, ledger.WorkdayDiffers, found[0].Kind)
	require.JSONEq(t, `{"before": "2026-11-04", "after": "2026-11-05"}`, string(found[0].Detail))
	require.Equal(t, sale.NewDay(2026, 11, 5), found[0].Day)
	r.exact(4)
}
