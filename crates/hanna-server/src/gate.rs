//! Who asks too much: the budgets of lookups, the trails of enumeration, and what is guessed and verified from one
//! address.
//!
//! Counted in memory, so that nobody waits for it, and told to the store every second: there the counts of all processes on a
//! database are one, and outlive them. So N processes let through what one would, and at most N times what is asked of one of
//! them within a second. What may not be passed even so (the guesses at one account, the budget of regulars) is counted in
//! the store itself.

use std::fmt;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use hanna_domain::Statement;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::app::App;
use crate::budget::Budget;
use crate::enumeration::Trail;
use crate::fault::Fault;
use crate::store::{Caller, Counted};

use self::book::{Book, Shared};

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

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How often other processes are told what this one counted.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// What is remembered.
#[derive(Debug)]
pub struct Gate {
    budgets: Budgets,
    minutes: Book<Whose, Timestamp>,
    days: Book<Whose, Timestamp>,
    trails: Book<Uuid, Trail>,
    guesses: Book<IpAddr, Timestamp>,
    verifications: Book<IpAddr, Timestamp>,
    invitations: Book<Uuid, Timestamp>,
}

/// Whose lookups. A PC makes its id itself, and must not be able to take another's for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Whose(Of, Uuid);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Of {
    Account,
    Device,
    Entity,
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(of, id) = self;
        write!(f, "{of:?} {id}")
    }
}

impl Gate {
    /// A gate nobody has come to.
    pub fn new(budgets: Budgets) -> Self {
        Self {
            budgets,
            minutes: Book::new("lookups a minute", MINUTE),
            days: Book::new("lookups a day", DAY),
            trails: Book::new("trail", Trail::MOST),
            guesses: Book::new("guesses", GUESSES.span),
            verifications: Book::new("verifications", VERIFICATIONS.span),
            invitations: Book::new("invitations", INVITATIONS.span),
        }
    }

    /// Everything that others are told.
    fn books(&self) -> [&dyn Shared; 6] {
        [&self.minutes, &self.days, &self.trails, &self.guesses, &self.verifications, &self.invitations]
    }

    /// Spends one lookup of the caller.
    fn lookup(&self, caller: &Caller, entity_id: Uuid, now: Timestamp) -> Result<(), SignedDuration> {
        let Budgets { lookups_a_minute, lookups_a_day, .. } = self.budgets;
        for (key, a_minute, a_day) in [
            (Whose(Of::Account, caller.account_id), lookups_a_minute, lookups_a_day),
            (Whose(Of::Device, caller.device_id), lookups_a_minute, lookups_a_day),
            (
                Whose(Of::Entity, entity_id),
                self.budgets.entity_lookups_a_minute,
                self.budgets.entity_lookups_a_day,
            ),
        ] {
            spend(&self.minutes, key, Budget { count: a_minute, span: MINUTE }, now)?;
            spend(&self.days, key, Budget { count: a_day, span: DAY }, now)?;
        }
        Ok(())
    }

    fn trail<T>(&self, caller: &Caller, now: Timestamp, work: impl FnOnce(&mut Trail) -> T) -> T {
        self.trails.on(caller.account_id, now, |trail| work(trail.get_or_insert_default()))
    }

    /// Counts a guess from an address, before the password is looked at: guesses at once cannot outrun the count.
    pub fn guess(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), Fault> {
        let Some(address) = address.map(network) else { return Ok(()) };
        spend(&self.guesses, address, GUESSES, now).map_err(Fault::slow_down)
    }

    /// Counts a code that is asked about from an address.
    pub fn verification(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), Fault> {
        let Some(address) = address.map(network) else { return Ok(()) };
        spend(&self.verifications, address, VERIFICATIONS, now).map_err(Fault::slow_down)
    }

    /// Counts an invitation of an entity.
    pub fn invite(&self, entity_id: Uuid, now: Timestamp) -> Result<(), Fault> {
        spend(&self.invitations, entity_id, INVITATIONS, now).map_err(Fault::slow_down)
    }

    /// It was none: the password was right.
    pub fn was_no_guess(&self, address: Option<IpAddr>, now: Timestamp) {
        if let Some(address) = address.map(network) {
            self.guesses.on(address, now, |whole_at| *whole_at = whole_at.map(|at| GUESSES.give_back(at)));
        }
    }
}

fn spend<K: Hash + Eq + Clone>(
    book: &Book<K, Timestamp>,
    key: K,
    budget: Budget,
    now: Timestamp,
) -> Result<(), SignedDuration> {
    book.on(key, now, |whole_at| {
        *whole_at = Some(budget.spend(*whole_at, now)?);
        Ok(())
    })
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

impl App {
    /// Tells other processes what this one counted, and hears what they did, every second until `end`.
    pub async fn keep_counting(&self, end: impl Future<Output = ()>) {
        let counting = async {
            let mut turns = tokio::time::interval(TOLD_EVERY);
            turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                turns.tick().await;
                self.count_together().await;
            }
        };
        tokio::select! {
            () = counting => {}
            () = end => {}
        }
    }

    /// Tells and hears once. What cannot be told now is told another time.
    pub async fn count_together(&self) {
        let books = self.gate().books();
        let counted: Vec<Counted> = books.iter().flat_map(|book| book.tell(self.mac_key())).collect();
        if counted.is_empty() {
            return;
        }
        let now = self.clock().now();
        match self.store().add_tallies(counted, now).await {
            Ok(tallies) => {
                let mut tallies = tallies.into_iter();
                for book in books {
                    book.hear(&mut tallies, now);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "what is counted of those who ask could not be told to other processes");
                for book in books {
                    book.keep();
                }
            }
        }
    }
}

mod book;
#[cfg(test)]
mod tests;
