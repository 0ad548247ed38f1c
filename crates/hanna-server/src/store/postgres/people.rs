//! People and their PCs, as the caja sees them in its console. Whoever changes an account holds its row.

use std::sync::Arc;

use async_trait::async_trait;
use hanna_domain::Redacted;
use hanna_wire::admin::people::{
    AdminDevice, AdminRegistration, AdminUser, AdminUserChange, AdminUserStanding, AdminUserState,
};
use hanna_wire::me::{Branch, Entity, Role};
use tokio_postgres::Row;
use uuid::Uuid;

use super::access::forget_attempts;
use super::accounts::end_sessions;
use super::columns::{Columns, Moment};
use super::fault::{Done, Trouble};
use super::locks::{self, Name};
use super::pool::Tx;
use super::registrations::is_username_taken;
use super::{PostgresStore, audit, mails};
use crate::audit::NewAct;
use crate::secrets::username_key;
use crate::store::words::Word;
use crate::store::{
    AccountFilter, AccountState, Act, DeviceFilter, NewUser, PasswordTaken, People, RegistrationFilter,
    Result, UserPut, may_have, second_factor, user_state,
};

/// Reads rows until there are enough that are searched for.
fn some<T>(
    rows: &[Row],
    limit: u32,
    read: impl Fn(&Row) -> Done<T>,
    finds: impl Fn(&T) -> bool,
) -> Done<Vec<T>> {
    let mut found = Vec::new();
    for row in rows {
        if found.len() >= limit as usize {
            break;
        }
        found.extend(Some(read(row)?).filter(&finds));
    }
    Ok(found)
}

async fn registrations(tx: &Tx, filter: &RegistrationFilter) -> Done<Vec<AdminRegistration>> {
    let (at, id) = filter.after.unzip();
    let rows = tx
        .rows(
            "SELECT r.id, r.nit, r.entity_name, EXISTS (SELECT 1 FROM entities e WHERE e.nit = r.nit), r.display_name,
                    r.email, r.phone, r.made_at, r.state, r.reason
             FROM registrations r
             WHERE r.state = coalesce($1::text, r.state) AND ($1::text IS NOT NULL OR r.state <> 'UNCONFIRMED')
                   AND ($2::timestamptz IS NULL OR (r.made_at, r.id) < ($2, $3::uuid))
             ORDER BY r.made_at DESC, r.id DESC",
            &[&filter.state.map(Word), &at.map(Moment), &id],
        )
        .await?;
    some(&rows, filter.limit, registration, |registration| filter.finds(registration))
}

fn registration(row: &Row) -> Done<AdminRegistration> {
    Ok(AdminRegistration {
        id: row.value(0)?,
        nit: row.value(1)?,
        entity_name: row.value(2)?,
        entity_known: row.value(3)?,
        display_name: Redacted::new(row.value(4)?),
        email: Redacted::new(row.value(5)?),
        phone: Redacted::new(row.value(6)?),
        made_at: row.moment(7)?,
        state: row.word(8)?,
        reason: row.value(9)?,
    })
}

/// An account `a` and its entity `e`; its branches as four lists.
const USER: &str = "
    SELECT a.id, a.username, a.display_name, e.id, e.nit, e.name, a.state,
           a.password_hash = '' OR EXISTS (SELECT 1 FROM invitations i WHERE i.account_id = a.id AND i.accepted_at IS NULL),
           EXISTS (SELECT 1 FROM second_factors f WHERE f.account_id = a.id AND f.confirmed_at IS NOT NULL),
           (SELECT max(s.opened_at) FROM sessions s WHERE s.account_id = a.id),
           ARRAY(SELECT r.role FROM account_roles r WHERE r.account_id = a.id ORDER BY r.role),
           b.ids, b.codes, b.names, b.cities, a.suspended_by_caja
    FROM accounts a LEFT JOIN entities e ON e.id = a.entity_id
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(b.id ORDER BY b.code), '{}') AS ids,
               coalesce(array_agg(b.code::text ORDER BY b.code), '{}') AS codes,
               coalesce(array_agg(b.name ORDER BY b.code), '{}') AS names,
               coalesce(array_agg(b.city ORDER BY b.code), '{}') AS cities
        FROM account_branches ab JOIN branches b ON b.id = ab.branch_id WHERE ab.account_id = a.id) b";

