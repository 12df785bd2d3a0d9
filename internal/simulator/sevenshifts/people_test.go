package sevenshiftssim_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
)

const (
	users    = "/v2/company/42/users"
	punches  = "/v2/company/42/time_punches"
	mappings = "/v2/company/42/external_user_mappings"
	bulk     = mappings + "_bulk?location_id=501"
)

// staff are two people of the location, one of them inactive.
func (s *stand) staff() (lea, tom int64) {
	lea = s.sim.AddUser(sevenshiftssim.User{CompanyID: 42, Locations: []int64{501}, FirstName: "Léa", LastName: "Roy", Email: "lea@example.com", MobileNumber: "+1 (514) 555-0101"})
	tom = s.sim.AddUser(sevenshiftssim.User{CompanyID: 42, Locations: []int64{501}, FirstName: "Tom", LastName: "Ford", Email: "tom@example.com", Inactive: true})
	return lea, tom
}

// rows reads the data of a list, and the next cursor.
func (s *stand) rows(path string) ([]map[string]any, string) {
	s.Helper()
	status, body := s.do("GET", path, "")
	require.Equal(s, 200, status, body)
	var page struct {
		Data []map[string]any
		Meta struct {
			Cursor struct{ Next *string }
		}
	}
	require.NoError(s, json.Unmarshal([]byte(body), &page))
	if page.Meta.Cursor.Next == nil {
		return page.Data, ""
	}
	return page.Data, *page.Meta.Cursor.Next
}

func TestItRefusesWhatTheAPIRefusesOfPeople(t *testing.T) {
	s := newStand(t, sevenshiftssim.Options{})
	lea, tom := s.staff()
	other := s.sim.AddUser(sevenshiftssim.User{CompanyID: 43, FirstName: "Elsewhere"})
	body := func(external string, user int64) string {
		return fmt.Sprintf(`{"external_user_id":%q,"user_id":%d}`, external, user)
	}
	status, text := s.do("POST", mappings+"?location_id=501", body("e1", lea))
	require.Equal(t, 201, status, text)
	of := mappings + "/ext:e1?location_id=501"
	many := strings.TrimSuffix(strings.Repeat(`{"external_user_id":"e9","user_id":1},`, 101), ",")
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		names              string
	}{
		"a page of 501 users":             {"GET", users + "?limit=501", "", 400, "limit"},
		"users of location and role":      {"GET", users + "?location_id=501&role_id=7", "", 400, "location_id"},
		"users of a status of its own":    {"GET", users + "?status=gone", "", 400, "status"},
		"users since a time":              {"GET", users + "?modified_since=soon", "", 400, "modified_since"},
		"a user of another company":       {"GET", users + fmt.Sprint("/", other), "", 404, ""},
		"punches of a colour":             {"GET", punches + "?colour=red", "", 422, "colour"},
		"punches since a day":             {"GET", punches + "?modified_since=2026-11-04", "", 422, "modified_since"},
		"punches deleted or so":           {"GET", punches + "?deleted=maybe", "", 422, "deleted"},
		"a page of 101 mappings":          {"GET", mappings + "?limit=101", "", 400, "limit"},
		"a second one of the external id": {"POST", mappings + "?location_id=501", body("e1", lea), 409, "external_user_id"},
		"a second one of the user":        {"POST", mappings + "?location_id=501", body("e2", lea), 409, "user_id"},
		"an inactive user":                {"POST", mappings + "?location_id=501", body("e2", tom), 422, "user_id"},
		"a user of somebody else":         {"POST", mappings + "?location_id=501", body("e2", other), 422, "user_id"},
		"no location":                     {"POST", mappings, body("e2", lea), 422, "location_id"},
		"no external id":                  {"POST", mappings + "?location_id=501", body("", lea), 422, "external_user_id"},
		"no user":                         {"POST", mappings + "?location_id=501", `{"external_user_id":"e2"}`, 422, "user_id"},
		"a field of its own":              {"POST", mappings + "?location_id=501", `{"external_user_id":"e2","user_id":1,"status":"ignored"}`, 422, ""},
		"of nobody":                       {"GET", mappings + "/ext:e2?location_id=501", "", 404, ""},
		"of nobody, to change":            {"PUT", mappings + "/ext:e2?location_id=501", `{"user_id":1}`, 404, ""},
		"of nobody, to delete":            {"DELETE", mappings + "/ext:e2?location_id=501", "", 404, ""},
		"by e-mail, to change":            {"PUT", mappings + "/email:lea@example.com?location_id=501", `{"user_id":1}`, 404, ""},
		"to an inactive user":             {"PUT", of, fmt.Sprintf(`{"user_id":%d}`, tom), 422, "user_id"},
		"to no external id":               {"PUT", of, `{"external_user_id":""}`, 422, "external_user_id"},
		"the deprecated path":             {"POST", "/v2/company/42/location/501/external_user_mappings_bulk", `{"data":[]}`, 404, ""},
		"101 at once":                     {"POST", bulk, `{"data":[` + many + `]}`, 422, "data"},
		"nothing at once":                 {"POST", bulk, `{}`, 422, "data"},
		"a phone with spaces":             {"POST", bulk, `{"data":[{"external_user_id":"e2","first_name":"L","last_name":"R","phone_number":"514 555"}]}`, 422, "phone_number"},
		"a phone without names":           {"POST", bulk, `{"data":[{"external_user_id":"e2","phone_number":"5145550101"}]}`, 422, "phone_number"},
		"a bulk of nobody":                {"POST", bulk, `{"data":[{"user_id":1}]}`, 422, "external_user_id"},
		"pools":                           {"GET", "/v2/company/42/tip_pool_settings", "", 403, ""},
		"a report":                        {"GET", "/v2/company/42/locations/501/tip_pool_detailed_report?start_date=2026-11-03&end_date=2026-11-03", "", 403, ""},
	} {
		status, body := s.do(c.method, c.path, c.body)
		require.Equal(t, c.status, status, "%s: %s", name, body)
		if c.names != "" {
			require.Contains(t, body, `"param":"`+c.names+`"`, name)
		}
	}
	require.Equal(t, map[string]int64{"e1": lea}, s.sim.Mappings(501))
	require.Empty(t, s.sim.Violations())
}

