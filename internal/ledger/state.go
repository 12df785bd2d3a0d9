package ledger

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// afterSuccess is the state that follows a good run.
func afterSuccess(was work.ConnectionState) work.ConnectionState {
	if was.Live() {
		return work.Healthy
	}
	return was
}

// afterFailure is the state that follows a failed run, of which refusals were
// refused since the last success. A time-out in between does not start the
// count again: only a success proves that the partner is willing.
func afterFailure(was work.ConnectionState, refusals, calledOffAfter int) work.ConnectionState {
	switch {
	case !was.Live():
		return was
	case calledOffAfter > 0 && refusals >= calledOffAfter:
		return work.CalledOff
	default:
		return work.Failing
	}
}

// RecordSuccess ends a good run and tells the connection's state: initializing
// and failing become healthy, which is journalled. What a person paused, or
// what was called off meanwhile, stays so.
func (s *Store) RecordSuccess(ctx context.Context, connection string, done work.Counts) (state work.ConnectionState, err error) {
	err = s.change(ctx, connection, "recording a good run", func(tx *sqlx.Tx, c Connection) error {
		now := s.clock.Now()
		if _, err := tx.ExecContext(ctx, `
			UPDATE connections SET failures = 0, refusals = 0, last_run_at = $2, last_success_at = $2,
				first_sale_at = CASE WHEN $3 THEN coalesce(first_sale_at, $2) ELSE first_sale_at END
			WHERE id = $1`, c.ID, now, done.Sent > 0); err != nil {
			return err
		}
		state = afterSuccess(c.State)
		return s.turn(ctx, tx, c, state, ActState, Actor{Handle: Program})
	})
	return state, err
}

// RecordFailure ends a failed run and tells the connection's state: failing,
// or called off (when calledOffAfter is not 0) once that many runs were
// refused since the last success. Only a turn is journalled, not every run.
// why is the scrubbed sentence.
func (s *Store) RecordFailure(ctx context.Context, connection string, code work.Code, why string, kind work.Kind, calledOffAfter int) (state work.ConnectionState, err error) {
	err = s.change(ctx, connection, "recording a failed run", func(tx *sqlx.Tx, c Connection) error {
		refusals := c.Refusals
		if kind == work.Refused {
			refusals++
		}
		state = afterFailure(c.State, refusals, calledOffAfter)
		if _, err := tx.ExecContext(ctx, `
			UPDATE connections SET failures = failures + 1, refusals = $2, last_run_at = $3, last_failure_at = $3,
				last_failure_code = $4, last_failure_why = $5,
				state_code = CASE WHEN $6 THEN $4 ELSE state_code END,
				state_why = CASE WHEN $6 THEN $5 ELSE state_why END
			WHERE id = $1`, c.ID, refusals, s.clock.Now(), code, why, c.State.Live()); err != nil {
			return err
		}
		c.StateCode, c.StateWhy = code, why
		return s.turn(ctx, tx, c, state, ActState, Actor{Handle: Program, Reason: string(code), Note: why})
	})
	return state, err
}

// turn changes the state and journals it, unless it stays.
func (s *Store) turn(ctx context.Context, tx *sqlx.Tx, c Connection, state work.ConnectionState, act string, by Actor) error {
	if c.State == state {
		return nil
	}
	code, why := by.Reason, by.Note
	if _, err := tx.ExecContext(ctx, `
		UPDATE connections SET state = $2, state_since = $3, state_code = $4, state_why = $5, state_before_pause = $6
		WHERE id = $1`, c.ID, state, s.clock.Now(), code, why, beforePause(c, state)); err != nil {
		return err
	}
	e := by.entry(act)
	e.Connection, e.Old, e.New = c.ID, string(c.State), string(state)
	return s.journal(ctx, tx, e)
}

func beforePause(c Connection, state work.ConnectionState) work.ConnectionState {
	if state == work.Paused {
		return c.State
	}
	return ""
}

// SetState turns a connection to a state by a person's act or, while it is not
// paused, by the program's, journalled, and tells whether that is new. To pause
// and resume see Pause and Resume.
func (s *Store) SetState(ctx context.Context, connection string, state work.ConnectionState, by Actor) (changed bool, err error) {
	err = s.change(ctx, connection, "changing a connection's state", func(tx *sqlx.Tx, c Connection) error {
		if by.Handle == Program && c.State == work.Paused {
			return work.Err(work.ConnectionNotLive, "a person paused it")
		}
		changed = c.State != state
		return s.turn(ctx, tx, c, state, ActState, by)
	})
	return changed, err
}

// Pause stops a connection by a person's act, journalled, and tells whether it
// was not paused before.
func (s *Store) Pause(ctx context.Context, connection string, by Actor) (changed bool, err error) {
	err = s.change(ctx, connection, "pausing", func(tx *sqlx.Tx, c Connection) error {
		if c.State == work.Disconnected {
			return work.Err(work.ConnectionNotLive, "it is disconnected")
		}
		changed = c.State != work.Paused
		return s.turn(ctx, tx, c, work.Paused, ActPause, by)
	})
	return changed, err
}

// Resume lets a paused connection go on as it was, and tries again one that was
// called off, by a person's act, journalled. It tells whether anything changed.
func (s *Store) Resume(ctx context.Context, connection string, by Actor) (changed bool, err error) {
	err = s.change(ctx, connection, "resuming", func(tx *sqlx.Tx, c Connection) error {
		state := c.State
		if state == work.Paused {
			state = c.StateBeforePause
		}
		if state == work.Disconnected {
			return work.Err(work.ConnectionNotLive, "it is disconnected")
		}
		if state == work.CalledOff {
			state = work.Initializing
		}
		if changed = state != c.State; !changed {
			return nil
		}
		if _, err := tx.ExecContext(ctx, `UPDATE connections SET failures = 0, refusals = 0 WHERE id = $1`, c.ID); err != nil {
			return err
		}
		return s.turn(ctx, tx, c, state, ActResume, by)
	})
	return changed, err
}
