package workflows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// clockForm is how the run's page shows an instant.
const clockForm = "2006-01-02 15:04 UTC"

// show tells people where the case stands: on the run's page and by the search
// attribute. The query and the mirror read the same.
func (c *casework) show(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, c.details())
	c.attribute(ctx)
}

// details is the run's page, in Markdown.
func (c *casework) details() string {
	parts := []string{c.headline()}
	if len(c.at.candidates) > 0 {
		parts = append(parts, candidateTable(c.at.candidates))
	}
	if problem := c.problem(); problem != "" {
		parts = append(parts, "**Problem:** "+problem+c.triedAgain())
	}
	if c.at.next != "" {
		parts = append(parts, "**Next:** "+strings.TrimSuffix(c.at.next, ".")+".")
	}
	if ways := c.waysToAct(); ways != "" {
		parts = append(parts, ways)
	}
	if c.untold != "" {
		parts = append(parts, "**The ledger does not know this yet,** so pages and verbs show an older state: "+c.untold)
	}
	return strings.Join(parts, "\n\n")
}

func (c *casework) headline() string {
	since := " since " + c.since.UTC().Format(clockForm)
	switch {
	case c.at.stage == work.StageEnded && c.outcome != "":
		return fmt.Sprintf("**Ended: %s.** %s", c.outcome, plain(c.at.what))
	case c.at.stage == work.StageEnded:
		return "**Ended.** " + plain(c.at.what)
	case c.trouble.code != "":
		return "**Failed, and is tried again**" + since + ": " + plain(c.at.what) + "."
	case c.at.who == "":
		return "**Working**" + since + ": " + plain(c.at.what) + "."
	default:
		return "**Waiting for " + whoWords(c.at.who) + "**" + since + ": " + plain(c.at.what) + "."
	}
}

// whoWords says who has to act.
func whoWords(who string) string {
	switch who {
	case "operator":
		return "an operator"
	case "cluster":
		return "Cluster"
	default:
		return "the " + who
	}
}

func (c *casework) triedAgain() string {
	if c.trouble.code == "" {
		return ""
	}
	return fmt.Sprintf(" It is tried again by itself at %s, or at once by Retry; %s has to act.",
		c.trouble.again.UTC().Format(clockForm), whoWords(c.who()))
}

// waysToAct lists verbs and Updates that make sense now.
func (c *casework) waysToAct() string {
	if c.at.stage == work.StageEnded {
		return ""
	}
	ways := slices.Clone(c.at.ways)
	if mend, known := c.mends[c.trouble.code]; known {
		ways = append(ways, mend)
	}
	if c.mayRetry() {
		ways = append(ways, way{verb: "onboarding retry", update: work.UpdateRetry})
	}
	if c.cancelled == nil && c.bound == "" {
		ways = append(ways, way{verb: "onboarding cancel", update: work.UpdateCancelOnboarding})
	}
	lines := make([]string, 0, len(ways)+1)
	if len(ways) > 0 {
		lines = append(lines, "**To act:**")
	}
	for _, w := range ways {
		by := w.other
		if w.verb != "" {
			by = fmt.Sprintf("`clusterbridge %s %s`", w.verb, c.caseID)
		}
		lines = append(lines, fmt.Sprintf("- %s (Update `%s`)", by, w.update))
	}
	return strings.Join(lines, "\n")
}

// candidateTable is a table of Cluster's venues.
func candidateTable(candidates []work.Candidate) string {
	lines := []string{"| Serial | Trade name | Address |", "|---|---|---|"}
	for _, v := range candidates {
		lines = append(lines, fmt.Sprintf("| %s | %s | %s |", plain(v.Serial), plain(v.TradeName), plain(v.Address)))
	}
	return strings.Join(lines, "\n")
}

// plain keeps what outsiders wrote from being read as Markdown.
func plain(text string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "`", `\`+"`", "[", `\[`, "<", `\<`, "\n", " ", "\r", " ").Replace(text)
}

// until says by when, for people.
func until(at time.Time) string { return at.UTC().Format(clockForm) }
