//! Whether a reported use is taken in, and whether it may be taken back: pure.
//!
//! [`rests_on`] needs only the item and its statement; [`rule`] and [`rule_void`] what the database knows. A use that rests on a genuine,
//! usable statement within its validity is taken in **even if the person's state has changed since**: the desk acted on
//! the caja's own signed word.

use hanna_domain::outbox::ItemCode;
use hanna_domain::statement::StatementFault;
use hanna_domain::{Statement, Verified, colombia};
use hanna_wire::outbox::OutcomeKind;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use hanna_wire::agreement::{AgreementTerms, OverLimit};

/// How much earlier than its statement a use may seem to have happened. A desk knows the server's clock from a header
/// in whole seconds, one way of the wire ago.
const EARLY_MAX: SignedDuration = SignedDuration::from_mins(2);

/// The statement a use rests on, if it carries it. `verified` is what became of its text.
pub fn rests_on(
    verified: Result<Verified, StatementFault>,
    branch_id: Uuid,
    occurred_at: Timestamp,
) -> Result<Statement, ItemCode> {
    // Every fault means the same for the record: these are not our words.
    let genuine = verified.map_err(|_| ItemCode::StatementNotGenuine)?;
    let statement = genuine.statement();
    if statement.branch_id != branch_id {
        return Err(ItemCode::StatementMismatch);
    }
    if !statement.usable {
        return Err(ItemCode::StatementNotUsable);
    }
    if occurred_at.duration_since(statement.nbf) < -EARLY_MAX || occurred_at >= statement.exp {
        return Err(ItemCode::StatementNotValid);
    }
    Ok(genuine.into_statement())
}

/// Why something that happened at `occurred_at` is not looked at, whatever it is.
///
/// What is of before `kept_from` may have been taken in and purged since: taken in again, it would count twice. A PC that is
/// revoked since `revoked_at` records nothing any more; what it recorded before still counts.
pub fn turned_away(
    occurred_at: Timestamp,
    kept_from: Timestamp,
    revoked_at: Option<Timestamp>,
) -> Option<ItemCode> {
    if occurred_at < kept_from {
        return Some(ItemCode::TooOld);
    }
    // A revoked PC stands in no branch any more.
    revoked_at.is_some_and(|revoked_at| occurred_at > revoked_at).then_some(ItemCode::BranchNotAllowed)
}

/// What the database knows about a use.
#[derive(Debug, Clone)]
pub struct Known {
    /// Whether branch, author and statement belong to the entity that delivers.
    pub of_this_entity: bool,
    /// The agreement of the branch on the day of the use.
    pub agreement: Option<AgreementTerms>,
    /// How often the person used the benefit that day at this entity, by what was taken in so far.
    pub uses_that_day: u32,
}

/// The ruling on one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// Taken in.
    Accepted,
    /// Taken in, with a note.
    Noted(ItemCode),
    /// Not taken in.
    Refused(ItemCode),
    /// Not now: what it is about may still come.
    NotYet,
}

impl Ruling {
    /// What the desk is answered.
    pub const fn outcome(self) -> (OutcomeKind, Option<ItemCode>) {
        match self {
            Self::Accepted => (OutcomeKind::Accepted, None),
            Self::Noted(code) => (OutcomeKind::AcceptedWithNote, Some(code)),
            Self::Refused(code) => (OutcomeKind::Refused, Some(code)),
            Self::NotYet => (OutcomeKind::Retry, None),
        }
    }
}

/// Rules on a use whose statement carries it.
pub fn rule(known: &Known) -> Ruling {
    if !known.of_this_entity {
        return Ruling::Refused(ItemCode::BranchNotAllowed);
    }
    match &known.agreement {
        Some(terms) if known.uses_that_day >= terms.daily_limit => match terms.over_limit {
            OverLimit::Note => Ruling::Noted(ItemCode::DailyLimitReached),
            OverLimit::Refuse => Ruling::Refused(ItemCode::DailyLimitReached),
        },
        // The branch has left its agreement since; the statement says that it had one.
        _ => Ruling::Accepted,
    }
}

/// What the database knows about a use that is to be taken back.
#[derive(Debug, Clone, Copy)]
pub struct Reported {
    /// Whether it is of the entity that delivers.
    pub of_this_entity: bool,
    /// Who reported it.
    pub author_id: Uuid,
    /// When the benefit was used.
    pub occurred_at: Timestamp,
    /// How long after that it may be taken back, in minutes; 0: not at all.
    pub window_min: u32,
    /// Whether it has been taken back already.
    pub is_voided: bool,
}

