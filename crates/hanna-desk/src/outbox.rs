//! Delivering what was recorded.
//!
//! The worker takes what is due, oldest first, marks it `sending`, sends one batch at a time, and writes each
//! item's outcome. When all goes well every item passes queued → sending → accepted within a second of being
//! recorded. What else can happen:
//!
//! | the answer to a batch | every item of it |
//! |---|---|
//! | an outcome for each item | its own: accepted, noted, refused (→ *Requiere atención*), or to be retried |
//! | no connection, 408, 425, 429, 5xx, not Hanna | queued again, later: exponential with full jitter, at most 5 min, `Retry-After` obeyed |
//! | the session ended | queued again; waits for a sign-in |
//! | the whole batch refused (too large, malformed) | sent again one by one; alone: *Requiere atención* |
//! | the account may not deliver | queued again, later: it is not the item's fault |
//!
//! On purpose there is no count of attempts after which an item is given up, and no path that deletes one.

use std::collections::HashMap;
use std::time::Duration;

use hanna_domain::Cause;
use hanna_domain::outbox::{Event as ItemEvent, ItemCode, ItemState};
use hanna_wire::health::Health;
use hanna_wire::limits::{BATCH_ITEMS_MAX, BODY_MAX_BYTES};
use hanna_wire::outbox::{Batch, Item, ItemBody, Outcome, OutcomeKind};
use hanna_wire::problem::ErrorCode as Refusal;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::backend::{Answered, Failure, FailureKind};
use crate::desk::{Desk, Event, lock};
use crate::error::{DeskError, ErrorCode};
use crate::store::{ItemRow, Settled};
use crate::view::{OutboxItem, OutboxView, Status};
use crate::void_use::checked_text;

/// The longest pause between attempts.
const BACKOFF_MAX: Duration = Duration::from_mins(5);
/// How often the server is asked whether it lives when nothing else is said to it, and it answers.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The same while it does not answer: the shortest and the longest pause.
const PROBE_MIN: Duration = Duration::from_secs(1);
const PROBE_MAX: Duration = Duration::from_secs(15);
/// What an item weighs in a batch beside its statement, generously: the words of a void may be escaped.
const ITEM_OVERHEAD_BYTES: usize = 2 * 1024;

