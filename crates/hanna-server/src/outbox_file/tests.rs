use std::path::PathBuf;

use hanna_domain::Redacted;
use hanna_wire::export::{CajaKey, Sealer};
use hanna_wire::keys::{ExportKeys, Keys};
use hanna_wire::path;
use jiff::ToSpan;
use serde_json::{Value, json};

use super::*;
use crate::testing::{Bench, Desk};

async fn keys(desk: &Desk) -> ExportKeys {
    let keys: Keys = serde_json::from_value(desk.get(path::KEYS).await.body).expect("keys");
    keys.export.expect("what exports are sealed with")
}

/// What the desk would write: a page for each list of items.
fn sealed(device_id: Uuid, keys: &ExportKeys, pages: &[&[&Value]]) -> Vec<u8> {
    let items = u32::try_from(pages.iter().map(|page| page.len()).sum::<usize>()).expect("few");
    let head = Head::new(keys.caja, device_id, items);
    let mut sealer =
        Sealer::begin(Vec::new(), head, keys.caja, keys.device.expose(), [3; 32]).expect("begun");
    for (at, page) in pages.iter().enumerate() {
        let batch = serde_json::to_vec(&json!({ "items": page })).expect("JSON");
        sealer.page(&batch, at + 1 == pages.len()).expect("written");
    }
    sealer.into_inner()
}

fn saved(bench: &Bench, bytes: &[u8]) -> PathBuf {
    let path = bench.dir().join("pendientes.hanna");
    std::fs::write(&path, bytes).expect("written");
    path
}

async fn import(bench: &Bench, bytes: &[u8]) -> Result<ImportedOutbox, OutboxFileError> {
    bench.app.import_outbox(&saved(bench, bytes)).await
}

fn counts(imported: &ImportedOutbox) -> [u32; 6] {
    let ImportedOutbox { items, accepted, noted, refused, waiting, already_there, .. } = *imported;
    [items, accepted, noted, refused, waiting, already_there]
}

/// Uses of different people, with the sequences the desk gives them.
async fn uses(bench: &Bench, desk: &Desk, count: usize) -> Vec<Value> {
    let mut items = Vec::new();
    for number in &bench.demo.documents.active[..count] {
        let mut item = desk.report(bench, 0, &desk.look_up(bench, 0, number).await);
        item["sequence"] = json!(items.len() + 1);
        items.push(item);
    }
    items
}

fn held(bench: &Bench) -> (u32, u32) {
    let count = |table: &str| {
        let query = format!("SELECT count(*) FROM {table}");
        bench.sql().query_row(&query, [], |row| row.get(0)).expect("counted")
    };
    (count("outbox_items"), count("usage_reports"))
}

#[tokio::test]
async fn a_file_is_taken_in_once_however_often_and_the_pc_gets_the_same_answers_later() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let mut items = uses(&bench, &desk, 3).await;
    let again = desk.look_up(&bench, 0, &bench.demo.documents.active[0]).await;
    items.push(desk.report(&bench, 0, &again));
    items.push(json!({ "id": bench.id(), "sequence": 5, "kind": "of a newer desk" }));
    let all: Vec<&Value> = items.iter().collect();
    let file = sealed(desk.device_id, &keys(&desk).await, &[&all[..2], &all[2..]]);

    let first = import(&bench, &file).await.expect("imported");
    assert_eq!(counts(&first), [5, 3, 1, 1, 0, 0]);
    assert_eq!(first.codes, BTreeMap::from([("DAILY_LIMIT_REACHED", 1), ("MALFORMED", 1)]));
    assert_eq!((first.device_id, first.device_name.as_str()), (desk.device_id, "RECEPCION-1"));
    let (author, sent_by, device): (Uuid, Uuid, Uuid) = bench
        .sql()
        .query_row("SELECT author_id, sent_by, device_id FROM outbox_items", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .expect("read");
    assert_eq!((author, sent_by, device), (desk.operator_id, desk.operator_id, desk.device_id));

    let before = held(&bench);
    // Another process, beside the server.
    let second = bench.another().await.import_outbox(&saved(&bench, &file)).await.expect("imported");
    assert_eq!(counts(&second), [5, 0, 0, 1, 0, 4], "what cannot be read is not remembered");
    let outcomes = desk.deliver(&all).await;
    let noted = "accepted_with_note DAILY_LIMIT_REACHED";
    assert_eq!(outcomes, ["accepted", "accepted", "accepted", noted, "refused MALFORMED"]);
    assert_eq!((held(&bench), before), ((4, 4), (4, 4)));
}

