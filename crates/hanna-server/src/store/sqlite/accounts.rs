//! Accounts: registrations and passwords.

use async_trait::async_trait;
use hanna_wire::account::RegistrationState;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::{SqliteStore, access, audit, codes, entity_users, mails, registrations};
use crate::audit::{Act, Actor, NewAct};
use crate::store::generations::SIGNED_OUT;
use crate::store::{
    Accounts, Approval, CodeAsk, CodeAsked, CodeTried, Confirmation, Decided, NewRegistration, OwnPassword,
    PasswordChange, PasswordReset, Registered, Registration, Rejection, Result,
};

fn own_password(tx: &Transaction<'_>, account_id: Uuid) -> rusqlite::Result<Option<OwnPassword>> {
    tx.query_row(
        "SELECT username, display_name, password_hash FROM accounts WHERE id = ?1",
        [account_id],
        |row| {
            Ok(OwnPassword { username: row.get(0)?, display_name: row.get(1)?, password_hash: row.get(2)? })
        },
    )
    .optional()
}

fn change_password(tx: &Transaction<'_>, change: &PasswordChange) -> rusqlite::Result<bool> {
    let is_still = tx
        .prepare_cached("SELECT 1 FROM accounts WHERE id = ?1 AND password_hash = ?2")?
        .exists(params![change.account_id, change.was.expose()])?;
    if !is_still {
        return Ok(false);
    }
    set_password(tx, change.account_id, change.password_hash.expose())?;
    end_sessions(tx, change.account_id, Some(change.keep), change.now)?;
    let act = NewAct::new(Act::PasswordChanged, change.now);
    audit::append(tx, &act.by(&Actor::Account(change.account_id)).about(change.account_id))?;
    change.mail.as_ref().map_or(Ok(()), |mail| mails::add(tx, mail))?;
    Ok(true)
}

fn reset_password(tx: &Transaction<'_>, reset: &PasswordReset) -> rusqlite::Result<CodeTried> {
    if codes::is_spent(tx, reset.subject, reset.spent)? {
        return Ok(CodeTried::Right);
    }
    let tried = codes::attempt(tx, reset.subject, reset.code, reset.now)?;
    if tried != CodeTried::Right {
        return Ok(tried);
    }
    codes::spend(tx, reset.subject, reset.spent)?;
    let account_id: Option<Uuid> = tx
        .query_row("SELECT id FROM accounts WHERE username_key = ?1", [&reset.username_key], |row| row.get(0))
        .optional()?;
    let Some(account_id) = account_id else { return Ok(CodeTried::Gone) };
    set_password(tx, account_id, reset.password_hash.expose())?;
    end_sessions(tx, account_id, None, reset.now)?;
    access::forget_attempts(tx, reset.username_mac)?;
    entity_users::accept_invitation(tx, account_id, reset.now)?;
    mails::add(tx, &reset.mail)?;
    audit::append(tx, &NewAct::new(Act::PasswordReset, reset.now).about(account_id))?;
    Ok(CodeTried::Right)
}

pub fn set_password(tx: &Transaction<'_>, account_id: Uuid, password_hash: &str) -> rusqlite::Result<()> {
    tx.execute("UPDATE accounts SET password_hash = ?2 WHERE id = ?1", params![account_id, password_hash])?;
    Ok(())
}

/// Ends the sessions of an account, all or all but one.
pub fn end_sessions(
    tx: &Transaction<'_>,
    account_id: Uuid,
    keep: Option<Uuid>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let open: Vec<Uuid> = tx
        .prepare("SELECT id FROM sessions WHERE account_id = ?1 AND ended_us IS NULL")?
        .query_map([account_id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for session_id in open.into_iter().filter(|id| Some(*id) != keep) {
        // Whoever changes a password signs out everywhere else.
        access::end_session(tx, session_id, now, SIGNED_OUT)?;
    }
    Ok(())
}

#[async_trait]
impl Accounts for SqliteStore {
    async fn registration(&self, id: Uuid) -> Result<Option<Registration>> {
        self.read(move |tx| registrations::one(tx, id)).await
    }

    async fn registrations(&self, state: Option<RegistrationState>) -> Result<Vec<Registration>> {
        self.read(move |tx| registrations::all(tx, state)).await
    }

    async fn register(&self, new: NewRegistration) -> Result<Registered> {
        self.write(move |tx| registrations::register(tx, &new)).await
    }

    async fn ask_code(&self, ask: CodeAsk) -> Result<CodeAsked> {
        self.write(move |tx| codes::ask(tx, &ask)).await
    }

    async fn confirm_registration(&self, confirmation: Confirmation) -> Result<CodeTried> {
        self.write(move |tx| registrations::confirm(tx, &confirmation)).await
    }

    async fn approve_registration(&self, approval: Approval) -> Result<Decided> {
        self.write(move |tx| registrations::approve(tx, &approval)).await
    }

    async fn reject_registration(&self, rejection: Rejection) -> Result<Decided> {
        self.write(move |tx| registrations::reject(tx, &rejection)).await
    }

    async fn own_password(&self, account_id: Uuid) -> Result<Option<OwnPassword>> {
        self.read(move |tx| own_password(tx, account_id)).await
    }

    async fn change_password(&self, change: PasswordChange) -> Result<bool> {
        self.write(move |tx| change_password(tx, &change)).await
    }

    async fn reset_password(&self, reset: PasswordReset) -> Result<CodeTried> {
        self.write(move |tx| reset_password(tx, &reset)).await
    }
}
