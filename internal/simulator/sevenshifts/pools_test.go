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

// ring sends a receipt of 10.00 with 2.00 of tips on cards and 1.00 of
// gratuity, dated by the venue's clock on 3 November 2026.
func (s *stand) ring(id, external, clock string) {
	s.Helper()
	when, err := time.Parse("15:04:05", clock)
	require.NoError(s, err)
	zone, err := time.LoadLocation("America/Toronto")
	require.NoError(s, err)
	date := time.Date(2026, time.November, 3, when.Hour(), when.Minute(), when.Second(), 0, zone)
	status, body := s.do("POST", receipts, fmt.Sprintf(`{"receipt_id":%q,"location_id":501,"receipt_date":%q,"net_total":1000,"status":"closed","receipt_lines":[],
		"tip_details":[{"type":"total","value":200},{"type":"gratuity","value":100}],"tips":300,"external_user_id":%q}`, id, date.UTC().Format(time.RFC3339), external))
	require.Equal(s, 202, status, body)
}

// shift is a punch by the venue's clock on 3 November 2026; an empty end leaves
// it open.
func (s *stand) shift(user, role int64, from, to string) int64 {
	s.Helper()
	zone, err := time.LoadLocation("America/Toronto")
	require.NoError(s, err)
	p := sevenshiftssim.Punch{UserID: user, RoleID: role, LocationID: 501}
	p.In, err = time.ParseInLocation("2006-01-02 15:04", "2026-11-03 "+from, zone)
	require.NoError(s, err)
	if to != "" {
		p.Out, err = time.ParseInLocation("2006-01-02 15:04", "2026-11-03 "+to, zone)
		require.NoError(s, err)
	}
	return s.sim.AddPunch(p)
}

func newPoolStand(t *testing.T, change func(*sevenshiftssim.Switches)) *stand {
	t.Helper()
	switches := sevenshiftssim.Defaults()
	switches.PerSecond, switches.TipPools = 0, true
	if change != nil {
		change(&switches)
	}
	return newStand(t, sevenshiftssim.Options{Switches: &switches})
}

func (s *stand) why(id string) (why string, punch int64) {
	for _, row := range s.sim.PoolRows(501, "2026-11-01", "2026-11-30") {
		if row.Receipt == id {
			return row.Why, row.PunchID
		}
	}
	s.Fatalf("receipt %s is in no workday", id)
	return "", 0
}

func TestWhatBecomesOfAReceipt(t *testing.T) {
	s := newPoolStand(t, nil)
	lea, tom := s.staff()
	s.sim.MapByHand(501, "e1", lea)
	s.sim.MapByHand(501, "e2", tom)
	s.sim.IgnoreByHand(501, "e3")
	evening := s.shift(lea, 7, "17:00", "23:00")
	noRole := s.shift(lea, 0, "10:00", "12:00")
	open := s.shift(lea, 7, "23:30", "")
	for clock, want := range map[string]struct {
		external, why string
		punch         int64
	}{
		"20:00:00": {"e1", "", evening},
		"17:00:00": {"e1", "", evening},
		"23:00:00": {"e1", "not clocked in", 0},
		"16:59:59": {"e1", "not clocked in", 0},
		"11:00:00": {"e1", "punch without role", noRole},
		"23:45:00": {"e1", "open punch", open},
		"20:00:01": {"", "no employee", 0},
		"20:00:02": {"e9", "unmapped", 0},
		"20:00:03": {"e3", "ignored", 0},
		"20:00:04": {"e2", "inactive", 0},
	} {
		s.ring(clock, want.external, clock)
		why, punch := s.why(clock)
		require.Equal(t, want.why, why, clock)
		require.Equal(t, want.punch, punch, clock)
	}
	require.NoError(t, s.sim.Switch(func(w *sevenshiftssim.Switches) { w.PoolOutInclusive, w.PoolOpenCounts = true, true }))
	for _, clock := range []string{"23:00:00", "23:45:00"} {
		why, _ := s.why(clock)
		require.Empty(t, why)
	}
	require.NoError(t, s.sim.Switch(func(w *sevenshiftssim.Switches) { w.PoolApprovedOnly = true }))
	why, _ := s.why("20:00:00")
	require.Equal(t, "punch not approved", why)
	require.NoError(t, s.sim.Switch(func(w *sevenshiftssim.Switches) { w.PoolApprovedOnly = false }))
	s.sim.MapByHand(501, "e3", lea)
	why, _ = s.why("20:00:03")
	require.Empty(t, why, "mapping it takes the mark of being ignored away")
	// A voided receipt is nobody's, and in no pool.
	status, _ := s.do("PUT", receipts+"/ext:501:20:00:00", `{"net_total":0,"status":"voided","tips":0,"tip_details":[]}`)
	require.Equal(t, 202, status)
	require.Len(t, s.sim.PoolRows(501, "2026-11-03", "2026-11-03"), 9)
}

