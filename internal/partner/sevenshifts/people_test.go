package sevenshifts_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/partner/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/sale"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// hire adds a user of the place.
func (w *world) hire(u sevenshiftssim.User) int64 {
	u.CompanyID, u.Locations = company, []int64{place}
	return w.sim.AddUser(u)
}

func TestReadingPeople(t *testing.T) {
	w, ctx := newWorld(t, nil), context.Background()
	lea := w.hire(sevenshiftssim.User{
		FirstName: "Léa", LastName: "Roy", PreferredFirstName: "Léo", Email: "lea@example.com", MobileNumber: "+1 (514) 555-0101", Type: "manager",
	})
	tom := w.hire(sevenshiftssim.User{FirstName: "Tom", LastName: "Ford"})
	w.sim.AddUser(sevenshiftssim.User{CompanyID: company, Locations: []int64{502}, FirstName: "Elsewhere"})
	require.True(t, w.sim.Deactivate(tom))
	users, err := w.client.Users(ctx, company, place)
	require.NoError(t, err)
	require.Equal(t, []sevenshifts.User{
		{ID: lea, FirstName: "Léa", LastName: "Roy", PreferredFirstName: "Léo", Email: "lea@example.com", MobileNumber: "+1 (514) 555-0101", Active: true, Type: "manager"},
		{ID: tom, FirstName: "Tom", LastName: "Ford", Type: "employee"},
	}, users)
	users, err = w.client.Users(ctx, company, 0)
	require.NoError(t, err)
	require.Len(t, users, 3, "of the whole company")

	bar := w.sim.AddDepartment(sevenshiftssim.Department{CompanyID: company, LocationID: place, Name: "Bar"})
	server := w.sim.AddRole(sevenshiftssim.Role{CompanyID: company, LocationID: place, DepartmentID: bar, Name: "Server"})
	roles, err := w.client.Roles(ctx, company, place)
	require.NoError(t, err)
	require.Equal(t, []sevenshifts.Role{{ID: server, LocationID: place, DepartmentID: bar, Name: "Server"}}, roles)
	departments, err := w.client.Departments(ctx, company, place)
	require.NoError(t, err)
	require.Equal(t, []sevenshifts.Department{{ID: bar, LocationID: place, Name: "Bar"}}, departments)
}

func TestReadingPunches(t *testing.T) {
	w, ctx := newWorld(t, func(s *sevenshiftssim.Switches) { s.FractionTimes = true }), context.Background()
	in := time.Date(2026, time.November, 3, 22, 0, 0, 0, time.UTC)
	full := w.sim.AddPunch(sevenshiftssim.Punch{
		UserID: 11, RoleID: 7, LocationID: place, In: in, Out: in.Add(6 * time.Hour), Tips: 450, Approved: true,
		Breaks: []sevenshiftssim.Break{{In: in.Add(time.Hour), Out: in.Add(90 * time.Minute), Paid: true}, {In: in.Add(2 * time.Hour)}},
	})
	open := w.sim.AddPunch(sevenshiftssim.Punch{UserID: 12, LocationID: place, In: in.Add(time.Hour)})
	gone := w.sim.AddPunch(sevenshiftssim.Punch{UserID: 13, LocationID: place, In: in, Out: in.Add(time.Hour), Deleted: true})
	w.sim.AddPunch(sevenshiftssim.Punch{UserID: 14, LocationID: 502, In: in})
	punches, err := w.client.TimePunches(ctx, company, sevenshifts.PunchQuery{LocationID: place})
	require.NoError(t, err)
	for i := range punches {
		lately(t, &punches[i].Modified)
	}
	require.Equal(t, []sevenshifts.TimePunch{
		{ID: full, UserID: 11, RoleID: 7, LocationID: place, ClockedIn: in, ClockedOut: in.Add(6 * time.Hour), Tips: 450, Approved: true,
			Breaks: []sevenshifts.PunchBreak{{In: in.Add(time.Hour), Out: in.Add(90 * time.Minute), Paid: true}, {In: in.Add(2 * time.Hour)}}},
		{ID: open, UserID: 12, LocationID: place, ClockedIn: in.Add(time.Hour)},
	}, punches)
	ids := func(q sevenshifts.PunchQuery) []int64 {
		q.LocationID = place
		punches, err := w.client.TimePunches(ctx, company, q)
		require.NoError(t, err)
		found := []int64{}
		for _, p := range punches {
			found = append(found, p.ID)
		}
		return found
	}
	require.Equal(t, []int64{full, open, gone}, ids(sevenshifts.PunchQuery{Deleted: sevenshifts.WithDeleted}))
	require.Equal(t, []int64{gone}, ids(sevenshifts.PunchQuery{Deleted: sevenshifts.OnlyDeleted}))
	require.Equal(t, []int64{open}, ids(sevenshifts.PunchQuery{ClockedInFrom: in.Add(time.Second)}))
	require.Equal(t, []int64{full}, ids(sevenshifts.PunchQuery{ClockedInTo: in}))
	require.Equal(t, []int64{full}, ids(sevenshifts.PunchQuery{ClockedOutFrom: in.Add(6 * time.Hour)}))
	require.Empty(t, ids(sevenshifts.PunchQuery{ClockedOutTo: in}))
	require.Equal(t, []int64{full, open}, ids(sevenshifts.PunchQuery{ModifiedSince: now}))
	require.Empty(t, ids(sevenshifts.PunchQuery{ModifiedSince: now.Add(time.Hour)}))
}

