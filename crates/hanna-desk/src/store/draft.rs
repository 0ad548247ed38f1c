//! What somebody has filled in and not sent yet: one draft an operator, with the bytes of the file chosen for it.

use rusqlite::OptionalExtension;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::StoreError;
use super::cache::CacheStore;

impl CacheStore {
    /// Keeps what is filled in; the file stays as it is.
    pub fn keep_draft<T: Serialize>(&self, operator_id: Uuid, content: &T) -> Result<(), StoreError> {
        let json = json(content)?;
        self.write(|db| {
            db.execute(
                "INSERT INTO draft (operator_id, content) VALUES (?1, ?2)
                 ON CONFLICT (operator_id) DO UPDATE SET content = excluded.content",
                (operator_id, json),
            )?;
            Ok(())
        })
    }

    /// Keeps what is filled in with another file, or with none.
    pub fn keep_draft_file<T: Serialize>(
        &self,
        operator_id: Uuid,
        content: &T,
        file: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let json = json(content)?;
        self.write(|db| {
            db.execute(
                "INSERT INTO draft (operator_id, content, file) VALUES (?1, ?2, ?3)
                 ON CONFLICT (operator_id) DO UPDATE SET content = excluded.content, file = excluded.file",
                (operator_id, json, file),
            )?;
            Ok(())
        })
    }

    /// What the operator has filled in.
    pub fn draft<T: DeserializeOwned>(&self, operator_id: Uuid) -> Result<Option<T>, StoreError> {
        let json: Option<String> = self
            .db()
            .query_row("SELECT content FROM draft WHERE operator_id = ?1", [operator_id], |row| row.get(0))
            .optional()?;
        json.map(|json| serde_json::from_str(&json).map_err(|_| StoreError::Content("draft"))).transpose()
    }

    /// The bytes of the file the operator chose.
    pub fn draft_file(&self, operator_id: Uuid) -> Result<Option<Vec<u8>>, StoreError> {
        let file = self
            .db()
            .query_row("SELECT file FROM draft WHERE operator_id = ?1", [operator_id], |row| row.get(0))
            .optional()?;
        Ok(file.flatten())
    }

    /// The server has it.
    pub fn forget_draft(&self, operator_id: Uuid) -> Result<(), StoreError> {
        self.write(|db| {
            db.execute("DELETE FROM draft WHERE operator_id = ?1", [operator_id])?;
            Ok(())
        })
    }
}

fn json<T: Serialize>(content: &T) -> Result<String, StoreError> {
    serde_json::to_string(content).map_err(|error| StoreError::Failed(error.into()))
}
