//! Codes of branches that nobody chose: `GYM-01`, from the entity's name.

use crate::folded::fold;

/// How many letters of the name there are.
const PREFIX_LETTERS: usize = 3;
/// What stands there for a name without letters.
const PREFIX_DEFAULT: &str = "SEDE";

/// What the codes of an entity's branches begin with: as those it has, or the first letters of its name.
pub fn prefix(entity_name: &str, codes: &[String]) -> String {
    if let Some((prefix, _)) = codes.iter().filter_map(|code| code.rsplit_once('-')).next() {
        return prefix.to_owned();
    }
    let letters: String = fold(entity_name).chars().filter(char::is_ascii_alphabetic).collect();
    let prefix: String = letters.to_ascii_uppercase().chars().take(PREFIX_LETTERS).collect();
    if prefix.len() < PREFIX_LETTERS { PREFIX_DEFAULT.to_owned() } else { prefix }
}

/// The next code with this prefix, after every one that is `taken` in all Hanna.
pub fn next(prefix: &str, taken: &[String]) -> String {
    let number = |code: &String| code.strip_prefix(prefix)?.strip_prefix('-')?.parse::<u32>().ok();
    let last = taken.iter().filter_map(number).max().unwrap_or(0);
    format!("{prefix}-{:02}", last.saturating_add(1))
}

/// Whether a text may be the code of a branch: `GYM`, `GYM-01`.
pub fn is_one(text: &str) -> bool {
    let (prefix, suffix) = text.split_once('-').unwrap_or((text, "0"));
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    (2..=8).contains(&prefix.len()) && (1..=6).contains(&suffix.len()) && is_word(prefix) && is_word(suffix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_made_from_the_name_or_as_the_others_are() {
        let codes = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>();
        for (name, has, expected) in [
            ("GYM CARIBE", vec![], "GYM"),
            ("Clínica Dental", vec![], "CLI"),
            ("Ñandú Spa", vec![], "NAN"),
            ("El 5", vec![], "SEDE"),
            ("GYM CARIBE", vec!["REC-02"], "REC"),
            ("GYM CARIBE", vec!["NORTE"], "GYM"),
        ] {
            assert_eq!(prefix(name, &codes(&has)), expected, "{name}");
        }
        assert_eq!(next("GYM", &codes(&[])), "GYM-01");
        assert_eq!(next("GYM", &codes(&["GYM-01", "GYM-11", "GYM-X", "GYMA-40"])), "GYM-12");
    }

    #[test]
    fn codes_are_short_words() {
        for text in ["GYM", "GYM-01", "A1-9", "ABCDEFGH-123456"] {
            assert!(is_one(text), "{text}");
        }
        for text in ["", "G", "gym-01", "GYM-", "GYM 01", "GYM-0-1", "ABCDEFGHI", "GYM-1234567", "ÑAN-01"] {
            assert!(!is_one(text), "{text}");
        }
    }
}
