//! Desks that are too old to be served are told so, and never answered with what they might misread.

use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, UPGRADE, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hanna_wire::client::{NAME, Version};
use hanna_wire::problem::ErrorCode;

use crate::app::App;
use crate::fault::Fault;

/// Where desks are turned away. The rest is how they learn that they need not be any more.
const CONTRACT: &str = "/v1/";

/// Answers 426 to desks before the oldest that is served.
pub async fn refuse_old(State(app): State<App>, request: Request, next: Next) -> Response {
    match app.minimum_client() {
        Some(minimum) if request.uri().path().starts_with(CONTRACT) && is_old(request.headers(), minimum) => {
            too_old(minimum)
        }
        _ => next.run(request).await,
    }
}

/// Whether a desk asks, and not one that is new enough.
fn is_old(headers: &HeaderMap, minimum: Version) -> bool {
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let product = agent.split_ascii_whitespace().next().unwrap_or_default();
    let (name, version) = product.split_once('/').unwrap_or((product, ""));
    name == NAME && !minimum.is_met_by(version)
}

fn too_old(minimum: Version) -> Response {
    let fault = Fault { minimum_version: Some(minimum), ..Fault::new(ErrorCode::ClientTooOld) };
    let mut response = fault.into_response();
    // What a 426 must name, and the option that goes with it (RFC 9110, sections 7.8 and 15.5.22).
    if let Ok(product) = HeaderValue::from_str(&format!("{NAME}/{minimum}")) {
        response.headers_mut().insert(UPGRADE, product);
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{Request, StatusCode, header};
    use hanna_wire::path;

    use crate::testing::{Answer, Bench};

    async fn ask(bench: &Bench, path: &str, agent: Option<&str>) -> Answer {
        let mut request = Request::get(path);
        if let Some(agent) = agent {
            request = request.header(header::USER_AGENT, agent);
        }
        bench.send(request.body(Body::empty()).expect("a request")).await
    }

    #[tokio::test]
    async fn a_desk_that_is_too_old_is_told_which_version_to_install() {
        let bench = Bench::open().await;
        let bench = bench.with(|config| config.minimum_client = "0.2.0".parse().ok()).await;
        for agent in
            ["hanna-convenios/0.1.9", "hanna-convenios/0.1.0 (linux)", "hanna-convenios/x", "hanna-convenios"]
        {
            for path in [path::ME, path::KEYS, "/v1/not-there"] {
                let answer = ask(&bench, path, Some(agent)).await;
                assert_eq!(
                    (answer.status, answer.code()),
                    (StatusCode::UPGRADE_REQUIRED, "CLIENT_TOO_OLD"),
                    "{agent}"
                );
                assert_eq!(answer.body["minimum_version"], "0.2.0");
                assert_eq!(answer.header("upgrade"), "hanna-convenios/0.2.0");
                assert_eq!(answer.header("connection"), "upgrade");
                assert_eq!(answer.header("cache-control"), "no-store");
            }
        }
        for agent in ["hanna-convenios/0.2.0", "hanna-convenios/0.10.0", "hanna-convenios/1.0.0-beta.1"] {
            assert_eq!(ask(&bench, path::ME, Some(agent)).await.code(), "SESSION_EXPIRED", "{agent}");
        }
        for agent in [
            None,
            Some("curl/8.5.0"),
            Some("Mozilla/5.0 hanna-convenios/0.1.0"),
            Some("hanna-convenios2/0.1.0"),
        ] {
            assert_eq!(ask(&bench, path::ME, agent).await.code(), "SESSION_EXPIRED", "{agent:?}");
        }
    }

    #[tokio::test]
    async fn health_is_told_to_all_and_says_who_is_served() {
        let bench = Bench::open().await;
        let old = Some("hanna-convenios/0.1.0");
        assert!(ask(&bench, path::HEALTH, old).await.body.get("minimum_client").is_none());
        assert_eq!(ask(&bench, path::ME, old).await.code(), "SESSION_EXPIRED", "all are served");
        let bench = bench.with(|config| config.minimum_client = "0.2.0".parse().ok()).await;
        let health = ask(&bench, path::HEALTH, old).await;
        assert_eq!((health.status, &health.body["minimum_client"]), (StatusCode::OK, &"0.2.0".into()));
    }
}
