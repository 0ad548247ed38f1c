//! The server as it is, asked without a socket, over its database.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use hanna_domain::outbox::VoidReason;
use hanna_domain::{Document, DocumentKind};
use hanna_server::{App, Database};
use hanna_testkit::chance::Seeded;
use hanna_testkit::clock::HandClock;
use hanna_testkit::server::config;
use hanna_tests::template::{Template, begin, memory_folder};
use hanna_wire::lookup::{DEFAULT_PURPOSE, LookupAnswer, LookupRequest};
use hanna_wire::outbox::{Batch, BatchAnswer, Item, ItemBody, Outcome, OutcomeKind};
use hanna_wire::path;
use hanna_wire::session::{Device, Granted, SignIn};
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rusqlite::Connection;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;
use uuid::Uuid;

use crate::disk::Disk;
use crate::{Loss, Ran, choose_a_moment, is_whole, vfs};

/// How many requests one life answers at most.
const REQUESTS: usize = 60;
const ANSWER_MAX_BYTES: usize = 1024 * 1024;

/// A server's life, and what it confirmed.
pub struct Life {
    runtime: Runtime,
    database: PathBuf,
    clock: Arc<HandClock>,
    entropy: Arc<Seeded>,
    ids: Arc<Seeded>,
    chance: StdRng,
    branch_id: Uuid,
    author_id: Uuid,
    sequence: i64,
    /// Statements to report on.
    statements: Vec<String>,
    lookups: Vec<Uuid>,
    /// What was answered to each item.
    items: BTreeMap<Uuid, (Item, Outcome)>,
    /// The batch whose answer never came.
    pub middle: Vec<Item>,
    confirmed: u64,
    kept: u64,
    checks: u64,
}

/// The server while it runs.
pub struct Running {
    router: Router,
    token: String,
    /// Closes last.
    _app: App,
}

/// Runs so many cuts; what is lost is told.
pub fn run(seed: u64, cuts: u64, honest: bool) -> Result<Ran, Loss> {
    let folder = memory_folder("power");
    let mut life = Life::over(folder.path(), seed);
    let disk = Arc::new(Disk::under(folder.path(), seed, honest));
    vfs::put_under(folder.path(), &disk);
    while disk.counts().cuts < cuts {
        life.between_two_cuts(&disk)?;
    }
    Ok(Ran {
        counts: disk.counts(),
        confirmed: life.confirmed,
        unconfirmed_kept: life.kept,
        checks: life.checks,
    })
}

/// The first branch of the first account, and the account.
fn place(database: &Path) -> (Uuid, Uuid) {
    let account = &Template::get().demo.accounts[0];
    let db = Connection::open(database).expect("its database");
    let one = |query: &str, name: &str| db.query_row(query, [name], |row| row.get(0)).expect("an id");
    (
        one("SELECT id FROM branches WHERE code = ?1", &account.branches[0]),
        one("SELECT id FROM accounts WHERE username = ?1", &account.username),
    )
}

impl Life {
    /// A server that begins, with its database in `folder`.
    pub fn over(folder: &Path, seed: u64) -> Self {
        let database = folder.join("hanna.sqlite");
        std::fs::write(&database, &Template::get().database).expect("a database");
        let (branch_id, author_id) = place(&database);
        Self {
            runtime: Builder::new_current_thread().enable_all().build().expect("a runtime"),
            database,
            clock: HandClock::at(begin()),
            entropy: Seeded::new(seed ^ 0x5e_1f),
            ids: Seeded::new(seed),
            chance: StdRng::seed_from_u64(seed),
            branch_id,
            author_id,
            sequence: 0,
            statements: Vec::new(),
            lookups: Vec::new(),
            items: BTreeMap::new(),
            middle: Vec::new(),
            confirmed: 0,
            kept: 0,
            checks: 0,
        }
    }

