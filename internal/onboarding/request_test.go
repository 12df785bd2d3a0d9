package onboarding_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/work"
)

func TestARequestIsWrittenDownOnce(t *testing.T) {
	r := newRig(t)
	in := work.OnboardingInput{
		Partner: work.Wisk, Requester: work.PartnerSupport, Route: "upload", By: "lea", Note: "as agreed",
		Venues: []work.VenueInput{r.venue().input(), r.venue().input(), r.venue().input()},
	}
	start := work.OnboardingStart{Request: "wisk:r-1", Input: in}
	for range 2 {
		plan, err := r.Plan(r.ctx, start)
		require.NoError(t, err)
		require.True(t, plan.Fee)
		require.False(t, plan.TakesToken)
		require.Equal(t, 3, plan.TokenTries)
	}
	cases, err := r.Ledger.CasesOf(r.ctx, "wisk:r-1")
	require.NoError(t, err)
	require.Len(t, cases, 3)
	for i, c := range cases {
		require.Equal(t, work.CaseID(work.Wisk, "r-1", i+1), c.ID)
		require.Equal(t, work.LocationOnboardingID(c.ID), c.Workflow)
		require.Equal(t, in.Venues[i], c.Data.Asked)
		require.Equal(t, []string{"ask for onboarding: " + in.Venues[i].TradeName}, r.story(c.ID))
	}

	other := start
	other.Input.Venues = in.Venues[:2]
	_, err = r.Plan(r.ctx, other)
	r.refused(work.BadInput, err)
	other.Input.Venues = []work.VenueInput{in.Venues[0], in.Venues[1], r.venue().input()}
	_, err = r.Plan(r.ctx, other)
	r.refused(work.BadInput, err)
	r.ends(joining{id: cases[0].ID}, work.Declined)
	_, err = r.Plan(r.ctx, start)
	require.NoError(t, err, "the same run may begin afresh")
}

func TestARequestIsAcknowledgedToSupportOnly(t *testing.T) {
	r := newRig(t)
	acknowledge := func(request string) work.MailResult {
		return r.does(step{name: "acknowledge", take: func(r *rig, room *onboarding.Room, _ joining) (any, error) {
			return room.Acknowledge(r.ctx, work.RequestInput{Request: request})
		}}, joining{}).(work.MailResult)
	}
	one, many := r.venue(), []work.VenueInput{r.venue().input(), r.venue().input()}
	r.asks(pull, "one", one.input())
	r.asks(pull, "many", many...)
	require.Equal(t, work.MailResult{Readers: 1}, acknowledge("wisk:one"))
	require.Equal(t, work.MailResult{Readers: 1}, acknowledge("wisk:many"))
	all := r.mails(support)
	require.Len(t, all, 2)
	require.Contains(t, all[0].Text, one.name)
	claims, err := r.Links.Verify(link.Status, r.link(all[0], "status"), r.clock.Now())
	require.NoError(t, err)
	require.Equal(t, "wisk:one:1", claims.Subject)
	require.Equal(t, link.Support, claims.Reader)
	require.Contains(t, all[1].Text, many[1].TradeName)
	for _, l := range all[1].Links() {
		require.NotContains(t, l, "/status/", "a page is about one venue")
	}

	seven := r.asks(token, "seven", one.input())
	require.Equal(t, work.MailResult{}, acknowledge("7shifts:seven"), "7shifts' support gets no mail of ours")
	require.Equal(t, work.MailResult{}, acknowledge("wisk:none"))
	in := work.OnboardingInput{Partner: work.Wisk, Requester: work.VenueAdmin, Venues: many[:1], By: work.ByGateway, Note: "granted"}
	_, err = r.Plan(r.ctx, work.OnboardingStart{Request: "wisk:admin", Input: in})
	require.NoError(t, err)
	require.Equal(t, work.MailResult{}, acknowledge("wisk:admin"), "an admin saw it where it was made")
	require.Equal(t, "7shifts:seven:1", seven[0])
	require.Len(t, r.mails(""), 2)
}

func TestWhereACaseStandsIsMirrored(t *testing.T) {
	r := newRig(t)
	j := r.start(pull)
	r.does(findStep, j)
	note := work.StageNote{Case: j.id, Stage: work.StagePayment, WaitingFor: "payment", What: "the payment", Code: work.MailRefused}
	require.NoError(t, r.NoteStage(r.ctx, note))
	since := r.read(j.id).Data.Since
	r.clock.Forward(days(1))
	note.What = "the payment of the fee"
	require.NoError(t, r.NoteStage(r.ctx, note))
	d := r.read(j.id).Data
	require.Equal(t, since, d.Since, "it waits for the same")
	require.Equal(t, []any{work.StagePayment, "payment", "the payment of the fee", work.MailRefused}, []any{d.Stage, d.WaitingFor, d.What, d.Code})
	note.WaitingFor = "operator"
	require.NoError(t, r.NoteStage(r.ctx, note))
	require.NotEqual(t, since, r.read(j.id).Data.Since)
	require.Len(t, r.story(j.id), 2, "a stage is no act")

	open, err := r.Ledger.Cases(r.ctx, false)
	require.NoError(t, err)
	require.Len(t, open, 1)
	end := work.StageNote{Case: j.id, Stage: work.StageEnded, What: "declined", Outcome: work.Declined, By: "lea", Reason: "venue_asked", Note: "by telephone"}
	for range 2 {
		require.NoError(t, r.NoteStage(r.ctx, end))
	}
	end.Outcome = work.WentLive
	require.NoError(t, r.NoteStage(r.ctx, end))
	c := r.read(j.id)
	require.Equal(t, work.Declined, c.Outcome, "it ended once")
	require.False(t, c.Data.EndedAt.IsZero())
	story, err := r.Ledger.CaseStory(r.ctx, j.id)
	require.NoError(t, err)
	require.Len(t, story, 3)
	last := story[2]
	require.Equal(t, ledger.Entry{Number: last.Number, At: last.At, Location: j.id, Who: "lea", Act: "onboarding ended", New: "declined", Reason: "venue_asked", Note: "by telephone"}, last)
	open, err = r.Ledger.Cases(r.ctx, false)
	require.NoError(t, err)
	require.Empty(t, open)
	r.refused(work.BadInput, r.NoteStage(r.ctx, work.StageNote{Case: "wisk:none:1"}))
}
