package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// changeReceiptDate also dates the receipts anew that are already known.
func (s *Sync) changeReceiptDate(ctx context.Context, in work.ChangeInput, by ledger.Actor) (work.ActResult, error) {
	c, err := s.Ledger.Connection(ctx, in.Connection)
	if err != nil {
		return work.ActResult{}, err
	}
	if !c.Settings.SlicesUntil.IsZero() {
		return work.ActResult{}, work.Err(work.BadInput, "history travels as sums of five minutes, which were dated; the receipt date stays as it is")
	}
	changed, err := s.Ledger.SetReceiptDate(ctx, in.Connection, sale.ReceiptDate(in.Value), by)
	if err != nil {
		return work.ActResult{}, err
	}
	return s.followChoice(ctx, in.Connection, sale.Day{}, changed, fmt.Sprintf("Sales of %s are dated by their %s time.", in.Connection, wordFor(in.Value)))
}

func wordFor(value string) string {
	if value == string(sale.ByClosed) {
		return "closing"
	}
	return "opening"
}

// changeModifiers changes how modifiers become items, from a business day on;
// earlier days keep their mode.
func (s *Sync) changeModifiers(ctx context.Context, in work.ChangeInput, by ledger.Actor) (work.ActResult, error) {
	c, from, err := s.choosing(ctx, in)
	if err != nil {
		return work.ActResult{}, err
	}
	if from.Before(c.HistoryFrom) {
		return work.ActResult{}, work.Err(work.BadInput, fmt.Sprintf("field \"from\": this connection's history begins on %s", c.HistoryFrom))
	}
	changed, err := s.Ledger.ChangeSettings(ctx, c.ID, ledger.ActModifiers, func(settings *partner.Settings) (was, now string, err error) {
		was = settings.Modifiers.String()
		settings.Modifiers = settings.Modifiers.With(from, in.Value)
		return was, settings.Modifiers.String(), nil
	}, by)
	if err != nil {
		return work.ActResult{}, err
	}
	return s.followChoice(ctx, c.ID, from, changed, fmt.Sprintf("Modifiers of %s are %q from %s on; earlier days keep their mode.", c.ID, in.Value, from))
}

// changeRoute changes the way on which sales reach WISK, from a business day on
// that nothing has served yet: no day is ever served by two.
func (s *Sync) changeRoute(ctx context.Context, in work.ChangeInput, by ledger.Actor) (work.ActResult, error) {
	c, from, err := s.choosing(ctx, in)
	if err != nil {
		return work.ActResult{}, err
	}
	zone, err := time.LoadLocation(c.Location.Zone)
	if err != nil {
		return work.ActResult{}, work.Errf(work.Internal, err, "the location's zone is unknown")
	}
	today := sale.DayOf(s.Clock.Now(), zone)
	if !today.Before(from) {
		return work.ActResult{}, work.Err(work.BadInput, fmt.Sprintf("field \"from\": days up to %s are served already; want a later one", today))
	}
	if in.Value == partner.RouteUpload && c.Secret == "" {
		return work.ActResult{}, work.Err(work.BadInput, "field \"value\": uploads need the venue's identifier at WISK; enter it with: clusterbridge connect wisk --route upload")
	}
	changed, err := s.Ledger.ChangeSettings(ctx, c.ID, ledger.ActRoute, func(settings *partner.Settings) (was, now string, err error) {
		was = settings.Routes.String()
		settings.Routes = settings.Routes.With(from, in.Value)
		return was, settings.Routes.String(), nil
	}, by)
	if err != nil {
		return work.ActResult{}, err
	}
	if in.NoClusterIntegration {
		err = s.Ledger.Journal(ctx, ledger.Entry{
			Connection: c.ID, Who: by.Handle, Act: ledger.ActStatement, Reason: by.Reason, Note: by.Note,
			New: "no Cluster integration is active in this venue of WISK from " + from.String() + " on",
		})
	}
	if err != nil {
		return work.ActResult{}, err
	}
	return s.followChoice(ctx, c.ID, from, changed, fmt.Sprintf("Sales of %s reach WISK by %s from %s on; earlier days stay as they are.", c.ID, in.Value, from))
}

// choosing finds the connection and first day of a choice that only WISK has.
func (s *Sync) choosing(ctx context.Context, in work.ChangeInput) (ledger.Connection, sale.Day, error) {
	c, err := s.Ledger.Connection(ctx, in.Connection)
	if err != nil {
		return c, sale.Day{}, err
	}
	if c.PartnerName != work.Wisk {
		return c, sale.Day{}, work.Err(work.BadInput, "field \"change\": "+c.PartnerName+" has no such choice")
	}
	from, err := dayOr(in.From, "from", sale.Day{})
	return c, from, err
}

// followChoice translates anew the sales of a day and later ones (no day: all),
// after a choice has changed. It may be repeated: the choice is then as wanted,
// and translating again changes nothing.
func (s *Sync) followChoice(ctx context.Context, connection string, from sale.Day, changed bool, summary string) (work.ActResult, error) {
	c, err := s.Ledger.Connection(ctx, connection)
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
	if from.Before(c.HistoryFrom) {
		from = c.HistoryFrom
	}
	// Sales are kept by opening: one opened before the first day may be dated in
	// it, and today's may be dated tomorrow.
	today := sale.DayOf(s.Clock.Now(), zone)
	done, err := s.Ledger.Retranslate(ctx, c, from.Plus(-1), today.Plus(1), ledger.Live, translate)
	if err != nil {
		return work.ActResult{}, err
	}
	if !changed && done.Changed == 0 {
		return work.ActResult{Summary: summary + " They already were."}, nil
	}
	return work.ActResult{
		Summary: summary + fmt.Sprintf(" %d documents changed.", done.Changed) + moved(done.Moved), Changed: done.Changed,
	}, nil
}
