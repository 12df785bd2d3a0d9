package postgres

import (
	"database/sql"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// answerWithin is how long a server may take to let us in: a wrong
// DATABASE_URL is told within 10 seconds.
const answerWithin = 8 * time.Second

// connect opens a pool. The driver's opening handshake ignores contexts, so it
// is bounded here.
func connect(database string) (*sqlx.DB, error) {
	cfg, err := pq.NewConfig(database)
	if err != nil {
		return nil, err
	}
	if cfg.ConnectTimeout == 0 || cfg.ConnectTimeout > answerWithin {
		cfg.ConnectTimeout = answerWithin
	}
	connector, err := pq.NewConnectorConfig(cfg)
	if err != nil {
		return nil, err
	}
	return sqlx.NewDb(sql.OpenDB(connector), "postgres"), nil
}