// People, roles and punches are never written over the API: whoever tries
// breaks the run.
func TestWritesToPeopleAreViolations(t *testing.T) {
	s := newStand(t, sevenshiftssim.Options{})
	for i, path := range []string{users, users + "/5", "/v2/company/42/roles", "/v2/company/42/departments", punches, punches + "/5"} {
		for _, method := range []string{"POST", "PUT", "DELETE"} {
			status, _ := s.do(method, path, `{}`)
			require.Equal(t, 404, status)
		}
		require.GreaterOrEqual(t, len(s.sim.Violations()), min(i, 3), path)
	}
	require.Len(t, s.sim.Violations(), 12, "four kinds of record, three methods")
}

// The four documented criteria in their order, and what the switches change.
func TestBulkMatching(t *testing.T) {
	type entry = map[string]any
	for name, c := range map[string]struct {
		entry  entry
		change func(*sevenshiftssim.Switches)
		before func(s *stand, lea, tom int64)
		who    string // lea, tom, or nobody
		reason string
	}{
		"user id":                           {entry: entry{"user_id": "lea"}, who: "lea"},
		"user id before e-mail":             {entry: entry{"user_id": "lea", "email": "ann@example.com"}, who: "lea"},
		"full e-mail":                       {entry: entry{"email": "LEA@example.com"}, who: "lea"},
		"part of an e-mail":                 {entry: entry{"email": "lea@example"}, reason: "not_found"},
		"names and mobile phone":            {entry: entry{"first_name": "Léa", "last_name": "Roy", "phone_number": "5145550101"}, who: "lea"},
		"exact names":                       {entry: entry{"first_name": "Léa", "last_name": "Roy"}, who: "lea"},
		"exact names, another phone":        {entry: entry{"first_name": "Léa", "last_name": "Roy", "phone_number": "5145559999"}, who: "lea"},
		"another name, her phone":           {entry: entry{"first_name": "Ann", "last_name": "Roy", "phone_number": "5145550101"}, reason: "not_found"},
		"names without the accent":          {entry: entry{"first_name": "Lea", "last_name": "Roy"}, reason: "not_found"},
		"a user id of nobody, then e-mail":  {entry: entry{"user_id": 999, "email": "lea@example.com"}, who: "lea"},
		"an inactive user":                  {entry: entry{"email": "tom@example.com"}, reason: "not_found"},
		"an inactive user, said so":         {entry: entry{"email": "tom@example.com"}, change: func(w *sevenshiftssim.Switches) { w.BulkReasons = true }, reason: "inactive"},
		"an inactive user, where they may":  {entry: entry{"email": "tom@example.com"}, change: func(w *sevenshiftssim.Switches) { w.InactiveMappable = true }, who: "tom"},
		"two of one name":                   {entry: entry{"first_name": "Léa", "last_name": "Roy"}, before: namesake, reason: "not_found"},
		"two of one name, said so":          {entry: entry{"first_name": "Léa", "last_name": "Roy"}, before: namesake, change: func(w *sevenshiftssim.Switches) { w.BulkReasons = true }, reason: "ambiguous"},
		"two of one name, the first":        {entry: entry{"first_name": "Léa", "last_name": "Roy"}, before: namesake, change: func(w *sevenshiftssim.Switches) { w.BulkPicksFirst = true }, who: "lea"},
		"two of one name, one phone":        {entry: entry{"first_name": "Léa", "last_name": "Roy", "phone_number": "5145550101"}, before: namesake, who: "lea"},
		"a user who has an external id":     {entry: entry{"email": "lea@example.com"}, before: func(s *stand, lea, _ int64) { s.sim.MapByHand(501, "e9", lea) }, reason: "not_found"},
		"the same, said so":                 {entry: entry{"email": "lea@example.com"}, before: func(s *stand, lea, _ int64) { s.sim.MapByHand(501, "e9", lea) }, change: func(w *sevenshiftssim.Switches) { w.BulkReasons = true }, reason: "already_mapped"},
		"the same, where one may have many": {entry: entry{"email": "lea@example.com"}, before: func(s *stand, lea, _ int64) { s.sim.MapByHand(501, "e9", lea) }, change: func(w *sevenshiftssim.Switches) { w.OneMappingPerUser = false }, who: "lea"},
		"an external id of another":         {entry: entry{"email": "lea@example.com"}, before: func(s *stand, _, tom int64) { s.sim.MapByHand(501, "e1", tom) }, reason: "not_found"},
		"the same, overwritten":             {entry: entry{"email": "lea@example.com"}, before: func(s *stand, _, tom int64) { s.sim.MapByHand(501, "e1", tom) }, change: func(w *sevenshiftssim.Switches) { w.BulkOverwrites = true }, who: "lea"},
		"ignored by hand":                   {entry: entry{"email": "lea@example.com"}, before: func(s *stand, _, _ int64) { s.sim.IgnoreByHand(501, "e1") }, who: "lea"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t, sevenshiftssim.Options{})
			lea, tom := s.staff()
			if c.before != nil {
				c.before(s, lea, tom)
			}
			if c.change != nil {
				require.NoError(t, s.sim.Switch(c.change))
			}
			before := s.sim.Mappings(501)["e1"]
			c.entry["external_user_id"] = "e1"
			if c.entry["user_id"] == "lea" {
				c.entry["user_id"] = lea
			}
			body, err := json.Marshal(map[string]any{"data": []entry{c.entry}})
			require.NoError(t, err)
			status, text := s.do("POST", bulk, string(body))
			require.Equal(t, 200, status, text)
			if c.who == "" {
				require.Contains(t, text, `"exceptions":[{"external_user_id":"e1","reason":"`+c.reason+`"}]`)
				require.Equal(t, before, s.sim.Mappings(501)["e1"])
				return
			}
			who := map[string]int64{"lea": lea, "tom": tom}[c.who]
			require.Contains(t, text, fmt.Sprintf(`"mapped":[{"external_user_id":"e1","user_id":%d}]`, who))
			require.Equal(t, who, s.sim.Mappings(501)["e1"])
		})
	}
}

