use std::slice::from_ref;

use axum::http::StatusCode;
use hanna_wire::path;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::testing::{Bench, Desk};

/// Reports a use of the n-th active person at one of the desk's branches, now.
async fn report(bench: &Bench, desk: &Desk, branch: usize, person: usize) -> Value {
    let statement = desk.look_up(bench, branch, &bench.demo.documents.active[person]).await;
    let item = desk.report(bench, branch, &statement);
    desk.deliver(&[&item]).await;
    item["id"].clone()
}

fn query(from: Timestamp, to: Timestamp, more: &str) -> String {
    format!("{}?from={from}&to={to}{more}", path::USAGE_REPORTS)
}

async fn ids(desk: &Desk, path: &str) -> Vec<Value> {
    let answer = desk.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.body["rows"].as_array().expect("rows").iter().map(|row| row["id"].clone()).collect()
}

#[tokio::test]
async fn the_range_is_half_open_and_the_newest_come_first() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let start = bench.clock.at();
    let first = report(&bench, &desk, 0, 0).await;
    bench.clock.forward(1.minute());
    let second = report(&bench, &desk, 1, 1).await;
    let all = [second.clone(), first.clone()];
    assert_eq!(ids(&desk, &query(start, start + 1.hour(), "")).await, all);
    assert_eq!(ids(&desk, &query(start, start + 1.minute(), "")).await, [first]);
    assert_eq!(ids(&desk, &query(start + 1.minute(), start + 1.hour(), "")).await, [second]);
}

#[tokio::test]
async fn a_row_shows_what_was_signed_who_reported_it_and_the_note() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let start = bench.clock.at();
    report(&bench, &desk, 0, 0).await;
    bench.clock.forward(1.minute());
    report(&bench, &desk, 1, 0).await;
    let answer = desk.get(&query(start, start + 1.hour(), "")).await;
    let signed = bench.read(&desk.look_up(&bench, 0, &bench.demo.documents.active[0]).await);
    let person = signed.affiliate.expect("registered");
    let row = &answer.body["rows"][0];
    assert_eq!(row["affiliate_name"], person.full_name());
    assert_eq!(row["company_name"], person.company.expect("employed").name);
    assert_eq!(row["document"], json!(signed.document));
    assert_eq!(row["operator_name"], "Ana Rodríguez");
    assert_eq!((&row["branch_name"], &row["tariff"]), (&json!("Sede Centro"), &json!(signed.tariff)));
    assert_eq!(row["occurred_at"], json!(start + 1.minute()));
    assert_eq!((&row["state"], &row["code"]), (&json!("accepted_with_note"), &json!("DAILY_LIMIT_REACHED")));
    let row = &answer.body["rows"][1];
    assert_eq!((&row["state"], &row["code"]), (&json!("accepted"), &json!(null)));
}

#[tokio::test]
async fn operators_see_their_branches_and_administrators_their_entity() {
    let bench = Bench::open().await;
    let ana = bench.desk("RECEPCION-1").await;
    let luis = bench.desk_as("luis.penaranda@gymcaribe.co").await;
    let admin = bench.desk_as("gerencia@gymcaribe.co").await;
    let clinic = bench.desk_as("ivan.acuna@sonrisas.co").await;
    let start = bench.clock.at();
    let north = report(&bench, &luis, 0, 0).await;
    bench.clock.forward(1.second());
    let centre = report(&bench, &ana, 1, 1).await;
    bench.clock.forward(1.second());
    let theirs = report(&bench, &clinic, 0, 2).await;
    let all = query(start, start + 1.hour(), "");
    assert_eq!(ids(&ana, &all).await, [centre.clone(), north.clone()]);
    assert_eq!(ids(&luis, &all).await, from_ref(&north));
    assert_eq!(ids(&admin, &all).await, [centre.clone(), north.clone()]);
    assert_eq!(ids(&clinic, &all).await, [theirs]);

    let of = |branch| query(start, start + 1.hour(), &format!("&branch_id={branch}"));
    assert_eq!(ids(&admin, &of(ana.branches[1].id)).await, from_ref(&centre));
    assert_eq!(ids(&ana, &of(ana.branches[1].id)).await, [centre]);
    for (desk, branch) in [
        (&luis, ana.branches[1].id),
        (&ana, clinic.branches[0].id),
        (&admin, clinic.branches[0].id),
        (&admin, bench.id()),
    ] {
        let answer = desk.get(&of(branch)).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "BRANCH_NOT_ALLOWED"));
    }
    let nowhere = bench.desk_as("sin.sede@gymcaribe.co").await;
    assert!(ids(&nowhere, &all).await.is_empty(), "no branches, no uses");
}

