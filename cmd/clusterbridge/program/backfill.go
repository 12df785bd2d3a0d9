package program

import (
	"context"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/clustersystems/clusterbridge/internal/work"
)

type backfillVerb struct {
	Start    backfillStartVerb    `cmd:"" help:"Bring in days before the connection."`
	Progress backfillProgressVerb `cmd:"" help:"How far it is."`
	Watch    backfillWatchVerb    `cmd:"" help:"Follow it to its end."`
	Pause    backfillPauseVerb    `cmd:"" help:"Let it rest until it is resumed."`
	Resume   backfillResumeVerb   `cmd:"" help:"Let it go on."`
	Cancel   backfillCancelVerb   `cmd:"" help:"End it; what was brought in stays."`
}

type backfillStartVerb struct {
	Connection string `arg:"" help:"Connection, such as 7shifts:chez-marcel."`
	From       string `help:"First business day, YYYY-MM-DD (default: as the partner asks)." placeholder:"DAY"`
	To         string `help:"Last business day, YYYY-MM-DD (default: the day before the connection)." placeholder:"DAY"`
	DryRun     bool   `help:"Only read the till and tell what would be sent."`
	Again      bool   `help:"Bring in days too that are in already."`
	act
}

func (backfillStartVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run starts a backfill.
func (v *backfillStartVerb) Run(ctx context.Context, d *desk) error {
	if v.From != "" {
		if _, _, err := dayRange(v.From, v.To); err != nil {
			return err
		}
	}
	c, actor, err := d.prepare(ctx, v.Connection, v.act)
	if err != nil {
		return err
	}
	if err := d.startBackfill(ctx, work.BackfillInput{
		Connection: c.ID, From: v.From, To: v.To, DryRun: v.DryRun, Again: v.Again, By: actor.Handle, Note: actor.Note,
	}); err != nil {
		return err
	}
	what := "Backfill"
	if v.DryRun {
		what = "Dry run"
	}
	d.say("%s of %s started: %s\nNext: clusterbridge backfill watch %s", what, c.ID, d.runLink(work.BackfillID(c.ID)), c.ID)
	return nil
}

// startBackfill starts the workflow; one that runs already is left alone.
func (d *desk) startBackfill(ctx context.Context, in work.BackfillInput) error {
	c, err := d.temporal(ctx)
	if err != nil {
		return err
	}
	_, err = c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: work.BackfillID(in.Connection), TaskQueue: work.TaskQueue,
		StaticSummary:                            "history of " + in.Connection,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
	}, work.Backfill, in)
	if isA[*serviceerror.WorkflowExecutionAlreadyStarted](err) {
		return failed(err, "clusterbridge backfill progress "+in.Connection, "A backfill of %s is running already.", in.Connection)
	}
	if err != nil {
		return d.startFailed(err)
	}
	return nil
}

type backfillProgressVerb struct {
	Connection string `arg:"" help:"Connection, such as 7shifts:chez-marcel."`
	JSON       bool   `help:"As JSON."`
}

func (backfillProgressVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run tells how far the connection's last backfill is.
func (v *backfillProgressVerb) Run(ctx context.Context, d *desk) error {
	conn, err := d.connection(ctx, v.Connection)
	if err != nil {
		return err
	}
	c, err := d.temporal(ctx)
	if err != nil {
		return err
	}
	run, err := c.DescribeWorkflowExecution(ctx, work.BackfillID(conn.ID), "")
	if isA[*serviceerror.NotFound](err) {
		return failed(err, "clusterbridge backfill start "+conn.ID, "%s has no backfill that Temporal still remembers.", conn.ID)
	}
	if err != nil {
		return d.startFailed(err)
	}
	p, err := d.backfillProgress(ctx, c, conn.ID)
	if err != nil {
		return failed(err, "clusterbridge worker, if none runs", "No worker answers, so the progress is not known: %s", d.runLink(work.BackfillID(conn.ID)))
	}
	if v.JSON {
		return printJSON(d.out, p)
	}
	d.say("%s", progressWords(p, run.GetWorkflowExecutionInfo().GetStatus()))
	return nil
}

// backfillProgress asks the workflow itself.
func (d *desk) backfillProgress(ctx context.Context, c client.Client, connection string) (work.BackfillProgress, error) {
	ctx, cancel := context.WithTimeout(ctx, noWorkerAfter)
	defer cancel()
	var p work.BackfillProgress
	value, err := c.QueryWorkflow(ctx, work.BackfillID(connection), "", work.QueryProgress)
	if err != nil {
		return p, err
	}
	return p, value.Get(&p)
}

// progressWords tells a progress in one or two lines, with a bar.
func progressWords(p work.BackfillProgress, status enumspb.WorkflowExecutionStatus) string {
	did := plural(p.Counts.Sent, "document") + " sent"
	if p.DryRun {
		did = plural(p.Counts.Changed, "document") + " would be sent"
	}
	line := fmt.Sprintf("%s %d of %s, %s to %s: %s read, %s.", bar(p.Done, p.Days), p.Done, plural(p.Days, "day"),
		p.From, p.To, plural(p.Counts.Orders, "order"), did)
	switch {
	case status == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		return line + "\nIt is done."
	case status != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		return line + "\nIt has ended as " + status.String() + "; start it again, it goes on where days are missing."
	case p.Paused:
		return line + "\nIt is paused."
	case p.Waiting != "":
		return line + "\nIt waits: " + p.Waiting
	default:
		return line + "\nIt works on " + p.Next + "."
	}
}

// bar draws done of all as 20 signs.
func bar(done, all int) string {
	const width = 20 // fits beside the sentence on 80 columns
	filled := 0
	if all > 0 {
		filled = min(width, width*done/all)
	}
	signs := make([]byte, width)
	for i := range signs {
		signs[i] = '.'
		if i < filled {
			signs[i] = '#'
		}
	}
	return "[" + string(signs) + "]"
}

type backfillPauseVerb struct{ steering }

// Run pauses a backfill.
func (v *backfillPauseVerb) Run(ctx context.Context, d *desk) error {
	return v.steer(ctx, d, work.UpdatePause, "rests")
}

type backfillResumeVerb struct{ steering }

// Run resumes a backfill.
func (v *backfillResumeVerb) Run(ctx context.Context, d *desk) error {
	return v.steer(ctx, d, work.UpdateResume, "goes on")
}

type backfillCancelVerb struct{ steering }

// Run ends a backfill.
func (v *backfillCancelVerb) Run(ctx context.Context, d *desk) error {
	return v.steer(ctx, d, work.UpdateCancel, "is being ended")
}

// steering is what the verbs on a running backfill take.
type steering struct {
	Connection string `arg:"" help:"Connection, such as 7shifts:chez-marcel."`
	act
}

func (steering) needs() []string { return []string{"DATABASE_URL"} }

// steer sends an Update to the connection's backfill and waits until it took
// it.
func (v *steering) steer(ctx context.Context, d *desk, update, now string) error {
	conn, actor, err := d.prepare(ctx, v.Connection, v.act)
	if err != nil {
		return err
	}
	err = d.update(ctx, work.BackfillID(conn.ID), update, work.SteerInput{By: actor.Handle, Reason: actor.Reason, Note: actor.Note}, nil)
	if isA[*serviceerror.NotFound](err) {
		return failed(err, "clusterbridge backfill start "+conn.ID, "%s has no backfill that is running.", conn.ID)
	}
	if err == nil {
		d.say("The backfill of %s %s.", conn.ID, now)
	}
	return err
}
