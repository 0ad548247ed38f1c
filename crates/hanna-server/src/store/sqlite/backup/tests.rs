use std::fs;

use hanna_wire::path;
use serde_json::json;

use super::*;
use crate::testing::Bench;

fn now() -> Timestamp {
    "2026-11-22T17:00:00Z".parse().expect("a timestamp")
}

fn at_noon() -> Restoring<'static> {
    Restoring { by: &Actor::Server, now: now() }
}

fn names(bench: &Bench) -> Vec<String> {
    let entries = fs::read_dir(bench.dir()).expect("the directory");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
    names.sort();
    names
}

#[tokio::test]
async fn a_backup_is_one_private_file_made_while_the_server_writes_and_is_never_overwritten() {
    let bench = Bench::open().await;
    let (database, file) = (bench.dir().join("hanna.sqlite"), bench.dir().join("copy.sqlite"));
    let writer = bench.sql();
    writer.execute_batch("BEGIN IMMEDIATE; DELETE FROM account_branches").expect("a transaction is open");
    back_up(&database, &file).expect("backed up");
    drop(writer);
    let copy = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("opened");
    let count = |db: &Connection| -> i64 {
        db.query_row("SELECT count(*) FROM account_branches", [], |row| row.get(0)).expect("a count")
    };
    assert!(count(&copy) > 0 && count(&copy) == count(&bench.sql()));
    assert_eq!(names(&bench), ["copy.sqlite", "hanna.sqlite"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
    }
    assert!(matches!(back_up(&database, &file), Err(BackupError::AlreadyThere(_))));
    let nowhere = back_up(&bench.dir().join("no.sqlite"), &bench.dir().join("other.sqlite"));
    assert!(matches!(nowhere, Err(BackupError::File { .. })));
    assert_eq!(names(&bench), ["copy.sqlite", "hanna.sqlite"]);
}

#[tokio::test]
async fn nothing_is_put_in_the_place_of_a_database_unasked_or_in_use() {
    let bench = Bench::open().await;
    let (database, file) = (bench.dir().join("hanna.sqlite"), bench.dir().join("copy.sqlite"));
    back_up(&database, &file).expect("backed up");
    let epoch = bench.app.epoch().await.expect("an epoch");
    let next = bench.id();
    let unasked = restore(&file, &database, false, next, &at_noon());
    assert!(matches!(unasked, Err(BackupError::DatabaseThere(_))), "{unasked:?}");
    let in_use = restore(&file, &database, true, next, &at_noon());
    assert!(matches!(in_use, Err(BackupError::InUse(_))), "{in_use:?}");
    assert_eq!(names(&bench), ["copy.sqlite", "hanna.sqlite"], "nothing of the attempt is left");
    assert_eq!(bench.app.epoch().await.expect("an epoch"), epoch);
    assert_eq!(bench.get(path::READY, None).await.status, 200, "it goes on as if nothing had been asked");
}

#[tokio::test]
async fn what_is_no_whole_backup_is_refused_and_nothing_changes() {
    let bench = Bench::open().await;
    let (database, file) = (bench.dir().join("hanna.sqlite"), bench.dir().join("copy.sqlite"));
    back_up(&database, &file).expect("backed up");
    let whole = fs::read(&file).expect("read");
    let place = bench.dir().join("new.sqlite");
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 16_384].fill(0xAA);
    for (content, what) in
        [(b"no database at all".repeat(100), "text"), (Vec::new(), "nothing"), (damaged, "damaged")]
    {
        fs::write(&file, content).expect("written");
        let refused = restore(&file, &place, false, bench.id(), &at_noon());
        assert!(
            matches!(refused, Err(BackupError::NoBackup(_) | BackupError::Store(StoreError::Failed(_)))),
            "{what}: {refused:?}"
        );
        assert!(!place.exists());
    }
    fs::write(&file, whole).expect("written");
    let newer = Connection::open(&file).expect("opened");
    newer.pragma_update(None, "user_version", 99).expect("set");
    drop(newer);
    let refused = restore(&file, &place, false, bench.id(), &at_noon());
    assert!(matches!(refused, Err(BackupError::Store(StoreError::Newer { .. }))), "{refused:?}");
    assert_eq!(names(&bench), ["copy.sqlite", "hanna.sqlite"], "nothing of the attempts is left");
}

#[tokio::test]
async fn when_it_cannot_be_put_back_what_was_there_stays_where_it_was() {
    let bench = Bench::open().await;
    let (database, file) = (bench.dir().join("hanna.sqlite"), bench.dir().join("copy.sqlite"));
    back_up(&database, &file).expect("backed up");
    let bench = bench
        .between_lives(|dir| {
            let (database, aside) =
                (dir.join("hanna.sqlite"), dir.join("hanna.sqlite.replaced-20261122T170000Z"));
            let refused = exchange(&database, &dir.join("gone.sqlite"), &aside);
            assert!(matches!(refused, Err(BackupError::File { .. })), "{refused:?}");
            assert!(database.exists() && !aside.exists());
            fs::write(&aside, b"set aside in the same second").expect("written");
            let refused = restore(&file, &database, true, Uuid::from_u128(7), &at_noon());
            assert!(matches!(refused, Err(BackupError::AlreadyThere(_))), "{refused:?}");
            assert_eq!(fs::read(&aside).expect("read"), b"set aside in the same second");
        })
        .await;
    assert_eq!(bench.get(path::READY, None).await.status, 200);
    assert!(!bench.dir().join("hanna.sqlite.restoring").exists());
}

#[tokio::test]
async fn a_restored_database_has_another_epoch_and_the_keys_of_the_one_set_aside() {
    let bench = Bench::open().await;
    let (database, file) = (bench.dir().join("hanna.sqlite"), bench.dir().join("copy.sqlite"));
    back_up(&database, &file).expect("backed up");
    let epoch = bench.app.epoch().await.expect("an epoch");
    let kid = bench.app.rotate_keys(None).await.expect("rotated");
    let account = bench.demo.accounts[0].clone();
    let bench = bench
        .between_lives(|dir| {
            let next = Uuid::from_u128(7);
            let restored =
                restore(&file, &dir.join("hanna.sqlite"), true, next, &at_noon()).expect("restored");
            let aside = dir.join("hanna.sqlite.replaced-20261122T170000Z");
            assert_eq!(restored, Restored { set_aside: Some(aside.clone()), keys_brought: Some(1) });
            assert!(aside.exists(), "nothing is deleted");
        })
        .await;
    let renewed = bench.app.epoch().await.expect("an epoch");
    assert_ne!(renewed, epoch);
    let kids = bench.app.list_keys().await.expect("listed");
    assert!(kids.len() == 2 && kids.iter().any(|key| key.kid == kid));
    let device = json!({ "id": bench.id(), "name": "PC" });
    let sign_in = json!({ "username": account.username, "password": account.password, "device": device });
    assert_eq!(bench.post(path::SESSIONS, &sign_in).await.status, 200);
}
