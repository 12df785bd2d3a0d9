-- +goose Up

-- How many versions of a document the partner has accepted: a day's report that
-- changes is sent again with the number of its revision.
ALTER TABLE documents ADD COLUMN versions integer NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE documents DROP COLUMN versions;
