package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// selectCases leaves the contact out: who needs it asks SealedContact.
const selectCases = `
	SELECT to_json(x) FROM (
		SELECT id, workflow, request, partner, serial, location, outcome, contact_key, asked_group, created_at, data FROM cases
	) x `

// AddCases adds cases that are not there yet, all or none; CreatedAt is set
// here. A rotation of what another one replaces just now is ErrRotating.
func (s *Store) AddCases(ctx context.Context, cases []Case, by Actor) error {
	return s.inTx(ctx, "adding cases", func(tx *sqlx.Tx) error {
		for _, c := range cases {
			if err := s.addCase(ctx, tx, c, by); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) addCase(ctx context.Context, tx *sqlx.Tx, c Case, by Actor) error {
	data, err := asJSON(c.Data)
	if err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, `
		INSERT INTO cases (id, workflow, request, partner, serial, location, rotates, created_at, data)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb) ON CONFLICT (id) DO NOTHING`,
		c.ID, c.Workflow, c.Request, c.Partner, c.Serial, c.Location, c.rotates(), s.clock.Now(), data)
	if err != nil {
		return caseTaken(err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err
	}
	e := by.entry(ActAskOnboarding)
	if c.Data.Rotates != "" {
		e.Act = ActRotate
	}
	e.Location, e.New = c.ID, c.Name()
	return s.journal(ctx, tx, e)
}

// rotates names what a rotation replaces: our key to a till is one for all
// partners.
func (c Case) rotates() string {
	if c.Data.Rotates == "" || c.Data.Rotates == work.RotateTillKey {
		return c.Data.Rotates
	}
	return c.Partner + " " + c.Data.Rotates
}

// What only one case can have, among those that are open.
var (
	// ErrCaseTaken: a partner's onboarding of a serial number.
	ErrCaseTaken error = work.Err(work.TillForeign, "another onboarding is open for this venue and partner")
	// ErrPlaceTaken: a location of the partner's.
	ErrPlaceTaken error = work.Err(work.TillForeign, "another onboarding has chosen this location of the partner's")
	// ErrRotating: the replacing of a credential.
	ErrRotating error = work.Err(work.LeaseHeld, "another rotation of this credential is open")
)

func caseTaken(err error) error {
	e, ok := errors.AsType[*pq.Error](err)
	if !ok {
		return err
	}
	switch e.Constraint {
	case "cases_one_open":
		return ErrCaseTaken
	case "cases_one_place":
		return ErrPlaceTaken
	case "cases_one_rotation":
		return ErrRotating
	}
	return err
}

// Case finds a case; an unknown id is BadInput.
func (s *Store) Case(ctx context.Context, id string) (Case, error) {
	found, err := selectJSON[Case](ctx, s.db, selectCases+`WHERE x.id = $1`, id)
	if err != nil {
		return Case{}, failed("reading a case", err)
	}
	if len(found) == 0 {
		return Case{}, unknownCase(id)
	}
	return found[0], nil
}

func unknownCase(id string) error {
	return work.Err(work.BadInput, fmt.Sprintf("there is no onboarding %q; see them with: clusterbridge onboarding list", clip(id, maxID)))
}

// CasesOf are those of a group, or of a request, in their order.
func (s *Store) CasesOf(ctx context.Context, groupOrRequest string) ([]Case, error) {
	all, err := selectJSON[Case](ctx, s.db, selectCases+`
		WHERE x.asked_group = $1 OR x.request = $1 ORDER BY x.created_at, length(x.id), x.id`, groupOrRequest)
	return all, failed("reading cases", err)
}

// Cases are those that are open, or all, the newest first and at most 500.
func (s *Store) Cases(ctx context.Context, all bool) ([]Case, error) {
	found, err := selectJSON[Case](ctx, s.db, selectCases+`
		WHERE $1 OR x.outcome = '' ORDER BY x.created_at DESC, length(x.id), x.id LIMIT 500`, all)
	return found, failed("reading cases", err)
}

// OpenCase is the open case of a partner and serial number, and whether there
// is one.
func (s *Store) OpenCase(ctx context.Context, partnerName, serial string) (Case, bool, error) {
	found, err := selectJSON[Case](ctx, s.db, selectCases+`
		WHERE x.partner = $1 AND x.serial = $2 AND x.outcome = '' AND $2 <> ''`, partnerName, serial)
	if err != nil || len(found) == 0 {
		return Case{}, false, failed("reading a case", err)
	}
	return found[0], true, nil
}

// CasesOfConnection are the onboardings that made a connection and the rotations
// of its credentials, the newest first.
func (s *Store) CasesOfConnection(ctx context.Context, connection string) ([]Case, error) {
	found, err := selectJSON[Case](ctx, s.db, selectCases+`
		WHERE x.location <> '' AND x.partner || ':' || x.location = $1 ORDER BY x.created_at DESC, x.id`, connection)
	return found, failed("reading cases", err)
}

// CaseOfConnection is the newest onboarding that made a connection, and whether
// there is one.
func (s *Store) CaseOfConnection(ctx context.Context, connection string) (Case, bool, error) {
	cases, err := s.CasesOfConnection(ctx, connection)
	for _, c := range cases {
		if c.Data.Rotates == "" {
			return c, true, err
		}
	}
	return Case{}, false, err
}

// ChangeCase runs f on a case that nobody else changes meanwhile, and keeps what
// it changed. An entry with an Act is journalled with it. What another open case
// has is ErrCaseTaken or ErrPlaceTaken.
func (s *Store) ChangeCase(ctx context.Context, id string, f func(c *Case) (Entry, error)) (Case, error) {
	var c Case
	err := s.inTx(ctx, "changing a case", func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `SELECT 1 FROM cases WHERE id = $1 FOR UPDATE`, id); err != nil {
			return err
		}
		found, err := selectJSON[Case](ctx, tx, selectCases+`WHERE x.id = $1`, id)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return unknownCase(id)
		}
		c = found[0]
		entry, err := f(&c)
		if err != nil {
			return err
		}
		data, err := asJSON(c.Data)
		if err != nil {
			return err
		}
		// Fields of a newer program, unknown here, are kept.
		if _, err := tx.ExecContext(ctx, `
			UPDATE cases SET serial = $2, location = $3, outcome = $4, asked_group = $5, data = data || $6::jsonb,
				contact = coalesce($7, contact), contact_key = $8, place = $9 WHERE id = $1`,
			id, c.Serial, c.Location, c.Outcome, c.Group, data, c.Contact, c.ContactKey, c.place()); err != nil {
			return caseTaken(err)
		}
		if entry.Act == "" {
			return nil
		}
		if entry.Location == "" {
			entry.Location = id
		}
		return s.journal(ctx, tx, entry)
	})
	return c, err
}

