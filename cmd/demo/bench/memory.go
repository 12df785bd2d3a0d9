package main

import (
	"context"
	"fmt"

	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// memoryDays hold the smaller history, at as many orders a day and venue as
	// in the other scenes, and timesMore that the larger one.
	memoryDays = 5
	timesMore  = 10
	// mostMemory is by how much the worker may grow with the history (issue 4:
	// flat): its heap is as large as the garbage collector finds it at the worst
	// moment, which differs from run to run.
	mostMemory = 1.25
)

// memory measures the most memory that a worker process ever held while it
// brought in a history, and one that goes back ten times as far, to both
// partners.
func memory(ctx context.Context, r *rig) ([]result, error) {
	perDay := max(r.o.receipts/historyDays, historyVenues) // of all venues
	once, err := r.peakOf(ctx, "memory-once", memoryDays, perDay)
	if err != nil {
		return nil, err
	}
	more, err := r.peakOf(ctx, "memory-more", memoryDays*timesMore, perDay)
	if err != nil {
		return nil, err
	}
	const mega = 1 << 20
	return []result{
		shown(fmt.Sprintf("memory: worker at its peak, history of %d orders to each partner", memoryDays*perDay), once/mega, "MiB"),
		shown(fmt.Sprintf("memory: worker at its peak, history of %d orders to each partner", timesMore*memoryDays*perDay), more/mega, "MiB"),
		atMost("memory: ten times the history beside once", more/once, "x", mostMemory),
	}, nil
}

// peakOf is the most memory, in bytes, that a new worker held at once while it
// brought in so many days.
func (r *rig) peakOf(ctx context.Context, name string, days, perDay int) (float64, error) {
	w, err := r.worker(0)
	if err != nil {
		return 0, err
	}
	for _, to := range []string{work.SevenShifts, work.Wisk} {
		s := scene{Name: to + "-" + name, Venues: historyVenues, Orders: days * perDay, Partner: to, Days: days}
		err := r.play(ctx, s)
		if err == nil {
			_, err = r.bringInAll(ctx, s)
		}
		if err == nil {
			err = r.sims.check(ctx, s)
		}
		if err != nil {
			_, _ = w.stopMeasured() // the first error counts
			return 0, err
		}
	}
	peak, err := w.stopMeasured()
	r.say("  %s: %d orders to each partner, %d MiB", name, days*perDay, peak>>20)
	return float64(peak), err
}
