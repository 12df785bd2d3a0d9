package tips_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/partner/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/sale"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/tips"
)

const (
	company = 42
	place   = 501
)

// venue is a simulated 7shifts that holds a week, and the client that reads it.
type venue struct {
	week
	sim    *sevenshiftssim.Sim
	client *sevenshifts.Client
	users  []int64
}

// RoundTrip implements http.RoundTripper without a network.
func (v *venue) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if r = r.Clone(r.Context()); r.Body == nil {
		r.Body = http.NoBody // as a server gets it
	}
	v.sim.ServeHTTP(w, r)
	return w.Result(), nil
}

func newVenue(t require.TestingT, w week) *venue {
	switches := sevenshiftssim.Defaults()
	switches.PerSecond, switches.TipPools = 0, true
	switches.PoolOutInclusive, switches.PoolOpenCounts, switches.PoolApprovedOnly = w.rules.OutInclusive, w.rules.OpenCounts, w.rules.ApprovedOnly
	sim := sevenshiftssim.New(sevenshiftssim.Options{Clock: clock.Fixed(w.first.Plus(10).Start(w.zone)), Switches: &switches})
	sim.AddCompany(sevenshiftssim.Company{ID: company})
	sim.AddLocation(sevenshiftssim.Location{ID: place, CompanyID: company, Timezone: w.zone.String()})
	sim.AddToken(sevenshiftssim.Token{Value: "token", Companies: []int64{company}})
	sim.AddTipPool(sevenshiftssim.TipPool{CompanyID: company, LocationID: place, Name: "all"})
	v := &venue{week: w, sim: sim}
	v.client = sevenshifts.NewClient(sevenshifts.Defaults(), "token", v)
	for i, state := range w.states {
		v.users = append(v.users, sim.AddUser(sevenshiftssim.User{CompanyID: company, Locations: []int64{place}, Inactive: state == "inactive"}))
		switch state {
		case "mapped", "inactive":
			sim.MapByHand(place, fmt.Sprint("e", i), v.users[i])
		case "ignored":
			sim.IgnoreByHand(place, fmt.Sprint("e", i))
		}
	}
	for _, p := range w.punches {
		punch := sevenshiftssim.Punch{UserID: v.users[p.user], RoleID: int64(p.role), LocationID: place, In: p.in, Out: p.out, Approved: p.approved, Deleted: p.deleted}
		if p.unpaid > 0 && p.out.Sub(p.in) >= p.unpaid {
			punch.Breaks = []sevenshiftssim.Break{{In: p.in, Out: p.in.Add(p.unpaid)}}
		}
		sim.AddPunch(punch)
	}
	v.ring(t)
	return v
}

// ring delivers the receipts over the API.
func (v *venue) ring(t require.TestingT) {
	for i, r := range v.receipts {
		body, err := json.Marshal(map[string]any{
			"receipt_id": fmt.Sprint(i), "location_id": place, "receipt_date": v.date(r).Format(time.RFC3339), "status": "closed", "net_total": r.amounts.Net,
			"receipt_lines": []any{}, "tips": r.amounts.Card + r.amounts.Gratuity, "external_user_id": r.employee,
			"tip_details": []any{map[string]any{"type": "total", "value": r.amounts.Card}, map[string]any{"type": "gratuity", "value": r.amounts.Gratuity}},
		})
		require.NoError(t, err)
		req := httptest.NewRequestWithContext(context.Background(), http.MethodPost, fmt.Sprintf("/v2/company/%d/receipts", company), bytes.NewReader(body))
		req.Header.Set("Authorization", "Bearer token")
		req.Header.Set("Content-Type", "application/json")
		res, err := v.RoundTrip(req)
		require.NoError(t, err)
		require.Equal(t, http.StatusAccepted, res.StatusCode)
	}
}

// input is what the bridge knows: the receipts that it delivered, and what it
// reads of mappings and punches. Whom the venue ignores it knows from a
// person's word.
func (v *venue) input(t require.TestingT) tips.Input {
	ctx := context.Background()
	in := tips.Input{Rules: v.rules, Zone: v.zone}
	for i, r := range v.receipts {
		in.Receipts = append(in.Receipts, tips.Receipt{
			ID: fmt.Sprint(i), Day: sale.DayOf(v.date(r), v.zone), Date: v.date(r), Opened: r.opened, Closed: r.closed, EmployeeID: r.employee, Amounts: r.amounts,
		})
	}
	mappings, err := v.client.Mappings(ctx, company, place)
	require.NoError(t, err)
	for _, m := range mappings {
		in.Mappings = append(in.Mappings, tips.Mapping{EmployeeID: m.ExternalUserID, State: tips.Mapped, UserID: m.UserID, UserActive: m.UserActive})
	}
	for i, state := range v.states {
		switch state {
		case "ignored":
			in.Mappings = append(in.Mappings, tips.Mapping{EmployeeID: fmt.Sprint("e", i), State: tips.Ignored})
		case "unmapped":
			in.Mappings = append(in.Mappings, tips.Mapping{EmployeeID: fmt.Sprint("e", i), State: tips.Unmapped})
		}
	}
	punches, err := v.client.TimePunches(ctx, company, sevenshifts.PunchQuery{LocationID: place, Deleted: sevenshifts.WithDeleted})
	require.NoError(t, err)
	for _, p := range punches {
		punch := tips.Punch{ID: p.ID, UserID: p.UserID, RoleID: p.RoleID, In: p.ClockedIn, Out: p.ClockedOut, Approved: p.Approved, Deleted: p.Deleted, Declared: p.Tips}
		for _, b := range p.Breaks {
			punch.Breaks = append(punch.Breaks, tips.Break{In: b.In, Out: b.Out, Paid: b.Paid})
		}
		in.Punches = append(in.Punches, punch)
	}
	return in
}

