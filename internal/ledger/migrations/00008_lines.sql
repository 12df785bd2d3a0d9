-- +goose Up

-- To look up its upload was a third of what it costs to mint a line. A line is
-- only ever written, and moved, by the statement that makes its upload, and
-- uploads are never deleted.
ALTER TABLE lines DROP CONSTRAINT lines_upload_fkey;

-- +goose Down
ALTER TABLE lines ADD CONSTRAINT lines_upload_fkey FOREIGN KEY (upload) REFERENCES uploads (number);
