package activities

import (
	"context"
	"errors"
	"fmt"
	"strings"

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

// ChangeConnection pauses or resumes a connection, or changes one of its
// choices.
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
		case work.ChangeModifiers:
			return s.changeModifiers(ctx, in, by)
		case work.ChangeRoute:
			return s.changeRoute(ctx, in, by)
		case work.ChangePayPeriod:
			return s.changePayPeriod(ctx, in, by)
		case work.ChangeSlices:
			return s.changeSlices(ctx, in, by)
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
		if to, ok := s.Partners[c.PartnerName].(partner.Additive); ok && !to.RepeatsHarmless() {
			return work.ActResult{}, work.Err(work.BadInput, "this partner counts a line that comes again twice, so nothing can be sent again")
		}
		n, err := s.Ledger.Resend(ctx, c, from, to, ledger.Live, ledger.Actor{Handle: in.By, Reason: in.Reason, Note: in.Note})
		summary := fmt.Sprintf("%d documents of %s, %s to %s, are sent again with the next runs.", n, c.ID, from, to)
		return work.ActResult{Summary: summary, Changed: n}, err
	})
}

// ResolveUncertain takes a person's word on uploads of unknown end.
func (s *Sync) ResolveUncertain(ctx context.Context, in work.ResolveInput) (work.ActResult, error) {
	return do(ctx, s.Log, in.Connection, func(ctx context.Context, _ <-chan struct{}) (work.ActResult, error) {
		n, err := s.Ledger.ResolveUploads(ctx, in.Connection,
			ledger.Resolution{Uploads: in.Uploads, Items: in.Items, Applied: in.Applied},
			ledger.Actor{Handle: in.By, Reason: in.Reason, Note: in.Note})
		word := "were not applied; what is still wanted is uploaded anew with the next run"
		if in.Applied {
			word = "were applied; what is still wanted beyond them is uploaded with the next run"
		}
		return work.ActResult{Summary: fmt.Sprintf("%d lines of %s %s.", n, in.Connection, word), Changed: n}, err
	})
}
