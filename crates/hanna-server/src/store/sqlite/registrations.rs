//! Registrations, and the accounts they become.

use hanna_domain::Redacted;
use hanna_wire::account::RegistrationState;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::columns::{Micros, Word};
use super::{audit, codes, mails};
use crate::accounts::{UNCONFIRMED_MAX, roles_of_approved};
use crate::audit::{Act, NewAct};
use crate::secrets::username_key;
use crate::store::{
    AccountState, Applicant, Approval, CodeTried, Confirmation, Decided, NewRegistration, Registered,
    Registration, Rejection,
};

const COLUMNS: &str =
    "id, nit, entity_name, display_name, email, phone, privacy_notice, made_us, state, password_hash, reason";

fn registration(row: &Row<'_>) -> rusqlite::Result<Registration> {
    Ok(Registration {
        id: row.get(0)?,
        applicant: Applicant {
            nit: row.get(1)?,
            entity_name: row.get(2)?,
            display_name: Redacted::new(row.get(3)?),
            email: Redacted::new(row.get(4)?),
            phone: Redacted::new(row.get(5)?),
            privacy_notice: row.get(6)?,
        },
        made_at: row.get::<_, Micros>(7)?.0,
        state: row.get::<_, Word<_>>(8)?.0,
        password_hash: row.get::<_, Option<String>>(9)?.map(Redacted::new),
        reason: row.get(10)?,
    })
}

pub fn one(tx: &Transaction<'_>, id: Uuid) -> rusqlite::Result<Option<Registration>> {
    tx.query_row(&format!("SELECT {COLUMNS} FROM registrations WHERE id = ?1"), [id], registration).optional()
}

pub fn all(tx: &Transaction<'_>, state: Option<RegistrationState>) -> rusqlite::Result<Vec<Registration>> {
    tx.prepare(&format!(
        "SELECT {COLUMNS} FROM registrations WHERE ?1 IS NULL OR state = ?1 ORDER BY made_us, id"
    ))?
    .query_map([state.map(Word)], registration)?
    .collect()
}

pub fn is_username_taken(tx: &Transaction<'_>, username_key: &str) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT 1 FROM accounts WHERE username_key = ?1")?.exists([username_key])
}

pub fn register(tx: &Transaction<'_>, new: &NewRegistration) -> rusqlite::Result<Registered> {
    let now = new.ask.now;
    // Anybody can make rows here, so the old ones go.
    tx.execute(
        "DELETE FROM registrations WHERE state = ?1 AND made_us < ?2",
        params![Word(RegistrationState::Unconfirmed), Micros(now - UNCONFIRMED_MAX)],
    )?;
    let applicant = &new.applicant;
    if let Some(before) = one(tx, new.id)? {
        let same = before.applicant == *applicant;
        return Ok(if same { Registered::Again } else { Registered::IdConflict });
    }
    tx.execute(
        "INSERT INTO registrations
             (id, nit, entity_name, display_name, email, email_key, phone, privacy_notice, made_us, password_hash, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            new.id,
            applicant.nit,
            applicant.entity_name,
            applicant.display_name.expose(),
            applicant.email.expose(),
            username_key(applicant.email.expose()),
            applicant.phone.expose(),
            applicant.privacy_notice,
            Micros(now),
            new.password_hash.expose(),
            Word(RegistrationState::Unconfirmed),
        ],
    )?;
    codes::ask(tx, &new.ask)?;
    audit::append(tx, &NewAct::new(Act::Registered, now).about(new.id))?;
    Ok(Registered::Kept)
}

pub fn confirm(tx: &Transaction<'_>, confirmation: &Confirmation) -> rusqlite::Result<CodeTried> {
    let Confirmation { id, subject, code, now, .. } = *confirmation;
    let tried = codes::attempt(tx, subject, code, now)?;
    if tried != CodeTried::Right {
        return Ok(tried);
    }
    let Some(registration) = one(tx, id)? else { return Ok(CodeTried::Gone) };
    match (registration.state, registration.password_hash) {
        (RegistrationState::Unconfirmed, Some(password_hash)) => {
            add_account(tx, confirmation, &registration.applicant, &password_hash)
        }
        // The answer of the first time was lost on the way.
        (RegistrationState::Pending | RegistrationState::Approved, _) => Ok(CodeTried::Right),
        (RegistrationState::Unconfirmed | RegistrationState::Rejected, _) => Ok(CodeTried::Gone),
    }
}

