//! *Consultar trabajador*: one question about one person.
//!
//! Online first, never hanging: the server's answer wins; without one in time the copy answers, and the request
//! goes on under the same lookup id. When its answer comes, and the card is still on the screen, it replaces it.
//!
//! | the server | the card |
//! |---|---|
//! | answers in time | its statement |
//! | cannot be reached, fails, is not Hanna, asks to wait, ended the session | the copy, with the cause |
//! | refuses the question | SIN DATO |
//! | answers with a statement that cannot be believed | SIN DATO; no copy, it may be an attack |
//!
//! Nothing here decides what a statement means: that is `hanna_domain::decide`.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hanna_domain::statement::{Expected, StatementFault};
use hanna_domain::{
    Answer, Cause, ClockTrust, Decision, Document, DocumentKind, Reason, Source, UsedToday, Verdict,
    Verified, colombia, decide,
};
use hanna_wire::lookup::{DEFAULT_PURPOSE, LookupRequest};
use hanna_wire::me::Me;
use hanna_wire::outbox::ItemBody;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::backend::{Failure, FailureKind};
use crate::desk::{Desk, Event, lock};
use crate::error::DeskError;
use crate::store::NewItem;
use crate::tray::{Basis, Held};
use crate::view::{Card, ReasonView, RecentLookup};

/// The question, and what deciding on its answer needs.
#[derive(Debug, Clone)]
struct Question {
    request: LookupRequest,
    /// Who asks.
    me: Arc<Me>,
}

/// What asking the server came to.
type ServerSide = Result<Basis, NoAnswer>;

/// The server's answer to a card that did not wait for it.
type Late = Pin<Box<dyn Future<Output = ServerSide> + Send>>;

/// Why the server's side gave nothing, and whether the copy may answer instead.
#[derive(Debug, Clone, Copy)]
struct NoAnswer {
    cause: Cause,
    copy_may_answer: bool,
}

impl Desk {
    /// Looks up the person with the document typed. SIN DATO is an answer, not an error.
    ///
    /// # Errors
    /// What is wrong with the text, or why nothing can be asked at all (nobody signed in, no branch).
    pub async fn lookup(&self, kind: DocumentKind, text: &str) -> Result<Card, DeskError> {
        let (me, branch_id) = self.at_work()?;
        let document = Document::parse(kind, text)?;
        let question = Question {
            request: LookupRequest {
                id: self.inner.chance.id(self.inner.clock.now()),
                branch_id,
                document,
                purpose: DEFAULT_PURPOSE.to_owned(),
            },
            me,
        };
        lock(&self.inner.tray).begin(question.request.id);
        let question = Arc::new(question);
        let patience = if lock(&self.inner.connection).copy_first() {
            Duration::ZERO
        } else {
            Duration::from_millis(u64::from(question.me.policy.answer_wait_ms))
        };
        let (held, late) = self.ask(&question, patience).await;
        let card = held.card.clone();
        let recent = self.put_down(held);
        // The queue waits for the card, and for nothing of this.
        let (desk, shown) = (self.clone(), Shown::on(&card));
        tokio::spawn(async move {
            tokio::join!(desk.keep_recent(recent), desk.record_offline(&question, shown), async {
                let Some(late) = late else { return };
                if let Ok(basis) = late.await {
                    desk.answer_late(&question, basis).await;
                }
            });
        });
        Ok(card)
    }

    /// The operator cleared the card: a late answer no longer shows.
    pub fn clear_card(&self) {
        lock(&self.inner.tray).clear();
    }

    /// The last lookups of this shift, newest first.
    pub fn recent_lookups(&self) -> Vec<RecentLookup> {
        lock(&self.inner.tray).recent()
    }

