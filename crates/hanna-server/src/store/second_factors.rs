//! Second factors: the secrets of authenticator applications, and the recovery codes.

use async_trait::async_trait;
use hanna_domain::Redacted;
use hanna_wire::me::Role;
use hanna_wire::second_factor::SecondFactor;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Act, CodeTried, Result};
use crate::secrets::Mac;
use crate::totp::TotpSecret;

/// What is asked and done about second factors. Signing in with one is [`open_session`](super::Store::open_session).
#[async_trait]
pub trait SecondFactors {
    /// Keeps a secret, which is not in force before it is confirmed, in the place of one that is not either. `false`: one is
    /// in force; nothing changed.
    async fn begin_second_factor(&self, account_id: Uuid, secret: TotpSecret) -> Result<bool>;

    /// Puts the secret in force: its recovery codes are kept, the session is a whole one, and the account's others end.
    /// [`CodeTried::Gone`]: there is no secret that waits for it.
    async fn confirm_second_factor(&self, confirmation: FactorConfirmation) -> Result<CodeTried>;

    /// Takes the second factor and its recovery codes away, and ends every session of the account. `false`: there is no such
    /// account.
    async fn reset_second_factor(&self, account_id: Uuid, act: Act) -> Result<bool>;
}

/// What somebody gives beside the password.
#[derive(Debug, Clone)]
pub enum OneTimeCode {
    /// What the application shows.
    Totp(Redacted<String>),
    /// The keyed hash of account and recovery code.
    Recovery(Mac),
}

/// The first code that an application shows.
#[derive(Debug, Clone)]
pub struct FactorConfirmation {
    /// Whose.
    pub account_id: Uuid,
    /// The session in which it is set up.
    pub session_id: Uuid,
    /// The code.
    pub otp: Redacted<String>,
    /// The keyed hashes of account and recovery code, one each.
    pub recovery_codes: Vec<Mac>,
    /// When.
    pub now: Timestamp,
}

/// What a session lacks of an account with these roles, when it has its second factor or not.
pub fn second_factor(roles: &[Role], has_it: bool) -> SecondFactor {
    match (roles.contains(&Role::CajaAdmin), has_it) {
        (false, _) => SecondFactor::NotNeeded,
        (true, false) => SecondFactor::ToSetUp,
        (true, true) => SecondFactor::SetUp,
    }
}
