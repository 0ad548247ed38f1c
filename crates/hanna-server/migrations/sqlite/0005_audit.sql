-- The audit: every act in the order in which it was committed, and the chain of signed blocks that seals it. An act refers
-- to what records it (docs/adr/0011-audit.md); only what stands nowhere else stands here.
CREATE TABLE audit (
    id           INTEGER PRIMARY KEY NOT NULL,  -- without gaps, in the order of commits
    at_us        INTEGER NOT NULL,
    act          TEXT NOT NULL,                 -- LOOKUP, ITEM, SIGN_IN, …
    -- What the act is about: of LOOKUP the statement, of ITEM the outbox item, of SIGN_IN the session, otherwise as the act
    -- says. NULL: it is about nothing that has an id.
    record_id    BLOB CHECK (length(record_id) = 16),
    submission   INTEGER,  -- of ITEM: the one that was judged
    account_id   BLOB CHECK (length(account_id) = 16),      -- who; NULL: the record or `said` says it
    device_id    BLOB CHECK (length(device_id) = 16),       -- NULL: the record says it, or there was none
    document_mac BLOB CHECK (length(document_mac) = 32),    -- whose data; NULL: the record says it, or nobody's
    said         TEXT CHECK (said IS NULL OR json_valid(said))              -- what stands nowhere else; NULL: nothing
) STRICT;
CREATE INDEX audit_by_document ON audit (document_mac, at_us) WHERE document_mac IS NOT NULL;

-- Each block names the hash of the one before it. Blocks are only added.
CREATE TABLE audit_blocks (
    number    INTEGER PRIMARY KEY NOT NULL,  -- from 1, without gaps
    previous  BLOB NOT NULL CHECK (length(previous) = 32),
    sealed_us INTEGER NOT NULL,
    after_id  INTEGER NOT NULL,  -- seals the acts after this one
    until_id  INTEGER NOT NULL,  -- up to this one
    root      BLOB NOT NULL CHECK (length(root) = 32),  -- of the Merkle tree over the leaves
    kid       TEXT NOT NULL,
    signature BLOB NOT NULL,  -- Ed25519, by that key
    leaves    BLOB NOT NULL   -- 40 bytes an act: its id, big-endian, and the hash of it with what it refers to
) STRICT;

-- What was recorded before there was an audit is sealed from now on.
INSERT INTO audit (at_us, act, record_id, submission, account_id, device_id, document_mac, said)
SELECT at_us, act, record_id, submission, NULL, NULL, NULL, said FROM (
    SELECT issued_us AS at_us, 'LOOKUP' AS act, id AS record_id, NULL AS submission, NULL AS said FROM statements
    UNION ALL SELECT judged_us, 'ITEM', id, submission, NULL FROM outbox_items
    UNION ALL SELECT judged_us, 'ITEM', item_id, submission, NULL FROM earlier_refusals
    UNION ALL SELECT opened_us, 'SIGN_IN', id, NULL, NULL FROM sessions
    UNION ALL SELECT not_before_us, 'KEY_MADE', NULL, NULL, json_object('kid', kid) FROM signing_keys
) ORDER BY at_us;