// reported is 7shifts' own detailed report, and the hours without role in it.
func (v *venue) reported(t require.TestingT) (rows []tips.Reported, receivers map[int64]float64) {
	days, err := v.client.TipDetail(context.Background(), company, place, v.first.Plus(-1), v.first.Plus(9))
	require.NoError(t, err)
	receivers = map[int64]float64{}
	for _, day := range days {
		require.Len(t, day.Pools, 1)
		for _, row := range day.Pools[0].Assigned {
			rows = append(rows, tips.Reported{Day: day.Day, PunchID: row.PunchID, UserID: row.UserID, Amounts: tips.Amounts{Net: row.Net, Card: row.Card, Gratuity: row.Gratuity}})
		}
		for _, row := range day.Pools[0].Unassigned {
			rows = append(rows, tips.Reported{Day: day.Day, Amounts: tips.Amounts{Net: row.Net, Card: row.Card, Gratuity: row.Gratuity}})
			if row.PunchID != 0 && row.HoursWorked > 0 {
				receivers[row.PunchID] = row.HoursWorked
			}
		}
	}
	return rows, receivers
}

// whys are the simulator's words for what is foretold. It cannot tell unknown
// from unmapped, and does not know that the receipt could be dated otherwise.
var whys = map[tips.Cause]string{
	"": "", tips.NoEmployee: "no employee", tips.EmployeeUnknown: "unmapped", tips.EmployeeUnmapped: "unmapped", tips.EmployeeIgnored: "ignored",
	tips.UserInactive: "inactive", tips.PunchWithoutRole: "punch without role", tips.PunchOpen: "open punch", tips.PunchNotApproved: "punch not approved",
	tips.DateSetting: "not clocked in", tips.NotClockedIn: "not clocked in",
}

// What is foretold is what 7shifts does: the simulator, which shares no code
// with the decision, agrees on every receipt, every row of its report and every
// receiver without a role, in a thousand random weeks, a third of them with 23
// hours on one day and a third with 25.
func TestWhatIsForetoldComesTrue(t *testing.T) {
	zone := toronto(t)
	const times = 10 // a hundred weeks each
	for i := range times {
		t.Run(fmt.Sprintf("hundred %d", i+1), rapid.MakeCheck(func(t *rapid.T) {
			v := newVenue(t, aWeek(zone).Draw(t, "week"))
			in := v.input(t)
			result, err := tips.Decide(in)
			require.NoError(t, err)

			fates := map[string]sevenshiftssim.PoolRow{}
			for _, row := range v.sim.PoolRows(place, v.first.Plus(-1).String(), v.first.Plus(9).String()) {
				fates[row.Receipt] = row
			}
			require.Len(t, fates, len(result.Rows))
			for _, row := range result.Rows {
				fate := fates[row.ReceiptID]
				require.Equal(t, fate.Why, whys[row.Cause], "receipt %s: %s", row.ReceiptID, row.Cause)
				require.Equal(t, fate.Date, row.Day.String(), "receipt %s", row.ReceiptID)
				if row.Cause != tips.DateSetting && row.Cause != tips.NotClockedIn {
					require.Equal(t, fate.PunchID, row.PunchID, "receipt %s", row.ReceiptID)
				}
			}
			reported, receivers := v.reported(t)
			differences, err := tips.Compare(result.Rows, reported)
			require.NoError(t, err)
			require.Empty(t, differences)
			tie(t, result.Delivered, result.Assigned, result.Unassigned)

			foretold := map[int64]float64{}
			for _, r := range result.Receivers {
				if !r.Open && v.activeUser(r.UserID) {
					foretold[r.PunchID] = r.Worked.Hours()
				}
			}
			require.Equal(t, receivers, foretold)
			require.Empty(t, v.sim.Violations())
		}))
	}
}

// activeUser tells whether 7shifts still shows the user in its reports.
func (v *venue) activeUser(id int64) bool {
	for i, user := range v.users {
		if user == id {
			return v.states[i] != "inactive"
		}
	}
	return false
}
