//! The two databases on a real disk.

use std::fs;
use std::path::PathBuf;

use hanna_domain::{ClockMark, Document, DocumentKind, Tariff};
use hanna_wire::outbox::ItemBody;
use jiff::ToSpan;
use uuid::Uuid;

use super::*;
use crate::ports::{Chance, System};

pub(super) fn now() -> Timestamp {
    "2026-11-22T15:00:00Z".parse().expect("a time")
}

pub(super) fn item(number: &str) -> NewItem {
    NewItem {
        id: System.id(now()),
        lookup_id: Some(System.id(now())),
        author_id: Uuid::from_u128(7),
        author_name: "Ana".into(),
        branch_id: Uuid::from_u128(4),
        branch_name: "Sede Norte".into(),
        document: Document::parse(DocumentKind::CC, number).expect("a cédula"),
        usage: Some(SignedUse {
            affiliate_name: "PÉREZ, JUAN".into(),
            tariff: Tariff::B,
            company_name: None,
        }),
        body: ItemBody::UsageReport { branch_id: Uuid::from_u128(4), statement: "a.b.c".into() },
        device_time: now(),
        occurred_at: now(),
    }
}

pub(super) struct Folder {
    folder: tempfile::TempDir,
    key: DatabaseKey,
}

impl Folder {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), key: DatabaseKey::generate(&System) }
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub(super) fn key(&self) -> &DatabaseKey {
        &self.key
    }

    pub(super) fn open(&self) -> Result<(Stores, Vec<Notice>), StoreError> {
        Stores::open(self.folder.path(), &self.key, now())
    }

    pub(super) fn stores(&self) -> Stores {
        self.open().expect("opened").0
    }

    /// Runs SQL on one of the files with the right key, as another version of the program would have.
    pub(super) fn run(&self, file: &str, sql: &str) {
        let db = rusqlite::Connection::open(self.path(file)).expect("opened");
        db.execute_batch(&self.key.pragma()).expect("keyed");
        db.execute_batch(sql).expect("run");
    }
}

#[test]
fn the_servers_high_water_mark_never_falls() {
    let folder = Folder::new();
    let outbox = folder.stores().outbox;
    assert_eq!(outbox.clock_mark().expect("read"), ClockMark::default());
    let high =
        ClockMark { server_time_high: Some(now()), offset_ms: 5, device_time_high: Some(now() + 1.hour()) };
    outbox.keep_clock_mark(high).expect("kept");
    outbox
        .keep_clock_mark(ClockMark {
            server_time_high: Some(now() - 1.hour()),
            offset_ms: 9,
            device_time_high: Some(now()),
        })
        .expect("kept");
    assert_eq!(
        outbox.clock_mark().expect("read"),
        ClockMark { offset_ms: 9, device_time_high: Some(now()), ..high }
    );
}

#[test]
fn neither_file_can_be_read_without_the_key() {
    let folder = Folder::new();
    folder.stores().outbox.enqueue(&item("1045678901"), None).expect("recorded");
    for file in ["outbox.sqlite", "cache.sqlite"] {
        let db = rusqlite::Connection::open(folder.path(file)).expect("opened");
        let read = db.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0));
        assert!(read.is_err(), "{file} can be read");
        let bytes = fs::read(folder.path(file)).expect("bytes");
        assert!(!bytes.starts_with(b"SQLite format 3"), "{file} is in clear");
    }
}

#[test]
fn another_key_touches_nothing() {
    let mut folder = Folder::new();
    folder.stores().outbox.enqueue(&item("1045678901"), None).expect("recorded");
    let right = std::mem::replace(&mut folder.key, DatabaseKey::generate(&System));
    assert!(matches!(folder.open(), Err(StoreError::WrongKey)));
    folder.key = right;
    assert_eq!(folder.stores().outbox.counts().expect("counted"), Counts { pending: 1, ..Counts::default() });
}

#[test]
fn a_power_cut_that_empties_the_keys_mark_locks_nobody_out() {
    let mut folder = Folder::new();
    folder.stores().outbox.enqueue(&item("1045678901"), None).expect("recorded");
    fs::write(folder.path("databases.key-id"), b"").expect("emptied");
    assert_eq!(folder.stores().outbox.counts().expect("counted"), Counts { pending: 1, ..Counts::default() });
    folder.key = DatabaseKey::generate(&System);
    assert!(matches!(folder.open(), Err(StoreError::WrongKey)), "it was made again");
}

#[test]
fn a_damaged_outbox_is_set_aside_whole_and_the_operator_is_told() {
    let folder = Folder::new();
    folder.stores().outbox.enqueue(&item("1045678901"), None).expect("recorded");
    let damaged = vec![0x5a; 9000];
    fs::write(folder.path("outbox.sqlite"), &damaged).expect("damaged");
    let (stores, notices) = folder.open().expect("opened anew");
    assert_eq!(notices, [Notice::OutboxSetAside]);
    assert_eq!(stores.outbox.enqueue(&item("1045678902"), None).expect("answered"), Enqueued::Recorded);
    let kept: Vec<_> = fs::read_dir(folder.folder.path())
        .expect("listed")
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("outbox.sqlite.apartado-"))
        .collect();
    let whole = kept.iter().find(|entry| fs::read(entry.path()).is_ok_and(|bytes| bytes == damaged));
    assert!(whole.is_some(), "the damaged file is gone");
}

#[test]
fn a_damaged_cache_is_made_anew() {
    let folder = Folder::new();
    drop(folder.stores());
    fs::write(folder.path("cache.sqlite"), b"not a database at all, whatever the key may be")
        .expect("damaged");
    let (_, notices) = folder.open().expect("opened anew");
    assert_eq!(notices, [Notice::CacheRebuilt]);
}

