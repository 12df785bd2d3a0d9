package onboarding_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// leaving is the input of the steps by which a connection leaves.
func (r *rig) leaving(j joining) work.OffboardStep {
	return work.OffboardStep{Connection: r.connection(j).ID, By: "lea", Reason: "venue_asked", Note: "as agreed"}
}

var leavingSteps = []step{
	{name: "begin", take: func(r *rig, room *onboarding.Room, j joining) (any, error) {
		return room.BeginOffboarding(r.ctx, r.leaving(j))
	}},
	{name: "tell", take: func(r *rig, room *onboarding.Room, j joining) (any, error) {
		return room.SendOffboarded(r.ctx, r.leaving(j))
	}},
	{name: "forget", take: func(r *rig, room *onboarding.Room, j joining) (any, error) { return room.Forget(r.ctx, r.leaving(j)) }},
	{name: "prove", take: func(r *rig, room *onboarding.Room, j joining) (any, error) { return room.Prove(r.ctx, r.leaving(j)) }},
}

// leaves takes all steps by which a connection leaves, each twice, and gives the
// proof.
func (r *rig) leaves(j joining) []string {
	r.t.Helper()
	var last any
	for _, st := range leavingSteps {
		first, err := st.take(r, r.Room, j)
		require.NoError(r.t, err, st.name)
		again, err := st.take(r, r.Room, j)
		require.NoError(r.t, err, st.name)
		r.canaries.said(first, again)
		last = again
	}
	return last.([]string)
}

func TestAConnectionLeaves(t *testing.T) {
	r := newRig(t)
	for _, w := range ways {
		j := r.start(w)
		r.whole(j)
		sent := len(r.mails(j.email))
		proof := r.leaves(j)
		require.Equal(t, []string{
			"The connection is disconnected.", "No credential of it is kept, and no key of its own opens the till.", "No contact of the venue is kept.",
		}, proof, w)
		require.Len(t, r.mails(j.email), sent+1, "it is told once")
		r.nothingIsLeft(j, w.String())
		require.Empty(t, r.read(j.id).ContactKey)
		var kept []string
		require.NoError(t, r.Ledger.DB().Select(&kept, `SELECT key FROM mails WHERE recipient IS NOT NULL OR content IS NOT NULL`))
		require.Empty(t, kept)
		history, err := r.Ledger.History(r.ctx, r.connection(j).ID, noon.Add(-days(1)), noon.Add(days(1)))
		require.NoError(t, err)
		require.Equal(t, "disconnected", history[len(history)-2].New, "and our key's")
	}
	require.Empty(t, r.secrets())
}

func TestNothingIsForgottenOfWhatIsConnected(t *testing.T) {
	r := newRig(t)
	j := r.start(pull)
	r.whole(j)
	_, err := r.Forget(r.ctx, r.leaving(j))
	r.refused(work.ConnectionNotLive, err)
	_, err = r.Prove(r.ctx, r.leaving(j))
	r.refused(work.StillThere, err)
	none := r.leaving(j)
	none.Connection = "wisk:nowhere"
	for _, call := range []func() error{
		func() error { _, err := r.Forget(r.ctx, none); return err },
		func() error { _, err := r.Prove(r.ctx, none); return err },
		func() error { _, err := r.BeginOffboarding(r.ctx, none); return err },
	} {
		r.refused(work.UnknownConnection, call())
	}
	nobody, err := r.SendOffboarded(r.ctx, none)
	require.NoError(t, err)
	require.Zero(t, nobody.Readers)
	_, err = r.Ledger.SetState(r.ctx, r.connection(j).ID, work.Paused, lea)
	require.NoError(t, err)
	require.NotEmpty(t, r.leaves(j), "also what a person had paused")
}

