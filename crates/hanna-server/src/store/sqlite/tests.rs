use std::sync::mpsc;
use std::thread;

use tempfile::TempDir;

use super::*;
use crate::store::contract;

fn open() -> (TempDir, SqliteStore) {
    let dir = tempfile::tempdir().expect("a directory");
    let (store, _) = SqliteStore::open(&dir.path().join("hanna.sqlite")).expect("opened");
    (dir, store)
}

macro_rules! run_on_sqlite {
    ($($story:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $story() {
            let (_dir, store) = open();
            contract::$story(&store).await;
        }
    )+};
}
contract::stories!(run_on_sqlite);

#[test]
fn opening_again_finds_the_schema_and_a_newer_one_is_left_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("hanna.sqlite");
    let newest = migrate::newest();
    let opened = |before| Opened { schema_before: before, schema: newest };
    assert_eq!(SqliteStore::open(&path).expect("opened").1, opened(0));
    assert_eq!(SqliteStore::open(&path).expect("opened").1, opened(newest));
    let db = Connection::open(&path).expect("opened");
    db.pragma_update(None, "user_version", newest + 1).expect("set");
    let refused = SqliteStore::open(&path).map(|_| ()).expect_err("refused");
    assert!(matches!(refused, StoreError::Newer { found, known } if (found, known) == (newest + 1, newest)));
}

/// Whoever runs this test: only root's files ever belong to somebody else than their folder.
#[cfg(unix)]
#[test]
fn a_database_belongs_to_the_owner_of_its_folder_also_when_root_makes_it() {
    use std::os::unix::fs::{MetadataExt, chown};
    let dir = tempfile::tempdir().expect("a directory");
    let owner = |path: &Path| std::fs::metadata(path).expect("there").uid();
    if owner(dir.path()) == 0 {
        chown(dir.path(), Some(4_321), Some(4_321)).expect("root may");
    }
    let path = dir.path().join("hanna.sqlite");
    SqliteStore::open(&path).expect("opened");
    assert_eq!(owner(&path), owner(dir.path()));
}

#[test]
fn what_is_no_database_is_left_as_it_is() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("hanna.sqlite");
    std::fs::write(&path, "esto no es una base de datos, es un archivo de texto cualquiera")
        .expect("written");
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::Failed(_))));
    assert!(std::fs::read_to_string(&path).expect("still there").starts_with("esto no es"));
    let nowhere = SqliteStore::open(&dir.path().join("no/existe/hanna.sqlite"));
    assert!(nowhere.map(|_| ()).expect_err("refused").to_string().contains("hanna.sqlite"));
}

#[test]
fn connections_lose_nothing_and_check_what_they_are_told() {
    let (dir, _store) = open();
    let db = connect(&dir.path().join("hanna.sqlite")).expect("connected");
    let pragma = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).expect("a value");
    assert_eq!((pragma("synchronous"), pragma("foreign_keys"), pragma("trusted_schema")), (2, 1, 0));
    let mode: String = db.pragma_query_value(None, "journal_mode", |row| row.get(0)).expect("a value");
    assert_eq!(mode, "wal");
    let double_quoted = db.prepare("SELECT \"no such column\"");
    assert!(double_quoted.is_err(), "a misspelt name is no text");
}

#[test]
fn a_full_disk_or_a_lock_may_pass_and_damage_does_not() {
    let error = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
    for code in [rusqlite::ffi::SQLITE_BUSY, rusqlite::ffi::SQLITE_LOCKED, rusqlite::ffi::SQLITE_FULL] {
        assert!(matches!(fault(error(code)), StoreError::Busy(_)));
    }
    for code in [rusqlite::ffi::SQLITE_CORRUPT, rusqlite::ffi::SQLITE_NOTADB, rusqlite::ffi::SQLITE_IOERR] {
        assert!(matches!(fault(error(code)), StoreError::Failed(_)));
    }
}

#[tokio::test]
async fn a_transaction_that_fails_half_way_leaves_nothing() {
    let (_dir, store) = open();
    let failed = store
        .write(|tx| {
            tx.execute("INSERT INTO settings (name, value) VALUES ('x', x'00')", [])?;
            tx.execute("INSERT INTO nowhere VALUES (1)", [])
        })
        .await;
    assert!(matches!(failed, Err(StoreError::Failed(_))));
    assert_eq!(store.secret("x", [7; 32]).await.expect("asked"), [7; 32], "it was not there");
}

#[test]
fn what_is_read_ends_with_who_waits_for_it() {
    let db = Connection::open_in_memory().expect("in memory");
    let stops = Stops(db.get_interrupt_handle());
    let (begins, begun) = mpsc::channel();
    let reads = thread::spawn(move || -> rusqlite::Result<()> {
        let mut endless = db.prepare(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers) SELECT n FROM numbers",
        )?;
        let mut rows = endless.query([])?;
        while rows.next()?.is_some() {
            // Said once; later nobody listens.
            let _ = begins.send(());
        }
        Ok(())
    });
    begun.recv().expect("it reads");
    drop((stops, begun));
    let ended = reads.join().expect("no panic").expect_err("broken off");
    assert_eq!(ended.sqlite_error_code(), Some(ErrorCode::OperationInterrupted));
}