    /// The card, and what may still come for it.
    async fn ask(&self, question: &Arc<Question>, patience: Duration) -> (Held, Option<Late>) {
        let asking = self.clone().asking(Arc::clone(question));
        if patience.is_zero() {
            let cause = lock(&self.inner.connection).cause().unwrap_or(Cause::Unreachable);
            return (self.answer_from_copy(question, cause), Some(Box::pin(asking)));
        }
        let mut asking = tokio::spawn(asking);
        let Ok(joined) = tokio::time::timeout(patience, &mut asking).await else {
            self.heard::<()>(&Err(FailureKind::TimedOut.into()));
            let late = async { asking.await.unwrap_or_else(broken_off) };
            return (self.answer_from_copy(question, Cause::TimedOut), Some(Box::pin(late)));
        };
        let held = match joined.unwrap_or_else(broken_off) {
            Ok(basis) => self.card_of(question, basis, None),
            Err(nothing) if nothing.copy_may_answer => self.answer_from_copy(question, nothing.cause),
            Err(nothing) => self.card_of_nothing(question, nothing.cause),
        };
        (held, None)
    }

    /// Asking the server, as something that goes on when nobody waits for it any more.
    async fn asking(self, question: Arc<Question>) -> ServerSide {
        self.ask_server(&question).await
    }

    /// Asks the server and verifies what it says. A believed statement becomes the copy.
    async fn ask_server(&self, question: &Question) -> ServerSide {
        let request = &question.request;
        let outcome = self
            .authorized_as(Some(question.me.operator.id), |backend, token| {
                let request = request.clone();
                async move { backend.lookup(&token, &request).await }
            })
            .await;
        let jws = match outcome {
            Ok(answer) => answer.value.statement,
            Err(Failure { kind, .. }) => {
                let copy_may_answer = !matches!(kind, FailureKind::Refused(_));
                return Err(NoAnswer { cause: kind.cause(), copy_may_answer });
            }
        };
        let verified = self.verify_fetching_keys(question, &jws).await.map_err(|fault| {
            tracing::error!(%fault, lookup_id = %request.id, "the server's statement cannot be believed");
            NoAnswer { cause: fault_cause(fault), copy_may_answer: false }
        })?;
        let (kept, text, visited_at) = (verified.clone(), jws.clone(), self.now().1);
        // A copy that is not kept is missed later, not now.
        if let Err(error) = self
            .with_stores(move |stores| stores.cache.keep_statement(kept.statement(), &text, Some(visited_at)))
            .await
        {
            tracing::warn!(%error, "the copy was not kept");
        }
        Ok((verified, jws))
    }

    /// Verifies with the keys at hand, and with the server's newest when the statement names an unknown one.
    async fn verify_fetching_keys(&self, question: &Question, jws: &str) -> Result<Verified, StatementFault> {
        let expected = Expected { lookup_id: Some(question.request.id), ..question.expected() };
        match self.verifier().verify(jws, expected) {
            Err(StatementFault::UnknownKey) => {
                if let Err(error) = self.fetch_keys().await {
                    tracing::warn!(%error, "the server's keys could not be fetched");
                }
                self.verifier().verify(jws, expected)
            }
            verified => verified,
        }
    }

    /// The card from the local copy; `cause` says why the server did not answer.
    fn answer_from_copy(&self, question: &Question, cause: Cause) -> Held {
        let nothing = |cause| self.card_of_nothing(question, cause);
        let Some(opened) = self.opened() else { return nothing(Cause::StoreFailed) };
        let request = &question.request;
        let jws = match opened.stores.cache.statement(&request.document, request.branch_id) {
            Ok(Some(jws)) => jws,
            Ok(None) => return nothing(cause_without_copy(cause)),
            Err(error) => {
                tracing::error!(%error, "the copy cannot be read");
                return nothing(Cause::StoreFailed);
            }
        };
        match self.verifier().verify(&jws, question.expected()) {
            Ok(verified) => self.card_of(question, (verified, jws), Some(cause)),
            Err(fault) => {
                tracing::error!(%fault, "the copy cannot be believed");
                nothing(fault_cause(fault))
            }
        }
    }

