//! `POST /v1/sessions`: sign in, and register the device.

use axum::Json;
use axum::extract::State;
use hanna_domain::Redacted;
use hanna_wire::limits::{DEVICE_NAME_MAX, PASSWORD_MAX, USERNAME_MAX};
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;
use hanna_wire::session::{Granted, SignIn};
use serde_json::json;
use uuid::Uuid;

use crate::app::App;
use crate::audit::{Act, Actor, NewAct};
use crate::extract::{Address, Body, text};
use crate::fault::Fault;
use crate::openapi::{WITH_BODY, route_faults};
use crate::secrets::{hex, username_key};
use crate::store::{AccountState, Admission, OneTimeCode, Opening, SessionOpened};
use crate::{tokens, totp};

route_faults!(
    WITH_BODY,
    &[
        ErrorCode::WrongCredentials,
        ErrorCode::AccountNotActive,
        ErrorCode::SecondFactorRequired,
        ErrorCode::CodeWrong,
        ErrorCode::DeviceRevoked,
        ErrorCode::SlowDown
    ]
);

/// Sign in
///
/// Opens a session bound to the device. After five wrong passwords each further attempt has to wait, whether or not
/// there is such an account; so it has after thirty wrong passwords from one address.
///
/// An account with a second factor needs it in `otp`, once the password is right: without it the answer is
/// `SECOND_FACTOR_REQUIRED`. Each code serves once, and wrong ones are counted as wrong passwords are. An account that still
/// has to set its second factor up gets a session that may do so, and nothing else.
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
    let SignIn { username, password, device, otp } = sign_in;
    text("username", &username, USERNAME_MAX)?;
    text("device.name", &device.name, DEVICE_NAME_MAX)?;
    let length = password.expose().chars().count();
    if length == 0 || length > PASSWORD_MAX {
        let detail = format!("password has not between 1 and {PASSWORD_MAX} characters");
        return Err(Fault::with(ErrorCode::Invalid, detail));
    }
    if otp.as_ref().is_some_and(|otp| !totp::is_code(otp.expose()) && !totp::is_recovery_code(otp.expose())) {
        return Err(Fault::with(ErrorCode::Invalid, "otp is neither a code nor a recovery code"));
    }

    let now = app.clock().now();
    let username = username_key(&username);
    let mac = app.mac_key().username(&username);
    let guesses = app.mac_key().second_factor(&username);
    app.gate().guess(address, now)?;
    if let Admission::Wait(until) = app.store().count_attempt(mac, now).await? {
        return Err(Fault::slow_down(until.duration_since(now)));
    }
    let credentials = app.store().credentials(username).await?;
    let stored = credentials.as_ref().map(|credentials| credentials.password_hash.clone());
    let right = app.passwords().matches(password, stored).await?;
    // On record before anybody is told: of the account if there is one, and of what was typed, which nobody can read back.
    let failed = async |account_id: Option<Uuid>, code: ErrorCode| {
        let said = json!({ "code": code, "username": hex(&mac.0) });
        let act = NewAct::new(Act::SignInFailed, now).at_device(device.id).saying(said);
        let by = account_id.map(Actor::Account);
        app.store().append(NewAct { by, ..act }).await.map(|()| Fault::new(code))
    };
    let account_id = credentials.as_ref().map(|credentials| credentials.account_id);
    let Some(credentials) = credentials.filter(|_| right) else {
        return Err(failed(account_id, ErrorCode::WrongCredentials).await?);
    };
    app.store().forget_attempts(mac).await?;
    if credentials.state != AccountState::Active {
        app.gate().was_no_guess(address, now);
        return Err(failed(account_id, ErrorCode::AccountNotActive).await?);
    }
    if otp.is_some()
        && let Admission::Wait(until) = app.store().count_attempt(guesses, now).await?
    {
        return Err(Fault::slow_down(until.duration_since(now)));
    }
    let otp = otp.map(|otp| one_time_code(&app, credentials.account_id, otp));
    let (granted, tokens) = tokens::pair(app.entropy(), now);
    let session_id = app.entropy().id(now);
    let opening = Opening {
        session_id,
        account_id: credentials.account_id,
        password_hash: Redacted::new(credentials.password_hash),
        device_id: device.id,
        device_name: device.name,
        otp,
        tokens,
        now,
    };
    let opened = app.store().open_session(opening).await?;
    if opened == SessionOpened::NotGood {
        return Err(failed(Some(credentials.account_id), ErrorCode::WrongCredentials).await?);
    }
    if opened == SessionOpened::CodeWrong {
        tracing::warn!(account_id = %credentials.account_id, "a code of a second factor was wrong, or had served");
        return Err(failed(Some(credentials.account_id), ErrorCode::CodeWrong).await?);
    }
    app.gate().was_no_guess(address, now);
    if opened == SessionOpened::SecondFactorRequired {
        return Err(Fault::new(ErrorCode::SecondFactorRequired));
    }
    app.store().forget_attempts(guesses).await?;
    if opened == SessionOpened::DeviceRevoked {
        tracing::warn!(device_id = %device.id, "a revoked device tried to sign in");
        return Err(Fault::new(ErrorCode::DeviceRevoked));
    }
    tracing::info!(account_id = %credentials.account_id, device_id = %device.id, %session_id, "signed in");
    Ok(Json(granted))
}

fn one_time_code(app: &App, account_id: Uuid, otp: Redacted<String>) -> OneTimeCode {
    if totp::is_code(otp.expose()) {
        OneTimeCode::Totp(otp)
    } else {
        OneTimeCode::Recovery(app.mac_key().recovery_code(account_id, otp.expose()))
    }
}

#[cfg(test)]
mod tests;
