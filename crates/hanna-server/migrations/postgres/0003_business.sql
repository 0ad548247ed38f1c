-- What the caja does about businesses in its console: branches that are closed, imports that are followed, usage by entity.

-- Since when nobody is looked up there any more; none: the branch is open.
ALTER TABLE branches ADD COLUMN closed_at timestamptz;

-- An import of affiliates from its beginning to its end; what it wrote names `imports`. Whoever imports has the turn, which
-- is a lock of its connection: what is neither ended nor has it was interrupted.
CREATE TABLE import_jobs (
    id         uuid        PRIMARY KEY,  -- made by whoever began it
    state      text COLLATE "C" NOT NULL
        CHECK (state IN ('RECEIVING', 'RUNNING', 'DONE', 'REFUSED', 'CANCELLED', 'FAILED')),
    mode       text COLLATE "C" NOT NULL CHECK (mode IN ('upsert', 'replace')),
    dry_run    boolean     NOT NULL,
    file_name  text,                  -- none: not said
    bytes      bigint      NOT NULL,  -- of the file, as far as it has arrived
    bytes_read bigint      NOT NULL,
    lines      bigint      NOT NULL,  -- read
    rejected   bigint      NOT NULL,  -- how much is wrong in them
    reason     text,                  -- why the file as a whole was refused
    added      bigint,                -- people; this and the next two only when it is done
    updated    bigint,
    removed    bigint,
    began_at   timestamptz NOT NULL,
    ended_at   timestamptz,           -- none: it has not ended
    begun_by   uuid REFERENCES accounts (id),  -- none: from the terminal of the server
    cancel_at  timestamptz            -- when it was asked to stop
);
CREATE INDEX import_jobs_by_time ON import_jobs (began_at, id);

-- The rejected lines of an import, as CSV; kept for some weeks.
CREATE TABLE import_rejects (
    job_id uuid  PRIMARY KEY REFERENCES import_jobs (id),
    csv    bytea NOT NULL
);

-- Lookups of some days: they are written in the order of time, so that a few blocks tell which days stand where.
CREATE INDEX lookups_by_time ON lookups USING brin (asked_at);
