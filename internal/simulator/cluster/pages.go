package clustersim

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
)

// The paths of the pages for people.
const (
	PathIntegrations = "/integrations"
	PathWISKSupport  = "/support/wisk"
)

const (
	// firstRows and maxRows are how many venues WISK's support may name at once.
	firstRows, maxRows = 3, 50
	// maxForm bounds a form: maxRows venues with their names and addresses.
	maxForm = 128 << 10
)

// The partners whose connection is asked for here.
const (
	sevenShifts = "7shifts"
	wisk        = "wisk"
)

//go:embed pages.html
var pagesHTML string

var pages = template.Must(template.New("pages").Parse(pagesHTML))

// grant is what a venue's admin allowed a partner, and how far clusterbridge
// heard of it.
type grant struct {
	Serial    string    `json:"serial"`
	Partner   string    `json:"partner"`
	RequestID string    `json:"requestId"`
	Granted   time.Time `json:"granted"`
	Sent      time.Time `json:"sent,omitzero"`
}

// view is what a page shows.
type view struct {
	W          words
	Lang       string
	Path       string // of this page, for the other language
	Venues     []venueView
	Venue      venueView
	Grant      *grantView
	Keys       []keyView
	Form       Request
	Rows, More int
	Problem    string
	Done       bool
}

type venueView struct{ Serial, TradeName, Address, Language string }

type grantView struct {
	RequestID, Granted string
	Sent               bool
}

type keyView struct{ ID, Partner, Created, LastUsed, Revoked string }

func (s *Sim) pageRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET "+PathIntegrations, s.serveLogin)
	mux.HandleFunc("POST "+PathIntegrations, s.spoilt(s.takeLogin))
	mux.HandleFunc("GET "+PathIntegrations+"/{serial}", s.serveVenue)
	mux.HandleFunc("POST "+PathIntegrations+"/{serial}/"+sevenShifts, s.spoilt(s.takeGrant))
	mux.HandleFunc("GET "+PathWISKSupport, s.serveSupport)
	mux.HandleFunc("POST "+PathWISKSupport, s.spoilt(s.takeSupport))
}

// spoilt lets planned faults happen to a form that is sent, before its effect;
// those that match a Serial match the page's.
func (s *Sim) spoilt(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if fault, faulty := s.faults.next(r.URL.Path, r.PathValue("serial")); faulty && !fault.before(w, r) {
			return
		}
		h(w, r)
	}
}

// newView begins a page in the language of its link, else of the browser.
func newView(r *http.Request) view {
	// Only the first is the default; an unreadable header chooses it too.
	tag, _ := language.MatchStrings(language.NewMatcher([]language.Tag{language.French, language.English}), r.FormValue("lang"), r.Header.Get("Accept-Language"))
	base, _ := tag.Base()
	v := view{Lang: base.String(), Path: r.URL.Path}
	v.W = allWords[v.Lang]
	return v
}

// venue finds a till of today.
func (s *Sim) venue(serial string) (venueView, *time.Location, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.tills[serial]
	if t == nil || !t.known(s.now()) {
		return venueView{}, nil, false
	}
	return venueView{Serial: t.Serial, TradeName: t.TradeName, Address: t.Address, Language: t.Language}, t.zone, true
}

// serveLogin shows whom one can be: logging in is simulated.
func (s *Sim) serveLogin(w http.ResponseWriter, r *http.Request) {
	v := newView(r)
	for _, serial := range s.Serials() {
		if venue, _, ok := s.venue(serial); ok {
			v.Venues = append(v.Venues, venue)
		}
	}
	render(w, http.StatusOK, "login", v)
}

func (s *Sim) takeLogin(w http.ResponseWriter, r *http.Request) {
	serial := r.FormValue("serial")
	if _, _, ok := s.venue(serial); !ok {
		http.NotFound(w, r)
		return
	}
	http.Redirect(w, r, PathIntegrations+"/"+url.PathEscape(serial)+"?lang="+newView(r).Lang, http.StatusSeeOther)
}

func (s *Sim) serveVenue(w http.ResponseWriter, r *http.Request) {
	s.showVenue(w, r, http.StatusOK, "")
}

