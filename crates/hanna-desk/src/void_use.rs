//! *Anular uso*: a reported use is taken back, with a reason. Both stay on record.

use hanna_domain::colombia;
use hanna_domain::outbox::{ItemKind, ItemState, VoidReason};
use hanna_wire::limits::REASON_TEXT_MAX;
use hanna_wire::me::Me;
use hanna_wire::outbox::ItemBody;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::desk::{Desk, lock};
use crate::error::{DeskError, ErrorCode, Param};
use crate::store::{Enqueued, NewItem};
use crate::view::Voided;

impl Desk {
    /// Takes the use of `report_id` back. When this returns it is on the disk, and reaches the server after its report.
    ///
    /// # Errors
    /// Nothing was recorded then: [`ErrorCode::ItemNotFound`] when this PC does not know the report,
    /// [`ErrorCode::VoidNotAllowed`], [`ErrorCode::AlreadyVoided`], [`ErrorCode::ReasonRequired`],
    /// [`ErrorCode::ReasonTooLong`], and those of the disk.
    pub async fn void_use(
        &self,
        report_id: Uuid,
        reason: VoidReason,
        text: &str,
    ) -> Result<Voided, DeskError> {
        let me = self.me()?;
        let text = checked_text(text, reason == VoidReason::Other)?;
        let report = self.with_stores(move |stores| stores.outbox.item(report_id)).await?;
        let report = report.filter(|row| row.item.kind() == ItemKind::UsageReport);
        let report = report.ok_or(ErrorCode::ItemNotFound)?;
        let (device_time, now) = self.now();
        if !may_void(&me, &report.item, report.state, now) {
            return Err(ErrorCode::VoidNotAllowed.into());
        }
        let item = NewItem {
            id: self.inner.chance.id(now),
            author_id: me.operator.id,
            author_name: me.operator.display_name.clone(),
            branch_id: report.item.branch_id,
            branch_name: report.item.branch_name,
            document: report.item.document,
            lookup_id: None,
            usage: None,
            body: ItemBody::Void { report_id, reason, text: text.clone() },
            device_time,
            occurred_at: now,
        };
        let operator_name = item.author_name.clone();
        match self.with_stores(move |stores| stores.outbox.enqueue(&item, None)).await? {
            Enqueued::Recorded => {}
            Enqueued::AlreadyThere | Enqueued::PersonUsed => return Err(ErrorCode::AlreadyVoided.into()),
        }
        let recent =
            report.item.lookup_id.and_then(|lookup_id| lock(&self.inner.tray).mark_voided(lookup_id));
        self.inner.wake.notify_one();
        self.tell_status();
        self.tell_card().await;
        if let Some(recent) = recent {
            self.keep_recent(recent).await;
        }
        Ok(Voided { occurred_at: now, operator_name, reason, text, state: ItemState::Queued })
    }
}

/// Whether the operator may take this use back now: their own, of today, within the time the agreement gives, and not one
/// that the server refused or that was given up, which is no use.
pub(crate) fn may_void(me: &Me, item: &NewItem, state: ItemState, now: Timestamp) -> bool {
    let window = SignedDuration::from_mins(i64::from(me.policy.void_window_min));
    item.author_id == me.operator.id
        && colombia::day_of(item.occurred_at) == colombia::day_of(now)
        && now.duration_since(item.occurred_at) < window
        && !matches!(state, ItemState::NeedsAttention | ItemState::Withdrawn)
}

/// What the operator wrote, without outer spaces; nothing when nothing was written.
pub(crate) fn checked_text(text: &str, required: bool) -> Result<Option<String>, DeskError> {
    let text = text.trim();
    if text.is_empty() {
        return if required { Err(ErrorCode::ReasonRequired.into()) } else { Ok(None) };
    }
    if text.chars().count() > REASON_TEXT_MAX {
        let max = Param::Number(u64::try_from(REASON_TEXT_MAX).unwrap_or(u64::MAX));
        return Err(DeskError::new(ErrorCode::ReasonTooLong).with("max", max));
    }
    Ok(Some(text.to_owned()))
}
