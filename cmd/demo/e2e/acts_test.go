package e2e

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/play"
	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// liveDay is the business day that quick plays, and today the one on which it
// stands still.
const liveDay = "2026-11-03"

// Acts on a live connection are short workflows with who and why, each with its
// verb; all are journalled, and history tells them in sentences.
func TestActsOnALiveConnection(t *testing.T) {
	d := through(t)
	a := &acts{t, d}
	for _, one := range []struct {
		name string
		do   func(a *acts)
	}{
		{"pause and resume", (*acts).pauseAndResume}, {"receipt date", (*acts).receiptDate}, {"resend", (*acts).resend},
		{"release a document", (*acts).releaseADocument}, {"release an order", (*acts).releaseAnOrder}, {"discard", (*acts).discard},
	} {
		t.Run(one.name, func(t *testing.T) { one.do(&acts{t, d}) })
	}
	t.Run("history", func(t *testing.T) { (&acts{t, d}).history() })
	a.everyActIsVisible()
}

type acts struct {
	t    *testing.T
	demo *play.Demo
}

// verb runs an act's verb as Lea would.
func (a *acts) verb(args ...string) string {
	a.t.Helper()
	said, err := a.demo.Verb(a.t.Context(), append(args, "--by", "lea", "--reason", "correction", "--note", "end to end")...)
	require.NoError(a.t, err, said)
	return said
}

func (a *acts) connection() ledger.Connection {
	a.t.Helper()
	c, err := a.demo.Ledger().Connection(a.t.Context(), marcel)
	require.NoError(a.t, err)
	return c
}

// quiet waits until all that is wanted was sent and confirmed.
func (a *acts) quiet() {
	a.t.Helper()
	eventually(a.t, "all is sent and confirmed", func(ctx context.Context) (bool, error) {
		b, err := a.demo.Ledger().Backlog(ctx, marcel)
		return err == nil && b.Wanted+b.Unconfirmed == 0, err
	})
}

// aside waits until so many records are in quarantine.
func (a *acts) aside(want int) (records []ledger.Quarantined) {
	a.t.Helper()
	eventually(a.t, "records are put aside", func(ctx context.Context) (_ bool, err error) {
		records, err = a.demo.Ledger().Quarantine(ctx, marcel, false)
		return len(records) == want, err
	})
	return records
}

func (a *acts) pauseAndResume() {
	require.Contains(a.t, a.verb("pause", marcel), "is paused")
	require.Equal(a.t, work.Paused, a.connection().State)
	schedule := a.demo.Temporal().ScheduleClient().GetHandle(a.t.Context(), work.SyncScheduleID(marcel))
	s, err := schedule.Describe(a.t.Context())
	require.NoError(a.t, err)
	require.True(a.t, s.Schedule.State.Paused, "at once, not with the keeper's next run")
	require.Contains(a.t, a.verb("pause", marcel), "already", "a repeated act changes nothing")
	a.verb("resume", marcel)
	require.Equal(a.t, work.Healthy, a.connection().State)
}

func (a *acts) receiptDate() {
	a.verb("connection", "set", "receipt-date", marcel, "closed", "--yes")
	require.Equal(a.t, sale.ByClosed, a.connection().Settings.ReceiptDate)
	a.quiet()
	a.verb("connection", "set", "receipt-date", marcel, "opened", "--yes")
	a.quiet()
	a.stillEqual()
}

// stillEqual compares 7shifts with the plan of the tills.
func (a *acts) stillEqual() {
	a.t.Helper()
	report, err := a.demo.Compare(a.t.Context())
	require.NoError(a.t, err)
	require.True(a.t, report.Good())
}

// resend sends a day again: updates, no new receipts.
func (a *acts) resend() {
	before := a.demo.SevenShifts().Counters()
	said := a.verb("resend", marcel, "--from", liveDay)
	require.Regexp(a.t, `^\d+ documents of `+marcel, said)
	a.quiet()
	after := a.demo.SevenShifts().Counters()
	require.Equal(a.t, before.Creates, after.Creates, "nothing is created twice")
	require.GreaterOrEqual(a.t, after.Updates-before.Updates, quick.OrdersPerLiveDay)
	a.stillEqual()
}

// releaseADocument: 7shifts refuses a receipt for once; it is put aside, the
// rest goes on, and a person's release sends it.
func (a *acts) releaseADocument() {
	require.NoError(a.t, a.demo.SevenShifts().Inject(sevenshiftssim.Fault{Kind: sevenshiftssim.FaultStatus, Method: "PUT", Status: 422}))
	a.verb("resend", marcel, "--from", liveDay)
	record := a.aside(1)[0]
	require.Equal(a.t, ledger.KindDocument, record.Kind)
	require.Equal(a.t, work.DocumentRefused, record.Code)
	a.quiet() // the rest
	require.Contains(a.t, a.verb("quarantine", "release", marcel), "1 record")
	a.aside(0)
	a.quiet()
	a.stillEqual()
}

const badOrder = "77001"