// lately requires that an instant is of the test's business time, and clears
// it.
func lately(t *testing.T, at *time.Time) {
	t.Helper()
	require.WithinDuration(t, now, *at, 10*time.Minute)
	*at = time.Time{}
}

// More than one page of everything.
func TestPeopleComeInPages(t *testing.T) {
	w, ctx := newWorld(t, nil), context.Background()
	for i := range 501 {
		user := w.hire(sevenshiftssim.User{FirstName: "A", LastName: strconv.Itoa(i)})
		w.sim.AddPunch(sevenshiftssim.Punch{UserID: user, LocationID: place, In: now})
		w.sim.MapByHand(place, fmt.Sprint("e", i), user)
	}
	users, err := w.client.Users(ctx, company, place)
	require.NoError(t, err)
	require.Len(t, users, 501)
	punches, err := w.client.TimePunches(ctx, company, sevenshifts.PunchQuery{LocationID: place})
	require.NoError(t, err)
	require.Len(t, punches, 501)
	mappings, err := w.client.Mappings(ctx, company, place)
	require.NoError(t, err)
	require.Len(t, mappings, 501)
}

func TestWritingMappings(t *testing.T) {
	w, ctx := newWorld(t, nil), context.Background()
	lea, tom := w.hire(sevenshiftssim.User{FirstName: "Léa"}), w.hire(sevenshiftssim.User{FirstName: "Tom"})
	created, err := w.client.CreateMapping(ctx, company, place, "e/1 é", lea)
	require.NoError(t, err)
	id := created.ID
	lately(t, &created.Created)
	lately(t, &created.Modified)
	require.Equal(t, sevenshifts.Mapping{ID: id, ExternalUserID: "e/1 é", UserID: lea, UserActive: true}, created)
	// The 409s of single creates: the employee, and the user.
	_, err = w.client.CreateMapping(ctx, company, place, "e/1 é", tom)
	require.ErrorIs(t, err, sevenshifts.ErrExists)
	_, err = w.client.CreateMapping(ctx, company, place, "e2", lea)
	require.ErrorIs(t, err, sevenshifts.ErrExists)
	_, err = w.client.CreateMapping(ctx, company, place, "e2", 999)
	require.Equal(t, work.DocumentRefused, failure(t, err).Code)

	updated, err := w.client.UpdateMapping(ctx, company, place, "e/1 é", tom)
	require.NoError(t, err)
	require.Equal(t, created.ID, updated.ID)
	require.Equal(t, tom, updated.UserID)
	_, err = w.client.UpdateMapping(ctx, company, place, "e2", lea)
	require.ErrorIs(t, err, sevenshifts.ErrNotFound)
	mappings, err := w.client.Mappings(ctx, company, place)
	require.NoError(t, err)
	require.Equal(t, []sevenshifts.Mapping{updated}, mappings)

	require.NoError(t, w.client.DeleteMapping(ctx, company, place, "e/1 é"))
	require.ErrorIs(t, w.client.DeleteMapping(ctx, company, place, "e/1 é"), sevenshifts.ErrNotFound)
	require.Empty(t, w.sim.Mappings(place))
	_, err = w.client.CreateMapping(ctx, company, 999, "e2", lea)
	require.Equal(t, work.PartnerNotFound, failure(t, err).Code, "a location of somebody else")
}

