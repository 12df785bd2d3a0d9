package onboarding_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/link"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/sale"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// rotation is the replacing of a credential of a venue that is live.
type rotation struct {
	joining
	what, id string // the case's
}

func (r *rig) rotates(j joining, what string) rotation {
	r.requests++
	return rotation{j, what, fmt.Sprintf("%s:r%d", r.connection(j).ID, r.requests)}
}

func (r *rig) begins(n rotation) step {
	return step{name: "begin", take: func(r *rig, room *onboarding.Room, j joining) (any, error) {
		return room.BeginRotation(r.ctx, work.RotationStart{
			Case: n.id, Connection: r.connection(j).ID, What: n.what, By: "lea", Reason: "venue_asked", Note: "lost",
		})
	}}
}

func (r *rig) finishes(n rotation, cancelled bool) step {
	return step{name: "finish", take: func(r *rig, room *onboarding.Room, _ joining) (any, error) {
		return room.FinishRotation(r.ctx, work.RotationEnd{Case: n.id, Cancelled: cancelled, By: "lea", Reason: "venue_asked", Note: "lost"})
	}}
}

func (r *rig) waits(n rotation) string {
	r.t.Helper()
	return r.does(r.begins(n), n.joining).(work.RotationResult).Waits
}

// opensTill tells whether what the location reads with opens the till.
func (r *rig) opensTill(j joining) error {
	r.t.Helper()
	return r.reads(r.connection(j).Location.Secret, j.venue)
}

func TestOurKeyIsReplaced(t *testing.T) {
	r := newRig(t)
	j := r.start(pull)
	r.whole(j)
	other := r.again(j.venue, token)
	r.whole(other)
	before := r.key(j.venue, ledger.OurHolder)
	n := r.rotates(j, work.RotateTillKey)
	require.Empty(t, r.waits(n), "nothing has to come")
	require.Equal(t, []string{ledger.OurHolder, ledger.OurHolder, work.Wisk}, r.active(j.venue), "the old one works until then")
	require.Equal(t, "key:"+before.Base, r.connection(j).Location.Secret)

	second := r.rotates(other, work.RotateTillKey)
	_, err := r.begins(second).take(r, r.Room, other)
	r.refused(work.LeaseHeld, err)

	done := r.does(r.finishes(n, false), j).(work.ActResult)
	require.Equal(t, 1, done.Changed)
	after := r.key(j.venue, ledger.OurHolder)
	require.Equal(t, 2, after.Generation)
	require.Equal(t, "key:"+after.Base, r.connection(j).Location.Secret)
	require.Equal(t, bothHolders, r.active(j.venue))
	require.NoError(t, r.opensTill(j))
	c := r.read(n.id)
	require.Equal(t, work.WentLive, c.Outcome)
	require.Empty(t, c.ContactKey, "its onboarding knows whom to write to")
	require.Equal(t, []string{"rotate a credential: " + j.name, "credential replaced: till-key"}, r.story(n.id))
	require.NotContains(t, r.secrets(), "key:"+before.Base)

	require.Empty(t, r.waits(r.rotates(other, work.RotateTillKey)), "and again")
	_, err = r.begins(n).take(r, r.Room, j)
	r.refused(work.BadInput, err)
}

func TestWisksKeyIsReplaced(t *testing.T) {
	r := newRig(t)
	j := r.start(pull)
	r.upTo("entry", j)
	require.NoError(t, r.integrates(j))
	for _, st := range j.steps()[8:] {
		r.does(st, j)
	}
	r.ends(j, work.WentLive)
	n := r.rotates(j, work.RotatePartnerKey)
	require.Equal(t, work.RotationEntry, r.waits(n))
	require.Equal(t, []string{ledger.OurHolder, work.Wisk, work.Wisk}, r.active(j.venue))
	require.NoError(t, r.wisk.PullNow(r.ctx, j.bar.Reveal()), "WISK reads on with the old one")

	sent := len(r.mails(j.email))
	of := joining{venue: j.venue, way: j.way, id: n.id}
	r.handsOver(of)
	require.Len(t, r.mails(j.email), sent+1)
	require.NoError(t, r.integrates(of), "WISK's support enters the new one")
	require.NoError(t, r.wisk.RemoveIntegration(1))
	key, opened := r.reveals(of, link.Venue)
	require.True(t, opened)
	r.does(r.finishes(n, false), j)
	require.Equal(t, bothHolders, r.active(j.venue))
	require.NoError(t, r.ping(j.serial, key))
	require.NoError(t, r.wisk.PullNow(r.ctx, j.bar.Reveal()))
	require.NoError(t, r.opensTill(j))

	for _, w := range []way{upload, report} {
		none := r.start(w)
		r.whole(none)
		n := r.rotates(none, work.RotatePartnerKey)
		_, err := r.begins(n).take(r, r.Room, none)
		r.refused(work.BadInput, err)
		require.Equal(t, onlyOurs, r.active(none.venue), "WISK gets no key that it must not have")
	}
}

