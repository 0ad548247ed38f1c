//! Carries a plan out: several real desks and the real server, one step after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use hanna_desk::view::{Card, HistoryQuery, OutboxItem, Status};
use hanna_desk::{Desk, DeskError, ErrorCode, Event};
use hanna_domain::outbox::ItemState;
use hanna_domain::{DocumentKind, Source, Verdict, colombia};
use hanna_server::demo::Account;
use jiff::{SignedDuration, ToSpan};
use tokio::runtime::Builder;
use uuid::Uuid;

use crate::desk::FrontDesk;
use crate::faults::Fault;
use crate::laws::{self, Law, Said, Scene, Violation};
use crate::model::{Confirmed, Model, Person, Terms};
use crate::plan::{Action, CHANGING, Plan, Step};
use crate::sabotage::Bug;
use crate::server::{Server, Template, folder};
use crate::time::{Time, settle};
use crate::wire::{Around, end, lock};

/// Where desks stand, and who works there: the place of two accounts among those of the demo.
const PLACES: [(&str, usize, [usize; 2]); 4] =
    [("GYM-01", 0, [0, 1]), ("CLI-01", 1, [2, 3]), ("GYM-02", 0, [0, 0]), ("CLI-01", 1, [3, 2])];

/// What a run came to.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub log: Vec<String>,
    pub violation: Option<Violation>,
    pub happened: BTreeMap<Fault, u64>,
    pub steps: u64,
    pub confirmed: u64,
    pub noted: BTreeMap<&'static str, u64>,
}

/// Runs a plan from its beginning, with a deliberate bug if one is given.
pub fn run(plan: &Plan, bug: Option<Bug>) -> Outcome {
    let place = folder();
    let server = Arc::new(Server::begin(place.path(), plan.seed));
    let kept = std::sync::Mutex::new(None);
    let ran = catch_unwind(AssertUnwindSafe(|| {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            // One thread does everything that blocks, in order: a run is the same every time.
            .max_blocking_threads(1)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut world = World::begin(plan, place.path(), &server, bug);
            *lock(&kept) = Some(Arc::clone(&world.around));
            let violation = world.carry_out(plan).await.err();
            world.close().await;
            (violation, world.steps, world.noted)
        })
    }));
    let around = lock(&kept).take();
    let mut outcome = Outcome::default();
    if let Some(around) = around {
        outcome.log.clone_from(&lock(&around.log));
        outcome.happened.clone_from(&lock(&around.happened));
        outcome.confirmed = lock(&around.model).confirmed.len() as u64;
    }
    match ran {
        Ok((violation, steps, noted)) => {
            outcome.violation = violation;
            outcome.steps = steps;
            outcome.noted = noted;
        }
        Err(panic) => {
            let story = panic.downcast_ref::<String>().cloned();
            let story = story.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let story = story.unwrap_or_else(|| "a panic".into());
            outcome.violation = Some(Violation { law: "nothing panics", story });
        }
    }
    outcome
}

struct World {
    around: Arc<Around>,
    desks: Vec<FrontDesk>,
    branches: BTreeMap<String, Uuid>,
    steps: u64,
    noted: BTreeMap<&'static str, u64>,
}

