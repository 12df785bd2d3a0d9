package tips_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/tips"
)

func toronto(t require.TestingT) *time.Location {
	zone, err := time.LoadLocation("America/Toronto")
	require.NoError(t, err)
	return zone
}

// at is an instant of Tuesday, 3 November 2026, by the venue's clock.
func at(t require.TestingT, clock string) time.Time {
	when, err := time.ParseInLocation("15:04:05", clock, toronto(t))
	require.NoError(t, err)
	return time.Date(2026, time.November, 3, when.Hour(), when.Minute(), when.Second(), 0, toronto(t)).UTC()
}

var tuesday = sale.NewDay(2026, time.November, 3)

// evening is the usual case: Léa (e1, user 11) serves from 17:00 to 23:00 as a
// server (role 7), and settles a check at 20:00.
func evening(t require.TestingT) tips.Input {
	return tips.Input{
		Receipts: []tips.Receipt{{
			ID: "A1-7", Day: tuesday, Date: at(t, "20:00:00"), Opened: at(t, "20:00:00"), EmployeeID: "e1",
			Amounts: tips.Amounts{Net: 8500, Card: 900, Gratuity: 300}, Cash: 200,
		}},
		Mappings: []tips.Mapping{{EmployeeID: "e1", State: tips.Mapped, UserID: 11, UserActive: true}},
		Punches:  []tips.Punch{{ID: 101, UserID: 11, RoleID: 7, In: at(t, "17:00:00"), Out: at(t, "23:00:00"), Approved: true, Declared: 450}},
		Zone:     toronto(t),
	}
}

