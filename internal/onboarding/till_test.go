package onboarding_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

var (
	bothHolders = []string{ledger.OurHolder, work.Wisk}
	onlyOurs    = []string{ledger.OurHolder}
)

// opens asks for the way to a till, twice.
func (r *rig) opens(j joining) string {
	r.t.Helper()
	return r.does(tillStep, j).(work.TillResult).State
}

// reads tells whether a key of the vault's opens a till.
func (r *rig) reads(secret string, v venue) error {
	r.t.Helper()
	key, err := r.Vault.Get(r.ctx, secret)
	require.NoError(r.t, err, secret)
	return r.ping(v.serial, key)
}

// key is what is kept for a holder of a till, and under which id.
func (r *rig) key(v venue, holder string) ledger.TillKey {
	r.t.Helper()
	all, err := r.Ledger.TillKeys(r.ctx, v.serial, holder)
	require.NoError(r.t, err)
	r.canaries.said(all)
	var kept []ledger.TillKey
	for _, k := range all {
		if k.Kept() {
			kept = append(kept, k)
		}
	}
	require.Len(r.t, kept, 1, "keys of %s: %+v", holder, all)
	return kept[0]
}

func TestTheTillOpensWhenClusterHasActivatedIt(t *testing.T) {
	for name, needed := range map[string]bool{"keys need access": true, "keys come at once": false} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(_ *rig, s *clustersim.OfficeSwitches) {
				s.ActivationMin, s.ActivationMax, s.KeysNeedAccess = 47*time.Hour, 47*time.Hour, needed
			})
			for _, w := range []way{pull, token, upload} {
				j := r.start(w)
				r.upTo("till", j)
				require.Equal(t, work.TillPending, r.opens(j))
				r.clock.Forward(47*time.Hour - time.Minute)
				require.Equal(t, work.TillPending, r.opens(j))
				r.clock.Forward(time.Minute)
				require.Equal(t, work.TillReady, r.opens(j))
				want := onlyOurs
				if w == pull {
					want = bothHolders
				}
				require.Equal(t, want, r.active(j.venue))
				for _, holder := range want {
					require.NoError(t, r.reads("key:"+r.key(j.venue, holder).Base, j.venue))
				}
			}
		})
	}
}

func TestATillThatIsOfflineIsReady(t *testing.T) {
	r := newRig(t)
	j := r.start(pull)
	r.upTo("till", j)
	r.till.SetOffline(j.serial, true)
	require.Equal(t, work.TillReady, r.opens(j), "going live waits for it")
	require.Equal(t, bothHolders, r.active(j.venue))
}

// Cluster answers late, twice, not at all, or with noise: in the end one key per
// holder opens the till.
func TestOneKeyPerHolderWhateverClusterAnswers(t *testing.T) {
	r := newRig(t)
	r.once = true
	for _, path := range []string{wire.PathActivate, wire.PathIssueKey, wire.PathListKeys, wire.PathPing} {
		for _, fault := range []clustersim.Fault{
			{Drop: true}, {Commit: true, Drop: true}, {Commit: true, Status: 502}, {Status: 503}, {Status: 429, RetryAfter: 3}, {Commit: true, Garbage: true}, {Truncate: true},
		} {
			j := r.start(pull)
			r.upTo("till", j)
			fault.Path, fault.Serial, fault.Times = path, j.serial, 2
			r.till.Faults().Add(fault)
			for range 3 {
				if _, err := r.OpenTill(r.ctx, j.id); err != nil {
					r.code(err)
				}
			}
			r.till.Faults().Clear()
			require.Equal(t, work.TillReady, r.opens(j), "%+v", fault)
			require.Equal(t, bothHolders, r.active(j.venue), "%+v", fault)
			for _, holder := range bothHolders {
				require.NoError(t, r.reads("key:"+r.key(j.venue, holder).Base, j.venue))
			}
		}
	}
}

