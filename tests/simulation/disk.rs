//! A desk's disk: full or read-only for a while, and its outbox looked into beside the program.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use hanna_desk::vault::{MemoryVault, Vault};
use jiff::Timestamp;
use rusqlite::Connection;
use uuid::Uuid;

use crate::wire::lock;

/// What every item stands in, and what else the outbox writes.
pub const ITEMS: &str = "item";
pub const ALL: [&str; 4] = [ITEMS, "clock_mark", "device", "server_mark"];

/// See the module.
pub struct Disk {
    pub folder: PathBuf,
    pub vault: Arc<MemoryVault>,
    refuses_until: Mutex<Option<(Timestamp, Vec<&'static str>)>>,
}

impl Disk {
    pub fn new(folder: PathBuf) -> Arc<Self> {
        Arc::new(Self { folder, vault: Arc::default(), refuses_until: Mutex::default() })
    }

    pub fn outbox(&self) -> Outbox {
        Outbox::open(&self.folder, &self.vault)
    }

    /// From now on these tables of the outbox take no writes, until they are mended after this moment.
    pub fn refuse_until(&self, moment: Timestamp, tables: &[&'static str]) {
        self.mend();
        self.outbox().refuse_writes(tables);
        *lock(&self.refuses_until) = Some((moment, tables.to_vec()));
    }

    pub fn refuses(&self) -> bool {
        lock(&self.refuses_until).is_some()
    }

    /// Somebody makes room.
    pub fn mend(&self) {
        if let Some((_, tables)) = lock(&self.refuses_until).take() {
            self.outbox().take_writes(&tables);
        }
    }

    /// Somebody makes room when it is time.
    pub fn mend_if_due(&self, now: Timestamp) {
        let due = lock(&self.refuses_until).as_ref().is_some_and(|(until, _)| *until <= now);
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

    /// The tables take no writes, as on a disk that is full or gone read-only.
    fn refuse_writes(&self, tables: &[&str]) {
        for table in tables {
            for write in ["INSERT", "UPDATE"] {
                // A sum that overflows fails when it is done, not when the statement is read.
                let trigger = format!(
                    "CREATE TRIGGER no_{write}_{table} BEFORE {write} ON {table}
                     BEGIN SELECT abs(-9223372036854775807 - 1); END"
                );
                self.0.execute_batch(&trigger).expect("changed");
            }
        }
    }

    /// They take them again.
    fn take_writes(&self, tables: &[&str]) {
        for table in tables {
            let triggers = format!("DROP TRIGGER no_INSERT_{table}; DROP TRIGGER no_UPDATE_{table};");
            self.0.execute_batch(&triggers).expect("changed");
        }
    }

    /// What the program before this one left, with everything that waits in it.
    pub fn go_back_to_last_schema(&self) {
        self.0
            .execute_batch(
                "ALTER TABLE item ADD COLUMN body TEXT NOT NULL DEFAULT '';
                 UPDATE item SET body = (SELECT body FROM item_body WHERE item_body.sequence = item.sequence);
                 DROP TABLE item_body; PRAGMA user_version = 5",
            )
            .expect("changed");
    }

    pub fn delete_offline_lookups(&self) {
        self.0
            .execute("DELETE FROM item WHERE kind = 'offline_lookup' AND state = 'queued'", [])
            .expect("deleted");
    }

    pub fn queue_withdrawn(&self) {
        self.0
            .execute("UPDATE item SET state = 'queued', settled_at = NULL WHERE state = 'withdrawn'", [])
            .expect("changed");
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
