//! Delivering what was recorded.
//!
//! The worker takes what is due, oldest first, marks it `sending`, sends it, and writes each item's outcome. A few batches
//! are under way at once, so that neither this PC nor the server nor the line waits for the others; never two items about
//! the same person in two of them, so that none overtakes another. When all goes well every item passes queued → sending →
//! accepted within a second of being recorded. What else can happen:
//!
//! | the answer to a batch | every item of it |
//! |---|---|
//! | an outcome for each item | its own: accepted, noted, refused (→ *Requiere atención*), or to be retried |
//! | no connection, 408, 425, 429, 5xx, not Hanna, this program is too old (426) | queued again, later: exponential with full jitter, at most 5 min, `Retry-After` obeyed |
//! | the session ended | queued again; waits for a sign-in |
//! | the whole batch refused (too large, malformed) | sent again in batches half as large ([`BatchSize`]); alone: *Requiere atención* |
//! | the account may not deliver | queued again, later: it is not the item's fault |
//!
//! On purpose there is no count of attempts after which an item is given up, and no path that deletes one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use hanna_domain::outbox::{Event as ItemEvent, ItemCode};
use hanna_domain::{Cause, Document};
use hanna_wire::health::Health;
use hanna_wire::limits::BODY_MAX_BYTES;
use hanna_wire::outbox::{Batch, BatchAnswer, Outcome, OutcomeKind};
use hanna_wire::problem::ErrorCode as Refusal;
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use crate::backend::{AccessToken, Answered, Backend, Failure, FailureKind};
use crate::batch_size::BatchSize;
use crate::desk::{Desk, lock};
use crate::error::{DeskError, ErrorCode};
use crate::store::{ItemRow, Settled, Taken};
use crate::view::{OutboxItem, OutboxView, Status};
use crate::void_use::checked_text;

/// The longest pause between attempts.
const BACKOFF_MAX: Duration = Duration::from_mins(5);
/// How often the server is asked whether it lives when nothing else is said to it, and it answers.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The same while it does not answer: the shortest and the longest pause.
const PROBE_MIN: Duration = Duration::from_secs(1);
const PROBE_MAX: Duration = Duration::from_secs(15);
/// How many batches are under way at once: one being written here, one on the line or being read by the server, one being
/// written there, and one so that none of them waits.
const UNDER_WAY_MAX: usize = 4;
/// How often the screens are told how far a long delivery is.
const TELL_EVERY: Duration = Duration::from_millis(100);
/// How much the items of a batch may weigh, so that what is around them finds room in a body too.
const BATCH_BYTES_MAX: usize = BODY_MAX_BYTES - 1024;

impl Desk {
    /// Delivers and probes for ever. One of these runs as long as the program.
    pub async fn run_worker(self) {
        let mut probe = PROBE_MIN;
        let mut copies_due = self.inner.clock.now();
        loop {
            self.deliver_what_is_due().await;
            let online = lock(&self.inner.connection).is_online();
            self.rest(if online { HEARTBEAT } else { probe }).await;
            let online = lock(&self.inner.connection).is_online();
            if online {
                copies_due = self.look_after_copies(copies_due).await;
            } else {
                self.keep_time().await;
            }
            probe = if online { PROBE_MIN } else { (probe * 2).min(PROBE_MAX) };
        }
    }

