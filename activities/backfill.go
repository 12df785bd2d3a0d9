package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// pausedRest is how often a backfill looks whether a paused connection may
	// go on, in real time.
	pausedRest = 2 * time.Minute
	// retryRest is how long the last documents of a backfill wait for another
	// try, in real time.
	retryRest = 30 * time.Second
	// stopRest is the pause of a step that a stopping worker gave back.
	stopRest = time.Second
)

// Words for the journal.
const (
	actBackfill       = "backfill"
	actBackfillDone   = "backfill-done"
	actBackfillCancel = "backfill-cancelled"
)

// PlanBackfill says which business days a backfill covers. Left out, they are
// those that the partner's rule gives: from the first that is ours to the day
// before the connection.
func (s *Sync) PlanBackfill(ctx context.Context, in work.BackfillInput) (work.BackfillPlan, error) {
	return do(ctx, s.Log, in.Connection, func(ctx context.Context, _ <-chan struct{}) (work.BackfillPlan, error) {
		c, err := s.Ledger.Connection(ctx, in.Connection)
		if err != nil {
			return work.BackfillPlan{}, err
		}
		if c.State == work.Disconnected || c.State == work.CalledOff {
			return work.BackfillPlan{}, work.Err(work.ConnectionNotLive, "it is "+string(c.State))
		}
		from, to, err := s.span(c, in)
		if err != nil {
			return work.BackfillPlan{}, err
		}
		plan := work.BackfillPlan{
			From: from.String(), To: to.String(), Days: from.DaysUntil(to) + 1, OldestFirst: s.OldestFirst, AtOnce: max(s.DaysAtOnce, 1),
		}
		if in.DryRun {
			return plan, nil
		}
		if !in.Again {
			if plan.Skip, err = s.Ledger.Backfilled(ctx, c.ID, from, to); err != nil {
				return plan, err
			}
		}
		return plan, s.Ledger.Journal(ctx, ledger.Entry{
			Connection: c.ID, Location: c.LocationID, Who: in.By, Act: actBackfill,
			New: plan.From + " to " + plan.To, Note: in.Note,
		})
	})
}

// span checks the days that were asked for.
func (s *Sync) span(c ledger.Connection, in work.BackfillInput) (from, to sale.Day, err error) {
	zone, err := time.LoadLocation(c.Location.Zone)
	if err != nil {
		return from, to, work.Errf(work.Internal, err, "the location's zone is unknown")
	}
	first, last := c.HistoryFrom, sale.DayOf(c.LiveFrom, zone).Plus(-1)
	if from, err = dayOr(in.From, "from", first); err != nil {
		return from, to, err
	}
	if to, err = dayOr(in.To, "to", last); err != nil {
		return from, to, err
	}
	today := sale.DayOf(s.Clock.Now(), zone)
	switch {
	case from.Before(first):
		return from, to, work.Err(work.BadInput, fmt.Sprintf("field \"from\": this connection's history begins on %s", first))
	case !to.Before(today):
		return from, to, work.Err(work.BadInput, "field \"to\": want a business day before today")
	case to.Before(from):
		return from, to, work.Err(work.BadInput, "field \"to\" lies before \"from\"")
	}
	// A tab opened the evening before belongs to a day of ours when receipts are
	// dated by closing; the till is asked by opening.
	if c.Settings.ReceiptDate == sale.ByClosed && from == first {
		from = from.Plus(-1)
	}
	return from, to, nil
}

func dayOr(text, field string, otherwise sale.Day) (sale.Day, error) {
	if text == "" {
		return otherwise, nil
	}
	day, err := sale.ParseDay(text)
	if err != nil {
		return day, work.Err(work.BadInput, fmt.Sprintf("field %q: want a business day, YYYY-MM-DD", field))
	}
	return day, nil
}

