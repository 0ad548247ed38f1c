-- What waits is found by its state, however much was done with before, and counted without reading the items, each of
-- which holds over a kilobyte.

DROP INDEX item_open;
CREATE INDEX item_by_state ON item (state, sequence, kind, next_attempt_at);
