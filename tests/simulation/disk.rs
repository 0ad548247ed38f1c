//! A desk's disk: full or read-only for a while, and its outbox looked into beside the program.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use hanna_desk::vault::{MemoryVault, Vault};
use jiff::Timestamp;
use rusqlite::Connection;
use uuid::Uuid;

use crate::wire::lock;

/// See the module.
pub struct Disk {
    pub folder: PathBuf,
    pub vault: Arc<MemoryVault>,
    refuses_until: Mutex<Option<Timestamp>>,
}

impl Disk {
    pub fn new(folder: PathBuf) -> Arc<Self> {
        Arc::new(Self { folder, vault: Arc::default(), refuses_until: Mutex::default() })
    }

    pub fn outbox(&self) -> Outbox {
        Outbox::open(&self.folder, &self.vault)
    }

    /// From now on the outbox takes no writes, until it is mended after this moment.
    pub fn refuse_until(&self, moment: Timestamp) {
        if lock(&self.refuses_until).replace(moment).is_none() {
            self.outbox().refuse_writes(true);
        }
    }

    pub fn refuses(&self) -> bool {
        lock(&self.refuses_until).is_some()
    }

    /// Somebody makes room.
    pub fn mend(&self) {
        if lock(&self.refuses_until).take().is_some() {
            self.outbox().refuse_writes(false);
        }
    }

    /// Somebody makes room when it is time.
    pub fn mend_if_due(&self, now: Timestamp) {
        let due = lock(&self.refuses_until).is_some_and(|until| until <= now);
        if due {
            self.mend();
        }
    }
}

/// A desk's outbox, opened with its own key beside the program.
pub struct Outbox(Connection);

impl Outbox {
    fn open(folder: &Path, vault: &MemoryVault) -> Self {
        let key = vault.get("database-key").expect("the vault answers").expect("the key of the databases");
        let db = Connection::open(folder.join("outbox.sqlite")).expect("the outbox");
        db.execute_batch(&format!("PRAGMA key = \"x'{}'\"", key.expose())).expect("its key");
        Self(db)
    }

    /// The database takes no writes, as on a disk that is full or gone read-only; or takes them again.
    fn refuse_writes(&self, refuse: bool) {
        // A sum that overflows fails when it is done, not when the statement is read.
        let change = if refuse {
            "CREATE TRIGGER no_insert BEFORE INSERT ON item BEGIN SELECT abs(-9223372036854775807 - 1); END;
             CREATE TRIGGER no_update BEFORE UPDATE ON item BEGIN SELECT abs(-9223372036854775807 - 1); END;"
        } else {
            "DROP TRIGGER no_insert; DROP TRIGGER no_update;"
        };
        self.0.execute_batch(change).expect("changed");
    }

    pub fn delete(&self, id: Uuid) {
        self.0.execute("DELETE FROM item WHERE id = ?1", [id]).expect("deleted");
    }

    pub fn delete_refused(&self) {
        self.0.execute("DELETE FROM item WHERE state = 'needs_attention'", []).expect("deleted");
    }

    pub fn delete_behind_refused(&self) {
        self.0
            .execute(
                "DELETE FROM item WHERE state IN ('queued', 'sending')
                 AND sequence > (SELECT MIN(sequence) FROM item WHERE state = 'needs_attention')",
                [],
            )
            .expect("deleted");
    }

    /// What was being sent when the program ended stays so; see `Bug::ForgetsWhatWasBeingSent`.
    pub fn keep_sending(&self) {
        self.0
            .execute_batch(
                "CREATE TRIGGER keep_sending BEFORE UPDATE ON item
                 WHEN OLD.state = 'sending' AND NEW.state = 'queued' AND NEW.next_attempt_at = 0
                 BEGIN SELECT RAISE(IGNORE); END",
            )
            .expect("changed");
    }
}
