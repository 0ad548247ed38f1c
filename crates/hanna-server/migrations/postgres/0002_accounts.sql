-- People create their accounts themselves, the caja approves them; codes and decisions are mailed.

CREATE TABLE registrations (
    id             uuid        PRIMARY KEY,  -- made by the desk
    nit            text COLLATE "C" NOT NULL,  -- of the entity, with its check digit
    entity_name    text        NOT NULL,  -- as the person calls it
    display_name   text        NOT NULL,
    email          text        NOT NULL,
    email_key      text COLLATE "C" NOT NULL,  -- as user names are compared
    phone          text        NOT NULL,
    privacy_notice text        NOT NULL,  -- the version that was accepted, at made_at
    made_at        timestamptz NOT NULL,
    password_hash  text,                  -- PHC string, until it is confirmed; then the account has it
    state          text        NOT NULL CHECK (state IN ('UNCONFIRMED', 'PENDING', 'APPROVED', 'REJECTED')),
    account_id     uuid        REFERENCES accounts (id),  -- while there is one: pending or approved
    confirmed_at   timestamptz,           -- when the code came back
    decided_at     timestamptz,           -- when it was approved or rejected
    decided_by     uuid        REFERENCES accounts (id),  -- none: from the terminal of the server
    reason         text                   -- of a rejection
);
CREATE INDEX registrations_by_state ON registrations (state, made_at);

-- Codes that were mailed, one for each thing they are for: a registration, a forgotten password.
CREATE TABLE codes (
    subject_mac   bytea       PRIMARY KEY CHECK (length(subject_mac) = 32),  -- keyed hash of what it is for
    code_mac      bytea       NOT NULL CHECK (length(code_mac) = 32),  -- keyed hash of subject and code
    made_at       timestamptz NOT NULL,
    attempts      bigint      NOT NULL,  -- wrong ones
    sent          bigint      NOT NULL,  -- how many codes since first_sent_at, this one too
    first_sent_at timestamptz NOT NULL
);
CREATE INDEX codes_by_age ON codes (made_at);

-- What is still to be mailed. A row goes when its mail was taken, or cannot be delivered any more.
CREATE TABLE mails (
    id         uuid        PRIMARY KEY,  -- in its Message-ID too
    kind       text        NOT NULL,  -- which template
    recipient  text        NOT NULL,
    fields     text        NOT NULL,  -- JSON: what stands in the template's places; a code is here in clear
    made_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,  -- not sent after this
    attempts   bigint      NOT NULL,  -- begun
    next_at    timestamptz NOT NULL   -- not before this; while it is being sent, when it is given to another sender
);
CREATE INDEX mails_by_turn ON mails (next_at);
CREATE INDEX mails_by_end ON mails (expires_at);
