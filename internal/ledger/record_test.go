package ledger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func (h *house) netOf(id string) sale.Cents {
	s, err := h.Sale(h.ctx, marcel, "A1-"+id)
	require.NoError(h.t, err)
	return s.Totals.Net
}

// Invariant 5.
func TestANewerSnapshotWins(t *testing.T) {
	h := open(t)
	require.Equal(t, ledger.PageResult{Orders: 1, Changed: 1}, h.read(10, order("1", 1000, 5)))

	require.Zero(t, h.read(11, order("1", 900, 4)).Changed, "modified earlier, though read later")
	require.Equal(t, sale.Cents(1000), h.netOf("1"))

	require.Zero(t, h.read(9, order("1", 900, 5)).Changed, "modified at once, read earlier")
	require.Equal(t, sale.Cents(1000), h.netOf("1"))

	require.Equal(t, 1, h.read(12, order("1", 1100, 5)).Changed, "modified at once, read later")
	require.Equal(t, sale.Cents(1100), h.netOf("1"))

	require.Equal(t, 1, h.read(1, order("1", 1200, 6)).Changed, "modified later, though read earlier")
	require.Equal(t, sale.Cents(1200), h.netOf("1"))

	require.Equal(t, 1, h.page(ledger.Live, 0, true, order("1", 700, 1)).Changed, "a full re-read overrides both")
	require.Equal(t, sale.Cents(700), h.netOf("1"))
}

// An unchanged snapshot that was read later still defends itself against what
// was read between.
func TestAnUnchangedSnapshotIsRememberedAsReadLater(t *testing.T) {
	h := open(t)
	h.read(10, order("1", 1000, 5))
	require.Zero(t, h.read(20, order("1", 1000, 5)).Changed)
	require.Zero(t, h.read(15, order("1", 900, 5)).Changed)
	require.Equal(t, sale.Cents(1000), h.netOf("1"))
	h.read(21, order("1", 1000, 8))
	s, err := h.Sale(h.ctx, marcel, "A1-1")
	require.NoError(t, err)
	require.True(t, s.ModifiedAt.Equal(at(8)), "touched at the till without a change")
}

func TestSnapshotsInAnyOrderEndWithTheNewest(t *testing.T) {
	h := open(t)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		id := "any" + strings.Repeat("x", n%7) + time.Duration(n).String()
		var want *ledger.Snapshot
		for range rapid.IntRange(1, 6).Draw(t, "reads") {
			got := ledger.Snapshot{
				Sale:      order(id, sale.Cents(rapid.IntRange(1, 3).Draw(t, "net")), rapid.IntRange(0, 2).Draw(t, "modified")),
				ReadBegan: at(rapid.IntRange(0, 2).Draw(t, "began")),
				Reread:    rapid.IntRange(0, 4).Draw(t, "reread") == 0,
			}
			_, err := h.RecordPage(h.ctx, h.c, holder, ledger.Page{Snapshots: []ledger.Snapshot{got}}, receipts)
			require.NoError(t, err)
			if want == nil || got.Reread || got.Sale.ModifiedAt.After(want.Sale.ModifiedAt) ||
				got.Sale.ModifiedAt.Equal(want.Sale.ModifiedAt) && got.ReadBegan.After(want.ReadBegan) {
				want = &got
			}
		}
		have, err := h.Sale(h.ctx, marcel, want.Sale.ID)
		require.NoError(t, err)
		require.Equal(t, want.Sale, have)
	})
}

// A till that lists an order twice on a page, or on two.
func TestDuplicatesOnAPage(t *testing.T) {
	h := open(t)
	result := h.read(10, order("1", 1000, 5), order("2", 500, 5), order("1", 1100, 6), order("1", 1050, 5))
	require.Equal(t, ledger.PageResult{Orders: 4, Changed: 2}, result)
	require.Equal(t, sale.Cents(1100), h.netOf("1"))
	require.Equal(t, ledger.PageResult{Orders: 2}, h.read(10, order("1", 1100, 6), order("2", 500, 5)), "the same page again")
}

