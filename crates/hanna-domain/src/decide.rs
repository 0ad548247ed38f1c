//! The verdict: one pure function that every path goes through.

use crate::clock::TOLERANCE;
use crate::words::words;
use crate::{ClockTrust, Reason, Verified};
use jiff::Timestamp;

words! {
    /// What the card says. Five, never a sixth; green is never a default.
    #[derive(utoipa::ToSchema)]
    Verdict {
        /// **ACTIVO**: fresh from the server, usable.
        Active = "ACTIVE",
        /// **ACTIVO según copia**: a signed copy inside its validity, usable.
        ActiveFromCopy = "ACTIVE_FROM_COPY",
        /// **NO ACTIVO**: not usable, with at least one reason.
        NotActive = "NOT_ACTIVE",
        /// **NO REGISTRA**: the caja has nobody with this document.
        NotRegistered = "NOT_REGISTERED",
        /// **SIN DATO**: nothing that can be believed. Not a refusal.
        NoData = "NO_DATA",
    }
}

words! {
    /// Where the data of the card came from.
    Source {
        /// The server, just now.
        Online = "online",
        /// The local copy.
        Copy = "copy",
        /// Nowhere: SIN DATO.
        None = "none",
    }
}

words! {
    /// Why there is SIN DATO, or why the copy answered instead of the server: a closed catalogue, with its
    /// Spanish sentences in the UI's catalogue.
    Cause {
        /// No connection to the server.
        Unreachable = "UNREACHABLE",
        /// The server did not answer in time.
        TimedOut = "TIMED_OUT",
        /// The server failed (5xx).
        ServerFailed = "SERVER_FAILED",
        /// What answered is not Hanna, or was cut short: a captive portal, a proxy page.
        Unreadable = "UNREADABLE",
        /// The server serves only newer versions of this program.
        ProgramTooOld = "PROGRAM_TOO_OLD",
        /// Too many lookups; the server asks to wait.
        SlowDown = "SLOW_DOWN",
        /// The session ended: sign in again.
        SessionExpired = "SESSION_EXPIRED",
        /// The server refused the question (no right to this branch, agreement not found).
        Refused = "REFUSED",
        /// Signed with a key this desk does not know.
        UnknownKey = "UNKNOWN_KEY",
        /// The signature is wrong or the statement contradicts itself.
        BadSignature = "BAD_SIGNATURE",
        /// The answer is about another person, branch or lookup.
        OtherSubject = "OTHER_SUBJECT",
        /// No copy of this person on this PC.
        NoCopy = "NO_COPY",
        /// There is a copy, past its validity.
        CopyExpired = "COPY_EXPIRED",
        /// There is a statement whose validity has not begun.
        NotYetValid = "NOT_YET_VALID",
        /// The clock of this PC is behind a time the server is known to have reached.
        ClockBehind = "CLOCK_BEHIND",
        /// The clock of this PC is too far from the server's.
        ClockSkewed = "CLOCK_SKEWED",
        /// The local database failed.
        StoreFailed = "STORE_FAILED",
    }
}

/// What there is to decide on.
#[derive(Debug, Clone, Copy)]
pub enum Answer<'a> {
    /// The server's answer, just now, verified.
    Online(&'a Verified),
    /// The local copy, verified again just now.
    Copy(&'a Verified),
    /// Nothing.
    Nothing(Cause),
}

/// A verdict with what the card needs to explain it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// Where it comes from.
    pub source: Source,
    /// Why not usable; never empty for [`Verdict::NotActive`] and [`Verdict::NotRegistered`].
    pub reasons: Vec<Reason>,
    /// Why SIN DATO; always there for [`Verdict::NoData`], never otherwise.
    pub cause: Option<Cause>,
    /// Whether *Reportar uso* exists.
    pub may_report: bool,
}

/// Decides. `now` is the corrected time (device time plus the last known offset to the server's).
///
/// An online answer needs no trust in this PC's clock: the server has just said it, in answer to this very lookup
/// (its id is signed, so an old answer cannot be played back). A copy needs both its validity and a clock that can be
/// believed.
pub fn decide(now: Timestamp, clock: ClockTrust, answer: Answer<'_>) -> Decision {
    match answer {
        Answer::Nothing(cause) => no_data(cause),
        Answer::Online(verified) => said(verified, Source::Online),
        Answer::Copy(verified) => {
            let statement = verified.statement();
            match clock {
                ClockTrust::Behind => no_data(Cause::ClockBehind),
                ClockTrust::Skewed => no_data(Cause::ClockSkewed),
                ClockTrust::Trusted if statement.nbf.duration_since(now) > TOLERANCE => {
                    no_data(Cause::NotYetValid)
                }
                ClockTrust::Trusted if now >= statement.exp => no_data(Cause::CopyExpired),
                ClockTrust::Trusted => said(verified, Source::Copy),
            }
        }
    }
}

