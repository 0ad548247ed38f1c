//! The judgement: may this person use the benefit here, today? One pure function, the only place that knows.

use hanna_domain::{Affiliate, AffiliateStatus, CompanyStatus, Reason, colombia};
use jiff::Timestamp;
use jiff::civil::Date;

use hanna_wire::agreement::{AgreementTerms, OverLimit, VALIDITY_H_MAX};

/// What the caja knows of the document asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Person {
    /// This person.
    Registered(Affiliate),
    /// Nobody, but the number exists under another kind of document. Who that is, is not told.
    OtherKind,
    /// Nobody.
    Unknown,
}

/// Every reason why not, in the order of the catalogue; none means that the benefit may be used (`usable`).
///
/// `agreement` is the one of the branch on `today` ([`crate::agreement::of_day`]), `uses_today` how often the person used the
/// benefit today at this entity. A branch without any agreement is as one whose agreement has not begun.
pub fn judge(
    person: &Person,
    agreement: Option<&AgreementTerms>,
    uses_today: usize,
    today: Date,
) -> Vec<Reason> {
    let mut reasons = match person {
        Person::Unknown => vec![Reason::NotAffiliated],
        Person::OtherKind => vec![Reason::DocumentKindMismatch],
        Person::Registered(affiliate) => of_the_affiliate(affiliate),
    };
    match agreement {
        None => reasons.push(Reason::AgreementNotStarted),
        Some(agreement) => {
            if agreement.last_day < today {
                reasons.push(Reason::AgreementExpired);
            }
            if today < agreement.first_day {
                reasons.push(Reason::AgreementNotStarted);
            }
            if let Person::Registered(affiliate) = person {
                reasons.extend(of_the_terms(agreement, affiliate, uses_today));
            }
        }
    }
    reasons.sort();
    reasons
}

fn of_the_affiliate(affiliate: &Affiliate) -> Vec<Reason> {
    let of_status = match affiliate.status {
        AffiliateStatus::Active => None,
        AffiliateStatus::Inactive => Some(Reason::AffiliateInactive),
        AffiliateStatus::Suspended => Some(Reason::AffiliateSuspended),
        AffiliateStatus::Retired => Some(Reason::AffiliateRetired),
    };
    let of_company = match affiliate.company.as_ref().map(|company| company.status) {
        None | Some(CompanyStatus::Active) => None,
        Some(CompanyStatus::Suspended) => Some(Reason::CompanySuspended),
        Some(CompanyStatus::Retired) => Some(Reason::CompanyRetired),
    };
    of_status.into_iter().chain(of_company).collect()
}

fn of_the_terms(agreement: &AgreementTerms, affiliate: &Affiliate, uses_today: usize) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if !agreement.tariffs.contains(&affiliate.tariff) || !agreement.roles.contains(&affiliate.role) {
        reasons.push(Reason::BenefitNotCovered);
    }
    let limit_reached = uses_today >= agreement.daily_limit as usize;
    // Where the agreement only notes further uses, the card warns by `used_today`.
    if limit_reached && agreement.over_limit == OverLimit::Refuse {
        reasons.push(Reason::DailyLimitReached);
    }
    reasons
}

/// Until when a judgement made at `now` is worth something: as long as the agreement says, but never past the moment at
/// which the calendar alone changes it (the agreement begins or ends, a new day clears the daily limit).
pub fn valid_until(now: Timestamp, agreement: Option<&AgreementTerms>, reasons: &[Reason]) -> Timestamp {
    let validity_h =
        agreement.map_or(VALIDITY_DEFAULT_H, |agreement| agreement.validity_h.min(VALIDITY_H_MAX));
    let full = now + jiff::SignedDuration::from_hours(i64::from(validity_h));
    let begins = agreement.map(|agreement| colombia::start_of(agreement.first_day));
    let ends = agreement.map(|agreement| end_of(agreement.last_day));
    let new_day = reasons.contains(&Reason::DailyLimitReached).then(|| end_of(colombia::day_of(now)));
    [begins, ends, new_day].into_iter().flatten().filter(|turn| *turn > now).fold(full, Timestamp::min)
}

/// The first moment after a day.
fn end_of(day: Date) -> Timestamp {
    colombia::days(day, day).1
}

/// How long a statement lasts when no agreement says, in hours.
pub const VALIDITY_DEFAULT_H: u8 = 24;

#[cfg(test)]
mod tests {
    use hanna_domain::{AffiliateRole, Company, Tariff};
    use jiff::civil::date;

    use super::*;
    use crate::agreement::tests::agreement;

    const TODAY: Date = date(2026, 11, 22);

    fn person(
        role: AffiliateRole,
        status: AffiliateStatus,
        tariff: Tariff,
        company: Option<CompanyStatus>,
    ) -> Affiliate {
        Affiliate {
            role,
            first_surname: "DE LA HOZ".into(),
            second_surname: None,
            first_name: "MARÍA".into(),
            second_name: None,
            status,
            tariff,
            company: company.map(|status| Company { name: "TRANSPORTES DEL NORTE S.A.S.".into(), status }),
        }
    }

