package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/export"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

type exportVerb struct {
	HourlySales exportHourlySalesVerb `cmd:"" help:"Net sales and receipts of every business-day hour."`
	Receipts    exportReceiptsVerb    `cmd:"" help:"Single receipts, as 7shifts would get them."`
}

// exportFlags are what both exports take.
type exportFlags struct {
	Location    string `arg:"" help:"The location's id (a connection is understood too)."`
	From        string `help:"First business day, YYYY-MM-DD." required:"" placeholder:"DAY"`
	To          string `help:"Last business day, YYYY-MM-DD (default: the first)." placeholder:"DAY"`
	Out         string `help:"File to write, whole or not at all; without it the table goes to standard output." type:"path" placeholder:"FILE"`
	ReceiptDate string `help:"Date sales by when the order was opened or closed (default: as the connection does; opened without one)." enum:"opened,closed," default:"" placeholder:"WHEN"`
	Force       bool   `help:"Export also days that 7shifts gets from us, or that were exported in the other way; imported, they count twice."`
	act
}

func (exportFlags) needs() []string {
	return []string{"DATABASE_URL", "CLUSTERBRIDGE_KEYSET", "CLUSTERBRIDGE_CLUSTER_URL"}
}

type exportHourlySalesVerb struct{ exportFlags }

// Run exports hourly sales.
func (v *exportHourlySalesVerb) Run(ctx context.Context, d *desk) error {
	columns, err := export.HourColumns(d.settings.ExportHourColumns)
	if err != nil {
		return wrongTemplate("CLUSTERBRIDGE_EXPORT_HOUR_COLUMNS", err)
	}
	return v.run(ctx, d, export.HourlySales, func(w io.Writer, f export.Format, t export.Tables) error {
		return export.Write(w, columns, f, t.Hours)
	})
}

type exportReceiptsVerb struct {
	exportFlags
	Voided bool `help:"Also those that were voided, merged or refunded in full, with amounts of zero."`
}

// Run exports receipts.
func (v *exportReceiptsVerb) Run(ctx context.Context, d *desk) error {
	columns, err := export.ReceiptColumns(d.settings.ExportReceiptColumns)
	if err != nil {
		return wrongTemplate("CLUSTERBRIDGE_EXPORT_RECEIPT_COLUMNS", err)
	}
	return v.run(ctx, d, export.Receipts, func(w io.Writer, f export.Format, t export.Tables) error {
		rows := t.Standing()
		if v.Voided {
			rows = t.Receipts
		}
		return export.Write(w, columns, f, rows)
	})
}

func wrongTemplate(variable string, err error) error {
	return usage(sentence(variable+": "+err.Error()), "clusterbridge settings")
}

// layOut writes the table of one kind.
type layOut func(io.Writer, export.Format, export.Tables) error

// exporter is one run of an export.
type exporter struct {
	*desk
	kind     export.Kind
	force    bool
	actor    ledger.Actor
	location ledger.Location
	zone     *time.Location
	// connection is the location's to 7shifts; nil where there is none.
	connection *ledger.Connection
	by         sale.ReceiptDate
	asked      export.Range
	exportDays
}

// run exports: it decides which days, reads them from the till, writes the
// export down and only then hands the table over, so that there is never a file
// that the journal does not know.
func (v *exportFlags) run(ctx context.Context, d *desk, kind export.Kind, lay layOut) error {
	x, err := v.begin(ctx, d, kind)
	if err != nil {
		return err
	}
	for _, note := range x.notes() {
		x.tell("%s", note)
	}
	if err := x.refuseMixed(ctx); err != nil {
		return err
	}
	format, err := d.settings.exportFormat()
	if err != nil {
		return wrongTemplate("The format of exports", err)
	}
	out, err := openOut(v.Out)
	if err != nil {
		return err
	}
	defer out.drop()
	tables, err := x.read(ctx)
	if err != nil {
		return err
	}
	var table bytes.Buffer
	if err := lay(&table, format, tables); err != nil {
		return failed(err, "send this line to the developers", "The table could not be written.")
	}
	if err := x.record(ctx); err != nil {
		return err
	}
	if err := out.handOver(d.out, table.Bytes()); err != nil {
		return err
	}
	return x.conclude(out, tables)
}

