//! The same databases on a disk that is full, and over files that became read-only: a clear error, nothing lost, and on
//! it goes when there is room again.

use std::collections::HashSet;
use std::sync::Arc;

use hanna_desk::store::{DatabaseKey, Enqueued, StoreError, Stores};
use hanna_desk::{DeskError, ErrorCode};
use hanna_domain::outbox::ItemState;
use hanna_tests::template::{begin, memory_folder};

use crate::desk::{item, statement};
use crate::disk::{Disk, Refusal};
use crate::server::Life;
use crate::vfs;

fn code(error: StoreError) -> ErrorCode {
    DeskError::from(error).code()
}

#[test]
fn a_desk_on_a_full_disk_says_so_and_goes_on_when_there_is_room() {
    let folder = memory_folder("full");
    let disk = Arc::new(Disk::under(folder.path(), 1, true));
    vfs::put_under(folder.path(), &disk);
    let (stores, _) = Stores::open(folder.path(), &DatabaseKey::new([7; 32]), begin()).expect("opened");
    let [first, second] = [1, 2].map(|number| item(number, begin()));
    stores.outbox.enqueue(&first, None).expect("recorded");

    disk.refuse(Some(Refusal::Full));
    let outbox = &stores.outbox;
    assert_eq!(code(outbox.enqueue(&second, None).expect_err("recorded")), ErrorCode::DiskFull);
    let take = || outbox.settle_and_take(&[], begin(), begin(), 9, usize::MAX, &HashSet::new());
    assert_eq!(code(take().expect_err("taken")), ErrorCode::DiskFull);
    let known = statement(begin(), &first.document);
    let kept = stores.cache.keep_statement(&known, "a.b.c", Some(begin()));
    assert_eq!(code(kept.expect_err("kept")), ErrorCode::DiskFull);
    // What is there can be read.
    assert_eq!(outbox.item(first.id).expect("read").expect("there").state, ItemState::Queued);
    assert!(outbox.item(second.id).expect("read").is_none(), "nothing is half there");

    disk.refuse(None);
    assert_eq!(outbox.enqueue(&second, None).expect("answered"), Enqueued::Recorded);
    assert_eq!(take().expect("taken").rows.len(), 2);
    stores.cache.keep_statement(&known, "a.b.c", Some(begin())).expect("kept");
}

#[test]
fn a_desk_over_read_only_files_says_so_and_goes_on_when_they_are_not() {
    let folder = memory_folder("full");
    let disk = Arc::new(Disk::under(folder.path(), 1, true));
    vfs::put_under(folder.path(), &disk);
    let open = || Stores::open(folder.path(), &DatabaseKey::new([7; 32]), begin());
    let [first, second] = [1, 2].map(|number| item(number, begin()));
    open().expect("opened").0.outbox.enqueue(&first, None).expect("recorded");

    disk.refuse(Some(Refusal::ReadOnly));
    // It may show already when the databases are opened; at the latest it does when something is recorded.
    let recorded = open().and_then(|(stores, notices)| {
        assert!(notices.is_empty(), "nothing is set aside: {notices:?}");
        stores.outbox.enqueue(&second, None)
    });
    assert_eq!(code(recorded.expect_err("recorded")), ErrorCode::DiskReadOnly);

    disk.refuse(None);
    let (stores, notices) = open().expect("opened");
    assert!(notices.is_empty(), "{notices:?}");
    assert_eq!(stores.outbox.enqueue(&second, None).expect("answered"), Enqueued::Recorded);
    let ids: Vec<_> = stores.outbox.open_items().expect("read").into_iter().map(|row| row.item.id).collect();
    assert_eq!(ids, [first.id, second.id]);
}

#[test]
fn a_server_on_a_full_disk_asks_to_try_again_and_loses_nothing() {
    let folder = memory_folder("full");
    let mut life = Life::over(folder.path(), 1);
    let disk = Arc::new(Disk::under(folder.path(), 1, true));
    vfs::put_under(folder.path(), &disk);
    let running = life.begin().expect("it runs");
    assert!(life.ask(&running) && life.ask(&running));
    let batch = life.batch();
    assert!(life.deliver(&running, batch).expect("nothing is lost"));

    disk.refuse(Some(Refusal::Full));
    assert!(!life.ask(&running), "a lookup is answered without being on record");
    let batch = life.batch();
    assert!(!life.deliver(&running, batch).expect("nothing is lost"), "taken in on a full disk");

    disk.refuse(None);
    let again = std::mem::take(&mut life.middle);
    assert!(!again.is_empty());
    assert!(life.deliver(&running, again).expect("nothing is lost"), "not taken in when there is room");
    assert!(life.ask(&running));
    life.look().expect("nothing is lost");
}

#[test]
fn a_server_over_a_read_only_file_confirms_nothing_and_loses_nothing() {
    let folder = memory_folder("full");
    let mut life = Life::over(folder.path(), 1);
    let disk = Arc::new(Disk::under(folder.path(), 1, true));
    vfs::put_under(folder.path(), &disk);
    {
        let running = life.begin().expect("it runs");
        assert!(life.ask(&running));
        let batch = life.batch();
        assert!(life.deliver(&running, batch).expect("nothing is lost"));
    }
    disk.refuse(Some(Refusal::ReadOnly));
    let refused = life.begin().err().expect("nobody is let in: that could not be recorded");
    println!("{refused}");
    disk.refuse(None);
    let running = life.begin().expect("it runs");
    assert!(life.ask(&running));
    life.look().expect("nothing is lost");
}
