//! The wire between a desk and the server: real requests and answers, without a socket, and what befalls them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{self, HeaderMap, HeaderValue, StatusCode, header};
use hanna_desk::backend::{Failure, FailureKind, Transport};
use hanna_wire::lookup::{LookupAnswer, LookupRequest, RegularsAnswer};
use hanna_wire::outbox::{Batch, BatchAnswer, ItemBody, OutcomeKind};
use hanna_wire::path;
use hanna_wire::problem::{ErrorCode, Problem};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::{Request, Response};
use tokio::sync::watch;
use uuid::Uuid;

use crate::disk::{self, Disk};
use crate::faults::Fault;
use crate::forge;
use crate::model::Model;
use crate::plan::Met;
use crate::sabotage::Bug;
use crate::server::{Answer, Server};
use crate::time::{DeskClock, Time};

/// How long the client waits for an answer when the request does not say.
const PATIENCE: Duration = Duration::from_secs(30);

/// What all desks of a run have around them.
pub struct Around {
    pub time: Arc<Time>,
    pub server: Arc<Server>,
    pub bug: Option<Bug>,
    pub model: Mutex<Model>,
    pub log: Mutex<Vec<String>>,
    /// What the next exchanges meet.
    pub coming: Mutex<VecDeque<Option<Met>>>,
    /// How often each fault happened.
    pub happened: Mutex<BTreeMap<Fault, u64>>,
    pub down_until: Mutex<Option<Timestamp>>,
    /// Requests that wait on the way until another one has passed them.
    overtaken: Mutex<Vec<Letter>>,
    /// Ids that were delivered before, and what they were called then; see `Bug::NewIdOnRetry`.
    pub delivered: Mutex<BTreeMap<Uuid, Uuid>>,
    /// Who made the first thing each desk delivered; see `Bug::ForgetsWhoMadeIt`.
    pub first_authors: Mutex<BTreeMap<usize, Uuid>>,
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Around {
    pub fn new(time: Arc<Time>, server: Arc<Server>, bug: Option<Bug>, model: Model) -> Arc<Self> {
        Arc::new(Self {
            time,
            server,
            bug,
            model: Mutex::new(model),
            log: Mutex::default(),
            coming: Mutex::default(),
            happened: Mutex::default(),
            down_until: Mutex::default(),
            overtaken: Mutex::default(),
            delivered: Mutex::default(),
            first_authors: Mutex::default(),
        })
    }

    pub fn note(&self, line: String) {
        lock(&self.log).push(line);
    }

    pub fn count(&self, fault: Fault) {
        *lock(&self.happened).entry(fault).or_default() += 1;
    }

    /// Every item that a request on the way carries.
    pub fn on_the_way(&self) -> BTreeSet<Uuid> {
        let letters = lock(&self.overtaken);
        letters.iter().filter_map(Letter::batch).flat_map(|batch| batch.items).map(|item| item.id).collect()
    }

    pub fn is_down(&self) -> bool {
        lock(&self.down_until).is_some_and(|until| self.time.now() < until)
    }
}

/// One desk's wire, for as long as the program runs once.
pub struct Wire {
    pub around: Arc<Around>,
    pub desk: usize,
    pub clock: Arc<DeskClock>,
    /// Becomes true when the program ends or is killed; nothing it was waiting for reaches it then.
    pub ended: Arc<watch::Sender<bool>>,
    pub in_flight: Arc<AtomicUsize>,
    pub disk: Arc<Disk>,
}

/// What happens when the desk's process ends.
pub async fn end(ended: &watch::Sender<bool>) {
    // The sender is held by whoever waits here.
    let _ = ended.subscribe().wait_for(|ended| *ended).await;
}

/// Counts a request that is on its way, also one that nobody waits for to the end.
struct InFlight<'a>(&'a AtomicUsize);

impl<'a> InFlight<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request that can be sent more than once.
#[derive(Debug, Clone)]
pub struct Letter {
    method: http::Method,
    pub path: String,
    target: String,
    headers: HeaderMap,
    pub body: Vec<u8>,
    patience: Duration,
}

