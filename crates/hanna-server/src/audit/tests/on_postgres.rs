//! The same on PostgreSQL.

use hanna_cluster::Cluster;

use super::*;

/// What is sealed of which table; the others of their columns change in the course of things, or are secret.
const SEALED: [(&str, &str); 11] = [
    ("audit", "id at act record_id submission account_id device_id document_mac said"),
    ("audit_blocks", "number previous sealed_us after_id until_id root kid signature leaves purged"),
    ("statements", "id lookup_id issued_at expires_at usable reasons"),
    ("lookups", "id account_id device_id entity_id branch_id document_mac purpose asked_at regular"),
    (
        "outbox_items",
        "id content_hash kind sequence author_id device_id sent_by device_time received_at judged_at submission \
         outcome code",
    ),
    ("earlier_refusals", "item_id submission judged_at code"),
    (
        "usage_reports",
        "id statement_id lookup_id entity_id branch_id author_id occurred_at day kind number affiliate_name tariff \
         company_name",
    ),
    ("voids", "id report_id author_id occurred_at reason text"),
    ("offline_lookups", "id lookup_id occurred_at verdict statement_id"),
    ("sessions", "id account_id device_id opened_at"),
    ("signing_keys", "kid public_key not_before not_after"),
];

/// Like whoever tampers: bound to no reference and no rule.
const UNBOUND: &str = "SET session_replication_role = replica;";

async fn bench_on(cluster: &Cluster) -> Bench {
    let url = cluster.make("hanna").expect("a database");
    Bench::on(url.parse().expect("an address")).await
}

