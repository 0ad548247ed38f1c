//! The caja takes in a file of affiliates while desks are at work.

use std::ops::ControlFlow;
use std::sync::mpsc;
use std::time::Duration;

use hanna_domain::Verdict;
use hanna_server::import::{ImportHow, Progress};

use crate::Story;

/// How many lines the file has beside its header: enough to be told of twice on the way.
const PEOPLE: u32 = 50_000;
/// Longer than anything a desk waits for.
const PATIENCE: Duration = Duration::from_mins(1);

/// The import waits in its middle until the desk has worked: who is asked about is answered by the server, what is
/// recorded is delivered, and nobody sees anybody of the file before all of it is there.
#[tokio::test(flavor = "multi_thread")]
async fn desks_work_while_affiliates_are_taken_in_and_see_all_of_them_or_none() {
    let story = Story::begin().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("afiliados.csv");
    let header = "tipo_documento;documento;primer_apellido;segundo_apellido;primer_nombre;segundo_nombre;estado;tarifa;\
                  tipo_afiliado;nit_empresa;empresa;estado_empresa\n";
    // Ten digits, which nobody else of the demo's caja has.
    let person =
        |n: u32| format!("CC;{};MUÑOZ;;JOSÉ;;ACTIVO;A;TRABAJADOR;;;\n", 3_900_000_000 + u64::from(n));
    std::fs::write(&file, header.to_owned() + &(0..PEOPLE).map(person).collect::<String>()).expect("written");

    let (arrived, middle) = tokio::sync::oneshot::channel();
    let (resume, resumed) = mpsc::channel();
    let mut arrived = Some(arrived);
    let progress: Progress = Box::new(move |_| {
        if let Some(arrived) = arrived.take() {
            arrived.send(()).expect("waited for");
            resumed.recv_timeout(PATIENCE).expect("the desk has worked");
        }
        ControlFlow::Continue(())
    });
    let app = story.server.app().clone();
    let importing =
        tokio::spawn(async move { app.import_affiliates(&file, ImportHow::default(), None, progress).await });

    middle.await.expect("in its middle");
    for n in 0..5 {
        let card = story.desk.ask(story.active(n)).await;
        assert_eq!(card.verdict, Verdict::Active, "answered by the server");
        story.desk.report_use(card.lookup_id, false).await.expect("recorded");
    }
    assert_eq!(story.desk.sync_now().await.expect("synced").pending, 0, "delivered");
    assert_eq!(story.desk.ask("3900000000").await.verdict, Verdict::NotRegistered);
    resume.send(()).expect("it waits");

    let report = importing.await.expect("ended").expect("readable");
    assert_eq!(report.changed.map(|changed| changed.added), Some(u64::from(PEOPLE)));
    assert_eq!(story.desk.ask("3900000000").await.verdict, Verdict::Active);
    assert_eq!(story.desk.ask("3900049999").await.verdict, Verdict::Active);
}