fn user(row: &Row) -> Done<AdminUser> {
    let roles = row.words::<Role>(10)?;
    let (codes, names, cities) =
        (row.value::<Vec<String>>(12)?, row.value::<Vec<String>>(13)?, row.value::<Vec<String>>(14)?);
    let branches = row.value::<Vec<Uuid>>(11)?.into_iter().zip(codes).zip(names).zip(cities);
    Ok(AdminUser {
        id: row.value(0)?,
        username: Redacted::new(row.value(1)?),
        display_name: Redacted::new(row.value(2)?),
        entity: entity(row, 3)?,
        state: user_state(row.word(6)?, row.value(7)?, row.value(15)?),
        second_factor: second_factor(&roles, row.value(8)?),
        roles,
        branches: branches.map(|(((id, code), name), city)| Branch { id, code, name, city }).collect(),
        last_sign_in_at: row.value::<Option<Moment>>(9)?.map(|at| at.0),
    })
}

fn entity(row: &Row, at: usize) -> Done<Option<Entity>> {
    match row.value::<Option<Uuid>>(at)? {
        Some(id) => Ok(Some(Entity { id, nit: row.value(at + 1)?, name: row.value(at + 2)? })),
        None => Ok(None),
    }
}

async fn users(tx: &Tx, filter: &AccountFilter) -> Done<Vec<AdminUser>> {
    let sql = format!(
        "{USER} WHERE a.username_key > $1 AND ($2::uuid IS NULL OR a.entity_id = $2) ORDER BY a.username_key"
    );
    let after = filter.after.as_deref().unwrap_or_default();
    let rows = tx.rows(&sql, &[&after, &filter.entity_id]).await?;
    some(&rows, filter.limit, user, |user| filter.finds(user))
}

async fn one(tx: &Tx, id: Uuid) -> Done<Option<AdminUser>> {
    tx.row_or_none(&format!("{USER} WHERE a.id = $1"), &[&id]).await?.as_ref().map(user).transpose()
}

async fn add(tx: &Tx, new: &NewUser, who: &Act) -> Done<UserPut> {
    let username = new.username.expose();
    if let Some(there) = one(tx, new.id).await? {
        return Ok(if new.is(&there) { UserPut::Done } else { UserPut::IdConflict });
    }
    if is_username_taken(tx, &username_key(username)).await? {
        return Ok(UserPut::UsernameTaken);
    }
    if !may_have(new.entity_id.is_some(), &new.roles) {
        return Ok(UserPut::RolesElsewhere);
    }
    if let Some(entity_id) = new.entity_id
        && !tx.exists("SELECT 1 FROM entities WHERE id = $1", &[&entity_id]).await?
    {
        return Ok(UserPut::Unknown);
    }
    if !are_branches_of(tx, new.entity_id, &new.branches).await? {
        return Ok(UserPut::BranchElsewhere);
    }
    // Somebody else may take the user name just now: then this is begun again, and finds it taken.
    tx.execute(
        "INSERT INTO accounts (id, username, username_key, display_name, entity_id, password_hash, state)
         VALUES ($1, $2, $3, $4, $5, '', $6)",
        &[
            &new.id,
            username,
            &username_key(username),
            new.display_name.expose(),
            &new.entity_id,
            &Word(AccountState::Active),
        ],
    )
    .await?;
    put_roles(tx, new.id, &new.roles).await?;
    put_branches(tx, new.id, &new.branches).await?;
    if let Some(mail) = &new.mail {
        mails::add(tx, mail).await?;
    }
    audit::append(tx, &NewAct::account_made(new, who)).await?;
    Ok(UserPut::Done)
}

