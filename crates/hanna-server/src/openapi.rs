//! The contract as an OpenAPI document, `docs/openapi.json`.

use std::collections::BTreeMap;

use hanna_domain::{DocumentKind, Statement};
use hanna_wire::TRACE_HEADER;
use hanna_wire::problem::{self, ErrorCode, Problem};
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use crate::routes;

mod examples;

/// Where the committed document stands, from the root of the repository.
pub const PATH: &str = "docs/openapi.json";

/// The name of the security scheme.
pub const SESSION: &str = "session";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Hanna Convenios",
        description = "Whether a person is an active affiliate of the caja, at which tariff, and the record that a benefit was used.\n\nErrors are `application/problem+json` (RFC 9457); clients switch on `code`. Every answer has `x-trace-id` and the server's time in `Date`; a request with a W3C `traceparent` keeps its trace id. Times are RFC 3339 in UTC. Ids are UUIDs made by whoever creates the thing, version 7 by preference; a repeated write is answered as the first time. Bodies are at most 1 MiB; heads at most 32 KiB with 64 headers, otherwise the answer is a bare 431. A desk says its version in `User-Agent` (`hanna-convenios/0.1.0`); one that is older than the server serves is answered 426. Paths that are not here answer 404, methods that are not here 405.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(Problem, Statement)),
    modifiers(&Session)
)]
struct Contract;

struct Session;

impl Modify for Session {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description = Some("The access token of a session: opaque, good for 15 minutes.".to_owned());
        openapi
            .components
            .get_or_insert_default()
            .security_schemes
            .insert(SESSION.to_owned(), RefOr::T(SecurityScheme::Http(bearer)));
    }
}

/// What the routes are added to.
pub fn base() -> utoipa::openapi::OpenApi {
    Contract::openapi()
}

/// The document.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn document() -> serde_json::Result<String> {
    let (_, mut document) = routes::all().split_for_parts();
    let schemas = &mut document.components.get_or_insert_default().schemas;
    schemas.insert("Document".to_owned(), RefOr::T(documents()));
    schemas.remove("DocumentKind");
    let contract = document.paths.paths.iter_mut().filter(|(path, _)| path.starts_with("/v1/"));
    for operation in contract.flat_map(|(_, item)| operations(item)) {
        // Before anything else is looked at, whatever is asked for.
        operation.responses.responses.extend(faults_of(&[&[ErrorCode::ClientTooOld]]));
    }
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        give_examples(operation);
        for response in operation.responses.responses.values_mut() {
            if let RefOr::T(response) = response {
                response.headers.insert(
                    TRACE_HEADER.to_owned(),
                    RefOr::T(header("Names this answer in the server's log.", Type::String)),
                );
            }
        }
    }
    Ok(document.to_pretty_json()? + "\n")
}

/// Shows what the call takes and answers.
fn give_examples(operation: &mut Operation) {
    let id = operation.operation_id.clone().unwrap_or_default();
    let show = |content: &mut RefOr<Content>, example| {
        if let RefOr::T(content) = content {
            content.example = example;
        }
    };
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        body.content.values_mut().for_each(|content| show(content, examples::request(&id)));
    }
    for status in ["200", "201", "202"] {
        let Some(RefOr::T(response)) = operation.responses.responses.get_mut(status) else { continue };
        response.content.values_mut().for_each(|content| show(content, examples::answer(&id)));
    }
}

/// A document as the contract takes it: each kind with its own numbers, in canonical form.
fn documents() -> Schema {
    let one = |kind: DocumentKind| {
        let (shortest, longest) = kind.length();
        let pattern = match kind {
            DocumentKind::PA => format!("^[0-9A-Z]{{{shortest},{longest}}}$"),
            _ => format!("^[1-9][0-9]{{{},{}}}$", shortest - 1, longest - 1),
        };
        ObjectBuilder::new()
            .title(Some(kind.code()))
            .property("kind", ObjectBuilder::new().schema_type(Type::String).enum_values(Some([kind.code()])))
            .property("number", ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)))
            .required("kind")
            .required("number")
    };
    let description = "An identity document: its kind, and its number without dots, spaces or leading zeros.";
    let kinds = OneOfBuilder::new().description(Some(description));
    DocumentKind::ALL.into_iter().fold(kinds, |kinds, kind| kinds.item(one(kind))).into()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
}

/// What can go wrong wherever there must be a session, also one of a revoked PC.
pub const WITH_SESSION: &[ErrorCode] = &[ErrorCode::SessionExpired, ErrorCode::AccountNotActive];
/// What can go wrong wherever one must be signed in, and the second factor may still have to be set up.
pub const ENTERING: &[ErrorCode] =
    &[ErrorCode::SessionExpired, ErrorCode::AccountNotActive, ErrorCode::DeviceRevoked];
