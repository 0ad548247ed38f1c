//! Tokens, their hashes, and keyed hashes of what must be found again without being kept.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hanna_domain::{Document, Redacted};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::clock::Entropy;

/// A new opaque token of 256 bits, base64url.
pub fn token(entropy: &dyn Entropy) -> Redacted<String> {
    Redacted::new(URL_SAFE_NO_PAD.encode(entropy.bytes::<32>()))
}

/// What the database keeps of a token: its SHA-256. A token is random, so no slow hash is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    /// Hashes a token as it arrived.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }
}

/// A keyed hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mac(pub [u8; 32]);

/// The key of this server's keyed hashes; kept in the database, the same for ever.
#[derive(Clone)]
pub struct MacKey(hmac::Key);

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(•••)")
    }
}

impl MacKey {
    /// A key of these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The keyed hash of a document: whoever knows the number can search with it, nobody can read it back.
    pub fn document(&self, document: &Document) -> Mac {
        self.mac("document", &[document.kind().code(), document.number()])
    }

    /// The keyed hash of a user name as [`username_key`] gives it.
    pub fn username(&self, username_key: &str) -> Mac {
        self.mac("username", &[username_key])
    }

    /// The keyed hash of a user name under which its registrations are counted.
    pub fn registrations(&self, username_key: &str) -> Mac {
        self.mac("registrations", &[username_key])
    }

    /// The keyed hash of an account under which what others have mailed to it is counted.
    pub fn mailed_to(&self, account_id: Uuid) -> Mac {
        self.mac("mailed to", &[&account_id.to_string()])
    }

    /// The keyed hash of a registration that a code is for.
    pub fn registration(&self, id: Uuid) -> Mac {
        self.mac("registration", &[&id.to_string()])
    }

    /// The keyed hash of a forgotten password that a code is for.
    pub fn forgotten(&self, username_key: &str) -> Mac {
        self.mac("forgotten", &[username_key])
    }

    /// The keyed hash of a mailed code.
    pub fn code(&self, subject: Mac, code: &str) -> Mac {
        self.mac("code", &[&URL_SAFE_NO_PAD.encode(subject.0), code])
    }

    /// The keyed hash of `whom` under which it is counted how much of `what` they do.
    pub fn tally(&self, what: &str, whom: &str) -> Mac {
        self.mac("tally", &[what, whom])
    }

    /// The keyed hash of a user name under which codes of its second factor are counted.
    pub fn second_factor(&self, username_key: &str) -> Mac {
        self.mac("second factor", &[username_key])
    }

    /// The keyed hash of an account's recovery code.
    pub fn recovery_code(&self, account_id: Uuid, code: &str) -> Mac {
        self.mac("recovery code", &[&account_id.to_string(), code])
    }

    /// What the key is made of to which exports of outboxes are sealed.
    pub fn of_exports(&self) -> [u8; 32] {
        self.mac("export", &[]).0
    }

    /// The secret of a PC by which its exports are known. Nothing of it is kept: it is the same whenever it is asked for.
    pub fn of_device(&self, device_id: Uuid) -> [u8; 32] {
        self.mac("export device", &[&device_id.to_string()]).0
    }

    fn mac(&self, purpose: &str, parts: &[&str]) -> Mac {
        let mut context = hmac::Context::with_key(&self.0);
        for part in std::iter::once(&purpose).chain(parts) {
            context.update(part.as_bytes());
            context.update(&[0]);
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.sign().as_ref());
        Mac(bytes)
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// A user name as it is compared: without case and outer spaces.
pub fn username_key(username: &str) -> String {
    username.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hanna_domain::DocumentKind;

    #[test]
    fn keyed_hashes_depend_on_key_kind_and_number() {
        let document = |kind, number| Document::parse(kind, number).expect("a document");
        let key = MacKey::new(&[1; 32]);
        let cc = key.document(&document(DocumentKind::CC, "1045678901"));
        assert_eq!(cc, MacKey::new(&[1; 32]).document(&document(DocumentKind::CC, "1.045.678.901")));
        assert_ne!(cc, key.document(&document(DocumentKind::TI, "1045678901")));
        assert_ne!(cc, MacKey::new(&[2; 32]).document(&document(DocumentKind::CC, "1045678901")));
        assert_ne!(key.username("ana"), key.mac("document", &["ana"]));
        let pc = Uuid::from_u128(1);
        assert_eq!(key.of_device(pc), MacKey::new(&[1; 32]).of_device(pc));
        assert_ne!(key.of_device(pc), key.of_device(Uuid::from_u128(2)));
        assert_ne!(key.of_exports(), MacKey::new(&[2; 32]).of_exports());
    }

    #[test]
    fn user_names_are_compared_without_case() {
        assert_eq!(username_key(" ÑAÑA@Gym.co "), "ñaña@gym.co");
    }
}
