package program

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// noWorkerAfter is how long an act may wait before we look whether any
	// worker is there to do it.
	noWorkerAfter = 4 * time.Second
	// actBudget is how long a verb waits for its act in all; the act itself
	// goes on in Temporal.
	actBudget = 2 * time.Minute
	// updateBudget is how long a verb waits for an Update: some ask the partner.
	updateBudget = 30 * time.Second
	// lookEvery is how often an act that waits is looked at again.
	lookEvery = 2 * time.Second
)

// perform runs an act as a workflow, waits for its result and says it.
func (d *desk) perform(ctx context.Context, kind, workflowType, connection, what string, input any) error {
	c, err := d.temporal(ctx)
	if err != nil {
		return err
	}
	id := work.ActID(kind, connection, d.actNumber())
	options := asked(id, what)
	options.WorkflowExecutionTimeout = 24 * time.Hour // an act that no worker takes for a day is stale
	run, err := c.ExecuteWorkflow(ctx, options, workflowType, input)
	if err != nil {
		return d.startFailed(err)
	}
	var result work.ActResult
	if err := d.await(ctx, c, run, &result); err != nil {
		return err
	}
	d.say("%s", result.Summary)
	return nil
}

// asked are the options of what a person asked for.
func asked(id, what string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID: id, TaskQueue: work.TaskQueue, StaticSummary: what, Priority: temporal.Priority{PriorityKey: 1}, // a person waits
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
	}
}

// update sends an Update to a workflow that waits, and waits until it has
// happened.
func (d *desk) update(ctx context.Context, workflowID, name string, input, result any) error {
	c, err := d.temporal(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, updateBudget)
	defer cancel()
	handle, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: workflowID, UpdateName: name, WaitForStage: client.WorkflowUpdateStageCompleted, Args: []any{input},
	})
	if err == nil {
		err = handle.Get(ctx, result)
	}
	switch {
	case err == nil:
		return nil
	case isA[*serviceerror.NotFound](err):
		return failed(err, "look at "+d.runLink(workflowID), "It has ended, or was never begun: nothing waits for this.")
	case isA[*temporal.ApplicationError](err):
		return refused(err)
	default:
		return failed(err, "clusterbridge worker, if none runs", "No worker took it up: %s", d.runLink(workflowID))
	}
}

// actNumber makes an act's id unique and tells when it was asked for, in
// business time.
func (d *desk) actNumber() string {
	const bits = 3 // bytes: two people in the same second
	random := make([]byte, bits)
	_, _ = rand.Read(random)
	return d.clock().Now().Format("20060102-150405") + "-" + hex.EncodeToString(random)
}

// await waits for a run and reads its result. When nothing happens it says
// plainly whether a worker is missing.
func (d *desk) await(ctx context.Context, c client.Client, run client.WorkflowRun, result any) error {
	ctx, cancel := context.WithTimeout(ctx, actBudget)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- run.Get(ctx, result) }()
	look := time.NewTimer(noWorkerAfter)
	defer look.Stop()
	for {
		select {
		case err := <-done:
			return d.runFailed(ctx, run, err)
		case <-look.C:
			if !workersListen(ctx, c) {
				return d.noWorker(run.GetID())
			}
			look.Reset(lookEvery)
		}
	}
}

// noWorker says that nobody does what was asked for, yet.
func (d *desk) noWorker(workflowID string) error {
	return failed(nil, "clusterbridge worker", "No worker is running, so nothing was done yet. It waits in Temporal and is done when a worker starts: %s", d.runLink(workflowID))
}

// runFailed turns the end of a run into the sentence that the run carries.
func (d *desk) runFailed(ctx context.Context, run client.WorkflowRun, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return failed(err, "look at "+d.runLink(run.GetID()), "The act is not done yet; it goes on in Temporal.")
	}
	if isA[*temporal.ApplicationError](err) {
		return refused(err)
	}
	return failed(err, "look at "+d.runLink(run.GetID()), "The act did not end well.")
}

