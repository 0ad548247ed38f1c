//! Whatever answers instead of Hanna, or in her name, nobody is let in and nothing is lost.

use hanna_desk::ErrorCode;
use hanna_desk::backend::FailureKind;
use hanna_domain::{Cause, Verdict};
use hanna_testkit::clock::HandClock;
use hanna_testkit::desks::TestDesk;
use hanna_testkit::faults::Fault;
use hanna_testkit::impostor::Impostor;
use hanna_testkit::server::TestServer;

use crate::Story;

/// What becomes of a genuine statement on its way.
type Forgery = fn(String) -> String;

#[tokio::test]
async fn what_is_not_hanna_cannot_sign_anybody_in() {
    let clock = HandClock::new();
    let server = TestServer::start(&clock).await;
    let account = &server.demo.accounts[0];
    for (status, media_type, body, code) in [
        (200, "text/html", "<html>Bienvenido al wifi</html>", ErrorCode::AnswerUnreadable),
        (200, "application/json", "{\"access_token\":\"abc", ErrorCode::AnswerUnreadable),
        (302, "text/html", "", ErrorCode::AnswerUnreadable),
        (401, "text/html", "<html>proxy</html>", ErrorCode::AnswerUnreadable),
        (500, "text/plain", "boom", ErrorCode::ServerFailed),
    ] {
        let impostor = Impostor::answering(status, media_type, body).await;
        let desk = TestDesk::new(&impostor.url(), &clock, 9);
        let error = desk.enter(account).await.expect_err("signed in by an impostor");
        assert_eq!(error.code(), code, "{status} {body}");
        assert!(desk.start().session.is_none());
    }
}

#[tokio::test]
async fn an_unreachable_server_at_the_first_start_is_said_to_be_unreachable() {
    let clock = HandClock::new();
    let mut server = TestServer::start(&clock).await;
    server.stop().await;
    let desk = TestDesk::new(&server.url(), &clock, 9);
    let error = desk.enter(&server.demo.accounts[0]).await.expect_err("no server");
    assert_eq!(error.code(), ErrorCode::ServerUnreachable);
    server.resume();
    desk.enter(&server.demo.accounts[0]).await.expect("signed in once it is there");
}

#[tokio::test]
async fn a_failing_server_leaves_the_copy_and_a_refusing_one_does_not() {
    let story = Story::begin().await;
    story.desk.ask(story.active(0)).await;
    for (failure, cause) in [
        (FailureKind::ServerFailed, Cause::ServerFailed),
        (FailureKind::Unreadable, Cause::Unreadable),
        (FailureKind::SlowDown, Cause::SlowDown),
        (FailureKind::TimedOut, Cause::TimedOut),
    ] {
        story.desk.line.next(Fault::Fail(failure));
        let card = story.desk.ask(story.active(0)).await;
        assert_eq!((card.verdict, card.cause), (Verdict::ActiveFromCopy, Some(cause)));
    }
    let refusal = FailureKind::Refused(hanna_wire::problem::ErrorCode::BranchNotAllowed);
    story.desk.line.next(Fault::Fail(refusal));
    let card = story.desk.ask(story.active(0)).await;
    assert_eq!((card.verdict, card.cause), (Verdict::NoData, Some(Cause::Refused)));
}

#[tokio::test]
async fn a_statement_that_cannot_be_believed_is_never_green_even_with_a_copy() {
    let story = Story::begin().await;
    story.desk.ask(story.active(0)).await;
    let forgeries: [(Forgery, Cause); 3] = [
        // The last bytes of the signature.
        (|jws| jws[..jws.len() - 8].to_owned() + "AAAAAAAA", Cause::BadSignature),
        // Cut short.
        (|jws| jws[..jws.len() / 2].to_owned(), Cause::BadSignature),
        // A header that names another key.
        (|jws| rename_key(&jws), Cause::UnknownKey),
    ];
    for (forge, cause) in forgeries {
        story.desk.line.next(Fault::Forge(forge));
        let card = story.desk.ask(story.active(0)).await;
        assert_eq!((card.verdict, card.cause), (Verdict::NoData, Some(cause)));
        assert!(!card.may_report && card.affiliate.is_none());
        let error = story.desk.report_use(card.lookup_id, true).await.expect_err("reported on nothing");
        assert_eq!(error.code(), ErrorCode::NotReportable);
    }
    let genuine = story.desk.ask(story.active(0)).await;
    assert_eq!(genuine.verdict, Verdict::Active, "the line is good again");
}

#[tokio::test]
async fn another_persons_statement_is_never_shown() {
    use std::sync::OnceLock;
    static OTHER: OnceLock<String> = OnceLock::new();
    let story = Story::begin().await;
    // Keep a genuine statement about somebody else, and play it back.
    story.desk.line.next(Fault::Forge(|jws| OTHER.get_or_init(|| jws).clone()));
    story.desk.ask(story.active(1)).await;
    story.desk.line.next(Fault::Forge(|_| OTHER.get().cloned().unwrap_or_default()));
    let card = story.desk.ask(story.active(0)).await;
    assert_eq!((card.verdict, card.cause), (Verdict::NoData, Some(Cause::OtherSubject)));
    // Nor an old answer about the same person.
    story.desk.line.next(Fault::Forge(|_| OTHER.get().cloned().unwrap_or_default()));
    let card = story.desk.ask(story.active(1)).await;
    assert_eq!((card.verdict, card.cause), (Verdict::NoData, Some(Cause::OtherSubject)));
}

#[tokio::test]
async fn a_lost_answer_doubles_nothing() {
    let story = Story::begin().await;
    let card = story.desk.ask(story.active(0)).await;
    story.desk.report_use(card.lookup_id, false).await.expect("recorded");
    story.desk.line.next(Fault::LoseAnswer);
    assert_eq!(story.desk.sync_now().await.expect("tried").pending, 1, "the answer was lost");
    assert_eq!(story.desk.sync_now().await.expect("synced").pending, 0);
    let day = hanna_domain::colombia::day_of(story.clock.read());
    let query = hanna_desk::view::HistoryQuery { from: day, to: day, branch_id: None };
    let history = story.desk.history(query).await.expect("history");
    assert!(history.complete);
    assert_eq!(history.rows.len(), 1);
}

/// The same JWS with another `kid` in its header.
fn rename_key(jws: &str) -> String {
    let (_, rest) = jws.split_once('.').expect("a JWS");
    // {"typ":"hanna-statement+jwt","alg":"EdDSA","kid":"nobody"}
    format!("eyJ0eXAiOiJoYW5uYS1zdGF0ZW1lbnQrand0IiwiYWxnIjoiRWREU0EiLCJraWQiOiJub2JvZHkifQ.{rest}")
}
