package delivery

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Deliver sends what differs, oldest first, until nothing is left that may be
// sent now, the budget is spent, or the partner asks to slow down (then the
// result says how long). day narrows it to one business day.
//
// An error is a *work.Error that concerns the partner as a whole: it is
// refused, or sick. Everything attempted is settled before.
func (e *Engine) Deliver(ctx context.Context, c ledger.Connection, lane ledger.Lane, day *sale.Day, b *Budget) (Result, error) {
	d := &delivery{engine: e, c: c, due: ledger.Due{Lane: lane, Day: day}, budget: b, size: e.firstBatch(c)}
	to, adds := e.Partners[c.PartnerName].(partner.Additive)
	if !adds {
		return d.documents(ctx)
	}
	if _, whole := to.(partner.WholeDays); !whole {
		return e.upload(ctx, d, to)
	}
	// Whole days are no lines: they are sent one by one.
	days := *d
	d.due.Of, days.due.Of = ledger.OfSales, ledger.OfDays
	done, err := e.upload(ctx, d, to)
	if err != nil || done.More {
		return done, err
	}
	days.done = done
	return days.documents(ctx)
}

// documents sends document by document.
func (d *delivery) documents(ctx context.Context) (Result, error) {
	for !d.budget.spent() {
		claimed, err := d.claim(ctx)
		if err != nil {
			return d.done, err
		}
		if len(claimed.claims) == 0 {
			return d.done, d.nothingWent()
		}
		if d.session == nil {
			if err := d.open(ctx); err != nil {
				return d.done, d.engine.giveBack(ctx, d.c.ID, claimed.claims, err)
			}
		}
		// What is claimed while a batch flies may be nothing only because that
		// one is not settled yet, so only an empty claim after it ends the work.
		verdict, err := d.fly(ctx, claimed)
		if err != nil || verdict != nil {
			return rest(d.done, verdict, err)
		}
	}
	d.done.More = true
	return d.done, nil
}

// nothingWent is the failure of a step that tried and in which nothing at all
// went through: too few documents for a verdict on the partner, but the step
// did not do its work.
func (d *delivery) nothingWent() error {
	if d.last == nil || d.done.Counts.Sent > 0 {
		return nil
	}
	return d.last
}

// rest turns the error that ended a step into its result: a limit is rested
// outside, everything else fails the step.
func rest(done Result, verdict *work.Error, err error) (Result, error) {
	if err != nil {
		return done, err
	}
	if verdict.Kind() != work.Limited {
		return done, verdict
	}
	done.More, done.Rest, done.Why = true, verdict.Rest, verdict.Error()
	if done.Rest <= 0 {
		done.Rest = restDefault
	}
	return done, nil
}

func (e *Engine) claimLease() time.Duration {
	if e.ClaimLease > 0 {
		return e.ClaimLease
	}
	return claimLease
}

// firstBatch is about a second of what the partner's limit lets through.
func (e *Engine) firstBatch(c ledger.Connection) int {
	to, ok := e.Partners[c.PartnerName]
	if !ok {
		return minBatch
	}
	if perSecond := to.Rules().PerSecond; perSecond > 0 {
		return min(max(int(perSecond), minBatch), maxBatch)
	}
	return maxBatch
}

// delivery is one Deliver on its way.
type delivery struct {
	engine  *Engine
	c       ledger.Connection
	due     ledger.Due
	budget  *Budget
	session partner.Session
	rules   partner.Rules
	done    Result
	// size of the next claim batch, failures in a row so far, and the last one.
	size     int
	failures int
	last     *work.Error
}

func (d *delivery) open(ctx context.Context) error {
	session, to, err := d.engine.open(ctx, d.c, d.due.Lane)
	if err != nil {
		return err
	}
	d.session, d.rules = session, to.Rules()
	return nil
}

// batch is what was claimed together, and when that began.
type batch struct {
	claims []ledger.Claim
	at     time.Time
}