    /// Decides on a statement, and lays the card out. `copy_because` says why it is the copy's, and not the server's own.
    fn card_of(&self, question: &Question, basis: Basis, copy_because: Option<Cause>) -> Held {
        let (device_time, now) = self.now();
        let clock = self.clock_mark().trust(device_time, question.skew_max());
        let answer = if copy_because.is_some() { Answer::Copy(&basis.0) } else { Answer::Online(&basis.0) };
        let decision = decide(now, clock, answer);
        // SIN DATO shows nothing of a statement that cannot be used.
        let basis = if decision.cause.is_none() { Some(basis) } else { None };
        let verified = basis.as_ref().map(|(verified, _)| verified);
        Held { card: self.lay_out(question, &decision, copy_because, verified, now), basis }
    }

    /// SIN DATO.
    fn card_of_nothing(&self, question: &Question, cause: Cause) -> Held {
        let (_, now) = self.now();
        let decision = decide(now, ClockTrust::Trusted, Answer::Nothing(cause));
        Held { card: self.lay_out(question, &decision, None, None, now), basis: None }
    }

    fn lay_out(
        &self,
        question: &Question,
        decision: &Decision,
        copy_because: Option<Cause>,
        basis: Option<&Verified>,
        now: Timestamp,
    ) -> Card {
        let statement = basis.map(Verified::statement);
        let mut used_today = statement.map(|statement| statement.used_today.clone()).unwrap_or_default();
        if decision.may_report {
            self.add_own_uses(&mut used_today, &question.request.document, now);
        }
        Card {
            lookup_id: question.request.id,
            document: question.request.document.clone(),
            verdict: decision.verdict,
            source: decision.source,
            statement_id: statement.map(|statement| statement.jti),
            affiliate: statement.and_then(|statement| statement.affiliate.clone()),
            tariff: statement.map(|statement| statement.tariff),
            reasons: decision.reasons.iter().copied().map(ReasonView::from).collect(),
            cause: decision.cause.or(copy_because),
            age_s: statement.map(|statement| now.duration_since(statement.iat).as_secs().max(0)),
            valid_until: statement.map(|statement| statement.exp),
            may_report: decision.may_report,
            used_today,
            reported: None,
            may_void: false,
            voided: None,
            replaces: None,
        }
    }

    /// Uses this PC recorded today that the statement does not know of yet.
    pub(crate) fn add_own_uses(&self, used_today: &mut Vec<UsedToday>, document: &Document, now: Timestamp) {
        let Some(opened) = self.opened() else { return };
        let day_start = colombia::start_of(colombia::day_of(now));
        used_today.retain(|used| used.occurred_at >= day_start);
        match opened.stores.outbox.uses_since(document, day_start) {
            Ok(own) => {
                for (occurred_at, branch_name) in own {
                    if !used_today.iter().any(|used| used.occurred_at == occurred_at) {
                        used_today.push(UsedToday { occurred_at, branch_name });
                    }
                }
                used_today.sort_by_key(|used| used.occurred_at);
            }
            // The report itself asks again, and does not go through when it cannot.
            Err(error) => tracing::error!(%error, "the uses of today cannot be read"),
        }
    }

    /// Puts the server's late answer in the card's place, if that is still on the screen and nothing rests on it.
    async fn answer_late(&self, question: &Question, basis: Basis) {
        let mut held = self.card_of(question, basis, None);
        {
            let tray = lock(&self.inner.tray);
            let Some(before) = tray.find(question.request.id) else { return };
            if !tray.is_current(question.request.id) || before.card.reported.is_some() {
                return;
            }
            held.card.replaces = Some(before.card.verdict).filter(|verdict| *verdict != held.card.verdict);
        }
        let card = held.card.clone();
        let recent = self.put_down(held);
        self.emit(Event::Card(Box::new(card)));
        self.keep_recent(recent).await;
    }

