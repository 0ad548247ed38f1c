//! `/v1/second-factor`: setting up the second factor of the own account.

use axum::Json;
use axum::extract::State;
use hanna_domain::{Redacted, colombia};
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;
use hanna_wire::second_factor::{ConfirmSecondFactor, RecoveryCodes, SecondFactor, SecondFactorSecret};

use crate::accounts;
use crate::app::App;
use crate::extract::{Body, Entering};
use crate::fault::Fault;
use crate::openapi::{ENTERING, WITH_BODY, route_faults};
use crate::store::{Caller, FactorConfirmation};
use crate::totp::{self, TotpSecret};

route_faults!(BeginFaults: ENTERING, &[ErrorCode::Forbidden]);
route_faults!(
    ConfirmFaults: WITH_BODY,
    ENTERING,
    &[ErrorCode::Forbidden, ErrorCode::CodeWrong, ErrorCode::CodeExpired]
);

/// Begin to set up the second factor
///
/// What the authenticator application has to be told. It is in force once its first code has confirmed it; asked again
/// before that, it is another one. Only for an account that needs a second factor and has none.
#[utoipa::path(
    post,
    path = path::SECOND_FACTOR,
    operation_id = "begin_second_factor",
    tag = "session",
    security(("session" = [])),
    responses((status = 200, description = "The secret.", body = SecondFactorSecret), BeginFaults)
)]
pub async fn begin(
    State(app): State<App>,
    Entering(caller): Entering,
) -> Result<Json<SecondFactorSecret>, Fault> {
    may_set_up(&caller)?;
    let today = colombia::day_of(app.clock().now());
    let surroundings = app.store().surroundings(caller.account_id, today).await?;
    let username = surroundings.ok_or(Fault::new(ErrorCode::SessionExpired))?.operator.username;
    let secret = TotpSecret::make(app.entropy());
    let otpauth_uri = secret.uri(&username).map_err(Fault::internal)?;
    let told = SecondFactorSecret { secret: secret.base32(), otpauth_uri };
    if !app.store().begin_second_factor(caller.account_id, secret).await? {
        return Err(Fault::with(ErrorCode::Forbidden, "the account has a second factor already"));
    }
    Ok(Json(told))
}

/// Confirm the second factor
///
/// With the first code that the application shows: from then on signing in takes one, this session is a whole one, and the
/// account's others end. The recovery codes are told this once. `CODE_EXPIRED` when there is no secret that waits for it.
#[utoipa::path(
    post,
    path = path::SECOND_FACTOR_CONFIRM,
    operation_id = "confirm_second_factor",
    tag = "session",
    security(("session" = [])),
    request_body = ConfirmSecondFactor,
    responses((status = 200, description = "The recovery codes.", body = RecoveryCodes), ConfirmFaults)
)]
pub async fn confirm(
    State(app): State<App>,
    Entering(caller): Entering,
    Body(confirm): Body<ConfirmSecondFactor>,
) -> Result<Json<RecoveryCodes>, Fault> {
    may_set_up(&caller)?;
    if !totp::is_code(confirm.otp.expose()) {
        return Err(Fault::with(ErrorCode::Invalid, "otp is not six digits"));
    }
    let recovery_codes: Redacted<Vec<String>> = totp::recovery_codes(app.entropy());
    let kept = |code: &String| app.mac_key().recovery_code(caller.account_id, code);
    let confirmation = FactorConfirmation {
        account_id: caller.account_id,
        session_id: caller.session_id,
        otp: confirm.otp,
        recovery_codes: recovery_codes.expose().iter().map(kept).collect(),
        now: app.clock().now(),
    };
    accounts::tried(app.store().confirm_second_factor(confirmation).await?)?;
    tracing::info!(account_id = %caller.account_id, "a second factor was set up");
    Ok(Json(RecoveryCodes { recovery_codes }))
}

fn may_set_up(caller: &Caller) -> Result<(), Fault> {
    let refused = |what| Err(Fault::with(ErrorCode::Forbidden, what));
    match caller.second_factor {
        SecondFactor::ToSetUp => Ok(()),
        SecondFactor::NotNeeded => refused("the account needs no second factor"),
        SecondFactor::SetUp => refused("the account has a second factor already"),
    }
}

#[cfg(test)]
mod tests;
