-- Whether it was the caja that suspended an account: then its entity cannot undo it.
ALTER TABLE accounts ADD COLUMN suspended_by_caja INTEGER NOT NULL DEFAULT 0 CHECK (suspended_by_caja IN (0, 1));
UPDATE accounts SET suspended_by_caja = 1 WHERE state = 'SUSPENDED' AND entity_id IS NULL;
