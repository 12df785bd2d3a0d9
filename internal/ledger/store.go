package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/jmoiron/sqlx/types"
	"github.com/lib/pq"

	"github.com/clustersystems/clusterbridge/internal/clock"
	"github.com/clustersystems/clusterbridge/internal/work"
)

const (
	// poolSize is how many database connections one process holds at most: a
	// worker's activities wait for partners most of the time, and many workers
	// share PostgreSQL's default of 100.
	poolSize = 16
	// idleFor is how long an unused database connection is kept.
	idleFor = 5 * time.Minute
	// statementTimeout ends a statement on the server: the slowest (a page of
	// 500 orders, a count over one connection's documents) takes under a second.
	statementTimeout = 30 * time.Second
	// idleInTransaction ends a transaction whose process hangs with locks held.
	idleInTransaction = 30 * time.Second
)

// Store is the ledger. It is safe for use by many goroutines. Every method
// returns *work.Error: LedgerUnavailable when PostgreSQL did not answer.
type Store struct {
	db    *sqlx.DB
	often *planned // the same database
	clock clock.Clock
	log   *slog.Logger
}

// Open connects to the ledger at a PostgreSQL URL. A schema older than this
// program is refused with SchemaTooOld; a newer one is accepted, since
// migrations only ever expand what the program before them needs.
func Open(ctx context.Context, url string, c clock.Clock, log *slog.Logger) (*Store, error) {
	db, err := connect(url, statementTimeout)
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, often: &planned{db: db}, clock: c, log: log}
	if err := s.checkSchema(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// DB is the pool beneath, for the limiter and the vault, which keep their own
// tables in the same database.
func (s *Store) DB() *sqlx.DB { return s.db }

// Close gives the database connections back.
func (s *Store) Close() error { return errors.Join(s.often.close(), s.db.Close()) }

// Ping tells whether PostgreSQL answers.
func (s *Store) Ping(ctx context.Context) error {
	return failed("ping", s.db.PingContext(ctx))
}

func connect(url string, timeout time.Duration) (*sqlx.DB, error) {
	cfg, err := pq.NewConfig(url)
	if err != nil {
		// The driver's own words may quote the URL, and with it the password.
		return nil, work.Err(work.BadInput, "the ledger's URL (DATABASE_URL) cannot be read")
	}
	// Parameters travel with the statement: one round trip instead of two.
	cfg.BinaryParameters = true
	if cfg.Runtime == nil {
		cfg.Runtime = map[string]string{}
	}
	for name, value := range map[string]string{
		"timezone":                            "UTC",
		"application_name":                    "clusterbridge",
		"statement_timeout":                   millis(timeout),
		"idle_in_transaction_session_timeout": millis(idleInTransaction),
	} {
		if _, given := cfg.Runtime[name]; !given {
			cfg.Runtime[name] = value
		}
	}
	connector, err := pq.NewConnectorConfig(cfg)
	if err != nil {
		return nil, work.Err(work.BadInput, "the ledger's URL (DATABASE_URL) cannot be used")
	}
	db := sqlx.NewDb(sql.OpenDB(connector), "postgres")
	db.SetMaxOpenConns(poolSize)
	db.SetMaxIdleConns(poolSize)
	db.SetConnMaxIdleTime(idleFor)
	return db, nil
}

func millis(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) }

// failed makes the error of a method. What PostgreSQL says stays in the cause,
// for the logs: it may quote a record.
func failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*work.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*pq.Error](err); ok {
		switch e.Code.Class() {
		case "22", "23", "42", "P0": // bad data, a broken rule, a bad statement: no retry helps
			return work.Errf(work.Internal, err, "ledger: %s: PostgreSQL error %s", doing, e.Code)
		}
		return work.Errf(work.LedgerUnavailable, err, "%s: PostgreSQL error %s", doing, e.Code)
	}
	return work.Errf(work.LedgerUnavailable, err, "%s", doing)
}

// inTx runs f in a transaction.
func (s *Store) inTx(ctx context.Context, doing string, f func(tx *sqlx.Tx) error) error {
	tx, err := s.db.BeginTxx(ctx, nil)
	if err != nil {
		return failed(doing, err)
	}
	if err := f(tx); err != nil {
		if rollback := tx.Rollback(); rollback != nil {
			s.log.WarnContext(ctx, "ledger: rolling back", "doing", doing, "error", rollback)
		}
		return failed(doing, err)
	}
	return failed(doing, tx.Commit())
}

// selectJSON reads rows of one JSON column each. Structs that the ledger reads
// name their columns in their json tags, dates and nulls included, so that
// there is one mapping of a row and no second one for scanning.
func selectJSON[T any](ctx context.Context, q sqlx.QueryerContext, query string, args ...any) ([]T, error) {
	var rows []types.JSONText
	if err := sqlx.SelectContext(ctx, q, &rows, query, args...); err != nil {
		return nil, err
	}
	out := make([]T, len(rows))
	for i, row := range rows {
		if err := json.Unmarshal(row, &out[i]); err != nil {
			return nil, work.Errf(work.Internal, err, "ledger: a row cannot be read")
		}
	}
	return out, nil
}

// asJSON is a statement's parameter of type jsonb. A string, since the driver
// sends bytes in PostgreSQL's binary form, which jsonb's is not.
func asJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", work.Errf(work.Internal, err, "ledger: a record cannot be JSON")
	}
	return string(b), nil
}
