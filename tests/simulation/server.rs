//! The real server without a socket: its router is asked, its database lies in a folder of the run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use hanna_server::{App, Database};
use hanna_testkit::chance::Seeded;
use hanna_testkit::clock::HandClock;
use hanna_testkit::server::config;
use hanna_tests::template::{Template, begin};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;
use uuid::Uuid;

const ANSWER_MAX_BYTES: usize = 8 * 1024 * 1024;

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
    pub author_id: Uuid,
}

/// A use taken back as the server has it.
#[derive(Debug, Clone)]
pub struct Void {
    pub id: Uuid,
    pub report_id: Uuid,
    pub author_id: Uuid,
}

/// A lookup that a desk's copy answered, as the server has it.
#[derive(Debug, Clone)]
pub struct OfflineLookup {
    pub lookup_id: Uuid,
    pub verdict: String,
    pub author_id: Uuid,
}

/// What desks delivered, as the server has it.
#[derive(Debug, Clone, Default)]
pub struct Held {
    pub uses: Vec<Use>,
    pub voids: Vec<Void>,
    pub lookups: Vec<OfflineLookup>,
    /// Every lookup that somebody asked for, and in whose name.
    pub asked: Vec<(Uuid, Uuid)>,
}

impl Held {
    /// Of uses and voids the item's id; of lookups the lookup's, which a desk shows.
    pub fn ids(&self) -> BTreeSet<Uuid> {
        let uses = self.uses.iter().map(|one| one.id);
        uses.chain(self.voids.iter().map(|one| one.id))
            .chain(self.lookups.iter().map(|one| one.lookup_id))
            .collect()
    }
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

impl Server {
    /// A server of its own in `folder`.
    pub fn begin(folder: &Path, seed: u64) -> Self {
        fs::write(folder.join("hanna.sqlite"), &Template::get().database).expect("a database");
        let server = Self {
            runtime: Builder::new_current_thread().enable_all().build().expect("a runtime"),
            folder: folder.to_owned(),
            clock: HandClock::at(begin()),
            entropy: Seeded::new(seed ^ 0x5e_1f),
            open: Mutex::default(),
        };
        server.restart(begin());
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
        let config = config(Database::Sqlite(self.database()));
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

    /// Everything desks delivered that the server took in.
    pub fn held(&self) -> Held {
        self.ask(|db| {
            let uses = db
                .prepare_cached("SELECT id, branch_id, number, author_id FROM usage_reports ORDER BY id")?
                .query_map([], |row| {
                    Ok(Use {
                        id: row.get(0)?,
                        branch_id: row.get(1)?,
                        number: row.get(2)?,
                        author_id: row.get(3)?,
                    })
                })?
                .collect::<Result<_, _>>()?;
            let voids = db
                .prepare_cached("SELECT id, report_id, author_id FROM voids ORDER BY id")?
                .query_map([], |row| {
                    Ok(Void { id: row.get(0)?, report_id: row.get(1)?, author_id: row.get(2)? })
                })?
                .collect::<Result<_, _>>()?;
            let lookups = db
                .prepare_cached(
                    "SELECT l.lookup_id, l.verdict, i.author_id
                     FROM offline_lookups l JOIN outbox_items i ON i.id = l.id ORDER BY l.id",
                )?
                .query_map([], |row| {
                    Ok(OfflineLookup { lookup_id: row.get(0)?, verdict: row.get(1)?, author_id: row.get(2)? })
                })?
                .collect::<Result<_, _>>()?;
            let asked = db
                .prepare_cached("SELECT id, account_id FROM lookups WHERE regular = 0 ORDER BY id")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            Ok(Held { uses, voids, lookups, asked })
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
