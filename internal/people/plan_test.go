package people_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/people"
)

// lea is the usual employee, and leaUser the user she is.
var (
	lea     = people.Employee{ID: "e1", Name: "Léa Roy", Active: true, Email: "lea@example.com", Phone: "+1 (514) 555-0101"}
	leaUser = people.User{ID: 11, FirstName: "Léa", LastName: "Roy", Email: "Lea@Example.com", Phone: "514.555.0101", Active: true}
)

func employee(change func(*people.Employee)) people.Employee {
	e := lea
	change(&e)
	return e
}

func user(change func(*people.User)) people.User {
	u := leaUser
	change(&u)
	return u
}

// Each of 7shifts' four criteria matches alone, in its order, and only the
// fields of the one that matched travel.
func TestEachExactCriterion(t *testing.T) {
	noMail := func(e *people.Employee) { e.Email = "" }
	for name, c := range map[string]struct {
		employee people.Employee
		answers  []people.Answer
		want     people.Creation
	}{
		"a person said so": {employee(func(e *people.Employee) { e.Name, e.Email, e.Phone = "Bar", "", "" }), []people.Answer{{EmployeeID: "e1", Kind: people.Map, UserID: 11}},
			people.Creation{EmployeeID: "e1", UserID: 11, By: people.ByUserID}},
		"e-mail, in any case":           {employee(func(e *people.Employee) { e.Name = "Bar" }), nil, people.Creation{EmployeeID: "e1", UserID: 11, By: people.ByEmail, Email: "Lea@Example.com"}},
		"names and mobile phone":        {employee(noMail), nil, people.Creation{EmployeeID: "e1", UserID: 11, By: people.ByNamesAndPhone, FirstName: "Léa", LastName: "Roy", Phone: "5145550101"}},
		"names alone":                   {employee(func(e *people.Employee) { e.Email, e.Phone = "", "" }), nil, people.Creation{EmployeeID: "e1", UserID: 11, By: people.ByNames, FirstName: "Léa", LastName: "Roy"}},
		"another phone: names alone":    {employee(func(e *people.Employee) { e.Email, e.Phone = "", "514 555 9999" }), nil, people.Creation{EmployeeID: "e1", UserID: 11, By: people.ByNames, FirstName: "Léa", LastName: "Roy"}},
		"last name first, with a comma": {employee(func(e *people.Employee) { e.Name, e.Email, e.Phone = "Roy, Léa", "", "" }), nil, people.Creation{EmployeeID: "e1", UserID: 11, By: people.ByNames, FirstName: "Léa", LastName: "Roy"}},
		"the accent in two code points": {employee(func(e *people.Employee) { e.Name, e.Email, e.Phone = "Le\u0301a  Roy ", "", "" }), nil, people.Creation{EmployeeID: "e1", UserID: 11, By: people.ByNames, FirstName: "Léa", LastName: "Roy"}},
		"gone, but sales are still open": {employee(func(e *people.Employee) { e.Active, e.Sold, e.Name = false, true, "Bar" }), nil,
			people.Creation{EmployeeID: "e1", UserID: 11, By: people.ByEmail, Email: "Lea@Example.com"}},
	} {
		plan := people.Reconcile(people.Input{Employees: []people.Employee{c.employee}, Users: []people.User{leaUser}, Answers: c.answers})
		require.Equal(t, people.Plan{Create: []people.Creation{c.want}}, plan, name)
	}
}

func TestSplittingAFullName(t *testing.T) {
	for name, want := range map[string][2]string{
		"Marie Claude Roy Gagnon": {"Marie Claude", "Roy Gagnon"},
		"Juan de la Cruz":         {"Juan", "de la Cruz"},
		"Jean-François St-Onge":   {"Jean-François", "St-Onge"},
		"Aoife O'Brien":           {"Aoife", "O'Brien"},
	} {
		plan := people.Reconcile(people.Input{
			Employees: []people.Employee{{ID: "e1", Name: name, Active: true}},
			Users:     []people.User{{ID: 11, FirstName: want[0], LastName: want[1], Active: true}},
		})
		require.Len(t, plan.Create, 1, name)
	}
}

