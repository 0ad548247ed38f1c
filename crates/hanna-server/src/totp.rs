//! Codes of authenticator applications (RFC 6238: SHA-1, six digits, 30 seconds), and the recovery codes that serve in their
//! place. Pure.

use hanna_domain::Redacted;
use jiff::Timestamp;
use totp_rs::{Builder, Totp, TotpError};

use crate::clock::Entropy;

/// Who asks for the code, as the application shows it.
const ISSUER: &str = "Hanna Convenios";
/// How many recovery codes an account gets.
const RECOVERY_CODES: usize = 10;
/// The letters of base32.
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What server and application share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotpSecret(Redacted<[u8; 20]>);

impl TotpSecret {
    /// A secret of these bytes.
    pub const fn new(bytes: [u8; 20]) -> Self {
        Self(Redacted::new(bytes))
    }

    /// A new one.
    pub fn make(entropy: &dyn Entropy) -> Self {
        Self::new(entropy.bytes())
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 20] {
        self.0.expose()
    }

    /// As it is typed into an application.
    pub fn base32(&self) -> Redacted<String> {
        Redacted::new(totp_rs::Secret::from(*self.bytes()).to_base32())
    }

    /// As an application reads it from a QR code.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn uri(&self, username: &str) -> Result<Redacted<String>, TotpError> {
        // A colon would end the name.
        self.totp(&username.replace(':', " "))?.to_url().map(Redacted::new)
    }

    /// The step of 30 seconds whose code `given` is, if it is one that may serve: of now, of the step before or the one
    /// after, and later than the last that served.
    pub fn step(&self, given: &Redacted<String>, now: Timestamp, last_step: i64) -> Option<i64> {
        let now_s = u64::try_from(now.as_second()).ok()?;
        let step = self.totp("").ok()?.check(given.expose(), now_s)?;
        i64::try_from(step).ok().filter(|step| *step > last_step)
    }

    /// The secret that somebody was told.
    #[cfg(test)]
    pub fn of_base32(text: &str) -> Self {
        let secret = totp_rs::Secret::try_from_base32(text).expect("base32");
        Self::new(secret.as_bytes().try_into().expect("20 bytes"))
    }

    /// The code of a moment.
    #[cfg(test)]
    pub fn code(&self, now: Timestamp) -> String {
        let now_s = u64::try_from(now.as_second()).expect("after 1970");
        self.totp("").expect("a secret").generate(now_s).to_string()
    }

    fn totp(&self, username: &str) -> Result<Totp, TotpError> {
        Builder::new()
            .with_secret(*self.bytes())
            .with_skew(1)
            .with_account_name(username)
            .with_issuer(Some(ISSUER))
            .build()
    }
}

/// Whether a text looks like a code of an application: six digits.
pub fn is_code(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text looks like a recovery code: `K3QWZ-7MPLA`.
pub fn is_recovery_code(text: &str) -> bool {
    let is_half = |half: &str| half.len() == 5 && half.bytes().all(|letter| LETTERS.contains(&letter));
    text.split_once('-').is_some_and(|(left, right)| is_half(left) && is_half(right))
}

/// New recovery codes, of 50 bits each.
pub fn recovery_codes(entropy: &dyn Entropy) -> Redacted<Vec<String>> {
    let code = |_| {
        let letters = entropy.bytes::<10>().map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
        let (left, right) = letters.split_at(5);
        format!("{}-{}", String::from_iter(left), String::from_iter(right))
    };
    Redacted::new((0..RECOVERY_CODES).map(code).collect())
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;
    use crate::testing::TestEntropy;

    fn given(code: &str) -> Redacted<String> {
        Redacted::new(code.to_owned())
    }

    /// RFC 6238, appendix B, the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = TotpSecret::new(*b"12345678901234567890");
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            let now = Timestamp::from_second(seconds).expect("a moment");
            assert_eq!(secret.code(now), code);
            assert_eq!(secret.step(&given(code), now, 0), Some(seconds / 30));
        }
        assert_eq!(secret.base32().expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let uri = secret.uri("caja@hanna.example").expect("written");
        assert!(uri.expose().starts_with("otpauth://totp/"), "{}", uri.expose());
        assert!(uri.expose().contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"));
        assert!(secret.uri("dos:puntos").is_ok());
    }

    #[test]
    fn a_code_serves_once_and_a_step_early_or_late() {
        let secret = TotpSecret::make(&TestEntropy::new(1));
        let noon: Timestamp = "2026-11-22T17:00:00Z".parse().expect("a moment");
        let step = noon.as_second() / 30;
        let code = given(&secret.code(noon));
        assert_eq!(secret.step(&code, noon, 0), Some(step));
        assert_eq!(secret.step(&code, noon + 59.seconds(), 0), Some(step), "the step after");
        assert_eq!(secret.step(&code, noon - 30.seconds(), 0), Some(step), "the step before");
        assert_eq!(secret.step(&code, noon + 60.seconds(), 0), None);
        assert_eq!(secret.step(&code, noon - 31.seconds(), 0), None);
        assert_eq!(secret.step(&code, noon, step), None, "served");
        assert_eq!(secret.step(&code, noon, step - 1), Some(step));
        assert_eq!(secret.step(&given("otro"), noon, 0), None);
    }

    #[test]
    fn recovery_codes_are_ten_and_look_like_it() {
        let codes = recovery_codes(&TestEntropy::new(1));
        let mut different = codes.expose().clone();
        different.sort();
        different.dedup();
        assert_eq!(different.len(), 10);
        assert!(codes.expose().iter().all(|code| is_recovery_code(code) && !is_code(code)));
        for text in ["K3QWZ7MPLA", "k3qwz-7mpla", "K3QWZ-7MPL", "K3QWZ-7MPL1", "048213", ""] {
            assert!(!is_recovery_code(text), "{text}");
        }
        assert!(is_code("048213") && !is_code("48213") && !is_code("04821a"));
    }
}
