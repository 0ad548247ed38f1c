//! The caja's console at `/admin`: the files that `npm run build` leaves in `ui/dist-console`. A program built for release
//! has them in itself; one built for development reads them from the folder whenever it is asked.
//!
//! Pages are asked for without a session: there is nothing of anybody in them. What they show comes through the API.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::RustEmbed;

use crate::app::App;
use crate::reference::Reference;

#[derive(RustEmbed)]
#[folder = "../../ui/dist-console"]
#[allow_missing = true]
struct Built;

/// What there is to see where the console was not built. It says so, in Spanish.
const NOT_BUILT: &str = include_str!("../templates/console_not_built.html");
/// The first page, as Vite calls it.
const INDEX: &str = "console.html";
/// Files with a hash of their content in their name.
const HASHED: &str = "assets/";

/// What the pages may do: load what comes from this server, and ask it. Nobody shows them in a frame.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; \
    connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// An answer whose body is for people to read: it is no problem of the API, whatever its status.
#[derive(Debug, Clone, Copy)]
pub struct ForPeople;

/// The routes of the console. They are no part of the contract.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/admin", get(async || page(built(INDEX))))
        .route("/admin/", get(async || page(built(INDEX))))
        .route("/admin/{*path}", get(async |Path(path): Path<String>| file(&path)))
}

fn built(name: &str) -> Option<Vec<u8>> {
    Built::get(name).map(|file| file.data.into_owned())
}

/// A file; or the first page, whose screens have paths of their own.
fn file(path: &str) -> Response {
    let is_screen = path.rsplit('/').next().is_some_and(|last| !last.contains('.'));
    match built(path) {
        Some(bytes) if path != INDEX => {
            let kept =
                if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
            answer(StatusCode::OK, media_type(path), kept, bytes)
        }
        None if !is_screen => {
            answer(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "no-cache", Vec::new())
        }
        _ => page(built(INDEX)),
    }
}

fn page(index: Option<Vec<u8>>) -> Response {
    let html = "text/html; charset=utf-8";
    match index {
        Some(index) => answer(StatusCode::OK, html, "no-cache", index),
        None => answer(StatusCode::NOT_FOUND, html, "no-cache", NOT_BUILT.as_bytes().to_vec()),
    }
}

fn answer(status: StatusCode, media_type: &'static str, kept: &'static str, bytes: Vec<u8>) -> Response {
    let mut response = Reference((status, Body::from(bytes))).into_response();
    for (name, value) in [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, kept),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.extensions_mut().insert(ForPeople);
    response
}

/// By the end of the name, as the console has them.
fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;
    use axum::http::Request;

    fn header_of(response: &Response, name: &str) -> String {
        response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }

    #[test]
    fn pages_are_asked_for_anew_and_may_load_nothing_from_elsewhere() {
        let response = page(Some(b"<!doctype html>".to_vec()));
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header_of(&response, "content-type"), "text/html; charset=utf-8");
        assert_eq!(header_of(&response, "cache-control"), "no-cache");
        assert_eq!(header_of(&response, "x-content-type-options"), "nosniff");
        assert_eq!(header_of(&response, "referrer-policy"), "no-referrer");
        let policy = header_of(&response, "content-security-policy");
        assert!(
            policy.starts_with("default-src 'self';") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    }

    #[test]
    fn where_it_was_not_built_that_is_said_in_spanish() {
        let response = page(None);
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(header_of(&response, "content-type"), "text/html; charset=utf-8");
        assert!(NOT_BUILT.contains("lang=\"es-CO\"") && NOT_BUILT.contains("consola"));
    }

    #[tokio::test]
    async fn a_page_that_the_browser_has_is_not_sent_again() {
        let bench = Bench::open().await;
        let routes = Router::new().route("/admin", get(async || page(Some(b"<!doctype html>".to_vec()))));
        let bench = bench.with_routes(routes);
        let first = bench.get_bytes("/admin").await;
        let tag = header_of(&first, "etag");
        let again = Request::get("/admin").header(header::IF_NONE_MATCH, &tag).body(Body::empty());
        let again = bench.send_bytes(again.expect("a request")).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        for name in ["etag", "cache-control", "content-security-policy", "x-frame-options"] {
            assert!(!header_of(&again, name).is_empty(), "{name}");
            assert_eq!(header_of(&again, name), header_of(&first, name), "{name}");
        }
        assert_eq!(axum::body::to_bytes(again.into_body(), 1).await.expect("a body").len(), 0);
    }

    #[tokio::test]
    async fn the_console_is_served_beside_the_api_and_what_is_not_there_is_no_page() {
        let bench = Bench::open().await;
        let index = built(INDEX);
        let expected = if index.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
        for path in ["/admin", "/admin/", "/admin/usuarios", "/admin/entidades/una"] {
            let answer = bench.get_bytes(path).await;
            assert_eq!(answer.status(), expected, "{path}");
            assert_eq!(header_of(&answer, "content-type"), "text/html; charset=utf-8", "{path}");
            assert_eq!(header_of(&answer, "cache-control"), "no-cache", "{path}");
            assert!(
                header_of(&answer, "content-security-policy").contains("frame-ancestors 'none'"),
                "{path}"
            );
            assert!(!header_of(&answer, "x-trace-id").is_empty(), "{path}");
        }
        for path in
            ["/admin/no-esta.js", "/admin/assets/no-esta.css", "/admin/../Cargo.toml", "/admin/%2e%2e/x.rs"]
        {
            assert_eq!(bench.get_bytes(path).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
        let hashed = Built::iter().find(|name| name.starts_with(HASHED));
        if let Some(hashed) = hashed {
            let answer = bench.get_bytes(&format!("/admin/{hashed}")).await;
            assert_eq!(answer.status(), StatusCode::OK);
            assert!(header_of(&answer, "cache-control").contains("immutable"));
            assert_eq!(header_of(&answer, "x-content-type-options"), "nosniff");
        }
        assert_eq!(
            bench.get("/v1/nada", None).await.code(),
            "NOT_FOUND",
            "the API goes on speaking in problems"
        );
    }
}
