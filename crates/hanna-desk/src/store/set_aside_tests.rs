//! Outboxes that were set aside, with real damage to real encrypted files.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use hanna_domain::outbox::{Event, ItemState};
use jiff::ToSpan;
use rusqlite::Connection;

use super::tests::{Folder, item, now};
use super::*;
use crate::view::Recovered;

const PAGE: usize = 4096;
/// Enough for a tree of several pages.
const USES: usize = 30;

/// As it was before the body stood beside its item.
const BODY_IN_ITEM: &str = "ALTER TABLE item ADD COLUMN body TEXT NOT NULL DEFAULT '';
    UPDATE item SET body = (SELECT body FROM item_body WHERE item_body.sequence = item.sequence);
    DROP TABLE item_body;";

/// A folder whose outbox has so many uses, closed, with its log written back.
fn with_uses(count: usize) -> (Folder, Vec<NewItem>) {
    let folder = Folder::new();
    let outbox = folder.stores().outbox;
    let uses: Vec<NewItem> =
        (0..count).map(|_| NewItem { body: long_body(), ..item("1045678901") }).collect();
    for one in &uses {
        outbox.enqueue(one, None).expect("recorded");
    }
    drop(outbox);
    (folder, uses)
}

/// As long as a real statement, so that two or three items fill a page.
fn long_body() -> hanna_wire::outbox::ItemBody {
    let statement = "a".repeat(1_200);
    hanna_wire::outbox::ItemBody::UsageReport { branch_id: uuid::Uuid::from_u128(4), statement }
}

fn pages(path: &Path) -> usize {
    fs::read(path).expect("read").len() / PAGE
}

/// Spoils one page of a file, as a bad sector does.
fn spoil(path: &Path, page: usize) {
    let mut bytes = fs::read(path).expect("read");
    for byte in &mut bytes[page * PAGE + 100..page * PAGE + 200] {
        *byte ^= 0x5a;
    }
    fs::write(path, bytes).expect("written");
}

fn aside(folder: &Folder) -> PathBuf {
    let found = set_aside_in(&folder.path("")).expect("listed");
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().expect("just counted")
}

fn bring_back(folder: &Folder, stores: &Stores) -> Result<Recovered, StoreError> {
    stores.outbox.bring_back(&aside(folder), folder.key(), &folder.path("lectura"))
}

/// The ids of what waits, oldest first.
fn waiting(outbox: &OutboxStore) -> Vec<uuid::Uuid> {
    outbox.open_items().expect("read").into_iter().map(|row| row.item.id).collect()
}

#[test]
fn a_spoiled_page_costs_what_stands_on_it_and_nothing_else() {
    let mut all_but = Vec::new();
    for page in 1.. {
        let (folder, uses) = with_uses(USES);
        let path = folder.path("outbox.sqlite");
        let pages = pages(&path);
        if page >= pages {
            break;
        }
        spoil(&path, page);
        let before = fs::read(&path).expect("read");
        let (stores, notices) = folder.open().expect("opened anew");
        assert_eq!(notices, [Notice::OutboxSetAside], "page {page}");
        let recent = item("1045678902");
        stores.outbox.enqueue(&recent, None).expect("recorded");
        match bring_back(&folder, &stores) {
            Ok(back) => {
                let back_ids = waiting(&stores.outbox);
                assert_eq!(back_ids.last(), Some(&recent.id), "what is new stands last");
                let readable: Vec<_> =
                    uses.iter().map(|one| one.id).filter(|id| back_ids.contains(id)).collect();
                assert_eq!(readable, back_ids[..back_ids.len() - 1], "in their order");
                assert_eq!(usize::try_from(back.added), Ok(readable.len()));
                all_but.push(uses.len() - readable.len());
            }
            Err(error) => {
                assert!(matches!(error, StoreError::Unreadable), "page {page}: {error}");
                all_but.push(uses.len());
            }
        }
        assert_eq!(fs::read(aside(&folder)).expect("read"), before, "page {page}: the file was changed");
        assert!(!folder.path("lectura").exists(), "a copy was left");
    }
    // The pages that lead to others cost all; of the rest each costs the two or three items whose bodies stand on it, or
    // those that stand on it themselves, or none.
    let cost =
        |range: std::ops::RangeInclusive<usize>| all_but.iter().filter(|lost| range.contains(*lost)).count();
    let (none, bodies, items, all) = (cost(0..=0), cost(1..=3), cost(4..=USES - 1), cost(USES..=USES));
    assert_eq!(none + bodies + items + all, all_but.len(), "{all_but:?}");
    assert!(none >= 3 && bodies >= 8 && items <= 3 && all <= 6, "{all_but:?}");
}