#[test]
fn a_newer_database_is_set_aside_whole_and_what_waits_in_it_brought_back() {
    for (file, told) in [("outbox.sqlite", Notice::OutboxSetAside), ("cache.sqlite", Notice::CacheRebuilt)] {
        let folder = Folder::new();
        let recorded = item("1045678901");
        folder.stores().outbox.enqueue(&recorded, None).expect("recorded");
        folder.run(file, "PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE);");
        let before = fs::read(folder.path(file)).expect("bytes");
        let (stores, notices) = folder.open().expect("opened anew");
        assert_eq!(notices, [told], "{file}");
        let is_whole = |entry: &fs::DirEntry| {
            entry.file_name().to_string_lossy().starts_with(&format!("{file}.apartado-"))
                && fs::read(entry.path()).is_ok_and(|bytes| bytes == before)
        };
        let entries = fs::read_dir(folder.path("")).expect("a folder").flatten();
        assert_eq!(entries.filter(is_whole).count(), 1, "{file}");
        for kept in set_aside_in(&folder.path("")).expect("listed") {
            stores.outbox.bring_back(&kept, folder.key(), &folder.path("lectura")).expect("brought back");
        }
        assert!(stores.outbox.item(recorded.id).expect("read").is_some(), "{file}");
    }
}

#[test]
fn only_a_newer_statement_replaces_a_copy() {
    let folder = Folder::new();
    let cache = folder.stores().cache;
    let mut statement = crate::test_statement(now());
    cache.keep_statement(&statement, "newer", Some(now())).expect("kept");
    statement.iat = now() - 1.hour();
    cache.keep_statement(&statement, "older", Some(now())).expect("kept");
    let branch = statement.branch_id;
    assert_eq!(cache.statement(&statement.document, branch).expect("read").as_deref(), Some("newer"));
    assert_eq!(cache.statement(&statement.document, Uuid::from_u128(99)).expect("read"), None);
}

#[test]
fn who_comes_is_a_regular_and_who_does_not_is_forgotten() {
    let folder = Folder::new();
    let cache = folder.stores().cache;
    let mut statement = crate::test_statement(now());
    let branch = statement.branch_id;
    let person = |number| Document::parse(DocumentKind::CC, number).expect("a cédula");
    for (number, visited_at) in
        [("1045678901", now() - 9.hours()), ("1045678902", now()), ("1045678903", now() - 40.hours())]
    {
        statement.document = person(number);
        cache.keep_statement(&statement, "a.b.c", Some(visited_at)).expect("kept");
    }
    let regulars = |since, end| cache.regulars(branch, since, end, 9).expect("read");
    let expected = [person("1045678902"), person("1045678901")];
    assert_eq!(regulars(now() - 24.hours(), statement.exp + 1.second()), expected, "whoever came last first");
    assert!(regulars(now() - 24.hours(), statement.exp).is_empty(), "their copies still last");
    assert_eq!(cache.copies_until(branch).expect("read"), Some(statement.exp));

    statement.document = person("1045678903");
    cache.keep_statement(&statement, "verified again", None).expect("kept");
    assert_eq!(regulars(now() - 24.hours(), statement.exp + 1.second()).len(), 2, "that is no visit");
    cache.note_visit(&person("1045678901"), branch, now() + 1.hour()).expect("noted");
    assert_eq!(cache.forget_unvisited(now()).expect("forgotten"), 1);
    assert_eq!(cache.forget_unvisited(now() + 1.hour()).expect("forgotten"), 1);
    assert!(cache.statement(&person("1045678901"), branch).expect("read").is_some());
}

#[test]
fn damage_in_the_middle_of_the_outbox_is_noticed_at_opening() {
    let folder = Folder::new();
    {
        let outbox = folder.stores().outbox;
        for number in 0..50 {
            outbox.enqueue(&item(&format!("10456{number:05}")), None).expect("recorded");
        }
    }
    // Closing has moved everything from the log into the file; the first page stays whole.
    let path = folder.path("outbox.sqlite");
    let mut bytes = fs::read(&path).expect("bytes");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(0x5a);
    fs::write(&path, &bytes).expect("damaged");
    let (_, notices) = folder.open().expect("opened anew");
    assert_eq!(notices, [Notice::OutboxSetAside]);
}

#[test]
fn a_draft_belongs_to_its_operator_and_keeps_its_file_until_another_is_chosen() {
    let folder = Folder::new();
    let (ana, luis) = (Uuid::from_u128(1), Uuid::from_u128(2));
    {
        let cache = folder.stores().cache;
        cache.keep_draft_file(ana, &"de ana", Some(b"%PDF-1.7")).expect("kept");
        cache.keep_draft(ana, &"de ana, corregido").expect("kept");
        cache.keep_draft(luis, &"de luis").expect("kept");
    }
    // After a restart.
    let cache = folder.stores().cache;
    assert_eq!(cache.draft::<String>(ana).expect("read").as_deref(), Some("de ana, corregido"));
    assert_eq!(cache.draft_file(ana).expect("read").as_deref(), Some(&b"%PDF-1.7"[..]));
    assert_eq!(cache.draft::<String>(luis).expect("read").as_deref(), Some("de luis"));
    assert_eq!(cache.draft_file(luis).expect("read"), None);
    cache.keep_draft_file(ana, &"de ana", None).expect("kept");
    assert_eq!(cache.draft_file(ana).expect("read"), None);
    cache.forget_draft(ana).expect("forgotten");
    assert_eq!(cache.draft::<String>(ana).expect("read"), None);
    // A PC that the caja revoked forgets what is typed of people, too.
    cache.forget_people().expect("forgotten");
    assert_eq!(cache.draft::<String>(luis).expect("read"), None);
}
