//! The store on PostgreSQL 15 or newer, shared by any number of server processes.
//!
//! Transactions are READ COMMITTED, which needs no second attempt when two of them only come close to each other. Where
//! two must not both see what was before, they take turns: at a row they write (a device, a session), at a unique key (an
//! item, a lookup, a void, a user name), or at a lock by name (`locks`: uses of one person, the budget of a branch, a user
//! name's attempts, a mailed code, an import, the head of the audit, the counts of processes). Every piece of work may be run twice (`pool`).
//!
//! Nothing is kept in a process but the keys to sign with, which are read again every minute, and what a request needs.

mod access;
mod accounts;
pub mod address;
mod affiliates;
mod applications;
mod audit;
mod business_usage;
mod businesses;
mod codes;
mod columns;
mod deliveries;
mod devices;
mod entity_users;
mod fault;
mod history;
mod imports;
mod installation;
mod keys;
mod ledger;
mod locks;
mod lookups;
mod mails;
mod migrate;
mod organisation;
mod people;
mod person;
mod pool;
mod records;
mod registrations;
mod regulars;
mod retention;
mod second_factors;
mod tallies;
mod verification;

use std::sync::Arc;

use async_trait::async_trait;
use hanna_wire::me::Branch;
use hanna_wire::usage::{UsageRow, UsageTotal};
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use self::address::Address;
use self::pool::Connections;
use super::{
    Admission, Answered, Caller, Credentials, Delivered, Delivery, Device, ImportCounts, ImportHow,
    ImportSource, Installation, Installed, Opened, Opening, Question, Refreshed, Result, Rotation, Round,
    RoundAnswered, Sender, SessionOpened, Store, Surroundings, UsageFilter,
};
use crate::audit::Actor;
use crate::keys::SigningKey;
use crate::secrets::{Mac, TokenHash};

/// Hanna's data in a PostgreSQL database.
#[derive(Debug)]
pub struct PostgresStore(Connections);

impl PostgresStore {
    /// Connects to the database at `address`, which must be there, and brings it to this program's schema.
    ///
    /// # Errors
    /// [`super::StoreError::Newer`] for a database of a newer program, which is left alone.
    pub async fn open(address: &Address) -> Result<(Self, Opened)> {
        let connections = Connections::new(address)?;
        connections.check().await?;
        let schema_before = migrate::migrate(&connections).await?;
        Ok((Self(connections), Opened { schema_before, schema: migrate::newest() }))
    }

