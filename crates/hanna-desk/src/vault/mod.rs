//! Secrets: the key of the local databases, and the refresh token.
//!
//! [`OsVault`] is the OS keyring. Where there is none, the key of the databases is kept on disk wrapped with
//! each operator's password ([`KeyFile`]), and the refresh token in memory only ([`MemoryVault`]): the session
//! does not survive a restart, what was recorded does. Nothing is ever kept in clear.

mod key_file;
mod memory;
mod os;

use hanna_domain::Redacted;

pub(crate) use key_file::write_durably;
pub use key_file::{KeyFile, KeyFileError};
pub use memory::MemoryVault;
pub use os::OsVault;

/// A place for secrets that survive a restart, or do not.
pub trait Vault: Send + Sync {
    /// The secret under `name`.
    fn get(&self, name: &str) -> Result<Option<Redacted<String>>, VaultError>;
    /// Keeps `secret` under `name`; done only when it was read back.
    fn set(&self, name: &str, secret: &Redacted<String>) -> Result<(), VaultError>;
    /// Forgets `name`. Nothing there is fine.
    fn delete(&self, name: &str) -> Result<(), VaultError>;
}

/// Why the vault did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is no keyring on this system.
    #[error("there is no keyring on this system")]
    Absent,
    /// The keyring is locked, or the person dismissed its question.
    #[error("the keyring is locked")]
    Locked,
    /// The keyring did not answer in time.
    #[error("the keyring did not answer in time")]
    TimedOut,
    /// What was written is not what was read back.
    #[error("the keyring did not keep what was written")]
    NotKept,
    /// Something else; the text is the system's and holds no secret.
    #[error("the keyring failed: {0}")]
    Failed(String),
}
