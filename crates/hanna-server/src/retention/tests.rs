use hanna_cluster::Cluster;
use hanna_domain::outbox::ItemCode;
use hanna_wire::path;
use jiff::ToSpan;

use super::*;
use crate::audit::tests::make_busy;
use crate::audit::tests::of_people::{export, search};
use crate::audit::{Act, NewAct};
use crate::testing::Bench;

/// Everything that happened a while ago, sealed, at a server that keeps records for two years; then two years and some passed,
/// and somebody was looked up.
async fn aged(bench: Bench) -> Bench {
    let bench = make_busy(bench).await.with(|config| config.keep_records_days = KEEP_DAYS_MIN).await;
    bench.clock.forward(Span::new().hours(24 * 800));
    let desk = bench.desk("RECEPCION-2").await;
    desk.look_up(&bench, 0, &bench.demo.documents.active[0]).await;
    bench.app.seal_audit().await.expect("sealed");
    bench
}

async fn purged(bench: &Bench) -> Removed {
    bench.app.purge(bench.app.keeps_from(bench.clock.at()), false).await.expect("purged")
}

async fn findings(app: &App) -> Vec<String> {
    let found = app.verify_audit(None).await.expect("read");
    found.findings.iter().map(ToString::to_string).collect()
}

async fn what_is_purged_is_gone_and_the_rest_is_verified(bench: Bench) {
    let bench = aged(bench).await;
    let number = bench.demo.documents.active[0].clone();
    let before = bench.app.verify_audit(None).await.expect("read");
    let day = bench.app.keeps_from(bench.clock.at());
    let planned = bench.app.purgeable(day).await.expect("counted");
    assert_eq!(bench.app.verify_audit(None).await.expect("read"), before, "counting changes nothing");
    assert_eq!(search(&bench, &number).await.kept_from, None);

    let removed = purged(&bench).await;
    assert_eq!(removed, planned);
    assert!(
        removed.acts > 10 && removed.uses == 1 && removed.voids == 1 && removed.sessions > 0,
        "{removed:?}"
    );
    assert_eq!(purged(&bench).await, Removed::default(), "once a day");
    bench.app.seal_audit().await.expect("sealed");
    let after = bench.app.verify_audit(before.anchor).await.expect("read");
    assert_eq!(after.findings, []);
    let so_far = after.purged.expect("purged");
    assert_eq!(
        (so_far.acts, so_far.last.purge.kept_from),
        (removed.acts, bench.app.kept_from(bench.clock.at()))
    );
    assert_eq!(after.sealed + so_far.acts, before.sealed + 2, "the search, and the purge");
    assert_eq!(after.blocks, before.blocks + 1);

    let found = search(&bench, &number).await;
    assert_eq!((found.lookups.len(), found.kept_from), (1, Some(so_far.last.purge.kept_from)));
    assert!(found.accesses.len() == 1, "the search of before the purge");
    let data = export(&bench, &number).await;
    assert!(data.uses.is_empty() && data.registered.is_some(), "who is affiliated is no record");
    // When the rest is old, another purge goes on from there.
    bench.clock.forward(Span::new().hours(24 * 800));
    bench.desk("RECEPCION-2").await;
    bench.app.seal_audit().await.expect("sealed");
    let again = purged(&bench).await;
    assert!(again.acts > 3 && again.lookups == 1, "{again:?}");
    let bench = bench.restart().await;
    bench.app.seal_audit().await.expect("sealed");
    let last = bench.app.verify_audit(None).await.expect("read");
    assert_eq!(last.findings, []);
    assert_eq!(last.purged.expect("purged").acts, removed.acts + again.acts);
    assert!(bench.app.metrics_text().await.expect("text").contains("hanna_purged_acts_total"));
}

