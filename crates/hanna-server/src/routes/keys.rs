//! `GET /v1/keys`: the keys statements are signed with, and exports sealed with.

use axum::Json;
use axum::extract::State;
use hanna_domain::Redacted;
use hanna_wire::keys::{ExportKeys, Key, Keys};
use hanna_wire::path;

use crate::app::App;
use crate::fault::Fault;
use crate::openapi::{SIGNED_IN, route_faults};
use crate::reference::Reference;
use crate::store::Caller;

route_faults!(SIGNED_IN);

/// The key set
///
/// Every key whose statements may still be valid, newest first: a JWKS (RFC 7517, RFC 8037) with validity dates.
///
/// `export` is what the PC seals its outbox with when that has to leave it in a file (`hanna-server import-outbox`).
#[utoipa::path(
    get,
    path = path::KEYS,
    operation_id = "keys",
    tag = "statements",
    security(("session" = [])),
    responses(
        (status = 200, description = "The keys.", body = Keys, headers(("ETag" = String, description = "Names what is said here. Sent back in `If-None-Match`, it is answered 304 while that is the same."))),
        (status = 304, description = "Still what `If-None-Match` names.", headers(("ETag" = String, description = "Names what is said here. Sent back in `If-None-Match`, it is answered 304 while that is the same."))),
        Faults
    )
)]
pub async fn handler(State(app): State<App>, caller: Caller) -> Result<Reference<Json<Keys>>, Fault> {
    let keys = app.keys().await?.public(app.clock().now()).keys;
    let device = Redacted::new(Key(app.mac_key().of_device(caller.device_id)));
    Ok(Reference(Json(Keys { keys, export: Some(ExportKeys { caja: app.caja_key().public(), device }) })))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use hanna_wire::path;
    use jiff::ToSpan;

    use crate::testing::Bench;

    #[tokio::test]
    async fn a_rotation_beside_a_running_server_is_taken_up_within_a_minute_and_breaks_nothing() {
        let bench = Bench::open().await;
        let desk = bench.desk("RECEPCION-1").await;
        let number = &bench.demo.documents.active[0];
        let before = desk.look_up(&bench, 0, number).await;
        let old_kid = bench.app.list_keys().await.expect("listed")[0].kid.clone();
        let new_kid = bench.another().await.rotate_keys(None).await.expect("rotated");
        let kids = async || -> Vec<String> {
            let keys = desk.get(path::KEYS).await.body["keys"].clone();
            let keys = keys.as_array().expect("a list");
            keys.iter().map(|key| key["kid"].as_str().expect("a name").to_owned()).collect()
        };
        bench.clock.forward(59.seconds());
        assert_eq!(kids().await, [old_kid.as_str()]);
        bench.clock.forward(1.second());
        assert_eq!(kids().await, [new_kid.as_str(), old_kid.as_str()]);
        let listed = bench.app.list_keys().await.expect("listed");
        assert_eq!(listed.iter().map(|key| key.signs).collect::<Vec<_>>(), [true, false]);

        let after = desk.look_up(&bench, 0, &bench.demo.documents.active[1]).await;
        assert_eq!(kid_of(after.body["statement"].as_str().expect("a statement")), new_kid);
        let items = [desk.report(&bench, 0, &before), desk.report(&bench, 0, &after)];
        assert_eq!(desk.deliver(&[&items[0], &items[1]]).await, ["accepted", "accepted"]);
    }

    #[tokio::test]
    async fn a_use_signed_by_another_process_with_a_newer_key_is_genuine_at_once() {
        let bench = Bench::open().await;
        let desk = bench.desk("RECEPCION-1").await;
        let other = bench.another().await;
        other.rotate_keys(None).await.expect("rotated");
        bench.clock.forward(30.seconds());
        other.keys_as_kept().await.expect("read");
        let claims = bench.read(&desk.look_up(&bench, 0, &bench.demo.documents.active[0]).await);
        let mut signed = desk.look_up(&bench, 0, &bench.demo.documents.active[0]).await;
        let jws = other.signer().held().sign(&claims).expect("a key").expect("signed");
        signed.body["statement"] = jws.into();
        assert_eq!(desk.deliver(&[&desk.report(&bench, 0, &signed)]).await, ["accepted"]);
    }

    fn kid_of(jws: &str) -> String {
        jsonwebtoken::decode_header(jws).expect("a header").kid.expect("a name")
    }

    #[tokio::test]
    async fn the_key_set_stays_the_same_when_the_server_restarts() {
        let bench = Bench::open().await;
        let desk = bench.desk("RECEPCION-1").await;
        let before = desk.get(path::KEYS).await;
        assert_eq!(before.status, StatusCode::OK);
        assert_eq!(before.body["keys"].as_array().expect("a list").len(), 1);
        assert!(!before.body.to_string().contains("pkcs8"));
        let bench = bench.restart().await;
        assert_eq!(bench.at(desk).get(path::KEYS).await.body, before.body);
    }
}
