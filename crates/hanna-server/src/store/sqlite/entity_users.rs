//! The people of an entity.

use async_trait::async_trait;
use hanna_domain::Redacted;
use hanna_wire::entity_users::{EntityUser, SetState, UserState};
use hanna_wire::me::Role;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::access::roles;
use super::accounts::{end_sessions, set_password};
use super::columns::{Micros, Word};
use super::{SqliteStore, audit, mails, registrations};
use crate::audit::NewAct;
use crate::secrets::username_key;
use crate::store::{
    AccountState, EntityUsers, Invitation, Invited, InvitedAgain, Reinvitation, Result, UserChange,
    UserChanged, UserFilter, UserReset,
};

/// What [`user`] reads.
fn users_where(condition: &str) -> String {
    format!(
        "SELECT a.id, a.username, a.display_name, r.phone, a.state, i.mailed_us,
                (i.account_id IS NOT NULL AND i.accepted_us IS NULL) OR a.password_hash = '',
                (SELECT max(s.opened_us) FROM sessions s WHERE s.account_id = a.id), a.suspended_by_caja
         FROM accounts a
         LEFT JOIN invitations i ON i.account_id = a.id
         LEFT JOIN registrations r ON r.account_id = a.id
         WHERE a.entity_id = ?1 AND {condition}"
    )
}

fn user(row: &Row<'_>) -> rusqlite::Result<EntityUser> {
    let is_invited: bool = row.get(6)?;
    Ok(EntityUser {
        id: row.get(0)?,
        username: Redacted::new(row.get(1)?),
        display_name: Redacted::new(row.get(2)?),
        phone: row.get::<_, Option<String>>(3)?.map(Redacted::new),
        state: row.get::<_, Word<AccountState>>(4)?.0.of_user(is_invited, row.get(8)?),
        roles: Vec::new(),
        branches: Vec::new(),
        invited_at: row.get::<_, Option<Micros>>(5)?.map(|at| at.0),
        last_sign_in_at: row.get::<_, Option<Micros>>(7)?.map(|at| at.0),
    })
}