// begin finds what an export is of, and which days it may have.
func (v *exportFlags) begin(ctx context.Context, d *desk, kind export.Kind) (*exporter, error) {
	x := &exporter{desk: d, kind: kind, force: v.Force, by: sale.ReceiptDate(v.ReceiptDate)}
	var err error
	if x.actor, err = d.actor(v.act); err != nil {
		return nil, err
	}
	if x.asked.First, x.asked.Last, err = dayRange(v.From, v.To); err != nil {
		return nil, err
	}
	if n := x.asked.Days(); n > maxExportDays {
		return nil, usage(fmt.Sprintf("%s are %d days; at most %d are exported at once.", x.asked, n, maxExportDays), "several exports of fewer days")
	}
	store, err := d.ledger(ctx)
	if err != nil {
		return nil, err
	}
	id := locationOf(v.Location)
	if x.location, err = store.Location(ctx, id); err != nil {
		return nil, about(err, id)
	}
	if x.zone, err = loadZone(x.location.Zone); err != nil {
		return nil, err
	}
	if err := x.connected(ctx); err != nil {
		return nil, err
	}
	x.exportDays = divide(x.asked, sale.DayOf(d.clock().Now(), x.zone), x.connection, x.force)
	if x.days.Empty() {
		return nil, x.nothing()
	}
	return x, nil
}

// maxExportDays bounds one export: more than a year of receipts is more than
// forecasts need, and than a spreadsheet is pleasant with.
const maxExportDays = 400

// connected finds the location's connection to 7shifts, and by what receipts
// are dated: as the connection does, so that no sale is in the file and comes
// from us as well.
func (x *exporter) connected(ctx context.Context) error {
	c, err := x.store.Connection(ctx, work.ConnectionID(work.SevenShifts, x.location.ID))
	if e, ok := errors.AsType[*work.Error](err); ok && e.Code == work.UnknownConnection {
		if x.by == "" {
			x.by = sale.ByOpened
		}
		return nil
	}
	if err != nil {
		return about(err, x.location.ID)
	}
	if x.by != "" && x.by != c.Settings.ReceiptDate {
		return usage(fmt.Sprintf("%s dates receipts by when the order was %s; sales at the edge of a day would be missing or count twice.", c.ID, c.Settings.ReceiptDate),
			"the same command without --receipt-date")
	}
	x.connection, x.by = &c, c.Settings.ReceiptDate
	return nil
}

// record writes the export down, unless the days were exported in the other way
// meanwhile.
func (x *exporter) record(ctx context.Context) error {
	clashing, err := x.store.RecordExport(ctx, ledger.Export{
		Location: x.location.ID, What: string(x.kind), From: x.days.First, To: x.days.Last, Forced: x.force,
	}, x.actor)
	if err != nil {
		return about(err, x.location.ID)
	}
	if len(clashing) > 0 && !x.force {
		return x.mixed(clashing)
	}
	return nil
}

// conclude says what the file holds. Records that are missing from it are a
// failure, though everything else is there.
func (x *exporter) conclude(out *outFile, t export.Tables) error {
	say := x.tell
	if out.temp != nil {
		say = x.say
	}
	say("Exported: %s of %s, %s.%s", kindWords(string(x.kind)), x.days, plural(len(t.Standing()), "receipt"), out.where())
	if t.Unclosed > 0 {
		x.tell("Left out: %s not closed yet, since receipts are dated by closing.", plural(t.Unclosed, "order"))
	}
	if len(t.Bad) == 0 {
		return nil
	}
	lines := make([]string, len(t.Bad))
	for i, bad := range t.Bad {
		lines[i] = "  " + bad.ID + ": " + bad.Why
	}
	return failed(nil, "have them mended at the till, then the same command again", "%s missing from the table:\n%s",
		are(len(t.Bad), "order"), strings.Join(lines, "\n"))
}

// tell writes to standard error, which a table on standard output leaves to
// people.
func (d *desk) tell(format string, args ...any) { _, _ = fmt.Fprintf(d.err, format+"\n", args...) }