#[async_trait]
impl Transport for Wire {
    async fn exchange(&self, request: Request) -> Result<Response, Failure> {
        let _in_flight = InFlight::new(&self.in_flight);
        let answer = tokio::select! {
            biased;
            () = end(&self.ended) => Err(FailureKind::Unreachable.into()),
            answer = self.carry(Letter::read(&request)) => answer,
        };
        answer.map(|mut answer| {
            if self.around.bug == Some(Bug::ClockMarkUnchecked) {
                answer.headers.remove(header::DATE);
            }
            into_response(answer)
        })
    }
}

impl Letter {
    fn read(request: &Request) -> Self {
        let url = request.url();
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Self {
            method: request.method().clone(),
            path: url.path().to_owned(),
            target: format!("{}{query}", url.path()),
            headers: request.headers().clone(),
            body: request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default().to_vec(),
            patience: request.timeout().copied().unwrap_or(PATIENCE),
        }
    }

    pub fn question(&self) -> Option<LookupRequest> {
        (self.path == path::LOOKUPS).then(|| serde_json::from_slice(&self.body).ok())?
    }

    pub fn batch(&self) -> Option<Batch> {
        (self.path == path::OUTBOX).then(|| serde_json::from_slice(&self.body).ok())?
    }
}

fn into_response(answer: Answer) -> Response {
    let mut response = http::Response::new(answer.body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response.into()
}

pub fn answered(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Answer {
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(media_type))]);
    Answer { status, headers, body }
}

fn told_to_wait(status: StatusCode, seconds: u32) -> Answer {
    let mut answer = answered(status, "text/plain", Vec::new());
    answer.headers.insert(header::RETRY_AFTER, seconds.into());
    answer
}

fn problem(code: ErrorCode) -> Answer {
    let body = serde_json::to_vec(&Problem::new(code, None, "t".into())).expect("JSON");
    let status = StatusCode::from_u16(code.status()).expect("a status");
    answered(status, hanna_wire::problem::MEDIA_TYPE, body)
}

impl Wire {
    /// Carries a letter through what it meets, and tells the model what reaches the desk.
    async fn carry(&self, letter: Letter) -> Result<Answer, Failure> {
        if let Some(question) = letter.question() {
            lock(&self.around.model).asked.insert(question.id);
        }
        let letter = self.sabotaged_letter(letter);
        let met = lock(&self.around.coming).pop_front().flatten();
        let (outcome, met) = if self.around.is_down() {
            (Err(FailureKind::Unreachable.into()), None)
        } else {
            self.meet(&letter, met).await
        };
        let outcome = self.sabotaged_answer(&letter, outcome);
        let fate = met.map(|met| format!(", {} ({})", met.fault, met.extent)).unwrap_or_default();
        let end = match &outcome {
            Ok(answer) => answer.status.as_u16().to_string(),
            Err(failure) => format!("{:?}", failure.kind),
        };
        self.around.note(format!("    desk {}: {} {}{fate}: {end}", self.desk, letter.method, letter.path));
        if let Ok(answer) = &outcome {
            self.hear(&letter, answer);
        }
        outcome
    }

    /// A whole answer tells the desk the time.
    fn hear(&self, letter: &Letter, answer: &Answer) {
        let whole = serde_json::from_slice::<serde_json::Value>(&answer.body).is_ok();
        if !answer.status.is_success() || !whole {
            return;
        }
        let date = answer.headers.get(header::DATE).and_then(|date| date.to_str().ok());
        let Some(server_time) = date.and_then(|date| rfc2822::parse(date).ok()) else { return };
        let server_time = server_time.timestamp();
        lock(&self.around.model).hear(self.desk, server_time, self.clock.read());
        if self.around.bug == Some(Bug::IgnoresExpiry) && letter.path != path::HEALTH {
            self.clock.stop_at(self.clock.read() + jiff::SignedDuration::from_hours(23));
        }
    }