func TestMappingInBulk(t *testing.T) {
	for _, asType := range []bool{false, true} {
		w, ctx := newWorld(t, func(s *sevenshiftssim.Switches) { s.ObjectAsType = asType }), context.Background()
		lea := w.hire(sevenshiftssim.User{FirstName: "Léa", LastName: "Roy"})
		result, err := w.client.BulkMap(ctx, company, place, []sevenshifts.BulkEntry{
			{ExternalUserID: "e1", FirstName: "Léa", LastName: "Roy"}, {ExternalUserID: "e2", Email: "nobody@example.com"},
		})
		require.NoError(t, err)
		require.Equal(t, sevenshifts.BulkResult{
			Mapped: []sevenshifts.BulkMapped{{ExternalUserID: "e1", UserID: lea}}, Exceptions: []sevenshifts.BulkException{{ExternalUserID: "e2", Reason: "not_found"}},
		}, result)
	}
}

// Batches of 0, 1, 100 and 101.
func TestBatchesOfABulkCall(t *testing.T) {
	w, ctx := newWorld(t, nil), context.Background()
	entries := make([]sevenshifts.BulkEntry, sevenshifts.MaxBulk+1)
	for i := range entries {
		entries[i] = sevenshifts.BulkEntry{ExternalUserID: fmt.Sprint("e", i), UserID: w.hire(sevenshiftssim.User{FirstName: strconv.Itoa(i)})}
	}
	for _, n := range []int{0, 1, 100} {
		result, err := w.client.BulkMap(ctx, company, place, entries[:n])
		require.NoError(t, err)
		require.Len(t, result.Mapped, n)
	}
	_, err := w.client.BulkMap(ctx, company, place, entries)
	require.Equal(t, work.Internal, failure(t, err).Code)
	require.Len(t, w.sim.Mappings(place), 100)
}

// A bulk call that times out after it was applied: the error says that the
// effect is unknown, the list shows it, and the same call again is harmless.
func TestABulkCallThatTimesOutAfterItWasApplied(t *testing.T) {
	for _, reasons := range []bool{false, true} {
		w, ctx := newWorld(t, func(s *sevenshiftssim.Switches) { s.BulkReasons = reasons }), context.Background()
		lea := w.hire(sevenshiftssim.User{FirstName: "Léa", LastName: "Roy"})
		w.fault(t, sevenshiftssim.Fault{Kind: sevenshiftssim.FaultCommitTimeout, Path: "_bulk"})
		cfg := w.config
		cfg.Timeout = 50 * time.Millisecond
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		impatient := sevenshifts.NewClient(cfg, secret, transport)
		entries := []sevenshifts.BulkEntry{{ExternalUserID: "e1", FirstName: "Léa", LastName: "Roy"}}
		_, err := impatient.BulkMap(ctx, company, place, entries)
		e := failure(t, err)
		require.Equal(t, work.PartnerUnreachable, e.Code)
		require.True(t, e.Ambiguous)
		mappings, err := w.client.Mappings(ctx, company, place)
		require.NoError(t, err)
		require.Len(t, mappings, 1)
		require.Equal(t, lea, mappings[0].UserID)
		again, err := w.client.BulkMap(ctx, company, place, entries)
		require.NoError(t, err)
		if reasons {
			require.Equal(t, []sevenshifts.BulkException{{ExternalUserID: "e1", Reason: "already_mapped"}}, again.Exceptions, "an unknown reason passes as it is")
		} else {
			require.Equal(t, []sevenshifts.BulkMapped{{ExternalUserID: "e1", UserID: lea}}, again.Mapped)
		}
		require.Len(t, w.sim.Mappings(place), 1)
	}
}

