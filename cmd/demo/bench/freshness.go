package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// freshOrders are closed while history travels, and as many while none does.
	freshOrders = 1000
	// freshTokens have a limit each, and a backfill under way; freshVenues share
	// them. At an order per venue and closeEvery that is 1.5 a second and token:
	// two thirds of what history leaves to live work.
	freshTokens = 5
	freshVenues = 15 * freshTokens
	// freshHistory is what each backfill has to do: seven minutes of its part of
	// the limit, far more than fits.
	freshHistory = 3000
	freshDays    = 12
	// freshInFlight is the program's default.
	freshInFlight = 8
	// mostStale is the bound (issue 4), and leastHistory the part of what history
	// may use that it has to have used meanwhile, or nothing was proven.
	mostStale    = 2
	leastHistory = 0.8
	liveShare    = 0.25
)

// freshness measures how long an order takes from its closing to sent, through
// the hook, with the partner's limit on: without a backfill, and while one keeps
// every token busy.
func freshness(ctx context.Context, r *rig) ([]result, error) {
	orders := max(freshOrders*min(r.o.receipts, fullReceipts)/fullReceipts, freshVenues)
	w, err := r.worker(configured, fmt.Sprintf("CLUSTERBRIDGE_SEVENSHIFTS_IN_FLIGHT=%d", freshInFlight))
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.stop() }()
	alone, err := r.fresh(ctx, freshScene("alone"), orders, false)
	if err != nil {
		return nil, err
	}
	beside, err := r.fresh(ctx, freshScene("beside"), orders, true)
	if err != nil {
		return nil, err
	}
	const p50, p99 = 0.5, 0.99
	what := func(quantile, when string) string {
		return fmt.Sprintf("freshness: order closed to sent, %s of %d orders, %s", quantile, orders, when)
	}
	return []result{
		shown(what("p50", "no backfill"), quantile(alone.waits, p50), "s"),
		shown(what("p99", "no backfill"), quantile(alone.waits, p99), "s"),
		shown(what("p50", "during backfills"), quantile(beside.waits, p50), "s"),
		shown(what("p99", "during backfills"), quantile(beside.waits, p99), "s"),
		atMost("freshness: p99 during backfills beside none", quantile(beside.waits, p99)/quantile(alone.waits, p99), "x", mostStale),
		atLeast("freshness: history sent meanwhile, of its part of the limit", beside.history/(configured*(1-liveShare)*freshTokens), leastHistory),
		atMost("freshness: requests refused with 429", float64(alone.refused+beside.refused), "requests", 0),
	}, nil
}

func freshScene(name string) scene {
	return scene{
		Name: "fresh-" + name, Venues: freshVenues, Companies: freshTokens, PerSecond: partnersLimit,
		Holders: freshTokens, Orders: freshTokens * freshHistory, Days: freshDays,
	}
}

// paced is how long live orders took, in seconds and sorted, how many receipts of
// history were sent a second meanwhile, and how many requests were refused for
// speed.
type paced struct {
	waits   []float64
	history float64
	refused int
}

func (r *rig) fresh(ctx context.Context, s scene, orders int, busy bool) (paced, error) {
	if err := r.play(ctx, s); err != nil {
		return paced{}, err
	}
	if err := r.schedules(ctx, s); err != nil {
		return paced{}, err
	}
	if busy {
		if err := r.keepBusy(ctx, s); err != nil {
			return paced{}, err
		}
	}
	p, err := r.pace(ctx, s, orders)
	if busy {
		err = errors.Join(err, r.endBackfills(ctx, s))
	}
	if err == nil {
		p.refused, err = r.refused(ctx)
	}
	return p, errors.Join(err, r.leave(ctx, s))
}

func (r *rig) pace(ctx context.Context, s scene, orders int) (p paced, err error) {
	begun := time.Now()
	before, err := r.historySent(ctx, s)
	if err != nil {
		return p, err
	}
	if p.waits, err = r.closeAndWait(ctx, s, orders); err != nil {
		return p, err
	}
	after, err := r.historySent(ctx, s)
	if after == s.Orders {
		err = errors.New("the backfills were done before the live orders")
	}
	p.history = float64(after-before) / seconds(time.Since(begun))
	return p, err
}

// keepBusy starts a backfill with each token and waits until they are at it.
func (r *rig) keepBusy(ctx context.Context, s scene) error {
	for _, v := range s.venues()[:s.Holders] {
		if _, err := r.startBackfill(ctx, v); err != nil {
			return err
		}
	}
	for until := time.Now().Add(readyWithin); ; {
		sent, err := r.historySent(ctx, s)
		switch {
		case err != nil:
			return err
		case sent > s.Holders*configured: // beyond what the limit lets through at once
			return nil
		case time.Now().After(until):
			return errors.New("the backfills did not get under way")
		}
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
	}
}

func (r *rig) endBackfills(ctx context.Context, s scene) (err error) {
	for _, v := range s.venues()[:s.Holders] {
		err = errors.Join(err, r.temporal.TerminateWorkflow(ctx, work.BackfillID(v.connection()), "", "it was measured"))
	}
	return err
}

// historySent counts the receipts of history that were sent.
func (r *rig) historySent(ctx context.Context, s scene) (int, error) {
	n := 0
	err := r.store.DB().GetContext(ctx, &n, `
		SELECT count(*) FROM documents WHERE connection LIKE $1 AND lane = $2 AND sent_at IS NOT NULL`,
		s.partner()+":"+s.Name+"-%", ledger.History)
	return n, err
}

// refused counts the requests that 7shifts refused for speed.
func (r *rig) refused(ctx context.Context) (int, error) {
	state, err := r.sims.seen(ctx)
	if err == nil && len(state.Violations) > 0 {
		err = fmt.Errorf("7shifts saw what must not be: %s", state.Violations[0].What)
	}
	n := 0
	for _, rate := range state.Rates {
		n += rate.Limited
	}
	return n, err
}