// The table of all cases, one change of the evening each.
func TestEveryCauseAlone(t *testing.T) {
	type change = func(*tips.Input)
	receipt := func(f func(*tips.Receipt)) change { return func(in *tips.Input) { f(&in.Receipts[0]) } }
	mapping := func(f func(*tips.Mapping)) change { return func(in *tips.Input) { f(&in.Mappings[0]) } }
	punch := func(f func(*tips.Punch)) change { return func(in *tips.Input) { f(&in.Punches[0]) } }
	date := func(clock string) change {
		return receipt(func(r *tips.Receipt) { r.Date, r.Opened = at(t, clock), at(t, clock).Add(time.Second/2) })
	}
	for name, c := range map[string]struct {
		change change
		cause  tips.Cause
		punch  int64
		miss   tips.Miss
	}{
		"clocked in with a role":             {func(*tips.Input) {}, "", 101, tips.Miss{}},
		"the receipt names nobody":           {receipt(func(r *tips.Receipt) { r.EmployeeID = "" }), tips.NoEmployee, 0, tips.Miss{}},
		"nobody knows the employee":          {receipt(func(r *tips.Receipt) { r.EmployeeID = "e9" }), tips.EmployeeUnknown, 0, tips.Miss{}},
		"complaint 13: unmapped employee":    {mapping(func(m *tips.Mapping) { m.State = tips.Unmapped }), tips.EmployeeUnmapped, 0, tips.Miss{}},
		"a takeout ghost is ignored":         {mapping(func(m *tips.Mapping) { m.State = tips.Ignored }), tips.EmployeeIgnored, 0, tips.Miss{}},
		"complaint 16: deactivated":          {mapping(func(m *tips.Mapping) { m.UserActive = false }), tips.UserInactive, 0, tips.Miss{}},
		"complaint 13: no role":              {punch(func(p *tips.Punch) { p.RoleID = 0 }), tips.PunchWithoutRole, 101, tips.Miss{}},
		"complaint 13: no punch-out":         {punch(func(p *tips.Punch) { p.Out = time.Time{} }), tips.PunchOpen, 101, tips.Miss{}},
		"no role and no punch-out":           {punch(func(p *tips.Punch) { p.Out, p.RoleID = time.Time{}, 0 }), tips.PunchWithoutRole, 101, tips.Miss{}},
		"complaint 39: a manager never does": {func(in *tips.Input) { in.Punches = nil }, tips.NotClockedIn, 0, tips.Miss{}},
		"somebody else is clocked in":        {punch(func(p *tips.Punch) { p.UserID = 12 }), tips.NotClockedIn, 0, tips.Miss{}},
		"the punch was deleted":              {punch(func(p *tips.Punch) { p.Deleted = true }), tips.NotClockedIn, 0, tips.Miss{}},
		"the very second of clocking in":     {date("17:00:00"), "", 101, tips.Miss{}},
		"one second too early":               {date("16:59:59"), tips.NotClockedIn, 101, tips.Miss{By: time.Second, Early: true}},
		"settled after clocking out":         {date("23:12:30"), tips.NotClockedIn, 101, tips.Miss{By: 12*time.Minute + 30*time.Second}},
		"the very second of clocking out":    {date("23:00:00"), tips.NotClockedIn, 101, tips.Miss{}},
		"the last second before":             {date("22:59:59"), "", 101, tips.Miss{}},
		"a punch that ends before it begins": {punch(func(p *tips.Punch) { p.Out = p.In.Add(-time.Hour) }), tips.NotClockedIn, 101, tips.Miss{By: 4 * time.Hour}},
		"an approval nobody asks for":        {punch(func(p *tips.Punch) { p.Approved = false }), "", 101, tips.Miss{}},
		"during a break": {punch(func(p *tips.Punch) {
			p.Breaks = []tips.Break{{In: at(t, "19:45:00"), Out: at(t, "20:15:00")}}
		}), "", 101, tips.Miss{}},
		"the open punch of the day before":                {punch(func(p *tips.Punch) { p.In, p.Out = p.In.AddDate(0, 0, -2), time.Time{} }), tips.NotClockedIn, 101, tips.Miss{By: 27 * time.Hour}},
		"complaint 6: dated by closing, after the shift":  {receipt(func(r *tips.Receipt) { r.Date = at(t, "23:30:00"); r.Closed = r.Date }), tips.DateSetting, 101, tips.Miss{}},
		"complaint 6: dated by opening, before the shift": {receipt(func(r *tips.Receipt) { r.Date, r.Closed = at(t, "16:30:00"), at(t, "18:00:00"); r.Opened = r.Date }), tips.DateSetting, 101, tips.Miss{}},
		"both instants outside":                           {receipt(func(r *tips.Receipt) { r.Date, r.Closed = at(t, "16:30:00"), at(t, "23:30:00"); r.Opened = r.Date }), tips.NotClockedIn, 101, tips.Miss{By: 30 * time.Minute, Early: true}},
	} {
		t.Run(name, func(t *testing.T) {
			in := evening(t)
			c.change(&in)
			result, err := tips.Decide(in)
			require.NoError(t, err)
			require.Len(t, result.Rows, 1)
			row := result.Rows[0]
			require.Equal(t, c.cause, row.Cause)
			require.Equal(t, c.punch, row.PunchID)
			require.Equal(t, c.miss, row.Miss)
			require.Equal(t, c.cause == "", row.Assigned())
			if row.Assigned() {
				require.Equal(t, int64(11), row.UserID)
				require.Equal(t, int64(7), row.RoleID)
				require.Equal(t, row.Amounts, result.Assigned)
				require.True(t, result.Unassigned.IsZero())
			} else {
				require.Equal(t, row.Amounts, result.Unassigned)
			}
		})
	}
}

func TestRulesAreSwitches(t *testing.T) {
	decide := func(in tips.Input) tips.Row {
		result, err := tips.Decide(in)
		require.NoError(t, err)
		return result.Rows[0]
	}
	in := evening(t)
	in.Receipts[0].Date = at(t, "23:00:00")
	in.Rules.OutInclusive = true
	require.Equal(t, tips.Cause(""), decide(in).Cause)

	in = evening(t)
	in.Punches[0].Approved = false
	in.Rules.ApprovedOnly = true
	require.Equal(t, tips.PunchNotApproved, decide(in).Cause)

	in = evening(t)
	in.Punches[0].Out = time.Time{}
	in.Rules.OpenCounts = true
	require.Equal(t, tips.Cause(""), decide(in).Cause)
	in.Punches[0].In = in.Receipts[0].Date.Add(-tips.OpenReach)
	require.Equal(t, tips.NotClockedIn, decide(in).Cause, "forgotten the day before")
}

