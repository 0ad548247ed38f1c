//! The two databases on a real disk.

use hanna_domain::outbox::{Event, ItemKind, ItemState};
use hanna_domain::{ClockMark, Document, DocumentKind, Tariff};
use jiff::ToSpan;
use uuid::Uuid;

use super::*;
use crate::ports::{Chance, System};

fn now() -> Timestamp {
    "2026-11-22T15:00:00Z".parse().expect("a time")
}

fn item(number: &str) -> NewItem {
    NewItem {
        id: System.id(now()),
        kind: ItemKind::UsageReport,
        lookup_id: System.id(now()),
        author_id: Uuid::from_u128(7),
        author_name: "Ana".into(),
        branch_id: Uuid::from_u128(4),
        branch_name: "Sede Norte".into(),
        document: Document::parse(DocumentKind::CC, number).expect("a cédula"),
        affiliate_name: "PÉREZ, JUAN".into(),
        tariff: Tariff::B,
        company_name: None,
        statement: "a.b.c".into(),
        device_time: now(),
        occurred_at: now(),
    }
}

struct Folder {
    folder: tempfile::TempDir,
    key: DatabaseKey,
}

impl Folder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), key: DatabaseKey::generate(&System) }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn open(&self) -> Result<(Stores, Vec<Notice>), StoreError> {
        Stores::open(self.folder.path(), &self.key, now())
    }

    fn stores(&self) -> Stores {
        self.open().expect("opened").0
    }

    /// Runs SQL on one of the files with the right key, as another version of the program would have.
    fn run(&self, file: &str, sql: &str) {
        let db = rusqlite::Connection::open(self.path(file)).expect("opened");
        db.execute_batch(&self.key.pragma()).expect("keyed");
        db.execute_batch(sql).expect("run");
    }
}

#[test]
fn what_was_recorded_is_there_after_closing_and_opening() {
    let folder = Folder::new();
    let recorded = item("1045678901");
    assert_eq!(folder.stores().outbox.enqueue(&recorded, None).expect("answered"), Enqueued::Recorded);
    let stores = folder.stores();
    let rows = stores.outbox.open_items().expect("read");
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].item.id, rows[0].state, rows[0].sequence), (recorded.id, ItemState::Queued, 1));
    assert_eq!(rows[0].item.document, recorded.document);
    assert_eq!(stores.outbox.counts().expect("counted"), (1, 0));
}

#[test]
fn a_lookup_is_reported_once() {
    let folder = Folder::new();
    let stores = folder.stores();
    let first = item("1045678901");
    let second = NewItem { id: System.id(now()), ..first.clone() };
    assert_eq!(stores.outbox.enqueue(&first, None).expect("answered"), Enqueued::Recorded);
    assert_eq!(stores.outbox.enqueue(&second, None).expect("answered"), Enqueued::LookupUsed);
    assert_eq!(stores.outbox.counts().expect("counted"), (1, 0));
}

#[test]
fn items_move_only_along_the_table() {
    let folder = Folder::new();
    let outbox = folder.stores().outbox;
    let recorded = item("1045678901");
    outbox.enqueue(&recorded, None).expect("recorded");
    assert!(!outbox.act(recorded.id, Event::Accept, now()).expect("asked"), "accepted without being sent");
    assert_eq!(outbox.take(now(), 10).expect("taken").len(), 1);
    assert!(outbox.take(now(), 10).expect("taken").is_empty(), "taken twice");
    assert!(outbox.act(recorded.id, Event::Refuse, now()).expect("asked"));
    assert_eq!(outbox.counts().expect("counted"), (0, 1));
    assert!(outbox.act(recorded.id, Event::Requeue, now()).expect("asked"));
    assert_eq!(outbox.take(now(), 10).expect("taken")[0].attempts, 1);
    assert!(outbox.act(recorded.id, Event::Accept, now()).expect("asked"));
    assert_eq!(outbox.counts().expect("counted"), (0, 0));
    assert!(!outbox.act(recorded.id, Event::Retry, now()).expect("asked"), "an accepted item moved");
}