// namesake is a second person of Léa's name.
func namesake(s *stand, _, _ int64) {
	s.sim.AddUser(sevenshiftssim.User{CompanyID: 42, Locations: []int64{501}, FirstName: "Léa", LastName: "Roy"})
}

// One that cannot be mapped stops no other, and the same again is harmless.
func TestABulkCallIsDoneAsFarAsItGoes(t *testing.T) {
	s := newStand(t, sevenshiftssim.Options{})
	lea, _ := s.staff()
	ann := s.sim.AddUser(sevenshiftssim.User{CompanyID: 42, Locations: []int64{501}, FirstName: "Ann", LastName: "Lee"})
	body := `{"data":[{"external_user_id":"e1","first_name":"Léa","last_name":"Roy"},{"external_user_id":"e2"},{"external_user_id":"e3","first_name":"Ann","last_name":"Lee"}]}`
	for range 2 {
		status, text := s.do("POST", bulk, body)
		require.Equal(t, 200, status)
		require.JSONEq(t, fmt.Sprintf(`{"object":"external_user_mappings","data":{
			"mapped":[{"external_user_id":"e1","user_id":%d},{"external_user_id":"e3","user_id":%d}],"exceptions":[{"external_user_id":"e2","reason":"not_found"}]}}`, lea, ann), text)
	}
	rows, _ := s.rows(mappings + "?location_id=501")
	require.Len(t, rows, 2)
	status, text := s.do("POST", bulk, `{"data":[]}`)
	require.Equal(t, 200, status, text)
}

