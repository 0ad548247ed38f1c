//! Invented affiliates, from a seed: the same seed, the same people.

use std::collections::{HashSet, VecDeque};

use hanna_domain::{
    Affiliate, AffiliateRole, AffiliateStatus, Company, CompanyStatus, Document, DocumentKind, Tariff,
};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Documents;
use super::names::{FIRST_NAMES, FORMS, PLACES, SECOND_NAMES, SURNAMES, TRADES};
use crate::store::{ImportRow, ImportSource, RowConflict, SourceState};

/// How many documents of each sort the demo names.
pub const PROMISED: usize = 20;
/// The fewest people a demo has: the promised ones and some more.
pub const FEWEST: u32 = 100;
/// Companies for each thousand affiliates, and the fewest.
const COMPANIES_PER_THOUSAND: u32 = 8;
const COMPANIES_MIN: u32 = 20;

/// The people of the demo.
#[derive(Debug)]
pub struct People {
    /// Everybody, to be taken out one by one.
    pub rows: VecDeque<ImportRow>,
    /// The documents whose answer is promised.
    pub documents: Documents,
}

/// Makes `count` people.
pub fn people(seed: u64, count: u32) -> People {
    let mut maker = Maker::new(seed, count.max(FEWEST));
    let mut rows = VecDeque::new();
    let mut documents = Documents::default();
    // The promised ones have nothing else that could change the answer: workers with a cédula, at a tariff that every
    // agreement covers.
    let promises: [(&mut Vec<String>, AffiliateStatus, CompanyStatus); 4] = [
        (&mut documents.active, AffiliateStatus::Active, CompanyStatus::Active),
        (&mut documents.inactive, AffiliateStatus::Inactive, CompanyStatus::Active),
        (&mut documents.company_suspended, AffiliateStatus::Active, CompanyStatus::Suspended),
        (&mut documents.retired, AffiliateStatus::Retired, CompanyStatus::Active),
    ];
    for (numbers, status, company) in promises {
        for _ in 0..PROMISED {
            let row = maker.promised(status, company);
            numbers.push(row.document.number().to_owned());
            rows.push_back(row);
        }
    }
    while rows.len() < maker.count as usize {
        rows.push_back(maker.anybody());
    }
    documents.not_registered = (0..PROMISED).map(|_| maker.number(DocumentKind::CC)).collect();
    for (row, line) in rows.iter_mut().zip(1..) {
        row.line = line;
    }
    People { rows, documents }
}

struct Maker {
    count: u32,
    random: ChaCha8Rng,
    companies: Vec<(String, Company)>,
    /// Numbers of every kind together: nobody's number is another one's under another kind.
    taken: HashSet<String>,
}

impl Maker {
    fn new(seed: u64, count: u32) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let companies = companies(&mut random, (count / 1000 * COMPANIES_PER_THOUSAND).max(COMPANIES_MIN));
        Self { count, random, companies, taken: HashSet::new() }
    }

    fn promised(&mut self, status: AffiliateStatus, company: CompanyStatus) -> ImportRow {
        let tariff = if self.random.random_bool(0.6) { Tariff::A } else { Tariff::B };
        let of_status: Vec<_> = self.companies.iter().filter(|(_, c)| c.status == company).cloned().collect();
        let employer = of_status.choose(&mut self.random).cloned();
        self.row(DocumentKind::CC, AffiliateRole::Worker, status, tariff, employer)
    }

    fn anybody(&mut self) -> ImportRow {
        let random = &mut self.random;
        let role = if random.random_bool(0.65) { AffiliateRole::Worker } else { AffiliateRole::Beneficiary };
        let kind = match (role, random.random_range(0..100)) {
            (AffiliateRole::Worker, 0..93) | (AffiliateRole::Beneficiary, 0..45) => DocumentKind::CC,
            (AffiliateRole::Worker, 93..95) => DocumentKind::CE,
            (AffiliateRole::Worker, 95) => DocumentKind::PA,
            (AffiliateRole::Worker, _) | (AffiliateRole::Beneficiary, 95..) => DocumentKind::PPT,
            (AffiliateRole::Beneficiary, 45..72) => DocumentKind::TI,
            (AffiliateRole::Beneficiary, _) => DocumentKind::RC,
        };
        let status = match random.random_range(0..100) {
            0..78 => AffiliateStatus::Active,
            78..86 => AffiliateStatus::Inactive,
            86..91 => AffiliateStatus::Suspended,
            _ => AffiliateStatus::Retired,
        };
        let tariff = match random.random_range(0..100) {
            0..55 => Tariff::A,
            55..85 => Tariff::B,
            _ => Tariff::C,
        };
        // A few contribute on their own.
        let employer = if random.random_bool(0.04) { None } else { self.companies.choose(random).cloned() };
        self.row(kind, role, status, tariff, employer)
    }

    fn row(
        &mut self,
        kind: DocumentKind,
        role: AffiliateRole,
        status: AffiliateStatus,
        tariff: Tariff,
        employer: Option<(String, Company)>,
    ) -> ImportRow {
        let (company_nit, company) = employer.unzip();
        let document = self.document(kind);
        let random = &mut self.random;
        let second_surname = random.random_bool(0.94).then(|| pick(random, SURNAMES));
        let first_name = pick(random, FIRST_NAMES);
        let second_name =
            random.random_bool(0.62).then(|| pick(random, SECOND_NAMES)).filter(|name| *name != first_name);
        let affiliate = Affiliate {
            role,
            first_surname: pick(random, SURNAMES),
            second_surname,
            first_name,
            second_name,
            status,
            tariff,
            company,
        };
        ImportRow { line: 0, document, affiliate, company_nit }
    }

    fn document(&mut self, kind: DocumentKind) -> Document {
        loop {
            // Every number made below is one of its kind, so the loop runs once.
            if let Ok(document) = Document::parse(kind, &self.number(kind)) {
                return document;
            }
        }
    }

    /// A number nobody has yet.
    fn number(&mut self, kind: DocumentKind) -> String {
        loop {
            let random = &mut self.random;
            let number = match kind {
                // The old cédulas of men and women, and the ten digits of today.
                DocumentKind::CC => match random.random_range(0..10) {
                    0..2 => random.random_range(7_400_000..9_300_000_u64).to_string(),
                    2..4 => random.random_range(22_300_000..73_200_000_u64).to_string(),
                    _ => random.random_range(1_001_000_000..1_239_000_000_u64).to_string(),
                },
                DocumentKind::CE => random.random_range(200_000..1_300_000_u64).to_string(),
                DocumentKind::TI => random.random_range(1_041_000_000..1_250_000_000_u64).to_string(),
                DocumentKind::RC => random.random_range(1_240_000_000..1_299_000_000_u64).to_string(),
                DocumentKind::PA => format!("AV{:06}", random.random_range(0..1_000_000)),
                DocumentKind::PPT => random.random_range(1_400_000..6_900_000_u64).to_string(),
            };
            if self.taken.insert(number.clone()) {
                return number;
            }
        }
    }
}