#[test]
fn what_is_here_stays_as_it_is_and_a_second_time_adds_nothing() {
    let (folder, uses) = with_uses(4);
    let path = folder.path("outbox.sqlite");
    {
        let outbox = folder.stores().outbox;
        outbox.settle_and_take(&[], now(), now(), 2, usize::MAX, &HashSet::new()).expect("taken");
        let settled =
            |event| Settled { id: uses[0].id, event, code: None, cause: None, next_attempt_at: None };
        outbox.settle(&[settled(Event::Accept)], now()).expect("settled");
    }
    // Set aside by hand, as support does.
    let kept = set_aside(&path, now()).expect("set aside");
    let stores = folder.stores();
    assert_eq!(
        stores.outbox.enqueue(&NewItem { ..uses[3].clone() }, None).expect("recorded"),
        Enqueued::Recorded
    );
    let back = bring_back(&folder, &stores).expect("brought back");
    assert_eq!(back, Recovered { added: 3, already_there: 1, is_damaged: false });
    let row = |at: usize| stores.outbox.item(uses[at].id).expect("read").expect("there");
    let states: Vec<ItemState> = (0..4).map(|at| row(at).state).collect();
    assert_eq!(
        states,
        [ItemState::Accepted, ItemState::Queued, ItemState::Queued, ItemState::Queued],
        "what was being sent is sent again, what was accepted is not"
    );
    let sequences: Vec<i64> = (0..4).map(|at| row(at).to_wire().sequence).collect();
    assert_eq!(sequences, [1, 2, 3, 1], "as they were recorded, in either outbox");
    assert_eq!(row(2).item.body, uses[2].body);
    assert_eq!(stores.outbox.forget_settled(now() + 1.hour()).expect("forgotten"), 1, "its time is known");

    let again = bring_back(&folder, &stores).expect("brought back");
    assert_eq!((again.added, again.already_there), (1, 3), "only what was forgotten since");
    note_brought_back(&kept).expect("noted");
    assert!(set_aside_in(&folder.path("")).expect("listed").is_empty());
    drop(stores);
    assert!(folder.open().expect("opened").1.is_empty(), "the operator is not told any more");
}

#[test]
fn an_outbox_with_only_what_was_brought_back_begins_to_count_at_one() {
    let (folder, uses) = with_uses(3);
    set_aside(&folder.path("outbox.sqlite"), now()).expect("set aside");
    let outbox = folder.stores().outbox;
    outbox.bring_back(&aside(&folder), folder.key(), &folder.path("lectura")).expect("brought back");
    let recent = item("1045678902");
    outbox.enqueue(&recent, None).expect("recorded");
    assert_eq!(outbox.item(recent.id).expect("read").expect("there").sequence, 1);
    assert_eq!(waiting(&outbox)[..3], [uses[0].id, uses[1].id, uses[2].id]);
    outbox.settle_and_take(&[], now(), now(), 3, usize::MAX, &HashSet::new()).expect("taken");
    let settled: Vec<Settled> = uses
        .iter()
        .map(|one| Settled {
            id: one.id,
            event: Event::Accept,
            code: None,
            cause: None,
            next_attempt_at: None,
        })
        .collect();
    // Accepted under another PC's name long ago: that tells nothing about what the server holds of this one.
    let taken =
        outbox.settle_and_take(&settled, now(), now(), 0, usize::MAX, &HashSet::new()).expect("taken");
    assert_eq!(taken.accepted, 0, "the next answer would be taken for one of a restored server");
}

