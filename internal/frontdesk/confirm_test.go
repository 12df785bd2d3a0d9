package frontdesk_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/frontdesk"
	"github.com/clustersystems/clusterbridge/internal/gateway"
	"github.com/clustersystems/clusterbridge/internal/gateway/pages"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func yes(venue string) pages.Decision { return pages.Decision{Venue: venue, Yes: true} }

func no(venue string) pages.Decision {
	return pages.Decision{Venue: venue, Reason: pages.TooExpensive}
}

func TestEachVenueIsConfirmedOrDeclinedByItself(t *testing.T) {
	r := newRig(t)
	const marie = "marie@marcel.example"
	ids := r.found(work.Wisk, "q1", r.venue(1, marie), r.venue(2, marie), r.venue(3, marie))
	subject := r.asks("c1", ids...)
	page, err := r.Confirmation(r.ctx, subject)
	require.NoError(t, err)
	require.Equal(t, []any{mail.Partner(work.Wisk), mail.PartnerSupport, false}, []any{page.Partner, page.AskedBy, page.Employees})
	require.Equal(t, zone, page.Expires.Location().String())
	require.WithinDuration(t, noon.Add(30*24*time.Hour), page.Expires, time.Minute)
	for i, v := range page.Venues {
		require.Equal(t, []any{ids[i], pages.Open, false, time.Time{}.Unix()}, []any{v.ID, v.State, v.ByOperator, v.At.Unix()})
		require.EqualValues(t, 15000, v.Fee.Before)
		require.NotEmpty(t, v.Venue.Address)
	}

	require.NoError(t, r.Decide(r.ctx, subject, yes(ids[0])))
	require.NoError(t, r.Decide(r.ctx, subject, no(ids[1])))
	page, err = r.Confirmation(r.ctx, subject)
	require.NoError(t, err)
	states := []pages.Answered{page.Venues[0].State, page.Venues[1].State, page.Venues[2].State}
	require.Equal(t, []pages.Answered{pages.Confirmed, pages.Declined, pages.Open}, states)
	require.WithinDuration(t, noon, page.Venues[0].At, time.Minute)
	require.Equal(t, []string{"Decide " + ids[0], "Decide " + ids[1]}, r.temporal.told)
	require.Equal(t, []string{"cost", work.ByVenue}, []string{r.read(ids[1]).Data.Why, r.read(ids[1]).Data.DecidedBy})

	// An answer stands, whichever comes after it, and costs no Update.
	for _, d := range []pages.Decision{yes(ids[0]), no(ids[0]), yes(ids[1])} {
		require.ErrorIs(t, r.Decide(r.ctx, subject, d), pages.ErrDone)
	}
	require.Len(t, r.temporal.told, 2)
}

func TestALinkOpensItsOwnVenuesOnly(t *testing.T) {
	r := newRig(t)
	mine := r.found(work.Wisk, "mine", r.venue(1, "a@marcel.example"))
	theirs := r.found(work.Wisk, "theirs", r.venue(2, "b@marcel.example"))
	subject, other := r.asks("c1", mine...), r.asks("c1", theirs...)
	for _, venue := range []string{theirs[0], "wisk:none:1", ""} {
		require.ErrorIs(t, r.Decide(r.ctx, subject, yes(venue)), pages.ErrGone)
	}
	require.Empty(t, r.temporal.told)
	require.NoError(t, r.Decide(r.ctx, other, yes(theirs[0])))
	_, err := r.Confirmation(r.ctx, "wisk:none:c1")
	require.ErrorIs(t, err, pages.ErrGone)

	// Whose contact was replaced answers for it no more.
	require.NoError(t, r.EnterContact(r.ctx, mine[0], entry("new@marcel.example")))
	_, err = r.Confirmation(r.ctx, subject)
	require.ErrorIs(t, err, pages.ErrGone)
	require.ErrorIs(t, r.Decide(r.ctx, subject, yes(mine[0])), pages.ErrGone)
}

