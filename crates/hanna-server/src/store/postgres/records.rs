//! What a batch writes, a statement a table.

use std::collections::BTreeMap;

use hanna_domain::outbox::ItemCode;
use hanna_domain::{Affiliate, Statement, colombia};
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use super::audit::{APPEND_ITEMS, append_items};
use super::columns::{Bytes32, Count, Moment};
use super::fault::{Done, Trouble};
use super::pool::Tx;
use crate::store::replay::Taken;
use crate::store::words::Word;
use crate::store::{Arrival, Delivery, OfflineLookup, Void};

/// Writes fewer rows than it is given when another transaction has written one of them in between.
const ITEMS: &str = "
    INSERT INTO outbox_items (id, content_hash, kind, sequence, author_id, device_id, sent_by, received_at, judged_at,
                              outcome, code, submission, device_time)
    SELECT id, content_hash, kind, sequence, author_id, $1::uuid, $2::uuid, $3::timestamptz, $3::timestamptz,
           outcome, code, submission, device_time
    FROM unnest($4::uuid[], $5::bytea[], $6::text[], $7::bigint[], $8::uuid[], $9::text[], $10::text[], $11::bigint[],
                $12::timestamptz[])
        AS a (id, content_hash, kind, sequence, author_id, outcome, code, submission, device_time)
    ON CONFLICT (id) DO UPDATE SET judged_at = excluded.judged_at, outcome = excluded.outcome, code = excluded.code,
        submission = excluded.submission
    WHERE outbox_items.content_hash = excluded.content_hash AND outbox_items.outcome = 'refused'
        AND outbox_items.submission < excluded.submission";
const EARLIER: &str = "
    INSERT INTO earlier_refusals (item_id, submission, judged_at, code)
    SELECT item_id, submission, judged_at, code
    FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[]) AS e (item_id, submission, judged_at, code)";
const USES: &str = "
    INSERT INTO usage_reports (id, statement_id, lookup_id, entity_id, branch_id, author_id, occurred_at, day, kind,
                               number, affiliate_name, tariff, company_name)
    SELECT id, statement_id, lookup_id, $1::uuid, branch_id, author_id, occurred_at, day, kind, number, affiliate_name,
           tariff, company_name
    FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::timestamptz[], $8::date[], $9::text[],
                $10::text[], $11::text[], $12::text[], $13::text[])
        AS u (id, statement_id, lookup_id, branch_id, author_id, occurred_at, day, kind, number, affiliate_name, tariff,
              company_name)";
const VOIDS: &str = "
    INSERT INTO voids (id, report_id, author_id, occurred_at, reason, text)
    SELECT id, report_id, author_id, occurred_at, reason, text
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[])
        AS v (id, report_id, author_id, occurred_at, reason, text)";
const LOOKUPS: &str = "
    INSERT INTO lookups (id, account_id, device_id, entity_id, branch_id, document_mac, purpose, asked_at, regular)
    SELECT id, account_id, $1::uuid, $2::uuid, branch_id, mac, purpose, asked_at, false
    FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::bytea[], $7::text[], $8::timestamptz[])
        AS l (id, account_id, branch_id, mac, purpose, asked_at)
    ON CONFLICT (id) DO NOTHING";
const OFFLINE_LOOKUPS: &str = "
    INSERT INTO offline_lookups (id, lookup_id, occurred_at, verdict, statement_id)
    SELECT id, lookup_id, occurred_at, verdict, statement_id
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::uuid[])
        AS o (id, lookup_id, occurred_at, verdict, statement_id)";

/// What [`Records::write`] says.
pub const STATEMENTS: [&str; 7] = [ITEMS, EARLIER, USES, VOIDS, LOOKUPS, OFFLINE_LOOKUPS, APPEND_ITEMS];

/// The answer to a lower submission.
pub struct Earlier {
    /// The item.
    pub item_id: Uuid,
    /// The submission.
    pub submission: u32,
    /// When it was judged.
    pub judged_at: Timestamp,
    /// Why it was refused.
    pub code: ItemCode,
}

/// What is to be written.
#[derive(Default)]
pub struct Records<'a> {
    /// By id: of an item that was judged twice in one batch the last answer counts.
    items: BTreeMap<Uuid, (&'a Arrival, Taken)>,
    /// Every item as often as it was judged, with its submission.
    judged: Vec<(Uuid, u32)>,
    earlier: Vec<Earlier>,
    uses: Vec<(&'a Arrival, &'a Statement)>,
    voids: Vec<(&'a Arrival, &'a Void)>,
    lookups: Vec<(&'a Arrival, &'a OfflineLookup)>,
}

