package frontdesk_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/gateway/pages"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/sale"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// waitsForToken is a case of 7shifts whose token is waited for, with an account
// of three locations.
func (r *rig) waitsForToken() string {
	r.t.Helper()
	id := r.found(work.SevenShifts, "q", r.venue(1, "marie@marcel.example"))[0]
	require.NoError(r.t, r.Decide(r.ctx, r.asks("c1", id), yes(id)))
	opened, err := r.room.OpenTill(r.ctx, id)
	require.NoError(r.t, err)
	require.Equal(r.t, work.TillReady, opened.State)
	r.seven.AddCompany(sevenshiftssim.Company{ID: 31, Name: "Marcel inc."})
	for place, where := range map[int64]string{81: zone, 82: "America/Vancouver", 83: zone} {
		r.seven.AddLocation(sevenshiftssim.Location{ID: place, CompanyID: 31, Name: "Chez Marcel", City: "Montreal", Timezone: where})
	}
	r.seven.AddToken(sevenshiftssim.Token{Value: token, Companies: []int64{31}})
	r.stage(id, work.StageToken, "venue")
	return id
}

func (r *rig) tokenPage(id string) pages.TokenPage {
	r.t.Helper()
	page, err := r.TokenPage(r.ctx, id)
	require.NoError(r.t, err)
	require.Equal(r.t, zone, page.Zone.String())
	return page
}

func (r *rig) pastes(id, text string) error { return r.PasteToken(r.ctx, id, vault.NewSecret(text)) }

func left(t *testing.T, err error) int {
	t.Helper()
	wrong, ok := errors.AsType[pages.ErrWrong](err)
	require.True(t, ok, "%v", err)
	return wrong.Left
}

func TestATokenIsPastedAndALocationChosen(t *testing.T) {
	r := newRig(t)
	id := r.waitsForToken()
	require.Equal(t, pages.TokenPaste, r.tokenPage(id).State)
	require.Equal(t, 2, left(t, r.pastes(id, "wrong")))
	require.NoError(t, r.seven.Switch(func(s *sevenshiftssim.Switches) { s.PlanRefused = true }))
	r.code(work.PartnerPlan, r.pastes(id, token))
	require.NoError(t, r.seven.Switch(func(s *sevenshiftssim.Switches) { s.PlanRefused = false }))
	require.Equal(t, pages.TokenPaste, r.tokenPage(id).State)

	require.NoError(t, r.pastes(id, token))
	page := r.tokenPage(id)
	require.Equal(t, pages.TokenChoose, page.State, "although the stage is not told yet")
	r.stage(id, work.StageLocation, "venue")
	page = r.tokenPage(id)
	require.Equal(t, pages.TokenChoose, page.State)
	require.Equal(t, &pages.TillClock{Offset: -5 * time.Hour, Agrees: true}, page.Till)
	hindrances := map[int64][]pages.Hindrance{}
	for _, l := range page.Locations {
		hindrances[l.ID] = l.Hindrances
	}
	require.Equal(t, map[int64][]pages.Hindrance{81: nil, 82: {pages.ZoneDiffers}, 83: nil}, hindrances)

	choose := func(place int64, workday bool) error {
		return r.ChooseLocation(r.ctx, id, pages.TokenChoice{LocationID: place, ReceiptDate: sale.ByClosed, Workday: workday})
	}
	require.ErrorIs(t, choose(82, true), pages.ErrUnfit, "another zone")
	require.ErrorIs(t, choose(99, true), pages.ErrUnfit, "not this account's")
	require.ErrorIs(t, choose(81, false), pages.ErrUnfit, "the workday was not stated")
	r.temporal.be(away, nil, nil)
	r.tryAgain(choose(81, true))
	require.Nil(t, r.read(id).Data.Place)
	r.temporal.be(nil, away, nil)
	r.tryAgain(choose(81, true))
	r.temporal.be(nil, nil, nil)
	require.ErrorIs(t, choose(83, true), pages.ErrDone, "it had been taken")
	page = r.tokenPage(id)
	require.Equal(t, []any{pages.TokenDone, "Chez Marcel"}, []any{page.State, page.Chosen})
	require.WithinDuration(t, noon, page.At, time.Minute)
	require.Equal(t, string(sale.ByClosed), r.read(id).Data.Place.ReceiptDate)
	require.ErrorIs(t, r.pastes(id, token), pages.ErrDone)
	r.ends(id, work.WentLive)
	require.Equal(t, pages.TokenDone, r.tokenPage(id).State)
}