// Nobody who is not exactly one person is mapped.
func TestExceptions(t *testing.T) {
	bare := employee(func(e *people.Employee) { e.Email, e.Phone = "", "" })
	namesake := user(func(u *people.User) { u.ID, u.Email, u.Phone = 12, "", "" })
	type input = people.Input
	for name, c := range map[string]struct {
		in     people.Input
		reason people.Reason
		first  people.Proposal
	}{
		"nobody like it": {input{Employees: []people.Employee{employee(func(e *people.Employee) { e.Name, e.Email, e.Phone = "Takeout", "", "" })}, Users: []people.User{leaUser}},
			people.NotFound, people.Proposal{}},
		"two users of one name": {input{Employees: []people.Employee{bare}, Users: []people.User{leaUser, namesake}},
			people.Ambiguous, people.Proposal{UserID: 11, Why: []people.Why{people.SameName}, Active: true}},
		"two employees of one name": {input{Employees: []people.Employee{bare, employee(func(e *people.Employee) { e.ID, e.Email, e.Phone = "e2", "", "" })}, Users: []people.User{leaUser}},
			people.Ambiguous, people.Proposal{UserID: 11, Why: []people.Why{people.SameName}, Active: true}},
		"two users of one e-mail and other names": {input{
			Employees: []people.Employee{employee(func(e *people.Employee) { e.Name = "Bar" })},
			Users:     []people.User{user(func(u *people.User) { u.FirstName = "A" }), user(func(u *people.User) { u.ID, u.FirstName = 12, "B" })},
		}, people.Ambiguous, people.Proposal{UserID: 11, Why: []people.Why{people.SameEmail, people.SamePhone}, Active: true}},
		"complaint 18: reactivated at the till, not in 7shifts": {input{Employees: []people.Employee{lea}, Users: []people.User{user(func(u *people.User) { u.Active = false })}},
			people.InactiveUser, people.Proposal{UserID: 11, Why: []people.Why{people.SameEmail, people.SameName, people.SamePhone}}},
		"the user has another employee": {input{
			Employees: []people.Employee{bare, {ID: "e2", Name: "Léa R", Active: true}}, Users: []people.User{leaUser},
			Existing: []people.Mapping{{EmployeeID: "e2", UserID: 11, UserActive: true}},
		}, people.AlreadyMapped, people.Proposal{UserID: 11, Why: []people.Why{people.SameName}, Active: true, Taken: "e2"}},
		"a profile made anew at the till": {input{
			Employees: []people.Employee{bare, employee(func(e *people.Employee) { e.ID, e.Active = "e2", false })}, Users: []people.User{leaUser},
			Existing: []people.Mapping{{EmployeeID: "e2", UserID: 11, UserActive: true}},
		}, people.AlreadyMapped, people.Proposal{UserID: 11, Why: []people.Why{people.SameName, people.Recreated}, Active: true, Taken: "e2"}},
		"a person named an inactive user": {input{
			Employees: []people.Employee{bare}, Users: []people.User{leaUser, {ID: 20, FirstName: "Old"}},
			Answers: []people.Answer{{EmployeeID: "e1", Kind: people.Map, UserID: 20}},
		}, people.InactiveUser, people.Proposal{UserID: 11, Why: []people.Why{people.SameName}, Active: true}},
		"a person named nobody": {input{
			Employees: []people.Employee{bare}, Users: []people.User{leaUser},
			Answers: []people.Answer{{EmployeeID: "e1", Kind: people.Map, UserID: 99}},
		}, people.NotFound, people.Proposal{UserID: 11, Why: []people.Why{people.SameName}, Active: true}},
	} {
		t.Run(name, func(t *testing.T) {
			plan := people.Reconcile(c.in)
			require.Empty(t, plan.Create)
			require.NotEmpty(t, plan.Exceptions)
			require.Equal(t, "e1", plan.Exceptions[0].EmployeeID)
			require.Equal(t, c.reason, plan.Exceptions[0].Reason)
			if c.first.UserID == 0 {
				require.Empty(t, plan.Exceptions[0].Proposals)
				return
			}
			require.Equal(t, c.first, plan.Exceptions[0].Proposals[0])
		})
	}
}

