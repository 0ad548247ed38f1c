//! What routes take out of a request.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use hanna_domain::VerificationCode;
use hanna_wire::limits::{ATTACHMENT_MAX_BYTES, BODY_MAX_BYTES};
use hanna_wire::me::Role;
use hanna_wire::problem::ErrorCode;
use hanna_wire::second_factor::SecondFactor;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use uuid::Uuid;

use crate::app::App;
use crate::fault::Fault;
use crate::secrets::TokenHash;
use crate::serving::Peer;
use crate::store::{AccountState, Caller};

/// A JSON body.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &App) -> Result<Self, Fault> {
        if !is_json(request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok())) {
            return Err(Fault::with(ErrorCode::UnsupportedMediaType, "the body must be application/json"));
        }
        let bytes = read(request, BODY_MAX_BYTES, app.limits().body_max).await?;
        // Serde also takes the fields of a thing as a list, in their order.
        if bytes.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
            return Err(Fault::with(ErrorCode::Malformed, "the body is no JSON object"));
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|error| unparsed(&error))
    }
}

fn is_json(content_type: Option<&str>) -> bool {
    let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// A file for an application request. Its route must have the limit that goes with it, [`ATTACHMENT_MAX_BYTES`].
pub struct FileBody(pub Bytes);

impl FromRequest<App> for FileBody {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &App) -> Result<Self, Fault> {
        read(request, ATTACHMENT_MAX_BYTES, app.limits().attachment_max).await.map(Self)
    }
}

async fn read(request: Request, max_bytes: usize, max: Duration) -> Result<Bytes, Fault> {
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: u64| length > max_bytes as u64) {
        return Err(too_large(max_bytes));
    }
    tokio::time::timeout(max, Bytes::from_request(request, &()))
        .await
        .map_err(|_| Fault::with(ErrorCode::RequestTimedOut, "the body did not arrive in time"))?
        .map_err(|rejection| unread(&rejection, max_bytes))
}

fn unread(rejection: &BytesRejection, max_bytes: usize) -> Fault {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        too_large(max_bytes)
    } else {
        Fault::with(ErrorCode::Malformed, "the body could not be read")
    }
}

fn too_large(max_bytes: usize) -> Fault {
    Fault::with(ErrorCode::TooLarge, format!("the body is over {} MiB", max_bytes >> 20))
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

/// The `{id}` of a path.
pub struct Id(pub Uuid);

impl FromRequestParts<App> for Id {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let Path(id) = Path::from_request_parts(parts, app)
            .await
            .map_err(|_| Fault::with(ErrorCode::NotFound, "there is no such thing: its id is none"))?;
        Ok(Self(id))
    }
}

/// The code of a receipt or a report, from the path.
pub struct Code(pub VerificationCode);

impl FromRequestParts<App> for Code {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let invalid = || Fault::with(ErrorCode::Invalid, "code is none: a character is missing or wrong");
        let Path(code) = Path::<String>::from_request_parts(parts, app).await.map_err(|_| invalid())?;
        code.parse().map(Self).map_err(|_| invalid())
    }
}

/// Where a request comes from, as far as it tells one from another: none for a program on this machine.
pub struct Address(pub Option<IpAddr>);

/// What proxies say whom they speak for.
const FORWARDED_FOR: &str = "x-forwarded-for";

impl FromRequestParts<App> for Address {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<Peer>().map(|peer| peer.0.to_canonical());
        let lists = parts.headers.get_all(FORWARDED_FOR).iter();
        let hops: Vec<Option<IpAddr>> =
            lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b',')).map(hop).collect();
        Ok(Self(address(peer, &hops, app.trusted_proxies())))
    }
}

/// One of those a request came by, as proxies write it: an address, some with a port.
fn hop(written: &[u8]) -> Option<IpAddr> {
    let written = std::str::from_utf8(written).ok()?.trim();
    let with_port = || written.parse().ok().map(|address: SocketAddr| address.ip());
    written.parse().ok().or_else(with_port).map(|address| address.to_canonical())
}

