//! `DELETE /v1/sessions/current`: sign out.

use axum::extract::State;
use axum::http::StatusCode;
use hanna_wire::path;

use crate::app::App;
use crate::extract::Entering;
use crate::fault::Fault;
use crate::openapi::{ENTERING, route_faults};

route_faults!(ENTERING);

/// Sign out
///
/// Ends the session of the access token; its refresh token is worth nothing any more.
#[utoipa::path(
    delete,
    path = path::SESSIONS_CURRENT,
    operation_id = "sign_out",
    tag = "session",
    security(("session" = [])),
    responses((status = 204, description = "The session has ended."), Faults)
)]
pub async fn handler(State(app): State<App>, Entering(caller): Entering) -> Result<StatusCode, Fault> {
    app.store().end_session(caller.session_id, app.clock().now()).await?;
    tracing::info!(account_id = %caller.account_id, session_id = %caller.session_id, "signed out");
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use hanna_wire::path;
    use serde_json::json;

    use crate::testing::Bench;

    #[tokio::test]
    async fn signing_out_ends_both_tokens_and_no_other_session() {
        let bench = Bench::open().await;
        let desk = bench.desk("RECEPCION-1").await;
        let other = bench.desk("RECEPCION-2").await;
        let answer = desk.delete(path::SESSIONS_CURRENT).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_eq!(desk.get(path::ME).await.code(), "SESSION_EXPIRED");
        let refresh = json!({ "refresh_token": desk.refresh_token(), "device_id": desk.device_id });
        assert_eq!(bench.post(path::SESSIONS_REFRESH, &refresh).await.code(), "SESSION_EXPIRED");
        assert_eq!(other.get(path::ME).await.status, StatusCode::OK);
        assert_eq!(desk.delete(path::SESSIONS_CURRENT).await.code(), "SESSION_EXPIRED");
    }
}