// Complaints 16 and 18: who is deactivated loses the mapping, and gets it back
// only by mapping again.
func TestDeactivationDropsTheMapping(t *testing.T) {
	s := newStand(t, sevenshiftssim.Options{})
	lea, _ := s.staff()
	s.sim.MapByHand(501, "e1", lea)
	require.True(t, s.sim.Deactivate(lea))
	require.False(t, s.sim.Deactivate(lea))
	require.Empty(t, s.sim.Mappings(501))
	active, _ := s.rows(users + "?location_id=501&status=active")
	require.Empty(t, active)
	require.True(t, s.sim.Reactivate(lea))
	require.False(t, s.sim.Reactivate(lea))
	require.Empty(t, s.sim.Mappings(501))

	require.NoError(t, s.sim.Switch(func(w *sevenshiftssim.Switches) { w.DeactivationKeepsMapping = true }))
	s.sim.MapByHand(501, "e1", lea)
	require.True(t, s.sim.Deactivate(lea))
	rows, _ := s.rows(mappings + "?location_id=501")
	require.Equal(t, false, rows[0]["user_active"])
}

func TestMappingsByHand(t *testing.T) {
	s := newStand(t, sevenshiftssim.Options{})
	lea, tom := s.staff()
	s.sim.MapByHand(501, "e1", lea)
	s.sim.MapByHand(501, "e1", tom)
	rows, _ := s.rows(mappings + "?location_id=501&external_user_id=e1")
	require.Len(t, rows, 1)
	require.EqualValues(t, tom, rows[0]["user_id"])
	require.Equal(t, "7shifts", rows[0]["application_name"])
	s.sim.IgnoreByHand(501, "e1")
	rows, _ = s.rows(mappings + "?location_id=501")
	require.Empty(t, rows, "the API has no field for ignored")
	s.sim.UnmapByHand(501, "e1")
	require.Empty(t, s.sim.Mappings(501))

	s.sim.MapByHand(501, "e2", lea)
	status, body := s.do("GET", mappings+fmt.Sprintf("/%d?location_id=501", lea), "")
	require.Equal(t, 200, status, body)
	status, body = s.do("PUT", mappings+"/ext:e2?location_id=501", `{"external_user_id":"e3"}`)
	require.Equal(t, 200, status, body)
	require.Equal(t, map[string]int64{"e3": lea}, s.sim.Mappings(501))
	status, body = s.do("DELETE", mappings+"/email:Lea@example.com?location_id=501", "")
	require.Equal(t, 204, status, body)
	require.Empty(t, body)
}

