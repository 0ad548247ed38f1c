//! Codes that were mailed.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use super::columns::Micros;
use super::{mails, registrations};
use crate::codes::{self, Code, Tried};
use crate::secrets::Mac;
use crate::store::{CodeAsk, CodeAsked, CodeTried};

pub fn ask(tx: &Transaction<'_>, ask: &CodeAsk) -> rusqlite::Result<CodeAsked> {
    // Anybody can make rows here, so the old ones go.
    tx.prepare_cached("DELETE FROM codes WHERE made_us < ?1")?
        .execute([Micros(codes::forgotten_before(ask.now))])?;
    let known = registrations::is_username_taken(tx, &ask.username_key)?;
    let letter = if known { &ask.if_known } else { &ask.if_unknown };
    match ask.next(code(tx, ask.subject)?, letter.code) {
        Err(until) => Ok(CodeAsked::Wait(until)),
        Ok(code) => {
            keep(tx, ask.subject, code)?;
            if let Some(mail) = &letter.mail {
                mails::add(tx, mail)?;
            }
            Ok(CodeAsked::Sent)
        }
    }
}

/// Tries a code and counts it when it was wrong. A right one stays.
pub fn attempt(
    tx: &Transaction<'_>,
    subject: Mac,
    given: Mac,
    now: Timestamp,
) -> rusqlite::Result<CodeTried> {
    let Some(code) = code(tx, subject)? else { return Ok(CodeTried::Gone) };
    match codes::attempt(code, given, now) {
        Tried::Right => Ok(CodeTried::Right),
        Tried::Gone => Ok(CodeTried::Gone),
        Tried::Wrong(counted) => {
            keep(tx, subject, counted)?;
            Ok(CodeTried::Wrong)
        }
    }
}

/// The code is worth nothing from now on: `spent` stands in its place. How many were mailed is still known.
pub fn spend(tx: &Transaction<'_>, subject: Mac, spent: Mac) -> rusqlite::Result<()> {
    tx.execute("UPDATE codes SET code_mac = ?2 WHERE subject_mac = ?1", [subject, spent])?;
    Ok(())
}

/// Whether `spent` stands in the place of the code.
pub fn is_spent(tx: &Transaction<'_>, subject: Mac, spent: Mac) -> rusqlite::Result<bool> {
    Ok(code(tx, subject)?.is_some_and(|code| code.mac == spent))
}

fn code(tx: &Transaction<'_>, subject: Mac) -> rusqlite::Result<Option<Code>> {
    tx.prepare_cached(
        "SELECT code_mac, made_us, attempts, sent, first_sent_us FROM codes WHERE subject_mac = ?1",
    )?
    .query_row([subject], |row| {
        Ok(Code {
            mac: Mac(row.get(0)?),
            made_at: row.get::<_, Micros>(1)?.0,
            attempts: row.get(2)?,
            sent: row.get(3)?,
            first_sent_at: row.get::<_, Micros>(4)?.0,
        })
    })
    .optional()
}

fn keep(tx: &Transaction<'_>, subject: Mac, code: Code) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO codes (subject_mac, code_mac, made_us, attempts, sent, first_sent_us)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (subject_mac) DO UPDATE SET code_mac = excluded.code_mac, made_us = excluded.made_us,
             attempts = excluded.attempts, sent = excluded.sent, first_sent_us = excluded.first_sent_us",
    )?
    .execute(params![
        subject,
        code.mac,
        Micros(code.made_at),
        code.attempts,
        code.sent,
        Micros(code.first_sent_at)
    ])?;
    Ok(())
}
