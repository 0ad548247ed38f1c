//! `/v1/entity`: the people of the own entity, for its administrators.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hanna_domain::colombia;
use hanna_wire::entity_users::{
    ChangeUser, EntityBranches, EntityUser, EntityUsers, InviteUser, UserQuery, UserState,
};
use hanna_wire::limits::NAME_MAX;
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::accounts::check_email;
use crate::app::App;
use crate::audit::Actor;
use crate::entity_users::{check_branches, check_roles};
use crate::extract::{Body, Id, Params, text};
use crate::fault::Fault;
use crate::mail::MailKind;
use crate::openapi::{SIGNED_IN, WITH_BODY, route_faults};
use crate::page;
use crate::secrets::username_key;
use crate::store::{
    Caller, Invitation, Invited, InvitedAgain, Reinvitation, UserChange, UserChanged, UserFilter, UserReset,
};

route_faults!(ListFaults: SIGNED_IN, &[ErrorCode::Forbidden, ErrorCode::Invalid]);
route_faults!(BranchesFaults: SIGNED_IN, &[ErrorCode::Forbidden]);
route_faults!(
    InviteFaults: SIGNED_IN,
    WITH_BODY,
    &[
        ErrorCode::Forbidden,
        ErrorCode::BranchNotAllowed,
        ErrorCode::NotFound,
        ErrorCode::IdConflict,
        ErrorCode::UsernameTaken,
        ErrorCode::SlowDown
    ]
);
route_faults!(
    ChangeFaults: SIGNED_IN,
    WITH_BODY,
    &[
        ErrorCode::Forbidden,
        ErrorCode::BranchNotAllowed,
        ErrorCode::NotFound,
        ErrorCode::LastAdministrator
    ]
);
route_faults!(ResetFaults: SIGNED_IN, &[ErrorCode::Forbidden, ErrorCode::NotFound, ErrorCode::SlowDown]);
route_faults!(
    InvitationFaults: SIGNED_IN,
    &[ErrorCode::Forbidden, ErrorCode::NotFound, ErrorCode::NotPending, ErrorCode::SlowDown]
);

/// Every route about the own entity, with its documentation.
pub fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, invite))
        .routes(routes!(branches))
        .routes(routes!(change))
        .routes(routes!(reset))
        .routes(routes!(invitation))
}

/// The people of the own entity
///
/// By user name. Whoever creates an account and is approved for the entity is among them.
#[utoipa::path(
    get,
    path = path::ENTITY_USERS,
    operation_id = "entity_users",
    tag = "entity",
    security(("session" = [])),
    params(UserQuery),
    responses((status = 200, description = "One page.", body = EntityUsers), ListFaults)
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<UserQuery>,
) -> Result<Json<EntityUsers>, Fault> {
    let limit = page::limit(query.limit)?;
    let filter = UserFilter {
        entity_id: caller.administers()?,
        search: page::search(query.q.as_deref())?,
        after: query.after.as_deref().map(read_cursor).transpose()?,
        // One more than the page tells whether there is a next one.
        limit: limit + 1,
    };
    let mut items = app.store().entity_users(filter).await?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let written = |user: &EntityUser| URL_SAFE_NO_PAD.encode(username_key(user.username.expose()));
    let next = items.last().filter(|_| more).map(written);
    Ok(Json(EntityUsers { items, next }))
}

/// The place of somebody in the list is their user name, which is not for logs.
fn read_cursor(cursor: &str) -> Result<String, Fault> {
    let read = || String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok();
    // A text of PostgreSQL cannot hold it.
    let read = read().filter(|name| !name.contains('\0'));
    read.ok_or_else(|| Fault::with(ErrorCode::Invalid, "after is not one this call gave"))
}

/// The branches of the own entity
///
/// All of them, by code.
#[utoipa::path(
    get,
    path = path::ENTITY_BRANCHES,
    operation_id = "entity_branches",
    tag = "entity",
    security(("session" = [])),
    responses((status = 200, description = "The branches.", body = EntityBranches), BranchesFaults)
)]
pub async fn branches(State(app): State<App>, caller: Caller) -> Result<Json<EntityBranches>, Fault> {
    Ok(Json(EntityBranches { items: app.store().branches(caller.administers()?).await? }))
}

/// Invite somebody
///
/// Makes an account for them, which they can use once they have set a password: the mail says how. An entity may invite 200
/// people at once, and that many a day.
#[utoipa::path(
    post,
    path = path::ENTITY_USERS,
    operation_id = "invite_user",
    tag = "entity",
    security(("session" = [])),
    request_body = InviteUser,
    responses((status = 201, description = "They are invited.", body = EntityUser), InviteFaults)
)]
pub async fn invite(
    State(app): State<App>,
    caller: Caller,
    Body(invite): Body<InviteUser>,
) -> Result<(StatusCode, Json<EntityUser>), Fault> {
    let entity_id = caller.administers()?;
    let content = serde_json::to_vec(&invite).map_err(Fault::internal)?;
    let InviteUser { id, display_name, email, roles, branches } = invite;
    text("display_name", display_name.expose(), NAME_MAX)?;
    check_email(&email)?;
    check_roles(&roles)?;
    check_branches(&branches)?;
    let now = app.clock().now();
    app.gate().invite(entity_id, now)?;
    let entity_name = entity_name(&app, &caller, now).await?;
    let mail = app.user_mail(MailKind::Invitation, (&email, &display_name), &entity_name, now);
    let invitation = Invitation {
        id,
        content_sha256: format!("{:x}", Sha256::digest(content)),
        entity_id,
        password_hash: app.nobodys_password().await?,
        mail: mail.ok_or_else(|| Fault::with(ErrorCode::Invalid, "email is no e-mail address"))?,
        email,
        display_name,
        roles,
        branches,
        by: Actor::Account(caller.account_id),
        now,
    };
    match app.store().invite(invitation).await? {
        Invited::Done => {
            tracing::info!(account_id = %id, "somebody was invited");
            app.mailer().wake();
        }
        Invited::Again => {}
        Invited::IdConflict => return Err(Fault::new(ErrorCode::IdConflict)),
        Invited::UsernameTaken => return Err(Fault::new(ErrorCode::UsernameTaken)),
        Invited::BranchNotAllowed => return Err(Fault::new(ErrorCode::BranchNotAllowed)),
    }
    Ok((StatusCode::CREATED, Json(user(&app, entity_id, id).await?)))
}

