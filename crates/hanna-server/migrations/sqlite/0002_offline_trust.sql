-- What desks without a connection need: terms of an agreement for them, answers that are remembered with the question
-- they were given to, uses that are taken back, lookups that a copy answered, devices that are revoked.

-- How long after a use its operator may take it back, never after its day; 0: not at all.
ALTER TABLE agreements ADD COLUMN void_window_min INTEGER NOT NULL DEFAULT 1440
    CHECK (void_window_min BETWEEN 0 AND 1440);
-- For how many days without the server a desk may be unlocked.
ALTER TABLE agreements ADD COLUMN offline_days_max INTEGER NOT NULL DEFAULT 7
    CHECK (offline_days_max BETWEEN 0 AND 60);
-- After how many days without a visit a desk forgets a person's copy.
ALTER TABLE agreements ADD COLUMN retention_days INTEGER NOT NULL DEFAULT 30
    CHECK (retention_days BETWEEN 1 AND 365);

-- `outcome` and `code` answer this submission, the highest that was judged.
ALTER TABLE outbox_items ADD COLUMN submission INTEGER NOT NULL DEFAULT 0 CHECK (submission >= 0);
CREATE INDEX outbox_items_by_device ON outbox_items (device_id, sequence);

-- The answers to lower submissions. Only what was refused is ever judged anew.
CREATE TABLE earlier_refusals (
    item_id    BLOB NOT NULL REFERENCES outbox_items (id),
    submission INTEGER NOT NULL,
    judged_us  INTEGER NOT NULL,
    code       TEXT NOT NULL,
    PRIMARY KEY (item_id, submission)
) STRICT, WITHOUT ROWID;

-- Uses taken back. The report stays as it is; it counts no more.
CREATE TABLE voids (
    id          BLOB PRIMARY KEY NOT NULL REFERENCES outbox_items (id),
    report_id   BLOB NOT NULL UNIQUE REFERENCES usage_reports (id),
    author_id   BLOB NOT NULL REFERENCES accounts (id),
    occurred_us INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    text        TEXT  -- in words; always there for OTHER
) STRICT;

-- Lookups that the copy of a desk answered. Who asked about whom stands in lookups, once, also when the server answered too.
CREATE TABLE offline_lookups (
    id           BLOB PRIMARY KEY NOT NULL REFERENCES outbox_items (id),
    lookup_id    BLOB NOT NULL REFERENCES lookups (id),
    occurred_us  INTEGER NOT NULL,
    verdict      TEXT NOT NULL,  -- what the card said
    statement_id BLOB            -- the folio of the copy, none when there was none; perhaps not in our statements
) STRICT;
CREATE INDEX offline_lookups_by_lookup ON offline_lookups (lookup_id);

-- 1: nobody stood at the counter, a person consulted lately was verified again. Counted for the budget of the branch.
ALTER TABLE lookups ADD COLUMN regular INTEGER NOT NULL DEFAULT 0 CHECK (regular IN (0, 1));
CREATE INDEX lookups_of_regulars ON lookups (branch_id, asked_us) WHERE regular = 1;

-- Since when the caja does not trust the PC any more; none: it does.
ALTER TABLE devices ADD COLUMN revoked_us INTEGER;
-- The last time it signed in, refreshed its session or delivered.
ALTER TABLE devices ADD COLUMN last_contact_us INTEGER NOT NULL DEFAULT 0;
UPDATE devices SET last_contact_us = last_seen_us;
