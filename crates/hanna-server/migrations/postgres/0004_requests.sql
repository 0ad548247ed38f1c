-- Entities ask for applications, the caja decides; administrators invite the people of their entity.

-- Files that came for a request. One that no request names within a day goes.
CREATE TABLE attachments (
    id         uuid        PRIMARY KEY,  -- made by the desk
    entity_id  uuid        NOT NULL REFERENCES entities (id),
    file_name  text        NOT NULL,
    media_type text        NOT NULL,  -- told by its first bytes
    size_bytes bigint      NOT NULL,
    sha256     text COLLATE "C" NOT NULL CHECK (length(sha256) = 64),  -- hexadecimal digits
    added_at   timestamptz NOT NULL,
    added_by   uuid        NOT NULL REFERENCES accounts (id),
    bytes      bytea       NOT NULL CHECK (length(bytes) = size_bytes)
);
-- What is compressed already is not compressed again.
ALTER TABLE attachments ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE INDEX attachments_by_entity ON attachments (entity_id, added_at);
CREATE INDEX attachments_by_age ON attachments (added_at);

CREATE TABLE application_requests (
    id          uuid        PRIMARY KEY,  -- made by the desk
    entity_id   uuid        NOT NULL REFERENCES entities (id),
    application text COLLATE "C" NOT NULL,  -- CONVENIOS
    state       text        NOT NULL CHECK (state IN ('SUBMITTED', 'IN_REVIEW', 'APPROVED', 'REJECTED')),
    revision    bigint      NOT NULL CHECK (revision >= 1),  -- the last one
    sent_at     timestamptz NOT NULL,  -- the first time
    asked_by    uuid        NOT NULL REFERENCES accounts (id)  -- who sent the last revision
);
CREATE INDEX application_requests_by_entity ON application_requests (entity_id, sent_at, id);
CREATE INDEX application_requests_by_state ON application_requests (state, sent_at, id);
CREATE INDEX application_requests_by_age ON application_requests (sent_at, id);
CREATE UNIQUE INDEX application_requests_open ON application_requests (entity_id, application)
    WHERE state IN ('SUBMITTED', 'IN_REVIEW', 'APPROVED');

-- What was said each time.
CREATE TABLE application_revisions (
    request_id    uuid   NOT NULL REFERENCES application_requests (id),
    revision      bigint NOT NULL CHECK (revision >= 1),
    content       text   NOT NULL,  -- JSON
    attachment_id uuid   NOT NULL REFERENCES attachments (id),  -- stands in the content too
    PRIMARY KEY (request_id, revision)
);
CREATE INDEX application_revisions_by_attachment ON application_revisions (attachment_id);

-- What happened to a request.
CREATE TABLE application_events (
    request_id uuid        NOT NULL REFERENCES application_requests (id),
    place      bigint      NOT NULL CHECK (place >= 1),  -- in the order in which it happened
    at         timestamptz NOT NULL,
    state      text        NOT NULL,  -- what it has been since
    revision   bigint      NOT NULL,
    reason     text,                  -- of a rejection
    by_account uuid        REFERENCES accounts (id),  -- none: from the terminal of the server
    PRIMARY KEY (request_id, place)
);

-- Accounts that somebody else made. Whoever is invited and has not set a password yet cannot sign in.
CREATE TABLE invitations (
    account_id     uuid        PRIMARY KEY REFERENCES accounts (id),
    content_sha256 text COLLATE "C" NOT NULL CHECK (length(content_sha256) = 64),  -- of what was asked for, to know it again
    made_at        timestamptz NOT NULL,
    mailed_at      timestamptz NOT NULL,  -- the last time
    mailed_by      uuid        REFERENCES accounts (id),  -- none: from the terminal of the server
    accepted_at    timestamptz            -- when the first password was set
);

CREATE INDEX accounts_by_entity ON accounts (entity_id, username_key);
CREATE INDEX registrations_by_account ON registrations (account_id);
