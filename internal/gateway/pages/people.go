package pages

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/people"
)

// PeoplePage lists the employees who need a person's word, and those whom this
// link was answered for already.
type PeoplePage struct {
	Venue   mail.Venue
	Expires time.Time
	People  []Person
	// Users are all of 7shifts' users, in the order in which they are offered.
	Users []User
	// ManyPerUser says that 7shifts takes several employees for one user.
	ManyPerUser bool
}

// Person is an employee of the till.
type Person struct {
	EmployeeID string
	Name       string
	// Reason is why a person is asked: a people.Reason, a people.DriftKind, or
	// what 7shifts answered.
	Reason    string
	Proposals []Proposal // the likeliest first
	// Answer is what was said, empty while nothing was.
	Answer people.AnswerKind
	UserID int64 // with people.Map
	At     time.Time
}

// Proposal is a user who may be the employee.
type Proposal struct {
	UserID int64
	Why    []people.Why
}

// User is a person at 7shifts.
type User struct {
	ID     int64
	Name   string
	Active bool
	// Taken is the name of the employee who has this user now, empty if nobody.
	Taken string
}

// PeopleAnswer is what a manager said of an employee: people.Map or
// people.Ignore.
type PeopleAnswer struct {
	EmployeeID string
	Kind       people.AnswerKind
	UserID     int64 // with people.Map
}

// LogValue hides the person.
func (p Person) LogValue() slog.Value { return slog.StringValue(p.String()) }

// String hides the person.
func (p Person) String() string { return "employee " + p.EmployeeID }

// GoString hides the person.
func (p Person) GoString() string { return p.String() }

// LogValue hides the person.
func (u User) LogValue() slog.Value { return slog.StringValue(u.String()) }

// String hides the person.
func (u User) String() string { return "user " + strconv.FormatInt(u.ID, 10) }

// GoString hides the person.
func (u User) GoString() string { return u.String() }

const (
	// whoField, with the employee's id, is the name of an employee's field; its
	// value is a user's id, or ignored, or empty for later.
	whoField = "who."
	ignored  = "ignore"
)

func showPeople(v *visit) error {
	ctx, cancel := v.desk()
	defer cancel()
	page, err := v.p.o.Desk.PeoplePage(ctx, v.claims.Subject)
	if err != nil {
		return err
	}
	return v.show("people", v.peopleView(page))
}

func takePeople(v *visit) error {
	ctx, cancel := v.desk()
	defer cancel()
	page, err := v.p.o.Desk.PeoplePage(ctx, v.claims.Subject)
	if err != nil {
		return err
	}
	answers, problems := v.peopleAnswers(page)
	if len(problems) == 0 && len(answers) == 0 {
		problems = append(problems, problem{Text: v.say("people.problem.nothing")})
	}
	if len(problems) > 0 {
		return v.again(http.StatusUnprocessableEntity, problems...)
	}
	err = v.p.o.Desk.AnswerPeople(ctx, v.claims.Subject, answers)
	if errors.Is(err, ErrUnfit) {
		return v.again(http.StatusConflict, problem{Text: v.say("people.problem.unfit")})
	}
	if err != nil {
		return err
	}
	return v.back("", url.Values{savedParameter: {strconv.Itoa(len(answers))}})
}

