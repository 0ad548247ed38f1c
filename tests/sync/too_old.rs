//! A server that serves only newer versions of the desk's program: nothing is lost, nothing is refused, and it goes on
//! once the desk is served again.

use hanna_desk::view::Status;
use hanna_desk::{ErrorCode, Event, Param};
use hanna_domain::outbox::ItemState;
use hanna_domain::{Cause, Verdict};
use hanna_testkit::clock::HandClock;
use hanna_testkit::desks::TestDesk;
use hanna_testkit::faults::Fault;
use hanna_testkit::server::TestServer;

use crate::Story;

/// A version no desk has yet.
const FAR: &str = "999.0.0";

fn is_too_old(status: &Status) -> bool {
    let said = status.minimum_version.map(|minimum| minimum.to_string());
    !status.online && status.cause == Some(Cause::ProgramTooOld) && said.as_deref() == Some(FAR)
}

#[tokio::test]
async fn a_desk_that_is_too_old_works_on_its_copies_and_delivers_everything_once_it_is_served_again() {
    let mut story = Story::begin_embedded().await;
    let (known, unknown) = (story.active(0).to_owned(), story.active(1).to_owned());
    let first = story.desk.ask(&known).await;
    story.desk.report_use(first.lookup_id, false).await.expect("recorded");

    // The caja raises the minimum while a delivery is under way.
    let mut events = story.desk.events();
    story.desk.line.next(Fault::Hold);
    let desk = (*story.desk).clone();
    let delivering = tokio::spawn(async move { desk.sync_now().await });
    while !matches!(events.recv().await, Ok(Event::Status(Status { sending: true, .. }))) {}
    story.server.serve_since(Some(FAR)).await;
    story.desk.line.release();
    let said = delivering.await.expect("it ended").expect("asked");
    assert!(is_too_old(&said), "{said:?}");
    assert_eq!((said.pending, said.needs_attention, said.sign_in_needed), (1, 0, false));
    let items = story.desk.outbox().await.expect("read").items;
    assert_eq!((items[0].state, items[0].attempts), (ItemState::Queued, 1));
    assert_eq!((items[0].code, items[0].last_cause), (None, Some(Cause::ProgramTooOld)));

    let copy = story.desk.ask(&known).await;
    assert_eq!((copy.verdict, copy.cause), (Verdict::ActiveFromCopy, Some(Cause::ProgramTooOld)));
    let nobody = story.desk.ask(&unknown).await;
    assert_eq!((nobody.verdict, nobody.cause), (Verdict::NoData, Some(Cause::ProgramTooOld)));
    story.desk.report_use(copy.lookup_id, true).await.expect("recorded on the copy");

    // Asked again and again it takes nothing of the queue: the server's health says that it would be in vain.
    for _ in 0..3 {
        let said = story.desk.sync_now().await.expect("asked");
        assert!(is_too_old(&said), "{said:?}");
        assert_eq!((said.pending, said.needs_attention), (2, 0));
    }
    let items = story.desk.outbox().await.expect("read").items;
    assert_eq!(items.iter().map(|item| item.attempts).sum::<u32>(), 1);

    story.server.serve_since(None).await;
    let said = story.desk.sync_now().await.expect("asked");
    assert_eq!((said.online, said.cause, said.minimum_version), (true, None, None));
    assert_eq!((said.pending, said.lookups, said.needs_attention), (0, 0, 0));
    assert_eq!(story.desk.ask(&unknown).await.verdict, Verdict::Active);
}

#[tokio::test]
async fn who_is_known_gets_in_without_the_server_and_who_is_not_is_told_which_version_to_install() {
    let clock = HandClock::new();
    let mut server = TestServer::start_embedded(&clock).await;
    let account = server.demo.accounts[0].clone();
    let mut known = TestDesk::signed_in(&server, &clock, 1).await;
    server.serve_since(Some(FAR)).await;

    let stranger = TestDesk::new(&server.url(), &clock, 2);
    let error = stranger.enter(&account).await.expect_err("the server does not serve it");
    assert_eq!(error.code(), ErrorCode::ProgramTooOld);
    assert_eq!(error.params().get("version"), Some(&Param::Text(FAR.to_owned())));

    known.switch_off();
    known.switch_on().await.expect("opened");
    known.enter(&account).await.expect("let in, as while there is no server");
    assert!(is_too_old(&known.status().expect("read")));
    server.serve_since(Some("0.0.1")).await;
    stranger.enter(&account).await.expect("served");
}