    /// The keys of the database at `address`, in the order in which they were made. Nothing is changed there.
    ///
    /// # Errors
    /// Also when it is no database of ours.
    pub async fn keys_of(address: &Address) -> Result<Vec<SigningKey>> {
        Connections::new(address)?.ask(|tx| Box::pin(keys::all(tx))).await
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn schema(&self) -> Result<i64> {
        self.0.ask(|tx| Box::pin(migrate::version(tx))).await
    }

    async fn secret(&self, name: &'static str, candidate: [u8; 32]) -> Result<Vec<u8>> {
        self.0.write(move |tx| Box::pin(async move { keys::secret(tx, name, &candidate).await })).await
    }

    async fn signing_keys(&self, candidate: SigningKey, now: Timestamp) -> Result<Vec<SigningKey>> {
        let candidate = Arc::new(candidate);
        self.0
            .write(move |tx| {
                let candidate = Arc::clone(&candidate);
                Box::pin(async move { keys::signing_keys(tx, &candidate, now).await })
            })
            .await
    }

    async fn keys(&self) -> Result<Vec<SigningKey>> {
        self.0.ask(|tx| Box::pin(keys::all(tx))).await
    }

    async fn add_key(&self, key: SigningKey, now: Timestamp, by: Actor) -> Result<()> {
        let new = Arc::new((key, by));
        self.0
            .write(move |tx| {
                let new = Arc::clone(&new);
                Box::pin(async move { keys::add(tx, &new.0, now, &new.1).await })
            })
            .await
    }

    async fn epoch(&self, candidate: Uuid) -> Result<Uuid> {
        self.0.write(move |tx| Box::pin(keys::begin_epoch(tx, candidate))).await
    }

    async fn renew_epoch(&self, next: Uuid, now: Timestamp, by: Actor) -> Result<()> {
        let by = Arc::new(by);
        self.0
            .write(move |tx| {
                let by = Arc::clone(&by);
                Box::pin(async move { keys::renew_epoch(tx, next, now, &by).await })
            })
            .await
    }

    async fn count_attempt(&self, username: Mac, now: Timestamp) -> Result<Admission> {
        self.0.write(move |tx| Box::pin(access::count_attempt(tx, username, now))).await
    }

    async fn forget_attempts(&self, username: Mac) -> Result<()> {
        self.0.write(move |tx| Box::pin(access::forget_attempts(tx, username))).await
    }

    async fn credentials(&self, username_key: String) -> Result<Option<Credentials>> {
        self.0
            .ask(move |tx| {
                let username_key = username_key.clone();
                Box::pin(async move { access::credentials(tx, &username_key).await })
            })
            .await
    }

    async fn open_session(&self, opening: Opening) -> Result<SessionOpened> {
        let opening = Arc::new(opening);
        self.0
            .write(move |tx| {
                let opening = Arc::clone(&opening);
                Box::pin(async move { access::open_session(tx, &opening).await })
            })
            .await
    }

    async fn refresh_session(&self, rotation: Rotation) -> Result<Refreshed> {
        self.0.write(move |tx| Box::pin(async move { access::refresh_session(tx, &rotation).await })).await
    }

    async fn end_session(&self, session_id: Uuid, now: Timestamp) -> Result<()> {
        self.0.write(move |tx| Box::pin(access::sign_out(tx, session_id, now))).await
    }

    async fn caller(&self, access: TokenHash, now: Timestamp) -> Result<Option<Caller>> {
        self.0.ask(move |tx| Box::pin(access::caller(tx, access, now))).await
    }

    async fn surroundings(&self, account_id: Uuid, today: Date) -> Result<Option<Surroundings>> {
        self.0.read(move |tx| Box::pin(organisation::surroundings(tx, account_id, today))).await
    }

    async fn devices(&self) -> Result<Vec<Device>> {
        self.0.ask(|tx| Box::pin(devices::all(tx))).await
    }

    async fn revoke_device(&self, id: Uuid, now: Timestamp, by: Actor) -> Result<bool> {
        let by = Arc::new(by);
        self.0
            .write(move |tx| {
                let by = Arc::clone(&by);
                Box::pin(async move { devices::revoke(tx, id, now, &by).await })
            })
            .await
    }

    async fn restore_device(&self, id: Uuid, now: Timestamp, by: Actor) -> Result<bool> {
        let by = Arc::new(by);
        self.0
            .write(move |tx| {
                let by = Arc::clone(&by);
                Box::pin(async move { devices::restore(tx, id, now, &by).await })
            })
            .await
    }

    async fn answer_lookup(&self, question: Question) -> Result<Answered> {
        let question = Arc::new(question);
        self.0
            .ask(move |tx| {
                let question = Arc::clone(&question);
                Box::pin(async move { lookups::answer(tx, &question).await })
            })
            .await
    }

    async fn answer_regulars(&self, round: Round) -> Result<RoundAnswered> {
        let round = Arc::new(round);
        let answered = self.0.write_at_once(
            |answered| matches!(answered, RoundAnswered::Claims { .. }),
            move |tx| {
                let round = Arc::clone(&round);
                Box::pin(async move { regulars::answer(tx, &round).await })
            },
        );
        Ok(answered.await?)
    }

    async fn take_in(&self, delivery: Delivery) -> Result<Delivered> {
        deliveries::take_in(&self.0, delivery).await
    }

    async fn last_sender(&self, device_id: Uuid) -> Result<Option<Sender>> {
        self.0.ask(move |tx| Box::pin(devices::last_sender(tx, device_id))).await
    }

    async fn held(&self, ids: Vec<Uuid>) -> Result<Vec<(Uuid, u32)>> {
        self.0
            .ask(move |tx| {
                let ids = ids.clone();
                Box::pin(async move { deliveries::held(tx, &ids).await })
            })
            .await
    }

    async fn usage_reports(&self, filter: UsageFilter) -> Result<Vec<UsageRow>> {
        self.0
            .read(move |tx| {
                let filter = filter.clone();
                Box::pin(async move { history::usage_reports(tx, &filter).await })
            })
            .await
    }

    async fn usage_totals(&self, filter: UsageFilter) -> Result<Vec<UsageTotal>> {
        self.0
            .read(move |tx| {
                let filter = filter.clone();
                Box::pin(async move { history::totals(tx, &filter).await })
            })
            .await
    }

    async fn branches(&self, entity_id: Uuid) -> Result<Vec<Branch>> {
        self.0.ask(move |tx| Box::pin(organisation::branches(tx, entity_id))).await
    }

    async fn import_affiliates(
        &self,
        source: Box<dyn ImportSource>,
        how: ImportHow,
        now: Timestamp,
        by: Actor,
    ) -> Result<Option<ImportCounts>> {
        Ok(affiliates::import(&self.0, source, how, now, &by).await?)
    }

    async fn install(
        &self,
        installation: Installation,
        people: Box<dyn ImportSource>,
        now: Timestamp,
        by: Actor,
    ) -> Result<Installed> {
        Ok(installation::install(&self.0, &installation, people, now, &by).await?)
    }
}

#[cfg(test)]
mod tests;
