//! Reporting a use: from the command to "guardado" on the disk, against one bare durable SQLite insert of the same
//! statement.

use hanna_domain::{Document, DocumentKind};
use rusqlite::Connection;
use uuid::Uuid;

use crate::figures::{Figures, Outcome};
use crate::stage::{Stage, tick};

const ROUNDS: u32 = 1_000;

pub async fn measure(stage: &Stage) -> Outcome {
    let bare = Connection::open(stage.folder.path().join("bare.sqlite")).expect("a database");
    bare.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE item (id BLOB NOT NULL PRIMARY KEY, statement TEXT NOT NULL) STRICT;",
    )
    .expect("a table");
    let (mut ours, mut inserts) = (Figures::default(), Figures::default());
    for round in 0..ROUNDS {
        let number = stage.shuffled(round);
        let card = stage.desk.lookup(DocumentKind::CC, &number).await.expect("a card");
        stage.next_person().await;
        let begin = tick();
        stage.desk.report_use(card.lookup_id, false).await.expect("recorded");
        ours.add(begin.elapsed());

        let document = Document::parse(DocumentKind::CC, &number).expect("a cédula");
        let statement = stage.server.statement(document, card.lookup_id);
        stage.next_person().await;
        let begin = tick();
        bare.prepare_cached("INSERT INTO item VALUES (?1, ?2)")
            .and_then(|mut insert| {
                insert.execute((Uuid::from_u128(u128::from(round)).as_bytes().as_slice(), &statement))
            })
            .expect("a row");
        inserts.add(begin.elapsed());
    }
    Outcome {
        what: "report a use, command to disk",
        ours,
        reference: "one bare durable SQLite insert",
        reference_median: inserts.median(),
        ratio_max: 2.0,
        p99_max: None,
    }
}
