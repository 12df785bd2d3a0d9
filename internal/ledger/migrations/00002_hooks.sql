-- +goose Up

-- Signatures of hooks that were taken, so that no gateway takes one twice. A
-- replay after a crash would only start one more sync, so it is not logged.
CREATE UNLOGGED TABLE hook_seen (
  signature bytea PRIMARY KEY,
  until     timestamptz NOT NULL -- PostgreSQL's clock; from then on it is too old anyway
);
CREATE INDEX hook_seen_until ON hook_seen (until);

-- A partner's callback names a document by the partner's own reference, and
-- anybody may call: it must not cost a walk through all documents. Hashed, as
-- nothing is ever sorted by it.
CREATE INDEX documents_by_ref ON documents USING hash (ref) WHERE ref <> '';

-- +goose Down
DROP INDEX documents_by_ref;
DROP TABLE hook_seen;