// Invariant 8.
func TestABadRecordNeverStopsTheRest(t *testing.T) {
	h := open(t)
	contradiction := order("3", 1000, 5)
	contradiction.Totals.Net = 1
	withNUL := order("4", 1000, 5)
	withNUL.Number = "7\x00"
	p := ledger.Page{
		Snapshots: []ledger.Snapshot{
			{Sale: order("1", 1000, 5), ReadBegan: at(5)}, {Sale: contradiction, ReadBegan: at(5)},
			{Sale: withNUL, ReadBegan: at(5)}, {Sale: order(strings.Repeat("9", 3000), 1000, 5), ReadBegan: at(5)},
			{Sale: order("2", 1000, 5), ReadBegan: at(5)},
		},
		Bad: []ledger.BadOrder{
			{ID: "A1-8", Day: today, Code: work.OrderMalformed, Why: "no opening time", Raw: "{\"id\":\"8\xff\x00"},
			{Code: work.OrderMalformed, Why: "not JSON", Raw: strings.Repeat("x", 1<<20)},
			{Code: work.OrderMalformed, Why: "not JSON", Raw: "y"},
		},
	}
	result, err := h.RecordPage(h.ctx, h.c, holder, p, receipts)
	require.NoError(t, err)
	require.Equal(t, ledger.PageResult{Orders: 8, Changed: 2, Quarantined: 6}, result)
	result, err = h.RecordPage(h.ctx, h.c, holder, p, receipts)
	require.NoError(t, err)
	require.Equal(t, ledger.PageResult{Orders: 8}, result, "put aside once, not with every run")

	open := h.open()
	require.Len(t, open, 6)
	for _, q := range open {
		require.Equal(t, 2, q.Times)
		require.Empty(t, q.Raw, "a list shows no content")
		record, err := h.QuarantinedRecord(h.ctx, q.Number)
		require.NoError(t, err)
		require.NotEmpty(t, record.Raw)
		require.LessOrEqual(t, len(record.Raw), 64<<10)
	}
}

func TestAGoodRecordHealsItsQuarantine(t *testing.T) {
	h := open(t)
	bad := ledger.BadOrder{ID: "A1-1", Day: today, Code: work.OrderMalformed, Why: "no opening time", Raw: "{}"}
	_, err := h.RecordPage(h.ctx, h.c, holder, ledger.Page{Bad: []ledger.BadOrder{bad}}, receipts)
	require.NoError(t, err)
	h.read(1, order("2", 1000, 1))
	require.Len(t, h.open(), 1)
	h.read(2, order("1", 1000, 2))
	require.Empty(t, h.open())
	all, err := h.Quarantine(h.ctx, marcel, true)
	require.NoError(t, err)
	require.Equal(t, "healed", all[0].Status)
}

func TestADiscardedOrderStaysSoUntilItChanges(t *testing.T) {
	h := open(t)
	bad := ledger.BadOrder{ID: "A1-1", Day: today, Code: work.OrderMalformed, Why: "no opening time", Raw: "{}"}
	put := func() int {
		result, err := h.RecordPage(h.ctx, h.c, holder, ledger.Page{Bad: []ledger.BadOrder{bad}}, receipts)
		require.NoError(t, err)
		return result.Quarantined
	}
	require.Equal(t, 1, put())
	n, err := h.Release(h.ctx, marcel, nil, true, lea)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Zero(t, put())
	require.Empty(t, h.open())
	bad.Raw = `{"changed":1}`
	require.Equal(t, 1, put())
}

