//! How long records are kept (Ley 1581 de 2012; Decreto 1377 de 2013, art. 11), and their purge: see
//! `docs/adr/0013-retention.md`.
//!
//! What is older than the settings keep goes once a Colombian day, a few blocks of the audit at a time, each with the records
//! its acts refer to and with an act that says so. Before anything goes it is read again as `audit verify` would: a purge
//! covers up nothing. It may be broken off at any moment; the next one goes on.

use std::sync::Arc;
use std::time::Duration;

use hanna_domain::colombia;
use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};

use crate::app::App;
use crate::audit::chain::Head;
use crate::audit::{Anchor, Finding, LastPurge, Removed, Verification};
use crate::keys::KeyRing;
use crate::store::{PurgeOrder, PurgeOutcome, StoreError};

/// The fewest days for which records are kept. The longest that a desk relies on anything is a copy of a year, the 60 days
/// for which it may be unlocked without the server, and the 35 for which it offers again what was accepted.
pub const KEEP_DAYS_MIN: u32 = 730;
/// The most: a century, which is as good as ever.
pub const KEEP_DAYS_MAX: u32 = 36_500;
/// Ten years, as business papers are kept.
pub const KEEP_DAYS: u32 = 3_653;

/// How often it is looked whether there is anything to purge: a new day begins once a day, and whoever could not purge tries
/// again soon.
const EVERY: Duration = Duration::from_hours(1);
/// So many acts are purged at once, or as many as one block has: few enough for nobody to notice.
const ACTS_MAX: u64 = 500;
/// A server at work records something every day. One that recorded nothing for longer was off; or its clock has run ahead, and
/// what it takes for old is not.
const REST_MAX: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Why nothing more could be purged.
#[derive(Debug, thiserror::Error)]
pub enum PurgeError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something is not as it was sealed: it stays until somebody has looked.
    #[error("what is to be purged is not as it was sealed: {}", findings(.0))]
    NotAsSealed(Vec<Finding>),
    /// What the last purge left is not there as it left it.
    #[error("what the last purge left is not there as it left it: run audit verify")]
    NotAsLeft,
    /// The clock may have run ahead: what would be purged may be younger than it says. A purge that somebody orders settles it.
    #[error(
        "nothing was recorded from {0} until {1}: if this server was off and its clock is right, run hanna-server purge; \
         if the clock ran ahead, set it right first"
    )]
    ClockInDoubt(Timestamp, Timestamp),
    /// A task of the runtime ended.
    #[error("the purge was broken off: {0}")]
    Runtime(#[from] tokio::task::JoinError),
}

