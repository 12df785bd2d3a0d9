package play

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

// Report is what the demo ends with.
type Report struct {
	Venues   []venueResult
	Minimums []reached
	Sites    []siteResult
	// WiskMinimums are those of WISK's sites, and of all venues together.
	WiskMinimums []reached
	// Violations are what the simulated 7shifts and WISK must never see, such as
	// receipt lines, or an id that comes again with other content.
	Violations []string
	// Guests are all venues that were asked whether they join.
	Guests  []guestResult
	Elapsed time.Duration

	traffic, wiskTraffic, findings string
}

// Good tells whether all differences are 0, all minimums are reached, every venue
// that was asked is where it should be, and nothing was sent that never may be.
func (r Report) Good() bool {
	return !slices.ContainsFunc(r.Venues, func(v venueResult) bool { return !v.good() }) &&
		!slices.ContainsFunc(r.Sites, func(s siteResult) bool { return !s.good() }) &&
		!slices.ContainsFunc(slices.Concat(r.Minimums, r.WiskMinimums), func(m reached) bool { return !m.good() }) &&
		!slices.ContainsFunc(r.Guests, func(g guestResult) bool { return !g.Good }) &&
		len(r.Violations) == 0
}

// Compare reads all receipts and items back over HTTP and sets them against the
// plans.
func (d *Demo) Compare(ctx context.Context) (Report, error) {
	r := Report{}
	now := d.calendar.Now()
	from := firstHistory(d.o.Size).Plus(-1)
	for _, v := range d.sims.venues {
		there, err := newReader(d.sims.sevenShiftsURL, v.readerToken()).receipts(ctx, v.Company, v.Location, from.Start(v.zone()), now)
		if err != nil {
			return r, err
		}
		r.Venues = append(r.Venues, compare(v, d.sims.planned(v, now), there))
	}
	r.Minimums = counted(d.o.Size.Minimum, r.Venues)
	r.Violations, r.traffic = d.sims.observed()
	if len(d.sims.sites) > 0 {
		if err := d.compareItems(ctx, now, &r); err != nil {
			return r, err
		}
	}
	err := d.checkGuests(ctx, &r)
	r.Elapsed = time.Since(d.begun)
	return r, err
}

// compareItems does so for WISK. A venue's lines are told apart by the sites to
// which they belong; its own sums have to be theirs.
func (d *Demo) compareItems(ctx context.Context, now time.Time, r *Report) error {
	reader := newWiskReader(d.sims.wiskURL)
	held := map[wiskVenue][]heldLine{}
	for _, v := range d.sims.wiskVenues() {
		zone, err := time.LoadLocation(v.Zone)
		if err != nil {
			return err
		}
		if held[v], err = reader.lines(ctx, v, zone); err != nil {
			return err
		}
		own, err := reader.sums(ctx, v)
		if err != nil {
			return err
		}
		if !maps.EqualFunc(own, sums(held[v]), itemSum.equal) {
			r.Violations = append(r.Violations, "WISK's own sums of "+v.Name+" are not those of the lines that it lists")
		}
	}
	listed := 0
	for _, s := range d.sims.sites {
		c, err := d.store.Connection(ctx, s.connection())
		if err != nil {
			return err
		}
		connected := sale.DayOf(c.LiveFrom, s.zone())
		first := connected.PlusMonths(-d.o.Size.Wisk.HistoryMonths)
		lines := ofSite(s, held[s.In])
		listed += len(lines)
		plan := d.sims.wiskPlan.ExpectedItems(s.name(), s.mode, now)
		r.Sites = append(r.Sites, compareItems(s, plan, d.sims.plannedOrders(s, now), lines, first, connected))
	}
	for _, lines := range held {
		listed -= len(lines)
	}
	if listed != 0 {
		r.Violations = append(r.Violations, fmt.Sprintf("WISK holds %d lines that are no site's", -listed))
	}
	violations, traffic := d.sims.observedWisk()
	r.Violations, r.wiskTraffic = append(r.Violations, violations...), traffic
	found, err := d.store.Findings(ctx, "", false)
	r.WiskMinimums, r.findings = countedItems(d.o.Size.Wisk.Minimum, r.Venues, r.Sites, len(found)), foundWords(found)
	if d.o.Size.Wisk.KillAt > 0 {
		r.WiskMinimums = append(r.WiskMinimums, reached{"worker killed", 1, map[bool]int{true: 1}[d.saved.Killed]})
	}
	return err
}

// foundWords says what people should look at.
func foundWords(found []ledger.Finding) string {
	kinds := map[string]int{}
	for _, f := range found {
		kinds[f.Kind]++
	}
	var words []string
	for _, kind := range []struct{ kind, words string }{
		{ledger.ItemConflict, "codes that are another item at the other site of one venue of WISK"}, {ledger.ItemRenamed, "items renamed"},
		{ledger.ItemReused, "codes used again"}, {ledger.ItemNew, "new items"}, {ledger.RouteDoubled, "tills that WISK reads as well"},
	} {
		if n := kinds[kind.kind]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, kind.words))
		}
	}
	return strings.Join(words, ", ")
}

// Print writes the tables and the verdict.
func (r Report) Print(w io.Writer) {
	fmt.Fprintf(w, "\nWhat the tills' generator planned, and what 7shifts answers over HTTP:\n\n")
	printComparison(w, r.Venues)
	fmt.Fprintln(w)
	printCounted(w, r.Minimums)
	fmt.Fprintf(w, "\n%s\n", r.traffic)
	if len(r.Sites) > 0 {
		fmt.Fprintf(w, "\nItem by item, what the tills' generator planned, and what WISK answers over HTTP:\n\n")
		printItems(w, r.Sites)
		fmt.Fprintln(w)
		printCounted(w, r.WiskMinimums)
		fmt.Fprintf(w, "\n%s\nFor people to look at (clusterbridge findings list): %s.\n", r.wiskTraffic, r.findings)
	}
	printGuests(w, r.Guests)
	for _, v := range r.Violations {
		fmt.Fprintln(w, "NEVER MAY HAPPEN:", v)
	}
	verdict := "All differences are 0."
	if !r.Good() {
		verdict = "NOT GOOD: see above."
	}
	fmt.Fprintf(w, "%s It took %d s.\n", verdict, int(r.Elapsed.Seconds()))
}
