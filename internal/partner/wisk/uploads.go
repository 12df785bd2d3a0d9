package wisk

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"time"

	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/partner/wisk/wire"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// uploads implements partner.Uploads.
type uploads struct {
	client  *client
	sameID  string
	partial bool // what a 400 does not name was taken
}

func newUploads(cfg Config, venue string, transport http.RoundTripper) *uploads {
	return &uploads{client: newClient(cfg, venue, transport), sameID: cfg.SameID, partial: cfg.Refusal == RefusalPartial}
}

// attempt is an upload on its way, with what is known of each line so far.
type attempt struct {
	*uploads
	lines    []partner.Line
	outcomes []partner.LineOutcome
	deadline time.Time
	err      error
}

// Upload implements partner.Uploads. A refusal that names lines leaves these
// out; of one that names none the halves are tried, until each line at fault
// stands alone.
func (u *uploads) Upload(ctx context.Context, lines []partner.Line, deadline time.Time) ([]partner.LineOutcome, error) {
	a := &attempt{uploads: u, lines: lines, outcomes: make([]partner.LineOutcome, len(lines)), deadline: deadline}
	all := make([]int, len(lines))
	for i := range lines {
		all[i], a.outcomes[i] = i, partner.LineOutcome{Result: partner.LineUnsent}
	}
	a.send(ctx, all)
	return a.outcomes, a.err
}

// send uploads some of the lines and goes on with what is left of them.
func (a *attempt) send(ctx context.Context, some []int) {
	late := time.Now().After(a.deadline) //nolint:forbidigo // a real duration is measured
	if len(some) == 0 || a.err != nil || late {
		return // they stay as they are known
	}
	chosen := make([]partner.Line, len(some))
	for i, at := range some {
		chosen[i] = a.lines[at]
	}
	err := a.client.upload(ctx, chosen)
	problem, _ := errors.AsType[*work.Error](err)
	refused, aboutLines := errors.AsType[*refusedLines](err)
	switch {
	case err == nil:
		a.set(some, partner.LineAccepted, "")
	case aboutLines:
		a.refused(ctx, some, refused)
	default:
		a.err = err
		if problem == nil || problem.Ambiguous {
			a.set(some, partner.LineInDoubt, "")
		}
	}
}

func (a *attempt) set(some []int, result partner.LineResult, why string) {
	for _, at := range some {
		a.outcomes[at] = partner.LineOutcome{Result: result, Why: why}
	}
}

// refused goes on after a 400.
func (a *attempt) refused(ctx context.Context, some []int, r *refusedLines) {
	var rest []int
	for _, at := range some {
		word, named := r.lines[a.lines[at].ID]
		switch {
		case !named:
			rest = append(rest, at)
		case a.known(word):
			a.set([]int{at}, partner.LineAccepted, "")
		default:
			a.set([]int{at}, partner.LineRefused, reason(word))
		}
	}
	switch named := len(rest) < len(some); {
	case named && a.partial:
		a.set(rest, partner.LineAccepted, "")
	case a.sameID == SameIDCounts:
		a.refusedOnce(rest, named)
	case named:
		a.send(ctx, rest)
	case len(some) == 1 && r.duplicate && a.known(wire.LineDuplicate):
		a.set(some, partner.LineAccepted, "")
	case len(some) == 1:
		a.set(some, partner.LineRefused, reason(""))
	default:
		a.halve(ctx, some)
	}
}

// known tells whether a word says that WISK has the line already, which is only
// so where it refuses what comes again.
func (a *attempt) known(word string) bool {
	return a.sameID == SameIDRefused && word == wire.LineDuplicate
}

// halve looks for the lines at fault of a refusal that named none. Where such a
// refusal may have taken the others, trying again is only harmless if a repeat
// is.
func (a *attempt) halve(ctx context.Context, some []int) {
	if a.partial {
		a.set(some, partner.LineInDoubt, "")
	}
	middle := len(some) / 2
	a.send(ctx, some[:middle])
	a.send(ctx, some[middle:])
}

// refusedOnce ends an upload that may only be one request: what was not named
// was not taken and is tried again, apart from the others where none was named;
// what is refused alone is refused. Where WISK may have taken a part without
// telling which, all of it is in doubt.
func (a *attempt) refusedOnce(rest []int, named bool) {
	switch {
	case !named && a.partial:
		a.set(rest, partner.LineInDoubt, "")
	case !named && a.oneDocument():
		a.set(rest, partner.LineRefused, reason(""))
	default:
		for _, at := range rest {
			a.outcomes[at] = partner.LineOutcome{Result: partner.LineUnsent, Apart: !named}
		}
	}
}

func (a *attempt) oneDocument() bool {
	for _, l := range a.lines {
		if l.Document != a.lines[0].Document {
			return false
		}
	}
	return true
}

// fieldPattern is a word that a refusal may begin with: a field's name or a
// code, never a value.
var fieldPattern = regexp.MustCompile(`^[a-z_]{1,30}`)

// reason is what may be told of a refused line.
func reason(word string) string {
	if field := fieldPattern.FindString(word); field != "" {
		return "WISK refuses the line: " + field
	}
	return "WISK refuses the line"
}
