// Package people compares the people of a till with those of 7shifts and says
// what to do: what is mapped well, what may be mapped because it meets one of
// 7shifts' own exact criteria, and what a person has to decide, with proposals.
// The plan is a pure function of the sets given. Names, e-mails and phones stay
// inside it: no text or log of this package holds one.
package people

import (
	"log/slog"
	"strconv"
)

// Employee is a person, or a profile, at the till.
type Employee struct {
	ID     string
	Name   string // as one text
	Active bool
	// Sold says that sales of this employee are still in the window: such a one
	// needs a mapping also when no longer active.
	Sold bool
	// Email and Phone are empty where the till does not tell them.
	Email, Phone string
}

// LogValue hides the person.
func (e Employee) LogValue() slog.Value { return slog.StringValue(e.String()) }

// String hides the person.
func (e Employee) String() string { return "employee " + e.ID }

// GoString hides the person.
func (e Employee) GoString() string { return e.String() }

// leaver tells whether nothing of this employee needs a mapping any more.
func (e Employee) leaver() bool { return !e.Active && !e.Sold }

// User is a person at 7shifts.
type User struct {
	ID                                    int64
	FirstName, LastName                   string
	PreferredFirstName, PreferredLastName string // empty where there is none
	Email, Phone                          string // Phone is the mobile one
	Active                                bool
}

// LogValue hides the person.
func (u User) LogValue() slog.Value { return slog.StringValue(u.String()) }

// String hides the person.
func (u User) String() string { return "user " + strconv.FormatInt(u.ID, 10) }

// GoString hides the person.
func (u User) GoString() string { return u.String() }

// Mapping is an external user mapping of the location.
type Mapping struct {
	EmployeeID string
	UserID     int64
	// UserActive is what 7shifts says of the user; it decides where the user is
	// not among those listed.
	UserActive bool
}

// AnswerKind is what a person said of an employee.
type AnswerKind string

// The answers. Ignore is for ghost profiles and takeout roles, Unmap for who
// shall have no mapping for now; neither is asked again.
const (
	Map    AnswerKind = "map"
	Ignore AnswerKind = "ignore"
	Unmap  AnswerKind = "unmap"
)

// Answer is a person's latest word on an employee.
type Answer struct {
	EmployeeID string
	Kind       AnswerKind
	UserID     int64 // with Map
}

// Input is what the plan depends on, and all of it.
type Input struct {
	Employees []Employee
	// Users of 7shifts, active and inactive.
	Users []User
	// Existing are the mappings that 7shifts holds for the location.
	Existing []Mapping
	// Known are the mappings as they were last seen or made by us. An answer
	// removes its employee's, so that what a person undid is no drift.
	Known   []Mapping
	Answers []Answer
	// ManyPerUser says that 7shifts takes several employees for one user. It is
	// assumed not to (reference: 7shifts 5 does not say); where it does, only a
	// person's word makes use of it.
	ManyPerUser bool
}

// Plan is what to do. Every employee is in exactly one of its lists; each list
// is ordered by employee.
type Plan struct {
	Mapped     []Mapping // fine as they are
	Create     []Creation
	Drift      []Drift
	Exceptions []Exception
	// Settled are the employees that nobody has to look at: ignored or unmapped
	// by a person's word, or gone without sales in the window.
	Settled []string
	// Strangers are mappings of employees that the till does not list.
	Strangers []Mapping
}

// Criterion is one of 7shifts' own ways of matching, in its order (reference:
// 7shifts 5).
type Criterion string

// The criteria.
const (
	ByUserID        Criterion = "user_id" // a person said so
	ByEmail         Criterion = "email"
	ByNamesAndPhone Criterion = "names_and_phone"
	ByNames         Criterion = "names"
)

// Creation is a mapping to create: it meets a criterion, and only one user
// does. Of the fields below those of its criterion are set, spelt as 7shifts
// spells them; the others are empty, so that no other criterion can match.
type Creation struct {
	EmployeeID string
	UserID     int64 // whom 7shifts has to answer with
	By         Criterion
	Email      string
	FirstName  string
	LastName   string
	Phone      string // digits with area code
}

// LogValue hides the person.
func (c Creation) LogValue() slog.Value { return slog.StringValue(c.String()) }

// String hides the person.
func (c Creation) String() string { return "mapping of employee " + c.EmployeeID }

// GoString hides the person.
func (c Creation) GoString() string { return c.String() }

// DriftKind is how a mapping has changed without us.
type DriftKind string

// The kinds of drift.
const (
	Vanished DriftKind = "vanished"      // 7shifts drops the mappings of who is deactivated
	Inactive DriftKind = "inactive_user" // it points at an inactive user
	UserGone DriftKind = "unknown_user"  // it points at a user whom 7shifts does not list
	ByHand   DriftKind = "changed_by_hand"
	noDrift  DriftKind = ""
)

// Drift is a mapping that changed without us. It is never set right by itself:
// a person's change is not overwritten.
type Drift struct {
	EmployeeID string
	Kind       DriftKind
	Was, Is    int64 // users, 0 for none
	Proposals  []Proposal
}

// Reason is why an employee could not be mapped. 7shifts may answer others,
// which are shown as they are.
type Reason string

// The reasons that are found without asking 7shifts.
const (
	NotFound      Reason = "not_found"
	AlreadyMapped Reason = "already_mapped" // the only match belongs to another employee
	Ambiguous     Reason = "ambiguous"      // several match, or one matches several employees
	InactiveUser  Reason = "inactive"       // only an inactive user matches
)

// Exception is an employee for whom a person has to decide.
type Exception struct {
	EmployeeID string
	Reason     Reason
	Proposals  []Proposal
}

// maxProposals is how many an employee gets: more is no help to a person.
const maxProposals = 5

// Proposal is a user who may be the employee, the likeliest first. It is never
// applied without a person's word.
type Proposal struct {
	UserID int64
	Why    []Why // the strongest first
	Active bool  // otherwise 7shifts has to reactivate the user first
	// Taken is the other employee who has the user now, empty if nobody.
	Taken string
}