fn pick(random: &mut ChaCha8Rng, words: &[&str]) -> String {
    words.choose(random).copied().unwrap_or_default().to_owned()
}

/// Companies, each with its own NIT; one in ten in arrears, one in twenty gone, and always one of each.
fn companies(random: &mut ChaCha8Rng, count: u32) -> Vec<(String, Company)> {
    let mut nits = HashSet::new();
    let mut companies = Vec::new();
    while companies.len() < count as usize {
        let nit = random.random_range(800_000_000..902_000_000_u64).to_string();
        if !nits.insert(nit.clone()) {
            continue;
        }
        let name = format!("{} {} {}", pick(random, TRADES), pick(random, PLACES), pick(random, FORMS));
        let status = match (companies.len(), random.random_range(0..100)) {
            (1, _) | (3.., 0..10) => CompanyStatus::Suspended,
            (2, _) | (3.., 10..15) => CompanyStatus::Retired,
            _ => CompanyStatus::Active,
        };
        companies.push((nit, Company { name, status }));
    }
    companies
}

/// The generator as a source for the store. Its rows never contradict each other; if they did, nothing is installed.
pub struct PeopleSource {
    rows: VecDeque<ImportRow>,
    lines: u64,
    clean: bool,
}

impl PeopleSource {
    /// A source of these rows.
    pub const fn new(rows: VecDeque<ImportRow>) -> Self {
        Self { rows, lines: 0, clean: true }
    }
}

impl ImportSource for PeopleSource {
    fn next_row(&mut self) -> Option<ImportRow> {
        let row = self.rows.pop_front()?;
        self.lines += 1;
        Some(row)
    }

    fn refuse(&mut self, _line: u64, _why: RowConflict) {
        self.clean = false;
    }

    fn lines(&self) -> u64 {
        self.lines
    }

    fn state(&mut self) -> SourceState {
        if self.clean { SourceState::Sound } else { SourceState::Faulty }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_people_and_another_makes_others() {
        let numbers = |seed| {
            let made = people(seed, 300);
            made.rows.iter().map(|row| row.document.number().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
    }

    #[test]
    fn everything_occurs_that_a_desk_may_meet() {
        let made = people(7, 20_000);
        assert_eq!(made.rows.len(), 20_000);
        let people: Vec<&Affiliate> = made.rows.iter().map(|row| &row.affiliate).collect();
        for status in AffiliateStatus::ALL {
            assert!(people.iter().any(|person| person.status == *status), "{status}");
        }
        for tariff in [Tariff::A, Tariff::B, Tariff::C] {
            assert!(people.iter().any(|person| person.tariff == tariff), "{tariff}");
        }
        for status in CompanyStatus::ALL {
            let at = |person: &&&Affiliate| person.company.as_ref().is_some_and(|c| c.status == *status);
            assert!(people.iter().find(at).is_some(), "{status}");
        }
        for kind in DocumentKind::ALL {
            assert!(made.rows.iter().any(|row| row.document.kind() == kind), "{kind}");
        }
        assert!(people.iter().any(|person| person.second_surname.is_none()));
        assert!(people.iter().any(|person| person.second_name.is_none()));
        assert!(people.iter().any(|person| person.company.is_none()));
        assert!(people.iter().any(|person| person.first_surname == "DE LA HOZ"));
        assert!(people.iter().any(|person| person.first_surname.contains('Ñ')));
        let numbers: HashSet<&str> = made.rows.iter().map(|row| row.document.number()).collect();
        assert_eq!(numbers.len(), made.rows.len(), "no number twice, of whatever kind");
        assert!(made.documents.not_registered.iter().all(|number| !numbers.contains(number.as_str())));
    }
}
