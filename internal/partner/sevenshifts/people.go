package sevenshifts

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"time"

	"github.com/clustersystems/clusterbridge/internal/sale"
)

// Users, roles, departments and punches are only ever read: there is no method
// that writes them.

// User is a person of 7shifts (reference: 7shifts 6). It never enters a history
// or a log.
type User struct {
	ID                                    int64
	FirstName, LastName                   string
	PreferredFirstName, PreferredLastName string
	Email                                 string
	MobileNumber                          string // as typed there
	Active                                bool
	Type                                  string // employee, asst_manager, manager, employer
	// Unreadable says that this record could not be decoded; at most ID is set
	// then. One such user does not stop the rest.
	Unreadable bool
}

// UnmarshalJSON never fails: see Unreadable.
func (u *User) UnmarshalJSON(record []byte) error {
	*u = User{ID: idOf(record)}
	var r struct {
		First          loose `json:"first_name"`
		Last           loose `json:"last_name"`
		PreferredFirst loose `json:"preferred_first_name"`
		PreferredLast  loose `json:"preferred_last_name"`
		Email          loose `json:"email"`
		Mobile         loose `json:"mobile_number"`
		Active         *bool `json:"active"`
		Type           loose `json:"type"`
	}
	readable := json.Unmarshal(record, &r) == nil
	if u.Unreadable = !readable || u.ID == 0 || r.Active == nil; u.Unreadable {
		return nil
	}
	u.FirstName, u.LastName, u.PreferredFirstName, u.PreferredLastName = string(r.First), string(r.Last), string(r.PreferredFirst), string(r.PreferredLast)
	u.Email, u.MobileNumber, u.Active, u.Type = string(r.Email), string(r.Mobile), *r.Active, string(r.Type)
	return nil
}

// LogValue hides the person.
func (u User) LogValue() slog.Value { return slog.StringValue(u.String()) }

// String hides the person.
func (u User) String() string { return "7shifts user " + strconv.FormatInt(u.ID, 10) }

// GoString hides the person.
func (u User) GoString() string { return u.String() }

// maxPeoplePage is the largest page of users (reference: 7shifts 2); those of
// roles and departments are not stated, so that fewer are asked for (assumed).
const (
	maxPeoplePage = 500
	rolesPage     = 100
)

// Users lists the users of a location, or with location 0 of the company, the
// active ones first. One who is deactivated while this is read comes once, as
// inactive.
func (c *Client) Users(ctx context.Context, company, location int64) ([]User, error) {
	var all []User
	at := map[int64]int{}
	for _, status := range []string{"active", "inactive"} {
		query := url.Values{"status": {status}, "limit": {strconv.Itoa(maxPeoplePage)}}
		ofLocation(query, location)
		users, err := list[User](ctx, c, fmt.Sprintf("/v2/company/%d/users", company), query)
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			if i, twice := at[u.ID]; twice && u.ID != 0 {
				all[i] = u
				continue
			}
			at[u.ID] = len(all)
			all = append(all, u)
		}
	}
	return all, nil
}

func ofLocation(query url.Values, location int64) {
	if location != 0 {
		query.Set("location_id", strconv.FormatInt(location, 10))
	}
}

// Role is a role of a location (reference: 7shifts 6).
type Role struct {
	ID           int64  `json:"id"`
	LocationID   int64  `json:"location_id"`
	DepartmentID int64  `json:"department_id"` // 0: of none
	Name         string `json:"name"`
}

// Roles lists the roles of a location, or with location 0 of the company.
func (c *Client) Roles(ctx context.Context, company, location int64) ([]Role, error) {
	query := url.Values{"limit": {strconv.Itoa(rolesPage)}}
	ofLocation(query, location)
	return list[Role](ctx, c, fmt.Sprintf("/v2/company/%d/roles", company), query)
}

// Department is a department of a location (reference: 7shifts 6).
type Department struct {
	ID         int64  `json:"id"`
	LocationID int64  `json:"location_id"`
	Name       string `json:"name"`
	Deleted    bool   `json:"deleted"`
}

// Departments lists the departments of a location, or with location 0 of the
// company.
func (c *Client) Departments(ctx context.Context, company, location int64) ([]Department, error) {
	query := url.Values{"limit": {strconv.Itoa(rolesPage)}}
	ofLocation(query, location)
	return list[Department](ctx, c, fmt.Sprintf("/v2/company/%d/departments", company), query)
}