// An earlier criterion has the user; whoever meets a later one is told who.
func TestAnEarlierCriterionWins(t *testing.T) {
	byName := people.Employee{ID: "e0", Name: "Léa Roy", Active: true}
	plan := people.Reconcile(people.Input{Employees: []people.Employee{byName, employee(func(e *people.Employee) { e.Name = "Bar" })}, Users: []people.User{leaUser}})
	require.Len(t, plan.Create, 1)
	require.Equal(t, "e1", plan.Create[0].EmployeeID)
	require.Equal(t, []people.Exception{{EmployeeID: "e0", Reason: people.AlreadyMapped, Proposals: []people.Proposal{
		{UserID: 11, Why: []people.Why{people.SameName}, Active: true, Taken: "e1"},
	}}}, plan.Exceptions)
}

func TestWhatIsFineStaysAsItIs(t *testing.T) {
	mapping := people.Mapping{EmployeeID: "e1", UserID: 11, UserActive: true}
	in := people.Input{Employees: []people.Employee{employee(func(e *people.Employee) { e.Name, e.Email = "Bar", "" })}, Users: []people.User{leaUser}, Existing: []people.Mapping{mapping}}
	want := people.Plan{Mapped: []people.Mapping{mapping}}
	require.Equal(t, want, people.Reconcile(in), "mapped before us, by whomever")
	in.Known = in.Existing
	require.Equal(t, want, people.Reconcile(in))
	in.Answers = []people.Answer{{EmployeeID: "e1", Kind: people.Map, UserID: 11}}
	require.Equal(t, want, people.Reconcile(in))
	in.Employees = nil
	require.Equal(t, people.Plan{Strangers: []people.Mapping{mapping}}, people.Reconcile(in))
}

func TestNobodyIsAskedTwice(t *testing.T) {
	for _, kind := range []people.AnswerKind{people.Ignore, people.Unmap} {
		in := people.Input{Employees: []people.Employee{lea}, Users: []people.User{leaUser}, Answers: []people.Answer{{EmployeeID: "e1", Kind: kind}}}
		require.Equal(t, people.Plan{Settled: []string{"e1"}}, people.Reconcile(in), kind)
	}
	gone := employee(func(e *people.Employee) { e.Active = false })
	require.Equal(t, people.Plan{Settled: []string{"e1"}}, people.Reconcile(people.Input{Employees: []people.Employee{gone}, Users: []people.User{leaUser}}))
	known := []people.Mapping{{EmployeeID: "e1", UserID: 11}}
	require.Equal(t, people.Plan{Settled: []string{"e1"}}, people.Reconcile(people.Input{Employees: []people.Employee{gone}, Known: known}), "left on both sides")
	require.Equal(t, people.Plan{Settled: []string{"e1"}}, people.Reconcile(people.Input{Employees: []people.Employee{gone}, Known: known, Existing: known}))
}

