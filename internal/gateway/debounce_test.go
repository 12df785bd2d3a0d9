package gateway

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const every = 5 * time.Second

// timed notes when syncs were started, after the test began.
type timed struct {
	began time.Time
	mu    sync.Mutex
	at    map[string][]time.Duration
	fail  func(n int) error // of the nth call, from 1
	calls int
}

func (r *timed) Trigger(_ context.Context, connection string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.calls++; r.fail != nil {
		if err := r.fail(r.calls); err != nil {
			return err
		}
	}
	r.at[connection] = append(r.at[connection], time.Since(r.began))
	return nil
}

// inTime runs a test of a debouncer in a time of its own.
func inTime(t *testing.T, fail func(int) error, test func(t *testing.T, d *debouncer, r *timed)) {
	synctest.Test(t, func(t *testing.T) {
		counted, err := newCounters(prometheus.NewRegistry())
		require.NoError(t, err)
		r := &timed{began: time.Now(), at: map[string][]time.Duration{}, fail: fail}
		d := newDebouncer(every, r, counted, quiet())
		test(t, d, r)
		d.close()
	})
}

// pass lets time pass; it is the test's own time, not the machine's.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestTheFirstHintActsAtOnceAndTheLastIsKept(t *testing.T) {
	inTime(t, nil, func(t *testing.T, d *debouncer, r *timed) {
		for range 20 { // over 2 s
			d.hint("a")
			pass(100 * time.Millisecond)
		}
		d.hint("b")
		pass(time.Minute)
		require.Equal(t, map[string][]time.Duration{"a": {0, every}, "b": {2 * time.Second}}, r.at)
		require.Empty(t, d.waiting, "what is quiet is forgotten")
		d.hint("a")
		synctest.Wait()
		require.Len(t, r.at["a"], 3, "after a quiet interval the next acts at once")
	})
}

func TestASyncBeginsAfterEveryHint(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		pauses := rapid.SliceOfN(rapid.IntRange(0, 12000), 1, 30).Draw(r, "pauses in ms")
		var last time.Duration
		var at []time.Duration
		inTime(t, nil, func(_ *testing.T, d *debouncer, got *timed) {
			for _, ms := range pauses {
				pass(time.Duration(ms) * time.Millisecond)
				d.hint("a")
				last = time.Since(got.began)
			}
			pass(time.Minute)
			at = got.at["a"]
		})
		require.NotEmpty(r, at)
		require.GreaterOrEqual(r, at[len(at)-1], last)
		require.LessOrEqual(r, at[len(at)-1], last+every)
		for i := 1; i < len(at); i++ {
			require.GreaterOrEqual(r, at[i]-at[i-1], every)
		}
	})
}

func TestAFailedStartIsTriedAgainAndThenLeftToTheSchedule(t *testing.T) {
	away := errors.New("away")
	inTime(t, func(n int) error {
		if n < 3 {
			return away
		}
		return nil
	}, func(t *testing.T, d *debouncer, r *timed) {
		d.hint("a")
		pass(time.Minute)
		require.Equal(t, []time.Duration{2 * every}, r.at["a"])
	})
	inTime(t, func(int) error { return away }, func(t *testing.T, d *debouncer, r *timed) {
		d.hint("a")
		pass(time.Hour)
		require.Equal(t, triggerTries, r.calls)
		require.Empty(t, d.waiting)
	})
	inTime(t, func(int) error { return ErrStands }, func(t *testing.T, d *debouncer, r *timed) {
		d.hint("a")
		pass(time.Hour)
		require.Equal(t, 1, r.calls, "a pause stands")
	})
}

func TestClosingStartsWhatIsOwed(t *testing.T) {
	inTime(t, nil, func(t *testing.T, d *debouncer, r *timed) {
		d.hint("a")
		d.hint("b")
		synctest.Wait()
		d.hint("a")
		d.close()
		require.Equal(t, map[string][]time.Duration{"a": {0, 0}, "b": {0}}, r.at)
		require.False(t, d.hint("a"), "nothing is promised any more")
	})
}
