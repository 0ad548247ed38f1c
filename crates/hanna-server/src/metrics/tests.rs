use axum::body::Body;
use axum::http::{Method, Request};
use hanna_wire::path;
use serde_json::json;

use crate::testing::Bench;

async fn read(bench: &Bench) -> String {
    bench.app.metrics_text().await.expect("written")
}

#[tokio::test]
async fn what_happens_is_counted_by_closed_sets_and_nobodys_data_are_labels() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let documents = &bench.demo.documents;
    let active = desk.look_up(&bench, 0, &documents.active[0]).await;
    desk.look_up(&bench, 0, &documents.retired[0]).await;
    desk.look_up(&bench, 0, &documents.not_registered[0]).await;
    let regular = json!({ "id": bench.id(), "document": { "kind": "CC", "number": documents.active[1] } });
    let round = json!({ "branch_id": desk.branches[0].id, "regulars": [regular] });
    desk.post(path::LOOKUPS_REFRESH, &round).await;
    let unreadable = json!({ "id": bench.id() });
    desk.deliver(&[&desk.report(&bench, 0, &active), &unreadable]).await;
    bench.get(&format!("/v1/lookups/{}", documents.active[0]), None).await;
    let invented = Method::from_bytes(b"INVENTED").expect("a method");
    let request = Request::builder().method(invented).uri(path::ME).body(Body::empty());
    bench.send(request.expect("a request")).await;
    bench.sql().execute_batch("DROP TABLE affiliates").expect("dropped");
    assert_eq!(desk.look_up(&bench, 0, &documents.active[0]).await.status, 500);

    let text = read(&bench).await;
    for line in [
        "hanna_build_info{version=\"0.1.0\"} 1",
        "hanna_http_requests_total{method=\"POST\",route=\"/v1/lookups\",status=\"200\"} 3",
        "hanna_http_requests_total{method=\"POST\",route=\"/v1/lookups\",status=\"500\"} 1",
        "hanna_http_requests_total{method=\"GET\",route=\"-\",status=\"404\"} 1",
        "hanna_http_requests_total{method=\"other\",route=\"/v1/me\",status=\"405\"} 1",
        "hanna_http_request_duration_seconds_count{method=\"POST\",route=\"/v1/lookups\",status=\"200\"} 3",
        "hanna_lookups_total{kind=\"lookup\",verdict=\"active\"} 1",
        "hanna_lookups_total{kind=\"lookup\",verdict=\"not_active\"} 1",
        "hanna_lookups_total{kind=\"lookup\",verdict=\"not_registered\"} 1",
        "hanna_lookups_total{kind=\"regular\",verdict=\"active\"} 1",
        "hanna_outbox_items_total{outcome=\"accepted\",code=\"\"} 1",
        "hanna_outbox_items_total{outcome=\"refused\",code=\"MALFORMED\"} 1",
        "hanna_store_errors_total{kind=\"failed\"} 1",
        "hanna_enumeration_alarms_total 0",
        "# UNIT hanna_http_request_duration_seconds seconds",
        "# TYPE hanna_http_requests counter",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    let ends = text.lines().find_map(|line| line.strip_prefix("hanna_signing_key_expiry_timestamp_seconds "));
    let year_s = 365 * 24 * 3_600;
    let left = ends.expect("the key's end").parse::<i64>().expect("a number") - bench.clock.at().as_second();
    assert!((year_s - 60..=year_s).contains(&left), "{left}");
    assert!(text.ends_with("# EOF\n"));
    for id in [documents.active[0].as_str(), "RECEPCION", "gymcaribe"] {
        assert!(!text.contains(id), "{id}");
    }
    assert!(!text.contains(&desk.device_id.to_string()) && !text.contains(&desk.branches[0].id.to_string()));
}