// What changed without us is told, and never set right by itself.
func TestDrift(t *testing.T) {
	inactive := user(func(u *people.User) { u.Active = false })
	anew := user(func(u *people.User) { u.ID, u.Email, u.Phone = 12, "", "" })
	other := people.User{ID: 13, FirstName: "Tom", LastName: "Ford", Active: true}
	known := []people.Mapping{{EmployeeID: "e1", UserID: 11, UserActive: true}}
	whyAll := []people.Why{people.SameEmail, people.SameName, people.SamePhone}
	type input = people.Input
	for name, c := range map[string]struct {
		in   people.Input
		want people.Drift
	}{
		"complaint 16: deactivated in mid period, the mapping is gone": {input{Users: []people.User{inactive}, Known: known},
			people.Drift{Kind: people.Vanished, Was: 11, Proposals: []people.Proposal{{UserID: 11, Why: whyAll}}}},
		"reactivated, but the mapping is not back": {input{Users: []people.User{leaUser}, Known: known},
			people.Drift{Kind: people.Vanished, Was: 11, Proposals: []people.Proposal{{UserID: 11, Why: whyAll, Active: true}}}},
		"points at an inactive user; the person has a new profile": {input{Users: []people.User{inactive, anew}, Existing: known, Known: known},
			people.Drift{Kind: people.Inactive, Was: 11, Is: 11, Proposals: []people.Proposal{{UserID: 11, Why: whyAll}, {UserID: 12, Why: []people.Why{people.SameName, people.Recreated}, Active: true}}}},
		"points at nobody that is listed": {input{Users: []people.User{other}, Existing: known, Known: known},
			people.Drift{Kind: people.UserGone, Was: 11, Is: 11, Proposals: []people.Proposal{}}},
		"changed by hand in 7shifts": {input{Users: []people.User{leaUser, other}, Existing: []people.Mapping{{EmployeeID: "e1", UserID: 13, UserActive: true}}, Known: known},
			people.Drift{Kind: people.ByHand, Was: 11, Is: 13, Proposals: []people.Proposal{{UserID: 11, Why: whyAll, Active: true}}}},
		"mapped by hand against a person's word here": {input{Users: []people.User{other}, Existing: []people.Mapping{{EmployeeID: "e1", UserID: 13, UserActive: true}}, Answers: []people.Answer{{EmployeeID: "e1", Kind: people.Ignore}}},
			people.Drift{Kind: people.ByHand, Is: 13, Proposals: []people.Proposal{}}},
		"mapped by hand to another than a person said": {input{Users: []people.User{leaUser, other}, Existing: []people.Mapping{{EmployeeID: "e1", UserID: 13, UserActive: true}}, Answers: []people.Answer{{EmployeeID: "e1", Kind: people.Map, UserID: 11}}},
			people.Drift{Kind: people.ByHand, Was: 11, Is: 13, Proposals: []people.Proposal{{UserID: 11, Why: whyAll, Active: true}}}},
	} {
		t.Run(name, func(t *testing.T) {
			c.in.Employees, c.want.EmployeeID = []people.Employee{lea}, "e1"
			plan := people.Reconcile(c.in)
			require.Len(t, plan.Drift, 1)
			if len(c.want.Proposals) == 0 {
				require.Empty(t, plan.Drift[0].Proposals)
				plan.Drift[0].Proposals, c.want.Proposals = nil, nil
			}
			require.Equal(t, people.Plan{Drift: []people.Drift{c.want}}, plan)
		})
	}
}

// Whom somebody lost is kept for them until a person has decided.
func TestAVanishedMappingKeepsItsUser(t *testing.T) {
	newcomer := people.Employee{ID: "e2", Name: "Bar", Active: true, Email: leaUser.Email}
	plan := people.Reconcile(people.Input{
		Employees: []people.Employee{lea, newcomer}, Users: []people.User{leaUser}, Known: []people.Mapping{{EmployeeID: "e1", UserID: 11}},
	})
	require.Empty(t, plan.Create)
	require.Equal(t, people.AlreadyMapped, plan.Exceptions[0].Reason)
	require.Equal(t, "e1", plan.Exceptions[0].Proposals[0].Taken)
}

func TestOneUserForSeveralEmployeesOnlyByWord(t *testing.T) {
	in := people.Input{
		Employees: []people.Employee{lea, {ID: "e2", Name: "Léa (bar)", Active: true}}, Users: []people.User{leaUser},
		Existing: []people.Mapping{{EmployeeID: "e1", UserID: 11, UserActive: true}},
		Answers:  []people.Answer{{EmployeeID: "e2", Kind: people.Map, UserID: 11}},
	}
	require.Equal(t, people.AlreadyMapped, people.Reconcile(in).Exceptions[0].Reason)
	in.ManyPerUser = true
	require.Equal(t, []people.Creation{{EmployeeID: "e2", UserID: 11, By: people.ByUserID}}, people.Reconcile(in).Create)
	in.Employees[1] = employee(func(e *people.Employee) { e.ID = "e2" })
	in.Answers = nil
	require.Empty(t, people.Reconcile(in).Create, "no criterion but a person's word")
}

