package main

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// configured is the program's default rate, and partnersLimit what 7shifts
	// lets through in a second.
	configured    = 9
	partnersLimit = 10
	// limitFor is how long it is measured, after both workers are at it.
	limitFor    = 120 * time.Second
	limitRampUp = 10 * time.Second
	limitVenues = 4
	leastOfRate = 0.97
)

// limited measures how much of a token's limit two worker processes use
// together, and that they never pass it.
func limited(ctx context.Context, r *rig) ([]result, error) {
	for range 2 {
		w, err := r.worker(configured)
		if err != nil {
			return nil, err
		}
		defer func() { _ = w.stop() }()
	}
	// Enough that nobody runs out of receipts.
	enough := configured * int((limitRampUp+limitFor+30*time.Second)/time.Second)
	s := scene{Name: "limit", Venues: limitVenues, Orders: enough, PerSecond: partnersLimit}
	if err := r.play(ctx, s); err != nil {
		return nil, err
	}
	for _, v := range s.venues() {
		if _, err := r.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
			ID: work.SyncScheduleID(v.connection()), TaskQueue: work.TaskQueue,
		}, work.LocationSync, work.SyncInput{Connection: v.connection()}); err != nil {
			return nil, err
		}
	}
	if err := sleep(ctx, limitRampUp); err != nil {
		return nil, err
	}
	if err := r.sims.tell(ctx, "/reset-rates", nil, nil); err != nil {
		return nil, err
	}
	begun := time.Now()
	if err := sleep(ctx, limitFor); err != nil {
		return nil, err
	}
	state, err := r.sims.seen(ctx)
	if err != nil {
		return nil, err
	}
	real := time.Since(begun)
	if len(state.Rates) != 1 {
		return nil, errors.New("7shifts did not see exactly one token")
	}
	if err := r.leave(ctx, s); err != nil {
		return nil, err
	}
	rate := state.Rates[0]
	return []result{
		shown("limit: requests a second with two workers, 9 configured", float64(rate.Requests)/seconds(real), "requests/s"),
		atLeast("limit: part of the configured rate, over 120 s", float64(rate.Requests)/seconds(real)/configured, leastOfRate),
		atMost("limit: most requests in any window of a second", float64(rate.MaxPerSecond), "requests", partnersLimit),
		atMost("limit: requests refused with 429", float64(rate.Limited), "requests", 0),
	}, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
