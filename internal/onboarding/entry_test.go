package onboarding_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/link"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// enters records an entry at WISK.
func (r *rig) enters(j joining, route string) error {
	return r.RecordEntry(r.ctx, work.CaseAct{
		Case: j.id, Act: work.UpdateRecordEntry, Route: route, Modifiers: "include", NoClusterIntegration: route == "upload", By: "lea", Reason: "partner_asked", Note: "entered",
	})
}

// integrates lets WISK's support enter serial number and key, and WISK read.
func (r *rig) integrates(j joining) error {
	r.t.Helper()
	key, opened := r.reveals(j, link.Support)
	require.True(r.t, opened)
	_, err := r.wisk.AddIntegration(r.ctx, wisksim.Setup{Venue: j.bar.Reveal(), Pairs: []wisksim.Pair{{Serial: j.serial, Key: key.Reveal()}}})
	if err != nil {
		return err
	}
	return r.wisk.PullNow(r.ctx, j.bar.Reveal())
}

func TestWiskReadsTheTillByItself(t *testing.T) {
	r := newRig(t)
	j := r.start(pull)
	r.upTo("entry", j)
	require.NoError(t, r.integrates(j), "the simulated WISK verifies the pair by /ping-pos")
	for range 2 {
		require.NoError(t, r.enters(j, "pull"))
	}
	entry := r.read(j.id).Data.Entry
	require.Equal(t, ledger.CaseEntry{Route: "pull", Modifiers: "include", By: "lea", At: entry.At}, *entry)
	require.Equal(t, bothHolders, r.active(j.venue))
	require.NoError(t, r.wisk.PullNow(r.ctx, j.bar.Reveal()))
	story := r.story(j.id)
	require.Equal(t, "partner's side entered: pull, modifiers include", story[len(story)-1])
	require.NotEqual(t, story[len(story)-1], story[len(story)-2], "once")
}

func TestUploadsTakeWisksKeyAway(t *testing.T) {
	r := newRig(t)
	j := r.start(way{work.Wisk, ""}) // the route was not known
	for _, st := range pull.steps()[:8] {
		r.does(st, j)
	}
	require.NoError(t, r.integrates(j))
	r.refused(work.BadInput, r.enters(j, "upload"))
	require.Equal(t, bothHolders, r.active(j.venue), "a refusal takes nothing away")

	r.refused(work.PartnerToken, r.KeepIdentifier(r.ctx, j.id, r.secret("a wrong identifier", "wrong-venue-canary"), lea))
	require.False(t, r.read(j.id).Data.Identified)
	require.NoError(t, r.KeepIdentifier(r.ctx, j.id, j.bar, lea))
	require.NoError(t, r.wisk.Switch(func(s *wisksim.Switches) { s.PlansRefused = []string{wisksim.All} }))
	r.refused(work.PartnerPlan, r.KeepIdentifier(r.ctx, j.id, j.bar, lea))
	require.NoError(t, r.wisk.Switch(func(s *wisksim.Switches) { s.PlansRefused = nil }))

	for range 2 {
		require.NoError(t, r.enters(j, "upload"))
	}
	require.Equal(t, onlyOurs, r.active(j.venue))
	require.Error(t, r.wisk.PullNow(r.ctx, j.bar.Reveal()), "WISK can no longer read")
	r.refused(work.BadInput, r.enters(j, "pull"))
	require.Equal(t, "upload", r.read(j.id).Data.Entry.Route)
	require.True(t, r.revealing(j, link.Venue).Withdrawn)
}

// Another key of WISK's is in use: its sales would count twice. Nothing is taken
// away, so that the route pull is still free.
func TestARouteOfOursIsRefusedWhileWiskReads(t *testing.T) {
	for _, lag := range []time.Duration{0, time.Hour} {
		r := newRig(t, func(_ *rig, s *clustersim.OfficeSwitches) { s.ListLag = lag })
		for _, route := range []string{"upload", "report"} {
			j := r.start(pull)
			r.upTo("entry", j)
			require.NoError(t, r.KeepIdentifier(r.ctx, j.id, j.bar, lea))
			theirs, err := r.Office.IssueKey(r.ctx, j.serial, work.Wisk, "staff-"+j.serial)
			require.NoError(t, err)
			require.NoError(t, r.ping(j.serial, theirs.Key))
			r.clock.Forward(2 * time.Hour)
			r.refused(work.BadInput, r.enters(j, route))
			require.Len(t, r.active(j.venue), 3)
			require.Nil(t, r.read(j.id).Data.Entry)
			_, opened := r.reveals(j, link.Venue)
			require.True(t, opened)

			r.clock.Forward(24 * time.Hour)
			require.NoError(t, r.enters(j, route), "it was not used for a day")
			require.Len(t, r.active(j.venue), 2)
			r.does(tillStep, j)
			if route == "upload" { // looked at once more before anything travels
				require.NoError(t, r.ping(j.serial, theirs.Key))
				r.clock.Forward(2 * time.Hour)
				_, err = r.GoLive(r.ctx, j.id)
				r.refused(work.BadInput, err)
			}
		}
		// Our own key, used until a moment ago, is withdrawn and no hindrance.
		j := r.start(pull)
		r.upTo("entry", j)
		require.NoError(t, r.integrates(j))
		require.NoError(t, r.enters(j, "report"))
		require.NoError(t, r.enters(j, "report"))
	}
}

func TestAnEntryThatMakesNoSense(t *testing.T) {
	r := newRig(t)
	j := r.start(token)
	r.upTo("paste", j)
	r.refused(work.BadInput, r.enters(j, "pull"))
	r.refused(work.BadInput, r.KeepIdentifier(r.ctx, j.id, vault.NewSecret("x"), lea))
	early := r.start(pull)
	r.upTo("till", early)
	r.refused(work.BadInput, r.enters(early, "pull"))
	r.ends(early, work.Cancelled)
	r.refused(work.BadInput, r.enters(early, "report"))
	r.refused(work.BadInput, r.KeepIdentifier(r.ctx, early.id, early.bar, lea))
}

// Without a back office nobody can look whether WISK reads.
func TestRoutesWithoutABackOffice(t *testing.T) {
	r := newRig(t, func(r *rig, _ *clustersim.OfficeSwitches) { r.noOffice = true })
	v := r.venue()
	r.till.AddLocation(clustersim.Location{Serial: v.serial, Key: "key-by-hand", TradeName: v.name, Zone: zone})
	in := v.input()
	in.Serial = v.serial
	r.canaries.plant("a key by hand", "key-by-hand")
	j := joining{venue: v, way: report, id: r.asks(report, "hand", in)[0]}
	r.does(findStep, j)
	require.Equal(t, work.TillManual, r.opens(j))
	require.NoError(t, r.PutKey(r.ctx, j.id, ledger.OurHolder, vault.NewSecret("key-by-hand"), lea))
	require.Equal(t, work.TillReady, r.opens(j))
	require.NoError(t, r.enters(j, "report"))
	r.does(liveStep, j)
	require.Equal(t, work.Initializing, r.connection(j).State)
	r.undo(j)
	require.Equal(t, work.Disconnected, r.connection(j).State)
	require.Empty(t, r.secrets())
}
