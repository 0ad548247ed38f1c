//! Who asks too much: the budgets of lookups, the trails of enumeration, and what is guessed and verified from one
//! address.
//!
//! Kept in memory, by each process for itself: a restart forgets them, and where several processes share a database, each
//! has its own. What must survive a restart (the guesses at one account, the budget of regulars) is kept in the store.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use hanna_domain::Statement;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::app::App;
use crate::budget::Budget;
use crate::enumeration::Trail;
use crate::fault::Fault;
use crate::store::Caller;

/// How many lookups are answered.
#[derive(Debug, Clone, Copy)]
pub struct Budgets {
    /// Of an account, and of a PC, in a minute.
    pub lookups_a_minute: u32,
    /// Of an account, and of a PC, in 24 hours.
    pub lookups_a_day: u32,
    /// Of an entity in a minute.
    pub entity_lookups_a_minute: u32,
    /// Of an entity in 24 hours.
    pub entity_lookups_a_day: u32,
    /// Whether a run of unknown documents is slowed down and blocked.
    pub watch_enumeration: bool,
}

impl Budgets {
    /// More than the busiest desk asks.
    pub const USUAL: Self = Self {
        lookups_a_minute: 60,
        lookups_a_day: 5_000,
        entity_lookups_a_minute: 1_200,
        entity_lookups_a_day: 50_000,
        watch_enumeration: true,
    };
    /// As good as none: for simulations and measurements.
    pub const NONE: Self = Self {
        lookups_a_minute: 10_000_000,
        lookups_a_day: 10_000_000,
        entity_lookups_a_minute: 10_000_000,
        entity_lookups_a_day: 10_000_000,
        watch_enumeration: false,
    };
}

/// Wrong passwords, and what anybody may ask about accounts, from one address: those of a whole office behind one, and no
/// dictionary.
const GUESSES: Budget = Budget { count: 30, span: SignedDuration::from_mins(15) };

/// Invitations of one entity: those of all its people on the day it begins, and no mailing list.
const INVITATIONS: Budget = Budget { count: 200, span: SignedDuration::from_hours(24) };

/// Codes of receipts and reports asked about from one address: those of a desk of the caja, and nobody who tries them out.
const VERIFICATIONS: Budget = Budget { count: 60, span: SignedDuration::from_mins(1) };

/// Below so many keys nothing is cleared away.
const KEPT_MIN: usize = 4_096;

/// What is remembered.
#[derive(Debug)]
pub struct Gate {
    budgets: Budgets,
    minutes: Book<(Of, Uuid), Timestamp>,
    days: Book<(Of, Uuid), Timestamp>,
    trails: Book<Uuid, Trail>,
    guesses: Book<IpAddr, Timestamp>,
    verifications: Book<IpAddr, Timestamp>,
    invitations: Book<Uuid, Timestamp>,
}

/// Whose lookups. A PC makes its id itself, and must not be able to take another's for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Of {
    Account,
    Device,
    Entity,
}

/// One thing remembered a key, cleared of what matters no more whenever it has doubled.
#[derive(Debug)]
struct Book<K, V>(Mutex<(HashMap<K, V>, usize)>);

impl<K: Hash + Eq, V: Copy> Book<K, V> {
    fn new() -> Self {
        Self(Mutex::new((HashMap::new(), KEPT_MIN)))
    }

    /// Works on the entry of a key, and keeps what `work` leaves there.
    fn with<T>(&self, key: K, is_over: impl Fn(&V) -> bool, work: impl FnOnce(&mut Option<V>) -> T) -> T {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (entries, clear_at) = &mut *held;
        if entries.len() >= *clear_at {
            entries.retain(|_, entry| !is_over(entry));
            *clear_at = KEPT_MIN.max(entries.len() * 2);
        }
        let mut entry = entries.get(&key).copied();
        let done = work(&mut entry);
        match entry {
            Some(entry) => entries.insert(key, entry),
            None => entries.remove(&key),
        };
        done
    }
}

impl<K: Hash + Eq> Book<K, Timestamp> {
    fn spend(&self, key: K, budget: Budget, now: Timestamp) -> Result<(), SignedDuration> {
        self.with(
            key,
            |whole_at| *whole_at <= now,
            |whole_at| {
                *whole_at = Some(budget.spend(*whole_at, now)?);
                Ok(())
            },
        )
    }

