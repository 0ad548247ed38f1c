//! *Anular uso*, online and offline, and what the server makes of it.

use hanna_desk::view::{Card, History, HistoryQuery};
use hanna_desk::{ErrorCode, Event};
use hanna_domain::outbox::{ItemKind, ItemState, VoidReason};
use hanna_domain::{UsageState, colombia};
use hanna_testkit::desks::TestDesk;
use hanna_testkit::faults::Fault;
use jiff::SignedDuration;
use uuid::Uuid;

use crate::Story;

async fn history(desk: &TestDesk) -> History {
    let day = colombia::day_of(desk.clock.read());
    desk.history(HistoryQuery { from: day, to: day, branch_id: None }).await.expect("history")
}

/// Reports a use of the `n`th person and returns its id.
async fn report(story: &Story, n: usize) -> Uuid {
    let card = story.desk.ask(story.active(n)).await;
    let card = story.desk.report_use(card.lookup_id, false).await.expect("recorded");
    card.reported.expect("reported").id
}

#[tokio::test]
async fn a_use_is_taken_back_online_and_the_pair_stays_on_record() {
    let story = Story::begin().await;
    let id = report(&story, 0).await;
    story.desk.sync_now().await.expect("synced");
    assert!(history(&story.desk).await.rows[0].may_void);
    story.desk.void_use(id, VoidReason::Other, "  se fue sin entrar ").await.expect("recorded");
    let again = story.desk.void_use(id, VoidReason::NotUsed, "").await.expect_err("taken back twice");
    assert_eq!(again.code(), ErrorCode::AlreadyVoided);
    let status = story.desk.sync_now().await.expect("synced");
    assert_eq!((status.pending, status.needs_attention), (0, 0));

    // Another desk knows it only from the server.
    let other = TestDesk::new(&story.server.url(), &story.clock, 2);
    other.enter(&story.server.demo.accounts[0]).await.expect("signed in");
    for desk in [&story.desk, &other] {
        let history = history(desk).await;
        let row = &history.rows[0];
        let voided = row.voided.as_ref().expect("the void beside its report");
        assert_eq!((row.state, row.may_void, history.totals.len()), (UsageState::Voided, false, 0));
        assert_eq!(
            (voided.reason, voided.text.as_deref(), voided.state),
            (VoidReason::Other, Some("se fue sin entrar"), ItemState::Accepted)
        );
    }
    // It is no use any more: the next one needs no second key.
    let card = other.ask(story.active(0)).await;
    assert!(card.used_today.is_empty(), "{:?}", card.used_today);
    other.report_use(card.lookup_id, false).await.expect("recorded");
    assert_eq!(other.sync_now().await.expect("synced").needs_attention, 0);
}

#[tokio::test]
async fn offline_both_wait_and_arrive_in_their_order() {
    let mut story = Story::begin().await;
    story.desk.ask(story.active(0)).await;
    story.server.stop().await;
    let id = report(&story, 0).await;
    story.desk.void_use(id, VoidReason::WrongPerson, "").await.expect("recorded");
    let items = story.desk.outbox().await.expect("outbox").items;
    assert_eq!(
        items.iter().map(|item| item.kind).collect::<Vec<_>>(),
        [ItemKind::UsageReport, ItemKind::Void]
    );
    assert_eq!(story.desk.status().expect("status").pending, 2);
    let offline = history(&story.desk).await;
    assert_eq!((offline.rows[0].state, offline.totals.len()), (UsageState::Voided, 0));

    story.server.resume();
    // The first batch is done at the server, and its answer is lost.
    story.desk.line.next(Fault::LoseAnswer);
    for _ in 0..2 {
        story.desk.sync_now().await.expect("synced");
    }
    let status = story.desk.status().expect("status");
    assert_eq!((status.pending, status.needs_attention, status.lookups), (0, 0, 0));
    let row = &history(&story.desk).await.rows[0];
    assert_eq!(
        (row.state, row.voided.as_ref().map(|void| void.state)),
        (UsageState::Voided, Some(ItemState::Accepted))
    );
}

#[tokio::test]
async fn only_ones_own_use_of_today_with_a_reason() {
    let story = Story::begin().await;
    let id = report(&story, 0).await;
    let refusal = async |desk: &TestDesk, id, reason, text: String| {
        desk.void_use(id, reason, &text).await.expect_err("taken back").code()
    };
    let desk = &story.desk;
    assert_eq!(refusal(desk, id, VoidReason::Other, "  ".into()).await, ErrorCode::ReasonRequired);
    assert_eq!(refusal(desk, id, VoidReason::NotUsed, "x".repeat(201)).await, ErrorCode::ReasonTooLong);
    assert_eq!(
        refusal(desk, Uuid::from_u128(9), VoidReason::NotUsed, String::new()).await,
        ErrorCode::ItemNotFound
    );
    story.clock.advance(SignedDuration::from_hours(14));
    assert_eq!(
        refusal(desk, id, VoidReason::NotUsed, String::new()).await,
        ErrorCode::VoidNotAllowed,
        "past midnight in Colombia"
    );
    assert!(desk.outbox().await.expect("outbox").items.iter().all(|item| item.kind == ItemKind::UsageReport));
}