fn add_account(
    tx: &Transaction<'_>,
    confirmation: &Confirmation,
    applicant: &Applicant,
    password_hash: &Redacted<String>,
) -> rusqlite::Result<CodeTried> {
    let Confirmation { id, account_id, now, .. } = *confirmation;
    let username = applicant.email.expose();
    if is_username_taken(tx, &username_key(username))? {
        return Ok(CodeTried::Gone);
    }
    tx.execute(
        "INSERT INTO accounts (id, username, username_key, display_name, entity_id, password_hash, state)
         VALUES (?1, ?2, ?3, ?4, NULL, ?5, ?6)",
        params![
            account_id,
            username,
            username_key(username),
            applicant.display_name.expose(),
            password_hash.expose(),
            Word(AccountState::Pending),
        ],
    )?;
    tx.execute(
        "UPDATE registrations SET state = ?2, account_id = ?3, confirmed_us = ?4, password_hash = NULL WHERE id = ?1",
        params![id, Word(RegistrationState::Pending), account_id, Micros(now)],
    )?;
    audit::append(tx, &NewAct::confirmed(confirmation))?;
    Ok(CodeTried::Right)
}

pub fn approve(tx: &Transaction<'_>, approval: &Approval) -> rusqlite::Result<Decided> {
    let Some((account_id, registration)) = pending(tx, approval.id)? else { return Ok(Decided::NotPending) };
    let Applicant { nit, entity_name, .. } = &registration.applicant;
    let known: Option<Uuid> =
        tx.query_row("SELECT id FROM entities WHERE nit = ?1", [nit], |row| row.get(0)).optional()?;
    let entity_id = known.unwrap_or(approval.entity_id);
    if known.is_none() {
        tx.execute(
            "INSERT INTO entities (id, nit, name) VALUES (?1, ?2, ?3)",
            params![entity_id, nit, entity_name],
        )?;
    }
    let has_admin = tx
        .prepare(
            "SELECT 1 FROM accounts a JOIN account_roles r ON r.account_id = a.id
             WHERE a.entity_id = ?1 AND r.role = 'ENTITY_ADMIN'",
        )?
        .exists([entity_id])?;
    tx.execute(
        "UPDATE accounts SET entity_id = ?2, state = ?3 WHERE id = ?1",
        params![account_id, entity_id, Word(AccountState::Active)],
    )?;
    for role in roles_of_approved(has_admin) {
        tx.execute(
            "INSERT INTO account_roles (account_id, role) VALUES (?1, ?2)",
            params![account_id, Word(*role)],
        )?;
    }
    tx.execute(
        "UPDATE registrations SET state = ?2, decided_us = ?3, decided_by = ?4 WHERE id = ?1",
        params![
            approval.id,
            Word(RegistrationState::Approved),
            Micros(approval.now),
            approval.by.account_id()
        ],
    )?;
    mails::add(tx, &approval.mail)?;
    audit::append(tx, &NewAct::approved(approval, account_id, entity_id))?;
    Ok(Decided::Done)
}

pub fn reject(tx: &Transaction<'_>, rejection: &Rejection) -> rusqlite::Result<Decided> {
    let Some((account_id, _)) = pending(tx, rejection.id)? else { return Ok(Decided::NotPending) };
    tx.execute(
        "UPDATE registrations SET state = ?2, account_id = NULL, decided_us = ?3, decided_by = ?4, reason = ?5
         WHERE id = ?1",
        params![
            rejection.id,
            Word(RegistrationState::Rejected),
            Micros(rejection.now),
            rejection.by.account_id(),
            rejection.reason
        ],
    )?;
    // Nobody ever signed in with it, so nothing else names it.
    tx.execute("DELETE FROM accounts WHERE id = ?1", [account_id])?;
    mails::add(tx, &rejection.mail)?;
    audit::append(tx, &NewAct::rejected(rejection, account_id))?;
    Ok(Decided::Done)
}

fn pending(tx: &Transaction<'_>, id: Uuid) -> rusqlite::Result<Option<(Uuid, Registration)>> {
    let account_id: Option<Uuid> = tx
        .query_row(
            "SELECT account_id FROM registrations WHERE id = ?1 AND state = ?2 AND account_id IS NOT NULL",
            params![id, Word(RegistrationState::Pending)],
            |row| row.get(0),
        )
        .optional()?;
    let Some(account_id) = account_id else { return Ok(None) };
    Ok(one(tx, id)?.map(|registration| (account_id, registration)))
}
