package activities

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/sync/errgroup"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// keepAtOnce is how many schedules are looked at together: Temporal's frontend
// answers each in milliseconds.
const keepAtOnce = 8

// Schedules is the door to Temporal's schedules.
type Schedules struct {
	Client  client.ScheduleClient
	Ledger  *ledger.Store
	Cadence Cadence
	Log     *slog.Logger
	// Converter reads the input that a schedule gives its runs; nil is the
	// SDK's default. With a payload codec it is the client's.
	Converter converter.DataConverter
}

// KeepSchedules makes Temporal's schedules match the ledger: it creates what is
// missing, corrects what differs, deletes what has no connection, pauses what
// must not run and unpauses only what it paused itself. One bad schedule does
// not stop the rest.
func (k *Schedules) KeepSchedules(ctx context.Context, in work.KeepInput) (work.KeeperResult, error) {
	return do(ctx, k.Log, in.Connection, func(ctx context.Context, _ <-chan struct{}) (work.KeeperResult, error) {
		connections, err := k.connections(ctx, in.Connection)
		if err != nil {
			return work.KeeperResult{}, err
		}
		kept := keeping{wanted: map[string]bool{}}
		if err := k.keepAll(ctx, connections, &kept); err != nil {
			return kept.result, err
		}
		if in.Connection == "" {
			k.deleteOrphans(ctx, &kept)
		}
		return kept.end()
	})
}

func (k *Schedules) connections(ctx context.Context, only string) ([]ledger.Connection, error) {
	if only == "" {
		return k.Ledger.Connections(ctx)
	}
	c, err := k.Ledger.Connection(ctx, only)
	return []ledger.Connection{c}, err
}

// keeping counts what a keeper's run did.
type keeping struct {
	mu     sync.Mutex
	wanted map[string]bool
	result work.KeeperResult
	lost   string // the first schedule that could not be kept
}

func (k *Schedules) keepAll(ctx context.Context, connections []ledger.Connection, kept *keeping) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(keepAtOnce)
	for _, c := range connections {
		if !scheduled(c.State) {
			group.Go(func() error { k.drop(ctx, work.SyncScheduleID(c.ID), kept); return ctx.Err() })
			continue
		}
		w := k.Cadence.wantedSync(c)
		kept.wanted[w.id] = true
		group.Go(func() error { k.keep(ctx, w, kept); return ctx.Err() })
	}
	return group.Wait()
}

// keep brings one schedule in line.
func (k *Schedules) keep(ctx context.Context, w wanted, kept *keeping) {
	handle := k.Client.GetHandle(ctx, w.id)
	have, err := handle.Describe(ctx)
	if missing(err) {
		err = k.create(ctx, w, false)
		kept.note(ctx, k, w.id, err, func(r *work.KeeperResult) { r.Created++ })
		return
	}
	if err != nil {
		kept.note(ctx, k, w.id, err, nil)
		return
	}
	plan := k.compare(have, w)
	if plan.change {
		err = handle.Update(ctx, client.ScheduleUpdateOptions{DoUpdate: func(client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			return w.update(have, plan), nil
		}})
	}
	kept.note(ctx, k, w.id, err, plan.count)
}

// create makes a schedule; at once says that it fires now too.
func (k *Schedules) create(ctx context.Context, w wanted, atOnce bool) error {
	_, err := k.Client.Create(ctx, client.ScheduleOptions{
		ID: w.id, Spec: w.spec, Action: w.action, Overlap: policy.Overlap, CatchupWindow: policy.CatchupWindow,
		Paused: w.pause != "", Note: w.pause, TriggerImmediately: atOnce, TypedSearchAttributes: w.attributes,
	})
	if errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return nil // another worker was faster
	}
	return err
}

// update is the schedule as it should be; what has happened to it so far stays.
func (w wanted) update(have *client.ScheduleDescription, plan plan) *client.ScheduleUpdate {
	next := have.Schedule
	spec, rules, state := w.spec, policy, *have.Schedule.State
	next.Spec, next.Action, next.Policy, next.State = &spec, w.action, &rules, &state
	state.Paused, state.Note = plan.paused, plan.note
	state.LimitedActions, state.RemainingActions = false, 0
	return &client.ScheduleUpdate{Schedule: &next, TypedSearchAttributes: &w.attributes}
}

// drop deletes a schedule, if it is there.
func (k *Schedules) drop(ctx context.Context, id string, kept *keeping) {
	err := k.Client.GetHandle(ctx, id).Delete(ctx)
	if missing(err) {
		return
	}
	kept.note(ctx, k, id, err, func(r *work.KeeperResult) { r.Deleted++ })
}

// deleteOrphans deletes schedules of ours whose connection is gone.
func (k *Schedules) deleteOrphans(ctx context.Context, kept *keeping) {
	list, err := k.Client.List(ctx, client.ScheduleListOptions{})
	for err == nil && list.HasNext() {
		var entry *client.ScheduleListEntry
		if entry, err = list.Next(); err == nil && strings.HasPrefix(entry.ID, work.SyncScheduleID("")) && !kept.wanted[entry.ID] {
			k.drop(ctx, entry.ID, kept)
		}
	}
	if err != nil {
		kept.note(ctx, k, "the list of schedules", err, nil)
	}
}

// EnsureKeeper makes the keeper's own schedule when a worker starts; a new one
// fires at once. A person's pause of it stands.
func (k *Schedules) EnsureKeeper(ctx context.Context) error {
	w := k.Cadence.wantedKeeper()
	kept := keeping{wanted: map[string]bool{}}
	if _, err := k.Client.GetHandle(ctx, w.id).Describe(ctx); missing(err) {
		kept.note(ctx, k, w.id, k.create(ctx, w, true), nil)
	} else {
		k.keep(ctx, w, &kept)
	}
	_, err := kept.end()
	return err
}

func missing(err error) bool {
	_, gone := errors.AsType[*serviceerror.NotFound](err)
	return gone
}

// note counts a kept schedule, or one that could not be kept.
func (n *keeping) note(ctx context.Context, k *Schedules, id string, err error, count func(*work.KeeperResult)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil {
		k.Log.WarnContext(ctx, "a schedule could not be kept", "schedule", id, "problem", err.Error())
		if n.result.Lost++; n.lost == "" {
			n.lost = id
		}
		return
	}
	n.result.Schedules++
	if count != nil {
		count(&n.result)
	}
}

func (n *keeping) end() (work.KeeperResult, error) {
	r := &n.result
	if r.Lost > 0 {
		return *r, work.Err(work.ScheduleFailed, fmt.Sprintf("%s, %d in all", n.lost, r.Lost))
	}
	r.Summary = fmt.Sprintf("%d schedules are in line: %d created, %d updated, %d deleted, %d paused, %d unpaused, %d left paused by a person.",
		r.Schedules, r.Created, r.Updated, r.Deleted, r.Paused, r.Unpaused, r.LeftPausedByPerson)
	return *r, nil
}
