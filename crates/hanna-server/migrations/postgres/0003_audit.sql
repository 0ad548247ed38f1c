-- The audit: every act, and the chain of signed blocks that seals it. An act refers to what records it
-- (docs/adr/0011-audit.md); only what stands nowhere else stands here.
CREATE SEQUENCE audit_ids;
CREATE TABLE audit (
    -- In the order in which they were begun, with gaps where a transaction was taken back. Whoever is given one has a
    -- transaction's number first: by that the sealer knows when everybody is done who was given a lower one.
    id           bigint PRIMARY KEY DEFAULT CASE WHEN pg_current_xact_id() IS NOT NULL THEN nextval('audit_ids') END,
    at           timestamptz NOT NULL,
    act          text COLLATE "C" NOT NULL,  -- LOOKUP, ITEM, SIGN_IN, …
    -- What the act is about: of LOOKUP the statement, of ITEM the outbox item, of SIGN_IN the session, otherwise as the act
    -- says. None: it is about nothing that has an id.
    record_id    uuid,
    submission   bigint,  -- of ITEM: the one that was judged
    account_id   uuid,    -- who; none: the record or `said` says it
    device_id    uuid,    -- none: the record says it, or there was none
    document_mac bytea CHECK (length(document_mac) = 32),  -- whose data; none: the record says it, or nobody's
    said         json     -- what stands nowhere else, as it was written: jsonb would put it another way
);
ALTER SEQUENCE audit_ids OWNED BY audit.id;
CREATE INDEX audit_by_document ON audit (document_mac, at) WHERE document_mac IS NOT NULL;

-- Each block names the hash of the one before it. Blocks are only added.
CREATE TABLE audit_blocks (
    number    bigint PRIMARY KEY,  -- from 1, without gaps
    previous  bytea  NOT NULL CHECK (length(previous) = 32),
    sealed_us bigint NOT NULL,     -- microseconds since 1970, as it is signed
    after_id  bigint NOT NULL,     -- seals the acts after this one
    until_id  bigint NOT NULL,     -- up to this one
    root      bytea  NOT NULL CHECK (length(root) = 32),  -- of the Merkle tree over the leaves
    kid       text COLLATE "C" NOT NULL,
    signature bytea  NOT NULL,     -- Ed25519, by that key
    leaves    bytea  NOT NULL      -- 40 bytes an act: its id, big-endian, and the hash of it with what it refers to
);

-- What was recorded before there was an audit is sealed from now on.
INSERT INTO audit (at, act, record_id, submission, said)
SELECT at, act, record_id, submission, said FROM (
    SELECT issued_at AS at, 'LOOKUP' AS act, id AS record_id, NULL::bigint AS submission, NULL::json AS said FROM statements
    UNION ALL SELECT judged_at, 'ITEM', id, submission, NULL FROM outbox_items
    UNION ALL SELECT judged_at, 'ITEM', item_id, submission, NULL FROM earlier_refusals
    UNION ALL SELECT opened_at, 'SIGN_IN', id, NULL, NULL FROM sessions
    UNION ALL SELECT not_before, 'KEY_MADE', NULL, NULL, json_build_object('kid', kid) FROM signing_keys
) AS before ORDER BY at;
