//! Registrations, and the accounts they become. Whoever confirms one or decides about one holds its row.

use hanna_domain::Redacted;
use hanna_wire::account::RegistrationState;
use tokio_postgres::Row;
use uuid::Uuid;

use super::columns::{Columns, Moment};
use super::fault::Done;
use super::pool::Tx;
use super::{audit, codes, mails};
use crate::accounts::{UNCONFIRMED_MAX, roles_of_approved};
use crate::audit::{Act, NewAct};
use crate::secrets::username_key;
use crate::store::words::Word;
use crate::store::{
    AccountState, Applicant, Approval, CodeTried, Confirmation, Decided, NewRegistration, Registered,
    Registration, Rejection,
};

const COLUMNS: &str =
    "id, nit, entity_name, display_name, email, phone, privacy_notice, made_at, state, password_hash, reason";

fn registration(row: &Row) -> Done<Registration> {
    Ok(Registration {
        id: row.value(0)?,
        applicant: Applicant {
            nit: row.value(1)?,
            entity_name: row.value(2)?,
            display_name: Redacted::new(row.value(3)?),
            email: Redacted::new(row.value(4)?),
            phone: Redacted::new(row.value(5)?),
            privacy_notice: row.value(6)?,
        },
        made_at: row.moment(7)?,
        state: row.word(8)?,
        password_hash: row.value::<Option<String>>(9)?.map(Redacted::new),
        reason: row.value(10)?,
    })
}

pub async fn one(tx: &Tx, id: Uuid) -> Done<Option<Registration>> {
    let sql = format!("SELECT {COLUMNS} FROM registrations WHERE id = $1");
    tx.row_or_none(&sql, &[&id]).await?.as_ref().map(registration).transpose()
}

/// The same, held until the end of the transaction.
async fn hold(tx: &Tx, id: Uuid) -> Done<Option<Registration>> {
    let sql = format!("SELECT {COLUMNS} FROM registrations WHERE id = $1 FOR UPDATE");
    tx.row_or_none(&sql, &[&id]).await?.as_ref().map(registration).transpose()
}

pub async fn all(tx: &Tx, state: Option<RegistrationState>) -> Done<Vec<Registration>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM registrations WHERE $1::text IS NULL OR state = $1 ORDER BY made_at, id"
    );
    tx.rows(&sql, &[&state.map(Word)]).await?.iter().map(registration).collect()
}

pub async fn is_username_taken(tx: &Tx, username_key: &str) -> Done<bool> {
    tx.exists("SELECT 1 FROM accounts WHERE username_key = $1", &[&username_key]).await
}

