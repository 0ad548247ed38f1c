-- Conventions: what is compared or ordered letter by letter is `COLLATE "C"`, so that it does not depend on the system's
-- language; a day is a Colombian day (UTC-5); words are those of hanna-domain and hanna-wire; columns are never
-- repurposed. What is written at every counter all day long (lookups, statements, outbox_items, usage_reports) names
-- accounts, devices, entities and branches without a foreign key: each would lock the same few rows again and again, and
-- the transaction that writes has just read them. Nothing of theirs is ever deleted.

CREATE TABLE settings (
    name  text  PRIMARY KEY,  -- audit_key, installation, epoch
    value bytea NOT NULL
);

CREATE TABLE signing_keys (
    made       bigint      GENERATED ALWAYS AS IDENTITY,  -- the order in which they were kept
    kid        text COLLATE "C" PRIMARY KEY,                   -- what statements call it
    pkcs8      bytea       NOT NULL,                      -- the private key: whoever reads this row can sign statements
    public_key bytea       NOT NULL CHECK (length(public_key) = 32),
    not_before timestamptz NOT NULL,
    not_after  timestamptz NOT NULL CHECK (not_after > not_before)
);

-- The businesses in agreement ------------------------------------------------------------------------------------

CREATE TABLE entities (
    id   uuid PRIMARY KEY,
    nit  text COLLATE "C" NOT NULL UNIQUE,  -- with its check digit: 900123456-8
    name text NOT NULL
);

CREATE TABLE branches (
    id        uuid PRIMARY KEY,
    entity_id uuid NOT NULL REFERENCES entities (id),
    code      text COLLATE "C" NOT NULL UNIQUE,
    name      text NOT NULL,
    city      text NOT NULL
);
CREATE INDEX branches_by_entity ON branches (entity_id, code);

CREATE TABLE agreements (
    id               uuid   PRIMARY KEY,
    entity_id        uuid   NOT NULL REFERENCES entities (id),
    name             text   NOT NULL,
    first_day        date   NOT NULL,
    last_day         date   NOT NULL CHECK (last_day >= first_day),   -- belongs to the agreement
    tariffs          text[] NOT NULL,                                 -- covered: A, B
    roles            text[] NOT NULL,                                 -- covered: TRABAJADOR
    daily_limit      bigint NOT NULL CHECK (daily_limit >= 1),        -- uses of one person in one day
    over_limit       text   NOT NULL CHECK (over_limit IN ('NOTE', 'REFUSE')),
    validity_h       bigint NOT NULL CHECK (validity_h BETWEEN 1 AND 48),          -- of a statement
    void_window_min  bigint NOT NULL CHECK (void_window_min BETWEEN 0 AND 1440),   -- after a use; 0: not at all
    offline_days_max bigint NOT NULL CHECK (offline_days_max BETWEEN 0 AND 60),    -- of a desk without the server
    retention_days   bigint NOT NULL CHECK (retention_days BETWEEN 1 AND 365)      -- of a copy without a visit
);

CREATE TABLE agreement_branches (
    branch_id    uuid NOT NULL REFERENCES branches (id),
    agreement_id uuid NOT NULL REFERENCES agreements (id),
    PRIMARY KEY (branch_id, agreement_id)
);

CREATE TABLE applications (
    entity_id uuid NOT NULL REFERENCES entities (id),
    code      text COLLATE "C" NOT NULL,  -- CONVENIOS
    state     text NOT NULL,
    reason    text,           -- of a rejection
    PRIMARY KEY (entity_id, code)
);

-- Who may do what -------------------------------------------------------------------------------------------------

CREATE TABLE accounts (
    id            uuid PRIMARY KEY,
    username      text NOT NULL,
    username_key  text COLLATE "C" NOT NULL UNIQUE,  -- the user name without case and outer spaces
    display_name  text NOT NULL,
    entity_id     uuid REFERENCES entities (id),  -- none for people of the caja
    password_hash text NOT NULL,         -- PHC string, Argon2id
    state         text NOT NULL CHECK (state IN ('ACTIVE', 'PENDING', 'SUSPENDED'))
);

CREATE TABLE account_roles (
    account_id uuid NOT NULL REFERENCES accounts (id),
    role       text COLLATE "C" NOT NULL,
    PRIMARY KEY (account_id, role)
);