// BackfillDay does one bounded step of a business day: pulls it, then delivers
// its documents where the partner takes history now; otherwise the result says
// how long to wait.
func (s *Sync) BackfillDay(ctx context.Context, in work.BackfillDayInput) (work.StepResult, error) {
	return do(ctx, s.Log, in.Connection, func(ctx context.Context, stop <-chan struct{}) (work.StepResult, error) {
		out := work.StepResult{Cursor: in.Cursor}
		c, err := s.Ledger.Connection(ctx, in.Connection)
		if err != nil {
			return out, err
		}
		out.State = c.State
		switch {
		case c.State == work.Paused:
			out.More, out.Rest, out.Why = true, pausedRest, "the connection is paused"
			return out, nil
		case !c.State.Live():
			return out, work.Err(work.ConnectionNotLive, "it is "+string(c.State))
		}
		step := s.backfillStep
		if in.DryRun {
			step = s.dryStep
		}
		if err := step(ctx, c, in, &out, stop); err != nil {
			return out, unlessLimited(err, &out)
		}
		return out, nil
	})
}

// dryStep reads a business day and counts the documents that would be sent.
func (s *Sync) dryStep(ctx context.Context, c ledger.Connection, in work.BackfillDayInput, out *work.StepResult, stop <-chan struct{}) error {
	day, err := sale.ParseDay(in.Day)
	if err != nil {
		return work.Err(work.BadInput, "a backfill's day is no business day")
	}
	cred, err := s.credential(ctx, c)
	if err != nil {
		return err
	}
	out.Cursor, out.Counts, out.More, err = s.Puller.DryDay(ctx, c, cred, day, out.Cursor, s.Puller.Config.Start(stop))
	return err
}

func (s *Sync) backfillStep(ctx context.Context, c ledger.Connection, in work.BackfillDayInput, out *work.StepResult, stop <-chan struct{}) error {
	var only *sale.Day
	if in.Day != "" {
		day, err := sale.ParseDay(in.Day)
		if err != nil {
			return work.Err(work.BadInput, "a backfill's day is no business day")
		}
		only = &day
		if more, err := s.pullDay(ctx, c, day, in.Run, out, stop); err != nil || more {
			out.More = more
			return err
		}
	}
	if rest := s.closedFor(c); rest > 0 {
		if err := s.untilOpen(ctx, c, rest, out); err != nil || out.More {
			return err
		}
	}
	done, err := s.Engine.Deliver(ctx, c, ledger.History, only, s.sendBudget(stop))
	add(out, done)
	switch {
	case err != nil || out.More:
		return err
	case only != nil:
		// Documents that wait for another try are looked after at the end.
		return s.Ledger.DayBackfilled(ctx, c.ID, *only, in.Before.Plus(out.Counts).Orders)
	}
	_, left, err := s.Ledger.Waiting(ctx, c.ID)
	if left > 0 {
		out.Counts.Waiting = left
		out.More, out.Rest, out.Why = true, retryRest, fmt.Sprintf("%d documents wait for another try", left)
	}
	return err
}

func (s *Sync) pullDay(ctx context.Context, c ledger.Connection, day sale.Day, run string, out *work.StepResult, stop <-chan struct{}) (more bool, err error) {
	if out.Cursor.Pulled {
		return false, nil
	}
	cred, err := s.credential(ctx, c)
	if err != nil {
		return false, err
	}
	// Days of one backfill are read side by side: each holds the lease by itself.
	holder := run + " " + day.String()
	cursor, counts, more, err := s.Puller.Day(ctx, c, cred, holder, day, out.Cursor, s.Puller.Config.Start(stop))
	out.Cursor, out.Counts = cursor, out.Counts.Plus(counts)
	return more, err
}

// untilOpen rests until the partner takes history, if there is any to send.
func (s *Sync) untilOpen(ctx context.Context, c ledger.Connection, rest time.Duration, out *work.StepResult) error {
	_, left, err := s.Ledger.Waiting(ctx, c.ID)
	if err != nil || left == 0 {
		return err
	}
	rules := s.Partners[c.PartnerName].Rules()
	out.Counts.Waiting = left
	out.More, out.Rest = true, rest
	out.Why = fmt.Sprintf("%s takes history only between %02d:00 and %02d:00 UTC", c.PartnerName, rules.HistoryFrom, rules.HistoryUntil)
	return nil
}

