package sevenshiftssim

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// maxPunchesPage bounds a page of punches, whose limit is not stated (assumed:
// reference 7shifts 2); defaultPunchesPage is (20).
const (
	maxPunchesPage     = 500
	defaultPunchesPage = 20
)

// sortedBy lists the values that fit, by id.
func sortedBy[K comparable, V any](all map[K]V, fits func(V) bool, id func(V) int64) []V {
	found := []V{}
	for _, v := range all {
		if fits(v) {
			found = append(found, v)
		}
	}
	slices.SortFunc(found, func(a, b V) int { return cmp.Compare(id(a), id(b)) })
	return found
}

// paged answers one page of what is sorted by id. The caller holds s.mu.
func paged[V any](s *Sim, p *params, object string, limit int, all []V, id func(V) int64, show func(V) map[string]any) answer {
	after := p.cursor()
	if p.refused != nil {
		return *p.refused
	}
	shown := []map[string]any{}
	var last int64
	for _, v := range all {
		switch {
		case id(v) <= after:
			continue
		case len(shown) == limit:
			return s.listed(object, shown, len(shown), p.query.Get("cursor"), last, true)
		}
		shown, last = append(shown, show(v)), id(v)
	}
	return s.listed(object, shown, len(shown), p.query.Get("cursor"), last, false)
}

// since reads modified_since, which is a plain date on lists of people.
func (p *params) since() time.Time {
	if p.query.Get("modified_since") == "" {
		return time.Time{}
	}
	return p.date("modified_since")
}

// flag reads true, false or null; absent is the default.
func (p *params) flag(name string, otherwise *bool) *bool {
	switch text := p.query.Get(name); text {
	case "":
		return otherwise
	case "null":
		return nil
	case "true", "false":
		yes := text == "true"
		return &yes
	default:
		p.refuse("validation_error", name, "Want true, false or null")
		return nil
	}
}

// is tells whether an optional filter lets a value pass.
func is[T comparable](want *T, v T) bool { return want == nil || *want == v }

// chosen reads an optional id; nil is any.
func (p *params) chosen(name string) *int64 {
	if p.query.Get(name) == "" {
		return nil
	}
	n := p.number(name, 0, 0, 1<<62)
	return &n
}

// listUsers is GET /v2/company/{company}/users: only one of location,
// department and role may be given (reference: 7shifts 6). Without a status
// both are listed (assumed).
func (s *Sim) listUsers(r request) answer {
	p := readParams(r, "location_id", "department_id", "role_id", "status", "modified_since", "cursor", "limit")
	location, department, role := p.chosen("location_id"), p.chosen("department_id"), p.chosen("role_id")
	if (location != nil && (department != nil || role != nil)) || (department != nil && role != nil) {
		p.refuse("validation_error", "location_id", "Cannot be used with department_id or role_id")
	}
	status := p.query.Get("status")
	if status != "" && status != "active" && status != "inactive" {
		p.refuse("validation_error", "status", "Unknown value")
	}
	since, limit := p.since(), int(p.number("limit", defaultPage, 1, maxPage))
	s.mu.Lock()
	defer s.mu.Unlock()
	within := func(want *int64, ids []int64) bool { return want == nil || slices.Contains(ids, *want) }
	users := sortedBy(s.staff.users, func(u User) bool {
		return u.CompanyID == r.company && within(location, u.Locations) && within(department, u.Departments) && within(role, u.Roles) &&
			(status == "" || (status == "inactive") == u.Inactive) && !u.Modified.Before(since)
	}, func(u User) int64 { return u.ID })
	return paged(s, p, "users", limit, users, func(u User) int64 { return u.ID }, s.showUser)
}

// getUser is GET /v2/company/{company}/users/{user}.
func (s *Sim) getUser(r request) answer {
	id, _ := strconv.ParseInt(r.PathValue("user"), 10, 64)
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.staff.users[id]
	if !ok || u.CompanyID != r.company {
		return refuse(http.StatusNotFound, "invalid_id", "", "User not found")
	}
	return answer{status: http.StatusOK, body: map[string]any{"object": "user", "data": s.showUser(u)}}
}

