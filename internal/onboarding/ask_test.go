package onboarding_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	mailboxsim "github.com/clustersystems/clusterbridge/internal/simulator/mailbox"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// chain is one request for some venues that have one contact.
func (r *rig) chain(w way, request string, n int) (cases []joining, email string) {
	r.t.Helper()
	var inputs []work.VenueInput
	var venues []venue
	for range n {
		v := r.venue()
		venues, inputs = append(venues, v), append(inputs, v.input())
	}
	name, email := r.person(10_000 + venues[0].n)
	for i, id := range r.asks(w, request, inputs...) {
		r.till.SetContact(venues[i].serial, &clustersim.Contact{Name: text(name), Email: text(email)})
		j := joining{venue: venues[i], way: w, id: id}
		r.does(findStep, j)
		cases = append(cases, j)
	}
	return cases, email
}

// ask asks, or reminds, twice.
func (r *rig) ask(group string, reminder int, cases ...joining) (asked []string) {
	r.t.Helper()
	in := work.AskInput{Request: cases[0].request(), Group: group, Reminder: reminder}
	for _, j := range cases {
		in.Cases = append(in.Cases, j.id)
	}
	return r.does(step{name: "ask", take: func(r *rig, room *onboarding.Room, _ joining) (any, error) { return room.Ask(r.ctx, in) }}, cases[0]).(work.AskResult).Asked
}

func (r *rig) decides(j joining, decision string) error {
	return r.Decide(r.ctx, work.CaseAct{Case: j.id, Decision: decision, Why: map[string]string{work.Decline: "not_us"}[decision], By: work.ByVenue})
}

// The venues of one contact share a mail and a page; a reminder leaves out what
// was answered, and carries the same link.
func TestOneMailAsksForAllVenuesOfAContact(t *testing.T) {
	r := newRig(t)
	cases, email := r.chain(pull, "r-7", 3)
	all := []string{cases[0].id, cases[1].id, cases[2].id}
	require.Equal(t, all, r.ask("c1", 0, cases...))
	got := r.mails(email)
	require.Len(t, got, 1)
	for _, j := range cases {
		require.Contains(t, got[0].Text, j.name)
	}
	for _, words := range []string{"WISK", "150,00", "7,50", "14,96", "172,46", "TPS", "TVQ", "$172.46", "GST", "QST"} {
		require.Contains(t, unglued(got[0].Text), words, "in both languages, with taxes")
	}
	c := r.read(cases[0].id)
	require.Equal(t, c.Data.AskedAt.Add(days(30)), c.Data.ExpiresAt)
	claims, err := r.Links.Verify(link.Confirm, r.link(got[0], "confirm"), r.clock.Now())
	require.NoError(t, err)
	require.Equal(t, link.Claims{Purpose: link.Confirm, Subject: "wisk:r-7:c1", Reader: link.Venue, Expires: c.Data.ExpiresAt}, claims)

	require.NoError(t, r.decides(cases[0], work.Confirm))
	r.clock.Forward(days(3))
	require.Equal(t, all[1:], r.ask("c1", 1, cases...))
	got = r.mails(email)
	require.Len(t, got, 2)
	require.NotContains(t, got[1].Text, cases[0].name, "it has answered")
	require.Equal(t, r.link(got[0], "confirm"), r.link(got[1], "confirm"))
	require.NotEqual(t, got[0].MessageID, got[1].MessageID)

	require.NoError(t, r.decides(cases[1], work.Decline))
	r.ends(cases[2], work.Cancelled)
	r.clock.Forward(days(4))
	require.Empty(t, r.ask("c1", 2, cases...))
	require.Len(t, r.mails(email), 2, "nobody is left to be reminded of")
}

// An English venue is asked in English first; 7shifts costs nothing and tells of
// the employees.
func TestAVenueIsAskedInItsLanguageFirst(t *testing.T) {
	r := newRig(t)
	j := r.start(token)
	r.does(findStep, j)
	_, err := r.Ledger.ChangeCase(r.ctx, j.id, func(c *ledger.Case) (ledger.Entry, error) {
		c.Data.Venue.Language = "en"
		return ledger.Entry{}, nil
	})
	require.NoError(t, err)
	r.does(askStep, j)
	text := r.mails(j.email)[0].Text
	require.Less(t, strings.Index(text, "asks"), strings.Index(text, "demande"), text)
	require.Contains(t, text, "7shifts")
	require.NotContains(t, text, "$")
}

