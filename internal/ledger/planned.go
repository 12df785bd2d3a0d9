package ledger

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/jmoiron/sqlx"
)

// planned runs statements that every step runs. They are prepared once per
// database connection, so that PostgreSQL keeps their plans: to parse and plan
// one that records a page takes as long as to record twenty orders. It implements
// sqlx.QueryerContext. A pooler between program and PostgreSQL has to know
// prepared statements, as PgBouncer does from 1.21 on.
type planned struct {
	db   *sqlx.DB
	kept sync.Map // *sqlx.Stmt by statement
}

func (p *planned) statement(ctx context.Context, query string) (*sqlx.Stmt, error) {
	if known, ok := p.kept.Load(query); ok {
		return known.(*sqlx.Stmt), nil
	}
	made, err := p.db.PreparexContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if known, raced := p.kept.LoadOrStore(query, made); raced {
		return known.(*sqlx.Stmt), made.Close()
	}
	return made, nil
}

// QueryContext implements sqlx.QueryerContext.
func (p *planned) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := p.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// QueryxContext implements sqlx.QueryerContext.
func (p *planned) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	s, err := p.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryxContext(ctx, args...)
}

// QueryRowxContext implements sqlx.QueryerContext.
func (p *planned) QueryRowxContext(ctx context.Context, query string, args ...any) *sqlx.Row {
	s, err := p.statement(ctx, query)
	if err != nil {
		return p.db.QueryRowxContext(ctx, query, args...) // fails likewise, and can say so
	}
	return s.QueryRowxContext(ctx, args...)
}

// ExecContext runs a statement that answers nothing.
func (p *planned) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := p.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

func (p *planned) close() (err error) {
	p.kept.Range(func(_, s any) bool {
		err = errors.Join(err, s.(*sqlx.Stmt).Close())
		return true
	})
	return err
}
