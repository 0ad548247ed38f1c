//! *Reportar uso*: the benefit of the card was used. Done only when it is on the disk.

use hanna_domain::outbox::ItemState;
use hanna_domain::{Answer, Source, Verified, colombia, decide};
use hanna_wire::outbox::ItemBody;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::desk::{Desk, lock};
use crate::error::{DeskError, ErrorCode};
use crate::store::{Enqueued, NewItem, SignedUse};
use crate::view::{Card, Reported};
use crate::void_use::may_void;

impl Desk {
    /// Records that the benefit of the card of `lookup_id` was used. When this returns it is on the disk and will
    /// reach the server, whoever is signed in then.
    ///
    /// `again` is the deliberate second key: it reports although a use was reported today already.
    ///
    /// # Errors
    /// Nothing was recorded then: [`ErrorCode::LookupGone`], [`ErrorCode::NotReportable`],
    /// [`ErrorCode::AlreadyReported`], [`ErrorCode::AlreadyUsedToday`], [`ErrorCode::StatementExpired`],
    /// [`ErrorCode::DiskFull`], [`ErrorCode::DiskReadOnly`], [`ErrorCode::StoreFailed`].
    pub async fn report_use(&self, lookup_id: Uuid, again: bool) -> Result<Card, DeskError> {
        let me = self.me()?;
        let held = lock(&self.inner.tray).find(lookup_id).cloned().ok_or(ErrorCode::LookupGone)?;
        let mut card = held.card;
        if card.reported.is_some() {
            return Err(ErrorCode::AlreadyReported.into());
        }
        let Some((verified, statement_jws)) = held.basis.filter(|_| card.may_report) else {
            return Err(ErrorCode::NotReportable.into());
        };
        let (device_time, now) = self.now();
        self.check_still_valid(&verified, card.source, me.policy.clock_skew_max_min, device_time, now)?;
        let statement = verified.statement();
        let day_start = colombia::start_of(colombia::day_of(now));
        if !again && statement.used_today.iter().any(|used| used.occurred_at >= day_start) {
            return Err(ErrorCode::AlreadyUsedToday.into());
        }
        let branch = me.branches.iter().find(|branch| branch.id == statement.branch_id);
        let affiliate = statement.affiliate.as_ref().ok_or(ErrorCode::NotReportable)?;
        let item = NewItem {
            id: self.inner.chance.id(now),
            author_id: me.operator.id,
            author_name: me.operator.display_name.clone(),
            branch_id: statement.branch_id,
            branch_name: branch.ok_or(ErrorCode::BranchNotAllowed)?.name.clone(),
            document: statement.document.clone(),
            lookup_id: Some(lookup_id),
            usage: Some(SignedUse {
                affiliate_name: affiliate.full_name(),
                tariff: statement.tariff,
                company_name: affiliate.company.as_ref().map(|company| company.name.clone()),
            }),
            body: ItemBody::UsageReport { branch_id: statement.branch_id, statement: statement_jws },
            device_time,
            occurred_at: now,
        };
        let reported = Reported { id: item.id, state: ItemState::Queued, occurred_at: now };
        let may_void = may_void(&me, &item, ItemState::Queued, now);
        let first_since = (!again).then_some(day_start);
        match self.with_stores(move |stores| stores.outbox.enqueue(&item, first_since)).await? {
            Enqueued::Recorded => {}
            Enqueued::AlreadyThere => return Err(ErrorCode::AlreadyReported.into()),
            Enqueued::PersonUsed => return Err(ErrorCode::AlreadyUsedToday.into()),
        }
        card.reported = Some(reported);
        card.may_void = may_void;
        let recent = lock(&self.inner.tray).mark_reported(&card);
        self.inner.wake.notify_one();
        let desk = self.clone();
        tokio::spawn(async move {
            desk.tell_status();
            // It may have been delivered before it stood on the card.
            desk.tell_card().await;
            if let Some(recent) = recent {
                desk.keep_recent(recent).await;
            }
        });
        Ok(card)
    }

    /// Reports on the card looked up last, for `hanna-deskctl`.
    ///
    /// # Errors
    /// As [`Desk::report_use`]; [`ErrorCode::LookupGone`] when nothing was looked up.
    pub async fn report_last(&self, again: bool) -> Result<Card, DeskError> {
        let latest = lock(&self.inner.tray).latest().map(|held| held.card.lookup_id);
        self.report_use(latest.ok_or(ErrorCode::LookupGone)?, again).await
    }

    /// A card may stand for a while: the statement must still be worth something when the key is pressed.
    fn check_still_valid(
        &self,
        verified: &Verified,
        source: Source,
        skew_max_min: u32,
        device_time: Timestamp,
        now: Timestamp,
    ) -> Result<(), DeskError> {
        let skew_max = SignedDuration::from_mins(i64::from(skew_max_min));
        let may_report = match source {
            Source::Copy => {
                let clock = self.clock_mark().trust(device_time, skew_max);
                decide(now, clock, Answer::Copy(verified)).may_report
            }
            // The server said so itself; only the end of the statement matters.
            Source::Online => now < verified.statement().exp,
            Source::None => false,
        };
        if may_report { Ok(()) } else { Err(ErrorCode::StatementExpired.into()) }
    }
}
