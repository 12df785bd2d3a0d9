package sevenshiftssim

import (
	"reflect"
	"slices"
	"strings"
	"time"
)

// User is a person of a company (reference: 7shifts 6). The JSON is that of the
// state file.
type User struct {
	ID                 int64     `json:"id"` // 0 in AddUser: the next free one
	CompanyID          int64     `json:"company_id"`
	FirstName          string    `json:"first_name"`
	LastName           string    `json:"last_name"`
	PreferredFirstName string    `json:"preferred_first_name,omitempty"`
	PreferredLastName  string    `json:"preferred_last_name,omitempty"`
	Email              string    `json:"email,omitempty"`
	MobileNumber       string    `json:"mobile_number,omitempty"` // as typed
	Type               string    `json:"type"`                    // employee, asst_manager, manager or employer
	EmployeeID         string    `json:"employee_id,omitempty"`   // the payroll's
	HireDate           string    `json:"hire_date,omitempty"`     // YYYY-MM-DD
	Inactive           bool      `json:"inactive,omitempty"`
	Locations          []int64   `json:"locations"`
	Departments        []int64   `json:"departments,omitempty"`
	Roles              []int64   `json:"roles,omitempty"`
	Created            time.Time `json:"created"`
	Modified           time.Time `json:"modified"`
}

func (u User) name() string { return strings.TrimSpace(u.FirstName + " " + u.LastName) }

// Role is a role of a location.
type Role struct {
	ID           int64     `json:"id"`
	CompanyID    int64     `json:"company_id"`
	LocationID   int64     `json:"location_id"`
	DepartmentID int64     `json:"department_id,omitempty"`
	Name         string    `json:"name"`
	JobCode      string    `json:"job_code,omitempty"`
	Tipped       bool      `json:"tipped,omitempty"`
	Created      time.Time `json:"created"`
	Modified     time.Time `json:"modified"`
}

// Department is a department of a location.
type Department struct {
	ID         int64     `json:"id"`
	CompanyID  int64     `json:"company_id"`
	LocationID int64     `json:"location_id"`
	Name       string    `json:"name"`
	Default    bool      `json:"default,omitempty"`
	Created    time.Time `json:"created"`
	Modified   time.Time `json:"modified"`
}

// Punch is a time punch. Instants are cut to the second, as people punch.
type Punch struct {
	ID           int64     `json:"id"`
	UserID       int64     `json:"user_id"`
	RoleID       int64     `json:"role_id,omitempty"` // 0: no role (assumed: reference 7shifts 6)
	LocationID   int64     `json:"location_id"`
	DepartmentID int64     `json:"department_id,omitempty"`
	In           time.Time `json:"in"`
	Out          time.Time `json:"out,omitzero"` // zero: not clocked out yet
	Breaks       []Break   `json:"breaks,omitempty"`
	Tips         int64     `json:"tips,omitempty"` // declared, in cents
	Approved     bool      `json:"approved,omitempty"`
	Deleted      bool      `json:"deleted,omitempty"`
	Created      time.Time `json:"created"`
	Modified     time.Time `json:"modified"`
}

// Break is a break within a punch; Out is zero while it lasts.
type Break struct {
	ID   int64     `json:"id"`
	In   time.Time `json:"in"`
	Out  time.Time `json:"out,omitzero"`
	Paid bool      `json:"paid,omitempty"`
}

// staff is what is held of people; Sim.mu guards it.
type staff struct {
	users       map[int64]User
	roles       map[int64]Role
	departments map[int64]Department
	punches     map[int64]Punch
	mappings    map[mappingKey]mapping
	ignored     map[mappingKey]bool
	pools       map[string]TipPool
	last        int64 // the highest id
}

func newStaff() staff {
	return staff{
		users: map[int64]User{}, roles: map[int64]Role{}, departments: map[int64]Department{}, punches: map[int64]Punch{},
		mappings: map[mappingKey]mapping{}, ignored: map[mappingKey]bool{}, pools: map[string]TipPool{},
	}
}

// id is the given one, or the next free one.
func (st *staff) id(given int64) int64 {
	if given == 0 {
		given = st.last + 1
	}
	st.last = max(st.last, given)
	return given
}

// dated is when a record was made and changed, for one that changes now.
func (s *Sim) dated(created time.Time) (first, last time.Time) {
	now := s.clock.Now().UTC()
	if created.IsZero() {
		created = now
	}
	return created, now
}

// AddUser adds a user, or replaces the one with the same id, and returns the
// id. Replacing is also how 7shifts' managers edit a profile.
func (s *Sim) AddUser(u User) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	u.ID = s.staff.id(u.ID)
	if u.Type == "" {
		u.Type = "employee"
	}
	held := s.staff.users[u.ID]
	u.Created, u.Modified = held.Created, held.Modified
	if !reflect.DeepEqual(u, held) {
		u.Created, u.Modified = s.dated(held.Created)
		s.do(event{User: &u})
	}
	return u.ID
}

