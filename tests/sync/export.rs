//! *Exportar pendientes*: what a PC could not deliver leaves it in a file, and counts once however it comes.

use std::path::PathBuf;

use hanna_desk::ErrorCode;
use hanna_desk::store::set_aside_in;
use hanna_desk::view::{HistoryQuery, Notice};
use hanna_domain::outbox::VoidReason;
use hanna_domain::{DocumentKind, Redacted, UsageState, Verdict, colombia};
use hanna_testkit::desks::TestDesk;

use crate::Story;

/// Uses of so many people, recorded while the server is away; it stays away.
async fn offline_uses(story: &mut Story, people: std::ops::Range<usize>) {
    for n in people.clone() {
        story.desk.ask(story.active(n)).await;
    }
    story.server.stop().await;
    for n in people {
        let card = story.desk.ask(story.active(n)).await;
        assert_eq!(card.verdict, Verdict::ActiveFromCopy);
        story.desk.report_use(card.lookup_id, false).await.expect("recorded");
    }
}

async fn uses(server: &hanna_testkit::server::TestServer, desk: &TestDesk) -> Vec<(UsageState, String)> {
    let day = colombia::day_of(desk.clock.read());
    let query = HistoryQuery { from: day, to: day, branch_id: None };
    let witness = TestDesk::signed_in(server, &desk.clock, 77).await;
    let history = witness.history(query).await.expect("history");
    assert!(history.complete);
    history.rows.into_iter().map(|row| (row.state, row.operator_name)).collect()
}

fn file(story: &Story, name: &str) -> PathBuf {
    story.server.folder.path().join(name)
}

#[tokio::test]
async fn uses_that_left_by_file_count_once_and_the_pc_delivers_them_in_vain_later() {
    let mut story = Story::begin().await;
    offline_uses(&mut story, 0..3).await;
    let last = story.desk.history(HistoryQuery {
        from: colombia::day_of(story.clock.read()),
        to: colombia::day_of(story.clock.read()),
        branch_id: None,
    });
    let last = last.await.expect("history").rows[0].id;
    story.desk.void_use(last, VoidReason::NotUsed, "").await.expect("taken back");
    let path = file(&story, "pendientes.hanna");
    let exported = story.desk.export_outbox(path.clone()).await.expect("exported");
    assert_eq!(
        (exported.items, exported.lookups),
        (4, 3),
        "three uses, a void, and the lookups of the copies"
    );
    assert_eq!(exported.path, path.to_string_lossy());
    assert_eq!(story.desk.status().expect("status").pending, 4, "they wait on");

    let app = story.server.app();
    let first = app.import_outbox(&path).await.expect("imported");
    assert_eq!((first.items, first.accepted, first.already_there), (7, 7, 0));
    assert_eq!(first.device_name, "RECEPCION-1");
    let second = app.import_outbox(&path).await.expect("imported");
    assert_eq!((second.items, second.accepted, second.already_there), (7, 0, 7));
    story.server.resume();
    assert_eq!(uses(&story.server, &story.desk).await.len(), 3);

    let status = story.desk.sync_now().await.expect("synced");
    assert_eq!((status.pending, status.lookups, status.needs_attention), (0, 0, 0));
    let mut uses = uses(&story.server, &story.desk).await;
    uses.sort_by_key(|(state, _)| *state);
    let held: Vec<UsageState> = uses.iter().map(|(state, _)| *state).collect();
    assert_eq!(held, [UsageState::Accepted, UsageState::Accepted, UsageState::Voided]);
    let ana = story.desk.session().expect("signed in").operator.display_name;
    assert!(
        uses.iter().all(|(_, operator)| *operator == ana),
        "they stay attributed to who made them: {uses:?}"
    );
    let third = story.server.app().import_outbox(&path).await.expect("imported");
    assert_eq!(third.already_there, 7);
    let nothing = story.desk.export_outbox(path).await.expect_err("exported");
    assert_eq!(nothing.code(), ErrorCode::NothingToExport);
}

#[tokio::test]
async fn a_file_changed_on_its_way_records_nothing_and_one_for_another_caja_neither() {
    let mut story = Story::begin().await;
    offline_uses(&mut story, 0..2).await;
    let path = file(&story, "pendientes.hanna");
    story.desk.export_outbox(path.clone()).await.expect("exported");
    let whole = std::fs::read(&path).expect("read");
    for number in [story.active(0), story.active(1)] {
        assert!(!whole.windows(number.len()).any(|bytes| bytes == number.as_bytes()), "a number in clear");
    }
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    for (bytes, says) in [(changed, "no es auténtico"), (whole[..whole.len() - 9].to_vec(), "incompleto")] {
        std::fs::write(&path, bytes).expect("written");
        let refused = story.server.app().import_outbox(&path).await.expect_err("taken in");
        assert!(refused.to_string().contains(says), "{refused}");
    }
    std::fs::write(&path, &whole).expect("as it was");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let database = hanna_server::Database::Sqlite(elsewhere.path().join("hanna.sqlite"));
    let chance = hanna_testkit::chance::Seeded::new(99);
    let config = hanna_server::Config::new(database);
    let other = hanna_server::App::open(config, std::sync::Arc::clone(&story.clock) as _, chance)
        .await
        .expect("opened");
    let refused = other.import_outbox(&path).await.expect_err("taken in");
    assert!(refused.to_string().contains("otra caja"), "{refused}");
    story.server.resume();
    assert!(uses(&story.server, &story.desk).await.is_empty());
    assert_eq!(story.desk.sync_now().await.expect("synced").pending, 0, "the PC still has them");
}

