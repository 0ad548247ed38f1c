//! Accounts: creating one, and its password.
//!
//! Nothing here tells whether an account exists: the answers are the same, and what differs is mailed.

use hanna_domain::{Redacted, words};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// `POST /v1/accounts`: create an account (*creación de usuario*).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// Made by the desk. The same again with the same content sends nothing again.
    pub id: Uuid,
    /// Of the entity, with its check digit.
    #[schema(example = "900123456-8", pattern = "^[0-9]{6,10}-[0-9]$")]
    pub nit: String,
    /// What the entity is called.
    #[schema(
        example = "GYM CARIBE",
        min_length = 1,
        max_length = 120,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    pub entity_name: String,
    /// The person.
    #[schema(value_type = String, example = "Ana Rodríguez", min_length = 1, max_length = 120, pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
    pub display_name: Redacted<String>,
    /// Where the code is mailed to; the user name from then on.
    #[schema(value_type = String, format = Email, example = "ana@gymcaribe.co", min_length = 6, max_length = 120)]
    pub email: Redacted<String>,
    /// Digits, with the country's code or without.
    #[schema(value_type = String, example = "3001234567", pattern = r"^\+?[0-9]{7,15}$")]
    pub phone: Redacted<String>,
    /// At least ten characters, and none that is guessed easily.
    #[schema(value_type = String, format = Password, example = "cuatro xilofonos", min_length = 10, max_length = 256)]
    pub password: Redacted<String>,
    /// The version of the privacy notice that the person accepted: its month.
    #[schema(example = "2026-11", pattern = "^20[0-9]{2}-(0[1-9]|1[0-2])$")]
    pub privacy_notice: String,
}

/// A code was mailed, or would have been if there were an account: never says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CodeSent {
    /// How long the code is good, in seconds.
    #[schema(example = 1800)]
    pub expires_in_s: u32,
    /// After how many seconds another one may be asked for.
    #[schema(example = 60)]
    pub again_in_s: u32,
}

/// `POST /v1/accounts/code`: mail the code of a registration again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResendCode {
    /// The registration.
    pub id: Uuid,
}

/// `POST /v1/accounts/confirm`: the code of the mail; from then on the caja decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// The registration.
    pub id: Uuid,
    /// Six digits.
    #[schema(value_type = String, example = "048213", pattern = "^[0-9]{6}$")]
    pub code: Redacted<String>,
}

/// `POST /v1/password/forgot`: mail a code to set a new password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForgotPassword {
    /// The user name.
    #[schema(value_type = String, format = Email, example = "ana@gymcaribe.co", min_length = 6, max_length = 120)]
    pub email: Redacted<String>,
}

/// `POST /v1/password/reset`: set a new password with the code of the mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    /// The user name.
    #[schema(value_type = String, format = Email, example = "ana@gymcaribe.co", min_length = 6, max_length = 120)]
    pub email: Redacted<String>,
    /// Six digits.
    #[schema(value_type = String, example = "048213", pattern = "^[0-9]{6}$")]
    pub code: Redacted<String>,
    /// At least ten characters, and none that is guessed easily.
    #[schema(value_type = String, format = Password, example = "cuatro xilofonos", min_length = 10, max_length = 256)]
    pub password: Redacted<String>,
}

/// `POST /v1/password`: change the own password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The password of until now.
    #[schema(value_type = String, format = Password, example = "una clave larga", min_length = 1, max_length = 256)]
    pub current: Redacted<String>,
    /// At least ten characters, and none that is guessed easily.
    #[schema(value_type = String, format = Password, example = "cuatro xilofonos", min_length = 10, max_length = 256)]
    pub password: Redacted<String>,
}

words! {
    /// How far a registration is.
    #[derive(ToSchema)]
    RegistrationState {
        /// The code has not come back.
        Unconfirmed = "UNCONFIRMED",
        /// *Pendiente de aprobación*: the caja decides.
        Pending = "PENDING",
        /// The account may be used.
        Approved = "APPROVED",
        /// *Rechazada*, with a reason.
        Rejected = "REJECTED",
    }
}

/// Whether a text is an e-mail address as Hanna takes them: one `@`, a domain that ends in a dot and two characters at
/// least, nothing but visible characters. Whether it exists is what the code tells.
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let visible = text.chars().all(|c| c.is_ascii_graphic() && !"()<>[]:;,\\\"".contains(c));
    let dots = |part: &str| !part.is_empty() && part.split('.').all(|label| !label.is_empty());
    let top = domain.rsplit_once('.').map_or("", |(_, top)| top);
    visible && dots(local) && dots(domain) && top.len() >= 2 && !domain.contains('@')
}

/// The digits of a telephone number, with a leading `+` if it has one; `None` when it is none.
pub fn phone(text: &str) -> Option<String> {
    let kept: String = text.chars().filter(|c| !(c.is_whitespace() || "-.()".contains(*c))).collect();
    let digits = kept.strip_prefix('+').unwrap_or(&kept);
    ((7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_can_be_mailed_to() {
        for text in ["ana@gymcaribe.co", "ana.rodriguez+caja@mail.gym-caribe.com.co"] {
            assert!(is_email(text), "{text}");
        }
        for text in [
            "",
            "ana",
            "ana@gymcaribe",
            "ana@gym.c",
            "ana@@gym.co",
            "ana@gym..co",
            "@gym.co",
            "ana @gym.co",
            "ana@gym.co\n",
            "a<b>@c.co",
            ".a@c.co",
        ] {
            assert!(!is_email(text), "{text:?}");
        }
    }

    #[test]
    fn telephone_numbers_as_people_write_them() {
        assert_eq!(phone("300 123 45 67").as_deref(), Some("3001234567"));
        assert_eq!(phone("+57 (300) 123-4567").as_deref(), Some("+573001234567"));
        for text in ["", "12345", "300-CALL-ME", "+", "1234567890123456", "300+1234567"] {
            assert_eq!(phone(text), None, "{text}");
        }
    }
}
