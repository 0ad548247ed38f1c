//! `POST /v1/password`: change the own password.

use axum::extract::State;
use axum::http::StatusCode;
use hanna_domain::Redacted;
use hanna_wire::account::{ChangePassword, is_email};
use hanna_wire::limits::PASSWORD_MAX;
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;
use serde_json::json;

use crate::accounts::check_password;
use crate::app::App;
use crate::audit::{Act, Actor, NewAct};
use crate::extract::Body;
use crate::fault::Fault;
use crate::openapi::{SIGNED_IN, WITH_BODY, route_faults};
use crate::secrets::username_key;
use crate::store::{Admission, Caller, PasswordChange};

route_faults!(
    WITH_BODY,
    SIGNED_IN,
    &[ErrorCode::WrongCredentials, ErrorCode::WeakPassword, ErrorCode::SlowDown]
);

/// Change the own password
///
/// Takes the password of until now, whose guesses are slowed down with those at signing in. Every other session of the
/// account ends.
#[utoipa::path(
    post,
    path = path::PASSWORD,
    operation_id = "change_password",
    tag = "account",
    security(("session" = [])),
    request_body = ChangePassword,
    responses((status = 204, description = "The password is changed."), Faults)
)]
pub async fn handler(
    State(app): State<App>,
    caller: Caller,
    Body(change): Body<ChangePassword>,
) -> Result<StatusCode, Fault> {
    let ChangePassword { current, password } = change;
    let length = current.expose().chars().count();
    if length == 0 || length > PASSWORD_MAX {
        let detail = format!("current has not between 1 and {PASSWORD_MAX} characters");
        return Err(Fault::with(ErrorCode::Invalid, detail));
    }
    let own = app.store().own_password(caller.account_id).await?;
    let own = own.ok_or(Fault::new(ErrorCode::SessionExpired))?;
    check_password(&password, &[&own.username, &own.display_name])?;
    let now = app.clock().now();
    let mac = app.mac_key().username(&username_key(&own.username));
    if let Admission::Wait(until) = app.store().count_attempt(mac, now).await? {
        return Err(Fault::slow_down(until.duration_since(now)));
    }
    let refused = async || {
        let failed = NewAct::new(Act::SignInFailed, now)
            .by(&Actor::Account(caller.account_id))
            .at_device(caller.device_id)
            .saying(json!({ "code": ErrorCode::WrongCredentials }));
        app.store().append(failed).await.map(|()| Fault::new(ErrorCode::WrongCredentials))
    };
    let was = Redacted::new(own.password_hash.clone());
    if !app.passwords().matches(current, Some(own.password_hash)).await? {
        return Err(refused().await?);
    }
    app.store().forget_attempts(mac).await?;
    let email = Some(own.username).filter(|username| is_email(username)).map(Redacted::new);
    let change = PasswordChange {
        account_id: caller.account_id,
        was,
        password_hash: app.passwords().hash(password, app.entropy().bytes()).await?,
        keep: caller.session_id,
        mail: email.map(|email| app.password_changed(&email, now)),
        now,
    };
    if !app.store().change_password(change).await? {
        return Err(refused().await?);
    }
    tracing::info!(account_id = %caller.account_id, "a password was changed");
    app.mailer().wake();
    Ok(StatusCode::NO_CONTENT)
}
