// Package clustersim is a strict stand-in for Cluster's API: a relay in the
// cloud in front of tills, and the back office that activates access and issues
// keys (reference: Cluster section 3, all assumed), with the pages where a venue
// or a partner's support asks clusterbridge for a connection. It refuses
// whatever the contract does not allow, and has a switch for every fault and
// every assumption. What the tills hold is a function of what was put into it
// and of its clock; what the back office holds may be kept in a file.
package clustersim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
)

// The shapes on the wire, by shorter names.
type (
	// Order is one check, as the till writes it.
	Order = wire.Order
	// Line is one item of an order.
	Line = wire.Line
	// Modifier is a choice made with a line.
	Modifier = wire.Modifier
	// Payment is one payment or refund of an order.
	Payment = wire.Payment
	// Totals are an order's amounts in cents.
	Totals = wire.Totals
	// Employee is a person at the till.
	Employee = wire.Employee
	// Menu is what can be ordered.
	Menu = wire.Menu
	// MenuItem is one item of a Menu.
	MenuItem = wire.MenuItem
	// MenuModifier is one modifier of a Menu.
	MenuModifier = wire.MenuModifier
	// MenuCategory is one category of a Menu.
	MenuCategory = wire.MenuCategory
	// Contact is the person on record for a venue.
	Contact = wire.Contact
)

// The server's limits, where Options leaves them zero.
const (
	DefaultPageLimit = 200
	DefaultMaxLimit  = 500
	maxRequest       = 1 << 20 // bytes of a request's body
)

// Options are the simulator's switches. The zero value is a relay that has
// everything that is assumed, and no fault.
type Options struct {
	Clock clock.Clock // business time; nil is the machine's
	// PageLimit is the most orders a page holds, whatever the client asks.
	PageLimit int
	// MaxLimit is the largest limit a client may ask for; more is refused.
	MaxLimit int
	// NoModified refuses the filter dateField modified.
	NoModified bool
	// NoReceivedAt leaves receivedAt out; the modified filter then goes by
	// the till's modifiedAt and misses what a till uploads late.
	NoReceivedAt bool
	// NoAsOf leaves the relay's clock out of every answer.
	NoAsOf bool
	// NoContacts leaves e-mail and phone out of employees.
	NoContacts bool
	// DuplicatePages serves every page twice in a row, under two tokens.
	DuplicatePages bool
	// ClockSkew is by how much the tills' clocks are ahead of the relay's: it
	// shifts posTime and modifiedAt.
	ClockSkew time.Duration

	// OfficeKey opens the back office to clusterbridge; without one nobody gets
	// in.
	OfficeKey string
	// Office are the back office's behaviours at the start; nil means
	// DefaultOfficeSwitches.
	Office *OfficeSwitches
	// StateFile keeps what the back office holds: access, keys, grants and
	// changed contacts; used by Open. Locations are not kept.
	StateFile string
	// Gateway is where the pages send requests for a connection.
	Gateway Gateway
}

// Location is one till installation as Cluster knows it.
type Location struct {
	Serial string
	// Key is one that was issued by hand, before the back office kept records
	// of keys: it is in no list and never revoked. Empty is none.
	Key       string
	TradeName string
	Address   string
	Zone      string // IANA
	Language  string // fr or en
	// Contact is the person on record, nil where there is none.
	Contact *Contact
	// NotActivated: API access with Key was asked for but is not active yet,
	// which takes 24 to 48 hours.
	NotActivated bool
	// From and Until bound the hardware's life, when not zero: outside, the
	// serial number is unknown. Replaced hardware starts order ids afresh.
	From, Until time.Time
	// Outages are planned times without internet, next to SetOffline.
	Outages   []Outage
	Employees []Employee
	Menu      Menu
	// NextMenus replace Menu, each from an instant on, in their order.
	NextMenus []NextMenu
}

// NextMenu is a menu with its first instant.
type NextMenu struct {
	From time.Time
	Menu Menu
}

// menuAt is what can be ordered at an instant.
func (l Location) menuAt(now time.Time) Menu {
	menu := l.Menu
	for _, next := range l.NextMenus {
		if !now.Before(next.From) {
			menu = next.Menu
		}
	}
	return menu
}

// Outage is a time, start included, end excluded, in which the till is
// offline; a zero To has no end yet. What happens meanwhile reaches the relay
// at its end.
type Outage struct{ From, To time.Time }

func (o Outage) holds(t time.Time) bool {
	return !t.Before(o.From) && (o.To.IsZero() || t.Before(o.To))
}

// Received is when the relay learns what happened at the till at an instant;
// never (false) while an outage without an end holds it back.
func (l Location) Received(at time.Time) (time.Time, bool) {
	for i := 0; i < len(l.Outages); i++ {
		o := l.Outages[i]
		if !o.holds(at) {
			continue
		}
		if o.To.IsZero() {
			return time.Time{}, false
		}
		at, i = o.To, -1 // perhaps into the next outage
	}
	return at, true
}

func (l Location) offline(now time.Time) bool {
	return slices.ContainsFunc(l.Outages, func(o Outage) bool { return o.holds(now) })
}

