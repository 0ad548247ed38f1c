//! Lookups: authorised, judged and recorded in one transaction of two ways there and back.

use std::collections::HashMap;

use hanna_domain::{Affiliate, Company, Document, Statement, UsedToday, colombia};
use hanna_wire::me::ApplicationState;
use tokio_postgres::Row;
use uuid::Uuid;

use super::columns::{Bytes32, Columns, Moment, words};
use super::fault::{Done, Trouble};
use super::organisation::{AGREEMENTS, agreements};
use super::pool::Tx;
use crate::agreement;
use crate::application::CONVENIOS;
use crate::claims::{Asked, Known, claims};
use crate::judge::Person;
use crate::store::words::Word;
use crate::store::{Answered, Question};
use hanna_wire::agreement::AgreementTerms;

/// Whether an account works at a branch that is open, and whether the branch's entity may work at all.
pub const STANDING: &str = "
    SELECT EXISTS (SELECT 1 FROM account_branches ab JOIN branches b ON b.id = ab.branch_id
                   WHERE ab.account_id = $1 AND ab.branch_id = $2 AND b.entity_id = $3
                         AND b.closed_at IS NULL),
           EXISTS (SELECT 1 FROM applications WHERE entity_id = $3 AND code = $4 AND state = $5)";

/// Who has these documents, one row each, in their order: kinds (`$1`) and numbers (`$2`).
const PEOPLE: &str = "
    SELECT a.role, a.first_surname, a.second_surname, a.first_name, a.second_name, a.status, a.tariff, c.name, c.status,
           EXISTS (SELECT 1 FROM affiliates o WHERE o.number = k.number)
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (kind, number, place)
    LEFT JOIN affiliates a ON a.number = k.number AND a.kind = k.kind
    LEFT JOIN companies c ON c.id = a.company_id
    ORDER BY k.place";

/// The uses of these people at an entity (`$3`) on a day (`$4`), oldest first, by their place in the list.
const USES: &str = "
    SELECT k.place, u.occurred_at, b.name
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (kind, number, place)
    JOIN usage_reports u ON u.number = k.number AND u.kind = k.kind AND u.entity_id = $3 AND u.day = $4
    JOIN branches b ON b.id = u.branch_id
    WHERE NOT EXISTS (SELECT 1 FROM voids v WHERE v.report_id = u.id)
    ORDER BY u.occurred_at, u.id";

const RECORD: &str = "
    INSERT INTO lookups (id, account_id, device_id, entity_id, branch_id, document_mac, purpose, asked_at, regular)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, false) ON CONFLICT (id) DO NOTHING";

const IS_SAME: &str =
    "SELECT 1 FROM lookups WHERE id = $1 AND account_id = $2 AND branch_id = $3 AND document_mac = $4";

/// The same folio again is this very transaction, whose end was not heard of.
const RECORD_ANSWER: &str = "
    INSERT INTO statements (id, lookup_id, issued_at, expires_at, usable, reasons) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (id) DO UPDATE SET issued_at = excluded.issued_at, expires_at = excluded.expires_at,
        usable = excluded.usable, reasons = excluded.reasons";

/// Begins and ends its transaction itself.
pub async fn answer(tx: &Tx, question: &Question) -> Done<Answered> {
    let asked = &question.asked;
    tx.prepare(&[STANDING, RECORD, AGREEMENTS, PEOPLE, USES, RECORD_ANSWER]).await?;
    let record = async {
        tx.execute(
            RECORD,
            &[
                &asked.lookup_id,
                &question.account_id,
                &question.device_id,
                &asked.entity_id,
                &asked.branch_id,
                &Bytes32::from(question.document_mac),
                &question.purpose,
                &Moment(asked.now),
            ],
        )
        .await
    };
    let ((), standing, added, known) = tokio::try_join!(
        biased;
        tx.begin(),
        standing(tx, question),
        record,
        Facts::read(tx, asked, std::slice::from_ref(&asked.document)),
    )?;
    if let Some(refusal) = standing {
        tx.roll_back().await?;
        return Ok(refusal);
    }
    if added == 0 && !is_same(tx, question).await? {
        tx.roll_back().await?;
        return Ok(Answered::IdConflict);
    }
    let statement = known.judge(asked, 0);
    let reasons = words(&statement.reasons);
    let (issued, expires) = (Moment(statement.iat), Moment(statement.exp));
    let row: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
        [&statement.jti, &statement.lookup_id, &issued, &expires, &statement.usable, &reasons];
    tokio::try_join!(biased; tx.execute(RECORD_ANSWER, &row), tx.commit())?;
    Ok(Answered::Claims(Box::new(statement)))
}

