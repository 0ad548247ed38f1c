//! Reference data: what is asked for again and again and seldom changes. Its answers have a tag (`ETag`), and whoever
//! sends it back (`If-None-Match`) is told 304, with nothing, while it is still the same.
//!
//! The tag is a hash of the body, and weak: the same body may leave compressed or not. It saves the way, not the work; who
//! may ask is looked at every time.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::fault::Fault;

/// An answer that is reference data, if it is a 200.
pub struct Reference<T>(pub T);

/// Marks the answer for [`tag`].
#[derive(Debug, Clone, Copy)]
struct IsReference;

impl<T: IntoResponse> IntoResponse for Reference<T> {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        response.extensions_mut().insert(IsReference);
        response
    }
}

/// Gives reference data their tag, and leaves them out for whoever has them.
pub async fn tag(request: Request, next: Next) -> Response {
    let known = (request.method() == Method::GET).then(|| request.headers().clone());
    let mut response = next.run(request).await;
    let is_reference = response.extensions_mut().remove::<IsReference>().is_some();
    let Some(known) = known.filter(|_| is_reference && response.status() == StatusCode::OK) else {
        return response;
    };
    let (mut parts, body) = response.into_parts();
    let body = match to_bytes(body, usize::MAX).await {
        Ok(body) => body,
        Err(error) => return Fault::internal(error).into_response(),
    };
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(Sha256::digest(&body)));
    let is_known = knows(&known, &tag);
    let Ok(weak) = HeaderValue::from_str(&format!("W/{tag}")) else {
        return Fault::internal("a tag is no header").into_response();
    };
    parts.headers.insert(ETAG, weak);
    // Said here, so that a 304 says it too.
    parts.headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if !is_known {
        return Response::from_parts(parts, Body::from(body));
    }
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(CONTENT_TYPE);
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::empty())
}

/// Whether a client has what `tag` stands for. Compared weakly (RFC 9110, section 13.1.2); there is no comma in our tags, so
/// that one in another's is only cut into what is none of ours.
fn knows(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    known.flat_map(|value| value.split(',')).map(str::trim).any(|known| {
        let bare = known.strip_prefix("W/").unwrap_or(known);
        known == "*" || bare == tag
    })
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::{Request, header};
    use axum::routing::get;
    use hanna_wire::path;
    use jiff::ToSpan;

    use super::*;
    use crate::app::App;
    use crate::testing::{Answer, Bench, Desk};

    async fn ask(bench: &Bench, desk: &Desk, path: &str, known: &[&str]) -> Answer {
        let mut request = Request::get(path).header(header::AUTHORIZATION, desk.authorization());
        for known in known {
            request = request.header(IF_NONE_MATCH, *known);
        }
        bench.send(request.body(Body::empty()).expect("a request")).await
    }

    #[tokio::test]
    async fn who_has_the_keys_or_the_account_is_not_sent_them_again_until_they_change() {
        let bench = Bench::open().await;
        let desk = bench.desk("RECEPCION-1").await;
        for path in [path::KEYS, path::ME] {
            let first = ask(&bench, &desk, path, &[]).await;
            let tag = first.header("etag").to_owned();
            assert!(tag.starts_with("W/\"") && tag.ends_with('"'), "{tag}");
            assert_eq!(first.header("cache-control"), "no-store");
            let strong = tag.strip_prefix("W/").expect("weak");
            let listed = format!("\"a,b\", W/\"c\" , {strong}");
            for known in [&[tag.as_str()][..], &[strong], &["*"], &[&listed], &["\"other\"", &tag]] {
                let again = ask(&bench, &desk, path, known).await;
                assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{path} {known:?}");
                assert!(again.bytes.is_empty() && again.header("content-type").is_empty());
                assert_eq!(again.header("etag"), tag);
                assert_eq!(again.header("cache-control"), "no-store");
                assert_eq!(again.header("vary"), "accept-encoding");
                assert_eq!(again.header("x-trace-id").len(), 32);
            }
            for unknown in ["\"other\"", "", "W/", &strong[1..], &format!("w/{strong}")] {
                let again = ask(&bench, &desk, path, &[unknown]).await;
                assert_eq!((again.status, &again.body), (StatusCode::OK, &first.body), "{unknown}");
            }
        }
        let before = ask(&bench, &desk, path::KEYS, &[]).await;
        bench.app.rotate_keys(None).await.expect("rotated");
        bench.clock.forward(1.minute());
        let after = ask(&bench, &desk, path::KEYS, &[before.header("etag")]).await;
        assert_eq!(after.status, StatusCode::OK);
        assert_ne!(after.header("etag"), before.header("etag"));
        // Each PC is told its own secret.
        let other = bench.desk("RECEPCION-2").await;
        assert_eq!(ask(&bench, &other, path::KEYS, &[after.header("etag")]).await.status, StatusCode::OK);
    }

    #[tokio::test]
    async fn a_tag_opens_nothing_and_other_answers_have_none() {
        let bench = Bench::open().await;
        let desk = bench.desk("RECEPCION-1").await;
        let request = Request::get(path::ME).header(IF_NONE_MATCH, "*").body(Body::empty());
        assert_eq!(bench.send(request.expect("a request")).await.code(), "SESSION_EXPIRED");
        assert!(bench.get(path::HEALTH, None).await.header("etag").is_empty());
        let look_up = desk.look_up(&bench, 0, &bench.demo.documents.active[0]).await;
        assert!(look_up.header("etag").is_empty());
        let head = Request::head(path::ME).header(header::AUTHORIZATION, desk.authorization());
        let head = bench.send_bytes(head.body(Body::empty()).expect("a request")).await;
        assert_eq!((head.status(), head.headers().get(ETAG)), (StatusCode::OK, None));
    }

    #[tokio::test]
    async fn compressed_or_not_it_is_the_same_tag() {
        let bench = Bench::open().await;
        let long = "hola ".repeat(1000);
        let routes = Router::<App>::new().route("/long", get(async move || Reference(long)));
        let bench = bench.with_routes(routes);
        let ask = async |encoding: &str| {
            let request = Request::get("/long").header(header::ACCEPT_ENCODING, encoding).body(Body::empty());
            bench.send_bytes(request.expect("a request")).await
        };
        let (plain, packed) = (ask("identity").await, ask("gzip").await);
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip");
        assert_eq!(plain.headers().get(header::CONTENT_ENCODING), None);
        assert_eq!(plain.headers()[ETAG], packed.headers()[ETAG]);
        for answer in [plain, packed] {
            assert_eq!(answer.headers().get_all(VARY).iter().count(), 1);
        }
    }
}
