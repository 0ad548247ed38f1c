//! Lookups: authorised, judged and recorded in two ways there and back, each a transaction of its own. What was read may be
//! otherwise by the time it is recorded, as it may be by the time the desk has the answer.

use hanna_domain::{Affiliate, Company, Document, Statement, UsedToday, colombia};
use hanna_wire::me::ApplicationState;
use tokio_postgres::Row;
use uuid::Uuid;

use super::businesses::{terms, terms_columns};
use super::columns::{Bytes32, Columns, Moment, words};
use super::fault::{Done, Trouble};
use super::pool::Tx;
use crate::agreement;
use crate::application::CONVENIOS;
use crate::claims::{Asked, Known, claims};
use crate::judge::Person;
use crate::store::words::Word;
use crate::store::{Answered, Question};
use hanna_wire::agreement::AgreementTerms;

/// Of an affiliate (`a`) and their company (`c`).
macro_rules! person_columns {
    () => {
        "a.role, a.first_surname, a.second_surname, a.first_name, a.second_name, a.status, a.tariff, c.name, c.status"
    };
}

/// What an answer rests on. Whether an account (`$3`) works at a branch (`$4`) that is open, and whether the branch's entity
/// (`$5`) may work at all (`$6`, `$7`); then who has these documents, kinds (`$1`) and numbers (`$2`), each with their uses at the
/// entity on a day (`$8`), oldest first, and with each of the agreements of the branch, in the order of the documents.
const FACTS: &str = concat!(
    "SELECT EXISTS (SELECT 1 FROM account_branches ab JOIN branches b ON b.id = ab.branch_id
                    WHERE ab.account_id = $3 AND ab.branch_id = $4 AND b.entity_id = $5 AND b.closed_at IS NULL),
            EXISTS (SELECT 1 FROM applications WHERE entity_id = $5 AND code = $6 AND state = $7),
            k.place, used.at, used.names, a.role IS NULL AND EXISTS (SELECT 1 FROM affiliates o WHERE o.number = k.number), ",
    person_columns!(),
    ", gb.branch_id, ",
    terms_columns!(),
    " FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (kind, number, place)
      LEFT JOIN affiliates a ON a.number = k.number AND a.kind = k.kind
      LEFT JOIN companies c ON c.id = a.company_id
      LEFT JOIN LATERAL (
          SELECT array_agg(u.occurred_at ORDER BY u.occurred_at, u.id) AS at, array_agg(b.name ORDER BY u.occurred_at, u.id) AS names
          FROM usage_reports u JOIN branches b ON b.id = u.branch_id
          WHERE u.number = k.number AND u.kind = k.kind AND u.entity_id = $5 AND u.day = $8
                AND NOT EXISTS (SELECT 1 FROM voids v WHERE v.report_id = u.id)) used ON true
      LEFT JOIN (agreement_branches gb JOIN agreements g ON g.id = gb.agreement_id) ON gb.branch_id = $4
      ORDER BY k.place"
);
const PERSON_AT: usize = 6;
const AGREEMENT_AT: usize = PERSON_AT + 9;

/// Who has a document.
const AFFILIATE: &str = concat!(
    "SELECT ",
    person_columns!(),
    " FROM affiliates a LEFT JOIN companies c ON c.id = a.company_id WHERE a.number = $1 AND a.kind = $2"
);

/// Records a lookup, its answer and that it was given: all of it, or nothing when the id of the lookup is another one's. The
/// same folio again is this very statement, whose end was not heard of: then nothing is written, for what is on record is sealed
/// ([`are_on_record`]).
const RECORD: &str = "
    WITH asked AS (
        INSERT INTO lookups (id, account_id, device_id, entity_id, branch_id, document_mac, purpose, asked_at, regular)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, false) ON CONFLICT (id) DO NOTHING RETURNING id),
    known AS (
        SELECT id FROM asked UNION ALL
        SELECT id FROM lookups WHERE id = $1 AND account_id = $2 AND branch_id = $5 AND document_mac = $6),
    given AS (
        INSERT INTO statements (id, lookup_id, issued_at, expires_at, usable, reasons)
        SELECT $9, id, $8, $10, $11, $12 FROM known
        ON CONFLICT (id) DO NOTHING RETURNING id, issued_at),
    noted AS (INSERT INTO audit (at, act, record_id) SELECT issued_at, 'LOOKUP', id FROM given)
    SELECT EXISTS (SELECT 1 FROM known), EXISTS (SELECT 1 FROM given)";