func TestOverlappingPunches(t *testing.T) {
	in := evening(t)
	noRole := tips.Punch{ID: 102, UserID: 11, In: at(t, "19:00:00"), Out: at(t, "21:00:00")}
	bar := tips.Punch{ID: 103, UserID: 11, RoleID: 8, In: at(t, "19:30:00"), Out: at(t, "22:00:00")}
	open := tips.Punch{ID: 104, UserID: 11, RoleID: 8, In: at(t, "19:40:00")}
	for name, c := range map[string]struct {
		punches []tips.Punch
		cause   tips.Cause
		punch   int64
	}{
		"one with a role wins":                {[]tips.Punch{noRole, in.Punches[0]}, "", 101},
		"of two with a role, the newer":       {[]tips.Punch{in.Punches[0], bar}, "", 103},
		"a closed one wins over an open one":  {[]tips.Punch{in.Punches[0], open}, "", 101},
		"the role is missing before the end":  {[]tips.Punch{open, noRole}, tips.PunchWithoutRole, 102},
		"of two that began together, the 2nd": {[]tips.Punch{{ID: 9, UserID: 11, RoleID: 3, In: bar.In, Out: bar.Out}, bar}, "", 103},
	} {
		in := evening(t)
		in.Punches = c.punches
		result, err := tips.Decide(in)
		require.NoError(t, err)
		require.Equal(t, c.cause, result.Rows[0].Cause, name)
		require.Equal(t, c.punch, result.Rows[0].PunchID, name)
	}
}

// The hour that comes twice, and the one that never comes: instants decide.
func TestClockChanges(t *testing.T) {
	zone := toronto(t)
	back := sale.NewDay(2026, time.October, 31) // clocks go back on its night
	first := time.Date(2026, time.November, 1, 5, 30, 0, 0, time.UTC)
	require.Equal(t, "01:30 EDT", first.In(zone).Format("15:04 MST"))
	second := first.Add(time.Hour)
	require.Equal(t, "01:30 EST", second.In(zone).Format("15:04 MST"))
	in := evening(t)
	in.Punches[0].In, in.Punches[0].Out = first.Add(-8*time.Hour), first.Add(15*time.Minute) // out at 01:45 EDT
	in.Receipts[0].Date, in.Receipts[0].Opened, in.Receipts[0].Day = second, second, back
	result, err := tips.Decide(in)
	require.NoError(t, err)
	require.Equal(t, tips.NotClockedIn, result.Rows[0].Cause, "the same clock time, an hour later")
	require.Equal(t, 45, result.Rows[0].Miss.Minutes())

	in.Punches[0].RoleID = 0
	result, err = tips.Decide(in)
	require.NoError(t, err)
	require.Equal(t, back, result.Receivers[0].Day)
	require.Equal(t, 8*time.Hour+15*time.Minute, result.Receivers[0].Worked)
}

// A cook clocked in without a role gets no share, though no receipt is hers.
func TestReceiversWithoutRole(t *testing.T) {
	in := evening(t)
	cook := tips.Punch{ID: 201, UserID: 21, In: at(t, "15:00:00"), Out: at(t, "23:00:00"), Breaks: []tips.Break{
		{In: at(t, "18:00:00"), Out: at(t, "18:30:00")},
		{In: at(t, "20:00:00"), Out: at(t, "20:15:00"), Paid: true},
		{In: at(t, "22:45:00")}, // never ended
		{In: at(t, "14:00:00"), Out: at(t, "14:30:00")},
	}}
	busboy := tips.Punch{ID: 200, UserID: 22, In: at(t, "17:00:00")}
	gone := tips.Punch{ID: 202, UserID: 23, In: at(t, "17:00:00"), Out: at(t, "18:00:00"), Deleted: true}
	noTime := tips.Punch{ID: 203, UserID: 24, In: at(t, "17:00:00"), Out: at(t, "17:00:00")}
	in.Punches = append(in.Punches, busboy, cook, gone, noTime)
	result, err := tips.Decide(in)
	require.NoError(t, err)
	require.Equal(t, []tips.Receiver{
		{UserID: 21, PunchID: 201, Day: tuesday, Worked: 7*time.Hour + 15*time.Minute},
		{UserID: 22, PunchID: 200, Day: tuesday, Open: true},
	}, result.Receivers)
}

