package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/play"
	"github.com/clustersystems/clusterbridge/internal/items"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/simulator/kit"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const canal = "wisk:taverne-du-canal"

// counting is a site whose venue of WISK counts a line twice that comes twice,
// connected without its history.
type counting struct {
	t    *testing.T
	demo *play.Demo
}

func newCounting(t *testing.T) *counting {
	t.Helper()
	size := quick
	size.Wisk = play.WiskSize{Sites: 1, HistoryMonths: 1, HistoryDays: 6, OrdersPerPastDay: 5, OrdersPerLiveDay: 12, NoHistory: true}
	d := start(t, size, "CLUSTERBRIDGE_WISK_SAME_ID=double-count")
	require.NoError(t, d.Wisk().Switch(func(w *wisksim.Switches) { w.SameID = wisksim.DoubleCount }))
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	require.NoError(t, d.Watch(ctx))
	return &counting{t, d}
}

// verb runs a verb, and an act's with who and why.
func (c *counting) verb(args ...string) string {
	c.t.Helper()
	said, err := c.demo.Verb(c.t.Context(), args...)
	require.NoError(c.t, err, said)
	c.t.Logf("$ clusterbridge %s\n%s", strings.Join(args, " "), said)
	return said
}

func (c *counting) act(args ...string) string {
	c.t.Helper()
	return c.verb(append(args, "--by", "lea", "--reason", "correction", "--note", "end to end")...)
}

// backlog waits until nothing is due and counts the documents.
func (c *counting) backlog() (b ledger.Backlog) {
	c.t.Helper()
	eventually(c.t, "nothing is due", func(ctx context.Context) (_ bool, err error) {
		b, err = c.demo.Ledger().Backlog(ctx, canal)
		return b.Live == 0, err
	})
	return b
}

// progress is how far the backfill that was followed came.
func (c *counting) progress() (p work.BackfillProgress) {
	c.t.Helper()
	said, err := c.demo.Verb(c.t.Context(), "backfill", "progress", canal, "--json")
	require.NoError(c.t, err, said)
	require.NoError(c.t, json.Unmarshal([]byte(said), &p), said)
	return p
}

// dryRun tells what would be sent, and sends nothing.
func (c *counting) dryRun() (would int) {
	before := c.demo.Wisk().Counters()
	require.Contains(c.t, c.act("backfill", "start", canal, "--dry-run"), "Dry run of "+canal+" started")
	said := c.verb("backfill", "watch", canal, "--every", "100ms")
	p := c.progress()
	require.Positive(c.t, p.Counts.Changed)
	require.Contains(c.t, said, fmt.Sprintf("[####################] %d of %[1]d days, %d documents would be sent", p.Days, p.Counts.Changed))
	require.Contains(c.t, said, "It is done.")
	require.Equal(c.t, before, c.demo.Wisk().Counters(), "nothing was sent")
	return p.Counts.Changed
}

// inSilence brings the history in while two uploads end in silence, of which WISK
// took one.
func (c *counting) inSilence() {
	require.NoError(c.t, c.demo.Wisk().Inject(kit.Fault{Kind: kit.FaultCommitDrop}, kit.Fault{Kind: kit.FaultDrop}))
	c.act("backfill", "start", canal)
	said := c.verb("backfill", "watch", canal, "--every", "100ms")
	require.Regexp(c.t, `(?m)^\[#+\.*\] \d+ of \d+ days, \d+ documents sent in \d+ lines`, said)
	require.Contains(c.t, said, "It is done.")
}

// resolved looks into WISK for each upload that waits, as a person does, and
// says what it saw.
func (c *counting) resolved() {
	said := c.verb("uncertain", "list", canal, "--json")
	var uploads []ledger.UncertainUpload
	require.NoError(c.t, json.Unmarshal([]byte(said), &uploads))
	require.Len(c.t, uploads, 2)
	secrets := c.demo.Secrets()
	venue := secrets[len(secrets)-1].Token
	words := map[bool]string{}
	for _, u := range uploads {
		require.Equal(c.t, u.FirstDay, u.LastDay)
		there, err := c.demo.Wisk().Sales(venue, u.FirstDay.String(), u.LastDay.String())
		require.NoError(c.t, err)
		word := "--not-applied"
		if len(there) > 0 {
			word = "--applied"
		}
		words[len(there) > 0] = c.act("uncertain", "resolve", canal, fmt.Sprint(u.Number), word)
	}
	require.Len(c.t, words, 2, "WISK took one of the two")
	require.Contains(c.t, c.verb("uncertain", "list", canal), "No upload of "+canal+" waits for a person.")
}

