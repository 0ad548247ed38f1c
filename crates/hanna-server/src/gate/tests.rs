use axum::http::StatusCode;
use hanna_wire::path;
use jiff::{SignedDuration, ToSpan};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Answer, Bench};

/// A number nobody of the demo has.
fn unknown(n: usize) -> String {
    format!("{}", 77_700_000 + n)
}

fn assert_slowed_down(answer: &Answer, wait_s: &str) {
    assert_eq!((answer.status, answer.code()), (StatusCode::TOO_MANY_REQUESTS, "SLOW_DOWN"), "{answer:?}");
    assert_eq!(answer.header("retry-after"), wait_s);
}

#[tokio::test]
async fn lookups_have_a_budget_of_account_and_pc_and_others_go_on() {
    let bench = Bench::open().await;
    let ana = bench.desk("RECEPCION-1").await;
    let luis = bench.desk_as("luis.penaranda@gymcaribe.co").await;
    let number = bench.demo.documents.active[0].clone();
    for _ in 0..60 {
        assert_eq!(ana.look_up(&bench, 0, &number).await.status, StatusCode::OK);
    }
    assert_slowed_down(&ana.look_up(&bench, 0, &number).await, "1");
    let other_pc = bench.desk("RECEPCION-2").await;
    assert_slowed_down(&other_pc.look_up(&bench, 0, &number).await, "1");
    assert_eq!(luis.look_up(&bench, 0, &number).await.status, StatusCode::OK);
    bench.clock.forward(1.second());
    assert_eq!(ana.look_up(&bench, 0, &number).await.status, StatusCode::OK, "one has come back");
    assert_slowed_down(&ana.look_up(&bench, 0, &number).await, "1");
}

#[tokio::test]
async fn an_entity_has_a_budget_of_its_own() {
    let budgets = Budgets { entity_lookups_a_day: 3, ..Budgets::USUAL };
    let bench = Bench::open().await.with(|config| config.budgets = budgets).await;
    let number = bench.demo.documents.active[0].clone();
    let [ana, luis] = [bench.desk("RECEPCION-1").await, bench.desk_as("luis.penaranda@gymcaribe.co").await];
    for desk in [&ana, &luis, &ana] {
        assert_eq!(desk.look_up(&bench, 0, &number).await.status, StatusCode::OK);
    }
    assert_slowed_down(&luis.look_up(&bench, 0, &number).await, "28800");
    let clinic = bench.desk_as("ivan.acuna@sonrisas.co").await;
    assert_eq!(clinic.look_up(&bench, 0, &number).await.status, StatusCode::OK);
}

async fn alarms(bench: &Bench) -> String {
    let text = bench.app.metrics_text().await.expect("written");
    let line = text.lines().find_map(|line| line.strip_prefix("hanna_enumeration_alarms_total "));
    line.expect("counted").to_owned()
}

#[tokio::test]
async fn one_unknown_document_after_another_is_slowed_down_then_blocked_and_told() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    for n in 0..30 {
        assert_eq!(desk.look_up(&bench, 0, &unknown(n)).await.status, StatusCode::OK, "{n}");
    }
    assert_slowed_down(&desk.look_up(&bench, 0, &unknown(30)).await, "10");
    let mut asked = 30;
    while alarms(&bench).await == "0" {
        bench.clock.forward(10.seconds());
        assert_eq!(desk.look_up(&bench, 0, &unknown(asked)).await.status, StatusCode::OK, "{asked}");
        asked += 1;
    }
    assert_eq!((asked, alarms(&bench).await.as_str()), (63, "1"));
    assert_slowed_down(&desk.look_up(&bench, 0, &unknown(99)).await, "3600");
    let known = bench.demo.documents.active[0].clone();
    assert_slowed_down(&desk.look_up(&bench, 0, &known).await, "3600");
    let round = json!({ "branch_id": desk.branches[0].id, "regulars": [regular(&bench, &known)] });
    assert_slowed_down(&desk.post(path::LOOKUPS_REFRESH, &round).await, "3600");
    let luis = bench.desk_as("luis.penaranda@gymcaribe.co").await;
    assert_eq!(luis.look_up(&bench, 0, &known).await.status, StatusCode::OK, "others go on");

    bench.clock.forward(1.hour());
    let desk = bench.desk("RECEPCION-1").await;
    assert_eq!(desk.look_up(&bench, 0, &known).await.status, StatusCode::OK);
}

fn regular(bench: &Bench, number: &str) -> Value {
    json!({ "id": bench.id(), "document": { "kind": "CC", "number": number } })
}

