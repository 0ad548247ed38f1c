//! Second factors: the secrets of authenticator applications, and the recovery codes.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::accounts::end_sessions;
use super::columns::Micros;
use super::{SqliteStore, audit};
use crate::audit::NewAct;
use crate::store::{Act, CodeTried, FactorConfirmation, OneTimeCode, Result, SecondFactors, SessionOpened};
use crate::totp::TotpSecret;

struct Kept {
    secret: TotpSecret,
    is_in_force: bool,
    last_step: i64,
}

fn kept(tx: &Transaction<'_>, account_id: Uuid) -> rusqlite::Result<Option<Kept>> {
    tx.prepare_cached(
        "SELECT secret, confirmed_us IS NOT NULL, last_step FROM second_factors WHERE account_id = ?1",
    )?
    .query_row([account_id], |row| {
        Ok(Kept { secret: TotpSecret::new(row.get(0)?), is_in_force: row.get(1)?, last_step: row.get(2)? })
    })
    .optional()
}

/// Whether somebody who signs in has the second factor: the moment when, or none for an account that has none. What they
/// give serves this once.
///
/// # Errors
/// Inside: why no session is opened.
pub fn prove(
    tx: &Transaction<'_>,
    account_id: Uuid,
    given: Option<&OneTimeCode>,
    now: Timestamp,
) -> rusqlite::Result<std::result::Result<Option<Timestamp>, SessionOpened>> {
    let Some(kept) = kept(tx, account_id)?.filter(|kept| kept.is_in_force) else { return Ok(Ok(None)) };
    let is_right = match given {
        None => return Ok(Err(SessionOpened::SecondFactorRequired)),
        Some(OneTimeCode::Totp(otp)) => match kept.secret.step(otp, now, kept.last_step) {
            Some(step) => serve(tx, account_id, step)?,
            None => false,
        },
        Some(OneTimeCode::Recovery(code)) => {
            let sql = "DELETE FROM recovery_codes WHERE account_id = ?1 AND code_mac = ?2";
            tx.execute(sql, params![account_id, code])? == 1
        }
    };
    Ok(if is_right { Ok(Some(now)) } else { Err(SessionOpened::CodeWrong) })
}

fn serve(tx: &Transaction<'_>, account_id: Uuid, step: i64) -> rusqlite::Result<bool> {
    let sql = "UPDATE second_factors SET last_step = ?2 WHERE account_id = ?1";
    Ok(tx.execute(sql, params![account_id, step])? == 1)
}

/// Keeps a secret; `confirmed` when it is in force from the beginning.
pub fn put(
    tx: &Transaction<'_>,
    account_id: Uuid,
    secret: &TotpSecret,
    confirmed: Option<Timestamp>,
) -> rusqlite::Result<bool> {
    let written = tx.execute(
        "INSERT INTO second_factors (account_id, secret, confirmed_us, last_step) VALUES (?1, ?2, ?3, 0)
         ON CONFLICT (account_id) DO UPDATE SET secret = excluded.secret, last_step = 0 WHERE confirmed_us IS NULL",
        params![account_id, secret.bytes().as_slice(), confirmed.map(Micros)],
    )?;
    Ok(written == 1)
}

fn confirm(tx: &Transaction<'_>, confirmation: &FactorConfirmation) -> rusqlite::Result<CodeTried> {
    let FactorConfirmation { account_id, session_id, otp, recovery_codes, now } = confirmation;
    let Some(kept) = kept(tx, *account_id)?.filter(|kept| !kept.is_in_force) else {
        return Ok(CodeTried::Gone);
    };
    let Some(step) = kept.secret.step(otp, *now, kept.last_step) else { return Ok(CodeTried::Wrong) };
    serve(tx, *account_id, step)?;
    tx.execute(
        "UPDATE second_factors SET confirmed_us = ?2 WHERE account_id = ?1",
        params![account_id, Micros(*now)],
    )?;
    for code in recovery_codes {
        tx.execute(
            "INSERT INTO recovery_codes (account_id, code_mac) VALUES (?1, ?2)",
            params![account_id, code],
        )?;
    }
    tx.execute("UPDATE sessions SET second_factor_us = ?2 WHERE id = ?1", params![session_id, Micros(*now)])?;
    end_sessions(tx, *account_id, Some(*session_id), *now)?;
    audit::append(tx, &NewAct::second_factor_set_up(*account_id, *now))?;
    Ok(CodeTried::Right)
}

fn reset(tx: &Transaction<'_>, account_id: Uuid, who: &Act) -> rusqlite::Result<bool> {
    if !tx.prepare("SELECT 1 FROM accounts WHERE id = ?1")?.exists([account_id])? {
        return Ok(false);
    }
    tx.execute("DELETE FROM recovery_codes WHERE account_id = ?1", [account_id])?;
    if tx.execute("DELETE FROM second_factors WHERE account_id = ?1", [account_id])? == 1 {
        audit::append(tx, &NewAct::second_factor_reset(account_id, who))?;
    }
    end_sessions(tx, account_id, None, who.now)?;
    Ok(true)
}

#[async_trait]
impl SecondFactors for SqliteStore {
    async fn begin_second_factor(&self, account_id: Uuid, secret: TotpSecret) -> Result<bool> {
        self.write(move |tx| put(tx, account_id, &secret, None)).await
    }

    async fn confirm_second_factor(&self, confirmation: FactorConfirmation) -> Result<CodeTried> {
        self.write(move |tx| confirm(tx, &confirmation)).await
    }

    async fn reset_second_factor(&self, account_id: Uuid, act: Act) -> Result<bool> {
        self.write(move |tx| reset(tx, account_id, &act)).await
    }
}
