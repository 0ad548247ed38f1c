//! The people of an entity. Whoever changes one holds the row of the entity, so that of two administrators who take the
//! right from each other one stays.

use std::sync::Arc;

use async_trait::async_trait;
use hanna_domain::Redacted;
use hanna_wire::entity_users::{EntityUser, SetState, UserState};
use hanna_wire::me::Role;
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::accounts::{end_sessions, set_password};
use super::columns::{Columns, Count, Moment, words};
use super::fault::Done;
use super::pool::Tx;
use super::{PostgresStore, audit, mails, registrations};
use crate::audit::NewAct;
use crate::secrets::username_key;
use crate::store::words::Word;
use crate::store::{
    AccountState, EntityUsers, Invitation, Invited, InvitedAgain, Reinvitation, Result, UserChange,
    UserChanged, UserFilter, UserReset,
};

/// What [`user`] reads.
fn users_where(condition: &str) -> String {
    format!(
        "SELECT a.id, a.username, a.display_name, r.phone, a.state, i.mailed_at,
                (i.account_id IS NOT NULL AND i.accepted_at IS NULL) OR a.password_hash = '',
                (SELECT max(s.opened_at) FROM sessions s WHERE s.account_id = a.id),
                ARRAY(SELECT o.role FROM account_roles o WHERE o.account_id = a.id ORDER BY o.role),
                ARRAY(SELECT b.id FROM account_branches ab JOIN branches b ON b.id = ab.branch_id
                      WHERE ab.account_id = a.id ORDER BY b.code),
                a.suspended_by_caja
         FROM accounts a
         LEFT JOIN invitations i ON i.account_id = a.id
         LEFT JOIN registrations r ON r.account_id = a.id
         WHERE a.entity_id = $1 AND {condition}"
    )
}

fn user(row: &Row) -> Done<EntityUser> {
    Ok(EntityUser {
        id: row.value(0)?,
        username: Redacted::new(row.value(1)?),
        display_name: Redacted::new(row.value(2)?),
        phone: row.value::<Option<String>>(3)?.map(Redacted::new),
        state: row.word::<AccountState>(4)?.of_user(row.value(6)?, row.value(10)?),
        roles: row.words(8)?,
        branches: row.value(9)?,
        invited_at: row.value::<Option<Moment>>(5)?.map(|at| at.0),
        last_sign_in_at: row.value::<Option<Moment>>(7)?.map(|at| at.0),
    })
}

async fn one(tx: &Tx, entity_id: Uuid, id: Uuid) -> Done<Option<EntityUser>> {
    tx.row_or_none(&users_where("a.id = $2"), &[&entity_id, &id]).await?.as_ref().map(user).transpose()
}

async fn page(tx: &Tx, filter: &UserFilter) -> Done<Vec<EntityUser>> {
    let sql = users_where("($2::text IS NULL OR a.username_key > $2) ORDER BY a.username_key LIMIT $3");
    // Who is searched for is told here: there may be none among the first.
    let at_most = filter.search.is_none().then_some(Count(filter.limit));
    let rows = tx.rows(&sql, &[&filter.entity_id, &filter.after, &at_most]).await?;
    let mut users = rows.iter().map(user).collect::<Done<Vec<_>>>()?;
    users.retain(|user| filter.finds(user));
    users.truncate(filter.limit as usize);
    Ok(users)
}

async fn are_branches_of(tx: &Tx, branches: &[Uuid], entity_id: Uuid) -> Done<bool> {
    let sql = "SELECT 1 FROM unnest($1::uuid[]) AS w (id)
               WHERE NOT EXISTS (SELECT 1 FROM branches b WHERE b.id = w.id AND b.entity_id = $2)";
    Ok(!tx.exists(sql, &[&branches, &entity_id]).await?)
}

