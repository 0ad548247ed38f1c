//! `GET /v1/keys`: the keys statements are signed with.

use axum::Json;
use axum::extract::State;
use hanna_domain::statement::KeySet;
use hanna_wire::path;

use crate::app::App;
use crate::fault::Fault;
use crate::openapi::{SIGNED_IN, route_faults};
use crate::store::Caller;

route_faults!(SIGNED_IN);

/// The key set
///
/// Every key whose statements may still be valid, newest first: a JWKS (RFC 7517, RFC 8037) with validity dates.
#[utoipa::path(
    get,
    path = path::KEYS,
    operation_id = "keys",
    tag = "statements",
    security(("session" = [])),
    responses((status = 200, description = "The keys.", body = KeySet), Faults)
)]
pub async fn handler(State(app): State<App>, _caller: Caller) -> Result<Json<KeySet>, Fault> {
    Ok(Json(app.keys().public(app.clock().now())))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use hanna_wire::path;

    use crate::testing::Bench;

    #[tokio::test]
    async fn the_key_set_stays_the_same_when_the_server_restarts() {
        let bench = Bench::open().await;
        let desk = bench.desk("RECEPCION-1").await;
        let before = desk.get(path::KEYS).await;
        assert_eq!(before.status, StatusCode::OK);
        assert_eq!(before.body["keys"].as_array().expect("a list").len(), 1);
        assert!(!before.body.to_string().contains("pkcs8"));
        let bench = bench.restart().await;
        assert_eq!(bench.at(desk).get(path::KEYS).await.body, before.body);
    }
}
