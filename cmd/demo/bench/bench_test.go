package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk/wire"
	"github.com/clustersystems/clusterbridge/internal/sale"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestAMissedBoundFails(t *testing.T) {
	root := t.TempDir()
	good := []result{atLeast("a", 0.5, 0.5), atMost("b", 10, "actions", 10), shown("c", 1, "s")}
	o := options{root: root}
	require.NoError(t, report(&bytes.Buffer{}, o, nil, good))
	require.ErrorIs(t, report(&bytes.Buffer{}, o, nil, append(good, atLeast("d", 0.4999, 0.5))), errMissed)
	require.ErrorIs(t, report(&bytes.Buffer{}, o, nil, append(good, atMost("e", 10.001, "actions", 10))), errMissed)

	text, err := os.ReadFile(filepath.Join(root, "bench", "latest.json"))
	require.NoError(t, err)
	var back []result
	require.NoError(t, json.Unmarshal(text, &back))
	require.Len(t, back, 4)
	require.False(t, back[3].OK)
	require.NoFileExists(t, filepath.Join(root, "docs", "performance.md"), "only a run of full size writes it")
}

func TestMedianAndQuantiles(t *testing.T) {
	require.InDelta(t, 3, median([]float64{5, 1, 3, 2, 4}), 0)
	require.InDelta(t, 2, median([]float64{4, 1, 3, 2}), 0)
	var values []float64
	for i := range 1000 {
		values = append(values, float64(i))
	}
	require.InDelta(t, 500, quantile(values, 0.5), 0)
	require.InDelta(t, 990, quantile(values, 0.99), 0)
	require.InDelta(t, 7, quantile([]float64{7}, 0.99), 0)
}

// All that is compared delivers these; a bad one would be put aside by one and
// fail the other.
func TestMealsAreGoodReceipts(t *testing.T) {
	for _, s := range []scene{
		{Name: "test", Venues: 3, Orders: 11}, {Name: "test", Venues: 3, Orders: 11, Days: 3},
		{Name: "test", Venues: 3, Orders: 11, Days: 3, Partner: work.Wisk},
	} {
		total := 0
		for i, v := range s.venues() {
			total += s.of(i)
			b := newBare(task{Scene: s, Shifts: "http://nowhere", Wisk: "http://nowhere", Flying: 1, Lines: 1, Days: 1}, v, clock.Fixed(evening()))
			for n := range s.of(i) {
				closed := s.closed(i, n)
				raw, err := json.Marshal(meal(n, closed))
				require.NoError(t, err)
				o, err := b.decode(raw)
				require.NoError(t, err)
				documents, err := b.translate(o)
				require.NoError(t, err)
				require.Len(t, documents, 1)
				require.Equal(t, dayOf(closed), documents[0].Day.String())
				if to, ok := b.partner.(partner.Additive); ok {
					lines, err := b.lines(to, []cluster.Order{o})
					require.NoError(t, err)
					require.Len(t, lines, len(menu()))
				}
			}
		}
		require.Equal(t, s.Orders, total)
		require.Equal(t, s.Orders*len(menu()), s.lines())
		require.True(t, closing(total-1, total).Before(evening()))
	}
}

func TestHistoryFillsItsDays(t *testing.T) {
	s := scene{Name: "test", Venues: 3, Holders: 2, Orders: 21, Days: 4, Companies: 2}
	require.Equal(t, []int{11, 10, 0}, []int{s.of(0), s.of(1), s.of(2)}, "only the holders have orders")
	require.Equal(t, map[string]int{"2026-10-31": 3, "2026-11-01": 3, "2026-11-02": 3, "2026-11-03": 2}, s.daily(0), "the clocks go back on 1 November")
	require.Equal(t, "2026-10-31", s.firstDay().String())
	all := s.venues()
	require.NotEqual(t, all[0].token(), all[1].token(), "a token for each company")
	require.Equal(t, all[0].token(), all[2].token())
	require.Equal(t, "7shifts:test-0", all[0].connection())
	short := scene{Name: "test", Venues: 2, Orders: 5, Days: 5}
	require.Len(t, short.daily(1), 2, "not every day need have orders")
}

func TestSumsOfWisk(t *testing.T) {
	var items []wisksim.ItemSales
	for _, one := range menu() {
		item := wisksim.ItemSales{PLU: string(one.ID)}
		item.Quantity, item.Total = "2", wire.Decimal(sale.Cents(2*one.Price).String())
		items = append(items, item)
	}
	days := func() []wisksim.DaySales { return []wisksim.DaySales{{Day: "2026-11-03", Items: slices.Clone(items)}} }
	require.NoError(t, sameSums(days(), map[string]int{"2026-11-03": 2}))
	require.Error(t, sameSums(days(), map[string]int{"2026-11-03": 3}))
	require.Error(t, sameSums(days(), map[string]int{"2026-11-02": 2}))
	require.Error(t, sameSums(days(), map[string]int{"2026-11-03": 2, "2026-11-02": 1}))
	short := days()
	short[0].Items = short[0].Items[1:]
	require.Error(t, sameSums(short, map[string]int{"2026-11-03": 2}))
	doubled := days()
	doubled[0].Items[1].Total = "0.01"
	require.Error(t, sameSums(doubled, map[string]int{"2026-11-03": 2}))
}

func TestTheHighWaterMarkIsRead(t *testing.T) {
	require.EqualValues(t, 150<<20, highWater("Name:\tbench\nVmPeak:\t  999 kB\nVmHWM:\t  153600 kB\nVmRSS:\t 7 kB\n"))
	require.Zero(t, highWater("Name:\tbench\n"))
	require.Zero(t, highWater("VmHWM:\tmuch\n"))
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("no /proc on this system")
	}
	own, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	require.Positive(t, highWater(string(own)))
}

func TestOptions(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := readOptions(nil)
	require.ErrorContains(t, err, "repository's root")
	require.NoError(t, os.WriteFile("go.work", nil, 0o600))
	o, err := readOptions([]string{"BENCH_RECEIPTS=500", "BENCH_ONLY=bulk,hook"})
	require.NoError(t, err)
	require.True(t, o.wants("hook"))
	require.False(t, o.wants("limit"))
	require.False(t, o.whole())
	for _, wrong := range []string{"BENCH_RECEIPTS=1", "BENCH_RECEIPTS=many", "BENCH_PAIRS=0", "BENCH_ONLY=speed"} {
		_, err := readOptions([]string{wrong})
		require.Error(t, err, wrong)
	}
	full, err := readOptions(nil)
	require.NoError(t, err)
	require.True(t, full.full())
}

func TestEachRunsAllAndTellsErrors(t *testing.T) {
	seen := make(chan int, 100)
	require.NoError(t, scene{Name: "x", Venues: 9}.each(func(i int, _ venue) error { seen <- i; return nil }))
	require.Len(t, seen, 9)
	require.Error(t, scene{Name: "x", Venues: 9}.each(func(int, venue) error { return context.Canceled }))
	require.NoError(t, inParallel(0, 3, func(int) error { return context.Canceled }))
	require.ErrorIs(t, sleep(canceled(t), time.Hour), context.Canceled)
}

func canceled(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
