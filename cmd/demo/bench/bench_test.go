package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/clock"
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
	s := scene{Name: "test", Venues: 3, Orders: 11}
	total := 0
	for i, v := range venuesOf(s.Name, s.Venues) {
		total += s.of(i)
		b := newBare(task{Scene: s, Shifts: "http://nowhere", Flying: 1}, v, clock.Fixed(evening()))
		for n := range s.of(i) {
			raw, err := json.Marshal(meal(n, closing(n, s.of(i))))
			require.NoError(t, err)
			o, err := b.decode(raw)
			require.NoError(t, err)
			documents, err := b.translate(o)
			require.NoError(t, err)
			require.Len(t, documents, 1)
			require.NotZero(t, documents[0].Day)
		}
	}
	require.Equal(t, s.Orders, total)
	require.True(t, closing(total-1, total).Before(evening()))
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
	require.ErrorIs(t, sleep(canceled(t), time.Hour), context.Canceled)
}

func canceled(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
