//! `POST /v1/accounts/confirm`: the code of the mail comes back.

use axum::extract::State;
use axum::http::StatusCode;
use hanna_wire::account::Confirm;
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;

use crate::accounts::tried;
use crate::app::App;
use crate::extract::{Address, Body};
use crate::fault::Fault;
use crate::openapi::{WITH_BODY, route_faults};
use crate::store::Confirmation;

route_faults!(WITH_BODY, &[ErrorCode::CodeWrong, ErrorCode::CodeExpired, ErrorCode::SlowDown]);

/// Confirm a registration
///
/// The account is there then, and waits for the caja's approval. A code is good for half an hour and five attempts.
#[utoipa::path(
    post,
    path = path::ACCOUNTS_CONFIRM,
    operation_id = "confirm_account",
    tag = "account",
    request_body = Confirm,
    responses((status = 204, description = "Confirmed: the caja decides now."), Faults)
)]
pub async fn handler(
    State(app): State<App>,
    Address(address): Address,
    Body(confirm): Body<Confirm>,
) -> Result<StatusCode, Fault> {
    let now = app.clock().now();
    app.gate().guess(address, now)?;
    let subject = app.mac_key().registration(confirm.id);
    let confirmation = Confirmation {
        id: confirm.id,
        subject,
        code: app.mac_key().code(subject, confirm.code.expose()),
        account_id: app.entropy().id(now),
        now,
    };
    tried(app.store().confirm_registration(confirmation).await?)?;
    tracing::info!(registration_id = %confirm.id, "a registration was confirmed");
    Ok(StatusCode::NO_CONTENT)
}
