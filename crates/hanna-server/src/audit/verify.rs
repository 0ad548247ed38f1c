//! Reading the audit again, from the first block to the last act.
//!
//! What cannot be found out from the database alone: that somebody with all of it, its keys included, wrote another chain;
//! that everything since some moment is gone, as after the restore of a backup; that an act which was not sealed yet was
//! changed, or removed with what it records. Against the first two there is the [`Anchor`], kept elsewhere; against the third,
//! that acts are sealed within seconds.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::chain::{Block, Entry, Head, Leaf, places};
use super::{Act, Finding, LastPurge};
use crate::app::App;
use crate::keys::KeyRing;
use crate::retention::KEEP_DAYS_MIN;
use crate::secrets::hex;
use crate::store::StoreError;

/// Of each sort of finding, so many are listed.
const LISTED_MAX: u32 = 100;
/// So many acts are read at once.
const PAGE: u32 = 4_096;

/// A block by its number and its hash: what was once the end of the chain, known outside of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    number: i64,
    hash: String,
}

impl Anchor {
    /// The anchor at a head.
    pub fn of(head: &Head) -> Self {
        Self { number: head.number, hash: hex(&head.hash) }
    }

    /// The number of the block.
    pub const fn number(&self) -> i64 {
        self.number
    }
}

impl Serialize for Anchor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Anchor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, self.hash)
    }
}

/// A text that is no anchor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an anchor is NUMBER:HASH, with 64 hexadecimal digits, as `audit verify` and the log print it")]
pub struct NoAnchor;

impl FromStr for Anchor {
    type Err = NoAnchor;

    fn from_str(text: &str) -> Result<Self, NoAnchor> {
        let (number, hash) = text.split_once(':').ok_or(NoAnchor)?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = number.parse().ok().filter(|number| is_hash && *number >= 1).ok_or(NoAnchor)?;
        Ok(Self { number, hash: hash.to_ascii_lowercase() })
    }
}

/// What is not there because it was purged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurgedSoFar {
    /// Acts.
    pub acts: u64,
    /// The last purge.
    pub last: LastPurge,
    /// The places of the acts in the purged blocks that are still there.
    left: Vec<i64>,
    /// Whether its block is in the chain.
    is_in_chain: bool,
}

impl PurgedSoFar {
    const fn of(last: LastPurge) -> Self {
        Self { acts: 0, last, left: Vec::new(), is_in_chain: false }
    }

    /// Whether the block is one of those that it purged.
    const fn has(&self, block: &Block) -> bool {
        block.number <= self.last.purge.block.number()
    }

    /// Reads one of its blocks.
    fn note(&mut self, block: &Block, entries: &[Entry]) {
        self.acts += u64::try_from(block.purged.unwrap_or(0)).unwrap_or(0);
        self.left.extend(entries.iter().map(|entry| entry.id));
        if Anchor::of(&block.head()) == self.last.purge.block {
            let least = SignedDuration::from_hours(24 * i64::from(KEEP_DAYS_MIN));
            let sealed_at = Timestamp::from_microsecond(block.sealed_us);
            self.is_in_chain = sealed_at.is_ok_and(|at| self.last.at.duration_since(at) >= least);
        }
    }
}

/// What reading everything again found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Blocks read.
    pub blocks: u64,
    /// Acts they seal, without those that are purged.
    pub sealed: u64,
    /// What is purged; none when nothing ever was.
    pub purged: Option<PurgedSoFar>,
    /// Acts that are not sealed yet.
    pub unsealed: u64,
    /// The last block, to be kept elsewhere; none when there is no block.
    pub anchor: Option<Anchor>,
    /// What is wrong, as far as it is listed; nothing when nothing is.
    pub findings: Vec<Finding>,
    /// How much is wrong.
    pub findings_total: u64,
}

impl Verification {
    /// Before anything is read.
    pub const fn of_nothing() -> Self {
        Self {
            blocks: 0,
            sealed: 0,
            purged: None,
            unsealed: 0,
            anchor: None,
            findings: Vec::new(),
            findings_total: 0,
        }
    }

    fn add(&mut self, finding: Finding) {
        self.findings_total += 1;
        let listed = u64::try_from(self.findings.len()).unwrap_or(u64::MAX);
        if listed < u64::from(LISTED_MAX) {
            self.findings.push(finding);
        }
    }

    /// Reads one block with its acts, after the block before.
    pub fn check_block(&mut self, before: Head, block: &Block, entries: &[Entry], keys: &KeyRing) {
        let number = block.number;
        self.blocks += 1;
        let next = before.number.saturating_add(1);
        if number > next {
            self.add(Finding::BlocksMissing { first: next, last: number - 1 });
        } else if number != next || block.previous != before.hash || block.after != before.until {
            self.add(Finding::BlockNotLinked(number));
        }
        let is_purged = self.purged.as_ref().is_some_and(|purged| purged.has(block));
        if let Some(purged) = self.purged.as_mut().filter(|_| is_purged) {
            purged.note(block, entries);
        }
        let is_genuine = keys.public_key(&block.kid).is_some_and(|key| block.is_genuine(key));
        if !is_genuine || (block.purged.is_some() && !is_purged) {
            self.add(Finding::BlockChanged(number));
        }
        let mut entries = entries.iter().peekable();
        for leaf in &block.leaves {
            while let Some(entry) = entries.next_if(|entry| entry.id < leaf.id) {
                self.add(Finding::SlippedIn { id: entry.id, act: entry.act.clone() });
            }
            match (entries.next_if(|entry| entry.id == leaf.id), &mut self.purged) {
                (Some(entry), _) => {
                    self.sealed += 1;
                    self.check_entry(leaf, entry);
                }
                (None, Some(purged)) if is_purged => purged.acts += 1,
                (None, _) => self.add(Finding::Removed(leaf.id)),
            }
        }
        for entry in entries {
            self.add(Finding::SlippedIn { id: entry.id, act: entry.act.clone() });
        }
    }

