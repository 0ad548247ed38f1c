-- What the PC's own clock said when an item was recorded, beside when it happened by the server's clock (with the item's
-- kind) and when it arrived. NULL: delivered to a server that did not keep it.
ALTER TABLE outbox_items ADD COLUMN device_us INTEGER;
