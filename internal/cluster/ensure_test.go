package cluster_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/cluster"
	"github.com/clustersystems/clusterbridge/internal/cluster/wire"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	"github.com/clustersystems/clusterbridge/internal/vault"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// A key of the same partner's that is not ours, and one of an earlier act that
// nobody undid.
func (w *world) earlier(t tester) {
	ctx := context.Background()
	office := w.office(w.base)
	_, err := office.IssueKey(ctx, serial, "wisk", "cluster-staff-7")
	require.NoError(t, err)
	_, err = office.IssueKey(ctx, serial, "wisk", "clusterbridge:onboarding:wisk:r0:CL-1:1")
	require.NoError(t, err)
	w.clock.move(24 * time.Hour)
}

// opens tells how the till takes the key that is kept.
func (w *world) opens(key vault.Secret) error {
	client := cluster.New(cluster.Config{BaseURL: w.url, Clock: w.clock}, w.base)
	_, err := client.Ping(context.Background(), cluster.Credential{Serial: serial, Key: key.Reveal()})
	return err
}

// Whatever crashes at whichever step, however late requests arrive, and though
// another run works on the same: never more than one active key of ours, and in
// the end exactly the one that is kept.
func TestAtMostOneKeyIsActiveWhateverCrashes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lag := rapid.SampledFrom([]time.Duration{0, time.Hour}).Draw(t, "list lag")
		w := newWorld(t, clustersim.OfficeSwitches{ListLag: lag})
		_, err := w.office(w.base).Activate(context.Background(), serial, "wisk", "a1")
		require.NoError(t, err)
		w.earlier(t)
		for range rapid.IntRange(1, 6).Draw(t, "runs") {
			_, _ = w.stormy(t, func(r *run) { _, _ = r.ensure() }).ensure()
			w.clock.move(time.Minute)
		}
		id, err := w.calm().ensure()
		require.NoError(t, err)
		w.deliver()
		again, err := w.calm().ensure()
		require.NoError(t, err)
		require.Equal(t, id, again)

		ours, others := w.active()
		require.Len(t, ours, 1)
		require.Equal(t, []string{"cluster-staff-7"}, others)
		require.Equal(t, id, w.memory.intents[act].KeyID)
		require.NoError(t, w.opens(w.memory.keys[act]))
	})
}

// The same when the act is undone in the middle of it all.
func TestAWithdrawnKeyIsNeverActiveAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, clustersim.OfficeSwitches{ListLag: rapid.SampledFrom([]time.Duration{0, time.Hour}).Draw(t, "list lag")})
		for range rapid.IntRange(0, 3).Draw(t, "runs") {
			_, _ = w.stormy(t, func(r *run) { _, _ = r.ensure() }).ensure()
		}
		for range rapid.IntRange(0, 3).Draw(t, "withdrawals") {
			_ = w.stormy(t, func(r *run) { _, _ = r.ensure() }).withdraw()
		}
		require.NoError(t, w.calm().withdraw())
		w.deliver()
		_, err := w.stormy(t, func(r *run) { _, _ = r.ensure() }).ensure()
		require.Error(t, err)
		ours, _ := w.active()
		require.Empty(t, ours)
		require.Empty(t, w.memory.keys)
	})
}

// A rotation keeps the key that still works until the new one does, and undoing
// it leaves the old one alone.
func TestARotationKeepsTheOldKey(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, clustersim.OfficeSwitches{})
	old, err := w.calm().ensure()
	require.NoError(t, err)
	w.twice = true
	rotation := wanted
	rotation.Base, rotation.Keep = "rotate:wisk:chez-marcel:1", []string{old}
	next, err := w.office(w.base).EnsureKey(ctx, w.calm(), rotation)
	require.NoError(t, err)
	ours, _ := w.active()
	require.Equal(t, []string{"clusterbridge:" + act + ":1", "clusterbridge:rotate:wisk:chez-marcel:1:1"}, ours)
	require.NotEqual(t, old, next)
	require.NoError(t, w.office(w.base).WithdrawKey(ctx, w.calm(), rotation))
	ours, _ = w.active()
	require.Equal(t, []string{"clusterbridge:" + act + ":1"}, ours)
}

// A run of an act that was undone long ago, and comes back from wherever it was,
// leaves the key of the act that followed alone.
func TestAnUndoneActTouchesNoOther(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, clustersim.OfficeSwitches{})
	_, err := w.calm().ensure()
	require.NoError(t, err)
	require.NoError(t, w.calm().withdraw())
	next := wanted
	next.Base = "onboarding:wisk:r2:CL-1"
	_, err = w.office(w.base).EnsureKey(ctx, w.calm(), next)
	require.NoError(t, err)
	_, err = w.calm().ensure()
	require.Equal(t, work.Internal, failure(t, err).Code)
	require.NoError(t, w.calm().withdraw())
	ours, _ := w.active()
	require.Equal(t, []string{"clusterbridge:" + next.Base + ":1"}, ours)
}

// A back office that is not idempotent after all issues twice; the list finds
// the one too many.
func TestAKeyThatWasIssuedTwiceIsFoundByTheList(t *testing.T) {
	w := newWorld(t, clustersim.OfficeSwitches{RepeatIssues: true})
	w.twice = true
	w.sim.Faults().Add(clustersim.Fault{Path: wire.PathIssueKey, Commit: true, Drop: true})
	_, err := w.calm().ensure()
	require.True(t, failure(t, err).Ambiguous)
	ours, _ := w.active()
	require.Len(t, ours, 1, "issued, and lost")
	id, err := w.calm().ensure()
	require.NoError(t, err)
	for _, k := range w.sim.State().Office.Keys {
		require.Equal(t, k.KeyID == id, k.Revoked.IsZero())
	}

	// What was kept is known by its id, also while the list does not show it.
	require.NoError(t, w.sim.SwitchOffice(func(s *clustersim.OfficeSwitches) { s.ListLag = time.Hour }))
	require.NoError(t, w.calm().withdraw())
	ours, _ = w.active()
	require.Empty(t, ours)
}

// Where access has to be active first, the wait is its own error and costs no
// attempt; a till that Cluster does not know has nothing to withdraw.
func TestAKeyWaitsForAccess(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, clustersim.OfficeSwitches{ActivationMin: 47 * time.Hour, ActivationMax: 47 * time.Hour, KeysNeedAccess: true})
	_, err := w.office(w.base).Activate(ctx, serial, "wisk", "a1")
	require.NoError(t, err)
	for range 3 {
		_, err = w.calm().ensure()
		require.Equal(t, work.ClusterNotActivated, failure(t, err).Code)
	}
	require.Equal(t, 1, w.memory.intents[act].Attempt)
	require.NoError(t, w.office(w.base).WithdrawKey(ctx, w.calm(), cluster.KeyRequest{Serial: serial, Partner: "wisk", Base: "another"}))
	w.clock.move(47 * time.Hour)
	_, err = w.calm().ensure()
	require.NoError(t, err)

	stranger := cluster.KeyRequest{Serial: "CL-0", Partner: "wisk", Base: "r2"}
	_, err = w.office(w.base).EnsureKey(ctx, w.calm(), stranger)
	require.Equal(t, work.ClusterNoSerial, failure(t, err).Code)
	require.NoError(t, w.office(w.base).WithdrawKey(ctx, w.calm(), stranger))
	stranger.Base = "no plain id"
	_, err = w.office(w.base).EnsureKey(ctx, w.calm(), stranger)
	require.Equal(t, work.Internal, failure(t, err).Code)
}