func TestWhatHasEndedCannotBeAnswered(t *testing.T) {
	r := newRig(t)
	for outcome, state := range map[work.Outcome]pages.Answered{work.Expired: pages.Expired, work.Cancelled: pages.Withdrawn} {
		ids := r.found(work.Wisk, string(outcome), r.venue(len(outcome), "marie@marcel.example"))
		subject := r.asks("c1", ids...)
		r.ends(ids[0], outcome)
		page, err := r.Confirmation(r.ctx, subject)
		require.NoError(t, err)
		require.Equal(t, state, page.Venues[0].State)
		require.WithinDuration(t, noon, page.Venues[0].At, time.Minute)
		require.ErrorIs(t, r.Decide(r.ctx, subject, yes(ids[0])), pages.ErrGone)
	}
	require.Empty(t, r.temporal.told)
}

func TestAnOperatorWasFaster(t *testing.T) {
	r := newRig(t)
	ids := r.found(work.Wisk, "q", r.venue(1, "marie@marcel.example"))
	subject := r.asks("c1", ids...)
	require.NoError(t, r.room.Decide(r.ctx, work.CaseAct{Case: ids[0], Decision: work.Decline, By: "lea", Reason: "venue_asked", Note: "by telephone"}))
	page, err := r.Confirmation(r.ctx, subject)
	require.NoError(t, err)
	require.Equal(t, pages.Declined, page.Venues[0].State)
	require.True(t, page.Venues[0].ByOperator)
	require.ErrorIs(t, r.Decide(r.ctx, subject, yes(ids[0])), pages.ErrDone)
}

// What the workflow refuses was answered, or is over, between page and button.
func TestTheWorkflowRefusesAnAnswer(t *testing.T) {
	r := newRig(t)
	ids := r.found(work.Wisk, "q", r.venue(1, "marie@marcel.example"), r.venue(2, "marie@marcel.example"))
	subject := r.asks("c1", ids...)
	r.temporal.be(nil, nil, work.Err(work.BadInput, "the venue's answer is not waited for"))
	require.ErrorIs(t, r.Decide(r.ctx, subject, yes(ids[0])), pages.ErrGone)
	r.temporal.be(nil, nil, work.Err(work.LedgerUnavailable, "")) // a step of the workflow's
	r.tryAgain(r.Decide(r.ctx, subject, yes(ids[0])))
}

func TestTemporalIsAwayWhileAVenueAnswers(t *testing.T) {
	r := newRig(t)
	ids := r.found(work.Wisk, "q", r.venue(1, "marie@marcel.example"))
	subject := r.asks("c1", ids...)
	for _, err := range []error{away, context.DeadlineExceeded} {
		r.temporal.be(err, nil, nil)
		r.tryAgain(r.Decide(r.ctx, subject, yes(ids[0])))
		require.Empty(t, r.read(ids[0]).Data.Decision)
	}
	page, err := r.Confirmation(r.ctx, subject)
	require.NoError(t, err, "the page is there without Temporal")
	require.Equal(t, pages.Open, page.Venues[0].State)

	// The answer was taken and the word of it lost: the page says what counts.
	r.temporal.be(nil, away, nil)
	r.tryAgain(r.Decide(r.ctx, subject, yes(ids[0])))
	r.temporal.be(nil, nil, nil)
	require.ErrorIs(t, r.Decide(r.ctx, subject, no(ids[0])), pages.ErrDone)
	require.Equal(t, work.Confirm, r.read(ids[0]).Data.Decision)
}

func TestTheLedgerIsAway(t *testing.T) {
	r := newRig(t)
	ids := r.found(work.Wisk, "q", r.venue(1, "marie@marcel.example"))
	subject := r.asks("c1", ids...)
	room := *r.room
	var err error
	room.Ledger, err = ledger.Open(r.ctx, r.database, r.clock, room.Log)
	require.NoError(t, err)
	require.NoError(t, room.Ledger.Close())
	desk := frontdesk.Desk{Room: &room, Temporal: r.temporal}
	for name, ask := range map[string]func() error{
		"confirmation": func() error { _, err := desk.Confirmation(r.ctx, subject); return err },
		"token":        func() error { _, err := desk.TokenPage(r.ctx, ids[0]); return err },
		"contact":      func() error { _, err := desk.ContactPage(r.ctx, ids[0]); return err },
		"status":       func() error { _, err := desk.StatusPage(r.ctx, ids[0]); return err },
		"reveal":       func() error { _, err := desk.RevealPage(r.ctx, ids[0], link.Venue); return err },
		"show a key":   func() error { _, err := desk.Reveal(r.ctx, ids[0], link.Venue); return err },
		"decide":       func() error { return desk.Decide(r.ctx, subject, yes(ids[0])) },
		"paste":        func() error { return desk.PasteToken(r.ctx, ids[0], vault.NewSecret(token)) },
		"enter":        func() error { return desk.EnterContact(r.ctx, ids[0], entry("a@marcel.example")) },
		"choose": func() error {
			return desk.ChooseLocation(r.ctx, ids[0], pages.TokenChoice{LocationID: 1, Workday: true})
		},
		"pay": func() error {
			return desk.Paid(r.ctx, gateway.Payment{ID: "pay-1", Invoice: "CB-1", Kind: "payment", AmountCents: 1, Currency: "CAD", At: noon})
		},
		"request": func() error { return desk.Ask(r.ctx, "req-7", work.OnboardingInput{Partner: work.Wisk}) },
	} {
		err := ask()
		require.Error(t, err, name)
		require.Equal(t, work.Transient, work.KindOf(err), "%s: %v", name, err)
	}
	require.Empty(t, r.temporal.told)
	require.Empty(t, r.temporal.started)
	require.NoError(t, r.Decide(r.ctx, subject, yes(ids[0])))
}

