package activities_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/clustersystems/clusterbridge/activities"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// schedules is Temporal's schedule service in memory. It gives inputs back as
// payloads and fills in defaults, as the real one does; that the keeper agrees
// with the real one is tested on the embedded server.
type schedules struct {
	client.ScheduleClient
	mu     sync.Mutex // the keeper works on several schedules at once
	held   map[string]*client.ScheduleDescription
	writes int
	sick   string // an id that cannot be written
}

func (s *schedules) Create(_ context.Context, o client.ScheduleOptions) (client.ScheduleHandle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[o.ID] != nil {
		return nil, temporal.ErrScheduleAlreadyRunning
	}
	s.put(o.ID, client.Schedule{
		Action: o.Action, Spec: &o.Spec, State: &client.ScheduleState{Paused: o.Paused, Note: o.Note},
		Policy: &client.SchedulePolicies{Overlap: o.Overlap, CatchupWindow: o.CatchupWindow},
	}, o.TypedSearchAttributes)
	return s.GetHandle(context.Background(), o.ID), nil
}

func (s *schedules) put(id string, held client.Schedule, attributes temporal.SearchAttributes) {
	s.writes++
	action := *held.Action.(*client.ScheduleWorkflowAction)
	action.Args = slices.Clone(action.Args)
	for i, arg := range action.Args {
		if _, encoded := arg.(*commonpb.Payload); !encoded {
			action.Args[i], _ = converter.GetDefaultDataConverter().ToPayload(arg)
		}
	}
	held.Action = &action
	spec := *held.Spec
	spec.Calendars = slices.Clone(spec.Calendars)
	for i := range spec.Calendars {
		spec.Calendars[i].Month = []client.ScheduleRange{{Start: 1, End: 12, Step: 1}}
		spec.Calendars[i].DayOfMonth = []client.ScheduleRange{{Start: 1, End: 31}}
	}
	held.Spec = &spec
	s.held[id] = &client.ScheduleDescription{Schedule: held, TypedSearchAttributes: attributes}
}

func (s *schedules) List(context.Context, client.ScheduleListOptions) (client.ScheduleListIterator, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &entries{slices.Sorted(maps.Keys(s.held))}, nil
}

func (s *schedules) GetHandle(_ context.Context, id string) client.ScheduleHandle {
	return &handle{s: s, id: id}
}

type entries struct{ ids []string }

func (e *entries) HasNext() bool { return len(e.ids) > 0 }

func (e *entries) Next() (*client.ScheduleListEntry, error) {
	id := e.ids[0]
	e.ids = e.ids[1:]
	return &client.ScheduleListEntry{ID: id}, nil
}

type handle struct {
	client.ScheduleHandle
	s  *schedules
	id string
}

func (h *handle) Describe(context.Context) (*client.ScheduleDescription, error) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	held := h.s.held[h.id]
	if held == nil {
		return nil, serviceerror.NewNotFound("no such schedule")
	}
	c := *held
	state := *held.Schedule.State
	c.Schedule.State = &state
	return &c, nil
}

func (h *handle) Update(_ context.Context, o client.ScheduleUpdateOptions) error {
	if h.id == h.s.sick {
		return serviceerror.NewUnavailable("not now")
	}
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	update, err := o.DoUpdate(client.ScheduleUpdateInput{})
	if err != nil {
		return err
	}
	h.s.put(h.id, *update.Schedule, *update.TypedSearchAttributes)
	return nil
}

func (h *handle) Delete(context.Context) error {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	if h.s.held[h.id] == nil {
		return serviceerror.NewNotFound("no such schedule")
	}
	h.s.writes++
	delete(h.s.held, h.id)
	return nil
}

// pause is what a person does in the Web UI.
func (s *schedules) pause(id, note string) {
	s.held[id].Schedule.State.Paused, s.held[id].Schedule.State.Note = true, note
}

const syncID = "sync:" + marcel

type keepRig struct {
	*rig
	s *schedules
	k *activities.Schedules
}

