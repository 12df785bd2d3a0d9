package e2e

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/play"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// quick is a demo that is through within seconds, for tests of what comes
// after.
var quick = play.Size{
	Seed: 12, HistoryDays: 2, OrdersPerPastDay: 2, LiveDays: 1, OrdersPerLiveDay: 12, Speed: 20000, Patience: time.Minute,
	ByVerbs: true,
}

// through starts a demo and plays it to its end.
func through(t *testing.T) *play.Demo {
	t.Helper()
	d := start(t, quick)
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	require.NoError(t, d.Watch(ctx))
	return d
}

const (
	marcel  = "7shifts:chez-marcel"
	laurier = "7shifts:brasserie-laurier"
	harbour = "7shifts:harbour-oyster-bar"
)

var lea = ledger.Actor{Handle: "lea", Reason: "test", Note: "end to end"}

// keeper runs the schedule keeper when the test says so, and at no other time.
type keeper struct {
	t    *testing.T
	demo *play.Demo
}

func newKeeper(t *testing.T, d *play.Demo) *keeper {
	t.Helper()
	k := &keeper{t, d}
	own := k.handle(work.ScheduleKeeperID)
	require.NoError(t, own.Pause(t.Context(), client.SchedulePauseOptions{Note: "the test runs it"}))
	eventually(t, "the keeper rests", func(ctx context.Context) (bool, error) {
		s, err := own.Describe(ctx)
		return err == nil && len(s.Info.RunningWorkflows) == 0, err
	})
	k.run()
	return k
}

// run is one run of the keeper, as its schedule starts it.
func (k *keeper) run() work.KeeperResult {
	k.t.Helper()
	run, err := k.demo.Temporal().ExecuteWorkflow(k.t.Context(), client.StartWorkflowOptions{
		ID: work.ScheduleKeeperID, TaskQueue: work.TaskQueue, WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
	}, work.ScheduleKeeper)
	require.NoError(k.t, err)
	var result work.KeeperResult
	require.NoError(k.t, run.Get(k.t.Context(), &result))
	return result
}

// rests runs the keeper and requires that it found nothing to do.
func (k *keeper) rests() {
	k.t.Helper()
	r := k.run()
	require.Zero(k.t, r.Created+r.Updated+r.Deleted+r.Paused+r.Unpaused+r.Lost, r.Summary)
}

func (k *keeper) handle(schedule string) client.ScheduleHandle {
	return k.demo.Temporal().ScheduleClient().GetHandle(k.t.Context(), schedule)
}

func (k *keeper) schedule(connection string) *client.ScheduleDescription {
	k.t.Helper()
	s, err := k.handle(work.SyncScheduleID(connection)).Describe(k.t.Context())
	require.NoError(k.t, err, connection)
	return s
}

func (k *keeper) gone(connection string) bool {
	k.t.Helper()
	_, err := k.handle(work.SyncScheduleID(connection)).Describe(k.t.Context())
	_, gone := err.(*serviceerror.NotFound) //nolint:errorlint // the client gives it bare
	require.True(k.t, gone || err == nil, "%v", err)
	return gone
}

// drift changes a schedule as a person or another program could.
func (k *keeper) drift(connection string, change func(*client.Schedule)) {
	k.t.Helper()
	require.NoError(k.t, k.handle(work.SyncScheduleID(connection)).Update(k.t.Context(), client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			s := in.Description.Schedule
			change(&s)
			return &client.ScheduleUpdate{Schedule: &s}, nil
		},
	}))
}

// starts is what a schedule starts and when, as text.
func starts(s *client.ScheduleDescription) string {
	a := s.Schedule.Action.(*client.ScheduleWorkflowAction)
	return fmt.Sprint(s.Schedule.Spec, s.Schedule.Policy, s.Schedule.State.LimitedActions, a.RetryPolicy, a.ID, a.Workflow, a.TaskQueue, a.Args, a.WorkflowExecutionTimeout,
		a.StaticSummary, a.Priority, attributes(a.TypedSearchAttributes), attributes(s.TypedSearchAttributes))
}

