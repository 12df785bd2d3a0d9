package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

const (
	// troubleFirst and troubleMost hold until the settings are known.
	troubleFirst = time.Minute
	troubleMost  = time.Hour
	// longPause is what pauses grow to once something has lasted long: a look
	// costs 11 events of the history, of which Temporal takes 51,200 in all and
	// warns from 10,240.
	longPause = 6 * time.Hour
	// A trouble that has lasted for steadyTroubles tries (two days at an hour
	// each), an activation or a first run looked at steadyLooks times (50 hours
	// at a quarter of an hour) is looked at less and less often from then on.
	steadyTroubles = 48
	steadyLooks    = 200
)

// patience is how what failed for good is tried again: by itself, or at once
// when a person says so.
type patience struct {
	first, most time.Duration
	retries     int // how often a person said so
}

// persist tries until it succeeds, the context ends, or it has become moot.
// told hears of each failure and when the next try is, and of the success with
// nil.
func (p *patience) persist(ctx workflow.Context, try func() error, moot func() bool, told func(err error, again time.Duration)) error {
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := try()
		if err == nil {
			told(nil, 0)
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		pause, seen := p.pause(n), p.retries
		told(err, pause)
		if err := rest(ctx, pause, "Try again", func() bool { return p.retries != seen || moot() }); err != nil {
			return err
		}
		if moot() {
			told(nil, 0)
			return nil
		}
	}
}

// pause is that after the nth failure, from 0.
func (p *patience) pause(n int) time.Duration {
	first, most := p.first, p.most
	if first <= 0 {
		first, most = troubleFirst, troubleMost
	}
	if n >= steadyTroubles {
		return max(most, longPause)
	}
	return grown(first, max(first, most), n)
}

// look is the pause after the nth look, from 0, at something that takes its
// time: every so long for the first steady looks, then longer and longer.
func look(every time.Duration, steady, n int) time.Duration {
	every = max(every, time.Second)
	return grown(every, max(every, longPause), n-steady)
}

// grown is first, doubled n times, at most most.
func grown(first, most time.Duration, n int) time.Duration {
	for ; n > 0 && first < most; n-- {
		first *= 2
	}
	return min(first, most)
}

// rest sleeps durably until done, or d has passed; summary is the timer's name
// in the UI.
func rest(ctx workflow.Context, d time.Duration, summary string, done func() bool) error {
	_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout: max(d, 0), TimerOptions: workflow.TimerOptions{Summary: summary},
	}, done)
	return err
}

func never() bool { return false }

// lasting is a context that no cancellation reaches: what has to be brought to
// its end runs on it.
func lasting(ctx workflow.Context) workflow.Context {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	return ctx
}
