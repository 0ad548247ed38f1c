//! The signed statement (*constancia*): the server's answer to a lookup, and its verification.
//!
//! On the wire a statement is a compact JWS (RFC 7515) signed with Ed25519 (RFC 8037), `typ`
//! `hanna-statement+jwt` and a `kid` of the server's key set. [`verify`] is the only way to a
//! [`Verified`] outside the server, and [`crate::decide()`] takes nothing less: a green verdict cannot be built from
//! an unverified answer.
//!
//! Times inside are checked by `decide`, never here and never against the system's clock.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, crypto, dangerous};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Affiliate, Document, Reason, Tariff, UsedToday};

/// The `typ` header of every statement.
pub const TYPE: &str = "hanna-statement+jwt";

/// The longest statement a desk reads, in bytes.
pub const LENGTH_MAX: usize = 16 * 1024;

/// The claims of a statement: exactly what the card shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Statement {
    /// The folio of this statement.
    pub jti: Uuid,
    /// When the server answered.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    #[schema(value_type = i64)]
    pub iat: Timestamp,
    /// The statement says nothing before this moment.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    #[schema(value_type = i64)]
    pub nbf: Timestamp,
    /// The statement says nothing from this moment on (*válida hasta*).
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    #[schema(value_type = i64)]
    pub exp: Timestamp,
    /// When the desk should ask again, if it can.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    #[schema(value_type = i64)]
    pub next_update: Timestamp,
    /// The lookup this answers.
    pub lookup_id: Uuid,
    /// Whom it is about.
    pub document: Document,
    /// The entity at whose desk it was asked.
    pub entity_id: Uuid,
    /// The branch at which it was asked; it is worth nothing elsewhere.
    pub branch_id: Uuid,
    /// The registered data; none when the caja has nobody with this document.
    pub affiliate: Option<Affiliate>,
    /// The price category that applies.
    pub tariff: Tariff,
    /// Whether the benefit may be used. Computed by the server, never by a client.
    pub usable: bool,
    /// Why not; empty when usable.
    pub reasons: Vec<Reason>,
    /// Uses of this person already reported today, oldest first.
    pub used_today: Vec<UsedToday>,
}

impl Statement {
    /// Whether the claims agree with each other: usable means a person and no reason, not usable means a reason.
    fn is_consistent(&self) -> bool {
        let reasons_agree = self.usable == self.reasons.is_empty();
        let person_agrees = self.affiliate.is_none() || !self.reasons.contains(&Reason::NotAffiliated);
        let usable_has_person = !self.usable || self.affiliate.is_some();
        reasons_agree && person_agrees && usable_has_person && self.nbf < self.exp
    }
}

/// A statement whose signature was checked against a key of the server's set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    statement: Statement,
}

impl Verified {
    /// The claims.
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Gives the claims away.
    pub fn into_statement(self) -> Statement {
        self.statement
    }
}

/// One public key of the server, as `GET /v1/keys` sends it: a JWK (RFC 8037) with validity dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct PublicKey {
    /// Always `OKP`.
    #[schema(example = "OKP")]
    pub kty: String,
    /// Always `Ed25519`.
    #[schema(example = "Ed25519")]
    pub crv: String,
    /// The name statements call this key by.
    #[schema(max_length = 64)]
    pub kid: String,
    /// The public key, base64url without padding.
    #[schema(max_length = 64)]
    pub x: String,
    /// Statements issued before this moment are not this key's.
    #[ts(type = "string")]
    pub not_before: Timestamp,
    /// Statements issued after this moment are not this key's.
    #[ts(type = "string")]
    pub not_after: Timestamp,
}

/// The server's key set: several keys may be valid at once, so that rotation breaks nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema, TS)]
pub struct KeySet {
    /// The keys, newest first.
    #[schema(max_items = 32)]
    pub keys: Vec<PublicKey>,
}

/// A key set ready to verify with: the keys decoded once.
#[derive(Clone, Default)]
pub struct Verifier {
    keys: Vec<Key>,
}

