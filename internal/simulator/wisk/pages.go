package wisksim

import (
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/simulator/kit"
)

const (
	// frontDays is how many days a venue shows on the front page.
	frontDays = 14
	// maxRows bounds the lines that one page shows.
	maxRows = 2000
)

//go:embed pages.html
var pagesHTML string

var pages = template.Must(template.New("pages").Funcs(template.FuncMap{
	"style": kit.Style, "path": url.PathEscape, "ago": ago,
}).Parse(pagesHTML))

// ago is an instant as a page shows it, or nothing.
func ago(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

type venueView struct {
	Venue
	Days                   []dayView // newest first
	More                   int       // days that are not shown
	Lines, Items, ToReview int
	Doubled                []string
}

type dayView struct {
	DaySales
	Weekday, Pretty string
	Doubled         bool
}

type pageView struct {
	Lang, Title, Now string
	Broken           []Violation
	Venues           []venueView
	Venue            venueView
	Day              dayView
	Item             Item
	Items            []Item
	Rows             []rowView
	Cut              int
	Integrations     []Integration
	Form             formView
}

type rowView struct {
	Held
	Time string
}

// page is what all pages show. The caller holds s.mu.
func (s *Sim) page(title string) pageView {
	return pageView{Lang: "en", Title: title, Now: s.clock.Now().UTC().Format("Mon 2 Jan 2006, 15:04 UTC"), Broken: slices.Clone(s.broken)}
}

func newDay(d DaySales) dayView {
	t, _ := time.Parse(time.DateOnly, d.Day)
	return dayView{DaySales: d, Weekday: t.Format("Mon"), Pretty: t.Format("2 Jan 2006"), Doubled: d.doubled()}
}

func (v *venue) view() venueView {
	days := v.sales("", "")
	view := venueView{Venue: v.Venue, Lines: len(v.lines), Items: len(v.items), Doubled: doubled(days)}
	for _, d := range slices.Backward(days) {
		view.Days = append(view.Days, newDay(d))
	}
	for _, item := range v.items {
		view.ToReview += one(item.NeedsReview)
	}
	return view
}

// onVenue shows a page of the venue in the path.
func (s *Sim) onVenue(w http.ResponseWriter, r *http.Request, name string, fill func(*venue, *pageView) bool) {
	s.mu.Lock()
	v, err := s.venue(r.PathValue("venue"))
	ok := err == nil
	var p pageView
	if ok {
		p = s.page(v.Name)
		p.Venue = venueView{Venue: v.Venue}
		ok = fill(v, &p)
	}
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	kit.Show(w, pages, name, http.StatusOK, p)
}

func (s *Sim) pageVenues(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	p := s.page("Sales")
	for _, v := range s.sortedVenues() {
		view := v.view()
		if len(view.Days) > frontDays {
			view.More, view.Days = len(view.Days)-frontDays, view.Days[:frontDays]
		}
		p.Venues = append(p.Venues, view)
	}
	s.mu.Unlock()
	kit.Show(w, pages, "venues", http.StatusOK, p)
}

func (s *Sim) pageDays(w http.ResponseWriter, r *http.Request) {
	s.onVenue(w, r, "days", func(v *venue, p *pageView) bool {
		p.Venue = v.view()
		return true
	})
}

// findDay is the day in the path, empty when nothing was sold on it.
func findDay(v *venue, r *http.Request, p *pageView) bool {
	day := r.PathValue("day")
	if day == "" || checkDays(day) != nil {
		return false
	}
	p.Day = newDay(DaySales{Day: day, Sum: Sum{}.told()})
	for _, d := range v.sales(day, day) {
		p.Day = newDay(d)
	}
	return true
}

func (s *Sim) pageDay(w http.ResponseWriter, r *http.Request) {
	s.onVenue(w, r, "day", func(v *venue, p *pageView) bool { return findDay(v, r, p) })
}

func (s *Sim) pageLines(w http.ResponseWriter, r *http.Request) {
	s.onVenue(w, r, "lines", func(v *venue, p *pageView) bool {
		item := v.items[r.PathValue("plu")]
		if item == nil || !findDay(v, r, p) {
			return false
		}
		p.Item = *item
		for _, held := range v.lines {
			if held.Line.PLU != item.PLU || v.day(held) != p.Day.Day {
				continue
			}
			if len(p.Rows) == maxRows {
				p.Cut++
				continue
			}
			p.Rows = append(p.Rows, rowView{*held, held.content.date.In(v.zone).Format("15:04:05 MST")})
		}
		return true
	})
}

func (s *Sim) pageItems(w http.ResponseWriter, r *http.Request) {
	s.onVenue(w, r, "items", func(v *venue, p *pageView) bool {
		p.Items = v.sortedItems()
		return true
	})
}

func (s *Sim) pageItemAct(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("venue")
	r.Body = http.MaxBytesReader(w, r.Body, kit.MaxSteering)
	act := ItemAct{Venue: id, PLU: r.PostFormValue("plu"), Act: r.PostFormValue("act"), To: r.PostFormValue("to")}
	if err := s.ActOnItem(act); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, "/venues/"+url.PathEscape(id)+"/items", http.StatusSeeOther)
}
