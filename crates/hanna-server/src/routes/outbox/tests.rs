use axum::http::StatusCode;
use hanna_domain::statement::sign;
use hanna_domain::{Reason, Statement};
use hanna_wire::path;
use jiff::{Timestamp, ToSpan};
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};

use crate::keys::SigningKey;
use crate::testing::{Answer, Bench, Desk, TestEntropy};

/// Signs claims as this server would.
fn signed(bench: &Bench, statement: &Statement) -> Value {
    let jws = bench.app.signer().held().sign(statement).expect("a key").expect("signed");
    json!(jws)
}

async fn active(bench: &Bench, desk: &Desk) -> Answer {
    desk.look_up(bench, 0, &bench.demo.documents.active[0]).await
}

fn uses(bench: &Bench) -> i64 {
    bench.sql().query_row("SELECT count(*) FROM usage_reports", [], |row| row.get(0)).expect("a count")
}

#[tokio::test]
async fn a_use_is_accepted_once_however_often_it_comes() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let item = desk.report(&bench, 0, &active(&bench, &desk).await);
    assert_eq!(desk.deliver(&[&item]).await, ["accepted"]);
    bench.clock.forward(48.hours());
    let bench = bench.restart().await;
    let desk = bench.desk("RECEPCION-1").await;
    assert_eq!(desk.deliver(&[&item, &item]).await, ["accepted", "accepted"]);
    assert_eq!(uses(&bench), 1);
}

#[tokio::test]
async fn the_same_id_with_other_content_never_touches_the_first() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let item = desk.report(&bench, 0, &active(&bench, &desk).await);
    let mut other = item.clone();
    other["sequence"] = json!(2);
    assert_eq!(desk.deliver(&[&item, &other]).await, ["accepted", "refused ID_CONFLICT"]);
    assert_eq!(desk.deliver(&[&other, &item]).await, ["refused ID_CONFLICT", "accepted"]);
    assert_eq!(uses(&bench), 1);
}

#[tokio::test]
async fn a_second_use_of_the_day_is_noted_where_the_agreement_says_so() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let first = active(&bench, &desk).await;
    // Two PCs, both offline, one statement each: both report.
    let other = bench.desk_as("luis.penaranda@gymcaribe.co").await;
    let second = active(&bench, &other).await;
    let noted = other.report(&bench, 0, &second);
    assert_eq!(desk.deliver(&[&desk.report(&bench, 0, &first)]).await, ["accepted"]);
    assert_eq!(other.deliver(&[&noted]).await, ["accepted_with_note DAILY_LIMIT_REACHED"]);
    assert_eq!(other.deliver(&[&noted]).await, ["accepted_with_note DAILY_LIMIT_REACHED"], "its replay");
    assert_eq!(uses(&bench), 2);

    let card = bench.read(&active(&bench, &desk).await);
    assert!(card.usable, "the card warns, the operator decides");
    assert_eq!(card.used_today.iter().map(|u| u.branch_name.as_str()).collect::<Vec<_>>(), ["Sede Norte"; 2]);

    // Eleven in the night in Colombia, already tomorrow in London: still the same day. An hour later it is not.
    bench.clock.forward(13.hours());
    assert_eq!(bench.read(&active(&bench, &bench.desk("PC").await).await).used_today.len(), 2);
    bench.clock.forward(1.hour());
    let desk = bench.desk("PC").await;
    let tomorrow = active(&bench, &desk).await;
    assert!(bench.read(&tomorrow).used_today.is_empty());
    assert_eq!(desk.deliver(&[&desk.report(&bench, 0, &tomorrow)]).await, ["accepted"]);
}

#[tokio::test]
async fn a_second_use_of_the_day_is_refused_where_the_agreement_says_so() {
    let bench = Bench::open().await;
    let desk = bench.desk_as("ivan.acuna@sonrisas.co").await;
    let before = active(&bench, &desk).await;
    let (first, second) = (desk.report(&bench, 0, &before), desk.report(&bench, 0, &before));
    assert_eq!(desk.deliver(&[&first, &second]).await, ["accepted", "refused DAILY_LIMIT_REACHED"]);
    assert_eq!(uses(&bench), 1);
    let card = bench.read(&active(&bench, &desk).await);
    assert_eq!((card.usable, card.reasons), (false, vec![Reason::DailyLimitReached]));
    assert_eq!(card.exp, "2026-11-23T05:00:00Z".parse::<Timestamp>().expect("midnight"), "until the new day");
    // Another entity's uses are none of anybody's business.
    let gym = bench.desk("RECEPCION-1").await;
    let card = bench.read(&active(&bench, &gym).await);
    assert!(card.usable && card.used_today.is_empty());
}