#[tokio::test]
async fn regulars_are_no_way_around_it() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let regulars: Vec<Value> = (0..80).map(|n| regular(&bench, &unknown(n))).collect();
    let round = json!({ "branch_id": desk.branches[0].id, "regulars": regulars });
    assert_eq!(desk.post(path::LOOKUPS_REFRESH, &round).await.status, StatusCode::OK);
    assert_eq!(alarms(&bench).await, "1");
    assert_slowed_down(&desk.look_up(&bench, 0, &bench.demo.documents.active[0]).await, "3600");
}

#[tokio::test]
async fn what_one_process_counts_the_others_hear_and_a_new_one_too() {
    let bench = Bench::open().await;
    let other = bench.another().await;
    let ana = bench.desk("RECEPCION-1").await;
    let ana_there = ana.clone().at(&other);
    let number = bench.demo.documents.active[0].clone();
    for _ in 0..40 {
        assert_eq!(ana.look_up(&bench, 0, &number).await.status, StatusCode::OK);
    }
    for _ in 0..15 {
        assert_eq!(ana_there.look_up(&bench, 0, &number).await.status, StatusCode::OK);
    }
    bench.app.count_together().await;
    other.count_together().await;
    for n in 55..60 {
        assert_eq!(ana_there.look_up(&bench, 0, &number).await.status, StatusCode::OK, "{n}");
    }
    assert_slowed_down(&ana_there.look_up(&bench, 0, &number).await, "1");
    other.count_together().await;
    assert_eq!(ana.look_up(&bench, 0, &number).await.status, StatusCode::OK, "it has not heard yet");
    bench.app.count_together().await;
    assert_slowed_down(&ana.look_up(&bench, 0, &number).await, "1");

    // Whoever was started just now hears of it as soon as it is asked.
    drop(other);
    let bench = bench.restart().await;
    let ana = bench.at(ana);
    assert_eq!(ana.look_up(&bench, 0, &number).await.status, StatusCode::OK);
    bench.app.count_together().await;
    assert_slowed_down(&ana.look_up(&bench, 0, &number).await, "1");
}

#[tokio::test]
async fn who_is_blocked_at_one_process_is_blocked_at_all() {
    let bench = Bench::open().await;
    let other = bench.another().await;
    let desk = bench.desk("RECEPCION-1").await;
    let there = desk.clone().at(&other);
    let regulars: Vec<Value> = (0..80).map(|n| regular(&bench, &unknown(n))).collect();
    let round = json!({ "branch_id": desk.branches[0].id, "regulars": regulars });
    assert_eq!(desk.post(path::LOOKUPS_REFRESH, &round).await.status, StatusCode::OK);
    bench.app.count_together().await;
    let known = bench.demo.documents.active[0].clone();
    assert_eq!(there.look_up(&bench, 0, &known).await.status, StatusCode::OK, "it has not heard yet");
    other.count_together().await;
    assert_slowed_down(&there.look_up(&bench, 0, &known).await, "3600");
}

#[tokio::test]
async fn what_cannot_be_told_is_told_later() {
    let bench = Bench::open().await;
    let ana = bench.desk("RECEPCION-1").await;
    let number = bench.demo.documents.active[0].clone();
    for _ in 0..60 {
        assert_eq!(ana.look_up(&bench, 0, &number).await.status, StatusCode::OK);
    }
    bench.sql().execute_batch("ALTER TABLE tallies RENAME TO elsewhere").expect("hidden");
    bench.app.count_together().await;
    bench.sql().execute_batch("ALTER TABLE elsewhere RENAME TO tallies").expect("back");
    bench.app.count_together().await;
    let bench = bench.restart().await;
    let ana = bench.at(ana);
    assert_eq!(ana.look_up(&bench, 0, &number).await.status, StatusCode::OK);
    bench.app.count_together().await;
    assert_slowed_down(&ana.look_up(&bench, 0, &number).await, "1");
}

#[test]
fn what_matters_no_more_is_cleared_away() {
    let gate = Gate::new(Budgets::USUAL);
    let now: Timestamp = "2026-11-22T17:00:00Z".parse().expect("a timestamp");
    let address = |n: u32| IpAddr::V4(n.into());
    for n in 0..10_000 {
        gate.guess(Some(address(n)), now).expect("the first");
    }
    let later = now + SignedDuration::from_hours(1);
    for n in 0..10_000 {
        gate.guess(Some(address(100_000 + n)), later).expect("the first");
    }
    let kept = gate.guesses.len();
    assert!(kept < 18_000, "{kept} of 20,000 kept");
}

#[test]
fn addresses_of_one_network_are_one() {
    let parse = |text: &str| network(text.parse().expect("an address"));
    assert_eq!(parse("2001:db8::1"), parse("2001:db8::ffff:1"));
    assert_ne!(parse("2001:db8::1"), parse("2001:db8:0:1::1"));
    assert_eq!(parse("::ffff:192.0.2.1"), parse("192.0.2.1"));
    assert_ne!(parse("192.0.2.1"), parse("192.0.2.2"));
}
