//! A server's database with invented people, made once in a process and copied from then on.

use std::path::Path;
use std::sync::OnceLock;

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};
use hanna_server::demo::Demo;
use hanna_server::{App, Config, Database};
use hanna_testkit::chance::Seeded;
use hanna_testkit::clock::HandClock;
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::Builder;

/// How many people the caja has: twenty of each kind, and some more.
const AFFILIATES: u32 = 400;

/// See the module.
#[derive(Debug)]
pub struct Template {
    /// Who can sign in, and whom to look up.
    pub demo: Demo,
    /// The database's file.
    pub database: Vec<u8>,
}

impl Template {
    /// The one of this process, ready for a server whose clock is at [`begin`].
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn get() -> &'static Self {
        static MADE: OnceLock<Template> = OnceLock::new();
        MADE.get_or_init(Self::make)
    }

    fn make() -> Self {
        let folder = memory_folder("template");
        let path = folder.path().join("hanna.sqlite");
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let config = Config::new(Database::Sqlite(path.clone()));
        let clock = HandClock::at(begin() - SignedDuration::from_hours(1));
        let demo = runtime.block_on(async {
            let app = App::open(config, clock, Seeded::new(1)).await.expect("the server opens");
            app.seed_demo(1, AFFILIATES).await.expect("invented people")
        });
        let db = Connection::open(&path).expect("its database");
        db.execute("UPDATE accounts SET password_hash = ?1", [cheap_hash(&demo.accounts[0].password)])
            .expect("cheap passwords");
        db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("one file");
        drop(db);
        Self { demo, database: std::fs::read(path).expect("its database") }
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

/// A Sunday's ten in the morning in Colombia.
///
/// # Panics
/// Never.
#[must_use]
pub fn begin() -> Timestamp {
    "2026-11-22T15:00:00Z".parse().expect("a time")
}

/// A folder of its own, in memory where the system has such a place: for tests whose subject is not the real disk.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn memory_folder(what: &str) -> TempDir {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix(&format!("hanna-{what}-")).tempdir_in(parent).expect("a folder")
}
