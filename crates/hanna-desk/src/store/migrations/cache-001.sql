-- The local copy of what the server said. Disposable: the server has it all.

-- The newest statement about a person at a branch. A rowid table on purpose: a statement is over a kilobyte, and
-- WITHOUT ROWID would put it into the inner nodes of the tree, which then has few branches and many levels.
CREATE TABLE statement (
    branch_id       BLOB NOT NULL,    -- 16 bytes
    document_kind   TEXT NOT NULL,
    document_number TEXT NOT NULL,
    jws             TEXT NOT NULL,    -- as signed; verified again at every use
    issued_at       INTEGER NOT NULL, -- ms since 1970, the server's clock
    valid_until     INTEGER NOT NULL, -- ms since 1970
    UNIQUE (document_number, document_kind, branch_id)
) STRICT;

-- Named documents: who is signed in, the branch chosen, the server's keys.
CREATE TABLE reference (
    name    TEXT NOT NULL PRIMARY KEY,
    content TEXT NOT NULL             -- JSON
) STRICT, WITHOUT ROWID;

-- The lookups of this shift, newest last, for the list under the card.
CREATE TABLE recent (
    lookup_id       BLOB NOT NULL PRIMARY KEY, -- 16 bytes
    at              INTEGER NOT NULL,          -- ms since 1970
    document_masked TEXT NOT NULL,
    verdict         TEXT NOT NULL,
    used            INTEGER NOT NULL           -- 0 or 1
) STRICT, WITHOUT ROWID;
CREATE INDEX recent_by_time ON recent (at);
