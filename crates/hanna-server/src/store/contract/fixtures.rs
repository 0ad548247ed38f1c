//! What the stories are told with.

use std::sync::{Arc, Mutex};

use hanna_domain::outbox::{ItemCode, VoidReason};
use hanna_domain::{
    Affiliate, AffiliateRole, AffiliateStatus, Company, CompanyStatus, Document, DocumentKind, Redacted,
    Statement, Tariff, Verdict,
};
use hanna_wire::admin::business::AdminAgreement;
use hanna_wire::me::{ApplicationState, Branch, Entity, Operator, Role};
use hanna_wire::outbox::{Outcome, OutcomeKind};
use jiff::civil::date;
use jiff::{Timestamp, ToSpan};
use uuid::Uuid;

use crate::agreement::tests::agreement;
use crate::store::*;
use crate::testing::TestEntropy;
use hanna_wire::agreement::OverLimit;

pub const ENTITY: Uuid = Uuid::from_u128(1);
pub const OTHER_ENTITY: Uuid = Uuid::from_u128(2);
pub const NORTH: Uuid = Uuid::from_u128(11);
pub const SOUTH: Uuid = Uuid::from_u128(12);
pub const ELSEWHERE: Uuid = Uuid::from_u128(13);
pub const ANA: Uuid = Uuid::from_u128(21);
pub const LUIS: Uuid = Uuid::from_u128(22);
pub const DEVICE: Uuid = Uuid::from_u128(31);
pub const EPOCH: Uuid = Uuid::from_u128(41);

pub fn noon() -> Timestamp {
    "2026-11-22T17:00:00Z".parse().expect("a timestamp")
}

pub fn hash(byte: u8) -> TokenHash {
    TokenHash([byte; 32])
}

pub fn tokens(byte: u8, now: Timestamp) -> TokenPair {
    TokenPair {
        access: hash(byte),
        access_expires_at: now + 15.minutes(),
        refresh: hash(byte + 100),
        refresh_expires_at: now + 720.hours(),
    }
}

pub fn branch(id: Uuid, code: &str) -> Branch {
    Branch { id, code: code.into(), name: format!("Sede {code}"), city: "Barranquilla".into() }
}

pub fn account(id: Uuid, username: &str, role: Role, branches: &[Uuid]) -> NewAccount {
    NewAccount {
        operator: Operator { id, username: username.into(), display_name: username.to_uppercase() },
        entity_id: Some(ENTITY),
        password_hash: Redacted::new("$argon2id$".into()),
        state: AccountState::Active,
        roles: vec![role],
        branches: branches.to_vec(),
        second_factor: None,
    }
}

pub fn installation(mark: &str) -> Installation {
    let new_entity = |id, nit: &str, branches: Vec<Branch>, over_limit| NewEntity {
        entity: Entity { id, nit: nit.into(), name: format!("ENTIDAD {nit}") },
        agreements: vec![AdminAgreement {
            id: Uuid::from_u128(id.as_u128() + 100),
            terms: AgreementTerms { over_limit, ..agreement(date(2026, 1, 1), date(2026, 12, 31)) },
            branches: branches.iter().map(|branch| branch.id).collect(),
        }],
        branches,
        application: ApplicationState::Approved,
    };
    Installation {
        mark: mark.into(),
        entities: vec![
            new_entity(ENTITY, "1", vec![branch(SOUTH, "B"), branch(NORTH, "A")], OverLimit::Note),
            new_entity(OTHER_ENTITY, "2", vec![branch(ELSEWHERE, "C")], OverLimit::Refuse),
        ],
        accounts: vec![
            account(ANA, "ana", Role::Operator, &[NORTH, SOUTH]),
            account(LUIS, "luis", Role::EntityAdmin, &[]),
        ],
    }
}

/// Rows from a list.
pub struct Rows {
    left: std::vec::IntoIter<ImportRow>,
    read: u64,
    pub refused: Arc<Mutex<Vec<(u64, RowConflict)>>>,
    clean: bool,
    asked: u32,
    /// From which time on that its state is asked it is stopped.
    pub stopped_at: Option<u32>,
}

impl Rows {
    pub fn new(rows: Vec<ImportRow>) -> Self {
        Self {
            left: rows.into_iter(),
            read: 0,
            refused: Arc::default(),
            clean: true,
            asked: 0,
            stopped_at: None,
        }
    }
}

impl ImportSource for Rows {
    fn next_row(&mut self) -> Option<ImportRow> {
        self.read += 1;
        self.left.next()
    }

    fn refuse(&mut self, line: u64, why: RowConflict) {
        self.refused.lock().expect("not poisoned").push((line, why));
        self.clean = false;
    }

    fn lines(&self) -> u64 {
        self.read
    }

    fn state(&mut self) -> SourceState {
        self.asked += 1;
        match self.stopped_at {
            Some(time) if time <= self.asked => SourceState::Stopped,
            _ if self.clean => SourceState::Sound,
            _ => SourceState::Faulty,
        }
    }
}

pub fn person(line: u64, number: &str, status: AffiliateStatus) -> ImportRow {
    let company = Company { name: "TRANSPORTES DEL NORTE".into(), status: CompanyStatus::Active };
    ImportRow {
        line,
        document: Document::parse(DocumentKind::CC, number).expect("a cédula"),
        affiliate: Affiliate {
            role: AffiliateRole::Worker,
            first_surname: "NÚÑEZ".into(),
            second_surname: Some("DE LA HOZ".into()),
            first_name: "ANA".into(),
            second_name: None,
            status,
            tariff: Tariff::B,
            company: Some(company),
        },
        company_nit: Some("899999068".into()),
    }
}