    /// What becomes of a letter, and the fault it really met.
    async fn meet(&self, letter: &Letter, met: Option<Met>) -> (Result<Answer, Failure>, Option<Met>) {
        let Some(met) = met.filter(|met| met.applies_to(letter)) else {
            return (Ok(self.pass(letter)), None);
        };
        let lost = Err(FailureKind::Unreachable.into());
        // Never at the very moment at which somebody stops waiting: which of the two comes first would be chance.
        let late = Duration::from_secs(u64::from(met.extent)) + Duration::from_millis(250);
        if met.fault.is_forgery() {
            let answer = self.pass(letter);
            let Some(forged) = self.forge(letter, &answer, met.fault) else { return (Ok(answer), None) };
            self.around.count(met.fault);
            return (Ok(forged), Some(met));
        }
        self.around.count(met.fault);
        let outcome = match met.fault {
            Fault::RequestLost => lost,
            Fault::AnswerLost => {
                self.pass(letter);
                lost
            }
            Fault::RequestLate => {
                tokio::time::sleep(late.min(letter.patience)).await;
                let answer = self.pass(letter);
                if late < letter.patience { Ok(answer) } else { Err(FailureKind::TimedOut.into()) }
            }
            Fault::AnswerLate => {
                let answer = self.pass(letter);
                tokio::time::sleep(late.min(letter.patience)).await;
                if late < letter.patience { Ok(answer) } else { Err(FailureKind::TimedOut.into()) }
            }
            Fault::NoAnswer => {
                self.pass(letter);
                tokio::time::sleep(letter.patience).await;
                Err(FailureKind::TimedOut.into())
            }
            Fault::RequestDoubled => {
                self.pass(letter);
                Ok(self.pass(letter))
            }
            Fault::RequestOvertaken => {
                lock(&self.around.overtaken).push(letter.clone());
                lost
            }
            Fault::AnswerCut => {
                let mut answer = self.pass(letter);
                let whole = answer.body.len();
                answer.body.truncate(whole.saturating_sub(1) * met.extent as usize / 40);
                Ok(answer)
            }
            Fault::Portal => {
                let page = "<html>Bienvenido al wifi del centro comercial</html>";
                Ok(answered(StatusCode::OK, "text/html", page.into()))
            }
            Fault::ServerFailed => Ok(problem(ErrorCode::Internal)),
            Fault::ServerFailedAfter => {
                self.pass(letter);
                Ok(answered(StatusCode::BAD_GATEWAY, "text/html", "<html>502</html>".into()))
            }
            Fault::Unavailable => Ok(told_to_wait(StatusCode::SERVICE_UNAVAILABLE, met.extent)),
            Fault::SlowDown => Ok(told_to_wait(StatusCode::TOO_MANY_REQUESTS, met.extent)),
            Fault::BatchRefused => Ok(problem(ErrorCode::TooLarge)),
            Fault::RestartBeforeAnswer => {
                self.pass(letter);
                self.around.server.restart(self.around.time.now());
                lost
            }
            Fault::DiskFullAtAnswer => {
                let answer = self.pass(letter);
                let until = self.around.time.now() + jiff::SignedDuration::from_secs(5);
                self.disk.refuse_until(until, &[disk::ITEMS]);
                Ok(answer)
            }
            Fault::DeskKilledBefore => self.kill().await,
            Fault::DeskKilledAfter => {
                self.pass(letter);
                self.kill().await
            }
            _ => Ok(self.pass(letter)),
        };
        (outcome, Some(met))
    }

    async fn kill(&self) -> Result<Answer, Failure> {
        self.ended.send_replace(true);
        std::future::pending().await
    }