func TestMinutesOfAMiss(t *testing.T) {
	for by, want := range map[time.Duration]int{0: 1, time.Second: 1, time.Minute: 1, time.Minute + time.Second: 2, 27 * time.Hour: 1620} {
		require.Equal(t, want, tips.Miss{By: by}.Minutes(), by)
	}
}

func TestAVoidedReceiptIsNobodysMoney(t *testing.T) {
	in := evening(t)
	in.Receipts[0].Voided = true
	result, err := tips.Decide(in)
	require.NoError(t, err)
	require.Empty(t, result.Rows)
	require.True(t, result.Delivered.IsZero())
}

func TestMoneyNeverWraps(t *testing.T) {
	for _, cause := range []string{"e1", ""} {
		in := evening(t)
		in.Receipts[0].EmployeeID = cause
		in.Receipts[0].Amounts.Card = math.MaxInt64
		in.Receipts = append(in.Receipts, in.Receipts[0])
		_, err := tips.Decide(in)
		require.ErrorIs(t, err, sale.ErrOverflow)
	}
}

// anInput is a random day or two of a small venue in which every cause occurs.
func anInput(t *rapid.T) tips.Input {
	zone := toronto(t)
	start := time.Date(2026, time.October, 31, 12, 0, 0, 0, time.UTC)
	instant := rapid.Custom(func(t *rapid.T) time.Time {
		return start.Add(time.Duration(rapid.IntRange(0, 48*4).Draw(t, "quarters")) * 15 * time.Minute)
	})
	cents := rapid.Custom(func(t *rapid.T) sale.Cents { return sale.Cents(rapid.Int64Range(0, 50_000).Draw(t, "cents")) })
	in := tips.Input{Zone: zone, Rules: tips.Rules{
		OutInclusive: rapid.Bool().Draw(t, "out inclusive"), OpenCounts: rapid.Bool().Draw(t, "open counts"), ApprovedOnly: rapid.Bool().Draw(t, "approved only"),
	}}
	for i := range rapid.IntRange(0, 4).Draw(t, "employees") {
		in.Mappings = append(in.Mappings, tips.Mapping{
			EmployeeID: fmt.Sprint("e", i), UserID: int64(rapid.IntRange(0, 3).Draw(t, "user")), UserActive: rapid.Bool().Draw(t, "active"),
			State: rapid.SampledFrom([]tips.State{tips.Mapped, tips.Mapped, tips.Unmapped, tips.Ignored}).Draw(t, "state"),
		})
	}
	for i := range rapid.IntRange(0, 6).Draw(t, "punches") {
		p := tips.Punch{
			ID: int64(100 + i), UserID: int64(rapid.IntRange(1, 4).Draw(t, "user")), RoleID: int64(rapid.IntRange(0, 2).Draw(t, "role")),
			In: instant.Draw(t, "in"), Approved: rapid.Bool().Draw(t, "approved"), Deleted: rapid.Bool().Draw(t, "deleted"), Declared: cents.Draw(t, "declared"),
		}
		if rapid.Bool().Draw(t, "closed") {
			p.Out = p.In.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "long")) * 15 * time.Minute)
		}
		in.Punches = append(in.Punches, p)
	}
	for i := range rapid.IntRange(0, 12).Draw(t, "receipts") {
		r := tips.Receipt{
			ID: fmt.Sprint("A1-", i), EmployeeID: rapid.SampledFrom([]string{"", "e0", "e1", "e2", "e3", "e9"}).Draw(t, "employee"),
			Opened: instant.Draw(t, "opened"), Closed: instant.Draw(t, "closed"), Voided: rapid.Bool().Draw(t, "voided"),
			Amounts: tips.Amounts{Net: cents.Draw(t, "net"), Card: cents.Draw(t, "card"), Gratuity: cents.Draw(t, "gratuity")}, Cash: cents.Draw(t, "cash"),
		}
		r.Date = rapid.SampledFrom([]time.Time{r.Opened, r.Closed}).Draw(t, "date")
		r.Day = sale.DayOf(r.Date, zone)
		in.Receipts = append(in.Receipts, r)
	}
	return in
}

