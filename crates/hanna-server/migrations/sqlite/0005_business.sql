-- What the caja does about businesses in its console: branches that are closed, imports that are followed, usage by entity.

-- Since when nobody is looked up there any more; NULL: the branch is open.
ALTER TABLE branches ADD COLUMN closed_us INTEGER;

-- An import of affiliates from its beginning to its end; what it wrote names `imports`. Whoever imports has the turn, which
-- is a lock outside of the database: what is neither ended nor has it was interrupted.
CREATE TABLE import_jobs (
    id         BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),  -- made by whoever began it
    state      TEXT NOT NULL CHECK (state IN ('RECEIVING', 'RUNNING', 'DONE', 'REFUSED', 'CANCELLED', 'FAILED')),
    mode       TEXT NOT NULL CHECK (mode IN ('upsert', 'replace')),
    dry_run    INTEGER NOT NULL CHECK (dry_run IN (0, 1)),
    file_name  TEXT,              -- NULL: not said
    bytes      INTEGER NOT NULL,  -- of the file, as far as it has arrived
    bytes_read INTEGER NOT NULL,
    lines      INTEGER NOT NULL,  -- read
    rejected   INTEGER NOT NULL,  -- how much is wrong in them
    reason     TEXT,              -- why the file as a whole was refused
    added      INTEGER,           -- people; this and the next two only when it is done
    updated    INTEGER,
    removed    INTEGER,
    began_us   INTEGER NOT NULL,
    ended_us   INTEGER,           -- NULL: it has not ended
    begun_by   BLOB REFERENCES accounts (id),  -- NULL: from the terminal of the server
    cancel_us  INTEGER            -- when it was asked to stop
) STRICT;
CREATE INDEX import_jobs_by_time ON import_jobs (began_us, id);

-- The rejected lines of an import, as CSV; kept for some weeks.
CREATE TABLE import_rejects (
    job_id BLOB PRIMARY KEY NOT NULL REFERENCES import_jobs (id),
    csv    BLOB NOT NULL
) STRICT;

-- Lookups of some days, counted by branch.
CREATE INDEX lookups_at_counters ON lookups (asked_us, branch_id) WHERE regular = 0;