#[test]
fn what_was_being_sent_when_the_program_ended_is_queued_again() {
    let folder = Folder::new();
    {
        let stores = folder.stores();
        stores.outbox.enqueue(&item("1045678901"), None).expect("recorded");
        stores.outbox.take(now(), 10).expect("taken");
    }
    let stores = folder.stores();
    assert_eq!(stores.outbox.recover().expect("recovered"), 1);
    assert_eq!(stores.outbox.take(now(), 10).expect("taken").len(), 1);
}

#[test]
fn an_item_waits_until_it_is_due_unless_hurried() {
    let folder = Folder::new();
    let outbox = folder.stores().outbox;
    let recorded = item("1045678901");
    outbox.enqueue(&recorded, None).expect("recorded");
    outbox.take(now(), 1).expect("taken");
    let due = now() + 5.minutes();
    let retry =
        Settled { id: recorded.id, event: Event::Retry, code: None, cause: None, next_attempt_at: Some(due) };
    outbox.settle(&[retry], now()).expect("settled");
    assert!(outbox.take(now(), 1).expect("taken").is_empty());
    assert_eq!(outbox.next_due().expect("asked"), Some(due));
    assert_eq!(outbox.hurry().expect("hurried"), 1);
    assert_eq!(outbox.take(now(), 1).expect("taken").len(), 1);
}

#[test]
fn refused_uses_are_no_uses_of_today() {
    let folder = Folder::new();
    let outbox = folder.stores().outbox;
    let recorded = item("1045678901");
    outbox.enqueue(&recorded, None).expect("recorded");
    let uses = |since| outbox.uses_since(&recorded.document, since).expect("read").len();
    let second = |since| outbox.enqueue(&item("1045678901"), Some(since)).expect("answered");
    assert_eq!(uses(now() - 1.hour()), 1);
    assert_eq!(second(now() - 1.hour()), Enqueued::PersonUsed);
    assert_eq!(uses(now() + 1.second()), 0);
    outbox.take(now(), 1).expect("taken");
    outbox.act(recorded.id, Event::Refuse, now()).expect("refused");
    assert_eq!(uses(now() - 1.hour()), 0);
    assert_eq!(second(now() - 1.hour()), Enqueued::Recorded);
}

#[test]
fn the_high_water_mark_never_falls() {
    let folder = Folder::new();
    let outbox = folder.stores().outbox;
    assert_eq!(outbox.clock_mark().expect("read"), ClockMark::default());
    let high = ClockMark { server_time_high: Some(now()), offset_ms: 5 };
    outbox.keep_clock_mark(high).expect("kept");
    outbox
        .keep_clock_mark(ClockMark { server_time_high: Some(now() - 1.hour()), offset_ms: 9 })
        .expect("kept");
    assert_eq!(outbox.clock_mark().expect("read"), ClockMark { offset_ms: 9, ..high });
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
    assert_eq!(folder.stores().outbox.counts().expect("counted"), (1, 0));
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
fn a_newer_database_is_not_touched() {
    for file in ["outbox.sqlite", "cache.sqlite"] {
        let folder = Folder::new();
        folder.stores().outbox.enqueue(&item("1045678901"), None).expect("recorded");
        folder.run(file, "PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE);");
        let before = fs::read(folder.path(file)).expect("bytes");
        assert!(matches!(folder.open(), Err(StoreError::Newer { found: 99, .. })), "{file}");
        assert_eq!(fs::read(folder.path(file)).expect("bytes"), before, "{file} was touched");
    }
}

#[test]
fn only_a_newer_statement_replaces_a_copy() {
    let folder = Folder::new();
    let cache = folder.stores().cache;
    let mut statement = crate::test_statement(now());
    cache.keep_statement(&statement, "newer").expect("kept");
    statement.iat = now() - 1.hour();
    cache.keep_statement(&statement, "older").expect("kept");
    let branch = statement.branch_id;
    assert_eq!(cache.statement(&statement.document, branch).expect("read").as_deref(), Some("newer"));
    assert_eq!(cache.statement(&statement.document, Uuid::from_u128(99)).expect("read"), None);
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
