package program

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/export"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
)

// ring rings an order in at a till, opened at an instant with its offset and
// closed an hour later.
func (s *stage) ring(serial, id, opened string, net int64, change ...func(*clustersim.Order)) {
	s.t.Helper()
	at, err := time.Parse(time.RFC3339, opened)
	require.NoError(s.t, err)
	o := clustersim.Order{
		ID: wire.Text(id), Number: wire.Text(id), Status: wire.StatusClosed, EmployeeID: "e7",
		OpenedAt: wire.At(at), ClosedAt: wire.At(at.Add(time.Hour)),
		Totals: clustersim.Totals{Gross: net, Net: net},
	}
	for _, f := range change {
		f(&o)
	}
	s.tills.PutAt(serial, o, at.Add(time.Hour))
}

// The night to 1 November 2026 has 25 hours in Montreal: what was sold in the
// hour that came twice stands under its own offset.
func TestExportOfANightOf25Hours(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	s.ring("CL-1", "noon", "2026-10-31T12:30:00-04:00", 1000)
	s.ring("CL-1", "first", "2026-11-01T01:30:00-04:00", 200)
	s.ring("CL-1", "again", "2026-11-01T01:30:00-05:00", 35)
	s.ring("CL-1", "last", "2026-11-01T04:59:00-05:00", 4)
	s.ring("CL-1", "next", "2026-11-01T05:00:00-05:00", 999)
	s.ring("CL-1", "void", "2026-10-31T12:40:00-04:00", 777, func(o *clustersim.Order) { o.Status = wire.StatusVoided })

	r := s.run("", "export", "hourly-sales", "chez-marcel", "--from", "2026-10-31")
	require.Equal(t, ExitOK, r.code, r.err)
	golden(t, "hours-25.csv", r.out)
	require.Contains(t, r.err, "2026-10-31 read, 1 of 1 day, 5 orders so far")
	require.Contains(t, r.err, "Exported: hourly sales of 2026-10-31, 4 receipts.")

	r = s.run("", "export", "receipts", "chez-marcel", "--from", "2026-10-31")
	require.Equal(t, ExitFailed, r.code, "the other way was taken for this day")
	r = s.run("", "export", "receipts", "chez-marcel", "--from", "2026-10-31", "--force")
	require.Equal(t, ExitOK, r.code, r.err)
	golden(t, "receipts-25.csv", r.out)
	r = s.run("", "export", "receipts", "chez-marcel", "--from", "2026-10-31", "--force", "--voided")
	require.Equal(t, ExitOK, r.code, r.err)
	golden(t, "receipts-25-voided.csv", r.out)
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	want, err := os.ReadFile(filepath.Join("testdata", "export", name))
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// One way for each business day: the other is refused, or forced with a
// warning, and the journal knows.
func TestExportsAreNeverMixed(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	do := func(kind string, more ...string) ran {
		return s.run("", append([]string{"export", kind, "chez-marcel"}, more...)...)
	}
	r := do("receipts", "--from", "2026-08-01", "--to", "2026-08-03", "--by", "lea", "--reason", "venue_asked")
	require.Equal(t, ExitOK, r.code, r.err)

	r = do("hourly-sales", "--from", "2026-08-03", "--to", "2026-08-04")
	require.Equal(t, ExitFailed, r.code)
	require.Empty(t, r.out)
	require.Contains(t, r.err, "Nothing was exported: the receipts of 2026-08-01 to 2026-08-03 were exported by lea on 2026-11-03 10:00.")
	require.Contains(t, r.err, "both imported, count twice")
	require.Contains(t, r.err, "Next: the same command with --force")
	require.NotContains(t, r.err, "1 of 2 days", "refused before the till is read")

	require.Equal(t, ExitOK, do("hourly-sales", "--from", "2026-08-04").code)
	r = do("receipts", "--from", "2026-08-01")
	require.Equal(t, ExitOK, r.code, r.err)
	require.Contains(t, r.err, "Note: the receipts of 2026-08-01 to 2026-08-03 were exported by lea on 2026-11-03 10:00. Import each day once.")

	r = do("receipts", "--from", "2026-08-03", "--to", "2026-08-04", "--force")
	require.Equal(t, ExitOK, r.code, r.err)
	require.Contains(t, r.err, "Warning: the hourly sales of 2026-08-04 were exported by marie")

	r = s.connectMarcel()
	require.NotContains(t, r.out, "Warning", "its history begins later")
	story := s.run("", "history", marcel).out
	for _, sentence := range []string{
		"lea exported the receipts of 2026-08-01 to 2026-08-03, because the venue asked.",
		"marie exported the hourly sales of 2026-08-04.",
		"marie exported the receipts of 2026-08-03 to 2026-08-04, by force.",
	} {
		require.Contains(t, story, sentence)
	}
}

// While a till is read, somebody else may export the same days in the other
// way.
func TestOfTwoExportsAtOnceTheSecondIsRefused(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	settings, err := Load(s.environ)
	require.NoError(t, err)
	d := &desk{settings: settings, out: io.Discard, err: io.Discard, environ: s.environ}
	t.Cleanup(d.close)
	x, err := (&exportFlags{Location: "chez-marcel", From: "2026-08-01", act: act{Reason: "test", Note: unsaid}}).begin(t.Context(), d, export.Receipts)
	require.NoError(t, err)
	require.NoError(t, x.refuseMixed(t.Context()))
	require.Equal(t, ExitOK, s.run("", "export", "hourly-sales", "chez-marcel", "--from", "2026-08-01").code)
	require.ErrorContains(t, x.record(t.Context()), "Nothing was exported: the hourly sales of 2026-08-01 were exported by marie")
}

// Days that 7shifts gets from us are left out, or forced with a warning.
func TestExportLeavesOutWhatIsDelivered(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	s.connectMarcel() // its history begins on 2026-08-05
	s.ring("CL-1", "1", "2026-08-04T12:00:00-04:00", 1000)
	s.ring("CL-1", "2", "2026-08-05T12:00:00-04:00", 2000)
	out := filepath.Join(t.TempDir(), "receipts.csv")
	r := s.run("", "export", "receipts", marcel, "--from", "2026-08-04", "--to", "2026-11-30", "--out", out)
	require.Equal(t, ExitOK, r.code, r.err)
	require.Contains(t, r.err, "Left out: 2026-08-05 to 2026-11-02, which 7shifts has or gets from 7shifts:chez-marcel.")
	require.Contains(t, r.err, "Left out: 2026-11-03 to 2026-11-30, not over yet")
	require.Contains(t, r.out, "Exported: receipts of 2026-08-04, 1 receipt. Written to "+out)
	table := read(t, out)
	require.Contains(t, table, "CL-1-1")
	require.NotContains(t, table, "CL-1-2")

	r = s.run("", "export", "receipts", "chez-marcel", "--from", "2026-08-05", "--out", out)
	require.Equal(t, ExitFailed, r.code)
	require.Contains(t, r.err, "Nothing was exported.\nLeft out: 2026-08-05, which 7shifts has or gets from")
	require.Contains(t, r.err, "Next: the same command with --force")
	require.Equal(t, table, read(t, out), "the file of before stays")
	r = s.run("", "export", "receipts", "chez-marcel", "--from", "2026-11-03", "--force")
	require.Equal(t, ExitFailed, r.code, "a day that is not over is never exported")
	require.Contains(t, r.err, "Next: give days that are over")

	r = s.run("", "export", "receipts", "chez-marcel", "--from", "2026-08-04", "--to", "2026-08-05", "--force")
	require.Equal(t, ExitOK, r.code, r.err)
	require.Contains(t, r.err, "Warning: 7shifts has or gets 2026-08-05 from 7shifts:chez-marcel. Imported by hand as well, these days count twice.")
	require.Contains(t, r.out, "CL-1-2")
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

// What was exported before a location was connected comes in with its history,
// too.
func TestConnectingWarnsOfExports(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	r := s.run("", "export", "hourly-sales", "chez-marcel", "--from", "2026-08-01", "--to", "2026-10-20")
	require.Equal(t, ExitOK, r.code, r.err)
	require.Contains(t, r.err, "Note: connecting chez-marcel to 7shifts brings in the days from 2026-08-05 on by itself.")
	r = s.connectMarcel()
	require.Contains(t, r.out, "Warning: the hourly sales of 2026-08-01 to 2026-10-20 were exported by marie on 2026-11-03 10:00.")
	require.Contains(t, r.out, "has to be removed in 7shifts, or it counts twice")
	require.NotContains(t, s.connectMarcel().out, "Warning", "said once")
}

func TestExportOfDaysWithoutSales(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	r := s.run("", "export", "receipts", "chez-marcel", "--from", "2026-08-01", "--to", "2026-08-02")
	require.Equal(t, ExitOK, r.code, r.err)
	require.Equal(t, "Receipt ID,Business day,Date,Time,UTC offset,Status,Net total,Gross total,Discounts,Card tips,Gratuity,Employee ID\n", r.out)
	require.Contains(t, r.err, "0 receipts.")
	r = s.run("", "export", "hourly-sales", "chez-marcel", "--from", "2026-08-03")
	require.Equal(t, 24, strings.Count(r.out, ",0.00,0\n"), "hours without sales are rows, too")
}

func TestExportRefuses(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	dir := t.TempDir()
	do := func(more ...string) ran { return s.run("", append([]string{"export", "receipts"}, more...)...) }
	for name, c := range map[string]struct {
		r    ran
		code int
		said string
	}{
		"unknown location":    {do("nowhere", "--from", "2026-08-01"), ExitUsage, "there is no location nowhere"},
		"no location":         {do("Chez Marcel", "--from", "2026-08-01"), ExitUsage, "want lower-case letters"},
		"no day":              {do("chez-marcel", "--from", "yesterday"), ExitUsage, "want YYYY-MM-DD"},
		"last before first":   {do("chez-marcel", "--from", "2026-08-02", "--to", "2026-08-01"), ExitUsage, "The last day, 2026-08-01, is before the first"},
		"too many days":       {do("chez-marcel", "--from", "2025-01-01", "--to", "2026-08-01"), ExitUsage, "are 578 days; at most 400"},
		"neither of the two":  {do("chez-marcel", "--from", "2026-08-01", "--receipt-date", "paid"), ExitUsage, "must be one of"},
		"a folder":            {do("chez-marcel", "--from", "2026-08-01", "--out", dir), ExitUsage, "is no file"},
		"a folder that isn't": {do("chez-marcel", "--from", "2026-08-01", "--out", filepath.Join(dir, "none", "x.csv")), ExitFailed, "cannot be written"},
		"handle":              {do("chez-marcel", "--from", "2026-08-01", "--by", "Marie T."), ExitUsage, "no staff handle"},
	} {
		require.Equal(t, c.code, c.r.code, "%s: %s", name, c.r.err)
		require.Contains(t, c.r.err, c.said, name)
		require.Contains(t, c.r.err, "Next: ", name)
		require.Empty(t, c.r.out, name)
	}
	s.connectMarcel()
	r := do("chez-marcel", "--from", "2026-08-01", "--receipt-date", "closed")
	require.Equal(t, ExitUsage, r.code)
	require.Contains(t, r.err, "7shifts:chez-marcel dates receipts by when the order was opened")
	s.tills.SetOffline("CL-1", true)
	r = do("chez-marcel", "--from", "2026-08-01", "--out", filepath.Join(dir, "receipts.csv"))
	require.Equal(t, ExitFailed, r.code)
	require.Contains(t, r.err, "The till is offline")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left, "never half a file, and no rest of one")
	require.NotContains(t, s.run("", "history", marcel).out, "exported", "what failed is in no journal")
}

// Invariant 8: what cannot be read is named, and the rest is there.
func TestExportNamesBadOrders(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	s.ring("CL-1", "good", "2026-11-02T12:00:00-05:00", 1000)
	s.ring("CL-1", "contradicts", "2026-11-02T12:10:00-05:00", 1000, func(o *clustersim.Order) { o.Totals.Net = 1001 })
	s.ring("CL-1", "unclosed", "2026-11-02T12:20:00-05:00", 1000, func(o *clustersim.Order) { o.ClosedAt = wire.Instant{} })
	s.ring("CL-1", "open", "2026-11-02T12:30:00-05:00", 1000, func(o *clustersim.Order) { o.Status, o.ClosedAt = wire.StatusOpen, wire.Instant{} })
	out := filepath.Join(t.TempDir(), "receipts.csv")
	for _, by := range []string{"opened", "closed"} {
		r := s.run("", "export", "receipts", "chez-marcel", "--from", "2026-11-02", "--receipt-date", by, "--out", out)
		require.Equal(t, ExitFailed, r.code)
		require.Contains(t, r.err, "2 orders are missing from the table:\n"+
			"  CL-1-contradicts: its amounts contradict each other or are out of range\n"+
			"  CL-1-unclosed: it is closed but has no closedAt\n")
		require.Contains(t, r.err, "Next: have them mended at the till")
		require.NotContains(t, r.err, "10.0", "no amounts")
		require.Contains(t, read(t, out), "CL-1-good")
		require.NotContains(t, read(t, out), "contradicts")
		require.Equal(t, by == "opened", strings.Contains(read(t, out), "CL-1-open,"), "by closing, nothing is owed of it yet")
		require.Equal(t, by == "closed", strings.Contains(r.err, "Left out: 1 order not closed yet"))
	}
}

// Complaint 6: by closing, a tab counts on the day on which it was paid, also
// when it was opened before the days that are exported.
func TestExportByClosing(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	s.ring("CL-1", "before", "2026-11-01T04:30:00-05:00", 100) // closed at 05:30
	s.ring("CL-1", "after", "2026-11-02T04:30:00-05:00", 200)
	rows := func(by string) string {
		r := s.run("", "export", "receipts", "chez-marcel", "--from", "2026-11-01", "--receipt-date", by)
		require.Equal(t, ExitOK, r.code, r.err)
		return r.out
	}
	require.Contains(t, rows("closed"), "CL-1-before,2026-11-01,2026-11-01,05:30,")
	require.NotContains(t, rows("closed"), "CL-1-after")
	require.Contains(t, rows("opened"), "CL-1-after,2026-11-01,2026-11-02,04:30,")
	require.NotContains(t, rows("opened"), "CL-1-before")
}

// A till of many pages, of which some come twice and some only when asked
// again, is read whole and once.
func TestExportReadsAllPagesOnce(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	s.environ = append(s.environ, "CLUSTERBRIDGE_CLUSTER_PAGE_SIZE=7")
	for i := range 50 {
		s.ring("CL-1", strconv.Itoa(i), "2026-11-02T12:00:00-05:00", 100)
	}
	s.tills.Faults().Add(clustersim.Fault{Path: wire.PathOrders, Times: 1, Status: 500})
	s.tills.Faults().Add(clustersim.Fault{Path: wire.PathOrders, Times: 1, Truncate: true})
	s.tills.Faults().Add(clustersim.Fault{Path: wire.PathOrders, Times: 1, Status: 429})
	r := s.run("", "export", "receipts", "chez-marcel", "--from", "2026-11-02")
	require.Equal(t, ExitOK, r.code, r.err)
	require.Equal(t, 1+50, strings.Count(r.out, "\n"))

	s.tills.Faults().Add(clustersim.Fault{Path: wire.PathOrders, Times: exportTries, Status: 500})
	r = s.run("", "export", "receipts", "chez-marcel", "--from", "2026-11-02")
	require.Equal(t, ExitFailed, r.code)
	require.Contains(t, r.err, "Cluster's API did not answer")
	require.Empty(t, r.out)
	s.tills.Faults().Add(clustersim.Fault{Path: wire.PathOrders, Times: 1, Status: 429, RetryAfter: 600})
	r = s.run("", "export", "receipts", "chez-marcel", "--from", "2026-11-02")
	require.Contains(t, r.err, "Cluster asks us to slow down", "ten minutes are not waited out at a terminal")
}

// Whoever stops an export is told that there is nothing of it.
func TestAnInterruptedExportSaysSo(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	r := tillReader{till: cluster.New(cluster.Config{BaseURL: "http://127.0.0.1:1"}, nil)}
	defer r.till.Close()
	_, err := r.page(ctx, cluster.OrdersQuery{DateField: cluster.Opened})
	require.ErrorContains(t, err, "Interrupted: nothing was exported.")
}

func TestExportSaysThatAReplacedTillIsMissing(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	s.tills.AddLocation(clustersim.Location{Serial: "CL-7", Key: goodKey, TradeName: "Chez Marcel", Zone: "America/Toronto", Language: "fr"})
	require.Equal(t, ExitOK, s.run(goodKey, "location", "credentials", "chez-marcel", "--serial", "CL-7").code)
	s.ring("CL-7", "1", "2026-11-02T12:00:00-05:00", 100)
	r := s.run("", "export", "receipts", "chez-marcel", "--from", "2026-11-02")
	require.Equal(t, ExitOK, r.code, r.err)
	require.Contains(t, r.err, "Warning: the till was replaced; until 2026-11-03 10:00 its serial number was CL-1.")
	require.Contains(t, r.out, "CL-7-1")
}

// The template is a setting, and a wrong one is refused before anything else.
func TestExportTemplateIsASetting(t *testing.T) {
	s := newStage(t)
	s.addMarcel()
	s.ring("CL-1", "1", "2026-11-02T12:05:00-05:00", 1234)
	good := s.environ
	s.environ = append(append([]string{}, good...),
		"CLUSTERBRIDGE_EXPORT_RECEIPT_COLUMNS=date=Jour, time=Heure,net=Ventes nettes",
		"CLUSTERBRIDGE_EXPORT_DATE_FORMAT=DD/MM/YYYY", "CLUSTERBRIDGE_EXPORT_TIME_FORMAT=h:mm AM",
		"CLUSTERBRIDGE_EXPORT_DECIMAL_MARK=comma", "CLUSTERBRIDGE_EXPORT_DELIMITER=semicolon", "CLUSTERBRIDGE_EXPORT_BOM=true")
	r := s.run("", "export", "receipts", "chez-marcel", "--from", "2026-11-02")
	require.Equal(t, ExitOK, r.code, r.err)
	require.Equal(t, "\ufeffJour;Heure;Ventes nettes\n02/11/2026;12:05 PM;12,34\n", r.out)

	s.environ = append(append([]string{}, good...), "CLUSTERBRIDGE_EXPORT_RECEIPT_COLUMNS=net=Net", "CLUSTERBRIDGE_EXPORT_DELIMITER=tab", "CLUSTERBRIDGE_EXPORT_AMOUNTS=cents")
	require.Equal(t, "Net\n1234\n", s.run("", "export", "receipts", "chez-marcel", "--from", "2026-11-02").out)

	s.environ = append(append([]string{}, good...),
		"CLUSTERBRIDGE_EXPORT_HOUR_COLUMNS=date=Date,sales=Sales", "CLUSTERBRIDGE_EXPORT_RECEIPT_COLUMNS=net",
		"CLUSTERBRIDGE_EXPORT_DATE_FORMAT=02/01/2006", "CLUSTERBRIDGE_EXPORT_TIME_FORMAT=HH", "CLUSTERBRIDGE_EXPORT_DELIMITER=pipe")
	r = s.run("", "export", "receipts", "chez-marcel", "--from", "2026-11-02")
	require.Equal(t, ExitUsage, r.code)
	for _, said := range []string{
		`CLUSTERBRIDGE_EXPORT_HOUR_COLUMNS is "sales=Sales"; want field=Header: there is no field "sales"; the fields are business_day, date, hour,`,
		`CLUSTERBRIDGE_EXPORT_RECEIPT_COLUMNS is "net"; want field=Header: the field "net" has no header`,
		`CLUSTERBRIDGE_EXPORT_DATE_FORMAT is "02/01/2006"; want a pattern such as YYYY-MM-DD`,
		`CLUSTERBRIDGE_EXPORT_TIME_FORMAT is "HH"; want a pattern such as HH:mm`,
		`CLUSTERBRIDGE_EXPORT_DELIMITER is "pipe"; want one of comma, semicolon, tab.`,
	} {
		require.Contains(t, r.err, said)
	}

	s.environ = append(append([]string{}, good...), "CLUSTERBRIDGE_EXPORT_RECEIPT_COLUMNS=,")
	r = s.run("", "export", "receipts", "chez-marcel", "--from", "2026-11-02")
	require.Equal(t, ExitUsage, r.code)
	require.Contains(t, r.err, "CLUSTERBRIDGE_EXPORT_RECEIPT_COLUMNS: there are no columns; the fields are receipt_id,")
}

// The settings' own words name every field that there is.
func TestTheTemplatesFieldsAreDocumented(t *testing.T) {
	_, hour := export.HourColumns([]string{"none=None"})
	_, receipt := export.ReceiptColumns([]string{"none=None"})
	for variable, err := range map[string]error{"CLUSTERBRIDGE_EXPORT_HOUR_COLUMNS": hour, "CLUSTERBRIDGE_EXPORT_RECEIPT_COLUMNS": receipt} {
		_, fields, found := strings.Cut(err.Error(), "the fields are ")
		require.True(t, found)
		for _, f := range Describe() {
			if f.Variable == variable {
				for field := range strings.SplitSeq(fields, ", ") {
					require.Contains(t, f.Text, field)
				}
			}
		}
	}
}

// A file keeps its name and, as a link, its place; nothing is left beside it.
func TestExportWritesWholeFiles(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "table.csv"), filepath.Join(dir, "link.csv")
	require.NoError(t, os.WriteFile(target, []byte("old"), 0o600))
	require.NoError(t, os.Symlink(target, link))
	out, err := openOut(link)
	require.NoError(t, err)
	require.Equal(t, "old", read(t, target), "until all is written")
	require.NoError(t, out.handOver(nil, []byte("new")))
	out.drop()
	require.Equal(t, "new", read(t, target))

	given, err := openOut(target)
	require.NoError(t, err)
	given.drop()
	require.Equal(t, "new", read(t, target))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 2)

	_, err = openOut(os.DevNull)
	require.ErrorContains(t, err, "is no file")
	plain, err := openOut("-")
	require.NoError(t, err)
	require.ErrorContains(t, plain.handOver(brokenPipe{}, []byte("x")), "took only a part")
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, os.ErrClosed }
