package onboarding

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// KeepToken keeps a token that a venue pasted, for CheckToken to look at; the
// case's workflow is told by the Update TryToken. One that was found good before
// stays in its place until this one is.
func (r *Room) KeepToken(ctx context.Context, caseID string, token vault.Secret) error {
	if _, err := r.openCase(ctx, caseID); err != nil {
		return err
	}
	if err := r.Vault.Put(ctx, pastedSecret(caseID), token); err != nil {
		return err
	}
	_, err := r.Ledger.ChangeCase(ctx, caseID, func(c *ledger.Case) (ledger.Entry, error) {
		c.Data.Verdict = ""
		return ledger.Entry{}, nil
	})
	return err
}

// CheckToken asks the partner what a pasted token opens. A wrong one is
// forgotten. Where nothing was pasted since, it is answered as before.
func (r *Room) CheckToken(ctx context.Context, in work.TokenTry) (work.TokenResult, error) {
	c, err := r.openCase(ctx, in.Case)
	if err != nil {
		return work.TokenResult{}, err
	}
	taker, ok := r.takesToken(c.Partner)
	if !ok {
		return work.TokenResult{}, work.Err(work.BadInput, c.Partner+" is not joined by a token")
	}
	token, err := r.Vault.Get(ctx, pastedSecret(c.ID))
	if hasCode(err, work.SecretUnreadable) {
		return work.TokenResult{Verdict: cmp.Or(c.Data.Verdict, work.TokenWrong)}, nil
	}
	if err != nil {
		return work.TokenResult{}, err
	}
	way, err := r.gate(ctx, c.Partner, token)
	if err != nil {
		return work.TokenResult{}, err
	}
	places, err := taker.Places(ctx, token.Reveal(), way)
	verdict, err := r.verdict(ctx, c, places, err)
	if err != nil {
		return work.TokenResult{}, err
	}
	if verdict == work.TokenGood {
		if err := r.Vault.Put(ctx, tokenSecret(c.ID), token); err != nil {
			return work.TokenResult{}, err
		}
	}
	if _, err := r.Ledger.ChangeCase(ctx, in.Case, func(c *ledger.Case) (ledger.Entry, error) {
		before := c.Data.Verdict
		if c.Data.Verdict = verdict; verdict != work.TokenGood || before == verdict {
			return ledger.Entry{}, nil
		}
		c.Data.Places, c.Data.TokenAt = places, r.Clock.Now()
		return ledger.Entry{Who: in.By, Act: actToken}, nil
	}); err != nil {
		return work.TokenResult{}, err
	}
	return work.TokenResult{Verdict: verdict}, r.Vault.Delete(ctx, pastedSecret(c.ID))
}

// verdict is what the partner's answer says of a token. A rotation's has to open
// the place that the connection fills.
func (r *Room) verdict(ctx context.Context, c ledger.Case, places []partner.Place, err error) (string, error) {
	switch {
	case hasCode(err, work.PartnerToken):
		return work.TokenWrong, nil
	case hasCode(err, work.PartnerPlan, work.PartnerNotFound):
		return work.TokenPlan, nil
	case err != nil || c.Data.Rotates == "":
		return work.TokenGood, err
	}
	connection, err := r.Ledger.Connection(ctx, c.Connection())
	if err != nil {
		return "", err
	}
	if _, there := placeIn(places, connection.PartnerLocationID); !there {
		return work.TokenPlan, nil
	}
	return work.TokenGood, nil
}

// Why a place cannot be chosen.
const (
	ZoneDiffers = "zone"      // from the venue's, or the till's clock
	OtherPOS    = "other_pos" // something else feeds it
	Taken       = "taken"     // another venue of ours is connected to it
)

// Hindrances are why a place of the partner's cannot be a case's; none when it
// can. Looking for other POS integrations asks the partner.
func (r *Room) Hindrances(ctx context.Context, c ledger.Case, at partner.Place) ([]string, error) {
	found, err := r.fits(ctx, c, at)
	if err != nil || slices.Contains(found, Taken) {
		return found, err
	}
	fed, err := r.fedByOthers(ctx, c, at)
	if fed {
		found = append(found, OtherPOS)
	}
	return found, err
}

// KnownHindrances are Hindrances, without asking the partner: whether something
// else feeds a place is known once somebody has tried to choose it.
func (r *Room) KnownHindrances(ctx context.Context, c ledger.Case, at partner.Place) ([]string, error) {
	found, err := r.fits(ctx, c, at)
	if err == nil && slices.Contains(c.Data.FedByOthers, at.ID) {
		found = append(found, OtherPOS)
	}
	return found, err
}

