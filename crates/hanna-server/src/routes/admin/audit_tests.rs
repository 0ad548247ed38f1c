//! The audit, as the console asks for it.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use hanna_wire::path;
use jiff::ToSpan;
use serde_json::{Value, json};

use crate::testing::{Bench, Desk};

const ASKED: &str = "preguntó en la ventanilla";

fn search(number: &str) -> Value {
    json!({ "document": { "kind": "CC", "number": number }, "purpose": ASKED })
}

/// Who saw what is recorded, with how.
fn accesses(found: &Value) -> Vec<(&str, Option<&str>)> {
    let accesses = found["accesses"].as_array().expect("accesses").iter();
    accesses.map(|one| (one["act"].as_str().expect("an act"), one["account_name"].as_str())).collect()
}

async fn verified(console: &Desk, body: &Value) -> Value {
    let answer = console.post(path::ADMIN_AUDIT_VERIFY, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.body
}

#[tokio::test]
async fn who_looked_a_person_up_is_told_page_by_page_and_each_is_an_act() {
    let bench = Bench::open().await;
    let console = bench.caja().await;
    let desk = bench.desk("RECEPCION-1").await;
    let number = bench.demo.documents.active[0].clone();
    // Two at the same moment: neither is lost between two pages.
    for minutes in [0, 0, 1, 1, 1] {
        bench.clock.forward(minutes.minutes());
        assert_eq!(desk.look_up(&bench, 0, &number).await.status, StatusCode::OK);
    }
    desk.look_up(&bench, 0, &bench.demo.documents.active[1]).await;

    let mut seen = Vec::new();
    let mut body = search(&number);
    body["limit"] = json!(2);
    let mut pages = 0;
    loop {
        let found = console.post(path::ADMIN_AUDIT_SEARCH, &body).await.body;
        pages += 1;
        assert!(accesses(&found).is_empty(), "nobody before, and only the first page says so: {found}");
        seen.extend(found["items"].as_array().expect("items").iter().cloned());
        if found["next"].is_null() {
            break;
        }
        body["after"] = found["next"].clone();
    }
    assert_eq!((pages, seen.len()), (3, 5));
    let mut answers: Vec<&str> = seen.iter().map(|one| one["answer_id"].as_str().expect("an id")).collect();
    let moments: Vec<&str> = seen.iter().map(|one| one["answered_at"].as_str().expect("a moment")).collect();
    assert!(moments.is_sorted_by(|one, next| one >= next), "the last one first: {moments:?}");
    answers.sort_unstable();
    answers.dedup();
    assert_eq!(answers.len(), 5);
    let one = &seen[0];
    assert_eq!(
        (&one["operator_name"], &one["device_name"]),
        (&json!("Ana Rodríguez"), &json!("RECEPCION-1"))
    );
    assert_eq!(
        (&one["verdict"], &one["from_copy"], &one["regular"]),
        (&json!("ACTIVE"), &json!(false), &json!(false))
    );

    let name = console.get(path::ME).await.body["operator"]["display_name"].clone();
    let again = console.post(path::ADMIN_AUDIT_SEARCH, &search(&number)).await.body;
    assert_eq!((again["items"].as_array().map(Vec::len), &again["next"]), (Some(5), &Value::Null));
    assert_eq!(accesses(&again), vec![("PERSON_SEARCHED", name.as_str()); 3], "each page of before");
    assert_eq!(again["accesses"][0]["purpose"], ASKED);
    let nobody = console.post(path::ADMIN_AUDIT_SEARCH, &search("1000000007")).await.body;
    assert_eq!(nobody, json!({ "items": [], "next": null, "accesses": [] }));
}

#[tokio::test]
async fn everything_about_a_person_is_exported_and_who_did_is_told() {
    let bench = Bench::open().await;
    let console = bench.caja().await;
    let desk = bench.desk("RECEPCION-1").await;
    let number = bench.demo.documents.active[0].clone();
    let card = desk.look_up(&bench, 0, &number).await;
    let used = desk.report(&bench, 0, &card);
    desk.deliver(&[&used]).await;
    let answer = console.post(path::ADMIN_AUDIT_EXPORT, &search(&number)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let data = answer.body;
    assert_eq!(data["document"], search(&number)["document"]);
    assert_eq!((data["lookups"].as_array().map(Vec::len), &data["uses"][0]["id"]), (Some(1), &used["id"]));
    assert_eq!(data["uses"][0]["entity_name"], "GYM CARIBE");
    assert!(data["registered"]["first_surname"].is_string() && accesses(&data).is_empty());
    bench.clock.forward(1.second());
    let found = console.post(path::ADMIN_AUDIT_SEARCH, &search(&number)).await.body;
    let name = console.get(path::ME).await.body["operator"]["display_name"].clone();
    assert_eq!(accesses(&found), [("PERSON_EXPORTED", name.as_str())]);
    let by: Option<uuid::Uuid> = bench
        .sql()
        .query_row("SELECT account_id FROM audit WHERE act = 'PERSON_EXPORTED'", [], |row| row.get(0))
        .expect("an act");
    assert_eq!(by, Some(console.operator_id));
}

#[tokio::test]
async fn what_cannot_be_asked_is_turned_away_and_leaves_no_act() {
    let bench = Bench::open().await;
    let console = bench.caja().await;
    let number = bench.demo.documents.active[0].clone();
    let with = |place: &str, value: Value| {
        let mut body = search(&number);
        body[place] = value;
        body
    };
    let of_search = [
        (with("purpose", json!(" ")), "INVALID"),
        (with("purpose", json!("x".repeat(121))), "INVALID"),
        (with("limit", json!(0)), "INVALID"),
        (with("limit", json!(501)), "INVALID"),
        (with("after", json!("x")), "INVALID"),
        (with("document", json!({ "kind": "CC", "number": "1.045" })), "MALFORMED"),
        (json!({ "document": search(&number)["document"] }), "MALFORMED"),
    ];
    for (body, code) in &of_search {
        assert_eq!(console.post(path::ADMIN_AUDIT_SEARCH, body).await.code(), *code, "{body}");
    }
    let of_export = [(with("purpose", json!("")), "INVALID"), (with("limit", json!(1)), "MALFORMED")];
    for (body, code) in &of_export {
        assert_eq!(console.post(path::ADMIN_AUDIT_EXPORT, body).await.code(), *code, "{body}");
    }
    for anchor in [json!("x"), json!("1:x"), json!(format!("0:{}", "0".repeat(64)))] {
        let answer = console.post(path::ADMIN_AUDIT_VERIFY, &json!({ "anchor": anchor })).await;
        assert_eq!(answer.code(), "INVALID", "{anchor}");
    }
    let typed = console.send(Method::POST, path::ADMIN_AUDIT_VERIFY, "text/plain", Body::from("{}")).await;
    assert_eq!(typed.code(), "UNSUPPORTED_MEDIA_TYPE");
    let acts: i64 = bench
        .sql()
        .query_row("SELECT count(*) FROM audit WHERE document_mac IS NOT NULL", [], |row| row.get(0))
        .expect("counted");
    assert_eq!(acts, 0);
}

#[tokio::test]
async fn the_chain_is_read_again_and_what_is_wrong_is_said_in_spanish() {
    let bench = Bench::open().await;
    let console = bench.caja().await;
    let desk = bench.desk("RECEPCION-1").await;
    desk.look_up(&bench, 0, &bench.demo.documents.active[0]).await;
    let before = verified(&console, &json!({})).await;
    assert_eq!(
        (&before["blocks"], &before["sealed"], &before["anchor"]),
        (&json!(0), &json!(0), &Value::Null)
    );
    let waiting = before["unsealed"].as_u64().expect("a number");
    assert!(waiting > 3, "{before}");
    bench.app.seal_audit().await.expect("sealed");
    let after = verified(&console, &json!({ "anchor": null })).await;
    assert_eq!(
        (&after["blocks"], &after["sealed"], &after["unsealed"]),
        (&json!(1), &json!(waiting), &json!(0))
    );
    assert_eq!((&after["findings"], &after["findings_total"]), (&json!([]), &json!(0)));
    let known = verified(&console, &json!({ "anchor": after["anchor"] })).await;
    assert_eq!(known, after);
    let other = format!("1:{}", "0".repeat(64));
    let unknown = verified(&console, &json!({ "anchor": other })).await;
    assert_eq!(unknown["findings"], json!([format!("El bloque {other} no está en la cadena.")]));

    bench.sql().execute("UPDATE lookups SET purpose = 'curiosidad'", []).expect("tampered");
    // Two at once: one waits for the other, and both are answered.
    let empty = json!({});
    let (one, other) = tokio::join!(verified(&console, &empty), verified(&console, &empty));
    assert_eq!(one, other);
    let said = one["findings"][0].as_str().expect("a finding");
    assert!(
        said.starts_with("El acto ") && said.ends_with("(LOOKUP), o lo que registra, fue cambiado."),
        "{said}"
    );
    assert_eq!(one["findings_total"], json!(1));
}

/// Desks go on while everything is read, and nothing of it is left when who asked goes away.
#[tokio::test]
async fn reading_it_again_holds_nobody_up_and_ends_with_who_asked() {
    let bench = Bench::open().await;
    let console = bench.caja().await;
    let desk = bench.desk("RECEPCION-1").await;
    let turn = bench.app.verifying().lock().await;
    let empty = json!({});
    let mut waiting = std::pin::pin!(verified(&console, &empty));
    let number = bench.demo.documents.active[0].clone();
    tokio::select! {
        biased;
        _ = &mut waiting => panic!("another one reads"),
        card = desk.look_up(&bench, 0, &number) => assert_eq!(card.status, StatusCode::OK),
    }
    drop(turn);
    assert_eq!(waiting.await["findings_total"], json!(0));
    {
        let mut given_up = std::pin::pin!(verified(&console, &empty));
        tokio::select! { biased; _ = &mut given_up => panic!("at once"), () = tokio::task::yield_now() => {} }
    }
    assert!(bench.app.verifying().try_lock().is_ok(), "who went away has no turn");
}