#[tokio::test]
async fn lookups_the_copy_answered_are_told_to_the_caja() {
    let mut story = Story::begin_embedded().await;
    story.desk.ask(story.active(0)).await;
    story.server.stop().await;
    let card = story.desk.ask(story.active(0)).await;
    story.desk.ask("999999999").await;
    let told = async |story: &Story| {
        for _ in 0..1_000 {
            if story.desk.status().expect("status").lookups > 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
        story.desk.status().expect("status")
    };
    let status = told(&story).await;
    assert_eq!((status.lookups, status.pending), (1, 0), "nothing was told about anybody the second time");
    assert!(story.desk.outbox().await.expect("outbox").items.is_empty(), "nobody has to do anything");
    story.server.resume();
    story.desk.sync_now().await.expect("synced");
    assert_eq!(story.desk.status().expect("status").lookups, 0);
    let held = rusqlite::Connection::open(story.server.database()).expect("the server's");
    let verdict: String = held
        .query_row("SELECT verdict FROM offline_lookups WHERE lookup_id = ?1", [card.lookup_id], |row| {
            row.get(0)
        })
        .expect("recorded");
    assert_eq!(verdict, "ACTIVE_FROM_COPY");
}

/// The card as the screen was last told of it.
fn told(events: &mut tokio::sync::broadcast::Receiver<Event>) -> Option<Card> {
    let mut last = None;
    while let Ok(event) = events.try_recv() {
        if let Event::Card(card) = event {
            last = Some(*card);
        }
    }
    last
}

#[tokio::test]
async fn the_card_says_whether_its_use_may_be_taken_back_and_follows_the_void() {
    let story = Story::begin_embedded().await;
    let card = story.desk.ask(story.active(0)).await;
    assert!(!card.may_void, "nothing is reported");
    let card = story.desk.report_use(card.lookup_id, false).await.expect("recorded");
    assert!(card.may_void && card.voided.is_none());
    let id = card.reported.expect("reported").id;
    let mut events = story.desk.events();
    story.desk.void_use(id, VoidReason::NotUsed, "").await.expect("recorded");
    let taken_back = told(&mut events).expect("news");
    let voided = taken_back.voided.expect("taken back");
    assert_eq!((taken_back.may_void, voided.state), (false, ItemState::Queued));

    // The caja's terms changed since this PC was told them: the void is refused, and the use counts.
    let database = rusqlite::Connection::open(story.server.database()).expect("the server's");
    database.execute("UPDATE agreements SET void_window_min = 0", []).expect("changed");
    story.desk.sync_now().await.expect("synced");
    let refused = told(&mut events).expect("news");
    assert_eq!(refused.voided.expect("the void").state, ItemState::NeedsAttention);
    assert!(!refused.may_void, "the void that was refused stands in the way");
    let row = &history(&story.desk).await.rows[0];
    assert_eq!((row.state, row.voided.is_none(), row.may_void), (UsageState::Accepted, true, false));

    let items = story.desk.outbox().await.expect("outbox").items;
    story.desk.withdraw_item(items[0].id, "la caja no lo permite").await.expect("given up");
    let again = told(&mut events).expect("news");
    assert_eq!((again.voided, again.may_void), (None, true), "as this PC knows the terms");
    assert_eq!(again.reported.expect("reported").state, ItemState::Accepted);
}

#[tokio::test]
async fn the_card_follows_a_use_that_is_given_up() {
    let story = Story::begin_embedded().await;
    let card = story.desk.ask(story.active(0)).await;
    let database = rusqlite::Connection::open(story.server.database()).expect("the server's");
    database.execute("UPDATE agreements SET over_limit = 'REFUSE'", []).expect("changed");
    let other = TestDesk::signed_in(&story.server, &story.clock, 2).await;
    let theirs = other.ask(story.active(0)).await;
    other.report_use(theirs.lookup_id, false).await.expect("recorded");
    other.sync_now().await.expect("synced");
    let card = story.desk.report_use(card.lookup_id, false).await.expect("recorded");
    let id = card.reported.expect("reported").id;
    let mut events = story.desk.events();
    story.desk.sync_now().await.expect("synced");
    let refused = told(&mut events).expect("news");
    assert_eq!(
        (refused.reported.expect("reported").state, refused.may_void),
        (ItemState::NeedsAttention, false)
    );
    story.desk.withdraw_item(id, "no entró").await.expect("given up");
    let given_up = told(&mut events).expect("news");
    assert_eq!(
        (given_up.reported.expect("reported").state, given_up.may_void),
        (ItemState::Withdrawn, false)
    );
}