/// Read from the nearest hop to the farthest, as long as those who speak are believed: whoever is not may have invented the
/// hops behind. What cannot be read is put to the account of who said it, so that nobody is rid of a limit by an odd hop.
fn address(peer: Option<IpAddr>, hops: &[Option<IpAddr>], trusted: &[IpAddr]) -> Option<IpAddr> {
    let mut speaks = peer?;
    for hop in hops.iter().rev() {
        if !speaks.is_loopback() && !trusted.contains(&speaks) {
            break;
        }
        let Some(hop) = hop else { break };
        speaks = *hop;
    }
    (!hops.is_empty() || !speaks.is_loopback()).then_some(speaks)
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

/// A caller whose second factor may still have to be set up. Every other caller has it: only the routes that lead there take
/// this one.
pub struct Entering(pub Caller);

impl FromRequestParts<App> for Entering {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let caller = caller(parts, app).await?;
        if caller.device_revoked {
            return Err(Fault::new(ErrorCode::DeviceRevoked));
        }
        active(caller).map(Self)
    }
}

/// A caller who acts for the caja: every route of `/v1/admin` takes one.
pub struct CajaAdmin(pub Caller);

impl FromRequestParts<App> for CajaAdmin {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let caller = Caller::from_request_parts(parts, app).await?;
        if caller.is(Role::CajaAdmin) {
            Ok(Self(caller))
        } else {
            Err(Fault::with(ErrorCode::Forbidden, "this is the caja's"))
        }
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

/// The one place where it is asked for the second factor.
fn in_good_standing(caller: Caller) -> Result<Caller, Fault> {
    let caller = active(caller)?;
    match caller.second_factor {
        SecondFactor::NotNeeded | SecondFactor::SetUp => Ok(caller),
        SecondFactor::ToSetUp => {
            Err(Fault::with(ErrorCode::SecondFactorRequired, "the second factor has to be set up first"))
        }
    }
}

fn active(caller: Caller) -> Result<Caller, Fault> {
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

    /// The business the caller administers.
    ///
    /// # Errors
    /// `FORBIDDEN` for everybody else.
    pub fn administers(&self) -> Result<Uuid, Fault> {
        if !self.is(Role::EntityAdmin) {
            return Err(Fault::with(ErrorCode::Forbidden, "this is for administrators of an entity"));
        }
        self.entity()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_is_believed_as_far_as_its_proxies_are() {
        let proxy = [ip("10.0.0.5")];
        let client = Some(ip("203.0.113.9"));
        let lie = Some(ip("198.51.100.1"));
        let here = Some(ip("127.0.0.1"));
        for (peer, hops, expected) in [
            (client, vec![], client),
            (client, vec![lie], client),
            (here, vec![], None),
            (here, vec![client], client),
            (Some(ip("::1")), vec![lie, client], client),
            (Some(ip("::ffff:127.0.0.1")), vec![client], client),
            (Some(ip("10.0.0.5")), vec![lie, client], client),
            (here, vec![lie, client, Some(ip("10.0.0.5"))], client),
            (Some(ip("10.0.0.6")), vec![client], Some(ip("10.0.0.6"))),
            (here, vec![None], here),
            (here, vec![lie, None], here),
            (here, vec![lie, None, Some(ip("10.0.0.5"))], Some(ip("10.0.0.5"))),
            (None, vec![client], None),
        ] {
            let peer = peer.map(|peer| peer.to_canonical());
            assert_eq!(address(peer, &hops, &proxy), expected, "{peer:?} {hops:?}");
        }
    }

    #[test]
    fn hops_are_read_as_proxies_write_them() {
        for (written, read) in [
            (&b" 203.0.113.9"[..], Some("203.0.113.9")),
            (b"203.0.113.9:5544", Some("203.0.113.9")),
            (b"2001:db8::1", Some("2001:db8::1")),
            (b"[2001:db8::1]:5544", Some("2001:db8::1")),
            (b"::ffff:203.0.113.9", Some("203.0.113.9")),
            (b"unknown", None),
            (b"\xff", None),
            (b"", None),
        ] {
            assert_eq!(hop(written), read.map(ip), "{}", written.escape_ascii());
        }
    }
}
