//! People a branch consulted lately, verified again: lookups within a budget, as many at once as are asked.

use std::collections::HashMap;

use hanna_domain::{Document, Statement, colombia};
use uuid::Uuid;

use super::columns::{Bytes32, Columns, Moment};
use super::fault::Done;
use super::locks::{HOLD, Name};
use super::lookups::{Facts, are_on_record};
use super::pool::Tx;
use crate::store::{Answered, Question, Round, RoundAnswered};

const SPENT: &str =
    "SELECT count(*) FROM lookups WHERE regular AND branch_id = $1 AND asked_at >= $2 AND asked_at < $3";
const ON_RECORD: &str = "SELECT id, branch_id, document_mac FROM lookups WHERE id = ANY($1::uuid[])";
const RECORD: &str = "
    INSERT INTO lookups (id, account_id, device_id, entity_id, branch_id, document_mac, purpose, asked_at, regular)
    SELECT id, $1::uuid, $2::uuid, $3::uuid, $4::uuid, mac, purpose, $5::timestamptz, true
    FROM unnest($6::uuid[], $7::bytea[], $8::text[]) AS q (id, mac, purpose)";
/// The reasons stand between spaces: an array of arrays would have to be a rectangle. The same folios again are this very
/// transaction, whose end was not heard of: then nothing is written, for what is on record is sealed.
const RECORD_ANSWERS: &str = "
    WITH given AS (
        INSERT INTO statements (id, lookup_id, issued_at, expires_at, usable, reasons)
        SELECT id, lookup_id, issued_at, expires_at, usable, string_to_array(reasons, ' ')
        FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::boolean[], $6::text[])
            AS a (id, lookup_id, issued_at, expires_at, usable, reasons)
        ON CONFLICT (id) DO NOTHING RETURNING id, issued_at)
    INSERT INTO audit (at, act, record_id) SELECT issued_at, 'LOOKUP', id FROM given";

/// Begins and ends its transaction itself.
pub async fn answer(tx: &Tx, round: &Round) -> Done<RoundAnswered> {
    let Some(first) = round.questions.first() else {
        return Ok(RoundAnswered::Claims { statements: Vec::new(), budget_left: round.budget });
    };
    tx.prepare(&[HOLD, SPENT, ON_RECORD, Facts::STATEMENT, RECORD, RECORD_ANSWERS]).await?;
    let asked = &first.asked;
    let today = colombia::day_of(asked.now);
    let (from, to) = colombia::days(today, today);
    let documents: Vec<Document> =
        round.questions.iter().map(|question| question.asked.document.clone()).collect();
    let ids: Vec<Uuid> = round.questions.iter().map(|question| question.asked.lookup_id).collect();
    // What is spent is counted by one round of the branch at a time.
    let turn = Name::of("regulars", &[asked.branch_id.as_bytes()]);
    let hold = async { tx.execute(HOLD, &[&turn.0]).await };
    let spent = async { tx.row(SPENT, &[&asked.branch_id, &Moment(from), &Moment(to)]).await };
    let on_record = async { tx.rows(ON_RECORD, &[&ids]).await };
    let ((), _, spent, on_record, facts) = tokio::try_join!(
        biased;
        tx.begin(),
        hold,
        spent,
        on_record,
        Facts::read(tx, first, &documents),
    )?;
    let refused = match facts.refusal() {
        Some(Answered::BranchNotAllowed) => Some(RoundAnswered::BranchNotAllowed),
        Some(_) => Some(RoundAnswered::NotApproved),
        None => None,
    };
    if let Some(refused) = refused {
        return Ok(refused);
    }
    let mut known = HashMap::new();
    for row in &on_record {
        known.insert(row.value::<Uuid>(0)?, (row.value::<Uuid>(1)?, row.value::<Bytes32>(2)?));
    }
    let spent = u32::try_from(spent.value::<i64>(0)?).unwrap_or(u32::MAX);
    let mut budget_left = round.budget.saturating_sub(spent);
    let mut new = Vec::new();
    let mut statements = Vec::with_capacity(round.questions.len());
    for (place, question) in round.questions.iter().enumerate() {
        let this = (question.asked.branch_id, Bytes32::from(question.document_mac));
        match known.get(&question.asked.lookup_id) {
            Some(known) if *known == this => {}
            Some(_) => return Ok(RoundAnswered::IdConflict),
            None if budget_left == 0 => continue,
            None => {
                known.insert(question.asked.lookup_id, this);
                new.push(question);
                budget_left -= 1;
            }
        }
        statements.push(facts.judge(&question.asked, place));
    }
    let ((), given, ()) = tokio::try_join!(
        biased;
        record(tx, first, &new),
        record_answers(tx, &statements),
        tx.commit(),
    )?;
    if given != statements.len() as u64 {
        are_on_record(tx, &statements).await?;
    }
    Ok(RoundAnswered::Claims { statements, budget_left })
}

async fn record(tx: &Tx, first: &Question, new: &[&Question]) -> Done<()> {
    let ids: Vec<Uuid> = new.iter().map(|question| question.asked.lookup_id).collect();
    let macs: Vec<Bytes32> = new.iter().map(|question| question.document_mac.into()).collect();
    let purposes: Vec<&str> = new.iter().map(|question| question.purpose.as_str()).collect();
    let asked = &first.asked;
    tx.execute(
        RECORD,
        &[
            &first.account_id,
            &first.device_id,
            &asked.entity_id,
            &asked.branch_id,
            &Moment(asked.now),
            &ids,
            &macs,
            &purposes,
        ],
    )
    .await
    .map(drop)
}

async fn record_answers(tx: &Tx, statements: &[Statement]) -> Done<u64> {
    let ids: Vec<Uuid> = statements.iter().map(|statement| statement.jti).collect();
    let lookups: Vec<Uuid> = statements.iter().map(|statement| statement.lookup_id).collect();
    let issued: Vec<Moment> = statements.iter().map(|statement| Moment(statement.iat)).collect();
    let expires: Vec<Moment> = statements.iter().map(|statement| Moment(statement.exp)).collect();
    let usable: Vec<bool> = statements.iter().map(|statement| statement.usable).collect();
    let reasons: Vec<String> = statements
        .iter()
        .map(|statement| statement.reasons.iter().map(|reason| reason.code()).collect::<Vec<_>>().join(" "))
        .collect();
    tx.execute(RECORD_ANSWERS, &[&ids, &lookups, &issued, &expires, &usable, &reasons]).await
}
