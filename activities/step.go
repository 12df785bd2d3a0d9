package activities

import (
	"context"
	"time"

	"github.com/clustersystems/clusterbridge/internal/delivery"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// SyncStep does one bounded step of a sync run: pulls what changed at the
// till, delivers what differs and confirms what was sent. A till that cannot
// be read does not keep back what is already known, so delivery goes on and
// the pull's error comes after.
func (s *Sync) SyncStep(ctx context.Context, in work.StepInput) (work.StepResult, error) {
	return do(ctx, s.Log, in.Connection, func(ctx context.Context, stop <-chan struct{}) (work.StepResult, error) {
		c, err := s.live(ctx, in.Connection)
		if err != nil {
			return work.StepResult{}, err
		}
		out := work.StepResult{Cursor: in.Cursor, State: c.State}
		pullErr := s.pull(ctx, c, in.Run, &out, stop)
		sendErr := s.send(ctx, c, &out, stop)
		if err := worse(unlessLimited(pullErr, &out), sendErr); err != nil {
			return out, err
		}
		if out.Cursor.Pulled {
			out.State, err = s.Ledger.RecordSuccess(ctx, c.ID, out.Counts)
		}
		return out, err
	})
}

// pull reads the till: what was modified, then the days that are to be read
// again. The lease is kept while the pull goes on in the next step.
func (s *Sync) pull(ctx context.Context, c ledger.Connection, run string, out *work.StepResult, stop <-chan struct{}) error {
	cred, err := s.credential(ctx, c)
	if err != nil {
		return err
	}
	budget := s.Puller.Config.Start(stop)
	resumed := out.Cursor.Pulled
	cursor, counts, more, err := s.Puller.Live(ctx, c, cred, run, out.Cursor, budget)
	out.Cursor, out.Counts, out.More = cursor, out.Counts.Plus(counts), more
	if more {
		return nil
	}
	defer func() { _ = s.Puller.Release(context.WithoutCancel(ctx), c, run) }() // it would run out anyhow
	if err != nil {
		return err
	}
	if !resumed {
		s.watchRoute(ctx, c)
		if err := s.Puller.PlanReread(ctx, c); err != nil {
			return err
		}
	}
	counts, more, err = s.Puller.Reread(ctx, c, cred, run, budget)
	out.Counts, out.More = out.Counts.Plus(counts), more
	return err
}

// send delivers and confirms: live documents first, and history only when the
// backfill has left some behind.
func (s *Sync) send(ctx context.Context, c ledger.Connection, out *work.StepResult, stop <-chan struct{}) error {
	budget := s.sendBudget(stop)
	done, err := s.Engine.Deliver(ctx, c, ledger.Live, nil, budget)
	add(out, done)
	if err == nil && done.Rest == 0 && c.HistoryDone && s.closedFor(c) == 0 {
		done, err = s.Engine.Deliver(ctx, c, ledger.History, nil, budget)
		add(out, done)
	}
	if err == nil && out.Rest == 0 {
		done, err = s.Engine.Confirm(ctx, c, budget)
		add(out, done)
		out.More = out.More || done.Counts.Repaired > 0 // a repair is delivered at once
	}
	if err != nil {
		return err
	}
	return s.waiting(ctx, c, out)
}

// waiting counts what could not be sent. A run of a failing connection that
// had nothing to try, because every document waits for its next try, did not
// do its work either.
func (s *Sync) waiting(ctx context.Context, c ledger.Connection, out *work.StepResult) error {
	live, _, err := s.Ledger.Waiting(ctx, c.ID)
	if err != nil {
		return err
	}
	out.Counts.Waiting = live
	idle := out.Counts.Sent == 0 && !out.More
	if live > 0 && idle && c.State == work.Failing && work.Problems[c.LastFailureCode].Kind == work.Transient {
		return work.Err(c.LastFailureCode, "documents wait for their next try")
	}
	return nil
}

func (s *Sync) sendBudget(stop <-chan struct{}) *delivery.Budget {
	return &delivery.Budget{
		Documents: stepDocuments,
		Until:     time.Now().Add(stepTime), //nolint:forbidigo // a real duration is measured
		Stop:      stop,
	}
}

func add(out *work.StepResult, done delivery.Result) {
	out.Counts = out.Counts.Plus(done.Counts)
	out.More = out.More || done.More
	if done.Rest > out.Rest {
		out.Rest, out.Why = done.Rest, done.Why
	}
}

// unlessLimited turns a till's request to slow down into a rest, and likewise
// the lease of another run: neither is a failure, and the workflow sleeps.
func unlessLimited(err error, out *work.StepResult) error {
	problem := asProblem(err)
	if problem == nil {
		return err
	}
	var rest time.Duration
	switch {
	case problem.Kind() == work.Limited:
		rest = max(problem.Rest, limitedRetry)
	case problem.Code == work.LeaseHeld:
		rest = leaseRetry
	default:
		return err
	}
	out.More = true
	if rest > out.Rest {
		out.Rest, out.Why = rest, problem.Error()
	}
	return nil
}

// RecordFailure writes a failed run into the connection's story and tells the
// state that follows.
func (s *Sync) RecordFailure(ctx context.Context, in work.Failure) (work.ConnectionState, error) {
	return do(ctx, s.Log, in.Connection, func(ctx context.Context, _ <-chan struct{}) (work.ConnectionState, error) {
		kind := work.Problems[in.Code].Kind
		return s.Ledger.RecordFailure(ctx, in.Connection, in.Code, in.Sentence, kind, s.CalledOffAfter)
	})
}
