package delivery

import (
	"context"
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
	var done Result
	run := delivery{engine: e, c: c, size: minBatch}
	for {
		if b.spent() {
			done.More = true
			return done, nil
		}
		claims, err := e.Ledger.Claim(ctx, c.ID, lane, day, min(run.size, b.Documents), e.claimLease())
		if err != nil {
			return done, err
		}
		if len(claims) == 0 {
			return done, run.nothingWent(done)
		}
		if run.session == nil {
			if err := run.open(ctx); err != nil {
				return done, e.giveBack(ctx, c.ID, claims, err)
			}
		}
		b.Documents -= len(claims)
		ended, err := run.batch(ctx, claims, b)
		done.Counts = done.Counts.Plus(ended.counts)
		if err != nil || ended.verdict != nil {
			return rest(done, ended.verdict, err)
		}
	}
}

// nothingWent is the failure of a step that tried and in which nothing at all
// went through: too few documents for a verdict on the partner, but the step
// did not do its work.
func (d *delivery) nothingWent(done Result) error {
	if d.last == nil || done.Counts.Sent > 0 {
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

// delivery is one Deliver on its way.
type delivery struct {
	engine  *Engine
	c       ledger.Connection
	session partner.Session
	rules   partner.Rules
	// size of the next claim batch, failures in a row so far, and the last one.
	size     int
	failures int
	last     *work.Error
}

func (d *delivery) open(ctx context.Context) error {
	session, to, err := d.engine.open(ctx, d.c)
	if err != nil {
		return err
	}
	d.session, d.rules = session, to.Rules()
	return nil
}

// ended is how a batch ended; verdict is set when the step must end too.
type ended struct {
	counts  work.Counts
	verdict *work.Error
}

// batch sends the claims, several at once, and settles them all together.
func (d *delivery) batch(ctx context.Context, claims []ledger.Claim, b *Budget) (ended, error) {
	began := time.Now() //nolint:forbidigo // a real duration is measured
	flight := newFlight(d, claims, began, b)
	outcomes := flight.send(ctx)
	if err := d.engine.settle(ctx, d.c.ID, outcomes); err != nil {
		return ended{}, err
	}
	switch took := time.Since(began); { //nolint:forbidigo // a real duration is measured
	case took < fastBatch:
		d.size = min(d.size*2, maxBatch)
	case took > slowBatch:
		d.size = max(d.size/2, minBatch)
	}
	return ended{counts: count(outcomes), verdict: flight.verdict}, nil
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
	outcomes := make([]ledger.Outcome, len(claims))
	for i, c := range claims {
		outcomes[i] = notSent(c)
	}
	if err := e.settle(ctx, connection, outcomes); err != nil {
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
		case ledger.NotSent, ledger.Failed:
		}
	}
	return counts
}