// peopleAnswers reads what was chosen, where that is new. Employees who are not
// asked about any more are passed over: somebody else has answered.
func (v *visit) peopleAnswers(page PeoplePage) ([]PeopleAnswer, []problem) {
	known := map[int64]User{}
	for _, u := range page.Users {
		known[u.ID] = u
	}
	var answers []PeopleAnswer
	var problems []problem
	chosenFor := map[int64]string{} // the employee's name
	for i, person := range page.People {
		chosen := v.field(whoField + person.EmployeeID)
		if chosen == "" {
			continue
		}
		answer := PeopleAnswer{EmployeeID: person.EmployeeID, Kind: people.Ignore}
		if chosen != ignored {
			id, err := strconv.ParseInt(chosen, 10, 64)
			user, ok := known[id]
			if err != nil || !ok {
				problems = append(problems, problem{personAnchor(i), v.say("people.problem.unknown", person.Name)})
				continue
			}
			if other, twice := chosenFor[id]; twice && !page.ManyPerUser {
				problems = append(problems, problem{personAnchor(i), v.say("people.problem.twice", user.Name, other, person.Name)})
				continue
			}
			answer.Kind, answer.UserID = people.Map, id
			chosenFor[id] = person.Name
		}
		if answer.Kind != person.Answer || answer.UserID != person.UserID {
			answers = append(answers, answer)
		}
	}
	return answers, problems
}

// peopleView is what the page shows.
type peopleView struct {
	PeoplePage
	Open, Answered []personView
	Saved          int // just now
}

type personView struct {
	Person
	Field    string
	Name     string // of the form's field
	Employee string
	Why      string // a person is asked, as a sentence
	Chosen   string
	Likely   []option
	Others   []option
	Said     string // the user's name that was chosen before
}

// option is one of 7shifts' users to choose.
type option struct {
	Value, Text string
	Chosen      bool
}

func (v *visit) peopleView(page PeoplePage) peopleView {
	shown := peopleView{PeoplePage: page}
	shown.Saved, _ = strconv.Atoi(v.r.URL.Query().Get(savedParameter))
	if shown.Saved < 0 || shown.Saved > len(page.People) {
		shown.Saved = 0
	}
	byID := map[int64]User{}
	for _, u := range page.Users {
		byID[u.ID] = u
	}
	for i, person := range page.People {
		one := personView{Person: person, Field: personAnchor(i), Name: whoField + person.EmployeeID, Employee: person.Name, Why: v.reason(person.Reason), Chosen: v.field(whoField + person.EmployeeID)}
		if one.Chosen == "" && person.Answer == people.Map {
			one.Chosen, one.Said = strconv.FormatInt(person.UserID, 10), byID[person.UserID].Name
		} else if one.Chosen == "" && person.Answer == people.Ignore {
			one.Chosen = ignored
		}
		likely := map[int64]bool{}
		for _, p := range person.Proposals {
			if u, ok := byID[p.UserID]; ok {
				likely[p.UserID] = true
				one.Likely = append(one.Likely, v.option(u, p.Why, one.Chosen))
			}
		}
		for _, u := range page.Users {
			if !likely[u.ID] {
				one.Others = append(one.Others, v.option(u, nil, one.Chosen))
			}
		}
		if person.Answer == "" {
			shown.Open = append(shown.Open, one)
		} else {
			shown.Answered = append(shown.Answered, one)
		}
	}
	return shown
}

// reason words why a person is asked; what 7shifts answers may be a reason that
// we do not know, and is shown as it is.
func (v *visit) reason(code string) string {
	text, err := v.p.words.phrases.Say(v.lang, "people.reason."+code)
	if err != nil {
		return v.say("people.unknown-reason", code)
	}
	return text
}

// option words a user: the name, and what a manager has to know to choose.
func (v *visit) option(u User, why []people.Why, chosen string) option {
	var remarks []string
	for _, w := range why {
		remarks = append(remarks, v.say("people.why."+string(w)))
	}
	if !u.Active {
		remarks = append(remarks, v.say("people.inactive"))
	}
	if u.Taken != "" {
		remarks = append(remarks, v.say("people.taken", u.Taken))
	}
	o := option{Value: strconv.FormatInt(u.ID, 10), Text: u.Name}
	if len(remarks) > 0 {
		o.Text += " (" + strings.Join(remarks, ", ") + ")"
	}
	o.Chosen = o.Value == chosen
	return o
}

// personAnchor is the id of a person's field.
func personAnchor(at int) string { return "person-" + strconv.Itoa(at+1) }
