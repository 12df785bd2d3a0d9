package mail_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/mail"
	mailboxsim "github.com/clustersystems/clusterbridge/internal/simulator/mailbox"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// death is a process's end, as its callers see it: not at all.
type death struct{}

// errCut is a database's answer that did not come.
var errCut = errors.New("the connection was cut")

// plan says at which statement to the database, counted from 1, and how it
// goes wrong: before or after its effect, by death or by a lost answer.
type plan struct {
	statement int
	after     bool
	dies      bool
}

// faulty is a way to the database on which a plan comes true.
type faulty struct {
	driver.Connector
	plan plan

	mu    sync.Mutex
	count int
	raw   []driver.Conn
}

func (f *faulty) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := f.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.raw = append(f.raw, c)
	return &faultyConn{c, f}, nil
}

// close gives back what a process that has died left open.
func (f *faulty) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.raw {
		_ = c.Close()
	}
}

// around runs a statement, with what the plan has in store for it.
func (f *faulty) around(statement func() error) error {
	f.mu.Lock()
	f.count++
	now := f.count == f.plan.statement
	f.mu.Unlock()
	if now && !f.plan.after {
		return f.plan.strike()
	}
	if err := statement(); err != nil {
		return err
	}
	if now {
		return f.plan.strike()
	}
	return nil
}

func (p plan) strike() error {
	if p.dies {
		panic(death{})
	}
	return errCut
}

type faultyConn struct {
	driver.Conn
	way *faulty
}