func attributes(of temporal.SearchAttributes) string {
	text := ""
	for _, name := range work.SearchAttributes {
		value, _ := of.GetKeyword(temporal.NewSearchAttributeKeyKeyword(name))
		text += name + "=" + value + " "
	}
	return text
}

// Every drift of Temporal's schedules from the ledger is healed by the next run
// of the keeper, and the run after it finds nothing to do.
func TestSchedulesHealFromEveryDrift(t *testing.T) {
	d := through(t)
	k := newKeeper(t, d)
	k.rests()
	good := starts(k.schedule(marcel))

	t.Run("missing", func(t *testing.T) {
		k.t = t
		require.NoError(t, k.handle(work.SyncScheduleID(marcel)).Delete(t.Context()))
		require.Equal(t, 1, k.run().Created)
		require.Equal(t, good, starts(k.schedule(marcel)))
		k.rests()
	})
	action := func(change func(*client.ScheduleWorkflowAction)) func(*client.Schedule) {
		return func(s *client.Schedule) { change(s.Action.(*client.ScheduleWorkflowAction)) }
	}
	for name, change := range map[string]func(*client.Schedule){
		"interval": func(s *client.Schedule) { s.Spec.Intervals[0].Every = time.Hour },
		"calendar": func(s *client.Schedule) {
			s.Spec.Calendars = []client.ScheduleCalendarSpec{{Hour: []client.ScheduleRange{{Start: 3}}}}
		},
		"jitter":         func(s *client.Schedule) { s.Spec.Jitter = time.Minute },
		"zone":           func(s *client.Schedule) { s.Spec.TimeZoneName = "Europe/Paris" },
		"overlap":        func(s *client.Schedule) { s.Policy.Overlap = enums.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL },
		"catch-up":       func(s *client.Schedule) { s.Policy.CatchupWindow = 24 * time.Hour },
		"number of runs": func(s *client.Schedule) { s.State.LimitedActions, s.State.RemainingActions = true, 1 },
		"retries":        action(func(a *client.ScheduleWorkflowAction) { a.RetryPolicy = &temporal.RetryPolicy{MaximumAttempts: 9} }),
		"another venue":  action(func(a *client.ScheduleWorkflowAction) { a.Args = []any{work.SyncInput{Connection: laurier}} }),
		"no input":       action(func(a *client.ScheduleWorkflowAction) { a.Args = nil }),
		"another id":     action(func(a *client.ScheduleWorkflowAction) { a.ID = "mine" }),
		"workflow":       action(func(a *client.ScheduleWorkflowAction) { a.Workflow = work.ScheduleKeeper }),
		"task queue":     action(func(a *client.ScheduleWorkflowAction) { a.TaskQueue = "nobody-listens" }),
		"timeout":        action(func(a *client.ScheduleWorkflowAction) { a.WorkflowExecutionTimeout = time.Second }),
		"priority":       action(func(a *client.ScheduleWorkflowAction) { a.Priority = temporal.Priority{PriorityKey: 5} }),
		"attributes": action(func(a *client.ScheduleWorkflowAction) {
			a.TypedSearchAttributes = temporal.NewSearchAttributes(temporal.NewSearchAttributeKeyKeyword(work.AttrConnection).ValueSet(laurier))
		}),
	} {
		t.Run("changed "+name, func(t *testing.T) {
			k.t = t
			k.drift(marcel, change)
			require.NotEqual(t, good, starts(k.schedule(marcel)), "the drift took")
			require.Equal(t, 1, k.run().Updated)
			require.Equal(t, good, starts(k.schedule(marcel)))
			k.rests()
		})
	}
	t.Run("orphaned", func(t *testing.T) { k.t = t; k.orphans() })
	t.Run("disconnected", func(t *testing.T) { k.t = t; k.disconnected(good) })
	t.Run("paused by us", func(t *testing.T) { k.t = t; k.pausedByUs() })
	t.Run("paused by a person", func(t *testing.T) { k.t = t; k.pausedByAPerson() })
	t.Run("ledger restored from a backup", func(t *testing.T) { k.t = t; k.restored() })
}

