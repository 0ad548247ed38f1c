pub(crate) mod of_people;
mod on_postgres;

use std::collections::BTreeMap;

use hanna_domain::{Document, DocumentKind};
use hanna_wire::path;
use jiff::ToSpan;
use proptest::prelude::*;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ToSql, params};
use serde_json::{Value, json};

use self::of_people::{export, search};
use super::chain::Field;
use super::*;
use crate::testing::{Bench, Desk};

/// Like whoever tampers: bound to nothing.
fn tampering(bench: &Bench) -> Connection {
    let db = bench.sql();
    db.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
        .expect("switched off");
    db
}

fn item(bench: &Bench, desk: &Desk, submission: u32, body: &Value) -> Value {
    let now = bench.clock.at();
    json!({
        "id": bench.id(), "sequence": 1, "author_id": desk.operator_id, "device_time": now, "occurred_at": now,
        "submission": submission, "body": body,
    })
}

/// A server at which everything happened that there is a record for, sealed in three blocks.
async fn busy() -> Bench {
    make_busy(Bench::open().await).await
}

pub(crate) async fn make_busy(bench: Bench) -> Bench {
    bench.app.seal_audit().await.expect("sealed");
    let desk = bench.desk("RECEPCION-1").await;
    let account = &bench.demo.accounts[0];
    let wrong = bench.sign_in(&account.username, "una clave equivocada", bench.id(), "PC").await;
    assert_eq!(wrong.code(), "WRONG_CREDENTIALS");
    let documents = &bench.demo.documents;
    let active = desk.look_up(&bench, 0, &documents.active[0]).await;
    desk.look_up(&bench, 0, &documents.not_registered[0]).await;
    let report = desk.report(&bench, 0, &active);
    let broken_body =
        json!({ "kind": "usage_report", "branch_id": desk.branches[0].id, "statement": "x.y.z" });
    let mut broken = item(&bench, &desk, 0, &broken_body);
    let void = item(
        &bench,
        &desk,
        0,
        &json!({ "kind": "void", "report_id": report["id"], "reason": "OTHER", "text": "era para la vecina" }),
    );
    let copied = item(
        &bench,
        &desk,
        0,
        &json!({
            "kind": "offline_lookup", "lookup_id": bench.id(), "branch_id": desk.branches[0].id,
            "document": { "kind": "CC", "number": documents.active[1] },
            "purpose": "validar beneficio del convenio", "verdict": "NO_DATA", "statement_id": null,
        }),
    );
    let outcomes = desk.deliver(&[&report, &void, &copied, &broken]).await;
    assert_eq!(outcomes[..3], ["accepted", "accepted", "accepted"]);
    assert!(outcomes[3].starts_with("refused"), "{}", outcomes[3]);
    bench.app.seal_audit().await.expect("sealed");
    broken["submission"] = json!(1);
    assert!(desk.deliver(&[&broken]).await[0].starts_with("refused"));
    assert!(bench.app.revoke_device(desk.device_id).await.expect("asked"));
    assert!(bench.app.restore_device(desk.device_id).await.expect("asked"));
    bench.app.rotate_keys(None).await.expect("rotated");
    bench.app.renew_epoch().await.expect("renewed");
    search(&bench, &documents.active[0]).await;
    export(&bench, &documents.active[0]).await;
    desk.delete(path::SESSIONS_CURRENT).await;
    bench.app.seal_audit().await.expect("sealed");
    bench
}

fn document(number: &str) -> Document {
    Document::parse(DocumentKind::CC, number).expect("a cédula")
}

async fn verified(bench: &Bench) -> Verification {
    bench.app.verify_audit(None).await.expect("read")
}

async fn findings(bench: &Bench) -> Vec<String> {
    verified(bench).await.findings.iter().map(ToString::to_string).collect()
}

/// The place of the only, or the first, act of this word.
fn place(db: &Connection, act: &str) -> i64 {
    db.query_row("SELECT min(id) FROM audit WHERE act = ?1", [act], |row| row.get(0)).expect("an act")
}

