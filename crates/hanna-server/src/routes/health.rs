//! `GET /health`: whether the server lives, and whether its signer will go on signing.

use axum::Json;
use axum::extract::State;
use hanna_wire::health::Health;
use hanna_wire::path;
use jiff::{SignedDuration, Timestamp};

use crate::app::App;
use crate::fault::Fault;
use crate::openapi::route_faults;

route_faults!();

/// How long before its end a key is warned about.
const KEY_ENDS_SOON: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Health
///
/// Says that the process lives, also when the database does not answer. Watch `signing_key_expires_at`, or `warning`.
#[utoipa::path(
    get,
    path = path::HEALTH,
    operation_id = "health",
    tag = "operations",
    responses((status = 200, description = "The server lives.", body = Health), Faults)
)]
pub async fn handler(State(app): State<App>) -> Result<Json<Health>, Fault> {
    let now = app.clock().now();
    let keys = app.keys().await.unwrap_or_else(|_| app.signer().held());
    let key = keys.current(now).or_else(|| keys.newest());
    let key = key.ok_or_else(|| Fault::internal("there is no signing key"))?;
    Ok(Json(Health {
        status: "ok".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        server_time: now,
        signing_kid: key.kid.clone(),
        signing_key_expires_at: key.not_after,
        epoch: app.epoch().await.ok(),
        minimum_client: app.minimum_client(),
        warning: warning(key.not_after, now),
    }))
}

fn warning(key_ends: Timestamp, now: Timestamp) -> Option<String> {
    let left = key_ends.duration_since(now);
    if left.is_negative() {
        Some("the signing key has ended, and no other could be made: look at the log".to_owned())
    } else if left <= KEY_ENDS_SOON {
        Some("the signing key ends within 30 days: run `hanna-server keys rotate`".to_owned())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use hanna_wire::path;
    use jiff::{Timestamp, ToSpan};

    use crate::testing::{Answer, Bench};

    fn expires(answer: &Answer) -> Timestamp {
        assert_eq!(answer.status, StatusCode::OK);
        answer.body["signing_key_expires_at"].as_str().expect("a time").parse().expect("a time")
    }

    #[tokio::test]
    async fn health_says_when_the_signer_ends_and_dates_come_from_our_clock() {
        let bench = Bench::open().await;
        let answer = bench.get(path::HEALTH, None).await;
        assert_eq!(answer.header("date"), "Sun, 22 Nov 2026 15:00:00 GMT");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-trace-id").len(), 32);
        let year = bench.clock.at() + (365 * 24).hours();
        assert!((year - 1.minute()..=year).contains(&expires(&answer)), "{answer:?}");
        assert!(answer.body.get("warning").is_none());
    }

    #[tokio::test]
    async fn health_warns_thirty_days_before_until_somebody_rotates() {
        let bench = Bench::open().await;
        let ends = expires(&bench.get(path::HEALTH, None).await);
        bench.clock.set(ends - (30 * 24).hours() - 1.second());
        assert!(bench.get(path::HEALTH, None).await.body.get("warning").is_none());
        bench.clock.forward(1.second());
        let warned = bench.get(path::HEALTH, None).await;
        assert!(warned.body["warning"].as_str().expect("a warning").contains("keys rotate"));
        let kid = bench.another().await.rotate_keys(None).await.expect("rotated");
        bench.clock.forward(1.minute());
        let after = bench.get(path::HEALTH, None).await;
        assert_eq!(after.body["signing_kid"], kid);
        assert!(after.body.get("warning").is_none());
    }

    #[tokio::test]
    async fn health_is_told_also_when_the_keys_are_over_and_out_of_reach() {
        let bench = Bench::open().await;
        let ends = expires(&bench.get(path::HEALTH, None).await);
        bench.sql().execute_batch("DROP TABLE signing_keys").expect("dropped");
        bench.clock.set(ends + 1.second());
        let answer = bench.get(path::HEALTH, None).await;
        assert_eq!(expires(&answer), ends);
        assert!(answer.body["warning"].as_str().expect("a warning").contains("has ended"));
    }
}