impl<'a> Records<'a> {
    /// An item was judged.
    pub fn taken(&mut self, arrival: &'a Arrival, taken: Taken) {
        self.items.insert(arrival.id, (arrival, taken));
        self.judged.push((arrival.id, arrival.submission));
    }

    /// A lower submission had been refused.
    pub fn refused_earlier(&mut self, earlier: Earlier) {
        self.earlier.push(earlier);
    }

    /// A use was taken in.
    pub fn used(&mut self, arrival: &'a Arrival, statement: &'a Statement) {
        self.uses.push((arrival, statement));
    }

    /// A void was taken in.
    pub fn voided(&mut self, arrival: &'a Arrival, void: &'a Void) {
        self.voids.push((arrival, void));
    }

    /// A lookup that a copy answered was taken in.
    pub fn looked_up(&mut self, arrival: &'a Arrival, lookup: &'a OfflineLookup) {
        self.lookups.push((arrival, lookup));
    }

    /// Writes everything. What nothing is to be said about is left out.
    pub async fn write(&self, tx: &Tx, delivery: &Delivery) -> Done<()> {
        tokio::try_join!(
            biased;
            self.write_items(tx, delivery),
            self.write_earlier(tx),
            self.write_uses(tx, delivery),
            self.write_voids(tx),
            self.write_lookups(tx, delivery),
            self.write_offline_lookups(tx),
            append_items(tx, &self.judged, delivery.now),
        )
        .map(drop)
    }

    async fn write_items(&self, tx: &Tx, delivery: &Delivery) -> Done<()> {
        if self.items.is_empty() {
            return Ok(());
        }
        let each = || self.items.values();
        let ids: Vec<Uuid> = each().map(|(arrival, _)| arrival.id).collect();
        let hashes: Vec<Bytes32> = each().map(|(arrival, _)| Bytes32(arrival.content_hash)).collect();
        let kinds: Vec<&str> = each().map(|(arrival, _)| arrival.recorded.kind().code()).collect();
        let sequences: Vec<i64> = each().map(|(arrival, _)| arrival.sequence).collect();
        let authors: Vec<Uuid> = each().map(|(arrival, _)| arrival.author_id).collect();
        let outcomes: Vec<&str> = each().map(|(_, (outcome, _))| outcome.code()).collect();
        let codes: Vec<Option<&str>> = each().map(|(_, (_, code))| code.map(ItemCode::code)).collect();
        let submissions: Vec<Count> = each().map(|(arrival, _)| Count(arrival.submission)).collect();
        let device_times: Vec<Moment> = each().map(|(arrival, _)| Moment(arrival.device_time)).collect();
        let written = tx
            .execute(
                ITEMS,
                &[
                    &delivery.device_id,
                    &delivery.account_id,
                    &Moment(delivery.now),
                    &ids,
                    &hashes,
                    &kinds,
                    &sequences,
                    &authors,
                    &outcomes,
                    &codes,
                    &submissions,
                    &device_times,
                ],
            )
            .await?;
        if written == ids.len() as u64 { Ok(()) } else { Err(Trouble::Overtaken) }
    }

    async fn write_earlier(&self, tx: &Tx) -> Done<()> {
        if self.earlier.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = self.earlier.iter().map(|earlier| earlier.item_id).collect();
        let submissions: Vec<Count> = self.earlier.iter().map(|earlier| Count(earlier.submission)).collect();
        let judged: Vec<Moment> = self.earlier.iter().map(|earlier| Moment(earlier.judged_at)).collect();
        let codes: Vec<&str> = self.earlier.iter().map(|earlier| earlier.code.code()).collect();
        tx.execute(EARLIER, &[&ids, &submissions, &judged, &codes]).await.map(drop)
    }