#[tokio::test]
async fn a_use_on_a_genuine_answer_counts_whatever_has_become_of_the_person_since() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let item = desk.report(&bench, 0, &active(&bench, &desk).await);
    let changed = bench.sql().execute(
        "UPDATE affiliates SET status = 'RETIRADO', first_surname = 'OTRA' WHERE number = ?1",
        [&bench.demo.documents.active[0]],
    );
    assert_eq!(changed.expect("changed"), 1);
    bench
        .sql()
        .execute("UPDATE accounts SET state = 'SUSPENDED' WHERE id = ?1", [desk.operator_id])
        .expect("suspended");
    bench.clock.forward((10 * 24).hours());
    // Delivered late, by whoever is signed in then.
    let other = bench.desk_as("luis.penaranda@gymcaribe.co").await;
    assert_eq!(other.deliver(&[&item]).await, ["accepted"]);
    let name: String = bench
        .sql()
        .query_row("SELECT affiliate_name FROM usage_reports", [], |row| row.get(0))
        .expect("a report");
    assert!(!name.contains("OTRA"), "as it was signed");
}

#[tokio::test]
async fn what_we_did_not_sign_is_refused() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let genuine = active(&bench, &desk).await;
    let report = |statement: Value| {
        let mut item = desk.report(&bench, 0, &genuine);
        item["body"]["statement"] = statement;
        item
    };
    let claims = bench.read(&genuine);
    let foreign = SigningKey::make(&TestEntropy::new(99), bench.clock.at()).expect("a key");
    let key = EncodingKey::from_ed_der(foreign.pkcs8.expose());
    let ring = bench.app.signer().held();
    let our_kid = &ring.newest().expect("a key").kid;
    let jws = genuine.body["statement"].as_str().expect("a statement");
    let forgeries = [
        json!(sign(&claims, our_kid, &key).expect("signed")),
        json!(sign(&claims, &foreign.kid, &key).expect("signed")),
        json!(&jws[..jws.len() - 4]),
        json!(""),
        json!("a.b.c"),
    ];
    let items: Vec<Value> = forgeries.into_iter().map(report).collect();
    assert_eq!(desk.deliver(&items.iter().collect::<Vec<_>>()).await, ["refused STATEMENT_NOT_GENUINE"; 5]);
    assert_eq!(uses(&bench), 0);
}

#[tokio::test]
async fn a_use_must_lie_within_its_statement() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let genuine = active(&bench, &desk).await;
    let claims = bench.read(&genuine);
    let at = |moment: Timestamp| {
        let mut item = desk.report(&bench, 0, &genuine);
        item["occurred_at"] = json!(moment);
        item
    };
    let items = [
        at(claims.nbf - 2.minutes()),
        at(claims.nbf - 2.minutes() - 1.millisecond()),
        at(claims.exp - 1.millisecond()),
        at(claims.exp),
        at(Timestamp::MIN),
        at(Timestamp::MAX),
    ];
    let not_valid = "refused STATEMENT_NOT_VALID";
    // The last one accepted falls on the next Colombian day, so it is not the second use of its day.
    assert_eq!(
        desk.deliver(&items.iter().collect::<Vec<_>>()).await,
        ["accepted", not_valid, "accepted", not_valid, "refused TOO_OLD", not_valid]
    );
}

#[tokio::test]
async fn a_use_needs_a_statement_that_allows_it_here() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let retired = desk.look_up(&bench, 0, &bench.demo.documents.retired[0]).await;
    let elsewhere = desk.look_up(&bench, 1, &bench.demo.documents.active[0]).await;
    let items = [desk.report(&bench, 0, &retired), desk.report(&bench, 0, &elsewhere)];
    assert_eq!(
        desk.deliver(&items.iter().collect::<Vec<_>>()).await,
        ["refused STATEMENT_NOT_USABLE", "refused STATEMENT_MISMATCH"]
    );
    assert_eq!(uses(&bench), 0);
}

