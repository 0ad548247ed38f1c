//! `GET /health`: whether the server lives, and whether its signer will go on signing.

use axum::Json;
use axum::extract::State;
use hanna_wire::health::Health;
use hanna_wire::path;

use crate::app::App;
use crate::fault::Fault;
use crate::openapi::route_faults;

route_faults!();

/// Health
///
/// Does not ask the database: it says that the process lives. Watch `signing_key_expires_at`.
#[utoipa::path(
    get,
    path = path::HEALTH,
    operation_id = "health",
    tag = "operations",
    responses((status = 200, description = "The server lives.", body = Health), Faults)
)]
pub async fn handler(State(app): State<App>) -> Result<Json<Health>, Fault> {
    let now = app.clock().now();
    let key = app.keys().current(now).or_else(|| app.keys().newest());
    let key = key.ok_or_else(|| Fault::internal("there is no signing key"))?;
    Ok(Json(Health {
        status: "ok".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        server_time: now,
        signing_kid: key.kid.clone(),
        signing_key_expires_at: key.not_after,
    }))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use hanna_wire::path;
    use jiff::{Timestamp, ToSpan};

    use crate::testing::Bench;

    #[tokio::test]
    async fn health_says_when_the_signer_ends_and_dates_come_from_our_clock() {
        let bench = Bench::open().await;
        let answer = bench.get(path::HEALTH, None).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("date"), "Sun, 22 Nov 2026 15:00:00 GMT");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-trace-id").len(), 32);
        let expires: Timestamp =
            answer.body["signing_key_expires_at"].as_str().expect("a time").parse().expect("a time");
        let year = bench.clock.at() + (365 * 24).hours();
        assert!((year - 1.minute()..=year).contains(&expires), "{expires}");

        bench.clock.forward((366 * 24).hours());
        let answer = bench.get(path::HEALTH, None).await;
        assert_eq!(answer.body["signing_key_expires_at"], expires.to_string(), "also when it is over");
    }
}