// place is the partner's location that was chosen, 0 before.
func (c Case) place() int64 {
	if c.Data.Place == nil {
		return 0
	}
	return c.Data.Place.ID
}

// ForgetContact forgets whom to ask.
func (s *Store) ForgetContact(ctx context.Context, id string) error {
	_, err := s.db.ExecContext(ctx, `UPDATE cases SET contact = NULL, contact_key = '' WHERE id = $1`, id)
	return failed("forgetting a contact", err)
}

// SealedContact is whom to ask, sealed, and its ContactKey; nil where nobody is
// known.
func (s *Store) SealedContact(ctx context.Context, id string) (sealed []byte, key string, err error) {
	var found struct {
		Contact []byte `db:"contact"`
		Key     string `db:"contact_key"`
	}
	err = s.db.GetContext(ctx, &found, `SELECT contact, contact_key FROM cases WHERE id = $1`, id)
	return found.Contact, found.Key, failed("reading a contact", err)
}

// CaseStory is what people and the program did to a case, oldest first.
func (s *Store) CaseStory(ctx context.Context, id string) ([]Entry, error) {
	story, err := selectJSON[Entry](ctx, s.db, `SELECT to_json(j) FROM journal j WHERE j.location = $1 ORDER BY j.number LIMIT 2000`, id)
	return story, failed("reading the journal", err)
}
