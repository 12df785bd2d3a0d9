package sevenshiftssim

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

type personView struct {
	ID                                         int64
	Name, Type, Roles, External, Email, Mobile string
	Active                                     bool
}

// externalView is an external id that is mapped, ignored, or named by receipts.
type externalView struct {
	ID, State, Person string
	Receipts          int
}

type punchView struct {
	ID                    int64
	Person, Role, In, Out string
	Hours                 string
	Tips                  int64
	Approved, Deleted     bool
}

type poolView struct {
	Name  string
	Lines []poolLineView
}

type poolLineView struct {
	Person, Role, Hours                    string
	Unassigned                             bool
	Net, Card, Gratuity, Declared, In, Out int64
}

type looseView struct {
	Time, ID, External, Why string
	Net, Card, Gratuity     int64
}

// servePeople shows the people of a location and who is mapped to whom.
func (s *Sim) servePeople(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	l, ok := s.locationOf(r)
	v := s.page(l.Name)
	v.Location = locationView{ID: l.ID, Name: l.Name, Timezone: l.Timezone}
	external := map[int64][]string{}
	for _, m := range s.mappingsOf(func(m mapping) bool { return m.Key.Location == l.ID }) {
		external[m.UserID] = append(external[m.UserID], m.Key.External)
	}
	for _, u := range sortedBy(s.staff.users, func(u User) bool { return slices.Contains(u.Locations, l.ID) }, func(u User) int64 { return u.ID }) {
		var roles []string
		for _, id := range u.Roles {
			roles = append(roles, s.staff.roles[id].Name)
		}
		v.People = append(v.People, personView{
			ID: u.ID, Name: u.name(), Type: u.Type, Roles: strings.Join(roles, ", "), External: strings.Join(external[u.ID], ", "),
			Email: u.Email, Mobile: u.MobileNumber, Active: !u.Inactive,
		})
	}
	slices.SortStableFunc(v.People, func(a, b personView) int { return cmp.Compare(a.Name, b.Name) })
	v.Externals = s.externals(l)
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	render(w, "people", v)
}

// externals lists the external ids of a location, by id. The caller holds s.mu.
func (s *Sim) externals(l location) []externalView {
	views := map[string]*externalView{}
	at := func(id string) *externalView {
		if views[id] == nil {
			views[id] = &externalView{ID: id, State: "unmapped"}
		}
		return views[id]
	}
	for k := range s.staff.ignored {
		if k.Location == l.ID {
			at(k.External).State = "ignored"
		}
	}
	for k, m := range s.staff.mappings {
		if k.Location == l.ID {
			view := at(k.External)
			view.State, view.Person = "mapped", s.staff.users[m.UserID].name()
			if s.staff.users[m.UserID].Inactive {
				view.State = "mapped, inactive"
			}
		}
	}
	for _, r := range s.store.order {
		if id := or(r.Fields.Employee, ""); r.Location == l.ID && id != "" {
			at(id).Receipts++
		}
	}
	all := []externalView{}
	for _, id := range slices.Sorted(maps.Keys(views)) {
		all = append(all, *views[id])
	}
	return all
}

// dayPage begins the page of a location's day. The caller holds s.mu.
func (s *Sim) dayPage(r *http.Request) (location, pageView, bool) {
	day, err := time.Parse(time.DateOnly, r.PathValue("day"))
	l, ok := s.locationOf(r)
	v := s.page(l.Name)
	v.Location = locationView{ID: l.ID, Name: l.Name, City: l.City, Timezone: l.Timezone}
	v.Day = newDay(day.Format(time.DateOnly), l.ID)
	return l, v, ok && err == nil
}

// servePunches shows the punches of a location's workday.
func (s *Sim) servePunches(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	l, v, ok := s.dayPage(r)
	for _, p := range sortedBy(s.staff.punches, func(p Punch) bool {
		return p.LocationID == l.ID && workday(p.In, l.zone) == v.Day.Date
	}, func(p Punch) int64 { return p.ID }) {
		view := punchView{
			ID: p.ID, Person: s.staff.users[p.UserID].name(), Role: s.staff.roles[p.RoleID].Name, In: p.In.In(l.zone).Format("15:04 MST"),
			Hours: hours(p.worked()), Tips: p.Tips, Approved: p.Approved, Deleted: p.Deleted,
		}
		if !p.Out.IsZero() {
			view.Out = p.Out.In(l.zone).Format("15:04 MST")
		}
		v.Punches = append(v.Punches, view)
	}
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	render(w, "punches", v)
}

// serveTips shows the pools of a location's workday, and which receipts are
// nobody's.
func (s *Sim) serveTips(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	l, v, ok := s.dayPage(r)
	rows := s.poolRows(l, v.Day.Date, v.Day.Date)
	for _, pool := range s.sortedPools(func(p TipPool) bool { return p.LocationID == l.ID && !p.Disabled }) {
		view := poolView{Name: pool.Name}
		day := s.poolDay(pool, l, v.Day.Date, rows)
		for _, line := range day.assigned {
			view.Lines = append(view.Lines, s.lineView(line, false))
		}
		for _, line := range day.unassigned {
			view.Lines = append(view.Lines, s.lineView(line, true))
		}
		v.Pools = append(v.Pools, view)
	}
	for _, row := range rows {
		if row.Why != "" {
			v.Loose = append(v.Loose, looseView{
				Time: row.At.In(l.zone).Format("15:04 MST"), ID: row.Receipt, External: row.External, Why: row.Why,
				Net: row.Net, Card: row.Card, Gratuity: row.Gratuity,
			})
		}
	}
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	render(w, "tips", v)
}

func (s *Sim) lineView(line poolLine, unassigned bool) poolLineView {
	return poolLineView{
		Person: s.staff.users[line.punch.UserID].name(), Role: s.staff.roles[line.punch.RoleID].Name, Hours: hours(line.hours), Unassigned: unassigned,
		Net: line.net, Card: line.card, Gratuity: line.gratuity, Declared: line.declared, In: line.tipIn, Out: line.tipOut,
	}
}

func hours(d time.Duration) string { return fmt.Sprintf("%.2f", d.Hours()) }
