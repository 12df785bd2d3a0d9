-- +goose Up

-- Partners that add up lines and can take none back (WISK). An upload is the
-- unit of intent: it is written, with its lines, before the call, and its end
-- after. Lines are never changed; an upload whose parts ended differently is
-- cut, and its lines then point to another one.
CREATE TABLE uploads (
  number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  connection text NOT NULL,
  minted_at  timestamptz NOT NULL, -- business time
  -- intended: on its way or its end unknown; accepted: the partner's 2xx seen;
  -- unsent: it certainly had no effect; uncertain: waits for a person, who says
  -- applied or not_applied.
  state      text NOT NULL DEFAULT 'intended'
    CHECK (state IN ('intended', 'accepted', 'unsent', 'uncertain', 'applied', 'not_applied')),
  settled_at timestamptz
) WITH (fillfactor = 80); -- settling stays on its page
CREATE INDEX uploads_uncertain ON uploads (connection, number) WHERE state = 'uncertain';

CREATE TABLE lines (
  connection text NOT NULL,
  document   text NOT NULL,
  seq        integer NOT NULL CHECK (seq > 0),
  upload     bigint NOT NULL REFERENCES uploads (number),
  date       timestamptz NOT NULL,
  day        date NOT NULL,
  item       text NOT NULL,
  title      text NOT NULL,
  quantity   numeric NOT NULL CHECK (quantity <> 0),
  total      bigint NOT NULL, -- cents
  reverses   integer,         -- the line of the same document that it takes back
  refused    text NOT NULL DEFAULT '', -- why the partner refused it
  PRIMARY KEY (connection, document, seq)
);
-- Statistics would mislead here as they did for documents (migration 3).
ALTER TABLE lines ALTER COLUMN connection SET STATISTICS 0;
CREATE INDEX lines_of_upload ON lines (upload);
CREATE INDEX lines_by_day ON lines (connection, day);

-- An id once minted is frozen with its content.
-- +goose StatementBegin
CREATE FUNCTION lines_are_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a line that was minted never changes';
END $$;
-- +goose StatementEnd
CREATE TRIGGER lines_frozen BEFORE UPDATE OF connection, document, seq, date, day, item, title, quantity, total, reverses
  ON lines FOR EACH ROW EXECUTE FUNCTION lines_are_frozen();

-- A document with an upload of unknown end that must not be sent again waits
-- for a person, whatever its sale becomes meanwhile.
ALTER TABLE documents ADD COLUMN uncertain boolean NOT NULL DEFAULT false;
DROP INDEX documents_due;
ALTER TABLE documents DROP COLUMN due;
ALTER TABLE documents ADD COLUMN due boolean NOT NULL GENERATED ALWAYS AS (
    NOT quarantined AND NOT uncertain
    AND (hash <> sent_hash OR resend <> sent_resend OR ambiguous OR lease_until IS NOT NULL)
  ) STORED;
CREATE INDEX documents_due ON documents (connection, lane, date, id) WHERE due;

-- The business days that a backfill has brought in, so that another one goes
-- on where days are missing.
CREATE TABLE backfilled (
  connection text NOT NULL,
  day        date NOT NULL,
  at         timestamptz NOT NULL, -- business time
  orders     integer NOT NULL,
  PRIMARY KEY (connection, day)
);

-- Items as a location sold them: one row per code and title, so that a changed
-- title and a code that comes back as another product are seen.
CREATE TABLE items (
  location   text NOT NULL REFERENCES locations (id),
  code       text NOT NULL,
  title      text NOT NULL,
  first_day  date NOT NULL,
  last_day   date NOT NULL,
  first_seen timestamptz NOT NULL,
  PRIMARY KEY (location, code, title)
);

-- What people should know before it does harm: one row per thing found, told
-- once, closed by a person or when it is gone.
CREATE TABLE findings (
  number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  connection text NOT NULL,
  kind       text NOT NULL,
  subject    text NOT NULL, -- what it is about, such as an item's code
  day        date,          -- the business day since which it is so
  detail     jsonb NOT NULL DEFAULT '{}', -- never reaches a history
  first_at   timestamptz NOT NULL,
  last_at    timestamptz NOT NULL,
  times      integer NOT NULL DEFAULT 1,
  told_at    timestamptz,
  status     text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'seen', 'gone'))
);
CREATE UNIQUE INDEX findings_open ON findings (connection, kind, subject) WHERE status = 'open';
CREATE INDEX findings_of_connection ON findings (connection, number);

-- +goose Down
DROP TABLE findings, items, backfilled;
DROP INDEX documents_due;
ALTER TABLE documents DROP COLUMN due;
ALTER TABLE documents ADD COLUMN due boolean NOT NULL GENERATED ALWAYS AS (
    NOT quarantined AND (hash <> sent_hash OR resend <> sent_resend OR ambiguous OR lease_until IS NOT NULL)
  ) STORED;
CREATE INDEX documents_due ON documents (connection, lane, date, id) WHERE due;
ALTER TABLE documents DROP COLUMN uncertain;
DROP TABLE lines, uploads;
DROP FUNCTION lines_are_frozen;