// pastes enters a token for a rotation and has it tried.
func (r *rig) pastes(n rotation, try int, pasted vault.Secret) string {
	r.t.Helper()
	require.NoError(r.t, r.KeepToken(r.ctx, n.id, pasted))
	result, err := r.CheckToken(r.ctx, work.TokenTry{Case: n.id, Try: try, By: work.ByVenue})
	require.NoError(r.t, err)
	return result.Verdict
}

// fresh is another token of a venue's 7shifts.
func (r *rig) fresh(j joining) vault.Secret {
	r.requests++
	text := fmt.Sprintf("fresh-token-canary-%d-", r.requests)
	r.seven.AddToken(sevenshiftssim.Token{Value: text, Companies: []int64{j.company}})
	return r.secret("a token", text)
}

func TestATokenIsReplaced(t *testing.T) {
	r := newRig(t)
	j, foreign := r.start(token), r.start(token)
	r.whole(j)
	before := r.connection(j)
	n := r.rotates(j, work.RotateToken)
	require.Equal(t, work.RotationToken, r.waits(n))
	of := joining{venue: j.venue, way: j.way, id: n.id}
	require.Equal(t, work.MailResult{Readers: 1}, r.does(mailStep(mail.KindTokenNeeded), of))
	all := r.mails(j.email)
	claims, err := r.Links.Verify(link.Token, r.link(all[len(all)-1], "token"), r.clock.Now())
	require.NoError(t, err)
	require.Equal(t, n.id, claims.Subject)
	require.WithinDuration(t, r.clock.Now().Add(days(30)), claims.Expires, time.Minute)

	_, err = r.finishes(n, false).take(r, r.Room, j)
	r.refused(work.BadInput, err)
	require.Equal(t, work.TokenWrong, r.pastes(n, 1, r.secret("a wrong token", "wrong-token-canary")))
	require.Equal(t, work.TokenPlan, r.pastes(n, 2, foreign.token), "another account's")
	require.Equal(t, before.Secret, r.connection(j).Secret)
	_, err = r.finishes(n, false).take(r, r.Room, j)
	r.refused(work.BadInput, err)

	_, err = r.Ledger.RecordFailure(r.ctx, before.ID, work.PartnerToken, "refused", work.Refused, 1)
	require.NoError(t, err)
	require.Equal(t, work.CalledOff, r.connection(j).State)
	fresh := r.fresh(j)
	require.Equal(t, work.TokenGood, r.pastes(n, 3, fresh))
	r.does(r.finishes(n, false), j)
	c := r.connection(j)
	require.Equal(t, "token:"+n.id, c.Secret)
	require.Equal(t, work.Initializing, c.State, "what was called off is tried again")
	kept, err := r.Vault.Get(r.ctx, c.Secret)
	require.NoError(t, err)
	require.Equal(t, fresh.Reveal(), kept.Reveal())
	require.NotContains(t, r.secrets(), before.Secret)
	require.Equal(t, []int64{before.CompanyID, before.PartnerLocationID}, []int64{c.CompanyID, c.PartnerLocationID})
	require.Equal(t, before.Settings, c.Settings)

	r.leaves(j)
	require.Empty(t, r.secrets(), "the rotation's token leaves as well")
}

// A token that a person had put in is forgotten with its rotation.
func TestATokenByHandIsReplaced(t *testing.T) {
	r := newRig(t)
	j := r.start(token)
	r.whole(j)
	r.Ledger.DB().MustExec(`UPDATE connections SET secret = '7shifts:by-hand'`)
	require.NoError(t, r.Vault.Put(r.ctx, "7shifts:by-hand", j.token))
	n := r.rotates(j, work.RotateToken)
	r.waits(n)
	require.Equal(t, work.TokenGood, r.pastes(n, 1, r.fresh(j)))
	r.does(r.finishes(n, false), j)
	require.NotContains(t, r.secrets(), "7shifts:by-hand")
}

