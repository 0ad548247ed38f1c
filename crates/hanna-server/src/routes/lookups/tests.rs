use axum::http::StatusCode;
use hanna_domain::{AffiliateStatus, CompanyStatus, Reason, Tariff};
use hanna_wire::path;
use jiff::ToSpan;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::testing::{Bench, Desk};

fn question(bench: &Bench, branch_id: Uuid, number: &str) -> Value {
    json!({
        "id": bench.id(),
        "branch_id": branch_id,
        "document": { "kind": "CC", "number": number },
        "purpose": "validar beneficio del convenio",
    })
}

#[tokio::test]
async fn every_document_of_the_demo_gets_the_answer_it_promises() {
    let bench = Bench::open().await;
    let documents = &bench.demo.documents;
    for username in ["ana.rodriguez@gymcaribe.co", "luis.penaranda@gymcaribe.co", "ivan.acuna@sonrisas.co"] {
        let desk = bench.desk_as(username).await;
        for (numbers, reasons) in [
            (&documents.active, vec![]),
            (&documents.inactive, vec![Reason::AffiliateInactive]),
            (&documents.company_suspended, vec![Reason::CompanySuspended]),
            (&documents.retired, vec![Reason::AffiliateRetired]),
            (&documents.not_registered, vec![Reason::NotAffiliated]),
        ] {
            assert_eq!(numbers.len(), 20);
            for number in numbers {
                // As fast as an account may ask.
                bench.clock.forward(1.second());
                let statement = bench.read(&desk.look_up(&bench, 0, number).await);
                assert_eq!(statement.reasons, reasons, "{username}");
                assert_eq!(statement.usable, reasons.is_empty());
                assert_eq!(statement.document.number(), number);
            }
        }
    }
}

#[tokio::test]
async fn the_statement_says_what_the_card_shows_and_how_long() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let question = question(&bench, desk.branches[0].id, &bench.demo.documents.company_suspended[0]);
    let statement = bench.read(&desk.post(path::LOOKUPS, &question).await);
    assert_eq!(json!(statement.lookup_id), question["id"]);
    assert_eq!(statement.branch_id, desk.branches[0].id);
    let person = statement.affiliate.expect("registered");
    assert_eq!(person.status, AffiliateStatus::Active);
    assert_eq!(person.company.expect("employed").status, CompanyStatus::Suspended);
    assert_eq!(statement.tariff, person.tariff);
    assert_eq!(statement.iat, bench.clock.at());
    assert_eq!(statement.exp, bench.clock.at() + 24.hours());
    assert_eq!(statement.next_update, bench.clock.at() + 12.hours());
}

#[tokio::test]
async fn nobody_and_another_kind_are_answered_and_tell_nothing_of_anybody() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let nobody = bench.read(&desk.look_up(&bench, 0, &bench.demo.documents.not_registered[0]).await);
    assert_eq!((nobody.tariff, &nobody.affiliate), (Tariff::D, &None));

    let ten_digits = bench.demo.documents.active.iter().find(|number| number.len() == 10).expect("one");
    let mut asked = question(&bench, desk.branches[0].id, ten_digits);
    asked["document"]["kind"] = json!("TI");
    let other_kind = bench.read(&desk.post(path::LOOKUPS, &asked).await);
    assert_eq!(other_kind.reasons, [Reason::DocumentKindMismatch]);
    assert_eq!((other_kind.tariff, &other_kind.affiliate), (Tariff::D, &None));
}

#[tokio::test]
async fn agreements_that_are_over_or_have_not_begun_are_named() {
    let bench = Bench::open().await;
    let number = &bench.demo.documents.active[0];
    let expired = bench.desk_as("rosa.ibanez@lapena.co").await;
    let statement = bench.read(&expired.look_up(&bench, 0, number).await);
    assert_eq!((statement.usable, statement.reasons), (false, vec![Reason::AgreementExpired]));
    let coming = bench.desk_as("sofia.delahoz@sonrisas.co").await;
    let statement = bench.read(&coming.look_up(&bench, 1, number).await);
    assert_eq!((statement.usable, statement.reasons), (false, vec![Reason::AgreementNotStarted]));
}

#[tokio::test]
async fn only_operators_of_the_branch_whose_application_is_approved_are_answered() {
    let bench = Bench::open().await;
    let ana = bench.desk("RECEPCION-1").await;
    let luis = bench.desk_as("luis.penaranda@gymcaribe.co").await;
    let clinic = bench.desk_as("ivan.acuna@sonrisas.co").await;
    let waiting = bench.desk_as("karen.nunez@academiarumba.co").await;
    let admin = bench.desk_as("gerencia@gymcaribe.co").await;
    let nowhere = bench.desk_as("sin.sede@gymcaribe.co").await;
    let number = &bench.demo.documents.active[0];
    let cases: [(&Desk, Uuid, &str); 6] = [
        (&luis, ana.branches[1].id, "BRANCH_NOT_ALLOWED"),
        (&ana, clinic.branches[0].id, "BRANCH_NOT_ALLOWED"),
        (&ana, bench.id(), "BRANCH_NOT_ALLOWED"),
        (&nowhere, ana.branches[0].id, "BRANCH_NOT_ALLOWED"),
        (&waiting, waiting.branches[0].id, "FORBIDDEN"),
        (&admin, ana.branches[0].id, "FORBIDDEN"),
    ];
    for (desk, branch_id, code) in cases {
        let answer = desk.post(path::LOOKUPS, &question(&bench, branch_id, number)).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, code));
    }
    let recorded: i64 =
        bench.sql().query_row("SELECT count(*) FROM lookups", [], |row| row.get(0)).expect("a count");
    assert_eq!(recorded, 0, "what was not answered is not on record");
}

