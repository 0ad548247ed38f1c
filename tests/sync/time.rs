//! The clock, the validity of copies, and answers that come late.

use std::time::Duration;

use hanna_desk::{ErrorCode, Event};
use hanna_domain::{Cause, Source, Verdict};
use hanna_testkit::clock::HandClock;
use hanna_testkit::desks::TestDesk;
use hanna_testkit::faults::Fault;
use jiff::SignedDuration;

use crate::Story;

#[tokio::test]
async fn a_copy_past_its_validity_is_no_data() {
    let mut story = Story::begin().await;
    let card = story.desk.ask(story.active(0)).await;
    let until = card.valid_until.expect("a validity");
    story.server.stop().await;
    let left = until.duration_since(story.clock.read());
    story.clock.advance(left - SignedDuration::from_secs(1));
    assert_eq!(story.desk.ask(story.active(0)).await.verdict, Verdict::ActiveFromCopy);
    story.clock.advance(SignedDuration::from_secs(1));
    let card = story.desk.ask(story.active(0)).await;
    assert_eq!((card.verdict, card.cause), (Verdict::NoData, Some(Cause::CopyExpired)));
}

#[tokio::test]
async fn a_card_whose_statement_ends_while_it_is_open_cannot_be_reported() {
    let mut story = Story::begin().await;
    let card = story.desk.ask(story.active(0)).await;
    story.server.stop().await;
    story.clock.advance(SignedDuration::from_hours(49));
    let error = story.desk.report_use(card.lookup_id, false).await.expect_err("recorded");
    assert_eq!(error.code(), ErrorCode::StatementExpired);
    assert_eq!(story.desk.status().expect("status").pending, 0);
}

#[tokio::test]
async fn a_clock_put_back_makes_no_copy_green() {
    let mut story = Story::begin().await;
    story.desk.ask(story.active(0)).await;
    story.server.stop().await;
    story.clock.advance(SignedDuration::from_hours(-24));
    let card = story.desk.ask(story.active(0)).await;
    assert_eq!((card.verdict, card.cause), (Verdict::NoData, Some(Cause::ClockBehind)));
    assert!(!card.may_report);
}

