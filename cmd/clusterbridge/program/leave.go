package program

import (
	"context"
	"strings"

	"go.temporal.io/sdk/client"

	"github.com/clustersystems/clusterbridge/internal/work"
)

type offboardVerb struct {
	Connection string `arg:"" help:"Connection, such as 7shifts:chez-marcel."`
	act
}

func (offboardVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run ends a connection for good, and shows the proof.
func (v *offboardVerb) Run(ctx context.Context, d *desk) error {
	c, actor, err := d.prepare(ctx, v.Connection, v.act)
	if err != nil {
		return err
	}
	run, err := d.start(ctx, work.ActID(work.ActOffboard, c.ID, d.actNumber()), work.Offboarding, "offboard",
		work.OffboardInput{Connection: c.ID, By: actor.Handle, Reason: actor.Reason, Note: actor.Note})
	if err != nil {
		return err
	}
	remote, err := d.temporal(ctx)
	if err != nil {
		return err
	}
	var result work.OffboardResult
	if err := d.await(ctx, remote, run, &result); err != nil {
		return err
	}
	d.say("%s", result.Summary)
	for _, fact := range result.Proof {
		d.say("  %s", fact)
	}
	return nil
}

type rotateVerb struct {
	Connection string `arg:"" help:"Connection, such as 7shifts:chez-marcel."`
	What       string `arg:"" help:"What is replaced: ${enum}." enum:"till-key,partner-key,token"`
	act
}

func (rotateVerb) needs() []string { return []string{"DATABASE_URL"} }

// longestRotation is that of a rotation's number (workflows: RotateCredentials).
const longestRotation = 14

// Run begins to replace a credential. What a venue or a partner has to do first
// is waited for in Temporal.
func (v *rotateVerb) Run(ctx context.Context, d *desk) error {
	c, actor, err := d.prepare(ctx, v.Connection, v.act)
	if err != nil {
		return err
	}
	number := strings.ReplaceAll(d.actNumber(), "-", "")[2:] // yymmddhhmmss and the random part
	number = number[:longestRotation]
	in := work.RotateInput{Connection: c.ID, What: v.What, By: actor.Handle, Reason: actor.Reason, Note: actor.Note}
	if err := in.Validate(); err != nil {
		return about(err, c.ID)
	}
	id := work.ActID(work.ActRotate, c.ID, number)
	if _, err := d.start(ctx, id, work.RotateCredentials, "rotate "+v.What, in); err != nil {
		return err
	}
	d.say("The %s of %s is being replaced; the old one works until the new one does.", v.What, c.ID)
	d.say("Next: clusterbridge onboarding show %s:r%s", c.ID, number)
	d.say("In the Web UI: %s", d.runLink(id))
	return nil
}

// start starts a workflow that a person asked for, once under its id.
func (d *desk) start(ctx context.Context, id, workflowType, what string, input any) (client.WorkflowRun, error) {
	c, err := d.temporal(ctx)
	if err != nil {
		return nil, err
	}
	run, err := c.ExecuteWorkflow(ctx, asked(id, what), workflowType, input)
	if err != nil {
		return nil, d.startFailed(err)
	}
	return run, nil
}