    /// The server answers; then what was on the way arrives, too, and nobody hears of it.
    fn pass(&self, letter: &Letter) -> Answer {
        let answer = self.arrive(letter);
        for overtaken in std::mem::take(&mut *lock(&self.around.overtaken)) {
            let answer = self.arrive(&overtaken);
            self.around.note(format!(
                "    what was on the way arrives: {}: {}",
                overtaken.path,
                answer.status.as_u16()
            ));
        }
        answer
    }

    /// The server answers; what it said is true from now on.
    fn arrive(&self, letter: &Letter) -> Answer {
        if let Some(batch) = letter.batch() {
            self.look_at_order(&batch);
        }
        let now = self.around.time.now();
        let mut request = http::Request::builder().method(letter.method.clone()).uri(&letter.target);
        if let Some(headers) = request.headers_mut() {
            headers.clone_from(&letter.headers);
        }
        let request = request.body(Body::from(letter.body.clone())).expect("a request");
        let answer = self.around.server.answer(now, request);
        if answer.status.is_success() {
            self.learn(letter, &answer, now);
        }
        answer
    }

    /// A void comes with its report or after it; only a server that lost the report sees it first.
    fn look_at_order(&self, batch: &Batch) {
        let held = self.around.server.held();
        let mut model = lock(&self.around.model);
        for (place, item) in batch.items.iter().enumerate() {
            let ItemBody::Void { report_id, .. } = &item.body else { continue };
            let with_it = batch.items[..place].iter().any(|other| other.id == *report_id);
            let known = held.uses.iter().any(|one| one.id == *report_id);
            if !with_it && !known && !model.taken_back.contains(report_id) {
                let story = format!("{} arrives before {report_id}", item.id);
                model.breaches.push(("a void never arrives before its report", story));
            }
        }
    }

    fn learn(&self, letter: &Letter, answer: &Answer, now: Timestamp) {
        let mut model = lock(&self.around.model);
        if letter.path == path::LOOKUPS {
            let answer: LookupAnswer = serde_json::from_slice(&answer.body).expect("a statement");
            model.issue(&answer.statement, now);
        }
        if letter.path == path::LOOKUPS_REFRESH {
            let answer: RegularsAnswer = serde_json::from_slice(&answer.body).expect("statements");
            for statement in &answer.statements {
                model.issue(statement, now);
            }
        }
        if let Some(batch) = letter.batch() {
            let answer: BatchAnswer = serde_json::from_slice(&answer.body).expect("outcomes");
            for (item, outcome) in batch.items.iter().zip(&answer.outcomes) {
                if !matches!(outcome.outcome, OutcomeKind::Accepted | OutcomeKind::AcceptedWithNote) {
                    continue;
                }
                match &item.body {
                    ItemBody::UsageReport { statement, .. } => {
                        model.take_in(item.id, statement, item.occurred_at);
                    }
                    ItemBody::Void { report_id, .. } => model.take_back(*report_id),
                    ItemBody::OfflineLookup { .. } => {}
                }
            }
        }
    }

    fn forge(&self, letter: &Letter, answer: &Answer, fault: Fault) -> Option<Answer> {
        let request = letter.question().filter(|_| answer.status.is_success())?;
        let genuine: LookupAnswer = serde_json::from_slice(&answer.body).ok()?;
        let model = lock(&self.around.model);
        let mut statement = forge::falsified(fault, &genuine.statement, &request, &model)?;
        let others = matches!(fault, Fault::OtherPerson | Fault::OtherBranch | Fault::OldAnswer);
        if others && self.around.bug == Some(Bug::BelievesOthersStatements) {
            statement = forge::as_if_about(&statement, &request, &self.around.server.signing_key())?;
        }
        let body = serde_json::to_vec(&LookupAnswer { statement }).ok()?;
        Some(Answer { body, ..answer.clone() })
    }
}

impl Met {
    /// Whether this fault can strike this letter.
    fn applies_to(self, letter: &Letter) -> bool {
        match self.fault {
            Fault::BatchRefused => letter.path == path::OUTBOX,
            fault if fault.is_forgery() => letter.path == path::LOOKUPS,
            _ => true,
        }
    }
}
