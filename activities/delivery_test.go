package activities_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/delivery"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/sale"
	sevenshiftssim "github.com/clustersystems/clusterbridge/internal/simulator/sevenshifts"
	"github.com/clustersystems/clusterbridge/internal/work"
)

var duplicateModes = []string{
	sevenshiftssim.Overwrite, sevenshiftssim.Ignore, sevenshiftssim.AsyncFail, sevenshiftssim.Conflict,
}

func (r *rig) inject(faults ...sevenshiftssim.Fault) {
	r.t.Helper()
	require.NoError(r.t, r.seven.Inject(faults...))
}

func (r *rig) put(n int) {
	for i := range n {
		r.till.Put(serial, r.order(fmt.Sprint(i), 1000+int64(i), 100))
	}
}

// exact: 7shifts holds every order once, to the cent, and nothing was created
// twice after a clean answer.
func (r *rig) exact(n int) {
	r.t.Helper()
	r.confirmed()
	held := r.held()
	require.Len(r.t, held, n)
	for i := range n {
		require.Equal(r.t, sale.Cents(1000+i), held[fmt.Sprintf("A1-%d", i)].NetTotal)
	}
	require.Zero(r.t, r.seven.Counters().SecondAfterClean)
	require.Empty(r.t, r.seven.Violations())
}

// The worker is killed between intent and outcome, before or after the request
// reached the partner: once its lease is over the document is sent again, as
// one whose fate is not known.
func TestKillBetweenIntentAndOutcome(t *testing.T) {
	for _, mode := range duplicateModes {
		t.Run(mode, func(t *testing.T) {
			r := newRig(t, options{})
			require.NoError(t, r.seven.Switch(func(s *sevenshiftssim.Switches) { s.DuplicateCreate = mode }))
			r.put(8)
			r.pullOnly()
			claims, err := r.store.Claim(r.ctx, marcel, ledger.Due{Lane: ledger.Live}, 6, time.Millisecond)
			require.NoError(t, err)
			require.Len(t, claims, 6)
			config := sevenshifts.Defaults()
			config.BaseURL = r.urls.seven
			target, err := r.connection().ForPartner()
			require.NoError(t, err)
			session := sevenshifts.New(config, r.clock).Open(target, token, r.Engine.Base)
			for _, c := range claims[:3] { // these had arrived
				_, err := session.Send(r.ctx, c.Delivery)
				require.NoError(t, err)
			}
			r.seven.ForgetAnswers(time.Minute)
			r.exact(8)
			if mode != sevenshiftssim.Conflict { // which refuses second creates instead of taking them
				require.Equal(t, 3, r.seven.Counters().SecondAfterAmbiguous)
			}
		})
	}
}

// pullOnly marks what the till holds without sending it: the partner is away.
func (r *rig) pullOnly() {
	r.t.Helper()
	c := r.connection()
	_, counts, more, err := r.Puller.Live(r.ctx, c, r.tillKey(), "pull-only", work.SyncCursor{}, r.Puller.Config.Start(nil))
	require.NoError(r.t, err)
	require.False(r.t, more)
	require.Positive(r.t, counts.Changed)
	require.NoError(r.t, r.Puller.Release(r.ctx, c, "pull-only"))
}

// The effect happened, but its answer did not arrive, in all four ways in which
// a second create may be treated.
func TestCommitWithoutAnswer(t *testing.T) {
	kinds := []string{
		sevenshiftssim.FaultCommitDrop, sevenshiftssim.FaultCommitStatus,
		sevenshiftssim.FaultCommitGarbage, sevenshiftssim.FaultCommitTruncate,
	}
	for _, mode := range duplicateModes {
		t.Run(mode, func(t *testing.T) {
			r := newRig(t, options{})
			require.NoError(t, r.seven.Switch(func(s *sevenshiftssim.Switches) { s.DuplicateCreate = mode }))
			for _, kind := range kinds {
				r.inject(sevenshiftssim.Fault{Kind: kind, Method: "POST", Path: "receipts", Times: 2, Skip: 1})
			}
			r.put(20)
			r.exact(20)
			require.Equal(t, 2*len(kinds), r.seven.Counters().Faults)
		})
	}
}