func (d *delivery) claim(ctx context.Context) (batch, error) {
	at := time.Now() //nolint:forbidigo // a real duration is measured
	claims, err := d.engine.Ledger.Claim(ctx, d.c.ID, d.due, min(d.size, d.budget.Documents), d.engine.claimLease())
	d.budget.Documents -= len(claims)
	return batch{claims, at}, err
}

// fly sends batch after batch until none is claimed or one brings a verdict.
// While a batch is on its way the one before is settled and the next claimed,
// so that the partner never waits for the ledger. What was claimed and not
// sent is given back.
func (d *delivery) fly(ctx context.Context, now batch) (verdict *work.Error, err error) {
	var ended []ledger.Outcome
	for len(now.claims) > 0 && verdict == nil && err == nil {
		var next batch
		var claimErr, settleErr error
		var beside sync.WaitGroup
		if len(ended) > 0 {
			settling := ended
			beside.Go(func() { settleErr = d.settle(ctx, settling) })
		}
		if !d.budget.spent() {
			beside.Go(func() { next, claimErr = d.claim(ctx) })
		}
		flight := newFlight(d, now)
		began := time.Now() //nolint:forbidigo // a real duration is measured
		ended = flight.send(ctx)
		took := time.Since(began) //nolint:forbidigo // a real duration is measured
		beside.Wait()
		d.resize(took)
		now, verdict, err = next, flight.verdict, cmp.Or(settleErr, claimErr)
	}
	for _, c := range now.claims {
		ended = append(ended, notSent(c))
	}
	return verdict, cmp.Or(d.settle(ctx, ended), err)
}

// resize keeps batches around a second.
func (d *delivery) resize(took time.Duration) {
	switch {
	case took < fastBatch:
		d.size = min(d.size*2, maxBatch)
	case took > slowBatch:
		d.size = max(d.size/2, minBatch)
	}
}

// settle writes how a batch ended and counts it.
func (d *delivery) settle(ctx context.Context, outcomes []ledger.Outcome) error {
	if len(outcomes) == 0 {
		return nil
	}
	if err := d.engine.settle(ctx, d.c.ID, outcomes); err != nil {
		return err
	}
	d.done.Counts = d.done.Counts.Plus(count(outcomes))
	return nil
}

// settle writes outcomes, also when the step was told to stop: what is known
// of a call must not be lost.
func (e *Engine) settle(ctx context.Context, connection string, outcomes []ledger.Outcome) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleWithin)
	defer cancel()
	settled, err := e.Ledger.Settle(ctx, connection, outcomes)
	if err == nil && settled < len(outcomes) {
		e.Log.WarnContext(ctx, "outcomes came after their lease", "connection", connection, "late", len(outcomes)-settled)
	}
	return err
}

// giveBack settles claims that were never attempted, and returns why.
func (e *Engine) giveBack(ctx context.Context, connection string, claims []ledger.Claim, why error) error {
	return e.giveBackTo(ctx, e.Ledger, connection, claims, why)
}

func (e *Engine) giveBackTo(ctx context.Context, to book, connection string, claims []ledger.Claim, why error) error {
	outcomes := make([]ledger.Outcome, len(claims))
	for i, c := range claims {
		outcomes[i] = notSent(c)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleWithin)
	defer cancel()
	if _, err := to.Settle(ctx, connection, outcomes); err != nil {
		e.Log.WarnContext(ctx, "claims could not be given back; their leases run out", "connection", connection)
	}
	return why
}

func count(outcomes []ledger.Outcome) work.Counts {
	var counts work.Counts
	for _, o := range outcomes {
		switch o.Result {
		case ledger.Accepted:
			counts.Sent++
		case ledger.Refused:
			counts.Quarantined++
		case ledger.Uncertain:
			counts.Uncertain++
		case ledger.NotSent, ledger.Failed:
		}
	}
	return counts
}
