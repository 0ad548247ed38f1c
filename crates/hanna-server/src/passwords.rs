//! Passwords: Argon2id, off the async threads, a few at a time.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use hanna_domain::Redacted;
use tokio::sync::Semaphore;

/// Each check takes 19 MiB and tens of milliseconds of a core; more at once would only take memory.
const AT_ONCE_MAX: usize = 4;

/// Checked in place of the hash that an unknown user does not have, so that both take the same time. Of no known
/// password; the parameters are those of [`hash`], which a test asserts.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$aGFubmEtbm9ib2R5LTAwMA$\
                      3DdKkVbQ0Zx1p8p6m0n2l0oY1f0Jq9Qm7W1d5n0a0bE";

/// A password could not be hashed or checked at all.
#[derive(Debug, thiserror::Error)]
#[error("the password check failed: {0}")]
pub struct PasswordFault(String);

/// Checks passwords.
#[derive(Debug, Clone)]
pub struct Passwords {
    places: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE_MAX)) }
    }
}

impl Passwords {
    /// Whether `password` is the one of `stored` (a PHC string). No stored hash, or an account that has no password yet: the
    /// same work, and `false`.
    pub async fn matches(
        &self,
        password: Redacted<String>,
        stored: Option<String>,
    ) -> Result<bool, PasswordFault> {
        let stored = stored.filter(|hash| !hash.is_empty());
        let fault = |error: &dyn std::fmt::Display| PasswordFault(error.to_string());
        let place = self.places.clone().acquire_owned().await.map_err(|error| fault(&error))?;
        let check = move || {
            let _place = place;
            let known = stored.is_some();
            let stored = stored.unwrap_or_else(|| NOBODY.to_owned());
            let parsed = PasswordHash::new(&stored).map_err(|error| PasswordFault(error.to_string()))?;
            let right = Argon2::default().verify_password(password.expose().as_bytes(), &parsed).is_ok();
            Ok(right && known)
        };
        tokio::task::spawn_blocking(check).await.map_err(|error| fault(&error))?
    }

    /// Hashes `password` into a PHC string.
    pub async fn hash(
        &self,
        password: Redacted<String>,
        salt: [u8; 16],
    ) -> Result<Redacted<String>, PasswordFault> {
        let fault = |error: &dyn std::fmt::Display| PasswordFault(error.to_string());
        let place = self.places.clone().acquire_owned().await.map_err(|error| fault(&error))?;
        let work = move || {
            let _place = place;
            hash(password.expose(), &salt).map(Redacted::new)
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| fault(&error))?
    }
}

/// Hashes `password` into a PHC string. Takes tens of milliseconds.
pub fn hash(password: &str, salt: &[u8; 16]) -> Result<String, PasswordFault> {
    Argon2::default()
        .hash_password_with_salt(password.as_bytes(), salt)
        .map(|hash: PasswordHash| hash.to_string())
        .map_err(|error| PasswordFault(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_matches() {
        let stored = hash("una clave larga", &[7; 16]).expect("hashed");
        let passwords = Passwords::default();
        let check = |text: &str, stored: Option<&String>| {
            passwords.matches(Redacted::new(text.to_owned()), stored.cloned())
        };
        assert!(check("una clave larga", Some(&stored)).await.expect("checked"));
        assert!(!check("una clave larga ", Some(&stored)).await.expect("checked"));
        assert!(!check("", Some(&stored)).await.expect("checked"));
        assert!(!check("una clave larga", None).await.expect("checked"));
        assert!(!check("", Some(&String::new())).await.expect("checked"), "no password yet");
    }

    #[test]
    fn the_stand_in_costs_what_a_real_hash_costs() {
        let real = hash("x", &[7; 16]).expect("hashed");
        let real = PasswordHash::new(&real).expect("a PHC string");
        let nobody = PasswordHash::new(NOBODY).expect("a PHC string");
        assert_eq!((real.algorithm, real.version), (nobody.algorithm, nobody.version));
        assert_eq!(real.params.to_string(), nobody.params.to_string());
        assert_eq!(
            real.hash.expect("a hash").as_bytes().len(),
            nobody.hash.expect("a hash").as_bytes().len()
        );
    }
}