// What the process leaves behind when it dies between the mail server's word and
// its record: the same mail again, under the same Message-ID and with the same
// link, although the venues that are left have changed.
func TestASecondCopyOfAQuestionIsTheSame(t *testing.T) {
	r := newRig(t)
	cases, email := r.chain(upload, "r-8", 2)
	require.NoError(t, r.box.Inject(mailboxsim.Fault{Kind: mailboxsim.FaultAcceptDrop}))
	in := work.AskInput{Request: "wisk:r-8", Group: "c1", Cases: []string{cases[0].id, cases[1].id}}
	_, err := r.Ask(r.ctx, in)
	r.refused(work.MailUnreachable, err)
	require.NoError(t, r.decides(cases[0], work.Confirm))
	r.clock.Forward(time.Hour)
	asked, err := r.Ask(r.ctx, in)
	require.NoError(t, err)
	require.Equal(t, []string{cases[1].id}, asked.Asked)
	got := r.mails(email)
	require.Len(t, got, 2)
	require.Equal(t, got[0].MessageID, got[1].MessageID)
	require.Equal(t, r.link(got[0], "confirm"), r.link(got[1], "confirm"))
	require.Empty(t, r.box.Violations())
}

// A contact that was replaced while the group's mail was on its way: neither
// reads of the other's venues.
func TestAReplacedContactReadsNothingOfOthers(t *testing.T) {
	r := newRig(t)
	for i, replaced := range []int{0, 1} {
		request := "s-" + string(rune('a'+i))
		cases, email := r.chain(pull, request, 2)
		name, fresh := r.person(20_000 + i)
		require.NoError(t, r.EnterContact(r.ctx, onboarding.NewContact{
			Case: cases[replaced].id, Name: vault.NewSecret(name), Email: vault.NewSecret(fresh), By: "lea", Note: "called back",
		}))
		stays := cases[1-replaced]
		require.Equal(t, []string{stays.id}, r.ask("c1", 0, cases...))
		require.Len(t, r.mails(email), 1)
		require.NotContains(t, r.mails(email)[0].Text, cases[replaced].name)
		require.Empty(t, r.mails(fresh))
		require.Empty(t, r.read(cases[replaced].id).Group, "the page of the others does not show it")

		require.Equal(t, []string{cases[replaced].id}, r.ask("c2", 0, cases[replaced]))
		require.Len(t, r.mails(fresh), 1)
		require.NotContains(t, r.mails(fresh)[0].Text, stays.name)
	}
}

func TestAQuestionThatCannotBeSentIsToldAndAskedAgain(t *testing.T) {
	r := newRig(t)
	j := r.start(pull)
	r.does(findStep, j)
	require.NoError(t, r.box.Inject(mailboxsim.Fault{Kind: mailboxsim.FaultRefuse}))
	_, err := askStep.take(r, r.Room, j)
	r.refused(work.MailRefused, err)
	r.does(askStep, j)
	require.Len(t, r.mails(j.email), 1)
}

func TestAVenueDecidesOnce(t *testing.T) {
	r := newRig(t)
	for decision, other := range map[string]string{work.Confirm: work.Decline, work.Decline: work.Confirm} {
		j := r.start(pull)
		r.upTo("decide", j)
		require.NoError(t, r.decides(j, decision))
		require.NoError(t, r.decides(j, decision))
		r.refused(work.BadInput, r.decides(j, other))
		c := r.read(j.id)
		require.Equal(t, decision, c.Data.Decision)
		require.Equal(t, work.ByVenue, c.Data.DecidedBy)
		require.False(t, c.Data.DecidedAt.IsZero())
		story := r.story(j.id)
		require.Equal(t, "venue's decision: "+decision, story[len(story)-1])
		require.Equal(t, 1, strings.Count(strings.Join(story, "\n"), "venue's decision"))
	}
	late := r.start(pull)
	r.upTo("decide", late)
	r.ends(late, work.Expired)
	r.refused(work.BadInput, r.decides(late, work.Confirm))
}
