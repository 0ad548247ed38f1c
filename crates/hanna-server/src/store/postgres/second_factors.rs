//! Second factors: the secrets of authenticator applications, and the recovery codes. Whoever tries a code holds the
//! account's second factor: of two who give the same code at once, it serves one.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::accounts::end_sessions;
use super::columns::{Bytes32, Columns, Moment};
use super::fault::{Done, Trouble};
use super::pool::Tx;
use super::{PostgresStore, audit};
use crate::audit::NewAct;
use crate::store::{Act, CodeTried, FactorConfirmation, OneTimeCode, Result, SecondFactors, SessionOpened};
use crate::totp::TotpSecret;

struct Kept {
    secret: TotpSecret,
    confirmed_at: Option<Timestamp>,
    last_step: i64,
}

async fn hold(tx: &Tx, account_id: Uuid) -> Done<Option<Kept>> {
    let sql = "SELECT secret, confirmed_at, last_step FROM second_factors WHERE account_id = $1 FOR UPDATE";
    let Some(row) = tx.row_or_none(sql, &[&account_id]).await? else { return Ok(None) };
    let secret: &[u8] = row.value(0)?;
    let secret = secret.try_into().map_err(|_| Trouble::Unreadable("a secret has not 20 bytes".into()))?;
    Ok(Some(Kept {
        secret: TotpSecret::new(secret),
        confirmed_at: row.value::<Option<Moment>>(1)?.map(|at| at.0),
        last_step: row.value(2)?,
    }))
}

/// Whether somebody who signs in has the second factor: the moment when, or none for an account that has none. What they
/// give serves this once.
///
/// # Errors
/// Inside: why no session is opened.
pub async fn prove(
    tx: &Tx,
    account_id: Uuid,
    given: Option<&OneTimeCode>,
    now: Timestamp,
) -> Done<std::result::Result<Option<Timestamp>, SessionOpened>> {
    let kept = hold(tx, account_id).await?.filter(|kept| kept.confirmed_at.is_some());
    let Some(kept) = kept else { return Ok(Ok(None)) };
    let is_right = match given {
        None => return Ok(Err(SessionOpened::SecondFactorRequired)),
        Some(OneTimeCode::Totp(otp)) => match kept.secret.step(otp, now, kept.last_step) {
            Some(step) => serve(tx, account_id, step).await?,
            None => false,
        },
        Some(OneTimeCode::Recovery(code)) => {
            let sql = "DELETE FROM recovery_codes WHERE account_id = $1 AND code_mac = $2";
            tx.execute(sql, &[&account_id, &Bytes32::from(*code)]).await? == 1
        }
    };
    Ok(if is_right { Ok(Some(now)) } else { Err(SessionOpened::CodeWrong) })
}

async fn serve(tx: &Tx, account_id: Uuid, step: i64) -> Done<bool> {
    let sql = "UPDATE second_factors SET last_step = $2 WHERE account_id = $1";
    Ok(tx.execute(sql, &[&account_id, &step]).await? == 1)
}

/// Keeps a secret; `confirmed` when it is in force from the beginning.
pub async fn put(tx: &Tx, account_id: Uuid, secret: &TotpSecret, confirmed: Option<Timestamp>) -> Done<bool> {
    let written = tx
        .execute(
            "INSERT INTO second_factors (account_id, secret, confirmed_at, last_step) VALUES ($1, $2, $3, 0)
             ON CONFLICT (account_id) DO UPDATE SET secret = excluded.secret, last_step = 0
             WHERE second_factors.confirmed_at IS NULL",
            &[&account_id, &secret.bytes().as_slice(), &confirmed.map(Moment)],
        )
        .await?;
    Ok(written == 1)
}

async fn confirm(tx: &Tx, confirmation: &FactorConfirmation) -> Done<CodeTried> {
    let FactorConfirmation { account_id, session_id, otp, recovery_codes, now } = confirmation;
    let Some(kept) = hold(tx, *account_id).await? else { return Ok(CodeTried::Gone) };
    if kept.confirmed_at.is_some() {
        // At this very moment: this very transaction, whose end was not heard of.
        let sql = "SELECT 1 FROM sessions WHERE id = $1 AND second_factor_at = $2";
        let is_this = tx.exists(sql, &[session_id, &Moment(*now)]).await?;
        return Ok(if is_this { CodeTried::Right } else { CodeTried::Gone });
    }
    let Some(step) = kept.secret.step(otp, *now, kept.last_step) else { return Ok(CodeTried::Wrong) };
    serve(tx, *account_id, step).await?;
    let sql = "UPDATE second_factors SET confirmed_at = $2 WHERE account_id = $1";
    tx.execute(sql, &[account_id, &Moment(*now)]).await?;
    for code in recovery_codes {
        let sql = "INSERT INTO recovery_codes (account_id, code_mac) VALUES ($1, $2)";
        tx.execute(sql, &[account_id, &Bytes32::from(*code)]).await?;
    }
    let sql = "UPDATE sessions SET second_factor_at = $2 WHERE id = $1";
    tx.execute(sql, &[session_id, &Moment(*now)]).await?;
    end_sessions(tx, *account_id, Some(*session_id), *now).await?;
    audit::append(tx, &NewAct::second_factor_set_up(*account_id, *now)).await?;
    Ok(CodeTried::Right)
}

async fn reset(tx: &Tx, account_id: Uuid, who: &Act) -> Done<bool> {
    if !tx.exists("SELECT 1 FROM accounts WHERE id = $1", &[&account_id]).await? {
        return Ok(false);
    }
    hold(tx, account_id).await?;
    tx.execute("DELETE FROM recovery_codes WHERE account_id = $1", &[&account_id]).await?;
    if tx.execute("DELETE FROM second_factors WHERE account_id = $1", &[&account_id]).await? == 1 {
        audit::append(tx, &NewAct::second_factor_reset(account_id, who)).await?;
    }
    end_sessions(tx, account_id, None, who.now).await?;
    Ok(true)
}

#[async_trait]
impl SecondFactors for PostgresStore {
    async fn begin_second_factor(&self, account_id: Uuid, secret: TotpSecret) -> Result<bool> {
        let secret = Arc::new(secret);
        self.0
            .write(move |tx| {
                let secret = Arc::clone(&secret);
                Box::pin(async move { put(tx, account_id, &secret, None).await })
            })
            .await
    }

    async fn confirm_second_factor(&self, confirmation: FactorConfirmation) -> Result<CodeTried> {
        let confirmation = Arc::new(confirmation);
        self.0
            .write(move |tx| {
                let confirmation = Arc::clone(&confirmation);
                Box::pin(async move { confirm(tx, &confirmation).await })
            })
            .await
    }

    async fn reset_second_factor(&self, account_id: Uuid, act: Act) -> Result<bool> {
        let act = Arc::new(act);
        self.0
            .write(move |tx| {
                let act = Arc::clone(&act);
                Box::pin(async move { reset(tx, account_id, &act).await })
            })
            .await
    }
}
