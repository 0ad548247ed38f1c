//! The keys that sign statements.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hanna_domain::statement::{self, KeySet, PublicKey, Verifier};
use hanna_domain::{Redacted, Statement};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::EncodingKey;
use sha2::{Digest, Sha256};

use crate::clock::Entropy;
use crate::signer::ListedKey;
use hanna_wire::agreement::VALIDITY_H_MAX;

/// How long a key signs.
const KEY_VALIDITY: SignedDuration = SignedDuration::from_hours(24 * 365);
/// A new key is valid from a little before it was made: claims count in whole seconds, and other processes have their
/// own clocks.
const KEY_MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// The most keys a key set of the contract has.
const LISTED_MAX: usize = 32;

/// A key as the database keeps it.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// What statements call it.
    pub kid: String,
    /// The private key, PKCS #8.
    pub pkcs8: Redacted<Vec<u8>>,
    /// The public key, 32 bytes.
    pub public_key: Vec<u8>,
    /// It signs nothing before.
    pub not_before: Timestamp,
    /// It signs nothing after.
    pub not_after: Timestamp,
}

/// A key cannot be made or used.
#[derive(Debug, thiserror::Error)]
#[error("a signing key cannot be used: {0}")]
pub struct KeyFault(String);

impl SigningKey {
    /// Makes a key that is valid from now on.
    pub fn make(entropy: &dyn Entropy, now: Timestamp) -> Result<Self, KeyFault> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&entropy.bytes::<32>())
            .map_err(|error| KeyFault(error.to_string()))?;
        let pkcs8 = pair.to_pkcs8v1().map_err(|error| KeyFault(error.to_string()))?;
        let public_key = pair.public_key().as_ref().to_vec();
        // Named after itself, so that two servers never call different keys the same.
        let kid = URL_SAFE_NO_PAD.encode(&Sha256::digest(&public_key)[..12]);
        Ok(Self {
            kid,
            pkcs8: Redacted::new(pkcs8.as_ref().to_vec()),
            public_key,
            not_before: now - KEY_MARGIN,
            not_after: now + KEY_VALIDITY,
        })
    }

    /// Whether it may sign at `now`.
    pub fn signs_at(&self, now: Timestamp) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    fn public(&self) -> PublicKey {
        PublicKey {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            kid: self.kid.clone(),
            x: URL_SAFE_NO_PAD.encode(&self.public_key),
            not_before: self.not_before,
            not_after: self.not_after,
        }
    }
}

/// Every key this server has or had.
#[derive(Debug)]
pub struct KeyRing {
    /// Newest first.
    keys: Vec<SigningKey>,
    verifier: Verifier,
}

impl KeyRing {
    /// A ring of `keys`, given in the order in which they were made.
    pub fn new(mut keys: Vec<SigningKey>) -> Self {
        // Two of the same moment: the one made last is the newer one.
        keys.reverse();
        keys.sort_by_key(|key| std::cmp::Reverse(key.not_before));
        let verifier = Verifier::new(&KeySet { keys: keys.iter().map(SigningKey::public).collect() });
        Self { keys, verifier }
    }

    /// The key that signs at `now`: of those that may, the newest.
    pub fn current(&self, now: Timestamp) -> Option<&SigningKey> {
        self.keys.iter().find(|key| key.signs_at(now))
    }

    /// The newest key of all, whether or not it may still sign.
    pub fn newest(&self) -> Option<&SigningKey> {
        self.keys.first()
    }

    /// Signs with the current key; `None` when there is none.
    pub fn sign(&self, statement: &Statement) -> Option<Result<String, KeyFault>> {
        let key = self.current(statement.iat)?;
        let private = EncodingKey::from_ed_der(key.pkcs8.expose());
        Some(statement::sign(statement, &key.kid, &private).map_err(|error| KeyFault(error.to_string())))
    }

    /// Verifies with every key there ever was: a desk may deliver a use long after it happened.
    pub const fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Every key, the newest first.
    pub fn list(&self, now: Timestamp) -> Vec<ListedKey> {
        let current = self.current(now).map(|key| &key.kid);
        let listed = |key: &SigningKey| ListedKey {
            kid: key.kid.clone(),
            not_before: key.not_before,
            not_after: key.not_after,
            signs: current == Some(&key.kid),
        };
        self.keys.iter().map(listed).collect()
    }

    /// The keys a desk still needs: statements live on for a while after their key signs no more.
    pub fn public(&self, now: Timestamp) -> KeySet {
        let longest = SignedDuration::from_hours(i64::from(VALIDITY_H_MAX));
        let needed = |key: &&SigningKey| now.duration_since(key.not_after) <= longest;
        KeySet { keys: self.keys.iter().filter(needed).take(LISTED_MAX).map(SigningKey::public).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestEntropy;
    use jiff::ToSpan;

    #[test]
    fn old_keys_are_listed_while_their_statements_live_and_verify_for_ever() {
        let entropy = TestEntropy::new(1);
        let year_0: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a timestamp");
        let old = SigningKey::make(&entropy, year_0).expect("a key");
        let year_1 = old.not_after - 24.hours();
        let new = SigningKey::make(&entropy, year_1).expect("a key");
        let ring = KeyRing::new(vec![old.clone(), new.clone()]);

        assert_eq!(ring.current(year_0).map(|key| &key.kid), Some(&old.kid));
        assert_eq!(ring.current(year_1).map(|key| &key.kid), Some(&new.kid));
        let listed = |now| ring.public(now).keys.into_iter().map(|key| key.kid).collect::<Vec<_>>();
        assert_eq!(listed(old.not_after + 48.hours()), [new.kid.clone(), old.kid.clone()]);
        assert_eq!(listed(old.not_after + 49.hours()).join(" "), new.kid);
        assert!(ring.current(new.not_after + 1.second()).is_none());
        assert!(format!("{old:?}").contains("pkcs8: •••"), "the private key stays hidden");
    }
}
