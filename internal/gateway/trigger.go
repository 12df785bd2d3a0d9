package gateway

import (
	"context"
	"errors"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// Trigger starts a connection's sync at once.
type Trigger interface {
	// Trigger returns ErrStands when nothing is to be started.
	Trigger(ctx context.Context, connection string) error
}

// ErrStands says that a connection's schedule is paused or not there.
var ErrStands = errors.New("the connection's schedule is paused or not there")

// Schedules triggers with Temporal's schedules.
type Schedules struct {
	Client client.ScheduleClient
}

// Trigger implements Trigger. While a sync runs the next is buffered, once: it
// begins after the change and so sees it. Temporal would trigger a paused
// schedule too, so it is looked at first: a person's pause stands.
func (s Schedules) Trigger(ctx context.Context, connection string) error {
	handle := s.Client.GetHandle(ctx, work.SyncScheduleID(connection))
	found, err := handle.Describe(ctx)
	if err == nil && found.Schedule.State != nil && found.Schedule.State.Paused {
		return ErrStands
	}
	if err == nil {
		err = handle.Trigger(ctx, client.ScheduleTriggerOptions{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE})
	}
	if _, gone := errors.AsType[*serviceerror.NotFound](err); gone {
		return ErrStands
	}
	return err
}