func TestCommitThenTimeout(t *testing.T) {
	r := newRig(t, options{seven: func(c *sevenshifts.Config) { c.Timeout = 200 * time.Millisecond }})
	r.inject(sevenshiftssim.Fault{Kind: sevenshiftssim.FaultCommitTimeout, Method: "POST", Times: 2})
	r.Engine.RetryFirst = time.Minute
	r.put(4)
	r.mustSync()
	require.Equal(t, 2, r.backlog().Uncertain, "what has no answer is in doubt")
	require.Equal(t, 2, r.backlog().Wanted)
}

// A write that strays and arrives after a later one: read-back finds it and
// repairs it.
func TestStrayLateWriteIsRepaired(t *testing.T) {
	const astray = 150 * time.Millisecond
	r := newRig(t, options{seven: func(c *sevenshifts.Config) { c.Settle = 100 * time.Millisecond }})
	o := r.order("0", 1000, 0)
	r.till.Put(serial, o)
	r.inject(sevenshiftssim.Fault{Kind: sevenshiftssim.FaultStray, Method: "POST", Delay: sevenshiftssim.Duration(astray)})
	_, _ = r.sync() // in doubt
	r.clock.Forward(time.Minute)
	r.till.Put(serial, r.order("0", 1234, 0)) // corrected before the stray write arrives
	repaired := 0
	require.Eventually(t, func() bool {
		counts, err := r.sync()
		require.NoError(t, err)
		repaired += counts.Repaired
		b := r.backlog()
		return b.Wanted == 0 && b.Unconfirmed == 0 && r.seven.State().Pending == 0 && r.held()["A1-0"].NetTotal == 1234
	}, 20*time.Second, 20*time.Millisecond)
	t.Logf("repaired %d", repaired)
}

// A receipt that the partner loses after it was accepted is found and created
// again; one that it never keeps ends in quarantine.
func TestReadBackFindsLostReceipts(t *testing.T) {
	r := newRig(t, options{})
	r.put(3)
	r.mustSync()
	require.True(t, r.seven.Lose(location, "A1-1", false))
	r.exact(3)

	require.True(t, r.seven.Lose(location, "A1-2", true))
	r.clock.Forward(time.Minute)
	r.till.Put(serial, r.order("2", 999, 0))
	r.until("it is put aside", func() bool { return r.backlog().Quarantined == 1 })
	aside, err := r.store.Quarantine(r.ctx, marcel, false)
	require.NoError(t, err)
	require.Equal(t, work.DocumentNeverHeld, aside[0].Code)
}

// A refusal for speed rests the credential, for every worker, and nothing is
// lost or doubled.
func TestTooManyRequests(t *testing.T) {
	r := newRig(t, options{seven: func(c *sevenshifts.Config) { c.PerSecond, c.PenaltyRest = 500, 3*time.Second }})
	r.inject(sevenshiftssim.Fault{Kind: sevenshiftssim.FaultStatus, Status: 429, Skip: 3})
	r.put(20)
	step, err := call[work.StepInput, work.StepResult](r, "SyncStep", work.StepInput{Connection: marcel, Run: "limited"})
	require.NoError(t, err, "a limit is no failure")
	require.True(t, step.More)
	require.Positive(t, step.Rest)
	require.NotEmpty(t, step.Why)
	before := r.seven.State().Receipts
	step, err = call[work.StepInput, work.StepResult](r, "SyncStep", work.StepInput{Connection: marcel, Run: "too early"})
	require.NoError(t, err)
	require.Positive(t, step.Rest, "the credential rests for other runs too")
	require.Equal(t, before, r.seven.State().Receipts)
	r.exact(20)
	require.Equal(t, 20, r.seven.Counters().Creates, "a request that was refused for speed did nothing")
}