const IS_SAME: &str =
    "SELECT 1 FROM lookups WHERE id = $1 AND account_id = $2 AND branch_id = $3 AND document_mac = $4";

const IS_ON_RECORD: &str = "
    SELECT 1 FROM statements
    WHERE id = $1 AND lookup_id = $2 AND issued_at = $3 AND expires_at = $4 AND usable = $5 AND reasons = $6";

/// Needs no transaction around it.
pub async fn answer(tx: &Tx, question: &Question) -> Done<Answered> {
    let asked = &question.asked;
    let facts = Facts::read(tx, question, std::slice::from_ref(&asked.document)).await?;
    if let Some(refusal) = facts.refusal() {
        return Ok(refusal);
    }
    let statement = facts.judge(asked, 0);
    // One that was recorded under the same id at the same time is seen by the second attempt.
    let is_recorded = record(tx, question, &statement).await?
        || is_same(tx, question).await? && record(tx, question, &statement).await?;
    Ok(if is_recorded { Answered::Claims(Box::new(statement)) } else { Answered::IdConflict })
}

/// `false`: the id of the lookup is another one's, or was when this began.
async fn record(tx: &Tx, question: &Question, statement: &Statement) -> Done<bool> {
    let asked = &question.asked;
    let Statement { jti, iat, exp, usable, reasons, .. } = statement;
    let row = tx
        .row(
            RECORD,
            &[
                &asked.lookup_id,
                &question.account_id,
                &question.device_id,
                &asked.entity_id,
                &asked.branch_id,
                &Bytes32::from(question.document_mac),
                &question.purpose,
                &Moment(*iat),
                jti,
                &Moment(*exp),
                usable,
                &words(reasons),
            ],
        )
        .await?;
    let (is_known, is_given): (bool, bool) = (row.value(0)?, row.value(1)?);
    if is_known && !is_given {
        are_on_record(tx, std::slice::from_ref(statement)).await?;
    }
    Ok(is_known)
}

/// Whether these answers stand on record as they are.
pub async fn are_on_record(tx: &Tx, statements: &[Statement]) -> Done<()> {
    for Statement { jti, lookup_id, iat, exp, usable, reasons, .. } in statements {
        let (issued, expires, reasons) = (Moment(*iat), Moment(*exp), words(reasons));
        if !tx.exists(IS_ON_RECORD, &[jti, lookup_id, &issued, &expires, usable, &reasons]).await? {
            return Err(Trouble::AnsweredOtherwise);
        }
    }
    Ok(())
}

async fn is_same(tx: &Tx, question: &Question) -> Done<bool> {
    let Asked { lookup_id, branch_id, .. } = &question.asked;
    tx.exists(IS_SAME, &[lookup_id, &question.account_id, branch_id, &Bytes32::from(question.document_mac)])
        .await
}

/// What there is to know about people at a branch today.
pub struct Facts {
    works_there: bool,
    is_approved: bool,
    people: Vec<Person>,
    agreement: Option<AgreementTerms>,
    /// Of each of the people.
    uses: Vec<Vec<UsedToday>>,
}

impl Facts {
    /// What is asked.
    pub const STATEMENT: &str = FACTS;

