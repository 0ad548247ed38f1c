//! Reading the audit again, from the first block to the last act.
//!
//! What cannot be found out from the database alone: that somebody with all of it, its keys included, wrote another chain;
//! that everything since some moment is gone, as after the restore of a backup; that an act which was not sealed yet was
//! changed, or removed with what it records. Against the first two there is the [`Anchor`], kept elsewhere; against the third,
//! that acts are sealed within seconds.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::chain::{Block, Entry, Head, Leaf};
use super::{Act, Finding};
use crate::app::App;
use crate::keys::KeyRing;
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

/// What reading everything again found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Blocks read.
    pub blocks: u64,
    /// Acts they seal.
    pub sealed: u64,
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
    fn add(&mut self, finding: Finding) {
        self.findings_total += 1;
        let listed = u64::try_from(self.findings.len()).unwrap_or(u64::MAX);
        if listed < u64::from(LISTED_MAX) {
            self.findings.push(finding);
        }
    }

    fn check_block(&mut self, before: Head, block: &Block, entries: &[Entry], keys: &KeyRing) {
        let number = block.number;
        self.blocks += 1;
        self.sealed += u64::try_from(block.leaves.len()).unwrap_or(u64::MAX);
        let next = before.number.saturating_add(1);
        if number > next {
            self.add(Finding::BlocksMissing { first: next, last: number - 1 });
        } else if number != next || block.previous != before.hash || block.after != before.until {
            self.add(Finding::BlockNotLinked(number));
        }
        if !keys.public_key(&block.kid).is_some_and(|key| block.is_genuine(key)) {
            self.add(Finding::BlockChanged(number));
        }
        let mut entries = entries.iter().peekable();
        for leaf in &block.leaves {
            while let Some(entry) = entries.next_if(|entry| entry.id < leaf.id) {
                self.add(Finding::SlippedIn { id: entry.id, act: entry.act.clone() });
            }
            match entries.next_if(|entry| entry.id == leaf.id) {
                Some(entry) => self.check_entry(leaf, entry),
                None => self.add(Finding::Removed(leaf.id)),
            }
        }
        for entry in entries {
            self.add(Finding::SlippedIn { id: entry.id, act: entry.act.clone() });
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
        let mut found = Verification {
            blocks: 0,
            sealed: 0,
            unsealed: 0,
            anchor: None,
            findings: Vec::new(),
            findings_total: 0,
        };
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
            anchor_is_there |= anchor == Some(Anchor::of(&head));
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
            found.add(Finding::AnchorMissing(anchor));
        }
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
