package main

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
)

// counted adds up what runs cost Temporal, by the list of Temporal Cloud's
// billable actions.
type counted struct {
	actions  float64
	receipts int
}

const (
	// startedBySchedule: two actions of the schedule and the start itself.
	startedBySchedule = 3
	startedByPerson   = 1
	// fairness is what fairness keys add to all actions of a namespace.
	fairness = 1.1
	// firstBeat is when a step first beats, and beatEvery how often its
	// heartbeats reach the server then: the SDK sends one per 80 % of the
	// heartbeat timeout of 20 s.
	firstBeat = 4 * time.Second
	beatEvery = 16 * time.Second
)

func (c *counted) perThousand() float64 {
	return c.actions * fairness * perThousand / float64(c.receipts)
}

// add counts a run by its history, and those that it went on in. Its start
// counts as that by whom starts it in production. Heartbeats stand in no
// history; they are counted by how long an activity took.
func (c *counted) add(ctx context.Context, temporal client.Client, id, run string, start float64) error {
	for c.actions += start; run != ""; {
		next, err := c.addOne(ctx, temporal, id, run)
		if err != nil {
			return err
		}
		run = next
	}
	return nil
}

// addOne counts one run and tells in which it went on, if it did.
func (c *counted) addOne(ctx context.Context, temporal client.Client, id, run string) (next string, err error) {
	begun := map[int64]time.Time{}
	err = eachEvent(ctx, temporal, id, run, func(e *historypb.HistoryEvent) {
		switch e.GetEventType() {
		case enums.EVENT_TYPE_ACTIVITY_TASK_STARTED:
			c.actions += float64(e.GetActivityTaskStartedEventAttributes().GetAttempt()) // retries leave no event of their own
			begun[e.GetEventId()] = e.GetEventTime().AsTime()
		case enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
			at := begun[e.GetActivityTaskCompletedEventAttributes().GetStartedEventId()]
			if lasted := e.GetEventTime().AsTime().Sub(at); lasted >= firstBeat {
				c.actions += float64(1 + (lasted-firstBeat)/beatEvery)
			}
		case enums.EVENT_TYPE_TIMER_STARTED, enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, enums.EVENT_TYPE_MARKER_RECORDED,
			enums.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, enums.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
			c.actions++
		case enums.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
			c.actions++
			next = e.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId()
		case enums.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
			c.actions += 2
		}
	})
	return next, err
}

// idleEvents runs a sync that finds nothing to do and counts its events, but
// for version markers and the attribute that goes with them.
func (r *rig) idleEvents(ctx context.Context) (int, error) {
	s := scene{Name: "idle", Venues: 1}
	if err := r.play(ctx, s); err != nil {
		return 0, err
	}
	run, result, err := r.sync(ctx, s.venues()[0])
	if err != nil {
		return 0, err
	}
	if result.Counts.Sent != 0 {
		return 0, errors.New("the idle run was not idle")
	}
	events := 0
	err = eachEvent(ctx, r.temporal, run.GetID(), run.GetRunID(), func(e *historypb.HistoryEvent) {
		switch e.GetEventType() {
		case enums.EVENT_TYPE_MARKER_RECORDED:
			if e.GetMarkerRecordedEventAttributes().GetMarkerName() == "Version" {
				return
			}
		case enums.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
			fields := e.GetUpsertWorkflowSearchAttributesEventAttributes().GetSearchAttributes().GetIndexedFields()
			if _, version := fields["TemporalChangeVersion"]; version && len(fields) == 1 {
				return
			}
		}
		events++
	})
	return events, err
}

func eachEvent(ctx context.Context, temporal client.Client, id, run string, f func(*historypb.HistoryEvent)) error {
	for each := temporal.GetWorkflowHistory(ctx, id, run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); each.HasNext(); {
		e, err := each.Next()
		if err != nil {
			return err
		}
		f(e)
	}
	return nil
}
