package people_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/partner/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/people"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
)

const (
	company = 42
	place   = 501
)

// office is a simulated 7shifts and the client that talks to it, without a
// network.
type office struct {
	sim    *sevenshiftssim.Sim
	client *sevenshifts.Client
}

// RoundTrip implements http.RoundTripper.
func (o *office) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if r = r.Clone(r.Context()); r.Body == nil {
		r.Body = http.NoBody // as a server gets it
	}
	o.sim.ServeHTTP(w, r)
	return w.Result(), nil
}

func newOffice(in people.Input) *office {
	switches := sevenshiftssim.Defaults()
	switches.PerSecond, switches.OneMappingPerUser = 0, !in.ManyPerUser
	o := &office{sim: sevenshiftssim.New(sevenshiftssim.Options{Switches: &switches})}
	o.client = sevenshifts.NewClient(sevenshifts.Defaults(), "token", o)
	o.sim.AddCompany(sevenshiftssim.Company{ID: company})
	o.sim.AddLocation(sevenshiftssim.Location{ID: place, CompanyID: company})
	o.sim.AddToken(sevenshiftssim.Token{Value: "token", Companies: []int64{company}})
	for _, u := range in.Users {
		o.sim.AddUser(sevenshiftssim.User{
			ID: u.ID, CompanyID: company, Locations: []int64{place}, FirstName: u.FirstName, LastName: u.LastName,
			PreferredFirstName: u.PreferredFirstName, PreferredLastName: u.PreferredLastName, Email: u.Email, MobileNumber: u.Phone, Inactive: !u.Active,
		})
	}
	for _, m := range in.Existing {
		o.sim.MapByHand(place, m.EmployeeID, m.UserID)
	}
	return o
}

// read replaces users and mappings by what 7shifts shows of them.
func (o *office) read(t require.TestingT, in people.Input) people.Input {
	users, err := o.client.Users(context.Background(), company, place)
	require.NoError(t, err)
	in.Users = nil
	for _, u := range users {
		in.Users = append(in.Users, people.User{
			ID: u.ID, FirstName: u.FirstName, LastName: u.LastName, PreferredFirstName: u.PreferredFirstName, PreferredLastName: u.PreferredLastName,
			Email: u.Email, Phone: u.MobileNumber, Active: u.Active,
		})
	}
	mappings, err := o.client.Mappings(context.Background(), company, place)
	require.NoError(t, err)
	in.Existing = nil
	for _, m := range mappings {
		in.Existing = append(in.Existing, people.Mapping{EmployeeID: m.ExternalUserID, UserID: m.UserID, UserActive: m.UserActive})
	}
	return in
}

// carryOut sends what is to be created, a hundred at a time, and requires that
// 7shifts answers with the users that were planned.
func (o *office) carryOut(t require.TestingT, plan people.Plan) {
	for batch := range slices.Chunk(plan.Create, sevenshifts.MaxBulk) {
		var entries []sevenshifts.BulkEntry
		var want []sevenshifts.BulkMapped
		for _, c := range batch {
			entry := sevenshifts.BulkEntry{ExternalUserID: c.EmployeeID, Email: c.Email, FirstName: c.FirstName, LastName: c.LastName, Phone: c.Phone}
			if c.By == people.ByUserID {
				entry.UserID = c.UserID
			}
			entries, want = append(entries, entry), append(want, sevenshifts.BulkMapped{ExternalUserID: c.EmployeeID, UserID: c.UserID})
		}
		result, err := o.client.BulkMap(context.Background(), company, place, entries)
		require.NoError(t, err)
		require.Equal(t, sevenshifts.BulkResult{Mapped: want}, result)
	}
}

// What is planned to be created is what 7shifts' own matching makes of it: the
// simulator, which shares no code with the plan, maps everybody to whom the
// plan said.
func TestWhatIsPlannedIsWhat7shiftsMatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		staff := aStaff(t)
		o := newOffice(staff)
		in := o.read(t, staff)
		plan := people.Reconcile(in)
		o.carryOut(t, plan)
		after := people.Reconcile(o.read(t, in))
		require.Empty(t, after.Create)
		require.Equal(t, plan.Settled, after.Settled)
		require.Empty(t, o.sim.Violations())
	})
}

// One person for each of the four criteria.
func TestEachCriterionIsOneOf7shifts(t *testing.T) {
	in := people.Input{
		Employees: []people.Employee{
			{ID: "e1", Name: "Bar", Active: true}, {ID: "e2", Name: "Cash", Active: true, Email: "tom@example.com"},
			{ID: "e3", Name: "Léa Roy", Active: true, Phone: "514-555-0103"}, {ID: "e4", Name: "Marie Claude St-Onge", Active: true},
		},
		Users: []people.User{
			{ID: 11, FirstName: "Ann", LastName: "Lee", Active: true}, {ID: 12, FirstName: "Tom", LastName: "Ford", Email: "Tom@Example.com", Active: true},
			{ID: 13, FirstName: "Léa", LastName: "Roy", Phone: "+1 514 555 0103", Active: true}, {ID: 14, FirstName: "Léa", LastName: "Roy", Active: true},
			{ID: 15, FirstName: "Marie Claude", LastName: "St-Onge", Active: true},
		},
		Answers: []people.Answer{{EmployeeID: "e1", Kind: people.Map, UserID: 11}},
	}
	o := newOffice(in)
	plan := people.Reconcile(o.read(t, in))
	var by []people.Criterion
	for _, c := range plan.Create {
		by = append(by, c.By)
	}
	require.Equal(t, []people.Criterion{people.ByUserID, people.ByEmail, people.ByNamesAndPhone, people.ByNames}, by)
	o.carryOut(t, plan)
	require.Equal(t, map[string]int64{"e1": 11, "e2": 12, "e3": 13, "e4": 15}, o.sim.Mappings(place))
}

// Batches of 0, 1, 100, 101 and 1,000 employees.
func TestBatchesOfEmployees(t *testing.T) {
	for _, n := range []int{0, 1, 100, 101, 1000} {
		var in people.Input
		for i := range n {
			in.Employees = append(in.Employees, people.Employee{ID: fmt.Sprint("e", i), Name: fmt.Sprint("Léa Roy", i), Active: true})
			in.Users = append(in.Users, people.User{ID: int64(i + 1), FirstName: "Léa", LastName: fmt.Sprint("Roy", i), Active: true})
		}
		o := newOffice(in)
		plan := people.Reconcile(o.read(t, in))
		require.Len(t, plan.Create, n)
		o.carryOut(t, plan)
		require.Len(t, o.sim.Mappings(place), n)
	}
}