#[tokio::test]
async fn the_server_keeps_the_clock_of_the_pc_beside_its_own() {
    let story = Story::begin_embedded().await;
    // A PC whose clock is five hours behind, as it learns from the server's answers.
    let clock = HandClock::at(story.clock.read() - SignedDuration::from_hours(5));
    let desk = TestDesk::new(&story.server.url(), &clock, 2);
    desk.enter(&story.server.demo.accounts[0]).await.expect("signed in");
    let card = desk.ask(story.active(0)).await;
    desk.report_use(card.lookup_id, false).await.expect("recorded");
    story.clock.advance(SignedDuration::from_secs(90));
    desk.sync_now().await.expect("synced");

    let held = rusqlite::Connection::open(story.server.database()).expect("the server's");
    let (sequence, device_s, occurred_s, received_s): (i64, i64, i64, i64) = held
        .query_row(
            "SELECT i.sequence, i.device_us / 1000000, u.occurred_us / 1000000, i.received_us / 1000000
             FROM outbox_items i JOIN usage_reports u ON u.id = i.id",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .expect("recorded");
    assert_eq!((sequence, device_s), (1, clock.read().as_second()));
    assert_eq!(received_s, story.clock.read().as_second());
    // The header that told the time has whole seconds.
    assert!((occurred_s - (received_s - 90)).abs() <= 1, "{occurred_s} is not {received_s} less 90");
}

#[tokio::test]
async fn a_clock_put_back_while_the_server_is_away_makes_no_expired_copy_green_again() {
    let mut story = Story::begin().await;
    let card = story.desk.ask(story.active(0)).await;
    let until = card.valid_until.expect("a validity");
    story.server.stop().await;
    // Somebody else's copy is asked for in the evening; in the night the first one ends, and the clock is put back.
    story.desk.ask(story.active(1)).await;
    story.clock.advance(until.duration_since(story.clock.read()));
    assert_eq!(story.desk.ask(story.active(0)).await.cause, Some(Cause::CopyExpired));
    story.clock.advance(SignedDuration::from_hours(-6));
    let card = story.desk.ask(story.active(0)).await;
    assert_eq!((card.verdict, card.cause), (Verdict::NoData, Some(Cause::ClockBehind)));
    // The server's word settles it.
    story.server.resume();
    story.desk.sync_now().await.expect("synced");
    assert_eq!(story.desk.ask(story.active(0)).await.verdict, Verdict::Active);
    story.server.stop().await;
    assert_eq!(story.desk.ask(story.active(0)).await.verdict, Verdict::ActiveFromCopy);
}

#[tokio::test]
async fn how_far_the_clock_has_gone_survives_a_restart() {
    let mut story = Story::begin().await;
    story.desk.ask(story.active(0)).await;
    story.server.stop().await;
    story.clock.advance(SignedDuration::from_hours(10));
    assert_eq!(story.desk.ask(story.active(0)).await.verdict, Verdict::ActiveFromCopy);
    while story.desk.status().expect("status").lookups == 0 {
        tokio::task::yield_now().await;
    }
    story.desk.switch_off();
    story.clock.advance(SignedDuration::from_hours(-9));
    story.desk.switch_on().await.expect("opened");
    let account = &story.server.demo.accounts[0];
    let password = hanna_domain::Redacted::new(account.password.clone());
    let refused =
        story.desk.sign_in(&account.username, &password).await.expect_err("let in by a wrong clock");
    assert_eq!(refused.code(), ErrorCode::ClockWrong);
    story.clock.advance(SignedDuration::from_hours(9));
    story.desk.enter(account).await.expect("let in");
    assert_eq!(story.desk.ask(story.active(0)).await.verdict, Verdict::ActiveFromCopy);
}

#[tokio::test]
async fn an_idle_desk_notices_a_clock_put_back_after_a_restart() {
    let mut story = Story::begin().await;
    story.desk.ask(story.active(0)).await;
    story.server.stop().await;
    story.clock.advance(SignedDuration::from_hours(10));
    // Nobody is consulted: only the worker looks at the clock.
    let worker = tokio::spawn((*story.desk).clone().run_worker());
    let outbox = story.desk.folder().join("outbox.sqlite-wal");
    let written = |path: &std::path::Path| path.metadata().expect("the log").len();
    let before = written(&outbox);
    tokio::time::timeout(Duration::from_secs(30), async {
        while written(&outbox) == before {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the time was kept");
    worker.abort();
    // Aborted means no answer but that.
    let _ = worker.await;
    story.desk.switch_off();
    story.clock.advance(SignedDuration::from_hours(-9));
    story.desk.switch_on().await.expect("opened");
    let account = &story.server.demo.accounts[0];
    let password = hanna_domain::Redacted::new(account.password.clone());
    let refused =
        story.desk.sign_in(&account.username, &password).await.expect_err("let in by a wrong clock");
    assert_eq!(refused.code(), ErrorCode::ClockWrong);
}

#[tokio::test]
async fn no_answer_in_three_seconds_shows_the_copy_and_the_late_answer_replaces_it() {
    let story = Story::begin().await;
    let person = story.active(0).to_owned();
    story.desk.ask(&person).await;
    let mut events = story.desk.events();

    story.desk.line.next(Fault::Hold);
    let card = story.desk.ask(&person).await;
    assert_eq!((card.verdict, card.cause), (Verdict::ActiveFromCopy, Some(Cause::TimedOut)));

    story.desk.line.release();
    let late = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            if let Ok(Event::Card(card)) = events.recv().await {
                return card;
            }
        }
    });
    let late = late.await.expect("the late answer");
    assert_eq!(late.lookup_id, card.lookup_id, "the same lookup");
    assert_eq!((late.verdict, late.source), (Verdict::Active, Source::Online));
    assert_eq!(late.replaces, Some(Verdict::ActiveFromCopy));
}

#[tokio::test]
async fn a_late_answer_does_not_disturb_what_rests_on_the_card_or_came_after_it() {
    let story = Story::begin().await;
    let (first, second) = (story.active(0).to_owned(), story.active(1).to_owned());
    story.desk.ask(&first).await;
    let mut events = story.desk.events();

    story.desk.line.next(Fault::Hold);
    let card = story.desk.ask(&first).await;
    assert_eq!(card.source, Source::Copy);
    story.desk.report_use(card.lookup_id, false).await.expect("recorded on the copy");
    story.desk.line.release();
    // The next person is looked up; whatever the late answer does, it has done it by the time this one is answered and
    // the outbox is delivered.
    let next = story.desk.ask(&second).await;
    assert_eq!(next.source, Source::Online);
    story.desk.sync_now().await.expect("synced");
    while let Ok(event) = events.try_recv() {
        assert!(!matches!(event, Event::Card(_)), "a card was replaced under the operator's hands");
    }
}
