package onboarding_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// waitsForToken is a venue whose token is waited for.
func (r *rig) waitsForToken() joining {
	r.t.Helper()
	j := r.start(token)
	r.upTo("paste", j)
	return j
}

// tries pastes a token and has it tried, twice.
func (r *rig) tries(j joining, n int, pasted vault.Secret) string {
	r.t.Helper()
	require.NoError(r.t, r.KeepToken(r.ctx, j.id, pasted))
	return r.does(step{name: "try", take: func(r *rig, room *onboarding.Room, j joining) (any, error) {
		return room.CheckToken(r.ctx, work.TokenTry{Case: j.id, Try: n, By: work.ByVenue})
	}}, j).(work.TokenResult).Verdict
}

// chooses says which place it is, twice.
func (r *rig) chooses(j joining, place int64) []string {
	r.t.Helper()
	return r.does(step{name: "choose", take: func(r *rig, room *onboarding.Room, j joining) (any, error) {
		return room.CheckPlace(r.ctx, work.CaseAct{Case: j.id, Location: place, ReceiptDate: string(sale.ByClosed), By: work.ByVenue})
	}}, j).(work.PlaceResult).Hindrances
}

func TestATokenIsTried(t *testing.T) {
	r := newRig(t)
	j := r.waitsForToken()
	wrong := r.secret("a wrong token", "wrong-token-canary")
	require.Equal(t, work.TokenWrong, r.tries(j, 1, wrong))
	require.NotContains(t, fmt.Sprint(r.secrets()), j.id, "a wrong one is forgotten")
	require.Empty(t, r.read(j.id).Data.Places)

	require.NoError(t, r.seven.Switch(func(s *sevenshiftssim.Switches) { s.PlanRefused = true }))
	require.Equal(t, work.TokenPlan, r.tries(j, 2, j.token))
	require.NoError(t, r.seven.Switch(func(s *sevenshiftssim.Switches) { s.PlanRefused = false }))

	require.Equal(t, work.TokenGood, r.tries(j, 3, j.token))
	c := r.read(j.id)
	require.Equal(t, []partner.Place{{Company: j.company, ID: j.place, Name: j.name, City: "Montreal", Zone: zone}}, c.Data.Places)
	require.False(t, c.Data.TokenAt.IsZero())
	require.Contains(t, r.secrets(), "token:"+j.id)
	require.NotContains(t, r.secrets(), "pasted:"+j.id)
	story := r.story(j.id)
	require.Equal(t, "token kept: ", story[len(story)-1])
	require.NotEqual(t, story[len(story)-1], story[len(story)-2])

	// A wrong one that is pasted now takes nothing's place.
	require.Equal(t, work.TokenWrong, r.tries(j, 4, wrong))
	require.Empty(t, r.chooses(j, j.place))
	kept, err := r.Vault.Get(r.ctx, "token:"+j.id)
	require.NoError(t, err)
	require.Equal(t, j.token.Reveal(), kept.Reveal())

	require.NoError(t, r.seven.Inject(sevenshiftssim.Fault{Kind: "status", Status: 500, Times: 1}))
	require.NoError(t, r.KeepToken(r.ctx, j.id, j.token))
	_, err = r.CheckToken(r.ctx, work.TokenTry{Case: j.id, Try: 5})
	r.refused(work.PartnerUnreachable, err)
	require.Equal(t, work.TokenGood, r.tries(j, 5, j.token), "it was no try")

	nothing := r.waitsForToken()
	verdict, err := r.CheckToken(r.ctx, work.TokenTry{Case: nothing.id, Try: 1})
	require.NoError(t, err)
	require.Equal(t, work.TokenWrong, verdict.Verdict, "nothing was pasted")
	bar := r.start(pull)
	_, err = r.CheckToken(r.ctx, work.TokenTry{Case: bar.id, Try: 1})
	r.refused(work.BadInput, err)
	r.ends(j, work.Cancelled)
	r.refused(work.BadInput, r.KeepToken(r.ctx, j.id, j.token))
	_, err = r.CheckToken(r.ctx, work.TokenTry{Case: j.id, Try: 6})
	r.refused(work.BadInput, err)
}

