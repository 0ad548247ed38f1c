//! Filling an empty database.

use hanna_wire::me::ApplicationState;
use jiff::Timestamp;

use super::affiliates::Arrived;
use super::businesses::{insert_branch, insert_entity, put_agreement};
use super::columns::Columns;
use super::fault::Done;
use super::keys::SETTING;
use super::locks::{self, Name};
use super::pool::{Connections, Tx};
use crate::application::CONVENIOS;
use crate::secrets::username_key;
use crate::store::words::Word;
use crate::store::{ImportSource, Installation, Installed, NewAccount, NewEntity, SourceState};

const MARK: &str = "installation";

pub async fn install(
    connections: &Connections,
    installation: &Installation,
    people: Box<dyn ImportSource>,
    now: Timestamp,
) -> Done<Installed> {
    // Looked at before the people are made and sent, and again when it counts.
    let looking = Tx::on(connections.get().await?);
    let found = found(&looking, installation).await?;
    drop(looking);
    if let Some(found) = found {
        return Ok(found);
    }
    let mut arrived = Arrived::from(connections, people).await?;
    arrived.tx.begin().await?;
    let installed = install_in(&mut arrived, installation, now).await?;
    if installed == Installed::Done {
        arrived.tx.commit().await?;
    } else {
        arrived.tx.roll_back().await?;
    }
    if installed == Installed::Contradiction {
        arrived.tell_conflicts().await?;
    }
    Ok(installed)
}

async fn install_in(arrived: &mut Arrived, installation: &Installation, now: Timestamp) -> Done<Installed> {
    let tx = &arrived.tx;
    locks::hold(tx, Name::of("installation", &[])).await?;
    if let Some(found) = found(tx, installation).await? {
        return Ok(found);
    }
    tx.execute("INSERT INTO settings (name, value) VALUES ($1, $2)", &[&MARK, &installation.mark.as_bytes()])
        .await?;
    for entity in &installation.entities {
        add_entity(tx, entity).await?;
    }
    for account in &installation.accounts {
        add_account(tx, account).await?;
    }
    let is_sound = arrived.source.state() == SourceState::Sound;
    let merged = if is_sound { arrived.merge(false, now).await? } else { None };
    Ok(if merged.is_some() { Installed::Done } else { Installed::Contradiction })
}

/// What stands in the way, if anything does.
async fn found(tx: &Tx, installation: &Installation) -> Done<Option<Installed>> {
    if let Some(row) = tx.row_or_none(SETTING, &[&MARK]).await? {
        let is_this = row.value::<Vec<u8>>(0)? == installation.mark.as_bytes();
        return Ok(Some(if is_this { Installed::AlreadyThere } else { Installed::OthersThere }));
    }
    let is_empty = tx
        .row(
            "SELECT NOT EXISTS (SELECT 1 FROM entities) AND NOT EXISTS (SELECT 1 FROM accounts)
                    AND NOT EXISTS (SELECT 1 FROM affiliates)",
            &[],
        )
        .await?;
    Ok(if is_empty.value(0)? { None } else { Some(Installed::OthersThere) })
}

async fn add_entity(tx: &Tx, new: &NewEntity) -> Done<()> {
    let entity = &new.entity;
    insert_entity(tx, entity).await?;
    for branch in &new.branches {
        insert_branch(tx, entity.id, branch).await?;
    }
    for agreement in &new.agreements {
        put_agreement(tx, entity.id, agreement).await?;
    }
    if new.application != ApplicationState::NotRequested {
        tx.execute(
            "INSERT INTO applications (entity_id, code, state, reason) VALUES ($1, $2, $3, NULL)",
            &[&entity.id, &CONVENIOS, &Word(new.application)],
        )
        .await?;
    }
    Ok(())
}

async fn add_account(tx: &Tx, new: &NewAccount) -> Done<()> {
    let operator = &new.operator;
    tx.execute(
        "INSERT INTO accounts (id, username, username_key, display_name, entity_id, password_hash, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            &operator.id,
            &operator.username,
            &username_key(&operator.username),
            &operator.display_name,
            &new.entity_id,
            new.password_hash.expose(),
            &Word(new.state),
        ],
    )
    .await?;
    for role in &new.roles {
        tx.execute(
            "INSERT INTO account_roles (account_id, role) VALUES ($1, $2)",
            &[&operator.id, &Word(*role)],
        )
        .await?;
    }
    for branch_id in &new.branches {
        tx.execute(
            "INSERT INTO account_branches (account_id, branch_id) VALUES ($1, $2)",
            &[&operator.id, branch_id],
        )
        .await?;
    }
    Ok(())
}
