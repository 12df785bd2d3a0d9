-- +goose Up

-- To look up its upload was a third of what it costs to mint a line. A line is
-- only ever written, and moved, by the statement that makes its upload, and
-- uploads are never deleted.
ALTER TABLE lines DROP CONSTRAINT lines_upload_fkey;

-- Only a person's word on an upload asks for the lines of one, and may walk
-- through the connection's; every line paid for that.
DROP INDEX lines_of_upload;

-- Nearly all documents have the id of their sale, and are found by that. Each
-- entry spared is spared twice, since settling writes all of a document's anew.
DROP INDEX documents_by_sale;
CREATE INDEX documents_by_sale ON documents (connection, sale_id) WHERE sale_id <> id;

-- +goose Down
DROP INDEX documents_by_sale;
CREATE INDEX documents_by_sale ON documents (connection, sale_id);
CREATE INDEX lines_of_upload ON lines (upload);
ALTER TABLE lines ADD CONSTRAINT lines_upload_fkey FOREIGN KEY (upload) REFERENCES uploads (number);
