-- How much all processes counted of those who ask: see crates/hanna-server/src/gate.rs.
CREATE TABLE tallies (
    key              bytea       PRIMARY KEY CHECK (octet_length(key) = 32),  -- of what and whom: a keyed hash
    until_at         timestamptz NOT NULL,  -- when all of it will have passed
    blocked_until_at timestamptz
);
CREATE INDEX tallies_by_end ON tallies (until_at);
