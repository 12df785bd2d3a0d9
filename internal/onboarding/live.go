package onboarding

import (
	"cmp"
	"context"
	"strings"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// GoLive makes a case's connection, once the preflight is well. What was made
// before stays as it is.
func (r *Room) GoLive(ctx context.Context, caseID string) (work.LiveResult, error) {
	c, err := r.openCase(ctx, caseID)
	if err != nil {
		return work.LiveResult{}, err
	}
	secret, err := r.ourKey(ctx, c)
	if err != nil {
		return work.LiveResult{}, err
	}
	if err := r.preflight(ctx, c, secret); err != nil {
		return work.LiveResult{}, err
	}
	made, err := r.connectionOf(ctx, c)
	if err != nil {
		return work.LiveResult{}, err
	}
	by := ledger.Actor{Handle: c.Data.By, Reason: reasonOf(c), Note: "onboarding " + c.ID}
	location, err := r.location(ctx, c, secret, by)
	if err != nil {
		return work.LiveResult{}, err
	}
	made.LocationID = location.ID
	if err := r.connect(ctx, c, made, by); err != nil {
		return work.LiveResult{}, err
	}
	return r.FirstRun(ctx, caseID)
}

// connect makes the connection, unless the case has made it before. That it is
// this case's work is written down first, for who undoes it.
func (r *Room) connect(ctx context.Context, c ledger.Case, made ledger.NewConnection, by ledger.Actor) error {
	before, err := r.Ledger.Connection(ctx, work.ConnectionID(made.Partner, made.LocationID))
	again := err == nil
	if hasCode(err, work.UnknownConnection) {
		err = nil
	}
	connected := again && before.State != work.Disconnected
	switch {
	case err != nil:
		return err
	case connected && c.Data.Connects:
		return nil
	case connected:
		return work.Err(work.TillForeign, before.ID+" was connected meanwhile; cancel this onboarding")
	}
	if _, err := r.Ledger.ChangeCase(ctx, c.ID, func(c *ledger.Case) (ledger.Entry, error) {
		if !c.Data.Connects {
			c.Location, c.Data.Connects, c.Data.LiveAt = made.LocationID, true, r.Clock.Now()
		}
		return ledger.Entry{}, nil
	}); err != nil {
		return err
	}
	if again {
		if err := r.chooseAnew(ctx, before, made.Settings, by); err != nil {
			return err
		}
	}
	_, err = r.Ledger.Connect(ctx, made, by)
	return err
}

// chooseAnew gives a connection that comes back the settings that were chosen
// this time. The days up to the one on which it ended keep what was chosen for
// them: they were served so.
func (r *Room) chooseAnew(ctx context.Context, before ledger.Connection, chosen partner.Settings, by ledger.Actor) error {
	if before.Settings.Integration != "" && chosen.Integration != "" && before.Settings.Integration != chosen.Integration {
		tried, err := r.Ledger.Tried(ctx, before.ID)
		if err == nil && tried {
			err = work.Err(work.BadInput, "sales were uploaded to another venue of this partner; a connection cannot move")
		}
		if err != nil {
			return err
		}
	}
	known, err := before.ForPartner()
	if err != nil {
		return err
	}
	from := sale.DayOf(before.StateSince, known.Zone).Plus(1)
	_, err = r.Ledger.ChangeSettings(ctx, before.ID, actAnew, func(s *partner.Settings) (was, now string, err error) {
		was = inWords(*s)
		s.ReceiptDate = chosen.ReceiptDate
		if len(chosen.Routes) > 0 {
			s.Routes = s.Routes.With(from, chosen.Routes[len(chosen.Routes)-1].Value)
			s.Modifiers = s.Modifiers.With(from, chosen.Modifiers[0].Value)
			s.Integration = cmp.Or(chosen.Integration, s.Integration)
		}
		return was, inWords(*s), nil
	}, by)
	return err
}

func inWords(s partner.Settings) string {
	if len(s.Routes) == 0 {
		return "by " + string(s.ReceiptDate)
	}
	return strings.Join([]string{s.Routes.String(), "modifiers " + s.Modifiers.String(), s.Integration}, "; ")
}

// FirstRun tells how a case's connection is.
func (r *Room) FirstRun(ctx context.Context, caseID string) (work.LiveResult, error) {
	c, err := r.Ledger.Case(ctx, caseID)
	if err != nil {
		return work.LiveResult{}, err
	}
	connection, err := r.Ledger.Connection(ctx, c.Connection())
	if err != nil {
		return work.LiveResult{}, err
	}
	result := work.LiveResult{Connection: connection.ID, State: connection.State, History: !connection.HistoryDone}
	if connection.State == work.Failing || connection.State == work.CalledOff {
		result.Problem, result.Code = connection.LastFailureWhy, connection.LastFailureCode
	}
	return result, nil
}

func reasonOf(c ledger.Case) string {
	if c.Data.Requester == work.PartnerSupport {
		return "partner_asked"
	}
	return "venue_asked"
}

// connectionOf is the connection to be made, after a look whether the partner
// still takes it.
func (r *Room) connectionOf(ctx context.Context, c ledger.Case) (ledger.NewConnection, error) {
	n := ledger.NewConnection{Partner: c.Partner, FirstDay: r.Partners[c.Partner].Rules().FirstDay}
	if _, token := r.takesToken(c.Partner); token {
		at := c.Data.Place
		if at == nil {
			return n, work.Err(work.Internal, "going live without a location of the partner's")
		}
		hindrances, err := r.Hindrances(ctx, c, at.Place)
		if err == nil && len(hindrances) > 0 {
			err = work.Err(work.TillForeign, "the partner's location cannot be used any more: "+strings.Join(hindrances, ", "))
		}
		n.CompanyID, n.PartnerLocationID, n.Secret = at.Company, at.ID, tokenSecret(c.ID)
		n.Settings = partner.Settings{ReceiptDate: sale.ReceiptDate(at.ReceiptDate)}
		return n, err
	}
	entered := c.Data.Entry
	if entered == nil {
		return n, work.Err(work.Internal, "going live without an entry at the partner's")
	}
	today := sale.DayOf(r.Clock.Now(), r.Zone(c))
	first := n.FirstDay(today)
	n.Settings = partner.Settings{
		ReceiptDate: sale.ByOpened,
		Routes:      partner.FirstRoutes(entered.Route, first, today), Modifiers: partner.Choices{}.With(first, entered.Modifiers),
	}
	if entered.Route != partner.RouteUpload {
		return n, nil
	}
	identifier, err := r.Vault.Get(ctx, identifierSecret(c.ID))
	if err != nil {
		return n, err
	}
	if err := r.probe(ctx, c.Partner, identifier); err != nil {
		return n, err
	}
	hash, err := r.Vault.CredentialHash(ctx, identifier)
	if err != nil {
		return n, err
	}
	n.Settings.Integration, n.Secret = hash[:integrationSigns], identifierSecret(c.ID)
	return n, r.noOtherReader(ctx, c)
}

// integrationSigns are enough of a keyed hash to tell venues apart.
const integrationSigns = 16
