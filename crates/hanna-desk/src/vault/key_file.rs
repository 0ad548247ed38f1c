//! The key of the databases where there is no keyring: on disk, wrapped with each operator's password.
//!
//! `key.json` has one slot for each operator who has signed in on this PC:
//! XChaCha20-Poly1305(Argon2id(password, salt), key). Opening a slot proves the password. The slot's name is a
//! hash of the user name, so that the file names nobody.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use argon2::Argon2;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hanna_domain::Redacted;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::ports::Chance;
use crate::store::DatabaseKey;

/// The wrapped keys.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    slots: Vec<Slot>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Slot {
    operator: String,
    salt: String,
    nonce: String,
    wrapped: String,
}

/// Why the key cannot be had from the file.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("the key file cannot be used")]
    Io(#[from] io::Error),
    /// The file is not what this program wrote.
    #[error("the key file is damaged")]
    Damaged,
    /// The password does not open this operator's slot.
    #[error("the password does not open the key")]
    WrongPassword,
}

impl KeyFile {
    /// Reads the file at `path`; none there means no slots yet.
    ///
    /// # Errors
    /// See [`KeyFileError`].
    pub fn open(path: &Path) -> Result<Self, KeyFileError> {
        let slots = match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| KeyFileError::Damaged)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        Ok(Self { path: path.to_owned(), slots })
    }

    /// Whether no operator has a slot yet.
    pub const fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Whether `username` has a slot.
    pub fn knows(&self, username: &str) -> bool {
        self.slot(username).is_some()
    }

    fn slot(&self, username: &str) -> Option<&Slot> {
        let name = slot_name(username);
        self.slots.iter().find(|slot| slot.operator == name)
    }

    /// Opens the slot of `username`; slow on purpose.
    ///
    /// # Errors
    /// [`KeyFileError::WrongPassword`] also when there is no slot.
    pub fn unwrap_key(
        &self,
        username: &str,
        password: &Redacted<String>,
    ) -> Result<DatabaseKey, KeyFileError> {
        let slot = self.slot(username).ok_or(KeyFileError::WrongPassword)?;
        let salt = decode(&slot.salt)?;
        let nonce: [u8; 24] = decode(&slot.nonce)?.try_into().map_err(|_| KeyFileError::Damaged)?;
        let opened = cipher(password, &salt)?
            .decrypt(&XNonce::from(nonce), decode(&slot.wrapped)?.as_slice())
            .map_err(|_| KeyFileError::WrongPassword)?;
        let key: [u8; 32] =
            Zeroizing::new(opened).as_slice().try_into().map_err(|_| KeyFileError::Damaged)?;
        Ok(DatabaseKey::new(key))
    }

    /// Gives `username` a slot for `key`, replacing an older one, and writes the file durably.
    ///
    /// # Errors
    /// [`KeyFileError::Io`] when it cannot be written; the file of before is then still there.
    pub fn wrap_key(
        &mut self,
        username: &str,
        password: &Redacted<String>,
        key: &DatabaseKey,
        chance: &dyn Chance,
    ) -> Result<(), KeyFileError> {
        let (mut salt, mut nonce) = ([0; 16], [0; 24]);
        chance.fill(&mut salt);
        chance.fill(&mut nonce);
        let wrapped = cipher(password, &salt)?
            .encrypt(&XNonce::from(nonce), key.expose().as_slice())
            .map_err(|_| KeyFileError::Damaged)?;
        let operator = slot_name(username);
        let mut slots = self.slots.clone();
        slots.retain(|slot| slot.operator != operator);
        slots.push(Slot {
            operator,
            salt: STANDARD.encode(salt),
            nonce: STANDARD.encode(nonce),
            wrapped: STANDARD.encode(wrapped),
        });
        let text = serde_json::to_vec_pretty(&slots).map_err(|_| KeyFileError::Damaged)?;
        write_durably(&self.path, &text)?;
        self.slots = slots;
        Ok(())
    }
}

/// Writes beside, flushes, and renames over: after a power cut there is the old file or the new one.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = fs::File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    if let Some(folder) = path.parent() {
        // Directories cannot be opened for this on every system; where they can, the rename is flushed too.
        if let Ok(folder) = fs::File::open(folder) {
            folder.sync_all()?;
        }
    }
    Ok(())
}

fn slot_name(username: &str) -> String {
    STANDARD.encode(Sha256::digest(username.trim().to_lowercase()))
}

fn decode(text: &str) -> Result<Vec<u8>, KeyFileError> {
    STANDARD.decode(text).map_err(|_| KeyFileError::Damaged)
}

fn cipher(password: &Redacted<String>, salt: &[u8]) -> Result<XChaCha20Poly1305, KeyFileError> {
    let mut derived = Zeroizing::new([0; 32]);
    Argon2::default()
        .hash_password_into(password.expose().as_bytes(), salt, derived.as_mut_slice())
        .map_err(|_| KeyFileError::Damaged)?;
    Ok(XChaCha20Poly1305::new(&Key::from(*derived)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::System;

    fn password(text: &str) -> Redacted<String> {
        Redacted::new(text.to_owned())
    }

    #[test]
    fn each_operator_opens_the_same_key_with_the_own_password_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key.json");
        let key = DatabaseKey::generate(&System);
        let mut file = KeyFile::open(&path).expect("an absent file is empty");
        assert!(file.is_empty());
        file.wrap_key("Ana@gym.co", &password("clave de ana"), &key, &System).expect("wrapped");
        file.wrap_key("luis@gym.co", &password("clave de luis"), &key, &System).expect("wrapped");

        let file = KeyFile::open(&path).expect("written");
        assert_eq!(file.unwrap_key("ana@gym.co ", &password("clave de ana")).expect("opened"), key);
        assert_eq!(file.unwrap_key("luis@gym.co", &password("clave de luis")).expect("opened"), key);
        for (user, wrong) in [("ana@gym.co", "clave de luis"), ("eva@gym.co", "clave de ana")] {
            assert!(matches!(file.unwrap_key(user, &password(wrong)), Err(KeyFileError::WrongPassword)));
        }
        let text = fs::read_to_string(&path).expect("text");
        assert!(!text.contains("gym") && !text.contains(&STANDARD.encode(key.expose())));
    }

    #[test]
    fn a_damaged_file_is_said_to_be_damaged_and_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key.json");
        fs::write(&path, b"[{").expect("written");
        assert!(matches!(KeyFile::open(&path), Err(KeyFileError::Damaged)));
        assert_eq!(fs::read(&path).expect("still there"), b"[{");
    }
}
