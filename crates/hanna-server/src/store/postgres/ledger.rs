//! What a batch may rest on, read at once; and its items judged against it, one after the other, each seeing those before
//! it. What is decided is decided by [`crate::usage`]; here stands only what is known.

use std::collections::{HashMap, HashSet};

use hanna_domain::outbox::ItemCode;
use hanna_domain::{DeskPolicy, Document, Statement, colombia};
use hanna_wire::me::Role;
use hanna_wire::outbox::OutcomeKind;
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use super::columns::{Bytes32, Columns};
use super::fault::{Done, Trouble};
use super::organisation::{AGREEMENTS, agreements};
use super::pool::Tx;
use super::records::{Earlier, Records};
use super::retention::{self, LAST_PURGE};
use crate::agreement;
use crate::store::replay::{Held, Replay, Taken};
use crate::store::words::Word;
use crate::store::{Arrival, Delivery, OfflineLookup, Recorded, Void};
use crate::usage::{Known, Reported, Ruling, rule, rule_void, turned_away};
use hanna_wire::agreement::AgreementTerms;

const HELD: &str = "
    SELECT id, content_hash, submission, outcome, code, judged_at FROM outbox_items WHERE id = ANY($1::uuid[])";
const EARLIER: &str =
    "SELECT item_id, submission, code FROM earlier_refusals WHERE item_id = ANY($1::uuid[])";
const BRANCHES: &str = "SELECT id FROM branches WHERE entity_id = $1 AND id = ANY($2::uuid[])";
/// Also those who are suspended by now: what they recorded before still counts.
const OPERATORS: &str = "
    SELECT a.id FROM accounts a JOIN account_roles r ON r.account_id = a.id
    WHERE a.entity_id = $1 AND r.role = $2 AND a.id = ANY($3::uuid[])";
const USES: &str = "
    SELECT k.kind, k.number, k.day, count(*)
    FROM (SELECT DISTINCT kind, number, day FROM unnest($2::text[], $3::text[], $4::date[]) AS n (kind, number, day)) AS k
    JOIN usage_reports u ON u.number = k.number AND u.kind = k.kind AND u.entity_id = $1 AND u.day = k.day
    WHERE NOT EXISTS (SELECT 1 FROM voids v WHERE v.report_id = u.id)
    GROUP BY k.kind, k.number, k.day";
const REPORTS: &str = "
    SELECT u.id, u.entity_id, u.branch_id, u.author_id, u.occurred_at, v.id IS NOT NULL, u.kind, u.number
    FROM usage_reports u LEFT JOIN voids v ON v.report_id = u.id WHERE u.id = ANY($1::uuid[])";
const LOOKUPS: &str = "SELECT id, branch_id, document_mac FROM lookups WHERE id = ANY($1::uuid[])";

/// See the module.
pub struct Ledger {
    /// What happened before is not looked at.
    kept_from: Timestamp,
    held: HashMap<Uuid, (Held, Timestamp)>,
    earlier: HashMap<(Uuid, u32), ItemCode>,
    branches: HashSet<Uuid>,
    operators: HashSet<Uuid>,
    agreements: HashMap<Uuid, Vec<AgreementTerms>>,
    /// How often a person used the benefit on a day.
    uses: HashMap<(Document, Date), u32>,
    reports: HashMap<Uuid, Report>,
    lookups: HashMap<Uuid, (Uuid, Bytes32)>,
}

struct Report {
    entity_id: Uuid,
    branch_id: Uuid,
    author_id: Uuid,
    occurred_at: Timestamp,
    is_voided: bool,
    document: Document,
}

/// What there is to look for.
#[derive(Default)]
struct Mentioned<'a> {
    items: Vec<Uuid>,
    authors: Vec<Uuid>,
    branches: Vec<Uuid>,
    kinds: Vec<&'a str>,
    numbers: Vec<&'a str>,
    days: Vec<Date>,
    reports: Vec<Uuid>,
    lookups: Vec<Uuid>,
}

impl<'a> Mentioned<'a> {
    fn by(arrivals: &'a [Arrival]) -> Self {
        let mut mentioned = Self::default();
        for arrival in arrivals {
            mentioned.items.push(arrival.id);
            mentioned.authors.push(arrival.author_id);
            match &arrival.recorded {
                Recorded::Use(Err(_)) => {}
                Recorded::Use(Ok(statement)) => {
                    mentioned.branches.push(statement.branch_id);
                    mentioned.kinds.push(statement.document.kind().code());
                    mentioned.numbers.push(statement.document.number());
                    mentioned.days.push(colombia::day_of(arrival.occurred_at));
                }
                Recorded::Void(void) => {
                    mentioned.items.push(void.report_id);
                    mentioned.reports.push(void.report_id);
                }
                Recorded::OfflineLookup(lookup) => {
                    mentioned.branches.push(lookup.branch_id);
                    mentioned.lookups.push(lookup.lookup_id);
                }
            }
        }
        mentioned
    }
}

