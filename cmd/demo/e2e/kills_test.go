package e2e

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/play"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// few is as few venues and days as onboarding needs.
var few = play.Size{
	Seed: 14, HistoryDays: 2, OrdersPerPastDay: 2, LiveDays: 1, OrdersPerLiveDay: 6, Speed: 4200, Patience: within,
	Wisk: play.WiskSize{Sites: 1, HistoryMonths: 1, HistoryDays: 3, OrdersPerPastDay: 3, OrdersPerLiveDay: 5},
}

// storms are the seeds of the kills that are tried; SEED adds one more.
func storms(t *testing.T) []uint64 {
	seeds := []uint64{1}
	if text := os.Getenv("SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
		seeds = []uint64{seed}
	}
	return seeds
}

// inTheMiddle is how long an act of people takes, about.
const inTheMiddle = 600 * time.Millisecond

// Worker, gateway or Temporal are killed at each stage of onboardings, as the
// seed has it, and started again: each step's mail has one Message-ID, each fee
// one charge, each till one key, and every venue comes where it should.
func TestKillsDuringOnboarding(t *testing.T) {
	for _, seed := range storms(t) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Logf("SEED=%d", seed)
			dice := rand.New(rand.NewPCG(seed, seed))
			out := &lines{}
			state := tempState(t)
			o := options(state, few, out)
			o.NoBrowser = true
			ctx, cancel := context.WithTimeout(t.Context(), 4*within)
			defer cancel()
			var one sync.Mutex // killing at a time
			var killing sync.WaitGroup
			o.Disturb = func(_ context.Context, d *play.Demo, stage string) error {
				what, after := dice.IntN(3), time.Duration(dice.Int64N(int64(inTheMiddle)))
				t.Logf("%v after the first act at %s began: %s is killed", after, stage, []string{"the worker", "the gateway", "Temporal"}[what])
				killing.Go(func() {
					time.Sleep(after) // into the act
					one.Lock()
					defer one.Unlock()
					kill := []func() error{d.KillWorker, d.KillGateway, func() error { return d.RestartTemporal(ctx) }}[what]
					assert.NoError(t, kill())
				})
				return nil
			}
			d, err := play.Start(ctx, o)
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("the demo said:\n%s\nits worker:\n%s", out, tail(filepath.Join(state, "worker.log")))
				}
			})
			killing.Wait()
			require.NoError(t, err)
			t.Cleanup(d.Stop)
			require.NoError(t, d.Watch(ctx))
			report, err := d.Compare(ctx)
			require.NoError(t, err)
			require.True(t, report.Good(), "%+v", report)
			oneOfEach(t, d)
		})
	}
}

// oneOfEach looks into the mailbox, the ledger and Cluster's back office.
func oneOfEach(t *testing.T, d *play.Demo) {
	t.Helper()
	ids := map[string]map[string]bool{}
	for _, m := range d.Mailbox().Mails("") {
		step := m.EnvelopeTo + ": " + m.Subject
		if ids[step] == nil {
			ids[step] = map[string]bool{}
		}
		ids[step][m.MessageID] = true
	}
	for step, of := range ids {
		most := 1
		if strings.Contains(step, ": Reminder:") || strings.Contains(step, ": Rappel :") {
			most = 2 // after 20 and after 45 seconds
		}
		require.LessOrEqual(t, len(of), most, step)
	}
	keys := map[string]int{}
	for _, k := range d.Tills().State().Office.Keys {
		if k.Revoked.IsZero() {
			keys[k.Serial]++
		}
	}
	cases, err := d.Ledger().Cases(t.Context(), true)
	require.NoError(t, err)
	live := 0
	for _, c := range cases {
		if c.Outcome != work.WentLive {
			require.Zero(t, keys[c.Serial], c.Name())
			continue
		}
		live++
		require.Equal(t, 1, keys[c.Serial], "ours; WISK's is withdrawn where sales are uploaded: %s", c.Name())
		connection, err := d.Ledger().Connection(t.Context(), c.Connection())
		require.NoError(t, err)
		require.True(t, connection.State.Live(), "%s is %s", c.Name(), connection.State)
		charge, there, err := d.Ledger().ChargeOf(t.Context(), c.ID)
		require.NoError(t, err)
		require.Equal(t, c.Partner == work.Wisk, there)
		if there {
			require.Equal(t, work.ChargePaid, charge.State)
		}
	}
	require.Equal(t, 4, live)
}
