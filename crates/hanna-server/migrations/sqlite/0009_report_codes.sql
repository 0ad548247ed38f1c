-- Reports that were made, so that their codes can be verified: what was on record then, and nothing about anybody.
CREATE TABLE report_codes (
    id         BLOB    PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    account_id BLOB    NOT NULL REFERENCES accounts (id),
    entity_id  BLOB    NOT NULL REFERENCES entities (id),
    from_us    INTEGER NOT NULL,
    to_us      INTEGER NOT NULL,  -- does not belong to the range
    made_us    INTEGER NOT NULL,
    found      TEXT    NOT NULL   -- branches and counts, as JSON
) STRICT, WITHOUT ROWID;
