//! The real server without a socket: its router is asked, its database lies in a folder of the run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use hanna_server::demo::Demo;
use hanna_server::{App, Config, Database};
use hanna_testkit::chance::Seeded;
use hanna_testkit::clock::HandClock;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;
use uuid::Uuid;

use crate::time;

/// How many people the caja has: twenty of each kind, and some more.
const AFFILIATES: u32 = 400;
const ANSWER_MAX_BYTES: usize = 8 * 1024 * 1024;

/// A server's database with invented people, made once and copied for each run.
pub struct Template {
    pub demo: Demo,
    database: Vec<u8>,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// A use as the server has it.
#[derive(Debug, Clone)]
pub struct Use {
    pub id: Uuid,
    pub branch_id: Uuid,
    pub number: String,
}

/// See the module.
pub struct Server {
    runtime: Runtime,
    folder: PathBuf,
    clock: Arc<HandClock>,
    entropy: Arc<Seeded>,
    open: Mutex<Option<Open>>,
}

/// What there is while the server runs. The router goes before the application, whose database closes last.
struct Open {
    router: Router,
    aside: Connection,
    app: App,
}

impl Template {
    /// The one of this process.
    pub fn get() -> &'static Self {
        static MADE: OnceLock<Template> = OnceLock::new();
        MADE.get_or_init(Self::make)
    }

    fn make() -> Self {
        let folder = folder();
        let path = folder.path().join("hanna.sqlite");
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let config = Config::new(Database::Sqlite(path.clone()));
        let clock = HandClock::at(time::begin() - SignedDuration::from_hours(1));
        let demo = runtime.block_on(async {
            let app = App::open(config, clock, Seeded::new(1)).await.expect("the server opens");
            app.seed_demo(1, AFFILIATES).await.expect("invented people")
        });
        let db = Connection::open(&path).expect("its database");
        db.execute("UPDATE accounts SET password_hash = ?1", [cheap_hash(&demo.accounts[0].password)])
            .expect("cheap passwords");
        db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("one file");
        drop(db);
        Self { demo, database: fs::read(path).expect("its database") }
    }
}

/// A hash that costs next to nothing to check: what is tried here is not the strength of passwords.
fn cheap_hash(password: &str) -> String {
    let cheap = Params::new(8, 1, 1, None).expect("parameters");
    let hash: PasswordHash = Argon2::new(Algorithm::Argon2id, Version::V0x13, cheap)
        .hash_password_with_salt(password.as_bytes(), &[7; 16])
        .expect("a hash");
    hash.to_string()
}

/// A folder for a run, in memory where the system has such a place.
pub fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("hanna-simulation-").tempdir_in(parent).expect("a folder")
}

impl Server {
    /// A server of its own in `folder`.
    pub fn begin(folder: &Path, seed: u64) -> Self {
        fs::write(folder.join("hanna.sqlite"), &Template::get().database).expect("a database");
        let server = Self {
            runtime: Builder::new_current_thread().enable_all().build().expect("a runtime"),
            folder: folder.to_owned(),
            clock: HandClock::at(time::begin()),
            entropy: Seeded::new(seed ^ 0x5e_1f),
            open: Mutex::default(),
        };
        server.restart(time::begin());
        server
    }

