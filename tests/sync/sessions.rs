//! Who is signed in, what ends it, and what that never costs.

use hanna_desk::ErrorCode;
use hanna_domain::{DocumentKind, Redacted, Verdict};
use hanna_testkit::clock::HandClock;
use hanna_testkit::desks::TestDesk;
use hanna_testkit::server::TestServer;
use jiff::SignedDuration;

use crate::Story;

#[tokio::test]
async fn a_wrong_password_says_so_and_changes_nothing() {
    let clock = HandClock::new();
    let server = TestServer::start(&clock).await;
    let desk = TestDesk::new(&server.url(), &clock, 1);
    let account = &server.demo.accounts[0];
    for (user, password) in
        [(account.username.as_str(), "no es la clave"), ("nadie@example.co", "no es la clave")]
    {
        let error = desk.sign_in(user, &Redacted::new(password.to_owned())).await.expect_err("signed in");
        assert_eq!(error.code(), ErrorCode::WrongCredentials);
        assert!(desk.start().session.is_none());
    }
    desk.enter(account).await.expect("the right one");
}

#[tokio::test]
async fn an_account_without_branches_signs_in_and_can_look_nobody_up() {
    let clock = HandClock::new();
    let server = TestServer::start(&clock).await;
    let desk = TestDesk::new(&server.url(), &clock, 1);
    let account = server
        .demo
        .accounts
        .iter()
        .find(|account| {
            account.branches.is_empty() && account.roles.contains(&hanna_wire::me::Role::Operator)
        })
        .expect("an operator without branches");
    let session = desk.enter(account).await.expect("signed in");
    assert!(session.branches.is_empty());
    let error = desk.lookup(DocumentKind::CC, "1045678901").await.expect_err("looked up");
    assert_eq!(error.code(), ErrorCode::NoBranches);
}

#[tokio::test]
async fn the_session_is_refreshed_without_anybody_noticing() {
    let story = Story::begin().await;
    for _ in 0..5 {
        story.clock.advance(SignedDuration::from_hours(3));
        let card = story.desk.ask(story.active(0)).await;
        assert_eq!(card.verdict, Verdict::Active);
    }
    assert!(!story.desk.status().expect("status").sign_in_needed);
}

#[tokio::test]
async fn a_session_that_ends_in_the_middle_of_a_report_loses_nothing() {
    // The server's clock is its own, so that its session can be over while the card is still good.
    let server_clock = HandClock::new();
    let server = TestServer::start(&server_clock).await;
    let desk = TestDesk::new(&server.url(), &HandClock::at(server_clock.read()), 1);
    let account = &server.demo.accounts[0];
    desk.enter(account).await.expect("signed in");
    let card = desk.ask(&server.demo.documents.active[0]).await;

    server_clock.advance(SignedDuration::from_hours(24 * 31));
    let reported = desk.report_use(card.lookup_id, false).await.expect("recorded all the same");
    assert!(reported.reported.is_some());
    let status = desk.sync_now().await.expect("tried");
    assert_eq!((status.pending, status.sign_in_needed), (1, true));
    assert!(desk.start().session.is_some(), "the operator is still at the desk");

    desk.enter(account).await.expect("signed in again");
    let status = desk.sync_now().await.expect("synced");
    assert_eq!((status.pending, status.needs_attention, status.sign_in_needed), (0, 0, false));
}

#[tokio::test]
async fn signing_out_with_something_unsent_asks_first_and_the_next_operator_sends_it() {
    let mut story = Story::begin().await;
    let card = story.desk.ask(story.active(0)).await;
    story.server.stop().await;
    story.desk.report_use(card.lookup_id, false).await.expect("recorded");
    let error = story.desk.sign_out(false).await.expect_err("signed out at once");
    assert_eq!(error.code(), ErrorCode::UnsentItems);
    story.desk.sign_out(true).await.expect("signed out on confirmation");
    assert!(story.desk.start().session.is_none());
    assert_eq!(story.desk.status().expect("status").pending, 1);

    story.server.resume();
    let first = &story.server.demo.accounts[0];
    let colleague = story
        .server
        .demo
        .accounts
        .iter()
        .find(|other| {
            other.username != first.username
                && other.branches.iter().any(|code| first.branches.contains(code))
        })
        .expect("a colleague at one of the same branches");
    story.desk.enter(colleague).await.expect("the colleague signs in");
    let status = story.desk.sync_now().await.expect("synced");
    assert_eq!((status.pending, status.needs_attention), (0, 0));
}

#[tokio::test]
async fn an_account_of_the_caja_is_told_that_it_works_in_the_console() {
    let story = Story::begin().await;
    let demo = &story.server.demo;
    let caja =
        demo.accounts.iter().find(|account| account.totp_secret.is_some()).expect("of the caja").clone();
    story.desk.sign_out(true).await.expect("signed out");
    let refused = story.desk.enter(&caja).await.expect_err("let in");
    assert_eq!(refused.code(), ErrorCode::SecondFactorRequired);

    let app = story.server.app();
    let id = app.account_of(&caja.username).await.expect("asked").expect("there");
    app.reset_second_factor(id).await.expect("reset");
    let refused = story.desk.enter(&caja).await.expect_err("let in");
    assert_eq!(refused.code(), ErrorCode::SecondFactorRequired, "nor before it has set one up");
    assert!(story.desk.start().session.is_none());
    story.desk.enter(&story.server.demo.accounts[0]).await.expect("an operator signs in");
}

#[tokio::test]
async fn the_server_is_told_how_much_still_waits() {
    let story = Story::begin().await;
    let card = story.desk.ask(story.active(0)).await;
    story.desk.report_use(card.lookup_id, false).await.expect("recorded");
    story.desk.sync_now().await.expect("synced");
    let devices = story.server.app().devices().await.expect("listed");
    assert_eq!(devices[0].waiting, Some(0));
}

#[tokio::test]
async fn a_second_program_on_the_same_folder_is_refused() {
    let story = Story::begin().await;
    let error = story.desk.open_again().expect_err("opened twice");
    assert_eq!(error.code(), ErrorCode::AlreadyRunning);
}

#[tokio::test]
async fn nothing_personal_stands_in_clear_in_the_data_folder() {
    let story = Story::begin().await;
    let account = &story.server.demo.accounts[0];
    let mut secrets = vec![account.username.clone(), account.password.clone()];
    for n in 0..20 {
        let card = story.desk.ask(story.active(n)).await;
        let person = card.affiliate.expect("a person");
        secrets.extend([card.document.number().to_owned(), person.first_surname, person.first_name]);
        story.desk.report_use(card.lookup_id, true).await.expect("recorded");
    }
    story.desk.sync_now().await.expect("synced");
    let mut files = 0;
    for entry in std::fs::read_dir(story.desk.folder()).expect("listed") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("read");
        files += 1;
        for secret in &secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} holds something personal in clear", path.display());
        }
    }
    assert!(files >= 4, "the databases and the key file are there");
}
