package program

import (
	"context"

	"github.com/clustersystems/clusterbridge/internal/work"
)

type uncertainVerb struct {
	List    uncertainListVerb    `cmd:"" help:"List the uploads that wait."`
	Resolve uncertainResolveVerb `cmd:"" help:"Say whether they were applied."`
}

type uncertainListVerb struct {
	Connection string `arg:"" help:"Connection, such as wisk:chez-marcel."`
	JSON       bool   `help:"As JSON."`
}

func (uncertainListVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run lists the uploads of unknown end. Their sums go to this terminal only, so
// that a person can look for them at the partner.
func (v *uncertainListVerb) Run(ctx context.Context, d *desk) error {
	c, err := d.connection(ctx, v.Connection)
	if err != nil {
		return err
	}
	list, err := d.store.UncertainUploads(ctx, c.ID)
	if err != nil {
		return about(err, c.ID)
	}
	if v.JSON {
		return printJSON(d.out, list)
	}
	if len(list) == 0 {
		d.say("No upload of %s waits for a person.", c.ID)
		return nil
	}
	t := newTable(d.out, "upload", "made", "lines", "sales", "first day", "last day", "total")
	for _, u := range list {
		t.AppendRow([]any{u.Number, at(u.MintedAt, zoneOf(c.Location)), u.Lines, u.Documents, u.FirstDay, u.LastDay, u.Total})
	}
	t.Render()
	d.say("\nLook in the partner's sales of these days, then say of each upload:")
	d.say("  clusterbridge uncertain resolve %s <upload> --applied", c.ID)
	d.say("  clusterbridge uncertain resolve %s <upload> --not-applied", c.ID)
	return nil
}

type uncertainResolveVerb struct {
	Connection string   `arg:"" help:"Connection, such as wisk:chez-marcel."`
	Uploads    []int64  `arg:"" help:"Uploads' numbers, as uncertain list shows them."`
	Applied    bool     `help:"The partner counts them." xor:"word" required:""`
	NotApplied bool     `help:"The partner does not." xor:"word" required:""`
	Item       []string `help:"Only the lines of this item code; may be repeated." placeholder:"CODE"`
	act
}

func (uncertainResolveVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run takes a person's word.
func (v *uncertainResolveVerb) Run(ctx context.Context, d *desk) error {
	c, actor, err := d.prepare(ctx, v.Connection, v.act)
	if err != nil {
		return err
	}
	return d.perform(ctx, work.ActResolve, work.ResolveUncertain, c.ID, "resolve uncertain uploads", work.ResolveInput{
		Connection: c.ID, Uploads: v.Uploads, Items: v.Item, Applied: v.Applied,
		By: actor.Handle, Reason: actor.Reason, Note: actor.Note,
	})
}
