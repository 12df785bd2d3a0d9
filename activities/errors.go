package activities

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// limitedRetry is how soon a limited activity is tried again when the limit
// states no time, in real time.
const limitedRetry = 10 * time.Second

// leaseRetry is how soon a run looks again whether the other run that reads
// the till has ended, in real time: a dead one's lease lasts two minutes.
const leaseRetry = 5 * time.Second

// Failure turns any error into what may stand in a history: the type is the
// registry's code, the message the whole human sentence, and there is no
// cause. An error without a code is a bug, whose text stays on this machine.
func Failure(connection string, err error) error {
	problem, ok := errors.AsType[*work.Error](err)
	if !ok {
		problem = work.Err(work.Internal, "an unexpected error; the worker's log tells more")
	}
	options := temporal.ApplicationErrorOptions{}
	switch problem.Kind() {
	case work.Transient:
	case work.Limited:
		options.NextRetryDelay = max(problem.Rest, limitedRetry)
	case work.Refused, work.Bug, work.BadRecord:
		options.NonRetryable = true
	default:
		options.NonRetryable = true
	}
	return temporal.NewApplicationErrorWithOptions(problem.Sentence(connection), string(problem.Code), options)
}

// describe is what the log gets: code and cause. Causes name hosts and
// statuses, never credentials: the clients redact those.
func describe(err error) string {
	problem, ok := errors.AsType[*work.Error](err)
	if !ok {
		return err.Error()
	}
	if problem.Cause == nil {
		return string(problem.Code) + ": " + problem.Error()
	}
	return string(problem.Code) + ": " + problem.Error() + ": " + problem.Cause.Error()
}

// worse is the one of two errors that needs a person more; a is kept when they
// are alike.
func worse(a, b error) error {
	if a == nil || (b != nil && rank(b) > rank(a)) {
		return b
	}
	return a
}

func rank(err error) int {
	switch work.KindOf(err) {
	case work.Bug, work.BadRecord:
		return 2
	case work.Refused:
		return 1
	case work.Transient, work.Limited:
		return 0
	default:
		return 2
	}
}