// orphans: a schedule of ours without a connection goes, another's stays.
func (k *keeper) orphans() {
	for _, id := range []string{work.SyncScheduleID("7shifts:no-such-venue"), "sync:wisk:chez-marcel", "somebody-elses"} {
		_, err := k.demo.Temporal().ScheduleClient().Create(k.t.Context(), client.ScheduleOptions{
			ID: id, Spec: client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: time.Hour}}},
			Action: &client.ScheduleWorkflowAction{ID: id, Workflow: work.LocationSync, TaskQueue: work.TaskQueue},
		})
		require.NoError(k.t, err)
	}
	listed(k, 7)
	require.Equal(k.t, 2, k.run().Deleted)
	listed(k, 5)
	k.rests()
	require.NoError(k.t, k.handle("somebody-elses").Delete(k.t.Context()))
	listed(k, 4)
}

// listed waits until Temporal's list of schedules, which lags a moment, has so
// many.
func listed(k *keeper, want int) {
	k.t.Helper()
	eventually(k.t, fmt.Sprintf("%d schedules are listed", want), func(ctx context.Context) (bool, error) {
		list, err := k.demo.Temporal().ScheduleClient().List(ctx, client.ScheduleListOptions{})
		n := 0
		for err == nil && list.HasNext() {
			_, err = list.Next()
			n++
		}
		return n == want, err
	})
}

func (k *keeper) disconnected(good string) {
	_, err := k.demo.Ledger().SetState(k.t.Context(), marcel, work.Disconnected, lea)
	require.NoError(k.t, err)
	require.Equal(k.t, 1, k.run().Deleted)
	require.True(k.t, k.gone(marcel))
	k.rests()
	_, err = k.demo.Ledger().SetState(k.t.Context(), marcel, work.Healthy, lea)
	require.NoError(k.t, err)
	require.Equal(k.t, 1, k.run().Created)
	require.Equal(k.t, good, starts(k.schedule(marcel)))
	k.rests()
}

// pausedByUs: a pause of ours follows the ledger both ways, also when somebody
// unpauses in the Web UI what the ledger wants paused.
func (k *keeper) pausedByUs() {
	_, err := k.demo.Ledger().Pause(k.t.Context(), marcel, lea)
	require.NoError(k.t, err)
	require.Equal(k.t, 1, k.run().Paused)
	require.Contains(k.t, k.schedule(marcel).Schedule.State.Note, "clusterbridge resume "+marcel, "the UI says what to type")
	k.rests()
	require.NoError(k.t, k.handle(work.SyncScheduleID(marcel)).Unpause(k.t.Context(), client.ScheduleUnpauseOptions{Note: "Unpaused from Web UI"}))
	require.Equal(k.t, 1, k.run().Paused)
	require.True(k.t, k.schedule(marcel).Schedule.State.Paused)
	_, err = k.demo.Ledger().Resume(k.t.Context(), marcel, lea)
	require.NoError(k.t, err)
	require.Equal(k.t, 1, k.run().Unpaused)
	require.False(k.t, k.schedule(marcel).Schedule.State.Paused)
	k.rests()
}

// pausedByAPerson: what a person paused in the Web UI stands through ten runs
// of the keeper, whatever the ledger says, while the rest of it is kept in
// line; only a person ends it.
func (k *keeper) pausedByAPerson() {
	const note = "Paused from Web UI"
	own := k.handle(work.SyncScheduleID(marcel))
	require.NoError(k.t, own.Pause(k.t.Context(), client.SchedulePauseOptions{Note: note}))
	k.drift(marcel, func(s *client.Schedule) { s.Spec.Intervals[0].Every = time.Hour })
	require.Equal(k.t, 1, k.run().Updated)
	for range 10 {
		r := k.run()
		require.Equal(k.t, 1, r.LeftPausedByPerson, r.Summary)
		require.Zero(k.t, r.Updated+r.Unpaused+r.Paused, r.Summary)
	}
	_, err := k.demo.Ledger().Pause(k.t.Context(), marcel, lea)
	require.NoError(k.t, err)
	k.run()
	_, err = k.demo.Ledger().Resume(k.t.Context(), marcel, lea)
	require.NoError(k.t, err)
	k.run()
	state := k.schedule(marcel).Schedule.State
	require.True(k.t, state.Paused, "resuming the connection does not end a person's pause of the schedule")
	require.Equal(k.t, note, state.Note)
	require.NoError(k.t, own.Unpause(k.t.Context(), client.ScheduleUnpauseOptions{}))
	k.rests()
}

