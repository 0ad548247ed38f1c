use axum::http::StatusCode;
use hanna_wire::path;
use jiff::ToSpan;
use serde_json::json;

use crate::testing::Bench;

#[tokio::test]
async fn a_revoked_device_may_only_deliver_what_it_recorded_before() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let other = bench.desk("RECEPCION-2").await;
    let active = &bench.demo.documents.active;
    let first = desk.look_up(&bench, 0, &active[0]).await;
    let second = desk.look_up(&bench, 0, &active[1]).await;
    let before = desk.report(&bench, 0, &first);
    bench.clock.forward(1.minute());
    // By whoever runs the server, beside it.
    assert!(bench.another().await.revoke_device(desk.device_id).await.expect("asked"));
    bench.clock.forward(1.second());
    let after = desk.report(&bench, 0, &second);

    let lookup = desk.look_up(&bench, 0, &active[0]).await;
    assert_eq!((lookup.status, lookup.code()), (StatusCode::FORBIDDEN, "DEVICE_REVOKED"));
    let since = format!("{}?from=2026-11-22T00:00:00Z&to=2026-11-23T00:00:00Z", path::USAGE_REPORTS);
    for path in [path::ME, path::KEYS, &since] {
        assert_eq!(desk.get(path).await.code(), "DEVICE_REVOKED");
    }
    assert_eq!(desk.delete(path::SESSIONS_CURRENT).await.code(), "DEVICE_REVOKED");
    assert_eq!(desk.deliver(&[&before, &after]).await, ["accepted", "refused BRANCH_NOT_ALLOWED"]);
    assert_eq!(other.get(path::ME).await.status, StatusCode::OK, "only that device");

    // Its session goes on as long as it has something to deliver; nobody signs in there.
    let refresh = json!({ "refresh_token": desk.refresh_token(), "device_id": desk.device_id });
    assert_eq!(bench.post(path::SESSIONS_REFRESH, &refresh).await.status, StatusCode::OK);
    let ana = &bench.demo.accounts[0];
    let sign_in = bench.sign_in(&ana.username, &ana.password, desk.device_id, "RECEPCION-1").await;
    assert_eq!((sign_in.status, sign_in.code()), (StatusCode::FORBIDDEN, "DEVICE_REVOKED"));
    let wrong = bench.sign_in(&ana.username, "adivino", desk.device_id, "RECEPCION-1").await;
    assert_eq!(wrong.code(), "WRONG_CREDENTIALS", "only who knows the password is told");

    assert!(bench.app.restore_device(desk.device_id).await.expect("asked"));
    assert_eq!(desk.get(path::ME).await.status, StatusCode::OK);
    let mut again = after.clone();
    again["submission"] = json!(1);
    assert_eq!(desk.deliver(&[&after, &again]).await, ["refused BRANCH_NOT_ALLOWED", "accepted"]);
}

#[tokio::test]
async fn devices_are_listed_with_their_last_contact_and_how_far_they_delivered() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let other = bench.desk("RECEPCION-2").await;
    let start = bench.clock.at();
    let mut item = desk.report(&bench, 0, &desk.look_up(&bench, 0, &bench.demo.documents.active[0]).await);
    item["sequence"] = json!(4);
    bench.clock.forward(1.minute());
    desk.deliver(&[&item]).await;
    bench.app.revoke_device(other.device_id).await.expect("revoked");
    bench.clock.forward(1.minute());
    assert!(bench.app.revoke_device(other.device_id).await.expect("asked"), "again");

    let devices = bench.app.devices().await.expect("listed");
    let names: Vec<&str> = devices.iter().map(|device| device.name.as_str()).collect();
    assert_eq!(names, ["RECEPCION-1", "RECEPCION-2"], "the last contact first");
    assert_eq!((devices[0].id, devices[0].last_sequence), (desk.device_id, 4));
    assert_eq!((devices[0].first_seen_at, devices[0].last_contact_at), (start, start + 1.minute()));
    assert_eq!((devices[0].revoked_at, devices[1].revoked_at), (None, Some(start + 1.minute())));
    assert_eq!((devices[1].last_sequence, devices[1].last_contact_at), (0, start));

    let refresh = json!({ "refresh_token": other.refresh_token(), "device_id": other.device_id });
    bench.post(path::SESSIONS_REFRESH, &refresh).await;
    assert_eq!(bench.app.devices().await.expect("listed")[0].id, other.device_id);
    assert!(!bench.app.revoke_device(bench.id()).await.expect("asked"), "there is none");
    assert!(!bench.app.restore_device(bench.id()).await.expect("asked"));
}