// fits are the hindrances that are known without asking the partner.
func (r *Room) fits(ctx context.Context, c ledger.Case, at partner.Place) ([]string, error) {
	var found []string
	theirs, err := time.LoadLocation(at.Zone)
	if err != nil || at.Zone == "" || at.Zone == "Local" || !SameHours(r.Clock.Now(), r.Zone(c), theirs) {
		found = append(found, ZoneDiffers)
	}
	taken, err := r.takenBy(ctx, c, at)
	if taken != "" {
		found = append(found, Taken)
	}
	return found, err
}

// takenBy is the connection of another venue of ours that fills a place.
func (r *Room) takenBy(ctx context.Context, c ledger.Case, at partner.Place) (string, error) {
	all, err := r.Ledger.Connections(ctx)
	if err != nil {
		return "", err
	}
	for _, other := range all {
		if other.PartnerName == c.Partner && other.PartnerLocationID == at.ID && other.State != work.Disconnected && other.Location.Serial != c.Serial {
			return other.ID, nil
		}
	}
	return "", nil
}

// fedByOthers tells whether something that is not ours lately wrote to a place.
// What earlier connections of ours wrote there is ours.
func (r *Room) fedByOthers(ctx context.Context, c ledger.Case, at partner.Place) (bool, error) {
	taker, _ := r.takesToken(c.Partner)
	token, err := r.Vault.Get(ctx, tokenSecret(c.ID))
	if err != nil {
		return false, err
	}
	way, err := r.gate(ctx, c.Partner, token)
	if err != nil {
		return false, err
	}
	ids, err := taker.Lately(ctx, token.Reveal(), at, way)
	if err != nil || len(ids) == 0 {
		return false, err
	}
	all, err := r.Ledger.Connections(ctx)
	if err != nil {
		return false, err
	}
	ours := 0
	for _, other := range all {
		if other.PartnerName != c.Partner || other.PartnerLocationID != at.ID {
			continue
		}
		n, err := r.Ledger.KnownDocuments(ctx, other.ID, ids)
		if err != nil {
			return false, err
		}
		ours += n
	}
	return ours < len(ids), nil
}

// CheckPlace takes a venue's choice of the partner's location, unless something
// hinders it.
func (r *Room) CheckPlace(ctx context.Context, in work.CaseAct) (work.PlaceResult, error) {
	c, err := r.openCase(ctx, in.Case)
	if err != nil {
		return work.PlaceResult{}, err
	}
	at, there := placeIn(c.Data.Places, in.Location)
	if !there {
		return work.PlaceResult{}, work.Err(work.BadInput, "field \"location\": the token does not see this location")
	}
	hindrances, err := r.Hindrances(ctx, c, at)
	if err != nil {
		return work.PlaceResult{}, err
	}
	if len(hindrances) > 0 {
		return work.PlaceResult{Hindrances: hindrances}, r.hindered(ctx, c, at, hindrances)
	}
	_, err = r.Ledger.ChangeCase(ctx, c.ID, func(c *ledger.Case) (ledger.Entry, error) {
		chosen := ledger.CasePlace{Place: at, ReceiptDate: in.ReceiptDate, By: in.By}
		if before := c.Data.Place; before != nil {
			if chosen.At = before.At; chosen == *before {
				return ledger.Entry{}, nil // it comes again
			}
		}
		chosen.At = r.Clock.Now()
		c.Data.Place = &chosen
		said := fmt.Sprintf("%d, workday 5 a.m. to 5 a.m. stated", at.ID)
		return entry(actor(in.By, in.Reason, in.Note), actPlace, said), nil
	})
	if errors.Is(err, ledger.ErrPlaceTaken) {
		return work.PlaceResult{Hindrances: []string{Taken}}, nil
	}
	return work.PlaceResult{}, err
}

// hindered notes what only the partner could tell, for the page.
func (r *Room) hindered(ctx context.Context, c ledger.Case, at partner.Place, why []string) error {
	_, err := r.Ledger.ChangeCase(ctx, c.ID, func(c *ledger.Case) (ledger.Entry, error) {
		if slices.Contains(why, OtherPOS) && !slices.Contains(c.Data.FedByOthers, at.ID) {
			c.Data.FedByOthers = append(c.Data.FedByOthers, at.ID)
		}
		return ledger.Entry{}, nil
	})
	return err
}

func placeIn(places []partner.Place, id int64) (partner.Place, bool) {
	for _, p := range places {
		if p.ID == id {
			return p, true
		}
	}
	return partner.Place{}, false
}
