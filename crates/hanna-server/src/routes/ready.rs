//! `GET /ready`: whether this process can do its work now.

use axum::Json;
use axum::extract::State;
use hanna_wire::health::Ready;
use hanna_wire::path;

use crate::app::App;
use crate::fault::Fault;
use crate::openapi::route_faults;

route_faults!();

/// Readiness
///
/// 200 when the database answers, has the schema of this program, and a key may sign; otherwise 503, and `detail` says
/// which of them is missing: `database`, `schema` or `signing_key`. Send nobody here meanwhile.
#[utoipa::path(
    get,
    path = path::READY,
    operation_id = "ready",
    tag = "operations",
    responses((status = 200, description = "The server can answer.", body = Ready), Faults)
)]
pub async fn handler(State(app): State<App>) -> Result<Json<Ready>, Fault> {
    let missing = |what: &str, fault: Fault| Fault { detail: Some(what.to_owned()), ..fault };
    let schema =
        app.store().schema().await.map_err(|error| missing("database", Fault::unavailable(error)))?;
    if schema != app.opened().schema {
        return Err(missing(
            "schema",
            Fault::unavailable("another program changed the schema: restart this one"),
        ));
    }
    let now = app.clock().now();
    let keys = app.keys().await.unwrap_or_else(|_| app.signer().held());
    if keys.current(now).is_none() {
        return Err(missing("signing_key", Fault::unavailable("no signing key is valid now")));
    }
    Ok(Json(Ready { status: "ready".to_owned(), schema }))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use hanna_wire::path;
    use jiff::ToSpan;
    use serde_json::json;

    use crate::testing::{Answer, Bench};

    fn assert_missing(answer: &Answer, what: &str) {
        assert_eq!((answer.status, answer.code()), (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"));
        assert_eq!(answer.body["detail"], what);
        assert_eq!(answer.header("retry-after"), "2");
    }

    #[tokio::test]
    async fn a_server_is_ready_with_its_database_its_schema_and_a_key() {
        let bench = Bench::open().await;
        let answer = bench.get(path::READY, None).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.body, json!({ "status": "ready", "schema": bench.app.opened().schema }));
    }

    #[tokio::test]
    async fn a_schema_of_another_program_is_not_ours() {
        let bench = Bench::open().await;
        bench.sql().pragma_update(None, "user_version", 99).expect("set");
        assert_missing(&bench.get(path::READY, None).await, "schema");
    }

    #[tokio::test]
    async fn without_a_key_that_may_sign_it_is_not_ready() {
        let bench = Bench::open().await;
        bench.sql().execute_batch("DROP TABLE signing_keys").expect("dropped");
        bench.clock.forward((400 * 24).hours());
        assert_missing(&bench.get(path::READY, None).await, "signing_key");
    }
}