#[derive(Clone)]
struct Key {
    public: PublicKey,
    decoding: DecodingKey,
    /// The same key, for many signatures at once.
    of_many: VerifyingKey,
    /// What every statement that [`sign`] makes with this key begins with, up to the point: most need not be taken apart
    /// to know whose they are.
    header: String,
}

impl Key {
    /// `None` for what is not an Ed25519 key.
    fn decode(public: &PublicKey) -> Option<Self> {
        if public.kty != "OKP" || public.crv != "Ed25519" {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(&public.x).ok()?;
        let header = serde_json::to_vec(&header_of(&public.kid)).ok()?;
        Some(Self {
            header: URL_SAFE_NO_PAD.encode(header),
            public: public.clone(),
            decoding: DecodingKey::from_ed_components(&public.x).ok()?,
            of_many: VerifyingKey::from_bytes(bytes.as_slice().try_into().ok()?).ok()?,
        })
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.public.kid)).finish()
    }
}

/// Why a text is not a statement this desk may act on. Every one of them gives SIN DATO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatementFault {
    /// Not a JWS of the right type, cut short, or not the claims of a statement.
    #[error("the statement cannot be read")]
    Unreadable,
    /// Signed with a key that is not in the set.
    #[error("the statement is signed with an unknown key")]
    UnknownKey,
    /// The signature does not belong to the content.
    #[error("the statement's signature is wrong")]
    BadSignature,
    /// Issued outside the validity of its key.
    #[error("the statement was issued outside the validity of its key")]
    KeyNotValid,
    /// The claims contradict each other.
    #[error("the statement contradicts itself")]
    Inconsistent,
    /// About another person.
    #[error("the statement is about another person")]
    OtherPerson,
    /// For another branch.
    #[error("the statement is for another branch")]
    OtherBranch,
    /// The answer to another lookup.
    #[error("the statement answers another lookup")]
    OtherLookup,
}

/// What the statement must be about.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The person asked about.
    pub document: &'a Document,
    /// The branch asking.
    pub branch_id: Uuid,
    /// The lookup, when the statement is the direct answer to one; a copy answers earlier lookups.
    pub lookup_id: Option<Uuid>,
}

impl Verifier {
    /// Decodes a key set. A key that is not Ed25519 is left out: statements that name it are of an unknown key.
    pub fn new(set: &KeySet) -> Self {
        Self { keys: set.keys.iter().filter_map(Key::decode).collect() }
    }

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Checks the signature of `jws` and that it says something coherent about what was asked.
    ///
    /// # Errors
    /// See [`StatementFault`].
    pub fn verify(&self, jws: &str, expected: Expected<'_>) -> Result<Verified, StatementFault> {
        let verified = self.verify_any(jws)?;
        let statement = verified.statement();
        if statement.document != *expected.document {
            return Err(StatementFault::OtherPerson);
        }
        if statement.branch_id != expected.branch_id {
            return Err(StatementFault::OtherBranch);
        }
        if expected.lookup_id.is_some_and(|id| id != statement.lookup_id) {
            return Err(StatementFault::OtherLookup);
        }
        Ok(verified)
    }

    /// Checks the signature of `jws`, whomever it is about. For the server, which reads who it is about from it.
    ///
    /// # Errors
    /// See [`StatementFault`].
    pub fn verify_any(&self, jws: &str) -> Result<Verified, StatementFault> {
        let signed = self.read(jws)?;
        if signed.is_genuine() { signed.claims() } else { Err(StatementFault::BadSignature) }
    }