/// Why the account may not ask here, if it may not.
pub async fn standing(tx: &Tx, question: &Question) -> Done<Option<Answered>> {
    let Asked { entity_id, branch_id, .. } = &question.asked;
    let approved = Word(ApplicationState::Approved);
    let row = tx.row(STANDING, &[&question.account_id, branch_id, entity_id, &CONVENIOS, &approved]).await?;
    let (works_there, is_approved): (bool, bool) = (row.value(0)?, row.value(1)?);
    Ok(if !works_there {
        Some(Answered::BranchNotAllowed)
    } else if !is_approved {
        Some(Answered::NotApproved)
    } else {
        None
    })
}

async fn is_same(tx: &Tx, question: &Question) -> Done<bool> {
    let Asked { lookup_id, branch_id, .. } = &question.asked;
    tx.exists(IS_SAME, &[lookup_id, &question.account_id, branch_id, &Bytes32::from(question.document_mac)])
        .await
}

/// What there is to know about people at a branch today.
pub struct Facts {
    people: Vec<Person>,
    agreement: Option<AgreementTerms>,
    uses: HashMap<usize, Vec<UsedToday>>,
}

impl Facts {
    /// What is asked beside others; see [`Facts::read`].
    pub const STATEMENTS: [&str; 3] = [AGREEMENTS, PEOPLE, USES];

    /// Reads it, for people of the same branch and moment as `asked`. The statements have to be prepared.
    pub async fn read(tx: &Tx, asked: &Asked, documents: &[Document]) -> Done<Self> {
        let today = colombia::day_of(asked.now);
        let kinds: Vec<&str> = documents.iter().map(|document| document.kind().code()).collect();
        let numbers: Vec<&str> = documents.iter().map(Document::number).collect();
        let (branch, no_reports) = ([asked.branch_id], Vec::<Uuid>::new());
        let of_branch = async { tx.rows(AGREEMENTS, &[&branch.as_slice(), &no_reports]).await };
        let people = async { tx.rows(PEOPLE, &[&kinds, &numbers]).await };
        let uses = async { tx.rows(USES, &[&kinds, &numbers, &asked.entity_id, &today]).await };
        let (of_branch, people, rows) = tokio::try_join!(biased; of_branch, people, uses)?;
        let of_branch = agreements(&of_branch)?.remove(&asked.branch_id).unwrap_or_default();
        let mut uses: HashMap<usize, Vec<UsedToday>> = HashMap::new();
        for row in &rows {
            // Places are counted from 1 on.
            let place = usize::try_from(row.value::<i64>(0)? - 1)
                .map_err(|error| Trouble::Unreadable(error.into()))?;
            let one = UsedToday { occurred_at: row.moment(1)?, branch_name: row.value(2)? };
            uses.entry(place).or_default().push(one);
        }
        Ok(Self {
            people: people.iter().map(person).collect::<Done<_>>()?,
            agreement: agreement::of_day(today, of_branch),
            uses,
        })
    }

    /// The answer about the person in this place of the list.
    pub fn judge(&self, asked: &Asked, place: usize) -> Statement {
        let known = Known {
            person: self.people.get(place).cloned().unwrap_or(Person::Unknown),
            agreement: self.agreement.clone(),
            used_today: self.uses.get(&place).cloned().unwrap_or_default(),
        };
        claims(asked, known)
    }
}

fn person(row: &Row) -> Done<Person> {
    let Some(role) = row.word_or_none(0)? else {
        return Ok(if row.value(9)? { Person::OtherKind } else { Person::Unknown });
    };
    let company = match row.value::<Option<String>>(7)? {
        Some(name) => Some(Company { name, status: row.word(8)? }),
        None => None,
    };
    Ok(Person::Registered(Affiliate {
        role,
        first_surname: row.value(1)?,
        second_surname: row.value(2)?,
        first_name: row.value(3)?,
        second_name: row.value(4)?,
        status: row.word(5)?,
        tariff: row.word(6)?,
        company,
    }))
}
