-- Entities ask for applications, the caja decides; administrators invite the people of their entity.

-- Files that came for a request. One that no request names within a day goes.
CREATE TABLE attachments (
    id         BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),  -- made by the desk
    entity_id  BLOB NOT NULL REFERENCES entities (id),
    file_name  TEXT NOT NULL,
    media_type TEXT NOT NULL,  -- told by its first bytes
    size_bytes INTEGER NOT NULL,
    sha256     TEXT NOT NULL CHECK (length(sha256) = 64),  -- hexadecimal digits
    added_us   INTEGER NOT NULL,
    added_by   BLOB NOT NULL REFERENCES accounts (id),
    -- Last: whoever asks for the other columns does not read it.
    bytes      BLOB NOT NULL CHECK (length(bytes) = size_bytes)
) STRICT;
CREATE INDEX attachments_by_entity ON attachments (entity_id, added_us);
CREATE INDEX attachments_by_age ON attachments (added_us);

CREATE TABLE application_requests (
    id          BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),  -- made by the desk
    entity_id   BLOB NOT NULL REFERENCES entities (id),
    application TEXT NOT NULL,     -- CONVENIOS
    state       TEXT NOT NULL CHECK (state IN ('SUBMITTED', 'IN_REVIEW', 'APPROVED', 'REJECTED')),
    revision    INTEGER NOT NULL CHECK (revision >= 1),  -- the last one
    sent_us     INTEGER NOT NULL,  -- the first time
    asked_by    BLOB NOT NULL REFERENCES accounts (id)   -- who sent the last revision
) STRICT;
CREATE INDEX application_requests_by_entity ON application_requests (entity_id, sent_us, id);
CREATE INDEX application_requests_by_state ON application_requests (state, sent_us, id);
CREATE INDEX application_requests_by_age ON application_requests (sent_us, id);
CREATE UNIQUE INDEX application_requests_open ON application_requests (entity_id, application)
    WHERE state IN ('SUBMITTED', 'IN_REVIEW', 'APPROVED');

-- What was said each time.
CREATE TABLE application_revisions (
    request_id    BLOB NOT NULL REFERENCES application_requests (id),
    revision      INTEGER NOT NULL CHECK (revision >= 1),
    content       TEXT NOT NULL CHECK (json_valid(content)),
    attachment_id BLOB NOT NULL REFERENCES attachments (id),  -- stands in the content too
    PRIMARY KEY (request_id, revision)
) STRICT, WITHOUT ROWID;
CREATE INDEX application_revisions_by_attachment ON application_revisions (attachment_id);

-- What happened to a request.
CREATE TABLE application_events (
    request_id BLOB NOT NULL REFERENCES application_requests (id),
    place      INTEGER NOT NULL CHECK (place >= 1),  -- in the order in which it happened
    at_us      INTEGER NOT NULL,
    state      TEXT NOT NULL,      -- what it has been since
    revision   INTEGER NOT NULL,
    reason     TEXT,               -- of a rejection
    by_account BLOB REFERENCES accounts (id),  -- none: from the terminal of the server
    PRIMARY KEY (request_id, place)
) STRICT, WITHOUT ROWID;

-- Accounts that somebody else made. Whoever is invited and has not set a password yet cannot sign in.
CREATE TABLE invitations (
    account_id     BLOB PRIMARY KEY NOT NULL REFERENCES accounts (id),
    content_sha256 TEXT NOT NULL CHECK (length(content_sha256) = 64),  -- of what was asked for, to know it again
    made_us        INTEGER NOT NULL,
    mailed_us      INTEGER NOT NULL,  -- the last time
    mailed_by      BLOB REFERENCES accounts (id),  -- none: from the terminal of the server
    accepted_us    INTEGER            -- when the first password was set
) STRICT, WITHOUT ROWID;

CREATE INDEX accounts_by_entity ON accounts (entity_id, username_key);
CREATE INDEX registrations_by_account ON registrations (account_id);
