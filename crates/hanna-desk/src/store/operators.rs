//! The operators this PC knows, in `cache.sqlite`.

use hanna_wire::me::Me;
use jiff::Timestamp;
use rusqlite::OptionalExtension;

use super::{CacheStore, StoreError, millis, time};

/// An operator who has signed in on this PC.
#[derive(Debug, Clone)]
pub struct KnownOperator {
    /// PHC string, Argon2id.
    pub verifier: String,
    /// Who they are and what they may do, as the server last said.
    pub me: Me,
    /// When it said so, by its clock.
    pub online_at: Timestamp,
    /// Wrong passwords since the last right one.
    pub failures: u32,
    /// No password is tried before this moment, by this PC's clock.
    pub next_attempt_at: Timestamp,
}

impl CacheStore {
    /// The operator called `username`, if they ever signed in here.
    pub fn operator(&self, username: &str) -> Result<Option<KnownOperator>, StoreError> {
        const TABLE: StoreError = StoreError::Content("operator");
        let row: Option<(String, String, i64, u32, i64)> = self
            .db()
            .query_row(
                "SELECT verifier, me, online_at, failures, next_attempt_at FROM operator WHERE username = ?1",
                [key(username)],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
            )
            .optional()?;
        row.map(|(verifier, me, online_at, failures, next_attempt_at)| {
            Ok(KnownOperator {
                verifier,
                me: serde_json::from_str(&me).map_err(|_| TABLE)?,
                online_at: time(online_at, "operator")?,
                failures,
                next_attempt_at: time(next_attempt_at, "operator")?,
            })
        })
        .transpose()
    }

    /// Keeps an operator the server has just let in.
    pub fn keep_operator(
        &self,
        username: &str,
        verifier: &str,
        me: &Me,
        online_at: Timestamp,
    ) -> Result<(), StoreError> {
        let me = serde_json::to_string(me).map_err(|error| StoreError::Failed(error.into()))?;
        self.write(|db| {
            db.execute(
                "INSERT INTO operator (username, verifier, me, online_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (username) DO UPDATE SET verifier = excluded.verifier, me = excluded.me,
                     online_at = excluded.online_at, failures = 0, next_attempt_at = 0",
                (key(username), verifier, me, millis(online_at)),
            )?;
            Ok(())
        })
    }

    /// Notes an attempt, durably, before the password is looked at; or with 0 failures, that it was right.
    pub fn note_attempt(
        &self,
        username: &str,
        failures: u32,
        next_attempt_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(|db| {
            db.execute(
                "UPDATE operator SET failures = ?2, next_attempt_at = ?3 WHERE username = ?1",
                (key(username), failures, millis(next_attempt_at)),
            )?;
            Ok(())
        })
    }
}

/// User names are the same whatever their case, as on the server.
fn key(username: &str) -> String {
    username.trim().to_lowercase()
}