func TestAReleasedOrderHasItsDayReadAgain(t *testing.T) {
	h := open(t)
	_, err := h.RecordPage(h.ctx, h.c, holder, ledger.Page{Bad: []ledger.BadOrder{
		{ID: "A1-1", Day: today.Plus(-40), Code: work.OrderMalformed, Raw: "{}"},
		{ID: "A1-2", Code: work.OrderMalformed, Raw: "{}"},
	}}, receipts)
	require.NoError(t, err)
	n, err := h.Release(h.ctx, marcel, []int64{h.open()[0].Number, h.open()[1].Number}, false, lea)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	for _, want := range []sale.Day{today, today.Plus(-40)} {
		day, found, err := h.NextReread(h.ctx, marcel)
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, want, day)
		require.NoError(t, h.RereadDone(h.ctx, marcel, holder, day, november.Add(time.Hour)))
	}
	_, found, err := h.NextReread(h.ctx, marcel)
	require.NoError(t, err)
	require.False(t, found)
}

// Nothing owed yet is not nothing wanted any more: what a partner was told
// stands until it is corrected.
func TestTranslatingToNothingDeletesNothing(t *testing.T) {
	h := open(t)
	open := order("1", 1000, 1)
	open.ClosedAt = time.Time{}
	h.read(1, open)
	h.accept(h.claimOne())
	open.Totals = sale.Totals{Gross: 2000, Net: 2000}
	open.ModifiedAt = at(2)
	result, err := h.RecordPage(h.ctx, h.c, holder, ledger.Page{Snapshots: []ledger.Snapshot{{Sale: open, ReadBegan: at(2)}}}, dated(sale.ByClosed))
	require.NoError(t, err)
	require.Zero(t, result.Changed)
	require.Equal(t, ledger.Backlog{Total: 1, Sent: 1, Unconfirmed: 1}, h.backlog())
}

func TestTranslateIsToldWhetherTheSaleIsKnown(t *testing.T) {
	h := open(t)
	var told []bool
	translate := func(s sale.Sale, known bool) ([]partner.Document, error) {
		told = append(told, known)
		return receipts(s, known)
	}
	for minute := range 2 {
		_, err := h.RecordPage(h.ctx, h.c, holder, ledger.Page{Snapshots: []ledger.Snapshot{{Sale: order("1", sale.Cents(minute), minute), ReadBegan: at(minute)}}}, translate)
		require.NoError(t, err)
	}
	require.Equal(t, []bool{false, true}, told)
}

func TestASettingThatChangesMeanwhileStopsThePage(t *testing.T) {
	h := open(t)
	changed, err := h.SetReceiptDate(h.ctx, marcel, sale.ByClosed, lea)
	require.NoError(t, err)
	require.True(t, changed)
	stale := ledger.Page{Snapshots: []ledger.Snapshot{{Sale: order("1", 1000, 1), ReadBegan: at(1)}}}
	_, err = h.RecordPage(h.ctx, h.c, holder, stale, receipts)
	requireCode(t, work.LeaseHeld, err)
	require.Zero(t, h.backlog().Total)
	h.reload()
	h.read(1, order("1", 1000, 1))
}

// Complaint 37's neighbour: a change of the receipt date moves a document from
// one business day to another, and both are told.
func TestRetranslatingTellsTheDaysThatMove(t *testing.T) {
	h := open(t)
	late := order("1", 1000, 1)
	late.OpenedAt = time.Date(2026, 11, 4, 9, 30, 0, 0, time.UTC) // 04:30: still the 3rd
	late.ClosedAt = time.Date(2026, 11, 4, 10, 10, 0, 0, time.UTC)
	early := order("2", 1000, 1)
	h.read(1, late, early)
	_, err := h.SetReceiptDate(h.ctx, marcel, sale.ByClosed, lea)
	require.NoError(t, err)
	_, err = h.Retranslate(h.ctx, h.c, today, today, ledger.Live, dated(sale.ByClosed))
	requireCode(t, work.LeaseHeld, err)
	h.reload()
	result, err := h.Retranslate(h.ctx, h.c, today, today, ledger.Live, dated(sale.ByClosed))
	require.NoError(t, err)
	require.Equal(t, ledger.RetranslateResult{Changed: 2, Moved: []sale.Day{today, today.Plus(1)}}, result)
	result, err = h.Retranslate(h.ctx, h.c, today, today, ledger.Live, dated(sale.ByClosed))
	require.NoError(t, err)
	require.Zero(t, result, "once is enough")
}

