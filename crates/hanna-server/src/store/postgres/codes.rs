//! Codes that were mailed. Whoever asks for one or tries one holds the lock of what it is for, so that attempts at once
//! cannot outrun the count.

use jiff::Timestamp;

use super::columns::{Bytes32, Columns, Count, Moment};
use super::fault::Done;
use super::locks::{self, Name};
use super::pool::Tx;
use super::{mails, registrations};
use crate::codes::{self, Code, Tried};
use crate::secrets::Mac;
use crate::store::{CodeAsk, CodeAsked, CodeTried};

pub async fn ask(tx: &Tx, ask: &CodeAsk) -> Done<CodeAsked> {
    hold(tx, ask.subject).await?;
    // Anybody can make rows here, so the old ones go; those somebody else takes away just now are left to them.
    tx.execute(
        "DELETE FROM codes WHERE subject_mac IN
             (SELECT subject_mac FROM codes WHERE made_at < $1 LIMIT 100 FOR UPDATE SKIP LOCKED)",
        &[&Moment(codes::forgotten_before(ask.now))],
    )
    .await?;
    let known = registrations::is_username_taken(tx, &ask.username_key).await?;
    let letter = if known { &ask.if_known } else { &ask.if_unknown };
    match ask.next(code(tx, ask.subject).await?, letter.code) {
        Err(until) => Ok(CodeAsked::Wait(until)),
        Ok(code) => {
            keep(tx, ask.subject, code).await?;
            if let Some(mail) = &letter.mail {
                mails::add(tx, mail).await?;
            }
            Ok(CodeAsked::Sent)
        }
    }
}

/// Tries a code and counts it when it was wrong. A right one stays.
pub async fn attempt(tx: &Tx, subject: Mac, given: Mac, now: Timestamp) -> Done<CodeTried> {
    hold(tx, subject).await?;
    let Some(code) = code(tx, subject).await? else { return Ok(CodeTried::Gone) };
    match codes::attempt(code, given, now) {
        Tried::Right => Ok(CodeTried::Right),
        Tried::Gone => Ok(CodeTried::Gone),
        Tried::Wrong(counted) => {
            keep(tx, subject, counted).await?;
            Ok(CodeTried::Wrong)
        }
    }
}

/// The code is worth nothing from now on: `spent` stands in its place. How many were mailed is still known.
pub async fn spend(tx: &Tx, subject: Mac, spent: Mac) -> Done<()> {
    let sql = "UPDATE codes SET code_mac = $2 WHERE subject_mac = $1";
    tx.execute(sql, &[&Bytes32::from(subject), &Bytes32::from(spent)]).await.map(drop)
}

/// Whether `spent` stands in the place of the code.
pub async fn is_spent(tx: &Tx, subject: Mac, spent: Mac) -> Done<bool> {
    hold(tx, subject).await?;
    Ok(code(tx, subject).await?.is_some_and(|code| code.mac == spent))
}

async fn hold(tx: &Tx, subject: Mac) -> Done<()> {
    locks::hold(tx, Name::of("code", &[&subject.0])).await
}

async fn code(tx: &Tx, subject: Mac) -> Done<Option<Code>> {
    let sql = "SELECT code_mac, made_at, attempts, sent, first_sent_at FROM codes WHERE subject_mac = $1";
    let Some(row) = tx.row_or_none(sql, &[&Bytes32::from(subject)]).await? else { return Ok(None) };
    Ok(Some(Code {
        mac: Mac(row.value::<Bytes32>(0)?.0),
        made_at: row.moment(1)?,
        attempts: row.count(2)?,
        sent: row.count(3)?,
        first_sent_at: row.moment(4)?,
    }))
}

async fn keep(tx: &Tx, subject: Mac, code: Code) -> Done<()> {
    tx.execute(
        "INSERT INTO codes (subject_mac, code_mac, made_at, attempts, sent, first_sent_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (subject_mac) DO UPDATE SET code_mac = excluded.code_mac, made_at = excluded.made_at,
             attempts = excluded.attempts, sent = excluded.sent, first_sent_at = excluded.first_sent_at",
        &[
            &Bytes32::from(subject),
            &Bytes32::from(code.mac),
            &Moment(code.made_at),
            &Count(code.attempts),
            &Count(code.sent),
            &Moment(code.first_sent_at),
        ],
    )
    .await
    .map(drop)
}
