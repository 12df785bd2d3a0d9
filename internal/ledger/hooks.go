package ledger

import (
	"context"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// LiveConnectionsOf are the ids of the connections that are synced from the
// till with this serial number now; none when no location has it.
func (s *Store) LiveConnectionsOf(ctx context.Context, serial string) ([]string, error) {
	var found []struct {
		ID    string               `db:"id"`
		State work.ConnectionState `db:"state"`
	}
	if err := s.db.SelectContext(ctx, &found, `
		SELECT c.id, c.state FROM connections c JOIN locations l ON l.id = c.location_id
		WHERE l.serial = $1 ORDER BY c.id`, serial); err != nil {
		return nil, failed("looking for a till's connections", err)
	}
	var live []string
	for _, c := range found {
		if c.State.Live() {
			live = append(live, c.ID)
		}
	}
	return live, nil
}

// ReadBackSoon makes the sent documents that a partner knows under its own
// reference due to be read back at once, and tells how many. Nothing else of
// them changes: what is to be sent again is read back after that anyway, and
// what cannot be read back stays so.
func (s *Store) ReadBackSoon(ctx context.Context, partner, ref string) (int, error) {
	if ref == "" {
		return 0, nil
	}
	done, err := s.db.ExecContext(ctx, `
		UPDATE documents SET confirm_at = clock_timestamp()
		WHERE ref = $2 AND ref <> '' AND starts_with(connection, $1 || ':')
			AND sent_hash <> '' AND NOT due AND NOT quarantined AND NOT unverifiable
			AND (confirm_at IS NULL OR confirm_at > clock_timestamp())`, partner, ref)
	if err != nil {
		return 0, failed("asking for a read-back", err)
	}
	n, err := done.RowsAffected()
	return int(n), failed("asking for a read-back", err)
}

// CheckSchema tells whether the schema still is new enough for this program
// (SchemaTooOld when not), for readiness probes.
func (s *Store) CheckSchema(ctx context.Context) error { return s.checkSchema(ctx) }
