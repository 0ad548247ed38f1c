//! A vault that forgets when the program ends.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use hanna_domain::Redacted;

use super::{Vault, VaultError};

/// Keeps secrets in memory, for systems without a keyring.
#[derive(Debug, Default)]
pub struct MemoryVault(Mutex<BTreeMap<String, Redacted<String>>>);

impl Vault for MemoryVault {
    fn get(&self, name: &str) -> Result<Option<Redacted<String>>, VaultError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned())
    }

    fn set(&self, name: &str, secret: &Redacted<String>) -> Result<(), VaultError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), secret.clone());
        Ok(())
    }

    fn delete(&self, name: &str) -> Result<(), VaultError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(())
    }
}
