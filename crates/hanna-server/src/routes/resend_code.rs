//! `POST /v1/accounts/code`: mail the code of a registration again.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hanna_wire::account::{CodeSent, RegistrationState, ResendCode};
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;

use crate::accounts::{UNCONFIRMED_MAX, asked};
use crate::app::App;
use crate::codes;
use crate::extract::{Address, Body};
use crate::fault::Fault;
use crate::openapi::{WITH_BODY, route_faults};
use crate::secrets::username_key;
use crate::store::Admission;

route_faults!(WITH_BODY, &[ErrorCode::CodeExpired, ErrorCode::SlowDown]);

/// Mail a code again
///
/// Another code, which replaces the one before: a minute after the last, five within a day. A registration that is not
/// there, confirmed or forgotten has none.
#[utoipa::path(
    post,
    path = path::ACCOUNTS_CODE,
    operation_id = "resend_code",
    tag = "account",
    request_body = ResendCode,
    responses((status = 202, description = "Something was mailed.", body = CodeSent), Faults)
)]
pub async fn handler(
    State(app): State<App>,
    Address(address): Address,
    Body(resend): Body<ResendCode>,
) -> Result<(StatusCode, Json<CodeSent>), Fault> {
    let now = app.clock().now();
    app.gate().guess(address, now)?;
    let registration = app.store().registration(resend.id).await?;
    let registration = registration
        .filter(|registration| registration.state == RegistrationState::Unconfirmed)
        // Forgotten, also when nobody has swept it away yet.
        .filter(|registration| now < registration.made_at + UNCONFIRMED_MAX)
        .ok_or(Fault::new(ErrorCode::CodeExpired))?;
    // A mailbox is not flooded by codes asked for again either.
    let email_key = username_key(registration.applicant.email.expose());
    if let Admission::Wait(until) =
        app.store().count_attempt(app.mac_key().registrations(&email_key), now).await?
    {
        return Err(Fault::slow_down(until.duration_since(now)));
    }
    asked(app.store().ask_code(app.registration_code(resend.id, &registration.applicant, now)).await?, now)?;
    app.mailer().wake();
    Ok((StatusCode::ACCEPTED, Json(codes::sent())))
}
