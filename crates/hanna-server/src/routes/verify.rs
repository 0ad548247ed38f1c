//! `GET /v1/verify/{code}`: whether a receipt or a report is genuine.

use axum::Json;
use axum::extract::State;
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;
use hanna_wire::verification::Verified;

use crate::app::App;
use crate::extract::{Address, Code};
use crate::fault::Fault;
use crate::openapi::route_faults;

route_faults!(&[ErrorCode::NotFound, ErrorCode::Invalid, ErrorCode::SlowDown]);

/// Verify a code
///
/// Whoever holds a receipt or a report compares what is answered with what it says. Nothing is told about the person. A code
/// with a wrong letter is `INVALID`; one of a use that no desk has delivered yet is `NOT_FOUND`, as one that was made up.
#[utoipa::path(
    get,
    path = path::VERIFY,
    operation_id = "verify",
    tag = "usage",
    params(("code" = String, Path, description = "As it is printed; in small letters or without separators, too.",
            min_length = 28, max_length = 34, pattern = "^[CR][0-9A-Z]{3}(-?[0-9A-Z]{4}){6}$")),
    responses((status = 200, description = "It is genuine.", body = Verified), Faults)
)]
pub async fn handler(
    State(app): State<App>,
    Address(address): Address,
    code: Result<Code, Fault>,
) -> Result<Json<Verified>, Fault> {
    app.gate().verification(address, app.clock().now())?;
    let Code(code) = code?;
    app.store().verify(code).await?.map(Json).ok_or(Fault::new(ErrorCode::NotFound))
}

#[cfg(test)]
mod tests;
