//! Coming back without the server: known operators of this PC prove themselves with their password, and a desk that was
//! left alone is locked until its operator does.
//!
//! The password is checked against an Argon2id verifier inside the encrypted database. Attempts are counted on the disk
//! before the password is looked at, and from the third wrong one on each has to wait longer than the one before. Whoever
//! was not let in by the server for as many days as the policy says has to ask it again.

use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use hanna_domain::{ClockTrust, Redacted};
use hanna_wire::me::Me;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::backend::Failure;
use crate::desk::{Desk, lock, name};
use crate::error::{DeskError, ErrorCode, Param};
use crate::store::KnownOperator;
use crate::view::Session;

/// How many wrong passwords cost nothing but the time of looking at them.
const FREE_ATTEMPTS: u32 = 2;
/// The first pause after those; each one after is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(15);

impl Desk {
    /// Signs a known operator in while the server cannot be asked. `proved`: the password has opened the databases.
    pub(crate) async fn sign_in_offline(
        &self,
        username: &str,
        password: &Redacted<String>,
        proved: bool,
        failure: Failure,
    ) -> Result<Session, DeskError> {
        let Some(known) = self.known_operator(username).await? else { return Err(failure.into()) };
        self.check_offline_days(&known)?;
        if !proved {
            self.prove(username, &known, password).await?;
        }
        let me = known.me;
        let (before, branch_id) = self
            .with_stores(|stores| {
                let before = stores.cache.reference::<Me>(name::ME)?;
                Ok((before, stores.cache.reference::<Uuid>(name::BRANCH)?))
            })
            .await?;
        let same_operator = before.is_some_and(|before| before.operator.id == me.operator.id);
        // The token of another operator is not this one's; what waits is sent once somebody signs in with the server.
        let token =
            if same_operator { self.inner.vault.get(name::REFRESH_TOKEN).ok().flatten() } else { None };
        if !same_operator {
            lock(&self.inner.tray).forget();
            // Nor after a restart: what this one asks would stand under the other's name.
            let vault = Arc::clone(&self.inner.vault);
            tokio::task::spawn_blocking(move || vault.delete(name::REFRESH_TOKEN)).await??;
            let kept = me.clone();
            self.with_stores(move |stores| stores.cache.keep_reference(name::ME, &kept)).await?;
        }
        let branch_id = branch_id.filter(|id| me.branches.iter().any(|branch| branch.id == *id));
        lock(&self.inner.session).restore(me, branch_id, token);
        self.keep_locked(false).await?;
        self.tell_status();
        self.session()
    }

    /// Locks the desk: nothing is consulted or reported until its operator unlocks it, or another one signs in. What waits
    /// is sent meanwhile.
    ///
    /// # Errors
    /// [`ErrorCode::NotSignedIn`].
    pub async fn lock_desk(&self) -> Result<Session, DeskError> {
        if !lock(&self.inner.session).set_locked(true) {
            return Err(ErrorCode::NotSignedIn.into());
        }
        lock(&self.inner.tray).clear();
        self.keep_locked(true).await?;
        self.session()
    }

    /// Unlocks the desk with the password of the operator who is signed in.
    ///
    /// # Errors
    /// [`ErrorCode::WrongCredentials`], [`ErrorCode::SlowDown`] after too many wrong ones.
    pub async fn unlock_desk(&self, password: &Redacted<String>) -> Result<Session, DeskError> {
        let username = self.session()?.operator.username;
        let Some(known) = self.known_operator(&username).await? else {
            // Nothing to compare with: a cache made anew. The server knows.
            return self.sign_in(&username, password).await;
        };
        self.prove(&username, &known, password).await?;
        lock(&self.inner.session).set_locked(false);
        self.keep_locked(false).await?;
        self.session()
    }

    /// Keeps what is needed to know the operator again: the server has just let them in.
    pub(crate) async fn remember_operator(&self, username: &str, password: &Redacted<String>, me: Me) {
        let mut salt = [0; 16];
        self.inner.chance.fill(&mut salt);
        let (_, now) = self.now();
        let (username, password) = (username.to_owned(), password.clone());
        let kept = self
            .with_stores(move |stores| match verifier(&password, &salt) {
                Some(verifier) => stores.cache.keep_operator(&username, &verifier, &me, now),
                None => Ok(()),
            })
            .await;
        if let Err(error) = kept {
            tracing::warn!(%error, "the operator cannot come back without the server");
        }
    }