CREATE TABLE account_branches (
    account_id uuid NOT NULL REFERENCES accounts (id),
    branch_id  uuid NOT NULL REFERENCES branches (id),
    PRIMARY KEY (account_id, branch_id)
);

-- Sign-in attempts since the last right password. By a keyed hash of what was typed, whether or not such an account
-- exists: people type passwords into the wrong field, and a slow-down must not tell which accounts there are.
CREATE TABLE sign_in_attempts (
    username_mac bytea       PRIMARY KEY CHECK (length(username_mac) = 32),
    attempts     bigint      NOT NULL,
    last_at      timestamptz NOT NULL
);
CREATE INDEX sign_in_attempts_by_age ON sign_in_attempts (last_at);

CREATE TABLE devices (
    id              uuid        PRIMARY KEY,  -- made by the desk
    name            text        NOT NULL,
    first_seen_at   timestamptz NOT NULL,
    last_seen_at    timestamptz NOT NULL,     -- last sign-in
    last_contact_at timestamptz NOT NULL,     -- the last time it signed in, refreshed its session or delivered
    revoked_at      timestamptz               -- since when the caja does not trust it any more; none: it does
);

CREATE TABLE sessions (
    id         uuid        PRIMARY KEY,
    account_id uuid        NOT NULL REFERENCES accounts (id),
    device_id  uuid        NOT NULL REFERENCES devices (id),
    opened_at  timestamptz NOT NULL,
    generation bigint      NOT NULL,  -- of the refresh tokens that are good now
    rotated_at timestamptz NOT NULL,  -- when that generation began
    ended_at   timestamptz,
    ended_why  text CHECK (ended_why IN ('SIGNED_OUT', 'TOKEN_REUSED'))
);
CREATE INDEX sessions_by_account ON sessions (account_id);
CREATE INDEX sessions_by_device ON sessions (device_id, opened_at);

CREATE TABLE access_tokens (
    token_hash bytea       PRIMARY KEY CHECK (length(token_hash) = 32),  -- SHA-256; the token itself is nowhere
    session_id uuid        NOT NULL REFERENCES sessions (id),
    expires_at timestamptz NOT NULL
);
CREATE INDEX access_tokens_by_session ON access_tokens (session_id);