fn sql(cluster: &Cluster, sql: &str) -> String {
    cluster.sql("hanna", sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Keeps the tables as they are, settings too.
fn keep(cluster: &Cluster) {
    let rules = sql(
        cluster,
        "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I;', conrelid::regclass, conname) FROM pg_constraint
         WHERE contype = 'c' AND connamespace = 'public'::regnamespace",
    );
    sql(cluster, &rules);
    sql(cluster, "CREATE SCHEMA image");
    for table in tables() {
        sql(cluster, &format!("CREATE TABLE image.{table} AS TABLE public.{table}"));
    }
}

fn restore(cluster: &Cluster) {
    let each = tables().map(|table| {
        format!(
            "DELETE FROM {table}; INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM image.{table};"
        )
    });
    sql(cluster, &format!("{UNBOUND} {}", each.collect::<String>()));
}

fn tables() -> impl Iterator<Item = &'static str> {
    SEALED.into_iter().map(|(table, _)| table).chain(["settings"])
}

/// Another value for a column of this type.
fn other(column: &str, kind: &str) -> String {
    match kind {
        "uuid" => "gen_random_uuid()".to_owned(),
        "bytea" => format!(
            "coalesce(set_byte({column}, 0, (get_byte({column}, 0) + 1) % 256), decode(repeat('00', 32), 'hex'))"
        ),
        "text" => format!("coalesce({column}, '') || 'x'"),
        "json" => "'{\"x\": 1}'".to_owned(),
        "bigint" => format!("coalesce({column}, 0) + 1000"),
        "boolean" => format!("NOT {column}"),
        "date" => format!("{column} + 1"),
        "timestamp with time zone" => format!("{column} + interval '1 microsecond'"),
        "ARRAY" => format!("array_append({column}, 'X')"),
        other => panic!("{column} is a {other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_change_of_any_sealed_column_is_found_on_postgresql() {
    let cluster = Cluster::start().expect("a cluster");
    let bench = make_busy(bench_on(&cluster).await).await;
    let whole = verified(&bench).await;
    assert_eq!((whole.findings_total, whole.unsealed, whole.blocks), (0, 0, 3));
    keep(&cluster);
    for (table, columns) in SEALED {
        for column in columns.split(' ') {
            let kind = sql(
                &cluster,
                &format!(
                    "SELECT data_type FROM information_schema.columns
                     WHERE table_schema = 'public' AND table_name = '{table}' AND column_name = '{column}'"
                ),
            );
            let change = format!(
                "{UNBOUND} UPDATE {table} SET {column} = {} WHERE ctid = (SELECT ctid FROM {table} LIMIT 1)
                 RETURNING 'changed'",
                other(column, &kind)
            );
            assert!(sql(&cluster, &change).contains("changed"), "{table} holds nothing");
            let found = bench.app.verify_audit(None).await;
            // A key that cannot be read stops every command.
            let is_found = found.map_or(table == "signing_keys", |found| found.findings_total > 0);
            assert!(is_found, "{table}.{column}");
            restore(&cluster);
        }
    }
    assert_eq!(findings(&bench).await, Vec::<String>::new(), "as before");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_removed_or_slipped_in_is_found_on_postgresql() {
    let cluster = Cluster::start().expect("a cluster");
    let bench = make_busy(bench_on(&cluster).await).await;
    keep(&cluster);
    let lookup = sql(&cluster, "SELECT min(id) FROM audit WHERE act = 'LOOKUP'");
    let last = sql(&cluster, "SELECT max(id) FROM audit");
    let random = "gen_random_uuid()";
    let cases = [
        (format!("DELETE FROM audit WHERE id = {lookup}"), format!("act {lookup} was removed")),
        (format!("DELETE FROM audit WHERE id = {last}"), format!("act {last} was removed")),
        ("DELETE FROM statements".to_owned(), format!("what act {lookup} (LOOKUP) records was removed")),
        ("DELETE FROM usage_reports".to_owned(), "(ITEM), or what it records, was changed".to_owned()),
        ("DELETE FROM voids".to_owned(), "(ITEM), or what it records, was changed".to_owned()),
        (
            "INSERT INTO audit (id, at, act) VALUES (0, now(), 'KEY')".to_owned(),
            "act 0 (KEY) was slipped in".to_owned(),
        ),
        (
            format!("UPDATE audit SET id = 0 WHERE id = {lookup}"),
            "act 0 (LOOKUP) was slipped in".to_owned(),
        ),
        (
            format!(
                "INSERT INTO statements SELECT {random}, lookup_id, issued_at, expires_at, usable, reasons
                 FROM statements LIMIT 1"
            ),
            "statements: ".to_owned(),
        ),
        (
            format!(
                "INSERT INTO lookups SELECT {random}, account_id, device_id, entity_id, branch_id, document_mac,
                     purpose, asked_at, regular FROM lookups LIMIT 1"
            ),
            "lookups: ".to_owned(),
        ),
        (
            "INSERT INTO usage_reports SELECT i.id, statement_id, lookup_id, entity_id, branch_id, u.author_id,
                 occurred_at, day, u.kind, number, affiliate_name, tariff, company_name
             FROM usage_reports u, outbox_items i WHERE i.outcome = 'refused'"
                .to_owned(),
            "usage_reports: ".to_owned(),
        ),
        (
            "INSERT INTO signing_keys (kid, pkcs8, public_key, not_before, not_after)
             SELECT 'otra', pkcs8, public_key, not_before, not_after FROM signing_keys LIMIT 1"
                .to_owned(),
            "signing_keys: otra is in no act".to_owned(),
        ),
        ("DELETE FROM audit_blocks WHERE number = 2".to_owned(), "block 2 is missing".to_owned()),
        ("DELETE FROM audit_blocks WHERE number > 1".to_owned(), "blocks 2 to 3 are missing".to_owned()),
        (
            "DELETE FROM settings WHERE name = 'audit_head'".to_owned(),
            "the last block is not the one".to_owned(),
        ),
    ];
    for (change, expected) in cases {
        sql(&cluster, &format!("{UNBOUND} {change}"));
        let found = findings(&bench).await;
        assert!(
            found.iter().any(|finding| finding.contains(&expected)),
            "{change}: {expected} is not in {found:#?}"
        );
        restore(&cluster);
    }
    assert_eq!(findings(&bench).await, Vec::<String>::new(), "as before");
}

#[tokio::test(flavor = "multi_thread")]
async fn sealing_on_postgresql_misses_nothing_while_others_write_and_seal() {
    let cluster = Cluster::start().expect("a cluster");
    sealing_misses_nothing(&bench_on(&cluster).await).await;
}
