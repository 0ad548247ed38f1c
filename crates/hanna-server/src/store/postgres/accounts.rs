//! Accounts: registrations and passwords.

use std::sync::Arc;

use async_trait::async_trait;
use hanna_wire::account::RegistrationState;
use jiff::Timestamp;
use uuid::Uuid;

use super::columns::Columns;
use super::fault::Done;
use super::pool::Tx;
use super::{PostgresStore, access, audit, codes, entity_users, mails, registrations};
use crate::audit::{Act, Actor, NewAct};
use crate::store::{
    Accounts, Approval, CodeAsk, CodeAsked, CodeTried, Confirmation, Decided, NewRegistration, OwnPassword,
    PasswordChange, PasswordReset, Registered, Registration, Rejection, Result,
};

async fn own_password(tx: &Tx, account_id: Uuid) -> Done<Option<OwnPassword>> {
    let sql = "SELECT username, display_name, password_hash FROM accounts WHERE id = $1";
    let Some(row) = tx.row_or_none(sql, &[&account_id]).await? else { return Ok(None) };
    Ok(Some(OwnPassword {
        username: row.value(0)?,
        display_name: row.value(1)?,
        password_hash: row.value(2)?,
    }))
}

async fn change_password(tx: &Tx, change: &PasswordChange) -> Done<bool> {
    let found = "SELECT password_hash FROM accounts WHERE id = $1 FOR NO KEY UPDATE";
    let Some(row) = tx.row_or_none(found, &[&change.account_id]).await? else { return Ok(false) };
    let is: String = row.value(0)?;
    // The new one already: this very transaction, whose end was not heard of.
    if is == *change.password_hash.expose() || is != *change.was.expose() {
        return Ok(is == *change.password_hash.expose());
    }
    set_password(tx, change.account_id, change.password_hash.expose()).await?;
    end_sessions(tx, change.account_id, Some(change.keep), change.now).await?;
    let act = NewAct::new(Act::PasswordChanged, change.now);
    audit::append(tx, &act.by(&Actor::Account(change.account_id)).about(change.account_id)).await?;
    if let Some(mail) = &change.mail {
        mails::add(tx, mail).await?;
    }
    Ok(true)
}

async fn reset_password(tx: &Tx, reset: &PasswordReset) -> Done<CodeTried> {
    if codes::is_spent(tx, reset.subject, reset.spent).await? {
        return Ok(CodeTried::Right);
    }
    let tried = codes::attempt(tx, reset.subject, reset.code, reset.now).await?;
    if tried != CodeTried::Right {
        return Ok(tried);
    }
    codes::spend(tx, reset.subject, reset.spent).await?;
    let account =
        tx.row_or_none("SELECT id FROM accounts WHERE username_key = $1", &[&reset.username_key]).await?;
    let Some(account) = account else { return Ok(CodeTried::Gone) };
    let account_id: Uuid = account.value(0)?;
    set_password(tx, account_id, reset.password_hash.expose()).await?;
    end_sessions(tx, account_id, None, reset.now).await?;
    access::forget_attempts(tx, reset.username_mac).await?;
    entity_users::accept_invitation(tx, account_id, reset.now).await?;
    mails::add(tx, &reset.mail).await?;
    audit::append(tx, &NewAct::new(Act::PasswordReset, reset.now).about(account_id)).await?;
    Ok(CodeTried::Right)
}

/// Holds the account's row: two who change a password at once come one after the other.
pub async fn set_password(tx: &Tx, account_id: Uuid, password_hash: &str) -> Done<()> {
    let sql = "UPDATE accounts SET password_hash = $2 WHERE id = $1";
    tx.execute(sql, &[&account_id, &password_hash]).await.map(drop)
}

/// Ends the sessions of an account, all or all but one.
pub async fn end_sessions(tx: &Tx, account_id: Uuid, keep: Option<Uuid>, now: Timestamp) -> Done<()> {
    let open = tx
        .rows(
            "SELECT id FROM sessions WHERE account_id = $1 AND ended_at IS NULL ORDER BY id",
            &[&account_id],
        )
        .await?;
    for row in &open {
        let session_id: Uuid = row.value(0)?;
        if Some(session_id) != keep {
            // Whoever changes a password signs out everywhere else.
            access::sign_out(tx, session_id, now).await?;
        }
    }
    Ok(())
}

#[async_trait]
impl Accounts for PostgresStore {
    async fn registration(&self, id: Uuid) -> Result<Option<Registration>> {
        self.0.ask(move |tx| Box::pin(registrations::one(tx, id))).await
    }

    async fn registrations(&self, state: Option<RegistrationState>) -> Result<Vec<Registration>> {
        self.0.ask(move |tx| Box::pin(registrations::all(tx, state))).await
    }

    async fn register(&self, new: NewRegistration) -> Result<Registered> {
        let new = Arc::new(new);
        self.0
            .write(move |tx| {
                let new = Arc::clone(&new);
                Box::pin(async move { registrations::register(tx, &new).await })
            })
            .await
    }

    async fn ask_code(&self, ask: CodeAsk) -> Result<CodeAsked> {
        let ask = Arc::new(ask);
        self.0
            .write(move |tx| {
                let ask = Arc::clone(&ask);
                Box::pin(async move { codes::ask(tx, &ask).await })
            })
            .await
    }

    async fn confirm_registration(&self, confirmation: Confirmation) -> Result<CodeTried> {
        self.0.write(move |tx| Box::pin(async move { registrations::confirm(tx, &confirmation).await })).await
    }

    async fn approve_registration(&self, approval: Approval) -> Result<Decided> {
        let approval = Arc::new(approval);
        self.0
            .write(move |tx| {
                let approval = Arc::clone(&approval);
                Box::pin(async move { registrations::approve(tx, &approval).await })
            })
            .await
    }

    async fn reject_registration(&self, rejection: Rejection) -> Result<Decided> {
        let rejection = Arc::new(rejection);
        self.0
            .write(move |tx| {
                let rejection = Arc::clone(&rejection);
                Box::pin(async move { registrations::reject(tx, &rejection).await })
            })
            .await
    }

    async fn own_password(&self, account_id: Uuid) -> Result<Option<OwnPassword>> {
        self.0.ask(move |tx| Box::pin(own_password(tx, account_id))).await
    }

    async fn change_password(&self, change: PasswordChange) -> Result<bool> {
        let change = Arc::new(change);
        self.0
            .write(move |tx| {
                let change = Arc::clone(&change);
                Box::pin(async move { change_password(tx, &change).await })
            })
            .await
    }

    async fn reset_password(&self, reset: PasswordReset) -> Result<CodeTried> {
        let reset = Arc::new(reset);
        self.0
            .write(move |tx| {
                let reset = Arc::clone(&reset);
                Box::pin(async move { reset_password(tx, &reset).await })
            })
            .await
    }
}