    /// Whether what is left of the blocks that were purged is what the last purge left.
    fn check_left(&mut self) {
        let Some(PurgedSoFar { last, left, is_in_chain, .. }) = &self.purged else { return };
        let (id, is_in_chain) = (last.id, *is_in_chain);
        let is_as_left = hex(&places(left)) == last.purge.left;
        if !is_in_chain {
            self.add(Finding::PurgeUnfounded(id));
        }
        if !is_as_left {
            self.add(Finding::NotAsLeft(id));
        }
    }

    fn check_entry(&mut self, leaf: &Leaf, entry: &Entry) {
        let is_whole = self.check_record(entry);
        if is_whole && entry.hash() != leaf.hash {
            self.add(Finding::Changed { id: entry.id, act: entry.act.clone() });
        }
    }

    /// Whether what the act refers to is there.
    fn check_record(&mut self, entry: &Entry) -> bool {
        let is_missing = entry.record.is_none() && Act::from_code(&entry.act).is_some_and(Act::has_record);
        if is_missing {
            self.add(Finding::RecordRemoved { id: entry.id, act: entry.act.clone() });
        }
        !is_missing
    }
}

impl App {
    /// Reads everything again. With an anchor also whether that block is still in the chain. Changes nothing, and leaves off
    /// when nobody waits for it any more.
    ///
    /// A process reads one time after the other, whoever asks: what reads everything keeps the database busy.
    ///
    /// # Errors
    /// When the store cannot be read: then nobody knows.
    pub async fn verify_audit(&self, anchor: Option<Anchor>) -> Result<Verification, StoreError> {
        let _turn = self.verifying().lock().await;
        loop {
            let last = self.store().last_purge().await?;
            let id = last.as_ref().map(|last| last.id);
            let found = self.read_audit(last, anchor.as_ref()).await?;
            let now = self.store().last_purge().await?;
            if now.map(|last| last.id) == id {
                return Ok(found);
            }
            // Another process purges: what was read first is not what was read last.
        }
    }

    async fn read_audit(
        &self,
        last_purge: Option<LastPurge>,
        anchor: Option<&Anchor>,
    ) -> Result<Verification, StoreError> {
        let mut found =
            Verification { purged: last_purge.map(PurgedSoFar::of), ..Verification::of_nothing() };
        // Before the blocks: a block that is sealed in the meantime is no finding.
        let kept = self.store().audit_head().await?;
        let keys = Arc::new(KeyRing::new(self.store().keys().await?));
        let (mut head, mut kept_is_there, mut anchor_is_there) =
            (Head::NONE, kept.is_none(), anchor.is_none());
        let mut after = i64::MIN;
        while let Some((block, entries)) = self.store().sealed_after(after).await? {
            after = block.number;
            let (before, keys) = (head, Arc::clone(&keys));
            head = block.head();
            // Thousands of hashes and a signature: not where requests are answered.
            let checked = tokio::task::spawn_blocking(move || {
                found.check_block(before, &block, &entries, &keys);
                found
            });
            found = checked.await.map_err(|error| StoreError::Failed(error.into()))?;
            kept_is_there |= kept == Some(head);
            anchor_is_there |= anchor == Some(&Anchor::of(&head));
        }
        match kept {
            Some(kept) if kept.number > head.number => {
                found.add(Finding::BlocksMissing { first: head.number.saturating_add(1), last: kept.number });
            }
            None if found.blocks == 0 => {}
            _ if kept.is_some() && kept_is_there => {}
            _ => found.add(Finding::HeadDiffers),
        }
        if let Some(anchor) = anchor.filter(|_| !anchor_is_there) {
            found.add(Finding::AnchorMissing(anchor.clone()));
        }
        found.check_left();
        found.anchor = (found.blocks > 0).then(|| Anchor::of(&head));
        self.check_unsealed(&mut found, head).await?;
        for stray in self.store().strays(LISTED_MAX).await? {
            found.add(Finding::Stray(stray));
        }
        Ok(found)
    }

    async fn check_unsealed(&self, found: &mut Verification, head: Head) -> Result<(), StoreError> {
        let mut known = head;
        loop {
            let page = self.store().unsealed(known, PAGE).await?;
            if page.entries.is_empty() {
                return Ok(());
            }
            for entry in &page.entries {
                found.unsealed += 1;
                found.check_record(entry);
            }
            // What is read is as good as sealed for the next page.
            known = Head { number: page.head.number.saturating_add(1), until: page.until, ..page.head };
        }
    }
}
