-- +goose Up

-- A location is one venue's till installation.
CREATE TABLE locations (
  id             text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  trade_name     text NOT NULL,
  address        text NOT NULL DEFAULT '',
  zone           text NOT NULL,
  language       text NOT NULL DEFAULT 'fr' CHECK (language IN ('fr', 'en')),
  hours          jsonb NOT NULL DEFAULT '{}',
  serial         text NOT NULL,
  cluster_secret text NOT NULL DEFAULT '', -- the API key in secrets
  created_at     timestamptz NOT NULL
);

-- Hardware is replaced: which serial number a location had, and since when.
CREATE TABLE serials (
  location_id text NOT NULL REFERENCES locations (id),
  serial      text NOT NULL,
  since       timestamptz NOT NULL,
  PRIMARY KEY (location_id, serial)
);

-- A connection is one location linked to one partner.
CREATE TABLE connections (
  id                  text PRIMARY KEY, -- <partner>:<location>
  partner             text NOT NULL,
  location_id         text NOT NULL REFERENCES locations (id),
  state               text NOT NULL,
  state_since         timestamptz NOT NULL,
  state_code          text NOT NULL DEFAULT '',
  state_why           text NOT NULL DEFAULT '',
  state_before_pause  text NOT NULL DEFAULT '',
  company_id          bigint NOT NULL DEFAULT 0,
  partner_location_id bigint NOT NULL DEFAULT 0,
  secret              text NOT NULL DEFAULT '', -- the token in secrets
  settings            jsonb NOT NULL DEFAULT '{}',
  connected_at        timestamptz NOT NULL,
  live_from           timestamptz NOT NULL, -- 05:00 of the business day of connecting
  history_from        date NOT NULL,        -- the first business day that is ours
  history_done        boolean NOT NULL DEFAULT false,
  -- The till's clock at the start of the last whole pull; overlap is
  -- subtracted at query time only.
  watermark           timestamptz,
  reread_through      date,                 -- nightly re-read done through this business day
  reread_next         date,                 -- a re-read in progress works on this day,
  reread_until        date,                 -- up to and including this one
  last_run_at         timestamptz,
  last_success_at     timestamptz,
  last_failure_at     timestamptz,
  last_failure_code   text NOT NULL DEFAULT '',
  last_failure_why    text NOT NULL DEFAULT '',
  failures            integer NOT NULL DEFAULT 0, -- runs failed in a row
  refusals            integer NOT NULL DEFAULT 0, -- of them refused, in a row
  first_sale_at       timestamptz,          -- when the first document was sent
  lease_holder        text NOT NULL DEFAULT '',
  lease_until         timestamptz
);
CREATE INDEX connections_of_location ON connections (location_id);

-- The newest snapshot of every sale, per connection.
CREATE TABLE sales (
  connection    text NOT NULL,
  id            text NOT NULL,
  modified_at   timestamptz NOT NULL,
  read_began_at timestamptz NOT NULL,
  day           date NOT NULL, -- by opening
  hash          text NOT NULL,
  snapshot      jsonb NOT NULL,
  missed        smallint NOT NULL DEFAULT 0, -- complete re-reads without it, in a row
  PRIMARY KEY (connection, id)
);
CREATE INDEX sales_by_day ON sales (connection, day);

