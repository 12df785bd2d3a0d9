package program

import (
	"context"
	"strings"

	"github.com/clustersystems/clusterbridge/internal/ledger"
)

type migrateVerb struct {
	LedgerOnly bool `help:"Leave Temporal alone."`
}

func (migrateVerb) needs() []string { return []string{"DATABASE_URL"} }

// Run brings schema, namespace and search attributes up to this program. It may
// be run any number of times, by several at once.
func (v *migrateVerb) Run(ctx context.Context, d *desk) error {
	from, to, err := ledger.Migrate(ctx, d.settings.DatabaseURL)
	if err != nil {
		return err
	}
	if from == to {
		d.say("Ledger: schema is at version %d already.", to)
	} else {
		d.say("Ledger: schema brought from version %d to %d.", from, to)
	}
	if v.LedgerOnly {
		return nil
	}
	made, err := d.ensureNamespace(ctx)
	if err != nil {
		return err
	}
	if made {
		d.say("Temporal: namespace %s registered; finished runs are kept for %s.", d.settings.TemporalNamespace, plural(d.settings.TemporalRetention, "day"))
	} else {
		d.say("Temporal: namespace %s is there already.", d.settings.TemporalNamespace)
	}
	added, err := d.ensureSearchAttributes(ctx)
	if err != nil {
		return err
	}
	if len(added) > 0 {
		d.say("Temporal: search attributes registered: %s.", strings.Join(added, ", "))
	} else {
		d.say("Temporal: search attributes are there already.")
	}
	return nil
}
