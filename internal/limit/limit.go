// Package limit keeps the request limits of partners' credentials, for all
// workers together. PostgreSQL hands out time slots: one row per credential,
// one round trip per permit (who waits long makes another while waiting), times
// only on PostgreSQL's clock, so that differing clocks do not matter.
//
// Slots lie 1/rate apart, a permit is never used before its slot, and one that
// could not be used at once is void and replaced. At 9 a second this leaves
// more than half a slot for what happens between the permit and the request's
// arrival before eleven requests could meet in one second.
package limit

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// MaxWait is how far ahead a slot is taken. Who would wait longer gets a
	// Limited error and returns to its workflow instead of holding a worker.
	MaxWait = 5 * time.Second
	// voidAfter is the part of a slot within which a permit must be used. The
	// rest is for the way to the partner: at 9 a second, eleven requests come
	// together in one second only if one of them is more than a whole slot late.
	voidAfter = 0.5
	// leastUse is how long a permit is good for at any rate: below it timers and
	// schedulers would void everything.
	leastUse = 20 * time.Millisecond
	// maxVoids in a row end a wait: then this worker is overloaded, or
	// PostgreSQL's answers take longer than a permit is good for (55 ms at 9 a
	// second), which is to be seen and not to be tried for ever.
	maxVoids = 20
	// lookAgain is how shortly before its slot a long waiter asks whether the
	// credential rests by now.
	lookAgain = 200 * time.Millisecond
	// maxRest bounds what a partner's Retry-After can ask for.
	maxRest = time.Hour
	// recordWithin bounds the recording of a rest, which is done even if the
	// request's own context has ended.
	recordWithin = 5 * time.Second
)

// Limiter hands out permits from a PostgreSQL. It is safe for use by many
// goroutines.
type Limiter struct {
	db  *sqlx.DB
	log *slog.Logger
}

// New makes a Limiter on the ledger's database.
func New(db *sqlx.DB, log *slog.Logger) *Limiter { return &Limiter{db: db, log: log} }

// Gate is one credential's share of the limiter. Gates of one credential, in
// whatever process, share its slots.
type Gate struct {
	limiter    *Limiter
	credential string
	slot       time.Duration // 0: unlimited
	penalty    time.Duration
	// before is asked first: the share of the credential that is left to those
	// who yield.
	before *Gate
}

// Gate is the gate of a credential, named by its keyed hash. perSecond is the
// rate of all its requests together; 0 means unlimited, and such a gate
// neither waits nor rests. penalty is how long the credential rests after a
// 429 that does not say.
func (l *Limiter) Gate(credential string, perSecond float64, penalty time.Duration) *Gate {
	g := &Gate{limiter: l, credential: credential, penalty: penalty}
	if perSecond > 0 {
		g.slot = time.Duration(float64(time.Second) / perSecond)
	}
	return g
}

// Yielding is the gate for work that leaves a share of the rate, 0 to 1, to
// others: however much of it there is, they find the share free. Its slots come
// from a row of their own first.
func (g *Gate) Yielding(share float64) *Gate {
	if g.slot == 0 || share <= 0 {
		return g
	}
	yielding := *g
	rest := max(1-share, leastShare)
	yielding.before = &Gate{
		limiter: g.limiter, credential: g.credential + yieldingRow, penalty: g.penalty,
		slot: time.Duration(float64(g.slot) / rest),
	}
	return &yielding
}

const (
	// yieldingRow ends the name of the row of those who yield.
	yieldingRow = ":yielding"
	// leastShare is what is left to them at least, so that they end some day.
	leastShare = 0.05
)

// goodFor is how long after its slot a permit may be used.
func (g *Gate) goodFor() time.Duration {
	return max(time.Duration(voidAfter*float64(g.slot)), leastUse)
}

// permit is a slot, on PostgreSQL's clock and in this process's monotonic time.
// There it lies somewhere from earliest to latest, since PostgreSQL read its
// clock at some moment between our question and its answer.
type permit struct {
	slot             float64 // seconds since 1970 on PostgreSQL's clock
	earliest, latest time.Time
}

// learn narrows the bounds by a reading of PostgreSQL's clock.
func (p *permit) learn(clock float64, asked, answered time.Time) {
	ahead := seconds(p.slot - clock)
	if from := asked.Add(ahead); p.earliest.IsZero() || from.After(p.earliest) {
		p.earliest = from
	}
	if to := answered.Add(ahead); p.latest.IsZero() || to.Before(p.latest) {
		p.latest = to
	}
}

// fresh says whether a permit can still be used, by the most careful reading.
func (g *Gate) fresh(p permit) bool { return time.Since(p.earliest) <= g.goodFor() }

// Wait returns when one request may be sent, which must then be sent at once.
// It returns a *work.Error PartnerLimited with Rest when the credential rests
// or MaxWait would be passed, LedgerUnavailable when PostgreSQL does not
// answer in time, or the context's error.
func (g *Gate) Wait(ctx context.Context) error {
	if g.slot == 0 {
		return nil
	}
	_, err := g.permit(ctx)
	return err
}

// permit takes turns where others are to find a share free, and then waits.
func (g *Gate) permit(ctx context.Context) (permit, error) {
	if g.before != nil {
		if _, err := g.before.wait(ctx, 0); err != nil {
			return permit{}, err
		}
	}
	return g.wait(ctx, 0)
}

