package workflows

import (
	"errors"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// casework is what a workflow has that waits for people: where it stands, what
// troubles it, and who steers it. Where it stands is shown on the run's page,
// answered by query, and mirrored to the ledger.
type casework struct {
	patience
	caseID     string
	name       string // the venue's trade name
	connection string // empty until it is known
	plan       work.OnboardingPlan

	at      standing
	since   time.Time
	trouble trouble
	mends   map[work.Code]way // what a person does about a trouble
	kept    bool              // the ledger has the case
	noted   work.StageNote    // what the ledger was told last
	untold  string            // why it could not be told
	waiting string            // the search attribute as it was set last

	desk      workflow.Mutex      // people's acts are done one at a time
	stop      workflow.CancelFunc // interrupts whatever it waits for
	cancelled *work.SteerInput
	bound     string // why it can no longer be cancelled

	outcome work.Outcome
	summary string
	endedBy work.SteerInput // whose act ended it; nobody's is empty
}

// standing is what people are told of where a case stands.
type standing struct {
	stage work.Stage
	who   string // has to act; empty while the program works
	what  string // is waited for, or worked on
	next  string // happens then
	ways  []way  // in which people bring it on
	// again says that a Retry does something: what is waited for is looked at.
	again bool
	// problem is why the last try was not good, where that is no trouble of ours.
	problem    string
	code       work.Code
	candidates []work.Candidate
}

// way is a verb of the program, and the Update that it sends; without a verb,
// what else sends it.
type way struct {
	verb, update string
	other        string
}

// trouble is an activity that failed for good, and when it is tried again.
type trouble struct {
	code     work.Code
	sentence string
	again    time.Time
}

// pagesWithin bounds what a person's act waits for the ledger, so that the page
// that comes next is up to date.
const pagesWithin = 5 * time.Second

// withCase sets how activities of a case run; one case's load must not hold up
// another's.
func withCase(ctx workflow.Context, caseID string, priority int, summary string) workflow.Context {
	ctx = withActivities(ctx, "", priority, actTimeout, stepAttempts, summary)
	options := workflow.GetActivityOptions(ctx)
	options.Priority.FairnessKey = caseID
	return workflow.WithActivityOptions(ctx, options)
}

// plans takes over what the settings say.
func (c *casework) plans(plan work.OnboardingPlan) {
	c.plan, c.first, c.most = plan, plan.TroubleFirst, plan.TroubleMost
}

// open begins the work: it gives the context that a cancellation interrupts,
// and starts what goes on beside it.
func (c *casework) open(ctx workflow.Context) workflow.Context {
	working, stop := workflow.WithCancel(ctx)
	c.stop = stop
	button := ctx.Done()
	workflow.Go(lasting(ctx), func(ctx workflow.Context) {
		button.Receive(ctx, nil)
		c.cancelBy(byTemporalUI())
	})
	workflow.Go(lasting(ctx), c.mirror)
	return working
}

// cancelBy interrupts the work, unless it has ended or somebody did already.
// Where its end is settled, only the tries of the last mail are cut short.
func (c *casework) cancelBy(who work.SteerInput) {
	if c.cancelled == nil && c.bound == "" && c.at.stage != work.StageEnded {
		c.cancelled = &who
		c.stop()
	}
}

// settle says how the case ends; by is whose act it was.
func (c *casework) settle(outcome work.Outcome, by work.SteerInput, summary string) {
	c.outcome, c.endedBy, c.summary = outcome, by, summary
}

// stand shows where the case stands from now on. A trouble is over with it.
func (c *casework) stand(ctx workflow.Context, s standing) {
	if s.stage != c.at.stage || s.who != c.at.who || s.what != c.at.what {
		c.since = workflow.Now(ctx)
	}
	c.at, c.trouble = s, trouble{}
	c.show(ctx)
}

// wait shows where the case stands, and waits until done.
func (c *casework) wait(ctx workflow.Context, s standing, done func() bool) error {
	c.stand(ctx, s)
	return workflow.Await(ctx, done)
}

// waitFor is wait with an end: it tells whether it was done in time.
func (c *casework) waitFor(ctx workflow.Context, s standing, limit time.Duration, timer string, done func() bool) (bool, error) {
	c.stand(ctx, s)
	err := rest(ctx, limit, timer, done)
	return done(), err
}

// quiet waits until no act of a person is under way, so that what it did is
// known.
func (c *casework) quiet(ctx workflow.Context) error {
	if err := c.desk.Lock(ctx); err != nil {
		return err
	}
	c.desk.Unlock()
	return nil
}

// do runs an activity until it succeeds, or has become moot.
func (c *casework) do(ctx workflow.Context, activity string, in, out any, moot func() bool) error {
	acting := withCase(ctx, c.caseID, livePriority, "")
	return c.keepOn(ctx, func() error { return workflow.ExecuteActivity(acting, activity, in).Get(ctx, out) }, moot)
}

// keepOn tries until it succeeds, and shows what troubles it.
func (c *casework) keepOn(ctx workflow.Context, try func() error, moot func() bool) error {
	return c.persist(ctx, try, moot, func(err error, again time.Duration) {
		before := c.trouble
		c.trouble = trouble{}
		if err != nil {
			code, sentence := explain(c.connection, err)
			c.trouble = trouble{code, sentence, workflow.Now(ctx).Add(again)}
		}
		if c.trouble != before {
			c.show(ctx)
		}
	})
}

// mail sends a mail of the case, until it is moot.
func (c *casework) mail(ctx workflow.Context, kind string, moot func() bool) error {
	return c.do(ctx, actSendCaseMail, work.CaseMail{Case: c.caseID, Kind: kind}, &work.MailResult{}, moot)
}

// mirror keeps the ledger in step with where the case stands: for pages, verbs
// and metrics. A ledger that does not answer holds nobody up.
func (c *casework) mirror(ctx workflow.Context) {
	for {
		if err := workflow.Await(ctx, func() bool { return !c.mirrored() }); err != nil {
			return
		}
		noting := withCase(ctx, c.caseID, livePriority, "")
		err := c.persist(ctx, func() error {
			note := c.note() // the newest, should it have changed meanwhile
			err := workflow.ExecuteActivity(noting, actNoteStage, note).Get(ctx, nil)
			if err == nil {
				c.noted = note
			}
			return err
		}, never, func(err error, _ time.Duration) {
			c.untold = ""
			if err != nil {
				_, c.untold = explain(c.connection, err)
			}
			c.show(ctx)
		})
		if err != nil {
			return
		}
	}
}

// mirrored tells whether the ledger knows where the case stands.
func (c *casework) mirrored() bool { return !c.kept || c.note() == c.noted }

// note is what the ledger is told.
func (c *casework) note() work.StageNote {
	note := work.StageNote{
		Case: c.caseID, Stage: c.at.stage, WaitingFor: c.who(), What: c.at.what, Code: c.at.code, Outcome: c.outcome,
		By: c.endedBy.By, Reason: c.endedBy.Reason, Note: c.endedBy.Note,
	}
	if c.trouble.code != "" {
		note.Code = c.trouble.code
	}
	if c.at.stage != work.StageEnded { // how it ends is noted when it does
		note.Outcome, note.By, note.Reason, note.Note = "", "", "", ""
	}
	return note
}

// who has to act: on the trouble, where there is one.
func (c *casework) who() string {
	if c.trouble.code != "" {
		return work.WaitingFor(c.trouble.code)
	}
	return c.at.who
}

func (c *casework) status() (work.OnboardingStatus, error) {
	return work.OnboardingStatus{
		Case: c.caseID, TradeName: c.name, Connection: c.connection, Stage: c.at.stage, WaitingFor: c.who(), Since: c.since,
		What: c.at.what, Next: c.at.next, Problem: c.problem(), Candidates: slices.Clone(c.at.candidates), Outcome: c.outcome,
	}, nil
}

func (c *casework) problem() string {
	if c.trouble.sentence != "" {
		return c.trouble.sentence
	}
	return c.at.problem
}

// attribute sets the search attribute WaitingFor where it has changed.
func (c *casework) attribute(ctx workflow.Context) {
	if c.who() == c.waiting {
		return
	}
	c.waiting = c.who()
	key := temporal.NewSearchAttributeKeyKeyword(work.AttrWaitingFor)
	update := key.ValueUnset()
	if c.waiting != "" {
		update = key.ValueSet(c.waiting)
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, update); err != nil {
		workflow.GetLogger(ctx).Warn("search attributes were not set", "case", c.caseID)
	}
}

// close ends the work: the ledger knows, and nobody who sent an Update is left
// without an answer.
func (c *casework) close(ctx workflow.Context) error {
	c.stand(ctx, standing{stage: work.StageEnded, what: c.summary})
	return errors.Join(
		workflow.Await(ctx, c.mirrored),
		workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }),
	)
}