#[test]
fn what_gives_nothing_says_why_and_adds_nothing() {
    let (folder, _) = with_uses(3);
    let path = folder.path("outbox.sqlite");
    let whole = fs::read(&path).expect("read");
    let refused = |bytes: &[u8]| {
        let file = folder.path("uno");
        fs::write(&file, bytes).expect("written");
        let stores = folder.stores();
        let outcome = stores.outbox.bring_back(&file, folder.key(), &folder.path("lectura"));
        assert_eq!(stores.outbox.counts().expect("counted").pending, 3);
        outcome
    };
    for (what, bytes) in [
        ("no database", b"nada que ver".to_vec()),
        ("its beginning spoiled", [&[7; 300], &whole[300..]].concat()),
        ("of another key", fs::read(with_uses(1).0.path("outbox.sqlite")).expect("read")),
    ] {
        assert!(matches!(refused(&bytes), Err(StoreError::Unreadable)), "{what}");
    }
    folder.run(
        "outbox.sqlite",
        "ALTER TABLE item_body RENAME COLUMN body TO content; PRAGMA user_version = 99",
    );
    let newer = fs::read(&path).expect("read");
    fs::write(&path, &whole).expect("as it was");
    assert!(matches!(refused(&newer), Err(StoreError::Newer { found: 99, .. })));
}

#[test]
fn an_outbox_of_a_newer_program_is_read_by_the_columns_this_one_knows() {
    let (folder, _) = with_uses(3);
    let path = folder.path("outbox.sqlite");
    folder.run(
        "outbox.sqlite",
        "ALTER TABLE item ADD COLUMN mood TEXT; PRAGMA user_version = 99;
         UPDATE item SET state = 'of a newer program' WHERE sequence = 2",
    );
    set_aside(&path, now()).expect("set aside");
    let stores = folder.stores();
    let back = bring_back(&folder, &stores).expect("brought back");
    assert_eq!(back, Recovered { added: 2, already_there: 0, is_damaged: true });
}

#[test]
fn an_outbox_of_before_is_read_too_also_when_a_page_of_it_is_spoiled() {
    let (folder, _) = with_uses(20);
    let path = folder.path("outbox.sqlite");
    folder.run(
        "outbox.sqlite",
        &format!(
            "{BODY_IN_ITEM} ALTER TABLE item DROP COLUMN recorded_sequence; DROP TABLE export_key;
             ALTER TABLE clock_mark DROP COLUMN device_time_high; PRAGMA user_version = 3; VACUUM"
        ),
    );
    spoil(&path, pages(&path) * 2 / 3);
    set_aside(&path, now()).expect("set aside");
    let stores = folder.stores();
    let back = bring_back(&folder, &stores).expect("brought back");
    assert!((17..=20).contains(&back.added), "{back:?}");
}

#[test]
fn what_stands_only_in_the_log_is_brought_back_with_it() {
    let (folder, uses) = with_uses(2);
    let path = folder.path("outbox.sqlite");
    let stores = folder.stores();
    let last = item("1045678903");
    stores.outbox.enqueue(&last, None).expect("recorded");
    // As a PC that lost its power leaves them.
    let (database, log) =
        (fs::read(&path).expect("read"), fs::read(folder.path("outbox.sqlite-wal")).expect("read"));
    drop(stores);
    let other = folder.path("outbox.sqlite.apartado-x");
    fs::write(&other, database).expect("written");
    fs::write(folder.path("outbox.sqlite.apartado-x-wal"), log).expect("written");
    fs::remove_file(&path).expect("removed");
    let stores = folder.stores();
    assert_eq!(bring_back(&folder, &stores).expect("brought back").added, 3);
    assert_eq!(waiting(&stores.outbox), [uses[0].id, uses[1].id, last.id]);
    assert!(Connection::open(&other).is_ok(), "it is where it was");
}

#[test]
fn what_exports_are_sealed_with_is_kept_with_the_outbox() {
    use hanna_domain::Redacted;
    use hanna_wire::keys::{ExportKeys, Key};
    let folder = Folder::new();
    let keys = |byte| ExportKeys { caja: Key([byte; 32]), device: Redacted::new(Key([byte + 1; 32])) };
    let stores = folder.stores();
    assert_eq!(stores.outbox.export_keys().expect("read"), None);
    for byte in [1, 1, 5] {
        stores.outbox.keep_export_keys(&keys(byte)).expect("kept");
    }
    drop(stores);
    assert_eq!(folder.stores().outbox.export_keys().expect("read"), Some(keys(5)));
}
