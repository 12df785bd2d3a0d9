package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/lib/pq"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/clustersystems/clusterbridge/internal/ledger/migrations"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// noTimeout: a migration of a big table may take its time.
const noTimeout = 0

// Migrate brings the schema at a PostgreSQL URL up to this program's version
// and tells from which version to which. It holds an advisory lock, so that
// two that run at once do it one after the other. Workers never migrate.
func Migrate(ctx context.Context, url string) (from, to int64, err error) {
	db, err := connect(url, noTimeout)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return 0, 0, failed("migrate", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db.DB, migrations.Files, goose.WithSessionLocker(locker))
	if err != nil {
		return 0, 0, failed("migrate", err)
	}
	done, err := provider.Up(ctx)
	if err != nil {
		return 0, 0, failed("migrate", err)
	}
	if to, err = provider.GetDBVersion(ctx); err != nil {
		return 0, 0, failed("migrate", err)
	}
	if len(done) == 0 {
		return to, to, nil
	}
	return done[0].Source.Version - 1, to, nil
}

// checkSchema refuses a schema older than the newest migration built in.
func (s *Store) checkSchema(ctx context.Context) error {
	needed, err := newestMigration()
	if err != nil {
		return err
	}
	var version int64
	err = s.db.GetContext(ctx, &version, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`)
	if e, ok := errors.AsType[*pq.Error](err); ok && e.Code.Name() == "undefined_table" {
		err = nil // never migrated
	}
	if err != nil {
		return failed("reading the schema's version", err)
	}
	if version < needed {
		return work.Err(work.SchemaTooOld, fmt.Sprintf("version %d, needed is %d", version, needed))
	}
	return nil
}

func newestMigration() (int64, error) {
	names, err := fs.Glob(migrations.Files, "*.sql")
	if err != nil {
		return 0, failed("reading the migrations", err)
	}
	var newest int64
	for _, name := range names {
		number, _, _ := strings.Cut(path.Base(name), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, work.Errf(work.Internal, err, "migration %s has no number", name)
		}
		newest = max(newest, n)
	}
	return newest, nil
}
