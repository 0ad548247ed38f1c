//! What every answer has in common: a trace id, the server's time, and a problem for every error.
//!
//! The one place that writes errors. Whatever a route, axum itself (no such route, wrong method) or a panic answers with
//! a status of 400 or above leaves as `application/problem+json`. What is not even HTTP is answered by hyper, bare.
//!
//! A request that comes with a `traceparent` keeps its trace id; any other gets one.
//!
//! Logged: the trace id, the method, the route (never the path as it was sent), the status, how long it took, and the
//! cause of a fault of ours. Never: documents, names, user names, tokens, bodies.

use std::any::Any;

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hanna_wire::problem::{self, ErrorCode, Problem};
use hanna_wire::{TRACE_HEADER, TRACE_PARENT_HEADER, path};
use jiff::fmt::rfc2822::DateTimePrinter;
use tracing::Instrument;

use crate::app::App;
use crate::console::ForPeople;
use crate::fault::Fault;
use crate::metrics::method_name;
use crate::store::StoreError;

/// Answers a request and finishes the answer.
pub async fn finish(State(app): State<App>, request: Request, next: Next) -> Response {
    let began = app.clock().now();
    let trace_id = given_trace_id(request.headers())
        .unwrap_or_else(|| format!("{:032x}", u128::from_be_bytes(app.entropy().bytes())));
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let method = method_name(request.method());
    let span = tracing::info_span!("request", trace_id, method, route);

    let limits = app.limits();
    // A file that comes too slowly is turned away by its route, which knows.
    let more = match route.as_str() {
        path::ADMIN_IMPORTS if request.method() == Method::POST => limits.upload_max,
        path::ATTACHMENT => limits.attachment_max,
        path::ADMIN_AUDIT_VERIFY => limits.verify_max,
        _ => Duration::ZERO,
    };
    let answer_max = more + limits.answer_max;
    let answered = tokio::time::timeout(answer_max, next.run(request).instrument(span.clone()));
    let mut response = match answered.await {
        Ok(response) => response,
        Err(_) => Fault::unavailable("the answer took too long").into_response(),
    };
    let now = app.clock().now();
    let _inside = span.enter();
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if is_error && response.extensions().get::<ForPeople>().is_none() {
        response = as_problem(&app, response, &trace_id);
    }
    let took = now.duration_since(began).unsigned_abs();
    app.metrics().answered(method, &route, response.status(), took);
    tracing::info!(
        status = response.status().as_u16(),
        duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(HeaderName::from_static(TRACE_HEADER), &trace_id);
    // By our clock, which desks compare with theirs; hyper leaves a `Date` that is there.
    set(header::DATE, &DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap_or_default());
    // Personal data belong in no cache on the way; what has none says so itself.
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// The trace a caller says this request belongs to: the 32 digits in the middle of a `traceparent`. Anything else is not
/// believed, and so cannot bring data into the log.
fn given_trace_id(headers: &HeaderMap) -> Option<String> {
    let parts: Vec<&str> = headers.get(TRACE_PARENT_HEADER)?.to_str().ok()?.split('-').collect();
    let [version, trace_id, parent_id, flags, ..] = parts[..] else { return None };
    let is_hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_known = is_hex(version, 2) && version != "ff" && (parts.len() == 4 || version != "00");
    let is_one = is_hex(trace_id, 32) && trace_id.bytes().any(|digit| digit != b'0');
    (is_known && is_one && is_hex(parent_id, 16) && is_hex(flags, 2)).then(|| trace_id.to_owned())
}

/// The same answer with a problem for its body.
fn as_problem(app: &App, response: Response, trace_id: &str) -> Response {
    let (mut parts, _) = response.into_parts();
    let fault = parts.extensions.remove::<Fault>().unwrap_or_else(|| Fault::new(code_of(parts.status)));
    if let Some(cause) = &fault.cause {
        if let Some(error) = cause.downcast_ref::<StoreError>() {
            app.metrics().store_failed(error);
        }
        tracing::error!(code = %fault.code, cause = %chain(cause.as_ref().as_ref()), "the server failed");
    }
    let mut body = Problem::new(fault.code, fault.detail, trace_id.to_owned());
    body.minimum_version = fault.minimum_version;
    parts.status = StatusCode::from_u16(body.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut problem = Json(body).into_response();
    let headers = problem.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(problem::MEDIA_TYPE));
    for name in
        [header::ALLOW, header::CONNECTION, header::RETRY_AFTER, header::UPGRADE, header::WWW_AUTHENTICATE]
    {
        if let Some(value) = parts.headers.remove(&name) {
            headers.insert(name, value);
        }
    }
    *problem.status_mut() = parts.status;
    problem
}

/// The code of an error that no route of ours made.
fn code_of(status: StatusCode) -> ErrorCode {
    match status {
        StatusCode::NOT_FOUND => ErrorCode::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => ErrorCode::MethodNotAllowed,
        status if status.is_client_error() => ErrorCode::Malformed,
        _ => ErrorCode::Internal,
    }
}

/// An error and what caused it, in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        // Some errors say their cause themselves.
        if text.ends_with(&cause) { text } else { format!("{text}: {cause}") }
    })
}

/// What a panic becomes. Its message goes to the log only if it is a fixed text, which holds no data.
#[expect(clippy::needless_pass_by_value, reason = "the layer calls it with the panic itself")]
pub fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response<Body> {
    let message = panic.downcast_ref::<&'static str>().copied().unwrap_or("a panic");
    Fault::internal(message).into_response()
}

#[cfg(test)]
mod tests;
