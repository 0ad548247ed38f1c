//! Identity documents: the kinds the caja knows, and reading a typed or pasted number.

use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// The longest text [`Document::parse`] looks at, in characters. Longer input is refused unread.
const INPUT_MAX_CHARS: usize = 64;

/// The kind of identity document.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize, ToSchema, TS,
)]
pub enum DocumentKind {
    /// Cédula de ciudadanía: 3 to 10 digits.
    #[default]
    CC,
    /// Cédula de extranjería: 6 or 7 digits.
    CE,
    /// Tarjeta de identidad (minors): 10 or 11 digits.
    TI,
    /// Registro civil (small children): 10 or 11 digits.
    RC,
    /// Pasaporte: 5 to 12 letters and digits.
    PA,
    /// Permiso por protección temporal: 1 to 8 digits.
    PPT,
}

impl DocumentKind {
    /// Every kind, in the order shown to the operator.
    pub const ALL: [Self; 6] = [Self::CC, Self::CE, Self::TI, Self::RC, Self::PA, Self::PPT];

    /// The code used on the wire and in SQL.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CC => "CC",
            Self::CE => "CE",
            Self::TI => "TI",
            Self::RC => "RC",
            Self::PA => "PA",
            Self::PPT => "PPT",
        }
    }

    /// The kind with this code, in capitals.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The fewest and the most characters a number of this kind has.
    pub const fn length(self) -> (usize, usize) {
        match self {
            Self::CC => (3, 10),
            Self::CE => (6, 7),
            Self::TI | Self::RC => (10, 11),
            Self::PA => (5, 12),
            Self::PPT => (1, 8),
        }
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An identity document: a kind and its number in canonical form (no dots, spaces or leading zeros;
/// passports in capitals). Personal data: `Debug` shows only the last four characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema, TS)]
#[serde(try_from = "RawDocument")]
pub struct Document {
    kind: DocumentKind,
    /// Digits, or capitals and digits for a passport.
    #[schema(example = "1045678901", min_length = 1, max_length = 12, pattern = "^[0-9A-Z]{1,12}$")]
    number: String,
}

/// A document as it arrives, before its number was checked.
#[derive(Deserialize)]
struct RawDocument {
    kind: DocumentKind,
    number: String,
}

impl TryFrom<RawDocument> for Document {
    type Error = DocumentError;

    fn try_from(raw: RawDocument) -> Result<Self, DocumentError> {
        let document = Self::parse(raw.kind, &raw.number)?;
        // What travels and what is stored is canonical already; anything else is a fault of the sender.
        if document.number == raw.number { Ok(document) } else { Err(DocumentError::NotCanonical) }
    }
}

/// Why a text is not a document number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize, TS)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DocumentError {
    /// Nothing was typed.
    #[error("the document number is empty")]
    Empty,
    /// Something other than digits (or letters, for a passport). A letter O is never read as a zero.
    #[error("the document number has characters that do not belong to it")]
    BadCharacter,
    /// Fewer characters than the kind has.
    #[error("the document number is too short")]
    TooShort,
    /// More characters than the kind has.
    #[error("the document number is too long")]
    TooLong,
    /// Looks like a company's NIT with its check digit (`900123456-7`); a cédula has none.
    #[error("this looks like a NIT with its check digit, not a cédula")]
    LooksLikeNit,
    /// A document on the wire that is not in canonical form.
    #[error("the document number is not in canonical form")]
    NotCanonical,
}

impl Document {
    /// Reads a typed or pasted number. Dots, commas, spaces (also no-break ones) and leading zeros are dropped.
    ///
    /// # Errors
    /// See [`DocumentError`]; the text is never guessed at (`O` is not `0`).
    pub fn parse(kind: DocumentKind, text: &str) -> Result<Self, DocumentError> {
        if text.chars().count() > INPUT_MAX_CHARS {
            return Err(DocumentError::TooLong);
        }
        let text = text.trim();
        if kind != DocumentKind::PA && looks_like_nit(text) {
            return Err(DocumentError::LooksLikeNit);
        }
        let kept: String = text
            .chars()
            .filter(|c| !(c.is_whitespace() || matches!(c, '.' | ',' | '\u{200B}' | '\u{FEFF}')))
            .collect();
        if kept.is_empty() {
            return Err(DocumentError::Empty);
        }
        let number = if kind == DocumentKind::PA {
            let capitals = kept.to_ascii_uppercase();
            if !capitals.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
                return Err(DocumentError::BadCharacter);
            }
            capitals
        } else {
            if !kept.bytes().all(|b| b.is_ascii_digit()) {
                return Err(DocumentError::BadCharacter);
            }
            kept.trim_start_matches('0').to_owned()
        };
        let (min, max) = kind.length();
        match number.len() {
            n if n < min => Err(DocumentError::TooShort),
            n if n > max => Err(DocumentError::TooLong),
            _ => Ok(Self { kind, number }),
        }
    }

    /// The kind.
    pub const fn kind(&self) -> DocumentKind {
        self.kind
    }

    /// The number in canonical form. Personal data.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The number as lists show it: `•••8901`; a number of four characters or fewer shows only its last one.
    pub fn masked(&self) -> String {
        let chars: Vec<char> = self.number.chars().collect();
        let shown = if chars.len() > 4 { 4 } else { 1 };
        let tail: String = chars.iter().skip(chars.len().saturating_sub(shown)).collect();
        format!("•••{tail}")
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.masked())
    }
}

