//! What routes take out of a request.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::request::Parts;
use hanna_wire::me::Role;
use hanna_wire::problem::ErrorCode;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use uuid::Uuid;

use crate::app::App;
use crate::fault::Fault;
use crate::secrets::TokenHash;
use crate::store::{AccountState, Caller};

/// A JSON body.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &App) -> Result<Self, Fault> {
        if !is_json(request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok())) {
            return Err(Fault::with(ErrorCode::UnsupportedMediaType, "the body must be application/json"));
        }
        let read = tokio::time::timeout(app.limits().body_max, Bytes::from_request(request, &()));
        let bytes = read
            .await
            .map_err(|_| Fault::with(ErrorCode::RequestTimedOut, "the body did not arrive in time"))?
            .map_err(|rejection| unread(&rejection))?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| unparsed(&error))
    }
}

fn is_json(content_type: Option<&str>) -> bool {
    let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn unread(rejection: &BytesRejection) -> Fault {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Fault::with(ErrorCode::TooLarge, "the body is over 1 MiB")
    } else {
        Fault::with(ErrorCode::Malformed, "the body could not be read")
    }
}

/// Says where the body is wrong, and never what stands there: serde's own messages quote it.
fn unparsed(error: &serde_json::Error) -> Fault {
    let what = match error.classify() {
        Category::Eof => "it ends too early",
        Category::Syntax => "it is not JSON",
        Category::Data | Category::Io => "it is not of the shape this call takes",
    };
    let (line, column) = (error.line(), error.column());
    Fault::with(
        ErrorCode::Malformed,
        format!("the body cannot be read: {what} (line {line}, column {column})"),
    )
}

/// The query of a URL.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Params<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Fault> {
        let Query(params) = Query::try_from_uri(&parts.uri)
            .map_err(|_| Fault::with(ErrorCode::Invalid, "the query is not what this call takes"))?;
        Ok(Self(params))
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let caller = caller(parts, app).await?;
        // First of all: a desk that is told so forgets its copies.
        if caller.device_revoked {
            return Err(Fault::new(ErrorCode::DeviceRevoked));
        }
        in_good_standing(caller)
    }
}

/// A caller whose PC may be revoked: what it recorded before is still taken in.
pub struct Delivering(pub Caller);

impl FromRequestParts<App> for Delivering {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        in_good_standing(caller(parts, app).await?).map(Self)
    }
}

async fn caller(parts: &Parts, app: &App) -> Result<Caller, Fault> {
    let token = parts
        .headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let Some(token) = token else {
        return Err(Fault::with(ErrorCode::SessionExpired, "there is no access token"));
    };
    let caller = app.store().caller(TokenHash::of(token), app.clock().now()).await?;
    caller.ok_or(Fault::new(ErrorCode::SessionExpired))
}

fn in_good_standing(caller: Caller) -> Result<Caller, Fault> {
    match caller.state {
        AccountState::Active => Ok(caller),
        AccountState::Pending | AccountState::Suspended => Err(Fault::new(ErrorCode::AccountNotActive)),
    }
}

impl Caller {
    /// Whether the account has a role.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// The business the caller works for.
    ///
    /// # Errors
    /// `FORBIDDEN` for people of the caja, who work for none.
    pub fn entity(&self) -> Result<Uuid, Fault> {
        self.entity_id.ok_or_else(|| Fault::with(ErrorCode::Forbidden, "the account belongs to no entity"))
    }
}

/// A text of the contract: not empty, not too long, without control characters.
///
/// # Errors
/// `INVALID`, naming the field.
pub fn text(field: &str, value: &str, max_chars: usize) -> Result<(), Fault> {
    let invalid = |what: &str| Err(Fault::with(ErrorCode::Invalid, format!("{field} {what}")));
    if value.trim().is_empty() {
        invalid("is empty")
    } else if value.chars().count() > max_chars {
        invalid(&format!("has more than {max_chars} characters"))
    } else if value.chars().any(char::is_control) {
        invalid("has control characters")
    } else {
        Ok(())
    }
}