// A location is explained on the page once somebody has tried to choose it.
func TestALocationThatAnotherPOSFeeds(t *testing.T) {
	r := newRig(t)
	id := r.waitsForToken()
	require.NoError(t, r.pastes(id, token))
	r.stage(id, work.StageLocation, "venue")
	_, err := r.room.Ledger.ChangeCase(r.ctx, id, func(c *ledger.Case) (ledger.Entry, error) {
		c.Data.FedByOthers = []int64{83}
		return ledger.Entry{}, nil
	})
	require.NoError(t, err)
	for _, l := range r.tokenPage(id).Locations {
		if l.ID == 83 {
			require.Equal(t, []pages.Hindrance{pages.OtherPOS}, l.Hindrances)
		}
	}
	// A till that does not answer is only not compared.
	r.till.SetOffline("CL-1", true)
	require.Nil(t, r.tokenPage(id).Till)
}

func TestThreeWrongTokensAndAnOperatorIsAsked(t *testing.T) {
	r := newRig(t)
	id := r.waitsForToken()
	for tries := 2; tries >= 0; tries-- {
		require.Equal(t, tries, left(t, r.pastes(id, "wrong")))
	}
	r.stage(id, work.StageToken, "operator")
	require.Equal(t, pages.TokenBlocked, r.tokenPage(id).State)
	told := len(r.temporal.told)
	require.Zero(t, left(t, r.pastes(id, token)), "not even a good one")
	require.Len(t, r.temporal.told, told)
	// Before the ledger knows, the workflow refuses it.
	r.stage(id, work.StageToken, "venue")
	r.temporal.be(nil, nil, work.Err(work.BadInput, "too many tokens were wrong"))
	require.Zero(t, left(t, r.pastes(id, token)))
	r.temporal.be(nil, nil, nil)
	require.NoError(t, r.pastes(id, token))
}

func TestAPastedTokenIsNotLostToAFault(t *testing.T) {
	r := newRig(t)
	id := r.waitsForToken()
	r.temporal.be(away, nil, nil)
	r.tryAgain(r.pastes(id, token))
	require.Equal(t, pages.TokenPaste, r.tokenPage(id).State)
	r.temporal.be(nil, nil, nil)
	require.NoError(t, r.seven.Inject(sevenshiftssim.Fault{Kind: "status", Status: 500, Times: 1}))
	r.tryAgain(r.pastes(id, token))
	require.Equal(t, pages.TokenPaste, r.tokenPage(id).State)
	require.Equal(t, 2, left(t, r.pastes(id, "wrong")), "the fault was no try")
	// It was found good and the word of it lost: the page goes on.
	r.temporal.be(nil, away, nil)
	r.tryAgain(r.pastes(id, token))
	require.Equal(t, pages.TokenChoose, r.tokenPage(id).State)
}

func TestATokenIsNotWaitedFor(t *testing.T) {
	r := newRig(t)
	id := r.waitsForToken()
	r.ends(id, work.Cancelled)
	for _, id := range []string{id, "7shifts:none:1"} {
		_, err := r.TokenPage(r.ctx, id)
		require.ErrorIs(t, err, pages.ErrGone)
		require.ErrorIs(t, r.pastes(id, token), pages.ErrGone)
		require.ErrorIs(t, r.ChooseLocation(r.ctx, id, pages.TokenChoice{LocationID: 81, Workday: true}), pages.ErrGone)
	}
	require.Len(t, r.temporal.told, 1, "only the venue's yes")
}

// The token of a rotation has nothing to choose.
func TestATokenThatReplacesAnother(t *testing.T) {
	r := newRig(t)
	id := r.waitsForToken()
	require.NoError(t, r.pastes(id, token))
	_, err := r.room.Ledger.ChangeCase(r.ctx, id, func(c *ledger.Case) (ledger.Entry, error) {
		c.Data.Rotates = work.RotateToken
		return ledger.Entry{}, nil
	})
	require.NoError(t, err)
	page := r.tokenPage(id)
	require.Equal(t, pages.TokenDone, page.State)
	require.WithinDuration(t, noon, page.At, time.Minute)
	// It turned out to open another account: another one is waited for.
	r.stage(id, work.StageToken, "")
	r.stage(id, work.StageToken, "venue")
	require.Equal(t, pages.TokenPaste, r.tokenPage(id).State)
}