/// What can go wrong wherever one must be signed in.
pub const SIGNED_IN: &[ErrorCode] = &[
    ErrorCode::SessionExpired,
    ErrorCode::AccountNotActive,
    ErrorCode::DeviceRevoked,
    ErrorCode::SecondFactorRequired,
];
/// What can go wrong wherever one must act for the caja.
pub const CAJA: &[ErrorCode] = &[
    ErrorCode::SessionExpired,
    ErrorCode::AccountNotActive,
    ErrorCode::DeviceRevoked,
    ErrorCode::SecondFactorRequired,
    ErrorCode::Forbidden,
];
/// What can go wrong wherever a body is read.
pub const WITH_BODY: &[ErrorCode] = &[
    ErrorCode::Malformed,
    ErrorCode::RequestTimedOut,
    ErrorCode::TooLarge,
    ErrorCode::UnsupportedMediaType,
    ErrorCode::Invalid,
];
/// What can go wrong everywhere.
const EVERYWHERE: &[ErrorCode] = &[ErrorCode::Internal, ErrorCode::Unavailable];

/// The error answers with these codes and those of everywhere, one a status.
pub fn faults(codes: &[&[ErrorCode]]) -> BTreeMap<String, RefOr<Response>> {
    faults_of(&[codes, &[EVERYWHERE]].concat())
}

fn faults_of(codes: &[&[ErrorCode]]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in codes.iter().copied().flatten() {
        by_status.entry(code.status()).or_default().push(*code);
    }
    by_status
        .into_iter()
        .map(|(status, codes)| (status.to_string(), RefOr::T(fault(status, &codes))))
        .collect()
}

fn fault(status: u16, codes: &[ErrorCode]) -> Response {
    let sentences: Vec<String> = codes.iter().map(|code| format!("`{code}`: {}.", code.title())).collect();
    let mut content = Content::new(Some(Ref::from_schema_name("Problem")));
    for code in codes {
        let mut problem = Problem::new(*code, None, "4bf92f3577b34da6a3ce929d0e0e4736".to_owned());
        problem.minimum_version = "0.2.0".parse().ok().filter(|_| *code == ErrorCode::ClientTooOld);
        let example = ExampleBuilder::new().value(serde_json::to_value(problem).ok()).build();
        content.examples.insert(code.code().to_owned(), RefOr::T(example));
    }
    let mut response =
        ResponseBuilder::new().description(sentences.join(" ")).content(problem::MEDIA_TYPE, content);
    if matches!(status, 429 | 503) {
        response = response.header("Retry-After", header("Seconds to wait.", Type::Integer));
    }
    if status == 426 {
        let upgrade = header("The desk that would be served, as `hanna-convenios/0.2.0`.", Type::String);
        response = response.header("Upgrade", upgrade);
    }
    if status == 401 {
        response = response.header("WWW-Authenticate", header("Always `Bearer`.", Type::String));
    }
    response.build()
}

fn header(description: &str, kind: Type) -> utoipa::openapi::Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(kind)))
        .description(Some(description))
        .build()
}

/// Declares the errors of a route, for its `responses(…)`: as `Faults`, or by another name where a file has several routes.
macro_rules! route_faults {
    ($name:ident: $($codes:expr),* $(,)?) => {
        struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses()
            -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
                $crate::openapi::faults(&[$($codes),*])
            }
        }
    };
    ($($codes:expr),* $(,)?) => {
        $crate::openapi::route_faults!(Faults: $($codes),*);
    };
}
pub(crate) use route_faults;

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_committed_document_is_fresh() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(PATH);
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == document().expect("JSON"),
            "{PATH} is stale: cargo run -p hanna-server -- openapi > {PATH}"
        );
    }

    #[test]
    fn every_code_is_documented_but_that_of_methods_that_are_not_there() {
        let document = document().expect("JSON");
        for code in ErrorCode::ALL {
            let expected = code != &ErrorCode::MethodNotAllowed;
            assert_eq!(document.contains(&format!("`{code}`:")), expected, "{code}");
        }
    }

    #[test]
    fn every_body_and_every_problem_has_an_example() {
        let document: serde_json::Value = serde_json::from_str(&document().expect("written")).expect("JSON");
        let operations = document["paths"].as_object().expect("paths").values();
        let mut contents = 0;
        for operation in operations.flat_map(|path| path.as_object().expect("methods").values()) {
            let answers = operation["responses"].as_object().expect("answers").values();
            for body in std::iter::once(&operation["requestBody"]).chain(answers) {
                let Some(content) = body["content"].as_object() else { continue };
                // Files are shown by nobody.
                let shown = content.iter().filter(|(kind, _)| kind.ends_with("json"));
                for content in shown.map(|(_, content)| content) {
                    contents += 1;
                    let is_shown = !content["example"].is_null() || content["examples"].is_object();
                    assert!(is_shown, "{} {body}", operation["operationId"]);
                }
            }
        }
        assert!(contents > 60, "{contents}");
    }

    #[test]
    fn no_document_number_stands_in_a_url() {
        let (_, document) = routes::all().split_for_parts();
        for path in document.paths.paths.keys() {
            let rest = path.replace("{id}", "").replace("{code}", "");
            assert!(!rest.contains('{'), "{path}: what a path names is an id, or the code made of one");
        }
    }
}