// A refused token stops the step at once: what was not attempted is given back,
// and after several refused runs the connection is called off.
func TestRefusedToken(t *testing.T) {
	r := newRig(t, options{})
	r.put(30)
	require.NoError(t, r.seven.Switch(func(s *sevenshiftssim.Switches) { s.TokenRefused = true }))
	for i := range 3 {
		_, err := r.sync()
		require.Equal(t, work.PartnerToken, code(t, err))
		state, err := call[work.Failure, work.ConnectionState](r, "RecordFailure", work.Failure{
			Connection: marcel, Code: work.PartnerToken, Sentence: "the token is refused",
		})
		require.NoError(t, err)
		require.Equal(t, map[bool]work.ConnectionState{false: work.Failing, true: work.CalledOff}[i == 2], state)
	}
	b := r.backlog()
	require.Equal(t, 30, b.Wanted)
	require.Zero(t, b.Uncertain)
	require.NoError(t, r.seven.Switch(func(s *sevenshiftssim.Switches) { s.TokenRefused = false }))
	_, err := r.store.Resume(r.ctx, marcel, lea)
	require.NoError(t, err)
	r.exact(30)
	require.Equal(t, 30, r.seven.Counters().Creates)
}

// A document that the partner refuses is put aside, and the rest goes on.
func TestRefusedDocument(t *testing.T) {
	r := newRig(t, options{})
	r.inject(sevenshiftssim.Fault{Kind: sevenshiftssim.FaultStatus, Status: 422, Method: "POST"})
	r.put(5)
	require.Equal(t, 1, r.mustSync().Quarantined)
	require.Len(t, r.held(), 4)
	_, err := call[work.QuarantineInput, work.ActResult](r, "ReleaseQuarantine", work.QuarantineInput{
		Connection: marcel, Records: []int64{}, By: "lea", Reason: "correction", Note: "again",
	})
	require.NoError(t, err)
	r.exact(5)
}

// A sick partner fails the run, visibly, after a few documents and not after
// all of them.
func TestSickPartnerEndsTheStep(t *testing.T) {
	r := newRig(t, options{seven: func(c *sevenshifts.Config) { c.InFlight = 1 }})
	r.inject(sevenshiftssim.Fault{Kind: sevenshiftssim.FaultStatus, Status: 503, Times: 1000})
	r.put(60)
	_, err := r.sync()
	require.Equal(t, work.PartnerUnreachable, code(t, err))
	require.Equal(t, 5, r.seven.Counters().Faults)
	r.seven.ClearFaults()
	r.exact(60)
}

func TestResendSendsAgainThoughNothingDiffers(t *testing.T) {
	r := newRig(t, options{})
	r.put(3)
	r.exact(3)
	done, err := call[work.ResendInput, work.ActResult](r, "Resend", work.ResendInput{
		Connection: marcel, From: "2026-11-05", To: "2026-11-05", By: "lea", Reason: "partner_asked", Note: "they restored a backup",
	})
	require.NoError(t, err)
	require.Equal(t, 3, done.Changed)
	r.exact(3)
	require.Equal(t, 3, r.seven.Counters().Updates)
}

// What a worker that stops has claimed and not begun is given back, not left
// in doubt.
func TestStoppingWorkerGivesBackItsClaims(t *testing.T) {
	r := newRig(t, options{})
	r.put(40)
	r.pullOnly()
	stop := make(chan struct{})
	close(stop)
	c := r.connection()
	claims, err := r.store.Claim(r.ctx, marcel, ledger.Due{Lane: ledger.Live}, 5, time.Minute)
	require.NoError(t, err)
	require.Len(t, claims, 5)
	done, err := r.Engine.Deliver(r.ctx, c, ledger.Live, nil, &delivery.Budget{Documents: 100, Until: time.Now().Add(time.Minute), Stop: stop})
	require.NoError(t, err)
	require.True(t, done.More)
	require.Zero(t, done.Counts.Sent)
	require.Zero(t, r.backlog().Uncertain)
}