impl Ledger {
    /// What [`Ledger::read`] asks.
    pub const STATEMENTS: [&str; 9] =
        [HELD, EARLIER, BRANCHES, OPERATORS, AGREEMENTS, USES, REPORTS, LOOKUPS, LAST_PURGE];

    /// Reads what `arrivals` may rest on.
    pub async fn read(tx: &Tx, delivery: &Delivery, arrivals: &[Arrival]) -> Done<Self> {
        let Mentioned { items, authors, branches, kinds, numbers, days, reports, lookups } =
            Mentioned::by(arrivals);
        let entity = &delivery.entity_id;
        let role = Word(Role::Operator);
        let held = async { tx.rows(HELD, &[&items]).await };
        let earlier = async { tx.rows(EARLIER, &[&items]).await };
        let own = async { tx.rows(BRANCHES, &[entity, &branches]).await };
        let operators = async { tx.rows(OPERATORS, &[entity, &role, &authors]).await };
        let terms = async { tx.rows(AGREEMENTS, &[&branches, &reports]).await };
        let uses = async { tx.rows(USES, &[entity, &kinds, &numbers, &days]).await };
        let voidable = async { tx.rows(REPORTS, &[&reports]).await };
        let asked = async { tx.rows(LOOKUPS, &[&lookups]).await };
        let purged = retention::kept_from(tx);
        let (held, earlier, own, operators, terms, uses, voidable, asked, purged) =
            tokio::try_join!(biased; held, earlier, own, operators, terms, uses, voidable, asked, purged)?;
        let ids = |rows: &[tokio_postgres::Row]| {
            rows.iter().map(|row| row.value(0)).collect::<Done<HashSet<Uuid>>>()
        };
        let mut ledger = Self {
            kept_from: purged.max(Some(delivery.kept_from)).unwrap_or(Timestamp::MIN),
            held: HashMap::new(),
            earlier: HashMap::new(),
            branches: ids(&own)?,
            operators: ids(&operators)?,
            agreements: agreements(&terms)?,
            uses: HashMap::new(),
            reports: HashMap::new(),
            lookups: HashMap::new(),
        };
        for row in &held {
            let content_hash = row.value::<Bytes32>(1)?.0;
            let taken = (row.word(3)?, row.word_or_none(4)?);
            let held = Held { content_hash, submission: row.count(2)?, taken };
            ledger.held.insert(row.value(0)?, (held, row.moment(5)?));
        }
        for row in &earlier {
            ledger.earlier.insert((row.value(0)?, row.count(1)?), row.word(2)?);
        }
        for row in &uses {
            let count = u32::try_from(row.value::<i64>(3)?).unwrap_or(u32::MAX);
            ledger.uses.insert((document(row, 0)?, row.value(2)?), count);
        }
        for row in &voidable {
            let report = Report {
                entity_id: row.value(1)?,
                branch_id: row.value(2)?,
                author_id: row.value(3)?,
                occurred_at: row.moment(4)?,
                is_voided: row.value(5)?,
                document: document(row, 6)?,
            };
            ledger.reports.insert(row.value(0)?, report);
        }
        for row in &asked {
            ledger.lookups.insert(row.value(0)?, (row.value(1)?, row.value(2)?));
        }
        Ok(ledger)
    }