// Cancelled, the old credential stays, and the next rotation goes on from it.
func TestARotationIsCancelled(t *testing.T) {
	r := newRig(t)
	bar, seven := r.start(pull), r.start(token)
	r.whole(bar)
	r.whole(seven)
	for _, what := range []string{work.RotateTillKey, work.RotatePartnerKey} {
		n := r.rotates(bar, what)
		r.waits(n)
		require.Len(t, r.active(bar.venue), 3)
		require.Equal(t, work.ActResult{Summary: "The old credential stays."}, r.does(r.finishes(n, true), bar))
		require.Equal(t, bothHolders, r.active(bar.venue))
		require.NoError(t, r.opensTill(bar))
		require.Equal(t, work.Cancelled, r.read(n.id).Outcome)
	}
	again, err := r.Revealing(r.ctx, bar.id, link.Support)
	require.NoError(t, err)
	key, opened, err := r.Reveal(r.ctx, again)
	require.NoError(t, err)
	require.True(t, opened)
	require.NoError(t, r.ping(bar.serial, key), "what was handed over is what is in force")

	n := r.rotates(bar, work.RotateTillKey)
	r.waits(n)
	r.does(r.finishes(n, false), bar)
	require.Equal(t, bothHolders, r.active(bar.venue))
	require.NoError(t, r.opensTill(bar))
	require.Equal(t, 3, r.key(bar.venue, ledger.OurHolder).Generation)

	n = r.rotates(seven, work.RotateToken)
	r.waits(n)
	require.Equal(t, work.TokenGood, r.pastes(n, 1, r.fresh(seven)))
	r.does(r.finishes(n, true), seven)
	require.Equal(t, "token:"+seven.id, r.connection(seven).Secret)
	require.NotContains(t, r.secrets(), "token:"+n.id)
	r.refused(work.BadInput, r.KeepToken(r.ctx, n.id, seven.token))

	never := r.rotates(seven, work.RotateToken)
	r.does(r.finishes(never, true), seven)
	_, err = r.finishes(never, false).take(r, r.Room, seven)
	r.refused(work.BadInput, err)
}

// The connection leaves in the middle: nothing is put in force, and nothing of
// the rotation is left.
func TestARotationEndsWithItsConnection(t *testing.T) {
	r := newRig(t)
	for _, what := range []string{work.RotateTillKey, work.RotatePartnerKey} {
		j := r.start(pull)
		r.whole(j)
		n := r.rotates(j, what)
		r.waits(n)
		r.leaves(j)
		require.Zero(t, r.does(r.finishes(n, false), j).(work.ActResult).Changed)
		r.nothingIsLeft(j, what)
		_, err := r.begins(r.rotates(j, what)).take(r, r.Room, j)
		r.refused(work.ConnectionNotLive, err)
	}
	j := r.start(token)
	r.whole(j)
	n := r.rotates(j, work.RotateToken)
	r.waits(n)
	require.Equal(t, work.TokenGood, r.pastes(n, 1, r.fresh(j)))
	r.leaves(j)
	require.Zero(t, r.does(r.finishes(n, false), j).(work.ActResult).Changed)
	require.Equal(t, work.Disconnected, r.connection(j).State)
	r.nothingIsLeft(j, "token")
	require.Empty(t, r.secrets())
}

func TestAKeyByHandIsReplaced(t *testing.T) {
	r := newRig(t)
	j := r.start(report)
	r.whole(j)
	r.Room.Settings.ByHand = true
	n := r.rotates(j, work.RotateTillKey)
	require.Equal(t, work.RotationKey, r.waits(n))
	_, err := r.finishes(n, false).take(r, r.Room, j)
	r.refused(work.SecretUnreadable, err)
	require.NoError(t, r.opensTill(j), "the old one stays")
	of := joining{venue: j.venue, way: j.way, id: n.id}
	r.refused(work.BadInput, r.PutKey(r.ctx, n.id, work.Wisk, vault.NewSecret("k"), lea))
	require.NoError(t, r.PutKey(r.ctx, n.id, ledger.OurHolder, r.secret("a wrong key", "wrong-key-canary"), lea))
	_, err = r.begins(n).take(r, r.Room, j)
	r.refused(work.ClusterKeyRefused, err)
	r.handKey(of, ledger.OurHolder, "new")
	require.Empty(t, r.waits(n))
	r.does(r.finishes(n, false), j)
	require.NoError(t, r.opensTill(j))
	require.Len(t, r.active(j.venue), 2, "the old one is Cluster's to revoke")
	require.Contains(t, fmt.Sprint(r.story(n.id)), "key to be revoked at Cluster")
}

// A key that a person had put into the location is replaced by one of an act.
func TestALocationsOwnKeyIsReplaced(t *testing.T) {
	r := newRig(t)
	j := r.start(report)
	r.till.AddLocation(clustersim.Location{
		Serial: j.serial, Key: "own-key-canary", TradeName: j.name, Address: j.address(), Zone: zone,
		Contact: &clustersim.Contact{Name: "Odile", Email: text(j.email)},
	})
	require.NoError(t, r.Vault.Put(r.ctx, "cluster:own", r.secret("a key by hand", "own-key-canary")))
	require.NoError(t, r.Ledger.AddLocation(r.ctx, ledger.Location{ID: "own", TradeName: j.name, Zone: zone, Serial: j.serial, Secret: "cluster:own"}, lea))
	r.whole(j)
	require.Empty(t, r.active(j.venue))
	n := r.rotates(j, work.RotateTillKey)
	require.Empty(t, r.waits(n))
	r.does(r.finishes(n, false), j)
	require.Equal(t, onlyOurs, r.active(j.venue))
	require.NotContains(t, r.secrets(), "cluster:own")
	require.NoError(t, r.opensTill(j))
}

