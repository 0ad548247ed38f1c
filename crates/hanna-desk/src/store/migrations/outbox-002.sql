-- Voids and offline lookups beside usage reports: an item keeps its body as it is delivered, whatever it is.

CREATE TABLE item_2 (
    sequence        INTEGER NOT NULL PRIMARY KEY, -- this desk's own count; orders events when clocks do not
    id              BLOB NOT NULL UNIQUE,         -- UUIDv7, 16 bytes; the idempotency key on the wire
    kind            TEXT NOT NULL,                -- see hanna_domain::outbox
    state           TEXT NOT NULL,                -- see hanna_domain::outbox
    code            TEXT,                         -- why the server noted or refused it
    submission      INTEGER NOT NULL DEFAULT 0,   -- how often an operator asked again after a refusal
    lookup_id       BLOB,                         -- of a usage report and of an offline lookup
    report_id       BLOB,                         -- of a void: what it takes back
    author_id       BLOB NOT NULL,
    author_name     TEXT NOT NULL,
    branch_id       BLOB NOT NULL,
    branch_name     TEXT NOT NULL,
    document_kind   TEXT NOT NULL,
    document_number TEXT NOT NULL,
    affiliate_name  TEXT,                         -- of a use, as signed in its statement, for lists and reports
    tariff          TEXT,                         -- of a use
    company_name    TEXT,                         -- of a use
    body            TEXT NOT NULL,                -- JSON: what is delivered, the same at every attempt
    device_time     INTEGER NOT NULL,             -- ms since 1970, this PC's clock
    occurred_at     INTEGER NOT NULL,             -- ms since 1970, corrected to the server's clock
    attempts        INTEGER NOT NULL DEFAULT 0,
    last_cause      TEXT,                         -- why the last attempt failed
    next_attempt_at INTEGER NOT NULL DEFAULT 0,   -- ms since 1970; 0 at once
    settled_at      INTEGER,                      -- ms since 1970, when the server or the operator decided
    withdrawn_why   TEXT                          -- the operator's reason
) STRICT;

INSERT INTO item_2 (sequence, id, kind, state, code, lookup_id, author_id, author_name, branch_id, branch_name,
                    document_kind, document_number, affiliate_name, tariff, company_name, body,
                    device_time, occurred_at, attempts, last_cause, next_attempt_at, settled_at)
SELECT sequence, id, kind, state, code, lookup_id, author_id, author_name, branch_id, branch_name,
       document_kind, document_number, affiliate_name, tariff, company_name,
       json_object('kind', 'usage_report',
                   'branch_id', lower(substr(hex(branch_id), 1, 8) || '-' || substr(hex(branch_id), 9, 4) || '-' ||
                                      substr(hex(branch_id), 13, 4) || '-' || substr(hex(branch_id), 17, 4) || '-' ||
                                      substr(hex(branch_id), 21)),
                   'statement', statement),
       device_time, occurred_at, attempts, last_cause, next_attempt_at, settled_at
FROM item;

DROP TABLE item;
ALTER TABLE item_2 RENAME TO item;

-- A card is reported once, and a use is taken back once.
CREATE UNIQUE INDEX item_of_card ON item (lookup_id) WHERE kind = 'usage_report';
CREATE UNIQUE INDEX item_of_report ON item (report_id) WHERE kind = 'void' AND state <> 'withdrawn';
-- The worker and Por enviar look only at what is open.
CREATE INDEX item_open ON item (sequence) WHERE state IN ('queued', 'sending', 'needs_attention');
CREATE INDEX item_by_person ON item (document_number, occurred_at) WHERE kind = 'usage_report';
CREATE INDEX item_by_time ON item (occurred_at) WHERE kind = 'usage_report';

-- Which server this is: another epoch after it was restored from a backup.
CREATE TABLE server_mark (
    singleton INTEGER NOT NULL PRIMARY KEY CHECK (singleton = 1),
    epoch     BLOB NOT NULL                       -- 16 bytes
) STRICT;