#[tokio::test]
async fn a_lookup_is_on_record_once_without_the_number_and_each_answer_with_its_folio() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let number = &bench.demo.documents.not_registered[0];
    let asked = question(&bench, desk.branches[0].id, number);
    let first = bench.read(&desk.post(path::LOOKUPS, &asked).await);
    let second = bench.read(&desk.post(path::LOOKUPS, &asked).await);
    assert_ne!(first.jti, second.jti);

    let sql = bench.sql();
    let (account, device, purpose, mac): (Uuid, Uuid, String, Vec<u8>) = sql
        .query_row("SELECT account_id, device_id, purpose, document_mac FROM lookups", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .expect("one lookup");
    assert_eq!((account, device), (desk.operator_id, desk.device_id));
    assert_eq!(purpose, "validar beneficio del convenio");
    assert_eq!(mac, bench.app.mac_key().document(&first.document).0, "found by whoever knows the number");
    let mut folios = sql.prepare("SELECT id, usable, reasons FROM statements").expect("a query");
    let folios: Vec<(Uuid, bool, String)> = folios
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .expect("run")
        .map(|row| row.expect("a row"))
        .collect();
    let expected = |jti| (jti, false, r#"["NOT_AFFILIATED"]"#.to_owned());
    assert_eq!(folios.len(), 2);
    assert!(folios.contains(&expected(first.jti)) && folios.contains(&expected(second.jti)));

    // Nobody is registered with this number, so it stands nowhere in clear.
    sql.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("written back");
    let file = std::fs::read(bench.dir().join("hanna.sqlite")).expect("readable");
    assert!(!file.windows(number.len()).any(|window| window == number.as_bytes()));
}

#[tokio::test]
async fn the_same_id_for_anything_else_is_a_conflict() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let luis = bench.desk_as("luis.penaranda@gymcaribe.co").await;
    let asked = question(&bench, desk.branches[0].id, &bench.demo.documents.active[0]);
    assert_eq!(desk.post(path::LOOKUPS, &asked).await.status, StatusCode::OK);
    let mut other_person = asked.clone();
    other_person["document"]["number"] = json!(bench.demo.documents.active[1]);
    let mut other_branch = asked.clone();
    other_branch["branch_id"] = json!(desk.branches[1].id);
    for (desk, body) in [(&desk, &other_person), (&desk, &other_branch), (&luis, &asked)] {
        let answer = desk.post(path::LOOKUPS, body).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::CONFLICT, "ID_CONFLICT"));
    }
}

#[tokio::test]
async fn a_purpose_is_needed_and_a_document_must_be_one() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    let asked = question(&bench, desk.branches[0].id, &bench.demo.documents.active[0]);
    for purpose in ["", "  ", &"x".repeat(121)] {
        let mut body = asked.clone();
        body["purpose"] = json!(purpose);
        assert_eq!(desk.post(path::LOOKUPS, &body).await.code(), "INVALID");
    }
    for number in ["", "12", "1.045.678.901", "10456789O1", "900123456-8"] {
        let mut body = asked.clone();
        body["document"]["number"] = json!(number);
        let answer = desk.post(path::LOOKUPS, &body).await;
        assert_eq!(answer.code(), "MALFORMED");
        assert!(number.is_empty() || !answer.body["detail"].to_string().contains(number), "{answer:?}");
    }
}

#[tokio::test]
async fn a_key_that_ends_while_the_server_runs_is_followed_by_another() {
    let bench = Bench::open().await;
    let before = bench.app.list_keys().await.expect("listed");
    bench.clock.forward((366 * 24).hours());
    let desk = bench.desk("RECEPCION-1").await;
    let number = &bench.demo.documents.active[0];
    assert!(bench.read(&desk.look_up(&bench, 0, number).await).usable);
    assert!(bench.read(&desk.look_up(&bench, 0, number).await).usable);
    let after = bench.app.list_keys().await.expect("listed");
    assert_eq!((after.len(), &after[1].kid), (2, &before[0].kid), "the old one stays, to verify with");
}

#[tokio::test]
async fn with_no_key_to_sign_the_server_says_so_and_records_nothing() {
    let bench = Bench::open().await;
    bench.clock.forward((366 * 24).hours());
    let desk = bench.desk("RECEPCION-1").await;
    bench.sql().execute_batch("ALTER TABLE signing_keys RENAME TO out_of_reach").expect("hidden");
    let answer = desk.look_up(&bench, 0, &bench.demo.documents.active[0]).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"));
    let recorded: i64 =
        bench.sql().query_row("SELECT count(*) FROM lookups", [], |row| row.get(0)).expect("a count");
    assert_eq!(recorded, 0);
    bench.sql().execute_batch("ALTER TABLE out_of_reach RENAME TO signing_keys").expect("there again");
    assert!(bench.read(&desk.look_up(&bench, 0, &bench.demo.documents.active[0]).await).usable);
}

#[tokio::test]
async fn keys_that_cannot_be_read_again_go_on_signing() {
    let bench = Bench::open().await;
    let desk = bench.desk("RECEPCION-1").await;
    bench.sql().execute_batch("ALTER TABLE signing_keys RENAME TO out_of_reach").expect("hidden");
    bench.clock.forward(2.minutes());
    assert!(bench.read(&desk.look_up(&bench, 0, &bench.demo.documents.active[0]).await).usable);
}
