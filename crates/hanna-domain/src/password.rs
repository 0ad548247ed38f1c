//! How good a password is. Desk and server judge alike: the one while it is typed, the other when it arrives.
//!
//! Length counts, and that it cannot be guessed from a list or from the person. Kinds of characters are not asked for:
//! that makes passwords that are easy to guess and hard to remember (NIST SP 800-63B, 3.1.1).
//!
//! `password/common.txt` has the entries of ten characters or more of Royce Williams' list of common passwords, as Django
//! ships it, the words in its first part, and what Colombians would think of; small letters, sorted.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::words;

/// The shortest password, in characters.
pub const PASSWORD_MIN: usize = 10;
/// Fewer different characters are a pattern.
const DIFFERENT_MIN: usize = 5;
/// Shorter words about the person say nothing: they stand in many passwords by chance.
const PERSONAL_MIN: usize = 4;

static COMMON: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| include_str!("password/common.txt").lines().collect());

words! {
    /// Why a password is not taken.
    Weakness {
        /// Fewer than [`PASSWORD_MIN`] characters.
        TooShort = "TOO_SHORT",
        /// A few characters again and again.
        Repetitive = "REPETITIVE",
        /// One of those that everybody tries first, perhaps with digits or signs around it.
        Common = "COMMON",
        /// Hardly more than the person's own name, address or NIT.
        Personal = "PERSONAL",
    }
}

words! {
    /// How much a password that is taken resists.
    Strength {
        /// It is taken.
        Fair = "FAIR",
        /// Longer, or more varied.
        Good = "GOOD",
        /// Long.
        Strong = "STRONG",
    }
}

/// Judges a password; `personal` are texts about the person (name, e-mail, NIT) that it must not come from.
pub fn judge(password: &str, personal: &[&str]) -> Result<Strength, Weakness> {
    let length = password.chars().count();
    if length < PASSWORD_MIN {
        return Err(Weakness::TooShort);
    }
    let small = password.to_lowercase();
    let different = small.chars().collect::<BTreeSet<_>>().len();
    if different < DIFFERENT_MIN {
        return Err(Weakness::Repetitive);
    }
    if is_common(&small) {
        return Err(Weakness::Common);
    }
    if is_personal(&small, personal) {
        return Err(Weakness::Personal);
    }
    Ok(match length {
        16.. => Strength::Strong,
        12.. => Strength::Good,
        _ if kinds(password) >= 3 => Strength::Good,
        _ => Strength::Fair,
    })
}

fn is_common(small: &str) -> bool {
    let plain = without_disguise(small);
    [small, core(small), core(&plain)].iter().any(|text| COMMON.contains(text))
}

/// The letters within, without the digits and signs that people put around a word.
fn core(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphabetic())
}

/// `p4ssw0rd` is `password`. What stands around the word stays as it is.
fn without_disguise(small: &str) -> String {
    let tail = small.trim_end_matches(|c: char| !c.is_alphabetic()).len();
    let letter = |c| match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    small.char_indices().map(|(at, c)| if at < tail { letter(c) } else { c }).collect()
}

/// Whether fewer than half a password remain without the words about the person.
fn is_personal(small: &str, personal: &[&str]) -> bool {
    let mut left = small.to_owned();
    for text in personal {
        for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()) {
            if word.chars().count() >= PERSONAL_MIN {
                left = left.replace(word, "");
            }
        }
    }
    left.chars().count() * 2 < small.chars().count()
}

fn kinds(password: &str) -> usize {
    let has = |kind: fn(char) -> bool| usize::from(password.chars().any(kind));
    has(char::is_lowercase) + has(char::is_uppercase) + has(char::is_numeric) + has(|c| !c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_tries_first_is_not_taken() {
        for password in [
            "1234567890",
            "qwertyuiop",
            "Colombia2026!",
            "P4ssw0rd2026",
            "***barranquilla***",
            "C0ntr4sena.1",
        ] {
            assert_eq!(judge(password, &[]), Err(Weakness::Common), "{password}");
        }
        assert_eq!(judge("corta-1", &[]), Err(Weakness::TooShort));
        assert_eq!(judge("ñañaña-ña", &[]), Err(Weakness::TooShort), "characters, not bytes");
        assert_eq!(judge("abababababab", &[]), Err(Weakness::Repetitive));
    }

    #[test]
    fn what_is_said_of_the_person_does_not_count() {
        let personal = ["Ana Peñaranda", "ana.penaranda@gymcaribe.co", "900123456-8"];
        for password in ["penaranda2026", "GymCaribe01", "900123456-8", "peñaranda.gymcaribe"] {
            assert_eq!(judge(password, &personal), Err(Weakness::Personal), "{password}");
        }
        assert!(judge("ana nada en el mar", &personal).is_ok(), "three letters stand anywhere");
        assert!(judge("penaranda pinta de azul", &personal).is_ok(), "more than half is left");
    }

    #[test]
    fn longer_is_stronger() {
        assert_eq!(judge("xilofonoaz", &[]), Ok(Strength::Fair));
        assert_eq!(judge("Xilofono-4", &[]), Ok(Strength::Good));
        assert_eq!(judge("dosxilofonos", &[]), Ok(Strength::Good));
        assert_eq!(judge("cuatro xilofonos", &[]), Ok(Strength::Strong));
    }

    #[test]
    fn the_list_is_as_it_is_read() {
        let lines: Vec<&str> = include_str!("password/common.txt").lines().collect();
        assert!(
            lines.len() > 5_000
                && lines.iter().all(|line| line.to_lowercase() == *line && line.trim() == *line)
        );
    }
}
