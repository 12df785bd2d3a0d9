package play

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"
)

// Report is what the demo ends with.
type Report struct {
	Venues   []venueResult
	Minimums []reached
	// Violations are what the simulated 7shifts must never see, such as
	// receipt lines.
	Violations []string
	Elapsed    time.Duration
	traffic    string
}

// Good tells whether all differences are 0, all minimums are reached and
// nothing was sent that never may be.
func (r Report) Good() bool {
	return !slices.ContainsFunc(r.Venues, func(v venueResult) bool { return !v.good() }) &&
		!slices.ContainsFunc(r.Minimums, func(m reached) bool { return !m.good() }) && len(r.Violations) == 0
}

// Compare reads all receipts back over HTTP and sets them against the plan.
func (d *Demo) Compare(ctx context.Context) (Report, error) {
	r := Report{Elapsed: time.Since(d.begun)}
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
	return r, nil
}

// Print writes the tables and the verdict.
func (r Report) Print(w io.Writer) {
	fmt.Fprintf(w, "\nWhat the tills' generator planned, and what 7shifts answers over HTTP:\n\n")
	printComparison(w, r.Venues)
	fmt.Fprintln(w)
	printCounted(w, r.Minimums)
	fmt.Fprintf(w, "\n%s\n", r.traffic)
	for _, v := range r.Violations {
		fmt.Fprintln(w, "NEVER MAY HAPPEN:", v)
	}
	verdict := "All differences are 0."
	if !r.Good() {
		verdict = "NOT GOOD: see above."
	}
	fmt.Fprintf(w, "%s It took %d s.\n", verdict, int(r.Elapsed.Seconds()))
}
