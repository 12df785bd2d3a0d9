package frontdesk

import (
	"context"
	"time"

	"github.com/clustersystems/clusterbridge/internal/gateway/pages"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// TokenPage implements pages.Desk; the subject is a case.
func (d *Desk) TokenPage(ctx context.Context, subject string) (pages.TokenPage, error) {
	c, err := d.Room.Ledger.Case(ctx, subject)
	if hasCode(err, work.BadInput) {
		return pages.TokenPage{}, pages.ErrGone
	}
	if err != nil {
		return pages.TokenPage{}, err
	}
	zone := d.Room.Zone(c)
	page := pages.TokenPage{Venue: onboarding.Venue(c), State: tokenState(c), Zone: zone}
	switch page.State {
	case pages.TokenDone:
		page.Chosen, page.At = chosen(c), doneAt(c).In(zone)
	case pages.TokenChoose:
		if page.Locations, err = d.locations(ctx, c); err != nil {
			return page, err
		}
		page.Till = d.tillClock(ctx, c)
	case pages.TokenPaste, pages.TokenBlocked:
	default:
		return page, pages.ErrGone
	}
	return page, nil
}

// tokenState is how far a case is with its token; empty when nothing waits for
// one.
func tokenState(c ledger.Case) pages.TokenState {
	d := c.Data
	// A stage is told to the ledger a moment after the answer; the page that
	// follows it may be faster.
	good := d.Verdict == work.TokenGood && d.TokenAt.After(d.Since)
	switch {
	case c.Outcome == work.WentLive, d.Place != nil:
		return pages.TokenDone
	case c.Outcome != "":
		return ""
	case d.Stage == work.StageToken && d.WaitingFor == "operator":
		return pages.TokenBlocked
	case good && d.Rotates != "":
		return pages.TokenDone
	case (good || d.Stage == work.StageLocation) && len(d.Places) > 0:
		return pages.TokenChoose
	}
	return pages.TokenPaste
}

func chosen(c ledger.Case) string {
	if c.Data.Place == nil {
		return ""
	}
	return c.Data.Place.Name
}

func doneAt(c ledger.Case) time.Time {
	if c.Data.Place == nil {
		return c.Data.TokenAt
	}
	return c.Data.Place.At
}

// locations are those that the token opens, with why one cannot be chosen.
func (d *Desk) locations(ctx context.Context, c ledger.Case) ([]pages.TokenLocation, error) {
	all := make([]pages.TokenLocation, len(c.Data.Places))
	for i, p := range c.Data.Places {
		codes, err := d.Room.KnownHindrances(ctx, c, p)
		if err != nil {
			return nil, err
		}
		all[i] = pages.TokenLocation{ID: p.ID, Name: p.Name, City: p.City, Zone: p.Zone}
		for _, code := range codes {
			all[i].Hindrances = append(all[i].Hindrances, pages.Hindrance(code))
		}
	}
	return all, nil
}

// tillWithin bounds what a page waits for the till's clock, which is only there
// to be compared.
const tillWithin = 3 * time.Second

// tillClock is the till's clock, nil when it does not answer soon.
func (d *Desk) tillClock(ctx context.Context, c ledger.Case) *pages.TillClock {
	ctx, cancel := context.WithTimeout(ctx, tillWithin)
	defer cancel()
	at, err := d.Room.TillTime(ctx, c)
	if err != nil {
		return nil
	}
	_, east := at.Zone()
	return &pages.TillClock{Offset: time.Duration(east) * time.Second, Agrees: onboarding.OffsetDiffers(at, d.Room.Zone(c)) == ""}
}

// PasteToken implements pages.Desk.
func (d *Desk) PasteToken(ctx context.Context, subject string, token vault.Secret) error {
	c, err := d.open(ctx, subject)
	if err != nil {
		return err
	}
	state := tokenState(c)
	if state == pages.TokenDone {
		return pages.ErrDone
	}
	if state == pages.TokenBlocked {
		return pages.ErrWrong{}
	}
	if err := d.Room.KeepToken(ctx, c.ID, token); err != nil {
		return err
	}
	var result work.TokenResult
	err = d.tell(ctx, c, work.UpdateTryToken, byVenue("pasted on the page"), &result)
	if hasCode(err, work.BadInput) {
		return pages.ErrWrong{} // no token is waited for just now; the page says what is
	}
	if err != nil {
		return err
	}
	switch result.Verdict {
	case work.TokenWrong:
		return pages.ErrWrong{Left: result.Left}
	case work.TokenPlan:
		return work.Err(work.PartnerPlan, "")
	}
	return nil
}

// ChooseLocation implements pages.Desk.
func (d *Desk) ChooseLocation(ctx context.Context, subject string, in pages.TokenChoice) error {
	c, err := d.open(ctx, subject)
	if err != nil {
		return err
	}
	if tokenState(c) == pages.TokenDone {
		return pages.ErrDone
	}
	by := byVenue("chosen on the page")
	var result work.PlaceResult
	err = d.tell(ctx, c, work.UpdateChoosePartnerLocation, work.PlaceInput{
		Location: in.LocationID, ReceiptDate: string(in.ReceiptDate), Workday: in.Workday, By: by.By, Reason: by.Reason, Note: by.Note,
	}, &result)
	if hasCode(err, work.BadInput) || err == nil && len(result.Hindrances) > 0 {
		return pages.ErrUnfit
	}
	return err
}
