-- What exports are sealed with, and items brought back from an outbox that was set aside.

CREATE TABLE export_key (
    singleton INTEGER NOT NULL PRIMARY KEY CHECK (singleton = 1),
    caja      BLOB NOT NULL,                      -- 32 bytes, X25519: what the caja opens
    device    BLOB NOT NULL                       -- 32 bytes, a secret: what the caja knows this PC by
) STRICT;

-- Of an item brought back: the sequence under which it was recorded, and is delivered. Here it has one below zero, because
-- this outbox has begun to count anew. None for what was recorded here.
ALTER TABLE item ADD COLUMN recorded_sequence INTEGER;