// Complaint 1: what is deleted at the till goes at the partner, too.
func TestAnOrderMissingTwiceIsVoided(t *testing.T) {
	h := open(t)
	other := order("9", 1000, 1)
	other.ID, other.Serial = "A0-9", "A0" // of hardware that was replaced
	h.read(1, order("1", 1000, 1), order("2", 2000, 1), other)
	_, err := h.RecordPage(h.ctx, h.c, holder, ledger.Page{Snapshots: []ledger.Snapshot{{Sale: order("3", 1, 1), ReadBegan: at(1)}}}, receipts)
	require.NoError(t, err)
	for _, c := range h.claim() {
		h.accept(c)
	}
	reread := func(began int) ledger.MissingResult {
		h.page(ledger.Live, began, true, order("2", 2000, 1))
		// An order that has turned bad is not missing.
		_, err := h.RecordPage(h.ctx, h.c, holder, ledger.Page{ReadBegan: at(began), Bad: []ledger.BadOrder{{ID: "A1-3", Code: work.OrderMalformed, Raw: "{}"}}}, receipts)
		require.NoError(t, err)
		result, err := h.MarkMissing(h.ctx, h.c, holder, today, at(began), receipts)
		require.NoError(t, err)
		return result
	}
	require.Equal(t, ledger.MissingResult{Suspected: 1}, reread(20))
	result, err := h.MarkMissing(h.ctx, h.c, holder, today, at(20), receipts)
	require.NoError(t, err)
	require.Zero(t, result, "the same re-read does not count twice")
	require.Equal(t, ledger.MissingResult{Voided: 1, Changed: 1}, reread(40))
	require.Zero(t, reread(60))

	c := h.claimOne()
	require.Equal(t, "A1-1", c.ID)
	require.Zero(t, net(t, c.Document))
	require.Contains(t, string(c.Body), "voided")
	sales, err := h.SalesOfDay(h.ctx, marcel, today)
	require.NoError(t, err)
	require.Equal(t, sale.Voided, sales[1].Status)
	h.accept(c)

	require.Equal(t, 1, h.read(61, order("1", 1000, 1)).Changed, "it is back")
	require.Equal(t, sale.Cents(1000), net(t, h.claimOne().Document))
}

func TestAnOrderSeenBetweenIsNotMissingTwice(t *testing.T) {
	h := open(t)
	h.read(1, order("1", 1000, 1))
	missing := func(began int) ledger.MissingResult {
		result, err := h.MarkMissing(h.ctx, h.c, holder, today, at(began), receipts)
		require.NoError(t, err)
		return result
	}
	require.Equal(t, 1, missing(20).Suspected)
	h.read(30, order("1", 1000, 1))
	require.Equal(t, ledger.MissingResult{Suspected: 1}, missing(40))
	require.Zero(t, missing(25), "seen by a read that began later")
}

func TestRereadsAreASetOfDays(t *testing.T) {
	h := open(t)
	planned, err := h.PlanNightlyReread(h.ctx, marcel, today.Plus(-1), 7)
	require.NoError(t, err)
	require.Equal(t, 7, planned)
	planned, err = h.PlanNightlyReread(h.ctx, marcel, today.Plus(-1), 7)
	require.NoError(t, err)
	require.Zero(t, planned, "once a night")
	require.Equal(t, today.Plus(-1), h.reload().RereadThrough)

	day, _, err := h.NextReread(h.ctx, marcel)
	require.NoError(t, err)
	require.Equal(t, today.Plus(-1), day)
	require.NoError(t, h.RereadDone(h.ctx, marcel, holder, day, november.Add(-time.Minute)))
	day, _, err = h.NextReread(h.ctx, marcel)
	require.NoError(t, err)
	require.Equal(t, today.Plus(-1), day, "asked for after that read began")
	requireCode(t, work.LeaseHeld, h.RereadDone(h.ctx, marcel, "another", day, november.Add(time.Hour)))
}

