package program

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/export"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

// exportDays is what becomes of the days that were asked for.
type exportDays struct {
	days       export.Range // exported
	delivered  export.Range // 7shifts has or gets them from us: left out unless forced
	unfinished export.Range // not over yet: always left out
}

// divide decides about days. A connection delivers its first business day and
// all that follow, also while it is stopped: going on, it fills the gap.
func divide(asked export.Range, today sale.Day, c *ledger.Connection, force bool) exportDays {
	none := export.Range{First: today, Last: today.Plus(-1)}
	over, unfinished := asked.Cut(today)
	d := exportDays{days: over, delivered: none, unfinished: unfinished}
	if c == nil {
		return d
	}
	if d.days, d.delivered = over.Cut(c.HistoryFrom); force {
		d.days = over
	}
	return d
}

// notes are what a person should know before the days are read.
func (x *exporter) notes() []string {
	var notes []string
	switch {
	case x.delivered.Empty():
	case x.force:
		notes = append(notes, fmt.Sprintf("Warning: 7shifts has or gets %s from %s. Imported by hand as well, these days count twice.", x.delivered, x.connection.ID))
	default:
		notes = append(notes, fmt.Sprintf("Left out: %s, which 7shifts has or gets from %s.", x.delivered, x.connection.ID))
	}
	if !x.unfinished.Empty() {
		notes = append(notes, fmt.Sprintf("Left out: %s, not over yet; a business day ends at 05:00.", x.unfinished))
	}
	if first := x.historyFrom(x.zone); x.connection == nil && !x.days.Empty() && !x.days.Last.Before(first) {
		notes = append(notes, fmt.Sprintf("Note: connecting %s to 7shifts brings in the days from %s on by itself. Those imported by hand would then count twice: see to it that they are removed in 7shifts before.", x.location.ID, first))
	}
	return notes
}

// historyFrom is the first business day that a connection made now would bring
// in.
func (d *desk) historyFrom(zone *time.Location) sale.Day {
	rules := partner.Rules{HistoryDays: d.settings.SevenShiftsHistoryDays}
	return rules.FirstDay(sale.DayOf(d.clock().Now(), zone))
}

// warnOfExports says which days that a new connection brings in were given to a
// manager before, who may have imported them by hand.
func (d *desk) warnOfExports(ctx context.Context, l ledger.Location) error {
	zone := zoneOf(l)
	before, err := d.store.Exports(ctx, l.ID, d.historyFrom(zone), sale.DayOf(d.clock().Now(), zone))
	if err != nil {
		return about(err, l.ID)
	}
	for _, e := range before {
		d.say("Warning: the %s. The connection brings such days in as well: what was imported of them by hand has to be removed in 7shifts, or it counts twice.", tellExport(e, zone))
	}
	return nil
}

// nothing says why no day is left.
func (x *exporter) nothing() error {
	next := "give days that are over"
	if !x.delivered.Empty() {
		next = "the same command with --force, if these days are to be imported all the same"
	}
	return failed(nil, next, "Nothing was exported.\n%s", strings.Join(x.notes(), "\n"))
}

// refuseMixed looks before the till is read whether the days were exported in
// the other way, which is refused, or in the same, which is only said.
func (x *exporter) refuseMixed(ctx context.Context) error {
	before, err := x.store.Exports(ctx, x.location.ID, x.days.First, x.days.Last)
	if err != nil {
		return about(err, x.location.ID)
	}
	var clashing []ledger.Export
	for _, e := range before {
		if e.What == string(x.kind) {
			x.tell("Note: the %s. Import each day once.", tellExport(e, x.zone))
			continue
		}
		clashing = append(clashing, e)
	}
	switch {
	case len(clashing) == 0:
		return nil
	case x.force:
		x.tell("Warning: %s", x.doubling(clashing))
		return nil
	default:
		return x.mixed(clashing)
	}
}

func (x *exporter) mixed(clashing []ledger.Export) error {
	return failed(nil, "the same command with --force, if those files were never imported", "Nothing was exported: %s", x.doubling(clashing))
}

// doubling says what was exported in the other way.
func (x *exporter) doubling(clashing []ledger.Export) string {
	stories := make([]string, len(clashing))
	for i, e := range clashing {
		stories[i] = tellExport(e, x.zone)
	}
	return fmt.Sprintf("the %s. Hourly sales and receipts of the same days, both imported, count twice.", strings.Join(stories, "; the "))
}

// tellExport tells an export that was made before.
func tellExport(e ledger.Export, zone *time.Location) string {
	days := export.Range{First: e.From, Last: e.To}
	return fmt.Sprintf("%s of %s were exported by %s on %s", kindWords(e.What), days, e.Who, at(e.At, zone))
}

func kindWords(kind string) string { return strings.ReplaceAll(kind, "-", " ") }