    /// Reads it, for people of the account, branch and moment of `question`.
    pub async fn read(tx: &Tx, question: &Question, documents: &[Document]) -> Done<Self> {
        let Asked { entity_id, branch_id, now, .. } = &question.asked;
        let today = colombia::day_of(*now);
        let kinds: Vec<&str> = documents.iter().map(|document| document.kind().code()).collect();
        let numbers: Vec<&str> = documents.iter().map(Document::number).collect();
        let approved = Word(ApplicationState::Approved);
        let rows = tx
            .rows(
                FACTS,
                &[
                    &kinds,
                    &numbers,
                    &question.account_id,
                    branch_id,
                    entity_id,
                    &CONVENIOS,
                    &approved,
                    &today,
                ],
            )
            .await?;
        let Some(first) = rows.first() else {
            return Err(Trouble::Unreadable("nobody was asked about".into()));
        };
        let mut facts = Self {
            works_there: first.value(0)?,
            is_approved: first.value(1)?,
            people: Vec::with_capacity(documents.len()),
            agreement: None,
            uses: Vec::with_capacity(documents.len()),
        };
        let mut of_branch = Vec::new();
        let first_place: i64 = first.value(2)?;
        let mut place = 0;
        for row in &rows {
            let of_first = row.value::<i64>(2)? == first_place;
            if of_first && row.value::<Option<Uuid>>(AGREEMENT_AT)?.is_some() {
                of_branch.push(terms(row, AGREEMENT_AT + 1)?);
            }
            // Once for each agreement.
            if row.value::<i64>(2)? == place {
                continue;
            }
            place = row.value(2)?;
            facts.people.push(person(row)?);
            facts.uses.push(uses(row)?);
        }
        facts.agreement = agreement::of_day(today, of_branch);
        Ok(facts)
    }

    /// Why the account may not ask here, if it may not.
    pub const fn refusal(&self) -> Option<Answered> {
        if !self.works_there {
            Some(Answered::BranchNotAllowed)
        } else if !self.is_approved {
            Some(Answered::NotApproved)
        } else {
            None
        }
    }

    /// The answer about the person in this place of the list.
    pub fn judge(&self, asked: &Asked, place: usize) -> Statement {
        let known = Known {
            person: self.people.get(place).cloned().unwrap_or(Person::Unknown),
            agreement: self.agreement.clone(),
            used_today: self.uses.get(place).cloned().unwrap_or_default(),
        };
        claims(asked, known)
    }
}

/// What is registered of a person.
pub async fn affiliate_of(tx: &Tx, document: &Document) -> Done<Option<Affiliate>> {
    let row = tx.row_or_none(AFFILIATE, &[&document.number(), &document.kind().code()]).await?;
    row.map(|row| affiliate(&row, 0)).transpose().map(Option::flatten)
}

/// Who has the document of a row of [`FACTS`].
fn person(row: &Row) -> Done<Person> {
    Ok(match affiliate(row, PERSON_AT)? {
        Some(affiliate) => Person::Registered(affiliate),
        None if row.value(5)? => Person::OtherKind,
        None => Person::Unknown,
    })
}

fn uses(row: &Row) -> Done<Vec<UsedToday>> {
    let at = row.value::<Option<Vec<Moment>>>(3)?.unwrap_or_default();
    let names = row.value::<Option<Vec<String>>>(4)?.unwrap_or_default();
    let used = |(Moment(occurred_at), branch_name)| UsedToday { occurred_at, branch_name };
    Ok(at.into_iter().zip(names).map(used).collect())
}

/// The person whose columns begin at `at`, if there is one.
fn affiliate(row: &Row, at: usize) -> Done<Option<Affiliate>> {
    let Some(role) = row.word_or_none(at)? else { return Ok(None) };
    let company = match row.value::<Option<String>>(at + 7)? {
        Some(name) => Some(Company { name, status: row.word(at + 8)? }),
        None => None,
    };
    Ok(Some(Affiliate {
        role,
        first_surname: row.value(at + 1)?,
        second_surname: row.value(at + 2)?,
        first_name: row.value(at + 3)?,
        second_name: row.value(at + 4)?,
        status: row.word(at + 5)?,
        tariff: row.word(at + 6)?,
        company,
    }))
}
