package frontdesk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/gateway/pages"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// handsOver has WISK's key issued and its links made, one for each reader.
func (r *rig) handsOver() string {
	r.t.Helper()
	id := r.found(work.Wisk, "q", r.venue(1, "marie@marcel.example"))[0]
	require.NoError(r.t, r.Decide(r.ctx, r.asks("c1", id), yes(id)))
	_, err := r.room.OpenTill(r.ctx, id)
	require.NoError(r.t, err)
	r.mails(id)
	return id
}

func (r *rig) mails(id string) {
	r.t.Helper()
	for _, kind := range []mail.Kind{mail.KindCredentials, mail.KindCredentialsToSupport} {
		_, err := r.room.Send(r.ctx, work.CaseMail{Case: id, Kind: string(kind)})
		require.NoError(r.t, err)
	}
}

func (r *rig) revealState(id string, reader link.Reader) pages.RevealState {
	r.t.Helper()
	page, err := r.RevealPage(r.ctx, id, reader)
	require.NoError(r.t, err)
	require.Equal(r.t, page.State == pages.RevealOpened, !page.Opened.IsZero())
	require.Equal(r.t, zone, page.Expires.Location().String())
	return page.State
}

func TestAKeyIsToldOnceToEachReader(t *testing.T) {
	r := newRig(t)
	id := r.handsOver()
	for range 2 {
		require.Equal(t, pages.RevealReady, r.revealState(id, link.Venue), "looking spends nothing")
	}
	first, err := r.Reveal(r.ctx, id, link.Venue)
	require.NoError(t, err)
	require.Equal(t, "CL-1", first.Serial)
	require.NotEmpty(t, first.Key.Reveal())
	require.Equal(t, "Chez Marcel 1", first.Venue.Name)
	again, err := r.Reveal(r.ctx, id, link.Venue)
	require.ErrorIs(t, err, pages.ErrDone)
	require.Empty(t, again.Key.Reveal())
	require.Equal(t, pages.RevealOpened, r.revealState(id, link.Venue))

	require.Equal(t, pages.RevealReady, r.revealState(id, link.Support), "the other's is not spent")
	second, err := r.Reveal(r.ctx, id, link.Support)
	require.NoError(t, err)
	require.Equal(t, first.Key.Reveal(), second.Key.Reveal())

	// New links, which end unopened.
	require.NoError(t, r.room.HandOverAgain(r.ctx, id, lea))
	r.mails(id)
	require.Equal(t, pages.RevealReady, r.revealState(id, link.Venue))
	r.clock.Forward(8 * 24 * time.Hour)
	require.Equal(t, pages.RevealExpired, r.revealState(id, link.Venue))
	_, err = r.Reveal(r.ctx, id, link.Venue)
	require.ErrorIs(t, err, pages.ErrDone)
}

func TestAKeyThatIsNone(t *testing.T) {
	r := newRig(t)
	id := r.handsOver()
	for _, c := range []struct {
		id     string
		reader link.Reader
	}{{"wisk:none:1", link.Venue}, {id, "operator"}} {
		_, err := r.RevealPage(r.ctx, c.id, c.reader)
		require.ErrorIs(t, err, pages.ErrGone)
		_, err = r.Reveal(r.ctx, c.id, c.reader)
		require.ErrorIs(t, err, pages.ErrGone)
	}
	_, err := r.room.Undo(r.ctx, work.UndoInput{Case: id, Step: work.UndoKeys, By: "lea", Reason: "venue_asked", Note: "cancelled"})
	require.NoError(t, err)
	require.Equal(t, pages.RevealWithdrawn, r.revealState(id, link.Venue))
	_, err = r.Reveal(r.ctx, id, link.Venue)
	require.ErrorIs(t, err, pages.ErrGone)
}

