package activities

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func venue(id string, hours ledger.Hours) ledger.Connection {
	return ledger.Connection{
		ID: "7shifts:" + id, PartnerName: work.SevenShifts, LocationID: id, State: work.Healthy,
		Location: ledger.Location{ID: id, Zone: "America/Toronto", Hours: hours},
	}
}

// fires tells whether a spec's calendars hold a local minute.
func fires(s client.ScheduleSpec, local time.Time) bool {
	in := func(rs []client.ScheduleRange, v int) bool {
		for _, r := range rs {
			if v >= r.Start && v <= r.End && (v-r.Start)%r.Step == 0 {
				return true
			}
		}
		return false
	}
	for _, c := range s.Calendars {
		day := len(c.DayOfWeek) == 0 || in(c.DayOfWeek, int(local.Weekday()))
		if day && in(c.Hour, local.Hour()) && in(c.Minute, local.Minute()) {
			return true
		}
	}
	return false
}

func runs(s client.ScheduleSpec, from time.Time, hours int) int {
	n := 0
	for m := range hours * 60 {
		if fires(s, from.Add(time.Duration(m)*time.Minute)) {
			n++
		}
	}
	return n
}

// Every five minutes while the venue is open, also past midnight; once an hour
// at night.
func TestScheduleFollowsOpeningHours(t *testing.T) {
	friday := time.Date(2026, 11, 6, 0, 0, 0, 0, time.UTC)
	spec := Cadence{}.spec(venue("chez-marcel", ledger.Hours{time.Friday: {Open: "11:30", Close: "02:00"}}))
	require.Equal(t, "America/Toronto", spec.TimeZoneName)
	require.Equal(t, 11, runs(spec, friday, 11), "at night")
	require.Equal(t, 12*13, runs(spec, friday.Add(11*time.Hour), 13), "11:00 to midnight")
	require.Equal(t, 12*4, runs(spec, friday.Add(24*time.Hour), 4), "to 02:00 and the hours in which bills are closed")
	require.Equal(t, 20, runs(spec, friday.Add(28*time.Hour), 20), "Saturday is closed")
	require.Equal(t, 12*24, runs(Cadence{}.spec(venue("new", nil)), friday, 24), "hours not known")
}

func TestScheduleOfAnyHoursFiresEveryHourAndNeverTooOften(t *testing.T) {
	clockTime := func(t *rapid.T, what string) string {
		return fmt.Sprintf("%02d:%02d", rapid.IntRange(0, 23).Draw(t, what), rapid.IntRange(0, 59).Draw(t, what))
	}
	rapid.Check(t, func(t *rapid.T) {
		hours := ledger.Hours{}
		for day := time.Sunday; day <= time.Saturday; day++ {
			if rapid.Bool().Draw(t, "opens") {
				hours[day] = ledger.Span{Open: clockTime(t, "open"), Close: clockTime(t, "close")}
			}
		}
		spec := Cadence{}.spec(venue(rapid.StringMatching(`[a-z]{1,12}`).Draw(t, "id"), hours))
		sunday := time.Date(2026, 11, 8, 0, 0, 0, 0, time.UTC)
		for h := range 7 * 24 {
			n := runs(spec, sunday.Add(time.Duration(h)*time.Hour), 1)
			require.True(t, n == 1 || n == 12, "%d runs in hour %d", n, h)
		}
		for day, span := range hours {
			open, err := time.Parse("15:04", span.Open)
			require.NoError(t, err)
			at := sunday.AddDate(0, 0, int(day)).Add(time.Duration(open.Hour()) * time.Hour)
			require.Equal(t, 12, runs(spec, at, 1), "open")
		}
	})
}

func TestFixedIntervalSpreadsConnections(t *testing.T) {
	offsets := map[time.Duration]bool{}
	for i := range 50 {
		spec := Cadence{SyncEvery: time.Minute}.spec(venue(fmt.Sprint("v", i), nil))
		require.Empty(t, spec.Calendars)
		require.Less(t, spec.Intervals[0].Offset, time.Minute)
		require.Zero(t, spec.Intervals[0].Offset%time.Second)
		offsets[spec.Intervals[0].Offset] = true
	}
	require.Greater(t, len(offsets), 20)
}
