//! Coming back without the server, and a desk that was left alone.

use hanna_desk::ErrorCode;
use hanna_domain::{DocumentKind, Redacted, Verdict};
use hanna_server::demo::Account;
use hanna_testkit::desks::TestDesk;
use hanna_wire::me::Role;
use jiff::SignedDuration;

use crate::Story;

/// Two operators of one business and branch.
fn two_operators(story: &Story) -> (Account, Account) {
    let accounts = &story.server.demo.accounts;
    let at_work =
        |account: &&Account| account.roles.contains(&Role::Operator) && !account.branches.is_empty();
    let pair = |(n, first): (usize, &Account)| {
        let shares = |other: &&Account| other.branches.iter().any(|branch| first.branches.contains(branch));
        let second = accounts.iter().skip(n + 1).filter(at_work).find(shares)?;
        Some((first.clone(), second.clone()))
    };
    let mut firsts = accounts.iter().enumerate().filter(|(_, account)| at_work(account));
    firsts.find_map(pair).expect("two operators of one branch")
}

async fn sign_in(desk: &TestDesk, account: &Account, password: &str) -> Result<(), ErrorCode> {
    let signed = desk.sign_in(&account.username, &Redacted::new(password.to_owned())).await;
    signed.map(|_| ()).map_err(|error| error.code())
}

#[tokio::test]
async fn known_operators_come_and_go_while_the_server_is_away_and_their_uses_stay_theirs() {
    let mut story = Story::begin().await;
    let (ana, luis) = two_operators(&story);
    for account in [&luis, &ana] {
        story.desk.enter(account).await.expect("signed in");
    }
    story.desk.ask(story.active(0)).await;
    story.desk.ask(story.active(1)).await;
    story.server.stop().await;
    for (n, account) in [(0, &ana), (1, &luis)] {
        sign_in(&story.desk, account, &account.password).await.expect("signed in without the server");
        let card = story.desk.ask(story.active(n)).await;
        story.desk.report_use(card.lookup_id, false).await.expect("recorded");
    }
    let names: Vec<String> =
        story.desk.outbox().await.expect("outbox").items.into_iter().map(|item| item.operator_name).collect();
    assert_ne!(names[0], names[1], "each use stays with who reported it");
    let stranger =
        sign_in(&story.desk, &Account { username: "nadie@example.co".into(), ..ana.clone() }, "x").await;
    assert_eq!(stranger, Err(ErrorCode::ServerUnreachable), "never signed in here");

    story.server.resume();
    story.desk.enter(&luis).await.expect("signed in");
    let status = story.desk.sync_now().await.expect("synced");
    assert_eq!((status.pending, status.needs_attention), (0, 0), "whoever is signed in sends for all");
}

#[tokio::test]
async fn wrong_passwords_wait_longer_and_the_wait_survives_a_restart() {
    let mut story = Story::begin().await;
    let account = story.server.demo.accounts[0].clone();
    story.server.stop().await;
    for _ in 0..3 {
        assert_eq!(sign_in(&story.desk, &account, "no es").await, Err(ErrorCode::WrongCredentials));
    }
    assert_eq!(sign_in(&story.desk, &account, &account.password).await, Err(ErrorCode::SlowDown));
    story.desk.switch_off();
    story.desk.switch_on().await.expect("opened");
    // Without a keyring the password opens the databases first, and proves itself by that.
    sign_in(&story.desk, &account, &account.password).await.expect("proved by the key");
    story.desk.lock_desk().await.expect("locked");
    let unlock = async |password: &str| {
        let unlocked = story.desk.unlock_desk(&Redacted::new(password.to_owned())).await;
        unlocked.map(|session| session.locked).map_err(|error| error.code())
    };
    assert_eq!(unlock(&account.password).await, Err(ErrorCode::SlowDown), "still on the disk");
    story.clock.advance(SignedDuration::from_secs(6));
    assert_eq!(unlock("no es").await, Err(ErrorCode::WrongCredentials));
    assert_eq!(unlock(&account.password).await, Err(ErrorCode::SlowDown), "now for ten seconds");
    story.clock.advance(SignedDuration::from_secs(11));
    assert_eq!(unlock(&account.password).await, Ok(false));
}

#[tokio::test]
async fn a_locked_desk_answers_nobody_and_goes_on_sending() {
    let mut story = Story::begin().await;
    let card = story.desk.ask(story.active(0)).await;
    story.server.stop().await;
    story.desk.report_use(card.lookup_id, false).await.expect("recorded");
    story.desk.lock_desk().await.expect("locked");
    assert!(story.desk.session().expect("a session").locked);
    let refused = story.desk.lookup(DocumentKind::CC, story.active(0)).await.expect_err("answered");
    assert_eq!(refused.code(), ErrorCode::Locked);
    let refused = story.desk.report_use(card.lookup_id, true).await.expect_err("recorded");
    assert_eq!(refused.code(), ErrorCode::Locked);
    story.server.resume();
    assert_eq!(story.desk.sync_now().await.expect("synced").pending, 0);
}

#[tokio::test]
async fn after_too_many_days_or_with_a_wrong_clock_only_the_server_lets_in() {
    let mut story = Story::begin().await;
    let account = story.server.demo.accounts[0].clone();
    story.server.stop().await;
    story.clock.advance(SignedDuration::from_hours(-24));
    assert_eq!(sign_in(&story.desk, &account, &account.password).await, Err(ErrorCode::ClockWrong));
    story.clock.advance(SignedDuration::from_hours(24 * 9));
    assert_eq!(sign_in(&story.desk, &account, &account.password).await, Err(ErrorCode::OfflineTooLong));
    story.server.resume();
    sign_in(&story.desk, &account, &account.password).await.expect("the server lets in");
    assert_eq!(story.desk.ask(story.active(0)).await.verdict, Verdict::Active);
}