// Invariant 1: no way of printing shows a person. The check is proven able to
// fail on a struct that does.
func TestPeopleAreNotPrinted(t *testing.T) {
	printed := func(v any) string {
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		return log.String() + fmt.Sprintf("%v %+v %#v %s %q", v, v, v, v, v)
	}
	require.Contains(t, printed(struct{ N string }{"Roy"}), "Roy")
	for _, v := range []any{lea, &lea, leaUser, &leaUser, people.Creation{EmployeeID: "e1", FirstName: "Léa", LastName: "Roy", Email: "lea@", Phone: "555"}} {
		for _, secret := range []string{"Roy", "lea@", "Lea@", "555"} {
			require.NotContains(t, printed(v), secret)
		}
	}
	require.NotContains(t, fmt.Sprintf("%+v", []people.Employee{lea}), "Roy")
}

// aStaff is a random staff on both sides, drawn from few names so that every
// kind of confusion occurs; half of the users are one of the employees.
func aStaff(t *rapid.T) people.Input {
	first := rapid.SampledFrom([]string{"Léa", "Lea", "LÉA", "Jean-François", "JF", "Mike", "Michael", "A", ""})
	last := rapid.SampledFrom([]string{"Roy", "Roy Gagnon", "O'Brien", "OBrien", "ROY", ""})
	email := rapid.SampledFrom([]string{"", "", "", "lea@example.com", "LEA@example.com", "bar@example.com"})
	phone := rapid.SampledFrom([]string{"", "514 555 0101", "+1 514 555 0101", "514 555 0102", "555 0101"})
	var in people.Input
	var twins []people.User
	for i := range rapid.IntRange(0, 6).Draw(t, "employees") {
		twin := people.User{FirstName: first.Draw(t, "first"), LastName: last.Draw(t, "last"), Phone: phone.Draw(t, "phone")}
		twins = append(twins, twin)
		in.Employees = append(in.Employees, people.Employee{
			ID: fmt.Sprint("e", i), Name: twin.FirstName + " " + twin.LastName, Email: email.Draw(t, "email"), Phone: twin.Phone,
			Active: rapid.IntRange(0, 3).Draw(t, "active") > 0, Sold: rapid.Bool().Draw(t, "sold"),
		})
	}
	for i := range rapid.IntRange(0, 6).Draw(t, "users") {
		u := people.User{FirstName: first.Draw(t, "first"), LastName: last.Draw(t, "last"), Phone: phone.Draw(t, "phone")}
		if len(twins) > 0 && rapid.Bool().Draw(t, "twin") {
			u = rapid.SampledFrom(twins).Draw(t, "of")
		}
		u.ID, u.Email, u.Active = int64(10+i), email.Draw(t, "email"), rapid.IntRange(0, 3).Draw(t, "active") > 0
		u.PreferredFirstName = rapid.SampledFrom([]string{"", "", "Mike"}).Draw(t, "preferred")
		in.Users = append(in.Users, u)
	}
	mapping := rapid.Custom(func(t *rapid.T) people.Mapping {
		return people.Mapping{EmployeeID: fmt.Sprint("e", rapid.IntRange(0, 7).Draw(t, "employee")), UserID: int64(rapid.IntRange(10, 16).Draw(t, "user")), UserActive: rapid.Bool().Draw(t, "active")}
	})
	in.Existing = rapid.SliceOfN(mapping, 0, 3).Draw(t, "existing")
	in.Known = rapid.SliceOfN(mapping, 0, 3).Draw(t, "known")
	in.Answers = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) people.Answer {
		return people.Answer{
			EmployeeID: fmt.Sprint("e", rapid.IntRange(0, 7).Draw(t, "employee")), UserID: int64(rapid.IntRange(10, 16).Draw(t, "user")),
			Kind: rapid.SampledFrom([]people.AnswerKind{people.Map, people.Ignore, people.Unmap}).Draw(t, "kind"),
		}
	}), 0, 3).Draw(t, "answers")
	in.ManyPerUser = rapid.Bool().Draw(t, "many per user")
	return in
}

