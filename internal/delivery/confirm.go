package delivery

import (
	"context"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Confirm reads back, in batches, the documents whose settle time is over. What
// the partner does not hold as sent is wanted again; a document whose sending
// was once in doubt gets a second look one settle time later, since a stray
// request may still arrive. What the partner no longer lets us read ends as
// sent, not verifiable.
func (e *Engine) Confirm(ctx context.Context, c ledger.Connection, b *Budget) (Result, error) {
	var done Result
	var session partner.Session
	var rules partner.Rules
	for {
		if b.spent() {
			done.More = true
			return done, nil
		}
		due, err := e.Ledger.DueForReadBack(ctx, c.ID, min(readBackBatch, b.Documents))
		if err != nil || len(due) == 0 {
			return done, err
		}
		if session == nil {
			opened, to, err := e.open(ctx, c, ledger.Live)
			if err != nil {
				return done, err
			}
			session, rules = opened, to.Rules()
		}
		b.Documents -= len(due)
		looked, err := e.readBack(ctx, c, session, rules, due)
		done.Counts = done.Counts.Plus(looked)
		if err == nil {
			continue
		}
		if problem := asProblem(err); problem.Kind() == work.Limited {
			return rest(done, problem, nil)
		}
		return done, err
	}
}

func (e *Engine) readBack(ctx context.Context, c ledger.Connection, session partner.Session, rules partner.Rules, due []ledger.Sent) (work.Counts, error) {
	sent := make([]partner.SentDocument, len(due))
	for i, d := range due {
		sent[i] = d.SentDocument
	}
	found, err := session.ReadBack(ctx, sent)
	if err != nil {
		return work.Counts{}, err
	}
	verdicts := make([]ledger.Verdict, 0, len(due))
	for _, d := range due {
		verdict, ok := found[d.ID]
		if !ok {
			return work.Counts{}, work.Err(work.Internal, "a read-back left out "+d.ID)
		}
		verdicts = append(verdicts, ledger.Verdict{ID: d.ID, Attempt: d.Attempt, Verdict: verdict})
	}
	done, err := e.Ledger.SettleReadBack(ctx, c.ID, verdicts, rules.Settle, maxTries)
	return work.Counts{Confirmed: done.Confirmed, Repaired: done.Repaired, Quarantined: done.Quarantined}, err
}