async fn invite(tx: &Tx, new: &Invitation) -> Done<Invited> {
    let before = tx
        .row_or_none(
            "SELECT a.entity_id, i.content_sha256 FROM accounts a LEFT JOIN invitations i ON i.account_id = a.id
             WHERE a.id = $1",
            &[&new.id],
        )
        .await?;
    if let Some(row) = before {
        let same = row.value::<Option<Uuid>>(0)? == Some(new.entity_id)
            && row.value::<Option<String>>(1)?.as_ref() == Some(&new.content_sha256);
        return Ok(if same { Invited::Again } else { Invited::IdConflict });
    }
    let key = username_key(new.email.expose());
    if registrations::is_username_taken(tx, &key).await? {
        return Ok(Invited::UsernameTaken);
    }
    if !are_branches_of(tx, &new.branches, new.entity_id).await? {
        return Ok(Invited::BranchNotAllowed);
    }
    // Somebody else may take the id or the user name just now: then this is begun again, and finds it taken.
    tx.execute(
        "INSERT INTO accounts (id, username, username_key, display_name, entity_id, password_hash, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            &new.id,
            new.email.expose(),
            &key,
            new.display_name.expose(),
            &new.entity_id,
            new.password_hash.expose(),
            &Word(AccountState::Active),
        ],
    )
    .await?;
    tx.execute(
        "INSERT INTO invitations (account_id, content_sha256, made_at, mailed_at, mailed_by, accepted_at)
         VALUES ($1, $2, $4, $4, $3, NULL)",
        &[&new.id, &new.content_sha256, &new.by.account_id(), &Moment(new.now)],
    )
    .await?;
    set_roles(tx, new.id, &new.roles).await?;
    set_branches(tx, new.id, &new.branches).await?;
    mails::add(tx, &new.mail).await?;
    audit::append(tx, &NewAct::invited(new)).await?;
    Ok(Invited::Done)
}

async fn set_roles(tx: &Tx, account_id: Uuid, roles: &[Role]) -> Done<()> {
    tx.execute("DELETE FROM account_roles WHERE account_id = $1", &[&account_id]).await?;
    let sql = "INSERT INTO account_roles (account_id, role) SELECT $1::uuid, o.role FROM unnest($2::text[]) AS o (role)";
    tx.execute(sql, &[&account_id, &words(roles)]).await.map(drop)
}

async fn set_branches(tx: &Tx, account_id: Uuid, branches: &[Uuid]) -> Done<()> {
    tx.execute("DELETE FROM account_branches WHERE account_id = $1", &[&account_id]).await?;
    let sql = "INSERT INTO account_branches (account_id, branch_id) SELECT $1::uuid, w.id FROM unnest($2::uuid[]) AS w (id)";
    tx.execute(sql, &[&account_id, &branches]).await.map(drop)
}

async fn invite_again(tx: &Tx, again: &Reinvitation) -> Done<InvitedAgain> {
    let Some(user) = one(tx, again.entity_id, again.id).await? else { return Ok(InvitedAgain::Unknown) };
    if user.state != UserState::Invited {
        return Ok(InvitedAgain::NotPending);
    }
    tx.execute(
        "UPDATE invitations SET mailed_at = $2, mailed_by = $3 WHERE account_id = $1",
        &[&again.id, &Moment(again.now), &again.by.account_id()],
    )
    .await?;
    mails::add(tx, &again.mail).await?;
    audit::append(tx, &NewAct::invited_again(again)).await?;
    Ok(InvitedAgain::Done)
}

/// The first password is set.
pub async fn accept_invitation(tx: &Tx, account_id: Uuid, now: Timestamp) -> Done<()> {
    let sql = "UPDATE invitations SET accepted_at = $2 WHERE account_id = $1 AND accepted_at IS NULL";
    tx.execute(sql, &[&account_id, &Moment(now)]).await.map(drop)
}

