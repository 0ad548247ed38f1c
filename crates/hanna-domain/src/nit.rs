//! The NIT: a company's tax number, with its check digit.

/// The weights of the digits, from the last one (DIAN, Orden Administrativa 4 de 1989).
const WEIGHTS: [u32; 15] = [3, 7, 13, 17, 19, 23, 29, 37, 41, 43, 47, 53, 59, 67, 71];

/// The check digit of a NIT's digits; `None` when they are not 1 to 15 digits.
pub fn check_digit(digits: &str) -> Option<u32> {
    if digits.is_empty() || digits.len() > WEIGHTS.len() {
        return None;
    }
    let mut sum = 0;
    for (digit, weight) in digits.chars().rev().zip(WEIGHTS) {
        sum += digit.to_digit(10)? * weight;
    }
    Some(match sum % 11 {
        rest @ 0..=1 => rest,
        rest => 11 - rest,
    })
}

/// Why a text is not a NIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NitFault {
    /// Not 6 to 10 digits, with or without a check digit behind a dash.
    Shape,
    /// The check digit is wrong.
    CheckDigit,
}

/// Reads a NIT with or without its check digit (`900.123.456-8`, `900123456`): its digits, without the check digit.
pub fn parse(text: &str) -> Result<String, NitFault> {
    let kept: String = text.chars().filter(|c| !(c.is_whitespace() || *c == '.')).collect();
    let (digits, check) = match kept.split_once('-') {
        Some((digits, check)) => (digits, Some(check)),
        None => (kept.as_str(), None),
    };
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !(6..=10).contains(&digits.len()) || !is_digits(digits) {
        return Err(NitFault::Shape);
    }
    match check {
        Some(check) if check.len() != 1 || !is_digits(check) => return Err(NitFault::Shape),
        Some(check) if check.parse().ok() != check_digit(digits) => return Err(NitFault::CheckDigit),
        None | Some(_) => {}
    }
    Ok(digits.to_owned())
}

/// Reads a NIT that must stand there with its check digit, into the form in which entities keep it (`900123456-8`); `None`
/// when the check digit is missing.
pub fn whole(text: &str) -> Result<Option<String>, NitFault> {
    let digits = parse(text)?;
    let check = check_digit(&digits).filter(|_| text.contains('-'));
    Ok(check.map(|check| format!("{digits}-{check}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_of_well_known_companies() {
        // Ecopetrol, Bancolombia, Avianca, as printed on their invoices.
        for (digits, check) in [("899999068", 1), ("890903938", 8), ("890100577", 6)] {
            assert_eq!(check_digit(digits), Some(check), "{digits}");
        }
        assert_eq!(check_digit(""), None);
        assert_eq!(check_digit("12a"), None);
    }

    #[test]
    fn a_nit_is_read_with_and_without_its_check_digit() {
        for text in ["899999068", "899999068-1", "899.999.068-1", " 899 999 068 - 1 "] {
            assert_eq!(parse(text).as_deref(), Ok("899999068"), "{text}");
        }
        assert_eq!(parse("899999068-2"), Err(NitFault::CheckDigit));
        for text in ["", "12345", "12345678901", "89999906O", "899999068-", "899999068-11", "8-9-1"] {
            assert_eq!(parse(text), Err(NitFault::Shape), "{text}");
        }
    }

    #[test]
    fn an_entity_is_kept_with_the_check_digit_it_gave() {
        assert_eq!(whole("899.999.068-1"), Ok(Some("899999068-1".into())));
        assert_eq!(whole("899999068"), Ok(None));
        assert_eq!(whole("899999068-3"), Err(NitFault::CheckDigit));
        assert_eq!(whole("12345"), Err(NitFault::Shape));
    }
}