func newKeeper(t *testing.T) *keepRig {
	t.Helper()
	r := newRig(t, options{})
	s := &schedules{held: map[string]*client.ScheduleDescription{}}
	return &keepRig{r, s, &activities.Schedules{
		Client: s, Ledger: r.store, Log: r.Log, Cadence: activities.Cadence{KeepEvery: 5 * time.Minute},
	}}
}

func (k *keepRig) keep() (result work.KeeperResult, err error) {
	k.t.Helper()
	suite := testsuite.WorkflowTestSuite{}
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(k.k)
	value, err := env.ExecuteActivity("KeepSchedules", work.KeepInput{})
	if err != nil {
		return result, err
	}
	return result, value.Get(&result)
}

func (k *keepRig) mustKeep() work.KeeperResult {
	k.t.Helper()
	result, err := k.keep()
	require.NoError(k.t, err)
	return result
}

func (k *keepRig) state() client.ScheduleState { return *k.s.held[syncID].Schedule.State }

func TestKeeperCreatesOnceAndThenRests(t *testing.T) {
	k := newKeeper(t)
	require.Equal(t, 1, k.mustKeep().Created)
	writes := k.s.writes
	result := k.mustKeep()
	require.Equal(t, work.KeeperResult{Schedules: 1, Summary: result.Summary}, result)
	require.Equal(t, writes, k.s.writes, "what is in line is not written again")
	action := k.s.held[syncID].Schedule.Action.(*client.ScheduleWorkflowAction)
	require.Equal(t, "Sync Chez Marcel to 7shifts", action.StaticSummary)
	require.Equal(t, "chez-marcel", action.Priority.FairnessKey)
	partner, _ := action.TypedSearchAttributes.GetKeyword(temporal.NewSearchAttributeKeyKeyword(work.AttrPartner))
	require.Equal(t, "7shifts", partner)
}

func TestKeeperCorrectsEveryDrift(t *testing.T) {
	k := newKeeper(t)
	k.mustKeep()
	for name, drift := range map[string]func(*client.ScheduleDescription){
		"spec": func(d *client.ScheduleDescription) { d.Schedule.Spec.Calendars[0].Hour[0].Start = 3 },
		"interval": func(d *client.ScheduleDescription) {
			d.Schedule.Spec.Intervals = []client.ScheduleIntervalSpec{{Every: time.Second}}
		},
		"zone":     func(d *client.ScheduleDescription) { d.Schedule.Spec.TimeZoneName = "UTC" },
		"overlap":  func(d *client.ScheduleDescription) { d.Schedule.Policy.Overlap = 0 },
		"catch-up": func(d *client.ScheduleDescription) { d.Schedule.Policy.CatchupWindow = 365 * 24 * time.Hour },
		"queue": func(d *client.ScheduleDescription) {
			d.Schedule.Action.(*client.ScheduleWorkflowAction).TaskQueue = "other"
		},
		"workflow": func(d *client.ScheduleDescription) {
			d.Schedule.Action.(*client.ScheduleWorkflowAction).Workflow = "Other"
		},
		"input":     func(d *client.ScheduleDescription) { d.Schedule.Action.(*client.ScheduleWorkflowAction).Args = nil },
		"attribute": func(d *client.ScheduleDescription) { d.TypedSearchAttributes = temporal.SearchAttributes{} },
	} {
		drift(k.s.held[syncID])
		require.Equal(t, 1, k.mustKeep().Updated, name)
		require.Zero(t, k.mustKeep().Updated, name)
	}
}

func TestPersonsPauseStandsAndOursDoesNot(t *testing.T) {
	k := newKeeper(t)
	k.mustKeep()
	k.s.pause(syncID, "Paused from UI")
	for range 10 {
		require.Equal(t, 1, k.mustKeep().LeftPausedByPerson)
	}
	require.Equal(t, client.ScheduleState{Paused: true, Note: "Paused from UI"}, k.state())

	k.s.held[syncID].Schedule.State.Paused = false // the person changes their mind
	_, err := k.store.Pause(k.ctx, marcel, lea)
	require.NoError(t, err)
	require.Equal(t, 1, k.mustKeep().Paused)
	require.Contains(t, k.state().Note, "clusterbridge: ")
	require.Zero(t, k.mustKeep().Paused)
	_, err = k.store.Resume(k.ctx, marcel, lea)
	require.NoError(t, err)
	require.Equal(t, 1, k.mustKeep().Unpaused)
	require.Equal(t, client.ScheduleState{}, k.state())
}