#[tokio::test]
async fn what_the_pc_delivered_before_is_there_already_and_other_content_is_refused() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let items = uses(&bench, &desk, 2).await;
    desk.deliver(&[&items[0]]).await;
    let mut other = items[0].clone();
    other["sequence"] = json!(9);
    let file = sealed(desk.device_id, &keys(&desk).await, &[&[&items[0], &items[1], &other]]);
    let imported = import(&bench, &file).await.expect("imported");
    assert_eq!(counts(&imported), [3, 1, 0, 1, 0, 1]);
    assert_eq!(imported.codes, BTreeMap::from([("ID_CONFLICT", 1)]));
}

#[tokio::test]
async fn what_a_revoked_pc_did_before_counts_and_what_it_did_after_does_not() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let before = uses(&bench, &desk, 2).await;
    let keys = keys(&desk).await;
    bench.clock.forward(1.minute());
    bench.app.revoke_device(desk.device_id).await.expect("revoked");
    let mut after = before[1].clone();
    after["occurred_at"] = json!(bench.clock.at() + 1.second());
    let file = sealed(desk.device_id, &keys, &[&[&before[0], &after]]);
    let imported = import(&bench, &file).await.expect("imported");
    assert_eq!(counts(&imported), [2, 1, 0, 1, 0, 0]);
    assert_eq!(imported.codes, BTreeMap::from([("BRANCH_NOT_ALLOWED", 1)]));
}

#[tokio::test]
async fn a_void_whose_report_is_not_there_waits_for_it() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let report = uses(&bench, &desk, 1).await.remove(0);
    let mut void = report.clone();
    void["id"] = json!(bench.id());
    void["body"] =
        json!({ "kind": "void", "report_id": report["id"], "reason": "WRONG_PERSON", "text": null });
    let keys = keys(&desk).await;
    let early = sealed(desk.device_id, &keys, &[&[&void]]);
    assert_eq!(counts(&import(&bench, &early).await.expect("imported")), [1, 0, 0, 0, 1, 0]);
    desk.deliver(&[&report]).await;
    assert_eq!(counts(&import(&bench, &early).await.expect("imported")), [1, 1, 0, 0, 0, 0]);
}

#[tokio::test]
async fn what_is_not_whole_and_genuine_changes_nothing_and_says_why() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let items = uses(&bench, &desk, 2).await;
    let mine = keys(&desk).await;
    let good = sealed(desk.device_id, &mine, &[&[&items[0]], &[&items[1]]]);

    let mut newer = good.clone();
    newer[17] = 9;
    let mut changed = good.clone();
    *changed.last_mut().expect("a byte") ^= 1;
    let forger = ExportKeys { device: Redacted::new(Key([0; 32])), ..mine.clone() };
    let colleague = keys(&bench.desk("RECEPCION-2").await).await;
    let stranger = bench.id();
    let foreign = ExportKeys { caja: CajaKey::derive(&[77; 32]).public(), ..mine.clone() };
    for (what, bytes, says) in [
        ("a PDF", b"%PDF-1.7".to_vec(), "no es una exportación"),
        ("nothing", Vec::new(), "no es una exportación"),
        ("a newer version", newer, "más nueva (9)"),
        ("cut in its last page", good[..good.len() - 1].to_vec(), "incompleto"),
        ("cut after its first page", good[..good.len() / 2].to_vec(), "incompleto"),
        ("changed", changed, "no es auténtico"),
        (
            "by whoever knows only what is public",
            sealed(desk.device_id, &forger, &[&[&items[0]]]),
            "no es auténtico",
        ),
        ("by another PC of the caja", sealed(desk.device_id, &colleague, &[&[&items[0]]]), "no es auténtico"),
        ("for another caja", sealed(desk.device_id, &foreign, &[&[&items[0]]]), "otra caja"),
        ("of a PC nobody knows", sealed(stranger, &mine, &[&[&items[0]]]), "no conoce"),
    ] {
        let error = import(&bench, &bytes).await.expect_err(what);
        assert!(matches!(error, OutboxFileError::File(_)), "{what}: {error:?}");
        assert!(error.to_string().contains(says), "{what}: {error}");
    }
    let missing = bench.app.import_outbox(&bench.dir().join("nada")).await.expect_err("missing");
    assert!(missing.to_string().contains("no se puede leer"), "{missing}");
    assert_eq!(held(&bench), (0, 0));
    assert_eq!(counts(&import(&bench, &good).await.expect("imported")), [2, 2, 0, 0, 0, 0]);
}
