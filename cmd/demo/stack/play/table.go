package play

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// dayTheClocksWentBack has 25 hours; it and the day before are always shown.
var dayTheClocksWentBack = sale.NewDay(2026, 11, 1)

// namedAtMost bounds how many wrong receipts or items are named one by one.
const namedAtMost = 20

// printComparison writes the table: live days and days with a difference one
// row each, the rest of the history one row per venue.
func printComparison(w io.Writer, results []venueResult) {
	t := table.NewWriter()
	t.SetStyle(plainTable)
	t.AppendHeader(table.Row{"venue", "business day", "receipts", "", "net sales", "", "tips", "", "gratuities", "", "difference"},
		table.RowConfig{AutoMerge: true})
	t.AppendHeader(table.Row{"", "", "planned", "7shifts", "planned", "7shifts", "planned", "7shifts", "planned", "7shifts", ""})
	t.SetColumnConfigs(rightAligned(3, 11))
	var all dayResult
	for _, r := range results {
		name := r.Venue.TradeName
		for _, line := range folded(r.Days) {
			t.AppendRow(row(name, line.label, line.sum))
			name = ""
		}
		for _, d := range r.Days {
			all = all.with(d)
		}
		t.AppendSeparator()
	}
	t.AppendFooter(row("all", "", all))
	fmt.Fprintln(w, t.Render())
	printWrong(w, results)
}

// foldable is a business day's result of either comparison.
type foldable[D any] interface {
	day() sale.Day
	good() bool
	with(D) D
}

// line is a row: one business day, or the sum of several.
type line[D any] struct {
	label string
	sum   D
}

// folded are the rows of one venue, the history's sum first.
func folded[D foldable[D]](all []D) []line[D] {
	var rest D
	var first sale.Day
	var shown []line[D]
	days := 0
	for _, d := range all {
		if d.good() && d.day().Before(firstLive) && !aroundTheChange(d.day()) {
			if first.IsZero() {
				first = d.day()
			}
			days, rest = days+1, rest.with(d)
			continue
		}
		shown = append(shown, line[D]{label(d.day()), d})
	}
	if days == 0 {
		return shown
	}
	return append([]line[D]{{fmt.Sprintf("%s, %d days", first, days), rest}}, shown...)
}

func label(day sale.Day) string {
	switch {
	case day == dayTheClocksWentBack.Plus(-1):
		return day.String() + " (25 hours)"
	case !day.Before(firstLive):
		return day.String() + " live"
	}
	return day.String()
}

// aroundTheChange tells the two business days that touch the night on which
// the clocks go back: 05:00 of 31 October to 05:00 of 1 November has 25 hours.
func aroundTheChange(day sale.Day) bool {
	return day == dayTheClocksWentBack || day == dayTheClocksWentBack.Plus(-1)
}

func (d dayResult) with(o dayResult) dayResult {
	return dayResult{Plan: d.Plan.and(o.Plan), There: d.There.and(o.There), Wrong: append(slices.Clip(d.Wrong), o.Wrong...)}
}

func row(venue, label string, d dayResult) table.Row {
	return table.Row{venue, label,
		d.Plan.Receipts, d.There.Receipts, money(d.Plan.Net), money(d.There.Net),
		money(d.Plan.Tips), money(d.There.Tips), money(d.Plan.Gratuity), money(d.There.Gratuity), d.difference()}
}

// difference is one word when there is none.
func (d dayResult) difference() string {
	diff := d.There.minus(d.Plan)
	if diff == (amounts{}) {
		if len(d.Wrong) > 0 {
			return fmt.Sprintf("%d receipts differ", len(d.Wrong))
		}
		return "0"
	}
	said := ""
	for _, part := range []struct{ name, value string }{
		{"receipts", strconv.FormatInt(diff.Receipts, 10)}, {"net", money(diff.Net)}, {"tips", money(diff.Tips)}, {"gratuities", money(diff.Gratuity)},
	} {
		if part.value != "0" && part.value != "0.00" {
			said += part.name + " " + part.value + "  "
		}
	}
	return said[:len(said)-2]
}

func printWrong(w io.Writer, results []venueResult) {
	var all []string
	for _, r := range results {
		for _, d := range r.Days {
			for _, one := range d.Wrong {
				all = append(all, fmt.Sprintf("receipt %s of %s, business day %s, %s", one.ID, r.Venue.TradeName, d.Day, one.Why))
			}
		}
	}
	printDifferent(w, all)
}

// printDifferent names what differs, but not without end.
func printDifferent(w io.Writer, all []string) {
	for _, one := range all[:min(namedAtMost, len(all))] {
		fmt.Fprintln(w, "DIFFERENT:", one)
	}
	if more := len(all) - namedAtMost; more > 0 {
		fmt.Fprintf(w, "... and %d more\n", more)
	}
}

func money(cents int64) string { return sale.Cents(cents).String() }

func rightAligned(from, to int) []table.ColumnConfig {
	var columns []table.ColumnConfig
	for n := from; n <= to; n++ {
		columns = append(columns, table.ColumnConfig{Number: n, Align: text.AlignRight, AlignHeader: text.AlignRight, AlignFooter: text.AlignRight})
	}
	return columns
}

// plainTable is readable on any terminal and in a log.
var plainTable = func() table.Style {
	style := table.StyleDefault
	style.Format.Header, style.Format.Footer = text.FormatDefault, text.FormatDefault
	style.Box = table.BoxStyle{
		MiddleHorizontal: "-", MiddleSeparator: "-", LeftSeparator: "-", RightSeparator: "-",
		MiddleVertical: " ", PaddingLeft: "", PaddingRight: "",
		TopLeft: "-", TopRight: "-", TopSeparator: "-", BottomLeft: "-", BottomRight: "-", BottomSeparator: "-",
	}
	style.Options.DrawBorder, style.Options.SeparateColumns = false, true
	return style
}()
