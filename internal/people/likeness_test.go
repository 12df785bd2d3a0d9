package people_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/people"
)

// What is not exact is proposed with its reason, and never mapped.
func TestProposals(t *testing.T) {
	for name, c := range map[string]struct {
		till                 string
		first, last, preferr string
		why                  people.Why
	}{
		"case":                        {"LÉA ROY", "Léa", "Roy", "", people.LetterCase},
		"accents":                     {"Lea Roy", "Léa", "Roy", "", people.Accents},
		"accents and case":            {"LEA ROY", "Léa", "Roy", "", people.Accents},
		"ligature":                    {"Coeur Roy", "Cœur", "Roy", "", people.Accents},
		"hyphen":                      {"Jean Francois Roy", "Jean-François", "Roy", "", people.Punctuation},
		"apostrophe":                  {"Aoife OBrien", "Aoife", "O'Brien", "", people.Punctuation},
		"typographic apostrophe":      {"Aoife O’Brien", "Aoife", "O'Brien", "", people.Punctuation},
		"hyphen in the last name":     {"Léa St Onge", "Léa", "St-Onge", "", people.Punctuation},
		"split elsewhere in 7shifts":  {"Léa", "Lé", "a", "", people.Punctuation},
		"preferred name":              {"Leo Roy", "Eleonore", "Roy", "Léo", people.Preferred},
		"Alex":                        {"Alex Roy", "Alexandre", "Roy", "", people.ShortForm},
		"Sandra":                      {"Sandra Roy", "Alexandra", "Roy", "", people.ShortForm},
		"Mike":                        {"Mike Roy", "Michaël", "Roy", "", people.ShortForm},
		"Michel at the till":          {"Michel Roy", "Mike", "Roy", "", people.ShortForm},
		"JF":                          {"JF Roy", "Jean-François", "Roy", "", people.ShortForm},
		"J.-F.":                       {"J.-F. Roy", "Jean-François", "Roy", "", people.ShortForm},
		"Marie-Claude as MC":          {"Marie-Claude Roy", "MC", "Roy", "", people.ShortForm},
		"Marie for Marie-Claude":      {"Marie Roy", "Marie-Claude", "Roy", "", people.ShortForm},
		"Liz":                         {"Liz Roy", "Elizabeth", "Roy", "", people.ShortForm},
		"Beth and Élisabeth":          {"Beth Roy", "Élisabeth", "Roy", "", people.ShortForm},
		"Max":                         {"Max Roy", "Maxime", "Roy", "", people.ShortForm},
		"short form of the preferred": {"Mike Roy", "Xavier", "Roy", "Michael", people.ShortForm},
		"last name first":             {"Roy Léa", "Léa", "Roy", "", people.Reversed},
		"initial of the first name":   {"L. Roy", "Léa", "Roy", "", people.Initial},
		"initial of the last name":    {"Léa R", "Léa", "Roy", "", people.Initial},
		"first name only":             {"Léa", "Léa", "Roy", "", people.FirstOnly},
		"short first name only":       {"Mike", "Michael", "Roy", "", people.FirstOnly},
	} {
		t.Run(name, func(t *testing.T) {
			plan := people.Reconcile(people.Input{
				Employees: []people.Employee{{ID: "e1", Name: c.till, Active: true}},
				Users:     []people.User{{ID: 11, FirstName: c.first, LastName: c.last, PreferredFirstName: c.preferr, Active: true}},
			})
			require.Empty(t, plan.Create, "only by a person's word")
			require.Equal(t, []people.Exception{{EmployeeID: "e1", Reason: people.NotFound, Proposals: []people.Proposal{
				{UserID: 11, Why: []people.Why{c.why}, Active: true},
			}}}, plan.Exceptions)
		})
	}
}

func TestWhoIsSomebodyElse(t *testing.T) {
	for till, user := range map[string][2]string{
		"Léa Roy":         {"Tom", "Roy"},
		"Mike Roy":        {"Michael", "Ford"},
		"Al Roy":          {"Alain", "Roy"},
		"Paul Roy":        {"Pierre", "Roy"},
		"":                {"Léa", "Roy"},
		"!!":              {"", ""},
		"Takeout":         {"Tom", "Takeda"},
		"Christine Roy":   {"Valentina", "Roy"},
		"Jean Roy":        {"Jo", "Roy"},
		"Marie-Claude Ro": {"MJ", "Ro"},
	} {
		plan := people.Reconcile(people.Input{
			Employees: []people.Employee{{ID: "e1", Name: till, Active: true}},
			Users:     []people.User{{ID: 11, FirstName: user[0], LastName: user[1], Active: true}},
		})
		require.Equal(t, []people.Exception{{EmployeeID: "e1", Reason: people.NotFound, Proposals: nil}}, plan.Exceptions, till)
	}
}

// The likeliest is first, and five are enough.
func TestProposalsAreOrdered(t *testing.T) {
	users := []people.User{
		{ID: 1, FirstName: "Léa", LastName: "Royer", Active: true}, // nobody
		{ID: 2, FirstName: "L", LastName: "Roy", Active: true},
		{ID: 3, FirstName: "Lea", LastName: "Roy", Active: false},
		{ID: 4, FirstName: "Lea", LastName: "Roy", Active: true},
		{ID: 5, FirstName: "Tom", LastName: "Ford", Phone: "514-555-0101", Active: true},
		{ID: 6, FirstName: "Tom", LastName: "Ford", Email: "lea@example.com"},
		{ID: 7, FirstName: "Roy", LastName: "Léa", Active: true},
		{ID: 8, FirstName: "Lea", LastName: "Roy", Active: true},
	}
	plan := people.Reconcile(people.Input{
		Employees: []people.Employee{lea, {ID: "e2", Name: "x", Active: true}}, Users: users,
		Existing: []people.Mapping{{EmployeeID: "e2", UserID: 4, UserActive: true}},
	})
	require.Len(t, plan.Exceptions, 1)
	require.Equal(t, people.InactiveUser, plan.Exceptions[0].Reason)
	var order []int64
	for _, p := range plan.Exceptions[0].Proposals {
		order = append(order, p.UserID)
	}
	require.Equal(t, []int64{6, 5, 8, 4, 3}, order)
}

func TestPhonesInDigits(t *testing.T) {
	for text, want := range map[string]string{
		"(514) 555-0101": "5145550101", "+1 514 555 0101": "5145550101", "1-514-555-0101": "5145550101", "5145550101": "5145550101",
		"514.555.0101 poste 12": "5145550101", "514-555-0101 ext. 4": "5145550101", "514 555-0101 x4": "5145550101", "514 555-0101 #4": "5145550101",
		"011 33 6 12 34 56 78": "33612345678", "+33 6 12 34 56 78": "33612345678", "0033612345678": "33612345678",
		"555-0101": "", "": "", "n/a": "", "+1 555 0101": "", "123456789012345678": "", "+123456789012345678": "", "001 514 555 0101": "5145550101",
	} {
		require.Equal(t, want, people.Phone(text), text)
	}
}