func (s *Sim) showUser(u User) map[string]any {
	return map[string]any{
		"id": u.ID, "identity_id": u.ID + identityID, "company_id": u.CompanyID,
		"first_name": u.FirstName, "last_name": u.LastName, "preferred_first_name": orNull(u.PreferredFirstName), "preferred_last_name": orNull(u.PreferredLastName),
		"pronouns": nil, "email": orNull(u.Email), "mobile_number": orNull(u.MobileNumber), "home_number": nil,
		"active": !u.Inactive, "type": u.Type, "employee_id": orNull(u.EmployeeID), "punch_id": nil, "hire_date": orNull(u.HireDate),
		"invite_status": "accepted", "language": "fr", "hourly_wage": 0, "wage_type": "hourly",
		"created": s.instant(u.Created), "modified": s.instant(u.Modified),
	}
}

// orNull is null for what was not filled in.
func orNull[T comparable](v T) any {
	var none T
	if v == none {
		return nil
	}
	return v
}

// listRoles is GET /v2/company/{company}/roles.
func (s *Sim) listRoles(r request) answer {
	p := readParams(r, "location_id", "department_id", "modified_since", "cursor", "limit")
	location, department, since, limit := p.chosen("location_id"), p.chosen("department_id"), p.since(), int(p.number("limit", defaultPage, 1, maxPage))
	s.mu.Lock()
	defer s.mu.Unlock()
	roles := sortedBy(s.staff.roles, func(o Role) bool {
		return o.CompanyID == r.company && is(location, o.LocationID) && is(department, o.DepartmentID) && !o.Modified.Before(since)
	}, func(o Role) int64 { return o.ID })
	return paged(s, p, "roles", limit, roles, func(o Role) int64 { return o.ID }, func(o Role) map[string]any {
		return map[string]any{
			"id": o.ID, "company_id": o.CompanyID, "location_id": o.LocationID, "department_id": o.DepartmentID, "name": o.Name,
			"job_code": orNull(o.JobCode), "is_tipped_role": o.Tipped, "color": "red", "num_stations": 0, "sort": 0, "stations": []any{},
			"created": s.instant(o.Created), "modified": s.instant(o.Modified),
		}
	})
}

// listDepartments is GET /v2/company/{company}/departments.
func (s *Sim) listDepartments(r request) answer {
	p := readParams(r, "location_id", "modified_since", "cursor", "limit")
	location, since, limit := p.chosen("location_id"), p.since(), int(p.number("limit", defaultPage, 1, maxPage))
	s.mu.Lock()
	defer s.mu.Unlock()
	departments := sortedBy(s.staff.departments, func(d Department) bool {
		return d.CompanyID == r.company && is(location, d.LocationID) && !d.Modified.Before(since)
	}, func(d Department) int64 { return d.ID })
	return paged(s, p, "departments", limit, departments, func(d Department) int64 { return d.ID }, func(d Department) map[string]any {
		return map[string]any{
			"id": d.ID, "company_id": d.CompanyID, "location_id": d.LocationID, "name": d.Name, "default": d.Default, "deleted": false,
			"created": s.instant(d.Created), "modified": s.instant(d.Modified),
		}
	})
}

// punchQuery is what a list of punches may be asked for.
type punchQuery struct {
	location, department, role, user *int64
	approved, deleted                *bool
	since                            time.Time
	bounds                           map[string]time.Time
	localize                         bool
}

func (p *params) punches() punchQuery {
	no := false
	q := punchQuery{
		location: p.chosen("location_id"), department: p.chosen("department_id"), role: p.chosen("role_id"), user: p.chosen("user_id"),
		approved: p.flag("approved", nil), deleted: p.flag("deleted", &no), since: p.instant("modified_since"), bounds: map[string]time.Time{},
	}
	for _, bound := range punchBounds {
		q.bounds[bound] = p.instant(bound)
	}
	q.localize = or(p.flag("localize_search_time", &no), false)
	return q
}