func TestTheStatusOfACaseOnItsWay(t *testing.T) {
	r := newRig(t)
	id := r.found(work.SevenShifts, "q", r.venue(1, "marie@marcel.example"))[0]
	step := func() pages.Step {
		page, err := r.StatusPage(r.ctx, id)
		require.NoError(t, err)
		require.Equal(t, []any{mail.Partner(work.SevenShifts), work.BeingOnboarded, "Chez Marcel 1"}, []any{page.Partner, page.State, page.Venue.Name})
		if page.Waits == nil {
			return ""
		}
		require.Equal(t, zone, page.Waits.Since.Location().String())
		return page.Waits.Step
	}
	for _, c := range []struct {
		note work.StageNote
		want pages.Step
	}{
		{work.StageNote{Stage: work.StageMatch, WaitingFor: "operator"}, pages.StepMatch},
		{work.StageNote{Stage: work.StageContact, WaitingFor: "operator"}, pages.StepContact},
		{work.StageNote{Stage: work.StageConfirmation, WaitingFor: "venue"}, pages.StepConfirmation},
		{work.StageNote{Stage: work.StagePayment, WaitingFor: "payment"}, pages.StepPayment},
		{work.StageNote{Stage: work.StageActivation, WaitingFor: "cluster", Code: work.ClusterNotActivated}, pages.StepActivation},
		{work.StageNote{Stage: work.StageKey, WaitingFor: "operator"}, pages.StepKey},
		{work.StageNote{Stage: work.StageEntry, WaitingFor: "partner"}, pages.StepEntry},
		{work.StageNote{Stage: work.StageToken, WaitingFor: "venue"}, pages.StepToken},
		{work.StageNote{Stage: work.StageToken, WaitingFor: "venue", Code: work.PartnerToken}, pages.StepTokenRefused},
		{work.StageNote{Stage: work.StageToken, WaitingFor: "venue", Code: work.PartnerPlan}, pages.StepPlan},
		{work.StageNote{Stage: work.StageLocation, WaitingFor: "venue"}, pages.StepLocation},
		{work.StageNote{Stage: work.StagePreflight, WaitingFor: "venue", Code: work.ClusterOffline}, pages.StepTill},
		{work.StageNote{Stage: work.StagePreflight, WaitingFor: "operator", Code: work.ZonesDiffer}, pages.StepOperator},
		{work.StageNote{Stage: work.StageFirstRun}, pages.StepFirstRun},
		{work.StageNote{Stage: work.StageUndo}, ""},
	} {
		r.clock.Forward(time.Hour)
		c.note.Case = id
		require.NoError(t, r.room.NoteStage(r.ctx, c.note))
		got := step()
		require.Equal(t, c.want, got, "%+v", c.note)
	}
	r.ends(id, work.Cancelled)
	for _, gone := range []string{id, "7shifts:none:1", "7shifts:nowhere"} {
		_, err := r.StatusPage(r.ctx, gone)
		require.ErrorIs(t, err, pages.ErrGone, gone)
	}
}

func TestTheStatusOfAConnection(t *testing.T) {
	r := newRig(t)
	id := r.waitsForToken()
	require.NoError(t, r.pastes(id, token))
	r.stage(id, work.StageLocation, "venue")
	require.NoError(t, r.ChooseLocation(r.ctx, id, pages.TokenChoice{LocationID: 81, ReceiptDate: sale.ByOpened, Workday: true}))
	_, err := r.room.GoLive(r.ctx, id)
	require.NoError(t, err)
	r.ends(id, work.WentLive)
	connection := r.read(id).Connection()
	status := func(subject string) pages.StatusPage {
		page, err := r.StatusPage(r.ctx, subject)
		require.NoError(t, err)
		return page
	}
	page := status(id)
	require.Equal(t, status(connection).State, page.State, "the case's link leads to its connection")
	require.Equal(t, []any{work.Initializing, 0, true}, []any{page.State, page.History.Percent, page.LastSale.IsZero()})
	require.Nil(t, page.Waits)

	c, err := r.room.Ledger.Connection(r.ctx, connection)
	require.NoError(t, err)
	day := c.HistoryFrom
	for range 20 {
		require.NoError(t, r.room.Ledger.DayBackfilled(r.ctx, connection, day, 3))
		day = day.Plus(1)
	}
	require.Positive(t, status(connection).History.Percent)
	require.Less(t, status(connection).History.Percent, 100)

	for _, c := range []struct {
		code work.Code
		want pages.Step
	}{{work.PartnerToken, pages.StepTokenRefused}, {work.ClusterOffline, pages.StepTill}, {work.Internal, pages.StepOperator}} {
		_, err = r.room.Ledger.RecordFailure(r.ctx, connection, c.code, work.Err(c.code, "").Sentence(connection), work.Refused, 1)
		require.NoError(t, err)
		require.Equal(t, c.want, status(connection).Waits.Step, c.code)
	}
	_, err = r.room.Ledger.Pause(r.ctx, connection, ledger.Actor{Handle: "lea", Reason: "maintenance", Note: "a new till"})
	require.NoError(t, err)
	require.Equal(t, pages.StepPaused, status(connection).Waits.Step)
}

func TestNobodyIsAskedAboutPeopleYet(t *testing.T) {
	r := newRig(t)
	_, err := r.PeoplePage(r.ctx, "7shifts:chez-marcel")
	require.ErrorIs(t, err, pages.ErrGone)
	require.ErrorIs(t, r.AnswerPeople(r.ctx, "7shifts:chez-marcel", nil), pages.ErrGone)
}