CREATE TABLE refresh_tokens (
    token_hash bytea       PRIMARY KEY CHECK (length(token_hash) = 32),
    session_id uuid        NOT NULL REFERENCES sessions (id),
    generation bigint      NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- The people of the caja ------------------------------------------------------------------------------------------

-- One row for each file that was taken in; the import that last wrote a row stands with the row, and its line.
CREATE TABLE imports (
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    began_at timestamptz NOT NULL,
    lines    bigint      NOT NULL
);

CREATE TABLE companies (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    nit         text COLLATE "C" NOT NULL UNIQUE,  -- digits, without the check digit
    name        text   NOT NULL,
    status      text   NOT NULL,
    import_id   bigint NOT NULL REFERENCES imports (id),
    import_line bigint NOT NULL
);

-- Whether the company and the import exist is seen to by the import itself, all rows at once.
CREATE TABLE affiliates (
    kind           text COLLATE "C" NOT NULL,
    number         text COLLATE "C" NOT NULL,  -- canonical
    role           text COLLATE "C" NOT NULL,
    first_surname  text   NOT NULL,
    second_surname text,
    first_name     text   NOT NULL,
    second_name    text,
    status         text   NOT NULL,
    tariff         text   NOT NULL,
    company_id     bigint,           -- none: contributes on their own
    import_id      bigint NOT NULL,
    import_line    bigint NOT NULL,
    -- The number first: it also finds the same number under another kind.
    PRIMARY KEY (number, kind)
);

-- What happened ---------------------------------------------------------------------------------------------------

-- Who asked about whom, where, when and why. The document is a keyed hash: whoever knows the number can search.
CREATE TABLE lookups (
    id           uuid        PRIMARY KEY,  -- made by the desk
    account_id   uuid        NOT NULL,
    device_id    uuid        NOT NULL,
    entity_id    uuid        NOT NULL,
    branch_id    uuid        NOT NULL,
    document_mac bytea       NOT NULL CHECK (length(document_mac) = 32),
    purpose      text        NOT NULL,
    asked_at     timestamptz NOT NULL,
    -- Nobody stood at the counter, a person consulted lately was verified again. Counted for the budget of the branch.
    regular      boolean     NOT NULL
);
CREATE INDEX lookups_by_document ON lookups (document_mac, asked_at);
CREATE INDEX lookups_of_regulars ON lookups (branch_id, asked_at) WHERE regular;

-- What was answered. One a lookup, and one more each time a desk asks again under the same id.
CREATE TABLE statements (
    id         uuid        PRIMARY KEY,  -- the folio
    lookup_id  uuid        NOT NULL,     -- written by the same transaction
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    usable     boolean     NOT NULL,
    reasons    text[]      NOT NULL
);
CREATE INDEX statements_by_lookup ON statements (lookup_id);

-- Every item a desk ever delivered, for ever: the id is the idempotency key.
CREATE TABLE outbox_items (
    id           uuid        PRIMARY KEY,
    content_hash bytea       NOT NULL CHECK (length(content_hash) = 32),
    kind         text COLLATE "C" NOT NULL,
    sequence     bigint      NOT NULL,  -- the desk's own count
    author_id    uuid        NOT NULL,  -- who did it; of a refused item perhaps nobody we know
    device_id    uuid        NOT NULL,
    sent_by      uuid        NOT NULL,  -- who was signed in
    -- What the PC's own clock said when it was recorded; when it happened by the server's clock stands with its kind.
    device_time  timestamptz NOT NULL,
    received_at  timestamptz NOT NULL,  -- first time
    judged_at    timestamptz NOT NULL,  -- last time: a refused item may be sent again
    -- `outcome` and `code` answer this submission, the highest that was judged.
    submission   bigint      NOT NULL CHECK (submission >= 0),
    outcome      text        NOT NULL CHECK (outcome IN ('accepted', 'accepted_with_note', 'refused')),
    code         text COLLATE "C"
);
CREATE INDEX outbox_items_by_device ON outbox_items (device_id, sequence);

-- The answers to lower submissions. Only what was refused is ever judged anew.
CREATE TABLE earlier_refusals (
    item_id    uuid        NOT NULL REFERENCES outbox_items (id),
    submission bigint      NOT NULL,
    judged_at  timestamptz NOT NULL,
    code       text COLLATE "C" NOT NULL,
    PRIMARY KEY (item_id, submission)
);

CREATE TABLE usage_reports (
    id             uuid        PRIMARY KEY REFERENCES outbox_items (id),
    statement_id   uuid        NOT NULL,  -- the folio it rests on; after a restored backup perhaps not in our statements
    lookup_id      uuid        NOT NULL,
    entity_id      uuid        NOT NULL,
    branch_id      uuid        NOT NULL,
    author_id      uuid        NOT NULL,
    occurred_at    timestamptz NOT NULL,
    day            date        NOT NULL,  -- of occurred_at
    -- As signed in the statement, whatever has become of the person since.
    kind           text COLLATE "C" NOT NULL,
    number         text COLLATE "C" NOT NULL,
    affiliate_name text        NOT NULL,
    tariff         text        NOT NULL,
    company_name   text
);
CREATE INDEX usage_reports_by_person ON usage_reports (number, kind, entity_id, day);
CREATE INDEX usage_reports_by_entity ON usage_reports (entity_id, occurred_at, id);
CREATE INDEX usage_reports_by_branch ON usage_reports (branch_id, occurred_at, id);

-- Uses taken back. The report stays as it is; it counts no more.
CREATE TABLE voids (
    id          uuid        PRIMARY KEY REFERENCES outbox_items (id),
    report_id   uuid        NOT NULL UNIQUE REFERENCES usage_reports (id),
    author_id   uuid        NOT NULL,
    occurred_at timestamptz NOT NULL,
    reason      text        NOT NULL,
    text        text  -- in words; always there for OTHER
);

-- Lookups that the copy of a desk answered. Who asked about whom stands in lookups, once, also when the server answered
-- too.
CREATE TABLE offline_lookups (
    id           uuid        PRIMARY KEY REFERENCES outbox_items (id),
    lookup_id    uuid        NOT NULL,  -- written by the same transaction, or there before
    occurred_at  timestamptz NOT NULL,
    verdict      text        NOT NULL,  -- what the card said
    statement_id uuid                   -- the folio of the copy, none when there was none; perhaps not in our statements
);
CREATE INDEX offline_lookups_by_lookup ON offline_lookups (lookup_id);