// Invariant 6: what enters a day equals what leaves it, to the cent, however
// it is summed.
func TestDeliveredIsAssignedPlusUnassigned(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anInput(t)
		result, err := tips.Decide(in)
		require.NoError(t, err)
		var delivered tips.Amounts
		for _, r := range in.Receipts {
			if !r.Voided {
				delivered, err = delivered.Add(r.Amounts)
				require.NoError(t, err)
			}
		}
		require.Equal(t, delivered, result.Delivered)
		tie(t, result.Delivered, result.Assigned, result.Unassigned)

		days, err := tips.ByDay(result.Rows)
		require.NoError(t, err)
		var byDay tips.DaySum
		for _, d := range days {
			tie(t, d.Delivered, d.Assigned, d.Unassigned)
			byDay.Delivered, _ = byDay.Delivered.Add(d.Delivered)
			byDay.Assigned, _ = byDay.Assigned.Add(d.Assigned)
			byDay.Receipts += d.Receipts
		}
		require.Equal(t, result.Delivered, byDay.Delivered)
		require.Equal(t, result.Assigned, byDay.Assigned)
		require.Equal(t, len(result.Rows), byDay.Receipts)

		causes, err := tips.ByCause(result.Rows)
		require.NoError(t, err)
		var unassigned tips.Amounts
		for i, c := range causes {
			unassigned, _ = unassigned.Add(c.Amounts)
			require.Contains(t, tips.Causes(), c.Cause)
			if i > 0 {
				require.GreaterOrEqual(t, causes[i-1].Amounts.Card+causes[i-1].Amounts.Gratuity, c.Amounts.Card+c.Amounts.Gratuity, "ordered by money")
			}
		}
		require.Equal(t, result.Unassigned, unassigned)

		people, err := tips.ByEmployee(in, result)
		require.NoError(t, err)
		var byEmployee, assigned tips.Amounts
		var declared, cash sale.Cents
		for _, e := range people {
			tie(t, e.Delivered, e.Assigned, e.Unassigned)
			byEmployee, _ = byEmployee.Add(e.Delivered)
			assigned, _ = assigned.Add(e.Assigned)
			declared, cash = declared+e.Declared, cash+e.Cash
		}
		require.Equal(t, result.Delivered, byEmployee)
		require.Equal(t, result.Assigned, assigned)
		for _, p := range in.Punches {
			if !p.Deleted {
				declared -= p.Declared
			}
		}
		for _, r := range result.Rows {
			cash -= r.Cash
		}
		require.Zero(t, declared)
		require.Zero(t, cash)
	})
}

func tie(t require.TestingT, delivered, assigned, unassigned tips.Amounts) {
	sum, err := assigned.Add(unassigned)
	require.NoError(t, err)
	require.Equal(t, delivered, sum)
}

// The order in which things are listed does not matter.
func TestTheDecisionDoesNotDependOnTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anInput(t)
		want, err := tips.Decide(in)
		require.NoError(t, err)
		shuffled := in
		shuffled.Punches = rapid.Permutation(in.Punches).Draw(t, "punches")
		shuffled.Mappings = rapid.Permutation(in.Mappings).Draw(t, "mappings")
		got, err := tips.Decide(shuffled)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}
