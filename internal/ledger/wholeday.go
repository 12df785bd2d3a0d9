package ledger

import (
	"context"

	"github.com/clustersystems/clusterbridge/internal/partner"
	"github.com/clustersystems/clusterbridge/internal/sale"
)

// TranslateDay says what the partner should hold of a business day, as
// partner.WholeDays does, with the connection filled in.
type TranslateDay func(day sale.Day, sales []sale.Sale, known []string) ([]partner.Document, error)

// daySale is the sale of a document that is a whole day's.
func daySale(day sale.Day) string { return "day:" + day.String() }

const markDay = `
	WITH held AS (
		SELECT id FROM connections
		WHERE id = $1 AND lease_holder = $13 AND lease_until > clock_timestamp() AND settings_version = $14
		FOR SHARE
	), current AS (SELECT $15::text AS id, ''::text AS hash FROM held)`

// MarkDay marks anew the documents of a whole business day, after sales of it
// were recorded. Only the holder of the lease may, so that two never sum
// different sales; it fails with LeaseHeld when the lease is lost or c's
// settings have changed.
func (s *Store) MarkDay(ctx context.Context, c Connection, holder string, day sale.Day, lane Lane, date func(sale.Sale) (sale.Day, bool), translate TranslateDay) (int, error) {
	m, err := newMarking(c, lane)
	if err != nil {
		return 0, err
	}
	// By opening: one opened the evening before may be dated in the day.
	var sales []sale.Sale
	for _, opened := range []sale.Day{day.Plus(-1), day, day.Plus(1)} {
		some, err := s.SalesOfDay(ctx, c.ID, opened)
		if err != nil {
			return 0, err
		}
		for _, one := range some {
			if dated, known := date(one); known && dated == day {
				sales = append(sales, one)
			}
		}
	}
	var known []string
	if err := s.db.SelectContext(ctx, &known, `
		SELECT id FROM documents WHERE connection = $1 AND sale_id = $2 AND sale_id <> id ORDER BY id`, c.ID, daySale(day)); err != nil {
		return 0, failed("reading a day's documents", err)
	}
	documents, err := translate(day, sales, known)
	if err != nil {
		return 0, err
	}
	for _, d := range documents {
		m.documents = append(m.documents, wantedRow{
			ID: d.ID, SaleID: daySale(day), Day: day, Date: d.Date, Body: d.Body, Hash: d.Hash,
		})
	}
	done, err := s.mark(ctx, "marking a whole day", m, markDay, holder, c.SettingsVersion, daySale(day))
	return done.Changed, err
}

// ForgetUntried deletes the documents of business days up to one that were
// never tried: the partner does not know of them, and they are wanted in
// another form.
func (s *Store) ForgetUntried(ctx context.Context, connection string, until sale.Day) error {
	_, err := s.db.ExecContext(ctx, `
		DELETE FROM documents WHERE connection = $1 AND day <= $2::date AND attempt = 0 AND sale_id NOT LIKE 'day:%'`,
		connection, until.String())
	return failed("forgetting documents that were never tried", err)
}

// Tried tells whether the partner was ever sent a document of the connection.
func (s *Store) Tried(ctx context.Context, connection string) (bool, error) {
	var tried bool
	err := s.db.GetContext(ctx, &tried, `SELECT EXISTS (SELECT 1 FROM documents WHERE connection = $1 AND attempt > 0)`, connection)
	return tried, failed("looking for documents that were sent", err)
}

// KnownDocuments is how many of some ids are documents of a connection.
func (s *Store) KnownDocuments(ctx context.Context, connection string, ids []string) (int, error) {
	var n int
	err := s.db.GetContext(ctx, &n, `SELECT count(*) FROM documents WHERE connection = $1 AND id = ANY ($2::text[])`, connection, textArray(ids))
	return n, failed("looking for documents", err)
}