// The workday goes from 05:00 to 05:00, and what a pool takes it gives, to the
// cent.
func TestReportsOfAPool(t *testing.T) {
	s := newPoolStand(t, nil)
	lea, _ := s.staff()
	ann := s.sim.AddUser(sevenshiftssim.User{CompanyID: 42, Locations: []int64{501}, FirstName: "Ann", LastName: "Lee", EmployeeID: "p7"})
	bob := s.sim.AddUser(sevenshiftssim.User{CompanyID: 42, Locations: []int64{501}, FirstName: "Bob", LastName: "Kay"})
	server, cook := s.sim.AddRole(sevenshiftssim.Role{CompanyID: 42, LocationID: 501, Name: "Server"}), s.sim.AddRole(sevenshiftssim.Role{CompanyID: 42, LocationID: 501, Name: "Cook"})
	s.sim.MapByHand(501, "e1", lea)
	served := s.shift(lea, server, "17:00", "23:00")
	s.shift(ann, cook, "16:00", "23:00")
	s.shift(bob, 0, "18:00", "20:00")
	s.ring("A1-1", "e1", "20:00:00")
	s.ring("A1-2", "", "21:00:00")
	s.ring("A1-3", "", "04:59:59") // the workday before
	pool := s.sim.AddTipPool(sevenshiftssim.TipPool{CompanyID: 42, LocationID: 501, Name: "House", UnassignedPercent: 33, Stakes: []sevenshiftssim.Stake{
		{RoleID: server, Amount: 11}, {RoleID: server, Receives: true, Amount: 50}, {RoleID: cook, Receives: true, Amount: 50},
	}})
	s.sim.AddTipPool(sevenshiftssim.TipPool{CompanyID: 42, LocationID: 501, Name: "Off", Disabled: true})
	report := func(kind, query string) (int, string) {
		return s.do("GET", "/v2/company/42/locations/501/tip_pool_"+kind+"_report?"+query, "")
	}
	status, body := report("detailed", "start_date=2026-11-03&end_date=2026-11-03")
	require.Equal(t, 200, status, body)
	var detail struct {
		Data struct {
			Rows []struct {
				Date  string
				Pools []struct {
					UUID       string           `json:"tip_pool_uuid"`
					Assigned   []map[string]any `json:"assigned_tips"`
					Unassigned []map[string]any `json:"unassigned_tips"`
				} `json:"tip_pools"`
			} `json:"report_rows"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &detail))
	require.Len(t, detail.Data.Rows, 1)
	require.Len(t, detail.Data.Rows[0].Pools, 1)
	day := detail.Data.Rows[0].Pools[0]
	require.Equal(t, pool, day.UUID)
	require.Len(t, day.Assigned, 2)
	first := day.Assigned[0]
	require.EqualValues(t, served, first["time_punch_id"])
	require.Equal(t, []any{"Léa", "Server", 1000.0, 200.0, 100.0, 6.0, 33.0, 61.0}, []any{
		first["first_name"], first["role_name"], first["net_sales"], first["cc_tips"], first["auto_grat_tips"], first["hours_worked"], first["tip_in"], first["tip_out"],
	}, "6 of 13 hours of 33 and 99 cents")
	require.EqualValues(t, 71, day.Assigned[1]["tip_out"])
	require.Len(t, day.Unassigned, 2, "nobody's, and who clocked in without a role")
	require.EqualValues(t, 1000, day.Unassigned[0]["net_sales"])
	require.EqualValues(t, 99, day.Unassigned[0]["tip_in"])
	require.Equal(t, "Bob", day.Unassigned[1]["first_name"])

	status, body = report("summary", "start_date=2026-11-02&end_date=2026-11-03&tip_pool_uuid="+pool)
	require.Equal(t, 200, status, body)
	require.Contains(t, body, `"employee_id":"p7"`)
	require.Contains(t, body, `"unassigned_tips":{"auto_grat_tips":200,`, "with the receipt of 04:59:59")
	require.Contains(t, body, `"total":{"hours_worked":15,"tip_in":231,"tip_out":132}`, "nobody worked on the workday before, so its 99 cents wait")

	// Complaint 16: who is deactivated is dropped from past reports too.
	require.True(t, s.sim.Deactivate(lea))
	_, body = report("detailed", "start_date=2026-11-03&end_date=2026-11-03")
	require.NotContains(t, body, "Léa")
	require.Contains(t, body, `"net_sales":2000`)
	for query, want := range map[string]int{
		"start_date=2026-11-03": 400, "start_date=2026-11-03&end_date=2026-11-02": 400, "start_date=2026-11-03&end_date=2026-11-03&tip_pool_uuid=none": 404,
		"start_date=2026-11-03&end_date=2026-11-03&day_part_uuid=none": 404, "start_date=2026-11-03&end_date=2026-11-03&colour=red": 400,
	} {
		status, _ = report("detailed", query)
		require.Equal(t, want, status, query)
	}
}

// However a pool shares out, nothing is lost.
func TestPoolsShareOutWhatTheyTake(t *testing.T) {
	for _, distribution := range []string{"HOURS_WORKED", "POINTS", "ROLE_PERCENT_HOURS_WORKED"} {
		s := newPoolStand(t, nil)
		lea, _ := s.staff()
		s.sim.MapByHand(501, "e1", lea)
		s.shift(lea, 7, "17:00", "23:00")
		s.shift(lea, 8, "10:00", "11:00")
		s.shift(lea, 9, "12:00", "14:20")
		s.ring("A1-1", "e1", "20:00:00")
		s.sim.AddTipPool(sevenshiftssim.TipPool{CompanyID: 42, LocationID: 501, Name: "House", Distribution: distribution, Sources: []string{"CREDIT_CARD"}, Stakes: []sevenshiftssim.Stake{
			{RoleID: 7, Amount: 50}, {RoleID: 7, Receives: true, Amount: 10}, {RoleID: 8, Receives: true, Amount: 60}, {RoleID: 9, Receives: true, Amount: 30},
		}})
		_, body := s.do("GET", "/v2/company/42/locations/501/tip_pool_summary_report?start_date=2026-11-03&end_date=2026-11-03", "")
		require.Contains(t, body, `"tip_in":100,"tip_out":100}`, distribution)
	}
}

func TestPagesOfPeople(t *testing.T) {
	s := newPoolStand(t, nil)
	lea, _ := s.staff()
	s.sim.MapByHand(501, "e1", lea)
	s.sim.IgnoreByHand(501, "ghost")
	s.shift(lea, 0, "17:00", "")
	s.ring("A1-1", "e9", "20:00:00")
	s.sim.AddTipPool(sevenshiftssim.TipPool{CompanyID: 42, LocationID: 501, Name: "House"})
	for path, wants := range map[string][]string{
		"/people/501":             {"Léa Roy", "mapped", "ignored", "unmapped", "lea@example.com"},
		"/punches/501/2026-11-03": {"Léa Roy", "17:00 EST", "none", "open"},
		"/tips/501/2026-11-03":    {"House", "unassigned", "A1-1", "unmapped", "10.00"},
		"/tips/501/2026-11-04":    {"Every receipt of this day is somebody"},
	} {
		status, page := s.do("GET", path, "")
		require.Equal(t, 200, status, path)
		for _, want := range wants {
			require.Contains(t, page, want, path)
		}
		require.Equal(t, 1, strings.Count(page, "</html>"), path)
	}
	for _, path := range []string{"/people/7", "/punches/501/yesterday", "/tips/7/2026-11-03"} {
		status, _ := s.do("GET", path, "")
		require.Equal(t, 404, status, path)
	}
}