/// Whether `text` has the shape of a NIT with its check digit: eight to ten digits, a dash, one digit.
fn looks_like_nit(text: &str) -> bool {
    let Some((body, check)) = text.rsplit_once('-') else { return false };
    let digits = body.chars().filter(char::is_ascii_digit).count();
    let only_digits = body.chars().all(|c| c.is_ascii_digit() || c == '.' || c.is_whitespace());
    let check = check.trim();
    only_digits && (8..=10).contains(&digits) && check.len() == 1 && check.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cc(text: &str) -> Result<String, DocumentError> {
        Document::parse(DocumentKind::CC, text).map(|d| d.number().to_owned())
    }

    #[test]
    fn separators_spaces_and_leading_zeros_are_dropped() {
        for text in [
            "1045678901",
            "1.045.678.901",
            " 1 045 678 901 ",
            "1,045,678,901",
            "001045678901",
            "1\u{a0}045\u{a0}678\u{a0}901\n",
        ] {
            assert_eq!(cc(text).as_deref(), Ok("1045678901"), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_a_cedula_says_why() {
        for (text, why) in [
            ("", DocumentError::Empty),
            (" . ", DocumentError::Empty),
            ("12", DocumentError::TooShort),
            ("000", DocumentError::TooShort),
            ("12345678901", DocumentError::TooLong),
            ("10456789O1", DocumentError::BadCharacter),
            ("1045-678", DocumentError::BadCharacter),
            ("+573001234", DocumentError::BadCharacter),
            ("900123456-7", DocumentError::LooksLikeNit),
            ("900.123.456-7", DocumentError::LooksLikeNit),
            ("٣٤٥٦٧٨", DocumentError::BadCharacter),
        ] {
            assert_eq!(cc(text), Err(why), "{text:?}");
        }
        assert_eq!(cc(&"1".repeat(10_000)), Err(DocumentError::TooLong));
    }

    #[test]
    fn each_kind_has_its_own_lengths_and_alphabet() {
        assert!(Document::parse(DocumentKind::PA, "av 123456").is_ok_and(|d| d.number() == "AV123456"));
        assert_eq!(Document::parse(DocumentKind::PA, "AÑ12345"), Err(DocumentError::BadCharacter));
        assert_eq!(Document::parse(DocumentKind::TI, "104567890"), Err(DocumentError::TooShort));
        assert!(Document::parse(DocumentKind::PPT, "7").is_ok());
        assert!(Document::parse(DocumentKind::CE, "1234567").is_ok());
    }

    #[test]
    fn lists_and_debug_show_only_the_end() {
        let document = Document::parse(DocumentKind::CC, "1045678901").expect("a cédula");
        assert_eq!(document.masked(), "•••8901");
        assert_eq!(format!("{document:?}"), "CC •••8901");
        assert_eq!(Document::parse(DocumentKind::CC, "1234").expect("short").masked(), "•••4");
    }

    #[test]
    fn only_canonical_documents_are_taken_from_the_wire() {
        assert!(serde_json::from_str::<Document>(r#"{"kind":"CC","number":"1045678901"}"#).is_ok());
        assert!(serde_json::from_str::<Document>(r#"{"kind":"CC","number":"1.045.678.901"}"#).is_err());
        assert!(serde_json::from_str::<Document>(r#"{"kind":"XX","number":"1045678901"}"#).is_err());
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_is_idempotent(kind in 0usize..6, text in "\\PC{0,80}") {
            let kind = DocumentKind::ALL[kind];
            if let Ok(document) = Document::parse(kind, &text) {
                prop_assert_eq!(Document::parse(kind, document.number()), Ok(document));
            }
        }
    }
}