func entry(email string) pages.ContactEntry {
	return pages.ContactEntry{Name: vault.NewSecret("Marie Tremblay"), Email: vault.NewSecret(email), Lang: words.English, By: "lea", Note: "called back"}
}

func TestAnOperatorEntersAContact(t *testing.T) {
	r := newRig(t)
	id := r.found(work.SevenShifts, "q", r.venue(1, ""))[0]
	r.stage(id, work.StageContact, "operator")
	page, err := r.ContactPage(r.ctx, id)
	require.NoError(t, err)
	require.False(t, page.Done)
	require.Equal(t, []any{mail.Partner(work.SevenShifts), words.French}, []any{page.Partner, page.Lang})
	require.WithinDuration(t, noon.Add(30*24*time.Hour), page.Expires, time.Minute)

	r.code(work.BadInput, r.EnterContact(r.ctx, id, entry("no address")))
	require.Empty(t, r.read(id).ContactKey)
	require.Empty(t, r.temporal.told)

	// Kept, but the workflow does not know: it has to be entered again.
	r.temporal.be(away, nil, nil)
	r.tryAgain(r.EnterContact(r.ctx, id, entry("marie@marcel.example")))
	page, err = r.ContactPage(r.ctx, id)
	require.NoError(t, err)
	require.False(t, page.Done, "nobody is asked yet")
	r.temporal.be(nil, nil, nil)
	require.NoError(t, r.EnterContact(r.ctx, id, entry("marie@marcel.example")))
	page, err = r.ContactPage(r.ctx, id)
	require.NoError(t, err)
	require.True(t, page.Done)
	require.Equal(t, "lea", page.By)
	require.WithinDuration(t, noon, page.At, time.Minute)
	require.Equal(t, words.English, page.Lang)
	require.Equal(t, []string{"ContactEntered " + id}, r.temporal.told)
	story, err := r.room.Ledger.CaseStory(r.ctx, id)
	require.NoError(t, err)
	last := story[len(story)-1]
	require.Equal(t, []string{"lea", "contact entered", "called back"}, []string{last.Who, last.Act, last.Note})

	r.asks("c1", id)
	r.ends(id, work.Expired)
	_, err = r.ContactPage(r.ctx, id)
	require.ErrorIs(t, err, pages.ErrGone)
	require.ErrorIs(t, r.EnterContact(r.ctx, id, entry("marie@marcel.example")), pages.ErrGone)
	require.ErrorIs(t, r.EnterContact(r.ctx, "7shifts:none:1", entry("marie@marcel.example")), pages.ErrGone)
}

// A contact on Cluster's record may be wrong: an operator replaces it by the same
// page.
func TestAContactOnRecordCanBeReplaced(t *testing.T) {
	r := newRig(t)
	id := r.found(work.Wisk, "q", r.venue(1, "gone@marcel.example"))[0]
	before := r.read(id).ContactKey
	require.NotEmpty(t, before)
	page, err := r.ContactPage(r.ctx, id)
	require.NoError(t, err)
	require.False(t, page.Done)
	require.NoError(t, r.EnterContact(r.ctx, id, entry("marie@marcel.example")))
	require.NotEqual(t, before, r.read(id).ContactKey)
}
