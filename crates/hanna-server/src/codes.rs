//! The codes that are mailed: how long one is good, how often it may be tried, how often another may be asked for. Pure.
//!
//! Six digits, good for half an hour and five attempts. Another one may be asked for a minute after the last, five within a
//! day; it replaces the one before. So somebody who guesses at one thing has 25 tries a day at a million codes.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use hanna_domain::Redacted;
use hanna_wire::account::CodeSent;
use hanna_wire::limits::CODE_DIGITS;
use jiff::{SignedDuration, Timestamp};

use crate::clock::Entropy;
use crate::secrets::Mac;

/// How long a code is good.
pub const VALIDITY: SignedDuration = SignedDuration::from_mins(30);
const ATTEMPTS_MAX: u32 = 5;
const AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(60);
const SENT_MAX: u32 = 5;
const SENT_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// A code that was mailed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The keyed hash of what it is for and of the code.
    pub mac: Mac,
    /// When it was made.
    pub made_at: Timestamp,
    /// Wrong attempts.
    pub attempts: u32,
    /// How many codes were mailed since `first_sent_at`, this one too.
    pub sent: u32,
    /// When the count of codes begins.
    pub first_sent_at: Timestamp,
}

/// What an attempt with a code is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// It is the one.
    Right,
    /// It is not; the code with the attempt counted.
    Wrong(Code),
    /// The code is too old, or was tried too often.
    Gone,
}

/// The code that follows `before`, or the moment to wait for.
pub fn next(before: Option<Code>, mac: Mac, now: Timestamp) -> Result<Code, Timestamp> {
    let first = Code { mac, made_at: now, attempts: 0, sent: 1, first_sent_at: now };
    // A clock set back would otherwise make people wait for days.
    let Some(before) = before.filter(|before| before.made_at <= now) else { return Ok(first) };
    if now < before.made_at + AGAIN_AFTER {
        return Err(before.made_at + AGAIN_AFTER);
    }
    let counted_until = before.first_sent_at + SENT_WITHIN;
    if counted_until <= now {
        return Ok(first);
    }
    if before.sent >= SENT_MAX {
        return Err(counted_until);
    }
    Ok(Code { sent: before.sent + 1, first_sent_at: before.first_sent_at, ..first })
}

/// The code that somebody at the server's terminal asks for: nobody waits for it. How many were mailed stays as it is, so that
/// whoever has used them up mails none in its place.
pub fn at_terminal(before: Option<Code>, mac: Mac, now: Timestamp) -> Code {
    let first = Code { mac, made_at: now, attempts: 0, sent: 0, first_sent_at: now };
    // A clock set back would otherwise make people wait for days.
    let before = before.filter(|before| before.made_at <= now);
    before.map_or(first, |before| Code { mac, made_at: now, attempts: 0, ..before })
}

/// Compares a code with the one that was mailed, in the same time whatever they are.
pub fn attempt(code: Code, given: Mac, now: Timestamp) -> Tried {
    let same = verify_slices_are_equal(&code.mac.0, &given.0).is_ok();
    if code.attempts >= ATTEMPTS_MAX || now >= code.made_at + VALIDITY {
        return Tried::Gone;
    }
    if same { Tried::Right } else { Tried::Wrong(Code { attempts: code.attempts + 1, ..code }) }
}

/// Codes made before this moment say nothing any more at `now`.
pub fn forgotten_before(now: Timestamp) -> Timestamp {
    now - SENT_WITHIN
}

/// A new code, in digits.
pub fn make(entropy: &dyn Entropy) -> Redacted<String> {
    let number = u64::from_be_bytes(entropy.bytes()) % 1_000_000;
    Redacted::new(format!("{number:0CODE_DIGITS$}"))
}

/// What whoever asked for a code is told, whether or not one was mailed.
pub fn sent() -> CodeSent {
    let seconds = |span: SignedDuration| u32::try_from(span.as_secs()).unwrap_or(u32::MAX);
    CodeSent { expires_in_s: seconds(VALIDITY), again_in_s: seconds(AGAIN_AFTER) }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;
    use crate::testing::TestEntropy;

    const RIGHT: Mac = Mac([1; 32]);
    const WRONG: Mac = Mac([2; 32]);

    fn noon() -> Timestamp {
        "2026-11-22T17:00:00Z".parse().expect("a timestamp")
    }

    #[test]
    fn five_attempts_then_also_the_right_one_is_too_late() {
        let mut code = next(None, RIGHT, noon()).expect("the first");
        for _ in 0..5 {
            assert_eq!(attempt(code, RIGHT, noon()), Tried::Right);
            let Tried::Wrong(counted) = attempt(code, WRONG, noon()) else { panic!("wrong") };
            code = counted;
        }
        assert_eq!(attempt(code, RIGHT, noon()), Tried::Gone);
    }

    #[test]
    fn a_code_is_good_for_half_an_hour() {
        let code = next(None, RIGHT, noon()).expect("the first");
        assert_eq!(attempt(code, RIGHT, noon() + 30.minutes() - 1.microsecond()), Tried::Right);
        assert_eq!(attempt(code, RIGHT, noon() + 30.minutes()), Tried::Gone);
    }

    #[test]
    fn another_code_takes_a_minute_and_five_are_all_of_a_day() {
        let mut now = noon();
        let mut code = next(None, RIGHT, now).expect("the first");
        for _ in 0..4 {
            assert_eq!(next(Some(code), WRONG, now + 59.seconds()), Err(now + 60.seconds()));
            now += 60.seconds();
            code = next(Some(code), WRONG, now).expect("another");
            assert_eq!((code.mac, code.attempts), (WRONG, 0));
        }
        assert_eq!(next(Some(code), RIGHT, now + 1.hour()), Err(noon() + 24.hours()));
        assert_eq!(next(Some(code), RIGHT, noon() + 24.hours()).map(|code| code.sent), Ok(1));
        assert_eq!(
            next(Some(code), RIGHT, noon() - 24.hours()).map(|code| code.sent),
            Ok(1),
            "a clock set back"
        );
    }

    #[test]
    fn at_the_terminal_nobody_waits_and_who_has_asked_too_often_still_does() {
        let mut code = at_terminal(None, RIGHT, noon());
        for minute in 1..=5 {
            code = next(Some(code), WRONG, noon() + minute.minutes()).expect("five are mailed");
        }
        let now = noon() + 6.minutes();
        let told = at_terminal(Some(code), RIGHT, now);
        assert_eq!(attempt(told, RIGHT, now), Tried::Right);
        assert_eq!(at_terminal(Some(told), RIGHT, now), told, "at once");
        assert!(next(Some(told), WRONG, now + 1.hour()).is_err());
        let told = at_terminal(Some(told), RIGHT, noon() - 24.hours());
        assert!(next(Some(told), WRONG, noon() - 23.hours()).is_ok(), "a clock set back");
    }

    #[test]
    fn a_code_has_six_digits() {
        let entropy = TestEntropy::new(1);
        for _ in 0..200 {
            let code = make(&entropy);
            assert!(code.expose().len() == 6 && code.expose().bytes().all(|b| b.is_ascii_digit()));
        }
    }
}
