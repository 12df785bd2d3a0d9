package play

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/cmd/clusterbridge/program"
	"github.com/clustersystems/clusterbridge/internal/simulator/traffic"
)

func TestTheComparisonNamesEveryReceiptThatDiffers(t *testing.T) {
	v := venuesOf(Full)[0]
	noon := firstLive.Start(v.zone()).Add(7 * time.Hour)
	one := func(id string) planned {
		return planned{receipt: receipt{ID: id, Date: noon, Status: "closed", Net: 1000, Tips: 150, Employee: "E01"}, Day: firstLive, Live: true, Marks: []traffic.Mark{traffic.LateEdit}}
	}
	plan := []planned{one("same"), one("missing"), one("net"), one("tips"), one("status"), one("employee"), one("date")}
	there := map[string]receipt{}
	for _, p := range plan {
		there[p.ID] = p.receipt
	}
	change := func(id string, f func(*receipt)) { r := there[id]; f(&r); there[id] = r }
	delete(there, "missing")
	change("net", func(r *receipt) { r.Net++ })
	change("tips", func(r *receipt) { r.Tips-- })
	change("status", func(r *receipt) { r.Status = "voided" })
	change("employee", func(r *receipt) { r.Employee = "E02" })
	change("date", func(r *receipt) { r.Date = r.Date.Add(24 * time.Hour) })
	there["extra"] = receipt{ID: "extra", Date: noon}

	result := compare(v, plan, there)
	require.False(t, result.good())
	require.Equal(t, 1, result.Equal, "only one is as planned")
	require.Equal(t, 1, result.Marks[traffic.LateEdit], "a marked order counts only when it is as planned")
	var text strings.Builder
	printComparison(&text, []venueResult{result})
	for _, id := range []string{"missing", "net", "tips", "status", "employee", "date", "extra"} {
		require.Contains(t, text.String(), "receipt "+id+" of Chez Marcel")
	}
	require.NotContains(t, text.String(), "receipt same")
	require.Equal(t, 7, strings.Count(text.String(), "DIFFERENT"))

	require.True(t, compare(v, plan[:1], map[string]receipt{"same": plan[0].receipt}).good())
}

func TestSwappedAmountsDoNotCancelOut(t *testing.T) {
	v := venuesOf(Full)[0]
	noon := firstLive.Start(v.zone()).Add(7 * time.Hour)
	a, b := receipt{ID: "a", Date: noon, Net: 100}, receipt{ID: "b", Date: noon, Net: 200}
	plan := []planned{{receipt: a, Day: firstLive}, {receipt: b, Day: firstLive}}
	a.Net, b.Net = b.Net, a.Net
	result := compare(v, plan, map[string]receipt{"a": a, "b": b})
	require.False(t, result.good())
	require.Equal(t, "2 receipts differ", result.Days[0].difference())
}

func TestGoodHistoryIsOneRowButTheNightOf25HoursIsShown(t *testing.T) {
	v := venuesOf(Full)[0]
	result := venueResult{Venue: v}
	for day := firstHistory(Full); day.Before(firstLive.Plus(3)); day = day.Plus(1) {
		result.Days = append(result.Days, dayResult{Day: day})
	}
	result.Days[4].Wrong = []wrong{{"x", "is missing"}}
	rows := folded(result.Days)
	require.Len(t, rows, 1+1+2+3)
	require.Equal(t, "2026-08-05, 87 days", rows[0].label)
	require.Equal(t, "2026-10-31 (25 hours)", rows[2].label)
	require.Equal(t, 25*time.Hour, rows[2].sum.Day.End(v.zone()).Sub(rows[2].sum.Day.Start(v.zone())))
}

// The plan itself holds what the demo has to show, in two zones.
func TestThePlansHoldTheMinimums(t *testing.T) {
	for name, size := range map[string]Size{"full": Full, "small": Small} {
		venues := venuesOf(size)
		s := simulators{plan: newPlan(size, venues), venues: venues}
		_, until := played(size)
		require.False(t, s.plan.End().After(until), "the calendar runs until the last version has appeared")
		var results []venueResult
		for _, v := range venues {
			plan := s.planned(v, until)
			there := map[string]receipt{}
			for _, p := range plan {
				there[p.ID] = p.receipt
			}
			results = append(results, compare(v, plan, there))
			require.True(t, results[len(results)-1].good())
		}
		for _, r := range counted(size.Minimum, results) {
			require.True(t, r.good(), "%s: %+v", name, r)
			t.Logf("%s: %+v", name, r)
		}
	}
}

func TestEverySettingOfTheDemoIsOneAndHasAProductionValue(t *testing.T) {
	var environ []string
	for _, s := range shortenedSettings(Full) {
		require.NotEmpty(t, production(s.Variable), s.Variable)
		require.NotEqual(t, production(s.Variable), s.Value, s.Variable)
		environ = append(environ, s.Variable+"="+s.Value)
	}
	_, err := program.Load(environ)
	require.NoError(t, err)
	require.Empty(t, program.Unknown(environ))
}

func TestTheStateFolderIsHeldByOneDemoAndKeepsItsKeyset(t *testing.T) {
	dir := t.TempDir()
	f, err := openFolder(dir)
	require.NoError(t, err)
	keyset, err := f.keyset()
	require.NoError(t, err)
	info, err := os.Stat(f.file(keysetFile))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.NoError(t, f.save(saved{Size: Small, Business: firstLive.Start(time.UTC), Done: []string{"location a"}}))

	again, err := openFolder(dir)
	require.NoError(t, err)
	kept, err := again.keyset()
	require.NoError(t, err)
	require.Equal(t, keyset, kept)
	s, found, err := again.load()
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, Small, s.Size)
	require.True(t, s.Business.Equal(firstLive.Start(time.UTC)))

	require.NoError(t, f.write(pidFile, []byte(strconv.Itoa(os.Getppid()))))
	_, err = openFolder(dir)
	require.ErrorContains(t, err, "already running")
}

func TestBusinessTimeNeverGoesBack(t *testing.T) {
	from, until := played(Full)
	zone := venuesOf(Full)[0].zone()
	require.True(t, from.Before(firstLive.Start(zone)))
	c := newCalendar(from)
	require.WithinDuration(t, from, c.Now(), time.Minute)
	c.run(Full.Speed, until)
	before := c.Now()
	ahead := c.ahead(2 * saveEvery)
	require.False(t, ahead.Before(before.Add(time.Duration(float64(2*saveEvery)*Full.Speed))))
	require.False(t, c.ahead(time.Hour).After(until.Add(time.Hour)), "at the end it is real time again")
	ended := newCalendar(until.Add(time.Minute))
	ended.run(Full.Speed, until)
	require.WithinDuration(t, until.Add(time.Minute), ended.Now(), time.Minute)
}

func TestOptionsAreRefusedPlainly(t *testing.T) {
	for _, line := range []string{"BREAK=everything", "BREAK=lose-item-and-one", "DEMO_SPEED=fast", "DEMO_SPEED=0", "DEMO_SIZE=huge"} {
		_, err := fromEnvironment([]string{line})
		name, value, _ := strings.Cut(line, "=")
		require.ErrorContains(t, err, name+" is \""+value)
	}
	o, err := fromEnvironment([]string{"EXIT=1", "BREAK=lose-one", "DEMO_SIZE=small", "DEMO_SPEED=100"})
	require.NoError(t, err)
	require.True(t, o.Exit)
	require.InDelta(t, 100, o.Size.Speed, 0)
}