    /// [`Verifier::verify_any`] of each of many, in their order. All their signatures together take a third of the time
    /// that they take one by one; only when one of them is wrong is each looked at.
    pub fn verify_each(&self, many: &[&str]) -> Vec<Result<Verified, StatementFault>> {
        let read: Vec<_> = many.iter().map(|jws| self.read(jws)).collect();
        let signed: Vec<&Signed<'_>> = read.iter().flatten().collect();
        let all_genuine = are_all_genuine(&signed);
        read.iter()
            .map(|signed| {
                let signed = signed.as_ref().map_err(|fault| *fault)?;
                let genuine = all_genuine || signed.is_genuine();
                if genuine { signed.claims() } else { Err(StatementFault::BadSignature) }
            })
            .collect()
    }

    /// Takes a text apart; nothing of it is believed yet.
    fn read<'a>(&'a self, jws: &'a str) -> Result<Signed<'a>, StatementFault> {
        if jws.len() > LENGTH_MAX {
            return Err(StatementFault::Unreadable);
        }
        let key = self.key_named_in(jws)?;
        let (message, signature) = jws.rsplit_once('.').ok_or(StatementFault::Unreadable)?;
        Ok(Signed { jws, message, signature, key })
    }

    fn key_named_in(&self, jws: &str) -> Result<&Key, StatementFault> {
        let before = jws.split('.').next().unwrap_or_default();
        if let Some(key) = self.keys.iter().find(|key| key.header == before) {
            return Ok(key);
        }
        let header = jsonwebtoken::decode_header(jws).map_err(|_| StatementFault::Unreadable)?;
        if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(TYPE) {
            return Err(StatementFault::Unreadable);
        }
        let kid = header.kid.ok_or(StatementFault::UnknownKey)?;
        self.keys.iter().find(|key| key.public.kid == kid).ok_or(StatementFault::UnknownKey)
    }
}

/// The header of every statement.
fn header_of(kid: &str) -> Header {
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some(TYPE.to_owned());
    header.kid = Some(kid.to_owned());
    header
}

/// A text that looks like a statement, and the key it names.
struct Signed<'a> {
    jws: &'a str,
    message: &'a str,
    /// base64url.
    signature: &'a str,
    key: &'a Key,
}

impl Signed<'_> {
    fn is_genuine(&self) -> bool {
        crypto::verify(self.signature, self.message.as_bytes(), &self.key.decoding, Algorithm::EdDSA)
            .unwrap_or(false)
    }

    fn signature_bytes(&self) -> Option<Signature> {
        let bytes = URL_SAFE_NO_PAD.decode(self.signature).ok()?;
        Some(Signature::from_bytes(bytes.as_slice().try_into().ok()?))
    }

    /// What a genuine one says, if it hangs together.
    fn claims(&self) -> Result<Verified, StatementFault> {
        // Not the library's `decode`: its checks of time would use the system's clock.
        let statement: Statement =
            dangerous::insecure_decode_claims(self.jws).map_err(|_| StatementFault::Unreadable)?;
        if statement.iat < self.key.public.not_before || statement.iat > self.key.public.not_after {
            return Err(StatementFault::KeyNotValid);
        }
        if !statement.is_consistent() {
            return Err(StatementFault::Inconsistent);
        }
        Ok(Verified { statement })
    }
}

fn are_all_genuine(many: &[&Signed<'_>]) -> bool {
    let signatures: Option<Vec<Signature>> = many.iter().map(|signed| signed.signature_bytes()).collect();
    let Some(signatures) = signatures else { return false };
    let messages: Vec<&[u8]> = many.iter().map(|signed| signed.message.as_bytes()).collect();
    let keys: Vec<VerifyingKey> = many.iter().map(|signed| signed.key.of_many).collect();
    ed25519_dalek::verify_batch(&messages, &signatures, &keys).is_ok()
}

/// Signs `statement` with the server's private key.
///
/// # Errors
/// When the key is not an Ed25519 private key.
pub fn sign(
    statement: &Statement,
    kid: &str,
    key: &EncodingKey,
) -> Result<String, jsonwebtoken::errors::Error> {
    jsonwebtoken::encode(&header_of(kid), statement, key)
}

#[cfg(test)]
#[path = "statement_tests.rs"]
pub(crate) mod tests;
