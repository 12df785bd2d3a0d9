package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/tips"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// changePayPeriod says how often the venue pays, and a day on which a period
// begins.
func (s *Sync) changePayPeriod(ctx context.Context, in work.ChangeInput, by ledger.Actor) (work.ActResult, error) {
	anchor, err := dayOr(in.From, "from", sale.Day{})
	if err != nil {
		return work.ActResult{}, err
	}
	if _, err := tips.NewPayroll(tips.Cadence(in.Value), anchor); err != nil {
		return work.ActResult{}, work.Err(work.BadInput, err.Error())
	}
	changed, err := s.Ledger.ChangeSettings(ctx, in.Connection, ledger.ActPayPeriod, func(settings *partner.Settings) (was, now string, err error) {
		was = settings.PayCadence + " from " + settings.PayAnchor.String()
		settings.PayCadence, settings.PayAnchor = in.Value, anchor
		return was, in.Value + " from " + anchor.String(), nil
	}, by)
	return choice(changed, fmt.Sprintf("%s pays %s; a period begins on %s.", in.Connection, in.Value, anchor)), err
}

func choice(changed bool, summary string) work.ActResult {
	if !changed {
		return work.ActResult{Summary: summary + " It already was so."}
	}
	return work.ActResult{Summary: summary, Changed: 1}
}

// changeSlices has history travel as sums of five minutes, which 7shifts allows
// for history only, or as single receipts again. It has to be asked before the
// first receipt, and never covers the current or previous pay period: the sums
// carry no tips and no employee.
func (s *Sync) changeSlices(ctx context.Context, in work.ChangeInput, by ledger.Actor) (work.ActResult, error) {
	c, err := s.Ledger.Connection(ctx, in.Connection)
	if err != nil {
		return work.ActResult{}, err
	}
	if _, ok := s.Partners[c.PartnerName].(partner.WholeDays); !ok {
		return work.ActResult{}, work.Err(work.BadInput, "field \"change\": "+c.PartnerName+" takes no sums")
	}
	tried, err := s.Ledger.Tried(ctx, c.ID)
	if err != nil {
		return work.ActResult{}, err
	}
	if tried {
		return work.ActResult{}, work.Err(work.BadInput, "receipts were sent already: sums would count their sales twice")
	}
	until := sale.Day{}
	if in.Value == "on" {
		if until, err = s.sumsUntil(c); err != nil {
			return work.ActResult{}, err
		}
	}
	changed, err := s.Ledger.ChangeSettings(ctx, c.ID, ledger.ActSlices, func(settings *partner.Settings) (was, now string, err error) {
		was, settings.SlicesUntil = settings.SlicesUntil.String(), until
		return was, until.String(), nil
	}, by)
	if err != nil {
		return work.ActResult{}, err
	}
	if !until.IsZero() {
		err = s.Ledger.ForgetUntried(ctx, c.ID, until)
	}
	summary := fmt.Sprintf("Sales of %s travel one by one.", c.ID)
	if !until.IsZero() {
		summary = fmt.Sprintf("Sales of %s up to %s travel as sums of five minutes, without tips and employees; later ones one by one.", c.ID, until)
	}
	return choice(changed, summary), err
}

// sumsUntil is the last business day before the previous pay period.
func (s *Sync) sumsUntil(c ledger.Connection) (sale.Day, error) {
	zone, err := time.LoadLocation(c.Location.Zone)
	if err != nil {
		return sale.Day{}, work.Errf(work.Internal, err, "the location's zone is unknown")
	}
	payroll, err := tips.NewPayroll(tips.Cadence(c.Settings.PayCadence), c.Settings.PayAnchor)
	if err != nil {
		return sale.Day{}, work.Err(work.BadInput, "the venue's pay period is not known; tell it first: clusterbridge connection set pay-period "+c.ID)
	}
	until := payroll.Previous(payroll.Of(sale.DayOf(s.Clock.Now(), zone))).First.Plus(-1)
	if until.Before(c.HistoryFrom) {
		return sale.Day{}, work.Err(work.BadInput, "all of the history lies in the current or previous pay period, whose tips have to travel")
	}
	return until, nil
}
