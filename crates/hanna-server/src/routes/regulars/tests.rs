use axum::http::StatusCode;
use hanna_domain::Statement;
use hanna_domain::statement::Verifier;
use hanna_wire::path;
use jiff::ToSpan;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::testing::{Answer, Bench, Desk};

fn regular(bench: &Bench, number: &str) -> Value {
    json!({ "id": bench.id(), "document": { "kind": "CC", "number": number } })
}

async fn refresh(desk: &Desk, branch_id: Uuid, regulars: &[Value]) -> Answer {
    desk.post(path::LOOKUPS_REFRESH, &json!({ "branch_id": branch_id, "regulars": regulars })).await
}

/// What the statements say, and what is left of the budget.
fn read(bench: &Bench, answer: &Answer) -> (Vec<Statement>, u64) {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let verifier = Verifier::new(&bench.app.signer().held().public(bench.clock.at()));
    let statements = answer.body["statements"].as_array().expect("a list").iter();
    let read = |jws: &Value| {
        let jws = jws.as_str().expect("a statement");
        verifier.verify_any(jws).expect("genuine").statement().clone()
    };
    (statements.map(read).collect(), answer.body["budget_left"].as_u64().expect("a number"))
}

fn ids(statements: &[Statement]) -> Vec<Value> {
    statements.iter().map(|statement| json!(statement.lookup_id)).collect()
}

fn lookups(bench: &Bench) -> i64 {
    bench.sql().query_row("SELECT count(*) FROM lookups", [], |row| row.get(0)).expect("a count")
}

#[tokio::test]
async fn each_regular_is_answered_like_a_lookup_and_on_record_with_its_purpose() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let documents = &bench.demo.documents;
    let regulars = [
        regular(&bench, &documents.active[0]),
        regular(&bench, &documents.retired[0]),
        regular(&bench, &documents.not_registered[0]),
    ];
    let (statements, left) = read(&bench, &refresh(&desk, desk.branches[0].id, &regulars).await);
    assert_eq!(left, 1_997);
    assert_eq!(ids(&statements), regulars.iter().map(|regular| regular["id"].clone()).collect::<Vec<_>>());
    assert_eq!(statements.iter().map(|statement| statement.usable).collect::<Vec<_>>(), [true, false, false]);
    for (statement, regular) in statements.iter().zip(&regulars) {
        assert_eq!(json!(statement.document), regular["document"]);
        assert_eq!(statement.branch_id, desk.branches[0].id);
    }
    let purposes: (i64, String, Uuid) = bench
        .sql()
        .query_row(
            "SELECT count(*), min(purpose), min(account_id) FROM lookups WHERE regular = 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .expect("a count");
    assert_eq!(purposes, (3, "reverificación de habituales".to_owned(), desk.operator_id));
    let item = desk.report(&bench, 0, &desk.look_up(&bench, 0, &documents.active[0]).await);
    assert_eq!(desk.deliver(&[&item]).await, ["accepted"]);
    let (statements, _) = read(&bench, &refresh(&desk, desk.branches[0].id, &regulars[..1]).await);
    assert_eq!(statements[0].used_today.len(), 1, "judged anew");
}

