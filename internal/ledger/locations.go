package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/clustersystems/clusterbridge/internal/work"
)

// Location is one venue's till installation.
type Location struct {
	// ID is our short readable name of the venue: a slug of its trade name.
	ID        string `json:"id"`
	TradeName string `json:"trade_name"`
	Address   string `json:"address"`
	// Zone is an IANA zone, such as "America/Toronto".
	Zone string `json:"zone"`
	// Language of messages to the venue: "fr" (which empty means) or "en".
	Language string `json:"language"`
	// Serial is the till's serial number now; earlier ones are kept.
	Serial string `json:"serial"`
	// Secret is the id under which the vault keeps the location's API key.
	Secret    string    `json:"cluster_secret"`
	Hours     Hours     `json:"hours"`
	CreatedAt time.Time `json:"created_at"` // business time
}

// Hours are the opening hours in the venue's zone; a weekday left out is
// closed, and no weekday at all means that the hours are not known.
type Hours map[time.Weekday]Span

// Span is one day's opening, as local "HH:MM". A Close that is not after Open
// lies in the following night.
type Span struct {
	Open  string `json:"open"`
	Close string `json:"close"`
}

const defaultLanguage = "fr" // most venues are in Quebec

// Validate tells what is wrong with a location, naming the field (BadInput).
func (l Location) Validate() error {
	if err := work.CheckLocationID(l.ID); err != nil {
		return err
	}
	if strings.TrimSpace(l.TradeName) == "" {
		return work.Err(work.BadInput, "the trade name is empty")
	}
	if strings.TrimSpace(l.Serial) == "" {
		return work.Err(work.BadInput, "the serial number is empty")
	}
	if l.Language != "fr" && l.Language != "en" {
		return work.Err(work.BadInput, "language: want fr or en")
	}
	if _, err := loadZone(l.Zone); err != nil {
		return err
	}
	for day, span := range l.Hours {
		if day < time.Sunday || day > time.Saturday {
			return work.Err(work.BadInput, "opening hours: there is no such weekday")
		}
		for _, at := range []string{span.Open, span.Close} {
			if _, err := time.Parse("15:04", at); err != nil {
				return work.Err(work.BadInput, fmt.Sprintf("opening hours of %s: want HH:MM", day))
			}
		}
	}
	return nil
}

// loadZone refuses what is no IANA zone; Go's own "" and "Local" are none.
func loadZone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, work.Err(work.BadInput, "unknown zone: want an IANA name such as America/Toronto")
	}
	return zone, nil
}

// AddLocation adds a location, journalled; CreatedAt is set here.
func (s *Store) AddLocation(ctx context.Context, l Location, by Actor) error {
	if l.Language == "" {
		l.Language = defaultLanguage
	}
	if err := l.Validate(); err != nil {
		return err
	}
	if l.Hours == nil {
		l.Hours = Hours{}
	}
	hours, err := asJSON(l.Hours)
	if err != nil {
		return err
	}
	return s.inTx(ctx, "adding a location", func(tx *sqlx.Tx) error {
		now := s.clock.Now()
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO locations (id, trade_name, address, zone, language, hours, serial, cluster_secret, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			l.ID, l.TradeName, l.Address, l.Zone, l.Language, hours, l.Serial, l.Secret, now); err != nil {
			return locationTaken(err)
		}
		return s.newSerial(ctx, tx, l.ID, "", l.Serial, by, ActAddLocation)
	})
}

// newSerial keeps the serial number's history and journals it.
func (s *Store) newSerial(ctx context.Context, tx *sqlx.Tx, location, old, serial string, by Actor, act string) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO serials (location_id, serial, since) VALUES ($1, $2, $3)
		ON CONFLICT (location_id, serial) DO UPDATE SET since = excluded.since`,
		location, serial, s.clock.Now()); err != nil {
		return err
	}
	e := by.entry(act)
	e.Location, e.Old, e.New = location, old, serial
	return s.journal(ctx, tx, e)
}

func locationTaken(err error) error {
	e, ok := errors.AsType[*pq.Error](err)
	switch {
	case ok && e.Constraint == "locations_pkey":
		return work.Err(work.BadInput, "there is already a location of this id")
	case ok && e.Constraint == "locations_serial":
		return work.Err(work.BadInput, "another location has this serial number")
	}
	return err
}

// Location finds a location; an unknown id is BadInput.
func (s *Store) Location(ctx context.Context, id string) (Location, error) {
	found, err := selectJSON[Location](ctx, s.db, `SELECT to_json(l) FROM locations l WHERE l.id = $1`, id)
	if err != nil {
		return Location{}, failed("reading a location", err)
	}
	if len(found) == 0 {
		return Location{}, unknownLocation(id)
	}
	return found[0], nil
}

// Locations are all of them, by id.
func (s *Store) Locations(ctx context.Context) ([]Location, error) {
	all, err := selectJSON[Location](ctx, s.db, `SELECT to_json(l) FROM locations l ORDER BY l.id`)
	return all, failed("reading the locations", err)
}

// ReplaceSerial says that new hardware stands at the location, journalled. The
// sales of the old serial number stay as they are.
func (s *Store) ReplaceSerial(ctx context.Context, id, serial string, by Actor) error {
	if strings.TrimSpace(serial) == "" {
		return work.Err(work.BadInput, "the serial number is empty")
	}
	return s.inTx(ctx, "replacing a serial number", func(tx *sqlx.Tx) error {
		old, err := lockLocation(ctx, tx, id)
		if err != nil || old.Serial == serial {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE locations SET serial = $2 WHERE id = $1`, id, serial); err != nil {
			return locationTaken(err)
		}
		return s.newSerial(ctx, tx, id, old.Serial, serial, by, ActReplaceSerial)
	})
}

// SetLocationSecret says under which id the vault keeps the location's API
// key, journalled without it.
func (s *Store) SetLocationSecret(ctx context.Context, id, secret string, by Actor) error {
	return s.inTx(ctx, "setting a credential", func(tx *sqlx.Tx) error {
		if _, err := lockLocation(ctx, tx, id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE locations SET cluster_secret = $2 WHERE id = $1`, id, secret); err != nil {
			return err
		}
		e := by.entry(ActSetSecret)
		e.Location = id
		return s.journal(ctx, tx, e)
	})
}

func lockLocation(ctx context.Context, tx *sqlx.Tx, id string) (Location, error) {
	found, err := selectJSON[Location](ctx, tx, `SELECT to_json(l) FROM locations l WHERE l.id = $1 FOR UPDATE`, id)
	if err == nil && len(found) == 0 {
		err = unknownLocation(id)
	}
	if err != nil {
		return Location{}, err
	}
	return found[0], nil
}

func unknownLocation(id string) error {
	if err := work.CheckLocationID(id); err != nil {
		return err
	}
	return work.Err(work.BadInput, "there is no location "+id)
}