func TestATokenThatSeesNoLocationIsOfNoUse(t *testing.T) {
	r := newRig(t)
	j := r.waitsForToken()
	r.seven.AddCompany(sevenshiftssim.Company{ID: 9000, Name: "Empty inc."})
	empty := r.secret("a token", "empty-token-canary")
	r.seven.AddToken(sevenshiftssim.Token{Value: empty.Reveal(), Companies: []int64{9000}})
	require.Equal(t, work.TokenPlan, r.tries(j, 1, empty))
}

func TestAPlaceIsChosen(t *testing.T) {
	r := newRig(t)
	j := r.waitsForToken()
	require.Equal(t, work.TokenGood, r.tries(j, 1, j.token))
	_, err := r.CheckPlace(r.ctx, work.CaseAct{Case: j.id, Location: 1, ReceiptDate: "opened"})
	r.refused(work.BadInput, err)
	require.Empty(t, r.chooses(j, j.place))
	at := r.read(j.id).Data.Place
	require.Equal(t, "closed", at.ReceiptDate)
	require.Equal(t, j.place, at.ID)
	story := r.story(j.id)
	require.Equal(t, fmt.Sprintf("partner's location chosen: %d, workday 5 a.m. to 5 a.m. stated", j.place), story[len(story)-1])
	require.Equal(t, "token kept: ", story[len(story)-2], "chosen once")
	r.ends(j, work.Cancelled)
	_, err = r.CheckPlace(r.ctx, work.CaseAct{Case: j.id, Location: j.place, ReceiptDate: "opened"})
	r.refused(work.BadInput, err)
}

func TestZonesAreCompared(t *testing.T) {
	r := newRig(t)
	for stated, differs := range map[string]bool{
		"America/Toronto": false, "America/New_York": false, "America/Halifax": true, "America/Vancouver": true,
		// No daylight saving time: the same hours in winter only.
		"America/Panama": true, "America/toronto": true, "Eastern": true, "": true, "Local": true,
	} {
		j := r.waitsForToken()
		r.seven.AddLocation(sevenshiftssim.Location{ID: j.place, CompanyID: j.company, Name: j.name, Timezone: stated})
		require.Equal(t, work.TokenGood, r.tries(j, 1, j.token))
		want := []string(nil)
		if differs {
			want = []string{onboarding.ZoneDiffers}
		}
		require.Equal(t, want, r.chooses(j, j.place), "%q", stated)
	}
}

func TestAPlaceOfAnotherVenueIsTaken(t *testing.T) {
	r := newRig(t)
	live := r.start(token)
	r.whole(live)
	j := r.waitsForToken()
	r.seven.AddToken(sevenshiftssim.Token{Value: j.token.Reveal(), Companies: []int64{live.company}})
	require.Equal(t, work.TokenGood, r.tries(j, 1, j.token))
	require.Equal(t, []string{onboarding.Taken}, r.chooses(j, live.place))
	_, err := r.Ledger.SetState(r.ctx, r.connection(live).ID, work.Disconnected, lea)
	require.NoError(t, err)
	require.Empty(t, r.chooses(j, live.place), "it left")

	// Two that choose it at once: the first has it.
	late := r.waitsForToken()
	r.seven.AddToken(sevenshiftssim.Token{Value: late.token.Reveal(), Companies: []int64{live.company}})
	require.Equal(t, work.TokenGood, r.tries(late, 1, late.token))
	require.Equal(t, []string{onboarding.Taken}, r.chooses(late, live.place))
	require.Nil(t, r.read(late.id).Data.Place)
	r.ends(j, work.Cancelled)
	require.Empty(t, r.chooses(late, live.place))
}

// writes lets some integration write a receipt to a 7shifts location.
func (r *rig) writes(j joining, id string, at time.Time) {
	r.t.Helper()
	body := fmt.Sprintf(`{"receipt_id":%q,"location_id":%d,"receipt_date":%q,"net_total":1000,"gross_total":1000,"status":"closed","tips":0,"tip_details":[],"receipt_lines":[]}`,
		id, j.place, at.UTC().Format(time.RFC3339))
	req, err := http.NewRequestWithContext(r.ctx, http.MethodPost, fmt.Sprintf("%s/v2/company/%d/receipts", r.urls.seven, j.company), bytes.NewReader([]byte(body)))
	require.NoError(r.t, err)
	req.Header.Set("Authorization", "Bearer "+j.token.Reveal())
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Api-Version", "2025-03-01")
	res, err := r.base.RoundTrip(req)
	require.NoError(r.t, err)
	defer res.Body.Close()
	var said bytes.Buffer
	_, _ = said.ReadFrom(res.Body)
	require.Equal(r.t, http.StatusAccepted, res.StatusCode, said.String())
}

