-- +goose Up

-- With statistics PostgreSQL takes a connection that it has not seen, or not
-- yet, to have no rows at all. Then it finds any index that begins with the
-- connection as good as the key, and reads all of the connection's rows for
-- each document: measured 50 times slower while a history is brought in.
-- Without statistics it takes every connection to have some.
ALTER TABLE documents ALTER COLUMN connection SET STATISTICS 0;
ALTER TABLE sales ALTER COLUMN connection SET STATISTICS 0;
-- What was gathered before would stay; a new type, even the same, drops it.
ALTER TABLE documents ALTER COLUMN connection TYPE text;
ALTER TABLE sales ALTER COLUMN connection TYPE text;

-- Claiming rewrites a batch of neighbouring rows at once, in place only when
-- their page has room for all of them a second time.
ALTER TABLE documents SET (fillfactor = 50);

-- +goose Down
ALTER TABLE documents SET (fillfactor = 75);
ALTER TABLE sales ALTER COLUMN connection SET STATISTICS -1;
ALTER TABLE documents ALTER COLUMN connection SET STATISTICS -1;
