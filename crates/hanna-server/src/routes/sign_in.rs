//! `POST /v1/sessions`: sign in, and register the device.

use axum::Json;
use axum::extract::State;
use hanna_wire::limits::{DEVICE_NAME_MAX, PASSWORD_MAX, USERNAME_MAX};
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;
use hanna_wire::session::{Granted, SignIn};

use crate::app::App;
use crate::extract::{Address, Body, text};
use crate::fault::Fault;
use crate::openapi::{WITH_BODY, route_faults};
use crate::secrets::username_key;
use crate::store::{AccountState, Admission, Opening, SessionOpened};
use crate::tokens;

route_faults!(
    WITH_BODY,
    &[
        ErrorCode::WrongCredentials,
        ErrorCode::AccountNotActive,
        ErrorCode::DeviceRevoked,
        ErrorCode::SlowDown
    ]
);

/// Sign in
///
/// Opens a session bound to the device. After five wrong passwords each further attempt has to wait, whether or not
/// there is such an account; so it has after thirty wrong passwords from one address.
#[utoipa::path(
    post,
    path = path::SESSIONS,
    operation_id = "sign_in",
    tag = "session",
    request_body = SignIn,
    responses((status = 200, description = "The session's first tokens.", body = Granted), Faults)
)]
pub async fn handler(
    State(app): State<App>,
    Address(address): Address,
    Body(sign_in): Body<SignIn>,
) -> Result<Json<Granted>, Fault> {
    let SignIn { username, password, device, .. } = sign_in;
    text("username", &username, USERNAME_MAX)?;
    text("device.name", &device.name, DEVICE_NAME_MAX)?;
    let length = password.expose().chars().count();
    if length == 0 || length > PASSWORD_MAX {
        let detail = format!("password has not between 1 and {PASSWORD_MAX} characters");
        return Err(Fault::with(ErrorCode::Invalid, detail));
    }

    let now = app.clock().now();
    let username = username_key(&username);
    let mac = app.mac_key().username(&username);
    app.gate().guess(address, now)?;
    if let Admission::Wait(until) = app.store().count_attempt(mac, now).await? {
        return Err(Fault::slow_down(until.duration_since(now)));
    }
    let credentials = app.store().credentials(username).await?;
    let stored = credentials.as_ref().map(|credentials| credentials.password_hash.clone());
    let right = app.passwords().matches(password, stored).await?;
    let Some(credentials) = credentials.filter(|_| right) else {
        return Err(Fault::new(ErrorCode::WrongCredentials));
    };
    app.gate().was_no_guess(address, now);
    app.store().forget_attempts(mac).await?;
    if credentials.state != AccountState::Active {
        return Err(Fault::new(ErrorCode::AccountNotActive));
    }
    let (granted, tokens) = tokens::pair(app.entropy(), now);
    let session_id = app.entropy().id(now);
    let opening = Opening {
        session_id,
        account_id: credentials.account_id,
        device_id: device.id,
        device_name: device.name,
        tokens,
        now,
    };
    if app.store().open_session(opening).await? == SessionOpened::DeviceRevoked {
        tracing::warn!(device_id = %device.id, "a revoked device tried to sign in");
        return Err(Fault::new(ErrorCode::DeviceRevoked));
    }
    tracing::info!(account_id = %credentials.account_id, device_id = %device.id, %session_id, "signed in");
    Ok(Json(granted))
}

#[cfg(test)]
mod tests;
