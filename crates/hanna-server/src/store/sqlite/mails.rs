//! The queue of mails.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Transaction, params};
use uuid::Uuid;

use hanna_domain::Redacted;

use super::SqliteStore;
use super::columns::{Json, Micros, Word};
use crate::store::{Mail, MailQueue, MailTurn, Result};

pub fn add(tx: &Transaction<'_>, mail: &Mail) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO mails (id, kind, recipient, fields, made_us, expires_us, attempts, next_us)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?5)",
        params![
            mail.id,
            Word(mail.kind),
            mail.recipient.expose(),
            Json(mail.fields.expose()),
            Micros(mail.made_at),
            Micros(mail.expires_at),
        ],
    )?;
    Ok(())
}

fn next(tx: &Transaction<'_>, now: Timestamp, until: Timestamp, limit: u32) -> rusqlite::Result<MailTurn> {
    let expired = tx.prepare_cached("DELETE FROM mails WHERE expires_us <= ?1")?.execute([Micros(now)])?;
    let mails: Vec<Mail> = tx
        .prepare_cached(
            "SELECT id, kind, recipient, fields, made_us, expires_us, attempts FROM mails
             WHERE next_us <= ?1 ORDER BY next_us, id LIMIT ?2",
        )?
        .query_map(params![Micros(now), limit], |row| {
            Ok(Mail {
                id: row.get(0)?,
                kind: row.get::<_, Word<_>>(1)?.0,
                recipient: Redacted::new(row.get(2)?),
                fields: Redacted::new(row.get::<_, Json<_>>(3)?.0),
                made_at: row.get::<_, Micros>(4)?.0,
                expires_at: row.get::<_, Micros>(5)?.0,
                attempts: row.get::<_, u32>(6)?.saturating_add(1),
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    for mail in &mails {
        tx.prepare_cached("UPDATE mails SET attempts = ?2, next_us = ?3 WHERE id = ?1")?.execute(params![
            mail.id,
            mail.attempts,
            Micros(until)
        ])?;
    }
    Ok(MailTurn { mails, expired: expired as u64 })
}

fn is_anything_to_do(tx: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT 1 FROM mails WHERE next_us <= ?1 OR expires_us <= ?1 LIMIT 1")?
        .exists([Micros(now)])
}

#[async_trait]
impl MailQueue for SqliteStore {
    async fn next_mails(&self, now: Timestamp, until: Timestamp, limit: u32) -> Result<MailTurn> {
        // Asked every few seconds: the writer is left alone while there is nothing.
        if !self.read(move |tx| is_anything_to_do(tx, now)).await? {
            return Ok(MailTurn { mails: Vec::new(), expired: 0 });
        }
        self.write(move |tx| next(tx, now, until, limit)).await
    }

    async fn mail_sent(&self, id: Uuid) -> Result<()> {
        self.write(move |tx| tx.execute("DELETE FROM mails WHERE id = ?1", [id]).map(drop)).await
    }

    async fn mail_failed(&self, id: Uuid, next: Timestamp) -> Result<()> {
        self.write(move |tx| {
            tx.execute("UPDATE mails SET next_us = ?2 WHERE id = ?1", params![id, Micros(next)]).map(drop)
        })
        .await
    }
}
