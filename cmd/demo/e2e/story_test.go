package e2e

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/play"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// shared is the demo that several tests look at once it is through: it is run
// by the first that asks, its worker is killed in the middle, and the report is
// kept.
var shared struct {
	once   sync.Once
	demo   *play.Demo
	dir    string
	out    lines
	report play.Report
	err    error
	killed bool
}

func finished(t *testing.T) *play.Demo {
	t.Helper()
	shared.once.Do(func() { shared.err = playShared(context.Background()) })
	require.NoError(t, shared.err, shared.out.String())
	return shared.demo
}

func playShared(ctx context.Context) (err error) {
	if shared.dir, err = os.MkdirTemp("", "clusterbridge-e2e-"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if shared.demo, err = play.Start(ctx, options(shared.dir, play.Small, &shared.out)); err != nil {
		return err
	}
	for sent := 0; sent < enoughToKill; {
		if sent, err = shared.demo.Sent(ctx); err != nil {
			return err
		}
	}
	if err := shared.demo.KillWorker(); err != nil {
		return err
	}
	if err := shared.demo.Watch(ctx); err != nil {
		return err
	}
	shared.report, err = shared.demo.Compare(ctx)
	return err
}

// enoughToKill receipts are sent before the worker is killed: work is then
// going on at all venues, in both lanes.
const enoughToKill = 25

// The worker is killed with SIGKILL in the middle and started again: every
// difference is still 0, no receipt is doubled, none is created again after a
// clean answer.
func TestAKilledWorkerLosesAndDoublesNothing(t *testing.T) {
	d := finished(t)
	var table strings.Builder
	shared.report.Print(&table)
	require.True(t, shared.report.Good(), table.String())
	require.Contains(t, shared.out.String(), "signal: killed")
	require.Zero(t, d.SevenShifts().Counters().SecondAfterClean)
	for _, rate := range d.SevenShifts().Rates() {
		require.Zero(t, rate.Limited, "429s of %s", rate.Source)
	}
}

// An idle run is one activity: not more than 11 events, about a kilobyte.
func TestAnIdleSyncRunIsSmall(t *testing.T) {
	d := finished(t)
	runs := closedRuns(t, d, "WorkflowType = '"+work.LocationSync+"' AND ExecutionStatus = 'Completed'")
	require.NotEmpty(t, runs)
	events := history(t, d, runs[0])
	require.LessOrEqual(t, len(events), 11)
}

// The keeper makes a schedule per connection, pauses it with its connection
// and lets it go on again.
func TestTheKeeperFollowsTheLedger(t *testing.T) {
	d := finished(t)
	connections, err := d.Ledger().Connections(t.Context())
	require.NoError(t, err)
	require.Len(t, connections, 3)
	for _, c := range connections {
		_, err := d.Temporal().ScheduleClient().GetHandle(t.Context(), work.SyncScheduleID(c.ID)).Describe(t.Context())
		require.NoError(t, err, c.ID)
	}
	one := connections[0].ID
	paused := func(want bool) func(context.Context) (bool, error) {
		return func(ctx context.Context) (bool, error) {
			s, err := d.Temporal().ScheduleClient().GetHandle(ctx, work.SyncScheduleID(one)).Describe(ctx)
			return err == nil && s.Schedule.State.Paused == want, err
		}
	}
	said, err := d.Verb(t.Context(), "pause", one, "--reason", "test", "--note", "end to end")
	require.NoError(t, err, said)
	eventually(t, "the schedule is paused", paused(true))
	said, err = d.Verb(t.Context(), "resume", one, "--reason", "test", "--note", "end to end")
	require.NoError(t, err, said)
	eventually(t, "the schedule runs again", paused(false))
}

// A receipt that 7shifts loses for good makes the demo fail and is named.
func TestALostReceiptIsNamed(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, asStack)
	cmd.Env = append(os.Environ(), "DEMO_STATE="+tempState(t), "DEMO_SIZE=small", "EXIT=1", "BREAK=lose-one")
	said, err := cmd.CombinedOutput()
	text := string(said)
	require.Equal(t, 1, cmd.ProcessState.ExitCode(), "%v\n%s", err, text)
	_, lost, announced := strings.Cut(text, "will lose receipt ")
	require.True(t, announced, text)
	id, _, _ := strings.Cut(lost, " ")
	require.NotEmpty(t, id)
	require.Contains(t, text, "DIFFERENT: receipt "+id+" of ")
	require.Equal(t, 1, strings.Count(text, "DIFFERENT: "), text)
}
