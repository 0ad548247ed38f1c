//! *Última sincronización*: how the delivery of what had waited went.

use std::time::Duration;

use hanna_desk::Event;
use hanna_desk::view::{LastSync, SyncGroup};
use hanna_domain::outbox::{ItemCode, ItemKind, VoidReason};
use hanna_testkit::desks::TestDesk;
use hanna_testkit::faults::Fault;
use jiff::SignedDuration;
use uuid::Uuid;

use crate::Story;

async fn last_sync(desk: &TestDesk) -> Option<LastSync> {
    desk.outbox().await.expect("outbox").last_sync
}

/// Accepted, noted and refused items of this kind.
fn counts(sync: &LastSync, kind: ItemKind) -> (u32, u32, u32) {
    let of_kind = sync.groups.iter().filter(|group| group.kind == kind);
    of_kind.fold((0, 0, 0), |(accepted, noted, refused), group: &SyncGroup| {
        (accepted + group.accepted, noted + group.noted, refused + group.refused)
    })
}

async fn report(desk: &TestDesk, person: &str) -> Uuid {
    let card = desk.ask(person).await;
    let card = desk.report_use(card.lookup_id, false).await.expect("recorded");
    card.reported.expect("reported").id
}

#[tokio::test]
async fn what_waited_is_counted_by_kind_branch_and_tariff_and_what_did_not_is_not() {
    let mut story = Story::begin().await;
    let people: Vec<String> = (0..4).map(|n| story.active(n).to_owned()).collect();
    for person in &people {
        story.desk.ask(person).await;
    }
    report(&story.desk, story.active(4)).await;
    story.desk.sync_now().await.expect("synced");
    assert_eq!(last_sync(&story.desk).await, None, "nothing had to wait");

    // Another desk reports the first person while this one hears nothing.
    let other = TestDesk::signed_in(&story.server, &story.clock, 2).await;
    report(&other, &people[0]).await;
    other.sync_now().await.expect("synced");
    story.server.stop().await;
    let mut ids = Vec::new();
    for person in &people {
        ids.push(report(&story.desk, person).await);
        story.clock.advance(SignedDuration::from_mins(20));
    }
    story.desk.void_use(ids[3], VoidReason::WrongPerson, "").await.expect("recorded");
    story.server.resume();
    let mut events = story.desk.events();
    story.desk.sync_now().await.expect("synced");

    let sync = last_sync(&story.desk).await.expect("a delivery");
    assert_eq!(counts(&sync, ItemKind::UsageReport), (3, 1, 0));
    assert_eq!(counts(&sync, ItemKind::Void), (0, 0, 0), "it did not wait a minute");
    assert_eq!(sync.noted.len(), 1);
    assert_eq!((sync.noted[0].id, sync.noted[0].code), (ids[0], Some(ItemCode::DailyLimitReached)));
    assert!(sync.groups.iter().all(|group| group.tariff.is_some() && !group.branch_name.is_empty()));
    let mut keys: Vec<_> =
        sync.groups.iter().map(|group| (group.kind, group.branch_name.clone(), group.tariff)).collect();
    keys.dedup();
    assert_eq!(keys.len(), sync.groups.len(), "one line each");
    let told = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            if let Event::Synced(sync) = events.recv().await.expect("an event") {
                return *sync;
            }
        }
    });
    assert_eq!(told.await.expect("the screens are told"), sync);

    // The same after a restart: it is counted from what is kept.
    story.desk.switch_off();
    story.desk.switch_on().await.expect("opened");
    story.desk.enter(&story.server.demo.accounts[0]).await.expect("signed in");
    assert_eq!(last_sync(&story.desk).await, Some(sync.clone()));

    // What goes at once changes nothing of it.
    report(&story.desk, story.active(5)).await;
    story.desk.sync_now().await.expect("synced");
    assert_eq!(last_sync(&story.desk).await, Some(sync));
}

#[tokio::test]
async fn a_later_delivery_takes_its_place_and_a_refused_item_counts_as_refused_until_it_goes() {
    let mut story = Story::begin_embedded().await;
    let person = story.active(0).to_owned();
    story.desk.ask(&person).await;
    story.server.stop().await;
    let id = report(&story.desk, &person).await;
    story.clock.advance(SignedDuration::from_mins(90));
    story.server.resume();
    let database = rusqlite::Connection::open(story.server.database()).expect("the server's");
    let limit = |rule: &str| {
        database
            .execute("UPDATE agreements SET over_limit = ?1", [rule])
            .expect("the caja changes its terms");
    };
    limit("REFUSE");
    let other = TestDesk::signed_in(&story.server, &story.clock, 2).await;
    report(&other, &person).await;
    other.sync_now().await.expect("synced");
    story.desk.sync_now().await.expect("synced");
    let first = last_sync(&story.desk).await.expect("a delivery");
    assert_eq!(counts(&first, ItemKind::UsageReport), (0, 0, 1));

    story.clock.advance(SignedDuration::from_hours(1));
    limit("NOTE");
    story.desk.retry_item(id).await.expect("queued");
    assert_eq!(last_sync(&story.desk).await, None, "nothing is decided");
    story.desk.sync_now().await.expect("synced");
    let second = last_sync(&story.desk).await.expect("a delivery");
    assert_eq!(counts(&second, ItemKind::UsageReport), (0, 1, 0));
    assert!(second.began_at > first.ended_at);
}

#[tokio::test]
async fn an_answer_that_was_lost_made_its_item_wait() {
    let story = Story::begin().await;
    report(&story.desk, story.active(0)).await;
    story.desk.line.next(Fault::LoseAnswer);
    for _ in 0..2 {
        story.desk.sync_now().await.expect("synced");
    }
    let sync = last_sync(&story.desk).await.expect("a delivery");
    assert_eq!(counts(&sync, ItemKind::UsageReport), (1, 0, 0));
}