fn no_data(cause: Cause) -> Decision {
    Decision {
        verdict: Verdict::NoData,
        source: Source::None,
        reasons: Vec::new(),
        cause: Some(cause),
        may_report: false,
    }
}

fn said(verified: &Verified, source: Source) -> Decision {
    let statement = verified.statement();
    let verdict = match (statement.usable, source) {
        (true, Source::Online) => Verdict::Active,
        (true, _) => Verdict::ActiveFromCopy,
        (false, _) if statement.reasons.contains(&Reason::NotAffiliated) => Verdict::NotRegistered,
        (false, _) => Verdict::NotActive,
    };
    Decision {
        verdict,
        source,
        reasons: statement.reasons.clone(),
        cause: None,
        may_report: statement.usable,
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;
    use crate::statement::tests::{Signer, statement};
    use crate::{AffiliateStatus, Tariff};

    /// Every combination of source, usability, place in the validity and clock, with the law written out again
    /// independently of the code.
    #[test]
    fn the_whole_table() {
        let signer = Signer::new("k1");
        let base = statement();
        let moments = [
            ("before", base.nbf - 61.seconds(), false),
            ("a moment before", base.nbf - 60.seconds(), true),
            ("at nbf", base.nbf, true),
            ("inside", base.nbf + 1.hour(), true),
            ("last moment", base.exp - 1.second(), true),
            ("at exp", base.exp, false),
            ("after", base.exp + 1.hour(), false),
        ];
        let bodies: [(&str, Vec<Reason>); 3] = [
            ("usable", vec![]),
            ("not active", vec![Reason::CompanySuspended]),
            ("not registered", vec![Reason::NotAffiliated]),
        ];
        for (body, reasons) in bodies {
            let mut claims = base.clone();
            claims.usable = reasons.is_empty();
            if body == "not registered" {
                claims.affiliate = None;
                claims.tariff = Tariff::D;
            }
            claims.reasons.clone_from(&reasons);
            let verified = signer.verified(&claims);
            for (moment, now, in_validity) in moments {
                for clock in [ClockTrust::Trusted, ClockTrust::Behind, ClockTrust::Skewed] {
                    let story = format!("{body}, {moment}, {clock:?}");
                    let online = decide(now, clock, Answer::Online(&verified));
                    let expected = match body {
                        "usable" => Verdict::Active,
                        "not active" => Verdict::NotActive,
                        _ => Verdict::NotRegistered,
                    };
                    assert_eq!(online.verdict, expected, "online: {story}");
                    assert_eq!(online.may_report, body == "usable", "online: {story}");

                    let copy = decide(now, clock, Answer::Copy(&verified));
                    let believable = in_validity && clock == ClockTrust::Trusted;
                    let expected = match (believable, body) {
                        (false, _) => Verdict::NoData,
                        (true, "usable") => Verdict::ActiveFromCopy,
                        (true, "not active") => Verdict::NotActive,
                        (true, _) => Verdict::NotRegistered,
                    };
                    assert_eq!(copy.verdict, expected, "copy: {story}");
                    assert_eq!(copy.may_report, expected == Verdict::ActiveFromCopy, "copy: {story}");
                    for decision in [online, copy] {
                        assert_eq!(decision.cause.is_some(), decision.verdict == Verdict::NoData, "{story}");
                        let refused = matches!(decision.verdict, Verdict::NotActive | Verdict::NotRegistered);
                        assert_eq!(refused, !decision.reasons.is_empty(), "{story}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_cause_is_ever_green_or_a_refusal() {
        for cause in Cause::ALL {
            let decision = decide(statement().nbf, ClockTrust::Trusted, Answer::Nothing(*cause));
            assert_eq!((decision.verdict, decision.cause), (Verdict::NoData, Some(*cause)));
            assert!(!decision.may_report);
        }
    }

    #[test]
    fn the_servers_word_on_usable_stands_even_against_the_status() {
        let mut claims = statement();
        if let Some(person) = claims.affiliate.as_mut() {
            person.status = AffiliateStatus::Retired;
        }
        let verified = Signer::new("k1").verified(&claims);
        assert_eq!(
            decide(claims.nbf, ClockTrust::Trusted, Answer::Online(&verified)).verdict,
            Verdict::Active
        );
    }
}
