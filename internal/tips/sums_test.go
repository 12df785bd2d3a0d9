package tips_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/tips"
)

func TestByCauseIsOrderedByMoney(t *testing.T) {
	in := evening(t)
	add := func(id, employee string, card, net sale.Cents) {
		in.Receipts = append(in.Receipts, tips.Receipt{ID: id, Day: tuesday, Date: at(t, "20:00:00"), EmployeeID: employee, Amounts: tips.Amounts{Card: card, Net: net}})
	}
	add("A1-8", "", 100, 50_000)
	add("A1-9", "e9", 700, 5_000)
	add("A1-10", "e9", 50, 5_000)
	result, err := tips.Decide(in)
	require.NoError(t, err)
	causes, err := tips.ByCause(result.Rows)
	require.NoError(t, err)
	require.Equal(t, []tips.CauseSum{
		{Cause: tips.EmployeeUnknown, Receipts: 2, Amounts: tips.Amounts{Card: 750, Net: 10_000}},
		{Cause: tips.NoEmployee, Receipts: 1, Amounts: tips.Amounts{Card: 100, Net: 50_000}},
	}, causes)
	days, err := tips.ByDay(result.Rows)
	require.NoError(t, err)
	require.Equal(t, []tips.DaySum{{
		Day: tuesday, Receipts: 4, Loose: 3,
		Delivered:  tips.Amounts{Net: 68_500, Card: 1750, Gratuity: 300},
		Assigned:   tips.Amounts{Net: 8500, Card: 900, Gratuity: 300},
		Unassigned: tips.Amounts{Net: 60_000, Card: 850},
	}}, days)
}

// Cluster's cash stands beside what was declared at the punch, also for users
// who had no receipt, and for employees who had no punch.
func TestByEmployeeSetsCashBesideDeclared(t *testing.T) {
	in := evening(t)
	in.Punches = append(in.Punches,
		tips.Punch{ID: 102, UserID: 21, RoleID: 9, In: at(t, "23:30:00").Add(6 * time.Hour), Out: at(t, "23:30:00").Add(8 * time.Hour), Declared: 70}, // 05:30 on Wednesday
		tips.Punch{ID: 103, UserID: 11, RoleID: 7, In: at(t, "11:00:00"), Out: at(t, "14:00:00"), Declared: 30})
	in.Receipts = append(in.Receipts, tips.Receipt{ID: "A1-8", Day: tuesday, Date: at(t, "20:00:00"), EmployeeID: "e9", Cash: 40, Amounts: tips.Amounts{Card: 60}})
	result, err := tips.Decide(in)
	require.NoError(t, err)
	people, err := tips.ByEmployee(in, result)
	require.NoError(t, err)
	usual := tips.Amounts{Net: 8500, Card: 900, Gratuity: 300}
	require.Equal(t, []tips.EmployeeDay{
		{Day: tuesday, EmployeeID: "e1", UserID: 11, Delivered: usual, Assigned: usual, Cash: 200, Declared: 480, Worked: 9 * time.Hour},
		{Day: tuesday, EmployeeID: "e9", Delivered: tips.Amounts{Card: 60}, Unassigned: tips.Amounts{Card: 60}, Cash: 40},
		{Day: tuesday.Plus(1), UserID: 21, Declared: 70, Worked: 2 * time.Hour},
	}, people)
}

func TestSumsNeverWrap(t *testing.T) {
	row := tips.Row{ReceiptID: "A1-7", Day: tuesday, Cause: tips.NoEmployee, Amounts: tips.Amounts{Card: math.MaxInt64}}
	_, err := tips.ByDay([]tips.Row{row, row})
	require.ErrorIs(t, err, sale.ErrOverflow)
	_, err = tips.ByCause([]tips.Row{row, row})
	require.ErrorIs(t, err, sale.ErrOverflow)
	both := row
	both.Amounts.Gratuity = 1
	_, err = tips.ByCause([]tips.Row{both})
	require.ErrorIs(t, err, sale.ErrOverflow, "tips are the sum of both")
	row.Amounts.Card, row.Cash = 0, math.MaxInt64
	_, err = tips.ByEmployee(tips.Input{}, tips.Result{Rows: []tips.Row{row, row}})
	require.ErrorIs(t, err, sale.ErrOverflow)
	in := evening(t)
	in.Punches[0].Declared = math.MaxInt64
	in.Punches = append(in.Punches, in.Punches[0])
	_, err = tips.ByEmployee(in, tips.Result{})
	require.ErrorIs(t, err, sale.ErrOverflow)
	_, err = tips.Compare([]tips.Row{both, both}, nil)
	require.ErrorIs(t, err, sale.ErrOverflow)
}

func TestCompareListsWhatDiffers(t *testing.T) {
	in := evening(t)
	in.Receipts = append(in.Receipts, tips.Receipt{ID: "A1-8", Day: tuesday, Date: at(t, "20:00:00"), Amounts: tips.Amounts{Card: 60}})
	result, err := tips.Decide(in)
	require.NoError(t, err)
	usual, loose := tips.Amounts{Net: 8500, Card: 900, Gratuity: 300}, tips.Amounts{Card: 60}
	all := tips.Amounts{Net: 8500, Card: 960, Gratuity: 300}
	for name, c := range map[string]struct {
		reported []tips.Reported
		want     []tips.Difference
	}{
		"the same": {[]tips.Reported{{Day: tuesday, PunchID: 101, UserID: 11, Amounts: usual}, {Day: tuesday, Amounts: loose}}, nil},
		"rows that only hold hours": {[]tips.Reported{
			{Day: tuesday, PunchID: 101, UserID: 11, Amounts: usual}, {Day: tuesday, Amounts: loose}, {Day: tuesday, PunchID: 102, UserID: 12}}, nil},
		"in two rows": {[]tips.Reported{
			{Day: tuesday, PunchID: 101, UserID: 11, Amounts: tips.Amounts{Net: 8500}}, {Day: tuesday, PunchID: 101, UserID: 11, Amounts: tips.Amounts{Card: 900, Gratuity: 300}}, {Day: tuesday, Amounts: loose}}, nil},
		"nothing was assigned": {[]tips.Reported{{Day: tuesday, Amounts: all}}, []tips.Difference{
			{Day: tuesday, Foretold: loose, Reported: all}, {Day: tuesday, PunchID: 101, UserID: 11, Foretold: usual}}},
		"on another day": {[]tips.Reported{{Day: tuesday, PunchID: 101, UserID: 11, Amounts: usual}, {Day: tuesday.Plus(1), Amounts: loose}}, []tips.Difference{
			{Day: tuesday, Foretold: loose}, {Day: tuesday.Plus(1), Reported: loose}}},
	} {
		got, err := tips.Compare(result.Rows, c.reported)
		require.NoError(t, err)
		require.Equal(t, c.want, got, name)
	}
}

// Complaint 19.
func TestSharesOverAHundred(t *testing.T) {
	shares := []tips.Share{
		{Pool: "bar", RoleID: 7, Percent: 60}, {Pool: "kitchen", RoleID: 7, Percent: 45},
		{Pool: "bar", RoleID: 8, Percent: 33.3333333}, {Pool: "kitchen", RoleID: 8, Percent: 66.6666667}, {Pool: "bar", RoleID: 9, Percent: 100},
	}
	require.Equal(t, []tips.Share{{RoleID: 7, Percent: 105}}, tips.OverShared(shares))
	require.Empty(t, tips.OverShared(nil))
}