    fn between_two_cuts(&mut self, disk: &Disk) -> Result<(), Loss> {
        disk.switch_on();
        let early = self.chance.random_bool(0.2);
        if early {
            disk.cut_after(self.chance.random_range(0..20), false);
        } else {
            self.look()?;
            choose_a_moment(disk, &mut self.chance);
        }
        self.clock.advance(SignedDuration::from_secs(self.chance.random_range(60..1_200)));
        match self.begin() {
            Ok(running) => {
                self.work(&running, disk)?;
                drop(running);
            }
            Err(_) if !disk.is_on() => {}
            Err(loss) => return Err(loss),
        }
        disk.cut();
        disk.leave_what_is_left();
        Ok(())
    }

    /// Starts the program, and signs somebody in.
    pub fn begin(&self) -> Result<Running, Loss> {
        let config = config(Database::Sqlite(self.database.clone()));
        let opened = self.runtime.block_on(App::open(
            config,
            Arc::clone(&self.clock) as _,
            Arc::clone(&self.entropy) as _,
        ));
        let app = opened.map_err(|error| format!("the server does not open: {error:?}"))?;
        let account = &Template::get().demo.accounts[0];
        let sign_in = SignIn {
            username: account.username.clone(),
            password: hanna_domain::Redacted::new(account.password.clone()),
            device: Device { id: Uuid::from_u128(31), name: "RECEPCION-1".into() },
            otp: None,
        };
        let mut running = Running { router: app.router(), token: String::new(), _app: app };
        let granted: Granted = self.post(&running, path::SESSIONS, &sign_in).ok_or("nobody can sign in")?;
        running.token.clone_from(granted.access_token.expose());
        Ok(running)
    }

    fn post<T: DeserializeOwned>(&self, running: &Running, to: &str, body: &impl Serialize) -> Option<T> {
        let request = Request::post(to)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", running.token))
            .body(Body::from(serde_json::to_vec(body).expect("JSON")))
            .expect("a request");
        self.runtime.block_on(async {
            let Ok(response) = running.router.clone().oneshot(request).await;
            let good = matches!(response.status(), StatusCode::OK | StatusCode::CREATED);
            // Never that something is not allowed or not there: whoever asks has to try again.
            assert!(good || response.status().is_server_error(), "{}", response.status());
            let body = axum::body::to_bytes(response.into_body(), ANSWER_MAX_BYTES).await.expect("a body");
            good.then(|| serde_json::from_slice(&body).expect("an answer"))
        })
    }

    /// Asks until the power goes.
    fn work(&mut self, running: &Running, disk: &Disk) -> Result<(), Loss> {
        // What was in the middle is sent again first, as by a desk that had no answer.
        if !self.middle.is_empty() {
            let again = std::mem::take(&mut self.middle);
            if !self.deliver(running, again)? {
                return power_went(disk);
            }
        }
        for _ in 0..self.chance.random_range(1..REQUESTS) {
            self.clock.advance(SignedDuration::from_secs(self.chance.random_range(1..10)));
            let answered = if self.statements.len() < 3 || self.chance.random_bool(0.3) {
                self.ask(running)
            } else {
                let batch = self.batch();
                self.deliver(running, batch)?
            };
            if !answered {
                return power_went(disk);
            }
        }
        Ok(())
    }

    /// Consults somebody. `false`: no answer came.
    pub fn ask(&mut self, running: &Running) -> bool {
        let people = &Template::get().demo.documents.active;
        let number = &people[self.chance.random_range(0..people.len())];
        let request = LookupRequest {
            id: self.id(),
            branch_id: self.branch_id,
            document: Document::parse(DocumentKind::CC, number).expect("a cédula"),
            purpose: DEFAULT_PURPOSE.to_owned(),
        };
        let Some(answer) = self.post::<LookupAnswer>(running, path::LOOKUPS, &request) else { return false };
        self.confirmed += 1;
        self.lookups.push(request.id);
        self.statements.push(answer.statement);
        if self.statements.len() > 8 {
            self.statements.remove(0);
        }
        true
    }

    fn id(&self) -> Uuid {
        hanna_desk::ports::Chance::id(self.ids.as_ref(), self.clock.read())
    }

    fn item(&mut self, body: ItemBody) -> Item {
        self.sequence += 1;
        let now: Timestamp = self.clock.read();
        Item {
            id: self.id(),
            sequence: self.sequence,
            author_id: self.author_id,
            device_time: now,
            occurred_at: now,
            submission: 0,
            body,
        }
    }