#[tokio::test]
async fn a_revoked_pc_without_a_session_gives_what_it_recorded_before_to_the_caja() {
    let mut story = Story::begin().await;
    offline_uses(&mut story, 0..2).await;
    let account = story.server.demo.accounts[0].clone();
    story.desk.switch_off();
    story.server.resume();
    for device in story.server.app().devices().await.expect("listed") {
        story.server.app().revoke_device(device.id).await.expect("revoked");
    }
    story.desk.switch_on().await.expect("opens");
    let path = file(&story, "pendientes.hanna");
    let closed = story.desk.export_outbox(path.clone()).await.expect_err("exported");
    assert_eq!(closed.code(), ErrorCode::NotSignedIn, "without a keyring the outbox waits for a password");
    let password = Redacted::new(account.password.clone());
    let refused = story.desk.sign_in(&account.username, &password).await.expect_err("let in");
    assert_eq!(refused.code(), ErrorCode::DeviceRevoked);
    assert_eq!(story.desk.session().expect_err("a session").code(), ErrorCode::NotSignedIn);
    let exported = story.desk.export_outbox(path.clone()).await.expect("exported");
    assert_eq!(exported.items, 2);
    let imported = story.server.app().import_outbox(&path).await.expect("imported");
    assert_eq!((imported.accepted, imported.refused), (4, 0), "two uses and two lookups");
    assert_eq!(uses(&story.server, &story.desk).await.len(), 2);
}

#[tokio::test]
async fn a_pc_that_was_never_told_what_to_seal_with_asks_and_says_so_when_nobody_answers() {
    let mut story = Story::begin().await;
    // As one that was signed in when server and program were updated.
    story.desk = TestDesk::new(&story.server.url(), &story.clock, 2);
    story.desk.line.tell_of_exports(false);
    story.desk.enter(&story.server.demo.accounts[0]).await.expect("signed in");
    offline_uses(&mut story, 0..1).await;
    let path = file(&story, "pendientes.hanna");
    let unknown = story.desk.export_outbox(path.clone()).await.expect_err("exported");
    assert_eq!(unknown.code(), ErrorCode::ExportKeyUnknown);
    assert!(!path.exists());
    story.server.resume();
    story.desk.line.tell_of_exports(true);
    story.desk.export_outbox(path.clone()).await.expect("exported");
    assert_eq!(story.server.app().import_outbox(&path).await.expect("imported").refused, 0);
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_said_and_nothing_is_lost() {
    let mut story = Story::begin().await;
    offline_uses(&mut story, 0..1).await;
    let nowhere = file(&story, "no/hay/pendientes.hanna");
    let failed = story.desk.export_outbox(nowhere).await.expect_err("exported");
    assert_eq!(failed.code(), ErrorCode::FileFailed);
    #[cfg(target_os = "linux")]
    {
        // What is written beside the file first goes to a device that is always full.
        let path = file(&story, "lleno.hanna");
        std::os::unix::fs::symlink("/dev/full", file(&story, "lleno.hanna.new")).expect("linked");
        let full = story.desk.export_outbox(path.clone()).await.expect_err("exported");
        assert_eq!(full.code(), ErrorCode::DiskFull);
        assert!(!path.exists());
    }
    assert_eq!(story.desk.status().expect("status").pending, 1);
}

#[tokio::test]
async fn an_outbox_that_was_set_aside_is_brought_back_and_each_of_its_uses_counts_once() {
    let mut story = Story::begin().await;
    let account = story.server.demo.accounts[0].clone();
    let card = story.desk.ask(story.active(9)).await;
    story.desk.report_use(card.lookup_id, false).await.expect("recorded");
    assert_eq!(story.desk.sync_now().await.expect("synced").pending, 0);
    offline_uses(&mut story, 0..6).await;
    story.desk.switch_off();
    let path = story.desk.folder().join("outbox.sqlite");
    while story.desk.folder().join("outbox.sqlite-wal").exists() {
        tokio::task::yield_now().await;
    }
    // A bad sector near the end of the file.
    let mut bytes = std::fs::read(&path).expect("read");
    let at = (bytes.len() / 4096 - 1) * 4096 + 500;
    bytes[at] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    story.server.resume();
    story.desk.switch_on().await.expect("opens");
    story.desk.enter(&account).await.expect("signed in");
    assert!(story.desk.start().notices.contains(&Notice::OutboxSetAside));
    assert_eq!(story.desk.status().expect("status").pending, 0);
    // Work goes on meanwhile, in the new outbox.
    let card = story.desk.lookup(DocumentKind::CC, story.active(10)).await.expect("a card");
    story.desk.report_use(card.lookup_id, false).await.expect("recorded");

    let recovered = story.desk.recover_set_aside().await.expect("recovered");
    assert!(recovered.is_damaged || recovered.added > 0, "{recovered:?}");
    assert_eq!(recovered.already_there, 0);
    assert!(set_aside_in(story.desk.folder()).expect("listed").is_empty(), "it is noted as brought back");
    assert!(!story.desk.start().notices.contains(&Notice::OutboxSetAside));
    let again = story.desk.recover_set_aside().await.expect("nothing to do");
    assert_eq!(again.added, 0);
    let status = story.desk.sync_now().await.expect("synced");
    assert_eq!((status.pending, status.lookups, status.needs_attention), (0, 0, 0));
    // The one delivered before, the one of meanwhile, and every use that could be read.
    let uses = uses(&story.server, &story.desk).await;
    assert!((5..=8).contains(&uses.len()), "{uses:?}");
    assert!(uses.iter().all(|(state, _)| *state == UsageState::Accepted));
}