func (s *Sim) showVenue(w http.ResponseWriter, r *http.Request, status int, problem string) {
	venue, zone, ok := s.venue(r.PathValue("serial"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	v := newView(r)
	v.Venue, v.Problem, v.Path = venue, problem, PathIntegrations+"/"+url.PathEscape(venue.Serial)
	at := func(i wire.Instant) string {
		if i.IsZero() {
			return "\u2013"
		}
		return i.In(zone).Format("2006-01-02 15:04")
	}
	for _, k := range s.office.list(venue.Serial, s.now()) {
		v.Keys = append(v.Keys, keyView{string(k.KeyID), string(k.Partner), at(k.CreatedAt), at(k.LastUsedAt), at(k.RevokedAt)})
	}
	s.office.mu.Lock()
	if g := s.office.grantOf(venue.Serial, sevenShifts); g != nil {
		v.Grant = &grantView{RequestID: g.RequestID, Granted: at(wire.At(g.Granted)), Sent: !g.Sent.IsZero()}
	}
	s.office.mu.Unlock()
	render(w, status, "venue", v)
}

func (f *office) grantOf(serial, partner string) *grant {
	for _, g := range f.held.Grants {
		if g.Serial == serial && g.Partner == partner {
			return g
		}
	}
	return nil
}

// takeGrant grants 7shifts access and enables it, which asks clusterbridge for
// the connection. Sent once more it is the same request.
func (s *Sim) takeGrant(w http.ResponseWriter, r *http.Request) {
	venue, _, ok := s.venue(r.PathValue("serial"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.FormValue("grant") != "yes" {
		s.showVenue(w, r, http.StatusUnprocessableEntity, newView(r).W.GrantFirst)
		return
	}
	s.office.mu.Lock()
	g := s.office.grantOf(venue.Serial, sevenShifts)
	if g == nil {
		g = &grant{Serial: venue.Serial, Partner: sevenShifts, RequestID: random("req-", 8), Granted: s.now()}
		s.office.held.Grants = append(s.office.held.Grants, g)
		s.office.save()
	}
	id := g.RequestID
	s.office.mu.Unlock()

	err := s.send(r.Context(), Request{
		RequestID: id, Partner: sevenShifts, Requester: RequesterVenue,
		Venues: []RequestVenue{{TradeName: venue.TradeName, Address: venue.Address, Language: venue.Language, Serial: venue.Serial}},
	})
	if err != nil {
		s.showVenue(w, r, http.StatusBadGateway, newView(r).W.NotSent+" "+err.Error())
		return
	}
	s.office.mu.Lock()
	g.Sent = s.now()
	s.office.save()
	s.office.mu.Unlock()
	http.Redirect(w, r, PathIntegrations+"/"+url.PathEscape(venue.Serial)+"?lang="+newView(r).Lang, http.StatusSeeOther)
}

// serveSupport shows the form with which WISK's support asks for venues.
func (s *Sim) serveSupport(w http.ResponseWriter, r *http.Request) {
	v := newView(r)
	v.show(Request{RequestID: random("req-", 8)}, rowsOf(r))
	render(w, http.StatusOK, "support", v)
}

func rowsOf(r *http.Request) int {
	rows, err := strconv.Atoi(r.FormValue("rows"))
	if err != nil {
		rows = firstRows
	}
	return min(max(1, rows), maxRows)
}

// show puts a request into the form, with empty rows after its venues.
func (v *view) show(q Request, rows int) {
	v.Rows = min(max(rows, len(q.Venues)), maxRows)
	v.More = min(v.Rows+5, maxRows)
	for len(q.Venues) < v.Rows {
		q.Venues = append(q.Venues, RequestVenue{Language: "fr"})
	}
	v.Form = q
}

// takeSupport sends the request of WISK's support. The form holds the request's
// id, so that sent once more it is the same request.
func (s *Sim) takeSupport(w http.ResponseWriter, r *http.Request) {
	v := newView(r)
	q := Request{RequestID: r.PostForm.Get("requestId"), Partner: wisk, Requester: RequesterPartner}
	names, addresses, languages := r.PostForm["tradeName"], r.PostForm["address"], r.PostForm["language"]
	if !requestPattern.MatchString(q.RequestID) || len(names) != len(addresses) || len(names) != len(languages) || len(names) > maxRows {
		http.Error(w, "not this form", http.StatusBadRequest)
		return
	}
	for i := range names {
		venue := RequestVenue{TradeName: strings.TrimSpace(names[i]), Address: strings.TrimSpace(addresses[i]), Language: languages[i]}
		if venue.TradeName == "" && venue.Address == "" {
			continue
		}
		if venue.TradeName == "" || venue.Address == "" || (venue.Language != "fr" && venue.Language != "en") {
			v.Problem = v.W.Incomplete
		}
		q.Venues = append(q.Venues, venue)
	}
	status := http.StatusOK
	switch {
	case len(q.Venues) == 0:
		v.Problem = v.W.Incomplete
		fallthrough
	case v.Problem != "":
		status = http.StatusUnprocessableEntity
	default:
		if err := s.send(r.Context(), q); err != nil {
			v.Problem, status = v.W.NotSent+" "+err.Error(), http.StatusBadGateway
		}
	}
	v.Done = v.Problem == ""
	v.show(q, rowsOf(r))
	render(w, status, "support", v)
}

func render(w http.ResponseWriter, status int, name string, v view) {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, v); err != nil {
		http.Error(w, "the page could not be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", v.Lang)
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // the browser may be gone
}
