//! Statements that must and must not be believed.

use std::sync::LazyLock;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::ToSpan;

use super::*;
use crate::{AffiliateRole, AffiliateStatus, Company, CompanyStatus, DocumentKind};

/// A signing key for tests.
pub(crate) struct Signer {
    kid: String,
    private: EncodingKey,
    x: String,
}

impl Signer {
    pub(crate) fn new(kid: &str) -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new()).expect("a key");
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("a key");
        Self {
            kid: kid.to_owned(),
            private: EncodingKey::from_ed_der(pkcs8.as_ref()),
            x: URL_SAFE_NO_PAD.encode(pair.public_key().as_ref()),
        }
    }

    pub(crate) fn sign(&self, statement: &Statement) -> String {
        sign(statement, &self.kid, &self.private).expect("signed")
    }

    pub(crate) fn public(&self) -> PublicKey {
        PublicKey {
            kty: "OKP".into(),
            crv: "Ed25519".into(),
            kid: self.kid.clone(),
            x: self.x.clone(),
            not_before: "2026-01-01T00:00:00Z".parse().expect("time"),
            not_after: "2027-01-01T00:00:00Z".parse().expect("time"),
        }
    }

    pub(crate) fn verifier(&self) -> Verifier {
        Verifier::new(&KeySet { keys: vec![self.public()] })
    }

    pub(crate) fn verified(&self, statement: &Statement) -> Verified {
        self.verifier().verify_any(&self.sign(statement)).expect("verified")
    }
}

pub(crate) fn statement() -> Statement {
    let iat: Timestamp = "2026-11-22T15:00:00Z".parse().expect("time");
    Statement {
        jti: Uuid::from_u128(1),
        iat,
        nbf: iat,
        exp: iat + 24.hours(),
        next_update: iat + 12.hours(),
        lookup_id: Uuid::from_u128(2),
        document: document("1045678901"),
        entity_id: Uuid::from_u128(3),
        branch_id: Uuid::from_u128(4),
        affiliate: Some(Affiliate {
            role: AffiliateRole::Worker,
            first_surname: "PÉREZ".into(),
            second_surname: Some("GÓMEZ".into()),
            first_name: "JUAN".into(),
            second_name: None,
            status: AffiliateStatus::Active,
            tariff: Tariff::B,
            company: Some(Company { name: "TRANSPORTES DEL NORTE".into(), status: CompanyStatus::Active }),
        }),
        tariff: Tariff::B,
        usable: true,
        reasons: vec![],
        used_today: vec![],
    }
}

fn document(number: &str) -> Document {
    Document::parse(DocumentKind::CC, number).expect("a cédula")
}

static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::new("k1"));

fn check(jws: &str) -> Result<Verified, StatementFault> {
    let claims = statement();
    let expected = Expected {
        document: &claims.document,
        branch_id: claims.branch_id,
        lookup_id: Some(claims.lookup_id),
    };
    SIGNER.verifier().verify(jws, expected)
}

#[test]
fn what_was_signed_is_what_is_read() {
    let verified = check(&SIGNER.sign(&statement())).expect("believed");
    assert_eq!(verified.statement(), &statement());
}

