package ledger

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// ActExport is how the act of an export begins; what was exported follows, such
// as "hourly-sales".
const ActExport = "export "

// forcedExport marks an export that a person insisted on.
const forcedExport = "forced"

// Export is business days of a location, first and last included, that a
// manager was given as a file to import into a partner by hand. It lives in the
// journal only, and so for ever.
type Export struct {
	Location string
	What     string // the kind of file, such as "hourly-sales"
	From, To sale.Day
	Forced   bool      // a person insisted
	At       time.Time // business time; set by RecordExport
	Who      string    // set by RecordExport
}

func (e Export) overlaps(other Export) bool {
	return !e.To.Before(other.From) && !other.To.Before(e.From)
}

// Exports are the location's exports that share a day with a range, oldest
// first; both ends are included.
func (s *Store) Exports(ctx context.Context, location string, from, to sale.Day) ([]Export, error) {
	found, err := exportsOf(ctx, s.db, Export{Location: location, From: from, To: to})
	return found, failed("reading the exports", err)
}

// exportsOf are the exports of a location that share a day with another.
func exportsOf(ctx context.Context, q sqlx.QueryerContext, other Export) ([]Export, error) {
	entries, err := selectJSON[Entry](ctx, q, `
		SELECT to_json(j) FROM journal j WHERE j.location = $1 AND starts_with(j.act, $2) ORDER BY j.at, j.number`,
		other.Location, ActExport)
	if err != nil {
		return nil, err
	}
	var found []Export
	for _, entry := range entries {
		e := Export{
			Location: entry.Location, What: strings.TrimPrefix(entry.Act, ActExport),
			Forced: entry.Old == forcedExport, At: entry.At, Who: entry.Who,
		}
		first, last, _ := strings.Cut(entry.New, " to ")
		var badFirst, badLast error
		e.From, badFirst = sale.ParseDay(first)
		e.To, badLast = sale.ParseDay(last)
		if err := errors.Join(badFirst, badLast); err != nil {
			return nil, work.Errf(work.Internal, err, "ledger: an export's days cannot be read")
		}
		if e.overlaps(other) {
			found = append(found, e)
		}
	}
	return found, nil
}

// RecordExport writes an export down, journalled, before its file is handed
// over. Where the location's days were exported as something else already, that
// is returned, and nothing is written unless the export is forced: imported
// both, a day counts twice. Of two at the same time, one sees the other.
func (s *Store) RecordExport(ctx context.Context, e Export, by Actor) (clashing []Export, err error) {
	err = s.inTx(ctx, "recording an export", func(tx *sqlx.Tx) error {
		if _, err := lockLocation(ctx, tx, e.Location); err != nil {
			return err
		}
		before, err := exportsOf(ctx, tx, e)
		if err != nil {
			return err
		}
		for _, one := range before {
			if one.What != e.What {
				clashing = append(clashing, one)
			}
		}
		if len(clashing) > 0 && !e.Forced {
			return nil
		}
		entry := by.entry(ActExport + e.What)
		entry.Location, entry.New = e.Location, e.From.String()+" to "+e.To.String()
		if e.Forced {
			entry.Old = forcedExport
		}
		return s.journal(ctx, tx, entry)
	})
	return clashing, err
}

// Serial is a serial number that a location has or had.
type Serial struct {
	Serial string    `json:"serial"`
	Since  time.Time `json:"since"` // when it was told, business time
}

// Serials are the serial numbers of a location, the one in use first. What a
// till sold that was replaced is known under its own serial number only.
func (s *Store) Serials(ctx context.Context, location string) ([]Serial, error) {
	all, err := selectJSON[Serial](ctx, s.db, `
		SELECT to_json(x) FROM serials x JOIN locations l ON l.id = x.location_id
		WHERE x.location_id = $1 ORDER BY x.serial = l.serial DESC, x.since DESC`, location)
	return all, failed("reading the serial numbers", err)
}
