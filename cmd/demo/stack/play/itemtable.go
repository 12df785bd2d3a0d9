package play

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
)

// printItems writes the table of WISK's sites: live days and days with a
// difference one row each, the rest of the history one row per site.
func printItems(w io.Writer, results []siteResult) {
	t := table.NewWriter()
	t.SetStyle(plainTable)
	t.AppendHeader(table.Row{"site", "business day", "orders", "lines", "items", "", "quantity", "", "total", "", "difference"},
		table.RowConfig{AutoMerge: true})
	t.AppendHeader(table.Row{"", "", "planned", "WISK", "planned", "WISK", "planned", "WISK", "planned", "WISK", ""})
	t.SetColumnConfigs(rightAligned(3, 11))
	var all itemDay
	for _, r := range results {
		names := []string{r.Site.name(), "modifiers: " + r.Site.Modifiers}
		for i, line := range folded(r.Days) {
			name := ""
			if i < len(names) {
				name = names[i]
			}
			t.AppendRow(itemRow(name, line.label, line.sum))
		}
		for _, d := range r.Days {
			all = all.with(d)
		}
		t.AppendSeparator()
	}
	t.AppendFooter(itemRow("all", "", all))
	fmt.Fprintln(w, t.Render())
	var different []string
	for _, r := range results {
		for _, d := range r.Days {
			for _, one := range d.Wrong {
				different = append(different, fmt.Sprintf("item %s on business day %s at %s: %s", one.ID, d.Day, r.Site.name(), one.Why))
			}
		}
	}
	printDifferent(w, different)
}

func itemRow(name, label string, d itemDay) table.Row {
	return table.Row{
		name, label, d.Orders, d.Lines, d.Plan.Items, d.There.Items, d.Plan.Quantity, d.There.Quantity,
		d.Plan.Total.StringFixed(2), d.There.Total.StringFixed(2), d.difference(),
	}
}

// difference is one word when there is none.
func (d itemDay) difference() string {
	if d.good() {
		return "0"
	}
	items := "1 item"
	if n := len(d.Wrong); n > 1 {
		items = fmt.Sprintf("%d items", n)
	}
	return fmt.Sprintf("%s: %s for %s", items, d.There.Quantity.Sub(d.Plan.Quantity), d.There.Total.Sub(d.Plan.Total).StringFixed(2))
}
