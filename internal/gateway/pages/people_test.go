package pages_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/gateway/pages"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/people"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/words"
)

func TestAllAnswersAreSavedAtOnce(t *testing.T) {
	v := serve(t, nil)
	path := v.path(link.People)
	a := v.open(path)
	require.Less(t, strings.Index(a.body, `value="502"`), strings.Index(a.body, `value="501"`), "proposals come first")
	require.Equal(t, 3, strings.Count(a.body, `value="501"`), "each user once for each employee")
	a = v.send(path, "who.e-1", "502", "who.e-2", "", "who.e-3", "ignore")
	a = v.follow(path, a)
	require.Equal(t, [][]pages.PeopleAnswer{{{EmployeeID: "e-1", Kind: people.Map, UserID: 502}, {EmployeeID: "e-3", Kind: people.Ignore}}}, v.desk.answers)
	require.Contains(t, a.text, "Enregistré : 2 réponses.")
	require.Contains(t, a.text, "1 employé à associer")
	require.Contains(t, a.text, "Associé à Jean-François Tremblay, le 24 novembre 2026")
	require.NotContains(t, v.logged.String(), "Tremblay")

	// What was answered can be changed; what stays is not told again.
	a = v.send(path, "who.e-1", "503", "who.e-2", "501", "who.e-3", "ignore")
	require.Equal(t, http.StatusSeeOther, a.status)
	require.Equal(t, []pages.PeopleAnswer{{EmployeeID: "e-1", Kind: people.Map, UserID: 503}, {EmployeeID: "e-2", Kind: people.Map, UserID: 501}}, v.desk.answers[1])
	a = v.follow(path, a)
	require.Contains(t, a.text, "Vous avez répondu pour tout le monde")
}

func TestAnswersAreCheckedPersonByPerson(t *testing.T) {
	v := serve(t, nil)
	path := in(words.English, v.path(link.People))
	for name, c := range map[string]struct {
		fields []string
		says   string
		link   string
	}{
		"nothing":        {[]string{"who.e-1", "", "who.e-2", ""}, "No answer was chosen", ""},
		"nobody we know": {[]string{"who.e-1", "9999"}, "JF Tremblay: this person is no longer in 7shifts", "person-1"},
		"no number":      {[]string{"who.e-2", "501x"}, "Amelie Cote: this person is no longer in 7shifts", "person-2"},
		"one for two":    {[]string{"who.e-1", "501", "who.e-2", "501"}, "Amélie Côté is chosen for JF Tremblay and for Amelie Cote", "person-2"},
		"a stranger":     {[]string{"who.e-99", "501"}, "No answer was chosen", ""},
	} {
		v.open(path)
		a := v.send(path, c.fields...)
		require.Equal(t, http.StatusUnprocessableEntity, a.status, name)
		require.Contains(t, a.text, c.says, name)
		if c.link != "" {
			require.Contains(t, a.body, `<a href="#`+c.link+`">`, name)
		}
		if name == "one for two" {
			require.Equal(t, 2, strings.Count(a.body, `value="501" selected`), "what was chosen stays")
		}
	}
	require.Zero(t, v.desk.told())

	v.desk.change(func(d *desk) { d.people.ManyPerUser = true })
	require.Equal(t, http.StatusSeeOther, v.send(path, "who.e-1", "501", "who.e-2", "501").status)
	v.desk.change(func(d *desk) { d.telling = pages.ErrUnfit })
	a := v.send(path, "who.e-3", "ignore")
	require.Equal(t, http.StatusConflict, a.status)
	require.Contains(t, a.text, "no longer available in 7shifts")
	require.Regexp(t, `value="ignore" selected`, a.body)
}

// A restaurant of many is one page and one form.
func TestAThousandEmployeesFit(t *testing.T) {
	v := serve(t, nil)
	v.desk.change(func(d *desk) {
		d.people.People = nil
		for i := range 1000 {
			d.people.People = append(d.people.People, pages.Person{EmployeeID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), Name: "Employee " + strconv.Itoa(i), Reason: string(people.NotFound)})
		}
	})
	path := v.path(link.People)
	v.open(path)
	values := v.fill()
	for _, p := range v.desk.people.People {
		values.Set("who."+p.EmployeeID, "ignore")
	}
	a := v.do(http.MethodPost, path, values.Encode(), nil)
	require.Equal(t, http.StatusSeeOther, a.status, a.text)
	require.Len(t, v.desk.answers[0], 1000)
	require.Contains(t, v.follow(path, a).text, "Enregistré : 1 000 réponses.")
}

// Names and secrets do not get out by being printed.
func TestPeopleDoNotPrint(t *testing.T) {
	out := &lines{}
	log := slog.New(slog.NewTextHandler(out, nil))
	things := []any{
		pages.Person{EmployeeID: "1", Name: "Canary"}, pages.User{ID: 1, Name: "Canary"},
		pages.ContactEntry{Name: vault.NewSecret("Canary"), Email: vault.NewSecret("Canary"), By: "lea"}, pages.Revealed{Key: vault.NewSecret("Canary")},
	}
	for _, thing := range things {
		log.Info("x", "thing", thing)
		fmt.Fprintf(out, "%v %+v %#v %s", thing, thing, thing, thing)
	}
	require.NotContains(t, out.String(), "Canary")
	require.Contains(t, out.String(), "employee 1")
}
