-- +goose Up

-- What goes out by mail. The intent is written before a mail is sent and the
-- outcome after. Whose address it is and what it says are sealed: the address
-- until it is purged, the text until the mail is sent.
CREATE TABLE mails (
  key         text PRIMARY KEY, -- the step's; holds no person's name or address
  kind        text NOT NULL,
  lang        text NOT NULL,
  recipient   bytea,            -- sealed; null once purged
  content     bytea,            -- sealed; every copy of a key is this text; null once sent or purged
  message_id  text NOT NULL,
  state       text NOT NULL CHECK (state IN ('intended', 'sent', 'failed')),
  attempts    integer NOT NULL,
  -- Attempts of which nobody knows whether the server took the mail: the one on
  -- its way, and those whose process died or whose answer was lost.
  unsure      integer NOT NULL,
  first_at    timestamptz NOT NULL, -- business time
  dated_at    timestamptz NOT NULL, -- business time: the mail's own date, the same in every copy
  sent_at     timestamptz,          -- business time
  last_error  text NOT NULL DEFAULT '', -- a work.Code
  lease_until timestamptz,          -- PostgreSQL's clock
  purged      boolean NOT NULL DEFAULT false
);
CREATE INDEX mails_waiting ON mails (first_at) WHERE state <> 'sent' AND NOT purged;

-- +goose Down
DROP TABLE mails;
