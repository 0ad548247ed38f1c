//! Filling an empty database.

use std::path::Path;

use hanna_wire::me::ApplicationState;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::affiliates::{self, Arrived};
use super::businesses::{insert_branch, insert_entity, put_agreement};
use super::columns::Word;
use super::{connect, fault};
use crate::application::CONVENIOS;
use crate::secrets::username_key;
use crate::store::{ImportSource, Installation, Installed, NewAccount, NewEntity, Result, SourceState};

const MARK: &str = "installation";

/// Everything or nothing.
pub fn install(
    path: &Path,
    installation: &Installation,
    people: Box<dyn ImportSource>,
    now: Timestamp,
) -> Result<Installed> {
    // Looked at before the people are gathered, and again when it counts.
    if let Some(found) = found(&connect(path)?, installation).map_err(fault)? {
        return Ok(found);
    }
    let mut arrived = Arrived::from(path, people)?;
    if arrived.source.state() != SourceState::Sound {
        return Ok(Installed::Contradiction);
    }
    let (lines, rows) = (arrived.source.lines(), arrived.rows);
    let mut install_all = || {
        let tx = arrived.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(found) = found(&tx, installation)? {
            return Ok(found);
        }
        fill(&tx, installation)?;
        affiliates::merge(&tx, lines, rows, false, now)?;
        tx.commit()?;
        Ok(Installed::Done)
    };
    install_all().map_err(fault)
}

/// What stands in the way, if anything does.
fn found(db: &Connection, installation: &Installation) -> rusqlite::Result<Option<Installed>> {
    let mark: Option<Vec<u8>> =
        db.query_row("SELECT value FROM settings WHERE name = ?1", [MARK], |row| row.get(0)).optional()?;
    Ok(match mark {
        Some(mark) if mark == installation.mark.as_bytes() => Some(Installed::AlreadyThere),
        Some(_) => Some(Installed::OthersThere),
        None if !is_empty(db)? => Some(Installed::OthersThere),
        None => None,
    })
}

fn fill(tx: &Transaction<'_>, installation: &Installation) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO settings (name, value) VALUES (?1, ?2)",
        params![MARK, installation.mark.as_bytes()],
    )?;
    for entity in &installation.entities {
        add_entity(tx, entity)?;
    }
    for account in &installation.accounts {
        add_account(tx, account)?;
    }
    Ok(())
}

fn is_empty(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row(
        "SELECT NOT EXISTS (SELECT 1 FROM entities) AND NOT EXISTS (SELECT 1 FROM accounts)
                AND NOT EXISTS (SELECT 1 FROM affiliates)",
        [],
        |row| row.get(0),
    )
}

fn add_entity(tx: &Transaction<'_>, new: &NewEntity) -> rusqlite::Result<()> {
    let entity = &new.entity;
    insert_entity(tx, entity)?;
    for branch in &new.branches {
        insert_branch(tx, entity.id, branch)?;
    }
    for agreement in &new.agreements {
        put_agreement(tx, entity.id, agreement)?;
    }
    if new.application != ApplicationState::NotRequested {
        tx.execute(
            "INSERT INTO applications (entity_id, code, state, reason) VALUES (?1, ?2, ?3, NULL)",
            params![entity.id, CONVENIOS, Word(new.application)],
        )?;
    }
    Ok(())
}

fn add_account(tx: &Transaction<'_>, new: &NewAccount) -> rusqlite::Result<()> {
    let operator = &new.operator;
    tx.execute(
        "INSERT INTO accounts (id, username, username_key, display_name, entity_id, password_hash, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            operator.id,
            operator.username,
            username_key(&operator.username),
            operator.display_name,
            new.entity_id,
            new.password_hash.expose(),
            Word(new.state),
        ],
    )?;
    for role in &new.roles {
        tx.execute(
            "INSERT INTO account_roles (account_id, role) VALUES (?1, ?2)",
            params![operator.id, Word(*role)],
        )?;
    }
    for branch_id in &new.branches {
        tx.execute(
            "INSERT INTO account_branches (account_id, branch_id) VALUES (?1, ?2)",
            params![operator.id, branch_id],
        )?;
    }
    Ok(())
}