    fn give_back(&self, key: K, budget: Budget, now: Timestamp) {
        let is_over = |whole_at: &Timestamp| *whole_at <= now;
        self.with(key, is_over, |whole_at| *whole_at = whole_at.map(|at| budget.give_back(at)));
    }
}

impl Gate {
    /// A gate nobody has come to.
    pub fn new(budgets: Budgets) -> Self {
        Self {
            budgets,
            minutes: Book::new(),
            days: Book::new(),
            trails: Book::new(),
            guesses: Book::new(),
            verifications: Book::new(),
            invitations: Book::new(),
        }
    }

    /// Spends one lookup of the caller.
    fn lookup(&self, caller: &Caller, entity_id: Uuid, now: Timestamp) -> Result<(), SignedDuration> {
        let Budgets { lookups_a_minute, lookups_a_day, .. } = self.budgets;
        for (key, a_minute, a_day) in [
            ((Of::Account, caller.account_id), lookups_a_minute, lookups_a_day),
            ((Of::Device, caller.device_id), lookups_a_minute, lookups_a_day),
            (
                (Of::Entity, entity_id),
                self.budgets.entity_lookups_a_minute,
                self.budgets.entity_lookups_a_day,
            ),
        ] {
            self.minutes.spend(key, Budget::a_minute(a_minute), now)?;
            self.days.spend(key, Budget::a_day(a_day), now)?;
        }
        Ok(())
    }

    fn trail<T>(&self, caller: &Caller, now: Timestamp, work: impl FnOnce(&mut Trail) -> T) -> T {
        let is_over = |trail: &Trail| trail.is_over(now);
        self.trails.with(caller.account_id, is_over, |trail| work(trail.get_or_insert_default()))
    }

    /// Counts a guess from an address, before the password is looked at: guesses at once cannot outrun the count.
    pub fn guess(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), Fault> {
        let Some(address) = address.map(network) else { return Ok(()) };
        self.guesses.spend(address, GUESSES, now).map_err(Fault::slow_down)
    }

    /// Counts a code that is asked about from an address.
    pub fn verification(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), Fault> {
        let Some(address) = address.map(network) else { return Ok(()) };
        self.verifications.spend(address, VERIFICATIONS, now).map_err(Fault::slow_down)
    }

    /// Counts an invitation of an entity.
    pub fn invite(&self, entity_id: Uuid, now: Timestamp) -> Result<(), Fault> {
        self.invitations.spend(entity_id, INVITATIONS, now).map_err(Fault::slow_down)
    }

    /// It was none: the password was right.
    pub fn was_no_guess(&self, address: Option<IpAddr>, now: Timestamp) {
        if let Some(address) = address.map(network) {
            self.guesses.give_back(address, GUESSES, now);
        }
    }
}

/// Whoever has an IPv6 address has all of its last 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        address @ IpAddr::V4(_) => address,
    }
}

impl App {
    /// Whether the caller may have a lookup answered now; spends it.
    ///
    /// # Errors
    /// `SLOW_DOWN`, with the time to wait.
    pub(crate) fn admit_lookup(&self, caller: &Caller, entity_id: Uuid, now: Timestamp) -> Result<(), Fault> {
        self.admit_questions(caller, now)?;
        self.gate().lookup(caller, entity_id, now).map_err(Fault::slow_down)
    }

    /// Whether the caller may ask about people at all, as far as what they asked before tells.
    ///
    /// # Errors
    /// `SLOW_DOWN`, with the time to wait.
    pub(crate) fn admit_questions(&self, caller: &Caller, now: Timestamp) -> Result<(), Fault> {
        if !self.gate().budgets.watch_enumeration {
            return Ok(());
        }
        self.gate().trail(caller, now, |trail| trail.admit(now)).map_err(Fault::slow_down)
    }

    /// Takes in what was answered to the caller.
    pub(crate) fn answered(&self, caller: &Caller, statements: &[Statement], now: Timestamp) {
        if !self.gate().budgets.watch_enumeration {
            return;
        }
        let known = statements.iter().filter(|statement| statement.affiliate.is_some()).count();
        let [known, unknown] =
            [known, statements.len() - known].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        if self.gate().trail(caller, now, |trail| trail.answered(unknown, known, now)) {
            self.metrics().enumeration_alarm();
            tracing::error!(
                account_id = %caller.account_id,
                device_id = %caller.device_id,
                "an account asks about one unknown document after another: blocked for an hour"
            );
        }
    }
}

#[cfg(test)]
mod tests;