func TestReadingTipPools(t *testing.T) {
	w, ctx := newWorld(t, nil), context.Background()
	tuesday := sale.NewDay(2026, time.November, 3)
	_, err := w.client.TipPools(ctx, company)
	require.ErrorIs(t, err, sevenshifts.ErrForbidden, "until 7shifts enables them for the partner")
	require.Equal(t, work.PartnerPlan, failure(t, err).Code)
	_, err = w.client.TipSummary(ctx, company, place, tuesday, tuesday)
	require.ErrorIs(t, err, sevenshifts.ErrForbidden)

	require.NoError(t, w.sim.Switch(func(s *sevenshiftssim.Switches) { s.TipPools = true }))
	lea, server := w.hire(sevenshiftssim.User{FirstName: "Léa", LastName: "Roy"}), w.sim.AddRole(sevenshiftssim.Role{CompanyID: company, LocationID: place, Name: "Server"})
	in := time.Date(2026, time.November, 4, 3, 0, 0, 0, time.UTC) // 22:00 on Tuesday
	punch := w.sim.AddPunch(sevenshiftssim.Punch{UserID: lea, RoleID: server, LocationID: place, In: in, Out: in.Add(4 * time.Hour), Tips: 450})
	pool := w.sim.AddTipPool(sevenshiftssim.TipPool{CompanyID: company, LocationID: place, Name: "House", UnassignedPercent: 100, Sources: []string{"CREDIT_CARD", "AUTO_GRATUITY"},
		Stakes: []sevenshiftssim.Stake{{RoleID: server, Amount: 50}, {RoleID: server, Receives: true, Amount: 100}}, Cadence: "WEEKLY"})
	pools, err := w.client.TipPools(ctx, company)
	require.NoError(t, err)
	require.Equal(t, []sevenshifts.TipPool{{
		UUID: pool, LocationID: place, Name: "House", Enabled: true, ContributionType: "POS_PERCENT_TIPS_AND_SALES", DistributionType: "HOURS_WORKED", UnassignedPercent: 100,
		Stakeholders: []sevenshifts.TipStakeholder{
			{Type: "CONTRIBUTION", Subtype: "ROLE", RoleID: server, Amount: 50}, {Type: "DISTRIBUTION", Subtype: "ROLE", RoleID: server, Amount: 100},
		},
		Contributions: []sevenshifts.TipContribution{{Source: "CREDIT_CARD"}, {Source: "AUTO_GRATUITY"}}, Cadence: &sevenshifts.TipCadence{Type: "WEEKLY"},
	}}, pools)

	// One receipt at 23:00 of Léa's, one of nobody's.
	w.sim.MapByHand(place, "e1", lea)
	require.NoError(t, w.send(t, document(t, "A1-7", 8500), false, false))
	loose := document(t, "A1-8", 1000)
	loose.Body = bytes.Replace(loose.Body, []byte(`"e1"`), []byte(`"e9"`), 1)
	require.NoError(t, w.send(t, loose, false, false))
	assigned := sevenshifts.TipRow{UserID: lea, Net: 8500, Card: 700, Gratuity: 1800, Declared: 450, HoursWorked: 4, TipIn: 1250, TipOut: 3750}
	unassigned := sevenshifts.TipRow{Net: 1000, Card: 700, Gratuity: 1800, TipIn: 2500}
	summary, err := w.client.TipSummary(ctx, company, place, tuesday, tuesday.Plus(1))
	require.NoError(t, err)
	require.Equal(t, []sevenshifts.TipSummary{{PoolUUID: pool, PoolName: "House", Assigned: []sevenshifts.TipRow{assigned}, Unassigned: unassigned}}, summary)
	detail, err := w.client.TipDetail(ctx, company, place, tuesday, tuesday)
	require.NoError(t, err)
	assigned.PunchID = punch
	require.Equal(t, []sevenshifts.TipDay{{Day: tuesday, Pools: []sevenshifts.TipPoolDay{
		{PoolUUID: pool, PoolName: "House", Assigned: []sevenshifts.TipRow{assigned}, Unassigned: []sevenshifts.TipRow{unassigned}},
	}}}, detail)
}