// Each thing that may be left behind is found.
func TestTheProofFindsWhatIsLeft(t *testing.T) {
	r := newRig(t)
	r.once = true
	for what, plant := range map[string]func(j joining){
		"the connection": func(j joining) { r.exec(`UPDATE connections SET state = 'healthy' WHERE id = $1`, r.connection(j).ID) },
		"its credential": func(j joining) {
			r.exec(`UPDATE connections SET secret = 'planted' WHERE id = $1`, r.connection(j).ID)
			r.keeps("planted")
		},
		"a token":         func(j joining) { r.keeps("token:" + j.id) },
		"a pasted token":  func(j joining) { r.keeps("pasted:" + j.id) },
		"an identifier":   func(j joining) { r.keeps("identifier:" + j.id) },
		"a key of WISK's": func(j joining) { r.keeps("key:" + r.baseOf(j, work.Wisk)) },
		"our key":         func(j joining) { r.keeps("key:" + r.baseOf(j, ledger.OurHolder)) },
		"a key's act": func(j joining) {
			r.exec(`UPDATE till_keys SET withdrawn = false, gone = false WHERE base = $1`, r.baseOf(j, work.Wisk))
		},
		"half a withdrawal": func(j joining) {
			r.exec(`UPDATE till_keys SET gone = false WHERE base = $1`, r.baseOf(j, ledger.OurHolder))
		},
		"a key at Cluster": func(j joining) {
			_, err := r.Office.IssueKey(r.ctx, j.serial, work.Wisk, "clusterbridge:planted:"+j.serial)
			require.NoError(t, err)
		},
		"our key at Cluster": func(j joining) {
			_, err := r.Office.IssueKey(r.ctx, j.serial, ledger.OurHolder, "clusterbridge:planted-ours:"+j.serial)
			require.NoError(t, err)
		},
		"the location's key": func(j joining) { r.exec(`UPDATE locations SET cluster_secret = 'planted' WHERE serial = $1`, j.serial) },
		"a contact":          func(j joining) { r.exec(`UPDATE cases SET contact_key = 'planted' WHERE id = $1`, j.id) },
		"an address": func(j joining) {
			r.exec(`UPDATE mails SET recipient = '\x00' WHERE key = 'onboarding:' || $1 || '/live'`, j.id)
		},
		"an address of the question": func(j joining) {
			r.exec(`UPDATE mails SET recipient = '\x00' WHERE key = 'onboarding:' || $1 || '/confirm/c1'`, j.request())
		},
		"an address of the last mail": func(j joining) {
			r.exec(`UPDATE mails SET recipient = '\x00' WHERE starts_with(key, 'offboard:' || $1)`, r.connection(j).ID)
		},
	} {
		j := r.start(pull)
		r.whole(j)
		r.leaves(j)
		plant(j)
		_, err := r.Prove(r.ctx, r.leaving(j))
		require.Error(t, err, what)
		require.Equal(t, work.StillThere, r.code(err), what)
	}
	others := r.start(pull)
	r.whole(others)
	r.leaves(others)
	_, err := r.Office.IssueKey(r.ctx, others.serial, work.Wisk, "staff-7")
	require.NoError(t, err)
	_, err = r.Prove(r.ctx, r.leaving(others))
	require.NoError(t, err, "a key that Cluster's staff issued is not ours")
}

func (r *rig) exec(statement string, args ...any) {
	r.t.Helper()
	done := r.Ledger.DB().MustExec(statement, args...)
	n, err := done.RowsAffected()
	require.NoError(r.t, err)
	require.Positive(r.t, n, "nothing was planted")
}

func (r *rig) keeps(secret string) {
	r.t.Helper()
	require.NoError(r.t, r.Vault.Put(r.ctx, secret, r.secret("a plant", "planted-canary")))
}

// baseOf is that of a holder's last act of issuing.
func (r *rig) baseOf(j joining, holder string) string {
	r.t.Helper()
	all, err := r.Ledger.TillKeys(r.ctx, j.serial, holder)
	require.NoError(r.t, err)
	return all[len(all)-1].Base
}

// Our key stays while another connection reads the till, and goes with the last.
func TestOurKeyLeavesWithTheLastConnection(t *testing.T) {
	r := newRig(t)
	seven := r.start(token)
	r.whole(seven)
	bar := r.again(seven.venue, pull)
	r.whole(bar)
	require.Equal(t, []string{
		"The connection is disconnected.", "Our key to the till stays: another connection or onboarding needs it.",
		"No credential of it is kept, and no key of its own opens the till.", "No contact of the venue is kept.",
	}, r.leaves(bar))
	require.Equal(t, onlyOurs, r.active(seven.venue))
	require.NoError(t, r.reads(r.connection(seven).Location.Secret, seven.venue))
	require.NotEmpty(t, r.read(seven.id).ContactKey)
	r.leaves(seven)
	r.nothingIsLeft(seven, "the last")

	// An onboarding that has begun anew needs its keys as well, and its contact.
	left := r.start(pull)
	r.whole(left)
	_, err := r.BeginOffboarding(r.ctx, r.leaving(left))
	require.NoError(t, err)
	anew := r.again(left.venue, pull)
	r.upTo("entry", anew)
	proof := r.leaves(left)
	require.Equal(t, "The partner's key to the till stays: another connection or onboarding needs it.", proof[1])
	require.Equal(t, bothHolders, r.active(left.venue))
	require.NotEmpty(t, r.read(anew.id).ContactKey)
	require.Empty(t, r.read(left.id).ContactKey)
	for _, st := range anew.steps()[8:] {
		r.does(st, anew)
	}
	require.Equal(t, work.Initializing, r.connection(anew).State)
}

