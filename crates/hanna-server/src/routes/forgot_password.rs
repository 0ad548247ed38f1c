//! `POST /v1/password/forgot`: mail a code to set a new password.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hanna_wire::account::{CodeSent, ForgotPassword};
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;

use crate::accounts::{asked, check_email};
use crate::app::App;
use crate::codes;
use crate::extract::{Address, Body};
use crate::fault::Fault;
use crate::openapi::{WITH_BODY, route_faults};

route_faults!(WITH_BODY, &[ErrorCode::SlowDown]);

/// Forget a password
///
/// Mails a code to the user name, if it is one. The answer, its time, and how often one may ask are the same if not.
#[utoipa::path(
    post,
    path = path::PASSWORD_FORGOT,
    operation_id = "forgot_password",
    tag = "account",
    request_body = ForgotPassword,
    responses((status = 202, description = "If there is such an account, a code was mailed.", body = CodeSent), Faults)
)]
pub async fn handler(
    State(app): State<App>,
    Address(address): Address,
    Body(ForgotPassword { email }): Body<ForgotPassword>,
) -> Result<(StatusCode, Json<CodeSent>), Fault> {
    check_email(&email)?;
    let now = app.clock().now();
    app.gate().guess(address, now)?;
    asked(app.store().ask_code(app.password_code(&email, now)).await?, now)?;
    app.mailer().wake();
    Ok((StatusCode::ACCEPTED, Json(codes::sent())))
}