impl Desk {
    /// Delivers and probes for ever. One of these runs as long as the program.
    pub async fn run_worker(self) {
        let mut probe = PROBE_MIN;
        let mut copies_due = self.inner.clock.now();
        loop {
            // Registered before the database is asked, so that a wake meanwhile is not missed.
            let woken = self.inner.wake.notified();
            self.deliver_what_is_due().await;
            let online = lock(&self.inner.connection).is_online();
            let pause = if online { HEARTBEAT } else { probe };
            let until_due = self.until_next_due();
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(until_due.map_or(pause, |due| due.min(pause))) => {
                    if until_due.is_none_or(|due| due >= pause) {
                        self.ask_health().await;
                    }
                }
            }
            let online = lock(&self.inner.connection).is_online();
            if online {
                copies_due = self.look_after_copies(copies_due).await;
            } else {
                self.keep_time().await;
            }
            probe = if online { PROBE_MIN } else { (probe * 2).min(PROBE_MAX) };
        }
    }

    /// *Enviar ahora*: tries everything at once, whatever pause it was in.
    ///
    /// # Errors
    /// When the local database fails; an unreachable server is told by the status.
    pub async fn sync_now(&self) -> Result<Status, DeskError> {
        self.with_stores(|stores| stores.outbox.hurry()).await?;
        self.ask_health().await;
        self.deliver_what_is_due().await;
        self.status()
    }

    /// Every item not yet accepted.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn outbox(&self) -> Result<OutboxView, DeskError> {
        let (rows, counts) =
            self.with_stores(|stores| Ok((stores.outbox.open_items()?, stores.outbox.counts()?))).await?;
        Ok(OutboxView { items: rows.into_iter().map(OutboxItem::from).collect(), lookups: counts.lookups })
    }

    /// Sends an item that requires attention once more.
    ///
    /// # Errors
    /// [`ErrorCode::ItemNotFound`] when there is none in that state.
    pub async fn retry_item(&self, id: Uuid) -> Result<OutboxView, DeskError> {
        let now = self.inner.clock.now();
        if !self.with_stores(move |stores| stores.outbox.requeue(id, now)).await? {
            return Err(ErrorCode::ItemNotFound.into());
        }
        self.inner.wake.notify_one();
        self.tell_status();
        self.outbox().await
    }

    /// Sends everything that requires attention once more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retry_all(&self) -> Result<OutboxView, DeskError> {
        let now = self.inner.clock.now();
        self.with_stores(move |stores| stores.outbox.requeue_all(now)).await?;
        self.inner.wake.notify_one();
        self.tell_status();
        self.outbox().await
    }

    /// Gives an item that requires attention up (*desistir*), with the operator's reason. It stays on record.
    ///
    /// # Errors
    /// [`ErrorCode::ItemNotFound`] when there is none in that state, [`ErrorCode::ReasonRequired`],
    /// [`ErrorCode::ReasonTooLong`].
    pub async fn withdraw_item(&self, id: Uuid, why: &str) -> Result<OutboxView, DeskError> {
        let why = checked_text(why, true)?.unwrap_or_default();
        let now = self.inner.clock.now();
        if !self.with_stores(move |stores| stores.outbox.withdraw(id, &why, now)).await? {
            return Err(ErrorCode::ItemNotFound.into());
        }
        self.tell_status();
        self.outbox().await
    }

    async fn ask_health(&self) {
        let outcome = self.inner.backend.health().await;
        self.heard(&outcome);
        let Ok(Answered { value: Health { epoch: Some(epoch), .. }, .. }) = outcome else { return };
        if self.opened().is_none() {
            return;
        }
        // It says nothing of what it holds of this desk.
        if let Err(error) = self.know_server(epoch, i64::MAX).await {
            tracing::error!(%error, "which server answered was not written down");
        }
    }

    /// Time passes without the server, and nothing may be recorded meanwhile: the disk is told how far the clock has gone.
    async fn keep_time(&self) {
        if self.opened().is_none() {
            return;
        }
        let Some(mark) = self.mark_to_keep() else { return };
        if let Err(error) = self.with_stores(move |stores| stores.outbox.keep_clock_mark(mark)).await {
            tracing::warn!(%error, "the clock mark was not kept");
        }
    }

    /// Learns which server answered; what a restored one may have lost is queued again.
    async fn know_server(&self, epoch: Uuid, last_sequence: i64) -> Result<(), DeskError> {
        let now = self.inner.clock.now();
        let again =
            self.with_stores(move |stores| stores.outbox.know_server(epoch, last_sequence, now)).await?;
        if again > 0 {
            tracing::warn!(items = again, "the server was restored: what it had accepted is offered again");
            self.inner.wake.notify_one();
        }
        Ok(())
    }

    fn until_next_due(&self) -> Option<Duration> {
        if lock(&self.inner.session).sign_in_needed() {
            return None;
        }
        let now = self.inner.clock.now();
        match self.opened()?.stores.outbox.next_due(now) {
            Ok(due) => {
                let wait = due?.duration_since(now);
                // At least a moment, so that an item that cannot be taken does not spin.
                Some(Duration::try_from(wait).unwrap_or_default().max(Duration::from_millis(50)))
            }
            Err(error) => {
                tracing::error!(%error, "the outbox cannot be read");
                None
            }
        }
    }

    /// Sends batches until nothing is due, or the server cannot take more.
    async fn deliver_what_is_due(&self) {
        let _one_at_a_time = self.inner.delivering.lock().await;
        if self.opened().is_none() || !lock(&self.inner.session).may_send() {
            return;
        }
        // Deliveries take turns: what is `sending` now was left so by one whose answer could not be written down.
        if let Err(error) = self.with_stores(|stores| stores.outbox.recover()).await {
            tracing::error!(%error, "the outbox failed");
            return;
        }
        let mut batch_max = BATCH_ITEMS_MAX;
        loop {
            match self.deliver_batch(batch_max).await {
                Ok(Progress::More) => batch_max = BATCH_ITEMS_MAX,
                Ok(Progress::Smaller) => batch_max = 1,
                Ok(Progress::Done) => break,
                Err(error) => {
                    tracing::error!(%error, "the outbox failed");
                    break;
                }
            }
        }
        lock(&self.inner.connection).sending = false;
    }

    /// Sends one batch of at most `batch_max` items and writes what became of it.
    async fn deliver_batch(&self, batch_max: usize) -> Result<Progress, DeskError> {
        let now = self.inner.clock.now();
        let taken = self.with_stores(move |stores| stores.outbox.take(now, batch_max)).await?;
        if taken.is_empty() {
            return Ok(Progress::Done);
        }
        lock(&self.inner.connection).sending = true;
        self.tell_status();
        let (rows, beyond) = fitting(taken);
        let batch = Batch { items: rows.iter().map(wire_item).collect() };
        let outcome = self
            .authorized(|backend, token| {
                let batch = batch.clone();
                async move { backend.deliver(&token, &batch).await }
            })
            .await;
        let now = self.inner.clock.now();
        let (mut settled, progress) = match outcome {
            Ok(Answered { value: answer, .. }) => {
                self.know_server(answer.epoch, answer.last_sequence).await?;
                (self.outcomes(&rows, &answer.outcomes, now), Progress::More)
            }
            Err(failure) => self.failed(&rows, failure, now),
        };
        settled.extend(beyond.iter().map(|row| retry(row.item.id, None, now)));
        let news: Vec<(Uuid, ItemState)> = settled
            .iter()
            .filter_map(|one| Some((one.id, ItemState::Sending.after(one.event)?)))
            .filter(|(_, state)| !state.is_pending())
            .collect();
        self.with_stores(move |stores| stores.outbox.settle(&settled, now)).await?;
        for (id, state) in news {
            let card = lock(&self.inner.tray).mark_settled(id, state);
            if let Some(card) = card {
                self.emit(Event::Card(Box::new(card)));
            }
        }
        self.tell_status();
        Ok(progress)
    }

    /// Each item's own outcome. One the server said nothing of is tried again.
    fn outcomes(&self, rows: &[ItemRow], outcomes: &[Outcome], now: Timestamp) -> Vec<Settled> {
        let by_id: HashMap<Uuid, &Outcome> = outcomes.iter().map(|outcome| (outcome.id, outcome)).collect();
        rows.iter()
            .map(|row| {
                let (kind, code) = by_id
                    .get(&row.item.id)
                    .map_or((OutcomeKind::Retry, None), |outcome| (outcome.outcome, outcome.code));
                let event = match kind {
                    OutcomeKind::Accepted => ItemEvent::Accept,
                    OutcomeKind::AcceptedWithNote => ItemEvent::AcceptWithNote,
                    OutcomeKind::Refused => ItemEvent::Refuse,
                    OutcomeKind::Retry => {
                        let wait = self.backoff(row.attempts, None);
                        return retry(row.item.id, Some(Cause::ServerFailed), later(now, wait));
                    }
                };
                Settled { id: row.item.id, event, code, cause: None, next_attempt_at: None }
            })
            .collect()
    }

    /// A batch without an answer, or refused as a whole.
    fn failed(&self, rows: &[ItemRow], failure: Failure, now: Timestamp) -> (Vec<Settled>, Progress) {
        let too_much = matches!(
            failure.kind,
            FailureKind::Refused(Refusal::TooLarge | Refusal::Malformed | Refusal::Invalid)
        );
        if let (true, [only]) = (too_much, rows) {
            tracing::error!(item = %only.item.id, "the server cannot read this item");
            let code = Some(ItemCode::Malformed);
            let refused = Settled {
                id: only.item.id,
                event: ItemEvent::Refuse,
                code,
                cause: None,
                next_attempt_at: None,
            };
            return (vec![refused], Progress::More);
        }
        if too_much {
            return (rows.iter().map(|row| retry(row.item.id, None, now)).collect(), Progress::Smaller);
        }
        let attempts = rows.iter().map(|row| row.attempts).min().unwrap_or(1);
        let at = if failure.kind == FailureKind::SessionExpired {
            now
        } else {
            later(now, self.backoff(attempts, failure.retry_after))
        };
        let cause = Some(failure.kind.cause());
        (rows.iter().map(|row| retry(row.item.id, cause, at)).collect(), Progress::Done)
    }

    /// Exponential with full jitter, never shorter than the server asks for.
    fn backoff(&self, attempts: u32, retry_after: Option<Duration>) -> Duration {
        let ceiling =
            Duration::from_secs(1).saturating_mul(2_u32.saturating_pow(attempts.min(16))).min(BACKOFF_MAX);
        let jittered = ceiling.mul_f64(self.inner.chance.unit());
        retry_after.unwrap_or_default().max(jittered)
    }
}