func (l Location) known(now time.Time) bool {
	return !now.Before(l.From) && (l.Until.IsZero() || now.Before(l.Until))
}

// Sim is the simulator, an http.Handler. It is safe for concurrent use.
type Sim struct {
	options Options
	mux     *http.ServeMux
	faults  *Faults
	office  *office // locked after mu

	mu       sync.RWMutex
	tills    map[string]*till // by serial
	requests map[string]int   // by path
}

// till is what one serial number's till has told the relay.
type till struct {
	Location
	zone   *time.Location
	orders map[string]*record
	// index is nil when something changed since it was made.
	index atomic.Pointer[index]
}

// record is one order with all its versions, oldest first.
type record struct {
	id       string
	versions []version
	raw      json.RawMessage // a malformed order, instead of versions
	rawFrom  time.Time
	vanished time.Time
}

// version is an order as it stands at the till from an instant on.
type version struct {
	order Order
	from  time.Time
}

// New makes a simulator without locations that keeps nothing.
func New(o Options) *Sim {
	if o.Clock == nil {
		o.Clock = clock.Real()
	}
	if o.PageLimit <= 0 {
		o.PageLimit = DefaultPageLimit
	}
	if o.MaxLimit <= 0 {
		o.MaxLimit = DefaultMaxLimit
	}
	s := &Sim{options: o, faults: &Faults{}, office: newOffice(o), tills: map[string]*till{}, requests: map[string]int{}}
	s.mux = s.routes()
	return s
}

// Open makes a simulator that keeps what its back office holds in
// Options.StateFile, and begins with what the file holds.
func Open(o Options) (*Sim, error) {
	s := New(o)
	if err := s.office.open(o.StateFile); err != nil {
		return nil, fmt.Errorf("simulated Cluster: state file: %w", err)
	}
	return s, nil
}

// AddLocation adds a location, or replaces what is known of it but not its
// orders. It panics when the zone is no IANA zone: a simulator's set-up is code.
func (s *Sim) AddLocation(l Location) {
	zone, err := time.LoadLocation(l.Zone)
	if err != nil || l.Zone == "" || l.Serial == "" {
		panic("clustersim: a location needs a serial and an IANA zone: " + l.Serial)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tills[l.Serial]
	if t == nil {
		t = &till{orders: map[string]*record{}}
		s.tills[l.Serial] = t
	}
	l.Outages = slices.Clone(l.Outages)
	t.Location, t.zone = l, zone
	t.index.Store(nil)
}

// Put adds a version of an order that happens at the till now.
func (s *Sim) Put(serial string, o Order) { s.PutAt(serial, o, s.now()) }

// PutAt adds a version of an order that happens at the till at an instant,
// which is also its modifiedAt unless the order states one; the clock skew is
// added. The same instant again replaces the version, so that loading a plan
// twice changes nothing.
func (s *Sim) PutAt(serial string, o Order, visibleFrom time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.record(serial, string(o.ID))
	r.raw = nil
	if o.ModifiedAt.IsZero() {
		o.ModifiedAt = wire.At(visibleFrom)
	}
	i, found := slices.BinarySearchFunc(r.versions, visibleFrom, func(v version, at time.Time) int { return v.from.Compare(at) })
	if found {
		r.versions[i].order = o
		return
	}
	r.versions = slices.Insert(r.versions, i, version{o, visibleFrom})
}

// PutRaw puts a malformed order in the place of an id, from now on; it is in
// every query whose range holds this instant. It must be some JSON: a page of
// no JSON at all is a Fault.
func (s *Sim) PutRaw(serial, id string, raw json.RawMessage) {
	if !json.Valid(raw) {
		panic("clustersim: a raw order must be JSON")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.record(serial, id)
	r.versions, r.raw, r.rawFrom = nil, slices.Clone(raw), s.now()
}

// Vanish deletes an order without a trace at an instant, as tills do.
func (s *Sim) Vanish(serial, orderID string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record(serial, orderID).vanished = at
}

// Faults are the faults to come.
func (s *Sim) Faults() *Faults { return s.faults }

// Serials lists the serial numbers, sorted.
func (s *Sim) Serials() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.tills))
}

// ServeHTTP implements http.Handler.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Sim) now() time.Time { return s.options.Clock.Now() }

func (s *Sim) till(serial string) *till {
	t := s.tills[serial]
	if t == nil {
		panic("clustersim: no location with serial " + serial)
	}
	return t
}

func (s *Sim) record(serial, id string) *record {
	t := s.till(serial)
	t.index.Store(nil) // whoever asks for a record changes it
	r := t.orders[id]
	if r == nil {
		r = &record{id: id}
		t.orders[id] = r
	}
	return r
}

// sorted lists the tills by serial.
func (s *Sim) sorted() []*till {
	list := slices.Collect(maps.Values(s.tills))
	slices.SortFunc(list, func(a, b *till) int { return strings.Compare(a.Serial, b.Serial) })
	return list
}

func (s *Sim) count(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[path]++
}
