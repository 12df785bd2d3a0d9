package e2e

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/clustersystems/clusterbridge/cmd/demo/stack/devserver"
	"github.com/clustersystems/clusterbridge/cmd/demo/stack/play"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// Wherever an onboarding waits, its page in the Web UI says for whom and for
// what, since when, what comes next and what can be typed. With SHOTS=<folder>
// the pictures of the guide are made on the way.
func TestTheWebUIShowsEachWait(t *testing.T) {
	browser := browse(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*within)
	defer cancel()
	o := options(tempState(t), few, &lines{})
	o.NoBrowser = true
	var seen []work.Stage
	look := func(ctx context.Context, d *play.Demo, stage work.Stage, says ...string) {
		ui, err := devserver.StartUI(d.TemporalAddress(), "default")
		require.NoError(t, err)
		defer ui.Stop()
		waits(ctx, &console{t, browser, ui.URL(), "default"}, d, stage, says...)
		seen = append(seen, stage)
	}
	o.Disturb = func(ctx context.Context, d *play.Demo, stage string) error {
		byOperator := []work.Stage{work.StageMatch, work.StageContact} // which these venues only pass
		if says, waits := whatIsSaid[work.Stage(stage)]; waits && !slices.Contains(byOperator, work.Stage(stage)) {
			look(ctx, d, work.Stage(stage), says...)
		}
		return nil
	}
	d, err := play.Start(ctx, o)
	require.NoError(t, err)
	t.Cleanup(d.Stop)

	d.Tills().AddLocation(clustersim.Location{
		Serial: "CL-770001", TradeName: "Bar Sans Nom", Address: "1, rue du Port, Montréal", Zone: "America/Toronto", Language: "fr",
	})
	for stage, venue := range map[work.Stage]string{
		work.StageMatch: "Bar Inconnu; 9, rue Nulle, Montréal", work.StageContact: "Bar Sans Nom; 1, rue du Port, Montréal",
	} {
		said, err := d.Verb(ctx, "onboard", "--partner", "wisk", "--venue", venue, "--note", "ticket 4711")
		require.NoError(t, err, said)
		look(ctx, d, stage, whatIsSaid[stage]...)
	}
	for stage := range whatIsSaid {
		require.Contains(t, seen, stage)
	}
}

// whatIsSaid at each stage at which people are waited for.
var whatIsSaid = map[work.Stage][]string{
	work.StageMatch:        {"Waiting for an operator", "as Cluster has no venue of this name and address", "clusterbridge onboarding choose"},
	work.StageContact:      {"Waiting for an operator", "call it back on a number that you know", "clusterbridge onboarding contact"},
	work.StageConfirmation: {"Waiting for the venue", "yes or no", "clusterbridge onboarding confirm"},
	work.StagePayment:      {"Waiting for the payment", "invoice", "clusterbridge onboarding paid"},
	work.StageActivation:   {"Waiting for Cluster", "takes 24 to 48 hours", "clusterbridge onboarding retry"},
	work.StageEntry:        {"Waiting for the partner", "clusterbridge onboarding entered"},
	work.StageToken:        {"Waiting for the venue", "token", "clusterbridge onboarding cancel"},
}

// waits opens the page of a case that is at a stage.
func waits(ctx context.Context, c *console, d *play.Demo, stage work.Stage, says ...string) {
	c.t.Helper()
	var at ledger.Case
	eventually(c.t, "a case waits at "+string(stage), func(ctx context.Context) (bool, error) {
		cases, err := d.Ledger().Cases(ctx, false)
		i := slices.IndexFunc(cases, func(c ledger.Case) bool { return c.Data.Stage == stage && c.Data.WaitingFor != "" })
		if err != nil || i < 0 {
			return false, err
		}
		at = cases[i]
		return true, nil
	})
	run, err := d.Temporal().DescribeWorkflowExecution(ctx, at.Workflow, "")
	require.NoError(c.t, err)
	c.open("workflows/"+at.Workflow+"/"+run.GetWorkflowExecutionInfo().GetExecution().GetRunId()+"/user-metadata", nil)
	c.shows(append(says, "since", "Next:")...)
	c.shoot("wait-" + string(stage))
}
