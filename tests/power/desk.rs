//! The desk's two databases, with their cipher and their pragmas as they are.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;

use hanna_desk::ports::Chance;
use hanna_desk::store::{DatabaseKey, Enqueued, NewItem, Settled, SignedUse, StoreError, Stores};
use hanna_domain::outbox::{Event, ItemCode, ItemState};
use hanna_domain::{ClockMark, Document, DocumentKind, Statement, Tariff};
use hanna_testkit::chance::Seeded;
use hanna_tests::template::{begin, memory_folder};
use hanna_wire::outbox::ItemBody;
use jiff::{SignedDuration, Timestamp, ToSpan};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use crate::disk::Disk;
use crate::{Loss, Ran, choose_a_moment, is_whole, vfs};

/// How many operations one life has at most.
const OPERATIONS: usize = 120;
/// How many items are open at most; then more is delivered than recorded.
const OPEN_MAX: usize = 60;
/// How much a use's statement weighs.
const STATEMENT_BYTES: usize = 700;

/// What an operation does to items: before, and after.
type Effect = Vec<(Uuid, Option<ItemState>, ItemState)>;

struct Life {
    ids: Arc<Seeded>,
    chance: StdRng,
    key: DatabaseKey,
    /// What was confirmed, in the order it was recorded.
    items: BTreeMap<Uuid, ItemState>,
    order: Vec<Uuid>,
    mark: ClockMark,
    now: Timestamp,
    /// What was in the middle of being done when the power went.
    middle: Effect,
    confirmed: u64,
    kept: u64,
    checks: u64,
}

/// Runs so many cuts; what is lost is told.
pub fn run(seed: u64, cuts: u64, honest: bool) -> Result<Ran, Loss> {
    let folder = memory_folder("power");
    let disk = Arc::new(Disk::under(folder.path(), seed, honest));
    vfs::put_under(folder.path(), &disk);
    let mut life = Life {
        ids: Seeded::new(seed),
        chance: StdRng::seed_from_u64(seed),
        key: DatabaseKey::new([7; 32]),
        items: BTreeMap::new(),
        order: Vec::new(),
        mark: ClockMark::default(),
        now: begin(),
        middle: Effect::new(),
        confirmed: 0,
        kept: 0,
        checks: 0,
    };
    while disk.counts().cuts < cuts {
        life.between_two_cuts(folder.path(), &disk)?;
    }
    Ok(Ran {
        counts: disk.counts(),
        confirmed: life.confirmed,
        unconfirmed_kept: life.kept,
        checks: life.checks,
    })
}

impl Life {
    fn between_two_cuts(&mut self, folder: &Path, disk: &Disk) -> Result<(), Loss> {
        disk.switch_on();
        // Sometimes it goes again while the databases are opened, or made; often at the first of their files.
        let early = self.chance.random_bool(0.2);
        if early {
            let most = [3, 40][self.chance.random_range(0..2)];
            disk.cut_after(self.chance.random_range(0..most), false);
        }
        match Stores::open(folder, &self.key, self.now) {
            Ok((stores, notices)) if notices.is_empty() => {
                if disk.is_on() {
                    self.find_out(&stores)?;
                    self.look(folder, &stores)?;
                }
                if !early {
                    self.forget(&stores)?;
                    choose_a_moment(disk, &mut self.chance);
                }
                self.work(&stores, disk)?;
                // Closing empties the log into the database, and may be cut, too.
                drop(stores);
            }
            Ok((_, notices)) => return Err(format!("a database could not be read: {notices:?}")),
            Err(_) if !disk.is_on() => {}
            Err(error) => return Err(format!("the databases do not open: {error:?}")),
        }
        disk.cut();
        disk.leave_what_is_left();
        Ok(())
    }

    /// Works until the power goes.
    fn work(&mut self, stores: &Stores, disk: &Disk) -> Result<(), Loss> {
        for _ in 0..self.chance.random_range(1..OPERATIONS) {
            self.now += SignedDuration::from_secs(self.chance.random_range(1..90));
            let (done, effect) = self.operation(stores);
            match done {
                Ok(()) => {
                    self.confirmed += 1;
                    self.take_down(&effect);
                }
                Err(_) if !disk.is_on() => {
                    self.middle = effect;
                    return Ok(());
                }
                Err(error) => return Err(format!("an operation failed on a good disk: {error:?}")),
            }
        }
        Ok(())
    }