async fn are_branches_of(tx: &Tx, entity_id: Option<Uuid>, branches: &[Uuid]) -> Done<bool> {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM unnest($1::uuid[]) AS wanted (id) WHERE NOT EXISTS
                   (SELECT 1 FROM branches b WHERE b.id = wanted.id AND b.entity_id = $2))";
    tx.row(sql, &[&branches, &entity_id]).await?.value(0)
}

async fn put_roles(tx: &Tx, id: Uuid, roles: &[Role]) -> Done<()> {
    tx.execute("DELETE FROM account_roles WHERE account_id = $1", &[&id]).await?;
    for role in roles {
        let sql = "INSERT INTO account_roles (account_id, role) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        tx.execute(sql, &[&id, &Word(*role)]).await?;
    }
    Ok(())
}

async fn put_branches(tx: &Tx, id: Uuid, branches: &[Uuid]) -> Done<()> {
    tx.execute("DELETE FROM account_branches WHERE account_id = $1", &[&id]).await?;
    for branch_id in branches {
        let sql =
            "INSERT INTO account_branches (account_id, branch_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        tx.execute(sql, &[&id, branch_id]).await?;
    }
    Ok(())
}

async fn change(tx: &Tx, id: Uuid, change: &AdminUserChange, who: &Act) -> Done<UserPut> {
    // Two who suspend each other at once come one after the other.
    locks::hold(tx, Name::of("people of the caja", &[])).await?;
    tx.execute("SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE", &[&id]).await?;
    let Some(user) = one(tx, id).await? else { return Ok(UserPut::Unknown) };
    if user.state == AdminUserState::Pending {
        return Ok(UserPut::NotDecided);
    }
    let entity_id = user.entity.as_ref().map(|entity| entity.id);
    if change.roles.as_ref().is_some_and(|roles| !may_have(entity_id.is_some(), roles)) {
        return Ok(UserPut::RolesElsewhere);
    }
    if !are_branches_of(tx, entity_id, change.branches.as_deref().unwrap_or_default()).await? {
        return Ok(UserPut::BranchElsewhere);
    }
    let suspends = change.state == Some(AdminUserStanding::Suspended);
    if suspends && (who.by.account_id() == Some(id) || is_last_of_the_caja(tx, &user).await?) {
        return Ok(UserPut::LastAdministrator);
    }
    if let Some(name) = &change.display_name {
        tx.execute("UPDATE accounts SET display_name = $2 WHERE id = $1", &[&id, name.expose()]).await?;
    }
    if let Some(standing) = change.state {
        let state = Word(AccountState::of(standing));
        let sql = "UPDATE accounts SET state = $2, suspended_by_caja = $3 WHERE id = $1";
        tx.execute(sql, &[&id, &state, &suspends]).await?;
    }
    if suspends {
        end_sessions(tx, id, None, who.now).await?;
    }
    if let Some(roles) = &change.roles {
        put_roles(tx, id, roles).await?;
    }
    if let Some(branches) = &change.branches {
        put_branches(tx, id, branches).await?;
    }
    if let Some(act) = NewAct::account_changed(&user, change, who) {
        audit::append(tx, &act).await?;
    }
    Ok(UserPut::Done)
}

/// Whether nobody else could administer the caja's side any more.
async fn is_last_of_the_caja(tx: &Tx, user: &AdminUser) -> Done<bool> {
    if !user.roles.contains(&Role::CajaAdmin) {
        return Ok(false);
    }
    let another = "SELECT 1 FROM accounts a JOIN account_roles r ON r.account_id = a.id
                   WHERE r.role = $1 AND a.state = $2 AND a.id <> $3";
    let wanted: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
        [&Word(Role::CajaAdmin), &Word(AccountState::Active), &user.id];
    Ok(!tx.exists(another, &wanted).await?)
}

async fn take_password(tx: &Tx, taken: &PasswordTaken) -> Done<bool> {
    let sql = "UPDATE accounts SET password_hash = '' WHERE id = $1";
    let known = tx.execute(sql, &[&taken.account_id]).await? == 1;
    if known {
        end_sessions(tx, taken.account_id, None, taken.act.now).await?;
        forget_attempts(tx, taken.username_mac).await?;
        if let Some(mail) = &taken.mail {
            mails::add(tx, mail).await?;
        }
        audit::append(tx, &NewAct::password_taken(taken)).await?;
    }
    Ok(known)
}