// A back office that refuses, and a key that somebody revoked.
func TestATillThatDoesNotOpenSaysWhy(t *testing.T) {
	r := newRig(t)
	j := r.start(pull)
	r.upTo("till", j)
	r.till.Faults().Add(clustersim.Fault{Path: wire.PathActivate, Status: 401})
	_, err := r.OpenTill(r.ctx, j.id)
	r.refused(work.ClusterOfficeKey, err)
	r.till.Faults().Add(clustersim.Fault{Path: wire.PathActivate, Status: 404})
	_, err = r.OpenTill(r.ctx, j.id)
	r.refused(work.ClusterNoSerial, err)
	require.Equal(t, work.TillReady, r.opens(j))

	ours := r.key(j.venue, ledger.OurHolder)
	require.NoError(t, r.Office.RevokeKey(r.ctx, j.serial, ours.KeyID, "somebody"))
	_, err = r.OpenTill(r.ctx, j.id)
	r.refused(work.ClusterKeyRefused, err)
	// An operator gets one from Cluster.
	r.handKey(j, ledger.OurHolder, "by-hand-1")
	require.Equal(t, work.TillReady, r.opens(j))

	_, err = r.OpenTill(r.ctx, r.start(pull).id)
	r.refused(work.Internal, err)
}

// handKey puts a key in that Cluster's staff issued by hand, which opens the till.
func (r *rig) handKey(j joining, holder, name string) string {
	r.t.Helper()
	issued, err := r.Office.IssueKey(r.ctx, j.serial, holder, "staff-"+j.serial+"-"+holder+"-"+name)
	require.NoError(r.t, err)
	require.NoError(r.t, r.PutKey(r.ctx, j.id, holder, issued.Key, lea))
	return issued.ID
}

func TestKeysArePutInByHand(t *testing.T) {
	r := newRig(t, func(r *rig, _ *clustersim.OfficeSwitches) { r.settings.ByHand = true })
	j := r.start(pull)
	r.refused(work.BadInput, r.PutKey(r.ctx, j.id, ledger.OurHolder, vault.NewSecret("k"), lea))
	r.upTo("till", j)
	require.Equal(t, work.TillManual, r.opens(j))
	r.refused(work.BadInput, r.PutKey(r.ctx, j.id, "7shifts", vault.NewSecret("k"), lea))
	r.refused(work.BadInput, r.PutKey(r.ctx, j.id, ledger.OurHolder, vault.Secret{}, lea))

	require.NoError(t, r.PutKey(r.ctx, j.id, ledger.OurHolder, r.secret("a wrong key", "wrong-key-canary"), lea))
	_, err := r.OpenTill(r.ctx, j.id)
	r.refused(work.ClusterKeyRefused, err)
	_, err = r.Office.Activate(r.ctx, j.serial, ledger.OurHolder, "staff-a1")
	require.NoError(t, err)
	r.handKey(j, ledger.OurHolder, "1")
	require.Equal(t, work.TillManual, r.opens(j), "WISK's is missing")
	r.handKey(j, work.Wisk, "2")
	require.Equal(t, work.TillPending, r.opens(j), "Cluster has not activated it for WISK")
	_, err = r.Office.Activate(r.ctx, j.serial, work.Wisk, "staff-a2")
	require.NoError(t, err)
	require.Equal(t, work.TillReady, r.opens(j))
	require.Equal(t, []string{"key put in: clusterbridge", "key put in: clusterbridge", "key put in: wisk"}, r.story(j.id)[5:])

	for _, w := range []way{upload, token} {
		other := r.start(w)
		r.upTo("till", other)
		r.refused(work.BadInput, r.PutKey(r.ctx, other.id, w.partner, vault.NewSecret("k"), lea))
	}
	r.ends(j, work.Cancelled)
	r.refused(work.BadInput, r.PutKey(r.ctx, j.id, work.Wisk, vault.NewSecret("k"), lea))
}

// A key that is put in where Cluster's API issues them takes the place of one
// that was issued, which opens nothing any more.
func TestAKeyByHandTakesThePlaceOfAnIssuedOne(t *testing.T) {
	r := newRig(t)
	j := r.start(pull)
	r.upTo("till", j)
	require.Equal(t, work.TillReady, r.opens(j))
	mine := r.handKey(j, work.Wisk, "1")
	require.Equal(t, bothHolders, r.active(j.venue))
	require.Equal(t, work.TillReady, r.opens(j))
	r.undo(j)
	require.Equal(t, []string{work.Wisk}, r.active(j.venue), "it is Cluster's to revoke")
	story := r.story(j.id)
	require.Contains(t, story[len(story)-1], "key to be revoked at Cluster")
	for _, k := range r.till.State().Office.Keys {
		require.Equal(t, k.KeyID == mine, k.Revoked.IsZero())
	}
}