    fn take_down(&mut self, effect: &Effect) {
        for (id, before, after) in effect {
            if before.is_none() {
                self.order.push(*id);
            }
            self.items.insert(*id, *after);
        }
    }

    fn those(&self, state: ItemState) -> Vec<Uuid> {
        self.order.iter().copied().filter(|id| self.items[id] == state).collect()
    }

    fn operation(&mut self, stores: &Stores) -> (Result<(), StoreError>, Effect) {
        let open = self.items.values().filter(|state| state.is_open()).count();
        let upper = if open > OPEN_MAX { 45 } else { 100 };
        match self.chance.random_range(0..upper) {
            0..20 => self.deliver(stores),
            20..24 => {
                let waiting = self.those(ItemState::Sending);
                let effect = all(&waiting, ItemState::Sending, ItemState::Queued);
                (stores.outbox.recover().map(drop), effect)
            }
            24..28 => {
                let waiting = self.those(ItemState::NeedsAttention);
                let effect = all(&waiting, ItemState::NeedsAttention, ItemState::Queued);
                (stores.outbox.requeue_all(self.now).map(drop), effect)
            }
            28..32 => {
                let Some(id) = self.those(ItemState::NeedsAttention).pop() else {
                    return (Ok(()), Effect::new());
                };
                let effect = all(&[id], ItemState::NeedsAttention, ItemState::Withdrawn);
                (stores.outbox.withdraw(id, "se registró por error", self.now).map(drop), effect)
            }
            32..36 => {
                let mark = ClockMark::default().seen(self.now, self.now - 3.seconds());
                let kept = stores.outbox.keep_clock_mark(mark);
                if kept.is_ok() {
                    self.mark = mark;
                }
                (kept, Effect::new())
            }
            36..45 => {
                let statement = statement(self.now, &self.person());
                let kept =
                    stores.cache.keep_statement(&statement, &"s".repeat(STATEMENT_BYTES), Some(self.now));
                (kept, Effect::new())
            }
            _ => self.record(stores),
        }
    }

    /// So that a long run stays quick: what is done with is forgotten, as on a desk after some weeks.
    fn forget(&mut self, stores: &Stores) -> Result<(), Loss> {
        if self.order.len() > 1_000 {
            let forgotten = stores.outbox.forget_settled(self.now + 1.hour());
            forgotten.map_err(|error| format!("nothing was forgotten: {error:?}"))?;
            self.items.retain(|_, state| state.is_open());
            self.order.retain(|id| self.items.contains_key(id));
        }
        Ok(())
    }

    fn person(&mut self) -> Document {
        let number = 1_045_000_000 + self.chance.random_range(0..100_000);
        Document::parse(DocumentKind::CC, &number.to_string()).expect("a cédula")
    }

    fn record(&mut self, stores: &Stores) -> (Result<(), StoreError>, Effect) {
        let item = NewItem {
            id: self.ids.id(self.now),
            lookup_id: Some(self.ids.id(self.now)),
            document: self.person(),
            ..item(0, self.now)
        };
        let done =
            stores.outbox.enqueue(&item, None).map(|enqueued| assert_eq!(enqueued, Enqueued::Recorded));
        (done, vec![(item.id, None, ItemState::Queued)])
    }

    /// Takes a batch, and settles it unless the program ends in between.
    fn deliver(&mut self, stores: &Stores) -> (Result<(), StoreError>, Effect) {
        let count = self.chance.random_range(1..20);
        let mut queued = self.those(ItemState::Queued);
        queued.truncate(count);
        let taking = all(&queued, ItemState::Queued, ItemState::Sending);
        match stores.outbox.settle_and_take(&[], self.now, self.now, count, usize::MAX, &HashSet::new()) {
            Err(error) => return (Err(error), taking),
            Ok(taken) => {
                let taken: Vec<Uuid> = taken.rows.iter().map(|row| row.item.id).collect();
                assert_eq!(taken, queued, "what is due is taken, oldest first");
            }
        }
        self.take_down(&taking);
        let settled: Vec<Settled> = queued
            .iter()
            .map(|id| {
                let (event, code) = match self.chance.random_range(0..10) {
                    0 => (Event::Refuse, Some(ItemCode::StatementNotValid)),
                    1 => (Event::Retry, None),
                    2 => (Event::AcceptWithNote, Some(ItemCode::DailyLimitReached)),
                    _ => (Event::Accept, None),
                };
                Settled { id: *id, event, code, cause: None, next_attempt_at: None }
            })
            .collect();
        let effect = settled
            .iter()
            .map(|one| {
                let after = ItemState::Sending.after(one.event).expect("a legal move");
                (one.id, Some(ItemState::Sending), after)
            })
            .collect();
        (stores.outbox.settle(&settled, self.now), effect)
    }

