//! The key of the local databases.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use hanna_domain::Redacted;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::StoreError;
use crate::ports::Chance;
use crate::vault::write_durably;

/// The file that says which key made the databases, without telling the key.
const FINGERPRINT_FILE: &str = "databases.key-id";

/// 256 random bits, used raw. Never shown, wiped when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct DatabaseKey([u8; 32]);

impl std::fmt::Debug for DatabaseKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DatabaseKey(•••)")
    }
}

impl DatabaseKey {
    /// The key with these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A new key.
    pub fn generate(chance: &dyn Chance) -> Self {
        let mut bytes = [0; 32];
        chance.fill(&mut bytes);
        Self(bytes)
    }

    /// The key as text, for the keyring: 64 hexadecimal digits.
    pub fn to_hex(&self) -> Redacted<String> {
        Redacted::new(hex(&self.0))
    }

    /// The key from [`Self::to_hex`]'s text.
    pub fn from_hex(text: &Redacted<String>) -> Option<Self> {
        let text = text.expose();
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// The bytes.
    pub(crate) const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The statement that gives SQLCipher the raw key, skipping its key derivation.
    pub(super) fn pragma(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("PRAGMA key = \"x'{}'\"", hex(&self.0)))
    }

    /// Says which key this is: enough to notice another key, nothing to find the key with.
    fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"hanna-convenios database key id");
        hash.update(self.0);
        hex(hash.finalize().get(..8).unwrap_or_default())
    }

    /// Refuses to go on with another key than the one the databases of `folder` were made with. SQLCipher alone
    /// cannot tell a wrong key from a damaged file.
    pub(super) fn check_fingerprint(&self, folder: &Path) -> Result<(), StoreError> {
        match kept_fingerprint(folder)? {
            Some(kept) if kept != self.fingerprint() => Err(StoreError::WrongKey),
            _ => Ok(()),
        }
    }

    pub(super) fn keep_fingerprint(&self, folder: &Path) -> Result<(), StoreError> {
        if kept_fingerprint(folder)?.is_none() {
            write_durably(&folder.join(FINGERPRINT_FILE), self.fingerprint().as_bytes())?;
        }
        Ok(())
    }
}

/// What the file says. One that a power cut left empty says nothing.
fn kept_fingerprint(folder: &Path) -> Result<Option<String>, StoreError> {
    match fs::read_to_string(folder.join(FINGERPRINT_FILE)) {
        Ok(kept) => Ok(Some(kept.trim().to_owned()).filter(|kept| !kept.is_empty())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Two hexadecimal digits a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::System;

    #[test]
    fn hex_round_trips_and_nothing_else_is_taken() {
        let key = DatabaseKey::generate(&System);
        assert_eq!(DatabaseKey::from_hex(&key.to_hex()), Some(key.clone()));
        for bad in ["", "00", &"zz".repeat(32), &"é".repeat(32)] {
            assert_eq!(DatabaseKey::from_hex(&Redacted::new((*bad).to_owned())), None);
        }
        assert!(!format!("{key:?}").contains(&key.to_hex().expose()[..8]));
    }
}
