package program

import (
	"context"
	"fmt"

	"github.com/clustersystems/clusterbridge/internal/work"
)

type quarantineVerb struct {
	List    quarantineListVerb    `cmd:"" help:"List the records put aside."`
	Show    quarantineShowVerb    `cmd:"" help:"Show one record, with what was received."`
	Release quarantineReleaseVerb `cmd:"" help:"Try records again."`
	Discard quarantineDiscardVerb `cmd:"" help:"Put records aside for good."`
}

type quarantineListVerb struct {
	Connection string `arg:"" help:"Connection, such as 7shifts:chez-marcel."`
	All        bool   `help:"Also those released, discarded or healed."`
	JSON       bool   `help:"As JSON."`
}

func (quarantineListVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run lists the records put aside.
func (v *quarantineListVerb) Run(ctx context.Context, d *desk) error {
	c, err := d.connection(ctx, v.Connection)
	if err != nil {
		return err
	}
	records, err := d.store.Quarantine(ctx, c.ID, v.All)
	if err != nil {
		return about(err, c.ID)
	}
	if v.JSON {
		return printJSON(d.out, records)
	}
	if len(records) == 0 {
		d.say("Nothing is in quarantine on %s.", c.ID)
		return nil
	}
	zone := zoneOf(c.Location)
	t := newTable(d.out, "no.", "what", "record", "day", "why", "times", "last seen", "status")
	for _, r := range records {
		t.AppendRow([]any{r.Number, r.Kind, r.RecordID, r.Day, r.Why, r.Times, at(r.LastAt, zone), r.Status})
	}
	t.Render()
	d.say("\nOne in full:   clusterbridge quarantine show <no.>")
	d.say("Try again:     clusterbridge quarantine release %s <no.>...", c.ID)
	return nil
}

type quarantineShowVerb struct {
	Number int64 `arg:"" help:"The record's number, as quarantine list shows it."`
}

func (quarantineShowVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run shows one record with what was received. It may hold amounts and ids of
// the venue, so it goes to this terminal only and never to a history.
func (v *quarantineShowVerb) Run(ctx context.Context, d *desk) error {
	store, err := d.ledger(ctx)
	if err != nil {
		return err
	}
	r, err := store.QuarantinedRecord(ctx, v.Number)
	if err != nil {
		return about(err, "")
	}
	d.say("Record %d: the %s %s of %s, business day %s", r.Number, r.Kind, r.RecordID, r.Connection, dayOrUnknown(r.Day.String()))
	d.say("Why:     %s (%s)", r.Why, r.Code)
	d.say("Seen:    %s, from %s to %s UTC", timesSeen(r.Times), r.FirstAt.UTC().Format("2006-01-02 15:04"), r.LastAt.UTC().Format("2006-01-02 15:04"))
	d.say("Status:  %s", r.Status)
	if r.Raw != "" {
		d.say("\nWhat was received:\n%s", indented(r.Raw))
	}
	return nil
}

type quarantineReleaseVerb struct {
	Connection string  `arg:"" help:"Connection, such as 7shifts:chez-marcel."`
	Numbers    []int64 `arg:"" optional:"" help:"Records' numbers; none means all that are open."`
	act
}

func (quarantineReleaseVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run tries records again.
func (v *quarantineReleaseVerb) Run(ctx context.Context, d *desk) error {
	return d.release(ctx, v.Connection, v.Numbers, false, v.act)
}

type quarantineDiscardVerb struct {
	Connection string  `arg:"" help:"Connection, such as 7shifts:chez-marcel."`
	Numbers    []int64 `arg:"" help:"Records' numbers."`
	act
}

func (quarantineDiscardVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run puts records aside for good. All of them at once are not offered: what is
// discarded is missing at the partner.
func (v *quarantineDiscardVerb) Run(ctx context.Context, d *desk) error {
	return d.release(ctx, v.Connection, v.Numbers, true, v.act)
}

func (d *desk) release(ctx context.Context, connection string, numbers []int64, discard bool, a act) error {
	c, actor, err := d.prepare(ctx, connection, a)
	if err != nil {
		return err
	}
	if numbers == nil {
		numbers = []int64{} // the input is strict: an empty list, not null
	}
	what := "release from quarantine"
	if discard {
		what = "discard from quarantine"
	}
	return d.perform(ctx, work.ActRelease, work.ReleaseQuarantine, c.ID, what, work.QuarantineInput{
		Connection: c.ID, Records: numbers, Discard: discard, By: actor.Handle, Reason: actor.Reason, Note: actor.Note,
	})
}

func dayOrUnknown(day string) string {
	if day == "" {
		return "unknown"
	}
	return day
}

func timesSeen(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
