package activities

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// namedDays is how many business days a sentence names one by one.
const namedDays = 10

func translator(to partner.Partner, target partner.Connection) ledger.Translate {
	return func(s sale.Sale, known bool) ([]partner.Document, error) { return to.Translate(s, target, known) }
}

func asProblem(err error) *work.Error {
	problem, _ := errors.AsType[*work.Error](err)
	return problem
}

// ChangeConnection pauses or resumes a connection, or changes which instant
// dates its receipts.
func (s *Sync) ChangeConnection(ctx context.Context, in work.ChangeInput) (work.ActResult, error) {
	return do(ctx, s.Log, in.Connection, func(ctx context.Context, _ <-chan struct{}) (work.ActResult, error) {
		by := ledger.Actor{Handle: in.By, Reason: in.Reason, Note: in.Note}
		var changed bool
		var err error
		switch in.Change {
		case work.ChangePause:
			changed, err = s.Ledger.Pause(ctx, in.Connection, by)
		case work.ChangeResume:
			changed, err = s.Ledger.Resume(ctx, in.Connection, by)
		case work.ChangeReceiptDate:
			return s.changeReceiptDate(ctx, in, by)
		default:
			err = work.Err(work.BadInput, "field \"change\"")
		}
		return changedState(in, changed), err
	})
}

func changedState(in work.ChangeInput, changed bool) work.ActResult {
	if !changed {
		return work.ActResult{Summary: fmt.Sprintf("Nothing to %s: %s already was so.", in.Change, in.Connection)}
	}
	if in.Change == work.ChangePause {
		return work.ActResult{Summary: in.Connection + " is paused. Nothing is pulled or sent until: clusterbridge resume " + in.Connection, Changed: 1}
	}
	return work.ActResult{Summary: in.Connection + " goes on. What was missed meanwhile comes with the next run.", Changed: 1}
}

// changeReceiptDate also dates the receipts anew that are already known. It
// may be repeated: the setting is then as wanted, and translating again changes
// nothing.
func (s *Sync) changeReceiptDate(ctx context.Context, in work.ChangeInput, by ledger.Actor) (work.ActResult, error) {
	changed, err := s.Ledger.SetReceiptDate(ctx, in.Connection, sale.ReceiptDate(in.Value), by)
	if err != nil {
		return work.ActResult{}, err
	}
	c, err := s.Ledger.Connection(ctx, in.Connection)
	if err != nil {
		return work.ActResult{}, err
	}
	translate, err := s.translator(c)
	if err != nil {
		return work.ActResult{}, err
	}
	zone, err := time.LoadLocation(c.Location.Zone)
	if err != nil {
		return work.ActResult{}, work.Errf(work.Internal, err, "the location's zone is unknown")
	}
	// Sales are kept by opening: one opened before the first day may be dated in
	// it, and today's may be dated tomorrow.
	today := sale.DayOf(s.Clock.Now(), zone)
	done, err := s.Ledger.Retranslate(ctx, c, c.HistoryFrom.Plus(-1), today.Plus(1), ledger.Live, translate)
	if err != nil {
		return work.ActResult{}, err
	}
	summary := fmt.Sprintf("Receipts of %s are dated by their %s time.", c.ID, wordFor(in.Value))
	if !changed && done.Changed == 0 {
		return work.ActResult{Summary: summary + " They already were."}, nil
	}
	return work.ActResult{
		Summary: summary + fmt.Sprintf(" %d receipts changed.", done.Changed) + moved(done.Moved), Changed: done.Changed,
	}, nil
}

func wordFor(value string) string {
	if value == string(sale.ByClosed) {
		return "closing"
	}
	return "opening"
}

// moved names the business days whose totals change at the partner.
func moved(days []sale.Day) string {
	switch {
	case len(days) == 0:
		return ""
	case len(days) > namedDays:
		return fmt.Sprintf(" The totals of %d business days change, from %s to %s.", len(days), days[0], days[len(days)-1])
	}
	names := make([]string, len(days))
	for i, d := range days {
		names[i] = d.String()
	}
	return " The totals of these business days change: " + strings.Join(names, ", ") + "."
}

// ReleaseQuarantine tries quarantined records again, or puts them aside for
// good.
func (s *Sync) ReleaseQuarantine(ctx context.Context, in work.QuarantineInput) (work.ActResult, error) {
	return do(ctx, s.Log, in.Connection, func(ctx context.Context, _ <-chan struct{}) (work.ActResult, error) {
		by := ledger.Actor{Handle: in.By, Reason: in.Reason, Note: in.Note}
		n, err := s.Ledger.Release(ctx, in.Connection, in.Records, in.Discard, by)
		verb := "released; they are tried again with the next run"
		if in.Discard {
			verb = "put aside for good"
		}
		return work.ActResult{Summary: fmt.Sprintf("%d records of %s %s.", n, in.Connection, verb), Changed: n}, err
	})
}

// Resend sends the documents of business days again, though nothing differs.
func (s *Sync) Resend(ctx context.Context, in work.ResendInput) (work.ActResult, error) {
	return do(ctx, s.Log, in.Connection, func(ctx context.Context, _ <-chan struct{}) (work.ActResult, error) {
		from, err := dayOr(in.From, "from", sale.Day{})
		if err != nil {
			return work.ActResult{}, err
		}
		to, err := dayOr(in.To, "to", from)
		if err != nil {
			return work.ActResult{}, err
		}
		if from.IsZero() || to.Before(from) {
			return work.ActResult{}, work.Err(work.BadInput, "fields \"from\" and \"to\": want two business days in order")
		}
		c, err := s.live(ctx, in.Connection)
		if err != nil {
			return work.ActResult{}, err
		}
		n, err := s.Ledger.Resend(ctx, c, from, to, ledger.Live, ledger.Actor{Handle: in.By, Reason: in.Reason, Note: in.Note})
		summary := fmt.Sprintf("%d documents of %s, %s to %s, are sent again with the next runs.", n, c.ID, from, to)
		return work.ActResult{Summary: summary, Changed: n}, err
	})
}