// releaseAnOrder: the till gives an order that cannot be read. It is corrected
// with an old date, so that only a person's release finds it.
func (a *acts) releaseAnOrder() {
	serial, now := a.connection().Location.Serial, a.businessNow()
	a.demo.Tills().PutRaw(serial, badOrder, json.RawMessage(`{"id":"`+badOrder+`","status":"closed","openedAt":"around noon"}`))
	record := a.aside(1)[0]
	require.Equal(a.t, ledger.KindOrder, record.Kind)
	opened := now.Add(-time.Hour)
	a.demo.Tills().PutAt(serial, clustersim.Order{
		ID: badOrder, Number: "77", Serial: wire.Text(serial), OpenedAt: wire.At(opened), ClosedAt: wire.At(opened.Add(time.Minute)),
		Status: "closed", EmployeeID: "E01", Totals: clustersim.Totals{Gross: 1000, Net: 1000, Tax: 150, Total: 1150},
		Lines:    []clustersim.Line{{ID: "1", ItemID: "soup", Name: "Soup", CategoryID: "food", Quantity: "1", UnitPrice: 1000, Net: 1000}},
		Payments: []clustersim.Payment{{ID: "1", Type: "cash", Amount: 1150, Time: wire.At(opened)}},
	}, opened)
	before := a.demo.SevenShifts().Counters().Creates
	a.verb("quarantine", "release", marcel)
	eventually(a.t, "the order is read again and sent", func(context.Context) (bool, error) {
		return a.demo.SevenShifts().Counters().Creates == before+1, nil
	})
	a.aside(0)
	a.quiet()
}

func (a *acts) discard() {
	a.demo.Tills().PutRaw(a.connection().Location.Serial, "77002", json.RawMessage(`{"id":"77002"}`))
	number := a.aside(1)[0].Number
	a.verb("quarantine", "discard", marcel, jsonNumber(number))
	a.aside(0)
	for range 2 { // it stays aside though the till still gives it
		said, err := a.demo.Verb(a.t.Context(), "sync", "now", marcel)
		require.NoError(a.t, err, said)
	}
	a.aside(0)
}

func jsonNumber(n int64) string {
	text, _ := json.Marshal(n)
	return string(text)
}

func (a *acts) businessNow() time.Time {
	return a.connection().Watermark
}

// history: who did what, when, from what to what, and why, as sentences; of
// one business day only that day's.
func (a *acts) history() {
	whole, err := a.demo.Verb(a.t.Context(), "history", marcel)
	require.NoError(a.t, err)
	today, err := a.demo.Verb(a.t.Context(), "history", marcel, "--day", "2026-11-04")
	require.NoError(a.t, err)
	a.t.Log(whole)
	const why = `, as a correction: end to end\.`
	for _, sentence := range []string{
		`lea paused it` + why, `lea resumed it from paused to healthy` + why,
		`lea set the receipt date from opened to closed` + why,
		`lea asked to send 2026-11-03 again: \d+ documents` + why,
		`lea released the document CL-104233-\S+ \(quarantine \d+\)` + why,
		`lea released the order CL-104233-` + badOrder + ` \(quarantine \d+\)` + why,
		`lea put aside for good the order CL-104233-77002 \(quarantine \d+\)` + why,
	} {
		line := regexp.MustCompile(`(?m)^2026-11-04 \d\d:\d\d  ` + sentence + `$`)
		require.Regexp(a.t, line, whole)
		require.Regexp(a.t, line, today)
	}
	require.Regexp(a.t, `(?m)^2026-11-03 \d\d:\d\d  demo connected it\.$`, whole)
	require.NotContains(a.t, today, "connected it")
	require.NotRegexp(a.t, `did: |%!|\.\.$`, whole, "a sentence for every act")
}

// everyActIsVisible: each act is a run in the Web UI, found by its connection,
// with what was asked as its summary and what was done as its result.
func (a *acts) everyActIsVisible() {
	var kinds []string
	for _, run := range closedRuns(a.t, a.demo, "Connection = '"+marcel+"' AND WorkflowType IN ('ChangeConnection', 'Resend', 'ReleaseQuarantine')") {
		kinds = append(kinds, run.GetType().GetName())
		described, err := a.demo.Temporal().WorkflowService().DescribeWorkflowExecution(a.t.Context(), &workflowservice.DescribeWorkflowExecutionRequest{
			Namespace: "default", Execution: run.GetExecution(),
		})
		require.NoError(a.t, err)
		require.NotEmpty(a.t, described.GetExecutionConfig().GetUserMetadata().GetSummary().GetData())
		var result work.ActResult
		require.NoError(a.t, a.demo.Temporal().GetWorkflow(a.t.Context(), run.GetExecution().GetWorkflowId(), "").Get(a.t.Context(), &result))
		require.NotEmpty(a.t, result.Summary)
	}
	slices.Sort(kinds)
	require.Equal(a.t, []string{work.ChangeConnection, work.ReleaseQuarantine, work.Resend}, slices.Compact(kinds))
}
