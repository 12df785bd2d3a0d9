package play

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/clustersystems/clusterbridge/internal/items"
	"github.com/clustersystems/clusterbridge/internal/simulator/traffic"
)

// reached is one minimum and what was counted.
type reached struct {
	What       string
	Want, Have int
}

func (r reached) good() bool { return r.Have >= r.Want }

// counted takes the minimums from what was read back: an order counts only if
// 7shifts holds it as planned.
func counted(m Minimum, results []venueResult) []reached {
	zones, marks := map[string]bool{}, map[traffic.Mark]int{}
	venues, orders := 0, 0
	for _, r := range results {
		orders += r.Equal
		if r.Equal > 0 {
			venues++
			zones[r.Venue.Zone] = true
		}
		for mark, n := range r.Marks {
			marks[mark] += n
		}
	}
	list := []reached{{"venues", m.Venues, venues}, {"time zones", m.Zones, len(zones)}, {"orders", m.Orders, orders},
		{"edited late", m.LateEdits, marks[traffic.LateEdit]}}
	for _, kind := range []struct {
		what string
		mark traffic.Mark
	}{
		{"voided", traffic.Void}, {"refunded", traffic.Refund}, {"split off", traffic.Split}, {"merged", traffic.Merge}, {"transferred", traffic.Transfer},
	} {
		list = append(list, reached{kind.what, m.OfEach, marks[kind.mark]})
	}
	return list
}

// countedItems does the same for WISK: an order counts only if WISK counts each
// item of its business day as planned. Orders of all venues are added up.
func countedItems(m WiskMinimum, venues []venueResult, sites []siteResult, findings int) []reached {
	var orders, corrected, meanwhile, anew, months int
	modes := map[string]int{}
	for _, v := range venues {
		orders += v.Equal
	}
	for i, s := range sites {
		orders, corrected, meanwhile, anew = orders+s.Orders, corrected+s.Corrected, meanwhile+s.Meanwhile, anew+s.Anew
		modes[s.Site.Modifiers] += s.Orders
		if i == 0 || s.Months < months {
			months = s.Months
		}
	}
	list := []reached{{"orders in all", m.AllOrders, orders}}
	for _, mode := range items.Modes {
		list = append(list, reached{mode, m.OrdersPerMode, modes[mode]})
	}
	return append(list, reached{"months", m.Months, months}, reached{"corrected late", m.Corrected, corrected},
		reached{"while coming in", m.Meanwhile, meanwhile}, reached{"sent anew", m.Anew, anew}, reached{"findings", m.Findings, findings})
}

func printCounted(w io.Writer, list []reached) {
	t := table.NewWriter()
	t.SetStyle(plainTable)
	head, want, have := table.Row{"read back as planned"}, table.Row{"at least"}, table.Row{"counted"}
	for _, r := range list {
		head, want = append(head, r.What), append(want, r.Want)
		shown := fmt.Sprint(r.Have)
		if !r.good() {
			shown += " TOO FEW"
		}
		have = append(have, shown)
	}
	t.AppendHeader(head)
	t.AppendRows([]table.Row{want, have})
	t.SetColumnConfigs(rightAligned(2, len(head)))
	fmt.Fprintln(w, t.Render())
}