// refused gives the sentence that a workflow's failure carries; it was scrubbed
// where it arose, and names what to type next.
func refused(err error) error {
	e, _ := errors.AsType[*temporal.ApplicationError](err)
	said, next, _ := strings.Cut(e.Message(), " Next: ")
	return failed(err, next, "%s", said)
}

// startFailed says why a workflow could not be started.
func (d *desk) startFailed(err error) error {
	switch {
	case isA[*serviceerror.NamespaceNotFound](err):
		return failed(err, "clusterbridge migrate", "Temporal has no namespace %s.", d.settings.TemporalNamespace)
	case isA[*serviceerror.InvalidArgument](err):
		return failed(err, "clusterbridge migrate", "Temporal does not know clusterbridge's search attributes yet.")
	default:
		return failed(err, "check that Temporal runs at "+d.settings.TemporalAddress, "Temporal did not start the act.")
	}
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// workersListen tells whether any worker asked for work lately.
func workersListen(ctx context.Context, c client.Client) bool {
	queue, err := c.DescribeTaskQueue(ctx, work.TaskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil {
		return true // not known; waiting goes on
	}
	// Temporal remembers pollers for minutes; one that is alive asked within
	// the last minute, the length of a poll.
	const fresh = 70 * time.Second
	for _, p := range queue.GetPollers() {
		if time.Since(p.GetLastAccessTime().AsTime()) < fresh { //nolint:forbidigo // Temporal states real instants
			return true
		}
	}
	return false
}

// change runs ChangeConnection; who acts and why is filled in here.
func (d *desk) change(ctx context.Context, in work.ChangeInput, what string, a act) error {
	c, actor, err := d.prepare(ctx, in.Connection, a)
	if err != nil {
		return err
	}
	in.Connection, in.By, in.Reason, in.Note = c.ID, actor.Handle, actor.Reason, actor.Note
	return d.perform(ctx, work.ActChange, work.ChangeConnection, c.ID, what, in)
}

// prepare finds the connection that an act is on, and who acts.
func (d *desk) prepare(ctx context.Context, connection string, a act) (ledger.Connection, ledger.Actor, error) {
	actor, err := d.actor(a)
	if err != nil {
		return ledger.Connection{}, actor, err
	}
	c, err := d.connection(ctx, connection)
	return c, actor, err
}

type pauseVerb struct {
	Connection string `arg:"" help:"Connection, such as 7shifts:chez-marcel."`
	act
}

func (pauseVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run pauses a connection.
func (v *pauseVerb) Run(ctx context.Context, d *desk) error {
	return d.change(ctx, work.ChangeInput{Connection: v.Connection, Change: work.ChangePause}, "pause", v.act)
}

type resumeVerb struct {
	Connection string `arg:"" help:"Connection, such as 7shifts:chez-marcel."`
	act
}

func (resumeVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run resumes a connection.
func (v *resumeVerb) Run(ctx context.Context, d *desk) error {
	return d.change(ctx, work.ChangeInput{Connection: v.Connection, Change: work.ChangeResume}, "resume", v.act)
}

type resendVerb struct {
	Connection string `arg:"" help:"Connection, such as 7shifts:chez-marcel."`
	From       string `help:"First business day, YYYY-MM-DD." required:"" placeholder:"DAY"`
	To         string `help:"Last business day, YYYY-MM-DD (default: the first)." placeholder:"DAY"`
	act
}

func (resendVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run sends business days again.
func (v *resendVerb) Run(ctx context.Context, d *desk) error {
	from, to, err := dayRange(v.From, v.To)
	if err != nil {
		return err
	}
	c, actor, err := d.prepare(ctx, v.Connection, v.act)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("resend %s to %s", from, to)
	return d.perform(ctx, work.ActResend, work.Resend, c.ID, what, work.ResendInput{
		Connection: c.ID, From: from.String(), To: to.String(), By: actor.Handle, Reason: actor.Reason, Note: actor.Note,
	})
}