// What Cluster issued for hardware that was replaced leaves as well.
func TestTheKeysOfFormerTillsLeave(t *testing.T) {
	r := newRig(t)
	j := r.start(pull)
	r.whole(j)
	r.till.Replace(j.serial, "CL-new")
	require.NoError(t, r.Ledger.ReplaceSerial(r.ctx, r.connection(j).LocationID, "CL-new", lea))
	require.Equal(t, bothHolders, r.active(j.venue))
	r.leaves(j)
	require.Empty(t, r.active(j.venue))
	require.Empty(t, r.secrets())
}

// A key that a person had put in is forgotten; that Cluster has to revoke it, the
// story says.
func TestAKeyByHandLeaves(t *testing.T) {
	r := newRig(t, func(r *rig, _ *clustersim.OfficeSwitches) { r.settings.ByHand = true })
	j := r.start(pull)
	r.upTo("till", j)
	for _, holder := range bothHolders {
		_, err := r.Office.Activate(r.ctx, j.serial, holder, "staff-"+holder)
		require.NoError(t, err)
		r.handKey(j, holder, "1")
	}
	for _, st := range j.steps()[5:] {
		r.does(st, j)
	}
	r.ends(j, work.WentLive)
	proof := r.leaves(j)
	require.Equal(t, "No credential of it is kept. Keys are Cluster's to revoke: see the story.", proof[1])
	require.Empty(t, r.secrets())
	history, err := r.Ledger.History(r.ctx, r.connection(j).ID, noon.Add(-days(1)), noon.Add(days(1)))
	require.NoError(t, err)
	revoke := 0
	for _, e := range history {
		if strings.HasPrefix(e.Act, "key to be revoked") {
			revoke++
		}
	}
	require.Equal(t, 2, revoke)

	v := r.venue()
	require.NoError(t, r.Vault.Put(r.ctx, "cluster:kept", r.secret("a key by hand", "kept-key-canary")))
	require.NoError(t, r.Ledger.AddLocation(r.ctx, ledger.Location{ID: "kept", TradeName: v.name, Zone: zone, Serial: v.serial, Secret: "cluster:kept"}, lea))
	_, err = r.Ledger.Connect(r.ctx, ledger.NewConnection{Partner: work.SevenShifts, LocationID: "kept"}, lea)
	require.NoError(t, err)
	leave := work.OffboardStep{Connection: "7shifts:kept", By: "lea", Reason: "venue_asked", Note: "as agreed"}
	_, err = r.BeginOffboarding(r.ctx, leave)
	require.NoError(t, err)
	_, err = r.Prove(r.ctx, leave)
	r.refused(work.StillThere, err)
	_, err = r.Forget(r.ctx, leave)
	require.NoError(t, err)
	_, err = r.Prove(r.ctx, leave)
	require.NoError(t, err)
	require.Empty(t, r.secrets())
}

// A contact of several venues, and the mails to it for all of them, are forgotten
// with the last that knows it.
func TestAContactOfManyIsForgottenWithTheLast(t *testing.T) {
	r := newRig(t)
	cases, email := r.chain(report, "many", 4)
	r.ask("c1", 0, cases...)
	r.clock.Forward(days(3))
	r.ask("c1", 1, cases...)
	known := func() (keys []string) {
		require.NoError(t, r.Ledger.DB().Select(&keys, `SELECT key FROM mails WHERE recipient IS NOT NULL AND key LIKE '%/confirm/%' ORDER BY key`))
		return keys
	}
	both := []string{"onboarding:wisk:many/confirm/c1", "onboarding:wisk:many/confirm/c1/reminder/1"}
	for _, j := range cases[:2] {
		for _, st := range j.steps()[2:] {
			r.does(st, j)
		}
		r.ends(j, work.WentLive)
	}
	require.NoError(t, r.decides(cases[2], work.Decline))
	r.ends(cases[2], work.Declined)
	require.Equal(t, both, known())
	r.leaves(cases[0])
	require.Equal(t, both, known(), "others know it")
	r.leaves(cases[1])
	require.Equal(t, both, known(), "one has not answered yet")
	require.Len(t, r.mails(email), 2+2*2)
	r.ends(cases[3], work.Expired)
	require.Empty(t, known())
}

// The offboarding may be cut short at any moment.
func TestLeavingGoesOnWhateverCrashes(t *testing.T) {
	r := newRig(t)
	r.once = true
	room, s := r.stormy()
	for n, w := range []way{pull, token} {
		for moment, more := 1, true; more; moment += stride {
			more = false
			j := r.start(w)
			r.whole(j)
			for _, st := range leavingSteps {
				_, struck := r.troubled(room, s, plan{moment: moment, after: true, dies: n == 0 || moment%2 == 0}, st, j, nil)
				more = more || struck
			}
			r.nothingIsLeft(j, fmt.Sprintf("%s, moment %d", w, moment))
		}
	}
	require.Empty(t, r.secrets())
}