// A venue that another partner brought in has our key already.
func TestALocationsKeyIsUsedAgain(t *testing.T) {
	r := newRig(t)
	j := r.start(token)
	r.whole(j)
	ours := r.key(j.venue, ledger.OurHolder)
	second := r.again(j.venue, pull)
	r.whole(second)
	require.Equal(t, ours, r.key(j.venue, ledger.OurHolder))
	require.Equal(t, bothHolders, r.active(j.venue))
	require.Equal(t, r.connection(j).LocationID, r.connection(second).LocationID)

	// One that a person had put in is used as well, and no other is issued.
	v := r.venue()
	r.till.AddLocation(clustersim.Location{Serial: v.serial, Key: "by-hand", TradeName: v.name, Address: v.address(), Zone: zone})
	require.NoError(t, r.Vault.Put(r.ctx, "cluster:kept", r.secret("a key by hand", "by-hand")))
	require.NoError(t, r.Ledger.AddLocation(r.ctx, ledger.Location{ID: "kept", TradeName: v.name, Zone: zone, Serial: v.serial, Secret: "cluster:kept"}, lea))
	third := r.again(v, report)
	r.till.SetContact(v.serial, &clustersim.Contact{Name: "Odile", Email: text(v.email)})
	r.whole(third)
	require.Empty(t, r.active(v))
	require.Equal(t, "wisk:kept", r.connection(third).ID)
}

// A 7shifts and a WISK onboarding of one till, one in the middle of the other, at
// every moment: neither revokes the other's key, and both go live.
func TestTwoOnboardingsOfATillLeaveEachOthersKeysAlone(t *testing.T) {
	r := newRig(t)
	r.once = true
	room, s := r.stormy()
	for _, order := range [][2]way{{token, pull}, {pull, token}, {upload, token}} {
		for moment, struck := 1, true; struck; moment += stride {
			first := r.start(order[0])
			second := r.again(first.venue, order[1])
			r.upTo("till", first)
			r.upTo("till", second)
			meanwhile := func() {
				state, err := r.OpenTill(r.ctx, second.id)
				require.NoError(t, err)
				require.Equal(t, work.TillReady, state.State)
			}
			_, struck = r.troubled(room, s, plan{moment: moment}, tillStep, first, meanwhile)
			meanwhile()
			want := bothHolders
			if first.way != pull && second.way != pull {
				want = onlyOurs
			}
			require.Equal(t, want, r.active(first.venue), "%v, moment %d", order, moment)
			require.NoError(t, r.reads("key:"+r.key(first.venue, ledger.OurHolder).Base, first.venue))
		}
	}
}

// One is undone while the other opens the way to the till, at every moment of
// either: in the end the one that goes on has its keys, and goes live.
func TestUndoingOneOnboardingLeavesTheOtherItsKeys(t *testing.T) {
	r := newRig(t)
	r.once = true
	room, s := r.stormy()
	undo := undoStep(work.UndoKeys)
	for _, outer := range []string{"undoing", "opening"} {
		for moment, struck := 1, true; struck; moment += stride {
			leaves := r.start(token)
			stays := r.again(leaves.venue, pull)
			r.upTo("live", leaves)
			r.upTo("till", stays)
			if outer == "undoing" {
				_, struck = r.troubled(room, s, plan{moment: moment}, undo, leaves, func() { _, _ = r.OpenTill(r.ctx, stays.id) })
			} else {
				_, struck = r.troubled(room, s, plan{moment: moment}, tillStep, stays, func() { _, _ = undo.take(r, r.Room, leaves) })
			}
			r.does(undo, leaves)
			for _, st := range stays.steps()[5:] {
				r.does(st, stays)
			}
			require.Equal(t, bothHolders, r.active(stays.venue), "%s, moment %d", outer, moment)
			require.NoError(t, r.reads(r.connection(stays).Location.Secret, stays.venue))
		}
	}
}