func TestListsOfPeople(t *testing.T) {
	s := newStand(t, sevenshiftssim.Options{})
	lea, tom := s.staff()
	in := time.Date(2026, time.November, 3, 22, 0, 0, 0, time.UTC)
	for i := range 5 {
		s.sim.AddPunch(sevenshiftssim.Punch{UserID: lea, LocationID: 501, RoleID: int64(i % 2), In: in.Add(time.Duration(i) * time.Hour), Approved: i == 0})
	}
	all, next := s.rows(users + "?limit=1")
	require.Len(t, all, 1)
	require.EqualValues(t, lea, all[0]["id"])
	require.Nil(t, all[0]["preferred_first_name"])
	all, next = s.rows(users + "?limit=1&cursor=" + next)
	require.EqualValues(t, tom, all[0]["id"])
	require.Empty(t, next)
	seen, cursor := 0, ""
	for {
		rows, next := s.rows(punches + "?location_id=501&limit=2&cursor=" + cursor)
		seen += len(rows)
		if cursor = next; cursor == "" {
			break
		}
	}
	require.Equal(t, 5, seen)
	for query, want := range map[string]int{
		"role_id=0": 3, "user_id=7": 0, "approved=true": 1, "approved=false": 4, "approved=null": 5, "location_id=502": 0,
		"clocked_in[gte]=2026-11-03T23:00:00Z&clocked_in[lte]=2026-11-04T00:00:00Z":                           2,
		"clocked_in[gte]=2026-11-03T17:00:00Z&clocked_in[lte]=2026-11-03T17:30:00Z&localize_search_time=true": 1,
		"clocked_out[lte]=2030-01-01T00:00:00Z":                                                               0,
	} {
		rows, _ := s.rows(punches + "?" + strings.NewReplacer("[", "%5B", "]", "%5D").Replace(query))
		require.Len(t, rows, want, query)
	}
	for i := range 20 {
		s.sim.AddPunch(sevenshiftssim.Punch{UserID: tom, LocationID: 501, In: in.Add(time.Duration(i) * time.Hour)})
	}
	rows, _ := s.rows(punches)
	require.Len(t, rows, 20, "the documented page")
}

// What is known of people survives a restart, with its ids and dates.
func TestPeopleSurviveARestart(t *testing.T) {
	file := t.TempDir() + "/state.jsonl"
	switches := sevenshiftssim.Defaults()
	switches.PerSecond, switches.TipPools = 0, true
	o := sevenshiftssim.Options{StateFile: file, Switches: &switches}
	s := newStand(t, o)
	lea, tom := s.staff()
	role := s.sim.AddRole(sevenshiftssim.Role{CompanyID: 42, LocationID: 501, Name: "Server"})
	s.sim.AddDepartment(sevenshiftssim.Department{CompanyID: 42, LocationID: 501, Name: "Bar"})
	punch := s.sim.AddPunch(sevenshiftssim.Punch{UserID: lea, RoleID: role, LocationID: 501, In: now, Breaks: []sevenshiftssim.Break{{In: now}}})
	s.sim.AddTipPool(sevenshiftssim.TipPool{CompanyID: 42, LocationID: 501, Name: "House"})
	s.sim.MapByHand(501, "e1", lea)
	s.sim.MapByHand(501, "e2", tom)
	s.sim.UnmapByHand(501, "e2")
	s.sim.IgnoreByHand(501, "e3")
	require.True(t, s.sim.Reactivate(tom))
	require.True(t, s.sim.Deactivate(tom))
	look := func(s *stand) []string {
		var seen []string
		for _, path := range []string{users, "/v2/company/42/roles", "/v2/company/42/departments", punches, mappings, "/v2/company/42/tip_pool_settings"} {
			_, body := s.do("GET", path, "")
			seen = append(seen, body)
		}
		_, page := s.do("GET", "/people/501", "")
		return append(seen, page)
	}
	before := look(s)
	require.NoError(t, s.sim.Close())
	again := newStand(t, o)
	require.Equal(t, before, look(again))
	require.Len(t, again.sim.Punches(501), 1)
	require.Len(t, again.sim.Users(501), 2)
	again.sim.AddPunch(sevenshiftssim.Punch{ID: punch, UserID: lea, RoleID: role, LocationID: 501, In: now, Out: now.Add(time.Hour)})
	require.Greater(t, again.sim.AddUser(sevenshiftssim.User{CompanyID: 42}), punch, "ids go on")
	st := again.sim.State()
	require.Equal(t, []int{3, 1, 1}, []int{st.Users, st.Punches, st.Mappings})
}
