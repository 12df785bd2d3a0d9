package delivery

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// flight sends one batch of claims with several requests at once, one per
// document. Once a verdict on the partner as a whole is in, no further claim
// is begun; those under way end by themselves.
type flight struct {
	*delivery
	claims   []ledger.Claim
	outcomes []ledger.Outcome
	deadline time.Time // real; the last moment to begin a send

	mu      sync.Mutex
	next    int
	verdict *work.Error
}

func newFlight(d *delivery, b batch) *flight {
	within := min(sendWithin, d.engine.claimLease()/2)
	return &flight{
		delivery: d, claims: b.claims, outcomes: make([]ledger.Outcome, len(b.claims)),
		deadline: b.at.Add(within),
	}
}

func (f *flight) send(ctx context.Context) []ledger.Outcome {
	// A call that was begun is not torn off when the step is told to stop: it
	// would only be in doubt. It ends within the partner's timeout.
	calls := context.WithoutCancel(ctx)
	var flying sync.WaitGroup
	for range min(max(f.rules.InFlight, 1), len(f.claims)) {
		flying.Go(func() {
			for i, ok := f.take(ctx); ok; i, ok = f.take(ctx) {
				f.outcomes[i] = f.one(calls, f.claims[i])
			}
		})
	}
	flying.Wait()
	for i := f.next; i < len(f.claims); i++ {
		f.outcomes[i] = notSent(f.claims[i])
	}
	return f.outcomes
}

// take gives the next claim to send; none when the batch should end.
func (f *flight) take(ctx context.Context) (int, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	late := time.Now().After(f.deadline) //nolint:forbidigo // a real duration is measured
	if f.next == len(f.claims) || f.verdict != nil || late || ctx.Err() != nil || f.budget.stopped() {
		return 0, false
	}
	f.next++
	return f.next - 1, true
}

func (b *Budget) stopped() bool {
	select {
	case <-b.Stop:
		return true
	default:
		return false
	}
}

func (f *flight) one(ctx context.Context, c ledger.Claim) ledger.Outcome {
	ref, err := f.session.Send(ctx, c.Delivery)
	if err == nil {
		f.succeeded()
		return ledger.Outcome{
			ID: c.ID, Attempt: c.Attempt, Result: ledger.Accepted, Ref: ref,
			Settle: f.rules.Settle, Verifiable: f.rules.Settle > 0,
		}
	}
	problem := asProblem(err)
	f.judge(problem)
	return f.engine.outcome(c, problem)
}

func (f *flight) succeeded() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = 0
}

// judge decides what one failure says about the partner as a whole.
func (f *flight) judge(problem *work.Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch problem.Kind() {
	case work.BadRecord:
		f.failures = 0
		return
	case work.Transient, work.Bug: // one document may be at fault, or the partner
		f.last = problem
		if f.failures++; f.failures < failuresInARow {
			return
		}
	case work.Limited, work.Refused:
	}
	// The most serious verdict stands: a refused credential before a limit.
	if f.verdict == nil || f.verdict.Kind() == work.Limited || f.verdict.Kind() == work.Transient {
		f.verdict = problem
	}
}

// asProblem is the typed error in a chain; anything else is a bug of ours,
// whose text stays in the cause.
func asProblem(err error) *work.Error {
	if problem, ok := errors.AsType[*work.Error](err); ok {
		return problem
	}
	return work.Errf(work.Internal, err, "sending a document failed in an unknown way")
}

// outcome says what is known of an attempt that brought no 2xx.
func (e *Engine) outcome(c ledger.Claim, problem *work.Error) ledger.Outcome {
	o := ledger.Outcome{ID: c.ID, Attempt: c.Attempt, Code: problem.Code, Why: problem.Error(), Ambiguous: problem.Ambiguous}
	switch {
	case problem.Kind() == work.BadRecord, problem.Kind() == work.Bug && c.Tries+1 >= maxTries:
		o.Result = ledger.Refused // a document that always meets a fault of ours must not be retried for ever
	case problem.Ambiguous || problem.Kind() == work.Transient || problem.Kind() == work.Bug:
		o.Result, o.RetryIn = ledger.Failed, max(e.backOff(c.Tries), problem.Rest)
	default: // limited or refused: the partner did nothing
		o.Result, o.RetryIn = ledger.NotSent, 0
	}
	return o
}

func notSent(c ledger.Claim) ledger.Outcome {
	return ledger.Outcome{ID: c.ID, Attempt: c.Attempt, Result: ledger.NotSent}
}

// backOff doubles from retryFirst to retryMost.
func (e *Engine) backOff(tries int) time.Duration {
	const doublings = 8 // beyond them it is retryMost anyhow
	first := retryFirst
	if e.RetryFirst > 0 {
		first = e.RetryFirst
	}
	return min(first<<min(max(tries, 0), doublings), retryMost)
}
