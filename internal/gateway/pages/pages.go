// Package pages are the few web pages that people outside the team touch:
// venue managers, a partner's support and, for one of them, operators. They are
// made on the server, without any script, in French and English. Each is opened
// by a signed link; a page asks the Desk what to show and tells it what was
// answered, and keeps nothing itself.
package pages

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/mail"
	"net/url"
	"time"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/gateway/pace"
	"github.com/clustersystems/clusterbridge/internal/link"
)

// Options say who serves pages and for whom. All are needed.
type Options struct {
	Desk   Desk
	Signer *link.Signer
	// Clock is business time, in which links expire.
	Clock clock.Clock
	// Log gets a line for each failure of ours, without what anybody typed.
	Log *slog.Logger
	// PublicURL is where people reach the gateway, such as
	// "https://bridge.example.com": https, or http on this machine, without a path.
	PublicURL string
	// House is who we are, and Support whom people write to, as in the mails.
	House, Support string
}

const (
	// deskWithin bounds what a page waits for the desk: pasting a token makes it
	// ask 7shifts, which may take several seconds.
	deskWithin = 20 * time.Second
	// maxForm bounds a form: a token and a few words.
	maxForm = 16 << 10
	// maxPeople bounds the form of employees: some 80 bytes each, of a thousand.
	maxPeople = 128 << 10
)

// The paces of one link, whoever holds it. Whoever is over gets a page that says
// so (429).
var (
	// openPace: a person reloads now and then; a mail scanner opens a few times.
	openPace = pace.Pace{PerSecond: 1, Burst: 60}
	// sendPace: a contact may answer for 50 venues, one by one.
	sendPace = pace.Pace{PerSecond: 0.5, Burst: 30}
)

// Pages serves the pages. It is safe for use by many goroutines.
type Pages struct {
	o      Options
	origin string
	secure bool
	words  *wording
	opened *pace.Limits[string]
	sent   *pace.Limits[string]
	routes []Route
	served map[string]bool // patterns
}

// Route is a pattern of http.ServeMux and what serves it.
type Route struct {
	Pattern string
	Serve   http.HandlerFunc
}

// New makes the pages; an error says which option is missing or makes no sense.
func New(o Options) (*Pages, error) {
	if o.Desk == nil || o.Signer == nil || o.Clock == nil || o.Log == nil || o.House == "" {
		return nil, errors.New("pages: Desk, Signer, Clock, Log and House are needed")
	}
	if _, err := mail.ParseAddress(o.Support); err != nil {
		return nil, errors.New("pages: the support's address is no mail address")
	}
	public, err := publicURL(o.PublicURL)
	if err != nil {
		return nil, err
	}
	p := &Pages{
		o: o, origin: public.Scheme + "://" + public.Host, secure: public.Scheme == "https",
		opened: pace.New[string](openPace), sent: pace.New[string](sendPace), served: map[string]bool{},
	}
	if p.words, err = theWording(); err != nil {
		return nil, err
	}
	for purpose, f := range faces {
		p.add(purpose, f)
	}
	return p, nil
}

var errPublicURL = errors.New("pages: the public URL is https://<host>, or http:// on this machine, without a path")

func publicURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return nil, errPublicURL
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()) {
		return u, nil
	}
	return nil, errPublicURL
}

// face is a page: how it is shown, and how it takes its forms, where it has any.
type face struct {
	show, take func(*visit) error
	// most bytes of a form.
	most int64
}

// faces are all pages.
var faces = map[link.Purpose]face{
	link.Confirm: {showConfirm, takeConfirm, maxForm},
	link.Token:   {showToken, takeToken, maxForm},
	link.Contact: {showContact, takeContact, maxForm},
	link.Reveal:  {showReveal, takeReveal, maxForm},
	link.Status:  {show: showStatus},
	link.People:  {showPeople, takePeople, maxPeople},
}

// add mounts a page. Any other method gets a page too, which says so.
func (p *Pages) add(purpose link.Purpose, f face) {
	path := link.Path(purpose, "{token}")
	allowed := "GET, HEAD"
	p.route("GET "+path, func(v *visit) error { return v.get(purpose, f) })
	if f.take != nil {
		allowed += ", POST"
		p.route("POST "+path, func(v *visit) error { return v.post(purpose, f) })
	}
	p.route(path, func(v *visit) error {
		v.w.Header().Set("Allow", allowed)
		return refusedMethod
	})
}

func (p *Pages) route(pattern string, serve func(*visit) error) {
	p.served[pattern] = true
	p.routes = append(p.routes, Route{pattern, func(w http.ResponseWriter, r *http.Request) {
		v := p.visit(w, r)
		if err := serve(v); err != nil {
			v.refuse(err)
		}
	}})
}

// Routes are what to mount, on a mux that sets the gateway's strict headers.
func (p *Pages) Routes() []Route { return p.routes }

// Serves tells whether a request went to one of the pages, once it was routed.
func (p *Pages) Serves(r *http.Request) bool { return p.served[r.Pattern] }

// TooMany answers a request of a remote that sent too many.
func (p *Pages) TooMany(w http.ResponseWriter, r *http.Request) { p.visit(w, r).refuse(refusedTooMany) }

// Failed answers a request that met a fault of ours.
func (p *Pages) Failed(w http.ResponseWriter, r *http.Request) { p.visit(w, r).refuse(refusedFailed) }
