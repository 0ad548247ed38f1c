//! The cards on the desk: the one being shown, the ones a late answer or a report may still refer to, and the
//! last lookups of the shift.

use std::collections::VecDeque;

use hanna_domain::Verified;
use hanna_domain::outbox::ItemState;
use uuid::Uuid;

use crate::view::{Card, RecentLookup, Voided};

/// How many cards are kept at hand. A card is on the screen for two minutes at most.
const CARDS_MAX: usize = 16;
/// How many of the last lookups are listed.
pub(crate) const RECENT_MAX: u32 = 30;

/// What a card rests on: the statement, verified, and as signed.
pub(crate) type Basis = (Verified, String);

/// A card with what it rests on.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) card: Card,
    /// None for SIN DATO.
    pub(crate) basis: Option<Basis>,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Tray {
    current: Option<Uuid>,
    held: VecDeque<Held>,
    recent: VecDeque<RecentLookup>,
}

impl Tray {
    pub(crate) fn restore(&mut self, recent: Vec<RecentLookup>) {
        self.recent = recent.into();
    }

    /// A new lookup: what was shown before is no longer the current card.
    pub(crate) fn begin(&mut self, lookup_id: Uuid) {
        self.current = Some(lookup_id);
    }

    /// The operator cleared the card.
    pub(crate) fn clear(&mut self) {
        self.current = None;
    }

    pub(crate) fn is_current(&self, lookup_id: Uuid) -> bool {
        self.current == Some(lookup_id)
    }

    pub(crate) fn find(&self, lookup_id: Uuid) -> Option<&Held> {
        self.held.iter().find(|held| held.card.lookup_id == lookup_id)
    }

    pub(crate) fn latest(&self) -> Option<&Held> {
        self.held.back()
    }

    /// Puts a card down, in place of an earlier one of the same lookup, and on the list.
    pub(crate) fn put(&mut self, held: Held, recent: RecentLookup) {
        self.held.retain(|other| other.card.lookup_id != held.card.lookup_id);
        self.held.push_back(held);
        while self.held.len() > CARDS_MAX {
            self.held.pop_front();
        }
        self.recent.retain(|other| other.lookup_id != recent.lookup_id);
        self.recent.push_front(recent);
        self.recent.truncate(RECENT_MAX as usize);
    }

    /// The use of a card was reported. Returns its line of the list.
    pub(crate) fn mark_reported(&mut self, card: &Card) -> Option<RecentLookup> {
        if let Some(held) = self.held.iter_mut().find(|held| held.card.lookup_id == card.lookup_id) {
            held.card = card.clone();
        }
        let recent = self.recent.iter_mut().find(|recent| recent.lookup_id == card.lookup_id)?;
        recent.used = true;
        Some(recent.clone())
    }

    /// The use of a card was taken back: it may be reported no more, and its line of the list is no use. Returns that line.
    pub(crate) fn mark_voided(&mut self, lookup_id: Uuid) -> Option<RecentLookup> {
        let recent = self.recent.iter_mut().find(|recent| recent.lookup_id == lookup_id)?;
        recent.used = false;
        Some(recent.clone())
    }

    /// The use reported on the card that is shown.
    pub(crate) fn reported(&self) -> Option<Uuid> {
        let shown = self.find(self.current?)?;
        shown.card.reported.map(|reported| reported.id)
    }

    /// How the use of the card that is shown stands now, and its void; the card, when that is news.
    pub(crate) fn follow(
        &mut self,
        report_id: Uuid,
        state: ItemState,
        may_void: bool,
        voided: Option<Voided>,
    ) -> Option<Card> {
        let current = self.current?;
        let card = &mut self.held.iter_mut().find(|held| held.card.lookup_id == current)?.card;
        let before = card.clone();
        let reported = card.reported.as_mut().filter(|reported| reported.id == report_id)?;
        reported.state = state;
        card.may_void = may_void;
        card.voided = voided;
        (*card != before).then(|| card.clone())
    }

    pub(crate) fn recent(&self) -> Vec<RecentLookup> {
        self.recent.iter().cloned().collect()
    }

    /// Another operator, another shift: nothing of before stays on the desk.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}
