//! `POST /v1/password/reset`: set a new password with the code of the mail.

use axum::extract::State;
use axum::http::StatusCode;
use hanna_wire::account::ResetPassword;
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;

use crate::accounts::{check_email, check_password, tried};
use crate::app::App;
use crate::extract::{Address, Body};
use crate::fault::Fault;
use crate::openapi::{WITH_BODY, route_faults};
use crate::secrets::{Mac, username_key};
use crate::store::PasswordReset;

route_faults!(
    WITH_BODY,
    &[ErrorCode::WeakPassword, ErrorCode::CodeWrong, ErrorCode::CodeExpired, ErrorCode::SlowDown]
);

/// Set a forgotten password
///
/// Ends every session of the account. The state of the account stays as it is: one that is pending or suspended may still
/// not be used.
#[utoipa::path(
    post,
    path = path::PASSWORD_RESET,
    operation_id = "reset_password",
    tag = "account",
    request_body = ResetPassword,
    responses((status = 204, description = "The password is set."), Faults)
)]
pub async fn handler(
    State(app): State<App>,
    Address(address): Address,
    Body(reset): Body<ResetPassword>,
) -> Result<StatusCode, Fault> {
    let ResetPassword { email, code, password } = reset;
    check_email(&email)?;
    check_password(&password, &[email.expose()])?;
    let now = app.clock().now();
    app.gate().guess(address, now)?;
    let username_key = username_key(email.expose());
    let subject = app.mac_key().forgotten(&username_key);
    let reset = PasswordReset {
        subject,
        code: app.mac_key().code(subject, code.expose()),
        spent: Mac(app.entropy().bytes()),
        username_mac: app.mac_key().username(&username_key),
        username_key,
        password_hash: app.passwords().hash(password, app.entropy().bytes()).await?,
        mail: app.password_changed(&email, now),
        now,
    };
    tried(app.store().reset_password(reset).await?)?;
    tracing::info!("a forgotten password was set");
    app.mailer().wake();
    Ok(StatusCode::NO_CONTENT)
}