// AddRole adds or replaces a role and returns its id.
func (s *Sim) AddRole(r Role) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.ID = s.staff.id(r.ID)
	held := s.staff.roles[r.ID]
	r.Created, r.Modified = held.Created, held.Modified
	if r != held {
		r.Created, r.Modified = s.dated(held.Created)
		s.do(event{Role: &r})
	}
	return r.ID
}

// AddDepartment adds or replaces a department and returns its id.
func (s *Sim) AddDepartment(d Department) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.ID = s.staff.id(d.ID)
	held := s.staff.departments[d.ID]
	d.Created, d.Modified = held.Created, held.Modified
	if d != held {
		d.Created, d.Modified = s.dated(held.Created)
		s.do(event{Department: &d})
	}
	return d.ID
}

// AddPunch adds a punch, or replaces the one with the same id, and returns the
// id. Replacing is also how a punch is closed, edited, approved and deleted.
func (s *Sim) AddPunch(p Punch) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.ID = s.staff.id(p.ID)
	p.In, p.Out = cut(p.In), cut(p.Out)
	p.Breaks = slices.Clone(p.Breaks)
	for i := range p.Breaks {
		b := &p.Breaks[i]
		b.ID, b.In, b.Out = s.staff.id(b.ID), cut(b.In), cut(b.Out)
	}
	held := s.staff.punches[p.ID]
	p.Created, p.Modified = held.Created, held.Modified
	if !reflect.DeepEqual(p, held) {
		p.Created, p.Modified = s.dated(held.Created)
		s.do(event{Punch: &p})
	}
	return p.ID
}

// cut is an instant in UTC to the second.
func cut(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Second)
}

// Users lists a location's users, active or not, by id.
func (s *Sim) Users(location int64) []User {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sortedBy(s.staff.users, func(u User) bool { return slices.Contains(u.Locations, location) }, func(u User) int64 { return u.ID })
}

// Punches lists a location's punches, deleted ones included, by id.
func (s *Sim) Punches(location int64) []Punch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sortedBy(s.staff.punches, func(p Punch) bool { return p.LocationID == location }, func(p Punch) int64 { return p.ID })
}

// Deactivate makes a user inactive. The user's mappings go, and with them all
// tip reports, past ones too (complaint 16); see also DeactivationKeepsMapping.
// It reports whether there was such an active user.
func (s *Sim) Deactivate(user int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.staff.users[user]
	if !ok || u.Inactive {
		return false
	}
	u.Inactive, u.Modified = true, s.clock.Now().UTC()
	s.do(event{User: &u})
	if s.switches.DeactivationKeepsMapping {
		return true
	}
	for _, m := range s.mappingsOf(func(m mapping) bool { return m.UserID == user }) {
		s.do(event{Unmapped: &m.Key})
	}
	return true
}

// Reactivate makes a user active again. Mappings do not come back by
// themselves (complaint 18).
func (s *Sim) Reactivate(user int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.staff.users[user]
	if !ok || !u.Inactive {
		return false
	}
	u.Inactive, u.Modified = false, s.clock.Now().UTC()
	s.do(event{User: &u})
	return true
}

// do gives an event about people its effect and keeps it. The caller holds
// s.mu.
func (s *Sim) do(e event) {
	s.redo(e)
	s.journal.Append(e)
}

// redoPeople brings back the effect of an event about people.
func (s *Sim) redoPeople(e event) {
	st := &s.staff
	switch {
	case e.User != nil:
		st.users[st.id(e.User.ID)] = *e.User
	case e.Role != nil:
		st.roles[st.id(e.Role.ID)] = *e.Role
	case e.Department != nil:
		st.departments[st.id(e.Department.ID)] = *e.Department
	case e.Punch != nil:
		for _, b := range e.Punch.Breaks {
			st.id(b.ID)
		}
		st.punches[st.id(e.Punch.ID)] = *e.Punch
	case e.Mapped != nil:
		st.id(e.Mapped.ID)
		st.mappings[e.Mapped.Key] = *e.Mapped
		delete(st.ignored, e.Mapped.Key)
	case e.Unmapped != nil:
		delete(st.mappings, *e.Unmapped)
		delete(st.ignored, *e.Unmapped)
	case e.Ignored != nil:
		delete(st.mappings, *e.Ignored)
		st.ignored[*e.Ignored] = true
	case e.Pool != nil:
		st.pools[e.Pool.UUID] = *e.Pool
	}
}
