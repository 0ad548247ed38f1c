//! The outbox (*por enviar*): the states of an item and its only legal moves.
//!
//! ```text
//! queued → sending → accepted
//!                  → accepted_with_note
//!                  → needs_attention → queued (after the operator acts) | withdrawn
//!          sending → queued (to be retried; every one that nobody sends any more)
//! queued, needs_attention → withdrawn (a void whose report was withdrawn)
//! accepted, accepted_with_note → queued (the server was restored from a backup and may have lost them)
//! ```
//!
//! No state is left because of an error: what the server refuses waits in *Requiere atención* until a
//! person decides. Deleting is not a move.

use crate::words::words;

words! {
    /// What an item is.
    ItemKind {
        /// A reported use.
        UsageReport = "usage_report",
        /// A reported use was taken back (*anulación*), with a reason. Both stay on record.
        Void = "void",
        /// A lookup that the local copy answered: the caja must be able to say who consulted whom.
        OfflineLookup = "offline_lookup",
    }
}

words! {
    /// Why a reported use is taken back.
    #[derive(utoipa::ToSchema)]
    VoidReason {
        /// Another person than the one reported used the benefit.
        WrongPerson = "WRONG_PERSON",
        /// The same use was reported twice.
        ReportedTwice = "REPORTED_TWICE",
        /// The person did not use the benefit in the end.
        NotUsed = "NOT_USED",
        /// Something else, said in words.
        Other = "OTHER",
    }
}

words! {
    /// Where an item stands.
    ItemState {
        /// On disk, to be sent.
        Queued = "queued",
        /// In a request whose answer has not come.
        Sending = "sending",
        /// The server has it.
        Accepted = "accepted",
        /// The server has it, with a note.
        AcceptedWithNote = "accepted_with_note",
        /// The server refused it; a person has to look.
        NeedsAttention = "needs_attention",
        /// Given up by the operator, with a reason.
        Withdrawn = "withdrawn",
    }
}

/// What happened to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// It was put into a request.
    Send,
    /// The server has it.
    Accept,
    /// The server has it, with a note.
    AcceptWithNote,
    /// The server refused it for good.
    Refuse,
    /// No answer, or one that says to try again.
    Retry,
    /// The operator asked to try a refused one again.
    Requeue,
    /// The operator gave a refused one up.
    Withdraw,
    /// What it rests on was given up: a void whose report was withdrawn.
    LoseCause,
    /// The server may have lost what it had accepted: it is offered again, under the same id.
    Reoffer,
}

impl ItemState {
    /// The state after `event`, or `None` when that is no legal move.
    pub const fn after(self, event: Event) -> Option<Self> {
        match (self, event) {
            (Self::Queued, Event::Send) => Some(Self::Sending),
            (Self::Sending, Event::Accept) => Some(Self::Accepted),
            (Self::Sending, Event::AcceptWithNote) => Some(Self::AcceptedWithNote),
            (Self::Sending, Event::Refuse) => Some(Self::NeedsAttention),
            (Self::Sending, Event::Retry)
            | (Self::NeedsAttention, Event::Requeue)
            | (Self::Accepted | Self::AcceptedWithNote, Event::Reoffer) => Some(Self::Queued),
            (Self::NeedsAttention, Event::Withdraw)
            | (Self::Queued | Self::NeedsAttention, Event::LoseCause) => Some(Self::Withdrawn),
            _ => None,
        }
    }

    /// Whether the item still has to reach the server by itself.
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Queued | Self::Sending)
    }

    /// Whether the item is not yet done with: pending, or waiting for a person.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Sending | Self::NeedsAttention)
    }
}

words! {
    /// Why the server noted or refused an item.
    #[derive(utoipa::ToSchema)]
    ItemCode {
        /// The person had already used the benefit as often as a day allows.
        DailyLimitReached = "DAILY_LIMIT_REACHED",
        /// The use rests on a statement the server did not sign.
        StatementNotGenuine = "STATEMENT_NOT_GENUINE",
        /// The use is outside the validity of the statement it rests on.
        StatementNotValid = "STATEMENT_NOT_VALID",
        /// The statement does not allow a use.
        StatementNotUsable = "STATEMENT_NOT_USABLE",
        /// The statement is about another person or another branch than the item.
        StatementMismatch = "STATEMENT_MISMATCH",
        /// The branch is not of the entity of this PC, or is unknown.
        BranchNotAllowed = "BRANCH_NOT_ALLOWED",
        /// The report was taken back before.
        AlreadyVoided = "ALREADY_VOIDED",
        /// Not one's own report, not of the same day, or past the cut-off of the agreement.
        VoidNotAllowed = "VOID_NOT_ALLOWED",
        /// The server holds other content under the same id.
        IdConflict = "ID_CONFLICT",
        /// It happened longer ago than the caja keeps anything: what was of that time may be gone already.
        TooOld = "TOO_OLD",
        /// The server cannot read the item.
        Malformed = "MALFORMED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [Event; 9] = [
        Event::Send,
        Event::Accept,
        Event::AcceptWithNote,
        Event::Refuse,
        Event::Retry,
        Event::Requeue,
        Event::Withdraw,
        Event::LoseCause,
        Event::Reoffer,
    ];

    #[test]
    fn the_legal_moves_are_exactly_these() {
        let legal: Vec<(ItemState, Event, ItemState)> = ItemState::ALL
            .iter()
            .flat_map(|from| EVENTS.map(|event| (*from, event)))
            .filter_map(|(from, event)| Some((from, event, from.after(event)?)))
            .collect();
        assert_eq!(
            legal,
            [
                (ItemState::Queued, Event::Send, ItemState::Sending),
                (ItemState::Queued, Event::LoseCause, ItemState::Withdrawn),
                (ItemState::Sending, Event::Accept, ItemState::Accepted),
                (ItemState::Sending, Event::AcceptWithNote, ItemState::AcceptedWithNote),
                (ItemState::Sending, Event::Refuse, ItemState::NeedsAttention),
                (ItemState::Sending, Event::Retry, ItemState::Queued),
                (ItemState::Accepted, Event::Reoffer, ItemState::Queued),
                (ItemState::AcceptedWithNote, Event::Reoffer, ItemState::Queued),
                (ItemState::NeedsAttention, Event::Requeue, ItemState::Queued),
                (ItemState::NeedsAttention, Event::Withdraw, ItemState::Withdrawn),
                (ItemState::NeedsAttention, Event::LoseCause, ItemState::Withdrawn),
            ]
        );
    }

    #[test]
    fn what_is_accepted_moves_only_to_be_offered_again_and_what_is_withdrawn_never() {
        for state in [ItemState::Accepted, ItemState::AcceptedWithNote, ItemState::Withdrawn] {
            let moves: Vec<Event> =
                EVENTS.into_iter().filter(|event| state.after(*event).is_some()).collect();
            let expected: &[Event] = if state == ItemState::Withdrawn { &[] } else { &[Event::Reoffer] };
            assert_eq!(moves, expected);
            assert!(!state.is_open());
        }
    }
}