#[tokio::test]
async fn what_is_purged_is_gone_and_the_rest_is_verified_on_sqlite() {
    what_is_purged_is_gone_and_the_rest_is_verified(Bench::open().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_purged_is_gone_and_the_rest_is_verified_on_postgresql() {
    let cluster = Cluster::start().expect("a cluster");
    let url = cluster.make("hanna").expect("a database");
    let bench = Bench::on(url.parse().expect("an address")).await;
    what_is_purged_is_gone_and_the_rest_is_verified(bench).await;
}

/// What is done to the database after a purge, the same on both; and what is found.
const TAMPERED: [(&str, &str); 12] = [
    ("DELETE FROM audit WHERE act = 'PURGED'", "act {purge} was removed"),
    ("DELETE FROM audit WHERE act = 'PURGED'", "act 2 was removed"),
    (
        "UPDATE audit SET said = NULL WHERE act = 'PURGED'",
        "act {purge} (PURGED), or what it records, was changed",
    ),
    (
        "DELETE FROM audit WHERE act = 'KEY_MADE' AND id < 9",
        "what is left of the blocks that were purged is not",
    ),
    ("DELETE FROM audit_blocks WHERE number = 2", "block 2 is missing"),
    ("DELETE FROM audit_blocks WHERE number < 3", "blocks 1 to 2 are missing"),
    ("UPDATE audit_blocks SET sealed_us = 1 WHERE number = 2", "block 2 is not as it was signed"),
    ("UPDATE audit_blocks SET purged = 1 WHERE number = 2", "block 2 is not as it was signed"),
    ("DELETE FROM statements", "(LOOKUP) records was removed"),
    ("UPDATE lookups SET purpose = 'otra cosa'", "(LOOKUP), or what it records, was changed"),
    ("DELETE FROM audit WHERE act = 'LOOKUP'", "was removed"),
    ("UPDATE audit SET id = 6 WHERE act = 'LOOKUP'", "act 6 (LOOKUP) was slipped in"),
];

async fn tampering_after_a_purge_is_found(bench: &Bench, run: impl Fn(&str), restore: impl Fn(), purge: i64) {
    assert_eq!(findings(&bench.app).await, Vec::<String>::new());
    for (sql, expected) in TAMPERED {
        run(sql);
        let (found, expected) = (findings(&bench.app).await, expected.replace("{purge}", &purge.to_string()));
        assert!(
            found.iter().any(|finding| finding.contains(&expected)),
            "{sql}: {expected} is not in {found:#?}"
        );
        restore();
    }
    assert_eq!(findings(&bench.app).await, Vec::<String>::new(), "as before");
}

async fn purged_and_sealed(bench: Bench) -> (Bench, i64) {
    let bench = aged(bench).await;
    purged(&bench).await;
    bench.app.seal_audit().await.expect("sealed");
    let last = bench.app.store().last_purge().await.expect("asked").expect("a purge");
    (bench, last.id)
}

const TABLES: [&str; 5] = ["audit", "audit_blocks", "statements", "lookups", "settings"];

#[tokio::test]
async fn tampering_after_a_purge_is_found_on_sqlite() {
    let (bench, purge) = purged_and_sealed(Bench::open().await).await;
    let db = bench.sql();
    db.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
        .expect("switched off");
    for table in TABLES {
        db.execute_batch(&format!("CREATE TEMP TABLE kept_{table} AS SELECT * FROM {table}")).expect("kept");
    }
    let run = |sql: &str| db.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let restore = || {
        for table in TABLES {
            run(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}"));
        }
    };
    tampering_after_a_purge_is_found(&bench, run, restore, purge).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tampering_after_a_purge_is_found_on_postgresql() {
    let cluster = Cluster::start().expect("a cluster");
    let url = cluster.make("hanna").expect("a database");
    let (bench, purge) = purged_and_sealed(Bench::on(url.parse().expect("an address")).await).await;
    let unbound = "SET session_replication_role = replica;";
    let run = |sql: &str| {
        cluster.sql("hanna", &format!("{unbound} {sql}")).unwrap_or_else(|error| panic!("{sql}: {error}"));
    };
    run("CREATE SCHEMA image");
    for table in TABLES {
        run(&format!("CREATE TABLE image.{table} AS TABLE public.{table}"));
    }
    let restore = || {
        let each = TABLES
            .map(|table| format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM image.{table};"));
        run(&each.concat());
    };
    tampering_after_a_purge_is_found(&bench, run, restore, purge).await;
}

#[tokio::test]
async fn a_purge_that_names_what_no_purge_may_take_is_found() {
    let (bench, _) = purged_and_sealed(Bench::open().await).await;
    let store = bench.app.store();
    let last = store.last_purge().await.expect("asked").expect("a purge");
    // Whoever writes an act of purge by hand, and removes as much as it says, is found by its date.
    let (young, entries) =
        store.sealed_after(last.purge.block.number()).await.expect("asked").expect("there");
    assert_eq!(entries.len(), young.leaves.len());
    let mut forged = last.purge.clone();
    forged.block = Anchor::of(&young.head());
    store.append(NewAct::purged(&forged, bench.app.run_by(), bench.clock.at())).await.expect("appended");
    let found = findings(&bench.app).await;
    assert!(found.iter().any(|finding| finding.ends_with("not in the chain, or too young")), "{found:?}");
    assert!(found.iter().any(|finding| finding.contains("is not what act")), "{found:?}");
}

#[tokio::test]
async fn what_was_tampered_with_is_not_purged_unless_somebody_says_so() {
    let bench = aged(Bench::open().await).await;
    bench
        .sql()
        .execute("UPDATE lookups SET purpose = 'otra cosa' WHERE asked_us < 1800000000000000", [])
        .expect("changed");
    let day = bench.app.keeps_from(bench.clock.at());
    let refused = bench.app.purge(day, false).await.expect_err("refused");
    assert!(matches!(&refused, PurgeError::NotAsSealed(findings) if !findings.is_empty()), "{refused}");
    let found = findings(&bench.app).await;
    assert!(!found.is_empty(), "it is still there to be found");
    let begun = bench.app.store().last_purge().await.expect("asked").expect("the block before it went");
    assert_eq!((begun.purge.block.number(), begun.purge.findings), (1, 0));
    assert!(bench.app.purge(day, true).await.expect("purged").acts > 0);
    assert_eq!(findings(&bench.app).await, Vec::<String>::new());
    let last = bench.app.store().last_purge().await.expect("asked").expect("a purge");
    assert!(last.purge.findings > 0, "that something was found is on record");
}

/// Time passes, and now and then somebody tries to sign in, as at a server that is at work.
async fn work(bench: &Bench, days: i64) {
    for _ in 0..days / 20 {
        bench.clock.forward(Span::new().hours(24 * 20));
        let act = NewAct::new(Act::SignInFailed, bench.clock.at());
        bench.app.store().append(act).await.expect("appended");
        bench.app.seal_audit().await.expect("sealed");
    }
}

#[tokio::test]
async fn a_clock_that_ran_ahead_purges_nothing_by_itself() {
    let bench = aged(Bench::open().await).await;
    let purges = async || bench.app.store().last_purge().await.expect("asked");
    let held = bench.app.purge_unattended().await.expect_err("800 days in which nobody was there");
    assert!(matches!(held, PurgeError::ClockInDoubt(from, to) if to >= from + 19_000.hours()), "{held}");
    // Nor after it was used for a while.
    work(&bench, 60).await;
    assert!(matches!(bench.app.purge_unattended().await, Err(PurgeError::ClockInDoubt(..))));
    assert_eq!(purges().await, None);

    // Somebody looked at it, and says that it is right.
    purged(&bench).await;
    let ordered = purges().await.expect("purged");
    work(&bench, 800).await;
    bench.app.purge_unattended().await.expect("purged");
    assert!(purges().await.expect("purged").id > ordered.id);
    bench.app.seal_audit().await.expect("sealed");
    assert_eq!(findings(&bench.app).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_server_that_is_at_work_purges_by_itself() {
    let bench = make_busy(Bench::open().await).await;
    let bench = bench.with(|config| config.keep_records_days = KEEP_DAYS_MIN).await;
    bench.app.purge_unattended().await.expect("nothing to do");
    work(&bench, 800).await;
    bench.app.purge_unattended().await.expect("purged");
    assert!(bench.app.store().last_purge().await.expect("asked").is_some());
}

#[tokio::test]
async fn many_blocks_go_a_few_at_a_time_and_two_servers_do_it_once() {
    let bench = Bench::open().await;
    for _ in 0..4 {
        for _ in 0..200 {
            let act = NewAct::new(Act::SignInFailed, bench.clock.at());
            bench.app.store().append(act).await.expect("appended");
        }
        bench.app.seal_audit().await.expect("sealed");
    }
    let bench = bench.with(|config| config.keep_records_days = KEEP_DAYS_MIN).await;
    bench.clock.forward(Span::new().hours(24 * 800));
    bench.desk("RECEPCION-1").await;
    bench.app.seal_audit().await.expect("sealed");
    let day = bench.app.keeps_from(bench.clock.at());
    let planned = bench.app.purgeable(day).await.expect("counted");
    assert_eq!(planned.acts, 802, "with the demo and its import; a key stays");
    let other = bench.another().await;
    let verifying = async {
        for _ in 0..3 {
            assert_eq!(findings(&other).await, Vec::<String>::new(), "while it is purged");
        }
    };
    let (one, another, ()) = tokio::join!(bench.app.purge(day, false), other.purge(day, false), verifying);
    assert_eq!(one.expect("purged").and(another.expect("purged")), planned);
    let purges: i64 = bench
        .sql()
        .query_row("SELECT count(*) FROM audit WHERE act = 'PURGED'", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(purges, 2, "in batches");
    bench.app.seal_audit().await.expect("sealed");
    let found = bench.app.verify_audit(None).await.expect("read");
    assert_eq!((found.findings, found.purged.map(|purged| purged.acts)), (vec![], Some(planned.acts)));
}

#[tokio::test]
async fn an_old_use_that_was_purged_is_refused_when_it_comes_again() {
    let bench = Bench::open().await.with(|config| config.keep_records_days = KEEP_DAYS_MIN).await;
    let desk = bench.desk("RECEPCION-1").await;
    let active = desk.look_up(&bench, 0, &bench.demo.documents.active[0]).await;
    let (report, waiting) = (desk.report(&bench, 0, &active), desk.report(&bench, 0, &active));
    assert_eq!(desk.deliver(&[&report]).await, ["accepted"]);
    bench.app.seal_audit().await.expect("sealed");
    bench.clock.forward(Span::new().hours(24 * 729));
    let desk = bench.desk("RECEPCION-1").await;
    assert_eq!(desk.deliver(&[&report]).await, ["accepted"], "still remembered");
    bench.clock.forward(48.hours());
    let desk = bench.desk("RECEPCION-1").await;
    let too_old = format!("refused {}", ItemCode::TooOld);
    assert_eq!(desk.deliver(&[&waiting]).await, [too_old.as_str()], "before anything is purged, too");
    assert_eq!(desk.deliver(&[&report]).await, ["accepted"]);
    purged(&bench).await;
    assert_eq!(desk.deliver(&[&report]).await, [too_old.as_str()]);
    let me = desk.get(path::ME).await;
    assert_eq!(me.status, 200, "the session goes on");
    let uses: i64 =
        bench.sql().query_row("SELECT count(*) FROM usage_reports", [], |row| row.get(0)).expect("a count");
    assert_eq!(uses, 0);
    // A longer time in the settings brings nothing back, and what is gone does not come in again.
    let bench = bench.with(|config| config.keep_records_days = KEEP_DAYS).await;
    let desk = bench.at(desk);
    assert_eq!(desk.deliver(&[&report, &waiting]).await, [too_old.as_str(), too_old.as_str()]);
    assert_eq!(findings(&bench.app).await, Vec::<String>::new());
}