// Invariant 1: no way of printing shows a person or an amount. The check is
// proven able to fail on a struct that does.
func TestPeopleAreNeverPrinted(t *testing.T) {
	w := newWorld(t, nil)
	_, refused := w.client.BulkMap(context.Background(), company, place, []sevenshifts.BulkEntry{{ExternalUserID: "e1", FirstName: "Léa", Phone: "514-555"}})
	require.Equal(t, work.DocumentRefused, failure(t, refused).Code)
	_, unknown := w.client.CreateMapping(context.Background(), company, place, "Léa", 999)
	printed := func(v any) string {
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		return log.String() + fmt.Sprintf("%v %+v %#v %s %q", v, v, v, v, v)
	}
	require.Contains(t, printed(struct{ N string }{"Roy"}), "Roy")
	lea := sevenshifts.User{ID: 11, FirstName: "Léa", LastName: "Roy", Email: "lea@example.com", MobileNumber: "514-555"}
	for _, v := range []any{lea, &lea, []sevenshifts.User{lea}, refused, unknown, sevenshifts.BulkEntry{ExternalUserID: "e1", FirstName: "Léa", LastName: "Roy", Email: "lea@", Phone: "514-555"}} {
		if _, many := v.([]sevenshifts.User); many {
			require.NotContains(t, fmt.Sprintf("%v %+v", v, v), "Roy")
			continue
		}
		for _, person := range []string{"Léa", "Roy", "lea@", "514-555"} {
			require.NotContains(t, printed(v), person, "%T", v)
		}
	}
}

func TestAWebhookIsSigned(t *testing.T) {
	for name, change := range map[string]func(*sevenshiftssim.Switches){
		"hexadecimal": func(*sevenshiftssim.Switches) {}, "base64": func(s *sevenshiftssim.Switches) { s.HookBase64 = true }, "not signed": func(s *sevenshiftssim.Switches) { s.HookUnsigned = true },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, change)
			hook, payload := w.hook(t, func() { w.sim.ClosePayrollPeriod(company, "2026-10-19", "2026-11-01") })
			require.Equal(t, sevenshifts.PayrollPeriodClosed, hook.Topic)
			require.Equal(t, int64(company), hook.CompanyID)
			require.Equal(t, name != "not signed", hook.SignedBy("guid-42", payload))
			require.False(t, hook.SignedBy("guid-43", payload))
			require.False(t, hook.SignedBy("", payload))
			require.False(t, hook.SignedBy("guid-42", append(payload, ' ')))
			hook.Timestamp += "1"
			require.False(t, hook.SignedBy("guid-42", payload))
			period, err := sevenshifts.ReadPayrollPeriod(payload)
			require.NoError(t, err)
			require.Equal(t, sevenshifts.PayrollPeriod{
				ID: period.ID, CompanyID: company, First: sale.NewDay(2026, time.October, 19), Last: sale.NewDay(2026, time.November, 1), Finalized: true,
			}, period)
		})
	}
	for _, bad := range []string{``, `{`, `{"company_id":42}`, `{"company_id":42,"start_date":"2026-11-02","end_date":"2026-11-01"}`, `{"company_id":42,"start_date":"soon","end_date":"2026-11-01"}`} {
		_, err := sevenshifts.ReadPayrollPeriod([]byte(bad))
		require.Equal(t, work.PartnerMalformed, failure(t, err).Code, bad)
	}
}