    async fn known_operator(&self, username: &str) -> Result<Option<KnownOperator>, DeskError> {
        let username = username.to_owned();
        self.with_stores(move |stores| stores.cache.operator(&username)).await
    }

    /// The days are counted by a clock that must be believed for it.
    fn check_offline_days(&self, known: &KnownOperator) -> Result<(), DeskError> {
        let (device_time, now) = self.now();
        let policy = &known.me.policy;
        let skew_max = SignedDuration::from_mins(i64::from(policy.clock_skew_max_min));
        if self.clock_mark().trust(device_time, skew_max) != ClockTrust::Trusted {
            return Err(ErrorCode::ClockWrong.into());
        }
        let longest = SignedDuration::from_hours(24 * i64::from(policy.offline_days_max));
        if now.duration_since(known.online_at) > longest {
            return Err(ErrorCode::OfflineTooLong.into());
        }
        Ok(())
    }

    /// Checks the password, slowly on purpose, and slower after each wrong one.
    async fn prove(
        &self,
        username: &str,
        known: &KnownOperator,
        password: &Redacted<String>,
    ) -> Result<(), DeskError> {
        let now = self.inner.clock.now();
        let wait = known.next_attempt_at.duration_since(now);
        // A clock put back must not make anybody wait for days.
        let wait = Duration::try_from(wait).unwrap_or_default().min(LONGEST_PAUSE);
        if !wait.is_zero() {
            let seconds = Param::Number(wait.as_secs().max(1));
            return Err(DeskError::new(ErrorCode::SlowDown).with("retry_after_s", seconds));
        }
        let failures = known.failures.saturating_add(1);
        let next_attempt_at = now + pause(failures);
        let (name, verifier, password) = (username.to_owned(), known.verifier.clone(), password.clone());
        let right = self
            .with_stores(move |stores| {
                stores.cache.note_attempt(&name, failures, next_attempt_at)?;
                let right = matches(&password, &verifier);
                if right {
                    stores.cache.note_attempt(&name, 0, Timestamp::UNIX_EPOCH)?;
                }
                Ok(right)
            })
            .await?;
        if right { Ok(()) } else { Err(ErrorCode::WrongCredentials.into()) }
    }

    async fn keep_locked(&self, locked: bool) -> Result<(), DeskError> {
        self.with_stores(move |stores| stores.cache.keep_reference(name::LOCKED, locked)).await
    }
}

/// How long the next attempt has to wait after this many wrong ones.
fn pause(failures: u32) -> Duration {
    match failures.checked_sub(FREE_ATTEMPTS + 1) {
        None => Duration::ZERO,
        Some(more) => FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(more)).min(LONGEST_PAUSE),
    }
}

fn verifier(password: &Redacted<String>, salt: &[u8; 16]) -> Option<String> {
    let hash = Argon2::default().hash_password_with_salt(password.expose().as_bytes(), salt);
    hash.map(|hash: PasswordHash| hash.to_string())
        .inspect_err(|error| tracing::error!(%error, "a verifier could not be made"))
        .ok()
}

fn matches(password: &Redacted<String>, verifier: &str) -> bool {
    PasswordHash::new(verifier)
        .is_ok_and(|hash| Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_matches() {
        let secret = |text: &str| Redacted::new(text.to_owned());
        let kept = verifier(&secret("una clave larga"), &[7; 16]).expect("hashed");
        assert!(matches(&secret("una clave larga"), &kept));
        for wrong in ["", "una clave larga ", "Una clave larga"] {
            assert!(!matches(&secret(wrong), &kept), "{wrong:?}");
        }
        assert!(!matches(&secret("una clave larga"), "nothing"));
    }

    #[test]
    fn each_wrong_password_waits_longer_up_to_a_quarter_of_an_hour() {
        let pauses: Vec<u64> = (0..14).map(|failures| pause(failures).as_secs()).collect();
        assert_eq!(pauses, [0, 0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}