/// Change somebody
///
/// What is left out stays as it is. Suspending ends every session. Nobody suspends themselves, an entity keeps an active
/// administrator, and whom the caja suspended only the caja lets in again.
#[utoipa::path(
    patch,
    path = path::ENTITY_USER,
    operation_id = "change_user",
    tag = "entity",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The account.")),
    request_body = ChangeUser,
    responses((status = 200, description = "As they are now.", body = EntityUser), ChangeFaults)
)]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(change): Body<ChangeUser>,
) -> Result<Json<EntityUser>, Fault> {
    let entity_id = caller.administers()?;
    let ChangeUser { display_name, roles, branches, state } = change;
    if let Some(name) = &display_name {
        text("display_name", name.expose(), NAME_MAX)?;
    }
    roles.as_deref().map_or(Ok(()), check_roles)?;
    branches.as_deref().map_or(Ok(()), check_branches)?;
    let (by, now) = (Actor::Account(caller.account_id), app.clock().now());
    let change = UserChange { id, entity_id, display_name, roles, branches, state, by, now };
    match app.store().change_user(change).await? {
        UserChanged::Done => tracing::info!(account_id = %id, "an account was changed by its administrator"),
        UserChanged::Unknown => return Err(Fault::new(ErrorCode::NotFound)),
        UserChanged::BranchNotAllowed => return Err(Fault::new(ErrorCode::BranchNotAllowed)),
        UserChanged::LastAdministrator => return Err(Fault::new(ErrorCode::LastAdministrator)),
        UserChanged::SuspendedByCaja => {
            return Err(Fault::with(ErrorCode::Forbidden, "the caja suspended this account"));
        }
    }
    Ok(Json(user(&app, entity_id, id).await?))
}

/// Take somebody's password away
///
/// Every session ends, the password is worth nothing any more, and they are mailed how to set another.
#[utoipa::path(
    post,
    path = path::ENTITY_USER_RESET,
    operation_id = "reset_user",
    tag = "entity",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The account.")),
    responses((status = 204, description = "Done, and mailed."), ResetFaults)
)]
pub async fn reset(State(app): State<App>, caller: Caller, Id(id): Id) -> Result<StatusCode, Fault> {
    let entity_id = caller.administers()?;
    let now = app.clock().now();
    let user = user(&app, entity_id, id).await?;
    app.count_mail(id, now).await?;
    let entity_name = entity_name(&app, &caller, now).await?;
    let kind = if user.state == UserState::Invited { MailKind::Invitation } else { MailKind::PasswordReset };
    let reset = UserReset {
        id,
        entity_id,
        password_hash: app.nobodys_password().await?,
        mail: app.user_mail(kind, (&user.username, &user.display_name), &entity_name, now),
        by: Actor::Account(caller.account_id),
        now,
    };
    if !app.store().reset_user(reset).await? {
        return Err(Fault::new(ErrorCode::NotFound));
    }
    tracing::info!(account_id = %id, "a password was taken away by an administrator");
    app.mailer().wake();
    Ok(StatusCode::NO_CONTENT)
}

/// Mail an invitation again
///
/// To who has not set a password yet. Slowed down after five.
#[utoipa::path(
    post,
    path = path::ENTITY_USER_INVITATION,
    operation_id = "invite_user_again",
    tag = "entity",
    security(("session" = [])),
    params(("id" = Uuid, Path, description = "The account.")),
    responses((status = 204, description = "Mailed."), InvitationFaults)
)]
pub async fn invitation(State(app): State<App>, caller: Caller, Id(id): Id) -> Result<StatusCode, Fault> {
    let entity_id = caller.administers()?;
    let now = app.clock().now();
    let user = user(&app, entity_id, id).await?;
    app.count_mail(id, now).await?;
    let entity_name = entity_name(&app, &caller, now).await?;
    let names = (&user.username, &user.display_name);
    let mail = app.user_mail(MailKind::Invitation, names, &entity_name, now);
    let mail = mail.ok_or(Fault::new(ErrorCode::NotPending))?;
    let again = Reinvitation { id, entity_id, mail, by: Actor::Account(caller.account_id), now };
    match app.store().invite_again(again).await? {
        InvitedAgain::Done => app.mailer().wake(),
        InvitedAgain::Unknown => return Err(Fault::new(ErrorCode::NotFound)),
        InvitedAgain::NotPending => return Err(Fault::new(ErrorCode::NotPending)),
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn user(app: &App, entity_id: Uuid, id: Uuid) -> Result<EntityUser, Fault> {
    app.store().entity_user(entity_id, id).await?.ok_or(Fault::new(ErrorCode::NotFound))
}

async fn entity_name(app: &App, caller: &Caller, now: Timestamp) -> Result<String, Fault> {
    let surroundings = app.store().surroundings(caller.account_id, colombia::day_of(now)).await?;
    let entity = surroundings.and_then(|seen| seen.entity);
    Ok(entity.ok_or(Fault::new(ErrorCode::Forbidden))?.name)
}

#[cfg(test)]
mod tests;
