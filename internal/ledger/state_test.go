package ledger_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const calledOffAfter = 3

func (h *house) succeed() work.ConnectionState {
	state, err := h.RecordSuccess(h.ctx, marcel, work.Counts{})
	require.NoError(h.t, err)
	return state
}

func (h *house) fail(code work.Code) work.ConnectionState {
	state, err := h.RecordFailure(h.ctx, marcel, code, work.Err(code, "").Error(), work.Problems[code].Kind, calledOffAfter)
	require.NoError(h.t, err)
	return state
}

// turns are the journalled turns of the connection's state.
func (h *house) turns() []string {
	story, err := h.History(h.ctx, marcel, time.Time{}, time.Time{})
	require.NoError(h.t, err)
	var turns []string
	for _, e := range story {
		if e.Act == ledger.ActState || e.Act == ledger.ActPause || e.Act == ledger.ActResume {
			turns = append(turns, e.Who+": "+e.Old+" > "+e.New)
		}
	}
	return turns
}

func TestAConnectionTurnsAndEachTurnIsJournalledOnce(t *testing.T) {
	h := open(t)
	require.Equal(t, work.Healthy, h.succeed())
	require.Equal(t, work.Healthy, h.succeed())
	require.Equal(t, work.Failing, h.fail(work.ClusterOffline))
	require.Equal(t, work.Failing, h.fail(work.PartnerUnreachable))
	c := h.reload()
	require.Equal(t, 2, c.Failures)
	require.Equal(t, work.PartnerUnreachable, c.StateCode, "why it fails now")
	require.Equal(t, work.Healthy, h.succeed())
	c = h.reload()
	require.Zero(t, c.Failures)
	require.Empty(t, c.StateCode)
	require.Empty(t, c.StateWhy)
	require.Equal(t, work.PartnerUnreachable, c.LastFailureCode, "what it was last")
	require.Equal(t, []string{
		"clusterbridge: initializing > healthy", "clusterbridge: healthy > failing", "clusterbridge: failing > healthy",
	}, h.turns())
}

func TestRefusalsCallAConnectionOff(t *testing.T) {
	h := open(t)
	require.Equal(t, work.Failing, h.fail(work.PartnerToken))
	require.Equal(t, work.Failing, h.fail(work.PartnerToken))
	h.succeed()
	require.Equal(t, work.Failing, h.fail(work.PartnerToken), "a success starts the count again")
	require.Equal(t, work.Failing, h.fail(work.PartnerUnreachable), "a time-out neither counts")
	require.Equal(t, work.Failing, h.fail(work.PartnerToken), "nor starts it again")
	require.Equal(t, work.CalledOff, h.fail(work.PartnerToken))
	require.Equal(t, work.CalledOff, h.succeed(), "a run that was still going does not undo it")
	require.Equal(t, work.CalledOff, h.fail(work.PartnerToken))
	require.Equal(t, "clusterbridge: failing > called_off", h.turns()[len(h.turns())-1])

	changed, err := h.Resume(h.ctx, marcel, lea)
	require.NoError(t, err)
	require.True(t, changed)
	require.Equal(t, work.Initializing, h.reload().State)
	require.Equal(t, work.Failing, h.fail(work.PartnerToken), "the count starts again")
}

func TestWhatAPersonPausedTheProgramNeverUndoes(t *testing.T) {
	h := open(t)
	h.succeed()
	changed, err := h.Pause(h.ctx, marcel, lea)
	require.NoError(t, err)
	require.True(t, changed)
	require.Equal(t, work.Paused, h.succeed())
	for range calledOffAfter + 1 {
		require.Equal(t, work.Paused, h.fail(work.PartnerToken))
	}
	_, err = h.SetState(h.ctx, marcel, work.Healthy, ledger.Actor{Handle: ledger.Program})
	requireCode(t, work.ConnectionNotLive, err)
	changed, err = h.Pause(h.ctx, marcel, lea)
	require.NoError(t, err)
	require.False(t, changed, "paused already")

	changed, err = h.Resume(h.ctx, marcel, lea)
	require.NoError(t, err)
	require.True(t, changed)
	require.Equal(t, work.Healthy, h.reload().State, "as it was")
	require.Zero(t, h.c.Refusals)
	changed, err = h.Resume(h.ctx, marcel, lea)
	require.NoError(t, err)
	require.False(t, changed)
	require.Equal(t, []string{"clusterbridge: initializing > healthy", "lea: healthy > paused", "lea: paused > healthy"}, h.turns())
}

func TestADisconnectedConnectionIsNotResumedButConnectedAgain(t *testing.T) {
	h := open(t)
	changed, err := h.SetState(h.ctx, marcel, work.Disconnected, lea)
	require.NoError(t, err)
	require.True(t, changed)
	_, err = h.Resume(h.ctx, marcel, lea)
	requireCode(t, work.ConnectionNotLive, err)
	_, err = h.Pause(h.ctx, marcel, lea)
	requireCode(t, work.ConnectionNotLive, err)
	h.connect(marcel)
	require.Equal(t, work.Initializing, h.c.State)
}

func TestTheFirstSaleIsRemembered(t *testing.T) {
	h := open(t)
	h.succeed()
	require.True(t, h.reload().FirstSaleAt.IsZero())
	_, err := h.RecordSuccess(h.ctx, marcel, work.Counts{Sent: 3})
	require.NoError(t, err)
	first := h.reload().FirstSaleAt
	require.WithinDuration(t, november, first, time.Minute)
	_, err = h.RecordSuccess(h.ctx, marcel, work.Counts{Sent: 3})
	require.NoError(t, err)
	require.Equal(t, first, h.reload().FirstSaleAt)
}

func TestNewHardwareIsJournalledWithOldAndNew(t *testing.T) {
	h := open(t)
	require.NoError(t, h.ReplaceSerial(h.ctx, "chez-marcel", "C3", lea))
	require.Equal(t, "C3", h.reload().Location.Serial)
	story, err := h.History(h.ctx, marcel, time.Time{}, time.Time{})
	require.NoError(t, err)
	last := story[len(story)-1]
	require.Equal(t, []string{"lea", "A1", "C3", "venue_asked"}, []string{last.Who, last.Old, last.New, last.Reason})
	requireCode(t, work.BadInput, h.ReplaceSerial(h.ctx, "nowhere", "D4", lea))
}

func TestAReceiptDateIsOneOfTwo(t *testing.T) {
	h := open(t)
	_, err := h.SetReceiptDate(h.ctx, marcel, "modified", lea)
	requireCode(t, work.BadInput, err)
	changed, err := h.SetReceiptDate(h.ctx, marcel, sale.ByOpened, lea)
	require.NoError(t, err)
	require.False(t, changed)
	require.Equal(t, h.c.SettingsVersion, h.reload().SettingsVersion)
}