    /// Reports and their voids, and something the server has answered before.
    pub fn batch(&mut self) -> Vec<Item> {
        let mut items = Vec::new();
        for _ in 0..self.chance.random_range(1..12) {
            let statement = self.statements[self.chance.random_range(0..self.statements.len())].clone();
            let report = self.item(ItemBody::UsageReport { branch_id: self.branch_id, statement });
            let report_id = report.id;
            items.push(report);
            if self.chance.random_bool(0.3) {
                items.push(self.item(ItemBody::Void { report_id, reason: VoidReason::NotUsed, text: None }));
            }
        }
        if !self.items.is_empty() && self.chance.random_bool(0.3) {
            let place = self.chance.random_range(0..self.items.len());
            items.extend(self.items.values().nth(place).map(|(item, _)| item.clone()));
        }
        items
    }

    /// `false`: no answer came.
    pub fn deliver(&mut self, running: &Running, items: Vec<Item>) -> Result<bool, Loss> {
        let batch = Batch { items, waiting: None };
        let Some(answer) = self.post::<BatchAnswer>(running, path::OUTBOX, &batch) else {
            self.middle = batch.items;
            return Ok(false);
        };
        for (item, outcome) in batch.items.into_iter().zip(answer.outcomes) {
            if outcome.outcome == OutcomeKind::Retry {
                // Its savepoint failed: the power went.
                self.middle.push(item);
                continue;
            }
            if let Some((_, before)) = self.items.get(&item.id)
                && *before != outcome
            {
                return Err(format!("{} was answered {before:?}, and is {outcome:?}", item.id));
            }
            self.confirmed += 1;
            self.items.insert(item.id, (item, outcome));
        }
        Ok(self.middle.is_empty())
    }

    /// Everything answered is there as it was answered, once, and nothing else but what was in the middle.
    pub fn look(&mut self) -> Result<(), Loss> {
        self.checks += 1;
        let failed = |error: rusqlite::Error| format!("the database cannot be read: {error}");
        let db = Connection::open(&self.database).map_err(failed)?;
        is_whole(&db)?;
        let ids = |query: &str| -> Result<Vec<Uuid>, Loss> {
            let mut query = db.prepare(query).map_err(failed)?;
            query.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(failed)
        };
        let accepted = "SELECT id FROM outbox_items WHERE outcome IN ('accepted', 'accepted_with_note')";
        for (what, table) in [("usage_report", "usage_reports"), ("void", "voids")] {
            let mut of_kind = ids(&format!("{accepted} AND kind = '{what}' ORDER BY id"))?;
            let mut kept = ids(&format!("SELECT id FROM {table} ORDER BY id"))?;
            of_kind.sort_unstable();
            kept.sort_unstable();
            if of_kind != kept {
                return Err(format!("{} {what} were taken in, {} are there", of_kind.len(), kept.len()));
            }
        }
        let held = ids("SELECT id FROM outbox_items ORDER BY id")?;
        let missing = self.items.keys().find(|id| held.binary_search(id).is_err());
        if let Some(id) = missing {
            return Err(format!("{id} was confirmed, and is not there"));
        }
        let unconfirmed = held.iter().filter(|id| !self.items.contains_key(id)).count();
        let fresh = self.middle.iter().filter(|item| !self.items.contains_key(&item.id)).count();
        if unconfirmed != 0 && unconfirmed != fresh {
            return Err(format!("{unconfirmed} of {fresh} items of one batch were taken in"));
        }
        self.kept += u64::from(unconfirmed > 0);
        let lookups = ids("SELECT id FROM lookups ORDER BY id")?;
        if let Some(id) = self.lookups.iter().find(|id| lookups.binary_search(id).is_err()) {
            return Err(format!("lookup {id} was answered, and is not on record"));
        }
        Ok(())
    }
}

fn power_went(disk: &Disk) -> Result<(), Loss> {
    if disk.is_on() { Err("the server gave no answer on a good disk".into()) } else { Ok(()) }
}