#[tokio::test]
async fn a_branch_has_a_budget_for_each_day_and_the_same_ids_are_counted_once() {
    let bench = Bench::open().await.with(|config| config.regulars_a_day_max = 3).await;
    let desk = bench.desk("RECEPCION-1").await;
    let other = bench.desk_as("luis.penaranda@gymcaribe.co").await;
    let (north, centre) = (desk.branches[0].id, desk.branches[1].id);
    let numbers = &bench.demo.documents.active;
    let regulars: Vec<Value> = numbers.iter().take(5).map(|number| regular(&bench, number)).collect();
    let wanted = |range: std::ops::Range<usize>| -> Vec<Value> {
        regulars[range].iter().map(|regular| regular["id"].clone()).collect()
    };
    let (statements, left) = read(&bench, &refresh(&desk, north, &regulars[..2]).await);
    assert_eq!((statements.len(), left), (2, 1));
    let (statements, left) = read(&bench, &refresh(&other, north, &regulars[..2]).await);
    assert_eq!((ids(&statements), left), (wanted(0..2), 1), "the same lookups, also from another PC");
    let (statements, left) = read(&bench, &refresh(&desk, north, &regulars).await);
    assert_eq!((ids(&statements), left), (wanted(0..3), 0), "as far as the budget goes");
    let (statements, left) = read(&bench, &refresh(&desk, north, &regulars).await);
    assert_eq!((ids(&statements), left), (wanted(0..3), 0), "a replay is answered as before");
    assert_eq!(lookups(&bench), 3);
    let (statements, _) = read(&bench, &refresh(&desk, centre, &[regular(&bench, &numbers[5])]).await);
    assert_eq!(statements.len(), 1, "another branch has its own");
    assert!(
        bench.read(&desk.look_up(&bench, 0, &numbers[6]).await).usable,
        "who stands there is always answered"
    );

    bench.clock.set("2026-11-23T05:00:00Z".parse().expect("midnight"));
    let desk = bench.desk("RECEPCION-1").await;
    let (statements, left) = read(&bench, &refresh(&desk, north, &regulars[3..]).await);
    assert_eq!((ids(&statements), left), (wanted(3..5), 1), "a new day");
}

#[tokio::test]
async fn an_id_that_belongs_to_another_lookup_spoils_the_request_and_nothing_is_recorded() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let numbers = &bench.demo.documents.active;
    let known = regular(&bench, &numbers[0]);
    read(&bench, &refresh(&desk, desk.branches[0].id, std::slice::from_ref(&known)).await);
    let mut taken = regular(&bench, &numbers[2]);
    taken["id"] = known["id"].clone();
    let fresh = regular(&bench, &numbers[1]);
    let answer = refresh(&desk, desk.branches[0].id, &[fresh, taken]).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::CONFLICT, "ID_CONFLICT"));
    let answer = refresh(&desk, desk.branches[1].id, &[known]).await;
    assert_eq!(answer.code(), "ID_CONFLICT", "of another branch");
    assert_eq!(lookups(&bench), 1);
}

#[tokio::test]
async fn only_operators_of_the_branch_whose_application_is_approved_are_answered() {
    let bench = Bench::open().await;
    let ana = bench.desk("RECEPCION-1").await;
    let luis = bench.desk_as("luis.penaranda@gymcaribe.co").await;
    let waiting = bench.desk_as("karen.nunez@academiarumba.co").await;
    let admin = bench.desk_as("gerencia@gymcaribe.co").await;
    let regulars = [regular(&bench, &bench.demo.documents.active[0])];
    for (desk, branch_id, code) in [
        (&luis, ana.branches[1].id, "BRANCH_NOT_ALLOWED"),
        (&ana, waiting.branches[0].id, "BRANCH_NOT_ALLOWED"),
        (&waiting, waiting.branches[0].id, "FORBIDDEN"),
        (&admin, ana.branches[0].id, "FORBIDDEN"),
    ] {
        let answer = refresh(desk, branch_id, &regulars).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, code));
    }
    bench.app.revoke_device(ana.device_id).await.expect("revoked");
    assert_eq!(refresh(&ana, ana.branches[0].id, &regulars).await.code(), "DEVICE_REVOKED");
    assert_eq!(lookups(&bench), 0);
}

#[tokio::test]
async fn a_request_has_one_to_two_hundred_regulars() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let branch_id = desk.branches[0].id;
    let one = regular(&bench, &bench.demo.documents.active[0]);
    for regulars in [vec![], vec![one.clone(); 201]] {
        let answer = refresh(&desk, branch_id, &regulars).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNPROCESSABLE_ENTITY, "INVALID"));
    }
    bench.clock.forward(1.minute());
    let many: Vec<Value> =
        (0..200).map(|extra| regular(&bench, &format!("{}", 1_000_000_100 + extra))).collect();
    let (statements, left) = read(&bench, &refresh(&desk, branch_id, &many).await);
    assert_eq!((statements.len(), left), (200, 1_800));
}