    /// Puts the card on the desk and its lookup on the list of the last ones; returns its line there.
    fn put_down(&self, held: Held) -> RecentLookup {
        let recent = RecentLookup {
            lookup_id: held.card.lookup_id,
            at: self.inner.clock.now(),
            document_masked: held.card.document.masked(),
            verdict: held.card.verdict,
            used: held.card.reported.is_some(),
        };
        lock(&self.inner.tray).put(held, recent.clone());
        recent
    }

    /// Records a lookup that the copy answered, for the caja: it must be able to say who consulted whom.
    async fn record_offline(&self, question: &Question, shown: Option<Shown>) {
        let Some(shown) = shown else { return };
        let (request, me) = (&question.request, &question.me);
        let (device_time, now) = self.now();
        let branch = me.branches.iter().find(|branch| branch.id == request.branch_id);
        let item = NewItem {
            id: self.inner.chance.id(now),
            author_id: me.operator.id,
            author_name: me.operator.display_name.clone(),
            branch_id: request.branch_id,
            branch_name: branch.map(|branch| branch.name.clone()).unwrap_or_default(),
            document: request.document.clone(),
            lookup_id: Some(request.id),
            usage: None,
            body: ItemBody::OfflineLookup {
                lookup_id: request.id,
                branch_id: request.branch_id,
                document: request.document.clone(),
                purpose: request.purpose.clone(),
                verdict: shown.verdict,
                statement_id: shown.statement_id,
            },
            device_time,
            occurred_at: now,
        };
        let mark = self.mark_to_keep();
        let recorded = self
            .with_stores(move |stores| {
                stores.cache.note_visit(&item.document, item.branch_id, item.occurred_at)?;
                if let Some(mark) = mark {
                    stores.outbox.keep_clock_mark(mark)?;
                }
                stores.outbox.enqueue(&item, None)
            })
            .await;
        match recorded {
            Ok(_) => self.inner.wake.notify_one(),
            Err(error) => tracing::error!(%error, "an offline lookup was not recorded"),
        }
    }

    /// Keeps a line of the list of the last lookups on disk. Losing one is no harm.
    pub(crate) async fn keep_recent(&self, recent: RecentLookup) {
        if let Err(error) = self.with_stores(move |stores| stores.cache.keep_recent(&recent)).await {
            tracing::warn!(%error, "the list of the last lookups was not kept");
        }
    }
}

/// Asking ended in a panic, which was told where it happened.
fn broken_off(_: tokio::task::JoinError) -> ServerSide {
    Err(NoAnswer { cause: Cause::ServerFailed, copy_may_answer: true })
}

/// What a card that the copy answered told the operator.
#[derive(Debug, Clone, Copy)]
struct Shown {
    verdict: Verdict,
    statement_id: Option<Uuid>,
}

impl Shown {
    fn on(card: &Card) -> Option<Self> {
        (card.source == Source::Copy)
            .then_some(Self { verdict: card.verdict, statement_id: card.statement_id })
    }
}

impl Question {
    fn skew_max(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.me.policy.clock_skew_max_min))
    }

    /// What a copy must be about.
    fn expected(&self) -> Expected<'_> {
        Expected { document: &self.request.document, branch_id: self.request.branch_id, lookup_id: None }
    }
}

impl From<Reason> for ReasonView {
    fn from(code: Reason) -> Self {
        Self { code, fixer: code.fixer(), asking_again_helps: code.asking_again_helps() }
    }
}

/// The cause that says most to the operator when there is no copy either.
fn cause_without_copy(cause: Cause) -> Cause {
    match cause {
        Cause::Unreachable | Cause::TimedOut => Cause::NoCopy,
        other => other,
    }
}

fn fault_cause(fault: StatementFault) -> Cause {
    match fault {
        StatementFault::UnknownKey => Cause::UnknownKey,
        StatementFault::Unreadable
        | StatementFault::BadSignature
        | StatementFault::KeyNotValid
        | StatementFault::Inconsistent => Cause::BadSignature,
        StatementFault::OtherPerson | StatementFault::OtherBranch | StatementFault::OtherLookup => {
            Cause::OtherSubject
        }
    }
}
