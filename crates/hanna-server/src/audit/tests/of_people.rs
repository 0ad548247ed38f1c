//! What a person is told.

use hanna_domain::Verdict;
use serde_json::json;

use super::{busy, document};
use crate::audit::{PersonLookups, PersonalData};
use crate::store::LookupRange;
use crate::testing::Bench;

pub(crate) async fn search(bench: &Bench, number: &str) -> PersonLookups {
    let (app, document) = (&bench.app, document(number));
    app.search_audit(&document, LookupRange::ALL, "preguntó", app.run_by()).await.expect("searched")
}

pub(crate) async fn export(bench: &Bench, number: &str) -> PersonalData {
    let (app, document) = (&bench.app, document(number));
    app.export_person(&document, "preguntó", app.run_by()).await.expect("exported")
}

#[tokio::test]
async fn a_person_is_told_who_asked_and_nobody_elses_lookups() {
    let bench = busy().await;
    let number = bench.demo.documents.active[0].clone();
    let found = search(&bench, &number).await;
    assert_eq!(found.lookups.len(), 1);
    let one = &found.lookups[0];
    assert_eq!((one.operator_name.as_str(), one.device_name.as_str()), ("Ana Rodríguez", "RECEPCION-1"));
    assert_eq!((one.purpose.as_str(), one.verdict), ("validar beneficio del convenio", Verdict::Active));
    assert_eq!(found.accesses.len(), 2, "the search and the export of before");
    let nobody = search(&bench, &bench.demo.documents.active[5]).await;
    assert!(nobody.lookups.is_empty() && nobody.accesses.is_empty());

    let data = export(&bench, &number).await;
    let json = serde_json::to_value(&data).expect("JSON");
    assert_eq!(json["document"]["number"], json!(number));
    assert_eq!(json["uses"][0]["void"]["text"], "era para la vecina");
    assert_eq!(json["lookups"][0]["verdict"], "ACTIVE");
    assert_eq!(json["accesses"].as_array().map(Vec::len), Some(3));
    assert!(json["registered"]["first_surname"].is_string());
    let said: String = bench
        .sql()
        .query_row("SELECT group_concat(said) FROM audit", [], |row| row.get(0))
        .expect("what the acts say");
    assert!(!said.contains(&number) && !said.contains("una clave equivocada"));
}