#[tokio::test]
async fn what_happened_is_sealed_and_whole_also_after_a_restart() {
    let bench = busy().await;
    let before = verified(&bench).await;
    assert_eq!((before.findings_total, before.unsealed, before.blocks), (0, 0, 3));
    let bench = bench.restart().await;
    assert_eq!(verified(&bench).await, before);
    bench.clock.forward(1.hour());
    let desk = bench.desk("RECEPCION-1").await;
    desk.look_up(&bench, 0, &bench.demo.documents.active[2]).await;
    let waiting = verified(&bench).await;
    assert_eq!((waiting.findings_total, waiting.unsealed, waiting.sealed), (0, 2, before.sealed));
    assert_eq!(bench.app.seal_audit().await.expect("sealed"), 2);
    assert_eq!(bench.app.seal_audit().await.expect("nothing to do"), 0);
    let after = bench.app.verify_audit(before.anchor).await.expect("read");
    assert_eq!((after.findings_total, after.unsealed, after.blocks), (0, 0, 4));
    let db = bench.sql();
    for act in Act::ALL.into_iter().filter(|act| act.has_record()) {
        assert!(place(&db, act.code()) > 0, "{act:?}");
    }
}

#[expect(clippy::too_many_lines, reason = "a table of what may be done to the database")]
#[tokio::test]
async fn whatever_is_changed_removed_slipped_in_or_reordered_is_found() {
    let bench = busy().await;
    let db = tampering(&bench);
    let image = bench.dir().join("image.sqlite");
    db.execute("VACUUM INTO ?1", [image.to_str().expect("UTF-8")]).expect("kept");
    let (lookup, last) = (place(&db, "LOOKUP"), verified(&bench).await.sealed);
    let after = last + 1;
    let restore = |db: &Connection| {
        for table in
            ["audit", "audit_blocks", "statements", "lookups", "outbox_items", "usage_reports", "settings"]
        {
            db.execute_batch(&format!(
                "DELETE FROM {table}; INSERT INTO {table} SELECT * FROM image.{table}"
            ))
            .expect("as before");
        }
        for table in ["voids", "offline_lookups", "earlier_refusals", "sessions", "signing_keys"] {
            db.execute_batch(&format!(
                "DELETE FROM {table}; INSERT INTO {table} SELECT * FROM image.{table}"
            ))
            .expect("as before");
        }
    };
    db.execute("ATTACH ?1 AS image", [image.to_str().expect("UTF-8")]).expect("attached");
    let changed = format!("act {lookup} (LOOKUP), or what it records, was changed");
    let cases: Vec<(String, String)> = vec![
        // The record of a lookup, of a use, of a void, of a sign-in, of a key.
        ("UPDATE lookups SET purpose = 'otra cosa' WHERE regular = 0".into(), changed.clone()),
        ("UPDATE statements SET usable = 1 - usable".into(), changed),
        ("DELETE FROM statements".into(), format!("what act {lookup} (LOOKUP) records was removed")),
        ("UPDATE usage_reports SET number = '1'".into(), "(ITEM), or what it records, was changed".into()),
        ("DELETE FROM usage_reports".into(), "(ITEM), or what it records, was changed".into()),
        ("UPDATE voids SET text = 'nada'".into(), "(ITEM), or what it records, was changed".into()),
        ("DELETE FROM voids".into(), "(ITEM), or what it records, was changed".into()),
        ("UPDATE offline_lookups SET verdict = 'ACTIVE'".into(), "(ITEM), or what it".into()),
        ("DELETE FROM outbox_items WHERE kind = 'void'".into(), "(ITEM) records was removed".into()),
        ("UPDATE earlier_refusals SET code = 'ID_CONFLICT'".into(), "(ITEM), or what it records".into()),
        ("UPDATE sessions SET account_id = zeroblob(16)".into(), "(SIGN_IN), or what it records".into()),
        ("DELETE FROM signing_keys WHERE rowid > 1".into(), "(KEY_MADE) records was removed".into()),
        // Records that nobody made.
        (
            "INSERT INTO statements SELECT randomblob(16), lookup_id, issued_us, expires_us, usable, reasons
             FROM statements LIMIT 1"
                .into(),
            "statements: ".into(),
        ),
        (
            "INSERT INTO lookups SELECT randomblob(16), account_id, device_id, entity_id, branch_id, document_mac,
                 purpose, asked_us, regular FROM lookups LIMIT 1"
                .into(),
            "lookups: ".into(),
        ),
        (
            "INSERT INTO outbox_items SELECT randomblob(16), content_hash, kind, sequence, author_id, device_id,
                 sent_by, received_us, judged_us, outcome, code, submission, device_us FROM outbox_items LIMIT 1"
                .into(),
            "outbox_items: ".into(),
        ),
        (
            "INSERT INTO usage_reports SELECT i.id, statement_id, lookup_id, entity_id, branch_id, u.author_id,
                 occurred_us, day, u.kind, number, affiliate_name, tariff, company_name
             FROM usage_reports u, outbox_items i WHERE i.outcome = 'refused'"
                .into(),
            "usage_reports: ".into(),
        ),
        (
            "INSERT INTO signing_keys SELECT 'otra', pkcs8, public_key, not_before_us, not_after_us
             FROM signing_keys LIMIT 1"
                .into(),
            "signing_keys: otra is in no act".into(),
        ),
        // The acts themselves: in the middle, at the beginning, at the end.
        ("UPDATE audit SET said = '{}' WHERE act = 'SIGN_IN_FAILED'".into(), "(SIGN_IN_FAILED), or what".into()),
        ("UPDATE audit SET said = '{no' WHERE act = 'KEY_MADE'".into(), "(KEY_MADE) records was removed".into()),
        (format!("DELETE FROM audit WHERE id = {lookup}"), format!("act {lookup} was removed")),
        ("DELETE FROM audit WHERE id = 1".into(), "act 1 was removed".into()),
        (format!("DELETE FROM audit WHERE id = {last}"), format!("act {last} was removed")),
        (format!("DELETE FROM audit WHERE id > {}", last - 3), format!("act {last} was removed")),
        ("INSERT INTO audit (id, at_us, act) VALUES (0, 1, 'KEY')".into(), "act 0 (KEY) was slipped in".into()),
        (
            format!(
                "UPDATE audit SET id = -id WHERE id >= {lookup}; UPDATE audit SET id = 1 - id WHERE id < 0;
                 INSERT INTO audit (id, at_us, act) VALUES ({lookup}, 1, 'KEY')"
            ),
            format!("act {lookup} (KEY), or what it records, was changed"),
        ),
        (
            format!("INSERT INTO audit (id, at_us, act) VALUES ({}, 1, 'KEY')", after + 5),
            format!("audit, after a gap: {}", after + 5),
        ),
        (
            "UPDATE audit SET id = -id WHERE id IN (2, 3); UPDATE audit SET id = 5 + id WHERE id < 0".into(),
            "act 2 (".into(),
        ),
        // The blocks: in the middle, at the beginning, at the end.
        ("UPDATE audit_blocks SET sealed_us = 1 WHERE number = 2".into(), "block 2 is not as it was signed".into()),
        ("DELETE FROM audit_blocks WHERE number = 1".into(), "block 1 is missing".into()),
        ("DELETE FROM audit_blocks WHERE number = 2".into(), "block 2 is missing".into()),
        ("DELETE FROM audit_blocks WHERE number = 3".into(), "block 3 is missing".into()),
        ("DELETE FROM audit_blocks WHERE number > 1".into(), "blocks 2 to 3 are missing".into()),
        (
            "UPDATE audit_blocks SET number = 9 WHERE number = 2; UPDATE audit_blocks SET number = 2 WHERE number = 3;
             UPDATE audit_blocks SET number = 3 WHERE number = 9"
                .into(),
            "block 2 does not follow from the one before it".into(),
        ),
        (
            "INSERT INTO audit_blocks SELECT 4, previous, sealed_us, after_id, until_id, root, kid, signature, leaves, purged
             FROM audit_blocks WHERE number = 3"
                .into(),
            "block 4 is not as it was signed".into(),
        ),
        ("UPDATE audit_blocks SET leaves = x'00' WHERE number = 2".into(), "block 2 is not as it was".into()),
        ("DELETE FROM settings WHERE name = 'audit_head'".into(), "the last block is not the one".into()),
    ];
    for (sql, expected) in cases {
        db.execute_batch(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let found = findings(&bench).await;
        assert!(
            found.iter().any(|finding| finding.contains(&expected)),
            "{sql}: {expected} is not in {found:#?}"
        );
        restore(&db);
        assert_eq!(findings(&bench).await, Vec::<String>::new(), "after {sql}");
    }
}

#[tokio::test]
async fn a_tail_that_is_cut_off_with_all_it_records_is_known_only_from_outside() {
    let bench = busy().await;
    let anchor = verified(&bench).await.anchor;
    let cut = "DELETE FROM audit WHERE id > (SELECT until_id FROM audit_blocks WHERE number = 2);
        DELETE FROM audit_blocks WHERE number = 3;
        DELETE FROM signing_keys WHERE kid NOT IN (SELECT said ->> 'kid' FROM audit WHERE act = 'KEY_MADE');
        UPDATE outbox_items SET submission = 0 WHERE submission = 1; DELETE FROM earlier_refusals";
    // The server still knows what it sealed: the gap stays in the chain.
    tampering(&bench).execute_batch(cut).expect("cut");
    assert!(findings(&bench).await.iter().any(|finding| finding == "block 3 is missing"));
    bench.desk("RECEPCION-2").await;
    bench.app.seal_audit().await.expect("sealed");
    assert!(findings(&bench).await.iter().any(|finding| finding == "block 3 is missing"));

    let bench = busy().await;
    let head = |db: &Connection| -> Vec<u8> {
        db.query_row("SELECT value FROM settings WHERE name = 'audit_head'", [], |row| row.get(0))
            .expect("a head")
    };
    let second = bench
        .app
        .store()
        .sealed_after(1)
        .await
        .expect("read")
        .map(|(block, _)| block.head())
        .expect("the second block");
    let db = tampering(&bench);
    db.execute_batch(cut).expect("cut");
    let value = [&second.number.to_be_bytes()[..], &second.hash, &second.until.to_be_bytes()].concat();
    assert_eq!(value.len(), head(&db).len());
    db.execute("UPDATE settings SET value = ?1 WHERE name = 'audit_head'", [value]).expect("rolled back");
    drop(db);
    let bench = bench.restart().await;
    // What nobody can know: it looks like a backup of before. The refused item alone was not cut off cleanly.
    let blocks = |found: Verification| -> Vec<Finding> {
        found.findings.into_iter().filter(|finding| !matches!(finding, Finding::Changed { .. })).collect()
    };
    assert_eq!(blocks(verified(&bench).await), []);
    let anchor = anchor.expect("a block");
    let known = bench.app.verify_audit(Some(anchor.clone())).await.expect("read");
    assert_eq!(blocks(known), [Finding::AnchorMissing(anchor)]);
}

#[tokio::test]
async fn blocks_signed_by_a_key_that_is_no_key_of_the_server_are_found() {
    let bench = busy().await;
    let foreign = crate::keys::SigningKey::make(&crate::testing::TestEntropy::new(99), bench.clock.at());
    let foreign = foreign.expect("a key");
    let store = bench.app.store();
    let kept = store.audit_head().await.expect("read").expect("a head");
    bench.desk("RECEPCION-2").await;
    let page = store.unsealed(kept, 100).await.expect("read");
    let block =
        chain::Block::seal(page.head, &page.entries, page.until, bench.clock.at(), &foreign).expect("sealed");
    assert!(store.keep_block(kept, block).await.expect("kept"));
    assert_eq!(findings(&bench).await, ["block 4 is not as it was signed"]);
}

#[tokio::test]
async fn sealing_misses_nothing_while_others_write_and_seal() {
    sealing_misses_nothing(&Bench::open().await).await;
}

async fn sealing_misses_nothing(bench: &Bench) {
    let other = bench.another().await;
    let desk = bench.desk("RECEPCION-1").await;
    let mut asked_of = 0;
    let lookups = async {
        for number in bench.demo.documents.active.iter().chain(&bench.demo.documents.inactive).take(25) {
            let asked = [desk.look_up(bench, 0, number), desk.look_up(bench, 0, number)];
            for answer in futures_of(asked).await {
                assert_eq!(answer.status, 200, "{}", answer.body);
                asked_of += 1;
            }
        }
    };
    let sealing = async |app: &crate::App| {
        loop {
            app.seal_audit().await.expect("sealed");
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = lookups => {}
        () = async { tokio::join!(sealing(&bench.app), sealing(&other)); } => {}
    }
    bench.app.seal_audit().await.expect("sealed");
    let found = verified(bench).await;
    assert_eq!((found.findings, found.unsealed), (vec![], 0));
    // The demo and its import, the key, a sign-in, the lookups.
    assert_eq!(found.sealed, 4 + asked_of);
    assert!(found.blocks > 2, "while they wrote: {}", found.blocks);
}

/// Whoever writes all the time must not keep a seal from ending.
#[tokio::test]
async fn a_seal_ends_with_what_there_was_when_it_began() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let before = verified(&bench).await.blocks;
    let writing = async {
        loop {
            bench
                .app
                .store()
                .append(NewAct::new(Act::SignInFailed, bench.clock.at()))
                .await
                .expect("appended");
        }
    };
    desk.look_up(&bench, 0, &bench.demo.documents.active[0]).await;
    tokio::select! {
        () = writing => {}
        sealed = bench.app.seal_audit() => assert!(sealed.expect("sealed") > 0),
    }
    assert_eq!(verified(&bench).await.blocks, before + 1);
}

async fn futures_of<T>([first, second]: [impl Future<Output = T>; 2]) -> [T; 2] {
    let (first, second) = tokio::join!(first, second);
    [first, second]
}

/// What is sealed of each table; the others of their columns change in the course of things, or are secret.
fn sealed_columns(db: &Connection) -> Vec<(&'static str, Vec<String>)> {
    let all = |table: &str| -> Vec<String> {
        let mut names = db.prepare("SELECT name FROM pragma_table_info(?1)").expect("a query");
        names.query_map([table], |row| row.get(0)).expect("asked").collect::<Result<_, _>>().expect("names")
    };
    let some = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let mut columns: Vec<_> = [
        "audit",
        "audit_blocks",
        "statements",
        "lookups",
        "outbox_items",
        "earlier_refusals",
        "usage_reports",
        "voids",
        "offline_lookups",
    ]
    .map(|table| (table, all(table)))
    .into();
    columns.push(("sessions", some(&["id", "account_id", "device_id", "opened_us"])));
    columns.push(("signing_keys", some(&["kid", "public_key", "not_before_us", "not_after_us"])));
    columns
}

/// One bit of one byte of one column of one row is turned.
struct Flip {
    table: &'static str,
    column: String,
    /// What the row is told apart by: its key before and after.
    keys: [Field; 2],
    key: String,
    values: [Field; 2],
}

impl Flip {
    fn chosen(db: &Connection, columns: &[(&'static str, Vec<String>)], choice: [usize; 4]) -> Self {
        let (table, names) = &columns[choice[0] % columns.len()];
        let column = names[choice[1] % names.len()].clone();
        let key = if *table == "earlier_refusals" { "item_id" } else { "rowid" }.to_owned();
        let rows: u32 =
            db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).expect("a count");
        assert!(rows > 0, "{table} holds nothing");
        let sql = format!(
            "SELECT {key}, {column} FROM {table} LIMIT 1 OFFSET {}",
            choice[2] % usize::try_from(rows).expect("few")
        );
        let field = |value: ValueRef<'_>| match value {
            ValueRef::Null => Field::Null,
            ValueRef::Integer(value) => Field::Int(value),
            ValueRef::Text(bytes) => Field::Text(bytes.to_vec()),
            ValueRef::Blob(bytes) => Field::Bytes(bytes.to_vec()),
            ValueRef::Real(_) => panic!("no column holds one"),
        };
        let (row_key, before) = db
            .query_row(&sql, [], |row| Ok((field(row.get_ref(0)?), field(row.get_ref(1)?))))
            .expect("a row");
        let declared: String = db
            .query_row(
                "SELECT type FROM pragma_table_info(?1) WHERE name = ?2",
                params![table, column],
                |row| row.get(0),
            )
            .expect("a type");
        let after = flipped(&before, &declared, choice[3]);
        let is_key = column == "id" && *table == "audit" || column == "number" && *table == "audit_blocks";
        let key_after = if is_key || column == key { after.clone() } else { row_key.clone() };
        Self { table, column, keys: [row_key, key_after], key, values: [before, after] }
    }

    /// Whether it could be done: not when another row has that key already.
    fn apply(&self, db: &Connection, from: usize) -> bool {
        let Self { table, column, key, .. } = self;
        let sql = format!("UPDATE {table} SET {column} = ?1 WHERE {key} = ?2");
        let values: [&dyn ToSql; 2] = [&self.values[1 - from], &self.keys[from]];
        db.execute(&sql, values).is_ok_and(|rows| rows == 1)
    }
}

fn flipped(before: &Field, declared: &str, choice: usize) -> Field {
    let flip = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        match bytes.len() {
            0 => bytes.push(b'x'),
            // Texts stay texts: what a database cannot read as one would be found by any reader.
            length => bytes[choice % length] ^= 1 << (choice / length % 5),
        }
        bytes
    };
    match before {
        Field::Null if declared == "BLOB" => Field::Bytes(vec![0; 16]),
        Field::Null if declared == "TEXT" => Field::Text(b"{}".to_vec()),
        Field::Null => Field::Int(0),
        Field::Int(value) => Field::Int(value ^ (1 << (choice % 63))),
        Field::Text(bytes) => Field::Text(flip(bytes)),
        Field::Bytes(bytes) => Field::Bytes(flip(bytes)),
    }
}

#[test]
fn any_change_of_one_byte_in_any_sealed_column_is_found() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let bench = runtime.block_on(busy());
    let db = tampering(&bench);
    let columns = sealed_columns(&db);
    let changed = std::cell::RefCell::new(BTreeMap::<&str, u32>::new());
    let config = ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(choice in any::<[u16; 4]>())| {
        let flip = Flip::chosen(&db, &columns, choice.map(usize::from));
        if flip.apply(&db, 0) {
            let found = runtime.block_on(bench.app.verify_audit(None));
            prop_assert!(flip.apply(&db, 1), "it could not be taken back");
            // A key that cannot be read stops every command.
            let is_found = found.map_or(flip.table == "signing_keys", |found| found.findings_total > 0);
            prop_assert!(is_found, "{}.{}: {:?} -> {:?}", flip.table, flip.column, flip.values[0], flip.values[1]);
            *changed.borrow_mut().entry(flip.table).or_default() += 1;
        }
    });
    assert_eq!(changed.borrow().len(), columns.len(), "each table: {:?}", changed.borrow());
    assert_eq!(runtime.block_on(verified(&bench)).findings, []);
}