// closedFor is how long, in real time, the partner does not take history yet;
// 0 when it does now.
func (s *Sync) closedFor(c ledger.Connection) time.Duration {
	to, ok := s.Partners[c.PartnerName]
	if !ok {
		return 0
	}
	now := s.Clock.Now()
	opens := opening(to.Rules(), now)
	if !opens.After(now) {
		return 0
	}
	// Never zero, so that a clock that runs fast does not make it busy.
	return max(s.Clock.Until(opens), stopRest)
}

// opening is the instant from which history may be sent: now, or the next time
// that the partner's hours begin.
func opening(rules partner.Rules, now time.Time) time.Time {
	if rules.HistoryFrom == rules.HistoryUntil {
		return now
	}
	now = now.UTC()
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	from := midnight.Add(time.Duration(rules.HistoryFrom) * time.Hour)
	until := midnight.Add(time.Duration(rules.HistoryUntil) * time.Hour)
	switch {
	case now.Before(from):
		return from
	case now.Before(until):
		return now
	default:
		return from.AddDate(0, 0, 1)
	}
}

// FinishBackfill ends a backfill: one that covered all of the history hands
// what is left of it to the sync runs.
func (s *Sync) FinishBackfill(ctx context.Context, in work.BackfillEnd) (work.ActResult, error) {
	return do(ctx, s.Log, in.Connection, func(ctx context.Context, _ <-chan struct{}) (work.ActResult, error) {
		c, err := s.Ledger.Connection(ctx, in.Connection)
		if err != nil {
			return work.ActResult{}, err
		}
		entry := ledger.Entry{
			Connection: c.ID, Location: c.LocationID, Who: ledger.Program, Act: actBackfillDone,
			New: in.From + " to " + in.To, Note: fmt.Sprintf("%d orders read, %d documents sent", in.Counts.Orders, in.Counts.Sent),
		}
		if in.DryRun {
			return work.ActResult{Summary: "Dry run."}, nil
		}
		if in.Cancelled {
			entry.Act = actBackfillCancel
			return work.ActResult{Summary: "The backfill was cancelled."}, s.Ledger.Journal(ctx, entry)
		}
		if s.whole(c, in) && !c.HistoryDone {
			if err := s.Ledger.SetHistoryDone(ctx, c.ID, true); err != nil {
				return work.ActResult{}, err
			}
		}
		return work.ActResult{Summary: "The history is in.", Changed: in.Counts.Sent}, s.Ledger.Journal(ctx, entry)
	})
}

// whole tells whether a backfill covered every day before the connection.
func (s *Sync) whole(c ledger.Connection, in work.BackfillEnd) bool {
	zone, zoneErr := time.LoadLocation(c.Location.Zone)
	from, fromErr := sale.ParseDay(in.From)
	to, toErr := sale.ParseDay(in.To)
	if errors.Join(zoneErr, fromErr, toErr) != nil {
		return false
	}
	return !c.HistoryFrom.Before(from) && !to.Before(sale.DayOf(c.LiveFrom, zone).Plus(-1))
}

// JournalBackfill keeps what a person did with a running backfill.
func (s *Sync) JournalBackfill(ctx context.Context, in work.BackfillAct) (work.ActResult, error) {
	return do(ctx, s.Log, in.Connection, func(ctx context.Context, _ <-chan struct{}) (work.ActResult, error) {
		return work.ActResult{Summary: "Noted.", Changed: 1}, s.Ledger.Journal(ctx, ledger.Entry{
			Connection: in.Connection, Who: in.By, Act: actBackfill + "-" + in.Act, Reason: in.Reason, Note: in.Note,
		})
	})
}
