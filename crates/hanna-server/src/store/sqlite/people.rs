//! People and their PCs, as the caja sees them in its console.

use async_trait::async_trait;
use hanna_domain::Redacted;
use hanna_wire::admin::people::{
    AdminDevice, AdminRegistration, AdminUser, AdminUserChange, AdminUserStanding, AdminUserState,
};
use hanna_wire::me::{Entity, Role};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::access::{forget_attempts, roles};
use super::accounts::end_sessions;
use super::columns::{Micros, Word};
use super::organisation::assigned_branches;
use super::registrations::is_username_taken;
use super::{SqliteStore, audit, mails};
use crate::audit::NewAct;
use crate::secrets::username_key;
use crate::store::{
    AccountFilter, AccountState, Act, DeviceFilter, NewUser, PasswordTaken, People, RegistrationFilter,
    Result, UserPut, may_have, second_factor, user_state,
};

fn registrations(
    tx: &Transaction<'_>,
    filter: &RegistrationFilter,
) -> rusqlite::Result<Vec<AdminRegistration>> {
    let mut query = tx.prepare_cached(
        "SELECT r.id, r.nit, r.entity_name, EXISTS (SELECT 1 FROM entities e WHERE e.nit = r.nit), r.display_name,
                r.email, r.phone, r.made_us, r.state, r.reason
         FROM registrations r
         WHERE r.state = coalesce(?1, r.state) AND (?1 IS NOT NULL OR r.state <> 'UNCONFIRMED')
               AND (?2 IS NULL OR (r.made_us, r.id) < (?2, ?3))
         ORDER BY r.made_us DESC, r.id DESC",
    )?;
    let (at, id) = filter.after.unzip();
    let mut rows = query.query(params![filter.state.map(Word), at.map(Micros), id])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()?
        && found.len() < filter.limit as usize
    {
        found.extend(Some(registration(row)?).filter(|registration| filter.finds(registration)));
    }
    Ok(found)
}

fn registration(row: &Row<'_>) -> rusqlite::Result<AdminRegistration> {
    Ok(AdminRegistration {
        id: row.get(0)?,
        nit: row.get(1)?,
        entity_name: row.get(2)?,
        entity_known: row.get(3)?,
        display_name: Redacted::new(row.get(4)?),
        email: Redacted::new(row.get(5)?),
        phone: Redacted::new(row.get(6)?),
        made_at: row.get::<_, Micros>(7)?.0,
        state: row.get::<_, Word<_>>(8)?.0,
        reason: row.get(9)?,
    })
}

/// The columns of an account `a` and its entity `e`.
const USER: &str = "
    SELECT a.id, a.username, a.display_name, e.id, e.nit, e.name, a.state,
           a.password_hash = '' OR EXISTS (SELECT 1 FROM invitations i WHERE i.account_id = a.id AND i.accepted_us IS NULL),
           EXISTS (SELECT 1 FROM second_factors f WHERE f.account_id = a.id AND f.confirmed_us IS NOT NULL),
           (SELECT max(s.opened_us) FROM sessions s WHERE s.account_id = a.id), a.suspended_by_caja
    FROM accounts a LEFT JOIN entities e ON e.id = a.entity_id";

fn user(tx: &Transaction<'_>, row: &Row<'_>) -> rusqlite::Result<AdminUser> {
    let id: Uuid = row.get(0)?;
    let roles = roles(tx, id)?;
    Ok(AdminUser {
        id,
        username: Redacted::new(row.get(1)?),
        display_name: Redacted::new(row.get(2)?),
        entity: entity(row, 3)?,
        state: user_state(row.get::<_, Word<_>>(6)?.0, row.get(7)?, row.get(10)?),
        second_factor: second_factor(&roles, row.get(8)?),
        roles,
        branches: assigned_branches(tx, id)?,
        last_sign_in_at: row.get::<_, Option<Micros>>(9)?.map(|at| at.0),
    })
}