/// A database with two entities, two people, and Ana signed in.
pub async fn furnished(store: &dyn Store) {
    let people = Rows::new(vec![
        person(1, "1001", AffiliateStatus::Active),
        person(2, "1002", AffiliateStatus::Retired),
    ]);
    let installed =
        store.install(installation("a"), Box::new(people), noon(), Actor::Server).await.expect("installed");
    assert_eq!(installed, Installed::Done);
    assert_eq!(store.epoch(EPOCH).await.expect("begun"), EPOCH);
    assert_eq!(store.open_session(opening(1, ANA)).await.expect("asked"), SessionOpened::Done);
}

pub fn opening(byte: u8, account_id: Uuid) -> Opening {
    Opening {
        session_id: Uuid::from_u128(u128::from(byte)),
        account_id,
        password_hash: Redacted::new("$argon2id$".into()),
        device_id: DEVICE,
        device_name: "RECEPCION-1".into(),
        otp: None,
        tokens: tokens(byte, noon()),
        now: noon(),
    }
}

pub fn question(lookup: u128, branch_id: Uuid, number: &str) -> Question {
    Question {
        asked: Asked {
            statement_id: TestEntropy::new(u64::try_from(lookup).expect("small")).new_id(),
            lookup_id: Uuid::from_u128(lookup),
            document: Document::parse(DocumentKind::CC, number).expect("a cédula"),
            entity_id: ENTITY,
            branch_id,
            now: noon(),
        },
        account_id: ANA,
        device_id: DEVICE,
        document_mac: Mac([number.as_bytes()[3]; 32]),
        purpose: "validar beneficio del convenio".into(),
    }
}

pub async fn statement(store: &dyn Store, question: Question) -> Statement {
    match store.answer_lookup(question).await.expect("asked") {
        Answered::Claims(statement) => *statement,
        other => panic!("{other:?}"),
    }
}

pub fn arrival(id: u128, statement: &Statement, occurred_at: Timestamp) -> Arrival {
    recorded(id, occurred_at, Recorded::Use(Ok(Box::new(statement.clone()))))
}

/// A use that rests on no statement of ours.
pub fn unfounded(id: u128, code: ItemCode) -> Arrival {
    recorded(id, noon(), Recorded::Use(Err(code)))
}

/// An item of Ana's, on a PC whose clock is three hours behind.
pub fn recorded(id: u128, occurred_at: Timestamp, recorded: Recorded) -> Arrival {
    Arrival {
        id: Uuid::from_u128(id),
        content_hash: [u8::try_from(id % 256).expect("small"); 32],
        submission: 0,
        sequence: 1,
        author_id: ANA,
        device_time: occurred_at - 3.hours(),
        occurred_at,
        recorded,
    }
}

pub fn void(id: u128, report_id: u128, occurred_at: Timestamp) -> Arrival {
    let void = Void {
        report_id: Uuid::from_u128(report_id),
        reason: VoidReason::Other,
        text: Some("era para la hermana".into()),
    };
    recorded(id, occurred_at, Recorded::Void(void))
}

/// The copy answered a lookup at noon.
pub fn offline_lookup(id: u128, lookup: u128, branch_id: Uuid, number: &str) -> Arrival {
    let Question { asked, document_mac, purpose, .. } = question(lookup, branch_id, number);
    let lookup = OfflineLookup {
        lookup_id: asked.lookup_id,
        branch_id,
        document_mac,
        purpose,
        verdict: Verdict::ActiveFromCopy,
        statement_id: Some(Uuid::from_u128(77)),
    };
    recorded(id, noon(), Recorded::OfflineLookup(lookup))
}

pub async fn take_in(store: &dyn Store, arrivals: Vec<Arrival>) -> Vec<(OutcomeKind, Option<ItemCode>)> {
    let delivery = Delivery {
        arrivals,
        entity_id: ENTITY,
        account_id: ANA,
        device_id: DEVICE,
        waiting: None,
        kept_from: Timestamp::MIN,
        now: noon(),
    };
    let outcomes = store.take_in(delivery).await.expect("asked").outcomes;
    outcomes.into_iter().map(|Outcome { outcome, code, .. }| (outcome, code)).collect()
}

pub const RETRY: (OutcomeKind, Option<ItemCode>) = (OutcomeKind::Retry, None);
pub const ACCEPTED: (OutcomeKind, Option<ItemCode>) = (OutcomeKind::Accepted, None);
pub const NOTED: (OutcomeKind, Option<ItemCode>) =
    (OutcomeKind::AcceptedWithNote, Some(ItemCode::DailyLimitReached));

pub fn refused(code: ItemCode) -> (OutcomeKind, Option<ItemCode>) {
    (OutcomeKind::Refused, Some(code))
}

pub fn ever() -> UsageFilter {
    UsageFilter {
        entity_id: ENTITY,
        branches: None,
        from: Timestamp::MIN,
        to: Timestamp::MAX,
        after: None,
        limit: 500,
    }
}

pub async fn all_uses(store: &dyn Store) -> Vec<UsageRow> {
    store.usage_reports(ever()).await.expect("asked")
}