// The list of schedules shows each venue once, and who has to act on it now.
func TestTheScheduleSaysWhoIsWaitedFor(t *testing.T) {
	k := newKeeper(t)
	k.mustKeep()
	who := func() string {
		name, _ := k.s.held[syncID].TypedSearchAttributes.GetKeyword(temporal.NewSearchAttributeKeyKeyword(work.AttrWaitingFor))
		return name
	}
	require.Empty(t, who())
	_, err := k.store.RecordFailure(k.ctx, marcel, work.ClusterKeyRefused, "refused", work.Refused, 0)
	require.NoError(t, err)
	require.Equal(t, 1, k.mustKeep().Updated)
	require.Equal(t, "operator", who())
	action := k.s.held[syncID].Schedule.Action.(*client.ScheduleWorkflowAction)
	require.NotContains(t, action.TypedSearchAttributes.GetUntypedValues(), temporal.NewSearchAttributeKeyKeyword(work.AttrWaitingFor),
		"a run that starts waits for nobody yet")
	_, err = k.store.RecordSuccess(k.ctx, marcel, work.Counts{})
	require.NoError(t, err)
	k.mustKeep()
	require.Empty(t, who())
}

func TestKeeperDeletesOrphansOfOursOnly(t *testing.T) {
	k := newKeeper(t)
	k.mustKeep()
	k.s.held["sync:7shifts:gone"] = k.s.held[syncID]
	k.s.held["somebody-elses"] = k.s.held[syncID]
	require.NoError(t, k.k.EnsureKeeper(k.ctx))
	require.Equal(t, 1, k.mustKeep().Deleted)
	require.Equal(t, []string{"schedule-keeper", "somebody-elses", syncID}, slices.Sorted(maps.Keys(k.s.held)))
	_, err := k.store.SetState(k.ctx, marcel, work.Disconnected, lea)
	require.NoError(t, err)
	require.Equal(t, 1, k.mustKeep().Deleted)
	require.Zero(t, k.mustKeep().Deleted)
}

// One schedule that cannot be kept does not stop the rest, and the run fails.
func TestKeeperNamesTheScheduleItCouldNotKeep(t *testing.T) {
	k := newKeeper(t)
	k.mustKeep()
	require.NoError(t, k.store.AddLocation(k.ctx, ledger.Location{ID: "le-pub", TradeName: "Le Pub", Zone: "America/Toronto", Serial: "C3"}, lea))
	_, err := k.store.Connect(k.ctx, ledger.NewConnection{Partner: work.SevenShifts, LocationID: "le-pub", CompanyID: 7, PartnerLocationID: 71}, lea)
	require.NoError(t, err)
	k.s.held[syncID].Schedule.Spec.TimeZoneName = "UTC"
	k.s.sick = syncID
	_, err = k.keep()
	require.Equal(t, work.ScheduleFailed, code(t, err))
	require.ErrorContains(t, err, syncID)
	require.Contains(t, k.s.held, "sync:7shifts:le-pub")
}

func TestEnsureKeeperMakesItsOwnScheduleOnce(t *testing.T) {
	k := newKeeper(t)
	require.NoError(t, k.k.EnsureKeeper(k.ctx))
	k.s.pause("schedule-keeper", "maintenance")
	writes := k.s.writes
	require.NoError(t, k.k.EnsureKeeper(k.ctx))
	require.Equal(t, writes, k.s.writes)
	k.k.Cadence.KeepEvery = time.Minute
	require.NoError(t, k.k.EnsureKeeper(k.ctx))
	require.Equal(t, time.Minute, k.s.held["schedule-keeper"].Schedule.Spec.Intervals[0].Every)
	require.True(t, k.s.held["schedule-keeper"].Schedule.State.Paused, "a person's pause stands")
}