fn entity(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Entity>> {
    match row.get::<_, Option<Uuid>>(at)? {
        Some(id) => Ok(Some(Entity { id, nit: row.get(at + 1)?, name: row.get(at + 2)? })),
        None => Ok(None),
    }
}

fn users(tx: &Transaction<'_>, filter: &AccountFilter) -> rusqlite::Result<Vec<AdminUser>> {
    let sql = format!(
        "{USER} WHERE a.username_key > ?1 AND (?2 IS NULL OR a.entity_id = ?2) ORDER BY a.username_key"
    );
    let mut query = tx.prepare_cached(&sql)?;
    let mut rows = query.query(params![filter.after.as_deref().unwrap_or_default(), filter.entity_id])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()?
        && found.len() < filter.limit as usize
    {
        found.extend(Some(user(tx, row)?).filter(|user| filter.finds(user)));
    }
    Ok(found)
}

fn one(tx: &Transaction<'_>, id: Uuid) -> rusqlite::Result<Option<AdminUser>> {
    tx.query_row(&format!("{USER} WHERE a.id = ?1"), [id], |row| user(tx, row)).optional()
}

fn add(tx: &Transaction<'_>, new: &NewUser, who: &Act) -> rusqlite::Result<UserPut> {
    let username = new.username.expose();
    if let Some(there) = one(tx, new.id)? {
        return Ok(if new.is(&there) { UserPut::Done } else { UserPut::IdConflict });
    }
    if is_username_taken(tx, &username_key(username))? {
        return Ok(UserPut::UsernameTaken);
    }
    if !may_have(new.entity_id.is_some(), &new.roles) {
        return Ok(UserPut::RolesElsewhere);
    }
    if let Some(entity_id) = new.entity_id
        && !tx.prepare("SELECT 1 FROM entities WHERE id = ?1")?.exists([entity_id])?
    {
        return Ok(UserPut::Unknown);
    }
    if !are_branches_of(tx, new.entity_id, &new.branches)? {
        return Ok(UserPut::BranchElsewhere);
    }
    tx.execute(
        "INSERT INTO accounts (id, username, username_key, display_name, entity_id, password_hash, state)
         VALUES (?1, ?2, ?3, ?4, ?5, '', ?6)",
        params![
            new.id,
            username,
            username_key(username),
            new.display_name.expose(),
            new.entity_id,
            Word(AccountState::Active)
        ],
    )?;
    put_roles(tx, new.id, &new.roles)?;
    put_branches(tx, new.id, &new.branches)?;
    new.mail.as_ref().map_or(Ok(()), |mail| mails::add(tx, mail))?;
    audit::append(tx, &NewAct::account_made(new, who))?;
    Ok(UserPut::Done)
}

fn are_branches_of(
    tx: &Transaction<'_>,
    entity_id: Option<Uuid>,
    branches: &[Uuid],
) -> rusqlite::Result<bool> {
    let mut query = tx.prepare_cached("SELECT 1 FROM branches WHERE id = ?1 AND entity_id = ?2")?;
    for branch_id in branches {
        if !query.exists(params![branch_id, entity_id])? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn put_roles(tx: &Transaction<'_>, id: Uuid, roles: &[Role]) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM account_roles WHERE account_id = ?1", [id])?;
    for role in roles {
        let sql = "INSERT OR IGNORE INTO account_roles (account_id, role) VALUES (?1, ?2)";
        tx.execute(sql, params![id, Word(*role)])?;
    }
    Ok(())
}

fn put_branches(tx: &Transaction<'_>, id: Uuid, branches: &[Uuid]) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM account_branches WHERE account_id = ?1", [id])?;
    for branch_id in branches {
        let sql = "INSERT OR IGNORE INTO account_branches (account_id, branch_id) VALUES (?1, ?2)";
        tx.execute(sql, params![id, branch_id])?;
    }
    Ok(())
}

fn change(tx: &Transaction<'_>, id: Uuid, change: &AdminUserChange, who: &Act) -> rusqlite::Result<UserPut> {
    let Some(user) = one(tx, id)? else { return Ok(UserPut::Unknown) };
    if user.state == AdminUserState::Pending {
        return Ok(UserPut::NotDecided);
    }
    let entity_id = user.entity.as_ref().map(|entity| entity.id);
    if change.roles.as_ref().is_some_and(|roles| !may_have(entity_id.is_some(), roles)) {
        return Ok(UserPut::RolesElsewhere);
    }
    if !are_branches_of(tx, entity_id, change.branches.as_deref().unwrap_or_default())? {
        return Ok(UserPut::BranchElsewhere);
    }
    let suspends = change.state == Some(AdminUserStanding::Suspended);
    if suspends && (who.by.account_id() == Some(id) || is_last_of_the_caja(tx, &user)?) {
        return Ok(UserPut::LastAdministrator);
    }
    if let Some(name) = &change.display_name {
        tx.execute("UPDATE accounts SET display_name = ?2 WHERE id = ?1", params![id, name.expose()])?;
    }
    if let Some(standing) = change.state {
        let state = AccountState::of(standing);
        let sql = "UPDATE accounts SET state = ?2, suspended_by_caja = ?3 WHERE id = ?1";
        tx.execute(sql, params![id, Word(state), suspends])?;
    }
    if suspends {
        end_sessions(tx, id, None, who.now)?;
    }
    if let Some(roles) = &change.roles {
        put_roles(tx, id, roles)?;
    }
    if let Some(branches) = &change.branches {
        put_branches(tx, id, branches)?;
    }
    if let Some(act) = NewAct::account_changed(&user, change, who) {
        audit::append(tx, &act)?;
    }
    Ok(UserPut::Done)
}

/// Whether nobody else could administer the caja's side any more.
fn is_last_of_the_caja(tx: &Transaction<'_>, user: &AdminUser) -> rusqlite::Result<bool> {
    let another = "SELECT 1 FROM accounts a JOIN account_roles r ON r.account_id = a.id
                   WHERE r.role = ?1 AND a.state = ?2 AND a.id <> ?3";
    Ok(user.roles.contains(&Role::CajaAdmin)
        && !tx.prepare(another)?.exists(params![
            Word(Role::CajaAdmin),
            Word(AccountState::Active),
            user.id
        ])?)
}

fn take_password(tx: &Transaction<'_>, taken: &PasswordTaken) -> rusqlite::Result<bool> {
    let known = tx.execute("UPDATE accounts SET password_hash = '' WHERE id = ?1", [taken.account_id])? == 1;
    if known {
        end_sessions(tx, taken.account_id, None, taken.act.now)?;
        forget_attempts(tx, taken.username_mac)?;
        taken.mail.as_ref().map_or(Ok(()), |mail| mails::add(tx, mail))?;
        audit::append(tx, &NewAct::password_taken(taken))?;
    }
    Ok(known)
}

fn devices(tx: &Transaction<'_>, filter: &DeviceFilter) -> rusqlite::Result<Vec<AdminDevice>> {
    let mut query = tx.prepare_cached(
        "SELECT d.id, d.name, e.id, e.nit, e.name, a.display_name, d.first_seen_us, d.last_contact_us,
                (SELECT coalesce(max(i.sequence), 0) FROM outbox_items i WHERE i.device_id = d.id), d.waiting, d.revoked_us
         FROM devices d
         LEFT JOIN sessions s ON s.id =
             (SELECT l.id FROM sessions l WHERE l.device_id = d.id ORDER BY l.opened_us DESC, l.id DESC LIMIT 1)
         LEFT JOIN accounts a ON a.id = s.account_id
         LEFT JOIN entities e ON e.id = a.entity_id
         WHERE ?1 IS NULL OR (d.last_contact_us, d.id) < (?1, ?2)
         ORDER BY d.last_contact_us DESC, d.id DESC",
    )?;
    let (at, id) = filter.after.unzip();
    let mut rows = query.query(params![at.map(Micros), id])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()?
        && found.len() < filter.limit as usize
    {
        found.extend(Some(device(row)?).filter(|device| filter.finds(device)));
    }
    Ok(found)
}

fn device(row: &Row<'_>) -> rusqlite::Result<AdminDevice> {
    Ok(AdminDevice {
        id: row.get(0)?,
        name: row.get(1)?,
        entity: entity(row, 2)?,
        last_operator: row.get::<_, Option<String>>(5)?.map(Redacted::new),
        first_seen_at: row.get::<_, Micros>(6)?.0,
        last_contact_at: row.get::<_, Micros>(7)?.0,
        last_sequence: row.get(8)?,
        waiting: row.get::<_, Option<i64>>(9)?.map(i64::unsigned_abs),
        revoked_at: row.get::<_, Option<Micros>>(10)?.map(|at| at.0),
    })
}

#[async_trait]
impl People for SqliteStore {
    async fn registrations_by_time(&self, filter: RegistrationFilter) -> Result<Vec<AdminRegistration>> {
        self.read(move |tx| registrations(tx, &filter)).await
    }

    async fn users(&self, filter: AccountFilter) -> Result<Vec<AdminUser>> {
        self.read(move |tx| users(tx, &filter)).await
    }

    async fn user(&self, id: Uuid) -> Result<Option<AdminUser>> {
        self.read(move |tx| one(tx, id)).await
    }

    async fn add_user(&self, new: NewUser, act: Act) -> Result<UserPut> {
        self.write(move |tx| add(tx, &new, &act)).await
    }

    async fn change_account(&self, id: Uuid, to: AdminUserChange, act: Act) -> Result<UserPut> {
        self.write(move |tx| change(tx, id, &to, &act)).await
    }

    async fn take_password(&self, taken: PasswordTaken) -> Result<bool> {
        self.write(move |tx| take_password(tx, &taken)).await
    }

    async fn devices_by_contact(&self, filter: DeviceFilter) -> Result<Vec<AdminDevice>> {
        self.read(move |tx| devices(tx, &filter)).await
    }
}