pub async fn register(tx: &Tx, new: &NewRegistration) -> Done<Registered> {
    let now = new.ask.now;
    // Anybody can make rows here, so the old ones go; those somebody else holds just now are left to them.
    tx.execute(
        "DELETE FROM registrations WHERE id IN
             (SELECT id FROM registrations WHERE state = $1 AND made_at < $2 LIMIT 100 FOR UPDATE SKIP LOCKED)",
        &[&Word(RegistrationState::Unconfirmed), &Moment(now - UNCONFIRMED_MAX)],
    )
    .await?;
    let applicant = &new.applicant;
    if let Some(before) = one(tx, new.id).await? {
        let same = before.applicant == *applicant;
        return Ok(if same { Registered::Again } else { Registered::IdConflict });
    }
    // Somebody else may write the same id just now: then this is begun again, and finds it.
    tx.execute(
        "INSERT INTO registrations
             (id, nit, entity_name, display_name, email, email_key, phone, privacy_notice, made_at, password_hash, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &[
            &new.id,
            &applicant.nit,
            &applicant.entity_name,
            applicant.display_name.expose(),
            applicant.email.expose(),
            &username_key(applicant.email.expose()),
            applicant.phone.expose(),
            &applicant.privacy_notice,
            &Moment(now),
            new.password_hash.expose(),
            &Word(RegistrationState::Unconfirmed),
        ],
    )
    .await?;
    codes::ask(tx, &new.ask).await?;
    audit::append(tx, &NewAct::new(Act::Registered, now).about(new.id)).await?;
    Ok(Registered::Kept)
}

pub async fn confirm(tx: &Tx, confirmation: &Confirmation) -> Done<CodeTried> {
    let Confirmation { id, subject, code, now, .. } = *confirmation;
    let tried = codes::attempt(tx, subject, code, now).await?;
    if tried != CodeTried::Right {
        return Ok(tried);
    }
    let Some(registration) = hold(tx, id).await? else { return Ok(CodeTried::Gone) };
    match (registration.state, registration.password_hash) {
        (RegistrationState::Unconfirmed, Some(password_hash)) => {
            add_account(tx, confirmation, &registration.applicant, &password_hash).await
        }
        // The answer of the first time was lost on the way.
        (RegistrationState::Pending | RegistrationState::Approved, _) => Ok(CodeTried::Right),
        (RegistrationState::Unconfirmed | RegistrationState::Rejected, _) => Ok(CodeTried::Gone),
    }
}

async fn add_account(
    tx: &Tx,
    confirmation: &Confirmation,
    applicant: &Applicant,
    password_hash: &Redacted<String>,
) -> Done<CodeTried> {
    let Confirmation { id, account_id, now, .. } = *confirmation;
    let username = applicant.email.expose();
    if is_username_taken(tx, &username_key(username)).await? {
        return Ok(CodeTried::Gone);
    }
    // Somebody else may take the user name just now: then this is begun again, and finds it taken.
    tx.execute(
        "INSERT INTO accounts (id, username, username_key, display_name, entity_id, password_hash, state)
         VALUES ($1, $2, $3, $4, NULL, $5, $6)",
        &[
            &account_id,
            username,
            &username_key(username),
            applicant.display_name.expose(),
            password_hash.expose(),
            &Word(AccountState::Pending),
        ],
    )
    .await?;
    tx.execute(
        "UPDATE registrations SET state = $2, account_id = $3, confirmed_at = $4, password_hash = NULL WHERE id = $1",
        &[&id, &Word(RegistrationState::Pending), &account_id, &Moment(now)],
    )
    .await?;
    audit::append(tx, &NewAct::confirmed(confirmation)).await?;
    Ok(CodeTried::Right)
}

/// Begun again after a connection broke while it committed, it says that the registration is not pending any more: it was
/// approved.
pub async fn approve(tx: &Tx, approval: &Approval) -> Done<Decided> {
    let Some((account_id, registration)) = pending(tx, approval.id).await? else {
        return Ok(Decided::NotPending);
    };
    let entity_id = entity(tx, &registration.applicant, approval.entity_id).await?;
    let has_admin = tx
        .exists(
            "SELECT 1 FROM accounts a JOIN account_roles r ON r.account_id = a.id
             WHERE a.entity_id = $1 AND r.role = 'ENTITY_ADMIN'",
            &[&entity_id],
        )
        .await?;
    tx.execute(
        "UPDATE accounts SET entity_id = $2, state = $3 WHERE id = $1",
        &[&account_id, &entity_id, &Word(AccountState::Active)],
    )
    .await?;
    for role in roles_of_approved(has_admin) {
        let sql = "INSERT INTO account_roles (account_id, role) VALUES ($1, $2)";
        tx.execute(sql, &[&account_id, &Word(*role)]).await?;
    }
    tx.execute(
        "UPDATE registrations SET state = $2, decided_at = $3, decided_by = $4 WHERE id = $1",
        &[&approval.id, &Word(RegistrationState::Approved), &Moment(approval.now), &approval.by.account_id()],
    )
    .await?;
    mails::add(tx, &approval.mail).await?;
    audit::append(tx, &NewAct::approved(approval, account_id, entity_id)).await?;
    Ok(Decided::Done)
}

/// The entity of a NIT, made if there is none. Of two accounts that are approved for it at once, one is the first.
async fn entity(tx: &Tx, applicant: &Applicant, candidate: Uuid) -> Done<Uuid> {
    let held = "SELECT id FROM entities WHERE nit = $1 FOR NO KEY UPDATE";
    if let Some(row) = tx.row_or_none(held, &[&applicant.nit]).await? {
        return row.value(0);
    }
    // Somebody else may make it just now: then this is begun again, and finds it.
    tx.execute(
        "INSERT INTO entities (id, nit, name) VALUES ($1, $2, $3)",
        &[&candidate, &applicant.nit, &applicant.entity_name],
    )
    .await?;
    Ok(candidate)
}

/// Begun again as [`approve`] is, it says so too.
pub async fn reject(tx: &Tx, rejection: &Rejection) -> Done<Decided> {
    let Some((account_id, _)) = pending(tx, rejection.id).await? else { return Ok(Decided::NotPending) };
    tx.execute(
        "UPDATE registrations SET state = $2, account_id = NULL, decided_at = $3, decided_by = $4, reason = $5
         WHERE id = $1",
        &[
            &rejection.id,
            &Word(RegistrationState::Rejected),
            &Moment(rejection.now),
            &rejection.by.account_id(),
            &rejection.reason,
        ],
    )
    .await?;
    // Nobody ever signed in with it, so nothing else names it.
    tx.execute("DELETE FROM accounts WHERE id = $1", &[&account_id]).await?;
    mails::add(tx, &rejection.mail).await?;
    audit::append(tx, &NewAct::rejected(rejection, account_id)).await?;
    Ok(Decided::Done)
}

async fn pending(tx: &Tx, id: Uuid) -> Done<Option<(Uuid, Registration)>> {
    let Some(registration) = hold(tx, id).await? else { return Ok(None) };
    if registration.state != RegistrationState::Pending {
        return Ok(None);
    }
    let row = tx.row("SELECT account_id FROM registrations WHERE id = $1", &[&id]).await?;
    Ok(row.value::<Option<Uuid>>(0)?.map(|account_id| (account_id, registration)))
}