async fn change(tx: &Tx, change: &UserChange) -> Done<UserChanged> {
    tx.execute("SELECT 1 FROM entities WHERE id = $1 FOR NO KEY UPDATE", &[&change.entity_id]).await?;
    // The caja may decide about the same account, holding that.
    tx.execute("SELECT 1 FROM accounts WHERE id = $1 FOR NO KEY UPDATE", &[&change.id]).await?;
    let Some(before) = one(tx, change.entity_id, change.id).await? else { return Ok(UserChanged::Unknown) };
    if let Some(branches) = &change.branches
        && !are_branches_of(tx, branches, change.entity_id).await?
    {
        return Ok(UserChanged::BranchNotAllowed);
    }
    if change.takes_administrator(&before)
        && !has_another_administrator(tx, change.entity_id, change.id).await?
    {
        return Ok(UserChanged::LastAdministrator);
    }
    if change.is_of_oneself() && change.state == Some(SetState::Suspended) {
        return Ok(UserChanged::LastAdministrator);
    }
    if change.undoes_the_caja(&before) {
        return Ok(UserChanged::SuspendedByCaja);
    }
    if let Some(name) = &change.display_name {
        let sql = "UPDATE accounts SET display_name = $2 WHERE id = $1";
        tx.execute(sql, &[&change.id, name.expose()]).await?;
    }
    if let Some(roles) = &change.roles {
        set_roles(tx, change.id, roles).await?;
    }
    if let Some(branches) = &change.branches {
        set_branches(tx, change.id, branches).await?;
    }
    if let Some(state) = change.state {
        let state = AccountState::from(state);
        tx.execute("UPDATE accounts SET state = $2 WHERE id = $1", &[&change.id, &Word(state)]).await?;
        if state == AccountState::Suspended {
            end_sessions(tx, change.id, None, change.now).await?;
        }
    }
    if let Some(act) = NewAct::user_changed(&before, change) {
        audit::append(tx, &act).await?;
    }
    Ok(UserChanged::Done)
}

async fn has_another_administrator(tx: &Tx, entity_id: Uuid, but: Uuid) -> Done<bool> {
    tx.exists(
        "SELECT 1 FROM accounts a JOIN account_roles r ON r.account_id = a.id
         LEFT JOIN invitations i ON i.account_id = a.id
         WHERE a.entity_id = $1 AND a.id <> $2 AND a.state = $3 AND r.role = $4
             AND (i.account_id IS NULL OR i.accepted_at IS NOT NULL) AND a.password_hash <> ''",
        &[&entity_id, &but, &Word(AccountState::Active), &Word(Role::EntityAdmin)],
    )
    .await
}

async fn reset(tx: &Tx, reset: &UserReset) -> Done<bool> {
    if one(tx, reset.entity_id, reset.id).await?.is_none() {
        return Ok(false);
    }
    set_password(tx, reset.id, reset.password_hash.expose()).await?;
    end_sessions(tx, reset.id, None, reset.now).await?;
    if let Some(mail) = &reset.mail {
        mails::add(tx, mail).await?;
    }
    audit::append(tx, &NewAct::user_reset(reset)).await?;
    Ok(true)
}

#[async_trait]
impl EntityUsers for PostgresStore {
    async fn entity_users(&self, filter: UserFilter) -> Result<Vec<EntityUser>> {
        let filter = Arc::new(filter);
        self.0
            .read(move |tx| {
                let filter = Arc::clone(&filter);
                Box::pin(async move { page(tx, &filter).await })
            })
            .await
    }

    async fn entity_user(&self, entity_id: Uuid, id: Uuid) -> Result<Option<EntityUser>> {
        self.0.ask(move |tx| Box::pin(one(tx, entity_id, id))).await
    }

    async fn invite(&self, invitation: Invitation) -> Result<Invited> {
        let invitation = Arc::new(invitation);
        self.0
            .write(move |tx| {
                let invitation = Arc::clone(&invitation);
                Box::pin(async move { invite(tx, &invitation).await })
            })
            .await
    }

    async fn invite_again(&self, again: Reinvitation) -> Result<InvitedAgain> {
        let again = Arc::new(again);
        self.0
            .write(move |tx| {
                let again = Arc::clone(&again);
                Box::pin(async move { invite_again(tx, &again).await })
            })
            .await
    }

    async fn change_user(&self, wanted: UserChange) -> Result<UserChanged> {
        let wanted = Arc::new(wanted);
        self.0
            .write(move |tx| {
                let wanted = Arc::clone(&wanted);
                Box::pin(async move { change(tx, &wanted).await })
            })
            .await
    }

    async fn reset_user(&self, wanted: UserReset) -> Result<bool> {
        let wanted = Arc::new(wanted);
        self.0
            .write(move |tx| {
                let wanted = Arc::clone(&wanted);
                Box::pin(async move { reset(tx, &wanted).await })
            })
            .await
    }
}
