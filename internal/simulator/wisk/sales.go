package wisksim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/clustersystems/clusterbridge/internal/partner/wisk/wire"
	"github.com/clustersystems/clusterbridge/internal/simulator/kit"
)

// Sum is a sum over lines, exact: Quantity without needless zeros, Total with
// two decimals (more only where a line's total has more).
type Sum struct {
	Lines    int          `json:"lines"`
	Quantity wire.Decimal `json:"quantity"`
	Total    wire.Decimal `json:"total"`

	quantity, total decimal.Decimal
}

func (s *Sum) add(c content) {
	s.Lines++
	s.quantity, s.total = s.quantity.Add(c.quantity), s.total.Add(c.total)
}

// told is the sum as it is shown.
func (s Sum) told() Sum {
	return Sum{Lines: s.Lines, Quantity: exact(s.quantity), Total: money(s.total)}
}

func exact(d decimal.Decimal) wire.Decimal { return wire.Decimal(d.String()) }

func money(d decimal.Decimal) wire.Decimal {
	if d.Equal(d.Round(wire.TotalDigits)) {
		return wire.Decimal(d.StringFixed(wire.TotalDigits))
	}
	return exact(d)
}

// DaySales is one business day of a venue.
type DaySales struct {
	Day string `json:"day"` // YYYY-MM-DD
	// Sum is over the items that are not archived, which are Items, by code.
	Sum
	Items []ItemSales `json:"items"`
	// Hidden are archived items, in no total.
	Hidden []ItemSales `json:"hidden"`
	// Sources tell where the day's lines came from, archived items' included.
	// More than one means, unless a venue has several POS, that all of it is
	// held more than once.
	Sources []SourceSales `json:"sources"`
}

// ItemSales is one POS item in a day; Title is the last seen.
type ItemSales struct {
	PLU   string `json:"plu_number"`
	Title string `json:"title"`
	Sum
}

// SourceSales is one source in a day: upload, or an integration.
type SourceSales struct {
	Source string `json:"source"`
	Sum
}

// doubled tells whether a day was uploaded and also read.
func (d DaySales) doubled() bool {
	uploaded := slices.ContainsFunc(d.Sources, func(s SourceSales) bool { return s.Source == SourceUpload })
	return uploaded && len(d.Sources) > 1
}

// Sales are a venue's sums per business day (05:00 to 05:00 in its zone) from
// one day to another, both included and YYYY-MM-DD; empty is no bound. Days
// without lines are left out.
func (s *Sim) Sales(venueID, from, to string) ([]DaySales, error) {
	if err := checkDays(from, to); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.venue(venueID)
	if err != nil {
		return nil, err
	}
	return v.sales(from, to), nil
}

// Doubled are a venue's days that were uploaded and also read by an
// integration: everything is there twice.
func (s *Sim) Doubled(venueID string) ([]string, error) {
	days, err := s.Sales(venueID, "", "")
	return doubled(days), err
}

func doubled(days []DaySales) []string {
	list := []string{}
	for _, d := range days {
		if d.doubled() {
			list = append(list, d.Day)
		}
	}
	return list
}

// Lines are a venue's lines in the order in which they came; an empty day or
// code is all of them.
func (s *Sim) Lines(venueID, day, plu string) ([]Held, error) {
	if err := checkDays(day); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.venue(venueID)
	if err != nil {
		return nil, err
	}
	found := []Held{}
	for _, held := range v.lines {
		if (plu == "" || held.Line.PLU == plu) && (day == "" || v.day(held) == day) {
			found = append(found, *held)
		}
	}
	return found, nil
}

func checkDays(days ...string) error {
	for _, day := range days {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			return fmt.Errorf("business day %q: want YYYY-MM-DD", day)
		}
	}
	return nil
}

func (v *venue) day(held *Held) string { return kit.Workday(held.content.date, v.zone) }

// tally collects the sums of one day.
type tally struct {
	sum            Sum
	items, sources map[string]*Sum
}

func (v *venue) sales(from, to string) []DaySales {
	days := map[string]*tally{}
	for _, held := range v.lines {
		day := v.day(held)
		if (from != "" && day < from) || (to != "" && day > to) {
			continue
		}
		t := days[day]
		if t == nil {
			t = &tally{items: map[string]*Sum{}, sources: map[string]*Sum{}}
			days[day] = t
		}
		count(t.items, held.Line.PLU, held.content)
		count(t.sources, held.Source, held.content)
		if !v.items[held.Line.PLU].Archived {
			t.sum.add(held.content)
		}
	}
	list := []DaySales{}
	for _, day := range slices.Sorted(maps.Keys(days)) {
		list = append(list, v.daySales(day, days[day]))
	}
	return list
}

func count(sums map[string]*Sum, key string, c content) {
	if sums[key] == nil {
		sums[key] = &Sum{}
	}
	sums[key].add(c)
}

func (v *venue) daySales(day string, t *tally) DaySales {
	d := DaySales{Day: day, Sum: t.sum.told(), Items: []ItemSales{}, Hidden: []ItemSales{}, Sources: []SourceSales{}}
	for _, plu := range slices.Sorted(maps.Keys(t.items)) {
		item := ItemSales{PLU: plu, Title: v.items[plu].Title, Sum: t.items[plu].told()}
		if v.items[plu].Archived {
			d.Hidden = append(d.Hidden, item)
		} else {
			d.Items = append(d.Items, item)
		}
	}
	for _, source := range slices.SortedFunc(maps.Keys(t.sources), func(a, b string) int { return strings.Compare(b, a) }) { // upload first
		d.Sources = append(d.Sources, SourceSales{Source: source, Sum: t.sources[source].told()})
	}
	return d
}
