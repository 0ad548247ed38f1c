//! `POST /v1/sessions/refresh`: trade a refresh token for a new pair.

use axum::Json;
use axum::extract::State;
use hanna_wire::path;
use hanna_wire::problem::ErrorCode;
use hanna_wire::session::{Granted, Refresh};

use crate::app::App;
use crate::extract::Body;
use crate::fault::Fault;
use crate::openapi::{WITH_BODY, WITH_SESSION, route_faults};
use crate::secrets::TokenHash;
use crate::store::{Refreshed, Rotation};
use crate::tokens;

route_faults!(WITH_BODY, WITH_SESSION);

/// Refresh a session
///
/// The token before the last still works for two minutes, because an answer may be lost on the way. Any older one ends
/// the session: somebody else has a copy of it. A revoked PC may refresh its session, to deliver what it recorded before.
#[utoipa::path(
    post,
    path = path::SESSIONS_REFRESH,
    operation_id = "refresh_session",
    tag = "session",
    request_body = Refresh,
    responses((status = 200, description = "The next pair of tokens.", body = Granted), Faults)
)]
pub async fn handler(State(app): State<App>, Body(refresh): Body<Refresh>) -> Result<Json<Granted>, Fault> {
    let now = app.clock().now();
    let (granted, tokens) = tokens::pair(app.entropy(), now);
    let presented = TokenHash::of(refresh.refresh_token.expose());
    let rotation = Rotation { presented, device_id: refresh.device_id, tokens, now };
    match app.store().refresh_session(rotation).await? {
        Refreshed::Granted => Ok(Json(granted)),
        Refreshed::NotGood => Err(Fault::new(ErrorCode::SessionExpired)),
        Refreshed::AccountNotActive => Err(Fault::new(ErrorCode::AccountNotActive)),
        Refreshed::Reused => {
            tracing::warn!(device_id = %refresh.device_id, "an old refresh token came again: its session was ended");
            Err(Fault::new(ErrorCode::SessionExpired))
        }
    }
}

#[cfg(test)]
mod tests;
