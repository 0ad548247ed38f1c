//! Falsified statements: those of a man in the middle, and those that stand for a fault of the desk's own.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hanna_domain::statement::{PublicKey, sign};
use hanna_domain::{Affiliate, AffiliateRole, AffiliateStatus, Statement, Tariff};
use hanna_tests::template::begin;
use hanna_wire::lookup::LookupRequest;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::EncodingKey;
use uuid::Uuid;

use crate::faults::Fault;
use crate::model::{Model, claims};

/// What the impostor calls its key.
const KID: &str = "impostor";
const SEED: [u8; 32] = [13; 32];

/// What the man in the middle makes of `genuine`, the answer to `request`. None: he has nothing to make it of.
pub fn falsified(fault: Fault, genuine: &str, request: &LookupRequest, model: &Model) -> Option<String> {
    let (number, branch_id) = (request.document.number(), request.branch_id);
    let played_back = |fits: &dyn Fn(&Statement) -> bool| {
        let fits = |claims: &Statement| claims.usable && fits(claims);
        model.last_issued(fits).map(|issued| issued.jws.clone())
    };
    match fault {
        Fault::ForgedSignature => {
            let (_, signature) = genuine.rsplit_once('.')?;
            let forged = signed(&made_usable(claims(genuine)?), &kid_of(genuine)?, &impostor());
            Some(format!("{}.{signature}", forged.rsplit_once('.')?.0))
        }
        Fault::ForgedKey => Some(signed(&made_usable(claims(genuine)?), KID, &impostor())),
        Fault::OtherPerson => {
            played_back(&|claims| claims.branch_id == branch_id && claims.document.number() != number)
        }
        Fault::OtherBranch => {
            played_back(&|claims| claims.branch_id != branch_id && claims.document.number() == number)
        }
        Fault::OldAnswer => played_back(&|claims| {
            claims.branch_id == branch_id
                && claims.document.number() == number
                && claims.lookup_id != request.id
        }),
        _ => None,
    }
}

/// The statement as if it were about what was asked: what a desk sees that does not look whom it is about.
pub fn as_if_about(jws: &str, request: &LookupRequest, (kid, pkcs8): &(String, Vec<u8>)) -> Option<String> {
    let mut claims = claims(jws)?;
    claims.document = request.document.clone();
    claims.branch_id = request.branch_id;
    claims.lookup_id = request.id;
    Some(signed(&claims, kid, &EncodingKey::from_ed_der(pkcs8)))
}

/// A usable statement the server never issued.
pub fn out_of_nothing(
    request: &LookupRequest,
    entity_id: Uuid,
    now: Timestamp,
    (kid, pkcs8): &(String, Vec<u8>),
) -> String {
    let claims = Statement {
        jti: request.id,
        iat: now,
        nbf: now,
        exp: now + SignedDuration::from_hours(24),
        next_update: now + SignedDuration::from_hours(12),
        lookup_id: request.id,
        document: request.document.clone(),
        entity_id,
        branch_id: request.branch_id,
        affiliate: None,
        tariff: Tariff::A,
        usable: true,
        reasons: Vec::new(),
        used_today: Vec::new(),
    };
    signed(&made_usable(claims), kid, &EncodingKey::from_ed_der(pkcs8))
}

/// The impostor's key as the server would list it.
pub fn impostor_key() -> PublicKey {
    let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).expect("a key");
    PublicKey {
        kty: "OKP".into(),
        crv: "Ed25519".into(),
        kid: KID.into(),
        x: URL_SAFE_NO_PAD.encode(pair.public_key().as_ref()),
        not_before: begin() - SignedDuration::from_hours(24),
        not_after: begin() + SignedDuration::from_hours(24 * 365),
    }
}

fn impostor() -> EncodingKey {
    let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).expect("a key");
    EncodingKey::from_ed_der(pair.to_pkcs8v1().expect("a key").as_ref())
}

fn made_usable(mut claims: Statement) -> Statement {
    claims.usable = true;
    claims.reasons.clear();
    claims.affiliate.get_or_insert_with(|| Affiliate {
        role: AffiliateRole::Worker,
        first_surname: "NADIE".into(),
        second_surname: None,
        first_name: "NADIE".into(),
        second_name: None,
        status: AffiliateStatus::Active,
        tariff: Tariff::A,
        company: None,
    });
    claims
}

fn kid_of(jws: &str) -> Option<String> {
    jsonwebtoken::decode_header(jws).ok()?.kid
}

fn signed(claims: &Statement, kid: &str, key: &EncodingKey) -> String {
    sign(claims, kid, key).expect("signed")
}
