package program

import (
	"context"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"github.com/clustersystems/clusterbridge/internal/work"
)

type backfillWatchVerb struct {
	Connection string        `arg:"" help:"Connection, such as wisk:chez-marcel."`
	Every      time.Duration `help:"How often to look." default:"1s"`
}

func (backfillWatchVerb) needs() []string { return []string{"DATABASE_URL"} }

// leastEvery keeps watching from becoming a load.
const leastEvery = 100 * time.Millisecond

// Run follows a backfill to its end: a bar, the rate, and the time left. On a
// terminal the line is drawn anew, elsewhere a line is written when it changes.
func (v *backfillWatchVerb) Run(ctx context.Context, d *desk) error {
	conn, err := d.connection(ctx, v.Connection)
	if err != nil {
		return err
	}
	c, err := d.temporal(ctx)
	if err != nil {
		return err
	}
	tick := time.NewTicker(max(v.Every, leastEvery))
	defer tick.Stop()
	w := watched{begun: time.Now(), terminal: terminalOut(d.out)} //nolint:forbidigo // a person waits in real time
	for {
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
		status := run.GetWorkflowExecutionInfo().GetStatus()
		w.show(d, p)
		if status != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING && status != enumspb.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW {
			if w.terminal {
				d.say("")
			}
			d.say("%s", progressWords(p, status))
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// watched is what watching has seen so far.
type watched struct {
	begun    time.Time
	terminal bool
	first    *work.BackfillProgress
	last     string
}

func (w *watched) show(d *desk, p work.BackfillProgress) {
	if w.first == nil {
		w.first = &p
	}
	line := watchLine(p, *w.first, time.Since(w.begun)) //nolint:forbidigo // a real duration
	switch {
	case line == w.last:
	case w.terminal:
		_, _ = fmt.Fprintf(d.out, "\r\x1b[2K%s", line)
	default:
		d.say("%s", line)
	}
	w.last = line
}

// watchLine tells a progress in one line: what was done since watching began
// gives the rate and the time left.
func watchLine(p, first work.BackfillProgress, took time.Duration) string {
	line := fmt.Sprintf("%s %d of %s, %s sent", bar(p.Done, p.Days), p.Done, plural(p.Days, "day"), plural(p.Counts.Sent, "document"))
	if p.Counts.Lines > 0 {
		line += fmt.Sprintf(" in %s", plural(p.Counts.Lines, "line"))
	}
	if p.DryRun {
		line = fmt.Sprintf("%s %d of %s, %s would be sent", bar(p.Done, p.Days), p.Done, plural(p.Days, "day"), plural(p.Counts.Changed, "document"))
	}
	if sent := p.Counts.Sent - first.Counts.Sent; sent > 0 && took >= time.Second {
		line += fmt.Sprintf(", %.1f/s", float64(sent)/took.Seconds())
	}
	if days := p.Done - first.Done; days > 0 && p.Done < p.Days {
		line += ", about " + span(took/time.Duration(days)*time.Duration(p.Days-p.Done)) + " left"
	}
	if p.Waiting != "" {
		line += "; waits: " + p.Waiting
	}
	return line
}