func (c *faultyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (result driver.Result, err error) {
	err = c.way.around(func() (err error) {
		result, err = c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
		return err
	})
	return result, err
}

func (c *faultyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (rows driver.Rows, err error) {
	err = c.way.around(func() (err error) {
		rows, err = c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
		return err
	})
	if err != nil && rows != nil {
		return nil, errors.Join(err, rows.Close())
	}
	return rows, err
}

// dyingSender dies before it sends, or after the server has taken the mail.
type dyingSender struct {
	mail.Sender
	before, after bool
}

func (s dyingSender) Send(ctx context.Context, l mail.Letter) error {
	if s.before {
		panic(death{})
	}
	err := s.Sender.Send(ctx, l)
	if s.after {
		panic(death{})
	}
	return err
}

// attempt sends once in a process of its own that may die.
func (r *room) attempt(k string, p plan, dying dyingSender, c mail.Composed) (died bool, err error) {
	cfg, err := pq.NewConfig(r.url)
	require.NoError(r.t, err)
	cfg.BinaryParameters = true
	connector, err := pq.NewConnectorConfig(cfg)
	require.NoError(r.t, err)
	way := &faulty{Connector: connector, plan: p}
	db := sqlx.NewDb(sql.OpenDB(way), "postgres")
	defer way.close()
	defer func() {
		if e := recover(); e != nil {
			if _, ok := e.(death); !ok {
				panic(e)
			}
			died = true
		}
		_ = db.Close()
	}()
	dying.Sender = newPost(r.t, r.box.settings())
	return false, r.process(dying, db).Send(context.Background(), k, to, c)
}

// The steps of one sending, and what may happen at each: the process dies, or
// an answer is lost. A second copy leaves only when it happens between the
// server's acceptance and the record.
func TestASecondCopyOnlyBetweenAcceptanceAndRecord(t *testing.T) {
	r := newRoom(t)
	for i, c := range []struct {
		name   string
		plan   plan
		dying  dyingSender
		fault  string
		copies int
	}{
		{name: "dies before the intent", plan: plan{1, false, true}, copies: 1},
		{name: "intent not written", plan: plan{1, false, false}, copies: 1},
		{name: "dies after the intent", plan: plan{1, true, true}, copies: 1},
		{name: "answer to the intent lost", plan: plan{1, true, false}, copies: 1},
		{name: "dies before it sends", dying: dyingSender{before: true}, copies: 1},
		{name: "refused for now, dies before the record", fault: mailboxsim.FaultTempfail, plan: plan{2, false, true}, copies: 1},
		{name: "refused for now, record lost", fault: mailboxsim.FaultTempfail, plan: plan{2, false, false}, copies: 1},
		{name: "connection ends before acceptance", fault: mailboxsim.FaultBusy, copies: 1},
		{name: "connection ends after acceptance", fault: mailboxsim.FaultAcceptDrop, copies: 2},
		{name: "connection ends after acceptance, and dies", fault: mailboxsim.FaultAcceptDrop, dying: dyingSender{after: true}, copies: 2},
		{name: "dies after acceptance", dying: dyingSender{after: true}, copies: 2},
		{name: "dies before the record", plan: plan{2, false, true}, copies: 2},
		{name: "record not written", plan: plan{2, false, false}, copies: 2},
		{name: "dies after the record", plan: plan{2, true, true}, copies: 1},
		{name: "answer to the record lost", plan: plan{2, true, false}, copies: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := fmt.Sprintf("%s/%d", key, i)
			if c.fault != "" {
				require.NoError(t, r.box.Inject(mailboxsim.Fault{Kind: c.fault}))
			}
			first := credentials(t)
			died, err := r.attempt(k, c.plan, c.dying, first)
			require.True(t, died || err != nil, "nothing went wrong")
			require.Equal(t, c.plan.dies || c.dying.before || c.dying.after, died)

			r.leasesEnd()
			later := credentials(t)
			later.Text += "A new version words it in another way.\n"
			died, err = r.attempt(k, plan{}, dyingSender{}, later)
			require.NoError(t, err)
			require.False(t, died)
			require.NoError(t, r.outbox().Send(t.Context(), k, to, later), "sent is sent")
			require.Equal(t, c.copies, r.box.Copies()["<"+mail.MessageID(k, "clusterpos.example")+">"])
			require.Empty(t, r.box.Violations())
			require.Empty(t, r.waiting())
		})
	}
}

// A sender that another took for dead, and that comes back, spoils nothing.
func TestALateSenderSpoilsNothing(t *testing.T) {
	r := newRoom(t)
	for _, fault := range []string{"", mailboxsim.FaultTempfail, mailboxsim.FaultAcceptDrop} {
		k := key + "/late" + fault[:min(1, len(fault))]
		late := &interrupted{Sender: newPost(t, r.box.settings()), meanwhile: func() {
			r.leasesEnd()
			require.NoError(t, r.outbox().Send(t.Context(), k, to, credentials(t)))
			if fault != "" {
				require.NoError(t, r.box.Inject(mailboxsim.Fault{Kind: fault}))
			}
		}}
		err := r.process(late, r.db).Send(t.Context(), k, to, credentials(t))
		require.Equal(t, fault == "", err == nil, "%v", err)
		require.NoError(t, r.outbox().Send(t.Context(), k, to, credentials(t)))
		want := map[string]int{"": 2, mailboxsim.FaultTempfail: 1, mailboxsim.FaultAcceptDrop: 2}[fault]
		require.Equal(t, want, r.box.Copies()["<"+mail.MessageID(k, "clusterpos.example")+">"], fault)
	}
	require.Empty(t, r.box.Violations())
	require.Empty(t, r.waiting())
}

// What a late sender records does not end the lease of the one that followed.
func TestALateFailureLetsNobodyIn(t *testing.T) {
	r := newRoom(t)
	sending, goOn, followed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	follower := &interrupted{Sender: newPost(t, r.box.settings()), meanwhile: func() { close(sending); <-goOn }}
	late := &interrupted{Sender: newPost(t, r.box.settings()), meanwhile: func() {
		r.leasesEnd()
		process, c := r.process(follower, r.db), credentials(t)
		go func() { followed <- process.Send(context.Background(), key, to, c) }()
		<-sending
		require.NoError(t, r.box.Inject(mailboxsim.Fault{Kind: mailboxsim.FaultTempfail}))
	}}
	requireCode(t, r.process(late, r.db).Send(t.Context(), key, to, credentials(t)), work.MailUnreachable, false)
	requireCode(t, r.outbox().Send(t.Context(), key, to, credentials(t)), work.LeaseHeld, false)
	close(goOn)
	require.NoError(t, <-followed)
	require.Len(t, r.box.Mails(""), 1)
}

// interrupted lets something happen before it sends.
type interrupted struct {
	mail.Sender
	meanwhile func()
}

func (s *interrupted) Send(ctx context.Context, l mail.Letter) error {
	s.meanwhile()
	return s.Sender.Send(ctx, l)
}

// Whatever goes wrong, in any order: every step's mail arrives, no copy
// differs, and there are at most as many copies too many as there were attempts
// of which nobody knew the end.
func TestInTheEndEveryMailArrives(t *testing.T) {
	r := newRoom(t)
	faults := []string{
		mailboxsim.FaultBusy, mailboxsim.FaultSender, mailboxsim.FaultRefuse, mailboxsim.FaultTempfail, mailboxsim.FaultSpam,
		mailboxsim.FaultFull, mailboxsim.FaultDrop, mailboxsim.FaultAcceptDrop, mailboxsim.FaultBye, "",
	}
	serial := 0
	rapid.Check(t, func(rt *rapid.T) {
		serial++
		k := fmt.Sprintf("%s/r%d", key, serial)
		doubtful := 0
		for range rapid.IntRange(0, 4).Draw(rt, "attempts") {
			r.box.ClearFaults()
			if kind := rapid.SampledFrom(faults).Draw(rt, "fault"); kind != "" {
				require.NoError(rt, r.box.Inject(mailboxsim.Fault{Kind: kind}))
			}
			p := plan{rapid.IntRange(0, 2).Draw(rt, "statement"), rapid.Bool().Draw(rt, "after"), rapid.Bool().Draw(rt, "dies")}
			dying := dyingSender{before: rapid.IntRange(0, 5).Draw(rt, "before") == 0, after: rapid.IntRange(0, 3).Draw(rt, "after sending") == 0}
			c := credentials(t)
			c.Text += fmt.Sprintf("Version %d.\n", rapid.IntRange(0, 9).Draw(rt, "version"))
			died, err := r.attempt(k, p, dying, c)
			e, _ := errors.AsType[*work.Error](err)
			if died || e != nil && e.Ambiguous {
				doubtful++
			}
			if rapid.Bool().Draw(rt, "lease ends") {
				r.leasesEnd()
			}
		}
		r.box.ClearFaults()
		r.leasesEnd()
		require.NoError(rt, r.outbox().Send(context.Background(), k, to, credentials(t)))
		copies := r.box.Copies()["<"+mail.MessageID(k, "clusterpos.example")+">"]
		require.GreaterOrEqual(rt, copies, 1)
		require.LessOrEqual(rt, copies, 1+doubtful)
		require.Empty(rt, r.box.Violations())
		require.Empty(rt, r.waiting())
	})
}
