package sevenshiftssim

import (
	"cmp"
	"embed"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/clustersystems/clusterbridge/internal/simulator/kit"
)

const (
	// frontDays is how many days a location shows on the front page.
	frontDays = 14
	// maxRows bounds the receipts that one page shows; no day comes near it.
	maxRows = 2000
)

//go:embed pages.html people.html
var pagesHTML embed.FS

var pages = template.Must(template.New("pages").Funcs(template.FuncMap{"money": money, "style": kit.Style}).ParseFS(pagesHTML, "*.html"))

// money prints cents with a thousands separator, such as 1,234.50.
func money(cents int64) string {
	sign := ""
	if cents < 0 {
		sign, cents = "-", -cents
	}
	whole := strconv.FormatInt(cents/100, 10)
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return sign + whole + "." + strconv.FormatInt(cents%100+100, 10)[1:]
}

// totals are sums over receipts: those of voided and deleted ones are zero
// sales by 7shifts' rule, and are only counted.
type totals struct {
	Receipts, Open, Voided int
	Net, Tips, Gratuity    int64
}

func (t *totals) add(f fields) {
	t.Receipts++
	switch *f.Status {
	case "open":
		t.Open++
	case "voided", "deleted":
		t.Voided++
		return
	}
	t.Net += *f.Net
	card, gratuity := f.tipsByType()
	t.Tips, t.Gratuity = t.Tips+card, t.Gratuity+gratuity
}

func (f *fields) tipsByType() (card, gratuity int64) {
	for _, t := range or(f.TipDetails, nil) {
		switch t.Type {
		case "total":
			card += t.Value
		case "gratuity":
			gratuity += t.Value
		}
	}
	return card, gratuity
}

type dayView struct {
	totals
	Date, Weekday, Pretty string
	Location              int64
	Share                 int // percent of the best day shown
}

type locationView struct {
	totals
	ID                  int64
	Name, City, Company string
	Timezone            string
	Days                []dayView // newest first
	More                int       // days that are not shown
}

type rowView struct {
	ID, Time, Status, Employee, Changed string
	Net, Discounts, Tips, Gratuity      int64
}

type pageView struct {
	Title, Now string
	Pending    int
	Broken     []Violation
	Locations  []locationView
	Location   locationView
	Day        dayView
	Rows       []rowView
	Cut        int
	People     []personView
	Externals  []externalView
	Punches    []punchView
	Pools      []poolView
	Loose      []looseView
}

func (s *Sim) serveLocations(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	v := s.page("Sales")
	for _, l := range s.sortedLocations() {
		view := s.locationView(l)
		if len(view.Days) > frontDays {
			view.More, view.Days = len(view.Days)-frontDays, view.Days[:frontDays]
		}
		v.Locations = append(v.Locations, view)
	}
	s.mu.Unlock()
	render(w, "locations", v)
}

func (s *Sim) serveDays(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	l, ok := s.locationOf(r)
	v := s.page(l.Name)
	v.Location = s.locationView(l)
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	render(w, "days", v)
}

func (s *Sim) serveReceipts(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	l, v, ok := s.dayPage(r)
	var held []*receipt
	for _, r := range s.store.order {
		if r.Location == l.ID && workday(r.date(), l.zone) == v.Day.Date {
			held = append(held, r)
			v.Day.add(r.Fields)
		}
	}
	slices.SortStableFunc(held, func(a, b *receipt) int { return a.date().Compare(b.date()) })
	for _, r := range held[:min(len(held), maxRows)] {
		v.Rows = append(v.Rows, newRow(r, l.zone))
	}
	v.Cut = len(held) - len(v.Rows)
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	render(w, "receipts", v)
}

// page is what all pages show. The caller holds s.mu.
func (s *Sim) page(title string) pageView {
	return pageView{
		Title: title, Now: s.clock.Now().UTC().Format("Mon 2 Jan 2006, 15:04 UTC"),
		Pending: len(s.store.pending), Broken: append([]Violation{}, s.broken...),
	}
}

func (s *Sim) locationOf(r *http.Request) (location, bool) {
	id, _ := strconv.ParseInt(r.PathValue("location"), 10, 64)
	l, ok := s.locations[id]
	if !ok {
		l.zone = time.UTC
	}
	return l, ok
}

func (s *Sim) locationView(l location) locationView {
	v := locationView{ID: l.ID, Name: l.Name, City: l.City, Timezone: l.Timezone, Company: s.companies[l.CompanyID].Name}
	days := map[string]*dayView{}
	for _, r := range s.store.order {
		if r.Location != l.ID {
			continue
		}
		date := workday(r.date(), l.zone)
		if days[date] == nil {
			day := newDay(date, l.ID)
			days[date] = &day
		}
		days[date].add(r.Fields)
		v.add(r.Fields)
	}
	best := int64(1)
	for _, d := range days {
		best = max(best, d.Net)
	}
	for _, d := range slices.SortedFunc(maps.Values(days), func(a, b *dayView) int { return cmp.Compare(b.Date, a.Date) }) {
		d.Share = int(max(0, d.Net) * 100 / best)
		v.Days = append(v.Days, *d)
	}
	return v
}

func newDay(date string, location int64) dayView {
	t, _ := time.Parse(time.DateOnly, date)
	return dayView{Date: date, Weekday: t.Format("Mon"), Pretty: t.Format("2 Jan 2006"), Location: location}
}

func newRow(r *receipt, zone *time.Location) rowView {
	v := rowView{
		ID: r.ID, Time: r.date().In(zone).Format("15:04 MST"), Status: *r.Fields.Status,
		Employee: or(r.Fields.Employee, ""), Changed: r.Modified.In(zone).Format("2 Jan 15:04"),
		Net: *r.Fields.Net, Discounts: or(r.Fields.Discounts, 0),
	}
	v.Tips, v.Gratuity = r.Fields.tipsByType()
	return v
}

func render(w http.ResponseWriter, name string, v pageView) {
	kit.Show(w, pages, name, http.StatusOK, v)
}