// wait also counts voids that happened before.
func (g *Gate) wait(ctx context.Context, voids int) (permit, error) {
	uncounted := voids
	for ; voids < maxVoids; voids++ {
		p, err := g.claim(ctx, uncounted)
		if err != nil {
			return permit{}, err
		}
		if err := g.sleep(ctx, &p); err != nil {
			return permit{}, err
		}
		if g.fresh(p) {
			return p, nil
		}
		uncounted = 1
	}
	return permit{}, work.Err(work.LedgerUnavailable, "permits came too late, many times in a row: PostgreSQL or this worker is overloaded")
}

// claim takes the next slot. Rate and rest are checked by the statement
// itself, under the row's lock; its clock is read when the lock is held.
func (g *Gate) claim(ctx context.Context, voided int) (permit, error) {
	var row struct{ Slot, Clock float64 }
	asked := time.Now()
	err := g.limiter.db.GetContext(ctx, &row, `
		INSERT INTO permits AS p (credential, next_slot, granted, voided)
		VALUES ($1, clock_timestamp() + $2::float8 * interval '1 second', 1, $4)
		ON CONFLICT (credential) DO UPDATE SET
			next_slot = greatest(p.next_slot, clock_timestamp()) + $2::float8 * interval '1 second',
			granted   = p.granted + 1,
			voided    = p.voided + $4
		WHERE p.rest_until <= clock_timestamp()
		  AND p.next_slot <= clock_timestamp() + $3::float8 * interval '1 second'
		RETURNING extract(epoch FROM next_slot)::float8 - $2::float8 AS slot,
		          extract(epoch FROM clock_timestamp())::float8 AS clock`,
		g.credential, g.slot.Seconds(), MaxWait.Seconds(), voided)
	answered := time.Now()
	if errors.Is(err, sql.ErrNoRows) {
		return permit{}, g.refusal(ctx)
	}
	if err != nil {
		return permit{}, unavailable(ctx, err)
	}
	p := permit{slot: row.Slot}
	p.learn(row.Clock, asked, answered)
	return p, nil
}

// refusal says why no permit was given, and for how long. It is asked only
// then, so a permit costs one round trip.
func (g *Gate) refusal(ctx context.Context) error {
	now, err := g.state(ctx)
	if err != nil {
		return err
	}
	if now.Rest > 0 {
		return resting(now.Rest)
	}
	return &work.Error{
		Code:   work.PartnerLimited,
		Detail: "many requests wait for this credential",
		Rest:   max(seconds(now.Queue)-MaxWait, g.slot),
	}
}

func resting(forSeconds float64) error {
	return &work.Error{Code: work.PartnerLimited, Detail: "the credential rests", Rest: seconds(forSeconds)}
}

// state is what PostgreSQL knows of a credential, in seconds: its clock, how
// long the credential still rests, and how far ahead slots are taken.
type state struct{ Clock, Rest, Queue float64 }

func (g *Gate) state(ctx context.Context) (state, error) {
	var s state
	// The outer join answers also when a crash has emptied the table.
	err := g.limiter.db.GetContext(ctx, &s, `
		SELECT extract(epoch FROM c.now)::float8 AS clock,
		       coalesce(greatest(0, extract(epoch FROM CASE WHEN isfinite(p.rest_until) THEN p.rest_until - c.now END)), 0)::float8 AS rest,
		       coalesce(greatest(0, extract(epoch FROM p.next_slot - c.now)), 0)::float8 AS queue
		FROM (SELECT clock_timestamp() AS now) c LEFT JOIN permits p ON p.credential = $1`, g.credential)
	if err != nil {
		return state{}, unavailable(ctx, err)
	}
	return s, nil
}

// sleep waits for a permit's slot. Who waits long looks again shortly before:
// the credential may have been sent to rest meanwhile, by any worker, and a
// second reading of the clock tells the slot more exactly.
func (g *Gate) sleep(ctx context.Context, p *permit) error {
	if ahead := time.Until(p.latest); ahead > lookAgain {
		if err := pause(ctx, ahead-lookAgain); err != nil {
			return err
		}
		asked := time.Now()
		now, err := g.state(ctx)
		if err != nil {
			return err
		}
		if now.Rest > 0 {
			return resting(now.Rest)
		}
		p.learn(now.Clock, asked, time.Now())
	}
	return pause(ctx, time.Until(p.latest))
}

// Rest sends the credential to rest for all workers; a shorter rest never
// ends a longer one. Errors are LedgerUnavailable.
func (g *Gate) Rest(ctx context.Context, d time.Duration) error {
	if g.slot == 0 || d <= 0 {
		return nil
	}
	_, err := g.limiter.db.ExecContext(ctx, `
		INSERT INTO permits AS p (credential, next_slot, rest_until)
		VALUES ($1, clock_timestamp(), clock_timestamp() + $2::float8 * interval '1 second')
		ON CONFLICT (credential) DO UPDATE SET rest_until = greatest(p.rest_until, excluded.rest_until)`,
		g.credential, min(d, maxRest).Seconds())
	if err != nil {
		return unavailable(ctx, err)
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func unavailable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return work.Errf(work.LedgerUnavailable, err, "asking for a permit")
}