#[tokio::test]
async fn branch_author_and_statement_must_be_of_the_entity_that_delivers() {
    let bench = Bench::open().await;
    let gym = bench.desk("RECEPCION-1").await;
    let clinic = bench.desk_as("ivan.acuna@sonrisas.co").await;
    let admin = bench.desk_as("gerencia@gymcaribe.co").await;
    let ours = gym.report(&bench, 0, &active(&bench, &gym).await);
    let not_allowed = "refused BRANCH_NOT_ALLOWED";
    assert_eq!(clinic.deliver(&[&ours]).await, [not_allowed], "another entity's use");

    let with_author = |author_id| {
        let mut item = ours.clone();
        item["id"] = json!(bench.id());
        item["author_id"] = json!(author_id);
        item
    };
    let items = [with_author(clinic.operator_id), with_author(admin.operator_id), with_author(bench.id())];
    assert_eq!(gym.deliver(&items.iter().collect::<Vec<_>>()).await, [not_allowed; 3]);

    let mut claims = bench.read(&active(&bench, &gym).await);
    claims.entity_id = bench.id();
    let mut of_no_entity = ours.clone();
    of_no_entity["id"] = json!(bench.id());
    of_no_entity["body"]["statement"] = signed(&bench, &claims);
    assert_eq!(gym.deliver(&[&of_no_entity]).await, [not_allowed]);

    // What was refused had no effect: from the right hands the same item is taken in, when somebody asks again.
    assert_eq!(admin.deliver(&[&ours]).await, [not_allowed], "the answer to this submission stays");
    let mut again = ours.clone();
    again["submission"] = json!(1);
    assert_eq!(admin.deliver(&[&again]).await, ["accepted"]);
    again["submission"] = json!(2);
    assert_eq!(admin.deliver(&[&again, &ours]).await, ["accepted", not_allowed]);
    assert_eq!(uses(&bench), 1);
}

#[tokio::test]
async fn one_bad_item_does_not_spoil_its_batch() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let good = desk.report(&bench, 0, &active(&bench, &desk).await);
    let spoilt = |change: fn(&mut Value)| {
        let mut item = good.clone();
        item["id"] = json!(bench.id());
        change(&mut item);
        item
    };
    let items = [
        spoilt(|item| item["sequence"] = json!("x")),
        spoilt(|item| item["sequence"] = json!(0)),
        spoilt(|item| item["submission"] = json!(1_000_001)),
        spoilt(|item| item["body"]["kind"] = json!("void")),
        good.clone(),
        spoilt(|item| item["extra"] = json!(1)),
        json!({ "id": bench.id() }),
    ];
    let malformed = "refused MALFORMED";
    assert_eq!(
        desk.deliver(&items.iter().collect::<Vec<_>>()).await,
        [malformed, malformed, malformed, malformed, "accepted", malformed, malformed]
    );

    // A newer server may understand what this one cannot: nothing was remembered against it.
    let mut mended = items[0].clone();
    mended["sequence"] = json!(1);
    assert_eq!(desk.deliver(&[&mended]).await, ["accepted_with_note DAILY_LIMIT_REACHED"]);
}

#[tokio::test]
async fn a_batch_is_answered_with_the_epoch_and_the_last_sequence_of_its_desk() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let other = bench.desk("RECEPCION-2").await;
    let mut item = desk.report(&bench, 0, &active(&bench, &desk).await);
    item["sequence"] = json!(7);
    let held = async |desk: &Desk, item: &Value| {
        let body = desk.post(path::OUTBOX, &json!({ "items": [item] })).await.body;
        (body["epoch"].clone(), body["last_sequence"].clone())
    };
    let (epoch, last) = held(&desk, &item).await;
    assert_eq!(last, 0, "before the batch");
    assert_eq!(held(&desk, &item).await, (epoch.clone(), json!(7)));
    assert_eq!(held(&other, &json!({ "id": bench.id() })).await, (epoch.clone(), json!(0)));
    let bench = bench.restart().await;
    let desk = bench.at(desk);
    assert_eq!(held(&desk, &item).await, (epoch.clone(), json!(7)), "a restart is no restore");
    let next = bench.app.renew_epoch().await.expect("renewed");
    assert_ne!(json!(next), epoch);
    assert_eq!(held(&desk, &item).await, (json!(next), json!(7)));
}

#[tokio::test]
async fn a_batch_has_one_to_five_hundred_items_each_with_an_id() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let item = json!({ "id": bench.id() });
    for items in [json!([]), json!(vec![item.clone(); 501])] {
        let answer = desk.post(path::OUTBOX, &json!({ "items": items })).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNPROCESSABLE_ENTITY, "INVALID"));
    }
    for items in [json!([item, {}]), json!([1]), json!([{ "id": 1 }]), json!({})] {
        let answer = desk.post(path::OUTBOX, &json!({ "items": items })).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "MALFORMED"));
    }
    assert_eq!(desk.deliver(&vec![&item; 500]).await.len(), 500);
}
