//! The code on a receipt or a report, by which anybody can ask Hanna whether it is genuine.
//!
//! 28 characters in groups of four, to be read aloud and typed: `C01K-B3V8-…`. The first one says what the code is of, 26 are
//! the id of that (base32 in Crockford's letters, the highest five bits first), and the last one tells whether one of them was
//! mistyped (Luhn's sum over 32 letters). An id has 74 bits nobody can guess, so the code needs no secret of its own.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// Crockford's letters: none that is taken for another.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Five bits each.
const ID_LETTERS: u32 = 26;
/// What it is of, the id, and the check.
const LETTERS_IN_ALL: usize = ID_LETTERS as usize + 2;
const GROUP: usize = 4;

/// What a code is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CodeOf {
    /// The receipt of a reported use (*comprobante*).
    Use,
    /// A *Reporte de Convenio*.
    Report,
}

impl CodeOf {
    const fn letter(self) -> u8 {
        match self {
            Self::Use => b'C',
            Self::Report => b'R',
        }
    }
}

/// See the module's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VerificationCode {
    /// Of what.
    pub of: CodeOf,
    /// Its id.
    pub id: Uuid,
}

/// What was typed is no code: a character is missing, too many, or wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no verification code: a character is missing or wrong")]
pub struct NoVerificationCode;

impl fmt::Display for VerificationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id.as_u128();
        let letter = |place: u32| LETTERS[(id >> (5 * place) & 31) as usize];
        let mut letters = vec![self.of.letter()];
        letters.extend((0..ID_LETTERS).rev().map(letter));
        letters.push(check(&letters));
        for (place, letter) in letters.into_iter().enumerate() {
            if place > 0 && place % GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(letter))?;
        }
        Ok(())
    }
}

impl FromStr for VerificationCode {
    type Err = NoVerificationCode;

    /// As people type it: in small letters, with other separators or none, and with O for 0, I or L for 1.
    fn from_str(text: &str) -> Result<Self, NoVerificationCode> {
        let mut letters = Vec::with_capacity(LETTERS_IN_ALL);
        for letter in text.chars().filter(|letter| !(letter.is_whitespace() || *letter == '-')) {
            let letter = u8::try_from(letter).map_err(|_| NoVerificationCode)?.to_ascii_uppercase();
            letters.push(match letter {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                letter => letter,
            });
            if letters.len() > LETTERS_IN_ALL {
                return Err(NoVerificationCode);
            }
        }
        let [of, id @ .., given] = letters.as_slice() else { return Err(NoVerificationCode) };
        let of = [CodeOf::Use, CodeOf::Report].into_iter().find(|kind| kind.letter() == *of);
        let mut bits: u128 = 0;
        for letter in id {
            let value = value(*letter).ok_or(NoVerificationCode)?;
            bits = bits.checked_mul(32).ok_or(NoVerificationCode)? | u128::from(value);
        }
        let code = Self { of: of.ok_or(NoVerificationCode)?, id: Uuid::from_u128(bits) };
        let is_whole = letters.len() == LETTERS_IN_ALL && *given == check(&letters[..letters.len() - 1]);
        if is_whole { Ok(code) } else { Err(NoVerificationCode) }
    }
}

fn value(letter: u8) -> Option<u8> {
    LETTERS.iter().position(|one| *one == letter).and_then(|place| u8::try_from(place).ok())
}

/// Luhn's check over 32 letters: it changes with any one of them, and when two neighbours change places.
fn check(letters: &[u8]) -> u8 {
    let sum: usize = letters
        .iter()
        .rev()
        .enumerate()
        .map(|(place, letter)| {
            let value = usize::from(value(*letter).unwrap_or_default());
            let doubled = if place % 2 == 0 { 2 * value } else { value };
            doubled / 32 + doubled % 32
        })
        .sum();
    LETTERS[(32 - sum % 32) % 32]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(of: CodeOf, id: u128) -> VerificationCode {
        VerificationCode { of, id: Uuid::from_u128(id) }
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let receipt = code(CodeOf::Use, 0x0193_4f6e_0c00_7abc_9def_0123_4567_89ab);
        let text = receipt.to_string();
        assert_eq!(text, "C01J-D7PW-300F-AY9V-VR14-D2PF-2DB2");
        let typed = text.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        for typed in [text.clone(), text.replace('-', ""), typed, format!(" {text}\n")] {
            assert_eq!(typed.parse(), Ok(receipt), "{typed}");
        }
        for none in ["", "C", "hola", &text[1..], &text[..text.len() - 1], &format!("{text}0"), "Ñ01J"] {
            assert_eq!(none.parse::<VerificationCode>(), Err(NoVerificationCode), "{none}");
        }
    }

    #[test]
    fn more_bits_than_an_id_has_are_none() {
        let mut letters = b"C".to_vec();
        letters.extend([b'Z'; ID_LETTERS as usize]);
        letters.push(check(&letters));
        let text = String::from_utf8(letters).expect("letters");
        assert_eq!(text.parse::<VerificationCode>(), Err(NoVerificationCode));
    }

    proptest! {
        #[test]
        fn a_code_says_its_id_and_one_wrong_letter_is_noticed(
            is_use: bool, id: u128, place in 0..LETTERS_IN_ALL, other in 0..32_usize
        ) {
            let code = code(if is_use { CodeOf::Use } else { CodeOf::Report }, id);
            let text = code.to_string();
            prop_assert_eq!(text.parse(), Ok(code));
            let mut letters: Vec<u8> = text.replace('-', "").into_bytes();
            let right = std::mem::replace(&mut letters[place], LETTERS[other]);
            let typed = String::from_utf8(letters).expect("letters");
            prop_assert_eq!(typed.parse::<VerificationCode>().is_ok(), right == LETTERS[other]);
        }
    }
}
