use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Method, Request, StatusCode, header};
use axum::routing::get;
use hanna_wire::limits::BODY_MAX_BYTES;
use hanna_wire::path;
use serde_json::json;

use crate::fault::Fault;
use crate::testing::{Answer, Bench};

fn post(path: &str, content_type: &str, body: Body) -> Request<Body> {
    Request::post(path).header(header::CONTENT_TYPE, content_type).body(body).expect("a request")
}

#[tokio::test]
async fn whatever_is_not_there_is_a_problem_too() {
    let bench = Bench::open().await;
    for path in ["/", "/v1", "/v1/lookups/1045678901", "/v1/sessions/"] {
        let answer = bench.get(path, None).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::NOT_FOUND, "NOT_FOUND"));
        assert!(!answer.body.to_string().contains("1045678901"), "the path is not repeated");
    }
    for (method, path, allowed) in [
        (Method::GET, path::SESSIONS, "POST"),
        (Method::POST, path::SESSIONS_CURRENT, "DELETE"),
        (Method::DELETE, path::LOOKUPS, "POST"),
        (Method::PUT, path::USAGE_REPORTS, "GET,HEAD"),
    ] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
        let answer = bench.send(request).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED"));
        assert_eq!(answer.header("allow"), allowed);
    }
}

#[tokio::test]
async fn bodies_must_be_json_and_no_larger_than_the_limit() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
        let answer = bench.send(post(path::SESSIONS, content_type, Body::from("{}"))).await;
        assert_eq!(answer.code(), "UNSUPPORTED_MEDIA_TYPE", "{content_type}");
    }
    let utf8 = bench.send(post(path::SESSIONS, "Application/JSON; charset=utf-8", Body::from("{}"))).await;
    assert_eq!(utf8.code(), "MALFORMED", "it was read");

    let items = |length: usize| json!({ "items": [], "pad": "x".repeat(length) }).to_string();
    let overhead = items(0).len();
    for (length, code) in [(BODY_MAX_BYTES, "MALFORMED"), (BODY_MAX_BYTES + 1, "TOO_LARGE")] {
        let mut request = post(path::OUTBOX, "application/json", Body::from(items(length - overhead)));
        request.headers_mut().insert(header::AUTHORIZATION, desk.authorization().parse().expect("a header"));
        assert_eq!(bench.send(request).await.code(), code);
    }
    for body in ["", "{", "[]", "nul", "\u{feff}{}", "{\"items\": 1}"] {
        let answer = bench.send(post(path::SESSIONS, "application/json", Body::from(body))).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "MALFORMED"), "{body}");
    }
}

#[tokio::test]
async fn a_batch_is_not_read_for_somebody_who_is_not_signed_in() {
    let bench = Bench::open().await;
    let answer = bench.send(post(path::OUTBOX, "text/plain", Body::from("x"))).await;
    assert_eq!(answer.code(), "SESSION_EXPIRED");
}

/// A body of which nothing ever comes.
struct NeverSent;

impl HttpBody for NeverSent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// Time is tokio's own here: it passes at once when nobody has anything to do.
#[tokio::test(start_paused = true)]
async fn a_body_that_never_arrives_is_given_up() {
    let bench = Bench::open().await;
    let answer = bench.send(post(path::SESSIONS, "application/json", Body::new(NeverSent))).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMED_OUT"));
}

async fn boom() -> StatusCode {
    panic!("boom")
}

#[tokio::test(start_paused = true)]
async fn a_route_that_panics_or_hangs_is_a_problem_and_the_server_lives_on() {
    let bench = Bench::open().await;
    let routes = Router::new()
        .route("/panic", get(boom))
        .route("/hang", get(|| async { tokio::time::sleep(Duration::from_hours(1)).await }))
        .route("/fail", get(|| async { Fault::internal("secret detail") }));
    let bench = bench.with_routes(routes);
    for (path, status, code) in [
        ("/panic", 500, "INTERNAL"),
        ("/fail", 500, "INTERNAL"),
        ("/hang", 503, "UNAVAILABLE"),
        ("/panic", 500, "INTERNAL"),
    ] {
        let answer: Answer = bench.get(path, None).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status, code));
        assert_eq!(answer.body["detail"], json!(null), "causes are for the log");
        assert_eq!(answer.header("retry-after").is_empty(), status == 500);
    }
}

#[tokio::test]
async fn a_trace_goes_on_and_what_is_none_is_not_believed() {
    let bench = Bench::open().await;
    let trace_id = async |parent: &str| {
        let request = Request::get(path::ME).header("traceparent", parent).body(Body::empty());
        let answer = bench.send(request.expect("a request")).await;
        assert_eq!(answer.code(), "SESSION_EXPIRED");
        answer.header("x-trace-id").to_owned()
    };
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    for parent in [format!("00-{id}-00f067aa0ba902b7-01"), format!("01-{id}-00f067aa0ba902b7-00-more")] {
        assert_eq!(trace_id(&parent).await, id, "{parent}");
    }
    let zeros = "0".repeat(32);
    for parent in [
        String::new(),
        id.to_owned(),
        format!("00-{zeros}-00f067aa0ba902b7-01"),
        format!("00-{id}-00f067aa0ba902b7-01-more"),
        format!("ff-{id}-00f067aa0ba902b7-01"),
        format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
        format!("00-{id}-1045678901-01"),
        "00-juan.perez@example.co0000000000000-00f067aa0ba902b7-01".to_owned(),
    ] {
        let made = trace_id(&parent).await;
        assert!(made.len() == 32 && made != id && made != zeros, "{parent}: {made}");
    }
}