    /// Settles one item, as every item before it was settled; what is to be written is added to `records`.
    pub fn settle<'a>(
        &mut self,
        delivery: &Delivery,
        arrival: &'a Arrival,
        revoked_at: Option<Timestamp>,
        records: &mut Records<'a>,
    ) -> Taken {
        let before = self.held.get(&arrival.id).copied();
        if let Some((held, _)) = before {
            match held.replay(arrival) {
                Replay::Answered(taken) => return taken,
                Replay::AnsweredBefore(taken) => {
                    let before = self.earlier.get(&(arrival.id, arrival.submission));
                    return before.map_or(taken, |code| (OutcomeKind::Refused, Some(*code)));
                }
                Replay::New => {}
            }
        }
        let ruling = match turned_away(arrival.occurred_at, self.kept_from, revoked_at) {
            Some(code) => Ruling::Refused(code),
            None => self.judge(delivery, arrival),
        };
        let taken = ruling.outcome();
        if taken.0 == OutcomeKind::Retry {
            return taken;
        }
        // Only a refusal is ever judged anew, and a refusal has a code; it stays the answer to its submission.
        if let Some((Held { submission, taken: (_, Some(code)), .. }, judged_at)) = before {
            self.earlier.insert((arrival.id, submission), code);
            records.refused_earlier(Earlier { item_id: arrival.id, submission, judged_at, code });
        }
        let held = Held { content_hash: arrival.content_hash, submission: arrival.submission, taken };
        self.held.insert(arrival.id, (held, delivery.now));
        records.taken(arrival, taken);
        if taken.0 != OutcomeKind::Refused {
            self.keep(arrival, records);
        }
        taken
    }

    fn judge(&self, delivery: &Delivery, arrival: &Arrival) -> Ruling {
        match &arrival.recorded {
            Recorded::Use(Err(code)) => Ruling::Refused(*code),
            Recorded::Use(Ok(statement)) => self.judge_use(delivery, arrival, statement),
            Recorded::Void(void) => self.judge_void(delivery, arrival, void),
            Recorded::OfflineLookup(lookup) => self.judge_lookup(arrival, lookup),
        }
    }

    fn judge_use(&self, delivery: &Delivery, arrival: &Arrival, statement: &Statement) -> Ruling {
        let of_this_entity =
            statement.entity_id == delivery.entity_id && self.is_at_work(arrival, statement.branch_id);
        let day = colombia::day_of(arrival.occurred_at);
        rule(&Known {
            of_this_entity,
            agreement: self.agreement_on(statement.branch_id, day),
            uses_that_day: self.uses.get(&(statement.document.clone(), day)).copied().unwrap_or(0),
        })
    }

    fn judge_void(&self, delivery: &Delivery, arrival: &Arrival, void: &Void) -> Ruling {
        let Some(report) = self.reports.get(&void.report_id) else {
            // Held, but no use: it was refused, or is another kind of item. There is nothing to take back. What is not
            // held may still come: its batch was lost on the way, or it is not in the backup these data were restored
            // from.
            let is_held = self.held.contains_key(&void.report_id);
            return if is_held { Ruling::Refused(ItemCode::VoidNotAllowed) } else { Ruling::NotYet };
        };
        let agreement = self.agreement_on(report.branch_id, colombia::day_of(report.occurred_at));
        // A branch that has left its agreement since is judged by what is usual.
        let usual = DeskPolicy::default().void_window_min;
        let reported = Reported {
            of_this_entity: report.entity_id == delivery.entity_id,
            author_id: report.author_id,
            occurred_at: report.occurred_at,
            window_min: agreement.map_or(usual, |agreement| agreement.void_window_min),
            is_voided: report.is_voided,
        };
        rule_void(&reported, arrival.author_id, arrival.occurred_at)
    }

    fn judge_lookup(&self, arrival: &Arrival, lookup: &OfflineLookup) -> Ruling {
        if !self.is_at_work(arrival, lookup.branch_id) {
            return Ruling::Refused(ItemCode::BranchNotAllowed);
        }
        match self.lookups.get(&lookup.lookup_id) {
            Some(other) if *other != (lookup.branch_id, lookup.document_mac.into()) => {
                Ruling::Refused(ItemCode::IdConflict)
            }
            // The server may have answered it too, late: the same lookup.
            _ => Ruling::Accepted,
        }
    }

    fn is_at_work(&self, arrival: &Arrival, branch_id: Uuid) -> bool {
        self.branches.contains(&branch_id) && self.operators.contains(&arrival.author_id)
    }

    fn agreement_on(&self, branch_id: Uuid, day: Date) -> Option<AgreementTerms> {
        agreement::of_day(day, self.agreements.get(&branch_id).cloned().unwrap_or_default())
    }

    /// Keeps what was taken in, for those after it and for the database.
    fn keep<'a>(&mut self, arrival: &'a Arrival, records: &mut Records<'a>) {
        match &arrival.recorded {
            // What rests on nothing was refused.
            Recorded::Use(Err(_)) => {}
            Recorded::Use(Ok(statement)) => {
                let day = colombia::day_of(arrival.occurred_at);
                *self.uses.entry((statement.document.clone(), day)).or_default() += 1;
                let report = Report {
                    entity_id: statement.entity_id,
                    branch_id: statement.branch_id,
                    author_id: arrival.author_id,
                    occurred_at: arrival.occurred_at,
                    is_voided: false,
                    document: statement.document.clone(),
                };
                self.reports.insert(arrival.id, report);
                records.used(arrival, statement);
            }
            Recorded::Void(void) => {
                if let Some(report) = self.reports.get_mut(&void.report_id) {
                    report.is_voided = true;
                    let day = colombia::day_of(report.occurred_at);
                    if let Some(uses) = self.uses.get_mut(&(report.document.clone(), day)) {
                        *uses = uses.saturating_sub(1);
                    }
                }
                records.voided(arrival, void);
            }
            Recorded::OfflineLookup(lookup) => {
                let this = (lookup.branch_id, lookup.document_mac.into());
                self.lookups.entry(lookup.lookup_id).or_insert(this);
                records.looked_up(arrival, lookup);
            }
        }
    }
}

fn document(row: &tokio_postgres::Row, column: usize) -> Done<Document> {
    Document::parse(row.word(column)?, &row.value::<String>(column + 1)?)
        .map_err(|error| Trouble::Unreadable(error.into()))
}