// restored: the ledger goes back to what it was before venues were paused,
// disconnected and added. The schedules follow it, and then the ledger and
// 7shifts still agree.
func (k *keeper) restored() {
	backUp(k.t, k.demo)
	_, err := k.demo.Ledger().Pause(k.t.Context(), laurier, lea)
	require.NoError(k.t, err)
	_, err = k.demo.Ledger().SetState(k.t.Context(), harbour, work.Disconnected, lea)
	require.NoError(k.t, err)
	later := k.connectALaterVenue()
	k.run()
	require.True(k.t, k.schedule(laurier).Schedule.State.Paused)
	require.True(k.t, k.gone(harbour))
	require.False(k.t, k.gone(later))
	listed(k, 4)

	restore(k.t, k.demo)
	r := k.run()
	require.Equal(k.t, []int{1, 1, 1}, []int{r.Created, r.Deleted, r.Unpaused}, r.Summary)
	require.False(k.t, k.schedule(laurier).Schedule.State.Paused)
	require.False(k.t, k.gone(harbour))
	require.True(k.t, k.gone(later))
	k.rests()
	for _, c := range []string{marcel, laurier, harbour} {
		said, err := k.demo.Verb(k.t.Context(), "sync", "now", c)
		require.NoError(k.t, err, said)
	}
	report, err := k.demo.Compare(k.t.Context())
	require.NoError(k.t, err)
	require.True(k.t, report.Good())
}

// connectALaterVenue is one of which an older ledger knows nothing.
func (k *keeper) connectALaterVenue() string {
	require.NoError(k.t, k.demo.Ledger().AddLocation(k.t.Context(), ledger.Location{
		ID: "le-pub", TradeName: "Le Pub", Address: "1 rue Rachel, Montreal", Zone: "America/Toronto", Serial: "CL-300001",
	}, lea))
	id, err := k.demo.Ledger().Connect(k.t.Context(), ledger.NewConnection{
		Partner: work.SevenShifts, LocationID: "le-pub", CompanyID: 1, PartnerLocationID: 1,
	}, lea)
	require.NoError(k.t, err)
	return id
}

// backUp copies the ledger's database as it is, and restore puts the copy in
// its place, as an operator would after a loss. PostgreSQL copies a database
// only while nobody is connected, so both look like a short outage to the
// worker.
func backUp(t *testing.T, d *play.Demo)  { t.Helper(); copyDatabase(t, d, "clusterbridge", "backup") }
func restore(t *testing.T, d *play.Demo) { t.Helper(); copyDatabase(t, d, "backup", "clusterbridge") }

func copyDatabase(t *testing.T, d *play.Demo, from, to string) {
	t.Helper()
	at, err := url.Parse(d.DatabaseURL())
	require.NoError(t, err)
	require.Equal(t, "/clusterbridge", at.Path)
	at.Path = "/postgres"
	db, err := sqlx.ConnectContext(t.Context(), "postgres", at.String())
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	do := func(statement string, args ...any) {
		_, err := db.ExecContext(t.Context(), fmt.Sprintf(statement, args...))
		require.NoError(t, err, statement)
	}
	const hang = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'`
	do(`ALTER DATABASE %s WITH ALLOW_CONNECTIONS false`, from)
	do(hang, from)
	if to == "clusterbridge" {
		do(`ALTER DATABASE %s WITH ALLOW_CONNECTIONS false`, to)
		do(`DROP DATABASE %s WITH (FORCE)`, to)
	}
	for { // those who were hung up on leave in a moment
		_, err = db.ExecContext(t.Context(), fmt.Sprintf(`CREATE DATABASE %s TEMPLATE %s`, to, from))
		if err == nil || !strings.Contains(err.Error(), "being accessed") {
			break
		}
		do(hang, from)
	}
	require.NoError(t, err)
	do(`ALTER DATABASE %s WITH ALLOW_CONNECTIONS true`, from)
	eventually(t, "the ledger answers again", func(ctx context.Context) (bool, error) {
		_, err := d.Ledger().Connections(ctx)
		return err == nil, nil
	})
}
