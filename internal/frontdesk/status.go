package frontdesk

import (
	"context"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/gateway/pages"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// EnterContact implements pages.Desk.
func (d *Desk) EnterContact(ctx context.Context, subject string, in pages.ContactEntry) error {
	c, err := d.open(ctx, subject)
	if err != nil {
		return err
	}
	return d.Contact(ctx, c, in)
}

// RevealPage implements pages.Desk; the subject is a case.
func (d *Desk) RevealPage(ctx context.Context, subject string, reader link.Reader) (pages.RevealPage, error) {
	v, err := d.Room.Revealing(ctx, subject, reader)
	if hasCode(err, work.BadInput) {
		return pages.RevealPage{}, pages.ErrGone
	}
	if err != nil {
		return pages.RevealPage{}, err
	}
	zone := d.Room.Zone(v.Case)
	page := pages.RevealPage{Venue: onboarding.Venue(v.Case), State: pages.RevealExpired, Opened: v.Opened.In(zone), Expires: v.Expires.In(zone)}
	switch {
	case v.Withdrawn:
		page.State = pages.RevealWithdrawn
	case !v.Opened.IsZero():
		page.State = pages.RevealOpened
	case v.Ready:
		page.State = pages.RevealReady
	}
	return page, nil
}

// Reveal implements pages.Desk.
func (d *Desk) Reveal(ctx context.Context, subject string, reader link.Reader) (pages.Revealed, error) {
	v, err := d.Room.Revealing(ctx, subject, reader)
	if hasCode(err, work.BadInput) || err == nil && v.Withdrawn {
		return pages.Revealed{}, pages.ErrGone
	}
	if err != nil {
		return pages.Revealed{}, err
	}
	serial, err := d.Room.Serial(ctx, v.Case)
	if err != nil {
		return pages.Revealed{}, err
	}
	// Last: from here on the link is spent, and nothing may fail.
	key, opened, err := d.Room.Reveal(ctx, v)
	if err == nil && !opened {
		err = pages.ErrDone
	}
	return pages.Revealed{Venue: onboarding.Venue(v.Case), Serial: serial, Key: key}, err
}

// StatusPage implements pages.Desk; the subject is a case or, once it is live, a
// connection.
func (d *Desk) StatusPage(ctx context.Context, subject string) (pages.StatusPage, error) {
	if strings.Count(subject, ":") > 1 {
		c, err := d.Room.Ledger.Case(ctx, subject)
		if hasCode(err, work.BadInput) || err == nil && c.Outcome != "" && c.Outcome != work.WentLive {
			return pages.StatusPage{}, pages.ErrGone
		}
		if err != nil || c.Outcome == "" {
			return d.onItsWay(c), err
		}
		subject = c.Connection()
	}
	connection, err := d.Room.Ledger.Connection(ctx, subject)
	if hasCode(err, work.BadInput) || hasCode(err, work.UnknownConnection) {
		return pages.StatusPage{}, pages.ErrGone
	}
	if err != nil {
		return pages.StatusPage{}, err
	}
	return d.live(ctx, connection)
}

// onItsWay is the page of a case that has not ended.
func (d *Desk) onItsWay(c ledger.Case) pages.StatusPage {
	zone := d.Room.Zone(c)
	page := pages.StatusPage{
		Partner: mail.Partner(c.Partner), Venue: onboarding.Venue(c), State: work.BeingOnboarded, Now: d.Room.Clock.Now().In(zone),
	}
	if step := stepOf(c.Data); step != "" {
		page.Waits = &pages.Waiting{Step: step, Since: c.Data.Since.In(zone)}
	}
	return page
}

// stages are what pages call the stages of a case.
var stages = map[work.Stage]pages.Step{
	work.StageMatch: pages.StepMatch, work.StageContact: pages.StepContact, work.StageConfirmation: pages.StepConfirmation,
	work.StagePayment: pages.StepPayment, work.StageActivation: pages.StepActivation, work.StageKey: pages.StepKey,
	work.StageEntry: pages.StepEntry, work.StageToken: pages.StepToken, work.StageLocation: pages.StepLocation,
	work.StagePreflight: pages.StepFirstRun, work.StageFirstRun: pages.StepFirstRun,
}

func stepOf(d ledger.CaseData) pages.Step {
	if step := troubles[d.Code]; step != "" {
		return step
	}
	if d.WaitingFor == "operator" && d.Stage != work.StageMatch && d.Stage != work.StageContact && d.Stage != work.StageKey {
		return pages.StepOperator
	}
	return stages[d.Stage]
}

// troubles are problems that a venue is told by name.
var troubles = map[work.Code]pages.Step{
	work.ClusterOffline: pages.StepTill, work.PartnerToken: pages.StepTokenRefused, work.PartnerPlan: pages.StepPlan,
	work.PartnerUnreachable: pages.StepPartner, work.PartnerLimited: pages.StepPartner, work.PartnerMalformed: pages.StepPartner,
	work.ClusterNotActivated: pages.StepActivation,
}

// live is the page of a connection.
func (d *Desk) live(ctx context.Context, c ledger.Connection) (pages.StatusPage, error) {
	zone, err := time.LoadLocation(c.Location.Zone)
	if err != nil {
		return pages.StatusPage{}, work.Err(work.Internal, "a location of no zone")
	}
	page := pages.StatusPage{
		Partner: mail.Partner(c.PartnerName), Venue: mail.Venue{Name: c.Location.TradeName, Address: c.Location.Address},
		State: c.State, Now: d.Room.Clock.Now().In(zone),
	}
	last, err := d.Room.Ledger.LastSale(ctx, c.ID)
	if err != nil {
		return page, err
	}
	if !last.IsZero() {
		page.LastSale = last.In(zone)
	}
	if page.History, err = d.history(ctx, c, zone); err != nil {
		return page, err
	}
	if step := stopped(c); step != "" {
		page.Waits = &pages.Waiting{Step: step, Since: c.StateSince.In(zone)}
	}
	return page, nil
}

// stopped is what keeps a connection from its work, empty when nothing does.
func stopped(c ledger.Connection) pages.Step {
	switch {
	case c.State == work.Paused:
		return pages.StepPaused
	case c.State != work.Failing && c.State != work.CalledOff:
		return ""
	case troubles[c.LastFailureCode] != "":
		return troubles[c.LastFailureCode]
	}
	return pages.StepOperator
}

// history is how far the past has come: the share of its business days that are
// in.
func (d *Desk) history(ctx context.Context, c ledger.Connection, zone *time.Location) (*pages.History, error) {
	live := sale.DayOf(c.LiveFrom, zone)
	total := 0
	for day := c.HistoryFrom; day.Before(live); day = day.Plus(1) {
		total++
	}
	if total == 0 {
		return nil, nil
	}
	history := &pages.History{From: c.HistoryFrom, Percent: 100}
	if !c.HistoryDone {
		done, err := d.Room.Ledger.Backfilled(ctx, c.ID, c.HistoryFrom, live.Plus(-1))
		if err != nil {
			return nil, err
		}
		history.Percent = 100 * len(done) / total
	}
	return history, nil
}

// PeoplePage implements pages.Desk.
func (d *Desk) PeoplePage(context.Context, string) (pages.PeoplePage, error) {
	return pages.PeoplePage{}, pages.ErrGone
}

// AnswerPeople implements pages.Desk.
func (d *Desk) AnswerPeople(context.Context, string, []pages.PeopleAnswer) error {
	return pages.ErrGone
}
