//! `GET /metrics`: what was counted, for Prometheus. Not part of the contract, and not served where desks come.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};

use crate::app::App;
use crate::metrics::MEDIA_TYPE;

/// See the module.
pub async fn handler(
    State(app): State<App>,
) -> Result<([(HeaderName, &'static str); 1], String), StatusCode> {
    let text = app.metrics_text().await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(([(CONTENT_TYPE, MEDIA_TYPE)], text))
}
