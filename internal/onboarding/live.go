package onboarding

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// GoLive makes a case's connection, once the preflight is well. What was made
// before stays as it is.
func (r *Room) GoLive(ctx context.Context, caseID string) (work.LiveResult, error) {
	c, err := r.Ledger.Case(ctx, caseID)
	if err == nil {
		err = open(c)
	}
	if err != nil {
		return work.LiveResult{}, err
	}
	secret, err := r.ourSecret(ctx, c)
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
	if c, err = r.Ledger.ChangeCase(ctx, caseID, func(c *ledger.Case) (ledger.Entry, error) {
		c.Location = location.ID
		return ledger.Entry{}, nil
	}); err != nil {
		return work.LiveResult{}, err
	}
	before, err := r.Ledger.Connection(ctx, c.Connection())
	if hasCode(err, work.UnknownConnection) || err == nil && before.Secret != made.Secret || err == nil && before.State == work.Disconnected {
		_, err = r.Ledger.Connect(ctx, made, by)
	}
	if err != nil {
		return work.LiveResult{}, err
	}
	return r.FirstRun(ctx, caseID)
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
	first := n.FirstDay(sale.DayOf(r.Clock.Now(), r.zoneOf(c)))
	n.Settings = partner.Settings{
		ReceiptDate: sale.ByOpened,
		Routes:      partner.Choices{}.With(first, entered.Route), Modifiers: partner.Choices{}.With(first, entered.Modifiers),
	}
	if entered.Route != routeUpload {
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

// location is our location of a case's till, added if it is new.
func (r *Room) location(ctx context.Context, c ledger.Case, secret string, by ledger.Actor) (ledger.Location, error) {
	l, there, err := r.locationOf(ctx, c.Serial)
	if err != nil || there && l.Secret != "" {
		return l, err
	}
	if there {
		return l, r.Ledger.SetLocationSecret(ctx, l.ID, secret, by)
	}
	id, err := r.freeID(ctx, cmp.Or(c.Data.Asked.Location, Slug(c.Name())))
	if err != nil {
		return l, err
	}
	l = ledger.Location{
		ID: id, TradeName: c.Name(), Address: c.Data.Venue.Address, Zone: r.zoneOf(c).String(),
		Language: string(lang(c)), Serial: c.Serial, Secret: secret,
	}
	return l, r.Ledger.AddLocation(ctx, l, by)
}

// longestID is that of a location's id (work.CheckLocationID).
const longestID = 40

// Slug makes a location's id of a trade name: lower-case letters, digits and
// hyphens, without accents.
func Slug(name string) string {
	var b strings.Builder
	gap := false
	for _, sign := range norm.NFD.String(strings.ToLower(name)) {
		switch {
		case unicode.Is(unicode.Mn, sign), sign == '\'', sign == '’':
			continue // an accent, an elision
		case sign >= 'a' && sign <= 'z', sign >= '0' && sign <= '9':
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(sign)
		default:
			gap = true
		}
		if b.Len() >= longestID-3 { // room for a number
			break
		}
	}
	return cmp.Or(strings.Trim(b.String(), "-"), "venue")
}

// freeID is an id that no location has: with a number behind, where two venues
// have one name.
func (r *Room) freeID(ctx context.Context, wanted string) (string, error) {
	all, err := r.Ledger.Locations(ctx)
	if err != nil {
		return "", err
	}
	used := map[string]bool{}
	for _, l := range all {
		used[l.ID] = true
	}
	id := wanted
	for n := 2; used[id]; n++ {
		id = fmt.Sprintf("%s-%d", wanted, n)
	}
	return id, nil
}