    /// Every combination of what is registered, with the law written out a second time, reason by reason.
    #[test]
    fn the_whole_table_of_registered_people() {
        let companies = [None].into_iter().chain(CompanyStatus::ALL.iter().copied().map(Some));
        let dates = [
            (date(2026, 1, 1), date(2026, 12, 31)),
            (TODAY, TODAY),
            (date(2026, 1, 1), date(2026, 11, 21)),
            (date(2026, 11, 23), date(2026, 12, 31)),
        ];
        let mut usable = 0;
        for company in companies {
            for role in AffiliateRole::ALL {
                for status in AffiliateStatus::ALL {
                    for tariff in Tariff::ALL {
                        for (first_day, last_day) in dates {
                            for (over_limit, uses) in [OverLimit::Note, OverLimit::Refuse]
                                .into_iter()
                                .flat_map(|rule| [0, 1, 2, 3].map(|uses| (rule, uses)))
                            {
                                let terms = AgreementTerms {
                                    tariffs: vec![Tariff::A, Tariff::B],
                                    roles: vec![AffiliateRole::Worker],
                                    daily_limit: 2,
                                    over_limit,
                                    ..agreement(first_day, last_day)
                                };
                                let affiliate = person(*role, *status, *tariff, company);
                                let reasons =
                                    judge(&Person::Registered(affiliate), Some(&terms), uses, TODAY);
                                let expect = |reason, holds: bool| {
                                    assert_eq!(
                                        reasons.contains(&reason),
                                        holds,
                                        "{reason}: {company:?} {role} {status} {tariff} {terms:?} {uses} uses"
                                    );
                                };
                                expect(Reason::AffiliateInactive, status.code() == "INACTIVO");
                                expect(Reason::AffiliateSuspended, status.code() == "SUSPENDIDO");
                                expect(Reason::AffiliateRetired, status.code() == "RETIRADO");
                                expect(Reason::CompanySuspended, company == Some(CompanyStatus::Suspended));
                                expect(Reason::CompanyRetired, company == Some(CompanyStatus::Retired));
                                expect(Reason::AgreementExpired, last_day == date(2026, 11, 21));
                                expect(Reason::AgreementNotStarted, first_day == date(2026, 11, 23));
                                let covered =
                                    matches!(tariff, Tariff::A | Tariff::B) && *role == AffiliateRole::Worker;
                                expect(Reason::BenefitNotCovered, !covered);
                                expect(
                                    Reason::DailyLimitReached,
                                    uses >= 2 && over_limit == OverLimit::Refuse,
                                );
                                expect(Reason::NotAffiliated, false);
                                expect(Reason::DocumentKindMismatch, false);
                                assert!(reasons.is_sorted(), "in the order of the catalogue");
                                usable += usize::from(reasons.is_empty());
                            }
                        }
                    }
                }
            }
        }
        // Company none or active × worker × active × A or B × two agreements in force × (four notes + two below the limit).
        assert_eq!(usable, 2 * 2 * 2 * (4 + 2));
    }

    #[test]
    fn nobody_is_never_usable_and_tells_only_why() {
        let terms = agreement(TODAY, TODAY);
        for uses in [0, 9] {
            assert_eq!(judge(&Person::Unknown, Some(&terms), uses, TODAY), [Reason::NotAffiliated]);
            assert_eq!(judge(&Person::OtherKind, Some(&terms), uses, TODAY), [Reason::DocumentKindMismatch]);
        }
        let over = agreement(date(2025, 1, 1), date(2025, 12, 31));
        assert_eq!(
            judge(&Person::Unknown, Some(&over), 0, TODAY),
            [Reason::NotAffiliated, Reason::AgreementExpired]
        );
    }

    #[test]
    fn a_branch_without_agreement_gives_nothing() {
        let fine = person(AffiliateRole::Worker, AffiliateStatus::Active, Tariff::A, None);
        assert_eq!(judge(&Person::Registered(fine), None, 0, TODAY), [Reason::AgreementNotStarted]);
    }

    #[test]
    fn validity_ends_where_the_calendar_changes_the_answer() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a timestamp");
        let now = at("2026-11-22T15:00:00Z");
        let terms =
            |first_day, last_day, validity_h| AgreementTerms { validity_h, ..agreement(first_day, last_day) };
        let year = (date(2026, 1, 1), date(2026, 12, 31));
        let until = |terms: &AgreementTerms, reasons: &[Reason]| valid_until(now, Some(terms), reasons);
        assert_eq!(until(&terms(year.0, year.1, 24), &[]), at("2026-11-23T15:00:00Z"));
        assert_eq!(until(&terms(year.0, year.1, 1), &[]), at("2026-11-22T16:00:00Z"));
        assert_eq!(until(&terms(year.0, year.1, 200), &[]), at("2026-11-24T15:00:00Z"), "never above 48 h");
        assert_eq!(until(&terms(year.0, TODAY, 24), &[]), at("2026-11-23T05:00:00Z"), "the agreement ends");
        let coming = terms(date(2026, 11, 23), year.1, 24);
        assert_eq!(until(&coming, &[Reason::AgreementNotStarted]), at("2026-11-23T05:00:00Z"), "it begins");
        let limited = until(&terms(year.0, year.1, 48), &[Reason::DailyLimitReached]);
        assert_eq!(limited, at("2026-11-23T05:00:00Z"), "a new day");
        assert_eq!(valid_until(now, None, &[]), at("2026-11-23T15:00:00Z"));
    }
}
