package e2e

import (
	"context"
	"os"
	"os/exec"
	"regexp"
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
	// what was the case when the worker was killed
	uploads, daysIn, daysOf int
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
	ctx, cancel := context.WithTimeout(ctx, 2*within)
	defer cancel()
	// More of WISK's history than is in when the last venue is set up.
	size := play.Small
	size.Wisk.HistoryMonths, size.Wisk.HistoryDays = 2, 55
	if shared.demo, err = play.Start(ctx, options(shared.dir, size, &shared.out)); err != nil {
		return err
	}
	for sent := 0; sent < enoughToKill; {
		if sent, err = shared.demo.Sent(ctx); err != nil {
			return err
		}
	}
	if shared.daysIn, shared.daysOf, err = shared.demo.WiskHistory(ctx); err != nil {
		return err
	}
	if shared.uploads, err = shared.demo.KillWorkerWhileUploading(ctx); err != nil {
		return err
	}
	if err := shared.demo.Watch(ctx); err != nil {
		return err
	}
	shared.report, err = shared.demo.Compare(ctx)
	return err
}

// enoughToKill documents are sent before the worker is killed: work is then
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

// Likewise for WISK, in the middle of its history and with uploads of which the
// worker never learned that they were taken: they were sent again under the ids
// of their lines, and each item of each business day is there once.
func TestAKilledWorkerDuringAWiskBackfillLosesAndDoublesNothing(t *testing.T) {
	d := finished(t)
	require.Positive(t, shared.daysIn)
	require.Less(t, shared.daysIn, shared.daysOf, "in the middle")
	require.Positive(t, shared.uploads)
	require.Len(t, shared.report.Sites, 3)
	require.True(t, shared.report.Good())
	require.Empty(t, d.Wisk().Check())
	c := d.Wisk().Counters()
	require.Positive(t, c.Repeats, "what was on its way was sent again")
	require.Equal(t, c.Lines, c.Applied+c.Repeats)
	t.Logf("killed with %d of %d days in and %d uploads on their way: %+v", shared.daysIn, shared.daysOf, shared.uploads, c)
}

// The venues came by onboarding, whoever asked for them; one declined on its
// page, and one that does not answer was reminded. No mail was sent twice: the
// worker was killed after the last of them.
func TestTheVenuesCameByOnboarding(t *testing.T) {
	d := finished(t)
	require.Len(t, shared.report.Guests, 8)
	stages := map[string]int{}
	for _, g := range shared.report.Guests {
		require.True(t, g.Good, "%+v", g)
		require.Positive(t, g.Mails)
		stages[g.Stage]++
	}
	require.Equal(t, map[string]int{"live": 6, "declined": 1, "confirmation": 1}, stages)
	require.Empty(t, d.Mailbox().Violations())
	cases, err := d.Ledger().Cases(t.Context(), true)
	require.NoError(t, err)
	require.Len(t, cases, 8)
	for _, c := range cases {
		if c.Data.Decision != "" {
			require.Equal(t, work.ByVenue, c.Data.DecidedBy, c.Name())
		}
		charge, there, err := d.Ledger().ChargeOf(t.Context(), c.ID)
		require.NoError(t, err)
		require.Equal(t, c.Partner == work.Wisk && c.Outcome == work.WentLive, there, c.Name())
		if there {
			require.Equal(t, work.ChargePaid, charge.State, c.Name())
		}
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
	require.Len(t, connections, 6)
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

// A receipt that 7shifts loses for good makes the demo fail and is named, and so
// is an item of which WISK forgets one line.
func TestWhatIsLostIsNamed(t *testing.T) {
	for what, announces := range map[string]*regexp.Regexp{
		play.BreakLoseOne:  regexp.MustCompile(`will lose (receipt \S+) of`),
		play.BreakLoseItem: regexp.MustCompile(`will forget one line of (item \S+) on (\S+) at`),
	} {
		t.Run(what, func(t *testing.T) {
			self, err := os.Executable()
			require.NoError(t, err)
			cmd := exec.CommandContext(t.Context(), self, asStack)
			cmd.Env = append(os.Environ(), "DEMO_STATE="+tempState(t), "DEMO_SIZE=small", "EXIT=1", "BREAK="+what,
				"DEMO_BROWSER=off") // the shared demo has one, where it is installed
			said, err := cmd.CombinedOutput()
			text := string(said)
			require.Equal(t, 1, cmd.ProcessState.ExitCode(), "%v\n%s", err, text)
			announced := announces.FindStringSubmatch(text)
			require.NotEmpty(t, announced, text)
			different := regexp.MustCompile(`(?m)^DIFFERENT: .*$`).FindAllString(text, -1)
			require.Len(t, different, 1, text)
			for _, word := range announced[1:] {
				require.Contains(t, different[0]+" ", word+" ")
			}
		})
	}
}
