//! The kinds of items beside reported uses.

use hanna_wire::path;
use jiff::ToSpan;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::testing::{Bench, Desk};

/// An item of now.
fn item(bench: &Bench, desk: &Desk, body: &Value) -> Value {
    let now = bench.clock.at();
    json!({
        "id": bench.id(), "sequence": 1, "author_id": desk.operator_id, "device_time": now, "occurred_at": now,
        "body": body,
    })
}

fn void(bench: &Bench, desk: &Desk, report: &Value, reason: &str, text: Option<&str>) -> Value {
    let body = json!({ "kind": "void", "report_id": report["id"], "reason": reason, "text": text });
    item(bench, desk, &body)
}

fn offline_lookup(bench: &Bench, desk: &Desk, lookup_id: Uuid, number: &str) -> Value {
    let body = json!({
        "kind": "offline_lookup",
        "lookup_id": lookup_id,
        "branch_id": desk.branches[0].id,
        "document": { "kind": "CC", "number": number },
        "purpose": "validar beneficio del convenio",
        "verdict": "NO_DATA",
        "statement_id": null,
    });
    item(bench, desk, &body)
}

async fn report(bench: &Bench, desk: &Desk) -> Value {
    desk.report(bench, 0, &desk.look_up(bench, 0, &bench.demo.documents.active[0]).await)
}

#[tokio::test]
async fn a_use_taken_back_stays_in_the_list_with_its_void_and_counts_no_more() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let start = bench.clock.at();
    let first = report(&bench, &desk).await;
    bench.clock.forward(1.minute());
    let back = void(&bench, &desk, &first, "WRONG_PERSON", None);
    assert_eq!(desk.deliver(&[&back]).await, ["retry"], "before its report");
    assert_eq!(desk.deliver(&[&first, &back]).await, ["accepted", "accepted"]);
    let second = void(&bench, &desk, &first, "REPORTED_TWICE", None);
    assert_eq!(desk.deliver(&[&second, &back]).await, ["refused ALREADY_VOIDED", "accepted"]);

    let rows = format!("{}?from={start}&to={}", path::USAGE_REPORTS, start + 1.hour());
    let row = desk.get(&rows).await.body["rows"][0].clone();
    assert_eq!(row["id"], first["id"]);
    assert_eq!(
        row["void"],
        json!({
            "id": back["id"], "occurred_at": back["occurred_at"], "operator_name": "Ana Rodríguez",
            "reason": "WRONG_PERSON", "text": null,
        })
    );
    assert_eq!(desk.deliver(&[&report(&bench, &desk).await]).await, ["accepted"], "the only one of its day");
    let row = desk.get(&rows).await.body["rows"][0].clone();
    assert_eq!(row["void"], json!(null));
}

#[tokio::test]
async fn the_agreement_says_until_when_a_use_may_be_taken_back() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let luis = bench.desk_as("luis.penaranda@gymcaribe.co").await;
    let first = report(&bench, &desk).await;
    assert_eq!(desk.deliver(&[&first]).await, ["accepted"]);
    let window = |minutes: u32| {
        bench.sql().execute("UPDATE agreements SET void_window_min = ?1", [minutes]).expect("changed");
    };
    bench.clock.forward(11.minutes());
    let mut back = void(&bench, &desk, &first, "NOT_USED", None);
    let not_allowed = "refused VOID_NOT_ALLOWED";
    window(0);
    assert_eq!(desk.deliver(&[&back]).await, [not_allowed]);
    window(10);
    back["submission"] = json!(1);
    assert_eq!(desk.deliver(&[&back]).await, [not_allowed]);
    window(11);
    assert_eq!(luis.deliver(&[&void(&bench, &luis, &first, "NOT_USED", None)]).await, [not_allowed]);
    assert_eq!(luis.deliver(&[&back]).await, [not_allowed], "asked before");
    back["submission"] = json!(2);
    assert_eq!(luis.deliver(&[&back]).await, ["accepted"], "delivered by whoever is signed in");
}

#[tokio::test]
async fn a_void_says_why_when_no_word_of_the_list_does() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let first = report(&bench, &desk).await;
    let long = "ñ".repeat(201);
    let items = [
        first.clone(),
        void(&bench, &desk, &first, "OTHER", None),
        void(&bench, &desk, &first, "OTHER", Some("  ")),
        void(&bench, &desk, &first, "OTHER", Some(&long)),
        void(&bench, &desk, &first, "NOT_USED", Some(&long)),
        void(&bench, &desk, &first, "PORQUE_SI", None),
        void(&bench, &desk, &first, "OTHER", Some(&"ñ".repeat(200))),
    ];
    let malformed = "refused MALFORMED";
    assert_eq!(
        desk.deliver(&items.iter().collect::<Vec<_>>()).await,
        ["accepted", malformed, malformed, malformed, malformed, malformed, "accepted"]
    );
}

#[tokio::test]
async fn a_lookup_that_a_copy_answered_is_on_record_like_any_other() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let clinic = bench.desk_as("ivan.acuna@sonrisas.co").await;
    let number = &bench.demo.documents.active[0];
    let lookup_id = bench.id();
    let copied = offline_lookup(&bench, &desk, lookup_id, number);
    bench.clock.forward(10.minutes());
    let mut elsewhere = copied.clone();
    elsewhere["body"]["branch_id"] = json!(clinic.branches[0].id);
    elsewhere["id"] = json!(bench.id());
    let mut unexplained = copied.clone();
    unexplained["body"]["purpose"] = json!(" ");
    assert_eq!(
        desk.deliver(&[&copied, &copied, &elsewhere, &unexplained]).await,
        ["accepted", "accepted", "refused BRANCH_NOT_ALLOWED", "refused MALFORMED"]
    );

    let document = serde_json::from_value(copied["body"]["document"].clone()).expect("a document");
    let (account, asked_us, mac, verdict): (Uuid, i64, Vec<u8>, String) = bench
        .sql()
        .query_row(
            "SELECT l.account_id, l.asked_us, l.document_mac, o.verdict
             FROM lookups l JOIN offline_lookups o ON o.lookup_id = l.id WHERE l.id = ?1",
            [lookup_id],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .expect("on record");
    assert_eq!((account, verdict.as_str()), (desk.operator_id, "NO_DATA"));
    assert_eq!(asked_us, (bench.clock.at() - 10.minutes()).as_microsecond(), "when it was asked");
    assert_eq!(mac, bench.app.mac_key().document(&document).0);

    // The question reaches the server after all, under the same id.
    let late = json!({
        "id": lookup_id, "branch_id": desk.branches[0].id, "document": document,
        "purpose": "validar beneficio del convenio",
    });
    assert_eq!(bench.read(&desk.post(path::LOOKUPS, &late).await).lookup_id, lookup_id);
    let lookups: i64 =
        bench.sql().query_row("SELECT count(*) FROM lookups", [], |row| row.get(0)).expect("a count");
    assert_eq!(lookups, 1);
}