func TestAPlaceThatAnotherPOSFeeds(t *testing.T) {
	r := newRig(t)
	j := r.waitsForToken()
	require.Equal(t, work.TokenGood, r.tries(j, 1, j.token))
	r.writes(j, "other-pos-1", r.clock.Now().Add(-days(8)))
	require.Empty(t, r.chooses(j, j.place), "it was long ago")
	r.writes(j, "other-pos-2", r.clock.Now().Add(-days(2)))
	require.Equal(t, []string{onboarding.OtherPOS}, r.chooses(j, j.place))
	_, err := r.GoLive(r.ctx, j.id)
	r.refused(work.TillForeign, err)
	require.Contains(t, err.Error(), onboarding.OtherPOS)
	r.clock.Forward(days(6))
	require.Empty(t, r.chooses(j, j.place), "it writes no more")
	r.does(liveStep, j)
}

// What this venue's own connection wrote before it left is no hindrance, also
// when it comes back as another location of ours.
func TestOurOwnReceiptsAreNoHindrance(t *testing.T) {
	r := newRig(t)
	j := r.start(token)
	r.whole(j)
	connection := r.connection(j)
	for _, id := range []string{j.serial + "-1", j.serial + "-2"} {
		r.writes(j, id, r.clock.Now().Add(-time.Hour))
		r.Ledger.DB().MustExec(`
			INSERT INTO documents (connection, id, sale_id, day, date, lane, body, hash, wanted_at)
			VALUES ($1, $2, $2, '2026-11-24', $3, 0, '{}', 'h', $3)`, connection.ID, id, r.clock.Now())
	}
	_, err := r.Ledger.SetState(r.ctx, connection.ID, work.Disconnected, lea)
	require.NoError(t, err)
	require.NoError(t, r.Ledger.ReplaceSerial(r.ctx, connection.LocationID, "CL-gone", lea))
	for _, how := range []string{"with other hardware", "with its own"} {
		if how == "with its own" {
			require.NoError(t, r.Ledger.ReplaceSerial(r.ctx, connection.LocationID, j.serial, lea))
		}
		again := r.again(j.venue, token)
		r.upTo("place", again)
		require.Empty(t, r.chooses(again, j.place), how)
		r.ends(again, work.Cancelled)
	}
	r.writes(j, "other-pos", r.clock.Now().Add(-time.Hour))
	again := r.again(j.venue, token)
	r.upTo("place", again)
	require.Equal(t, []string{onboarding.OtherPOS}, r.chooses(again, j.place))
}

// hindered tells what hinders a place without choosing it, as the page does.
func TestHindrancesAreToldTogether(t *testing.T) {
	r := newRig(t)
	j := r.waitsForToken()
	r.seven.AddLocation(sevenshiftssim.Location{ID: j.place, CompanyID: j.company, Name: j.name, Timezone: "America/Vancouver"})
	require.Equal(t, work.TokenGood, r.tries(j, 1, j.token))
	r.writes(j, "other-pos", r.clock.Now().Add(-time.Hour))
	c := r.read(j.id)
	found, err := r.Hindrances(r.ctx, c, c.Data.Places[0])
	require.NoError(t, err)
	require.Equal(t, []string{onboarding.ZoneDiffers, onboarding.OtherPOS}, found)
	_, err = r.Ledger.ChangeCase(r.ctx, j.id, func(c *ledger.Case) (ledger.Entry, error) {
		c.Data.Venue.Zone = "America/Vancouver"
		return ledger.Entry{}, nil
	})
	require.NoError(t, err)
	require.Equal(t, []string{onboarding.OtherPOS}, r.chooses(j, j.place))
}