    fn open(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn database(&self) -> PathBuf {
        self.folder.join("hanna.sqlite")
    }

    /// Runs a task of the server's to its end, on a thread that belongs to no other runtime.
    fn run<T: Send>(&self, task: impl Future<Output = T> + Send) -> T {
        std::thread::scope(|scope| scope.spawn(|| self.runtime.block_on(task)).join().expect("done"))
    }

    fn turn_clock_to(&self, now: Timestamp) {
        self.clock.advance(now.duration_since(self.clock.read()));
    }

    /// Answers one request. Whoever asks stands still meanwhile: nothing can happen beside it, and so in no order.
    pub fn answer(&self, now: Timestamp, request: Request<Body>) -> Answer {
        self.turn_clock_to(now);
        let open = self.open();
        let router = open.as_ref().expect("the server runs").router.clone();
        self.run(async {
            let Ok(response) = router.oneshot(request).await;
            let (head, body) = response.into_parts();
            let body = axum::body::to_bytes(body, ANSWER_MAX_BYTES).await.expect("a whole body").to_vec();
            Answer { status: head.status, headers: head.headers, body }
        })
    }

    /// Ends the program and starts it over the same database.
    pub fn restart(&self, now: Timestamp) {
        self.between_lives(now, || {});
    }

    /// Does something while the program does not run.
    fn between_lives(&self, now: Timestamp, change: impl FnOnce()) {
        self.turn_clock_to(now);
        let mut open = self.open();
        *open = None;
        change();
        let config = Config::new(Database::Sqlite(self.database()));
        let (clock, entropy) = (Arc::clone(&self.clock), Arc::clone(&self.entropy));
        let app = self.run(App::open(config, clock, entropy)).expect("the server opens");
        let aside = Connection::open(self.database()).expect("its database");
        *open = Some(Open { router: app.router(), aside, app });
    }

    fn ask<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> T {
        let open = self.open();
        question(&open.as_ref().expect("the server runs").aside).expect("its database answers")
    }

    fn backup(&self) -> PathBuf {
        self.folder.join("copy.sqlite")
    }

    /// Copies the database as it stands.
    pub fn back_up(&self) {
        let copy = self.backup();
        // None was made before.
        let _ = fs::remove_file(&copy);
        self.ask(|db| db.execute("VACUUM INTO ?1", [copy.to_str().expect("a path")]));
    }

    /// Puts the last copy in the database's place. `false`: there is none.
    pub fn restore(&self, now: Timestamp) -> bool {
        if !self.backup().exists() {
            return false;
        }
        self.between_lives(now, || {
            for suffix in ["-wal", "-shm"] {
                // The last connection that closed has removed it.
                let _ = fs::remove_file(self.folder.join(format!("hanna.sqlite{suffix}")));
            }
            fs::copy(self.backup(), self.database()).expect("restored");
        });
        let open = self.open();
        let app = &open.as_ref().expect("the server runs").app;
        self.run(app.renew_epoch()).expect("another epoch, as whoever restores is told to");
        true
    }

    /// The key of before signs no more; the program starts with a new one.
    pub fn rotate_key(&self, now: Timestamp) {
        let last_us = now.as_microsecond() - 1;
        self.ask(|db| {
            db.execute("UPDATE signing_keys SET not_after_us = ?1 WHERE not_after_us > ?1", [last_us])
        });
        self.restart(now);
    }

    /// Ends every session of the desk called `device`.
    pub fn revoke(&self, device: &str, now: Timestamp) {
        self.ask(|db| {
            db.execute(
                "UPDATE sessions SET ended_us = ?2, ended_why = 'SIGNED_OUT'
                 WHERE ended_us IS NULL AND device_id IN (SELECT id FROM devices WHERE name = ?1)",
                params![device, now.as_microsecond()],
            )
        });
    }

    /// What the caja's import does to one person.
    pub fn set_status(&self, number: &str, status: &str) {
        let changed = self.ask(|db| {
            db.execute(
                "UPDATE affiliates SET status = ?2 WHERE kind = 'CC' AND number = ?1",
                [number, status],
            )
        });
        assert_eq!(changed, 1, "somebody the caja knows");
    }

    /// Every use the server has.
    pub fn uses(&self) -> Vec<Use> {
        self.ask(|db| {
            db.prepare_cached("SELECT id, branch_id, number FROM usage_reports ORDER BY id")?
                .query_map([], |row| {
                    Ok(Use { id: row.get(0)?, branch_id: row.get(1)?, number: row.get(2)? })
                })?
                .collect()
        })
    }

    /// The branches by their codes.
    pub fn branches(&self) -> BTreeMap<String, Uuid> {
        self.ask(|db| {
            db.prepare("SELECT code, id FROM branches")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
    }

    /// The name and the private key it signs with now.
    pub fn signing_key(&self) -> (String, Vec<u8>) {
        self.ask(|db| {
            db.query_row(
                "SELECT kid, pkcs8 FROM signing_keys ORDER BY not_before_us DESC LIMIT 1",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        *self.open() = None;
    }
}
