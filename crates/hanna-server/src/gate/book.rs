//! What is remembered of each key in this process, and what others are told of it.
//!
//! What is counted of a key is some time that is owed and passes by itself. So processes need not agree on anything: each
//! tells by how much it made the time longer or shorter, and hears how long that is with what all the others counted.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::budget::owed;
use crate::enumeration::Trail;
use crate::secrets::MacKey;
use crate::store::{Counted, Tally, owed_by_all};

/// Below so many keys nothing is cleared away.
const KEPT_MIN: usize = 4_096;

/// What is counted of one key.
pub trait Count: Copy {
    /// When all of it will have passed.
    fn until(&self) -> Option<Timestamp>;
    /// Until when whoever it is is blocked.
    fn blocked_until(&self) -> Option<Timestamp>;
    /// The same with what others counted.
    fn with(before: Option<Self>, all: Tally) -> Self;
}

/// What is left of a budget.
impl Count for Timestamp {
    fn until(&self) -> Option<Timestamp> {
        Some(*self)
    }

    fn blocked_until(&self) -> Option<Timestamp> {
        None
    }

    fn with(_: Option<Self>, all: Tally) -> Self {
        all.until
    }
}

impl Count for Trail {
    fn until(&self) -> Option<Timestamp> {
        self.clean_at()
    }

    fn blocked_until(&self) -> Option<Timestamp> {
        self.blocked_until()
    }

    fn with(before: Option<Self>, all: Tally) -> Self {
        before.unwrap_or_default().with(all.until, all.blocked_until)
    }
}

/// One thing counted of each key, cleared of what matters no more whenever it has doubled.
#[derive(Debug)]
pub struct Book<K, V> {
    what: &'static str,
    most: SignedDuration,
    pages: Mutex<Pages<K, V>>,
}

#[derive(Debug)]
struct Pages<K, V> {
    counts: HashMap<K, V>,
    clear_at: usize,
    /// By how much this process changed what is owed, of each key that was asked for since others were told.
    untold: HashMap<K, SignedDuration>,
    /// What others are being told.
    telling: Vec<(K, SignedDuration)>,
}

impl<K: Hash + Eq + Clone, V: Count> Book<K, V> {
    /// An empty book about `what`, of which there can be so much a key.
    pub fn new(what: &'static str, most: SignedDuration) -> Self {
        let pages =
            Pages { counts: HashMap::new(), clear_at: KEPT_MIN, untold: HashMap::new(), telling: Vec::new() };
        Self { what, most, pages: Mutex::new(pages) }
    }

    fn pages(&self) -> MutexGuard<'_, Pages<K, V>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn owed(&self, count: Option<&V>, now: Timestamp) -> SignedDuration {
        owed(count.and_then(V::until), now, self.most)
    }

    fn is_over(&self, count: &V, now: Timestamp) -> bool {
        self.owed(Some(count), now) == SignedDuration::ZERO
            && count.blocked_until().is_none_or(|until| until <= now)
    }

    /// Works on the count of a key, and keeps what `work` leaves there.
    pub fn on<T>(&self, key: K, now: Timestamp, work: impl FnOnce(&mut Option<V>) -> T) -> T {
        let mut pages = self.pages();
        let Pages { counts, clear_at, untold, .. } = &mut *pages;
        if counts.len() >= *clear_at {
            counts.retain(|_, count| !self.is_over(count, now));
            *clear_at = KEPT_MIN.max(counts.len() * 2);
        }
        let mut count = counts.get(&key).copied();
        let before = self.owed(count.as_ref(), now);
        let done = work(&mut count);
        let added = self.owed(count.as_ref(), now) - before;
        // While nobody can be told, it does not grow without end.
        if untold.len() < *clear_at || untold.contains_key(&key) {
            *untold.entry(key.clone()).or_default() += added;
        }
        match count {
            Some(count) => counts.insert(key, count),
            None => counts.remove(&key),
        };
        done
    }

    /// How many keys are remembered.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.pages().counts.len()
    }
}

/// A book, whatever is in it, as others are told of it.
pub trait Shared {
    /// What was counted since others were told.
    fn tell(&self, key: &MacKey) -> Vec<Counted>;
    /// What this makes with what they counted, in the same order.
    fn hear(&self, all: &mut dyn Iterator<Item = Tally>, now: Timestamp);
    /// They could not be told: another time.
    fn keep(&self);
}

impl<K: Hash + Eq + Clone + ToString, V: Count> Shared for Book<K, V> {
    fn tell(&self, key: &MacKey) -> Vec<Counted> {
        let mut pages = self.pages();
        pages.telling = pages.untold.drain().collect();
        let Pages { counts, telling, .. } = &*pages;
        let counted = telling.iter().map(|(whom, added)| Counted {
            key: key.tally(self.what, &whom.to_string()),
            added: *added,
            most: self.most,
            blocked_until: counts.get(whom).and_then(V::blocked_until),
        });
        counted.collect()
    }

    fn hear(&self, all: &mut dyn Iterator<Item = Tally>, now: Timestamp) {
        let mut pages = self.pages();
        for ((key, _), tally) in std::mem::take(&mut pages.telling).into_iter().zip(all) {
            let before = pages.counts.get(&key).copied();
            let since = pages.untold.get(&key).copied().unwrap_or_default();
            let owed = owed_by_all(Some(tally.until), now, self.most) + since;
            let until = now + owed.clamp(SignedDuration::ZERO, self.most);
            let blocked_until = tally.blocked_until.max(before.as_ref().and_then(V::blocked_until));
            let count = V::with(before, Tally { until, blocked_until });
            // Nothing is kept of those of whom there is nothing to say.
            if before.is_some() || !self.is_over(&count, now) {
                pages.counts.insert(key, count);
            }
        }
    }

    fn keep(&self) {
        let mut pages = self.pages();
        for (key, added) in std::mem::take(&mut pages.telling) {
            *pages.untold.entry(key).or_default() += added;
        }
    }
}
