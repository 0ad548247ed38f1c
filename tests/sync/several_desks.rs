//! Two desks at once.

use hanna_desk::view::HistoryQuery;
use hanna_domain::outbox::ItemCode;
use hanna_domain::{UsageState, colombia};
use hanna_testkit::desks::TestDesk;

use crate::Story;

#[tokio::test]
async fn two_desks_report_the_same_person_offline_and_both_uses_are_kept() {
    let mut story = Story::begin().await;
    let other = TestDesk::new(&story.server.url(), &story.clock, 2);
    other.enter(&story.server.demo.accounts[0]).await.expect("signed in");
    let person = story.active(0).to_owned();
    let here = story.desk.ask(&person).await;
    let there = other.ask(&person).await;
    story.server.stop().await;
    story.desk.report_use(here.lookup_id, false).await.expect("recorded");
    other.report_use(there.lookup_id, false).await.expect("recorded");

    story.server.resume();
    assert_eq!(story.desk.sync_now().await.expect("synced").pending, 0);
    let status = other.sync_now().await.expect("synced");
    assert_eq!(status.pending, 0);
    let items = other.outbox().await.expect("outbox").items;
    let day = colombia::day_of(story.clock.read());
    let query = HistoryQuery { from: day, to: day, branch_id: None };
    let rows = other.history(query).await.expect("history").rows;
    assert_eq!(rows.len(), 2, "both are on record");
    // As the agreement says: noted at the server, or waiting for a person here.
    let second_code = items.first().map_or_else(|| rows.iter().find_map(|row| row.code), |item| item.code);
    assert_eq!(second_code, Some(ItemCode::DailyLimitReached));
    let noted = rows.iter().filter(|row| row.state == UsageState::AcceptedWithNote).count();
    assert_eq!(noted + items.len(), 1);
}

#[tokio::test]
async fn many_uses_of_two_desks_at_once_arrive_exactly_once() {
    let mut story = Story::begin().await;
    let other = TestDesk::new(&story.server.url(), &story.clock, 2);
    other.enter(&story.server.demo.accounts[0]).await.expect("signed in");
    let people = story.server.demo.documents.active.clone();
    for person in &people {
        story.desk.ask(person).await;
        other.ask(person).await;
    }
    story.server.stop().await;
    for (n, person) in people.iter().enumerate() {
        let desk = if n % 2 == 0 { &story.desk } else { &other };
        let card = desk.ask(person).await;
        desk.report_use(card.lookup_id, false).await.expect("recorded");
    }
    story.server.resume();
    let (here, there) = tokio::join!(story.desk.sync_now(), other.sync_now());
    for status in [here.expect("synced"), there.expect("synced")] {
        assert_eq!((status.pending, status.needs_attention), (0, 0));
    }
    let day = colombia::day_of(story.clock.read());
    let query = HistoryQuery { from: day, to: day, branch_id: None };
    let rows = story.desk.history(query).await.expect("history").rows;
    let mut numbers: Vec<_> = rows.iter().map(|row| row.document.number().to_owned()).collect();
    numbers.sort();
    let mut expected = people;
    expected.sort();
    assert_eq!(numbers, expected);
}