fn whole(tx: &Transaction<'_>, user: EntityUser) -> rusqlite::Result<EntityUser> {
    let branches = tx
        .prepare_cached(
            "SELECT b.id FROM account_branches ab JOIN branches b ON b.id = ab.branch_id
             WHERE ab.account_id = ?1 ORDER BY b.code",
        )?
        .query_map([user.id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(EntityUser { roles: roles(tx, user.id)?, branches, ..user })
}

fn one(tx: &Transaction<'_>, entity_id: Uuid, id: Uuid) -> rusqlite::Result<Option<EntityUser>> {
    let found = tx.query_row(&users_where("a.id = ?2"), [entity_id, id], user).optional()?;
    found.map(|user| whole(tx, user)).transpose()
}

fn page(tx: &Transaction<'_>, filter: &UserFilter) -> rusqlite::Result<Vec<EntityUser>> {
    let query = users_where("(?2 IS NULL OR a.username_key > ?2) ORDER BY a.username_key");
    let mut statement = tx.prepare_cached(&query)?;
    let mut rows = statement.query(params![filter.entity_id, filter.after])?;
    let mut users = Vec::new();
    while let Some(row) = rows.next()? {
        if users.len() >= filter.limit as usize {
            break;
        }
        let user = user(row)?;
        if filter.finds(&user) {
            users.push(whole(tx, user)?);
        }
    }
    Ok(users)
}

fn are_branches_of(tx: &Transaction<'_>, branches: &[Uuid], entity_id: Uuid) -> rusqlite::Result<bool> {
    let mut ask = tx.prepare_cached("SELECT 1 FROM branches WHERE id = ?1 AND entity_id = ?2")?;
    for branch in branches {
        if !ask.exists([*branch, entity_id])? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn invite(tx: &Transaction<'_>, new: &Invitation) -> rusqlite::Result<Invited> {
    let before: Option<(Option<Uuid>, Option<String>)> = tx
        .query_row(
            "SELECT a.entity_id, i.content_sha256 FROM accounts a LEFT JOIN invitations i ON i.account_id = a.id
             WHERE a.id = ?1",
            [new.id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    if let Some(before) = before {
        let same = before == (Some(new.entity_id), Some(new.content_sha256.clone()));
        return Ok(if same { Invited::Again } else { Invited::IdConflict });
    }
    let key = username_key(new.email.expose());
    if registrations::is_username_taken(tx, &key)? {
        return Ok(Invited::UsernameTaken);
    }
    if !are_branches_of(tx, &new.branches, new.entity_id)? {
        return Ok(Invited::BranchNotAllowed);
    }
    tx.execute(
        "INSERT INTO accounts (id, username, username_key, display_name, entity_id, password_hash, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            new.id,
            new.email.expose(),
            key,
            new.display_name.expose(),
            new.entity_id,
            new.password_hash.expose(),
            Word(AccountState::Active),
        ],
    )?;
    tx.execute(
        "INSERT INTO invitations (account_id, content_sha256, made_us, mailed_us, mailed_by, accepted_us)
         VALUES (?1, ?2, ?4, ?4, ?3, NULL)",
        params![new.id, new.content_sha256, new.by.account_id(), Micros(new.now)],
    )?;
    set_roles(tx, new.id, &new.roles)?;
    set_branches(tx, new.id, &new.branches)?;
    mails::add(tx, &new.mail)?;
    audit::append(tx, &NewAct::invited(new))?;
    Ok(Invited::Done)
}

fn set_roles(tx: &Transaction<'_>, account_id: Uuid, roles: &[Role]) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM account_roles WHERE account_id = ?1", [account_id])?;
    for role in roles {
        tx.execute(
            "INSERT INTO account_roles (account_id, role) VALUES (?1, ?2)",
            params![account_id, Word(*role)],
        )?;
    }
    Ok(())
}

fn set_branches(tx: &Transaction<'_>, account_id: Uuid, branches: &[Uuid]) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM account_branches WHERE account_id = ?1", [account_id])?;
    for branch in branches {
        tx.execute(
            "INSERT INTO account_branches (account_id, branch_id) VALUES (?1, ?2)",
            [account_id, *branch],
        )?;
    }
    Ok(())
}

fn invite_again(tx: &Transaction<'_>, again: &Reinvitation) -> rusqlite::Result<InvitedAgain> {
    let Some(user) = one(tx, again.entity_id, again.id)? else { return Ok(InvitedAgain::Unknown) };
    if user.state != UserState::Invited {
        return Ok(InvitedAgain::NotPending);
    }
    tx.execute(
        "UPDATE invitations SET mailed_us = ?2, mailed_by = ?3 WHERE account_id = ?1",
        params![again.id, Micros(again.now), again.by.account_id()],
    )?;
    mails::add(tx, &again.mail)?;
    audit::append(tx, &NewAct::invited_again(again))?;
    Ok(InvitedAgain::Done)
}

/// The first password is set.
pub fn accept_invitation(tx: &Transaction<'_>, account_id: Uuid, now: Timestamp) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE invitations SET accepted_us = ?2 WHERE account_id = ?1 AND accepted_us IS NULL",
        params![account_id, Micros(now)],
    )?;
    Ok(())
}

fn change(tx: &Transaction<'_>, change: &UserChange) -> rusqlite::Result<UserChanged> {
    let Some(before) = one(tx, change.entity_id, change.id)? else { return Ok(UserChanged::Unknown) };
    if let Some(branches) = &change.branches
        && !are_branches_of(tx, branches, change.entity_id)?
    {
        return Ok(UserChanged::BranchNotAllowed);
    }
    if change.takes_administrator(&before) && !has_another_administrator(tx, change.entity_id, change.id)? {
        return Ok(UserChanged::LastAdministrator);
    }
    if change.is_of_oneself() && change.state == Some(SetState::Suspended) {
        return Ok(UserChanged::LastAdministrator);
    }
    if change.undoes_the_caja(&before) {
        return Ok(UserChanged::SuspendedByCaja);
    }
    if let Some(name) = &change.display_name {
        tx.execute("UPDATE accounts SET display_name = ?2 WHERE id = ?1", params![change.id, name.expose()])?;
    }
    if let Some(roles) = &change.roles {
        set_roles(tx, change.id, roles)?;
    }
    if let Some(branches) = &change.branches {
        set_branches(tx, change.id, branches)?;
    }
    if let Some(state) = change.state {
        let state = AccountState::from(state);
        tx.execute("UPDATE accounts SET state = ?2 WHERE id = ?1", params![change.id, Word(state)])?;
        if state == AccountState::Suspended {
            end_sessions(tx, change.id, None, change.now)?;
        }
    }
    if let Some(act) = NewAct::user_changed(&before, change) {
        audit::append(tx, &act)?;
    }
    Ok(UserChanged::Done)
}

fn has_another_administrator(tx: &Transaction<'_>, entity_id: Uuid, but: Uuid) -> rusqlite::Result<bool> {
    tx.prepare_cached(
        "SELECT 1 FROM accounts a JOIN account_roles r ON r.account_id = a.id
         LEFT JOIN invitations i ON i.account_id = a.id
         WHERE a.entity_id = ?1 AND a.id <> ?2 AND a.state = ?3 AND r.role = ?4
             AND (i.account_id IS NULL OR i.accepted_us IS NOT NULL) AND a.password_hash <> ''",
    )?
    .exists(params![entity_id, but, Word(AccountState::Active), Word(Role::EntityAdmin)])
}

fn reset(tx: &Transaction<'_>, reset: &UserReset) -> rusqlite::Result<bool> {
    if one(tx, reset.entity_id, reset.id)?.is_none() {
        return Ok(false);
    }
    set_password(tx, reset.id, reset.password_hash.expose())?;
    end_sessions(tx, reset.id, None, reset.now)?;
    if let Some(mail) = &reset.mail {
        mails::add(tx, mail)?;
    }
    audit::append(tx, &NewAct::user_reset(reset))?;
    Ok(true)
}

#[async_trait]
impl EntityUsers for SqliteStore {
    async fn entity_users(&self, filter: UserFilter) -> Result<Vec<EntityUser>> {
        self.read(move |tx| page(tx, &filter)).await
    }

    async fn entity_user(&self, entity_id: Uuid, id: Uuid) -> Result<Option<EntityUser>> {
        self.read(move |tx| one(tx, entity_id, id)).await
    }

    async fn invite(&self, invitation: Invitation) -> Result<Invited> {
        self.write(move |tx| invite(tx, &invitation)).await
    }

    async fn invite_again(&self, again: Reinvitation) -> Result<InvitedAgain> {
        self.write(move |tx| invite_again(tx, &again)).await
    }

    async fn change_user(&self, wanted: UserChange) -> Result<UserChanged> {
        self.write(move |tx| change(tx, &wanted)).await
    }

    async fn reset_user(&self, wanted: UserReset) -> Result<bool> {
        self.write(move |tx| reset(tx, &wanted)).await
    }
}