// Every employee is in one list, nobody is proposed or mapped twice, and only
// who is free and active is mapped.
func TestNothingIsPlannedTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := aStaff(t)
		plan := people.Reconcile(in)
		planned := map[string]int{}
		for _, m := range plan.Mapped {
			planned[m.EmployeeID]++
		}
		held := map[int64]bool{}
		for _, m := range in.Existing {
			held[m.UserID] = true
		}
		active := map[int64]bool{}
		for _, u := range in.Users {
			active[u.ID] = u.Active
		}
		for _, c := range plan.Create {
			planned[c.EmployeeID]++
			require.True(t, active[c.UserID])
			if !in.ManyPerUser || c.By != people.ByUserID {
				require.False(t, held[c.UserID], "one user for two employees")
			}
			held[c.UserID] = true
		}
		for _, e := range plan.Exceptions {
			planned[e.EmployeeID]++
			proposed(t, e.Proposals, e.EmployeeID)
		}
		for _, d := range plan.Drift {
			planned[d.EmployeeID]++
			proposed(t, d.Proposals, d.EmployeeID)
		}
		for _, id := range plan.Settled {
			planned[id]++
		}
		require.Len(t, planned, len(in.Employees))
		for id, times := range planned {
			require.Equal(t, 1, times, id)
		}
	})
}

func proposed(t require.TestingT, proposals []people.Proposal, employee string) {
	seen := map[int64]bool{}
	for _, p := range proposals {
		require.False(t, seen[p.UserID], "proposed twice")
		require.NotEqual(t, employee, p.Taken)
		seen[p.UserID] = true
	}
	require.LessOrEqual(t, len(proposals), 5)
}

func TestThePlanDoesNotDependOnTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := aStaff(t)
		want := people.Reconcile(in)
		shuffled := people.Input{
			Employees: rapid.Permutation(in.Employees).Draw(t, "employees"), Users: rapid.Permutation(in.Users).Draw(t, "users"),
			Existing: rapid.Permutation(in.Existing).Draw(t, "existing"), Known: rapid.Permutation(in.Known).Draw(t, "known"),
			Answers: rapid.Permutation(in.Answers).Draw(t, "answers"), ManyPerUser: in.ManyPerUser,
		}
		require.Equal(t, want, people.Reconcile(shuffled))
	})
}

// Who was mapped as planned is fine the next day: a plan carried out leaves
// nothing to create.
func TestAPlanCarriedOutIsFine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := aStaff(t)
		plan := people.Reconcile(in)
		for _, c := range plan.Create {
			in.Existing = append(in.Existing, people.Mapping{EmployeeID: c.EmployeeID, UserID: c.UserID, UserActive: true})
			in.Known = append(in.Known, people.Mapping{EmployeeID: c.EmployeeID, UserID: c.UserID, UserActive: true})
		}
		again := people.Reconcile(in)
		require.Empty(t, again.Create)
		require.Len(t, again.Mapped, len(plan.Mapped)+len(plan.Create))
		require.Len(t, again.Drift, len(plan.Drift))
	})
}

// A thousand employees are one plan, well within a step.
func TestAThousandEmployees(t *testing.T) {
	var in people.Input
	for i := range 1000 {
		in.Employees = append(in.Employees, people.Employee{ID: fmt.Sprint("e", i), Name: fmt.Sprintf("Jean-François Roy%04d", i), Active: true})
		u := people.User{ID: int64(i + 1), FirstName: "Jean-François", LastName: fmt.Sprintf("Roy%04d", i), Active: true}
		if i%2 == 0 {
			u.FirstName = "JF"
		}
		in.Users = append(in.Users, u)
	}
	plan := people.Reconcile(in)
	require.Len(t, plan.Create, 500)
	require.Len(t, plan.Exceptions, 500)
	for _, e := range plan.Exceptions {
		require.Equal(t, []people.Why{people.ShortForm}, e.Proposals[0].Why)
	}
}