-- What each partner should hold (wanted), has accepted (sent) and was seen to
-- hold (confirmed). A version is a content hash and a resend counter.
CREATE TABLE documents (
  connection       text NOT NULL,
  id               text NOT NULL,
  sale_id          text NOT NULL,
  day              date NOT NULL,        -- by the receipt's date
  date             timestamptz NOT NULL,
  lane             smallint NOT NULL,    -- 0 live, 1 history
  body             jsonb NOT NULL,
  hash             text NOT NULL,
  resend           integer NOT NULL DEFAULT 0,
  wanted_at        timestamptz NOT NULL,
  created          boolean NOT NULL DEFAULT false,
  -- The intent is written before the call: an attempt number and the version
  -- on its way. While lease_until is set the outcome is unknown.
  attempt          bigint NOT NULL DEFAULT 0,
  intent_hash      text NOT NULL DEFAULT '',
  intent_resend    integer NOT NULL DEFAULT 0,
  lease_until      timestamptz,
  ambiguous        boolean NOT NULL DEFAULT false,
  retry_at         timestamptz,
  tries            integer NOT NULL DEFAULT 0, -- failed attempts or failed read-backs in a row
  sent_hash        text NOT NULL DEFAULT '',
  sent_resend      integer NOT NULL DEFAULT -1,
  sent_body        jsonb,
  sent_at          timestamptz,
  ref              text NOT NULL DEFAULT '',
  confirm_at       timestamptz,          -- when it is due to be read back
  second_look      boolean NOT NULL DEFAULT false, -- a stray write may still come
  confirmed_hash   text NOT NULL DEFAULT '',
  confirmed_resend integer NOT NULL DEFAULT -1,
  confirmed_at     timestamptz,
  unverifiable     boolean NOT NULL DEFAULT false,
  quarantined      boolean NOT NULL DEFAULT false,
  PRIMARY KEY (connection, id)
);
CREATE INDEX documents_due ON documents (connection, lane, date, id)
  WHERE NOT quarantined AND (hash <> sent_hash OR resend <> sent_resend OR lease_until IS NOT NULL);
CREATE INDEX documents_to_confirm ON documents (connection, confirm_at)
  WHERE confirm_at IS NOT NULL;
CREATE INDEX documents_by_day ON documents (connection, day);
CREATE INDEX documents_by_sale ON documents (connection, sale_id);

-- Records put aside, with the reason; what is raw stays here and is never
-- shown in a history.
CREATE TABLE quarantine (
  number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  connection text NOT NULL,
  kind       text NOT NULL CHECK (kind IN ('order', 'document')),
  record_id  text NOT NULL,
  day        date,
  code       text NOT NULL,
  why        text NOT NULL,
  raw        text NOT NULL DEFAULT '',
  first_at   timestamptz NOT NULL,
  last_at    timestamptz NOT NULL,
  times      integer NOT NULL DEFAULT 1,
  status     text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'released', 'discarded', 'healed'))
);
CREATE UNIQUE INDEX quarantine_open ON quarantine (connection, kind, record_id) WHERE status = 'open';

-- Every act of a person and every turn of a connection's story, append-only.
CREATE TABLE journal (
  number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL,
  connection text NOT NULL DEFAULT '',
  location   text NOT NULL DEFAULT '',
  who        text NOT NULL, -- a staff handle, or "clusterbridge"
  act        text NOT NULL,
  old        text NOT NULL DEFAULT '',
  new        text NOT NULL DEFAULT '',
  reason     text NOT NULL DEFAULT '',
  note       text NOT NULL DEFAULT ''
);
CREATE INDEX journal_of_connection ON journal (connection, number);
-- +goose StatementBegin
CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the journal is append-only';
END $$;
-- +goose StatementEnd
CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE ON journal
  FOR EACH ROW EXECUTE FUNCTION journal_is_append_only();

-- Secrets, encrypted; opened only inside activities.
CREATE TABLE secrets (
  id         text PRIMARY KEY,
  sealed     bytea NOT NULL,
  created_at timestamptz NOT NULL
);

-- One row per credential: the next free time slot on PostgreSQL's clock, and
-- until when it rests after a refusal for speed. Losing it in a crash costs at
-- most a second of rate, so it is not logged.
CREATE UNLOGGED TABLE permits (
  credential text PRIMARY KEY, -- keyed hash of the token
  next_slot  timestamptz NOT NULL,
  rest_until timestamptz NOT NULL DEFAULT '-infinity',
  granted    bigint NOT NULL DEFAULT 0,
  voided     bigint NOT NULL DEFAULT 0
);

-- +goose Down
DROP TABLE permits, secrets, journal, quarantine, documents, sales, connections, serials, locations;
DROP FUNCTION journal_is_append_only;
