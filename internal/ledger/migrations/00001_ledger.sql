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

-- One till is one location: two would deliver its sales twice.
CREATE UNIQUE INDEX locations_serial ON locations (serial);

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
  -- What was translated under older settings is never recorded.
  settings_version    integer NOT NULL DEFAULT 1,
  connected_at        timestamptz NOT NULL,
  live_from           timestamptz NOT NULL, -- 05:00 of the business day of connecting
  history_from        date NOT NULL,        -- the first business day that is ours
  history_done        boolean NOT NULL DEFAULT false,
  -- The till's clock at the start of the last whole pull; overlap is
  -- subtracted at query time only.
  watermark           timestamptz,
  reread_through      date,                 -- nightly re-read planned through this business day
  last_run_at         timestamptz,
  last_success_at     timestamptz,
  last_failure_at     timestamptz,
  last_failure_code   text NOT NULL DEFAULT '',
  last_failure_why    text NOT NULL DEFAULT '',
  failures            integer NOT NULL DEFAULT 0, -- runs failed in a row
  refusals            integer NOT NULL DEFAULT 0, -- runs refused since the last success
  first_sale_at       timestamptz,          -- when the first document was sent
  lease_holder        text NOT NULL DEFAULT '',
  lease_until         timestamptz
);
CREATE INDEX connections_of_location ON connections (location_id);

-- Business days that are to be read again in full.
CREATE TABLE rereads (
  connection text NOT NULL,
  day        date NOT NULL,
  asked_at   timestamptz NOT NULL,
  PRIMARY KEY (connection, day)
);

-- The newest snapshot of every sale, per connection.
CREATE TABLE sales (
  connection    text NOT NULL,
  id            text NOT NULL,
  modified_at   timestamptz NOT NULL,
  read_began_at timestamptz NOT NULL,
  day           date NOT NULL, -- by opening
  hash          text NOT NULL,
  snapshot      jsonb NOT NULL,
  seen_at       timestamptz NOT NULL, -- when the last read that found it began
  missed        smallint NOT NULL DEFAULT 0, -- complete re-reads without it, in a row
  missed_at     timestamptz, -- when the last of them began: none is counted twice
  PRIMARY KEY (connection, id)
) WITH (fillfactor = 90); -- room on the page for seen_at to be updated in place
CREATE INDEX sales_by_day ON sales (connection, day);

-- What each partner should hold (wanted), has accepted (sent) and was seen to
-- hold (confirmed). A version is a content hash and a resend counter.
CREATE TABLE documents (
  connection       text NOT NULL,
  id               text NOT NULL,
  sale_id          text NOT NULL,
  day              date NOT NULL,        -- by the document's date
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
  tries            integer NOT NULL DEFAULT 0, -- attempts failed in a row
  sent_hash        text NOT NULL DEFAULT '',
  sent_resend      integer NOT NULL DEFAULT -1,
  sent_at          timestamptz,
  ref              text NOT NULL DEFAULT '',
  confirm_at       timestamptz,          -- when it is due to be read back
  second_look      boolean NOT NULL DEFAULT false, -- a stray write may still come
  misses           integer NOT NULL DEFAULT 0, -- read-backs failed in a row
  confirmed_hash   text NOT NULL DEFAULT '',
  confirmed_resend integer NOT NULL DEFAULT -1,
  confirmed_at     timestamptz,
  unverifiable     boolean NOT NULL DEFAULT false,
  quarantined      boolean NOT NULL DEFAULT false,
  -- Whether there is something to deliver, said once for all queries: the
  -- versions differ, an attempt is on its way, or what an attempt did is not
  -- known (it may have put an older version in the place of the wanted one).
  due              boolean NOT NULL GENERATED ALWAYS AS (
    NOT quarantined AND (hash <> sent_hash OR resend <> sent_resend OR ambiguous OR lease_until IS NOT NULL)
  ) STORED,
  PRIMARY KEY (connection, id)
) WITH (fillfactor = 75); -- claiming changes no index, so it can stay on its page
CREATE INDEX documents_due ON documents (connection, lane, date, id) WHERE due;
CREATE INDEX documents_to_confirm ON documents (connection, confirm_at) WHERE confirm_at IS NOT NULL;
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
CREATE INDEX quarantine_of_record ON quarantine (connection, kind, record_id);

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
CREATE INDEX journal_of_connection ON journal (connection, at, number);
CREATE INDEX journal_of_location ON journal (location, at, number);
-- +goose StatementBegin
CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the journal is append-only';
END $$;
-- +goose StatementEnd
CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE ON journal
  FOR EACH ROW EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER journal_not_emptied BEFORE TRUNCATE ON journal
  FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

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
DROP TABLE permits, secrets, journal, quarantine, documents, sales, rereads, connections, serials, locations;
DROP FUNCTION journal_is_append_only;