// Invariant 4.
func TestTheWatermarkIsGuardedByTheLeaseAndNeverGoesBack(t *testing.T) {
	h := open(t)
	require.NoError(t, h.SetWatermark(h.ctx, marcel, holder, at(10)))
	require.NoError(t, h.SetWatermark(h.ctx, marcel, holder, at(5)))
	require.True(t, h.reload().Watermark.Equal(at(10)))
	requireCode(t, work.LeaseHeld, h.SetWatermark(h.ctx, marcel, "another", at(20)))
	require.True(t, h.reload().Watermark.Equal(at(10)))
}

func TestALeaseIsTakenOverOnlyWhenItHasEnded(t *testing.T) {
	h := open(t)
	take := func(who string, d time.Duration) bool {
		got, err := h.AcquireLease(h.ctx, marcel, who, d)
		require.NoError(t, err)
		return got
	}
	page := ledger.Page{Snapshots: []ledger.Snapshot{{Sale: order("1", 1000, 1), ReadBegan: at(1)}}}
	require.False(t, take("run-2", forLong))
	require.True(t, take(holder, expired), "the holder prolongs, here to its end")
	_, err := h.RecordPage(h.ctx, h.c, holder, page, receipts)
	requireCode(t, work.LeaseHeld, err)
	require.True(t, take("run-2", forLong))

	_, err = h.RecordPage(h.ctx, h.c, holder, page, receipts)
	requireCode(t, work.LeaseHeld, err)
	_, err = h.MarkMissing(h.ctx, h.c, holder, today, at(9), receipts)
	require.NoError(t, err, "nothing is missing")
	require.Zero(t, h.backlog().Total)
	require.NoError(t, h.ReleaseLease(h.ctx, marcel, holder))
	require.False(t, take(holder, forLong), "giving back another's lease does nothing")
	require.NoError(t, h.ReleaseLease(h.ctx, marcel, "run-2"))
	require.True(t, take(holder, forLong))
	_, err = h.AcquireLease(h.ctx, marcel, "", forLong)
	require.Error(t, err)
}

// An activity that was retried may run beside its retry, under one lease: what
// was decided from what was known at first is decided again when it is written.
func TestAPageThatIsLateIsJudgedByWhatIsKnownThen(t *testing.T) {
	h := open(t)
	late := ledger.Page{Snapshots: []ledger.Snapshot{{Sale: order("1", 1000, 5), ReadBegan: at(5)}}}
	result, err := h.RecordPage(h.ctx, h.c, holder, late, func(s sale.Sale, known bool) ([]partner.Document, error) {
		h.read(6, order("1", 2000, 6))
		return receipts(s, known)
	})
	require.NoError(t, err)
	require.Zero(t, result.Changed)
	require.Equal(t, sale.Cents(2000), h.netOf("1"))
	require.Equal(t, sale.Cents(2000), net(t, h.claimOne().Document))
}

func TestRetranslatingLeavesASaleThatIsReplacedMeanwhile(t *testing.T) {
	h := open(t)
	h.read(1, order("1", 1000, 1))
	result, err := h.Retranslate(h.ctx, h.c, today, today, ledger.Live, func(s sale.Sale, known bool) ([]partner.Document, error) {
		h.read(2, order("1", 2000, 2))
		return dated(sale.ByClosed)(s, known)
	})
	require.NoError(t, err)
	require.Zero(t, result.Changed)
	require.Equal(t, sale.Cents(2000), net(t, h.claimOne().Document))
}