var punchBounds = []string{"clocked_in[gte]", "clocked_in[lte]", "clocked_out[gte]", "clocked_out[lte]"}

// fits tells whether a punch is asked for. A punch that is still open has no
// clock-out, so that no bound on it fits.
func (q punchQuery) fits(p Punch, zone *time.Location) bool {
	at := func(bound string) time.Time {
		t := q.bounds[bound]
		if q.localize && !t.IsZero() {
			t = t.UTC()
			t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, zone)
		}
		return t
	}
	after := func(bound string, t time.Time) bool {
		return at(bound).IsZero() || (!t.IsZero() && !t.Before(at(bound)))
	}
	before := func(bound string, t time.Time) bool {
		return at(bound).IsZero() || (!t.IsZero() && !t.After(at(bound)))
	}
	return is(q.location, p.LocationID) && is(q.department, p.DepartmentID) && is(q.role, p.RoleID) && is(q.user, p.UserID) &&
		is(q.approved, p.Approved) && is(q.deleted, p.Deleted) && !p.Modified.Before(q.since) &&
		after("clocked_in[gte]", p.In) && before("clocked_in[lte]", p.In) && after("clocked_out[gte]", p.Out) && before("clocked_out[lte]", p.Out)
}

// listPunches is GET /v2/company/{company}/time_punches (reference: 7shifts 6).
func (s *Sim) listPunches(r request) answer {
	allowed := append([]string{
		"location_id", "department_id", "role_id", "user_id", "approved", "deleted", "modified_since", "localize_search_time", "cursor", "limit",
	}, punchBounds...)
	p := readParams(r, allowed...)
	q, limit := p.punches(), int(p.number("limit", defaultPunchesPage, 1, maxPunchesPage))
	s.mu.Lock()
	defer s.mu.Unlock()
	punches := sortedBy(s.staff.punches, func(punch Punch) bool {
		l := s.locations[punch.LocationID]
		return l.CompanyID == r.company && q.fits(punch, l.zone)
	}, func(punch Punch) int64 { return punch.ID })
	return unprocessable(paged(s, p, "time_punches", limit, punches, func(punch Punch) int64 { return punch.ID }, s.showPunch))
}

func (s *Sim) showPunch(p Punch) map[string]any {
	breaks := []map[string]any{}
	for _, b := range p.Breaks {
		breaks = append(breaks, map[string]any{
			"id": b.ID, "user_id": p.UserID, "custom_break_id": nil, "paid": b.Paid, "in": s.instant(b.In), "out": s.orNever(b.Out),
		})
	}
	return map[string]any{
		"id": p.ID, "shift_id": 0, "user_id": p.UserID, "editable_punch": true, "role_id": p.RoleID, "company_id": s.locations[p.LocationID].CompanyID,
		"location_id": p.LocationID, "department_id": p.DepartmentID, "hourly_wage": 0, "approved": p.Approved,
		"clocked_in": s.instant(p.In), "clocked_out": s.orNever(p.Out), "notes": "", "auto_clocked_out": false,
		"clocked_in_offline": false, "clocked_out_offline": false, "tips": p.Tips, "pos_type": "web", "breaks": breaks,
		"created": s.instant(p.Created), "modified": s.instant(p.Modified), "deleted": p.Deleted,
	}
}

// orNever is an instant, or null for none.
func (s *Sim) orNever(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return s.instant(t)
}

// unprocessable is 422 where the operation declares it instead of 400
// (reference: 7shifts 2).
func unprocessable(a answer) answer {
	if p, ok := a.body.(problem); ok && a.status == http.StatusBadRequest {
		p.Status = http.StatusUnprocessableEntity
		return answer{status: p.Status, body: p, header: maps.Clone(a.header)}
	}
	return a
}