    /// Waits until there is something to deliver; when that is not before `pause` is over, asks the server whether it
    /// lives. What is recorded while it does not answer cuts no pause short: its answer does.
    async fn rest(&self, pause: Duration) {
        let until_due = self.until_next_due().filter(|due| *due < pause);
        let end = Instant::now() + until_due.unwrap_or(pause);
        loop {
            tokio::select! {
                () = self.inner.wake.notified() => {
                    if !lock(&self.inner.connection).is_offline() {
                        return;
                    }
                }
                () = tokio::time::sleep_until(end) => break,
            }
        }
        if until_due.is_none() {
            self.ask_health().await;
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
        self.with_stores(|stores| {
            let items = stores.outbox.open_items()?.into_iter().map(OutboxItem::from).collect();
            let lookups = stores.outbox.counts()?.lookups;
            Ok(OutboxView { items, lookups, last_sync: stores.outbox.last_sync()? })
        })
        .await
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
        self.tell_card().await;
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
        self.tell_card().await;
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
        self.tell_card().await;
        self.outbox().await
    }

    async fn ask_health(&self) {
        let outcome = self.inner.backend.health().await.and_then(serving_us);
        self.heard(&outcome);
        let Ok(Answered { value: Health { epoch: Some(epoch), .. }, .. }) = outcome else { return };
        if self.opened().is_none() {
            return;
        }
        // It says nothing of what it holds of this desk.
        if let Err(error) = self.know_server(epoch, false).await {
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
    async fn know_server(&self, epoch: Uuid, holds_less: bool) -> Result<(), DeskError> {
        let now = self.inner.clock.now();
        let again = self.with_stores(move |stores| stores.outbox.know_server(epoch, holds_less, now)).await?;
        if again > 0 {
            tracing::warn!(items = again, "the server was restored: what it had accepted is offered again");
            self.inner.wake.notify_one();
        }
        Ok(())
    }

    /// How long nothing is due; `None` when nothing can be sent.
    fn until_next_due(&self) -> Option<Duration> {
        if lock(&self.inner.session).sign_in_needed() || lock(&self.inner.connection).is_offline() {
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

    /// Sends batches until nothing is due, or the server cannot take more. While it does not answer, only its health is
    /// asked for: nothing is taken that cannot go, and a long queue costs nothing.
    async fn deliver_what_is_due(&self) {
        let _one_at_a_time = self.inner.delivering.lock().await;
        let can_send = lock(&self.inner.session).may_send() && !lock(&self.inner.connection).is_offline();
        if self.opened().is_none() || !can_send {
            return;
        }
        if let Err(error) = self.deliver_batches().await {
            tracing::error!(%error, "the outbox failed");
        }
        if std::mem::take(&mut lock(&self.inner.connection).sending) {
            self.tell_status();
        }
        self.tell_sync();
    }

    /// Keeps batches under way until nothing is due, or one of them does not get through.
    async fn deliver_batches(&self) -> Result<(), DeskError> {
        // Deliveries take turns: what is `sending` now was left so by one whose answer could not be written down.
        self.with_stores(|stores| stores.outbox.recover()).await?;
        let mut under_way = JoinSet::new();
        let mut people = HashSet::new();
        let mut settled = Vec::new();
        let mut size = BatchSize::new(self.inner.batch_items_max);
        let mut told = Instant::now();
        loop {
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                self.tell_status();
            }
            let taken =
                self.settle_and_take(std::mem::take(&mut settled), size.get(), people.clone()).await?;
            if !taken.rows.is_empty() {
                people.extend(taken.rows.iter().map(|row| row.item.document.clone()));
                if !std::mem::replace(&mut lock(&self.inner.connection).sending, true) {
                    self.tell_status();
                }
                let desk = self.clone();
                under_way.spawn(async move { (desk.send(&taken).await, taken) });
                if under_way.len() < UNDER_WAY_MAX {
                    continue;
                }
            }
            let Some(answered) = under_way.join_next().await else { return Ok(()) };
            let (outcome, taken) = answered?;
            for row in &taken.rows {
                people.remove(&row.item.document);
            }
            let now = self.inner.clock.now();
            settled = match outcome {
                Ok(answer) => {
                    size.taken_in();
                    self.know_server(answer.epoch, answer.last_sequence < taken.accepted).await?;
                    self.outcomes(&taken.rows, &answer.outcomes, now)
                }
                Err(failure) if is_refused_as_a_whole(&failure) => {
                    size.refused(taken.rows.len());
                    refused_as_a_whole(&taken.rows, now)
                }
                Err(failure) => {
                    size.stop();
                    self.not_through(&taken.rows, failure, now)
                }
            };
            self.note_decided(&taken.rows, &settled, self.now().1);
        }
    }

    async fn send(&self, taken: &Taken) -> Result<BatchAnswer, Failure> {
        let items = taken.rows.iter().map(ItemRow::to_wire).collect();
        let batch = Arc::new(Batch { items, waiting: Some(taken.waiting) });
        let call = |backend: Arc<dyn Backend>, token: AccessToken| {
            let batch = Arc::clone(&batch);
            async move { backend.deliver(&token, &batch).await }
        };
        Ok(self.authorized(call).await?.value)
    }

    /// Writes what became of a batch, and takes the next one.
    async fn settle_and_take(
        &self,
        settled: Vec<Settled>,
        batch_max: usize,
        under_way: HashSet<Document>,
    ) -> Result<Taken, DeskError> {
        let (now, decided_at) = self.now();
        let news = !settled.is_empty();
        let taken = self
            .with_stores(move |stores| {
                let outbox = &stores.outbox;
                outbox.settle_and_take(&settled, decided_at, now, batch_max, BATCH_BYTES_MAX, &under_way)
            })
            .await?;
        if news {
            self.tell_card().await;
        }
        Ok(taken)
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

    /// A batch that the server did not get, or could not judge now.
    fn not_through(&self, rows: &[ItemRow], failure: Failure, now: Timestamp) -> Vec<Settled> {
        let attempts = rows.iter().map(|row| row.attempts).min().unwrap_or(1);
        let at = if failure.kind == FailureKind::SessionExpired {
            now
        } else {
            later(now, self.backoff(attempts, failure.retry_after))
        };
        let cause = Some(failure.kind.cause());
        rows.iter().map(|row| retry(row.item.id, cause, at)).collect()
    }

    /// Exponential with full jitter, never shorter than the server asks for.
    fn backoff(&self, attempts: u32, retry_after: Option<Duration>) -> Duration {
        let ceiling =
            Duration::from_secs(1).saturating_mul(2_u32.saturating_pow(attempts.min(16))).min(BACKOFF_MAX);
        let jittered = ceiling.mul_f64(self.inner.chance.unit());
        retry_after.unwrap_or_default().max(jittered)
    }
}

/// A server that lives, and serves only newer versions of this program, is asked nothing else: it would answer nothing.
fn serving_us(answered: Answered<Health>) -> Result<Answered<Health>, Failure> {
    match answered.value.minimum_client {
        Some(minimum) if !minimum.is_met_by(env!("CARGO_PKG_VERSION")) => {
            Err(FailureKind::TooOld(minimum).into())
        }
        _ => Ok(answered),
    }
}

/// Whether a batch was too large for the server or for something before it, or could not be read there.
fn is_refused_as_a_whole(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Refused(Refusal::TooLarge | Refusal::Malformed | Refusal::Invalid))
}

/// Several are tried again in smaller batches; one alone is the item at fault.
fn refused_as_a_whole(rows: &[ItemRow], now: Timestamp) -> Vec<Settled> {
    let [only] = rows else {
        return rows.iter().map(|row| retry(row.item.id, None, now)).collect();
    };
    tracing::error!(item = %only.item.id, "the server cannot read this item");
    let code = Some(ItemCode::Malformed);
    vec![Settled { id: only.item.id, event: ItemEvent::Refuse, code, cause: None, next_attempt_at: None }]
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