impl World {
    fn begin(plan: &Plan, folder: &std::path::Path, server: &Arc<Server>, bug: Option<Bug>) -> Self {
        let demo = &Template::get().demo;
        let documents = &demo.documents;
        let person = |number: &String, active| Person { number: number.clone(), active };
        let mut people: Vec<Person> =
            documents.active.iter().take(CHANGING).map(|number| person(number, true)).collect();
        let others = [&documents.inactive, &documents.company_suspended, &documents.not_registered];
        people.extend(others.iter().map(|group| person(&group[0], false)));
        let branches = server.branches();
        let entities = PLACES.map(|(code, entity, _)| {
            (branches[code], Terms { entity, refuses_second: code.starts_with("CLI") })
        });
        let model = Model {
            people,
            branches: entities.into_iter().collect(),
            heard: vec![crate::model::Heard::default(); plan.desks],
            ..Model::default()
        };
        let around = Around::new(Time::begin(), Arc::clone(server), bug, model);
        let desks = (0..plan.desks)
            .map(|number| {
                let (branch, _, operators) = PLACES[number];
                let operators: [&'static Account; 2] = operators.map(|place| &demo.accounts[place]);
                FrontDesk::new(&around, number, folder, plan.seed, operators, branch)
            })
            .collect();
        Self { around, desks, branches, steps: 0, noted: BTreeMap::new() }
    }

    async fn carry_out(&mut self, plan: &Plan) -> Law {
        for desk in 0..self.desks.len() {
            self.open(desk).await?;
            self.enter(desk, 0).await?;
        }
        for (place, step) in plan.steps.iter().enumerate() {
            self.around.note(format!("{place}. {}: {step}", self.around.time.now()));
            *lock(&self.around.coming) = step.faults.iter().copied().collect();
            for desk in &self.desks {
                desk.disk.mend_if_due(self.around.time.now());
            }
            self.perform(step).await?;
            lock(&self.around.coming).clear();
            self.after_step().await?;
            self.steps += 1;
        }
        self.heal().await
    }

    async fn close(&mut self) {
        for desk in &mut self.desks {
            desk.end().await;
        }
    }

    async fn open(&mut self, desk: usize) -> Law {
        let opened = self.desks[desk].open().await;
        opened.map_err(|error| {
            let story = format!("desk {desk}: {error:?}");
            Violation { law: "a desk opens", story }
        })
    }

    fn count(&mut self, what: &'static str) {
        *self.noted.entry(what).or_default() += 1;
    }

    /// Lets a desk do something, unless it is killed meanwhile. `None`: it was, and runs again.
    async fn at<T>(&mut self, desk: usize, doing: impl Future<Output = T>) -> Result<Option<T>, Violation> {
        let ended = Arc::clone(&self.desks[desk].running.as_ref().expect("the desk is open").ended);
        let done = tokio::select! {
            biased;
            () = end(&ended) => None,
            done = doing => Some(done),
        };
        settle().await;
        // Something in the background may have met the end, too.
        let killed = *ended.borrow();
        if killed {
            self.around.note(format!("    desk {desk} was killed, and starts again"));
            self.desks[desk].end().await;
            self.open(desk).await?;
            return Ok(None);
        }
        Ok(done)
    }

    async fn perform(&mut self, step: &Step) -> Law {
        match step.action {
            Action::Ask { desk, person } => self.ask(desk, person).await,
            Action::Report { desk, second_key } => self.report(desk, second_key).await,
            Action::AskAtBoth { desks: (one, other), person } => {
                if one >= self.desks.len() || other >= self.desks.len() {
                    return Ok(());
                }
                self.ask(one, person).await?;
                self.ask(other, person).await?;
                self.report(one, false).await?;
                self.report(other, false).await
            }
            Action::Deliver { desk } => {
                let program = self.desks[desk].desk();
                let sent = self.at(desk, async move { program.sync_now().await }).await?;
                self.tell(desk, sent.map(|sent| sent.map(|status| shown(&status))));
                Ok(())
            }
            Action::Work { desk, seconds } => self.work(desk, seconds).await,
            Action::Retry { desk } => self.retry(desk).await,
            Action::History { desk } => {
                let (program, query) = (self.desks[desk].desk(), self.all_days());
                let made = self.at(desk, async move { program.history(query).await }).await?;
                self.tell(desk, made.map(|made| made.map(|made| format!("{} rows", made.rows.len()))));
                Ok(())
            }
            Action::Reopen { desk } => {
                self.desks[desk].end().await;
                self.open(desk).await
            }
            Action::SignOut { desk } => {
                let program = self.desks[desk].desk();
                let done = self.at(desk, async move { program.sign_out(true).await }).await?;
                self.tell(desk, done.map(|done| done.map(|()| "signed out".into())));
                Ok(())
            }
            Action::SignIn { desk, operator } => self.enter(desk, operator).await,
            Action::Pass { seconds } => {
                tokio::time::sleep(Duration::from_secs(u64::from(seconds))).await;
                Ok(())
            }
            Action::StatusChanges { person, active } => {
                let mut model = lock(&self.around.model);
                model.people[person].active = active;
                let status = if active { "ACTIVO" } else { "INACTIVO" };
                self.around.server.set_status(&model.people[person].number, status);
                Ok(())
            }
            Action::BackUp => {
                self.around.server.back_up();
                Ok(())
            }
            Action::Befalls { fault, desk, extent } => {
                self.befall(fault, desk, extent).await;
                Ok(())
            }
        }
    }

    async fn befall(&mut self, fault: Fault, desk: usize, extent: i64) {
        let now = self.around.time.now();
        let server = Arc::clone(&self.around.server);
        let until = now + SignedDuration::from_secs(extent);
        match fault {
            Fault::ServerDown => *lock(&self.around.down_until) = Some(until),
            Fault::ClockJumped => self.desks[desk].clock.set_skew(extent),
            Fault::SessionRevoked => server.revoke(&self.desks[desk].name(), now),
            Fault::DiskRefuses => self.desks[desk].disk.refuse_until(until),
            Fault::ServerRestarted => server.restart(now),
            Fault::KeyRotated => {
                // What was signed this second is of the key of before.
                tokio::time::sleep(Duration::from_secs(2)).await;
                let now = self.around.time.now();
                server.rotate_key(now);
            }
            Fault::ServerRestored => {
                if !server.restore(now) {
                    return;
                }
                let held: BTreeSet<Uuid> = server.uses().into_iter().map(|one| one.id).collect();
                lock(&self.around.model).go_back_to(&held);
            }
            _ => return,
        }
        self.around.count(fault);
    }

    fn tell(&self, desk: usize, what: Option<Result<String, DeskError>>) {
        let line = match what {
            None => return,
            Some(Ok(text)) => text,
            Some(Err(error)) => format!("error {}", error.code()),
        };
        self.around.note(format!("    desk {desk}: {line}"));
    }

    async fn enter(&mut self, desk: usize, operator: usize) -> Law {
        let front = &self.desks[desk];
        let (program, account, branch) = (front.desk(), front.operators[operator], front.branch);
        let done = self.at(desk, async move { FrontDesk::enter(&program, account, branch).await }).await?;
        self.desks[desk].card = None;
        self.tell(desk, done.map(|done| done.map(|()| format!("{} signed in", account.username))));
        Ok(())
    }

    /// Looks somebody up; an operator signs in first where nobody is.
    async fn ask(&mut self, desk: usize, person: usize) -> Law {
        if self.wants_sign_in(desk) {
            self.enter(desk, 0).await?;
        }
        let program = self.desks[desk].desk();
        let number = lock(&self.around.model).people[person].number.clone();
        let card = self.at(desk, async move { program.lookup(DocumentKind::CC, &number).await }).await?;
        match card {
            Some(Ok(card)) => self.look_at(desk, card),
            other => {
                self.tell(desk, other.map(|other| other.map(|_| String::new())));
                Ok(())
            }
        }
    }

    fn wants_sign_in(&self, desk: usize) -> bool {
        let program = self.desks[desk].desk();
        let at_work = program.session().is_ok_and(|session| session.branch.is_some());
        !at_work || program.status().is_ok_and(|status| status.sign_in_needed && status.online)
    }

    fn look_at(&mut self, desk: usize, card: Card) -> Law {
        self.around.note(format!(
            "    desk {desk}: {} {} {:?} on {:?}",
            card.verdict, card.source, card.cause, card.statement_id
        ));
        self.count(match (card.verdict, card.source) {
            (Verdict::Active, _) => "cards ACTIVO",
            (Verdict::ActiveFromCopy, _) => "cards ACTIVO según copia",
            (Verdict::NoData, _) => "cards SIN DATO",
            (_, Source::Copy) => "cards refused from a copy",
            _ => "cards refused",
        });
        let front = &self.desks[desk];
        let scene = Scene {
            desk,
            branch_id: self.branches[front.branch],
            now: self.around.time.now(),
            device_time: front.clock.read(),
        };
        laws::card(&mut lock(&self.around.model), &scene, &card)?;
        self.desks[desk].card = Some(card);
        Ok(())
    }

    async fn report(&mut self, desk: usize, second_key: bool) -> Law {
        self.see_late_cards(desk)?;
        let Some(before) = self.desks[desk].card.clone() else { return Ok(()) };
        let lookup_id = before.lookup_id;
        let program = self.desks[desk].desk();
        let (_, open) = self.said(desk).await?;
        let reporting = async move {
            match program.report_use(lookup_id, false).await {
                Err(error) if second_key && error.code() == ErrorCode::AlreadyUsedToday => {
                    (true, program.report_use(lookup_id, true).await)
                }
                done => (false, done),
            }
        };
        let Some((again, done)) = self.at(desk, reporting).await? else { return Ok(()) };
        let card = match done {
            Ok(card) => card,
            Err(error) => {
                self.tell(desk, Some(Err(error)));
                return Ok(());
            }
        };
        let reported = card.reported.expect("what was reported");
        self.around.note(format!("    desk {desk}: recorded {} of {}", reported.id, reported.occurred_at));
        let made = Confirmed {
            desk,
            branch_id: self.branches[self.desks[desk].branch],
            number: card.document.number().to_owned(),
            occurred_at: reported.occurred_at,
        };
        let mut model = lock(&self.around.model);
        laws::confirmation(&model, &before, again, reported.id, &made, &open)?;
        model.confirmed.insert(reported.id, made);
        drop(model);
        if self.around.bug == Some(Bug::ConfirmsWithoutWriting) {
            self.desks[desk].disk.outbox().delete(reported.id);
        }
        self.desks[desk].card = Some(card);
        Ok(())
    }

    /// The worker runs, as it does all day long; it ends between two requests.
    async fn work(&mut self, desk: usize, seconds: u32) -> Law {
        let program = self.desks[desk].desk();
        let front = &self.desks[desk];
        let in_flight = Arc::clone(&front.running.as_ref().expect("the desk is open").in_flight);
        let working = async move {
            let mut worker = std::pin::pin!(program.run_worker());
            // Never at the very moment at which the worker's own pause ends: which comes first would be chance.
            let mut pause = Duration::from_secs(u64::from(seconds)) + Duration::from_millis(500);
            loop {
                // The worker never ends by itself.
                let _ = tokio::time::timeout(pause, &mut worker).await;
                if in_flight.load(std::sync::atomic::Ordering::Relaxed) == 0 {
                    break;
                }
                pause = Duration::from_secs(1);
            }
        };
        self.at(desk, working).await?;
        Ok(())
    }

    async fn retry(&mut self, desk: usize) -> Law {
        let (_, open) = self.said(desk).await?;
        let program = self.desks[desk].desk();
        for item in open.iter().filter(|item| item.state == ItemState::NeedsAttention) {
            let done = program.retry_item(item.id).await.map(|_| format!("{} again", item.id));
            self.tell(desk, Some(done));
        }
        Ok(())
    }

    /// What a desk says of itself.
    async fn said(&self, desk: usize) -> Result<(Status, Vec<OutboxItem>), Violation> {
        let program = self.desks[desk].desk();
        let failed = |error: DeskError| {
            let story = format!("desk {desk}: {error:?}");
            Violation { law: "a desk knows what it has", story }
        };
        let status = program.status().map_err(failed)?;
        Ok((status, program.outbox().await.map_err(failed)?.items))
    }

    async fn after_step(&mut self) -> Law {
        settle().await;
        for desk in 0..self.desks.len() {
            self.sabotage(desk);
            self.see_late_cards(desk)?;
        }
        let held = self.around.server.uses();
        let ids: BTreeSet<Uuid> = held.iter().map(|one| one.id).collect();
        self.check_breaches()?;
        laws::uses(&lock(&self.around.model), &held)?;
        for desk in 0..self.desks.len() {
            let (status, open) = self.said(desk).await?;
            let said = Said { desk, status: &status, open: &open };
            laws::desk(&lock(&self.around.model), &ids, &said)?;
        }
        Ok(())
    }

    fn check_breaches(&self) -> Law {
        match lock(&self.around.model).breaches.pop() {
            None => Ok(()),
            Some((law, story)) => Err(Violation { law, story }),
        }
    }

    fn sabotage(&self, desk: usize) {
        match self.around.bug {
            Some(Bug::DeletesWhatIsRefused) => self.desks[desk].disk.outbox().delete_refused(),
            Some(Bug::DropsBehindARefusedOne) => self.desks[desk].disk.outbox().delete_behind_refused(),
            _ => {}
        }
    }

    /// Cards that took the place of others.
    fn see_late_cards(&mut self, desk: usize) -> Law {
        let running = self.desks[desk].running.as_mut().expect("the desk is open");
        let mut late = Vec::new();
        loop {
            match running.events.try_recv() {
                Ok(Event::Card(card)) if card.reported.is_none() => late.push(*card),
                Ok(Event::Status(_) | Event::Card(_) | Event::Synced(_) | Event::Revoked)
                | Err(tokio::sync::broadcast::error::TryRecvError::Lagged(_)) => {}
                Err(_) => break,
            }
        }
        for card in late {
            self.count("cards replaced by a late answer");
            self.look_at(desk, card)?;
        }
        Ok(())
    }

    fn all_days(&self) -> HistoryQuery {
        let begin = colombia::day_of(crate::time::begin());
        let end = colombia::day_of(self.around.time.now());
        HistoryQuery {
            from: begin.saturating_sub(3.days()),
            to: end.saturating_add(3.days()),
            branch_id: None,
        }
    }

    /// Everything is well again, and everybody sends what they have. Then all agree.
    async fn heal(&mut self) -> Law {
        self.around.note("everything is well again".into());
        lock(&self.around.coming).clear();
        *lock(&self.around.down_until) = None;
        for desk in &mut self.desks {
            desk.disk.mend();
            desk.clock.set_skew(0);
        }
        // Answers still on their way arrive.
        tokio::time::sleep(Duration::from_mins(2)).await;
        for desk in 0..self.desks.len() {
            self.see_late_cards(desk)?;
            self.enter(desk, 0).await?;
            self.deliver(desk).await?;
        }
        for desk in 0..self.desks.len() {
            self.retry(desk).await?;
            self.deliver(desk).await?;
        }
        self.after_step().await?;
        let held = self.around.server.uses();
        let ids: BTreeSet<Uuid> = held.iter().map(|one| one.id).collect();
        for desk in 0..self.desks.len() {
            let (status, open) = self.said(desk).await?;
            let said = Said { desk, status: &status, open: &open };
            laws::healed(&lock(&self.around.model), &ids, &said)?;
            let program = self.desks[desk].desk();
            let failed = |error: DeskError| Violation {
                law: "a report can be made",
                story: format!("desk {desk}: {error:?}"),
            };
            let branches: Vec<Uuid> =
                program.session().map_err(failed)?.branches.iter().map(|branch| branch.id).collect();
            let history = program.history(self.all_days()).await.map_err(failed)?;
            laws::history(&lock(&self.around.model), &held, &branches, &said, &history)?;
        }
        Ok(())
    }

    async fn deliver(&self, desk: usize) -> Law {
        let program: Desk = self.desks[desk].desk();
        let sent = program.sync_now().await;
        settle().await;
        self.tell(desk, Some(sent.map(|status| shown(&status))));
        Ok(())
    }
}

fn shown(status: &Status) -> String {
    format!(
        "online {}, pending {}, requires attention {}",
        status.online, status.pending, status.needs_attention
    )
}
