package program

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clustersystems/clusterbridge/internal/items"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

type itemsVerb struct {
	List    itemsListVerb    `cmd:"" help:"List the items that a location sold, with every title."`
	Preview itemsPreviewVerb `cmd:"" help:"Count the items that each mode of modifiers would make a person map."`
}

type itemsListVerb struct {
	Connection string `arg:"" help:"Connection, such as wisk:chez-marcel."`
	JSON       bool   `help:"As JSON."`
}

func (itemsListVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run lists what a location sold.
func (v *itemsListVerb) Run(ctx context.Context, d *desk) error {
	c, err := d.connection(ctx, v.Connection)
	if err != nil {
		return err
	}
	items, err := d.store.Items(ctx, c.LocationID)
	if err != nil {
		return about(err, c.ID)
	}
	if v.JSON {
		return printJSON(d.out, items)
	}
	if len(items) == 0 {
		d.say("No item of %s was seen yet.", c.LocationID)
		return nil
	}
	t := newTable(d.out, "code", "title", "first day", "last day")
	for _, i := range items {
		t.AppendRow([]any{i.Code, i.Title, i.FirstDay, i.LastDay})
	}
	t.Render()
	return nil
}

type itemsPreviewVerb struct {
	Connection string `arg:"" help:"Connection, such as wisk:chez-marcel."`
	JSON       bool   `help:"As JSON."`
}

func (itemsPreviewVerb) needs() []string { return []string{"DATABASE_URL"} }

// Preview is how many items one mode of modifiers would make of a venue's
// history, as `items preview --json` writes it.
type Preview struct {
	Mode     string   `json:"mode"`
	Items    int      `json:"items"`
	Examples []string `json:"examples"` // titles of some
}

// previewExamples are shown per mode: enough to see what the mode does.
const previewExamples = 3

// Run counts, from the sales in the ledger, the items of each mode.
func (v *itemsPreviewVerb) Run(ctx context.Context, d *desk) error {
	c, err := d.connection(ctx, v.Connection)
	if err != nil {
		return err
	}
	previews, sales, err := d.preview(ctx, c)
	if err != nil {
		return about(err, c.ID)
	}
	if v.JSON {
		return printJSON(d.out, previews)
	}
	if sales == 0 {
		return failed(nil, "clusterbridge backfill start "+c.ID, "No sale of %s is in the ledger yet, so there is nothing to count.", c.ID)
	}
	t := newTable(d.out, "modifiers", "items to map", "such as")
	for _, p := range previews {
		t.AppendRow([]any{p.Mode, p.Items, strings.Join(p.Examples, "; ")})
	}
	t.Render()
	d.say("\nCounted from %s. Choose: clusterbridge connection set modifiers %s <mode> --from <day>", plural(sales, "sale"), c.ID)
	return nil
}

func (d *desk) preview(ctx context.Context, c ledger.Connection) ([]Preview, int, error) {
	translator := wisk.New(d.settings.wisk())
	titles := make([]map[string]string, len(items.Modes))
	for i := range titles {
		titles[i] = map[string]string{}
	}
	sales := 0
	last := sale.DayOf(d.clock().Now(), zoneOf(c.Location))
	for day := c.HistoryFrom; !last.Before(day); day = day.Plus(1) {
		sold, err := d.store.SalesOfDay(ctx, c.ID, day)
		if err != nil {
			return nil, 0, err
		}
		sales += len(sold)
		for _, s := range sold {
			for i, mode := range items.Modes {
				found, err := translator.Preview(s, mode)
				if err != nil {
					continue // a bad record is told in the quarantine
				}
				maps.Copy(titles[i], found)
			}
		}
	}
	previews := make([]Preview, len(titles))
	for i, mode := range items.Modes {
		previews[i] = Preview{Mode: mode, Items: len(titles[i]), Examples: longest(titles[i])}
	}
	return previews, sales, nil
}

// longest are the longest titles, which show a mode best.
func longest(titles map[string]string) []string {
	var some []string
	for _, title := range titles {
		some = append(some, title)
	}
	slices.SortFunc(some, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return some[:min(previewExamples, len(some))]
}

type findingsVerb struct {
	List findingsListVerb `cmd:"" help:"List what people should look at."`
	Seen findingsSeenVerb `cmd:"" help:"Close findings that somebody has looked after."`
}

type findingsListVerb struct {
	Connection string `arg:"" optional:"" help:"Connection, such as wisk:chez-marcel; none means all."`
	All        bool   `help:"Also those that are closed."`
	JSON       bool   `help:"As JSON."`
}

func (findingsListVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run lists findings.
func (v *findingsListVerb) Run(ctx context.Context, d *desk) error {
	connection := ""
	if v.Connection != "" {
		c, err := d.connection(ctx, v.Connection)
		if err != nil {
			return err
		}
		connection = c.ID
	}
	store, err := d.ledger(ctx)
	if err != nil {
		return err
	}
	list, err := store.Findings(ctx, connection, v.All)
	if err != nil {
		return about(err, connection)
	}
	if v.JSON {
		return printJSON(d.out, list)
	}
	if len(list) == 0 {
		d.say("Nothing to look at.")
		return nil
	}
	t := newTable(d.out, "no.", "connection", "since day", "what", "status")
	for _, f := range list {
		t.AppendRow([]any{f.Number, f.Connection, dayOrUnknown(f.Day.String()), findingWords(f), f.Status})
	}
	t.Render()
	d.say("\nWhen it is looked after: clusterbridge findings seen <connection> <no.>...")
	return nil
}

// findingWords tells a finding in a sentence.
func findingWords(f ledger.Finding) string {
	var detail struct{ Before, After, Location string }
	_ = json.Unmarshal(f.Detail, &detail) // what cannot be read is left out
	switch f.Kind {
	case ledger.ItemRenamed:
		return fmt.Sprintf("Item %s was %q and is now %q: in WISK it needs review.", f.Subject, detail.Before, detail.After)
	case ledger.ItemReused:
		return fmt.Sprintf("Code %s was %q and came back as %q: in WISK its whole history would change. Give the new product a code of its own.", f.Subject, detail.Before, detail.After)
	case ledger.ItemNew:
		return fmt.Sprintf("New item %s, %q: it has to be mapped in WISK.", f.Subject, detail.After)
	case ledger.ItemConflict:
		return fmt.Sprintf("Code %s is %q here and %q at %s, and both are one item in WISK.", f.Subject, detail.After, detail.Before, detail.Location)
	case ledger.RouteDoubled:
		return "WISK reads the till with an API key as well: its sales count twice. Remove the Cluster integration in WISK, or change the route."
	case ledger.WorkdayDiffers:
		return fmt.Sprintf("The till counts orders of %s to %s: its workday is not 5 a.m. to 5 a.m. Set it so in Cluster, and in 7shifts, or sales of the early morning stand under another day.", detail.After, detail.Before)
	}
	return f.Kind + " " + f.Subject
}

type findingsSeenVerb struct {
	Connection string  `arg:"" help:"Connection, such as wisk:chez-marcel."`
	Numbers    []int64 `arg:"" optional:"" help:"Findings' numbers; none means all that are open."`
	act
}

func (findingsSeenVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run closes findings.
func (v *findingsSeenVerb) Run(ctx context.Context, d *desk) error {
	c, actor, err := d.prepare(ctx, v.Connection, v.act)
	if err != nil {
		return err
	}
	n, err := d.store.SeeFindings(ctx, c.ID, v.Numbers, actor)
	if err != nil {
		return about(err, c.ID)
	}
	d.say("%s of %s closed.", plural(n, "finding"), c.ID)
	return nil
}
