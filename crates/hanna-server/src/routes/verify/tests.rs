use axum::http::{StatusCode, header};
use hanna_domain::{CodeOf, VerificationCode};
use hanna_wire::path;
use jiff::ToSpan;
use serde_json::json;
use uuid::Uuid;

use crate::testing::{Answer, Bench};

async fn verify(bench: &Bench, code: &str) -> Answer {
    bench.get(&path::VERIFY.replace("{code}", code), None).await
}

#[tokio::test]
async fn anybody_can_verify_a_receipt_and_learns_nothing_about_the_person() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let number = &bench.demo.documents.active[0];
    let statement = desk.look_up(&bench, 0, number).await;
    let item = desk.report(&bench, 0, &statement);
    assert_eq!(desk.deliver(&[&item]).await, ["accepted"]);
    let id: Uuid = item["id"].as_str().expect("an id").parse().expect("an id");
    let code = VerificationCode { of: CodeOf::Use, id }.to_string();
    let answer = verify(&bench, &code.to_lowercase().replace('-', "")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(
        answer.body,
        json!({
            "kind": "use", "entity_name": "GYM CARIBE", "branch_name": desk.branches[0].name,
            "occurred_at": bench.clock.at(), "tariff": bench.read(&statement).tariff, "voided": false,
        })
    );
    let mistyped = code.replace("C0", "C1");
    for (code, said) in [
        (mistyped.as_str(), "INVALID"),
        ("hola", "INVALID"),
        (&VerificationCode { of: CodeOf::Use, id: bench.id() }.to_string(), "NOT_FOUND"),
        (&VerificationCode { of: CodeOf::Report, id }.to_string(), "NOT_FOUND"),
    ] {
        assert_eq!(verify(&bench, code).await.code(), said, "{code}");
    }
}

#[tokio::test]
async fn the_code_of_a_report_stands_for_what_was_on_record_when_it_was_made() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let start = bench.clock.at();
    let report = async |person: usize| {
        let statement = desk.look_up(&bench, 0, &bench.demo.documents.active[person]).await;
        assert_eq!(desk.deliver(&[&desk.report(&bench, 0, &statement)]).await, ["accepted"]);
        bench.read(&statement).tariff
    };
    let tariff = report(0).await;
    let new =
        json!({ "id": bench.id(), "from": start, "to": start + 1.hour(), "branch_id": desk.branches[0].id });
    let made = desk.post(path::REPORT_CODES, &new).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    report(1).await;
    assert_eq!(desk.post(path::REPORT_CODES, &new).await.body, made.body, "said again");
    let verified = verify(&bench, made.body["code"].as_str().expect("a code")).await.body;
    assert_eq!(verified["totals"], json!([{ "tariff": tariff, "uses": 1 }]));
    assert_eq!(verified["branches"], json!([desk.branches[0].name]));
    assert_eq!((&verified["kind"], &verified["made_at"]), (&json!("report"), &json!(start)));

    let other = json!({ "id": new["id"], "from": start, "to": start + 2.hours(), "branch_id": null });
    assert_eq!(desk.post(path::REPORT_CODES, &other).await.code(), "ID_CONFLICT");
    let backwards = json!({ "id": bench.id(), "from": start, "to": start, "branch_id": null });
    assert_eq!(desk.post(path::REPORT_CODES, &backwards).await.code(), "INVALID");
}

#[tokio::test]
async fn nobody_tries_codes_out() {
    let bench = Bench::open().await;
    let code = VerificationCode { of: CodeOf::Use, id: bench.id() }.to_string();
    let path = path::VERIFY.replace("{code}", &code);
    // This machine is believed about whom it speaks for, as a proxy is.
    let ask = async |address: &str| {
        let request = axum::http::Request::get(&path).header("x-forwarded-for", address);
        let mut request = request.body(axum::body::Body::empty()).expect("a request");
        request.extensions_mut().insert(crate::serving::Peer([127, 0, 0, 1].into()));
        bench.send(request).await
    };
    for _ in 0..60 {
        assert_eq!(ask("203.0.113.7").await.code(), "NOT_FOUND");
    }
    let refused = ask("203.0.113.7").await;
    assert_eq!(refused.code(), "SLOW_DOWN");
    assert!(!refused.header(header::RETRY_AFTER.as_str()).is_empty());
    assert_eq!(ask("203.0.113.8").await.code(), "NOT_FOUND");
}