#[test]
fn every_changed_byte_is_noticed() {
    let jws = SIGNER.sign(&statement());
    for at in 0..jws.len() {
        let mut bytes = jws.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).expect("ascii");
        // The last character of the signature has padding bits; a strict decoder refuses them, which is fine too.
        assert!(check(&changed).is_err(), "byte {at}");
    }
    for length in [0, 1, jws.len() / 2, jws.len() - 1] {
        assert!(check(&jws[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn a_statement_about_anything_else_is_refused() {
    let mut other = statement();
    other.document = document("1045678902");
    assert_eq!(check(&SIGNER.sign(&other)), Err(StatementFault::OtherPerson));
    let mut other = statement();
    other.branch_id = Uuid::from_u128(99);
    assert_eq!(check(&SIGNER.sign(&other)), Err(StatementFault::OtherBranch));
    let mut other = statement();
    other.lookup_id = Uuid::from_u128(99);
    assert_eq!(check(&SIGNER.sign(&other)), Err(StatementFault::OtherLookup));
}

#[test]
fn foreign_keys_and_foreign_algorithms_are_refused() {
    assert_eq!(check(&Signer::new("k2").sign(&statement())), Err(StatementFault::UnknownKey));
    assert_eq!(check(&Signer::new("k1").sign(&statement())), Err(StatementFault::BadSignature));

    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims = part(&serde_json::to_string(&statement()).expect("json"));
    let none = format!("{}.{claims}.", part(r#"{"alg":"none","typ":"hanna-statement+jwt","kid":"k1"}"#));
    assert_eq!(check(&none), Err(StatementFault::Unreadable));
    // The public key used as an HMAC secret: the classic confusion.
    let mut header = Header::new(Algorithm::HS256);
    header.typ = Some(TYPE.into());
    header.kid = Some("k1".into());
    let public = EncodingKey::from_secret(SIGNER.x.as_bytes());
    let confused = jsonwebtoken::encode(&header, &statement(), &public).expect("signed");
    assert_eq!(check(&confused), Err(StatementFault::Unreadable));
    // A genuine signature over another kind of token.
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some("k1".into());
    let other_type = jsonwebtoken::encode(&header, &statement(), &SIGNER.private).expect("signed");
    assert_eq!(check(&other_type), Err(StatementFault::Unreadable));
}

#[test]
fn a_key_signs_only_inside_its_validity() {
    let mut early = statement();
    early.iat = "2025-12-31T23:59:59Z".parse().expect("time");
    assert_eq!(check(&SIGNER.sign(&early)), Err(StatementFault::KeyNotValid));
    let mut late = statement();
    late.iat = "2027-01-01T00:00:01Z".parse().expect("time");
    assert_eq!(check(&SIGNER.sign(&late)), Err(StatementFault::KeyNotValid));
}

#[test]
fn claims_that_contradict_each_other_are_refused() {
    let cases: [fn(&mut Statement); 5] = [
        |s| s.reasons = vec![Reason::CompanySuspended],
        |s| s.usable = false,
        |s| s.affiliate = None,
        |s| {
            s.usable = false;
            s.reasons = vec![Reason::NotAffiliated];
        },
        |s| s.exp = s.nbf,
    ];
    for change in cases {
        let mut claims = statement();
        change(&mut claims);
        assert_eq!(check(&SIGNER.sign(&claims)), Err(StatementFault::Inconsistent));
    }
}

#[test]
fn text_that_is_no_statement_is_unreadable_whatever_its_size() {
    for text in ["", ".", "..", "<html>", "a.b.c", &"x".repeat(LENGTH_MAX + 1)] {
        assert_eq!(check(text), Err(StatementFault::Unreadable));
    }
}

/// Many at once are judged as each alone, whatever stands between them.
#[test]
fn each_of_many_is_judged_as_alone() {
    let (ours, theirs) = (Signer::new("k1"), Signer::new("k1"));
    let about = |n: u128| Statement { jti: Uuid::from_u128(n), ..statement() };
    let genuine: Vec<String> = (1..=40).map(|n| ours.sign(&about(n))).collect();
    let verifier = ours.verifier();
    let each = |many: &[String]| verifier.verify_each(&many.iter().map(String::as_str).collect::<Vec<_>>());

    let all = each(&genuine);
    assert!(
        all.iter()
            .zip(1..)
            .all(|(one, n)| one.as_ref().is_ok_and(|one| one.statement().jti == Uuid::from_u128(n)))
    );
    assert!(each(&[]).is_empty());

    let (content, signature) = genuine[0].rsplit_once('.').expect("a JWS");
    let other = genuine[1].rsplit_once('.').expect("a JWS").1;
    let wrong = [
        (theirs.sign(&about(1)), StatementFault::BadSignature),
        (format!("{content}.{other}"), StatementFault::BadSignature),
        (format!("{content}.{}", &signature[..40]), StatementFault::BadSignature),
        (format!("{content}.{}", URL_SAFE_NO_PAD.encode([0; 64])), StatementFault::BadSignature),
        (Signer::new("k2").sign(&about(1)), StatementFault::UnknownKey),
        ("three.little.words".to_owned(), StatementFault::Unreadable),
        (ours.sign(&Statement { usable: false, ..about(1) }), StatementFault::Inconsistent),
    ];
    for (text, fault) in wrong {
        for at in [0, 20, 40] {
            let mut many = genuine.clone();
            many.insert(at, text.clone());
            let judged = each(&many);
            assert_eq!(judged[at], Err(fault), "{fault} in place {at}");
            assert_eq!(judged[at], verifier.verify_any(&text), "as alone");
            assert_eq!(judged.iter().filter(|one| one.is_ok()).count(), genuine.len());
        }
    }
}
