//! Draining the outbox: ten thousand uses recorded while the server was away, from the moment it is back until it has the
//! last of them, against PouchDB replicating as many documents to express-pouchdb.
//!
//! Ours is the real desk and the real server, on their own threads, over loopback. The server verifies the signature of
//! each statement, and both sides have flushed an item to the disk before it counts as delivered; PouchDB does neither.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use hanna_testkit::clock::HandClock;
use hanna_testkit::desks::TestDesk;
use hanna_testkit::server::TestServer;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::figures::Figures;
use crate::stage::tick;

/// How many reports wait, each of another person.
const REPORTS: u32 = 10_000;
/// How many people the caja has: most of them active workers with a cédula, as it takes.
const AFFILIATES: u32 = 40_000;
const TURNS: u64 = 3;
/// How large PouchDB's documents are, and how many go in a batch.
const DOCUMENT_BYTES: u32 = 400;
const DOCUMENTS_A_BATCH: u32 = 1_000;
/// How many times as fast we mean to be.
const GOAL: f64 = 5.0;

/// What was measured.
#[derive(Debug, Default)]
pub struct Drained {
    ours: Figures,
    reference: Figures,
}

/// Measures, turn and turn about.
pub async fn measure() -> Drained {
    let mut queue = Queue::fill().await;
    let mut drained = Drained::default();
    for _ in 0..TURNS {
        drained.ours.add(queue.drain().await);
        drained.reference.add(reference().await);
    }
    drained
}

impl Drained {
    fn times_as_fast(&self) -> f64 {
        self.reference.median() / self.ours.median()
    }

    /// Whether the goal is reached.
    pub fn is_met(&self) -> bool {
        self.times_as_fast() >= GOAL
    }

    /// The section of `docs/benchmarks.md`.
    pub fn section(&self) -> String {
        let mut text = format!(
            "## Draining the outbox\n\n\
             {REPORTS} uses of as many people, recorded while the server was away: from *Enviar ahora* until nothing waits and the server holds them\n\
             all. Each statement's signature is verified by the server, and both sides have flushed an item to the disk before it counts as delivered.\n\
             The reference replicates {REPORTS} documents of {DOCUMENT_BYTES} bytes in batches of {DOCUMENTS_A_BATCH} on loopback, over LevelDB, \
             which flushes nothing; its server has\na process of its own, and both its programs are warm. Milliseconds, turn and turn about.\n\n\
             | what | turns | median | reference | its turns | its median | times as fast | goal | |\n|---|--:|--:|---|--:|--:|--:|--:|---|\n"
        );
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| drain {REPORTS} reports | {} | {:.0} | PouchDB 9.0.0 to express-pouchdb 4.2.0 | {} | {:.0} | {:.1} | ≥ {GOAL:.0} | {} |",
            self.ours.each_ms(),
            self.ours.median() / 1e3,
            self.reference.each_ms(),
            self.reference.median() / 1e3,
            self.times_as_fast(),
            if self.is_met() { "met" } else { "**missed**" },
        );
        text
    }
}

/// A desk with its reports, and its server before it got any of them, as often as they are wanted.
struct Queue {
    server: TestServer,
    desk: TestDesk,
    kept: TempDir,
}

impl Queue {
    /// Each person is looked up, so that the server signs a statement, and their use is recorded; nothing is sent.
    async fn fill() -> Self {
        let clock = HandClock::new();
        let mut server = TestServer::start_with(&clock, AFFILIATES).await;
        let mut desk = TestDesk::signed_in(&server, &clock, 1).await;
        let mut recorded = 0;
        for number in active(&server.database()) {
            let card = desk.ask(&number).await;
            if card.may_report {
                desk.report_use(card.lookup_id, false).await.expect("recorded");
                recorded += 1;
            }
            if recorded == REPORTS {
                break;
            }
        }
        let kept = tempfile::tempdir().expect("a folder");
        // Its database is whole in one file once it is closed.
        let keep = |database: &Path| {
            std::fs::copy(database, kept.path().join("server.sqlite")).expect("copied");
        };
        server.between_lives(keep).await;
        close(&mut desk).await;
        let queued = kept.path().join("desk");
        std::fs::create_dir(&queued).expect("a folder");
        copy(desk.folder(), &queued);
        Self { server, desk, kept }
    }

    /// From *Enviar ahora* until nothing waits.
    async fn drain(&mut self) -> Duration {
        let kept = self.kept.path().join("server.sqlite");
        let begin_again = |database: &Path| {
            std::fs::copy(&kept, database).expect("copied");
        };
        self.server.between_lives(begin_again).await;
        close(&mut self.desk).await;
        copy(&self.kept.path().join("desk"), self.desk.folder());
        self.desk.enter(&self.server.demo.accounts[0]).await.expect("signed in");
        assert_eq!(self.desk.status().expect("the desk works").pending, REPORTS);

        let begin = tick();
        while self.desk.sync_now().await.expect("the desk works").pending > 0 {}
        let took = begin.elapsed();

        let status = self.desk.status().expect("the desk works");
        assert_eq!((status.pending, status.needs_attention), (0, 0));
        assert_eq!(held(&self.server.database()), REPORTS);
        took
    }
}

/// Closes the program and starts it again: until somebody signs in, its databases stay closed.
async fn close(desk: &mut TestDesk) {
    desk.switch_off();
    desk.switch_on().await.expect("the desk opens");
}

/// Copies the files of a desk over those of another, except the one that says that the program runs.
fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let name = entry.file_name();
        if name != "desk.lock" {
            assert!(!name.to_string_lossy().ends_with("-wal"), "the database is closed");
            std::fs::copy(entry.path(), to.join(name)).expect("copied");
        }
    }
}

/// The cédulas of active affiliates. Not all of them may use every benefit.
fn active(server: &Path) -> Vec<String> {
    let db =
        Connection::open_with_flags(server, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the server's database");
    let mut query = db
        .prepare("SELECT number FROM affiliates WHERE kind = 'CC' AND status = 'ACTIVO' ORDER BY id")
        .expect("a query");
    let numbers = query.query_map([], |row| row.get(0)).and_then(Iterator::collect);
    numbers.expect("numbers")
}

/// How many uses the server holds, with the outcome that each was answered.
fn held(server: &Path) -> u32 {
    let db =
        Connection::open_with_flags(server, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the server's database");
    db.query_row(
        "SELECT count(*) FROM usage_reports u JOIN outbox_items i ON i.id = u.id WHERE i.outcome = 'accepted'",
        [],
        |row| row.get(0),
    )
    .expect("a count")
}

/// One turn of the reference.
async fn reference() -> Duration {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/pouchdb");
    assert!(
        folder.join("node_modules").exists(),
        "`cargo xtask bench` installs what tests/bench/pouchdb takes"
    );
    let mut node = Command::new("node");
    node.arg("drain.js").args([REPORTS, DOCUMENT_BYTES, DOCUMENTS_A_BATCH].map(|n| n.to_string()));
    let output = node.current_dir(folder).stderr(Stdio::inherit()).output().await.expect("node is installed");
    assert!(output.status.success(), "the reference ended with {}", output.status);
    let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(said["held"], REPORTS, "documents the reference's server holds");
    Duration::from_secs_f64(said["ms"].as_f64().expect("milliseconds") / 1e3)
}
