//! Carries a plan out: several real desks and the real server, one step after the other.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use hanna_desk::view::{HistoryQuery, OutboxItem, Status};
use hanna_desk::{Desk, DeskError};
use hanna_domain::colombia;
use hanna_server::demo::Account;
use hanna_tests::template::{Template, begin, memory_folder};
use jiff::{SignedDuration, ToSpan};
use tokio::runtime::Builder;
use uuid::Uuid;

use crate::desk::FrontDesk;
use crate::disk;
use crate::faults::Fault;
use crate::laws::{self, Law, Said, Violation};
use crate::model::{Model, Person, Terms};
use crate::plan::{Action, CHANGING, Plan, Step};
use crate::sabotage::Bug;
use crate::server::Server;
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
    let place = memory_folder("simulation");
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

/// Everything there is in a run.
pub struct World {
    pub around: Arc<Around>,
    pub desks: Vec<FrontDesk>,
    pub branches: BTreeMap<String, Uuid>,
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

    pub fn count(&mut self, what: &'static str) {
        *self.noted.entry(what).or_default() += 1;
    }

    /// Lets a desk do something, unless it is killed meanwhile. `None`: it was, and runs again.
    pub async fn at<T>(
        &mut self,
        desk: usize,
        doing: impl Future<Output = T>,
    ) -> Result<Option<T>, Violation> {
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
            Action::TakeBack { desk, nth } => self.take_back(desk, nth).await,
            Action::Withdraw { desk } => self.withdraw(desk).await,
            Action::Refresh { desk } => self.refresh(desk).await,
            Action::Lock { desk } => self.lock(desk).await,
            Action::Unlock { desk, right } => self.unlock(desk, right).await,
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
                self.desks[desk].locked = false;
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
                let model = &mut *lock(&self.around.model);
                model.people_copied.clone_from(&model.people);
                Ok(())
            }
            Action::Befalls { fault, desk, extent } => self.befall(fault, desk, extent).await,
        }
    }

    async fn befall(&mut self, fault: Fault, desk: usize, extent: i64) -> Law {
        let now = self.around.time.now();
        let server = Arc::clone(&self.around.server);
        let until = now + SignedDuration::from_secs(extent);
        match fault {
            Fault::ServerDown => *lock(&self.around.down_until) = Some(until),
            Fault::ClockJumped => self.desks[desk].clock.set_skew(extent),
            Fault::SessionRevoked => server.revoke(&self.desks[desk].name(), now),
            Fault::DiskFull => self.desks[desk].disk.refuse_until(until, &[disk::ITEMS]),
            Fault::FileReadOnly => {
                self.desks[desk].end().await;
                self.desks[desk].disk.refuse_until(until, &disk::ALL);
                self.open(desk).await?;
            }
            Fault::DeskKilled => {
                self.desks[desk].end().await;
                self.open(desk).await?;
            }
            Fault::SchemaUpgraded => {
                let (status, _) = self.said(desk).await?;
                if status.pending + status.needs_attention + status.lookups == 0 {
                    return Ok(());
                }
                self.desks[desk].end().await;
                self.desks[desk].disk.mend();
                self.desks[desk].disk.outbox().go_back_to_last_schema();
                self.open(desk).await?;
            }
            Fault::ServerRestarted => server.restart(now),
            Fault::KeyRotated => {
                // What was signed this second is of the key of before.
                tokio::time::sleep(Duration::from_secs(2)).await;
                let now = self.around.time.now();
                server.rotate_key(now);
            }
            Fault::ServerRestored => {
                let before = server.held();
                if !server.restore(now) {
                    return Ok(());
                }
                lock(&self.around.model).go_back_to(&before, &server.held());
            }
            _ => return Ok(()),
        }
        self.around.count(fault);
        Ok(())
    }

    pub fn tell(&self, desk: usize, what: Option<Result<String, DeskError>>) {
        let line = match what {
            None => return,
            Some(Ok(text)) => text,
            Some(Err(error)) => format!("error {}", error.code()),
        };
        self.around.note(format!("    desk {desk}: {line}"));
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

    /// What a desk says of itself.
    pub async fn said(&self, desk: usize) -> Result<(Status, Vec<OutboxItem>), Violation> {
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
        let held = self.around.server.held();
        let ids = held.ids();
        self.check_breaches()?;
        laws::server(&lock(&self.around.model), &held)?;
        for desk in 0..self.desks.len() {
            let (status, open) = self.said(desk).await?;
            let said = Said { desk, status: &status, open: &open };
            laws::desk(&lock(&self.around.model), &ids, &said)?;
            let is_open = self.desks[desk].desk().session().is_ok_and(|session| !session.locked);
            laws::locked(self.desks[desk].locked, is_open)?;
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
            Some(Bug::ForgetsOfflineLookups) => self.desks[desk].disk.outbox().delete_offline_lookups(),
            Some(Bug::SendsWhatWasWithdrawn) => self.desks[desk].disk.outbox().queue_withdrawn(),
            _ => {}
        }
    }

    fn all_days(&self) -> HistoryQuery {
        let begin = colombia::day_of(begin());
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
        let held = self.around.server.held();
        let ids = held.ids();
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
