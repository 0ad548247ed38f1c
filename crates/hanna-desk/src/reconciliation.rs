//! What the operator hears of a delivery: the card on the screen follows its use and its void, and after a time without
//! the server *Última sincronización* says how it went.

use std::collections::HashSet;

use hanna_domain::outbox::{Event as ItemEvent, ItemKind};
use jiff::Timestamp;
use uuid::Uuid;

use crate::desk::{Desk, Event, lock};
use crate::history::voided;
use crate::store::{ItemRow, Settled, waited};
use crate::void_use::may_void;

impl Desk {
    /// Notes when something is decided on that had waited: the end of this delivery will be told.
    pub(crate) fn note_decided(&self, rows: &[ItemRow], settled: &[Settled], decided_at: Timestamp) {
        let decided: HashSet<Uuid> =
            settled.iter().filter(|one| one.event != ItemEvent::Retry).map(|one| one.id).collect();
        let late = |row: &ItemRow| {
            row.item.kind() != ItemKind::OfflineLookup
                && waited(row, decided_at)
                && decided.contains(&row.item.id)
        };
        if rows.iter().any(late) {
            lock(&self.inner.connection).decided_late = true;
        }
    }

    /// Tells the screens how a delivery went, if something in it had waited, beside the caller's way.
    pub(crate) fn tell_sync(&self) {
        if !std::mem::take(&mut lock(&self.inner.connection).decided_late) {
            return;
        }
        let desk = self.clone();
        tokio::spawn(async move {
            match desk.with_stores(|stores| stores.outbox.last_sync()).await {
                Ok(Some(sync)) => desk.emit(Event::Synced(Box::new(sync))),
                // Given up meanwhile.
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "how the delivery went cannot be told"),
            }
        });
    }

    /// Tells the screen how the use of its card and the void of that use stand, when that is news.
    pub(crate) async fn tell_card(&self) {
        let Some(report_id) = lock(&self.inner.tray).reported() else { return };
        // Nobody at the desk: no card on the screen.
        let Ok(me) = self.me() else { return };
        let read = self.with_stores(move |stores| {
            Ok((stores.outbox.item(report_id)?, stores.outbox.void_of(report_id)?))
        });
        let (report, void) = match read.await {
            Ok((Some(report), void)) => (report, void),
            Ok((None, _)) => return,
            Err(error) => return tracing::error!(%error, "how the use of the card stands cannot be told"),
        };
        let may_void = void.is_none() && may_void(&me, &report.item, report.state, self.now().1);
        let card = lock(&self.inner.tray).follow(report_id, report.state, may_void, void.and_then(voided));
        if let Some(card) = card {
            self.emit(Event::Card(Box::new(card)));
        }
    }
}
