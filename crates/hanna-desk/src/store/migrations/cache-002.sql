-- Whoever has signed in on this PC while the server answered, so that they can come back while it does not.
CREATE TABLE operator (
    username        TEXT NOT NULL PRIMARY KEY,  -- without case
    verifier        TEXT NOT NULL,              -- PHC string, Argon2id
    me              TEXT NOT NULL,              -- JSON: who they are and what they may do
    online_at       INTEGER NOT NULL,           -- ms since 1970, the server's clock: the last time it said so
    failures        INTEGER NOT NULL DEFAULT 0, -- wrong passwords since the last right one
    next_attempt_at INTEGER NOT NULL DEFAULT 0  -- ms since 1970, this PC's clock
) STRICT, WITHOUT ROWID;

-- When the person was last consulted at that branch: whoever comes often is verified again before the copy ends, whoever
-- does not come any more is forgotten.
ALTER TABLE statement ADD COLUMN visited_at INTEGER NOT NULL DEFAULT 0; -- ms since 1970, the server's clock
UPDATE statement SET visited_at = issued_at;
CREATE INDEX statement_by_end ON statement (branch_id, valid_until);
