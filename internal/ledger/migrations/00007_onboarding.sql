-- +goose Up

-- One venue's way to a partner (a case of an onboarding), or the replacing of
-- one of its credentials. Temporal decides; here lie the data that never enter
-- a history, and where a case stands, for pages and verbs.
CREATE TABLE cases (
  id          text PRIMARY KEY, -- "<partner>:<request>:<n>", or "<connection>:r<n>"
  workflow    text NOT NULL,    -- the id of the workflow that takes its Updates
  request     text NOT NULL,    -- "<partner>:<request>"; of a rotation, its workflow
  partner     text NOT NULL,
  serial      text NOT NULL DEFAULT '', -- of the till, once it is known
  location    text NOT NULL DEFAULT '', -- ours, once it is known
  place       bigint NOT NULL DEFAULT 0, -- the partner's location, once it is chosen
  rotates     text NOT NULL DEFAULT '', -- which credential of the location is replaced
  outcome     text NOT NULL DEFAULT '', -- empty while it is open
  contact     bytea,            -- sealed: name and address; null where none is known, and once purged
  contact_key text NOT NULL DEFAULT '', -- keyed hash of the address
  asked_group text NOT NULL DEFAULT '', -- those of one contact, who share a mail: "<request>:c<n>"
  created_at  timestamptz NOT NULL,     -- business time, as all instants of this table
  data        jsonb NOT NULL            -- all else; no person, secret or amount
);
-- A second request for a venue and partner joins the first.
CREATE UNIQUE INDEX cases_one_open ON cases (partner, serial) WHERE serial <> '' AND outcome = '';
-- Two venues that fill one location of a partner's would add up there.
CREATE UNIQUE INDEX cases_one_place ON cases (partner, place) WHERE place <> 0 AND outcome = '';
-- Two rotations of one credential would revoke each other's.
CREATE UNIQUE INDEX cases_one_rotation ON cases (location, rotates) WHERE rotates <> '' AND outcome = '';
CREATE INDEX cases_group ON cases (asked_group) WHERE asked_group <> '';
CREATE INDEX cases_request ON cases (request);

-- The one-time fee of a location and partner. Amounts are integer cents.
CREATE TABLE charges (
  number     text PRIMARY KEY, -- of the invoice, a function of the case
  case_id    text NOT NULL REFERENCES cases (id),
  partner    text NOT NULL,
  serial     text NOT NULL,
  state      text NOT NULL CHECK (state IN ('open', 'paid', 'waived', 'void', 'refunded')),
  currency   text NOT NULL,
  before_tax bigint NOT NULL,
  gst        bigint NOT NULL,
  qst        bigint NOT NULL,
  gst_rate   bigint NOT NULL,
  qst_rate   bigint NOT NULL,
  opened_at  timestamptz NOT NULL, -- business time
  settled_at timestamptz,          -- business time
  reference  text NOT NULL DEFAULT '', -- of the payment, in the books
  refund_reference text NOT NULL DEFAULT ''
);
-- At most one unrefunded charge per location and partner, whatever crashes.
CREATE UNIQUE INDEX charges_one ON charges (partner, serial) WHERE state IN ('open', 'paid');

-- What the billing system told, which may come before the charge is here.
CREATE TABLE payments (
  id          text PRIMARY KEY, -- the billing system's
  number      text NOT NULL,    -- of the invoice
  kind        text NOT NULL CHECK (kind IN ('payment', 'refund')),
  amount      bigint NOT NULL,  -- with tax, in cents
  currency    text NOT NULL,
  at          timestamptz NOT NULL,
  received_at timestamptz NOT NULL, -- business time
  taken       text NOT NULL DEFAULT '' -- what for; empty as long as it means nothing
);
CREATE INDEX payments_number ON payments (number);

-- Keys to tills. A generation is one act of issuing: what was intended is
-- written before Cluster is asked, so that after a crash nobody has to guess.
CREATE TABLE till_keys (
  base       text PRIMARY KEY, -- of the request ids under which Cluster is asked
  serial     text NOT NULL,
  holder     text NOT NULL,    -- clusterbridge, or the partner that reads the till
  generation integer NOT NULL, -- from 1
  attempt    integer NOT NULL DEFAULT 0,
  orphan     text NOT NULL DEFAULT '', -- id of a key that was issued and lost
  key_id     text NOT NULL DEFAULT '', -- of the key that is kept
  withdrawn  boolean NOT NULL DEFAULT false,
  gone       boolean NOT NULL DEFAULT false, -- withdrawn to the end: nothing of it is active at Cluster
  UNIQUE (serial, holder, generation)
);

-- A key that waits behind a link, for one reader, once.
CREATE TABLE reveals (
  case_id    text NOT NULL REFERENCES cases (id),
  reader     text NOT NULL,
  round      integer NOT NULL,     -- from 1; a key that is handed over once more has another
  secret     text NOT NULL,        -- its id in the vault
  expires_at timestamptz NOT NULL, -- business time
  opened_at  timestamptz,          -- business time
  PRIMARY KEY (case_id, reader, round)
);

-- What waits for a person, for the gateway's metrics.
CREATE INDEX documents_parked ON documents (connection) WHERE uncertain;

-- +goose Down
DROP INDEX documents_parked;
DROP TABLE reveals;
DROP TABLE till_keys;
DROP TABLE payments;
DROP TABLE charges;
DROP TABLE cases;