    /// What was in the middle when the power went is there whole, or not at all.
    fn find_out(&mut self, stores: &Stores) -> Result<(), Loss> {
        let middle = std::mem::take(&mut self.middle);
        let mut done = BTreeSet::new();
        for (id, before, after) in &middle {
            let row = stores.outbox.item(*id).map_err(|error| format!("{id} cannot be read: {error:?}"))?;
            let found = row.map(|row| row.state);
            if found != *before && found != Some(*after) {
                return Err(format!("{id} was {before:?}, was to be {after:?}, and is {found:?}"));
            }
            if *before != Some(*after) {
                done.insert(found == Some(*after));
            }
        }
        if done.len() > 1 {
            return Err(format!("half of an operation was done: {middle:?}"));
        }
        if done.contains(&true) {
            self.kept += 1;
            self.take_down(&middle);
        }
        Ok(())
    }

    /// Everything confirmed is there as it was confirmed, and nothing else.
    fn look(&mut self, folder: &Path, stores: &Stores) -> Result<(), Loss> {
        self.checks += 1;
        let key = self.key.to_hex();
        for file in ["outbox.sqlite", "cache.sqlite"] {
            let db = rusqlite::Connection::open(folder.join(file)).map_err(|error| error.to_string())?;
            db.execute_batch(&format!("PRAGMA key = \"x'{}'\"", key.expose()))
                .map_err(|error| error.to_string())?;
            is_whole(&db).map_err(|loss| format!("{file}: {loss}"))?;
        }
        let failed = |error: StoreError| format!("the outbox cannot be read: {error:?}");
        for id in &self.order {
            let found = stores.outbox.item(*id).map_err(failed)?.map(|row| row.state);
            let expected = self.items[id];
            if found != Some(expected) {
                return Err(format!("{id} was confirmed as {expected:?} and is {found:?}"));
            }
        }
        let all_uses =
            stores.outbox.uses_between(Timestamp::UNIX_EPOCH, self.now + 1.hour(), None).map_err(failed)?;
        if all_uses.len() != self.order.len() {
            return Err(format!("{} uses were confirmed, {} are there", self.order.len(), all_uses.len()));
        }
        let high = stores.outbox.clock_mark().map_err(failed)?.server_time_high;
        if high < self.mark.server_time_high {
            return Err(format!("the clock mark was {:?} and is {high:?}", self.mark.server_time_high));
        }
        Ok(())
    }
}

/// A use to record, of a person and a card of its own for each `number`.
pub fn item(number: u32, now: Timestamp) -> NewItem {
    let branch_id = Uuid::from_u128(4);
    NewItem {
        id: Uuid::from_u128(100 + u128::from(number)),
        author_id: Uuid::from_u128(7),
        author_name: "Ana".into(),
        branch_id,
        branch_name: "Sede Norte".into(),
        document: Document::parse(DocumentKind::CC, &(1_045_000_000 + number).to_string()).expect("a cédula"),
        lookup_id: Some(Uuid::from_u128(200 + u128::from(number))),
        usage: Some(SignedUse {
            affiliate_name: "PÉREZ GÓMEZ, JUAN".into(),
            tariff: Tariff::B,
            company_name: None,
        }),
        body: ItemBody::UsageReport { branch_id, statement: "s".repeat(STATEMENT_BYTES) },
        device_time: now,
        occurred_at: now,
    }
}

fn all(ids: &[Uuid], before: ItemState, after: ItemState) -> Effect {
    ids.iter().map(|id| (*id, Some(before), after)).collect()
}

/// What the caja said of somebody.
pub fn statement(now: Timestamp, document: &Document) -> Statement {
    Statement {
        jti: Uuid::from_u128(1),
        iat: now,
        nbf: now,
        exp: now + 24.hours(),
        next_update: now + 12.hours(),
        lookup_id: Uuid::from_u128(2),
        document: document.clone(),
        entity_id: Uuid::from_u128(3),
        branch_id: Uuid::from_u128(4),
        affiliate: None,
        tariff: Tariff::D,
        usable: false,
        reasons: vec![hanna_domain::Reason::NotAffiliated],
        used_today: vec![],
    }
}