// Two uploads end in silence at a WISK that counts twice what comes twice:
// nothing is sent again until a person has looked and said so; then every item is
// there once. A dry run told beforehand how much would be sent.
func TestUploadsOfUnknownEndWaitForAPerson(t *testing.T) {
	c := newCounting(t)
	before := c.backlog()
	would := c.dryRun()
	c.inSilence()
	parked := c.backlog()
	require.Equal(t, would, parked.Total-before.Total, "what the dry run told")
	require.Positive(t, parked.Parked)

	require.Contains(t, c.verb("status", canal), fmt.Sprintf("%d sales are in doubt and not sent again. Next: clusterbridge uncertain list %s", parked.Parked, canal))
	require.Regexp(t, `(?s)upload.*made.*lines.*sales.*first day.*last day.*total`, c.verb("uncertain", "list", canal))
	lines := c.demo.Wisk().Counters().Lines
	for range 2 {
		c.verb("sync", "now", canal)
	}
	require.Equal(t, lines, c.demo.Wisk().Counters().Lines, "nothing is sent before somebody has looked")

	c.resolved()
	eventually(t, "all is sent", func(ctx context.Context) (bool, error) {
		b, err := c.demo.Ledger().Backlog(ctx, canal)
		return b.Wanted+b.Parked == 0, err
	})
	report, err := c.demo.Compare(t.Context())
	require.NoError(t, err)
	var table strings.Builder
	report.Print(&table)
	require.True(t, report.Good(), table.String())
	require.Zero(t, c.demo.Wisk().Counters().Repeats)
	said := c.verb("history", canal)
	for _, sentence := range []string{
		`demo stated that no Cluster integration is active in this venue of WISK\.`,
		`lea looked into the partner for uploads \[\d+\], \d+ lines: applied, as a correction: end to end\.`,
		`lea looked into the partner for uploads \[\d+\], \d+ lines: not applied, as a correction: end to end\.`,
	} {
		require.Regexp(t, `(?m)^2026-11-0\d \d\d:\d\d  `+sentence+`$`, said)
	}
	require.NotRegexp(t, `did: |%!|\.\.$`, said, "a sentence for every act")
}

// From the history that is in, each mode's items are counted, and what spoils an
// inventory is told: a renamed item, and a code that the other site of the same
// venue of WISK sells as something else.
func TestItemsAreCountedAndWatched(t *testing.T) {
	d := finished(t)
	said, err := d.Verb(t.Context(), "items", "preview", canal, "--json")
	require.NoError(t, err, said)
	var previews []struct {
		Mode  string
		Items int
	}
	require.NoError(t, json.Unmarshal([]byte(said), &previews))
	counts := map[string]int{}
	for _, p := range previews {
		counts[p.Mode] = p.Items
	}
	require.Equal(t, 7, counts[items.Off], "what the menu of WISK's help page lists")
	require.Less(t, counts[items.Off], counts[items.Separate])
	require.Less(t, counts[items.Separate], counts[items.Include])

	said, err = d.Verb(t.Context(), "findings", "list")
	require.NoError(t, err, said)
	t.Log(said)
	require.Regexp(t, `wisk:(canal-street-tavern|taverne-du-canal) .*Code 2001 is "[^"]+" here and "[^"]+" at (taverne-du-canal|canal-street-tavern), and both are one item in WISK\.`, said)
	require.Contains(t, said, "Item 1006 was \"Pouding ch\u00f4meur\" and is now \"Pouding ch\u00f4meur \u00e0 l'\u00e9rable\": in WISK it needs review.")
}
