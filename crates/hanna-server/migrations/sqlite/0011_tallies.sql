-- How much was counted of those who ask: see crates/hanna-server/src/gate.rs.
CREATE TABLE tallies (
    key              BLOB    PRIMARY KEY NOT NULL CHECK (length(key) = 32),  -- of what and whom: a keyed hash
    until_us         INTEGER NOT NULL,  -- when all of it will have passed
    blocked_until_us INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX tallies_by_end ON tallies (until_us);
