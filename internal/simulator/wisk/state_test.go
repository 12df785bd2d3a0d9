package wisksim_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk/wire"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
)

func TestStateSurvivesARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deep", "state.jsonl")
	r := newRelay(t, clustersim.Options{}, wisksim.Options{StateFile: file})
	require.NoError(t, r.sim.Switch(func(w *wisksim.Switches) { w.RefusedPLUs, w.PartialRefusal = []string{"tobacco"}, true }))
	for i := range 2 {
		r.tills.PutAt("CL-1", order("7", now.Add(-20*time.Hour)), r.clock.Now())
		if i == 0 {
			r.add()
		}
		require.NoError(t, r.pull())
		_, _ = r.upload(line("1"), with(line("2"), func(l *wire.Line) { l.PLU = "tobacco" }), with(line(""), func(l *wire.Line) { l.ID = "" }))
		r.clock.move(time.Hour)
		o := order("7", now.Add(-20*time.Hour))
		o.Lines[0].Net = 1700
		r.tills.PutAt("CL-1", o, r.clock.Now())
		require.NoError(t, r.pull())
	}
	require.NoError(t, r.sim.MapItem(marcel, "4", "gin"))
	_, _ = r.upload(with(line("1"), func(l *wire.Line) { l.Title = "Negroni" }))
	require.NoError(t, r.sim.ArchiveItem(marcel, "titos"))
	require.NoError(t, r.sim.Switch(func(w *wisksim.Switches) { w.SameID = wisksim.DoubleCount }))
	_, _ = r.upload(line("1"))

	type all struct {
		sales        []wisksim.DaySales
		lines        []wisksim.Held
		items        []wisksim.Item
		integrations []wisksim.Integration
		counters     wisksim.Counters
		broken       []wisksim.Violation
	}
	look := func(s *wisksim.Sim) (a all) {
		var errs [3]error
		a.sales, errs[0] = s.Sales(marcel, "", "")
		a.lines, errs[1] = s.Lines(marcel, "", "")
		a.items, errs[2] = s.Items(marcel)
		require.Equal(t, [3]error{}, errs)
		a.integrations, a.counters, a.broken = s.Integrations(""), s.Counters(), s.Check()
		return a
	}
	before := look(r.sim)
	require.Len(t, before.lines, 3)
	require.NotEmpty(t, before.broken)
	require.NoError(t, r.sim.Close())
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(content, `{"batch":{"ven`...), 0o600)) // cut by a crash

	again, err := wisksim.Open(wisksim.Options{Clock: clock.Fixed(now), StateFile: file})
	require.NoError(t, err)
	_, err = again.Sales(marcel, "", "")
	require.Error(t, err, "venues are not kept")
	again.AddVenue(wisksim.Venue{ID: marcel, Name: "Chez Marcel", Zone: "America/Toronto"})
	after := look(again)
	require.Equal(t, stripped(before.sales), stripped(after.sales))
	before.sales, after.sales = nil, nil
	require.Len(t, after.lines, len(before.lines))
	for i := range after.lines {
		require.Equal(t, before.lines[i].Line, after.lines[i].Line)
		require.Equal(t, before.lines[i].Source, after.lines[i].Source)
	}
	before.lines, after.lines = nil, nil
	require.Equal(t, before, after)
	require.NoError(t, again.Close())
	now, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(content), string(now), "what was cut is dropped, and reading writes nothing")
}

// stripped is sums as others see them.
func stripped(days []wisksim.DaySales) []string {
	var list []string
	for _, d := range days {
		text := d.Day + " " + string(d.Quantity+"/"+d.Total)
		for _, item := range append(d.Items, d.Hidden...) {
			text += " " + item.PLU + " " + item.Title + " " + string(item.Quantity+"/"+item.Total)
		}
		for _, source := range d.Sources {
			text += " " + source.Source + " " + string(source.Quantity+"/"+source.Total)
		}
		list = append(list, text)
	}
	return list
}

// A restarted simulator goes on where it was: what is frozen stays frozen, and
// an integration reads on.
func TestARestartedSimulatorRemembersIDsAndCursors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.jsonl")
	r := newRelay(t, clustersim.Options{}, wisksim.Options{StateFile: file})
	r.tills.PutAt("CL-1", order("7", now.Add(-20*time.Hour)), now)
	r.add()
	require.NoError(t, r.pull())
	_, _ = r.upload(line("1"))
	require.NoError(t, r.sim.Close())

	second := newRelay(t, clustersim.Options{}, wisksim.Options{StateFile: file})
	second.tills.PutAt("CL-1", order("7", now.Add(-20*time.Hour)), now)
	require.NoError(t, second.sim.Switch(func(w *wisksim.Switches) { w.SameID = wisksim.Refuse }))
	require.NoError(t, second.pull())
	require.Equal(t, 1, second.sim.Counters().Pulled, "nothing new")
	status, _ := second.upload(with(line("1"), func(l *wire.Line) { l.Total = "1" }))
	require.Equal(t, 400, status)
	require.Len(t, second.sim.Check(), 1)
	require.Equal(t, "4/39.50 4=2/21.50 titos=2/18.00", second.day("2026-11-03"))
	second.tills.PutAt("CL-2", order("8", now.Add(-20*time.Hour)), now)
	require.NoError(t, second.pull())
	require.Equal(t, "6/57.50 4=2/21.50 titos=4/36.00", second.day("2026-11-03"))
}

func TestAStateFileThatCannotBeReadIsNotOverwritten(t *testing.T) {
	for name, content := range map[string]string{
		"no JSON": "{}\nnonsense\n", "no line": `{"batch":{"venue":"v","source":"upload","hold":[{"seq":1,"line":{"id":"1","date":"x","quantity":1,"total":1}}]}}` + "\n",
		"no item": `{"item":{"venue":"v","plu_number":"9","act":"archive"}}` + "\n",
	} {
		file := filepath.Join(t.TempDir(), "state.jsonl")
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		_, err := wisksim.Open(wisksim.Options{StateFile: file, PullEvery: time.Hour})
		require.ErrorContains(t, err, "state file: line", name)
		kept, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, content, string(kept), name)
	}
}

func TestAVenueNeedsAZone(t *testing.T) {
	s := wisksim.New(wisksim.Options{})
	require.Panics(t, func() { s.AddVenue(wisksim.Venue{ID: "v", Zone: "Montreal"}) })
	require.Panics(t, func() { s.AddVenue(wisksim.Venue{Zone: "America/Toronto"}) })
	require.Panics(t, func() { s.AddVenue(wisksim.Venue{ID: "v"}) })
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
}
