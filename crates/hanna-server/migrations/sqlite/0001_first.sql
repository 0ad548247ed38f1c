-- Conventions: `_us` is microseconds since 1970-01-01 UTC; a day is a Colombian day (UTC-5) as YYYY-MM-DD; ids are
-- UUIDs as 16 bytes; words are those of hanna-domain and hanna-wire; lists are JSON. Columns are never repurposed.

CREATE TABLE settings (
    name  TEXT PRIMARY KEY NOT NULL,  -- audit_key, installation
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE signing_keys (
    kid           TEXT PRIMARY KEY NOT NULL,  -- what statements call it
    pkcs8         BLOB NOT NULL,              -- the private key: whoever reads this file can sign statements
    public_key    BLOB NOT NULL CHECK (length(public_key) = 32),
    not_before_us INTEGER NOT NULL,
    not_after_us  INTEGER NOT NULL CHECK (not_after_us > not_before_us)
) STRICT;

-- The businesses in agreement ------------------------------------------------------------------------------------

CREATE TABLE entities (
    id   BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    nit  TEXT NOT NULL UNIQUE,  -- with its check digit: 900123456-8
    name TEXT NOT NULL
) STRICT;

CREATE TABLE branches (
    id        BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    entity_id BLOB NOT NULL REFERENCES entities (id),
    code      TEXT NOT NULL UNIQUE,
    name      TEXT NOT NULL,
    city      TEXT NOT NULL
) STRICT;
CREATE INDEX branches_by_entity ON branches (entity_id, code);

CREATE TABLE agreements (
    id          BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    entity_id   BLOB NOT NULL REFERENCES entities (id),
    name        TEXT NOT NULL,
    first_day   TEXT NOT NULL,
    last_day    TEXT NOT NULL CHECK (last_day >= first_day),  -- belongs to the agreement
    tariffs     TEXT NOT NULL CHECK (json_valid(tariffs)),    -- covered, ["A","B"]
    roles       TEXT NOT NULL CHECK (json_valid(roles)),      -- covered, ["TRABAJADOR"]
    daily_limit INTEGER NOT NULL CHECK (daily_limit >= 1),    -- uses of one person in one day
    over_limit  TEXT NOT NULL CHECK (over_limit IN ('NOTE', 'REFUSE')),
    validity_h  INTEGER NOT NULL CHECK (validity_h BETWEEN 1 AND 48)  -- of a statement
) STRICT;

CREATE TABLE agreement_branches (
    branch_id    BLOB NOT NULL REFERENCES branches (id),
    agreement_id BLOB NOT NULL REFERENCES agreements (id),
    PRIMARY KEY (branch_id, agreement_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE applications (
    entity_id BLOB NOT NULL REFERENCES entities (id),
    code      TEXT NOT NULL,  -- CONVENIOS
    state     TEXT NOT NULL,
    reason    TEXT,           -- of a rejection
    PRIMARY KEY (entity_id, code)
) STRICT, WITHOUT ROWID;

-- Who may do what -------------------------------------------------------------------------------------------------

CREATE TABLE accounts (
    id            BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    username      TEXT NOT NULL,
    username_key  TEXT NOT NULL UNIQUE,  -- the user name without case and outer spaces
    display_name  TEXT NOT NULL,
    entity_id     BLOB REFERENCES entities (id),  -- none for people of the caja
    password_hash TEXT NOT NULL,         -- PHC string, Argon2id
    state         TEXT NOT NULL CHECK (state IN ('ACTIVE', 'PENDING', 'SUSPENDED'))
) STRICT;

CREATE TABLE account_roles (
    account_id BLOB NOT NULL REFERENCES accounts (id),
    role       TEXT NOT NULL,
    PRIMARY KEY (account_id, role)
) STRICT, WITHOUT ROWID;

CREATE TABLE account_branches (
    account_id BLOB NOT NULL REFERENCES accounts (id),
    branch_id  BLOB NOT NULL REFERENCES branches (id),
    PRIMARY KEY (account_id, branch_id)
) STRICT, WITHOUT ROWID;

-- Sign-in attempts since the last right password. By a keyed hash of what was typed, whether or not such an account
-- exists: people type passwords into the wrong field, and a slow-down must not tell which accounts there are.
CREATE TABLE sign_in_attempts (
    username_mac BLOB PRIMARY KEY NOT NULL CHECK (length(username_mac) = 32),
    attempts     INTEGER NOT NULL,
    last_us      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_attempts_by_age ON sign_in_attempts (last_us);

CREATE TABLE devices (
    id            BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),  -- made by the desk
    name          TEXT NOT NULL,
    first_seen_us INTEGER NOT NULL,
    last_seen_us  INTEGER NOT NULL  -- last sign-in
) STRICT;

CREATE TABLE sessions (
    id         BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    account_id BLOB NOT NULL REFERENCES accounts (id),
    device_id  BLOB NOT NULL REFERENCES devices (id),
    opened_us  INTEGER NOT NULL,
    generation INTEGER NOT NULL,  -- of the refresh tokens that are good now
    rotated_us INTEGER NOT NULL,  -- when that generation began
    ended_us   INTEGER,
    ended_why  TEXT CHECK (ended_why IN ('SIGNED_OUT', 'TOKEN_REUSED'))
) STRICT;
CREATE INDEX sessions_by_account ON sessions (account_id);

CREATE TABLE access_tokens (
    token_hash BLOB PRIMARY KEY NOT NULL CHECK (length(token_hash) = 32),  -- SHA-256; the token itself is nowhere
    session_id BLOB NOT NULL REFERENCES sessions (id),
    expires_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX access_tokens_by_session ON access_tokens (session_id);

CREATE TABLE refresh_tokens (
    token_hash BLOB PRIMARY KEY NOT NULL CHECK (length(token_hash) = 32),
    session_id BLOB NOT NULL REFERENCES sessions (id),
    generation INTEGER NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- The people of the caja ------------------------------------------------------------------------------------------

-- One row for each file that was taken in; the import that last wrote a row stands with the row, and its line.
CREATE TABLE imports (
    id       INTEGER PRIMARY KEY NOT NULL,
    began_us INTEGER NOT NULL,
    lines    INTEGER NOT NULL
) STRICT;

CREATE TABLE companies (
    id          INTEGER PRIMARY KEY NOT NULL,
    nit         TEXT NOT NULL UNIQUE,  -- digits, without the check digit
    name        TEXT NOT NULL,
    status      TEXT NOT NULL,
    import_id   INTEGER NOT NULL REFERENCES imports (id),
    import_line INTEGER NOT NULL
) STRICT;

CREATE TABLE affiliates (
    id             INTEGER PRIMARY KEY NOT NULL,
    kind           TEXT NOT NULL,
    number         TEXT NOT NULL,  -- canonical
    role           TEXT NOT NULL,
    first_surname  TEXT NOT NULL,
    second_surname TEXT,
    first_name     TEXT NOT NULL,
    second_name    TEXT,
    status         TEXT NOT NULL,
    tariff         TEXT NOT NULL,
    company_id     INTEGER REFERENCES companies (id),  -- none: contributes on their own
    import_id      INTEGER NOT NULL REFERENCES imports (id),
    import_line    INTEGER NOT NULL
) STRICT;
-- The number first: it also finds the same number under another kind.
CREATE UNIQUE INDEX affiliates_by_document ON affiliates (number, kind);

-- What happened ---------------------------------------------------------------------------------------------------

-- Who asked about whom, where, when and why. The document is a keyed hash: whoever knows the number can search.
CREATE TABLE lookups (
    id           BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),  -- made by the desk
    account_id   BLOB NOT NULL REFERENCES accounts (id),
    device_id    BLOB NOT NULL REFERENCES devices (id),
    entity_id    BLOB NOT NULL REFERENCES entities (id),
    branch_id    BLOB NOT NULL REFERENCES branches (id),
    document_mac BLOB NOT NULL CHECK (length(document_mac) = 32),
    purpose      TEXT NOT NULL,
    asked_us     INTEGER NOT NULL
) STRICT;
CREATE INDEX lookups_by_document ON lookups (document_mac, asked_us);

-- What was answered. One a lookup, and one more each time a desk asks again under the same id.
CREATE TABLE statements (
    id         BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),  -- the folio
    lookup_id  BLOB NOT NULL REFERENCES lookups (id),
    issued_us  INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    usable     INTEGER NOT NULL CHECK (usable IN (0, 1)),
    reasons    TEXT NOT NULL CHECK (json_valid(reasons))
) STRICT;
CREATE INDEX statements_by_lookup ON statements (lookup_id);

-- Every item a desk ever delivered, for ever: the id is the idempotency key.
CREATE TABLE outbox_items (
    id           BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    content_hash BLOB NOT NULL CHECK (length(content_hash) = 32),
    kind         TEXT NOT NULL,
    sequence     INTEGER NOT NULL,           -- the desk's own count
    author_id    BLOB NOT NULL,              -- who did it; of a refused item perhaps nobody we know
    device_id    BLOB NOT NULL REFERENCES devices (id),
    sent_by      BLOB NOT NULL REFERENCES accounts (id),  -- who was signed in
    received_us  INTEGER NOT NULL,           -- first time
    judged_us    INTEGER NOT NULL,           -- last time: a refused item may be sent again
    outcome      TEXT NOT NULL CHECK (outcome IN ('accepted', 'accepted_with_note', 'refused')),
    code         TEXT
) STRICT;

CREATE TABLE usage_reports (
    id             BLOB PRIMARY KEY NOT NULL REFERENCES outbox_items (id),
    statement_id   BLOB NOT NULL,  -- the folio it rests on; after a restored backup perhaps not in our statements
    lookup_id      BLOB NOT NULL,
    entity_id      BLOB NOT NULL REFERENCES entities (id),
    branch_id      BLOB NOT NULL REFERENCES branches (id),
    author_id      BLOB NOT NULL REFERENCES accounts (id),
    occurred_us    INTEGER NOT NULL,
    day            TEXT NOT NULL,  -- of occurred_us
    -- As signed in the statement, whatever has become of the person since.
    kind           TEXT NOT NULL,
    number         TEXT NOT NULL,
    affiliate_name TEXT NOT NULL,
    tariff         TEXT NOT NULL,
    company_name   TEXT
) STRICT;
CREATE INDEX usage_reports_by_person ON usage_reports (number, kind, entity_id, day);
CREATE INDEX usage_reports_by_entity ON usage_reports (entity_id, occurred_us, id);
CREATE INDEX usage_reports_by_branch ON usage_reports (branch_id, occurred_us, id);