/// Rules on a void that `author_id` made at `occurred_at`.
pub fn rule_void(report: &Reported, author_id: Uuid, occurred_at: Timestamp) -> Ruling {
    if !report.of_this_entity || report.author_id != author_id {
        return Ruling::Refused(ItemCode::VoidNotAllowed);
    }
    if report.is_voided {
        return Ruling::Refused(ItemCode::AlreadyVoided);
    }
    let after = occurred_at.duration_since(report.occurred_at);
    let window = SignedDuration::from_mins(i64::from(report.window_min));
    // The desk's notion of the server's clock may have moved a little in between.
    let in_time = report.window_min > 0 && (-EARLY_MAX..=window).contains(&after);
    if in_time && colombia::day_of(occurred_at) == colombia::day_of(report.occurred_at) {
        Ruling::Accepted
    } else {
        Ruling::Refused(ItemCode::VoidNotAllowed)
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;
    use crate::agreement::tests::agreement;

    #[test]
    fn the_daily_limit_is_noted_or_refused_as_the_agreement_says() {
        let terms = |over_limit| AgreementTerms {
            daily_limit: 2,
            over_limit,
            ..agreement(date(2026, 1, 1), date(2026, 12, 31))
        };
        let ruling = |agreement: Option<AgreementTerms>, uses_that_day| {
            rule(&Known { of_this_entity: true, agreement, uses_that_day })
        };
        for over_limit in [OverLimit::Note, OverLimit::Refuse] {
            assert_eq!(ruling(Some(terms(over_limit)), 0), Ruling::Accepted);
            assert_eq!(ruling(Some(terms(over_limit)), 1), Ruling::Accepted);
        }
        assert_eq!(ruling(Some(terms(OverLimit::Note)), 2), Ruling::Noted(ItemCode::DailyLimitReached));
        assert_eq!(ruling(Some(terms(OverLimit::Refuse)), 2), Ruling::Refused(ItemCode::DailyLimitReached));
        assert_eq!(ruling(None, 9), Ruling::Accepted);
    }

    #[test]
    fn the_whole_table_of_voids() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a timestamp");
        let (ana, luis) = (Uuid::from_u128(1), Uuid::from_u128(2));
        // Ten in the morning in Colombia; the day ends fourteen hours later.
        let used_at = at("2026-11-22T15:00:00Z");
        let midnight = at("2026-11-23T05:00:00Z");
        let report = Reported {
            of_this_entity: true,
            author_id: ana,
            occurred_at: used_at,
            window_min: 60,
            is_voided: false,
        };
        let all_day = Reported { window_min: 1440, ..report };
        let voided = Reported { is_voided: true, ..report };
        let not_allowed = Ruling::Refused(ItemCode::VoidNotAllowed);
        let already = Ruling::Refused(ItemCode::AlreadyVoided);
        for (what, report, author_id, occurred_at, ruling) in [
            ("at once", report, ana, used_at, Ruling::Accepted),
            ("a moment before, by clocks", report, ana, used_at - 2.minutes(), Ruling::Accepted),
            ("before it happened", report, ana, used_at - 121.seconds(), not_allowed),
            ("at the cut-off", report, ana, used_at + 60.minutes(), Ruling::Accepted),
            ("after the cut-off", report, ana, used_at + 60.minutes() + 1.millisecond(), not_allowed),
            ("in the last moment of the day", all_day, ana, midnight - 1.millisecond(), Ruling::Accepted),
            ("on the next day", all_day, ana, midnight, not_allowed),
            ("never", Reported { window_min: 0, ..report }, ana, used_at, not_allowed),
            ("by somebody else", report, luis, used_at, not_allowed),
            ("of another entity", Reported { of_this_entity: false, ..report }, ana, used_at, not_allowed),
            ("a second time", voided, ana, used_at, already),
            ("a second time, too late", voided, ana, midnight, already),
            ("a second time, by somebody else", voided, luis, used_at, not_allowed),
        ] {
            assert_eq!(rule_void(&report, author_id, occurred_at), ruling, "{what}");
        }
        let by_midnight = Reported { occurred_at: midnight - 1.minute(), ..report };
        assert_eq!(rule_void(&by_midnight, ana, midnight), not_allowed, "a minute later, but another day");
    }

    #[test]
    fn what_is_too_old_or_after_the_revocation_is_turned_away() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a timestamp");
        let (kept_from, revoked_at) = (at("2026-11-22T05:00:00Z"), at("2026-11-22T15:00:00Z"));
        for (occurred_at, revoked_at, code) in [
            (kept_from - 1.microsecond(), None, Some(ItemCode::TooOld)),
            (kept_from - 1.microsecond(), Some(revoked_at), Some(ItemCode::TooOld)),
            (kept_from, None, None),
            (revoked_at, Some(revoked_at), None),
            (revoked_at + 1.microsecond(), Some(revoked_at), Some(ItemCode::BranchNotAllowed)),
            (revoked_at + 1.microsecond(), None, None),
        ] {
            assert_eq!(turned_away(occurred_at, kept_from, revoked_at), code, "{occurred_at}");
        }
    }

    #[test]
    fn another_entitys_use_is_refused_before_anything_else() {
        let known = Known { of_this_entity: false, agreement: None, uses_that_day: 0 };
        assert_eq!(rule(&known), Ruling::Refused(ItemCode::BranchNotAllowed));
    }
}
