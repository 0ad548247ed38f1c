//! The second factor of people of the caja: a code of six digits that an authenticator application on their telephone shows
//! (RFC 6238: SHA-1, 30 seconds), beside the password.
//!
//! An account with the role `CAJA_ADMIN` needs one. Signing in without its code is answered with `SECOND_FACTOR_REQUIRED`.
//! Who has none yet gets a session that may set one up, and do nothing else.

use hanna_domain::{Redacted, words};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

words! {
    /// Whether a session has the second factor that its account needs.
    #[derive(ToSchema)]
    SecondFactor {
        /// The account needs none.
        NotNeeded = "NOT_NEEDED",
        /// It needs one and has none: this session may set it up, and nothing else.
        ToSetUp = "TO_SET_UP",
        /// It has one, and this session was opened or completed with it.
        SetUp = "SET_UP",
    }
}

impl SecondFactor {
    /// What a server says that knows of no second factors.
    pub(crate) const fn not_needed() -> Self {
        Self::NotNeeded
    }
}

/// `POST /v1/second-factor`: what the authenticator application has to be told. Not in force before it is confirmed; asked
/// again it is another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct SecondFactorSecret {
    /// Base32, to type in.
    #[schema(value_type = String, example = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", pattern = "^[A-Z2-7]{32}$")]
    #[ts(type = "string")]
    pub secret: Redacted<String>,
    /// The same as a link, for a QR code.
    #[schema(
        value_type = String,
        example = "otpauth://totp/Hanna%20Convenios:caja%40hanna.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Hanna%20Convenios"
    )]
    #[ts(type = "string")]
    pub otpauth_uri: Redacted<String>,
}

/// `POST /v1/second-factor/confirm`: the first code the application shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ConfirmSecondFactor {
    /// Six digits.
    #[schema(value_type = String, example = "048213", pattern = "^[0-9]{6}$")]
    #[ts(type = "string")]
    pub otp: Redacted<String>,
}

/// The answer: from now on the second factor is in force, and this session is a whole one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, TS)]
pub struct RecoveryCodes {
    /// Shown this once. Each serves once in the place of a code, for who has lost the telephone.
    #[schema(value_type = Vec<String>, min_items = 10, max_items = 10, example = json!(["K3QWZ-7MPLA"]))]
    #[ts(type = "Array<string>")]
    pub recovery_codes: Redacted<Vec<String>>,
}
