-- People create their accounts themselves, the caja approves them; codes and decisions are mailed.

CREATE TABLE registrations (
    id             BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),  -- made by the desk
    nit            TEXT NOT NULL,  -- of the entity, with its check digit
    entity_name    TEXT NOT NULL,  -- as the person calls it
    display_name   TEXT NOT NULL,
    email          TEXT NOT NULL,
    email_key      TEXT NOT NULL,  -- as user names are compared
    phone          TEXT NOT NULL,
    privacy_notice TEXT NOT NULL,  -- the version that was accepted, at made_us
    made_us        INTEGER NOT NULL,
    password_hash  TEXT,           -- PHC string, until it is confirmed; then the account has it
    state          TEXT NOT NULL CHECK (state IN ('UNCONFIRMED', 'PENDING', 'APPROVED', 'REJECTED')),
    account_id     BLOB REFERENCES accounts (id),  -- while there is one: pending or approved
    confirmed_us   INTEGER,        -- when the code came back
    decided_us     INTEGER,        -- when it was approved or rejected
    decided_by     BLOB REFERENCES accounts (id),  -- NULL: from the terminal of the server
    reason         TEXT            -- of a rejection
) STRICT;
CREATE INDEX registrations_by_state ON registrations (state, made_us);

-- Codes that were mailed, one for each thing they are for: a registration, a forgotten password.
CREATE TABLE codes (
    subject_mac   BLOB PRIMARY KEY NOT NULL CHECK (length(subject_mac) = 32),  -- keyed hash of what it is for
    code_mac      BLOB NOT NULL CHECK (length(code_mac) = 32),  -- keyed hash of subject and code
    made_us       INTEGER NOT NULL,
    attempts      INTEGER NOT NULL,  -- wrong ones
    sent          INTEGER NOT NULL,  -- how many codes since first_sent_us, this one too
    first_sent_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX codes_by_age ON codes (made_us);

-- What is still to be mailed. A row goes when its mail was taken, or cannot be delivered any more.
CREATE TABLE mails (
    id         BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),  -- in its Message-ID too
    kind       TEXT NOT NULL,     -- which template
    recipient  TEXT NOT NULL,
    fields     TEXT NOT NULL CHECK (json_valid(fields)),  -- what stands in the template's places; a code is here in clear
    made_us    INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,  -- not sent after this
    attempts   INTEGER NOT NULL,  -- begun
    next_us    INTEGER NOT NULL   -- not before this; while it is being sent, when it is given to another sender
) STRICT;
CREATE INDEX mails_by_turn ON mails (next_us);
