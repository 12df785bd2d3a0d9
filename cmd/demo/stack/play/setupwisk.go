package play

import (
	"context"

	"github.com/clustersystems/clusterbridge/internal/items"
	"github.com/clustersystems/clusterbridge/internal/ledger"
	wisksim "github.com/clustersystems/clusterbridge/internal/simulator/wisk"
)

// pay is our operator, who finds the payment in the books.
func (p *people) pay(ctx context.Context, c ledger.Case) error {
	charge, there, err := p.store.ChargeOf(ctx, c.ID)
	if err != nil || !there {
		return err
	}
	return p.verb(ctx, "onboarding", "paid", c.ID, "--reference", "VIR-"+charge.Number, "--note", "transfer of this morning")
}

// enter sets up WISK's side. Who asked without saying how sales are to travel
// was sent a key: it is tried in WISK, and taken out again before WISK reads
// anything, since here all sales are uploaded and would count twice. Then our
// operator keeps the venue's identifier and records what was agreed.
func (p *people) enter(ctx context.Context, g guest, c ledger.Case) error {
	if c.Data.Route == "" && !c.Data.Identified {
		key, there, err := p.revealKey(ctx, g)
		if err != nil || !there {
			return err
		}
		if key != "" {
			if err := p.tryInWisk(ctx, g, key); err != nil {
				return err
			}
		}
	}
	at, err := p.folder.secretFile(g.Site.ID+".venue", g.Site.In.identifier())
	if err != nil {
		return err
	}
	if err := p.verb(ctx, "onboarding", "identifier", c.ID, "--venue-file", at); err != nil {
		return err
	}
	return p.verb(ctx, "onboarding", "entered", c.ID, "--route", "upload", "--modifiers", g.Site.Modifiers, "--no-cluster-integration",
		"--note", "agreed with WISK's support")
}

// tryInWisk enters serial number and key in WISK, which verifies them with
// Cluster, and takes the integration out again.
func (p *people) tryInWisk(ctx context.Context, g guest, key string) error {
	made, err := p.sims.wisk.AddIntegration(ctx, wisksim.Setup{
		Venue: g.Site.In.identifier(), Nickname: g.Name, Pairs: []wisksim.Pair{{Serial: g.Serial, Key: key}},
		IncludeModifiers: g.Site.Modifiers != items.Off, SeparateModifiers: g.Site.Modifiers == items.Separate,
	})
	if err != nil {
		return err
	}
	p.tell(g, "its key was revealed once and tried in WISK with serial number %s: the till answers", g.Serial)
	return p.sims.wisk.RemoveIntegration(made.ID)
}