// TimePunch is a punch (reference: 7shifts 6). All instants are UTC.
type TimePunch struct {
	ID         int64
	UserID     int64
	RoleID     int64 // 0: without role (assumed)
	LocationID int64
	ClockedIn  time.Time
	ClockedOut time.Time // zero: still in
	Breaks     []PunchBreak
	Tips       sale.Cents // as declared
	Approved   bool
	Deleted    bool
	Modified   time.Time // zero if untold
	// Unreadable says that this record could not be decoded; at most the ids are
	// set then. One such punch does not stop the rest.
	Unreadable bool
}

// PunchBreak is a break within a punch.
type PunchBreak struct {
	In, Out time.Time // Out is zero while it lasts
	Paid    bool
}

// LogValue hides what was declared.
func (p TimePunch) LogValue() slog.Value {
	return slog.StringValue("time punch " + strconv.FormatInt(p.ID, 10))
}

// UnmarshalJSON never fails: see Unreadable.
func (p *TimePunch) UnmarshalJSON(record []byte) error {
	*p = TimePunch{ID: idOf(record)}
	var r struct {
		UserID     int64      `json:"user_id"`
		RoleID     int64      `json:"role_id"`
		LocationID int64      `json:"location_id"`
		In         *time.Time `json:"clocked_in"`
		Out        *time.Time `json:"clocked_out"`
		Tips       sale.Cents `json:"tips"`
		Approved   bool       `json:"approved"`
		Deleted    bool       `json:"deleted"`
		Modified   *time.Time `json:"modified"`
		Breaks     []struct {
			In   *time.Time `json:"in"`
			Out  *time.Time `json:"out"`
			Paid bool       `json:"paid"`
		} `json:"breaks"`
	}
	readable := json.Unmarshal(record, &r) == nil
	p.UserID, p.RoleID, p.LocationID = r.UserID, r.RoleID, r.LocationID
	if p.Unreadable = !readable || p.ID == 0 || p.UserID == 0 || r.In == nil; p.Unreadable {
		return nil
	}
	p.ClockedIn, p.ClockedOut, p.Modified = r.In.UTC(), instant(r.Out), instant(r.Modified)
	p.Tips, p.Approved, p.Deleted = r.Tips, r.Approved, r.Deleted
	for _, b := range r.Breaks {
		if b.In != nil { // a break that never began is none
			p.Breaks = append(p.Breaks, PunchBreak{In: b.In.UTC(), Out: instant(b.Out), Paid: b.Paid})
		}
	}
	return nil
}

// instant is a time in UTC; zero for none.
func instant(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// Deleted chooses by whether punches are deleted.
type Deleted string

// The choices. How null is written in a query is not stated (assumed).
const (
	NotDeleted  Deleted = "false"
	OnlyDeleted Deleted = "true"
	WithDeleted Deleted = "null"
)

// PunchQuery chooses punches. All bounds are inclusive; a punch that is still
// open fits no bound on its clock-out.
type PunchQuery struct {
	LocationID                   int64 // 0: of all the company
	ClockedInFrom, ClockedInTo   time.Time
	ClockedOutFrom, ClockedOutTo time.Time
	ModifiedSince                time.Time
	Deleted                      Deleted // empty: NotDeleted
}

func (q PunchQuery) values(page int) url.Values {
	v := url.Values{"limit": {strconv.Itoa(page)}}
	ofLocation(v, q.LocationID)
	for name, t := range map[string]time.Time{
		"clocked_in[gte]": q.ClockedInFrom, "clocked_in[lte]": q.ClockedInTo,
		"clocked_out[gte]": q.ClockedOutFrom, "clocked_out[lte]": q.ClockedOutTo, "modified_since": q.ModifiedSince,
	} {
		setInstant(v, name, t)
	}
	if q.Deleted != "" {
		v.Set("deleted", string(q.Deleted))
	}
	return v
}

// TimePunches lists the punches that fit.
func (c *Client) TimePunches(ctx context.Context, company int64, q PunchQuery) ([]TimePunch, error) {
	return list[TimePunch](ctx, c, fmt.Sprintf("/v2/company/%d/time_punches", company), q.values(c.punchPage))
}

// idOf is a record's id, 0 if it has none.
func idOf(record []byte) int64 {
	var r struct {
		ID int64 `json:"id"`
	}
	_ = json.Unmarshal(record, &r)
	return r.ID
}

// loose is a string that may come as a number or as null.
type loose string

// UnmarshalJSON implements json.Unmarshaler.
func (l *loose) UnmarshalJSON(data []byte) error {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	*l = loose(text(v))
	return nil
}
