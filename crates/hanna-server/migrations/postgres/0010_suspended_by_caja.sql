-- Whether it was the caja that suspended an account: then its entity cannot undo it.
ALTER TABLE accounts ADD COLUMN suspended_by_caja boolean NOT NULL DEFAULT false;
UPDATE accounts SET suspended_by_caja = true WHERE state = 'SUSPENDED' AND entity_id IS NULL;
