-- What this PC has recorded. No row is deleted because of an error.

CREATE TABLE item (
    sequence        INTEGER NOT NULL PRIMARY KEY, -- this desk's own count; orders events when clocks do not
    id              BLOB NOT NULL UNIQUE,         -- UUIDv7, 16 bytes; the idempotency key on the wire
    kind            TEXT NOT NULL,
    state           TEXT NOT NULL,                -- see hanna_domain::outbox
    code            TEXT,                         -- why the server noted or refused it
    lookup_id       BLOB NOT NULL UNIQUE,         -- a card is reported once
    author_id       BLOB NOT NULL,
    author_name     TEXT NOT NULL,
    branch_id       BLOB NOT NULL,
    branch_name     TEXT NOT NULL,
    document_kind   TEXT NOT NULL,
    document_number TEXT NOT NULL,
    affiliate_name  TEXT NOT NULL,                -- as signed in the statement, for lists and reports
    tariff          TEXT NOT NULL,
    company_name    TEXT,
    statement       TEXT NOT NULL,                -- the JWS the use rests on
    device_time     INTEGER NOT NULL,             -- ms since 1970, this PC's clock
    occurred_at     INTEGER NOT NULL,             -- ms since 1970, corrected to the server's clock
    attempts        INTEGER NOT NULL DEFAULT 0,
    last_cause      TEXT,                         -- why the last attempt failed
    next_attempt_at INTEGER NOT NULL DEFAULT 0,   -- ms since 1970; 0 at once
    settled_at      INTEGER                       -- ms since 1970, when the server decided
) STRICT;

-- The worker and Por enviar look only at what is open.
CREATE INDEX item_open ON item (sequence) WHERE state IN ('queued', 'sending', 'needs_attention');
CREATE INDEX item_by_person ON item (document_number, occurred_at);
CREATE INDEX item_by_time ON item (occurred_at);

-- What the server's clock was last seen to be; see hanna_domain::ClockMark.
CREATE TABLE clock_mark (
    singleton        INTEGER NOT NULL PRIMARY KEY CHECK (singleton = 1),
    server_time_high INTEGER,                     -- ms since 1970
    offset_ms        INTEGER NOT NULL
) STRICT;
INSERT INTO clock_mark (singleton, server_time_high, offset_ms) VALUES (1, NULL, 0);

-- This PC, as the server knows it.
CREATE TABLE device (
    singleton INTEGER NOT NULL PRIMARY KEY CHECK (singleton = 1),
    id        BLOB NOT NULL
) STRICT;
