//! `/v1/admin/users`: every account, of the caja and of entities.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hanna_wire::admin::people::{AdminUser, AdminUserChange, InviteAccount, UserQuery};
use hanna_wire::limits::{CURSOR_MAX, NAME_MAX};
use hanna_wire::page::Page;
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;
use uuid::Uuid;

use crate::accounts::check_email;
use crate::app::App;
use crate::extract::{Body, CajaAdmin, Id, Params, text};
use crate::fault::Fault;
use crate::openapi::{CAJA, WITH_BODY, route_faults};
use crate::page;
use crate::secrets::username_key;
use crate::store::{AccountFilter, UserPut};

route_faults!(ListFaults: CAJA, &[ErrorCode::Invalid]);
route_faults!(InviteFaults: CAJA, WITH_BODY, &[ErrorCode::NotFound, ErrorCode::IdConflict, ErrorCode::UsernameTaken]);
route_faults!(
    ChangeFaults: CAJA,
    WITH_BODY,
    &[ErrorCode::NotFound, ErrorCode::NotPending, ErrorCode::LastAdministrator]
);
route_faults!(ResetFaults: CAJA, &[ErrorCode::NotFound]);

/// List accounts
///
/// Those of the caja and of every entity, by user name.
#[utoipa::path(
    get,
    path = path::ADMIN_USERS,
    operation_id = "list_users",
    tag = "console",
    security(("session" = [])),
    params(UserQuery),
    responses((status = 200, description = "One page.", body = Page<AdminUser>), ListFaults)
)]
pub async fn list(
    State(app): State<App>,
    _: CajaAdmin,
    Params(query): Params<UserQuery>,
) -> Result<Json<Page<AdminUser>>, Fault> {
    let limit = page::limit(query.limit)?;
    if let Some(after) = &query.after {
        text("after", after, CURSOR_MAX)?;
    }
    let filter = AccountFilter {
        search: page::search(query.q.as_deref())?,
        entity_id: query.entity_id,
        role: query.role,
        state: query.state,
        after: query.after,
        limit: limit + 1,
    };
    let rows = app.store().users(filter).await?;
    Ok(Json(page::page(rows, limit, |row| username_key(row.username.expose()))))
}

/// Invite somebody
///
/// Makes an account of the caja, or of an entity, that has no password yet, and mails how to set one. The same again changes
/// nothing and mails nothing.
#[utoipa::path(
    post,
    path = path::ADMIN_USERS,
    operation_id = "invite_account",
    tag = "console",
    security(("session" = [])),
    request_body = InviteAccount,
    responses((status = 201, description = "The account is there.", body = AdminUser), InviteFaults)
)]
pub async fn invite(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Body(invite): Body<InviteAccount>,
) -> Result<(StatusCode, Json<AdminUser>), Fault> {
    text("display_name", invite.display_name.expose(), NAME_MAX)?;
    check_email(&invite.email)?;
    let id = invite.id;
    put(app.invite(invite, app.act(Some(caller.account_id))).await?)?;
    tracing::info!(account_id = %caller.account_id, user_id = %id, "somebody was invited");
    Ok((StatusCode::CREATED, Json(user(&app, id).await?)))
}

/// Change an account
///
/// What is left out stays. Suspending an account ends its sessions. Nobody suspends themselves, or the last active account
/// of the caja. An account that waits for approval is decided about with its registration.
#[utoipa::path(
    patch,
    path = path::ADMIN_USER,
    operation_id = "change_account",
    tag = "console",
    security(("session" = [])),
    params(("id" = uuid::Uuid, Path, description = "The account.")),
    request_body = AdminUserChange,
    responses((status = 200, description = "The account as it is now.", body = AdminUser), ChangeFaults)
)]
pub async fn change(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Id(id): Id,
    Body(change): Body<AdminUserChange>,
) -> Result<Json<AdminUser>, Fault> {
    if let Some(name) = &change.display_name {
        text("display_name", name.expose(), NAME_MAX)?;
    }
    put(app.store().change_account(id, change, app.act(Some(caller.account_id))).await?)?;
    tracing::info!(account_id = %caller.account_id, user_id = %id, "an account was changed");
    Ok(Json(user(&app, id).await?))
}

/// Take a password away
///
/// It is worth nothing any more, and the account's sessions end; how to set another one is mailed.
#[utoipa::path(
    post,
    path = path::ADMIN_USER_RESET_PASSWORD,
    operation_id = "reset_user_password",
    tag = "console",
    security(("session" = [])),
    params(("id" = uuid::Uuid, Path, description = "The account.")),
    responses((status = 204, description = "The password is gone."), ResetFaults)
)]
pub async fn reset_password(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Id(id): Id,
) -> Result<StatusCode, Fault> {
    known(app.take_password(id, app.act(Some(caller.account_id))).await?)?;
    tracing::info!(account_id = %caller.account_id, user_id = %id, "a password was taken away");
    Ok(StatusCode::NO_CONTENT)
}

/// Take a second factor away
///
/// For who has lost the telephone and the recovery codes: the account's sessions end, and the next one sets up another.
#[utoipa::path(
    post,
    path = path::ADMIN_USER_RESET_SECOND_FACTOR,
    operation_id = "reset_user_second_factor",
    tag = "console",
    security(("session" = [])),
    params(("id" = uuid::Uuid, Path, description = "The account.")),
    responses((status = 204, description = "The second factor is gone."), ResetFaults)
)]
pub async fn reset_second_factor(
    State(app): State<App>,
    CajaAdmin(caller): CajaAdmin,
    Id(id): Id,
) -> Result<StatusCode, Fault> {
    known(app.store().reset_second_factor(id, app.act(Some(caller.account_id))).await?)?;
    tracing::warn!(account_id = %caller.account_id, user_id = %id, "a second factor was taken away");
    Ok(StatusCode::NO_CONTENT)
}

async fn user(app: &App, id: Uuid) -> Result<AdminUser, Fault> {
    app.store().user(id).await?.ok_or(Fault::new(ErrorCode::NotFound))
}

fn put(put: UserPut) -> Result<(), Fault> {
    match put {
        UserPut::Done => Ok(()),
        UserPut::Unknown => Err(Fault::new(ErrorCode::NotFound)),
        UserPut::IdConflict => Err(Fault::new(ErrorCode::IdConflict)),
        UserPut::UsernameTaken => Err(Fault::new(ErrorCode::UsernameTaken)),
        UserPut::NotDecided => {
            Err(Fault::with(ErrorCode::NotPending, "the registration is to be decided about"))
        }
        UserPut::RolesElsewhere => {
            Err(Fault::with(ErrorCode::Invalid, "roles are none, or not those of this kind of account"))
        }
        UserPut::BranchElsewhere => Err(Fault::with(ErrorCode::Invalid, "a branch is not the entity's")),
        UserPut::LastAdministrator => Err(Fault::new(ErrorCode::LastAdministrator)),
    }
}

fn known(known: bool) -> Result<(), Fault> {
    if known { Ok(()) } else { Err(Fault::new(ErrorCode::NotFound)) }
}