#[tokio::test]
async fn pages_neither_miss_nor_repeat_rows_also_when_new_ones_arrive() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let start = bench.clock.at();
    let mut expected = Vec::new();
    for person in 0..7 {
        // Three at the same moment: then the id decides.
        if person % 3 == 0 {
            bench.clock.forward(1.second());
        }
        expected.push((bench.clock.at(), report(&bench, &desk, person % 3, person).await.to_string()));
    }
    expected.sort();
    expected.reverse();

    let mut seen: Vec<String> = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = desk.get(&query(start, start + 1.hour(), &format!("&limit=3{cursor}"))).await.body;
        let rows = page["rows"].as_array().expect("rows");
        assert!(rows.len() <= 3);
        seen.extend(rows.iter().map(|row| row["id"].to_string()));
        report(&bench, &desk, 0, 10 + seen.len()).await;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let mut late: Vec<String> = seen.clone();
    late.retain(|id| !expected.iter().any(|(_, known)| known == id));
    assert!(late.is_empty(), "rows newer than the first page come on a new first page");
    assert_eq!(seen, expected.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_the_contract_does_not_allow_is_refused() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let now = bench.clock.at();
    let day = |days: i64| query(now, now + (days * 24).hours(), "");
    assert_eq!(desk.get(&day(400)).await.status, StatusCode::OK);
    for path in [
        day(401),
        day(0),
        query(now, now - 1.second(), ""),
        query(now, now + 1.hour(), "&limit=0"),
        query(now, now + 1.hour(), "&limit=501"),
        query(now, now + 1.hour(), "&limit=x"),
        query(now, now + 1.hour(), "&cursor=x"),
        query(now, now + 1.hour(), "&cursor="),
        query(now, now + 1.hour(), "&branch_id=x"),
        query(now, now + 1.hour(), "&otro=1"),
        path::USAGE_REPORTS.to_owned(),
        format!("{}?from=ayer&to=hoy", path::USAGE_REPORTS),
    ] {
        let answer = desk.get(&path).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNPROCESSABLE_ENTITY, "INVALID"), "{path}");
    }
}

#[tokio::test]
async fn totals_and_the_file_have_what_the_list_has() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let start = bench.clock.at();
    let ids = [
        report(&bench, &desk, 0, 0).await,
        report(&bench, &desk, 0, 0).await,
        report(&bench, &desk, 1, 1).await,
    ];
    let range = format!("?from={start}&to={}", start + 1.hour());
    let answer = desk.get(&format!("{}{range}", path::USAGE_REPORTS_TOTALS)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let totals = answer.body["items"].as_array().expect("counts");
    let uses = |branch: &str, what: &str| -> u64 {
        let of_branch = totals.iter().filter(|one| one["branch_name"] == branch);
        of_branch.map(|one| one[what].as_u64().expect("a count")).sum()
    };
    assert_eq!((uses("Sede Norte", "uses"), uses("Sede Norte", "noted")), (2, 1));
    assert_eq!((uses("Sede Centro", "uses"), uses("Sede Centro", "voided")), (1, 0));

    let answer = desk.get(&format!("{}{range}", path::USAGE_REPORTS_EXPORT)).await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    let file = String::from_utf8(answer.bytes.to_vec()).expect("text");
    let lines: Vec<&str> = file.lines().collect();
    assert_eq!(lines.len(), 4, "{file}");
    assert!(lines[0].starts_with("fecha;hora;tipo_documento;documento;afiliado;"), "{file}");
    for (line, id) in lines[1..].iter().zip(ids.iter().rev()) {
        assert!(line.starts_with("2026-11-22;10:0"), "in the time of Colombia: {line}");
        assert!(line.ends_with(id.as_str().expect("an id")), "newest first: {line}");
    }
    assert!(lines[2].contains(";aceptado con nota;no;;"), "{file}");

    let other = bench.desk_as("luis.penaranda@gymcaribe.co").await;
    let file = other.get(&format!("{}{range}", path::USAGE_REPORTS_EXPORT)).await.bytes;
    assert_eq!(String::from_utf8_lossy(&file).lines().count(), 3, "their branches alone");
    for path in [path::USAGE_REPORTS_TOTALS, path::USAGE_REPORTS_EXPORT] {
        let reversed = desk.get(&format!("{path}?from={}&to={start}", start + 1.hour())).await;
        assert_eq!(reversed.code(), "INVALID");
    }
}

#[tokio::test]
async fn a_file_of_many_pages_is_whole() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let start = bench.clock.at();
    report(&bench, &desk, 0, 0).await;
    // As many more as make three pages.
    let columns = |table: &str| {
        let sql = bench.sql();
        let asked = sql.prepare(&format!("SELECT * FROM {table}")).expect("a table");
        asked.column_names().skip(1).map(|name| format!("t.{name}")).collect::<Vec<_>>().join(", ")
    };
    let numbers = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1000)";
    for sql in [
        format!(
            "INSERT INTO outbox_items {numbers} SELECT randomblob(16), {} FROM outbox_items t, n",
            columns("outbox_items")
        ),
        format!(
            "INSERT INTO usage_reports SELECT i.id, {} FROM usage_reports t, outbox_items i WHERE i.id <> t.id",
            columns("usage_reports")
        ),
    ] {
        assert_eq!(bench.sql().execute(&sql, []).expect("copied"), 1000);
    }
    let answer =
        desk.get(&format!("{}?from={start}&to={}", path::USAGE_REPORTS_EXPORT, start + 1.hour())).await;
    let file = String::from_utf8_lossy(&answer.bytes).into_owned();
    let mut ids: Vec<&str> = file.lines().skip(1).filter_map(|line| line.rsplit(';').next()).collect();
    assert_eq!(ids.len(), 1001);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 1001, "each once");
}
