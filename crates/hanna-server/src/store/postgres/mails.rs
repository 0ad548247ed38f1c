//! The queue of mails. Senders take mails beside each other: what one is just taking, another passes over.

use async_trait::async_trait;
use hanna_domain::Redacted;
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::PostgresStore;
use super::columns::{Columns, Count, Moment};
use super::fault::{Done, Trouble};
use super::pool::Tx;
use crate::store::words::Word;
use crate::store::{Mail, MailQueue, MailTurn, Result};

/// One that is there already is of this very transaction, whose end was not heard of.
pub async fn add(tx: &Tx, mail: &Mail) -> Done<()> {
    let fields =
        serde_json::to_string(mail.fields.expose()).map_err(|error| Trouble::Unreadable(error.into()))?;
    tx.execute(
        "INSERT INTO mails (id, kind, recipient, fields, made_at, expires_at, attempts, next_at)
         VALUES ($1, $2, $3, $4, $5, $6, 0, $5) ON CONFLICT (id) DO NOTHING",
        &[
            &mail.id,
            &Word(mail.kind),
            mail.recipient.expose(),
            &fields,
            &Moment(mail.made_at),
            &Moment(mail.expires_at),
        ],
    )
    .await
    .map(drop)
}

async fn next(tx: &Tx, now: Timestamp, until: Timestamp, limit: u32) -> Done<MailTurn> {
    let expired = tx
        .execute(
            "DELETE FROM mails WHERE id IN
                 (SELECT id FROM mails WHERE expires_at <= $1 FOR UPDATE SKIP LOCKED)",
            &[&Moment(now)],
        )
        .await?;
    let rows = tx
        .rows(
            "SELECT id, kind, recipient, fields, made_at, expires_at, attempts FROM mails
             WHERE next_at <= $1 AND expires_at > $1 ORDER BY next_at, id LIMIT $2 FOR UPDATE SKIP LOCKED",
            &[&Moment(now), &Count(limit)],
        )
        .await?;
    let mails = rows.iter().map(begun).collect::<Done<Vec<Mail>>>()?;
    let ids: Vec<Uuid> = mails.iter().map(|mail| mail.id).collect();
    tx.execute(
        "UPDATE mails SET attempts = attempts + 1, next_at = $2 WHERE id = ANY($1::uuid[])",
        &[&ids, &Moment(until)],
    )
    .await?;
    Ok(MailTurn { mails, expired })
}

/// A mail with the attempt that begins now.
fn begun(row: &Row) -> Done<Mail> {
    let fields: String = row.value(3)?;
    let fields = serde_json::from_str(&fields).map_err(|error| Trouble::Unreadable(error.into()))?;
    Ok(Mail {
        id: row.value(0)?,
        kind: row.word(1)?,
        recipient: Redacted::new(row.value(2)?),
        fields: Redacted::new(fields),
        made_at: row.moment(4)?,
        expires_at: row.moment(5)?,
        attempts: row.count(6)?.saturating_add(1),
    })
}

async fn is_anything_to_do(tx: &Tx, now: Timestamp) -> Done<bool> {
    tx.exists("SELECT 1 FROM mails WHERE next_at <= $1 OR expires_at <= $1 LIMIT 1", &[&Moment(now)]).await
}

#[async_trait]
impl MailQueue for PostgresStore {
    async fn next_mails(&self, now: Timestamp, until: Timestamp, limit: u32) -> Result<MailTurn> {
        // Asked every few seconds by every process: one question while there is nothing.
        if !self.0.ask(move |tx| Box::pin(is_anything_to_do(tx, now))).await? {
            return Ok(MailTurn { mails: Vec::new(), expired: 0 });
        }
        self.0.write(move |tx| Box::pin(next(tx, now, until, limit))).await
    }

    async fn mail_sent(&self, id: Uuid) -> Result<()> {
        self.0
            .write(move |tx| {
                Box::pin(async move { tx.execute("DELETE FROM mails WHERE id = $1", &[&id]).await.map(drop) })
            })
            .await
    }

    async fn mail_failed(&self, id: Uuid, next: Timestamp) -> Result<()> {
        self.0
            .write(move |tx| {
                let sql = "UPDATE mails SET next_at = $2 WHERE id = $1";
                Box::pin(async move { tx.execute(sql, &[&id, &Moment(next)]).await.map(drop) })
            })
            .await
    }
}