// New hardware: the key to the till that stood there before is replaced, and
// withdrawn.
func TestAKeyToReplacedHardwareIsReplaced(t *testing.T) {
	r := newRig(t)
	j := r.start(pull)
	r.whole(j)
	r.till.Replace(j.serial, "CL-new")
	require.NoError(t, r.Ledger.ReplaceSerial(r.ctx, r.connection(j).LocationID, "CL-new", lea))
	fresh := j
	fresh.serial = "CL-new"
	n := r.rotates(j, work.RotateTillKey)
	require.Empty(t, r.waits(n))
	r.does(r.finishes(n, false), j)
	require.Equal(t, []string{work.Wisk}, r.active(j.venue))
	require.Equal(t, onlyOurs, r.active(fresh.venue))
	require.NoError(t, r.opensTill(fresh))
}

// Whatever crashes, whenever: the credential that is in force opens at every
// moment, and in the end exactly one does.
func TestNoMomentIsWithoutAGoodKey(t *testing.T) {
	r := newRig(t)
	r.once = true
	room, s := r.stormy()
	other, end := r.process(nil)
	defer end()
	for _, what := range []string{work.RotateTillKey, work.RotatePartnerKey, work.RotateToken} {
		w := pull
		if what == work.RotateToken {
			w = token
		}
		for _, how := range []string{"dies", "dies, and is cancelled", "loses the answer", "meanwhile"} {
			j := r.start(w)
			r.whole(j)
			for moment, more := 1, true; more; moment += stride {
				more = false
				n := r.rotates(j, what)
				p := plan{moment, true, strings.HasPrefix(how, "dies")}
				r.turns(room, other, s, n, p, how == "meanwhile", strings.HasSuffix(how, "cancelled"), &more)
				want := onlyOurs
				if w == pull {
					want = bothHolders
				}
				require.Equal(t, want, r.active(j.venue), "%s, %s, moment %d", what, how, moment)
				var tokens, connections int
				require.NoError(t, r.Ledger.DB().Get(&tokens, `SELECT count(*) FROM secrets WHERE id LIKE 'token:%' OR id LIKE 'pasted:%'`))
				require.NoError(t, r.Ledger.DB().Get(&connections, `SELECT count(*) FROM connections WHERE partner = '7shifts'`))
				require.Equal(t, connections, tokens, "%s, %s, moment %d", what, how, moment)
			}
		}
	}
}

// turns takes a rotation from its beginning to its end, each step disturbed, and
// looks at what is in force after each.
func (r *rig) turns(room, other *onboarding.Room, s *storm, n rotation, p plan, twice, cancelled bool, more *bool) {
	r.t.Helper()
	good := func() {
		r.t.Helper()
		require.NoError(r.t, r.opensTill(n.joining), "%s, %+v", n.what, p)
		if n.what == work.RotateToken {
			_, err := r.Vault.Get(r.ctx, r.connection(n.joining).Secret)
			require.NoError(r.t, err)
		}
	}
	for _, st := range []step{r.begins(n), r.finishes(n, cancelled)} {
		if n.what == work.RotateToken && st.name == "finish" {
			require.Equal(r.t, work.TokenGood, r.pastes(n, 1, r.fresh(n.joining)))
		}
		var meanwhile func()
		if twice {
			meanwhile = func() { _, _ = st.take(r, other, n.joining) }
		}
		s.comes(p, meanwhile)
		_, err := st.take(r, room, n.joining)
		if err != nil {
			r.canaries.said(err.Error())
		}
		_, struck := s.goes()
		*more = *more || struck
		good()
		_, err = st.take(r, r.Room, n.joining)
		require.NoError(r.t, err, "%s %s, %+v", n.what, st.name, p)
		good()
	}
}

// A rotation asks for no fee and needs none stated.
func TestARotationNeedsNoFee(t *testing.T) {
	r := newRig(t)
	j := r.start(pull)
	r.whole(j)
	r.Room.Settings.Fees = map[string]sale.Cents{}
	n := r.rotates(j, work.RotateTillKey)
	result := r.does(r.begins(n), j).(work.RotationResult)
	require.Equal(t, 3, result.Plan.TokenTries)
	require.False(t, result.Plan.TakesToken)
}
