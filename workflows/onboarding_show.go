package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// keepOn tries until it succeeds or is moot, and shows what troubles it.
func (o *onboarding) keepOn(ctx workflow.Context, name string, try func() error, moot func() bool) error {
	return o.persist(ctx, try, moot, func(err error, again time.Duration) { o.troubled(ctx, name, err, again) })
}

// troubled notes what cannot be done just now, or with nil that it could.
func (o *onboarding) troubled(ctx workflow.Context, name string, err error, again time.Duration) {
	delete(o.troubles, name)
	if err != nil {
		_, sentence := explain("", err)
		o.troubles[name] = fmt.Sprintf("%s It is tried again by itself at %s, or at once by Retry.", sentence, until(workflow.Now(ctx).Add(again)))
	}
	o.show(ctx)
}

// log notes what only a context that ends could make go wrong.
func (o *onboarding) log(ctx workflow.Context, err error) {
	if err != nil {
		workflow.GetLogger(ctx).Warn("cut short", "request", o.request)
	}
}

// open is how many venues have not ended.
func (o *onboarding) open() int {
	n := 0
	for _, v := range o.venues {
		if !v.ended {
			n++
		}
	}
	return n
}

func (o *onboarding) results() []work.OnboardingResult {
	results := make([]work.OnboardingResult, len(o.venues))
	for i, v := range o.venues {
		results[i] = v.result
	}
	return results
}

func (o *onboarding) status() (work.RequestStatus, error) {
	return work.RequestStatus{Request: o.request, Open: o.open(), Venues: o.results()}, nil
}

// outcomes are how venues may end, in the order in which they are told.
var outcomes = []struct {
	outcome work.Outcome
	words   string
}{
	{work.WentLive, "live"}, {work.Connected, "connected before"}, {work.Joined, "joined to an older request"},
	{work.Declined, "declined"}, {work.Expired, "expired"}, {work.Cancelled, "cancelled"}, {"", "ended without a word"},
}

// summary says in words how many venues ended how.
func (o *onboarding) summary() string {
	var parts []string
	for _, kind := range outcomes {
		n := 0
		for _, v := range o.venues {
			if v.ended && v.result.Outcome == kind.outcome {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, kind.words))
		}
	}
	return fmt.Sprintf("%d of %d venues have ended: %s.", len(o.venues)-o.open(), len(o.venues), strings.Join(parts, ", "))
}

// show tells people where the request stands, on the run's page.
func (o *onboarding) show(ctx workflow.Context) {
	lines := []string{fmt.Sprintf("**%d of %d venues are open.** Each has a run of its own, which says what it waits for.", o.open(), len(o.venues))}
	if o.open() == 0 {
		lines = []string{o.summary()}
	}
	if o.cancelled != nil && o.open() > 0 {
		lines = append(lines, "", "**It is being cancelled**"+byPerson(o.cancelled.By)+"; what was begun is undone.")
	}
	for _, name := range workflow.DeterministicKeys(o.troubles) {
		lines = append(lines, "", "**"+name+":** "+o.troubles[name])
	}
	lines = append(lines, "", "| Case | Venue | Where it stands |", "|---|---|---|")
	for _, v := range o.venues {
		lines = append(lines, fmt.Sprintf("| %s | %s | %s |", v.result.Case, plain(v.result.TradeName), v.stands()))
	}
	workflow.SetCurrentDetails(ctx, strings.Join(lines, "\n"))
}

// stands says in a few words where a venue stands.
func (v *venueState) stands() string {
	switch {
	case v.ended && v.result.Outcome != "":
		return "ended: " + string(v.result.Outcome)
	case v.ended:
		return plain(v.result.Summary)
	case v.answered:
		return "answered"
	case v.asked:
		return "asked, with " + v.group
	case v.contact != "":
		return "to be asked"
	case v.reported:
		return "waits for an operator"
	default:
		return "is looked for"
	}
}
