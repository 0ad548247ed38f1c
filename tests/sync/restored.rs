//! A server that was restored from a backup, and a PC that the caja revoked.

use std::path::Path;

use hanna_desk::ErrorCode;
use hanna_desk::view::HistoryQuery;
use hanna_domain::{DocumentKind, Redacted, colombia};
use hanna_server::Actor;
use hanna_server::Database;
use hanna_server::backup::{self, BackupError};
use hanna_testkit::chance::Seeded;
use hanna_testkit::desks::TestDesk;
use hanna_testkit::faults::Fault;
use jiff::SignedDuration;

use crate::Story;

async fn uses(desk: &TestDesk) -> usize {
    let day = colombia::day_of(desk.clock.read());
    let query = HistoryQuery { from: day, to: day, branch_id: None };
    let history = desk.history(query).await.expect("history");
    assert!(history.complete);
    history.rows.len()
}

/// Looks somebody up, reports the use, delivers it.
async fn report(story: &Story, n: usize) -> hanna_desk::view::Status {
    let card = story.desk.ask(story.active(n)).await;
    story.desk.report_use(card.lookup_id, false).await.expect("recorded");
    story.desk.sync_now().await.expect("synced")
}

#[tokio::test]
async fn a_server_restored_from_yesterday_gets_everything_again_and_nothing_twice() {
    let mut story = Story::begin_embedded().await;
    report(&story, 0).await;
    let file = story.server.folder.path().join("ayer.sqlite");
    let database = Database::Sqlite(story.server.database());
    backup::back_up(&database, &file).expect("backed up while it serves");
    report(&story, 1).await;
    // The key that signs what comes now is not in the backup.
    story.server.app().rotate_keys(None).await.expect("rotated");
    story.clock.advance(SignedDuration::from_mins(2));
    for n in 2..4 {
        report(&story, n).await;
    }
    let (entropy, now) = (Seeded::new(9), story.clock.read());
    let running = backup::restore(&file, &database, true, entropy.as_ref(), &Actor::Server, now);
    assert!(matches!(running, Err(BackupError::InUse(_))), "not under a server that runs: {running:?}");
    let mut restored = None;
    let restore = |_: &Path| {
        restored = Some(
            backup::restore(&file, &database, true, entropy.as_ref(), &Actor::Server, now).expect("restored"),
        );
    };
    story.server.between_lives(restore).await;
    assert_eq!(restored.expect("restored").keys_brought, Some(1));
    assert_eq!(uses(&TestDesk::signed_in(&story.server, &story.clock, 9).await).await, 1, "it forgot three");
    // The next delivery shows it; the one after brings what was lost.
    report(&story, 4).await;
    let status = story.desk.sync_now().await.expect("synced");
    assert_eq!((status.pending, status.needs_attention), (0, 0));
    let witness = TestDesk::signed_in(&story.server, &story.clock, 10).await;
    assert_eq!(uses(&witness).await, 5);
    assert_eq!(uses(&story.desk).await, 5);
}

#[tokio::test]
async fn a_revoked_pc_forgets_people_and_session_and_still_delivers_what_it_recorded() {
    let mut story = Story::begin().await;
    let card = story.desk.ask(story.active(0)).await;
    story.server.stop().await;
    story.desk.report_use(card.lookup_id, false).await.expect("recorded");
    story.server.resume();
    for device in story.server.app().devices().await.expect("listed") {
        story.server.app().revoke_device(device.id).await.expect("revoked");
    }
    // The outbox is not let through at once, so that the desk hears of it first.
    story.desk.line.next(Fault::Fail(hanna_desk::backend::FailureKind::Unreachable));
    story.desk.sync_now().await.expect("tried");
    story.desk.lookup(DocumentKind::CC, story.active(0)).await.expect("no data");
    assert_eq!(story.desk.session().expect_err("a session").code(), ErrorCode::NotSignedIn);
    let account = story.server.demo.accounts[0].clone();
    let sign_in = story.desk.sign_in(&account.username, &Redacted::new(account.password.clone())).await;
    assert_eq!(sign_in.expect_err("let in").code(), ErrorCode::DeviceRevoked);
    let status = story.desk.sync_now().await.expect("synced");
    assert_eq!((status.pending, status.needs_attention), (0, 0), "what it had recorded is delivered");
    assert_eq!(status.copies_until, None);

    story.server.stop().await;
    let offline = story.desk.sign_in(&account.username, &Redacted::new(account.password.clone())).await;
    assert_eq!(
        offline.expect_err("let in").code(),
        ErrorCode::ServerUnreachable,
        "nobody is known here any more"
    );
}
