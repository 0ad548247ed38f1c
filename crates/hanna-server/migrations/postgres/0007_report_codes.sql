-- Reports that were made, so that their codes can be verified: what was on record then, and nothing about anybody.
CREATE TABLE report_codes (
    id         uuid        PRIMARY KEY,
    account_id uuid        NOT NULL REFERENCES accounts (id),
    entity_id  uuid        NOT NULL REFERENCES entities (id),
    from_at    timestamptz NOT NULL,
    to_at      timestamptz NOT NULL,  -- does not belong to the range
    made_at    timestamptz NOT NULL,
    found      text        NOT NULL   -- branches and counts, as JSON
);
