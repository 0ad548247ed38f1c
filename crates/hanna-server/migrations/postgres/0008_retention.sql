-- What is older than records are kept is purged: see docs/adr/0013-retention.md.

-- How many acts a block sealed, once all of them are purged and its list is empty. None: its list says it.
ALTER TABLE audit_blocks ADD COLUMN purged bigint;
CREATE INDEX audit_blocks_with_acts ON audit_blocks (number) WHERE purged IS NULL;
-- The last purge says from when on everything is there, and is asked for with every batch of a desk.
CREATE INDEX audit_purges ON audit (id) WHERE act = 'PURGED';