fn findings(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Who wants a purge.
#[derive(Debug, Clone, Copy)]
enum By {
    /// Somebody who answers for it.
    Order {
        /// Of what was before.
        before: Timestamp,
        /// Also of what is not as it was sealed.
        despite_findings: bool,
    },
    /// Nobody: it is time.
    Itself,
}

/// The next blocks to purge, read and checked.
struct Next {
    until: Head,
    findings: u64,
}

impl App {
    /// The first of the days whose records are kept, at `now`.
    pub fn keeps_from(&self, now: Timestamp) -> Date {
        let days = Span::new().days(self.keep_records_days());
        colombia::day_of(now).checked_sub(days).unwrap_or(Date::MIN)
    }

    /// Before when nothing is kept any more, at `now`.
    pub(crate) fn kept_from(&self, now: Timestamp) -> Timestamp {
        colombia::start_of(self.keeps_from(now))
    }

    /// What would be purged if everything of before `day` were.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn purgeable(&self, day: Date) -> Result<Removed, StoreError> {
        self.store().purgeable(colombia::start_of(day)).await
    }

    /// Purges everything of before `day`, and says what. Despite findings it goes on when something is not as it was sealed,
    /// and records how much.
    ///
    /// # Errors
    /// See [`PurgeError`]; what was purged until then stays purged, and is on record.
    pub async fn purge(&self, day: Date, despite_findings: bool) -> Result<Removed, PurgeError> {
        self.purge_as(By::Order { before: colombia::start_of(day), despite_findings }).await
    }

    async fn purge_as(&self, whose: By) -> Result<Removed, PurgeError> {
        // Who reads the audit again meanwhile would find it changing.
        let _turn = self.verifying().lock().await;
        let mut removed = Removed::default();
        loop {
            // One look at the clock decides what is old and whether the clock is trusted: it may be set right meanwhile.
            let now = self.clock().now();
            let (before, despite_findings) = match whose {
                By::Order { before, despite_findings } => (before, despite_findings),
                By::Itself => (self.kept_from(now), false),
            };
            let last = self.store().last_purge().await?;
            let after = last.as_ref().map(|last| last.id);
            let next = match self.next_purge(last.as_ref(), before, despite_findings).await {
                // Somebody else purged what was being read.
                Err(PurgeError::NotAsSealed(_) | PurgeError::NotAsLeft)
                    if self.store().last_purge().await? != last =>
                {
                    continue;
                }
                next => next?,
            };
            let Some(Next { until, findings }) = next else { return Ok(removed) };
            if matches!(whose, By::Itself) {
                self.trust_the_clock(last.as_ref(), now).await?;
            }
            let by = self.run_by().clone();
            let order = PurgeOrder { after, until, before, findings, despite_findings, by, now };
            match self.store().purge(order).await? {
                PurgeOutcome::Done(batch) => {
                    removed = removed.and(batch);
                    self.metrics().purged(batch.acts);
                    tracing::info!(block = %Anchor::of(&until), acts = batch.acts, "records were purged");
                }
                PurgeOutcome::Overtaken => {}
                PurgeOutcome::NotAsLeft => return Err(PurgeError::NotAsLeft),
            }
        }
    }

    /// Reads the next blocks again. None when there is nothing to purge.
    async fn next_purge(
        &self,
        last: Option<&LastPurge>,
        before: Timestamp,
        despite: bool,
    ) -> Result<Option<Next>, PurgeError> {
        let mut head = match last {
            None => Head::NONE,
            Some(LastPurge { purge, .. }) => {
                let number = purge.block.number();
                let last_block = self.store().sealed_after(number.saturating_sub(1)).await?;
                let last_block = last_block.filter(|(block, _)| Anchor::of(&block.head()) == purge.block);
                last_block.map(|(block, _)| block.head()).ok_or(PurgeError::NotAsLeft)?
            }
        };
        let keys = Arc::new(KeyRing::new(self.store().keys().await?));
        let (mut next, mut acts) = (None, 0);
        while let Some((block, entries)) = self.store().sealed_after(head.number).await? {
            acts += block.count();
            let is_enough = next.is_some() && acts > ACTS_MAX;
            if is_enough || block.sealed_us >= before.as_microsecond() {
                break;
            }
            let (linked_to, keys) = (head, Arc::clone(&keys));
            head = block.head();
            let checked = tokio::task::spawn_blocking(move || {
                let mut found = Verification::of_nothing();
                found.check_block(linked_to, &block, &entries, &keys);
                found
            });
            let Verification { findings, findings_total, .. } = checked.await?;
            let before_it = next.take();
            if findings_total > 0 && !despite {
                // What is before it may go.
                return before_it.map(Some).ok_or(PurgeError::NotAsSealed(findings));
            }
            let findings = before_it.map_or(0, |next: Next| next.findings) + findings_total;
            next = Some(Next { until: head, findings });
        }
        Ok(next)
    }

    /// Looks whether the clock went day by day from the last purge until `now`.
    async fn trust_the_clock(&self, last: Option<&LastPurge>, now: Timestamp) -> Result<(), PurgeError> {
        match self.store().longest_pause(last, now).await? {
            Some((from, to)) if to.duration_since(from) > REST_MAX => Err(PurgeError::ClockInDoubt(from, to)),
            _ => Ok(()),
        }
    }

    /// Purges what is older than the settings keep, unless the clock is in doubt.
    async fn purge_unattended(&self) -> Result<Removed, PurgeError> {
        self.purge_as(By::Itself).await
    }

    /// Purges what is older than the settings keep, at once and then as the days go by, until `end`.
    pub async fn keep_purging(&self, end: impl Future<Output = ()>) {
        let purging = async {
            let mut turns = tokio::time::interval(EVERY);
            turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                turns.tick().await;
                if let Err(error) = self.purge_unattended().await {
                    tracing::error!(%error, "what is older than records are kept could not be purged");
                }
            }
        };
        tokio::select! {
            () = purging => {}
            () = end => {}
        }
    }
}

#[cfg(test)]
mod tests;