/// How to go on after a batch.
enum Progress {
    /// There may be more to send.
    More,
    /// The server would not take the batch as a whole: one by one.
    Smaller,
    /// Nothing more for now.
    Done,
}

/// Splits what was taken at the size limit of a body.
fn fitting(mut taken: Vec<ItemRow>) -> (Vec<ItemRow>, Vec<ItemRow>) {
    let mut bytes = 0;
    let fits = taken
        .iter()
        .take_while(|row| {
            bytes += ITEM_OVERHEAD_BYTES + statement_bytes(&row.item.body);
            bytes <= BODY_MAX_BYTES
        })
        .count();
    let beyond = taken.split_off(fits.max(1).min(taken.len()));
    (taken, beyond)
}

fn statement_bytes(body: &ItemBody) -> usize {
    match body {
        ItemBody::UsageReport { statement, .. } => statement.len(),
        ItemBody::Void { .. } | ItemBody::OfflineLookup { .. } => 0,
    }
}

fn wire_item(row: &ItemRow) -> Item {
    Item {
        id: row.item.id,
        sequence: row.sequence,
        author_id: row.item.author_id,
        device_time: row.item.device_time,
        occurred_at: row.item.occurred_at,
        submission: row.submission,
        body: row.item.body.clone(),
    }
}

fn retry(id: Uuid, cause: Option<Cause>, at: Timestamp) -> Settled {
    Settled { id, event: ItemEvent::Retry, code: None, cause, next_attempt_at: Some(at) }
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait).ok().and_then(|wait| now.saturating_add(wait).ok()).unwrap_or(now)
}

impl From<ItemRow> for OutboxItem {
    fn from(row: ItemRow) -> Self {
        Self {
            id: row.item.id,
            kind: row.item.kind(),
            state: row.state,
            code: row.code,
            occurred_at: row.item.occurred_at,
            document_masked: row.item.document.masked(),
            branch_name: row.item.branch_name,
            operator_name: row.item.author_name,
            attempts: row.attempts,
            last_cause: row.last_cause,
            next_attempt_at: (row.next_attempt_at > Timestamp::UNIX_EPOCH).then_some(row.next_attempt_at),
        }
    }
}