    async fn write_uses(&self, tx: &Tx, delivery: &Delivery) -> Done<()> {
        if self.uses.is_empty() {
            return Ok(());
        }
        let each = || self.uses.iter();
        let ids: Vec<Uuid> = each().map(|(arrival, _)| arrival.id).collect();
        let folios: Vec<Uuid> = each().map(|(_, statement)| statement.jti).collect();
        let lookups: Vec<Uuid> = each().map(|(_, statement)| statement.lookup_id).collect();
        let branches: Vec<Uuid> = each().map(|(_, statement)| statement.branch_id).collect();
        let authors: Vec<Uuid> = each().map(|(arrival, _)| arrival.author_id).collect();
        let occurred: Vec<Moment> = each().map(|(arrival, _)| Moment(arrival.occurred_at)).collect();
        let days: Vec<Date> = each().map(|(arrival, _)| colombia::day_of(arrival.occurred_at)).collect();
        let kinds: Vec<&str> = each().map(|(_, statement)| statement.document.kind().code()).collect();
        let numbers: Vec<&str> = each().map(|(_, statement)| statement.document.number()).collect();
        let people = || each().map(|(_, statement)| statement.affiliate.as_ref());
        // A usable statement always has a person: `Verifier` refuses any other.
        let names: Vec<String> =
            people().map(|person| person.map(Affiliate::full_name).unwrap_or_default()).collect();
        let tariffs: Vec<&str> = each().map(|(_, statement)| statement.tariff.code()).collect();
        let company = |person: &'a Affiliate| person.company.as_ref().map(|company| company.name.as_str());
        let companies: Vec<Option<&str>> = people().map(|person| person.and_then(company)).collect();
        tx.execute(
            USES,
            &[
                &delivery.entity_id,
                &ids,
                &folios,
                &lookups,
                &branches,
                &authors,
                &occurred,
                &days,
                &kinds,
                &numbers,
                &names,
                &tariffs,
                &companies,
            ],
        )
        .await
        .map(drop)
    }

    async fn write_voids(&self, tx: &Tx) -> Done<()> {
        if self.voids.is_empty() {
            return Ok(());
        }
        let each = || self.voids.iter();
        let ids: Vec<Uuid> = each().map(|(arrival, _)| arrival.id).collect();
        let reports: Vec<Uuid> = each().map(|(_, void)| void.report_id).collect();
        let authors: Vec<Uuid> = each().map(|(arrival, _)| arrival.author_id).collect();
        let occurred: Vec<Moment> = each().map(|(arrival, _)| Moment(arrival.occurred_at)).collect();
        let reasons: Vec<&str> = each().map(|(_, void)| void.reason.code()).collect();
        let texts: Vec<Option<&str>> = each().map(|(_, void)| void.text.as_deref()).collect();
        tx.execute(VOIDS, &[&ids, &reports, &authors, &occurred, &reasons, &texts]).await.map(drop)
    }

    async fn write_lookups(&self, tx: &Tx, delivery: &Delivery) -> Done<()> {
        if self.lookups.is_empty() {
            return Ok(());
        }
        let each = || self.lookups.iter();
        let ids: Vec<Uuid> = each().map(|(_, lookup)| lookup.lookup_id).collect();
        let authors: Vec<Uuid> = each().map(|(arrival, _)| arrival.author_id).collect();
        let branches: Vec<Uuid> = each().map(|(_, lookup)| lookup.branch_id).collect();
        let macs: Vec<Bytes32> = each().map(|(_, lookup)| lookup.document_mac.into()).collect();
        let purposes: Vec<&str> = each().map(|(_, lookup)| lookup.purpose.as_str()).collect();
        let occurred: Vec<Moment> = each().map(|(arrival, _)| Moment(arrival.occurred_at)).collect();
        tx.execute(
            LOOKUPS,
            &[
                &delivery.device_id,
                &delivery.entity_id,
                &ids,
                &authors,
                &branches,
                &macs,
                &purposes,
                &occurred,
            ],
        )
        .await
        .map(drop)
    }

    async fn write_offline_lookups(&self, tx: &Tx) -> Done<()> {
        if self.lookups.is_empty() {
            return Ok(());
        }
        let each = || self.lookups.iter();
        let ids: Vec<Uuid> = each().map(|(arrival, _)| arrival.id).collect();
        let lookups: Vec<Uuid> = each().map(|(_, lookup)| lookup.lookup_id).collect();
        let occurred: Vec<Moment> = each().map(|(arrival, _)| Moment(arrival.occurred_at)).collect();
        let verdicts: Vec<Word<_>> = each().map(|(_, lookup)| Word(lookup.verdict)).collect();
        let folios: Vec<Option<Uuid>> = each().map(|(_, lookup)| lookup.statement_id).collect();
        tx.execute(OFFLINE_LOOKUPS, &[&ids, &lookups, &occurred, &verdicts, &folios]).await.map(drop)
    }
}
