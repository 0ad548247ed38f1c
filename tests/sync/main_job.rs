//! Row by row: look up, report, history; online, offline, and back.

use hanna_desk::view::HistoryQuery;
use hanna_domain::{Cause, Source, UsageState, Verdict, colombia};

use crate::Story;

fn today(story: &Story) -> HistoryQuery {
    let day = colombia::day_of(story.clock.read());
    HistoryQuery { from: day, to: day, branch_id: None }
}

#[tokio::test]
async fn every_kind_of_person_gets_the_verdict_of_the_server() {
    let story = Story::begin().await;
    let people = story.server.demo.documents.clone();
    for (numbers, verdict) in [
        (&people.active, Verdict::Active),
        (&people.inactive, Verdict::NotActive),
        (&people.company_suspended, Verdict::NotActive),
        (&people.retired, Verdict::NotActive),
        (&people.not_registered, Verdict::NotRegistered),
    ] {
        assert_eq!(numbers.len(), 20);
        for number in numbers {
            let card = story.desk.ask(number).await;
            assert_eq!((card.verdict, card.source), (verdict, Source::Online), "{verdict}");
            assert_eq!(card.may_report, verdict == Verdict::Active);
            assert_eq!(card.reasons.is_empty(), verdict == Verdict::Active, "{verdict}");
            assert_eq!(card.affiliate.is_some(), verdict != Verdict::NotRegistered);
        }
    }
}

#[tokio::test]
async fn online_offline_and_back() {
    let mut story = Story::begin().await;
    let (seen, other, stranger) =
        (story.active(0).to_owned(), story.active(1).to_owned(), story.active(2).to_owned());

    let card = story.desk.ask(&seen).await;
    let reported = story.desk.report_use(card.lookup_id, false).await.expect("recorded");
    assert!(reported.reported.is_some());
    let status = story.desk.sync_now().await.expect("synced");
    assert_eq!((status.online, status.pending), (true, 0));
    story.desk.ask(&other).await;

    story.server.stop().await;
    story.clock.advance(jiff::SignedDuration::from_hours(5));
    let copy = story.desk.ask(&other).await;
    assert_eq!((copy.verdict, copy.source), (Verdict::ActiveFromCopy, Source::Copy));
    assert_eq!(copy.age_s.map(|age| age / 3600), Some(5));
    assert!(copy.valid_until.is_some_and(|until| until > story.clock.read()));
    let unknown = story.desk.ask(&stranger).await;
    assert_eq!((unknown.verdict, unknown.cause), (Verdict::NoData, Some(Cause::NoCopy)));
    assert!(!unknown.may_report && unknown.affiliate.is_none());
    story.desk.report_use(copy.lookup_id, false).await.expect("recorded offline");
    let status = story.desk.status().expect("status");
    assert_eq!((status.online, status.pending), (false, 1));
    let history = story.desk.history(today(&story)).await.expect("history");
    assert!(!history.complete);
    assert_eq!(history.rows.len(), 2);
    assert_eq!(history.rows[0].state, UsageState::Queued);

    story.server.resume();
    let status = story.desk.sync_now().await.expect("synced");
    assert_eq!((status.online, status.pending, status.needs_attention), (true, 0, 0));
    assert!(story.desk.outbox().await.expect("outbox").items.is_empty());
    let history = story.desk.history(today(&story)).await.expect("history");
    assert!(history.complete);
    let accepted: Vec<_> = history.rows.iter().map(|row| row.state).collect();
    assert_eq!(accepted, [UsageState::Accepted, UsageState::Accepted]);
    assert_eq!(history.totals.iter().map(|total| total.uses).sum::<u32>(), 2);
}

#[tokio::test]
async fn the_program_is_closed_and_opened_while_offline() {
    let mut story = Story::begin().await;
    let card = story.desk.ask(story.active(0)).await;
    story.server.stop().await;
    story.desk.report_use(card.lookup_id, false).await.expect("recorded");
    story.desk.switch_off();
    story.desk.switch_on().await.expect("opened");
    // Without a keyring the password opens the databases; no server is needed for that.
    story.desk.enter(&story.server.demo.accounts[0]).await.expect("unlocked offline");
    assert_eq!(story.desk.status().expect("status").pending, 1);
    let copy = story.desk.ask(story.active(0)).await;
    assert_eq!(copy.verdict, Verdict::ActiveFromCopy);
    assert_eq!(copy.used_today.len(), 1, "the use of before is known");

    story.server.resume();
    assert!(
        story.desk.sync_now().await.expect("tried").sign_in_needed,
        "nobody proved who they are to the server"
    );
    story.desk.enter(&story.server.demo.accounts[0]).await.expect("signed in");
    let status = story.desk.sync_now().await.expect("synced");
    assert_eq!((status.pending, status.needs_attention, status.sign_in_needed), (0, 0, false));
}

#[tokio::test]
async fn the_worker_delivers_by_itself_when_the_server_is_back() {
    let mut story = Story::begin().await;
    let worker = tokio::spawn(story.desk.clone().run_worker());
    let card = story.desk.ask(story.active(0)).await;
    story.server.stop().await;
    story.desk.report_use(card.lookup_id, false).await.expect("recorded");
    let mut events = story.desk.events();
    story.server.resume();
    let delivered = tokio::time::timeout(std::time::Duration::from_mins(1), async {
        loop {
            if let Ok(hanna_desk::Event::Status(status)) = events.recv().await
                && status.online
                && status.pending == 0
            {
                return;
            }
        }
    });
    delivered.await.expect("delivered within a minute");
    worker.abort();
}

#[tokio::test]
async fn a_second_use_of_the_day_takes_a_deliberate_second_key() {
    let story = Story::begin().await;
    let first = story.desk.ask(story.active(0)).await;
    story.desk.report_use(first.lookup_id, false).await.expect("recorded");
    let twice = story.desk.report_use(first.lookup_id, true).await.expect_err("the same card twice");
    assert_eq!(twice.code(), hanna_desk::ErrorCode::AlreadyReported);

    let second = story.desk.ask(story.active(0)).await;
    assert_eq!(second.used_today.len(), 1);
    let refused = story.desk.report_use(second.lookup_id, false).await.expect_err("no second key");
    assert_eq!(refused.code(), hanna_desk::ErrorCode::AlreadyUsedToday);
    story.desk.report_use(second.lookup_id, true).await.expect("the second key");
    assert_eq!(story.desk.status().expect("status").pending, 2);
}
