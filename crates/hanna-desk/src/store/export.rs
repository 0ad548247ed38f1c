//! What leaves the outbox in a file, and what the file is sealed with.

use hanna_domain::Redacted;
use hanna_wire::keys::{ExportKeys, Key};
use rusqlite::{OptionalExtension, named_params};

use super::item::{COLUMNS, ItemRow, read_row};
use super::{OutboxStore, StoreError};

impl OutboxStore {
    /// What exports are sealed with, once the server has said so.
    pub fn export_keys(&self) -> Result<Option<ExportKeys>, StoreError> {
        let keys: Option<([u8; 32], [u8; 32])> = self
            .reader()
            .query_row("SELECT caja, device FROM export_key", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        Ok(keys.map(|(caja, device)| ExportKeys { caja: Key(caja), device: Redacted::new(Key(device)) }))
    }

    /// Keeps what exports are sealed with: here, because it is needed exactly as long as something waits here.
    pub fn keep_export_keys(&self, keys: &ExportKeys) -> Result<(), StoreError> {
        if self.export_keys()?.as_ref() == Some(keys) {
            return Ok(());
        }
        self.writer().execute(
            "INSERT INTO export_key (singleton, caja, device) VALUES (1, :caja, :device)
             ON CONFLICT (singleton) DO UPDATE SET caja = excluded.caja, device = excluded.device",
            named_params! { ":caja": keys.caja.0, ":device": keys.device.expose().0 },
        )?;
        Ok(())
    }

    /// The sequences of everything not done with, whatever it is, oldest first.
    pub fn open_sequences(&self) -> Result<Vec<i64>, StoreError> {
        let db = self.reader();
        let mut query = db.prepare_cached(
            "SELECT sequence FROM item WHERE state IN ('queued', 'sending', 'needs_attention') ORDER BY sequence",
        )?;
        Ok(query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// The item with this sequence.
    pub fn item_at(&self, sequence: i64) -> Result<Option<ItemRow>, StoreError> {
        let db = self.reader();
        let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM item WHERE sequence = ?1"))?;
        let mut rows = query.query([sequence])?;
        rows.next()?.map(read_row).transpose()
    }
}