async fn devices(tx: &Tx, filter: &DeviceFilter) -> Done<Vec<AdminDevice>> {
    let (at, id) = filter.after.unzip();
    let rows = tx
        .rows(
            "SELECT d.id, d.name, e.id, e.nit, e.name, a.display_name, d.first_seen_at, d.last_contact_at,
                    (SELECT coalesce(max(i.sequence), 0) FROM outbox_items i WHERE i.device_id = d.id), d.waiting,
                    d.revoked_at
             FROM devices d
             LEFT JOIN LATERAL (SELECT l.account_id FROM sessions l WHERE l.device_id = d.id
                                ORDER BY l.opened_at DESC, l.id DESC LIMIT 1) s ON true
             LEFT JOIN accounts a ON a.id = s.account_id
             LEFT JOIN entities e ON e.id = a.entity_id
             WHERE $1::timestamptz IS NULL OR (d.last_contact_at, d.id) < ($1, $2::uuid)
             ORDER BY d.last_contact_at DESC, d.id DESC",
            &[&at.map(Moment), &id],
        )
        .await?;
    some(&rows, filter.limit, device, |device| filter.finds(device))
}

fn device(row: &Row) -> Done<AdminDevice> {
    let waiting = row.value::<Option<i64>>(9)?.map(u64::try_from).transpose();
    Ok(AdminDevice {
        id: row.value(0)?,
        name: row.value(1)?,
        entity: entity(row, 2)?,
        last_operator: row.value::<Option<String>>(5)?.map(Redacted::new),
        first_seen_at: row.moment(6)?,
        last_contact_at: row.moment(7)?,
        last_sequence: row.value(8)?,
        waiting: waiting.map_err(|error| Trouble::Unreadable(error.into()))?,
        revoked_at: row.value::<Option<Moment>>(10)?.map(|at| at.0),
    })
}

#[async_trait]
impl People for PostgresStore {
    async fn registrations_by_time(&self, filter: RegistrationFilter) -> Result<Vec<AdminRegistration>> {
        let filter = Arc::new(filter);
        self.0
            .read(move |tx| {
                let filter = Arc::clone(&filter);
                Box::pin(async move { registrations(tx, &filter).await })
            })
            .await
    }

    async fn users(&self, filter: AccountFilter) -> Result<Vec<AdminUser>> {
        let filter = Arc::new(filter);
        self.0
            .read(move |tx| {
                let filter = Arc::clone(&filter);
                Box::pin(async move { users(tx, &filter).await })
            })
            .await
    }

    async fn user(&self, id: Uuid) -> Result<Option<AdminUser>> {
        self.0.ask(move |tx| Box::pin(one(tx, id))).await
    }

    async fn add_user(&self, new: NewUser, act: Act) -> Result<UserPut> {
        let asked = Arc::new((new, act));
        self.0
            .write(move |tx| {
                let asked = Arc::clone(&asked);
                Box::pin(async move { add(tx, &asked.0, &asked.1).await })
            })
            .await
    }

    async fn change_account(&self, id: Uuid, to: AdminUserChange, act: Act) -> Result<UserPut> {
        let asked = Arc::new((to, act));
        self.0
            .write(move |tx| {
                let asked = Arc::clone(&asked);
                Box::pin(async move { change(tx, id, &asked.0, &asked.1).await })
            })
            .await
    }

    async fn take_password(&self, taken: PasswordTaken) -> Result<bool> {
        let taken = Arc::new(taken);
        self.0
            .write(move |tx| {
                let taken = Arc::clone(&taken);
                Box::pin(async move { take_password(tx, &taken).await })
            })
            .await
    }

    async fn devices_by_contact(&self, filter: DeviceFilter) -> Result<Vec<AdminDevice>> {
        let filter = Arc::new(filter);
        self.0
            .read(move |tx| {
                let filter = Arc::clone(&filter);
                Box::pin(async move { devices(tx, &filter).await })
            })
            .await
    }
}
